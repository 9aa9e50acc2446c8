package ledger

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"
)

// Phase is a part of an archive's run that works through its items.
type Phase string

// Phases, in the order they run.
const (
	PhaseCopy     Phase = "copy"
	PhaseComments Phase = "comments"
	PhaseVerify   Phase = "verify"
	// PhaseCommentsAgain is PhaseComments plus the items that had no comments when they were last read.
	PhaseCommentsAgain Phase = "comments again"
)

// ErrUnknown means that the ledger has no such archive or item.
var ErrUnknown = errors.New("not in the ledger")

const oneArchive = "SELECT data, queue_position FROM archives WHERE tenant = ? AND id = ?"

func scanArchive(r scanner, before ...any) (Archive, error) {
	var data document
	var position int
	err := r.Scan(append(before, &data, &position)...)
	if err != nil {
		return Archive{}, err
	}
	a, err := decode[Archive](data)
	a.QueuePosition = position
	return a, err
}

// Request creates an archive's row, or begins another run of one that has ended. If a run is open, Request joins it and
// joined is true. A new run starts its scan over, because an interrupted scan may be old and may have kept what this run
// must read. If requestedBy is empty, as for a retry, whoever asked for the previous run is notified.
func (h ArchiveLedger) Request(ctx context.Context, requestedBy string, now time.Time) (a Archive, joined bool, err error) {
	err = h.l.tx(ctx, func(tx session) error {
		a, err = scanArchive(tx.Row(ctx, oneArchive+tx.ForUpdate(), h.tenant, h.id))
		switch {
		case errors.Is(err, sql.ErrNoRows):
			a = Archive{Tenant: h.tenant, ID: h.id, Run: 1}
		case err != nil:
			return err
		case !a.Status.Ended():
			joined = true
			a.AskedBy(requestedBy)
			return putArchive(ctx, tx, h.tenant, a)
		default:
			a.Run++
		}
		if requestedBy != "" {
			a.RequestedBy, a.AlsoAsked = requestedBy, nil
		}
		a.Status, a.Reason, a.Changed, a.Delta, a.TriggeredBy = Queued, "", false, false, Trigger{}
		a.QueuedAt, a.StartedAt, a.FinishedAt, a.QueuePosition = now.UTC(), time.Time{}, time.Time{}, 0
		data, err := encode(a)
		if err != nil {
			return err
		}
		_, err = tx.Exec(ctx, `INSERT INTO archives (tenant, id, queued_at, data) VALUES (?, ?, ?, ?)
			ON CONFLICT (tenant, id) DO UPDATE SET queued_at = excluded.queued_at, queue_position = 0, data = excluded.data, scan = ABS(archives.scan)`, h.tenant, h.id, micros(now), data)
		return err
	})
	return a, joined, err
}

// putArchive updates an existing archive.
func putArchive(ctx context.Context, tx session, tenant string, a Archive) error {
	data, err := encode(a)
	if err != nil {
		return err
	}
	_, err = tx.Exec(ctx, "UPDATE archives SET data = ?, queue_position = ? WHERE tenant = ? AND id = ?", data, a.QueuePosition, tenant, a.ID)
	return err
}

// Get returns an archive, and false when there is none.
func (h ArchiveLedger) Get(ctx context.Context) (Archive, bool, error) {
	a, err := scanArchive(h.l.reads().Row(ctx, oneArchive, h.tenant, h.id))
	if errors.Is(err, sql.ErrNoRows) {
		return Archive{}, false, nil
	}
	return a, err == nil, err
}

// NextPosition returns the queue position of an archive that begins now, or 0 if no other archive of the tenant is queued
// or running.
func (h TenantLedger) NextPosition(ctx context.Context, id string) (position int, err error) {
	err = h.l.reads().Row(ctx, nextPosition, h.id, id).Scan(&position)
	return position, err
}

// Archives lists a tenant's archives, newest first. after is the cursor that the previous page returned.
func (h TenantLedger) Archives(ctx context.Context, after string, limit int) ([]Archive, string, error) {
	at, id := int64(1)<<62, ""
	if after != "" {
		var err error
		if at, id, err = cursor(after, "~"); err != nil {
			return nil, "", err
		}
	}
	var lastAt int64
	var lastID string
	out, err := collect(ctx, h.l.reads(), func(r scanner) (Archive, error) { return scanArchive(r, &lastAt, &lastID) }, archivesPage, h.id, at, at, id, limit)
	next := ""
	if err == nil && len(out) == limit {
		next = strconv.FormatInt(lastAt, 10) + "~" + lastID
	}
	return out, next, err
}

