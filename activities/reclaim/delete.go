package reclaim

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/framebridge/framebridge/activities/attempt"
	"github.com/framebridge/framebridge/activities/fault"
	"github.com/framebridge/framebridge/clients/frameio"
	"github.com/framebridge/framebridge/clients/iconik"
	"github.com/framebridge/framebridge/clients/rest"
	"github.com/framebridge/framebridge/ledger"
	"github.com/framebridge/framebridge/transfer"
	"github.com/framebridge/framebridge/workflows"
)

// DeleteProvenFiles deletes proven files one by one, and compares each once more right before. It stops at the first surprise.
// A file whose deletion was in progress when a worker died counts as deleted by this run if Frame.io no longer has it.
func (a *Activities) DeleteProvenFiles(ctx context.Context, ref workflows.ReclaimRef) (workflows.ReclaimProgress, error) {
	r, err := a.open(ctx, ref)
	if err != nil {
		return workflows.ReclaimProgress{}, err
	}
	now := time.Now().UTC()
	if on, err := r.goOn(ctx, func(row *ledger.Reclaim) {
		if row.Status = ledger.ReclaimDeleting; row.DeletingSince.IsZero() {
			row.DeletingSince = now
		}
	}); err != nil {
		return workflows.ReclaimProgress{}, err
	} else if !on {
		return r.ended(ctx)
	}
	for n := range batchFiles {
		if err := attempt.Stopping(ctx); err != nil {
			return workflows.ReclaimProgress{}, err
		}
		f, known, err := r.next(ctx)
		if err != nil {
			return workflows.ReclaimProgress{}, err
		}
		if !known {
			return r.progress(ctx, workflows.ReclaimProgress{Done: true})
		}
		if n == 0 {
			if why, err := r.sharedSince(ctx); err != nil {
				return workflows.ReclaimProgress{}, err
			} else if why != "" {
				return r.halt(ctx, ledger.ReclaimStopped, "stopped: "+why)
			}
		}
		found, err := r.free(ctx, f)
		if err != nil {
			return workflows.ReclaimProgress{}, fmt.Errorf("deleting %q: %w", f.Path, err)
		}
		if found.what != "" {
			return r.halt(ctx, ledger.ReclaimStopped, fmt.Sprintf("stopped before %s was deleted: it %s. Run `starter retry %s`, and ask again when it has ended", f.Path, found.what, ref.Archive))
		}
	}
	return r.progress(ctx, workflows.ReclaimProgress{})
}

// next returns the next file to delete, and false if none is left. A file whose deletion was in progress comes first.
func (r *run) next(ctx context.Context) (ledger.ReclaimFile, bool, error) {
	for _, state := range []ledger.ReclaimFileState{ledger.ReclaimIntends, ledger.ReclaimProven} {
		files, err := r.ledger.ReclaimFiles(ctx, r.ref.Run, state, 0, 1)
		if err != nil {
			return ledger.ReclaimFile{}, false, err
		}
		if len(files) > 0 {
			return files[0], true, nil
		}
	}
	return ledger.ReclaimFile{}, false, nil
}

