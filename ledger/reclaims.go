package ledger

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"iter"
	"time"
)

// ReclaimStatus is the status of a reclaim, the deletion in Frame.io of files that are proven to be in iconik.
type ReclaimStatus string

// Statuses of a reclaim.
const (
	ReclaimExamining ReclaimStatus = "examining" // both sides are being compared, except for the bytes
	ReclaimWaiting   ReclaimStatus = "waiting"   // for approval
	ReclaimProving   ReclaimStatus = "proving"   // each file is being compared in full
	ReclaimDeleting  ReclaimStatus = "deleting"
	ReclaimExamined  ReclaimStatus = "examined" // the end of a dry run
	ReclaimDone      ReclaimStatus = "done"
	ReclaimRefused   ReclaimStatus = "refused" // nothing was deleted
	ReclaimStopped   ReclaimStatus = "stopped" // by something unexpected or a failure, after deletions may have begun
	ReclaimCancelled ReclaimStatus = "cancelled"
)

// Ended reports whether no workflow works on the reclaim any longer.
func (s ReclaimStatus) Ended() bool {
	switch s {
	case ReclaimExamined, ReclaimDone, ReclaimRefused, ReclaimStopped, ReclaimCancelled:
		return true
	}
	return false
}

// Reclaim is one run over an archive's files.
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
	Accepts     []string      `json:"accepts"`      // kinds of things not carried that may be lost with the files
	WorkflowID  string        `json:"workflow_id"`
	ArchiveRun  int           `json:"archive_run"` // the run whose proof it relies on
	ProvenAt    time.Time     `json:"proven_at"`   // when that run ended
	RequestedAt time.Time     `json:"requested_at"`
	ApprovedAt  time.Time     `json:"approved_at"`
	FinishedAt  time.Time     `json:"finished_at"`
	// DeletingSince is when the first files were about to be deleted; zero before that, and in rows from before this was stored.
	DeletingSince time.Time `json:"deleting_since"`
	// Certificate is the deletion certificate's asset in iconik.
	Certificate string `json:"certificate"`
}

// Began returns the earliest time at which a file may have been deleted.
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

// ReclaimFileState is the state of one file in a reclaim.
type ReclaimFileState string

// States of a file.
const (
	ReclaimReady   ReclaimFileState = "ready"    // both sides agree; the bytes are not yet compared
	ReclaimLeft    ReclaimFileState = "left"     // it stays in Frame.io; Reason says why
	ReclaimProven  ReclaimFileState = "proven"   // its bytes were read back as well
	ReclaimIntends ReclaimFileState = "deleting" // the deletion may have taken effect
	ReclaimDeleted ReclaimFileState = "deleted"
)

// ReclaimFile is a file of a reclaim, with its proof.
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
	UpdatedAt time.Time        `json:"updated_at"` // in Frame.io, when it was examined
	Comments  int              `json:"comments"`
	AssetID   string           `json:"asset_id"` // iconik
	FileID    string           `json:"file_id"`
	Proof     string           `json:"proof"` // how the bytes were proven
	ETag      string           `json:"etag"`  // of the stored object then
	ProvenAt  time.Time        `json:"proven_at"`
	DeletedAt time.Time        `json:"deleted_at"`
}

// ReclaimSum is the number and size in bytes of a reclaim's files in one state.
type ReclaimSum struct {
	State        ReclaimFileState
	Files, Bytes int64
}

const latestReclaim = "SELECT data FROM reclaims WHERE tenant = ? AND archive = ? ORDER BY run DESC LIMIT 1"

