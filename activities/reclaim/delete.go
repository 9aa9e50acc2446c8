package reclaim

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/framebridge/framebridge/activities/attempt"
	"github.com/framebridge/framebridge/clients/frameio"
	"github.com/framebridge/framebridge/clients/rest"
	"github.com/framebridge/framebridge/ledger"
	"github.com/framebridge/framebridge/transfer"
	"github.com/framebridge/framebridge/workflows"
)

// DeleteProvenFiles deletes proven files one by one, each compared once more right before. It stops at the first surprise. One
// whose deletion was under way when a worker died counts as deleted by this run if Frame.io has it no more.
func (a *Activities) DeleteProvenFiles(ctx context.Context, ref workflows.ReclaimRef) (workflows.ReclaimProgress, error) {
	r, err := a.open(ctx, ref)
	if err != nil {
		return workflows.ReclaimProgress{}, err
	}
	if err := r.set(ctx, func(row *ledger.Reclaim) {
		if !row.Status.Ended() {
			row.Status = ledger.ReclaimDeleting
		}
	}); err != nil {
		return workflows.ReclaimProgress{}, err
	}
	for _, state := range []ledger.ReclaimFileState{ledger.ReclaimIntends, ledger.ReclaimProven} {
		files, err := r.ledger.ReclaimFiles(ctx, ref.Run, state, 0, batchFiles)
		if err != nil {
			return workflows.ReclaimProgress{}, err
		}
		for _, f := range files {
			if err := attempt.Stopping(ctx); err != nil {
				return workflows.ReclaimProgress{}, err
			}
			found, err := r.free(ctx, f)
			if err != nil {
				return workflows.ReclaimProgress{}, fmt.Errorf("deleting %q: %w", f.Path, err)
			}
			if found.what != "" {
				return r.halt(ctx, ledger.ReclaimStopped, fmt.Sprintf("stopped before %s was deleted: it %s. Run `starter retry %s`, and ask again when it has ended", f.Path, found.what, ref.Archive))
			}
		}
		if len(files) > 0 {
			return r.progress(ctx, workflows.ReclaimProgress{})
		}
	}
	return r.progress(ctx, workflows.ReclaimProgress{Done: true})
}

// free deletes one file, unless anything is otherwise than it was proven.
func (r *run) free(ctx context.Context, f ledger.ReclaimFile) (finding, error) {
	if err := r.read(ctx); err != nil { // an administrator may have withdrawn the permission, and a retry begun
		return finding{}, err
	}
	if why := r.mayGoOn(); why != "" || r.row.Status.Ended() {
		return differs("may not be deleted: %s", why), nil
	}
	if f.State == ledger.ReclaimIntends {
		gone, err := r.goneByUs(ctx, f)
		if err != nil || gone {
			return finding{}, err
		}
	}
	it, err := r.item(ctx, f)
	if err != nil {
		return finding{}, err
	}
	if why, err := r.shown(ctx, it); why != "" || err != nil {
		return finding{what: why}, err
	}
	found, file, err := r.compare(ctx, f, it)
	if found.what != "" || err != nil {
		return found, err
	}
	if found, err = r.sameObject(ctx, f, it, r.location(it, file)); found.what != "" || err != nil {
		return found, err
	}
	// From here to the note of what was done nothing may come between: a pause waits.
	ctx = context.WithoutCancel(ctx)
	if _, err := r.ledger.UpdateReclaimFile(ctx, r.ref.Run, f.SourceID, func(f *ledger.ReclaimFile) { f.State = ledger.ReclaimIntends }); err != nil {
		return finding{}, err
	}
	if err := r.deleter.Delete(ctx, frameio.Asset{ID: f.SourceID, Kind: frameio.KindFile}); err != nil {
		return finding{}, err
	}
	return finding{}, r.deleted(ctx, f, "")
}

// goneByUs says whether Frame.io has a file no more whose deletion was under way when a worker died. The project must still be
// readable: a token without access is told the same of every file.
func (r *run) goneByUs(ctx context.Context, f ledger.ReclaimFile) (bool, error) {
	if _, err := r.frameio.Project(ctx, r.ref.Archive); err != nil {
		return false, err
	}
	_, err := r.frameio.Asset(ctx, f.SourceID)
	if rest.IsNotFound(err) {
		return true, r.deleted(ctx, f, "the answer was lost: Frame.io had it no more when it was asked again")
	}
	return false, err
}

// sameObject holds the stored object against the one that was proven: by the store's ETag, or by reading it once more where there
// is none or the proof is older than a day.
func (r *run) sameObject(ctx context.Context, f ledger.ReclaimFile, it ledger.Item, where func(context.Context, bool) (transfer.Location, error)) (finding, error) {
	if f.ETag != "" && time.Since(f.ProvenAt) < FreshFor {
		now, err := transfer.LookAt(ctx, r.steps.Objects, where)
		if err != nil {
			return finding{}, err
		}
		if now.Size == f.Size && now.ETag == f.ETag {
			return finding{}, nil
		}
	}
	now, err := transfer.ReadBack(ctx, r.steps.Objects, where)
	if err != nil {
		return finding{}, err
	}
	return readAs(it, now), nil
}

// deleted writes down that a file was deleted. The audit log and the run's own row say so together: a worker that dies in between
// leaves neither, and the next one writes both.
func (r *run) deleted(ctx context.Context, f ledger.ReclaimFile, note string) error {
	detail, err := json.Marshal(map[string]any{"text": f.Path, "checksum": "xxh64:" + f.Checksum, "size": f.Size, "version": f.Version, "iconik_asset": f.AssetID, "iconik_file": f.FileID, "proof": f.Proof, "proven_at": f.ProvenAt, "run": r.ref.Run})
	if err != nil {
		return err
	}
	now := time.Now().UTC()
	_, err = r.ledger.UpdateReclaimFile(ctx, r.ref.Run, f.SourceID, func(f *ledger.ReclaimFile) { f.State, f.Reason, f.DeletedAt = ledger.ReclaimDeleted, note, now },
		func(ledger.ReclaimFile) *ledger.AuditEntry {
			return r.entry(ledger.AuditEntry{Action: "deleted in Frame.io", ObjectKind: "file", ObjectID: f.SourceID, Reason: note, Detail: detail})
		})
	return err
}
