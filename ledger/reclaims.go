package ledger

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"iter"
	"time"
)

// ReclaimStatus is where a reclaim stands: the deletion in Frame.io of files that are proven to be in iconik.
type ReclaimStatus string

// Statuses of a reclaim.
const (
	ReclaimExamining ReclaimStatus = "examining" // both sides are compared, without the bytes
	ReclaimWaiting   ReclaimStatus = "waiting"   // for somebody's approval
	ReclaimProving   ReclaimStatus = "proving"   // each file is compared in full
	ReclaimDeleting  ReclaimStatus = "deleting"
	ReclaimExamined  ReclaimStatus = "examined" // a dry run has ended
	ReclaimDone      ReclaimStatus = "done"
	ReclaimRefused   ReclaimStatus = "refused" // nothing was deleted
	ReclaimStopped   ReclaimStatus = "stopped" // by a surprise or a failure, after deletions may have begun
	ReclaimCancelled ReclaimStatus = "cancelled"
)

// Ended says that no workflow works on the reclaim any more.
func (s ReclaimStatus) Ended() bool {
	switch s {
	case ReclaimExamined, ReclaimDone, ReclaimRefused, ReclaimStopped, ReclaimCancelled:
		return true
	}
	return false
}

// Reclaim is one run over an archive's files. ID is the archive's.
type Reclaim struct {
	newer

	Tenant      string        `json:"tenant"`
	Archive     string        `json:"archive"`
	Run         int           `json:"run"` // counts from 1
	Project     string        `json:"project"`
	Status      ReclaimStatus `json:"status"`
	Reason      string        `json:"reason"`
	DryRun      bool          `json:"dry_run"`
	Paused      bool          `json:"paused"`
	RequestedBy Actor         `json:"requested_by"`
	ApprovedBy  Actor         `json:"approved_by"`
	ApprovedHow string        `json:"approved_how"` // ApprovedByName or ApprovedBySecond
	Accepts     []string      `json:"accepts"`      // kinds of what was not carried that may be lost with the files
	WorkflowID  string        `json:"workflow_id"`
	ArchiveRun  int           `json:"archive_run"` // whose proof is relied on
	ProvenAt    time.Time     `json:"proven_at"`   // when that run ended
	RequestedAt time.Time     `json:"requested_at"`
	ApprovedAt  time.Time     `json:"approved_at"`
	FinishedAt  time.Time     `json:"finished_at"`
	// DeletingSince is when the first files were about to be deleted; zero before that, and in rows of before this was kept.
	DeletingSince time.Time `json:"deleting_since"`
	// Certificate is the asset in iconik.
	Certificate string `json:"certificate"`
}

// Began is when its first file can have been deleted.
func (r Reclaim) Began() time.Time {
	if r.DeletingSince.IsZero() {
		return r.ApprovedAt
	}
	return r.DeletingSince
}

// How a reclaim was approved.
const (
	ApprovedByName   = "the project's name was typed"
	ApprovedBySecond = "a second person approved"
)

// ReclaimFileState is what becomes of one file.
type ReclaimFileState string

// States of a file.
const (
	ReclaimReady   ReclaimFileState = "ready"    // both sides agree, but for the bytes
	ReclaimLeft    ReclaimFileState = "left"     // it stays in Frame.io, with the reason
	ReclaimProven  ReclaimFileState = "proven"   // its bytes were read back, too
	ReclaimIntends ReclaimFileState = "deleting" // the deletion may have taken effect
	ReclaimDeleted ReclaimFileState = "deleted"
)

// ReclaimFile is a file of a reclaim, with what it was proven by.
type ReclaimFile struct {
	newer

	Seq       int64            `json:"seq"`
	SourceID  string           `json:"source_id"`
	AssetKey  string           `json:"asset_key"`
	Path      string           `json:"path"`
	Version   int              `json:"version"`
	Size      int64            `json:"size"`
	Checksum  string           `json:"checksum"` // xxh64 in hex
	State     ReclaimFileState `json:"state"`
	Reason    string           `json:"reason"`
	UpdatedAt time.Time        `json:"updated_at"` // in Frame.io, as it was examined
	Comments  int              `json:"comments"`
	AssetID   string           `json:"asset_id"` // iconik
	FileID    string           `json:"file_id"`
	Proof     string           `json:"proof"` // how the bytes were proven
	ETag      string           `json:"etag"`  // of the stored object then
	ProvenAt  time.Time        `json:"proven_at"`
	DeletedAt time.Time        `json:"deleted_at"`
}

