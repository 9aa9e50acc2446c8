package review

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/http"
	"sync"
	"time"

	"github.com/framebridge/framebridge/activities/attempt"
	"github.com/framebridge/framebridge/activities/fault"
	"github.com/framebridge/framebridge/activities/isolate"
	"github.com/framebridge/framebridge/activities/tenant"
	"github.com/framebridge/framebridge/clients/iconik"
	"github.com/framebridge/framebridge/clients/rest"
	"github.com/framebridge/framebridge/english"
	"github.com/framebridge/framebridge/ledger"
	"github.com/framebridge/framebridge/mapping"
	"github.com/framebridge/framebridge/transfer"
	"github.com/framebridge/framebridge/transfer/presigned"
	"github.com/framebridge/framebridge/workflows"
)

const (
	proxyLook = 10 * time.Second // between looks for a proxy
	readyLook = 2 * time.Second  // between looks at a file that Frame.io is processing
	markLate  = 15 * time.Second // how long a file may be ready before it is reported as watermarked
)

// ReviewWork lists the assets that are not ready in Frame.io yet, and counts the others.
func (a *Activities) ReviewWork(ctx context.Context, ref workflows.ReviewRef) (workflows.ReviewWorkResult, error) {
	var out workflows.ReviewWorkResult
	r, err := a.review(ctx, ref)
	if err != nil {
		return out, err
	}
	assets, err := r.assets(ctx)
	for _, it := range assets {
		switch it.State {
		case ledger.AssetPending, ledger.AssetUploading, ledger.AssetProcessing:
			out.Assets = append(out.Assets, it.N)
		case ledger.AssetReady, ledger.AssetGone:
			out.Ready++
		case ledger.AssetFailed:
			out.Failed, out.Reason = out.Failed+1, it.Reason
		}
	}
	return out, err
}

// StageAsset chooses the file of the asset's current version to send. It is retried until iconik has created a proxy or the
// wait for it is over.
func (a *Activities) StageAsset(ctx context.Context, in workflows.AssetInput) error {
	r, err := a.review(ctx, in.ReviewRef)
	if err != nil {
		return err
	}
	it, ok, err := r.ledger.Asset(ctx, in.N)
	if err != nil || !ok {
		return err
	}
	if it.FileID != "" || it.State != ledger.AssetPending {
		return nil // sent on by an earlier attempt
	}
	all, err := r.assets(ctx)
	if err != nil {
		return err
	}
	if err := r.noteOlderComments(ctx, all); err != nil { // for assets handed over to this review
		return err
	}
	file, err := r.sourceFile(ctx, it)
	var wait *noSource
	if err != nil && !errors.As(err, &wait) {
		return r.troubled(ctx, it.N, err)
	}
	if wait != nil && wait.mayCome {
		if err := r.stillWanted(ctx, it); err != nil {
			return err
		}
		if attempt.Of(ctx).Scheduled().Add(r.cfg.Review.ProxyWait).After(time.Now()) {
			return fault.Wait("Waiting", proxyLook, "%s", wait.Error())
		}
	}
	if wait != nil {
		return fault.Content("%s", wait.Error())
	}
	_, err = r.updateAsset(ctx, in.N, func(it *ledger.ReviewAsset) {
		it.Name, it.Size = file.name, file.size
		it.State = ledger.AssetUploading
	})
	return err
}

// stillWanted returns an error if a file need not be waited for any longer.
func (r *review) stillWanted(ctx context.Context, it ledger.ReviewAsset) error {
	if r.row.ShareID == "" && !time.Now().Before(r.row.ExpiresAt) {
		return fault.Content("The review expired on %s, while iconik had no proxy for %q yet.", english.Minute(r.row.ExpiresAt), it.Title)
	}
	asset, err := r.iconik.Assets.Get(ctx, it.AssetID, false)
	if err == nil && asset.Deleted() {
		return fault.Content("%q was deleted in iconik before it could be sent.", it.Title)
	}
	if rest.IsRefused(err) { // it may come back
		return nil
	}
	return err
}

// sourceFile is the file that is sent for an asset.
type sourceFile struct {
	name string
	size int64 // -1 if iconik does not report it
	url  string
}

// noSource is the error for an asset that has no file to send. mayCome means that iconik may still create one.
type noSource struct {
	why     string
	mayCome bool
}

