package tenant

import (
	"context"
	"fmt"
	"strings"

	"github.com/framebridge/framebridge/events"
)

// MailFailing tells a tenant's operators, once per run, that a workflow task has failed the given number of times in a row.
func (s *Tenants) MailFailing(ctx context.Context, tenant, workflowID, runID string, times int32) error {
	t, err := s.Get(tenant)
	if err != nil {
		return err
	}
	kind, _, _ := strings.Cut(strings.Replace(workflowID, "/"+t.ID, "", 1), "/")
	to := t.Config.Archive.Notify
	if kind == "review" && len(t.Config.Review.Notify) > 0 {
		to = t.Config.Review.Notify
	}
	text := fmt.Sprintf("A workflow has stopped: its task has failed %d times in a row. Temporal keeps trying, and nothing is lost, but nothing happens until the "+
		"cause is gone. The usual causes are a worker of a different version and a bug in Framebridge.\n\n"+
		"What to do: look for the workflow ID in the worker's log. If Framebridge was upgraded or rolled back, make sure that all workers run the same version.\n\n"+
		"Workflow ID: %s\nRun ID:      %s", times, workflowID, runID)
	return t.TellOperators(ctx, News{Key: "failing:" + workflowID + ":" + runID, Kind: events.WorkflowFailing, To: Recipients("", to), Title: "ERROR: a workflow has stopped: " + workflowID, Text: text})
}
