package api

import (
	"context"
	"errors"
	"io"
	"time"

	"github.com/framebridge/framebridge/config"
	"github.com/framebridge/framebridge/console"
	"github.com/framebridge/framebridge/ledger"
	"github.com/framebridge/framebridge/plan/account"
	"github.com/framebridge/framebridge/starter/control"
	"github.com/framebridge/framebridge/workflows"
)

func (a consoleActions) PlanAccount(ctx context.Context, t *config.Tenant, take account.Selection, progress func(done, of int)) (workflows.AccountPlan, error) {
	return a.s.PlanAccount(ctx, t, take, progress)
}

func (a consoleActions) StartMigration(ctx context.Context, t *config.Tenant, asked account.Request, requestedBy string) (string, error) {
	if !IsAddress(requestedBy) {
		requestedBy = "" // it is where mail goes
	}
	out, err := a.s.StartMigration(context.WithoutCancel(ctx), t, asked, requestedBy)
	return out.ID, refused(err)
}

func (a consoleActions) ControlMigration(ctx context.Context, t *config.Tenant, id, verb string) error {
	ctx = context.WithoutCancel(ctx)
	var err error
	if verb == workflows.UpdateAdd {
		_, err = a.s.AddToMigration(ctx, t, id, nil)
	} else {
		_, err = a.s.ControlMigration(ctx, t, id, verb)
	}
	return refused(err)
}

func (a consoleActions) OrderMigration(ctx context.Context, t *config.Tenant, id, project string, position int) error {
	_, err := a.s.OrderMigration(context.WithoutCancel(ctx), t, id, project, position)
	return refused(err)
}

func (a consoleActions) MigrationAsItStands(ctx context.Context, row ledger.Migration) ledger.Migration {
	return a.s.MigrationAsItStands(ctx, row)
}

func (a consoleActions) Mirrors(ctx context.Context, t *config.Tenant) ([]console.Mirror, error) {
	all, err := a.s.Mirrors(ctx, t)
	out := make([]console.Mirror, len(all))
	for i, m := range all {
		out[i] = console.Mirror{Name: m.Name, Selection: m.Selection, At: m.At, Days: m.Days, Zone: m.Zone, Paused: m.Paused, Running: m.Running, Note: m.Note,
			LastAt: orZero(m.LastAt), NextAt: orZero(m.NextAt), Last: m.Last, Failed: m.Failed, URL: m.URL}
	}
	return out, err
}

func orZero(t *time.Time) time.Time {
	if t == nil {
		return time.Time{}
	}
	return *t
}

func (a consoleActions) StartMirror(ctx context.Context, t *config.Tenant, m console.Mirror) error {
	_, err := a.s.StartMirror(context.WithoutCancel(ctx), t, control.Mirror{Name: m.Name, Selection: m.Selection, At: m.At, Days: m.Days, Zone: m.Zone})
	return refused(err)
}

func (a consoleActions) ControlMirror(ctx context.Context, t *config.Tenant, name, verb string) error {
	ctx = context.WithoutCancel(ctx)
	switch verb {
	case "run":
		return refused(a.s.RunMirror(ctx, t, name))
	case "pause":
		return refused(a.s.PauseMirror(ctx, t, name, ""))
	case "resume":
		return refused(a.s.ResumeMirror(ctx, t, name, ""))
	case "stop":
		return refused(a.s.StopMirror(ctx, t, name))
	}
	return &console.Refused{Why: "there is no such action"}
}

func (a consoleActions) StartReclaim(ctx context.Context, t *config.Tenant, id string, asked console.ReclaimRequest) error {
	row, known, err := a.s.Ledger.Tenant(t.ID).Archive(id).Get(ctx)
	switch {
	case err != nil:
		return errors.Join(control.ErrUnavailable, err)
	case !known:
		return &console.Refused{Why: "there is no such archive"}
	}
	_, err = a.s.StartReclaim(context.WithoutCancel(ctx), t, row, control.ReclaimRequest(asked))
	return refused(err)
}

func (a consoleActions) ControlReclaim(ctx context.Context, t *config.Tenant, id, verb string) error {
	_, err := a.s.ControlReclaim(context.WithoutCancel(ctx), t, id, verb)
	return refused(err)
}

func (a consoleActions) Certificate(ctx context.Context, t *config.Tenant, id, file string) (io.ReadCloser, error) {
	body, err := a.s.Certificate(ctx, t, id, file)
	if errors.Is(err, control.ErrNoCertificate) {
		err = &console.Refused{Why: err.Error()}
	}
	return body, err
}