func (e *noSource) Error() string { return e.why }

func (r *review) sourceFile(ctx context.Context, it ledger.ReviewAsset) (sourceFile, error) {
	if it.Quality == "original" {
		return r.originalFile(ctx, it)
	}
	proxies, err := r.iconik.Files.Proxies(ctx, it.AssetID, it.VersionID)
	if err != nil && !rest.IsNotFound(err) {
		return sourceFile{}, err
	}
	for _, p := range proxies {
		if p.URL != "" && (p.Status == "" || p.Status == "CLOSED") {
			size := p.Size
			if size <= 0 {
				size = -1
			}
			return sourceFile{name: mapping.NameLike(it.Title, cmp.Or(p.Filename, p.Name)), size: size, url: p.URL}, nil
		}
	}
	return sourceFile{}, &noSource{fmt.Sprintf("iconik has no proxy for %q: let iconik create one, or set Quality to original.", it.Title), true}
}

func (r *review) originalFile(ctx context.Context, it ledger.ReviewAsset) (sourceFile, error) {
	formats, err := r.iconik.Files.Formats(ctx, it.AssetID, it.VersionID)
	if err != nil && !rest.IsNotFound(err) {
		return sourceFile{}, err
	}
	original := map[string]bool{}
	for _, f := range formats {
		if f.Name == tenant.FormatOriginal {
			original[f.ID] = !f.Deleted()
		}
	}
	files, err := r.iconik.Files.SignedFiles(ctx, it.AssetID, it.VersionID)
	if err != nil && !rest.IsNotFound(err) {
		return sourceFile{}, err
	}
	var found *iconik.File // the first copy that can be downloaded: not every storage allows it
	for i, f := range files {
		if f.Status == "CLOSED" && !f.Deleted() && (original[f.FormatID] || len(original) == 0) && (found == nil || found.URL == "") {
			found = &files[i]
		}
	}
	switch {
	case found == nil:
		return sourceFile{}, &noSource{fmt.Sprintf("iconik has no original for %q: set Quality to proxy.", it.Title), false}
	case found.URL == "":
		return sourceFile{}, &noSource{fmt.Sprintf("The original of %q is archived, or on a storage that iconik cannot download from: set Quality to proxy.", it.Title), false}
	}
	size := found.Size
	if size <= 0 {
		size = -1
	}
	return sourceFile{name: mapping.SafeFileName(cmp.Or(found.OriginalName, found.Name, it.Title)), size: size, url: found.URL}, nil // V4 allows 255 characters
}

// SendAsset streams the file from iconik into Frame.io's upload. A retry on any worker continues after the last part.
func (a *Activities) SendAsset(ctx context.Context, in workflows.AssetInput) error {
	r, err := a.review(ctx, in.ReviewRef)
	if err != nil {
		return err
	}
	it, ok, err := r.ledger.Asset(ctx, in.N)
	if err != nil {
		return err
	}
	if !ok || it.State != ledger.AssetUploading {
		return nil // sent by an attempt whose answer was lost
	}
	return r.troubled(ctx, it.N, tooLong(ctx, it.Title, r.sendError(r.send(ctx, it))))
}

