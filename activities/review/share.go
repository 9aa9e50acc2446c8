package review

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/framebridge/framebridge/activities/attempt"
	"github.com/framebridge/framebridge/activities/fault"
	"github.com/framebridge/framebridge/activities/isolate"
	"github.com/framebridge/framebridge/clients/frameio"
	"github.com/framebridge/framebridge/clients/rest"
	"github.com/framebridge/framebridge/english"
	"github.com/framebridge/framebridge/ledger"
	"github.com/framebridge/framebridge/workflows"
)

// ShareReview creates the link once all files that must carry a watermark carry one, and invites each reviewer once. After a
// resend it adds the new files to the link and invites new reviewers.
func (a *Activities) ShareReview(ctx context.Context, ref workflows.ReviewRef) (workflows.ShareReviewResult, error) {
	r, err := a.review(ctx, ref)
	if err != nil {
		return workflows.ShareReviewResult{}, err
	}
	out, err := r.shareAll(ctx)
	unmarked := err != nil && strings.HasPrefix(err.Error(), watermarkPrefix) // a file that is already shown has lost it
	if kind, final := fault.Lasting(err); final && kind == workflows.ErrorContent && !r.row.OpenedAt.IsZero() && !unmarked {
		out.URL, err = r.row.ShareURL, r.notShared(ctx, err)
	}
	return out, r.troubled(ctx, 0, err)
}

// notShared tells people that what was sent to an open review is not under its link, or that somebody was not invited. That is
// no reason to end a review that others are looking at.
func (r *review) notShared(ctx context.Context, err error) error {
	what := "Not all of what was sent again could be shared"
	if nerr := r.noteError(ctx, what, err); nerr != nil {
		return nerr
	}
	next := "The review continues with what it showed before."
	if r.row.ShareID == "" {
		next = "Someone deleted the link of before, so reviewers cannot open the review until the assets are sent again."
	} else if is, serr := r.frameio.ShareByID(ctx, r.row.ShareID); serr == nil && !is.Active { // for example by checkShare
		next = "Reviewers cannot open the review, because its link is off: once this is solved, switch it on in Frame.io."
	}
	return r.tell(ctx, fmt.Sprintf("link:resend:%d", attempt.Of(ctx).Scheduled().Unix()), fmt.Sprintf("Not shared: %q", r.row.Title),
		fmt.Sprintf("%s: %s %s\n", what, fault.Scrubbed(err), next))
}

func (r *review) shareAll(ctx context.Context) (out workflows.ShareReviewResult, err error) {
	assets, err := r.assets(ctx)
	if err != nil {
		return out, err
	}
	shown, plain, err := r.shareable(ctx, assets)
	if err != nil {
		return out, err
	}
	if err := r.dropDeletedLink(ctx); err != nil {
		return out, err
	}
	expired := !time.Now().Before(r.row.ExpiresAt) // sending took longer
	if expired && r.row.ShareID == "" {
		return out, fault.Content("The review expired on %s, before everything was sent, so nothing was shared. Send the assets again with a later expiry.", english.Minute(r.row.ExpiresAt))
	}
	if err := r.share(ctx, shown); err != nil {
		return out, err
	}
	out.URL, out.Unwatermarked = r.row.ShareURL, plain
	if !r.frameio.Capabilities().WatermarkOnFiles && r.row.Watermark == watermarkNone {
		out.Unwatermarked = len(shown)
	}
	if expired { // do not invite anyone to a link that is off
		return out, r.noteUninvited(ctx)
	}
	if err := r.invite(ctx); err != nil {
		return out, err
	}
	return out, r.checkPeople(ctx)
}

// shareable lists what the link shows: each asset's stack, or its file. A first share requires a watermark on all files. If
// watermarks are only preferred, assets without one say so, and plain counts them.
func (r *review) shareable(ctx context.Context, assets []ledger.ReviewAsset) (shown []string, plain int, err error) {
	seen := map[string]bool{}
	for _, it := range assets {
		if it.State == ledger.AssetFailed && strings.HasPrefix(it.Reason, watermarkPrefix) && r.row.ShareID == "" {
			return nil, 0, fault.Content("%s", it.Reason)
		}
		if it.State != ledger.AssetReady {
			continue
		}
		if r.cfg.Review.Watermark != "off" && r.frameio.Capabilities().WatermarkOnFiles {
			f, err := r.frameio.Asset(ctx, it.FileID)
			switch {
			case err != nil:
				return nil, 0, fmt.Errorf("watermark of %q: %w", it.Title, err)
			case f.Watermark == frameio.WatermarkOn:
				if it.NoWatermark != "" {
					if err := r.noteNoWatermark(ctx, it.N, ""); err != nil {
						return nil, 0, err
					}
				}
			case r.cfg.Review.Watermark == "required":
				return nil, 0, fault.Content("%s", watermarkMissing(it.Title))
			default:
				plain++
				if err := r.noteNoWatermark(ctx, it.N, fmt.Sprintf("No watermark: Frame.io put none on %q. Whether it does is set for the team (Team Settings > Watermark).", it.Title)); err != nil {
					return nil, 0, err
				}
			}
		}
		id := cmp.Or(it.StackID, it.FileID)
		if !seen[id] {
			seen[id] = true
			shown = append(shown, id)
		}
	}
	return shown, plain, nil
}

