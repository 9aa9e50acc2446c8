package ledger

import (
	"context"
	"slices"
	"time"
)

// HandOver adds an asset from the click of review from to this review, once, however often it is retried. It returns false
// if this review is ending and no longer sends files. If the asset's file is already waiting to be sent, it serves both clicks.
func (h ReviewLedger) HandOver(ctx context.Context, from string, a ReviewAsset, now time.Time) (taken bool, err error) {
	err = h.l.tx(ctx, func(tx session) error {
		r, ok, err := one[Review](tx.Row(ctx, "SELECT data FROM reviews WHERE tenant = ? AND id = ?"+tx.ForUpdate(), h.tenant, h.id))
		if err != nil || !ok {
			return err
		}
		have, err := many[ReviewAsset](ctx, tx, "SELECT data FROM review_assets WHERE tenant = ? AND review = ? ORDER BY n"+tx.ForUpdate(), h.tenant, h.id)
		if err != nil {
			return err
		}
		sends := r.Status.Running() && r.EndedAt.IsZero() && r.ExpiresAt.After(now)
		waiting := -1
		for i, known := range have {
			if known.AssetID != a.AssetID {
				continue
			}
			if slices.Contains(known.From, from) {
				taken = sends || known.State != AssetPending
				return nil
			}
			if known.State == AssetPending {
				waiting = i
			}
		}
		switch taken = sends; {
		case !sends:
			return nil
		case waiting < 0:
			a.Review, a.N, a.From = h.id, len(have)+1, []string{from}
			return insertReviewAsset(ctx, tx, h.tenant, a)
		}
		first := have[waiting]
		first.From = append(first.From, from)
		return updateReviewAsset(ctx, tx, h.tenant, first)
	})
	return taken && err == nil, err
}
