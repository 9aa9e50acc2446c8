package activities

import (
	"context"

	enumspb "go.temporal.io/api/enums/v1"
	"go.temporal.io/sdk/activity"
	"go.temporal.io/sdk/client"

	"github.com/framebridge/framebridge/ledger"
	"github.com/framebridge/framebridge/workflows"
)

// queue holds the activities of the workflows of tenants' queues.
type queue struct {
	ledger   *ledger.Ledger
	temporal client.Client
}

// JoinQueue adds an archive to its tenant's queue, starting the queue if there is none.
func (q *queue) JoinQueue(ctx context.Context, in workflows.JoinQueueInput) error {
	_, err := q.temporal.SignalWithStartWorkflow(ctx, workflows.ArchiveQueueID(in.Tenant), workflows.SignalEnqueue, in.Ticket,
		client.StartWorkflowOptions{
			TaskQueue:                activity.GetInfo(ctx).TaskQueue,
			WorkflowIDConflictPolicy: enumspb.WORKFLOW_ID_CONFLICT_POLICY_USE_EXISTING,
			StaticSummary:            "Archives of one tenant run one at a time",
		}, workflows.ArchiveQueueName, workflows.QueueState{Tenant: in.Tenant})
	return err
}

// QueuePositions records which archives wait, in order.
func (q *queue) QueuePositions(ctx context.Context, in workflows.QueuePositionsInput) error {
	return q.ledger.Tenant(in.Tenant).SetQueuePositions(ctx, in.Archives)
}

// ClosedArchives returns the tickets whose workflow has ended without leaving the queue, for example because it was terminated.
func (q *queue) ClosedArchives(ctx context.Context, in workflows.ClosedArchivesInput) ([]workflows.Ticket, error) {
	var closed []workflows.Ticket
	for _, t := range in.Tickets {
		d, err := q.temporal.DescribeWorkflowExecution(ctx, t.WorkflowID, "")
		switch {
		case gone(err):
			closed = append(closed, t)
		case err != nil:
			return nil, err
		case d.GetWorkflowExecutionInfo().GetStatus() != enumspb.WORKFLOW_EXECUTION_STATUS_RUNNING,
			d.GetWorkflowExecutionInfo().GetFirstRunId() != t.RunID:
			closed = append(closed, t)
		}
	}
	return closed, nil
}