// dropDeletedLink forgets a link that somebody has deleted, so that assets sent again get a new link, and its reviewers a new invitation.
func (r *review) dropDeletedLink(ctx context.Context) error {
	if r.row.ShareID == "" {
		return nil
	}
	_, err := r.frameio.ShareByID(ctx, r.row.ShareID)
	if away := r.row.LinkAbsentSince; away.IsZero() || time.Since(away) < absentSeen {
		err = unseen(ctx, err, "the review link")
	}
	if !rest.IsNotFound(err) {
		return err
	}
	if err := r.linkIsGone(ctx); err != nil {
		return err
	}
	return r.update(ctx, func(row *ledger.Review) { // if it comes back, it is switched off with the new one
		row.OldShares = append(row.OldShares, row.ShareID)
		row.ShareID, row.ShareURL, row.LinkAbsentSince, row.Relinks = "", "", time.Time{}, row.Relinks+1
	})
}

// shareName returns the link's name, as reviewers see it.
func (r *review) shareName() string {
	return english.Shorten(cmp.Or(strings.Join(strings.Fields(r.row.Title), " "), "Review of "+r.row.CreatedAt.Format("January 2, 2006")), 150)
}

// formerShareName returns the name that earlier versions gave links, by which they were recognized.
func (r *review) formerShareName() string {
	return english.Shorten(strings.Join(strings.Fields(r.row.Title), " "), 150) + " · " + r.ref.Review[:8]
}

// noShare stands for the link of a review that has nothing left to show.
const noShare = "none"

// shareKey returns the ledger key of the review's current link.
func (r *review) shareKey() string {
	key := r.ref.Review
	if r.row.Moves > 0 {
		key += fmt.Sprintf("/move%d", r.row.Moves)
	}
	if r.row.Relinks > 0 {
		key += fmt.Sprintf("/link%d", r.row.Relinks)
	}
	return key
}

func (r *review) deactivateLink(ctx context.Context, shareID string) error {
	off := false
	return r.frameio.UpdateShare(ctx, shareID, frameio.ShareChange{Name: r.shareName(), Active: &off})
}

// closeLink switches a link off during the review, and records that it was not somebody else.
func (r *review) closeLink(ctx context.Context, shareID string) error {
	if err := r.deactivateLink(ctx, shareID); err != nil {
		return err
	}
	return r.update(ctx, func(row *ledger.Review) { row.LinkOff = shareID })
}

// revoke switches off every link that this review has created, including one whose creation was interrupted. A link that
// somebody has deleted counts as off.
func (r *review) revoke(ctx context.Context) error {
	ids := slices.Clone(r.row.OldShares)
	switch r.row.ShareID {
	case noShare:
	case "":
		link, begun, err := r.tenant.Ledger.Link(ctx, ledger.LinkReviewShare, r.shareKey())
		if err != nil {
			return err
		}
		if begun && link.TargetID == "" {
			if link.TargetID, err = r.findShare(ctx); err != nil {
				return err
			}
		}
		if link.TargetID != "" {
			ids = append(ids, link.TargetID)
		}
	default:
		ids = append(ids, r.row.ShareID)
	}
	var each isolate.Each
	for _, id := range ids {
		err := r.deactivateLink(ctx, id)
		if rest.IsNotFound(err) {
			if is, serr := r.frameio.ShareByID(ctx, id); serr == nil && is.Active {
				err = unseen(ctx, err, "the review link")
			} else {
				err = r.linkIsGone(ctx)
			}
		}
		if !each.GoOn(ctx, err) {
			break
		}
	}
	return each.Err()
}

// switchOff revokes the review's links and reports whether they are off. If Frame.io refuses to switch one off, people are
// told, and the rest of the end continues.
func (r *review) switchOff(ctx context.Context) (off bool, err error) {
	err = r.revoke(ctx)
	if !rest.IsRefused(err) {
		if err != nil {
			err = fmt.Errorf("switching the link off: %w", err)
		}
		return err == nil, err
	}
	const what = "Frame.io refuses to switch the review link off. Switch it off there"
	if nerr := r.noteError(ctx, what, err); nerr != nil {
		return false, nerr
	}
	return false, r.tell(ctx, "link:refused", fmt.Sprintf("Review link still on: %q", r.row.Title), fmt.Sprintf("%s: %v\n", what, err))
}

// linkIsGone returns nil if a link that was not found counts as deleted, that is, if its project is found. Otherwise Frame.io
// shows us nothing of the project, and the link may still be on.
func (r *review) linkIsGone(ctx context.Context) error {
	_, err := r.frameio.Project(ctx, r.row.ProjectID)
	if !rest.IsNotFound(err) {
		return err
	}
	if time.Since(attempt.Of(ctx).Scheduled()) > absentUnseen {
		return nil // the project was deleted, and its links with it
	}
	return fault.Wait("Unseen", absentLook, "Frame.io shows neither the review link nor its project: is the token's user still a member of the project?")
}
