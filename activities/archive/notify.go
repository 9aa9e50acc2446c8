package archive

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/framebridge/framebridge/clients/mail"
	"github.com/framebridge/framebridge/plan"

	"github.com/framebridge/framebridge/activities/fault"
	"github.com/framebridge/framebridge/activities/tenant"
	"github.com/framebridge/framebridge/ledger"
	"github.com/framebridge/framebridge/routes"
	"github.com/framebridge/framebridge/workflows"
)

const laterRunLook = 5 * time.Minute // between looks whether a later run has ended, for a mail that waits for it

// Notify sends an e-mail about the archive, once for each kind and run.
func (a *Activities) Notify(ctx context.Context, in workflows.NotifyInput) error {
	arc, err := a.archive(in.Ref)
	if err != nil {
		return err
	}
	row, err := arc.row(ctx)
	if err != nil {
		return err
	}
	// The mail server may have been away for so long that the news is old.
	older := in.Run != 0 && in.Run != row.Run
	if in.Kind == workflows.NotifyEnded {
		if !row.Status.Ended() {
			return fault.Wait("Running", laterRunLook, "the archive is running again: whether to send this mail depends on how that run ends")
		}
		// A re-run that found nothing to do sends no mail: what the run before it has to tell is still so.
		nothing := (row.Status == ledger.Verified || row.Status == ledger.VerifiedWithExceptions) && !row.Changed
		if nothing != older {
			return nil
		}
	} else if older || in.Kind == workflows.NotifyQueued && row.Status != ledger.Queued || in.Kind == workflows.NotifyWaiting && row.Status != ledger.Waiting {
		return nil
	}
	to := tenant.Recipients(row.RequestedBy, slices.Concat(row.AlsoAsked, arc.cfg.Archive.Notify))
	if !arc.tenant.Mail.Configured() || len(to) == 0 {
		return nil
	}
	if row.Name == "" { // it was started by its id and is not open yet
		if project, err := arc.frameio.Project(ctx, row.ID); err == nil {
			row.Name, row.ProjectURL = project.Name, project.URL
		}
	}
	subject, text := arc.composeMail(in.Kind, row)
	return arc.tenant.Mail.SendOnce(ctx, in.Archive, mail.Message{ID: fmt.Sprintf("archive:%s:%d:%s", row.ID, cmp.Or(in.Run, row.Run), in.Kind), To: to, Subject: subject, Text: text})
}

// composeMail writes what a person needs: what happened, what they can do, where to look.
func (a *archive) composeMail(kind string, row ledger.Archive) (subject, text string) {
	var b strings.Builder
	switch kind {
	case workflows.NotifyQueued:
		subject = fmt.Sprintf("Queued: archive of %q", row.Name)
		if row.Name == "" {
			subject = "Queued: archive of a Frame.io project"
		}
		fmt.Fprintf(&b, "Another archive is running. This one is number %d in the queue and starts automatically.\n", max(row.QueuePosition, 1))
	case workflows.NotifyWaiting:
		subject = fmt.Sprintf("Action needed: originals of %q are in cold storage", row.Name)
		if !a.frameio.Capabilities().NativeArchive || strings.Contains(row.Reason, plan.AllowOrWait) {
			subject = fmt.Sprintf("Action needed: originals of %q are missing", row.Name)
		}
		fmt.Fprintf(&b, "%s\n\nThe archive continues automatically when the originals are back. To archive without them, cancel the archive, set archive.missing_original to proxy, restart the worker, and retry the archive. It then stores proxies instead, and a placeholder for each file without a proxy.\n", row.Reason)
	default:
		switch row.Status {
		case ledger.Verified:
			subject = fmt.Sprintf("Done: %q is archived and verified", row.Name)
		case ledger.VerifiedWithExceptions:
			subject = fmt.Sprintf("Done, with exceptions: %q is archived", row.Name)
		case ledger.Cancelled:
			subject = fmt.Sprintf("Cancelled: archive of %q", row.Name)
		default:
			subject = fmt.Sprintf("Action needed: archive of %q is %s", row.Name, row.Status)
		}
		fmt.Fprintf(&b, "%s\n", row.Reason)
	}
	b.WriteString("\n")
	if row.ProjectURL != "" {
		fmt.Fprintf(&b, "Project in Frame.io:   %s\n", row.ProjectURL)
	}
	if row.CollectionID != "" {
		fmt.Fprintf(&b, "Collection in iconik:  %s\n", a.iconik.CollectionURL(row.CollectionID))
	}
	fmt.Fprintf(&b, "Status:                %s\n", routes.Archive(a.steps.config.Now(), a.ref.Archive))
	if u := a.steps.workflowURL(a.workflowID()); u != "" {
		fmt.Fprintf(&b, "Workflow:              %s\n", u)
	}
	return subject, b.String()
}
