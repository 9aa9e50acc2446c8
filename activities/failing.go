package activities

import (
	"context"
	"time"

	"github.com/framebridge/framebridge/temporalclient"
	"github.com/framebridge/framebridge/workflows"
)

const (
	failingMailed = 5           // attempts of a workflow task, until it is told by mail: what an upgrade leaves behind ends sooner
	mailTime      = time.Minute // to send it
)

// TellFailing mails the tenant's operators that a workflow's task fails again and again, once for each run. It does not wait
// for the mail.
func (a *Activities) TellFailing(task temporalclient.FailingTask) {
	if task.Attempt < failingMailed {
		return
	}
	go func() {
		ctx, cancel := context.WithTimeout(context.Background(), mailTime)
		defer cancel()
		if err := a.tenants.MailFailing(ctx, workflows.TenantOf(task.WorkflowID), task.WorkflowID, task.RunID, task.Attempt-1); err != nil {
			a.log.WarnContext(ctx, "could not mail that a workflow's task fails again and again", "workflow_id", task.WorkflowID, "error", err)
		}
	}()
}
