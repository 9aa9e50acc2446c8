package activities

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"go.temporal.io/sdk/activity"
	"go.temporal.io/sdk/temporal"

	"github.com/framebridge/framebridge/clients/frameio"
	"github.com/framebridge/framebridge/ledger"
	"github.com/framebridge/framebridge/redact"
	"github.com/framebridge/framebridge/transfer"
	"github.com/framebridge/framebridge/workflows"
)

// heartbeat is what survives the worker: the engine's checkpoint, and two figures for people.
type heartbeat struct {
	Bytes      int64  `json:"bytes"`
	Total      int64  `json:"total"`
	Checkpoint []byte `json:"checkpoint,omitempty"`
}

// TransferFile moves one file's bytes from Frame.io to iconik's storage. A retry on any worker goes on after the parts
// that the store has.
func (a *Activities) TransferFile(ctx context.Context, in workflows.ItemInput) error {
	arc, err := a.archive(in.Ref)
	if err != nil {
		return err
	}
	it, ok, err := a.Ledger.Item(ctx, in.Tenant, in.Archive, in.SourceID)
	if err != nil {
		return err
	}
	switch {
	case !ok:
		return systemError("the ledger does not know file %s", in.SourceID)
	case it.State != ledger.Copying || it.Checksum != "":
		return nil // done by an attempt whose answer was lost
	}
	return arc.transferred(ctx, it, arc.move(ctx, it))
}

func (a *archive) move(ctx context.Context, it ledger.Item) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	var resume heartbeat
	if activity.HasHeartbeatDetails(ctx) {
		if err := activity.GetHeartbeatDetails(ctx, &resume); err != nil {
			resume = heartbeat{} // of another version: start over
		}
	}
	beat := a.beatTransfer(ctx, it, cancel, &resume)
	defer beat()

	rendition := frameio.Rendition(it.Rendition)
	size := it.Size
	if rendition == frameio.RenditionProxy {
		size = -1
	}
	var mu sync.Mutex
	var unavailable error
	source, err := transfer.NewHTTPSource(ctx, a.store, func(ctx context.Context, fresh bool) (transfer.Location, error) {
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
		size = source.Size() // of a proxy the host knows
	}
	sink, err := a.sink(ctx, it, size)
	if err != nil {
		return err
	}
	res, err := a.Engine.Copy(ctx, transfer.Job{
		Source: source, Sink: sink, Size: size, Resume: resume.Checkpoint,
		Progress: func(p transfer.Progress) { a.noteTransfer(ctx, &resume, p, it) },
	})
	if err != nil {
		if cause := context.Cause(ctx); errors.Is(cause, errStopping) {
			return temporal.NewApplicationErrorWithOptions(errStopping.Error(), "WorkerStopping",
				temporal.ApplicationErrorOptions{NextRetryDelay: time.Second, Category: temporal.ApplicationErrorCategoryBenign})
		}
		return a.sourceRefused(err, unavailable)
	}
	if rendition == frameio.RenditionOriginal && it.SourceChecksum != "" && it.SourceChecksum != res.XXH64 {
		kind := workflows.ErrorUploadGone
		if it.Watermarked { // on the way
			kind = workflows.ErrorOriginalGone
		}
		return temporal.NewNonRetryableApplicationError(fmt.Sprintf("the copy's xxh64 is %s, Frame.io says %s", res.XXH64, it.SourceChecksum), kind, nil)
	}
	return a.moved(ctx, it, res)
}

// moved writes down what a transfer has proved. An attempt that was given up for dead may come that far, too: its bytes
// are not those of the file that was opened since.
func (a *archive) moved(ctx context.Context, it ledger.Item, res transfer.Result) error {
	row, err := a.row(ctx)
	if err != nil {
		return err
	}
	now, err := a.updateItem(ctx, it, func(i *ledger.Item) {
		if sameUpload(*i, it) {
			i.Checksum, i.StoredSize, i.BytesDone, i.FirstRun = res.XXH64, res.Bytes, res.Bytes, cmp.Or(i.FirstRun, row.Run)
		}
	})
	if err == nil && !sameUpload(now, it) {
		return fmt.Errorf("%q was opened anew while this attempt moved it", it.Name)
	}
	return err
}

