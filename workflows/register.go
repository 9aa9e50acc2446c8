package workflows

import (
	"go.temporal.io/sdk/worker"
	"go.temporal.io/sdk/workflow"
)

// Register registers every workflow of this package with r under its name.
func Register(r worker.WorkflowRegistry) {
	r.RegisterWorkflowWithOptions(Archive, workflow.RegisterOptions{Name: ArchiveName})
	r.RegisterWorkflowWithOptions(ArchiveCopy, workflow.RegisterOptions{Name: ArchiveCopyName})
	r.RegisterWorkflowWithOptions(ArchiveQueue, workflow.RegisterOptions{Name: ArchiveQueueName})
	r.RegisterWorkflowWithOptions(ArchivePlan, workflow.RegisterOptions{Name: ArchivePlanName})
	r.RegisterWorkflowWithOptions(Mirror, workflow.RegisterOptions{Name: MirrorName})
	r.RegisterWorkflowWithOptions(ArchiveMail, workflow.RegisterOptions{Name: ArchiveMailName})
	r.RegisterWorkflowWithOptions(Migration, workflow.RegisterOptions{Name: MigrationName})
	r.RegisterWorkflowWithOptions(MigrationMail, workflow.RegisterOptions{Name: MigrationMailName})
	r.RegisterWorkflowWithOptions(Review, workflow.RegisterOptions{Name: ReviewName})
	r.RegisterWorkflowWithOptions(Upkeep, workflow.RegisterOptions{Name: UpkeepName})
	r.RegisterWorkflowWithOptions(Reclaim, workflow.RegisterOptions{Name: ReclaimName})
	r.RegisterWorkflowWithOptions(Notification, workflow.RegisterOptions{Name: NotificationName})
}
