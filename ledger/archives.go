package ledger

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"time"
)

// Phase is a part of an archive that goes over items.
type Phase string

const (
	PhaseCopy     Phase = "copy"
	PhaseComments Phase = "comments"
	PhaseVerify   Phase = "verify"
	// PhaseCommentsAgain is PhaseComments with the items that had none when they were read.
	PhaseCommentsAgain Phase = "comments again"
)

// ErrUnknown says that the ledger has no such archive or item.
var ErrUnknown = errors.New("not in the ledger")

func decodeArchive(data string, position int) (Archive, error) {
	var a Archive
	err := json.Unmarshal([]byte(data), &a)
	a.QueuePosition = position
	return a, err
}

// RequestArchive makes an archive's row, or begins another run of one that has ended. joined says that a run is open.
// Who asked for the run before is told of one that nobody asks for by name, as of a retry.
func (l *Ledger) RequestArchive(ctx context.Context, tenant, id, requestedBy string, now time.Time) (a Archive, joined bool, err error) {
	err = l.tx(ctx, func(tx *sql.Tx) error {
		var data string
		var position int
		err := tx.QueryRowContext(ctx, l.bind("SELECT data, queue_position FROM archives WHERE tenant = ? AND id = ?"+l.forUpdate()), tenant, id).Scan(&data, &position)
		switch {
		case errors.Is(err, sql.ErrNoRows):
			a = Archive{Tenant: tenant, ID: id, Run: 1}
		case err != nil:
			return err
		default:
			if a, err = decodeArchive(data, position); err != nil {
				return err
			}
			if !a.Status.Ended() {
				joined = true
				a.AskedBy(requestedBy)
				encoded, err := json.Marshal(a)
				if err != nil {
					return err
				}
				_, err = tx.ExecContext(ctx, l.bind("UPDATE archives SET data = ? WHERE tenant = ? AND id = ?"), string(encoded), tenant, id)
				return err
			}
			a.Run++
		}
		if requestedBy != "" {
			a.RequestedBy, a.AlsoAsked = requestedBy, nil
		}
		a.Status, a.Reason, a.Changed = Queued, "", false
		a.QueuedAt, a.StartedAt, a.FinishedAt, a.QueuePosition = now.UTC(), time.Time{}, time.Time{}, 0
		encoded, err := json.Marshal(a)
		if err != nil {
			return err
		}
		_, err = tx.ExecContext(ctx, l.bind(`INSERT INTO archives (tenant, id, queued_at, data) VALUES (?, ?, ?, ?)
			ON CONFLICT (tenant, id) DO UPDATE SET queued_at = excluded.queued_at, queue_position = 0, data = excluded.data`), tenant, id, micros(now), string(encoded))
		return err
	})
	return a, joined, err
}

// Archive returns an archive, and false when there is none.
func (l *Ledger) Archive(ctx context.Context, tenant, id string) (Archive, bool, error) {
	var data string
	var position int
	err := l.read.QueryRowContext(ctx, l.bind("SELECT data, queue_position FROM archives WHERE tenant = ? AND id = ?"), tenant, id).Scan(&data, &position)
	if errors.Is(err, sql.ErrNoRows) {
		return Archive{}, false, nil
	}
	if err != nil {
		return Archive{}, false, err
	}
	a, err := decodeArchive(data, position)
	return a, err == nil, err
}

// NextPosition is the place in the queue of an archive that is begun now: 0 where no other of the tenant's is open.
func (l *Ledger) NextPosition(ctx context.Context, tenant, id string) (int, error) {
	position := 0
	for after := ""; ; {
		page, next, err := l.Archives(ctx, tenant, after, 100)
		if err != nil {
			return 0, err
		}
		for _, a := range page {
			if a.ID != id && !a.Status.Ended() && a.Status != Waiting {
				position = max(position, a.QueuePosition+1)
			}
		}
		if after = next; next == "" {
			return position, nil
		}
	}
}

// Archives lists a tenant's archives, newest first. after is the next of the page before.
func (l *Ledger) Archives(ctx context.Context, tenant, after string, limit int) ([]Archive, string, error) {
	at, id := int64(1)<<62, ""
	if after != "" {
		var err error
		if at, id, err = cursor(after, "~"); err != nil {
			return nil, "", err
		}
	}
	rows, err := l.read.QueryContext(ctx, l.bind(`SELECT queued_at, data, queue_position FROM archives
		WHERE tenant = ? AND (queued_at < ? OR queued_at = ? AND id > ?) ORDER BY queued_at DESC, id LIMIT ?`), tenant, at, at, id, limit)
	if err != nil {
		return nil, "", err
	}
	defer rows.Close()
	var out []Archive
	var last int64
	for rows.Next() {
		var data string
		var position int
		if err := rows.Scan(&last, &data, &position); err != nil {
			return nil, "", err
		}
		a, err := decodeArchive(data, position)
		if err != nil {
			return nil, "", err
		}
		out = append(out, a)
	}
	next := ""
	if len(out) == limit {
		next = strconv.FormatInt(last, 10) + "~" + out[len(out)-1].ID
	}
	return out, next, rows.Err()
}

