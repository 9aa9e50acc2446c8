package review

import (
	"context"
	"fmt"

	"github.com/framebridge/framebridge/activities/tenant"
	"github.com/framebridge/framebridge/clients/iconik"
	"github.com/framebridge/framebridge/english"
	"github.com/framebridge/framebridge/ledger"
	"github.com/framebridge/framebridge/report"
	"github.com/framebridge/framebridge/workflows"
)

// reviewSteps are what people see in iconik, in order.
var reviewSteps = []string{"Send: upload the files to Frame.io", "Share: watermark, link and invitations", "Review: sync comments until the expiry"}

// openJob makes the review's job, on its first asset.
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
		ObjectType: "assets", ObjectID: assets[0].AssetID, Steps: steps, Message: "Sending " + english.Count(len(assets), "asset")})
}

// endedJob shows in iconik what came of a click whose review sends nothing itself.
func (r *review) endedJob(ctx context.Context, status, message string) error {
	if r.row.JobID != "" {
		return nil
	}
	return r.makeJob(ctx, iconik.EndedJob(workflows.ReviewJobType, r.row.ClickedAssets, r.row.ClickedCollections, status, message))
}

// makeJob makes the review's one job.
func (r *review) makeJob(ctx context.Context, req iconik.JobRequest) error {
	req.Metadata = map[string]any{"framebridge_review": r.ref.Review, "workflow_id": r.workflowID()}
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

// progress shows how many bytes are sent, at most every few seconds over all workers.
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

// closeJob ends the job; it is for people to look at, a failure to write it stops nothing.
func (r *review) closeJob(ctx context.Context, status, message string) {
	if r.row.JobID == "" {
		return
	}
	if job, err := r.iconik.Jobs.Get(ctx, r.row.JobID); err == nil {
		steps := job.Steps
		for i := range steps {
			switch {
			case status != "FAILED":
				steps[i].Status = "DONE"
			case steps[i].Status != "DONE":
				steps[i].Status, steps[i].ErrorMessage = "FAILED", message
			}
		}
		if len(steps) > 0 {
			if err := r.iconik.Jobs.UpdateSteps(ctx, r.row.JobID, steps); err != nil {
				r.log.WarnContext(ctx, "could not update the job's steps in iconik", "job", r.row.JobID, "error", err)
			}
		}
	}
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
