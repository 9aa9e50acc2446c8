package archive

import (
	"context"

	"github.com/framebridge/framebridge/activities/notice"
	"github.com/framebridge/framebridge/clients/iconik"
	"github.com/framebridge/framebridge/ledger"
	"github.com/framebridge/framebridge/routes"
	"github.com/framebridge/framebridge/workflows"
)

// job returns the run's job in iconik.
func (a *archive) job() notice.Job {
	return notice.Job{Tenant: a.tenant, Ledger: a.ledger, Log: a.log, WorkflowID: a.workflowID(), ConsoleLink: routes.ConsoleArchive(a.steps.Config.Now(), a.ref.Tenant, a.ref.Archive),
		Buttons: a.buttons, Counts: a.counts, Cancel: func(ctx context.Context) error { return a.steps.Cancel(ctx, a.workflowID()) }}
}

// buttons returns the actions that stop and repeat an archive in iconik, with keys that expire.
func (a *archive) buttons() map[string]iconik.JobAction {
	to := func(verb string) iconik.JobAction {
		return iconik.JobAction{URL: routes.ArchiveControl(a.steps.Config.Now(), a.cfg, a.ref.Archive, verb)}
	}
	return map[string]iconik.JobAction{"ABORT": to("cancel"), "RESTART": to("retry")}
}

// ShowStuck shows in the job what is stuck.
func (a *Activities) ShowStuck(ctx context.Context, ref workflows.Ref, s ledger.Stuck) {
	if arc, err := a.archive(ref); err == nil {
		arc.job().ShowStuck(ctx, s)
	}
}

// ShowProgress shows in the job how far the archive is.
func (a *Activities) ShowProgress(ctx context.Context, ref workflows.Ref) {
	if arc, err := a.archive(ref); err == nil {
		arc.job().ShowProgress(ctx, true)
	}
}
