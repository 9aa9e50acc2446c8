package control

import (
	"context"
	"errors"
	"slices"
	"time"

	enumspb "go.temporal.io/api/enums/v1"
	"go.temporal.io/api/serviceerror"
	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/temporal"

	"github.com/framebridge/framebridge/temporalclient"
	"github.com/framebridge/framebridge/workflows"
)

// HearsTemporal reports whether Temporal responds. If not, it warns that only the ledger's last status is known.
func (s *Service) HearsTemporal(ctx context.Context) bool {
	ctx, cancel := context.WithTimeout(ctx, lookTimeout)
	defer cancel()
	_, err := s.Temporal.CheckHealth(ctx, nil)
	if err != nil {
		s.Log.WarnContext(ctx, "Temporal does not respond: showing the last status in the ledger", "temporal.address", s.Config().Temporal.Address)
	}
	return err == nil
}

// UseSearchAttributes makes workflows start with search attributes, except for the missing ones.
func (s *Service) UseSearchAttributes(missing []string) { s.missing.Store(&missing) }

// tagged returns the search attributes that the server knows.
func (s *Service) tagged(tags ...workflows.Tag) temporal.SearchAttributes {
	missing := s.missing.Load()
	if missing == nil {
		return temporal.SearchAttributes{} // not known yet
	}
	return workflows.TypedSearchAttributes(slices.DeleteFunc(tags, func(t workflows.Tag) bool { return slices.Contains(*missing, t.Name) }))
}

// execute starts a workflow, without search attributes if the server rejects them.
func (s *Service) execute(ctx context.Context, o client.StartWorkflowOptions, name string, in any) error {
	return temporalclient.Start(ctx, s.Temporal, o, name, in, func(err error) {
		s.Log.WarnContext(ctx, "started without search attributes", "workflow_id", o.ID, "error", err)
	})
}

// update sends an update to a workflow and waits for the stage in its options. It decodes the result into result, if not nil. If
// the workflow is not running, it returns a Refusal with the text gone.
func (s *Service) update(ctx context.Context, o client.UpdateWorkflowOptions, result any, gone string) error {
	h, err := s.Temporal.UpdateWorkflow(ctx, o)
	if err == nil && o.WaitForStage == client.WorkflowUpdateStageCompleted {
		err = h.Get(ctx, result)
	}
	return answered(err, gone)
}

// begin sends an update and waits for its result until the context ends. It returns false if it was accepted but has not finished.
func (s *Service) begin(ctx context.Context, o client.UpdateWorkflowOptions, result any, gone string) (bool, error) {
	o.WaitForStage = client.WorkflowUpdateStageAccepted
	h, err := s.Temporal.UpdateWorkflow(ctx, o)
	if err == nil {
		if err = h.Get(ctx, result); err != nil && ctx.Err() != nil {
			return false, nil //nolint:nilerr // that nobody waits for it any longer is no error of the update
		}
	}
	return err == nil, answered(err, gone)
}

// answered translates an update's error for its caller.
func answered(err error, gone string) error {
	var absent *serviceerror.NotFound
	var refused *temporal.ApplicationError
	switch {
	case err == nil:
		return nil
	case errors.As(err, &absent):
		return &Refusal{gone}
	case errors.As(err, &refused):
		return &Refusal{refused.Message()}
	}
	return errors.Join(ErrUnavailable, err)
}

func (s *Service) isRunning(ctx context.Context, workflowID string) (bool, error) {
	d, err := s.Temporal.DescribeWorkflowExecution(ctx, workflowID, "")
	var gone *serviceerror.NotFound
	switch {
	case errors.As(err, &gone):
		return false, nil
	case err != nil:
		return false, err
	}
	return d.GetWorkflowExecutionInfo().GetStatus() == enumspb.WORKFLOW_EXECUTION_STATUS_RUNNING, nil
}

// isOpen reports whether a workflow is running. A workflow that is about to close, because the ledger has its result, is given a
// moment: whoever reads the result and acts on it means the next run.
func (s *Service) isOpen(ctx context.Context, workflowID string, hasResult func() (bool, error)) (bool, error) {
	until := time.Now().Add(closingTime)
	for {
		running, err := s.isRunning(ctx, workflowID)
		if err != nil || !running || time.Now().After(until) {
			return running, err
		}
		if ended, err := hasResult(); err != nil || !ended {
			return true, err
		}
		select {
		case <-ctx.Done():
			return true, nil
		case <-time.After(closingTime / 30):
		}
	}
}

// stoppedInTemporal says how a workflow ended that left nothing in the ledger, such as a terminated one. It returns "" if it is
// running, if that cannot be determined now, or if it ended before since.
func (s *Service) stoppedInTemporal(ctx context.Context, workflowID string, since time.Time) string {
	ctx, cancel := context.WithTimeout(ctx, lookTimeout)
	defer cancel()
	d, err := s.Temporal.DescribeWorkflowExecution(ctx, workflowID, "")
	if err != nil {
		return ""
	}
	info := d.GetWorkflowExecutionInfo()
	if info.GetCloseTime() == nil || info.GetCloseTime().AsTime().Before(since) {
		return ""
	}
	switch info.GetStatus() {
	case enumspb.WORKFLOW_EXECUTION_STATUS_TERMINATED:
		return "terminated"
	case enumspb.WORKFLOW_EXECUTION_STATUS_FAILED, enumspb.WORKFLOW_EXECUTION_STATUS_TIMED_OUT, enumspb.WORKFLOW_EXECUTION_STATUS_CANCELED:
		return "ended"
	}
	return ""
}