// UpdateArchive changes an archive in one transaction.
func (l *Ledger) UpdateArchive(ctx context.Context, tenant, id string, change func(*Archive)) (Archive, error) {
	var a Archive
	err := l.tx(ctx, func(tx *sql.Tx) error {
		var data string
		var position int
		err := tx.QueryRowContext(ctx, l.bind("SELECT data, queue_position FROM archives WHERE tenant = ? AND id = ?"+l.forUpdate()), tenant, id).Scan(&data, &position)
		if errors.Is(err, sql.ErrNoRows) {
			return fmt.Errorf("archive %s: %w", id, ErrUnknown)
		}
		if err != nil {
			return err
		}
		if a, err = decodeArchive(data, position); err != nil {
			return err
		}
		change(&a)
		encoded, err := json.Marshal(a)
		if err != nil {
			return err
		}
		_, err = tx.ExecContext(ctx, l.bind("UPDATE archives SET data = ?, queue_position = ? WHERE tenant = ? AND id = ?"), string(encoded), a.QueuePosition, tenant, id)
		return err
	})
	return a, err
}

// SetQueuePositions writes down who waits, in order; all others do not.
func (l *Ledger) SetQueuePositions(ctx context.Context, tenant string, ids []string) error {
	return l.tx(ctx, func(tx *sql.Tx) error {
		if _, err := tx.ExecContext(ctx, l.bind("UPDATE archives SET queue_position = 0 WHERE tenant = ? AND queue_position <> 0"), tenant); err != nil {
			return err
		}
		for i, id := range ids {
			if _, err := tx.ExecContext(ctx, l.bind("UPDATE archives SET queue_position = ? WHERE tenant = ? AND id = ?"), i+1, tenant, id); err != nil {
				return err
			}
		}
		return nil
	})
}

// ThrottleProgress tells one caller, over all processes, that it is time to report progress.
func (l *Ledger) ThrottleProgress(ctx context.Context, tenant, archive string, now time.Time, every time.Duration) (bool, error) {
	var last int64
	err := l.read.QueryRowContext(ctx, l.bind("SELECT progress_at FROM archives WHERE tenant = ? AND id = ?"), tenant, archive).Scan(&last)
	if err != nil || now.Sub(fromMicros(last)) < every {
		return false, err
	}
	n, err := l.exec(ctx, "UPDATE archives SET progress_at = ? WHERE tenant = ? AND id = ? AND progress_at = ?", micros(now), tenant, archive, last)
	return n == 1, err
}

// ArchiveTotals adds an archive's items up.
func (l *Ledger) ArchiveTotals(ctx context.Context, tenant, archive string) (Totals, error) {
	var t Totals
	err := l.read.QueryRowContext(ctx, l.bind(`SELECT COUNT(*), COALESCE(SUM(size), 0), COALESCE(SUM(bytes_done), 0),
		COALESCE(SUM(CASE WHEN comment_count > 0 THEN comment_count ELSE 0 END), 0), COALESCE(SUM(comments_done), 0), COUNT(DISTINCT asset_key),
		COALESCE(SUM(CASE WHEN state = 'pending' THEN 1 ELSE 0 END), 0), COALESCE(SUM(CASE WHEN state = 'copying' THEN 1 ELSE 0 END), 0),
		COALESCE(SUM(CASE WHEN state = 'copied' THEN 1 ELSE 0 END), 0), COALESCE(SUM(CASE WHEN state = 'verified' THEN 1 ELSE 0 END), 0),
		COALESCE(SUM(CASE WHEN state = 'skipped' THEN 1 ELSE 0 END), 0), COALESCE(SUM(CASE WHEN state = 'failed' THEN 1 ELSE 0 END), 0)
		FROM items WHERE tenant = ? AND archive = ? AND seq > 0`), tenant, archive).
		Scan(&t.Items, &t.Bytes, &t.BytesDone, &t.Comments, &t.CommentsDone, &t.Assets, &t.Pending, &t.Copying, &t.Copied, &t.Verified, &t.Skipped, &t.Failed)
	return t, err
}

// CountProxies counts the items stored as proxies.
func (l *Ledger) CountProxies(ctx context.Context, tenant, archive string) (int64, error) {
	var n int64
	err := l.read.QueryRowContext(ctx, l.bind("SELECT COUNT(*) FROM items WHERE tenant = ? AND archive = ? AND seq > 0 AND rendition = 'proxy' AND state IN ('copied', 'verified')"), tenant, archive).Scan(&n)
	return n, err
}
