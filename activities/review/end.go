package review

import (
	"cmp"
	"context"
	"fmt"
	"sort"
	"strings"
	"time"

	"github.com/framebridge/framebridge/activities/tenant"
	"github.com/framebridge/framebridge/clients/frameio"
	"github.com/framebridge/framebridge/clients/rest"
	"github.com/framebridge/framebridge/english"
	"github.com/framebridge/framebridge/ledger"
	"github.com/framebridge/framebridge/workflows"
)

// ExtendReview gives the link a new expiry, and reopens a review that has expired.
func (a *Activities) ExtendReview(ctx context.Context, in workflows.ExtendInput) error {
	r, err := a.review(ctx, in.ReviewRef)
	if err != nil {
		return err
	}
	change := frameio.ShareChange{Name: r.shareName(), ExpiresAt: &in.ExpiresAt}
	if in.Reopen {
		on := true
		change.Active = &on
	}
	if !r.migrated() { // otherwise the next sync makes a link on the other API
		if err := r.update(ctx, func(row *ledger.Review) { row.ExtendingTo = in.ExpiresAt.UTC() }); err != nil {
			return err
		}
		if err := r.frameio.UpdateShare(ctx, r.row.ShareID, change); err != nil {
			return r.refusedExtension(ctx, in.ExpiresAt, fmt.Errorf("extending the link: %w", err))
		}
	}
	if err := r.update(ctx, func(row *ledger.Review) {
		row.ExpiresAt, row.ExtendingTo = in.ExpiresAt.UTC(), time.Time{}
		if in.Reopen {
			row.Status, row.EndedAt, row.DeleteAt, row.Reason = ledger.ReviewOpen, time.Time{}, time.Time{}, ""
		}
	}); err != nil {
		return err
	}
	if err := r.audit(ctx, ledger.ActorSystem, "extended", in.ExpiresAt.UTC().Format(time.RFC3339)); err != nil {
		return err
	}
	// A stop must not wait for iconik. What cannot be shown quickly is shown by the next sync.
	soon, cancel := context.WithTimeout(ctx, tenant.ShowPatience)
	defer cancel()
	r.showOpenJob(soon)
	if err := r.publish(soon); err != nil {
		r.log.WarnContext(ctx, "could not show the new expiry in iconik yet", "review", in.Review, "error", err)
	}
	return nil
}

// refusedExtension notes an error that a retry cannot fix: whoever asked for the extension may not wait for its result any longer.
func (r *review) refusedExtension(ctx context.Context, until time.Time, err error) error {
	switch rest.ClassOf(err) {
	case rest.Permanent, rest.Forbidden, rest.NotFound, rest.Unsupported:
	default:
		return err
	}
	if noted := r.noteError(ctx, "The review was not extended to "+english.Minute(until), err); noted != nil {
		return noted
	}
	if cleared := r.update(ctx, func(row *ledger.Review) { row.ExtendingTo = time.Time{} }); cleared != nil {
		return cleared
	}
	return err
}

// RevokeLink switches the link off before anything else happens at the end, and records when the media will be deleted. It
// updates iconik right away if iconik is reachable.
func (a *Activities) RevokeLink(ctx context.Context, in workflows.EndReviewInput) (workflows.EndReviewResult, error) {
	var out workflows.EndReviewResult
	r, err := a.review(ctx, in.ReviewRef)
	if err != nil {
		return out, err
	}
	if err := r.markEnding(ctx); err != nil {
		return out, err
	}
	off, err := r.switchOff(ctx)
	if err != nil {
		return out, err
	}
	if out, err = r.deleteAt(ctx); err != nil {
		return out, err
	}
	if off {
		err = r.audit(ctx, ledger.ActorSystem, "link switched off", in.Status)
	}
	if err != nil {
		return out, err
	}
	if err := r.endUnsent(ctx, in.Status, ""); err != nil {
		return out, err
	}
	soon, cancel := context.WithTimeout(ctx, tenant.ShowPatience)
	defer cancel()
	next := r.row
	next.Status = ledger.ReviewStatus(in.Status)
	if err := r.publishAs(soon, next); err != nil {
		r.log.WarnContext(ctx, "could not show the end of a review in iconik yet", "review", in.Review, "error", err)
	}
	return out, r.update(ctx, func(row *ledger.Review) { row.Status = next.Status })
}

