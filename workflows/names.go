// Package workflows holds Framebridge's durable processes. They are deterministic, carry only IDs and counts, and reach the world
// through activities alone. Every timeout and retry policy is in policies.go.
package workflows

import (
	"fmt"
	"strings"

	"go.temporal.io/sdk/temporal"
)

// Workflow type names, as recorded in histories.
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
	// MaxReviewAssets is how many assets one review may show: the limit of one Frame.io V4 share.
	MaxReviewAssets = 100
)

// Signals, queries and updates.
const (
	SignalTurn    = "turn"    // queue → archive: it is this archive's turn
	SignalEnqueue = "enqueue" // archive → queue
	SignalRelease = "release" // archive → queue
	SignalHold    = "hold"    // migration → archive: pause, or continue
	SignalEnded   = "ended"   // archive → migration
	SignalStuck   = "stuck"   // activity → archive: it has been failing for longer than StuckAfter, and retries go on

	SignalWake   = "wake"   // starter → review: a webhook arrived
	SignalResend = "resend" // starter, review → review: assets were added

	QueryStatus = "status"

	UpdateCancel = "cancel" // of an archive, a migration or a reclaim: stop it; what is done stays
	UpdateRetry  = "retry"  // of an archive that waits for originals: look now
	UpdateMove   = "move"   // of the queue: move an archive to another place
	UpdatePause  = "pause"  // of a reclaim or a migration
	UpdateResume = "resume" // of a paused one
	UpdateOrder  = "order"  // of a migration: move a project to another place
	UpdateAdd    = "add"    // of a migration: list projects that are not in it yet
	UpdateExtend = "extend" // of a review: change its expiry
	UpdateStop   = "stop"   // of a review: end it now
	UpdateSync   = "sync"   // of a review: compare both sides now

	UpdateApprove = "approve" // of a reclaim: a second person allows the deletion to begin
)

// Search attributes. All are Keywords except the last. The project's name is set only if histories are not encrypted, because
// search attributes never are.
var (
	AttributeTenant  = temporal.NewSearchAttributeKeyKeyword("FramebridgeTenant")
	AttributeProject = temporal.NewSearchAttributeKeyKeyword("FramebridgeProject")
	AttributeAsset   = temporal.NewSearchAttributeKeyKeyword("FramebridgeAsset")
	AttributeStatus  = temporal.NewSearchAttributeKeyKeyword("FramebridgeStatus")
	AttributeName    = temporal.NewSearchAttributeKeyKeyword("FramebridgeProjectName")
	AttributeExpires = temporal.NewSearchAttributeKeyTime("FramebridgeExpires")
)

// SearchAttributes returns all search attributes that workflows set.
func SearchAttributes() []temporal.SearchAttributeKey {
	return []temporal.SearchAttributeKey{AttributeTenant, AttributeProject, AttributeAsset, AttributeStatus, AttributeName, AttributeExpires}
}

// ArchiveRef returns the archive that an input is about.
func (r Ref) ArchiveRef() Ref { return r }

// ArchiveID returns the workflow ID of a project's archive.
func ArchiveID(tenant, project string) string { return "archive/" + tenant + "/" + project }

// ArchiveCopyID returns the workflow ID of a child that copies a range of an archive's items.
func ArchiveCopyID(tenant, project string, r Range) string {
	return fmt.Sprintf("%s/copy/%d-%d", ArchiveID(tenant, project), r.From, r.To)
}

// ArchiveQueueID returns the workflow ID of a tenant's queue of archives.
func ArchiveQueueID(tenant string) string { return "archive-queue/" + tenant }

// ArchiveMailID returns the workflow ID of a mail about one run of an archive.
func ArchiveMailID(tenant, project string, run int, kind string) string {
	return fmt.Sprintf("archive-mail/%s/%s/%d/%s", tenant, project, run, kind)
}

// NotificationID returns the workflow ID of the delivery of an event to a channel.
func NotificationID(tenant, event, channel string) string {
	return "notify/" + tenant + "/" + event + "/" + channel
}

// PlanID returns the workflow ID of a dry run.
func PlanID(tenant, project string) string { return "plan/" + tenant + "/" + project }

// MirrorID returns the ID of a mirror's schedule.
func MirrorID(tenant, name string) string { return "mirror/" + tenant + "/" + name }

// MirrorRunID returns the prefix of the workflow IDs of a mirror's runs. The schedule appends the time.
func MirrorRunID(tenant, name string) string { return "mirror-run/" + tenant + "/" + name }

// MigrationID returns the workflow ID of a tenant's migration. At most one is open.
func MigrationID(tenant string) string { return "migration/" + tenant }

// MigrationMailID returns the workflow ID of the mail about a migration's end.
func MigrationMailID(tenant, migration string) string {
	return "migration-mail/" + tenant + "/" + migration
}

// ReviewID returns the workflow ID of a review.
func ReviewID(tenant, review string) string { return "review/" + tenant + "/" + review }

// ReclaimID returns the workflow ID of the deletion of an archive's files in Frame.io.
func ReclaimID(tenant, project string) string { return "reclaim/" + tenant + "/" + project }

// UpkeepID returns the workflow ID of a tenant's upkeep.
func UpkeepID(tenant string) string { return "upkeep/" + tenant }

// TenantOf returns the tenant in a workflow ID, or "" if there is none.
func TenantOf(workflowID string) string {
	_, rest, _ := strings.Cut(workflowID, "/")
	tenant, _, _ := strings.Cut(rest, "/")
	return tenant
}

// TransferQueue returns the task queue of the workers that move bytes, given the main task queue.
func TransferQueue(taskQueue string) string { return taskQueue + "-transfers" }

// Ref names one archive in every activity's input.
type Ref struct {
	Tenant  string `json:"tenant"`
	Archive string `json:"archive"` // the Frame.io project's ID
}
