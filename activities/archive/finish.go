package archive

import (
	"context"
	"time"

	"github.com/framebridge/framebridge/activities/comments"
	"github.com/framebridge/framebridge/activities/notice"
	"github.com/framebridge/framebridge/activities/tenant"
	"github.com/framebridge/framebridge/activities/verdict"
	"github.com/framebridge/framebridge/clients/iconik"
	"github.com/framebridge/framebridge/ledger"
	"github.com/framebridge/framebridge/workflows"
)

// SetStatus records the archive's status and shows it in the job.
func (a *Activities) SetStatus(ctx context.Context, in workflows.SetStatusInput) error {
	arc, err := a.archive(in.Ref)
	if err != nil {
		return err
	}
	totals, err := arc.ledger.Totals(ctx)
	if err != nil {
		return err
	}
	row, err := arc.update(ctx, func(r *ledger.Archive) {
		r.Status, r.Reason, r.ReasonCode = ledger.ArchiveStatus(in.Status), in.Reason, in.Code
		r.CopyingSince = time.Time{}
		if in.Code == workflows.PausedWithMigration { // what was stuck was interrupted, and starts over
			r.Stuck = nil
		}
		if in.Status == workflows.StatusRunning && in.Phase == workflows.PhaseCopy {
			r.CopyingSince, r.BytesBefore = time.Now().UTC(), totals.BytesDone
		}
	})
	if err != nil {
		return err
	}
	arc.job().ShowStep(ctx, row, in.Phase, "IN_PROGRESS", in.Reason)
	arc.job().ShowProgress(ctx, true)
	return nil
}

// FinishArchive decides what the archive has proved, and records it in the ledger and the job.
func (a *Activities) FinishArchive(ctx context.Context, in workflows.FinishInput) (workflows.FinishArchiveResult, error) {
	arc, err := a.archive(in.Ref)
	if err != nil {
		return workflows.FinishArchiveResult{}, err
	}
	counts, err := arc.counts(ctx)
	if err != nil {
		return workflows.FinishArchiveResult{}, err
	}
	row, err := arc.row(ctx)
	if err != nil {
		return workflows.FinishArchiveResult{}, err
	}
	status, reason := ledger.ArchiveStatus(in.Status), in.Reason
	if in.Status == "" {
		if status, reason, err = arc.outcome(ctx, row); err != nil {
			return workflows.FinishArchiveResult{}, err
		}
		if row.MigrationNote != "" {
			reason += "; " + row.MigrationNote
		}
	} else if in.Fault != "" {
		reason = ledger.FaultWord(in.Fault) + ": " + reason
	}
	// Close the job first, so that whoever learns from the API that the archive has ended finds its job closed. An unreachable
	// iconik does not keep the end from being recorded.
	row.Status, row.Reason = status, reason
	showing, cancel := context.WithTimeout(ctx, tenant.ShowPatience)
	arc.closeJob(showing, row, counts)
	cancel()
	told, err := arc.announce(ctx, workflows.NotifyEnded, row) // it cannot be lost from here on, and goes out when the API shows the end
	if err != nil {
		return workflows.FinishArchiveResult{}, err
	}
	if _, err := arc.update(ctx, func(r *ledger.Archive) {
		r.Status, r.Reason, r.FinishedAt, r.QueuePosition = status, reason, time.Now().UTC(), 0
		r.Stuck, r.ProvenSince = nil, verdict.ProvenSince(*r)
		r.APICalls = arc.frameioCalls() + arc.iconik.Calls()
	}); err != nil {
		return workflows.FinishArchiveResult{}, err
	}
	arc.tenant.Start(ctx, told)
	return workflows.FinishArchiveResult{Status: string(status), Reason: reason, Changed: row.Changed, Counts: counts}, nil
}

// frameioCalls returns the number of this process's calls, if the adapter counts them.
func (a *archive) frameioCalls() int64 {
	if c, ok := a.frameio.(interface{ Calls() int64 }); ok {
		return c.Calls()
	}
	return 0
}

// outcome returns what the archive has proved until now.
func (a *archive) outcome(ctx context.Context, row ledger.Archive) (ledger.ArchiveStatus, string, error) {
	totals, err := a.ledger.Totals(ctx)
	if err != nil {
		return "", "", err
	}
	proxies, err := a.ledger.CountProxies(ctx)
	if err != nil {
		return "", "", err
	}
	folders, err := a.foldersWithoutCollection(ctx)
	if err != nil {
		return "", "", err
	}
	status, reason := verdict.Of(totals, proxies, folders, row.Shares-row.SharesDone)
	if status, reason, err = a.exceptions(ctx, status, reason); err != nil {
		return "", "", err
	}
	if status, reason, err = a.findings.Outcome(ctx, status, reason); err != nil {
		return "", "", err
	}
	if status, reason, err = a.access.Exceptions(ctx, status, reason); err != nil {
		return "", "", err
	}
	status, reason = comments.Unread(row, status, reason)
	others, err := a.objects.Reason(ctx, totals.FailedOthers)
	return status, reason + others, err
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
	a.job().ShowStep(ctx, row, "report", step, row.Reason)
	message := row.Reason + " — " + notice.Progress(counts)
	patch := iconik.JobPatch{Status: status, Message: &message, ActionContext: a.buttons()}
	done, total := max(counts.Bytes, 1), max(counts.Bytes, 1)
	if status == "FINISHED" || status == "FINISHED_WITH_WARNING" {
		patch.ProgressProcessed, patch.ProgressTotal = &done, &total
	} else {
		patch.ErrorMessage = &row.Reason
	}
	if _, err := a.iconik.Jobs.Update(ctx, row.JobID, patch); err != nil {
		a.log.WarnContext(ctx, "could not close the job in iconik", "job", row.JobID, "error", err)
	}
}
