package activities

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"go.temporal.io/sdk/temporal"

	"github.com/framebridge/framebridge/clients/iconik"
	"github.com/framebridge/framebridge/clients/mail"
	"github.com/framebridge/framebridge/ledger"
	"github.com/framebridge/framebridge/routes"
	"github.com/framebridge/framebridge/temporalclient"
	"github.com/framebridge/framebridge/workflows"
)

// showPatience is how long an end is not written down until the vendors show it.
const showPatience = 30 * time.Second

// SetStatus writes down where the archive stands, and shows it in the job.
func (a *Activities) SetStatus(ctx context.Context, in workflows.SetStatusInput) error {
	arc, err := a.archive(in.Ref)
	if err != nil {
		return err
	}
	totals, err := a.Ledger.ArchiveTotals(ctx, in.Tenant, in.Archive)
	if err != nil {
		return err
	}
	row, err := a.Ledger.UpdateArchive(ctx, in.Tenant, in.Archive, func(r *ledger.Archive) {
		r.Status, r.Reason = ledger.ArchiveStatus(in.Status), in.Reason
		r.CopyingSince = time.Time{}
		if in.Status == "running" && in.Phase == workflows.PhaseCopy {
			r.CopyingSince, r.BytesBefore = time.Now().UTC(), totals.BytesDone
		}
	})
	if err != nil {
		return err
	}
	arc.showStep(ctx, row, in.Phase, "IN_PROGRESS", in.Reason)
	return nil
}

// FinishArchive decides what the archive has proved and writes it down in the ledger and the job.
func (a *Activities) FinishArchive(ctx context.Context, in workflows.FinishInput) (workflows.Finished, error) {
	arc, err := a.archive(in.Ref)
	if err != nil {
		return workflows.Finished{}, err
	}
	counts, err := arc.counts(ctx)
	if err != nil {
		return workflows.Finished{}, err
	}
	row, err := arc.row(ctx)
	if err != nil {
		return workflows.Finished{}, err
	}
	status, reason := ledger.ArchiveStatus(in.Status), in.Reason
	if in.Status == "" {
		if status, reason, err = arc.outcome(ctx, row); err != nil {
			return workflows.Finished{}, err
		}
		if row.MoveNote != "" {
			reason += "; " + row.MoveNote
		}
	} else if in.Fault != "" {
		reason = faultWord(in.Fault) + ": " + reason
	}
	// The job first: whoever reads in the API that the archive has ended finds its job closed. An iconik that is away does
	// not keep the end from being written down.
	row.Status, row.Reason = status, reason
	showing, cancel := context.WithTimeout(ctx, showPatience)
	arc.closeJob(showing, row, counts)
	cancel()
	if _, err := a.Ledger.UpdateArchive(ctx, in.Tenant, in.Archive, func(r *ledger.Archive) {
		r.Status, r.Reason, r.FinishedAt, r.QueuePosition = status, reason, time.Now().UTC(), 0
		r.APICalls = arc.frameioCalls() + arc.iconik.Calls()
	}); err != nil {
		return workflows.Finished{}, err
	}
	return workflows.Finished{Status: string(status), Reason: reason, Changed: row.Changed, Counts: counts}, nil
}

// frameioCalls counts this process's calls, where the adapter tells.
func (t *tenant) frameioCalls() int64 {
	if c, ok := t.frameio.(interface{ Calls() int64 }); ok {
		return c.Calls()
	}
	return 0
}

// faultWord tells who must act: the user on FAILED, an operator on ERROR.
func faultWord(fault string) string {
	if fault == "content" {
		return "FAILED"
	}
	return "ERROR"
}

