package archive

import (
	"context"
	"fmt"
	"time"

	"github.com/google/uuid"

	"github.com/framebridge/framebridge/activities/notice"
	"github.com/framebridge/framebridge/activities/tenant"
	"github.com/framebridge/framebridge/clients/iconik"
	"github.com/framebridge/framebridge/ledger"
	"github.com/framebridge/framebridge/report"
	"github.com/framebridge/framebridge/routes"
	"github.com/framebridge/framebridge/workflows"
)

const (
	jobType       = "Frame.io archive"
	progressEvery = 5 * time.Second // between two reports of progress to iconik, over all workers
)

func jobTitle(row ledger.Archive) string { return "Archive from Frame.io: " + row.Name }

// buttons are what stops and repeats an archive in iconik, with keys that end.
func (a *archive) buttons() map[string]iconik.JobAction {
	to := func(verb string) iconik.JobAction {
		return iconik.JobAction{URL: routes.ArchiveControl(a.steps.config.Now(), a.cfg, a.ref.Archive, verb)}
	}
	return map[string]iconik.JobAction{"ABORT": to("cancel"), "RESTART": to("retry")}
}

// openJob makes the run's job in iconik, with buttons that stop and repeat the archive.
func (a *archive) openJob(ctx context.Context, row ledger.Archive) error {
	key := fmt.Sprintf("%s:%d", row.ID, row.Run)
	// Not by a.createOnce: that a run was begun is no change in iconik.
	id, _, err := a.tenant.CreateOnce(ctx, tenant.Creation{
		Kind: ledger.LinkJob, SourceID: key, Parent: row.CollectionID, IndexLag: a.cfg.Iconik.SettleTime, Owner: a.ref.Archive,
		Find: func(ctx context.Context) (string, error) {
			jobs, err := a.iconik.Jobs.List(ctx, iconik.JobListOptions{ObjectType: "collections", ObjectID: row.CollectionID, Type: "CUSTOM"})
			return tenant.FirstID(jobs, err, func(j iconik.Job) (string, bool) {
				return j.ID, fmt.Sprint(j.Metadata["framebridge_run"]) == key
			})
		},
		Make: func(ctx context.Context) (string, error) {
			job, err := a.iconik.Jobs.Create(ctx, iconik.JobRequest{
				Title: jobTitle(row), Type: "CUSTOM", CustomType: jobType, Status: "STARTED", ObjectType: "collections", ObjectID: row.CollectionID,
				Steps: notice.Steps("plan", "IN_PROGRESS", ""), Message: "Reading the project in Frame.io",
				Metadata:      map[string]any{"framebridge_run": key, "workflow_id": a.workflowID(), "framebridge_url": routes.ConsoleArchive(a.steps.config.Now(), a.ref.Tenant, a.ref.Archive)},
				ActionContext: a.buttons(),
			})
			if err != nil {
				return "", err
			}
			return job.ID, nil
		},
	})
	if err != nil {
		return err
	}
	_, err = a.ledger.Update(ctx, func(r *ledger.Archive) { r.JobID = id })
	return err
}

// showStep moves the job's steps on. The job is for people to look at: a failure to write it stops nothing.
func (a *archive) showStep(ctx context.Context, row ledger.Archive, phase, status, message string) {
	if row.JobID == "" {
		return
	}
	job, err := a.iconik.Jobs.Get(ctx, row.JobID)
	if err == nil {
		steps := notice.Steps(phase, status, message)
		for i := range steps {
			// iconik names steps by id only; one that it did not keep from the job's creation is offered again.
			steps[i].ID = uuid.NewSHA1(uuid.NameSpaceURL, []byte(row.JobID+notice.JobSteps[i].Phase)).String()
			for _, had := range job.Steps {
				if had.Label == steps[i].Label {
					steps[i].ID = had.ID
				}
			}
		}
		err = a.iconik.Jobs.UpdateSteps(ctx, row.JobID, steps)
	}
	if err != nil {
		a.log.WarnContext(ctx, "could not update the job's steps in iconik", "job", row.JobID, "error", err)
	}
}

// progress shows bytes and items in the job, at most every few seconds over all workers, and stops the archive when
// somebody has asked iconik to abort the job.
func (a *archive) progress(ctx context.Context, now bool) {
	mine, err := a.ledger.ThrottleProgress(ctx, progressEvery)
	if err != nil || !mine && !now {
		return
	}
	row, err := a.row(ctx)
	if err != nil || row.JobID == "" || row.Status.Ended() {
		return
	}
	counts, err := a.counts(ctx)
	if err != nil {
		return
	}
	done, total := counts.BytesDone, counts.Bytes
	if total == 0 {
		done, total = counts.Copied+counts.Skipped, counts.Items
	}
	message := notice.Progress(counts)
	if rate, left := row.Pace(ledger.Totals{Bytes: counts.Bytes, BytesDone: counts.BytesDone}, time.Now()); rate > 0 {
		message += fmt.Sprintf(", %s/s, %s left", report.Size(rate), left)
	}
	job, err := a.iconik.Jobs.Update(ctx, row.JobID, iconik.JobPatch{ProgressProcessed: &done, ProgressTotal: &total, Message: &message, ActionContext: a.buttons()})
	if err != nil {
		a.log.WarnContext(ctx, "could not update the job's progress in iconik", "job", row.JobID, "error", err)
		return
	}
	if job.Status == "" { // an answer that shows only what was written
		if job, err = a.iconik.Jobs.Get(ctx, row.JobID); err != nil {
			return
		}
	}
	if job.Status == "ABORT_PENDING" || job.Status == "ABORTED" {
		if err := a.steps.cancel(ctx, a.workflowID()); err != nil {
			a.log.WarnContext(ctx, "could not cancel the archive", "workflow", a.workflowID(), "error", err)
		}
	}
}

// ShowStuck shows in the job what is stuck. The job is for people to look at: a failure to write it stops nothing.
func (a *Activities) ShowStuck(ctx context.Context, ref workflows.Ref, s ledger.Stuck) {
	arc, err := a.archive(ref)
	if err != nil {
		return
	}
	row, err := arc.row(ctx)
	if err != nil || row.JobID == "" || row.Status.Ended() {
		return
	}
	message := notice.Stuck(s)
	if _, err := arc.iconik.Jobs.Update(ctx, row.JobID, iconik.JobPatch{Message: &message}); err != nil {
		a.log.WarnContext(ctx, "could not show in iconik's job that the archive is stuck", "job", row.JobID, "error", err)
	}
}
