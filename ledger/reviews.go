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

// one returns a row, and false when there is none.
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

// RequestReview writes a review down unless the same click made one within a while. It returns what is there then.
func (l *Ledger) RequestReview(ctx context.Context, r Review, within time.Duration) (out Review, joined bool, err error) {
	err = l.tx(ctx, func(tx session) error {
		if l.postgres { // two of the same click at once
			if _, err := tx.exec(ctx, "SELECT pg_advisory_xact_lock(hashtext(?))", r.Tenant+r.Click); err != nil {
				return err
			}
		}
		if out, joined, err = one[Review](tx.row(ctx, "SELECT data FROM reviews WHERE tenant = ? AND id = ?", r.Tenant, r.ID)); joined || err != nil {
			return err
		}
		if out, joined, err = one[Review](tx.row(ctx, sameClick, r.Tenant, r.Click, micros(r.CreatedAt.Add(-within)))); joined || err != nil {
			return err
		}
		data, err := encode(r)
		if err != nil {
			return err
		}
		out = r
		_, err = tx.exec(ctx, "INSERT INTO reviews (tenant, id, created_at, status, click, data) VALUES (?, ?, ?, ?, ?, ?)", r.Tenant, r.ID, micros(r.CreatedAt), r.Status, r.Click, data)
		return err
	})
	return out, joined, err
}

// Review returns a review.
func (l *Ledger) Review(ctx context.Context, tenant, id string) (Review, bool, error) {
	return one[Review](l.reads().row(ctx, "SELECT data FROM reviews WHERE tenant = ? AND id = ?", tenant, id))
}

// UpdateReview changes a review under a lock.
func (l *Ledger) UpdateReview(ctx context.Context, tenant, id string, change func(*Review)) (Review, error) {
	var r Review
	err := l.tx(ctx, func(tx session) (err error) {
		if r, err = scanDocument[Review](tx.row(ctx, "SELECT data FROM reviews WHERE tenant = ? AND id = ?"+tx.forUpdate(), tenant, id)); err != nil {
			return err
		}
		change(&r)
		data, err := encode(r)
		if err != nil {
			return err
		}
		_, err = tx.exec(ctx, "UPDATE reviews SET status = ?, data = ? WHERE tenant = ? AND id = ?", r.Status, data, tenant, id)
		return err
	})
	return r, err
}

// Reviews lists reviews, the newest first. after is the cursor that the page before gave.
func (l *Ledger) Reviews(ctx context.Context, tenant, after string, limit int) ([]Review, string, error) {
	at, id := int64(1)<<62, "~"
	if after != "" {
		var err error
		if at, id, err = cursor(after, "."); err != nil {
			return nil, "", err
		}
	}
	found, err := many[Review](ctx, l.reads(), reviewsPage, tenant, at, id, limit)
	next := ""
	if err == nil && len(found) == limit {
		last := found[len(found)-1]
		next = strconv.FormatInt(micros(last.CreatedAt), 10) + "." + last.ID
	}
	return found, next, err
}

// RunningReviewAssets counts the files that a tenant's running reviews look after.
func (l *Ledger) RunningReviewAssets(ctx context.Context, tenant string) (n int, err error) {
	err = l.reads().row(ctx, runningReviewAssets, tenant).Scan(&n)
	return n, err
}

// ReviewsOfAsset returns the running reviews that show an iconik asset, the newest first.
func (l *Ledger) ReviewsOfAsset(ctx context.Context, tenant, assetID string) ([]Review, error) {
	return many[Review](ctx, l.reads(), reviewsOfAsset, tenant, assetID, tenant)
}

// ReviewShownOn returns the review that an iconik asset's fields tell of: the newest running one, or else the newest.
// The review ending, if any, no longer counts as running.
func (l *Ledger) ReviewShownOn(ctx context.Context, tenant, assetID, ending string) (string, error) {
	id, _, err := l.oneID(ctx, reviewShownOn, tenant, assetID, tenant, ending)
	return id, err
}

// ReviewOfFile returns the review that a Frame.io file belongs to.
func (l *Ledger) ReviewOfFile(ctx context.Context, tenant, fileID string) (string, bool, error) {
	return l.oneID(ctx, reviewOfFile, tenant, fileID)
}

// ReviewOfFrameioComment returns the review that knows a Frame.io comment, and the comment's file.
func (l *Ledger) ReviewOfFrameioComment(ctx context.Context, tenant, commentID string) (review, fileID string, known bool, err error) {
	err = l.reads().row(ctx, reviewOfFrameioComment, tenant, commentID).Scan(&review, &fileID)
	if errors.Is(err, sql.ErrNoRows) {
		return "", "", false, nil
	}
	return review, fileID, err == nil, err
}

// ReviewsOfSegment returns the reviews that know an iconik segment.
func (l *Ledger) ReviewsOfSegment(ctx context.Context, tenant, segmentID string) ([]string, error) {
	return collect(ctx, l.reads(), scanText[string], reviewsOfSegment, tenant, segmentID)
}