func sameUpload(x, y ledger.Item) bool {
	return x.State != ledger.Pending && x.FileID == y.FileID && x.UploadID == y.UploadID
}

// sourceRefused tells a missing original from other failures.
func (a *archive) sourceRefused(err, unavailable error) error {
	var differs *transfer.SizeMismatch
	var src *transfer.SourceError
	switch {
	case unavailable != nil:
		return temporal.NewNonRetryableApplicationError(unavailable.Error(), workflows.ErrorOriginalGone, nil)
	case errors.As(err, &differs):
		return temporal.NewNonRetryableApplicationError(redact.Scrub(differs.Error()), workflows.ErrorOriginalGone, nil)
	case errors.As(err, &src) && !src.Retryable() && (src.Status == 403 || src.Status == 404 || src.Status == 410):
		return temporal.NewNonRetryableApplicationError(redact.Scrub(src.Error()), workflows.ErrorOriginalGone, nil)
	}
	return err
}

// transferred gives the engine's errors their Temporal form.
func (a *archive) transferred(ctx context.Context, it ledger.Item, err error) error {
	var app *temporal.ApplicationError
	var classed interface{ Retryable() bool }
	switch {
	case err == nil:
		a.progress(ctx, false)
		return nil
	case errors.As(err, &app), ctx.Err() != nil:
		return err
	case errors.Is(err, transfer.ErrUploadGone), errors.Is(err, transfer.ErrCorrupted):
		return temporal.NewNonRetryableApplicationError(redact.Scrub(err.Error()), workflows.ErrorUploadGone, nil)
	case errors.Is(err, transfer.ErrSourceChanged):
		return contentError("%q changed in Frame.io while it was copied: %v", it.Name, err)
	case errors.As(err, &classed) && !classed.Retryable():
		return contentError("%v", err)
	}
	return settled(err)
}

var beatMu sync.Mutex

// noteTransfer keeps the newest checkpoint for the next heartbeat.
func (a *archive) noteTransfer(ctx context.Context, last *heartbeat, p transfer.Progress, it ledger.Item) {
	beatMu.Lock()
	*last = heartbeat{Bytes: p.Bytes, Total: it.Size, Checkpoint: p.Checkpoint}
	beatMu.Unlock()
	activity.RecordHeartbeat(ctx, *last)
}

// beatTransfer heartbeats while a part is on its way, and watches for the worker's end.
func (a *archive) beatTransfer(ctx context.Context, it ledger.Item, cancel context.CancelCauseFunc, last *heartbeat) func() {
	done := make(chan struct{})
	go func() {
		tick := time.NewTicker(workflows.HeartbeatInterval)
		defer tick.Stop()
		stop := activity.GetWorkerStopChannel(ctx)
		for {
			select {
			case <-done:
				return
			case <-stop:
				cancel(errStopping)
				return
			case <-tick.C:
				beatMu.Lock()
				now := *last
				beatMu.Unlock()
				activity.RecordHeartbeat(ctx, now)
				a.noteBytes(ctx, it, now.Bytes)
				a.progress(ctx, false)
			}
		}
	}()
	return func() { close(done) }
}

// noteBytes shows how far a file is; only people look at it.
func (a *archive) noteBytes(ctx context.Context, it ledger.Item, n int64) {
	_, err := a.Ledger.UpdateItem(ctx, a.ref.Tenant, a.ref.Archive, it.SourceID, func(i *ledger.Item) {
		if i.State == ledger.Copying && i.Checksum == "" {
			i.BytesDone = n
		}
	})
	if err != nil && ctx.Err() == nil {
		a.Log.WarnContext(ctx, "progress of a file not noted", "file", it.SourceID, "error", err)
	}
}