// deleteAt records when the media of an ended review will be deleted.
func (r *review) deleteAt(ctx context.Context) (out workflows.EndReviewResult, err error) {
	err = r.update(ctx, func(row *ledger.Review) {
		row.NextSyncAt, row.DeleteAt = time.Time{}, row.EndedAt.Add(r.cfg.Review.Retention)
	})
	out = workflows.EndReviewResult{DeleteAt: r.row.DeleteAt, WarnAt: r.row.DeleteAt.Add(-r.cfg.Review.WarnBefore)}
	if !out.WarnAt.After(r.row.EndedAt) {
		out.WarnAt = out.DeleteAt // the retention is too short for a warning
	}
	return out, err
}

// EndReview tells people what was said and decided. It switches the link off again, in case somebody has switched it back on.
func (a *Activities) EndReview(ctx context.Context, in workflows.EndReviewInput) (workflows.EndReviewResult, error) {
	var out workflows.EndReviewResult
	r, err := a.review(ctx, in.ReviewRef)
	if err != nil {
		return out, err
	}
	if _, err := r.switchOff(ctx); err != nil {
		return out, err
	}
	if err := r.markEnding(ctx); err != nil {
		return out, err
	}
	if out, err = r.deleteAt(ctx); err != nil {
		return out, err
	}
	if err := r.endUnsent(ctx, in.Status, ""); err != nil {
		return out, err
	}
	if in.Unsynced != "" {
		if err := r.note(ctx, "The latest comments may be missing in iconik. "+in.Unsynced); err != nil {
			return out, err
		}
	}
	if err := r.setStatus(ctx, ledger.ReviewStatus(in.Status)); err != nil {
		return out, err
	}
	how := "has expired"
	if in.Status == string(ledger.ReviewStopped) {
		how = "was stopped"
	}
	r.closeJob(ctx, "FINISHED", fmt.Sprintf("The review %s. The media in Frame.io will be deleted on %s.", how, english.Minute(r.row.DeleteAt)))
	summary, err := r.summary(ctx)
	if err != nil {
		return out, err
	}
	r.notify(ctx, "The review has ended: "+r.row.Title, summary)
	kind := fmt.Sprintf("ended:%d", r.row.ExpiresAt.Unix())
	return out, r.tell(ctx, kind, fmt.Sprintf("Review %s: %q", in.Status, r.row.Title),
		summary+fmt.Sprintf("\nThe media in Frame.io will be deleted on %s. Comments and decisions stay in iconik.\n", r.row.DeleteAt.UTC().Format("January 2, 2006")))
}

// markEnding records when the review began to end. From then on no other click is handed to it.
func (r *review) markEnding(ctx context.Context) error {
	if !r.row.EndedAt.IsZero() {
		return nil
	}
	return r.update(ctx, func(row *ledger.Review) { row.EndedAt = time.Now().UTC() })
}

// endUnsent fails what was still on its way to Frame.io when the review ended, so that nothing is shown as uploading forever.
func (r *review) endUnsent(ctx context.Context, status, reason string) error {
	assets, err := r.assets(ctx)
	if err != nil {
		return err
	}
	switch {
	case status == string(ledger.ReviewStopped):
		reason = "someone stopped the review"
	case reason == "":
		reason = "the review ended before this was sent"
	}
	unsent := func(s ledger.AssetState) bool {
		return s == ledger.AssetPending || s == ledger.AssetUploading || s == ledger.AssetProcessing
	}
	for _, it := range assets {
		if !unsent(it.State) {
			continue
		}
		if _, err := r.updateAsset(ctx, it.N, func(row *ledger.ReviewAsset) {
			if unsent(row.State) {
				row.State, row.Reason = ledger.AssetFailed, reason
			}
		}); err != nil {
			return err
		}
	}
	return nil
}

// summary lists who commented, what was decided and how many comments are open.
func (r *review) summary(ctx context.Context) (string, error) {
	comments, err := r.ledger.Comments(ctx, 0)
	if err != nil {
		return "", err
	}
	assets, err := r.assets(ctx)
	if err != nil {
		return "", err
	}
	by, open, all := map[string]int{}, 0, 0
	for _, c := range comments {
		if c.Deleted || c.Older {
			continue
		}
		all++
		by[cmp.Or(c.Author, cmp.Or(c.Email, "somebody"))]++
		if c.ParentID == "" && !c.Completed {
			open++
		}
	}
	var b strings.Builder
	fmt.Fprintf(&b, "Comments: %d, %d open\n", all, open)
	names := make([]string, 0, len(by))
	for n := range by {
		names = append(names, n)
	}
	sort.Strings(names)
	for _, n := range names {
		fmt.Fprintf(&b, "          %s: %d\n", n, by[n])
	}
	for _, it := range assets {
		if it.State == ledger.AssetReady {
			fmt.Fprintf(&b, "Decision: %s: %s\n", it.Title, cmp.Or(it.Decision, "none"))
		}
	}
	return b.String(), nil
}