func (l *Ledger) oneID(ctx context.Context, query string, args ...any) (string, bool, error) {
	id, err := scanText[string](l.reads().row(ctx, query, args...))
	if errors.Is(err, sql.ErrNoRows) {
		return "", false, nil
	}
	return id, err == nil, err
}

const reviewAssets = "SELECT data FROM review_assets WHERE tenant = ? AND review = ? ORDER BY n"

// ReviewAssets returns a review's assets in their order.
func (l *Ledger) ReviewAssets(ctx context.Context, tenant, review string) ([]ReviewAsset, error) {
	return many[ReviewAsset](ctx, l.reads(), reviewAssets, tenant, review)
}

// ReviewAsset returns one asset of a review.
func (l *Ledger) ReviewAsset(ctx context.Context, tenant, review string, n int) (ReviewAsset, bool, error) {
	return one[ReviewAsset](l.reads().row(ctx, "SELECT data FROM review_assets WHERE tenant = ? AND review = ? AND n = ?", tenant, review, n))
}

// AddReviewAssets adds assets that add chooses by those that are there, and numbers them.
func (l *Ledger) AddReviewAssets(ctx context.Context, tenant, review string, add func(have []ReviewAsset) []ReviewAsset) ([]ReviewAsset, error) {
	var added []ReviewAsset
	err := l.tx(ctx, func(tx session) error {
		if _, err := scanText[string](tx.row(ctx, "SELECT id FROM reviews WHERE tenant = ? AND id = ?"+tx.forUpdate(), tenant, review)); err != nil {
			return err
		}
		have, err := many[ReviewAsset](ctx, tx, reviewAssets, tenant, review)
		if err != nil {
			return err
		}
		for i, a := range add(have) {
			a.Review, a.N = review, len(have)+i+1
			if err := insertReviewAsset(ctx, tx, tenant, a); err != nil {
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
	_, err = tx.exec(ctx, "INSERT INTO review_assets (tenant, review, n, asset_id, file_id, data) VALUES (?, ?, ?, ?, ?, ?)", tenant, a.Review, a.N, a.AssetID, a.FileID, data)
	return err
}

func updateReviewAsset(ctx context.Context, tx session, tenant string, a ReviewAsset) error {
	data, err := encode(a)
	if err != nil {
		return err
	}
	_, err = tx.exec(ctx, "UPDATE review_assets SET asset_id = ?, file_id = ?, data = ? WHERE tenant = ? AND review = ? AND n = ?", a.AssetID, a.FileID, data, tenant, a.Review, a.N)
	return err
}

// UpdateReviewAsset changes one asset of a review under a lock.
func (l *Ledger) UpdateReviewAsset(ctx context.Context, tenant, review string, n int, change func(*ReviewAsset)) (ReviewAsset, error) {
	var a ReviewAsset
	err := l.tx(ctx, func(tx session) (err error) {
		if a, err = scanDocument[ReviewAsset](tx.row(ctx, "SELECT data FROM review_assets WHERE tenant = ? AND review = ? AND n = ?"+tx.forUpdate(), tenant, review, n)); err != nil {
			return err
		}
		change(&a)
		a.Review, a.N = review, n
		return updateReviewAsset(ctx, tx, tenant, a)
	})
	return a, err
}

// ReviewComments returns the comments known of one asset of a review, or of all with n 0.
func (l *Ledger) ReviewComments(ctx context.Context, tenant, review string, n int) ([]ReviewComment, error) {
	query, args := "SELECT data FROM review_comments WHERE tenant = ? AND review = ?", []any{tenant, review}
	if n > 0 {
		query, args = query+" AND n = ?", append(args, n)
	}
	return many[ReviewComment](ctx, l.reads(), query+" ORDER BY id", args...)
}

// PutReviewComments writes comments down, new or changed, all or none.
func (l *Ledger) PutReviewComments(ctx context.Context, tenant string, comments ...ReviewComment) error {
	return l.tx(ctx, func(tx session) error {
		for _, c := range comments {
			stored, known, err := one[ReviewComment](tx.row(ctx, "SELECT data FROM review_comments WHERE tenant = ? AND review = ? AND id = ?"+tx.forUpdate(), tenant, c.Review, c.ID))
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
			if _, err := tx.exec(ctx, `INSERT INTO review_comments (tenant, review, id, n, frameio_id, iconik_id, data) VALUES (?, ?, ?, ?, ?, ?, ?)
				ON CONFLICT (tenant, review, id) DO UPDATE SET n = excluded.n, frameio_id = excluded.frameio_id, iconik_id = excluded.iconik_id, data = excluded.data`,
				tenant, c.Review, c.ID, c.N, c.FrameioID, c.IconikID, data); err != nil {
				return err
			}
		}
		return nil
	})
}
