package ledger

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"strconv"
	"time"

	"github.com/framebridge/framebridge/mapping"
)

// ReviewStatus is where a review stands, as GET /reviews and the field framebridge_review_status say it.
type ReviewStatus string

const (
	ReviewSending ReviewStatus = "sending"
	ReviewOpen    ReviewStatus = "open"
	ReviewExpired ReviewStatus = "expired"
	ReviewStopped ReviewStatus = "stopped"
	ReviewDeleted ReviewStatus = "deleted"
	ReviewFailed  ReviewStatus = "failed"
)

// Running says that comments may still come and go.
func (s ReviewStatus) Running() bool { return s == ReviewSending || s == ReviewOpen }

// Person is an iconik user.
type Person struct {
	ID    string `json:"id,omitempty"`
	Name  string `json:"name,omitempty"`
	Email string `json:"email,omitempty"`
}

// Review is one share of iconik assets, from the click to the deletion of the media in Frame.io.
type Review struct {
	Tenant, ID     string
	Status         ReviewStatus
	Reason         string
	Title, Message string
	Quality        string // proxy or original
	Download       bool
	Passphrase     bool // kept encrypted, under PassphraseToken
	Reviewers      []string
	RequestedBy    Person
	Click          string // what makes two clicks the same
	// What was clicked; collections are opened by the workflow.
	ClickedAssets, ClickedCollections []string

	WorkflowID                        string
	JobID                             string
	ProjectID, FolderID               string // in Frame.io
	ShareID, ShareURL                 string
	ExpiresAt                         time.Time
	EndedAt                           time.Time // expired, stopped or failed
	DeleteAt                          time.Time // zero before the end
	ToIconik, ToFrameio, OpenComments int
	LastSyncAt, NextSyncAt            time.Time
	LastCommentAt                     time.Time // a comment came or changed
	CreatedAt, OpenedAt               time.Time
	ClickedAt                         time.Time // by iconik's clock
	Generation                        string    // of the API that its Frame.io ids belong to
	Moves                             int       // from one generation to another
	Relinks                           int       // new links for ones that somebody had deleted
	Notes                             []string
}

// PassphraseToken names the encrypted passphrase of a review.
func PassphraseToken(review string) string { return "review/" + review + "/passphrase" }

// AssetState is how far one asset of a review is.
type AssetState string

const (
	AssetPending    AssetState = "pending"
	AssetUploading  AssetState = "uploading"
	AssetProcessing AssetState = "processing" // Frame.io makes its player files
	AssetReady      AssetState = "ready"
	AssetFailed     AssetState = "failed"
	AssetGone       AssetState = "gone" // deleted by hand on either side
	AssetDeleted    AssetState = "deleted"
)

// ReviewAsset is one file in Frame.io that a review has made of one version of an iconik asset.
type ReviewAsset struct {
	Review                   string
	N                        int // counts from 1
	AssetID, VersionID       string
	Title, Name              string
	MediaType                string
	Quality                  string
	Size, BytesDone          int64
	FileID, StackID          string
	BeganUpload              time.Time // a file may have been made whose id is not known
	ReadyAt                  time.Time // when it was first seen ready, its watermark still missing
	State                    AssetState
	From                     []string // the reviews whose clicks handed it over to this one
	Reason                   string
	Decision                 string // approved, changes requested or none
	Label                    string
	FrameNum, FrameDen       int64
	Frames                   int64
	StartTimecode            string
	Checksum                 string // xxh64 of what was sent
	SeenIconik               bool   // comments older than the review are noted
	WrittenHash, WrittenLink string
}

// Rate is the frame rate by which its comments are counted.
func (a ReviewAsset) Rate() mapping.Rate { return mapping.Rate{Num: a.FrameNum, Den: a.FrameDen} }

// Origin is the side where a comment was made.
type Origin string

const (
	FromFrameio Origin = "frameio"
	FromIconik  Origin = "iconik"
)

// ReviewComment is one comment on both sides.
type ReviewComment struct {
	Review, ID string
	N          int // the asset of the review
	FrameioID  string
	IconikID   string
	ParentID   string // of this table
	Origin     Origin
	Author     string
	Email      string
	Guest      bool
	Text       string
	Frame      *int64
	Frames     int64
	Page       *int
	Completed  bool
	Drawn      bool
	Internal   bool
	CreatedAt  time.Time
	UpdatedAt  time.Time
	// What each side was last seen with, or given.
	Frameio, Iconik     mapping.State
	FrameioAt, IconikAt time.Time
	// Before and After stand around the text on the side where it was not made.
	Before, After string
	// Deleted is kept, so that a late listing brings nothing back.
	Deleted bool
	// Older comments of iconik are none of the review's business.
	Older bool
	// IntendedAt is when it was sent to the other side, whose answer is not known.
	IntendedAt time.Time
	// Refused is why the other side does not take a change.
	Refused string
}

