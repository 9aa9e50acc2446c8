package ledger

import (
	"context"
	"database/sql"
	"errors"
	"strconv"
	"time"
)

func scanDocument[T any, P rowOf[T]](r scanner) (v T, err error) {
	var data document
	if err := r.Scan(&data); err != nil {
		return v, err
	}
	return decode[T, P](data)
}

// one returns a row, and false if there is none.
func one[T any, P rowOf[T]](r scanner) (T, bool, error) {
	v, err := scanDocument[T, P](r)
	if errors.Is(err, sql.ErrNoRows) {
		return v, false, nil
	}
	return v, err == nil, err
}

func many[T any, P rowOf[T]](ctx context.Context, s session, query string, args ...any) ([]T, error) {
	return collect(ctx, s, scanDocument[T, P], query, args...)
}

// RequestReview stores a review, or joins the one with the same ID or with the same click within a while. It returns the stored one.
func (l *Ledger) RequestReview(ctx context.Context, r Review, within time.Duration) (out Review, joined bool, err error) {
	err = l.tx(ctx, func(tx session) error {
		if l.db.Postgres() { // for the same click twice at once
			if _, err := tx.Exec(ctx, "SELECT pg_advisory_xact_lock(hashtext(?))", r.Tenant+r.Click); err != nil {
				return err
			}
		}
		if out, joined, err = one[Review](tx.Row(ctx, "SELECT data FROM reviews WHERE tenant = ? AND id = ?", r.Tenant, r.ID)); joined || err != nil {
			return err
		}
		if out, joined, err = one[Review](tx.Row(ctx, sameClick, r.Tenant, r.Click, micros(r.CreatedAt.Add(-within)))); joined || err != nil {
			return err
		}
		data, err := encode(r)
		if err != nil {
			return err
		}
		out = r
		_, err = tx.Exec(ctx, "INSERT INTO reviews (tenant, id, created_at, status, click, data) VALUES (?, ?, ?, ?, ?, ?)", r.Tenant, r.ID, micros(r.CreatedAt), r.Status, r.Click, data)
		return err
	})
	return out, joined, err
}

// Get returns the review, and false if there is none.
func (h ReviewLedger) Get(ctx context.Context) (Review, bool, error) {
	return one[Review](h.l.reads().Row(ctx, "SELECT data FROM reviews WHERE tenant = ? AND id = ?", h.tenant, h.id))
}

// Update changes the review under a lock.
func (h ReviewLedger) Update(ctx context.Context, change func(*Review)) (Review, error) {
	var r Review
	err := h.l.tx(ctx, func(tx session) (err error) {
		if r, err = scanDocument[Review](tx.Row(ctx, "SELECT data FROM reviews WHERE tenant = ? AND id = ?"+tx.ForUpdate(), h.tenant, h.id)); err != nil {
			return err
		}
		change(&r)
		data, err := encode(r)
		if err != nil {
			return err
		}
		_, err = tx.Exec(ctx, "UPDATE reviews SET status = ?, data = ? WHERE tenant = ? AND id = ?", r.Status, data, h.tenant, h.id)
		return err
	})
	return r, err
}

// Reviews lists a tenant's reviews, newest first. after is the cursor that the previous page returned.
func (h TenantLedger) Reviews(ctx context.Context, after string, limit int) ([]Review, string, error) {
	at, id := int64(1)<<62, "~"
	if after != "" {
		var err error
		if at, id, err = cursor(after, "."); err != nil {
			return nil, "", err
		}
	}
	found, err := many[Review](ctx, h.l.reads(), reviewsPage, h.id, at, id, limit)
	next := ""
	if err == nil && len(found) == limit {
		last := found[len(found)-1]
		next = strconv.FormatInt(micros(last.CreatedAt), 10) + "." + last.ID
	}
	return found, next, err
}

