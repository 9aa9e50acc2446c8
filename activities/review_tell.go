package activities

import (
	"context"
	"fmt"
	"strings"
	"time"

	"go.temporal.io/sdk/activity"

	"github.com/framebridge/framebridge/clients/iconik"
	"github.com/framebridge/framebridge/clients/mail"
	"github.com/framebridge/framebridge/clients/rest"
	"github.com/framebridge/framebridge/ledger"
	"github.com/framebridge/framebridge/mapping"
	"github.com/framebridge/framebridge/report"
	"github.com/framebridge/framebridge/routes"
	"github.com/framebridge/framebridge/temporalclient"
	"github.com/framebridge/framebridge/workflows"
)

// reviewSteps are what people see in iconik, in order.
var reviewSteps = []string{"Send: the files go to Frame.io", "Share: watermark, link and invitations", "Review: comments come and go until the expiry"}

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
		ObjectType: "assets", ObjectID: assets[0].AssetID, Steps: steps, Message: fmt.Sprintf("Sending %d assets", len(assets))})
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
	id, _, err := r.makeOnce(ctx, creation{
		kind: ledger.LinkJob, sourceID: "review:" + r.ref.Review, parent: req.ObjectID, owner: r.ref.Review, settle: r.cfg.Iconik.SettleTime,
		look: func(ctx context.Context) (string, error) {
			jobs, err := r.iconik.Jobs.List(ctx, iconik.JobListOptions{ObjectType: req.ObjectType, ObjectID: req.ObjectID, Type: "CUSTOM"})
			return firstID(jobs, err, func(j iconik.Job) (string, bool) {
				return j.ID, fmt.Sprint(j.Metadata["framebridge_review"]) == r.ref.Review
			})
		},
		make: func(ctx context.Context) (string, error) {
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
		r.Log.WarnContext(ctx, "progress not shown", "job", r.row.JobID, "error", err)
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
				r.Log.WarnContext(ctx, "job steps not shown", "job", r.row.JobID, "error", err)
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
		r.Log.WarnContext(ctx, "job not closed", "job", r.row.JobID, "error", err)
	}
}

// publish writes the review's state to its assets, where it differs from what was written last.
func (r *review) publish(ctx context.Context) error { return r.publishAs(ctx, r.row) }

// publishAs writes a state that is recorded right after, so that whoever reads it in the API finds it in iconik.
func (r *review) publishAs(ctx context.Context, row ledger.Review) error {
	assets, err := r.assets(ctx)
	if err != nil {
		return err
	}
	view, err := r.view(ctx, mapping.ReviewView)
	if err != nil {
		return fmt.Errorf("metadata view %q: %w", mapping.ReviewView, err)
	}
	newest := map[string]ledger.ReviewAsset{}
	for _, it := range assets {
		newest[it.AssetID] = it
	}
	for _, it := range newest {
		if it.State == ledger.AssetGone && it.Reason == goneFromIconik {
			continue
		}
		ending := ""
		if !row.Status.Running() {
			ending = row.ID
		}
		shown, err := r.Ledger.ReviewShownOn(ctx, r.ref.Tenant, it.AssetID, ending)
		if err != nil {
			return err
		}
		if shown != r.ref.Review { // the fields are those of a later review
			if it.WrittenHash != "" {
				if _, err := r.updateAsset(ctx, it.N, func(row *ledger.ReviewAsset) { row.WrittenHash = "" }); err != nil {
					return err
				}
			}
			continue
		}
		fields := shownFields(row, it)
		hash := mapping.FieldsHash(fields)
		if it.WrittenHash == hash {
			continue
		}
		err = r.iconik.Metadata.PutValues(ctx, "assets", it.AssetID, view, values(fields))
		if err != nil && !rest.IsNotFound(err) {
			return fmt.Errorf("review fields of %q: %w", it.Title, err)
		}
		if _, err := r.updateAsset(ctx, it.N, func(row *ledger.ReviewAsset) { row.WrittenHash = hash }); err != nil {
			return err
		}
	}
	return nil
}

func shownFields(row ledger.Review, it ledger.ReviewAsset) map[string]string {
	status, problem := string(row.Status), ""
	if row.Status == ledger.ReviewFailed {
		problem = row.Reason
	}
	if it.State == ledger.AssetFailed || it.State == ledger.AssetGone {
		problem = it.Reason
		if row.Status.Running() && it.State == ledger.AssetFailed {
			status = string(ledger.ReviewFailed)
		}
	}
	link := row.ShareURL
	if row.Status != ledger.ReviewOpen {
		link = ""
		if row.Status == ledger.ReviewExpired || row.Status == ledger.ReviewStopped {
			link = row.ShareURL // revoked; kept to tell by which one it was
		}
	}
	return map[string]string{
		"framebridge_review_link":      link,
		"framebridge_review_status":    status,
		"framebridge_review_expires":   row.ExpiresAt.UTC().Format(time.RFC3339),
		"framebridge_review_reviewers": strings.Join(row.Reviewers, ", "),
		"framebridge_review_error":     problem,
		"framebridge_decision":         orFirst(it.Decision, "none"),
	}
}

// PublishReview tells iconik and the sender that the review is open.
func (a *Activities) PublishReview(ctx context.Context, ref workflows.ReviewRef) error {
	r, err := a.review(ctx, ref)
	if err != nil {
		return err
	}
	if err := r.update(ctx, func(row *ledger.Review) { // from here on it was shown to people, whatever fails below
		if row.OpenedAt.IsZero() {
			row.OpenedAt = time.Now().UTC()
		}
	}); err != nil {
		return err
	}
	r.closeJob(ctx, "FINISHED", fmt.Sprintf("Open until %s: %s", r.row.ExpiresAt.UTC().Format("2006-01-02 15:04 UTC"), r.row.ShareURL))
	if err := r.reach(ctx, ledger.ReviewOpen); err != nil {
		return err
	}
	r.notify(ctx, "The review is open: "+r.row.Title, r.row.ShareURL)
	return r.mail(ctx, "open", fmt.Sprintf("Review is open: %q", r.row.Title),
		fmt.Sprintf("Reviewers: %s\nExpires:   %s\n", strings.Join(r.row.Reviewers, ", "), r.row.ExpiresAt.UTC().Format("2006-01-02 15:04 UTC")))
}

// notify leaves a notification in iconik for whoever clicked, once; a failure stops nothing.
func (r *review) notify(ctx context.Context, short, long string) {
	if r.row.RequestedBy.ID == "" || r.row.JobID == "" {
		return
	}
	key := "notification:" + r.ref.Review + ":" + short
	_, isNew, err := r.Ledger.Intend(ctx, r.ref.Tenant, ledger.Link{Kind: ledger.LinkMail, SourceID: key, Archive: r.ref.Review, IntendedAt: time.Now()})
	if err != nil || !isNew {
		return
	}
	me, err := r.currentUser(ctx)
	if err == nil {
		err = r.iconik.Users.Notify(ctx, iconik.Notification{EventType: "finished", ObjectType: "jobs", ObjectID: r.row.JobID, SubObjectType: "assets",
			RecipientID: r.row.RequestedBy.ID, SenderID: me.ID, Short: short, Long: long})
	}
	if err != nil {
		r.Log.WarnContext(ctx, "notification not left in iconik", "review", r.ref.Review, "error", err)
	}
}

// mail writes to whoever clicked and to the addresses of review.notify, once for each kind. What cannot be sent for
// mailPatience is logged instead.
func (r *review) mail(ctx context.Context, kind, subject, text string) error {
	var b strings.Builder
	b.WriteString(text + "\n")
	if r.row.ShareURL != "" {
		fmt.Fprintf(&b, "Link:     %s\n", r.row.ShareURL)
	}
	if assets, err := r.assets(ctx); err == nil {
		for _, it := range assets {
			fmt.Fprintf(&b, "Asset:    %s — %s\n", it.Title, r.iconik.AssetURL(it.AssetID))
		}
	}
	for _, n := range r.row.Notes {
		fmt.Fprintf(&b, "Note:     %s\n", n)
	}
	fmt.Fprintf(&b, "Status:   %s\n", routes.Review(r.Config, r.ref.Review))
	if u := temporalclient.WorkflowURL(r.Config.Temporal, r.workflowID()); u != "" {
		fmt.Fprintf(&b, "Workflow: %s\n", u)
	}
	err := r.mailOnce(ctx, r.ref.Review, mail.Message{ID: "review:" + r.ref.Review + ":" + kind, To: recipients(r.row.RequestedBy.Email, r.cfg.Review.Notify), Subject: subject, Text: b.String()})
	if err != nil && ctx.Err() == nil && time.Since(activity.GetInfo(ctx).ScheduledTime) > mailPatience {
		r.Log.ErrorContext(ctx, "mail not sent: the review goes on without it", "review", r.ref.Review, "subject", subject, "error", err)
		return r.Ledger.Audit(ctx, r.ref.Tenant, r.ref.Review, "framebridge", "mail not sent", subject)
	}
	return err
}

// mailPatience is how long a step of a review tries to send its mail. A mail server that is away must hold up neither the
// comments nor the end of a review.
var mailPatience = 5 * time.Minute