func (r *review) send(ctx context.Context, it ledger.ReviewAsset) error {
	ctx, cancel := attempt.StopWithWorker(ctx)
	defer cancel()
	own := attempt.Of(ctx)
	own.OnBeat(func(ctx context.Context, c attempt.Checkpoint) {
		if _, err := r.updateAsset(ctx, it.N, func(row *ledger.ReviewAsset) { row.BytesDone = c.Bytes }); err == nil {
			r.progress(ctx)
		}
	})
	var mu sync.Mutex
	var missing *noSource
	source, err := transfer.NewHTTPSource(ctx, r.steps.Objects, func(ctx context.Context, _ bool) (transfer.Location, error) {
		file, err := r.sourceFile(ctx, it)
		if err != nil {
			mu.Lock()
			_ = errors.As(err, &missing)
			mu.Unlock()
			return transfer.Location{}, err
		}
		return transfer.Location{URL: file.url, Size: it.Size, Ranges: true}, nil
	})
	if missing != nil {
		return fault.Content("%s", missing.Error())
	}
	if err != nil {
		return err
	}
	if it.Size <= 0 {
		if it.Size = source.Size(); it.Size <= 0 {
			return fault.Content("%q is empty, or its storage does not report its size.", it.Title)
		}
		if it, err = r.updateAsset(ctx, it.N, func(row *ledger.ReviewAsset) { row.Size = source.Size() }); err != nil {
			return err
		}
	}
	up, fresh, err := r.upload(ctx, it)
	if err != nil {
		return err
	}
	it.FileID = up.FileID
	if fresh {
		own.Save(attempt.Checkpoint{At: own.Resume().At}) // parts of an earlier upload are useless
	}
	parts := make([]presigned.Part, len(up.Parts))
	for i, p := range up.Parts {
		parts[i] = presigned.Part{URL: p.URL, Size: p.Size}
	}
	sink := presigned.New(presigned.Upload{Client: r.steps.Objects, Parts: parts, Header: uploadHeader(up.MediaType),
		Stored: func(ctx context.Context) (bool, error) {
			f, err := r.frameio.Asset(ctx, up.FileID)
			return err == nil && !f.UploadedAt.IsZero(), err
		}})
	res, err := r.steps.Engine.Copy(ctx, transfer.Job{Source: source, Sink: sink, Size: it.Size, Resume: own.Resume().Engine, Progress: func(p transfer.Progress) {
		own.Save(checkpoint(own.Resume(), it, p, time.Now()))
	}})
	if errors.Is(err, transfer.ErrUploadGone) {
		if derr := r.dropUpload(ctx, it); derr != nil {
			return derr
		}
	}
	if err != nil {
		if attempt.WasStopped(ctx) {
			return attempt.Stopped()
		}
		return err
	}
	return r.sent(ctx, it, res)
}

// uploadHeader returns the headers that Frame.io's part URLs sign.
func uploadHeader(mediaType string) http.Header {
	return http.Header{"Content-Type": {mediaType}, "X-Amz-Acl": {"private"}}
}

// sendError turns an error of the engine into one that says how to handle it.
func (r *review) sendError(err error) error {
	var own *fault.Error
	var classed interface{ Retryable() bool }
	var differs *transfer.SizeMismatch
	switch {
	case err == nil, errors.As(err, &own):
		return err
	case errors.Is(err, transfer.ErrUploadGone), errors.Is(err, transfer.ErrCorrupted), errors.Is(err, transfer.ErrSourceChanged):
		return fault.UploadGone("%v", err)
	case errors.As(err, &differs):
		return fault.Content("the file in the storage does not have the size that iconik reports: %v", differs)
	case errors.As(err, &classed) && !classed.Retryable():
		return fault.Content("%v", err)
	}
	return err
}

// FailAsset records why an asset is left out, and takes back what was uploaded of it.
func (a *Activities) FailAsset(ctx context.Context, in workflows.AssetInput) error {
	r, err := a.review(ctx, in.ReviewRef)
	if err != nil {
		return err
	}
	it, err := r.updateAsset(ctx, in.N, func(it *ledger.ReviewAsset) { it.State, it.Reason = ledger.AssetFailed, in.Reason })
	if err != nil {
		return err
	}
	if err := r.note(ctx, fmt.Sprintf("%q was not sent: %s", it.Title, in.Reason)); err != nil {
		return err
	}
	err = r.dropUpload(ctx, it)
	late := time.Since(attempt.Of(ctx).Scheduled()) > workflows.StuckAfter
	if rest.IsRefused(err) || late && isolate.Away(err) { // retried when the review's media is deleted
		err = r.noteError(ctx, fmt.Sprintf("Frame.io does not delete what was uploaded of %q", it.Title), err)
	}
	if err != nil {
		return err
	}
	return r.publish(ctx)
}

// checkpoint records how far a transfer is, and when it last got further than it or any earlier attempt had been.
func checkpoint(had attempt.Checkpoint, it ledger.ReviewAsset, p transfer.Progress, now time.Time) attempt.Checkpoint {
	at := had.At
	if p.Bytes > max(had.Bytes, it.BytesDone) {
		at = now
	}
	return attempt.Checkpoint{Bytes: p.Bytes, Total: it.Size, Engine: p.Checkpoint, At: at}
}