// Update changes an archive in one transaction.
func (h ArchiveLedger) Update(ctx context.Context, change func(*Archive)) (Archive, error) {
	var a Archive
	err := h.l.tx(ctx, func(tx session) (err error) {
		if a, err = scanArchive(tx.Row(ctx, oneArchive+tx.ForUpdate(), h.tenant, h.id)); errors.Is(err, sql.ErrNoRows) {
			return fmt.Errorf("archive %s: %w", h.id, ErrUnknown)
		}
		if err != nil {
			return err
		}
		change(&a)
		a.Tenant, a.ID = h.tenant, h.id
		return putArchive(ctx, tx, h.tenant, a)
	})
	return a, err
}

// SetQueuePositions queues the archives in the given order, and no others.
func (h TenantLedger) SetQueuePositions(ctx context.Context, ids []string) error {
	return h.l.tx(ctx, func(tx session) error {
		if _, err := tx.Exec(ctx, "UPDATE archives SET queue_position = 0 WHERE tenant = ? AND queue_position <> 0", h.id); err != nil {
			return err
		}
		for i, id := range ids {
			if _, err := tx.Exec(ctx, "UPDATE archives SET queue_position = ? WHERE tenant = ? AND id = ?", i+1, h.id, id); err != nil {
				return err
			}
		}
		return nil
	})
}

// ThrottleProgress reports whether the caller should report progress. By the database's clock, it returns true to one caller,
// across all processes, once per interval.
func (h ArchiveLedger) ThrottleProgress(ctx context.Context, every time.Duration) (bool, error) {
	now := h.l.writes().Now()
	var last int64
	var due bool
	err := h.l.reads().Row(ctx, "SELECT progress_at, progress_at <= "+now+" - ? FROM archives WHERE tenant = ? AND id = ?", every.Microseconds(), h.tenant, h.id).Scan(&last, &due)
	if err != nil || !due {
		return false, err
	}
	n, err := h.l.exec(ctx, "UPDATE archives SET progress_at = "+now+" WHERE tenant = ? AND id = ? AND progress_at = ?", h.tenant, h.id, last)
	return n == 1, err
}

const totals = `SELECT COUNT(*), COALESCE(SUM(CASE WHEN state IN ('copied', 'verified') THEN bytes_done WHEN state = 'skipped' THEN 0 ELSE size END), 0), COALESCE(SUM(bytes_done), 0),
		COALESCE(SUM(CASE WHEN state = 'skipped' THEN size ELSE 0 END), 0),
		COALESCE(SUM(CASE WHEN comment_count > 0 THEN comment_count ELSE 0 END), 0), COALESCE(SUM(comments_done), 0), COUNT(DISTINCT asset_key),
		COALESCE(SUM(CASE WHEN state = 'pending' THEN 1 ELSE 0 END), 0), COALESCE(SUM(CASE WHEN state = 'copying' THEN 1 ELSE 0 END), 0),
		COALESCE(SUM(CASE WHEN state = 'copied' THEN 1 ELSE 0 END), 0), COALESCE(SUM(CASE WHEN state = 'verified' THEN 1 ELSE 0 END), 0),
		COALESCE(SUM(CASE WHEN state = 'skipped' THEN 1 ELSE 0 END), 0), COALESCE(SUM(CASE WHEN state = 'failed' THEN 1 ELSE 0 END), 0),
		(SELECT COUNT(*) FROM failures WHERE tenant = ? AND archive = ?)
		FROM items WHERE tenant = ? AND archive = ? AND seq > 0`

// Totals adds up an archive's items.
func (h ArchiveLedger) Totals(ctx context.Context) (Totals, error) { return h.sums(ctx, totals) }

// Progress is Totals without the number of assets, which takes longest.
func (h ArchiveLedger) Progress(ctx context.Context) (Totals, error) {
	return h.sums(ctx, strings.Replace(totals, "COUNT(DISTINCT asset_key)", "0", 1))
}

func (h ArchiveLedger) sums(ctx context.Context, query string) (Totals, error) {
	var t Totals
	err := h.l.reads().Row(ctx, query, h.tenant, h.id, h.tenant, h.id).
		Scan(&t.Items, &t.Bytes, &t.BytesDone, &t.BytesSkipped, &t.Comments, &t.CommentsDone, &t.Assets, &t.Pending, &t.Copying, &t.Copied, &t.Verified, &t.Skipped, &t.Failed, &t.FailedOthers)
	return t, err
}

// CountProxies counts the items stored as proxies.
func (h ArchiveLedger) CountProxies(ctx context.Context) (int64, error) {
	var n int64
	err := h.l.reads().Row(ctx, "SELECT COUNT(*) FROM items WHERE tenant = ? AND archive = ? AND seq > 0 AND rendition = 'proxy' AND state IN ('copied', 'verified')", h.tenant, h.id).Scan(&n)
	return n, err
}
