package review

import (
	"context"
	"fmt"
	"strings"

	"github.com/google/uuid"

	"github.com/framebridge/framebridge/activities/tenant"
	"github.com/framebridge/framebridge/clients/iconik"
	"github.com/framebridge/framebridge/clients/rest"
	"github.com/framebridge/framebridge/english"
	"github.com/framebridge/framebridge/ledger"
	"github.com/framebridge/framebridge/report"
	"github.com/framebridge/framebridge/routes"
	"github.com/framebridge/framebridge/workflows"
)

// reviewSteps are the job's steps as people see them in iconik, in order.
var reviewSteps = []string{"Send: upload the files to Frame.io", "Share: watermark, link and invitations", "Review: sync comments until the expiry"}

// openJob creates the review's job on its first asset.
func (r *review) openJob(ctx context.Context, assets []ledger.ReviewAsset) error {
	if r.row.JobID != "" {
		return nil
	}
	steps := make([]iconik.Step, len(reviewSteps))
	for i, label := range reviewSteps {
		steps[i] = iconik.Step{Label: label, Status: "WAITING"}
	}
	steps[0].Status = "IN_PROGRESS"
	return r.makeJob(ctx, iconik.JobRequest{Title: "Review in Frame.io: " + r.row.Title, Type: "CUSTOM", CustomType: workflows.ReviewJobType, Status: "STARTED",
		ObjectType: "assets", ObjectID: assets[0].AssetID, Steps: steps, Message: strings.Join(append([]string{"Sending " + english.Count(len(assets), "asset") + "."}, r.row.Notes...), " ")})
}

// endedJob shows in iconik the outcome of a click whose review sends nothing itself.
func (r *review) endedJob(ctx context.Context, status, message string) error {
	if r.row.JobID != "" {
		return nil
	}
	title, err := r.row.Title, error(nil)
	if title == "" {
		if title, err = r.iconik.Clicked(ctx, r.row.ClickedAssets, r.row.ClickedCollections); err != nil && !rest.IsNotFound(err) {
			return err
		}
	}
	return r.makeJob(ctx, iconik.EndedJob(workflows.ReviewJobType, title, r.row.ClickedAssets, r.row.ClickedCollections, status, message))
}

// makeJob creates the review's only job.
func (r *review) makeJob(ctx context.Context, req iconik.JobRequest) error {
	req.Metadata = map[string]any{"framebridge_review": r.ref.Review, "workflow_id": r.workflowID(), "framebridge_url": routes.ConsoleReview(r.steps.Config.Now(), r.ref.Tenant, r.ref.Review)}
	id, _, err := r.tenant.CreateOnce(ctx, tenant.Creation{
		Kind: ledger.LinkJob, SourceID: "review:" + r.ref.Review, Parent: req.ObjectID, Owner: r.ref.Review, IndexLag: r.cfg.Iconik.SettleTime,
		Find: func(ctx context.Context) (string, error) {
			jobs, err := r.iconik.Jobs.List(ctx, iconik.JobListOptions{ObjectType: req.ObjectType, ObjectID: req.ObjectID, Type: "CUSTOM"})
			return tenant.FirstID(jobs, err, func(j iconik.Job) (string, bool) {
				return j.ID, fmt.Sprint(j.Metadata["framebridge_review"]) == r.ref.Review
			})
		},
		Make: func(ctx context.Context) (string, error) {
			job, err := r.iconik.Jobs.Create(ctx, req)
			if err != nil {
				return "", err
			}
			return job.ID, nil
		},
	})
	if err != nil {
		return err
	}
	return r.update(ctx, func(row *ledger.Review) { row.JobID = id })
}

// progress shows how many bytes have been sent, at most every few seconds across all workers.
func (r *review) progress(ctx context.Context) {
	assets, err := r.assets(ctx)
	if err != nil || r.row.JobID == "" {
		return
	}
	var done, total int64
	for _, it := range assets {
		done, total = done+it.BytesDone, total+max(it.Size, 0)
	}
	message := fmt.Sprintf("%s of %s sent to Frame.io", report.Size(done), report.Size(total))
	if _, err := r.iconik.Jobs.Update(ctx, r.row.JobID, iconik.JobPatch{ProgressProcessed: &done, ProgressTotal: &total, Message: &message}); err != nil && ctx.Err() == nil {
		r.log.WarnContext(ctx, "could not update the job's progress in iconik", "job", r.row.JobID, "error", err)
	}
}

// showOpenJob shows in the review's job that the review is open, and until when; the job is not done before the review ends.
// Like everything in a job this only informs people, so a failure to write it stops nothing.
func (r *review) showOpenJob(ctx context.Context) {
	if r.row.JobID == "" {
		return
	}
	r.setSteps(ctx, func(i int, s *iconik.Step) {
		if s.Status = "DONE"; i == len(reviewSteps)-1 {
			s.Status = "IN_PROGRESS"
		}
	})
	done, all, message := int64(len(reviewSteps)-1), int64(len(reviewSteps)), fmt.Sprintf("Open until %s: %s", english.Minute(r.row.ExpiresAt), r.row.ShareURL)
	if _, err := r.iconik.Jobs.Update(ctx, r.row.JobID, iconik.JobPatch{Status: "STARTED", Message: &message, ProgressProcessed: &done, ProgressTotal: &all}); err != nil {
		r.log.WarnContext(ctx, "could not show the open review in its job in iconik", "job", r.row.JobID, "error", err)
	}
}

func (r *review) setSteps(ctx context.Context, set func(i int, s *iconik.Step)) {
	job, err := r.iconik.Jobs.Get(ctx, r.row.JobID)
	if err != nil {
		return
	}
	if len(job.Steps) == 0 { // iconik dropped the steps the job was created with: send them again
		for _, label := range reviewSteps {
			id := uuid.NewSHA1(uuid.NameSpaceURL, []byte(r.row.JobID+label)).String()
			job.Steps = append(job.Steps, iconik.Step{ID: id, Label: label, Status: "WAITING"})
		}
	}
	for i := range job.Steps {
		set(i, &job.Steps[i])
	}
	if err := r.iconik.Jobs.UpdateSteps(ctx, r.row.JobID, job.Steps); err != nil {
		r.log.WarnContext(ctx, "could not update the job's steps in iconik", "job", r.row.JobID, "error", err)
	}
}

// closeJob ends the job and its steps with a status.
func (r *review) closeJob(ctx context.Context, status, message string) {
	if r.row.JobID == "" {
		return
	}
	r.setSteps(ctx, func(_ int, s *iconik.Step) {
		switch {
		case status != "FAILED":
			s.Status = "DONE"
		case s.Status != "DONE":
			s.Status, s.ErrorMessage = "FAILED", message
		}
	})
	all := int64(100)
	patch := iconik.JobPatch{Status: status, Message: &message}
	if status == "FAILED" {
		patch.ErrorMessage = &message
	} else {
		patch.ProgressProcessed, patch.ProgressTotal = &all, &all
	}
	if _, err := r.iconik.Jobs.Update(ctx, r.row.JobID, patch); err != nil {
		r.log.WarnContext(ctx, "could not close the job in iconik", "job", r.row.JobID, "error", err)
	}
}
