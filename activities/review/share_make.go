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

// sinceIntent is how much older than the intent to create it a share may appear: clocks differ.
const sinceIntent = time.Hour

// findShare finds a link of this review whose creation was interrupted, or returns "". Titles are not unique: a link is
// recognized by showing files that this review uploaded, or, if it shows nothing yet, by being created since the intent and
// belonging to no other review.
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

// ownFiles returns the IDs of this review's files and stacks in Frame.io.
func (r *review) ownFiles(ctx context.Context) ([]string, error) {
	assets, err := r.assets(ctx)
	var own []string
	for _, it := range assets {
		own = append(own, it.FileID, it.StackID)
	}
	return slices.DeleteFunc(own, func(id string) bool { return id == "" }), err
}

// madeIt reports whether a share with this review's title is its current one, rather than another review's or an earlier one.
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
	if err != nil && !rest.IsNotFound(err) { // it was just created, or has been deleted
		return false, err
	}
	if len(page.Items) == 0 {
		return s.ExpiresAt.IsZero() || s.ExpiresAt.Sub(r.row.ExpiresAt).Abs() < time.Minute, nil
	}
	return slices.ContainsFunc(page.Items, func(it frameio.ShareItem) bool { return slices.Contains(own, it.AssetID) }), nil
}

// newShare returns the link that this review needs.
func (r *review) newShare(ctx context.Context, shown []string) (frameio.NewShare, error) {
	can, required := r.frameio.Capabilities(), r.cfg.Review.Watermark == "required"
	s := frameio.NewShare{Name: r.shareName(), AssetIDs: shown[:min(len(shown), can.ShareBatch)], ExpiresAt: r.row.ExpiresAt, Download: r.row.Download,
		Access: frameio.Access(r.cfg.Review.Access), Watermark: r.cfg.Review.Watermark != "off", Forensic: r.row.Forensic, DRM: r.row.DRM,
		MustWatermark: required && !can.WatermarkOnFiles && !r.cfg.Review.Attested}
	// A link that must be checked first is created closed, so that nobody sees it before.
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

// share creates the link, or adds new files to it. A new link that must be checked stays closed until then.
func (r *review) share(ctx context.Context, shown []string) error {
	want, err := r.newShare(ctx, shown)
	if err != nil {
		return err
	}
	isFirst := r.row.ShareID == "" // nobody has been told about it
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
	if isFirst && !isNew { // an interrupted attempt may have created it for another form with the same title
		if err := r.frameio.UpdateShare(ctx, id, frameio.ShareChange{Name: want.Name, ExpiresAt: &want.ExpiresAt, Passphrase: &want.Passphrase, Download: &want.Download}); err != nil {
			return fmt.Errorf("review link: %w", err)
		}
	}
	is, err := r.frameio.ShareByID(ctx, id)
	if err = unseen(ctx, err, "the review link"); err != nil {
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

// addressLag is how long Frame.io may take to give a link its address, which may be null by its documentation.
const addressLag = time.Minute

// unaddressed has a link without an address looked at again, and gives up on it after addressLag: nobody could be told where to
// find it, and a review without an address counts as not shared.
func (r *review) unaddressed(ctx context.Context, id string) error {
	if time.Since(attempt.Of(ctx).Scheduled()) < addressLag {
		return fault.Wait("NotReady", readyLook, "Frame.io gives the review link no address yet")
	}
	if err := r.deactivateLink(ctx, id); err != nil {
		return fmt.Errorf("switching off a link without an address: %w", err)
	}
	return fault.Content("Frame.io gave the review link no address, so it is off and nothing was shared: send again.")
}
