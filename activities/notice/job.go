package notice

import (
	"context"
	"fmt"
	"log/slog"
	"time"

	"github.com/google/uuid"

	"github.com/framebridge/framebridge/activities/tenant"
	"github.com/framebridge/framebridge/clients/iconik"
	"github.com/framebridge/framebridge/english"
	"github.com/framebridge/framebridge/ledger"
	"github.com/framebridge/framebridge/report"
	"github.com/framebridge/framebridge/workflows"
)

const (
	// JobType is what iconik calls the jobs of archives.
	JobType       = "Frame.io archive"
	progressEvery = 5 * time.Second // between progress updates in iconik, across all workers
)

// JobTitle returns the title of an archive's job.
func JobTitle(row ledger.Archive) string { return "Archive from Frame.io: " + row.Name }

// Job is the iconik job that shows an archive's run. It only informs people: except in Open, a failure to write it stops
// nothing.
type Job struct {
	Tenant      *tenant.Tenant
	Ledger      ledger.ArchiveLedger
	Log         *slog.Logger
	WorkflowID  string
	ConsoleLink string
	Buttons     func() map[string]iconik.JobAction // stop and repeat the archive, with keys that expire
	Counts      func(context.Context) (workflows.Counts, error)
	Cancel      func(context.Context) error // cancels the archive if somebody aborts the job
}

// Open creates the run's job, with buttons that stop and repeat the archive.
func (j Job) Open(ctx context.Context, row ledger.Archive) error {
	key := fmt.Sprintf("%s:%d", row.ID, row.Run)
	// Without BeforeWrite: that a run has begun is not a change in iconik.
	id, _, err := j.Tenant.CreateOnce(ctx, tenant.Creation{
		Kind: ledger.LinkJob, SourceID: key, Parent: row.CollectionID, IndexLag: j.Tenant.Config.Iconik.SettleTime, Owner: row.ID,
		Find: func(ctx context.Context) (string, error) {
			jobs, err := j.Tenant.Iconik.Jobs.List(ctx, iconik.JobListOptions{ObjectType: "collections", ObjectID: row.CollectionID, Type: "CUSTOM"})
			return tenant.FirstID(jobs, err, func(job iconik.Job) (string, bool) {
				return job.ID, fmt.Sprint(job.Metadata["framebridge_run"]) == key
			})
		},
		Make: func(ctx context.Context) (string, error) {
			job, err := j.Tenant.Iconik.Jobs.Create(ctx, iconik.JobRequest{
				Title: JobTitle(row), Type: "CUSTOM", CustomType: JobType, Status: "STARTED", ObjectType: "collections", ObjectID: row.CollectionID,
				Steps: Steps("plan", "IN_PROGRESS", ""), Message: "Reading the project in Frame.io",
				Metadata:      map[string]any{"framebridge_run": key, "workflow_id": j.WorkflowID, "framebridge_url": j.ConsoleLink},
				ActionContext: j.Buttons(),
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
	_, err = j.Ledger.Update(ctx, func(r *ledger.Archive) { r.JobID = id })
	return err
}

// ShowStep updates the job's steps.
func (j Job) ShowStep(ctx context.Context, row ledger.Archive, phase, status, message string) {
	if row.JobID == "" {
		return
	}
	job, err := j.Tenant.Iconik.Jobs.Get(ctx, row.JobID)
	if err == nil {
		steps := Steps(phase, status, message)
		for i := range steps {
			// iconik identifies steps by ID only. Send again any that it did not keep from the job's creation.
			steps[i].ID = uuid.NewSHA1(uuid.NameSpaceURL, []byte(row.JobID+JobSteps[i].Phase)).String()
			for _, had := range job.Steps {
				if had.Label == steps[i].Label {
					steps[i].ID = had.ID
				}
			}
		}
		err = j.Tenant.Iconik.Jobs.UpdateSteps(ctx, row.JobID, steps)
	}
	if err != nil {
		j.Log.WarnContext(ctx, "could not update the job's steps in iconik", "job", row.JobID, "error", err)
	}
}

// ShowProgress shows bytes and items, at most every few seconds across all workers unless now is set. It cancels the archive if
// somebody has asked iconik to abort the job.
func (j Job) ShowProgress(ctx context.Context, now bool) {
	mine, err := j.Ledger.ThrottleProgress(ctx, progressEvery)
	if err != nil || !mine && !now {
		return
	}
	row, known, err := j.Ledger.Get(ctx)
	if err != nil || !known || row.JobID == "" || row.Status.Ended() {
		return
	}
	counts, err := j.Counts(ctx)
	if err != nil {
		return
	}
	done, total := counts.BytesDone, counts.Bytes
	if total == 0 {
		done, total = counts.Copied+counts.Skipped, counts.Items
	}
	message := Progress(counts)
	if row.Status == ledger.Waiting && counts.Waiting > 0 {
		message = waits(row, counts) + " — " + message
	}
	if rate, left := row.Pace(ledger.Totals{Bytes: counts.Bytes, BytesDone: counts.BytesDone}, time.Now()); rate > 0 {
		message += fmt.Sprintf(", %s/s, %s left", report.Size(rate), english.Duration(left))
	}
	if len(row.Stuck) > 0 {
		message = Stuck(row.Stuck[0]) + " — " + message
	}
	job, err := j.Tenant.Iconik.Jobs.Update(ctx, row.JobID, iconik.JobPatch{ProgressProcessed: &done, ProgressTotal: &total, Message: &message, ActionContext: j.Buttons()})
	if err != nil {
		j.Log.WarnContext(ctx, "could not update the job's progress in iconik", "job", row.JobID, "error", err)
		return
	}
	if job.Status == "" { // the answer contains only what was written
		if job, err = j.Tenant.Iconik.Jobs.Get(ctx, row.JobID); err != nil {
			return
		}
	}
	if job.Status == "ABORT_PENDING" || job.Status == "ABORTED" {
		if err := j.Cancel(ctx); err != nil {
			j.Log.WarnContext(ctx, "could not cancel the archive", "workflow", j.WorkflowID, "error", err)
		}
	}
}

// ShowStuck shows what is stuck.
func (j Job) ShowStuck(ctx context.Context, s ledger.Stuck) {
	row, known, err := j.Ledger.Get(ctx)
	if err != nil || !known || row.JobID == "" || row.Status.Ended() {
		return
	}
	message := Stuck(s)
	if _, err := j.Tenant.Iconik.Jobs.Update(ctx, row.JobID, iconik.JobPatch{Message: &message}); err != nil {
		j.Log.WarnContext(ctx, "could not show in iconik's job that the archive is stuck", "job", row.JobID, "error", err)
	}
}
