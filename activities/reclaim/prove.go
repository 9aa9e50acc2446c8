package reclaim

import (
	"context"
	"fmt"
	"time"

	"github.com/framebridge/framebridge/activities/attempt"
	"github.com/framebridge/framebridge/clients/iconik"
	"github.com/framebridge/framebridge/english"
	"github.com/framebridge/framebridge/ledger"
	"github.com/framebridge/framebridge/report"
	"github.com/framebridge/framebridge/transfer"
	"github.com/framebridge/framebridge/workflows"
)

// The limits of one activity. The next one continues from there.
const (
	batchFiles = 50
	batchBytes = 8 << 30
)

// How a file's bytes were proven.
const (
	proofRead  = "read back in full"
	proofStore = "the store's ETag is that of the last reading in full"
)

// ProveReclaimFiles compares files in full: everything that both sides say about them, and the stored bytes. Nothing is deleted
// until all files are proven or left.
func (a *Activities) ProveReclaimFiles(ctx context.Context, ref workflows.ReclaimRef) (workflows.ReclaimProgress, error) {
	r, err := a.open(ctx, ref)
	if err != nil {
		return workflows.ReclaimProgress{}, err
	}
	if why := r.mayGoOn(); why != "" {
		return r.halt(ctx, ledger.ReclaimRefused, why)
	}
	if on, err := r.goOn(ctx, func(row *ledger.Reclaim) { row.Status = ledger.ReclaimProving }); err != nil {
		return workflows.ReclaimProgress{}, err
	} else if !on {
		return r.ended(ctx)
	}
	files, err := r.ledger.ReclaimFiles(ctx, ref.Run, ledger.ReclaimReady, 0, batchFiles)
	if err != nil {
		return workflows.ReclaimProgress{}, err
	}
	if len(files) == 0 {
		return r.allProven(ctx)
	}
	read := int64(0)
	for _, f := range files {
		if err := attempt.Stopping(ctx); err != nil {
			return workflows.ReclaimProgress{}, err
		}
		found, err := r.prove(ctx, f)
		if err != nil {
			return workflows.ReclaimProgress{}, fmt.Errorf("proving %q: %w", f.Path, err)
		}
		if found.what != "" && !found.stays {
			return r.halt(ctx, ledger.ReclaimRefused, fmt.Sprintf("%s %s. Nothing was deleted: run `starter retry %s`, and ask again when it has ended", f.Path, found.what, ref.Archive))
		}
		if read += f.Size; read > batchBytes {
			break
		}
	}
	return r.progress(ctx, workflows.ReclaimProgress{})
}

// mayGoOn returns why an approved run must not continue, or "".
func (r *run) mayGoOn() string {
	if r.row.ApprovedAt.IsZero() {
		return "nobody has approved the deletion"
	}
	return r.standing()
}

// allProven keeps all versions of an asset if one of them stays, and ends the proof.
func (r *run) allProven(ctx context.Context) (workflows.ReclaimProgress, error) {
	keys := map[string]bool{}
	for after := int64(0); ; {
		left, err := r.ledger.ReclaimFiles(ctx, r.ref.Run, ledger.ReclaimLeft, after, batchFiles)
		if err != nil {
			return workflows.ReclaimProgress{}, err
		}
		if len(left) == 0 {
			break
		}
		for _, f := range left {
			keys[f.AssetKey], after = true, f.Seq
		}
	}
	if err := r.leave(ctx, keys); err != nil {
		return workflows.ReclaimProgress{}, err
	}
	p, err := r.progress(ctx, workflows.ReclaimProgress{Done: true})
	if err == nil && p.Counts.Proven == 0 {
		return r.halt(ctx, ledger.ReclaimRefused, noneFreed(p.Counts))
	}
	return p, err
}

// prove compares one file in full and records how it was proven.
func (r *run) prove(ctx context.Context, f ledger.ReclaimFile) (finding, error) {
	it, err := r.item(ctx, f)
	if err != nil {
		return finding{}, err
	}
	found, file, err := r.compare(ctx, f, it)
	if err != nil {
		return found, err
	}
	proof, etag := "", ""
	if found.what == "" {
		if proof, etag, found, err = r.bytes(ctx, it, file); err != nil {
			return found, err
		}
	}
	_, err = r.ledger.UpdateReclaimFile(ctx, r.ref.Run, f.SourceID, func(f *ledger.ReclaimFile) {
		switch {
		case found.stays:
			f.State, f.Reason = ledger.ReclaimLeft, found.what
		case found.what == "":
			f.State, f.Proof, f.ETag, f.ProvenAt, f.Comments, f.FileID = ledger.ReclaimProven, proof, etag, time.Now().UTC(), it.CommentsDone, file.ID
		}
	})
	return found, err
}

