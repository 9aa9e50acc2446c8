package mirror

import (
	"cmp"
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/framebridge/framebridge/activities/tenant"
	"github.com/framebridge/framebridge/english"
	"github.com/framebridge/framebridge/events"
	"github.com/framebridge/framebridge/workflows"
)

// runsLookedFor is how long to look for the end of a run.
const runsLookedFor = 30 * 24 * time.Hour

// Outcome is how a run of a mirror has ended: with a result, with an error in words, or because its mirror was stopped.
type Outcome struct {
	Result  workflows.MirrorResult
	Failed  string
	Stopped bool
}

// Ended reports, once per run, how runs have ended that began and whose end was not reported yet. It is not a step of the
// workflow, because a run that was ended in Temporal or cannot continue also has an end. look returns how a run has ended, or
// nil while it is running.
func (a *Activities) Ended(ctx context.Context, tenantID string, look func(ctx context.Context, run string) (*Outcome, error)) error {
	t, err := a.Tenant(tenantID)
	if err != nil {
		return err
	}
	begun, err := t.Ledger.EventsSince(ctx, events.MirrorStarted, time.Now().Add(-runsLookedFor))
	if err != nil {
		return err
	}
	for _, e := range begun {
		run := e.Data.ObjectID
		if _, told := a.ended.Load(run); told {
			continue
		}
		if _, told, err := t.Ledger.Event(ctx, events.ID(t.ID, endKey(run))); err != nil {
			return err
		} else if told {
			a.ended.Store(run, true)
			continue
		}
		out, err := look(ctx, run)
		if err != nil {
			return err
		}
		if out == nil {
			continue
		}
		if err := a.tellEnd(ctx, t, e, *out); err != nil {
			return err
		}
	}
	return nil
}

func (a *Activities) tellEnd(ctx context.Context, t *tenant.Tenant, begun events.Event, out Outcome) error {
	r, kind := out.Result, events.MirrorDone
	d := events.Data{Title: fmt.Sprintf("Done: mirror %q of %s", begun.Data.Name, t.Config.Name), Object: "mirror", ObjectID: begun.Data.ObjectID, Name: begun.Data.Name, Status: "done",
		Counts: map[string]int64{"projects": int64(r.Projects), "verified": int64(r.Verified), "verified_with_exceptions": int64(r.Exceptions), "waiting": int64(r.Waiting), "failed": int64(r.Failed)}}
	said := []string{fmt.Sprintf("%s: %d verified", english.Count(r.Projects, "project"), r.Verified)}
	for _, n := range []struct {
		count int
		what  string
	}{{r.Exceptions, "verified with exceptions"}, {r.Waiting, "waiting or still running"}, {r.Failed, "not archived"}} {
		if n.count > 0 {
			said = append(said, fmt.Sprintf("%d %s", n.count, n.what))
		}
	}
	d.Text = strings.Join(said, ", ") + "."
	switch {
	case out.Stopped:
		d.Title, d.Status = fmt.Sprintf("Stopped: mirror %q of %s", begun.Data.Name, t.Config.Name), "cancelled"
		d.Text = "The mirror was removed while it ran. Archives that it has started continue."
	case out.Failed != "" || r.Failed > 0:
		kind, d.Status = events.MirrorFailed, "failed"
		d.Title = fmt.Sprintf("Action needed: mirror %q of %s has failed", begun.Data.Name, t.Config.Name)
		d.Text = strings.TrimSpace(cmp.Or(out.Failed, d.Text+" Each archive's own report says why, but for a project selected by its ID that Frame.io no longer shows; the next run tries them again."))
	}
	told, err := t.Tell(ctx, tenant.Happening{Key: endKey(begun.Data.ObjectID), Kind: kind, Data: d})
	if err != nil {
		return err
	}
	t.Log.InfoContext(ctx, "mirror", "tenant", t.Config.Name, "mirror", begun.Data.Name, "status", d.Status, "run", begun.Data.ObjectID, "projects", r.Projects, "verified", r.Verified, "waiting", r.Waiting, "failed", r.Failed,
		"reason", out.Failed, "after", time.Since(begun.Created).Round(time.Second).String())
	t.Start(ctx, told)
	return nil
}
