package archive

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/framebridge/framebridge/activities/attempt"
	"github.com/framebridge/framebridge/activities/fault"
	"github.com/framebridge/framebridge/clients/frameio"
	"github.com/framebridge/framebridge/ledger"
	"github.com/framebridge/framebridge/transfer"
	"github.com/framebridge/framebridge/workflows"
)

const checkpointPatience = 5 * time.Second // to record a checkpoint in the ledger after the copy was told to stop

// TransferFile moves one file's bytes from Frame.io to iconik's storage. A retry on any worker continues after the parts that
// the storage has.
func (a *Activities) TransferFile(ctx context.Context, in workflows.ItemInput) error {
	arc, err := a.archive(in.Ref)
	if err != nil {
		return err
	}
	it, err := arc.item(ctx, in.SourceID)
	if err != nil {
		return err
	}
	if it.State != ledger.Copying || it.Checksum != "" {
		return nil // done by an attempt whose answer was lost
	}
	return arc.transferError(ctx, it, arc.copyBytes(ctx, it))
}

func (a *archive) copyBytes(ctx context.Context, it ledger.Item) error {
	ctx, cancel := attempt.StopWithWorker(ctx)
	defer cancel()
	own := attempt.Of(ctx)
	own.OnBeat(func(ctx context.Context, c attempt.Checkpoint) {
		a.noteBytes(ctx, it, c.Bytes)
		a.job().ShowProgress(ctx, false)
	})
	rendition := frameio.Rendition(it.Rendition)
	size := it.Size
	if rendition == frameio.RenditionProxy {
		size = -1
	}
	var mu sync.Mutex
	var unavailable error
	source, err := transfer.NewHTTPSource(ctx, a.steps.Objects, func(ctx context.Context, fresh bool) (transfer.Location, error) {
		m, err := a.frameio.Media(ctx, it.SourceID, rendition, fresh)
		if err != nil {
			var no *frameio.OriginalUnavailable
			if errors.As(err, &no) {
				mu.Lock()
				unavailable = err
				mu.Unlock()
			}
			return transfer.Location{}, err
		}
		return transfer.Location{URL: m.URL, Size: size, Ranges: m.Ranges}, nil
	})
	if err != nil {
		return a.sourceRefused(err, unavailable)
	}
	if size < 0 {
		size = source.Size() // the host knows the size of a proxy
	}
	sink, err := a.files().Sink(ctx, it, size)
	if err != nil {
		return err
	}
	resume := own.Resume().Engine
	if len(resume) == 0 {
		resume = it.Checkpoint
	}
	limit, moved := a.steps.Limits.Begin(ctx, a.ref.Tenant)
	defer moved()
	res, err := a.steps.Engine.Copy(ctx, transfer.Job{
		Source: source, Sink: sink, Size: size, Resume: resume, Limit: limit,
		Progress: func(p transfer.Progress) {
			resume = p.Checkpoint
			own.Save(attempt.Checkpoint{Bytes: p.Bytes, Total: it.Size, Engine: p.Checkpoint})
		},
	})
	switch {
	case err != nil && attempt.WasStopped(ctx):
		return attempt.Stopped()
	case err != nil && ctx.Err() != nil:
		a.keepCheckpoint(ctx, it, resume)
		return err
	case err != nil:
		return a.sourceRefused(err, unavailable)
	case rendition == frameio.RenditionOriginal && it.SourceChecksum != "" && it.SourceChecksum != res.XXH64:
		differs := fault.UploadGone
		if it.Watermarked { // on the way
			differs = fault.OriginalGone
		}
		return differs("the copy's xxh64 is %s, Frame.io says %s", res.XXH64, it.SourceChecksum)
	}
	return a.recordTransfer(ctx, it, res)
}

// keepCheckpoint lets an archive that was paused or canceled continue where the copy stopped: a heartbeat ends with its activity.
func (a *archive) keepCheckpoint(ctx context.Context, it ledger.Item, checkpoint []byte) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), checkpointPatience)
	defer cancel()
	_, err := a.ledger.UpdateItem(ctx, it.SourceID, func(i *ledger.Item) {
		if sameUpload(*i, it) && i.Checksum == "" {
			i.Checkpoint = checkpoint
		}
	})
	if err != nil { // what is stored is not sent again all the same, only read
		a.log.WarnContext(ctx, "could not record where a file's copy stopped", "file", it.SourceID, "error", err)
	}
}

// recordTransfer records what a transfer has proved. An attempt that was presumed dead may get this far too, but its bytes are
// not those of the file that has been opened since.
func (a *archive) recordTransfer(ctx context.Context, it ledger.Item, res transfer.Result) error {
	row, err := a.row(ctx)
	if err != nil {
		return err
	}
	now, err := a.updateItem(ctx, it, func(i *ledger.Item) {
		if sameUpload(*i, it) {
			i.Checksum, i.StoredSize, i.BytesDone, i.FirstRun, i.Checkpoint = res.XXH64, res.Bytes, res.Bytes, cmp.Or(i.FirstRun, row.Run), nil
		}
	})
	if err == nil && !sameUpload(now, it) {
		return fmt.Errorf("another attempt started %q again while this one was copying it", it.Name)
	}
	return err
}

func sameUpload(x, y ledger.Item) bool {
	return x.State != ledger.Pending && x.FileID == y.FileID && x.UploadID == y.UploadID
}

// sourceRefused distinguishes a missing original from other failures.
func (a *archive) sourceRefused(err, unavailable error) error {
	var differs *transfer.SizeMismatch
	var src *transfer.SourceError
	switch {
	case unavailable != nil:
		return fault.OriginalGone("%v", unavailable)
	case errors.As(err, &differs):
		return fault.OriginalGone("%v", differs)
	case errors.As(err, &src) && !src.Retryable() && (src.Status == 403 || src.Status == 404 || src.Status == 410):
		return fault.OriginalGone("%v", src)
	}
	return err
}

// transferError turns an error of the engine into one that says how to handle it.
func (a *archive) transferError(ctx context.Context, it ledger.Item, err error) error {
	var own *fault.Error
	var classed interface{ Retryable() bool }
	switch {
	case err == nil:
		a.job().ShowProgress(ctx, false)
		return nil
	case errors.As(err, &own), ctx.Err() != nil:
		return err
	case errors.Is(err, transfer.ErrUploadGone), errors.Is(err, transfer.ErrCorrupted):
		return fault.UploadGone("%v", err)
	case errors.Is(err, transfer.ErrSourceChanged):
		return fault.Content("%q changed in Frame.io during the copy: %v", it.Name, err)
	case errors.As(err, &classed) && !classed.Retryable():
		return fault.Content("%v", err)
	}
	return err
}

// noteBytes records how far a file is. Only people look at it.
func (a *archive) noteBytes(ctx context.Context, it ledger.Item, n int64) {
	_, err := a.ledger.UpdateItem(ctx, it.SourceID, func(i *ledger.Item) {
		if i.State == ledger.Copying && i.Checksum == "" {
			i.BytesDone = n
		}
	})
	if err != nil && ctx.Err() == nil {
		a.log.WarnContext(ctx, "could not record a file's progress", "file", it.SourceID, "error", err)
	}
}