// RunningReviewAssets counts the files of a tenant's running reviews.
func (h TenantLedger) RunningReviewAssets(ctx context.Context) (n int, err error) {
	err = h.l.reads().Row(ctx, runningReviewAssets, h.id).Scan(&n)
	return n, err
}

// ReviewsOfAsset returns the running and expired reviews that show an iconik asset, newest first.
func (h TenantLedger) ReviewsOfAsset(ctx context.Context, assetID string) ([]Review, error) {
	return many[Review](ctx, h.l.reads(), reviewsOfAsset, h.id, assetID, h.id)
}

// ReviewAssetsOf returns what all reviews, also those that have ended, have of an iconik asset, newest first.
func (h TenantLedger) ReviewAssetsOf(ctx context.Context, assetID string) ([]ReviewAsset, error) {
	return many[ReviewAsset](ctx, h.l.reads(), reviewAssetsOf, h.id, assetID)
}

// ReviewShownOn returns the review that an iconik asset's fields show: the newest running one, or else the newest. The review
// ending, if any, no longer counts as running. It returns "" if the asset has no review.
func (h TenantLedger) ReviewShownOn(ctx context.Context, assetID, ending string) (string, error) {
	id, _, err := h.l.oneID(ctx, reviewShownOn, h.id, assetID, h.id, ending)
	return id, err
}

// ReviewOfFile returns the review that a Frame.io file belongs to, and false if there is none.
func (h TenantLedger) ReviewOfFile(ctx context.Context, fileID string) (string, bool, error) {
	return h.l.oneID(ctx, reviewOfFile, h.id, fileID)
}

// ReviewOfFrameioComment returns the review that knows a Frame.io comment and the comment's file, and false if none does.
func (h TenantLedger) ReviewOfFrameioComment(ctx context.Context, commentID string) (review, fileID string, known bool, err error) {
	err = h.l.reads().Row(ctx, reviewOfFrameioComment, h.id, commentID).Scan(&review, &fileID)
	if errors.Is(err, sql.ErrNoRows) {
		return "", "", false, nil
	}
	return review, fileID, err == nil, err
}

// ReviewsIn reports whether a review runs in a Frame.io project. It reads all of the tenant's running reviews.
func (h TenantLedger) ReviewsIn(ctx context.Context, projectID string) (bool, error) {
	_, found, err := h.l.oneID(ctx, openReviewInProject, h.id, `%"ProjectID":"`+projectID+`"%`)
	return found, err
}

// ReviewsOfSegment returns the reviews that know an iconik segment.
func (h TenantLedger) ReviewsOfSegment(ctx context.Context, segmentID string) ([]string, error) {
	return collect(ctx, h.l.reads(), scanText[string], reviewsOfSegment, h.id, segmentID)
}

func (l *Ledger) oneID(ctx context.Context, query string, args ...any) (string, bool, error) {
	id, err := scanText[string](l.reads().Row(ctx, query, args...))
	if errors.Is(err, sql.ErrNoRows) {
		return "", false, nil
	}
	return id, err == nil, err
}

const reviewAssets = "SELECT data FROM review_assets WHERE tenant = ? AND review = ? ORDER BY n"

// Assets returns a review's assets in order.
func (h ReviewLedger) Assets(ctx context.Context) ([]ReviewAsset, error) {
	return many[ReviewAsset](ctx, h.l.reads(), reviewAssets, h.tenant, h.id)
}

// Asset returns one asset of a review, and false if there is none.
func (h ReviewLedger) Asset(ctx context.Context, n int) (ReviewAsset, bool, error) {
	return one[ReviewAsset](h.l.reads().Row(ctx, "SELECT data FROM review_assets WHERE tenant = ? AND review = ? AND n = ?", h.tenant, h.id, n))
}

