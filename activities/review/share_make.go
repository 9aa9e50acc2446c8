package review

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/framebridge/framebridge/activities/attempt"
	"github.com/framebridge/framebridge/activities/fault"
	"github.com/framebridge/framebridge/activities/tenant"
	"github.com/framebridge/framebridge/clients/frameio"
	"github.com/framebridge/framebridge/clients/rest"
	"github.com/framebridge/framebridge/ledger"
)

// sinceIntent is how much a share may seem older than the intent to make it: clocks differ.
const sinceIntent = time.Hour

// findShare finds a link of this review whose making was cut short. Its title is not its own: it is known by what it shows,
// which this review has uploaded; one that shows nothing yet, by being nobody's since the intent.
func (r *review) findShare(ctx context.Context) (string, error) {
	link, _, err := r.tenant.Ledger.Link(ctx, ledger.LinkReviewShare, r.shareKey())
	if err != nil {
		return "", err
	}
	own, err := r.ownFiles(ctx)
	if err != nil {
		return "", err
	}
	for s, err := range frameio.RowsOf(ctx, "list shares", r.frameio.Shares, r.row.ProjectID) {
		if err != nil {
			return "", err
		}
		if s.Kind == frameio.SharePresentation || s.Name != r.shareName() && s.Name != r.formerShareName() {
			continue
		}
		ours, err := r.madeIt(ctx, s, link.IntendedAt, own)
		if err != nil || ours {
			return s.ID, err
		}
	}
	return "", nil
}

// ownFiles are the files and stacks that this review has in Frame.io.
func (r *review) ownFiles(ctx context.Context) ([]string, error) {
	assets, err := r.assets(ctx)
	var own []string
	for _, it := range assets {
		own = append(own, it.FileID, it.StackID)
	}
	return slices.DeleteFunc(own, func(id string) bool { return id == "" }), err
}

// madeIt says whether a share of this review's title is its own, and not that of another review, or a former one of this.
func (r *review) madeIt(ctx context.Context, s frameio.Share, intended time.Time, own []string) (bool, error) {
	if !s.CreatedAt.IsZero() && s.CreatedAt.Before(intended.Add(-sinceIntent)) || slices.Contains(r.row.OldShares, s.ID) {
		return false, nil
	}
	if link, known, err := r.tenant.Ledger.LinkByTarget(ctx, ledger.LinkReviewShare, s.ID); err != nil || known {
		return known && link.SourceID == r.shareKey(), err
	}
	if s.Name == r.formerShareName() {
		return true, nil
	}
	page, err := r.frameio.ShareItems(ctx, s, "")
	if err != nil && !rest.IsNotFound(err) { // it was just made, or is gone again
		return false, err
	}
	if len(page.Items) == 0 {
		return s.ExpiresAt.IsZero() || s.ExpiresAt.Sub(r.row.ExpiresAt).Abs() < time.Minute, nil
	}
	return slices.ContainsFunc(page.Items, func(it frameio.ShareItem) bool { return slices.Contains(own, it.AssetID) }), nil
}

// newShare is the link that this review wants.
func (r *review) newShare(ctx context.Context, shown []string) (frameio.NewShare, error) {
	can, required := r.frameio.Capabilities(), r.cfg.Review.Watermark == "required"
	s := frameio.NewShare{Name: r.shareName(), AssetIDs: shown[:min(len(shown), can.ShareBatch)], ExpiresAt: r.row.ExpiresAt, Download: r.row.Download,
		Access: frameio.Access(r.cfg.Review.Access), Watermark: r.cfg.Review.Watermark != "off", Forensic: r.row.Forensic, DRM: r.row.DRM,
		MustWatermark: required && !can.WatermarkOnFiles && !r.cfg.Review.Attested}
	// What is to be looked at first is shown to nobody before.
	s.Closed = required && !can.WatermarkOnFiles || s.Access == frameio.AccessSecure
	if !r.row.Passphrase {
		return s, nil
	}
	raw, ok, err := r.tenant.Ledger.Token(ctx, ledger.PassphraseToken(r.ref.Review))
	if err == nil && !ok {
		err = fault.System("the review's passphrase is missing from the ledger")
	}
	s.Passphrase = string(raw)
	return s, err
}

// share makes the link, or brings what is new under it. A new one is closed until it was read back as it must be.
func (r *review) share(ctx context.Context, shown []string) error {
	want, err := r.newShare(ctx, shown)
	if err != nil {
		return err
	}
	isFirst := r.row.ShareID == "" // nobody was told of it
	var made frameio.Share
	id, isNew, err := r.tenant.CreateOnce(ctx, tenant.Creation{
		Kind: ledger.LinkReviewShare, SourceID: r.shareKey(), Parent: r.row.ProjectID, Owner: r.ref.Review,
		Find:    r.findShare,
		Discard: r.deactivateLink,
		Make: func(ctx context.Context) (string, error) {
			s, err := r.frameio.CreateShare(ctx, r.row.ProjectID, want)
			if err == nil {
				made = s
			}
			if s.ID != "" {
				return s.ID, nil // what it does not show yet is added below
			}
			return "", err
		},
	})
	if err != nil {
		return r.shareRefused(want, err)
	}
	if isFirst && !isNew { // an attempt that was cut short may have made it for another form of the same title
		if err := r.frameio.UpdateShare(ctx, id, frameio.ShareChange{Name: want.Name, ExpiresAt: &want.ExpiresAt, Passphrase: &want.Passphrase, Download: &want.Download}); err != nil {
			return fmt.Errorf("review link: %w", err)
		}
	}
	is, err := r.frameio.ShareByID(ctx, id)
	if err != nil {
		return fmt.Errorf("review link: %w", err)
	}
	is.Refused = made.Refused
	if err := r.checkShare(ctx, want, is); err != nil {
		return err
	}
	address := cmp.Or(is.URL, r.row.ShareURL)
	if address == "" {
		return r.unaddressed(ctx, id)
	}
	if _, empty := is.Refusal(frameio.RefusedClosed); !isNew || made.ID == "" || empty || len(want.AssetIDs) < len(shown) {
		if err := r.frameio.AddToShare(ctx, id, shown); err != nil {
			return fmt.Errorf("files of the review link: %w", err)
		}
	}
	if isFirst && !is.Active {
		on := true
		if err := r.frameio.UpdateShare(ctx, id, frameio.ShareChange{Name: want.Name, ExpiresAt: &want.ExpiresAt, Active: &on}); err != nil {
			return fmt.Errorf("switching the review link on: %w", err)
		}
	}
	return r.update(ctx, func(row *ledger.Review) { row.ShareID, row.ShareURL, row.Access = id, address, string(is.Access) })
}

// addressLag is how long Frame.io may take to give a link its address, which its document says may be null.
const addressLag = time.Minute

// unaddressed has a link without an address looked at again, and gives it up after a while: nobody could be shown the way to it, and
// a review without one counts as not shared.
func (r *review) unaddressed(ctx context.Context, id string) error {
	if time.Since(attempt.Of(ctx).Scheduled()) < addressLag {
		return fault.Wait("NotReady", readyLook, "Frame.io gives the review link no address yet")
	}
	if err := r.deactivateLink(ctx, id); err != nil {
		return fmt.Errorf("switching off a link without an address: %w", err)
	}
	return fault.Content("Frame.io gave the review link no address, so it is off and nothing was shared: send again.")
}