// RequestReclaim begins a run and appends the audit entries about it, or joins a run that is open or has not recorded its end.
func (h ArchiveLedger) RequestReclaim(ctx context.Context, r Reclaim, audit ...func(Reclaim) *AuditEntry) (out Reclaim, joined bool, err error) {
	err = h.l.tx(ctx, func(tx session) error {
		if _, err := scanArchive(tx.Row(ctx, oneArchive+tx.ForUpdate(), h.tenant, h.id)); err != nil { // locks it: one at a time
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

// Reclaim returns the latest run, and false if there is none.
func (h ArchiveLedger) Reclaim(ctx context.Context) (Reclaim, bool, error) {
	return one[Reclaim](h.l.reads().Row(ctx, latestReclaim, h.tenant, h.id))
}

// Certified returns the latest run that has a deletion certificate, and false if there is none.
func (h ArchiveLedger) Certified(ctx context.Context) (Reclaim, bool, error) {
	runs, err := many[Reclaim](ctx, h.l.reads(), "SELECT data FROM reclaims WHERE tenant = ? AND archive = ? ORDER BY run DESC", h.tenant, h.id)
	for _, r := range runs {
		if r.Certificate != "" {
			return r, true, nil
		}
	}
	return Reclaim{}, false, err
}

// Reclaims returns all runs, oldest first.
func (h ArchiveLedger) Reclaims(ctx context.Context) ([]Reclaim, error) {
	return many[Reclaim](ctx, h.l.reads(), "SELECT data FROM reclaims WHERE tenant = ? AND archive = ? ORDER BY run", h.tenant, h.id)
}

// RewriteReclaims changes the runs of all the tenant's archives. It stores and counts those for which change returns true.
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

// UpdateReclaim changes the latest run and appends the audit entries about it in one transaction. If change fails, the run stays as it is.
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

// PutReclaimFiles stores examined files. A file whose deletion has begun stays as it is.
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

// ClearReclaimFiles deletes a run's examined files. Those whose deletion has begun stay.
func (h ArchiveLedger) ClearReclaimFiles(ctx context.Context, run int) error {
	_, err := h.l.exec(ctx, "DELETE FROM reclaim_files WHERE tenant = ? AND archive = ? AND run = ? AND state NOT IN ('deleting', 'deleted')", h.tenant, h.id, run)
	return err
}

// ReclaimFiles lists a run's files in one state after a sequence number.
func (h ArchiveLedger) ReclaimFiles(ctx context.Context, run int, state ReclaimFileState, after int64, limit int) ([]ReclaimFile, error) {
	return many[ReclaimFile](ctx, h.l.reads(), "SELECT data FROM reclaim_files WHERE tenant = ? AND archive = ? AND run = ? AND state = ? AND seq > ? ORDER BY seq LIMIT ?", h.tenant, h.id, run, state, after, limit)
}

// UpdateReclaimFile changes one file of a run and appends the audit entries about it.
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

// LeaveAssets marks all files of the given assets as left, because a version stack is deleted as a whole or not at all.
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

// ReclaimSums adds up a run's files by state.
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

// NotExamined returns a file of the archive that the run has not examined and that no run has deleted, or "" if there is none.
func (h ArchiveLedger) NotExamined(ctx context.Context, run int) (string, error) {
	id, _, err := h.l.oneID(ctx, `SELECT i.source_id FROM items i WHERE i.tenant = ? AND i.archive = ? AND i.seq > 0
		AND NOT EXISTS (SELECT 1 FROM reclaim_files f WHERE f.tenant = i.tenant AND f.archive = i.archive AND f.source_id = i.source_id AND (f.run = ? OR f.state = 'deleted'))
		ORDER BY i.seq LIMIT 1`, h.tenant, h.id, run)
	return id, err
}

// Reclaimed reports whether a run has deleted a file in Frame.io.
func (h ArchiveLedger) Reclaimed(ctx context.Context, sourceID string) (bool, error) {
	_, ok, err := h.l.oneID(ctx, "SELECT source_id FROM reclaim_files WHERE tenant = ? AND archive = ? AND source_id = ? AND state = 'deleted' LIMIT 1", h.tenant, h.id, sourceID)
	return ok, err
}

// Freed iterates over the items that only iconik has, by Frame.io id: those that a run deleted and a later scan no longer found.
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

// ByteRead is the result of the last full read of a file's stored bytes.
type ByteRead struct {
	SourceID string
	At       time.Time
	ETag     string // the object store's own checksum, as returned; may be empty
	Size     int64
	Checksum string // xxh64 in hex
	Problem  string // what differed; empty if the bytes are those that were copied
}

// ByteRead returns the last full read of a file's bytes, and false if there was none.
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

// PutByteRead stores a read, replacing the previous one.
func (h ArchiveLedger) PutByteRead(ctx context.Context, b ByteRead) error {
	_, err := h.l.exec(ctx, `INSERT INTO byte_reads (tenant, archive, source_id, read_at, etag, size, checksum, problem) VALUES (?, ?, ?, ?, ?, ?, ?, ?)
		ON CONFLICT (tenant, archive, source_id) DO UPDATE SET read_at = excluded.read_at, etag = excluded.etag, size = excluded.size, checksum = excluded.checksum, problem = excluded.problem`,
		h.tenant, h.id, b.SourceID, micros(b.At), b.ETag, b.Size, b.Checksum, b.Problem)
	return err
}