// outcome is what the archive has proved so far.
func (a *archive) outcome(ctx context.Context, row ledger.Archive) (ledger.ArchiveStatus, string, error) {
	totals, err := a.Ledger.ArchiveTotals(ctx, a.ref.Tenant, a.ref.Archive)
	if err != nil {
		return "", "", err
	}
	proxies, err := a.Ledger.CountProxies(ctx, a.ref.Tenant, a.ref.Archive)
	if err != nil {
		return "", "", err
	}
	folders, err := a.foldersWithoutCollection(ctx)
	if err != nil {
		return "", "", err
	}
	status, reason := judge(totals, proxies, folders, row.Shares-row.SharesDone)
	return status, reason, nil
}

// judge is the verdict over all items, folders and presentations.
func judge(t ledger.Totals, proxies int64, foldersMissing, sharesMissing int) (ledger.ArchiveStatus, string) {
	open := t.Pending + t.Copying + t.Copied
	switch {
	case t.Failed > 0 || open > 0:
		return ledger.Incomplete, fmt.Sprintf("%d of %d files failed, %d are not verified: the report names each; a retry continues with them", t.Failed, t.Items, open)
	case foldersMissing > 0:
		return ledger.Incomplete, fmt.Sprintf("missing: %d collections were deleted in iconik; a retry makes them again", foldersMissing)
	case sharesMissing > 0:
		return ledger.Incomplete, fmt.Sprintf("missing: references were taken out of %d presentations in iconik; a retry makes them again", sharesMissing)
	case t.Skipped > 0 || proxies > 0:
		return ledger.VerifiedWithExceptions, fmt.Sprintf("%d of %d files verified%s%s: the report says why", t.Verified, t.Items, some(t.Skipped, "skipped"), some(proxies, "as proxy"))
	}
	return ledger.Verified, fmt.Sprintf("all %d files verified", t.Items)
}

func (a *archive) closeJob(ctx context.Context, row ledger.Archive, counts workflows.Counts) {
	if row.JobID == "" {
		return
	}
	status, step := "FINISHED", "DONE"
	switch row.Status {
	case ledger.VerifiedWithExceptions:
		status = "FINISHED_WITH_WARNING"
	case ledger.Incomplete, ledger.Failed:
		status, step = "FAILED", "FAILED"
	case ledger.Cancelled:
		status, step = "ABORTED", "SKIPPED"
	}
	a.showStep(ctx, row, "report", step, row.Reason)
	message := row.Reason + " — " + progressMessage(counts)
	patch := iconik.JobPatch{Status: status, Message: &message}
	done, total := max(counts.Bytes, 1), max(counts.Bytes, 1)
	if status == "FINISHED" || status == "FINISHED_WITH_WARNING" {
		patch.ProgressProcessed, patch.ProgressTotal = &done, &total
	} else {
		patch.ErrorMessage = &row.Reason
	}
	if _, err := a.iconik.Jobs.Update(ctx, row.JobID, patch); err != nil {
		a.Log.WarnContext(ctx, "job not closed", "job", row.JobID, "error", err)
	}
}

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
			return temporal.NewApplicationErrorWithOptions("the archive runs again: its end decides whether this mail is sent", "Running",
				temporal.ApplicationErrorOptions{NextRetryDelay: laterRunLook, Category: temporal.ApplicationErrorCategoryBenign})
		}
		// A re-run that found nothing to do sends no mail: what the run before it has to tell is still so.
		nothing := (row.Status == ledger.Verified || row.Status == ledger.VerifiedWithExceptions) && !row.Changed
		if nothing != older {
			return nil
		}
	} else if older || in.Kind == workflows.NotifyQueued && row.Status != ledger.Queued || in.Kind == workflows.NotifyWaiting && row.Status != ledger.Waiting {
		return nil
	}
	to := recipients(row.RequestedBy, slices.Concat(row.AlsoAsked, arc.cfg.Archive.Notify))
	if a.mailer == nil || len(to) == 0 {
		return nil
	}
	if row.Name == "" { // it was started by its id and is not open yet
		if project, err := arc.frameio.Project(ctx, row.ID); err == nil {
			row.Name, row.ProjectURL = project.Name, project.URL
		}
	}
	subject, text := arc.letter(in.Kind, row)
	return arc.mailOnce(ctx, in.Archive, mail.Message{ID: fmt.Sprintf("archive:%s:%d:%s", row.ID, cmp.Or(in.Run, row.Run), in.Kind), To: to, Subject: subject, Text: text})
}