// AddAssets numbers and adds the assets that add returns, given those that exist. It returns the added ones.
func (h ReviewLedger) AddAssets(ctx context.Context, add func(have []ReviewAsset) []ReviewAsset) ([]ReviewAsset, error) {
	var added []ReviewAsset
	err := h.l.tx(ctx, func(tx session) error {
		if _, err := scanText[string](tx.Row(ctx, "SELECT id FROM reviews WHERE tenant = ? AND id = ?"+tx.ForUpdate(), h.tenant, h.id)); err != nil {
			return err
		}
		have, err := many[ReviewAsset](ctx, tx, reviewAssets, h.tenant, h.id)
		if err != nil {
			return err
		}
		for i, a := range add(have) {
			a.Review, a.N = h.id, len(have)+i+1
			if err := insertReviewAsset(ctx, tx, h.tenant, a); err != nil {
				return err
			}
			added = append(added, a)
		}
		return nil
	})
	return added, err
}

func insertReviewAsset(ctx context.Context, tx session, tenant string, a ReviewAsset) error {
	data, err := encode(a)
	if err != nil {
		return err
	}
	_, err = tx.Exec(ctx, "INSERT INTO review_assets (tenant, review, n, asset_id, file_id, data) VALUES (?, ?, ?, ?, ?, ?)", tenant, a.Review, a.N, a.AssetID, a.FileID, data)
	return err
}

func updateReviewAsset(ctx context.Context, tx session, tenant string, a ReviewAsset) error {
	data, err := encode(a)
	if err != nil {
		return err
	}
	_, err = tx.Exec(ctx, "UPDATE review_assets SET asset_id = ?, file_id = ?, data = ? WHERE tenant = ? AND review = ? AND n = ?", a.AssetID, a.FileID, data, tenant, a.Review, a.N)
	return err
}

// UpdateAsset changes one asset of a review under a lock.
func (h ReviewLedger) UpdateAsset(ctx context.Context, n int, change func(*ReviewAsset)) (ReviewAsset, error) {
	var a ReviewAsset
	err := h.l.tx(ctx, func(tx session) (err error) {
		if a, err = scanDocument[ReviewAsset](tx.Row(ctx, "SELECT data FROM review_assets WHERE tenant = ? AND review = ? AND n = ?"+tx.ForUpdate(), h.tenant, h.id, n)); err != nil {
			return err
		}
		change(&a)
		a.Review, a.N = h.id, n
		return updateReviewAsset(ctx, tx, h.tenant, a)
	})
	return a, err
}

// Comments returns the known comments of one asset of a review, or of all of them if n is 0.
func (h ReviewLedger) Comments(ctx context.Context, n int) ([]ReviewComment, error) {
	query, args := "SELECT data FROM review_comments WHERE tenant = ? AND review = ?", []any{h.tenant, h.id}
	if n > 0 {
		query, args = query+" AND n = ?", append(args, n)
	}
	return many[ReviewComment](ctx, h.l.reads(), query+" ORDER BY id", args...)
}

// PutReviewComments stores comments, new or changed, all or none.
func (h TenantLedger) PutReviewComments(ctx context.Context, comments ...ReviewComment) error {
	return h.l.tx(ctx, func(tx session) error {
		for _, c := range comments {
			stored, known, err := one[ReviewComment](tx.Row(ctx, "SELECT data FROM review_comments WHERE tenant = ? AND review = ? AND id = ?"+tx.ForUpdate(), h.id, c.Review, c.ID))
			if err != nil {
				return err
			}
			if known {
				keepFrom(&c, stored)
			}
			data, err := encode(c)
			if err != nil {
				return err
			}
			if _, err := tx.Exec(ctx, `INSERT INTO review_comments (tenant, review, id, n, frameio_id, iconik_id, data) VALUES (?, ?, ?, ?, ?, ?, ?)
				ON CONFLICT (tenant, review, id) DO UPDATE SET n = excluded.n, frameio_id = excluded.frameio_id, iconik_id = excluded.iconik_id, data = excluded.data`,
				h.id, c.Review, c.ID, c.N, c.FrameioID, c.IconikID, data); err != nil {
				return err
			}
		}
		return nil
	})
}
