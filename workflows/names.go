// Package workflows holds Framebridge's durable processes. They are deterministic, carry ids and counts only, and reach
// the world through activities alone; every timeout and retry policy is in policies.go.
package workflows

import (
	"fmt"
	"strings"

	"go.temporal.io/sdk/temporal"
)

// Workflow type names, as they stand in histories.
const (
	ArchiveName      = "Archive"
	ArchiveCopyName  = "ArchiveCopy"
	ArchiveQueueName = "ArchiveQueue"
	ArchivePlanName  = "ArchivePlan"
	ArchiveMailName  = "ArchiveMail"
	MirrorName       = "Mirror"
	ReviewName       = "Review"
	ReclaimName      = "Reclaim"

	MigrationName     = "Migration"
	MigrationMailName = "MigrationMail"
	NotificationName  = "Notification"
	UpkeepName        = "Upkeep"
)

const (
	// ReviewJobType is what iconik calls the jobs of reviews.
	ReviewJobType = "Review in Frame.io"
	// MaxReviewAssets is how many assets one review may show: what one share of Frame.io's V4 takes.
	MaxReviewAssets = 100
)

// Signals, queries and updates.
const (
	SignalTurn    = "turn"    // queue → archive: it is this archive's turn
	SignalEnqueue = "enqueue" // archive → queue
	SignalRelease = "release" // archive → queue
	SignalHold    = "hold"    // migration → archive: stand still, or go on
	SignalEnded   = "ended"   // archive → migration
	SignalStuck   = "stuck"   // activity → archive: it has failed for longer than StuckAfter, and is tried again

	SignalWake   = "wake"   // starter → review: a webhook came
	SignalResend = "resend" // starter, review → review: assets were added

	QueryStatus = "status"

	UpdateCancel = "cancel" // of an archive, a migration or a reclaim: stop it; what is done stays
	UpdateRetry  = "retry"  // while it waits for originals: look now
	UpdateMove   = "move"   // of the queue: give an archive another place
	UpdatePause  = "pause"  // of a reclaim or a migration
	UpdateResume = "resume" // of one that is paused
	UpdateOrder  = "order"  // of a migration: give a project another place
	UpdateAdd    = "add"    // of a migration: list projects that it has not
	UpdateExtend = "extend" // give a review another expiry
	UpdateStop   = "stop"   // end a review now
	UpdateSync   = "sync"   // compare both sides of a review now

	UpdateApprove = "approve" // of a reclaim: a second person lets the deletion begin
)

// Search attributes, of type Keyword but for the last one. The project's name is set only where histories are not encrypted: a
// search attribute never is.
var (
	AttributeTenant  = temporal.NewSearchAttributeKeyKeyword("FramebridgeTenant")
	AttributeProject = temporal.NewSearchAttributeKeyKeyword("FramebridgeProject")
	AttributeAsset   = temporal.NewSearchAttributeKeyKeyword("FramebridgeAsset")
	AttributeStatus  = temporal.NewSearchAttributeKeyKeyword("FramebridgeStatus")
	AttributeName    = temporal.NewSearchAttributeKeyKeyword("FramebridgeProjectName")
	AttributeExpires = temporal.NewSearchAttributeKeyTime("FramebridgeExpires")
)

// SearchAttributes are all that workflows are searched by.
func SearchAttributes() []temporal.SearchAttributeKey {
	return []temporal.SearchAttributeKey{AttributeTenant, AttributeProject, AttributeAsset, AttributeStatus, AttributeName, AttributeExpires}
}

// ArchiveRef says which archive an input is about.
func (r Ref) ArchiveRef() Ref { return r }

// ArchiveID is the workflow id of a project's archive.
func ArchiveID(tenant, project string) string { return "archive/" + tenant + "/" + project }

// ArchiveCopyID is the workflow id of a child that copies a range of an archive's items.
func ArchiveCopyID(tenant, project string, r Range) string {
	return fmt.Sprintf("%s/copy/%d-%d", ArchiveID(tenant, project), r.From, r.To)
}

// ArchiveQueueID is the workflow id of a tenant's queue of archives.
func ArchiveQueueID(tenant string) string { return "archive-queue/" + tenant }

// ArchiveMailID is the workflow id of a mail about one run of an archive.
func ArchiveMailID(tenant, project string, run int, kind string) string {
	return fmt.Sprintf("archive-mail/%s/%s/%d/%s", tenant, project, run, kind)
}

// NotificationID is the workflow id of an event on its way to a channel.
func NotificationID(tenant, event, channel string) string {
	return "notify/" + tenant + "/" + event + "/" + channel
}

// PlanID is the workflow id of a dry run.
func PlanID(tenant, project string) string { return "plan/" + tenant + "/" + project }

// MirrorID is the id of a mirror's schedule.
func MirrorID(tenant, name string) string { return "mirror/" + tenant + "/" + name }

// MirrorRunID is the beginning of the workflow ids of a mirror's runs: the schedule appends the time.
func MirrorRunID(tenant, name string) string { return "mirror-run/" + tenant + "/" + name }

// MigrationID is the workflow id of a tenant's migration: no more than one is open.
func MigrationID(tenant string) string { return "migration/" + tenant }

// MigrationMailID is the workflow id of the mail about a migration's end.
func MigrationMailID(tenant, migration string) string {
	return "migration-mail/" + tenant + "/" + migration
}

// ReviewID is the workflow id of a review.
func ReviewID(tenant, review string) string { return "review/" + tenant + "/" + review }

// ReclaimID is the workflow id of the deletion of an archive's files in Frame.io.
func ReclaimID(tenant, project string) string { return "reclaim/" + tenant + "/" + project }

// UpkeepID is the workflow id of a tenant's upkeep.
func UpkeepID(tenant string) string { return "upkeep/" + tenant }

// TenantOf is the tenant of a workflow by its id, or "".
func TenantOf(workflowID string) string {
	_, rest, _ := strings.Cut(workflowID, "/")
	tenant, _, _ := strings.Cut(rest, "/")
	return tenant
}

// TransferQueue is the task queue of the workers that move bytes, beside the given one.
func TransferQueue(taskQueue string) string { return taskQueue + "-transfers" }

// Ref names one archive in every activity's input.
type Ref struct {
	Tenant  string `json:"tenant"`
	Archive string `json:"archive"` // the Frame.io project's id
}