// RequestReview writes a review down unless the same click made one within a while. It returns what is there then.
func (l *Ledger) RequestReview(ctx context.Context, r Review, within time.Duration) (out Review, joined bool, err error) {
	err = l.tx(ctx, func(tx *sql.Tx) error {
		if l.postgres { // two of the same click at once
			if _, err := tx.ExecContext(ctx, "SELECT pg_advisory_xact_lock(hashtext($1))", r.Tenant+r.Click); err != nil {
				return err
			}
		}
		var data string
		err := tx.QueryRowContext(ctx, l.bind("SELECT data FROM reviews WHERE tenant = ? AND (id = ? OR click = ? AND created_at > ?) ORDER BY created_at DESC LIMIT 1"),
			r.Tenant, r.ID, r.Click, micros(r.CreatedAt.Add(-within))).Scan(&data)
		if err == nil {
			joined = true
			return json.Unmarshal([]byte(data), &out)
		}
		if !errors.Is(err, sql.ErrNoRows) {
			return err
		}
		raw, err := json.Marshal(r)
		if err != nil {
			return err
		}
		out = r
		_, err = tx.ExecContext(ctx, l.bind("INSERT INTO reviews (tenant, id, created_at, status, click, data) VALUES (?, ?, ?, ?, ?, ?)"),
			r.Tenant, r.ID, micros(r.CreatedAt), string(r.Status), r.Click, string(raw))
		return err
	})
	return out, joined, err
}

// Review returns a review.
func (l *Ledger) Review(ctx context.Context, tenant, id string) (Review, bool, error) {
	return one[Review](l.read.QueryRowContext(ctx, l.bind("SELECT data FROM reviews WHERE tenant = ? AND id = ?"), tenant, id))
}

func one[T any](row *sql.Row) (v T, ok bool, err error) {
	var data string
	err = row.Scan(&data)
	if errors.Is(err, sql.ErrNoRows) {
		return v, false, nil
	}
	if err == nil {
		err = json.Unmarshal([]byte(data), &v)
	}
	return v, err == nil, err
}

func many[T any](rows *sql.Rows, err error) ([]T, error) {
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var out []T
	for rows.Next() {
		var data string
		var v T
		if err := rows.Scan(&data); err != nil {
			return nil, err
		}
		if err := json.Unmarshal([]byte(data), &v); err != nil {
			return nil, err
		}
		out = append(out, v)
	}
	return out, rows.Err()
}

