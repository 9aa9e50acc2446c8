package archive

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/framebridge/framebridge/activities/fault"
	"github.com/framebridge/framebridge/activities/notice"
	"github.com/framebridge/framebridge/activities/tenant"
	"github.com/framebridge/framebridge/config"
	"github.com/framebridge/framebridge/events"
	"github.com/framebridge/framebridge/ledger"
	"github.com/framebridge/framebridge/routes"
	"github.com/framebridge/framebridge/workflows"
)

const laterRunLook = 5 * time.Minute // between checks whether a later run has ended, for mail that depends on it

// Notify sends mail about the archive, once per kind and run.
func (a *Activities) Notify(ctx context.Context, in workflows.NotifyInput) error {
	arc, err := a.archive(in.Ref)
	if err != nil {
		return err
	}
	row, err := arc.row(ctx)
	if err != nil {
		return err
	}
	// The mail server may have been down for so long that the news is outdated.
	older := in.Run != 0 && in.Run != row.Run
	if in.Kind == workflows.NotifyEnded {
		if !row.Status.Ended() {
			return fault.Wait(workflows.ErrorRunning, laterRunLook, "the archive is running again: whether to send this mail depends on how that run ends")
		}
		// A retry that found nothing to do sends no mail: what the previous run reported still holds.
		nothing := (row.Status == ledger.Verified || row.Status == ledger.VerifiedWithExceptions) && !row.Changed
		if nothing != older {
			return nil
		}
	} else if older || in.Kind == workflows.NotifyQueued && row.Status != ledger.Queued || in.Kind == workflows.NotifyWaiting && row.Status != ledger.Waiting || in.Kind == workflows.NotifyStuck && len(row.Stuck) == 0 {
		return nil
	}
	arc.notifyInIconik(ctx, in.Kind, cmp.Or(in.Run, row.Run), row)
	to := tenant.Recipients(row.RequestedBy, slices.Concat(row.AlsoAsked, arc.cfg.Archive.Notify))
	mails := arc.tenant.Mail.Configured() && len(to) > 0 && events.Wanted(arc.cfg.Notify.MailEvents, notice.Kind(in.Kind, row.Status))
	if !mails && len(arc.cfg.Notify.Channels()) == 0 {
		return nil
	}
	if row.Name == "" { // it was started by its ID and is not open yet
		if project, err := arc.frameio.Project(ctx, row.ID); err == nil {
			if row, err = arc.ledger.Update(ctx, func(r *ledger.Archive) { r.Name, r.ProjectURL = project.Name, project.URL }); err != nil {
				return err
			}
		}
	}
	if in.Kind != workflows.NotifyEnded { // FinishArchive has announced that
		told, err := arc.announce(ctx, in.Kind, row)
		if err != nil {
			return err
		}
		arc.tenant.Start(ctx, told)
	}
	if !mails {
		return nil
	}
	subject, text, err := arc.composeMail(ctx, in.Kind, row)
	if err != nil {
		return err
	}
	return arc.tenant.Mail.Tell(ctx, tenant.Letter{ID: fmt.Sprintf("archive:%s:%d:%s", row.ID, cmp.Or(in.Run, row.Run), in.Kind), Owner: in.Archive, Kind: notice.Kind(in.Kind, row.Status), Subject: subject, Text: text,
		Asked: row.Asked(), Others: arc.cfg.Archive.Notify})
}

func (a *archive) composeMail(ctx context.Context, kind string, row ledger.Archive) (subject, text string, err error) {
	status, err := a.tenant.StatusLink(ctx, a.steps.Config.Now(), ledger.LinkedArchive, a.ref.Archive, config.RoleViewer, time.Time{})
	if err != nil {
		return "", "", err
	}
	subject, text = notice.Compose(kind, row, a.where(row, status))
	return subject, text, nil
}

func (a *archive) where(row ledger.Archive, status string) notice.Where {
	w := notice.Where{Status: status, Workflow: a.steps.WorkflowURL(a.workflowID()), Cold: row.ReasonCode == workflows.WaitsForRestore}
	if row.ReasonCode == "" { // set by an older worker, which has no codes
		w.Cold = a.frameio.Capabilities().NativeArchive
	}
	if row.CollectionID != "" {
		w.Collection = a.iconik.CollectionURL(row.CollectionID)
	}
	return w
}

// announce stores what channels are told about a run, once per kind. Its links require an account.
func (a *archive) announce(ctx context.Context, kind string, row ledger.Archive) ([]ledger.Delivery, error) {
	if len(a.cfg.Notify.Channels()) == 0 {
		return nil, nil
	}
	counts, err := a.counts(ctx)
	if err != nil {
		return nil, err
	}
	where := a.where(row, routes.ConsoleArchive(a.steps.Config.Now(), a.ref.Tenant, a.ref.Archive))
	return a.tenant.Announce(ctx, fmt.Sprintf("archive:%s:%d:%s", row.ID, row.Run, kind), notice.Kind(kind, row.Status), notice.Event(kind, row, where, counts))
}