// mailOnce sends a message unless one of its id was sent, or perhaps sent by an attempt that died: a mail too few is
// better than one twice.
func (t *tenant) mailOnce(ctx context.Context, owner string, m mail.Message) error {
	if t.mailer == nil || len(m.To) == 0 {
		return nil
	}
	link, isNew, err := t.Ledger.Intend(ctx, t.cfg.ID, ledger.Link{Kind: ledger.LinkMail, SourceID: m.ID, Archive: owner, IntendedAt: time.Now()})
	if err != nil || link.TargetID != "" || !isNew {
		return err
	}
	err = t.mailer.Send(ctx, m)
	var refused *mail.SendError
	if errors.As(err, &refused) && !refused.Accepted {
		if ferr := t.Ledger.Forget(ctx, t.cfg.ID, ledger.LinkMail, m.ID); ferr != nil {
			return ferr
		}
		return settled(err)
	}
	if err != nil {
		t.Log.WarnContext(ctx, "mail perhaps not sent", "id", m.ID, "error", err)
	}
	return t.Ledger.Made(ctx, t.cfg.ID, ledger.LinkMail, m.ID, "sent", "")
}

func recipients(requester string, notify []string) []string {
	var to []string
	seen := map[string]bool{}
	for _, addr := range append([]string{requester}, notify...) {
		if addr = strings.TrimSpace(addr); addr != "" && !seen[strings.ToLower(addr)] {
			seen[strings.ToLower(addr)] = true
			to = append(to, addr)
		}
	}
	return to
}

// letter writes what a person needs: what happened, what they can do, where to look.
func (a *archive) letter(kind string, row ledger.Archive) (subject, text string) {
	var b strings.Builder
	switch kind {
	case workflows.NotifyQueued:
		subject = fmt.Sprintf("Queued: archive of %q", row.Name)
		if row.Name == "" {
			subject = "Queued: archive of a Frame.io project"
		}
		fmt.Fprintf(&b, "Another archive is running. This one begins by itself when those before it have ended; its position is %d.\n", max(row.QueuePosition, 1))
	case workflows.NotifyWaiting:
		subject = fmt.Sprintf("Needs a hand: originals of %q are in cold storage", row.Name)
		if !a.frameio.Capabilities().NativeArchive || strings.Contains(row.Reason, allowOrWait) {
			subject = fmt.Sprintf("Needs a hand: originals of %q are missing", row.Name)
		}
		fmt.Fprintf(&b, "%s\n\nThe archive waits and goes on by itself when they are back. To archive without them, cancel it, set archive.missing_original to proxy, start the worker again, and retry it: proxies are stored in their place, and what has none becomes a placeholder.\n", row.Reason)
	default:
		switch row.Status {
		case ledger.Verified:
			subject = fmt.Sprintf("Done: %q is archived and verified", row.Name)
		case ledger.VerifiedWithExceptions:
			subject = fmt.Sprintf("Done, with exceptions: %q is archived", row.Name)
		case ledger.Cancelled:
			subject = fmt.Sprintf("Cancelled: archive of %q", row.Name)
		default:
			subject = fmt.Sprintf("Needs a hand: archive of %q is %s", row.Name, row.Status)
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
	fmt.Fprintf(&b, "Status:                %s\n", routes.Archive(a.Config, a.ref.Archive))
	if u := temporalclient.WorkflowURL(a.Config.Temporal, a.workflowID()); u != "" {
		fmt.Fprintf(&b, "Workflow:              %s\n", u)
	}
	return subject, b.String()
}

// some is a clause of a sentence, where there is something to say.
func some(n int64, what string) string {
	if n == 0 {
		return ""
	}
	return fmt.Sprintf(", %d %s", n, what)
}