// UpdateReview changes a review under a lock.
func (l *Ledger) UpdateReview(ctx context.Context, tenant, id string, change func(*Review)) (Review, error) {
	var r Review
	err := l.tx(ctx, func(tx *sql.Tx) error {
		var data string
		if err := tx.QueryRowContext(ctx, l.bind("SELECT data FROM reviews WHERE tenant = ? AND id = ?"+l.forUpdate()), tenant, id).Scan(&data); err != nil {
			return err
		}
		if err := json.Unmarshal([]byte(data), &r); err != nil {
			return err
		}
		change(&r)
		raw, err := json.Marshal(r)
		if err != nil {
			return err
		}
		_, err = tx.ExecContext(ctx, l.bind("UPDATE reviews SET status = ?, data = ? WHERE tenant = ? AND id = ?"), string(r.Status), string(raw), tenant, id)
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
	rows, err := many[Review](l.read.QueryContext(ctx, l.bind("SELECT data FROM reviews WHERE tenant = ? AND (created_at < ? OR created_at = ? AND id < ?) ORDER BY created_at DESC, id DESC LIMIT ?"),
		tenant, at, at, id, limit))
	next := ""
	if err == nil && len(rows) == limit {
		last := rows[len(rows)-1]
		next = strconv.FormatInt(micros(last.CreatedAt), 10) + "." + last.ID
	}
	return rows, next, err
}

// RunningReviewAssets counts the files that a tenant's running reviews look after.
func (l *Ledger) RunningReviewAssets(ctx context.Context, tenant string) (n int, err error) {
	err = l.read.QueryRowContext(ctx, l.bind(`SELECT COUNT(*) FROM review_assets a JOIN reviews r ON r.tenant = a.tenant AND r.id = a.review
		WHERE a.tenant = ? AND r.status IN ('sending', 'open')`), tenant).Scan(&n)
	return n, err
}

// ReviewsOfAsset returns the running reviews that show an iconik asset, the newest first.
func (l *Ledger) ReviewsOfAsset(ctx context.Context, tenant, assetID string) ([]Review, error) {
	return many[Review](l.read.QueryContext(ctx, l.bind(`SELECT r.data FROM reviews r WHERE r.tenant = ? AND r.status IN ('sending', 'open', 'expired') AND EXISTS (
		SELECT 1 FROM review_assets a WHERE a.tenant = r.tenant AND a.review = r.id AND a.asset_id = ?) ORDER BY r.created_at DESC`), tenant, assetID))
}

// ReviewShownOn returns the review that an iconik asset's fields tell of: the newest running one, or else the newest.
// The review ending, if any, no longer counts as running.
func (l *Ledger) ReviewShownOn(ctx context.Context, tenant, assetID, ending string) (string, error) {
	id, _, err := l.oneID(ctx, `SELECT r.id FROM reviews r WHERE r.tenant = ? AND EXISTS (SELECT 1 FROM review_assets a WHERE a.tenant = r.tenant AND a.review = r.id AND a.asset_id = ?)
		ORDER BY CASE WHEN r.status IN ('sending', 'open') AND r.id <> ? THEN 0 ELSE 1 END, r.created_at DESC, r.id DESC LIMIT 1`, tenant, assetID, ending)
	return id, err
}

// ReviewOfFile returns the review that a Frame.io file belongs to.
func (l *Ledger) ReviewOfFile(ctx context.Context, tenant, fileID string) (string, bool, error) {
	return l.oneID(ctx, "SELECT review FROM review_assets WHERE tenant = ? AND file_id = ? LIMIT 1", tenant, fileID)
}

// ReviewOfFrameioComment returns the review that knows a Frame.io comment, and the comment's file.
func (l *Ledger) ReviewOfFrameioComment(ctx context.Context, tenant, commentID string) (review, fileID string, known bool, err error) {
	err = l.read.QueryRowContext(ctx, l.bind(`SELECT c.review, a.file_id FROM review_comments c JOIN review_assets a ON a.tenant = c.tenant AND a.review = c.review AND a.n = c.n
		WHERE c.tenant = ? AND c.frameio_id = ? LIMIT 1`), tenant, commentID).Scan(&review, &fileID)
	if errors.Is(err, sql.ErrNoRows) {
		return "", "", false, nil
	}
	return review, fileID, err == nil, err
}

// ReviewsOfSegment returns the reviews that know an iconik segment.
func (l *Ledger) ReviewsOfSegment(ctx context.Context, tenant, segmentID string) ([]string, error) {
	rows, err := l.read.QueryContext(ctx, l.bind("SELECT DISTINCT review FROM review_comments WHERE tenant = ? AND iconik_id = ?"), tenant, segmentID)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var out []string
	for rows.Next() {
		var id string
		if err := rows.Scan(&id); err != nil {
			return nil, err
		}
		out = append(out, id)
	}
	return out, rows.Err()
}

func (l *Ledger) oneID(ctx context.Context, query string, args ...any) (string, bool, error) {
	var id string
	err := l.read.QueryRowContext(ctx, l.bind(query), args...).Scan(&id)
	if errors.Is(err, sql.ErrNoRows) {
		return "", false, nil
	}
	return id, err == nil, err
}

// ReviewAssets returns a review's assets in their order.
func (l *Ledger) ReviewAssets(ctx context.Context, tenant, review string) ([]ReviewAsset, error) {
	return many[ReviewAsset](l.read.QueryContext(ctx, l.bind("SELECT data FROM review_assets WHERE tenant = ? AND review = ? ORDER BY n"), tenant, review))
}

// ReviewAsset returns one asset of a review.
func (l *Ledger) ReviewAsset(ctx context.Context, tenant, review string, n int) (ReviewAsset, bool, error) {
	return one[ReviewAsset](l.read.QueryRowContext(ctx, l.bind("SELECT data FROM review_assets WHERE tenant = ? AND review = ? AND n = ?"), tenant, review, n))
}

// AddReviewAssets adds assets that add chooses by those that are there, and numbers them.
func (l *Ledger) AddReviewAssets(ctx context.Context, tenant, review string, add func(have []ReviewAsset) []ReviewAsset) ([]ReviewAsset, error) {
	var added []ReviewAsset
	err := l.tx(ctx, func(tx *sql.Tx) error {
		var locked string
		if err := tx.QueryRowContext(ctx, l.bind("SELECT id FROM reviews WHERE tenant = ? AND id = ?"+l.forUpdate()), tenant, review).Scan(&locked); err != nil {
			return err
		}
		have, err := many[ReviewAsset](tx.QueryContext(ctx, l.bind("SELECT data FROM review_assets WHERE tenant = ? AND review = ? ORDER BY n"), tenant, review))
		if err != nil {
			return err
		}
		for i, a := range add(have) {
			a.Review, a.N = review, len(have)+i+1
			if err := l.insertReviewAsset(ctx, tx, tenant, a); err != nil {
				return err
			}
			added = append(added, a)
		}
		return nil
	})
	return added, err
}

func (l *Ledger) insertReviewAsset(ctx context.Context, tx *sql.Tx, tenant string, a ReviewAsset) error {
	raw, err := json.Marshal(a)
	if err != nil {
		return err
	}
	_, err = tx.ExecContext(ctx, l.bind("INSERT INTO review_assets (tenant, review, n, asset_id, file_id, data) VALUES (?, ?, ?, ?, ?, ?)"),
		tenant, a.Review, a.N, a.AssetID, a.FileID, string(raw))
	return err
}

// UpdateReviewAsset changes one asset of a review under a lock.
func (l *Ledger) UpdateReviewAsset(ctx context.Context, tenant, review string, n int, change func(*ReviewAsset)) (ReviewAsset, error) {
	var a ReviewAsset
	err := l.tx(ctx, func(tx *sql.Tx) error {
		var data string
		if err := tx.QueryRowContext(ctx, l.bind("SELECT data FROM review_assets WHERE tenant = ? AND review = ? AND n = ?"+l.forUpdate()), tenant, review, n).Scan(&data); err != nil {
			return err
		}
		if err := json.Unmarshal([]byte(data), &a); err != nil {
			return err
		}
		change(&a)
		raw, err := json.Marshal(a)
		if err != nil {
			return err
		}
		_, err = tx.ExecContext(ctx, l.bind("UPDATE review_assets SET asset_id = ?, file_id = ?, data = ? WHERE tenant = ? AND review = ? AND n = ?"), a.AssetID, a.FileID, string(raw), tenant, review, n)
		return err
	})
	return a, err
}

// ReviewComments returns the comments known of one asset of a review, or of all with n 0.
func (l *Ledger) ReviewComments(ctx context.Context, tenant, review string, n int) ([]ReviewComment, error) {
	query, args := "SELECT data FROM review_comments WHERE tenant = ? AND review = ?", []any{tenant, review}
	if n > 0 {
		query, args = query+" AND n = ?", append(args, n)
	}
	return many[ReviewComment](l.read.QueryContext(ctx, l.bind(query+" ORDER BY id"), args...))
}

// PutReviewComments writes comments down, new or changed, all or none.
func (l *Ledger) PutReviewComments(ctx context.Context, tenant string, comments ...ReviewComment) error {
	return l.tx(ctx, func(tx *sql.Tx) error {
		for _, c := range comments {
			raw, err := json.Marshal(c)
			if err != nil {
				return err
			}
			if _, err := tx.ExecContext(ctx, l.bind(`INSERT INTO review_comments (tenant, review, id, n, frameio_id, iconik_id, data) VALUES (?, ?, ?, ?, ?, ?, ?)
				ON CONFLICT (tenant, review, id) DO UPDATE SET n = excluded.n, frameio_id = excluded.frameio_id, iconik_id = excluded.iconik_id, data = excluded.data`),
				tenant, c.Review, c.ID, c.N, c.FrameioID, c.IconikID, string(raw)); err != nil {
				return err
			}
		}
		return nil
	})
}

// DropReviewComment forgets a comment that came to nothing.
func (l *Ledger) DropReviewComment(ctx context.Context, tenant, review, id string) error {
	_, err := l.exec(ctx, "DELETE FROM review_comments WHERE tenant = ? AND review = ? AND id = ?", tenant, review, id)
	return err
}

// DropToken forgets a token.
func (l *Ledger) DropToken(ctx context.Context, tenant, name string) error {
	_, err := l.exec(ctx, "DELETE FROM tokens WHERE tenant = ? AND name = ?", tenant, name)
	return err
}

// CanKeepTokens says that a key is configured.
func (l *Ledger) CanKeepTokens() bool { return l.key != nil }