// ReclaimSum is how many files of a reclaim are in one state, and their bytes.
type ReclaimSum struct {
	State        ReclaimFileState
	Files, Bytes int64
}

const latestReclaim = "SELECT data FROM reclaims WHERE tenant = ? AND archive = ? ORDER BY run DESC LIMIT 1"

// RequestReclaim begins a run, with entries in the audit log about it, or joins the one that is open or has not written down its end.
func (h ArchiveLedger) RequestReclaim(ctx context.Context, r Reclaim, audit ...func(Reclaim) *AuditEntry) (out Reclaim, joined bool, err error) {
	err = h.l.tx(ctx, func(tx session) error {
		if _, err := scanArchive(tx.Row(ctx, oneArchive+tx.ForUpdate(), h.tenant, h.id)); err != nil { // one at a time
			return err
		}
		before, known, err := one[Reclaim](tx.Row(ctx, latestReclaim, h.tenant, h.id))
		if err != nil {
			return err
		}
		if known && (!before.Status.Ended() || before.FinishedAt.IsZero()) {
			out, joined = before, true
			return nil
		}
		out = r
		out.Tenant, out.Archive, out.Run = h.tenant, h.id, before.Run+1
		data, err := encode(out)
		if err != nil {
			return err
		}
		_, err = tx.Exec(ctx, "INSERT INTO reclaims (tenant, archive, run, data) VALUES (?, ?, ?, ?)", h.tenant, h.id, out.Run, data)
		return audited(ctx, tx, err, out, audit)
	})
	return out, joined, err
}

// Reclaim is the latest run, and false when there is none.
func (h ArchiveLedger) Reclaim(ctx context.Context) (Reclaim, bool, error) {
	return one[Reclaim](h.l.reads().Row(ctx, latestReclaim, h.tenant, h.id))
}

// Certified is the latest run that has a deletion certificate, and false when there is none.
func (h ArchiveLedger) Certified(ctx context.Context) (Reclaim, bool, error) {
	runs, err := many[Reclaim](ctx, h.l.reads(), "SELECT data FROM reclaims WHERE tenant = ? AND archive = ? ORDER BY run DESC", h.tenant, h.id)
	for _, r := range runs {
		if r.Certificate != "" {
			return r, true, nil
		}
	}
	return Reclaim{}, false, err
}

// Reclaims are all runs, the first one first.
func (h ArchiveLedger) Reclaims(ctx context.Context) ([]Reclaim, error) {
	return many[Reclaim](ctx, h.l.reads(), "SELECT data FROM reclaims WHERE tenant = ? AND archive = ? ORDER BY run", h.tenant, h.id)
}

// RewriteReclaims changes the runs of all of the tenant's archives. It returns how many change says that it has changed.
func (h TenantLedger) RewriteReclaims(ctx context.Context, change func(*Reclaim) bool) (changed int, err error) {
	err = h.l.tx(ctx, func(tx session) error {
		changed = 0
		runs, err := many[Reclaim](ctx, tx, "SELECT data FROM reclaims WHERE tenant = ? ORDER BY archive, run"+tx.ForUpdate(), h.id)
		if err != nil {
			return err
		}
		for _, r := range runs {
			archive, run := r.Archive, r.Run
			if !change(&r) {
				continue
			}
			data, err := encode(r)
			if err != nil {
				return err
			}
			if _, err := tx.Exec(ctx, "UPDATE reclaims SET data = ? WHERE tenant = ? AND archive = ? AND run = ?", data, h.id, archive, run); err != nil {
				return err
			}
			changed++
		}
		return nil
	})
	return changed, err
}

// UpdateReclaim changes the latest run in one transaction, with entries in the audit log about it. An error of change leaves it as it is.
func (h ArchiveLedger) UpdateReclaim(ctx context.Context, change func(*Reclaim) error, audit ...func(Reclaim) *AuditEntry) (Reclaim, error) {
	var r Reclaim
	err := h.l.tx(ctx, func(tx session) (err error) {
		if r, err = scanDocument[Reclaim](tx.Row(ctx, latestReclaim+tx.ForUpdate(), h.tenant, h.id)); errors.Is(err, sql.ErrNoRows) {
			return fmt.Errorf("reclaim of archive %s: %w", h.id, ErrUnknown)
		} else if err != nil {
			return err
		}
		run := r.Run
		if err := change(&r); err != nil {
			return err
		}
		r.Run = run
		data, err := encode(r)
		if err != nil {
			return err
		}
		_, err = tx.Exec(ctx, "UPDATE reclaims SET data = ? WHERE tenant = ? AND archive = ? AND run = ?", data, h.tenant, h.id, run)
		return audited(ctx, tx, err, r, audit)
	})
	return r, err
}