// free deletes one file, unless anything differs from when it was proven. It starts with the bytes: reading them may take
// hours, in which people go on working. Between comparing the rest and the deletion, it only looks at the stored object.
func (r *run) free(ctx context.Context, f ledger.ReclaimFile) (finding, error) {
	if found, err := r.goesOn(ctx); found.what != "" || err != nil {
		return found, err
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
	later, err := r.laterVersions(ctx, f, it)
	if err != nil {
		return finding{}, err
	}
	if found, err := later.each(func(v *version) (finding, error) {
		_, found, err := r.sameBytes(ctx, &v.file, v.item)
		return found, err
	}); found.what != "" || err != nil {
		return found, err
	}
	object, found, err := r.sameBytes(ctx, &f, it)
	if found.what != "" || err != nil {
		return found, err
	}
	if found, err := r.goesOn(ctx); found.what != "" || err != nil {
		return found, err
	}
	if found, err := later.each(func(v *version) (finding, error) {
		_, found, err := r.agrees(ctx, v.file, v.item)
		return found, err
	}); found.what != "" || err != nil {
		return found, err
	}
	file, found, err := r.agrees(ctx, f, it)
	if found.what != "" || err != nil {
		return found, err
	}
	if now, err := transfer.LookAt(ctx, r.steps.Objects, r.location(it, file)); err != nil {
		return finding{}, err
	} else if now.Size != object.Size || now.ETag != object.ETag {
		return differs("was replaced in the storage while it was compared"), nil
	}
	r.compared = f.AssetKey
	// From here until the result is recorded, nothing may interrupt: a pause has to wait.
	ctx = context.WithoutCancel(ctx)
	if _, err := r.ledger.UpdateReclaimFile(ctx, r.ref.Run, f.SourceID, func(f *ledger.ReclaimFile) { f.State = ledger.ReclaimIntends }); err != nil {
		return finding{}, err
	}
	if err := r.deleter.Delete(ctx, frameio.Asset{ID: f.SourceID, Kind: frameio.KindFile}); err != nil {
		return finding{}, err
	}
	return finding{}, r.deleted(ctx, f, "")
}

// goesOn reads again everything that may have ended or paused the run: an administrator may have withdrawn the permission,
// somebody may have paused it, and a retry may have begun.
func (r *run) goesOn(ctx context.Context) (finding, error) {
	if err := r.read(ctx); err != nil {
		return finding{}, err
	}
	if why := r.mayGoOn(); why != "" || r.row.Status.Ended() {
		return differs("may not be deleted: %s", why), nil
	}
	if r.row.Paused {
		return finding{}, fault.Wait("ReclaimPaused", pausePatience, "the reclaim is paused")
	}
	return finding{}, nil
}

// pausePatience is the interval for checking whether a pause is over, if the workflow has not ended this step for the pause.
const pausePatience = 10 * time.Second

// agrees compares everything about a file except its bytes on both sides, and checks for reviews. It returns iconik's record of the bytes.
func (r *run) agrees(ctx context.Context, f ledger.ReclaimFile, it ledger.Item) (*iconik.File, finding, error) {
	if why, err := r.shown(ctx, it); why != "" || err != nil {
		return nil, finding{what: why}, err
	}
	found, file, err := r.compare(ctx, f, it)
	return file, found, err
}

// version is one version of a stack.
type version struct {
	file ledger.ReclaimFile
	item ledger.Item
}

type versions []version

// each compares versions in turn, up to the first surprise.
func (all versions) each(compare func(*version) (finding, error)) (finding, error) {
	for i := range all {
		found, err := compare(&all[i])
		if err != nil {
			return finding{}, err
		}
		if found.what != "" {
			return differs("has a version %d that %s", all[i].file.Version, found.what), nil
		}
	}
	return finding{}, nil
}

// laterVersions returns the versions of a stack that are deleted after this one. They are compared before the first of them is
// deleted, because a surprise must leave the stack whole. After that it returns none.
func (r *run) laterVersions(ctx context.Context, f ledger.ReclaimFile, it ledger.Item) (versions, error) {
	if r.compared == f.AssetKey {
		return nil, nil
	}
	files, err := r.ledger.ReclaimFiles(ctx, r.ref.Run, ledger.ReclaimProven, f.Seq, it.Versions)
	if err != nil {
		return nil, err
	}
	var out versions
	for _, v := range files {
		if v.AssetKey != f.AssetKey {
			continue
		}
		item, err := r.item(ctx, v)
		if err != nil {
			return nil, err
		}
		out = append(out, version{v, item})
	}
	return out, nil
}

// goneByUs reports whether Frame.io no longer has a file whose deletion was in progress when a worker died. The project must
// still be readable: a token without access gets the same answer for every file.
func (r *run) goneByUs(ctx context.Context, f ledger.ReclaimFile) (bool, error) {
	if _, err := r.frameio.Project(ctx, r.ref.Archive); err != nil {
		return false, err
	}
	_, err := r.frameio.Asset(ctx, f.SourceID)
	if rest.IsNotFound(err) {
		return true, r.deleted(ctx, f, "the answer was lost: Frame.io no longer had it when asked again")
	}
	return false, err
}

// settlePatience is how long settle keeps asking Frame.io what became of a deletion.
const settlePatience = time.Hour

// settle records, at the end of a run, which files are gone whose deletion was under way when a worker died. If Frame.io still has a file,
// or does not answer, the outcome stays unknown, and the certificate says so.
func (r *run) settle(ctx context.Context) error {
	files, err := r.ledger.ReclaimFiles(ctx, r.ref.Run, ledger.ReclaimIntends, 0, batchFiles)
	for _, f := range files {
		_, gerr := r.goneByUs(ctx, f)
		if _, lasting := fault.Lasting(gerr); gerr != nil && !lasting && time.Since(attempt.Of(ctx).Scheduled()) < settlePatience {
			return gerr
		}
	}
	return err
}

// sameBytes compares the stored object with the one that was proven: by the store's ETag or, if there is none or the proof is
// older than a day, by reading it once more, which proves it again. It returns the object.
func (r *run) sameBytes(ctx context.Context, f *ledger.ReclaimFile, it ledger.Item) (transfer.StoredObject, finding, error) {
	file, found, err := r.file(ctx, it)
	if found.what != "" || err != nil {
		return transfer.StoredObject{}, found, err
	}
	where := r.location(it, file)
	if f.ETag != "" && time.Since(f.ProvenAt) < workflows.FreshFor {
		now, err := transfer.LookAt(ctx, r.steps.Objects, where)
		if err != nil || now.Size == f.Size && now.ETag == f.ETag {
			return now, finding{}, err
		}
	}
	now, err := transfer.ReadBack(ctx, r.steps.Objects, where)
	if err != nil {
		return now, finding{}, err
	}
	if found := readAs(it, now); found.what != "" {
		return now, found, nil
	}
	*f, err = r.ledger.UpdateReclaimFile(ctx, r.ref.Run, f.SourceID, func(f *ledger.ReclaimFile) {
		f.Proof, f.ETag, f.ProvenAt = proofRead, now.ETag, time.Now().UTC()
	})
	return now, finding{}, err
}

// deleted records that a file was deleted. The audit log and the run's own row are written together: a worker that dies in
// between leaves neither, and the next one writes both.
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