// WarnReview tells people that the media will be deleted soon.
func (a *Activities) WarnReview(ctx context.Context, ref workflows.ReviewRef) error {
	r, err := a.review(ctx, ref)
	if err != nil {
		return err
	}
	return r.tell(ctx, fmt.Sprintf("warning:%d", r.row.DeleteAt.Unix()), fmt.Sprintf("Review media will be deleted: %q", r.row.Title),
		fmt.Sprintf("The files that this review uploaded to Frame.io will be deleted on %s. The assets and comments in iconik stay. To keep the files, extend the review.\n", r.row.DeleteAt.UTC().Format("January 2, 2006, 15:04 UTC")))
}

// FailReview takes back whatever was begun, and tells people why. Media that was ever shared is not deleted: no workflow is
// left to wait for its time, so people are told to delete it.
func (a *Activities) FailReview(ctx context.Context, in workflows.FailReviewInput) error {
	r, err := a.review(ctx, in.ReviewRef)
	if err != nil {
		return err
	}
	reason := in.Reason
	if reason == "" {
		reason = "no asset could be sent"
	}
	// By the time people read of the failure, everything has been taken back, unless that takes long.
	shared := !r.row.OpenedAt.IsZero()
	soon, cancel := context.WithTimeout(ctx, tenant.ShowPatience)
	back := r.rollback(soon, !shared)
	cancel()
	if err := r.endUnsent(ctx, in.Status, reason); err != nil {
		return err
	}
	next := r.row
	next.Status, next.Reason = ledger.ReviewStatus(in.Status), reason
	if err := r.publishAs(ctx, next); err != nil {
		r.log.WarnContext(ctx, "could not write the state of a failed review to iconik", "review", in.Review, "error", err)
	}
	why := reason
	if shared {
		link := "The link is off."
		if back != nil {
			link = "Frame.io has not accepted switching the link off yet: check in Frame.io that it is off."
		}
		why += fmt.Sprintf(" (%s The files stay in Frame.io, in this review's folder in %q: delete them there when you no longer need them.)", link, r.cfg.Review.Project)
	} else if rest.IsRefused(back) {
		why += fmt.Sprintf(" (Not all of it could be taken back: %v. Look into this review's folder and its link in %q.)", back, r.cfg.Review.Project)
	}
	prefix := ledger.FaultWord(in.Fault) + ": "
	if in.Status == string(ledger.ReviewStopped) {
		prefix = "Stopped: "
	}
	if r.row.JobID != "" {
		r.closeJob(ctx, "FAILED", prefix+why)
	} else if err := r.endedJob(ctx, "FAILED", prefix+why); err != nil {
		r.log.WarnContext(ctx, "could not show a failure in iconik", "review", in.Review, "error", err)
	}
	if err := r.update(ctx, func(row *ledger.Review) {
		row.Status, row.Reason, row.NextSyncAt = next.Status, reason, time.Time{}
		if row.EndedAt.IsZero() {
			row.EndedAt = time.Now().UTC()
		}
	}); err != nil {
		return err
	}
	r.notify(ctx, "The review failed: "+r.row.Title, why)
	if err := r.tell(ctx, "failed", fmt.Sprintf("Review %s: %q", in.Status, r.row.Title), prefix+why+"\n"); err != nil {
		return err
	}
	if back != nil && !rest.IsRefused(back) {
		return r.rollback(ctx, !shared)
	}
	return nil
}

// rollback revokes the link and, if media is set because nobody was shown it, deletes what was uploaded.
func (r *review) rollback(ctx context.Context, media bool) error {
	err := r.revoke(ctx)
	if err != nil {
		err = fmt.Errorf("revoking the link: %w", err)
	}
	if err != nil && !rest.IsRefused(err) || !media {
		return err
	}
	return cmp.Or(r.deleteMedia(ctx), err)
}