func (r *run) item(ctx context.Context, f ledger.ReclaimFile) (ledger.Item, error) {
	it, known, err := r.ledger.Item(ctx, f.SourceID)
	if err == nil && (!known || it.Seq == 0) {
		err = fmt.Errorf("file %s: %w", f.SourceID, ledger.ErrUnknown)
	}
	return it, err
}

// bytes proves a file's stored bytes, by reading them or, if archive.reclaim_bytes allows it and they were read in full under
// the same checksum before, by the store's own checksum.
func (r *run) bytes(ctx context.Context, it ledger.Item, file *iconik.File) (proof, etag string, found finding, err error) {
	where := r.location(it, file)
	if r.cfg.Archive.ReclaimBytes == "store" {
		before, known, err := r.ledger.ByteRead(ctx, it.SourceID)
		if err != nil {
			return "", "", finding{}, err
		}
		if known && before.Problem == "" && before.ETag != "" && before.Size == it.StoredSize && before.Checksum == it.Checksum {
			now, err := transfer.LookAt(ctx, r.steps.Objects, where)
			if err != nil {
				return "", "", finding{}, err
			}
			if now.ETag == before.ETag && now.Size == before.Size {
				return proofStore, now.ETag, finding{}, nil
			}
		}
	}
	now, err := transfer.ReadBack(ctx, r.steps.Objects, where)
	if err != nil {
		return "", "", finding{}, err
	}
	found = readAs(it, now)
	err = r.ledger.PutByteRead(ctx, ledger.ByteRead{SourceID: it.SourceID, At: time.Now(), ETag: now.ETag, Size: now.Size, Checksum: now.XXH64, Problem: found.what})
	return proofRead, now.ETag, found, err
}

// readAs compares what a store has with what was copied.
func readAs(it ledger.Item, now transfer.StoredObject) finding {
	switch {
	case now.Size < 0:
		return differs("is missing in the storage (404)")
	case now.Size != it.StoredSize:
		return differs("has %d bytes in the storage, and %d were copied", now.Size, it.StoredSize)
	case now.XXH64 != it.Checksum:
		return differs("has different bytes in the storage than were copied: their xxHash64 is %s instead of %s", now.XXH64, it.Checksum)
	}
	return finding{}
}

// location returns a function that asks iconik for the URL of the stored bytes.
func (r *run) location(it ledger.Item, file *iconik.File) func(context.Context, bool) (transfer.Location, error) {
	return func(ctx context.Context, fresh bool) (transfer.Location, error) {
		if !fresh && file.URL != "" {
			return transfer.Location{URL: file.URL}, nil
		}
		now, err := r.iconik.Files.File(ctx, it.AssetID, file.ID, iconik.FileOptions{})
		if err != nil {
			return transfer.Location{}, err
		}
		return transfer.Location{URL: now.URL}, nil
	}
}

func wouldFree(c workflows.ReclaimCounts) string {
	return fmt.Sprintf("%s (%s) could be freed in Frame.io%s", english.Count(c.Ready, "file"), report.Size(c.ReadyBytes), andLeft(c))
}

func freed(c workflows.ReclaimCounts) string {
	return fmt.Sprintf("%s (%s) deleted in Frame.io%s", english.Count(c.Deleted, "file"), report.Size(c.DeletedBytes), andLeft(c))
}

func noneFreed(c workflows.ReclaimCounts) string {
	return "no file can be freed: " + leftBehind(c) + "; the list of files says why each one stays"
}

func andLeft(c workflows.ReclaimCounts) string {
	if c.Left == 0 {
		return ""
	}
	return "; " + leftBehind(c)
}

func leftBehind(c workflows.ReclaimCounts) string {
	return fmt.Sprintf("%s (%s) left there", english.Count(c.Left, "file"), report.Size(c.LeftBytes))
}
