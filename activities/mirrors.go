package activities

import (
	"context"
	"fmt"

	enumspb "go.temporal.io/api/enums/v1"
	"go.temporal.io/sdk/client"

	"github.com/framebridge/framebridge/activities/mirror"
	"github.com/framebridge/framebridge/redact"
	"github.com/framebridge/framebridge/workflows"
)

// mirrorOutcome returns how a mirror's run has ended, or nil while it runs.
func mirrorOutcome(c client.Client) func(ctx context.Context, run string) (*mirror.Outcome, error) {
	return func(ctx context.Context, run string) (*mirror.Outcome, error) {
		d, err := c.DescribeWorkflowExecution(ctx, run, "")
		if gone(err) {
			return &mirror.Outcome{Failed: "Temporal no longer knows the run."}, nil
		}
		if err != nil {
			return nil, err
		}
		switch status := d.GetWorkflowExecutionInfo().GetStatus(); status {
		case enumspb.WORKFLOW_EXECUTION_STATUS_RUNNING, enumspb.WORKFLOW_EXECUTION_STATUS_PAUSED, enumspb.WORKFLOW_EXECUTION_STATUS_CONTINUED_AS_NEW:
			return nil, nil
		case enumspb.WORKFLOW_EXECUTION_STATUS_COMPLETED:
			var out mirror.Outcome
			if err := c.GetWorkflow(ctx, run, "").Get(ctx, &out.Result); err != nil {
				return nil, err
			}
			return &out, nil
		case enumspb.WORKFLOW_EXECUTION_STATUS_FAILED:
			err := c.GetWorkflow(ctx, run, "").Get(ctx, &workflows.MirrorResult{})
			return &mirror.Outcome{Failed: "It ended with an error: " + redact.Scrub(fmt.Sprint(err))}, nil
		case enumspb.WORKFLOW_EXECUTION_STATUS_CANCELED: // by "mirror stop"
			return &mirror.Outcome{Stopped: true}, nil
		default:
			return &mirror.Outcome{Failed: "It was ended in Temporal: " + status.String()}, nil
		}
	}
}

// tellMirrors reports how mirrors' runs have ended.
func (a *Activities) tellMirrors(ctx context.Context) error {
	for id := range a.config.Now().Tenants {
		if err := a.Mirror.Ended(ctx, id, a.mirrorEnd); err != nil {
			return err
		}
	}
	return nil
}
