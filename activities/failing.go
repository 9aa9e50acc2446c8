package activities

import (
	"context"
	"time"

	"github.com/framebridge/framebridge/temporalclient"
	"github.com/framebridge/framebridge/workflows"
)

const (
	failingMailed = 5           // attempts of a workflow task before mail goes out: what an upgrade causes ends sooner
	mailTime      = time.Minute // to send the mail
)

// TellFailing mails the tenant's operators that a workflow task keeps failing, once per run. It does not wait for the mail.
func (a *Activities) TellFailing(task temporalclient.FailingTask) {
	if task.Attempt < failingMailed {
		return
	}
	go func() {
		ctx, cancel := context.WithTimeout(context.Background(), mailTime)
		defer cancel()
		if err := a.tenants.MailFailing(ctx, workflows.TenantOf(task.WorkflowID), task.WorkflowID, task.RunID, task.Attempt-1); err != nil {
			a.log.WarnContext(ctx, "could not send mail about a workflow task that keeps failing", "workflow_id", task.WorkflowID, "error", err)
		}
	}()
}
