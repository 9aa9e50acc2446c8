// Package mirror archives selected projects repeatedly. It starts their archives and waits for them; what an archive does is up
// to the archive.
package mirror

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/framebridge/framebridge/activities/attempt"
	"github.com/framebridge/framebridge/activities/fault"
	"github.com/framebridge/framebridge/activities/tenant"
	"github.com/framebridge/framebridge/events"
	"github.com/framebridge/framebridge/ledger"
	"github.com/framebridge/framebridge/plan/account"
	"github.com/framebridge/framebridge/workflows"
)

const lookAgain = 10 * time.Second // between checks whether an archive has ended

// Activities holds the mirror activities for all tenants of a worker.
type Activities struct {
	Ledger *ledger.Ledger
	// Tenant returns a tenant by ID.
	Tenant func(id string) (*tenant.Tenant, error)
	// Running reports whether an archive's workflow is open.
	Running func(ctx context.Context, ref workflows.Ref) (bool, error)
	// Start starts an archive's workflow, or joins the one that is open.
	Start func(ctx context.Context, ref workflows.Ref) error

	ended sync.Map // runs whose end has been reported
}

// MirrorProjects lists the selected projects in the order of their IDs. It includes those selected by ID that Frame.io does not show:
// somebody assumes that they are mirrored.
func (a *Activities) MirrorProjects(ctx context.Context, in workflows.MirrorProjectsInput) (workflows.MirrorPage, error) {
	t, err := a.Tenant(in.Tenant)
	if err != nil {
		return workflows.MirrorPage{}, err
	}
	var take account.Selection
	if err := json.Unmarshal(in.Selection, &take); err != nil {
		return workflows.MirrorPage{}, fault.Content("the mirror's selection cannot be read: %v", err)
	}
	if err := take.Validate(); err != nil {
		return workflows.MirrorPage{}, fault.Content("%v", err)
	}
	if err := began(ctx, t, in); err != nil {
		return workflows.MirrorPage{}, err
	}
	var ids []string
	for p, err := range account.Projects(ctx, t.Frameio, take) {
		var field *account.FieldError
		switch {
		case errors.As(err, &field): // a workspace that was renamed or deleted
			return workflows.MirrorPage{}, fault.Content("%v", field)
		case err != nil:
			return workflows.MirrorPage{}, err
		}
		if err := attempt.Stopping(ctx); err != nil {
			return workflows.MirrorPage{}, err
		}
		if p.ID > in.After {
			ids = append(ids, p.ID)
		}
	}
	slices.Sort(ids)
	out := workflows.MirrorPage{Projects: ids, Parallel: t.Config.Archive.ProjectsInParallel}
	if len(ids) > in.Max {
		out.Projects, out.More = ids[:in.Max], true
	}
	return out, nil
}

// began reports, once, that a run has begun. Ended looks for its end.
func began(ctx context.Context, t *tenant.Tenant, in workflows.MirrorProjectsInput) error {
	if in.Run == "" {
		return nil
	}
	told, err := t.Tell(ctx, tenant.Happening{Key: startKey(in.Run), Kind: events.MirrorStarted, Data: events.Data{Title: fmt.Sprintf("Started: mirror %q of %s", in.Name, t.Config.Name), Object: "mirror", ObjectID: in.Run, Name: in.Name, Status: "running"}})
	if in.After == "" && err == nil {
		t.Log.InfoContext(ctx, "mirror", "tenant", t.Config.Name, "mirror", in.Name, "status", "running", "run", in.Run)
	}
	t.Start(ctx, told)
	return err
}

func startKey(run string) string { return run + ":started" }

func endKey(run string) string { return run + ":ended" }

// MirrorProject starts a project's archive once and returns how it ended. While the archive is running, the attempt fails and
// is retried a moment later, so that it does not occupy a worker.
func (a *Activities) MirrorProject(ctx context.Context, in workflows.MirrorProjectInput) (workflows.MirrorProjectResult, error) {
	h := a.Ledger.Tenant(in.Tenant).Archive(in.Archive)
	row, known, err := h.Get(ctx)
	if err != nil {
		return workflows.MirrorProjectResult{}, err
	}
	running, err := a.Running(ctx, in.Ref)
	if err != nil {
		return workflows.MirrorProjectResult{}, err
	}
	again := fault.Wait(workflows.ErrorRunning, lookAgain, "the archive is still running")
	switch began := attempt.Of(ctx).Scheduled(); {
	case running && row.Status == ledger.Waiting:
		return workflows.MirrorProjectResult{Status: workflows.StatusWaiting}, nil
	case running:
		return workflows.MirrorProjectResult{}, again
	case known && row.Status.Ended() && row.QueuedAt.After(began):
		return workflows.MirrorProjectResult{Status: string(row.Status)}, nil
	}
	if err := a.shown(ctx, in.Ref); err != nil {
		return workflows.MirrorProjectResult{}, err
	}
	_, joined, err := h.Request(ctx, "", time.Now().UTC())
	if err == nil && !joined {
		_, err = h.Update(ctx, func(r *ledger.Archive) {
			r.Delta, r.TriggeredBy = true, ledger.Trigger{Kind: ledger.TriggerMirror, Name: in.Mirror}
		})
	}
	if err != nil {
		return workflows.MirrorProjectResult{}, err
	}
	if err := a.Start(ctx, in.Ref); err != nil {
		return workflows.MirrorProjectResult{}, err
	}
	return workflows.MirrorProjectResult{}, again
}

// shown returns an error if Frame.io does not show a project. What was archived of it stays as it is, and its archive does not count as
// failed.
func (a *Activities) shown(ctx context.Context, ref workflows.Ref) error {
	t, err := a.Tenant(ref.Tenant)
	if err != nil {
		return err
	}
	_, err = t.Frameio.Project(ctx, ref.Archive)
	if _, lasting := fault.Lasting(err); lasting {
		t.Log.WarnContext(ctx, "a mirror's project was not archived", "tenant", t.Config.Name, "project", ref.Archive, "reason", fault.Scrubbed(err))
		return fault.Content("Frame.io has no project %s, or the token's user has no access to it: %v", ref.Archive, err)
	}
	return err
}
