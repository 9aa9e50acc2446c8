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
	ReviewName       = "Review"
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
	SignalStuck   = "stuck"   // activity → archive: it has failed for longer than StuckAfter, and is tried again

	SignalWake   = "wake"   // starter → review: a webhook came
	SignalResend = "resend" // starter, review → review: assets were added

	QueryStatus = "status"

	UpdateCancel = "cancel" // stop the archive; what is copied stays
	UpdateRetry  = "retry"  // while it waits for originals: look now
	UpdateMove   = "move"   // of the queue: give an archive another place
	UpdateExtend = "extend" // give a review another expiry
	UpdateStop   = "stop"   // end a review now
	UpdateSync   = "sync"   // compare both sides of a review now
)

// Search attributes, all of type Keyword.
var (
	AttributeTenant  = temporal.NewSearchAttributeKeyKeyword("FramebridgeTenant")
	AttributeProject = temporal.NewSearchAttributeKeyKeyword("FramebridgeProject")
	AttributeAsset   = temporal.NewSearchAttributeKeyKeyword("FramebridgeAsset")
	AttributeStatus  = temporal.NewSearchAttributeKeyKeyword("FramebridgeStatus")
)

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

// PlanID is the workflow id of a dry run.
func PlanID(tenant, project string) string { return "plan/" + tenant + "/" + project }

// ReviewID is the workflow id of a review.
func ReviewID(tenant, review string) string { return "review/" + tenant + "/" + review }

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
