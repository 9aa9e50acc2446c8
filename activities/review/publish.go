package review

import (
	"cmp"
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/framebridge/framebridge/activities/isolate"
	"github.com/framebridge/framebridge/activities/tenant"
	"github.com/framebridge/framebridge/clients/rest"
	"github.com/framebridge/framebridge/english"
	"github.com/framebridge/framebridge/ledger"
	"github.com/framebridge/framebridge/mapping"
	"github.com/framebridge/framebridge/workflows"
)

// PublishReview tells iconik and the sender that the review is open.
func (a *Activities) PublishReview(ctx context.Context, ref workflows.ReviewRef) error {
	r, err := a.review(ctx, ref)
	if err != nil {
		return err
	}
	if err := r.update(ctx, func(row *ledger.Review) { // from here on people have seen it, whatever fails below
		if row.Reason = ""; row.OpenedAt.IsZero() {
			row.OpenedAt = time.Now().UTC()
		}
	}); err != nil {
		return err
	}
	r.showOpenJob(ctx)
	if err := r.setStatus(ctx, ledger.ReviewOpen); err != nil {
		return err
	}
	r.notify(ctx, "The review is open: "+r.row.Title, r.row.ShareURL)
	return r.tell(ctx, "open", fmt.Sprintf("Review open: %q", r.row.Title),
		fmt.Sprintf("Reviewers: %s\nExpires:   %s\n", strings.Join(r.row.Reviewers, ", "), english.Minute(r.row.ExpiresAt)))
}

// setStatus shows a status in iconik before it records it, so that whoever reads it in the API also finds it in iconik.
func (r *review) setStatus(ctx context.Context, status ledger.ReviewStatus) error {
	next := r.row
	next.Status = status
	if err := r.publishAs(ctx, next); err != nil {
		return err
	}
	return r.update(ctx, func(row *ledger.Review) { row.Status = status })
}

// publish writes the review's state to its assets if it differs from what was written last.
func (r *review) publish(ctx context.Context) error { return r.publishAs(ctx, r.row) }

// publishAs writes a state that the caller records right after, so that whoever reads it in the API also finds it in iconik.
func (r *review) publishAs(ctx context.Context, row ledger.Review) error {
	assets, err := r.assets(ctx)
	if err != nil {
		return err
	}
	view, err := r.tenant.View(ctx, mapping.ReviewView)
	if rest.IsRefused(err) && !r.row.OpenedAt.IsZero() { // a review that people were told about continues
		return r.noteError(ctx, "iconik rejected the metadata view of reviews, so its fields are not up to date", err)
	}
	if err != nil {
		return fmt.Errorf("metadata view %q: %w", mapping.ReviewView, err)
	}
	newest := map[string]ledger.ReviewAsset{}
	for _, it := range assets {
		newest[it.AssetID] = it
	}
	var each isolate.Each
	for _, it := range newest {
		err := r.publishOn(ctx, row, it, view)
		if rest.IsRefused(err) { // retried the next time something is shown
			err = r.noteError(ctx, fmt.Sprintf("iconik rejected the review's fields on %q, so they are not up to date there", it.Title), err)
		}
		if !each.GoOn(ctx, err) {
			break
		}
	}
	return each.Err()
}

// publishOn writes a state to one asset.
func (r *review) publishOn(ctx context.Context, row ledger.Review, it ledger.ReviewAsset, view string) error {
	if it.State == ledger.AssetGone && (it.Reason == goneFromIconik || it.AbsentFrom == goneFromIconik) {
		return nil
	}
	ending := ""
	if !row.Status.Running() {
		ending = row.ID
	}
	shown, err := r.tenant.Ledger.ReviewShownOn(ctx, it.AssetID, ending)
	if err != nil {
		return err
	}
	if shown != r.ref.Review { // the fields show a later review
		if it.WrittenHash != "" {
			_, err = r.updateAsset(ctx, it.N, func(row *ledger.ReviewAsset) { row.WrittenHash = "" })
		}
		return err
	}
	fields := shownFields(row, it)
	hash := mapping.FieldsHash(fields)
	if it.WrittenHash == hash {
		return nil
	}
	// The fields belong to the asset, and so to its current version: leave out a decision on another version.
	current, err := r.isCurrent(ctx, it)
	if err != nil {
		return err
	}
	if !current {
		delete(fields, "framebridge_decision")
	}
	_, err = r.iconik.Metadata.PutValues(ctx, "assets", it.AssetID, view, tenant.Values(fields))
	if rest.IsNotFound(err) { // the asset was deleted, or the view, which is created again: nothing was written
		return nil
	}
	if err != nil {
		return fmt.Errorf("review fields of %q: %w", it.Title, err)
	}
	_, err = r.updateAsset(ctx, it.N, func(row *ledger.ReviewAsset) { row.WrittenHash = hash })
	return err
}

func shownFields(row ledger.Review, it ledger.ReviewAsset) map[string]string {
	status, problem := string(row.Status), ""
	switch {
	case row.Status == ledger.ReviewFailed:
		problem = row.Reason
	case row.Status.Running() && it.Troubles >= troublesShown:
		problem = it.Trouble
	case row.Status.Running() && row.Troubles >= troublesShown:
		problem = row.Trouble
	case row.Status == ledger.ReviewOpen:
		problem = it.NoWatermark
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
			link = row.ShareURL // revoked, but kept to identify the link
		}
	}
	return map[string]string{
		"framebridge_review_link":      link,
		"framebridge_review_status":    status,
		"framebridge_review_expires":   row.ExpiresAt.UTC().Format(time.RFC3339),
		"framebridge_review_reviewers": strings.Join(row.Reviewers, ", "),
		"framebridge_review_error":     problem,
		"framebridge_decision":         cmp.Or(it.Decision, "none"),
	}
}