// PutReclaimFiles writes files down as they were examined. One whose deletion has begun stays as it is.
func (h ArchiveLedger) PutReclaimFiles(ctx context.Context, run int, files []ReclaimFile) error {
	return h.l.tx(ctx, func(tx session) error {
		for _, f := range files {
			data, err := encode(f)
			if err != nil {
				return err
			}
			if _, err := tx.Exec(ctx, `INSERT INTO reclaim_files (tenant, archive, run, seq, source_id, state, size, data) VALUES (?, ?, ?, ?, ?, ?, ?, ?)
				ON CONFLICT (tenant, archive, run, source_id) DO UPDATE SET seq = excluded.seq, state = excluded.state, size = excluded.size, data = excluded.data
				WHERE reclaim_files.state NOT IN ('deleting', 'deleted')`, h.tenant, h.id, run, f.Seq, f.SourceID, f.State, f.Size, data); err != nil {
				return err
			}
		}
		return nil
	})
}

// ClearReclaimFiles forgets what was examined before. What was deleted stays.
func (h ArchiveLedger) ClearReclaimFiles(ctx context.Context, run int) error {
	_, err := h.l.exec(ctx, "DELETE FROM reclaim_files WHERE tenant = ? AND archive = ? AND run = ? AND state NOT IN ('deleting', 'deleted')", h.tenant, h.id, run)
	return err
}

// ReclaimFiles lists a run's files in one state, after a number.
func (h ArchiveLedger) ReclaimFiles(ctx context.Context, run int, state ReclaimFileState, after int64, limit int) ([]ReclaimFile, error) {
	return many[ReclaimFile](ctx, h.l.reads(), "SELECT data FROM reclaim_files WHERE tenant = ? AND archive = ? AND run = ? AND state = ? AND seq > ? ORDER BY seq LIMIT ?", h.tenant, h.id, run, state, after, limit)
}

// UpdateReclaimFile changes one file of a run, with entries in the audit log about it.
func (h ArchiveLedger) UpdateReclaimFile(ctx context.Context, run int, sourceID string, change func(*ReclaimFile), audit ...func(ReclaimFile) *AuditEntry) (ReclaimFile, error) {
	var f ReclaimFile
	err := h.l.tx(ctx, func(tx session) (err error) {
		if f, err = scanDocument[ReclaimFile](tx.Row(ctx, "SELECT data FROM reclaim_files WHERE tenant = ? AND archive = ? AND run = ? AND source_id = ?"+tx.ForUpdate(), h.tenant, h.id, run, sourceID)); err != nil {
			return err
		}
		change(&f)
		data, err := encode(f)
		if err != nil {
			return err
		}
		_, err = tx.Exec(ctx, "UPDATE reclaim_files SET state = ?, size = ?, data = ? WHERE tenant = ? AND archive = ? AND run = ? AND source_id = ?", f.State, f.Size, data, h.tenant, h.id, run, sourceID)
		return audited(ctx, tx, err, f, audit)
	})
	return f, err
}

// LeaveAssets has the files of assets of which one file is left stay as well: a version stack goes as a whole or not at all.
func (h ArchiveLedger) LeaveAssets(ctx context.Context, run int, keys map[string]bool, reason string) error {
	for _, state := range []ReclaimFileState{ReclaimReady, ReclaimProven} {
		for after := int64(0); len(keys) > 0; {
			files, err := h.ReclaimFiles(ctx, run, state, after, pageRows)
			if err != nil {
				return err
			}
			if len(files) == 0 {
				break
			}
			for _, f := range files {
				if after = f.Seq; !keys[f.AssetKey] {
					continue
				}
				if _, err := h.UpdateReclaimFile(ctx, run, f.SourceID, func(f *ReclaimFile) { f.State, f.Reason = ReclaimLeft, reason }); err != nil {
					return err
				}
			}
		}
	}
	return nil
}

