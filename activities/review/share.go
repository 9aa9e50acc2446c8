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
	"github.com/framebridge/framebridge/activities/tenant"
	"github.com/framebridge/framebridge/clients/frameio"
	"github.com/framebridge/framebridge/clients/rest"
	"github.com/framebridge/framebridge/ledger"
	"github.com/framebridge/framebridge/workflows"
)

// ShareReview makes the link, once all files that must carry a watermark carry it, and invites each reviewer once.
// After a resend it brings the new files under the link and invites whoever is new.
func (a *Activities) ShareReview(ctx context.Context, ref workflows.ReviewRef) (workflows.ShareReviewResult, error) {
	var out workflows.ShareReviewResult
	r, err := a.review(ctx, ref)
	if err != nil {
		return out, err
	}
	assets, err := r.assets(ctx)
	if err != nil {
		return out, err
	}
	shown, plain, err := r.shareable(ctx, assets)
	if err != nil {
		return out, err
	}
	out.Unwatermarked = plain
	if err := r.dropDeletedLink(ctx); err != nil {
		return out, err
	}
	if err := r.share(ctx, shown); err != nil {
		return out, err
	}
	out.URL = r.row.ShareURL
	return out, r.invite(ctx)
}

// shareable lists what the link shows: each asset's file, or its stack. A first share needs all files' watermarks.
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
			case r.cfg.Review.Watermark == "required":
				return nil, 0, fault.Content("%s", watermarkMissing(it.Title))
			default:
				plain++
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

// dropDeletedLink forgets a link that somebody has deleted, so that assets sent again get a new one, and its reviewers
// another invitation.
func (r *review) dropDeletedLink(ctx context.Context) error {
	if r.row.ShareID == "" {
		return nil
	}
	_, err := r.frameio.ShareByID(ctx, r.row.ShareID)
	if !rest.IsNotFound(err) {
		return err
	}
	if err := r.linkIsGone(ctx); err != nil {
		return err
	}
	return r.update(ctx, func(row *ledger.Review) { // should it come back, it goes off with the new one
		row.OldShares = append(row.OldShares, row.ShareID)
		row.ShareID, row.ShareURL, row.Relinks = "", "", row.Relinks+1
	})
}

// shareName is unique in the project, so that a link whose answer was lost is found again.
func (r *review) shareName() string {
	return shorten(strings.Join(strings.Fields(r.row.Title), " "), 150) + " · " + r.ref.Review[:8]
}

// noShare stands for the link of a review that has nothing to show any more.
const noShare = "none"

// shareKey names the review's present link in the ledger.
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

// findShare finds a link of this review whose making was cut short.
func (r *review) findShare(ctx context.Context) (string, error) {
	for s, err := range frameio.RowsOf(ctx, r.frameio.Shares, r.row.ProjectID) {
		if err != nil {
			return "", err
		}
		if s.Name == r.shareName() && s.Kind != frameio.SharePresentation {
			return s.ID, nil
		}
	}
	return "", nil
}

func (r *review) share(ctx context.Context, shown []string) error {
	passphrase := ""
	if r.row.Passphrase {
		raw, ok, err := r.tenant.Ledger.Token(ctx, ledger.PassphraseToken(r.ref.Review))
		if err != nil {
			return err
		}
		if !ok {
			return fault.System("the review's passphrase is missing from the ledger")
		}
		passphrase = string(raw)
	}
	var made frameio.Share
	whole := false // the link was made with everything in it
	id, isNew, err := r.tenant.CreateOnce(ctx, tenant.Creation{
		Kind: ledger.LinkReviewShare, SourceID: r.shareKey(), Parent: r.row.ProjectID, Owner: r.ref.Review,
		Find:    r.findShare,
		Discard: r.deactivateLink,
		Make: func(ctx context.Context) (string, error) {
			first := shown[:min(len(shown), r.frameio.Capabilities().ShareBatch)]
			s, err := r.frameio.CreateShare(ctx, r.row.ProjectID, frameio.NewShare{Name: r.shareName(), AssetIDs: first, ExpiresAt: r.row.ExpiresAt,
				Passphrase: passphrase, Download: r.row.Download, Watermark: r.cfg.Review.Watermark != "off"})
			made, whole = s, err == nil && len(first) == len(shown)
			if s.ID != "" {
				return s.ID, nil // what it does not show yet is added below
			}
			return "", err
		},
	})
	if err != nil {
		return fmt.Errorf("review link: %w", err)
	}
	if !isNew || made.URL == "" {
		if made, err = r.frameio.ShareByID(ctx, id); err != nil {
			return fmt.Errorf("review link: %w", err)
		}
	}
	if err := r.checkShareWatermark(ctx, id); err != nil {
		return err
	}
	if made.HasPassphrase && !r.row.Passphrase {
		if err := r.note(ctx, "The account's policy requires a passphrase, so Frame.io added one to the link. Find it in the share's settings in Frame.io and give it to the reviewers."); err != nil {
			return err
		}
	}
	if !whole {
		if err := r.frameio.AddToShare(ctx, id, shown); err != nil {
			return fmt.Errorf("files of the review link: %w", err)
		}
	}
	return r.update(ctx, func(row *ledger.Review) { row.ShareID, row.ShareURL = id, made.URL })
}

// checkShareWatermark reads the share again where the generation marks shares. One without its watermark is shut at once.
func (r *review) checkShareWatermark(ctx context.Context, id string) error {
	if r.cfg.Review.Watermark != "required" || r.frameio.Capabilities().WatermarkOnFiles {
		return nil
	}
	s, err := r.frameio.ShareByID(ctx, id)
	if err != nil {
		return fmt.Errorf("watermark of the review link: %w", err)
	}
	if s.Watermark == frameio.WatermarkOn || s.Watermark == frameio.WatermarkUnknown && r.cfg.Review.Attested {
		return nil
	}
	if err := r.deactivateLink(ctx, id); err != nil {
		return fmt.Errorf("switching off a link without a watermark: %w", err)
	}
	if s.Watermark == frameio.WatermarkUnknown {
		return fault.Content("Frame.io does not report whether the link has a watermark, so nothing was shared. If the account's own policy enforces one, set review.watermark_attested: true; otherwise set review.watermark to preferred or off.")
	}
	return fault.Content("Frame.io did not turn on the link's watermark, so nothing was shared. Turn on watermarks for the workspace, or set review.watermark to preferred or off.")
}

func (r *review) deactivateLink(ctx context.Context, shareID string) error {
	off := false
	return r.frameio.UpdateShare(ctx, shareID, frameio.ShareChange{Name: r.shareName(), Active: &off})
}

// revoke switches off every link that this review has made, also one whose making was cut short. One that somebody has
// deleted is off.
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
	for _, id := range ids {
		err := r.deactivateLink(ctx, id)
		if rest.IsNotFound(err) {
			err = r.linkIsGone(ctx)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// linkIsGone says whether a link that is not found counts as deleted: only where its project is found. Otherwise Frame.io
// shows us nothing of it, and the link may be on.
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