// ReclaimSums adds a run's files up by their state.
func (h ArchiveLedger) ReclaimSums(ctx context.Context, run int) (map[ReclaimFileState]ReclaimSum, error) {
	rows, err := collect(ctx, h.l.reads(), func(r scanner) (s ReclaimSum, err error) {
		err = r.Scan(&s.State, &s.Files, &s.Bytes)
		return s, err
	}, "SELECT state, COUNT(*), COALESCE(SUM(size), 0) FROM reclaim_files WHERE tenant = ? AND archive = ? AND run = ? GROUP BY state", h.tenant, h.id, run)
	out := map[ReclaimFileState]ReclaimSum{}
	for _, s := range rows {
		out[s.State] = s
	}
	return out, err
}

// NotExamined names a file of the archive that a run has not met in Frame.io, and that no run has deleted; "" where there is none.
func (h ArchiveLedger) NotExamined(ctx context.Context, run int) (string, error) {
	id, _, err := h.l.oneID(ctx, `SELECT i.source_id FROM items i WHERE i.tenant = ? AND i.archive = ? AND i.seq > 0
		AND NOT EXISTS (SELECT 1 FROM reclaim_files f WHERE f.tenant = i.tenant AND f.archive = i.archive AND f.source_id = i.source_id AND (f.run = ? OR f.state = 'deleted'))
		ORDER BY i.seq LIMIT 1`, h.tenant, h.id, run)
	return id, err
}

// Reclaimed says that a run has deleted a file in Frame.io.
func (h ArchiveLedger) Reclaimed(ctx context.Context, sourceID string) (bool, error) {
	_, ok, err := h.l.oneID(ctx, "SELECT source_id FROM reclaim_files WHERE tenant = ? AND archive = ? AND source_id = ? AND state = 'deleted' LIMIT 1", h.tenant, h.id, sourceID)
	return ok, err
}

// Freed reads the items that a run has deleted in Frame.io, by their ids there, once a scan has not met them: iconik has them alone.
func (h ArchiveLedger) Freed(ctx context.Context) iter.Seq2[Item, error] {
	return rowsOf(func(after string) ([]Item, string, error) {
		items, err := collect(ctx, h.l.reads(), h.l.reads().scanItem(h.tenant), `SELECT i.seq, i.data FROM items i WHERE i.tenant = ? AND i.archive = ? AND i.seq = 0 AND i.source_id > ?
			AND EXISTS (SELECT 1 FROM reclaim_files f WHERE f.tenant = i.tenant AND f.archive = i.archive AND f.source_id = i.source_id AND f.state = 'deleted')
			ORDER BY i.source_id LIMIT ?`, h.tenant, h.id, after, pageRows)
		if err != nil || len(items) < pageRows {
			return items, "", err
		}
		return items, items[len(items)-1].SourceID, nil
	})
}

// ByteRead is what the last reading of a file's stored bytes in full found.
type ByteRead struct {
	SourceID string
	At       time.Time
	ETag     string // the store's own checksum of the object, as it gives it; may be empty
	Size     int64
	Checksum string // xxh64 in hex
	Problem  string // what differed; empty: the bytes are those that were copied
}

// ByteRead returns the last reading of a file's bytes, and false when there was none.
func (h ArchiveLedger) ByteRead(ctx context.Context, sourceID string) (b ByteRead, known bool, err error) {
	var at int64
	err = h.l.reads().Row(ctx, "SELECT source_id, read_at, etag, size, checksum, problem FROM byte_reads WHERE tenant = ? AND archive = ? AND source_id = ?", h.tenant, h.id, sourceID).
		Scan(&b.SourceID, &at, &b.ETag, &b.Size, &b.Checksum, &b.Problem)
	b.At = fromMicros(at)
	if errors.Is(err, sql.ErrNoRows) {
		return ByteRead{}, false, nil
	}
	return b, err == nil, err
}

// PutByteRead remembers a reading in place of the one before.
func (h ArchiveLedger) PutByteRead(ctx context.Context, b ByteRead) error {
	_, err := h.l.exec(ctx, `INSERT INTO byte_reads (tenant, archive, source_id, read_at, etag, size, checksum, problem) VALUES (?, ?, ?, ?, ?, ?, ?, ?)
		ON CONFLICT (tenant, archive, source_id) DO UPDATE SET read_at = excluded.read_at, etag = excluded.etag, size = excluded.size, checksum = excluded.checksum, problem = excluded.problem`,
		h.tenant, h.id, b.SourceID, micros(b.At), b.ETag, b.Size, b.Checksum, b.Problem)
	return err
}
