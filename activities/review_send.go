package activities

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"time"

	"go.temporal.io/sdk/activity"
	"go.temporal.io/sdk/temporal"

	"github.com/framebridge/framebridge/clients/frameio"
	"github.com/framebridge/framebridge/clients/iconik"
	"github.com/framebridge/framebridge/clients/rest"
	"github.com/framebridge/framebridge/ledger"
	"github.com/framebridge/framebridge/mapping"
	"github.com/framebridge/framebridge/redact"
	"github.com/framebridge/framebridge/transfer"
	"github.com/framebridge/framebridge/transfer/presigned"
	"github.com/framebridge/framebridge/workflows"
)

const (
	proxyLook = 10 * time.Second // between two looks for a proxy
	readyLook = 2 * time.Second  // between two looks at a file that Frame.io prepares
	markLate  = 15 * time.Second // a file may be ready before it is marked as watermarked
)

// StageAsset chooses the file of the asset's current version that is sent. A proxy that iconik has not made yet is
// waited for by retries.
func (a *Activities) StageAsset(ctx context.Context, in workflows.AssetInput) error {
	r, err := a.review(ctx, in.ReviewRef)
	if err != nil {
		return err
	}
	it, ok, err := a.Ledger.ReviewAsset(ctx, in.Tenant, in.Review, in.N)
	if err != nil || !ok {
		return err
	}
	if it.FileID != "" || it.State != ledger.AssetPending {
		return nil // on its way since an attempt before
	}
	all, err := r.assets(ctx)
	if err != nil {
		return err
	}
	if err := r.noteOlderComments(ctx, all); err != nil { // of what was handed over to this review
		return settled(err)
	}
	file, err := r.sourceFile(ctx, it)
	var wait *noSource
	if errors.As(err, &wait) && wait.mayCome && activity.GetInfo(ctx).ScheduledTime.Add(r.cfg.Review.ProxyWait).After(time.Now()) {
		return temporal.NewApplicationErrorWithOptions(wait.Error(), "Waiting", temporal.ApplicationErrorOptions{NextRetryDelay: proxyLook, Category: temporal.ApplicationErrorCategoryBenign})
	}
	if wait != nil {
		return contentError("%s", wait.Error())
	}
	if err != nil {
		return settled(err)
	}
	_, err = r.updateAsset(ctx, in.N, func(it *ledger.ReviewAsset) {
		it.Name, it.Size = file.name, file.size
		it.State = ledger.AssetUploading
	})
	return err
}

// sourceFile is what is sent of an asset.
type sourceFile struct {
	name string
	size int64 // -1 when iconik does not say
	url  string
}

// noSource says that iconik has no file to send.
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
			return sourceFile{name: mapping.NameLike(it.Title, orFirst(p.Filename, p.Name)), size: size, url: p.URL}, nil
		}
	}
	return sourceFile{}, &noSource{fmt.Sprintf("iconik has no proxy of %q: let iconik make one, or choose the quality original.", it.Title), true}
}

func orFirst(a, b string) string {
	if a != "" {
		return a
	}
	return b
}

func (r *review) originalFile(ctx context.Context, it ledger.ReviewAsset) (sourceFile, error) {
	formats, err := r.iconik.Files.Formats(ctx, it.AssetID, it.VersionID)
	if err != nil && !rest.IsNotFound(err) {
		return sourceFile{}, err
	}
	original := map[string]bool{}
	for _, f := range formats {
		if f.Name == "ORIGINAL" {
			original[f.ID] = true
		}
	}
	files, err := r.iconik.Files.SignedFiles(ctx, it.AssetID, it.VersionID)
	if err != nil && !rest.IsNotFound(err) {
		return sourceFile{}, err
	}
	var found *iconik.File // the first copy that can be downloaded: one storage may give none
	for i, f := range files {
		if f.Status == "CLOSED" && (original[f.FormatID] || len(original) == 0) && (found == nil || found.URL == "") {
			found = &files[i]
		}
	}
	switch {
	case found == nil:
		return sourceFile{}, &noSource{fmt.Sprintf("iconik has no original of %q: choose the quality proxy.", it.Title), false}
	case found.URL == "":
		return sourceFile{}, &noSource{fmt.Sprintf("The original of %q is archived or on a storage that iconik gives no download from: choose the quality proxy.", it.Title), false}
	}
	size := found.Size
	if size <= 0 {
		size = -1
	}
	return sourceFile{name: orFirst(found.OriginalName, found.Name), size: size, url: found.URL}, nil
}

// SendAsset streams the file from iconik into Frame.io's upload. A retry on any worker goes on after the last part.
func (a *Activities) SendAsset(ctx context.Context, in workflows.AssetInput) error {
	r, err := a.review(ctx, in.ReviewRef)
	if err != nil {
		return err
	}
	it, ok, err := a.Ledger.ReviewAsset(ctx, in.Tenant, in.Review, in.N)
	if err != nil {
		return err
	}
	if !ok || it.State != ledger.AssetUploading {
		return nil // sent by an attempt whose answer was lost
	}
	return r.sendError(r.send(ctx, it))
}

func (r *review) send(ctx context.Context, it ledger.ReviewAsset) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	var resume heartbeat
	if activity.HasHeartbeatDetails(ctx) {
		if err := activity.GetHeartbeatDetails(ctx, &resume); err != nil {
			resume = heartbeat{}
		}
	}
	defer r.beatSend(ctx, it, cancel, &resume)()
	var mu sync.Mutex
	var missing *noSource
	source, err := transfer.NewHTTPSource(ctx, r.store, func(ctx context.Context, _ bool) (transfer.Location, error) {
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
		return contentError("%s", missing.Error())
	}
	if err != nil {
		return err
	}
	if it.Size <= 0 {
		if it.Size = source.Size(); it.Size <= 0 {
			return contentError("%q is empty, or the store does not tell its size.", it.Title)
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
		resume = heartbeat{} // parts of a former upload are of no use
	}
	parts := make([]presigned.Part, len(up.Parts))
	for i, p := range up.Parts {
		parts[i] = presigned.Part{URL: p.URL, Size: p.Size}
	}
	sink := presigned.New(presigned.Upload{Client: r.store, Parts: parts, Header: uploadHeader(up.MediaType),
		Stored: func(ctx context.Context) (bool, error) {
			f, err := r.frameio.Asset(ctx, up.FileID)
			return err == nil && !f.UploadedAt.IsZero(), err
		}})
	res, err := r.Engine.Copy(ctx, transfer.Job{Source: source, Sink: sink, Size: it.Size, Resume: resume.Checkpoint, Progress: func(p transfer.Progress) {
		beatMu.Lock()
		resume = heartbeat{Bytes: p.Bytes, Total: it.Size, Checkpoint: p.Checkpoint}
		beatMu.Unlock()
		activity.RecordHeartbeat(ctx, resume)
	}})
	if errors.Is(err, transfer.ErrUploadGone) {
		if derr := r.dropUpload(ctx, it); derr != nil {
			return derr
		}
	}
	if err != nil {
		if errors.Is(context.Cause(ctx), errStopping) {
			return temporal.NewApplicationErrorWithOptions(errStopping.Error(), "WorkerStopping",
				temporal.ApplicationErrorOptions{NextRetryDelay: time.Second, Category: temporal.ApplicationErrorCategoryBenign})
		}
		return err
	}
	return r.sent(ctx, it, res)
}

// uploadHeader is what Frame.io's part URLs sign.
func uploadHeader(mediaType string) http.Header {
	return http.Header{"Content-Type": {mediaType}, "X-Amz-Acl": {"private"}}
}

// sendError gives the engine's errors their Temporal form.
func (r *review) sendError(err error) error {
	var app *temporal.ApplicationError
	var classed interface{ Retryable() bool }
	var differs *transfer.SizeMismatch
	switch {
	case err == nil, errors.As(err, &app):
		return err
	case errors.Is(err, transfer.ErrUploadGone), errors.Is(err, transfer.ErrCorrupted), errors.Is(err, transfer.ErrSourceChanged):
		return temporal.NewNonRetryableApplicationError(redact.Scrub(err.Error()), workflows.ErrorUploadGone, nil)
	case errors.As(err, &differs):
		return contentError("iconik's store has another size than iconik says: %v", differs)
	case errors.As(err, &classed) && !classed.Retryable():
		return contentError("%v", err)
	}
	return settled(err)
}

func (r *review) beatSend(ctx context.Context, it ledger.ReviewAsset, cancel context.CancelCauseFunc, last *heartbeat) func() {
	done := make(chan struct{})
	go func() {
		tick := time.NewTicker(workflows.HeartbeatInterval)
		defer tick.Stop()
		for {
			select {
			case <-done:
				return
			case <-activity.GetWorkerStopChannel(ctx):
				cancel(errStopping)
				return
			case <-tick.C:
				beatMu.Lock()
				now := *last
				beatMu.Unlock()
				activity.RecordHeartbeat(ctx, now)
				if _, err := r.updateAsset(ctx, it.N, func(row *ledger.ReviewAsset) { row.BytesDone = now.Bytes }); err == nil {
					r.progress(ctx)
				}
			}
		}
	}()
	return func() { close(done) }
}

// SettleAsset fails until Frame.io has made the file ready. Then it checks the watermark and puts the file on top of
// the asset's version before.
func (a *Activities) SettleAsset(ctx context.Context, in workflows.AssetInput) error {
	r, err := a.review(ctx, in.ReviewRef)
	if err != nil {
		return err
	}
	it, ok, err := a.Ledger.ReviewAsset(ctx, in.Tenant, in.Review, in.N)
	if err != nil || !ok || it.State != ledger.AssetProcessing {
		return err
	}
	f, err := r.frameio.Asset(ctx, it.FileID)
	switch {
	case rest.IsNotFound(err):
		return contentError("%q was deleted in Frame.io before it could be shared.", it.Title)
	case err != nil:
		return settled(err)
	case f.UploadFailed:
		return contentError("Frame.io could not take %q: send it again.", it.Title)
	case !f.Ready:
		return notReady(it.Title, time.Since(activity.GetInfo(ctx).ScheduledTime))
	case r.cfg.Review.Watermark == "required" && r.frameio.Capabilities().WatermarkOnFiles && f.Watermark != frameio.WatermarkOn:
		return r.watermarkMissing(ctx, it)
	}
	if it.StackID, err = r.stack(ctx, it, f); err != nil {
		return settled(fmt.Errorf("new version of %q: %w", it.Title, err))
	}
	if f.FrameRate.Den == 0 && strings.HasPrefix(f.MediaType, "video/") {
		if f.FrameRate, err = r.iconikRate(ctx, it); err != nil {
			return settled(fmt.Errorf("frame rate of %q: %w", it.Title, err))
		}
		if f.FrameRate.Den == 0 {
			if err := r.note(ctx, fmt.Sprintf("Neither Frame.io nor iconik tells the frame rate of %q: the times of its comments are counted at %d frames a second.", it.Title, mapping.DefaultRate.Num)); err != nil {
				return err
			}
		}
	}
	_, err = r.updateAsset(ctx, it.N, func(row *ledger.ReviewAsset) {
		row.State, row.StackID, row.Label = ledger.AssetReady, it.StackID, f.Label
		row.FrameNum, row.FrameDen, row.Frames, row.StartTimecode = f.FrameRate.Num, f.FrameRate.Den, f.Frames, f.StartTimecode
	})
	return err
}

// notReady has a file looked at again, until Frame.io has had it for too long.
func notReady(title string, since time.Duration) error {
	if since > workflows.ReadyPatience {
		return systemError("Frame.io has not made %q ready in %d hours.", title, int(workflows.ReadyPatience.Hours()))
	}
	return temporal.NewApplicationErrorWithOptions(fmt.Sprintf("Frame.io still prepares %q: %v", title, errNotReady), "NotReady",
		temporal.ApplicationErrorOptions{NextRetryDelay: readyLook, Category: temporal.ApplicationErrorCategoryBenign})
}

// iconikRate is the frame rate that iconik has found in a version: in its original, or of its proxy; zero where it tells none.
func (r *review) iconikRate(ctx context.Context, it ledger.ReviewAsset) (mapping.Rate, error) {
	formats, err := r.iconik.Files.Formats(ctx, it.AssetID, it.VersionID)
	if err != nil && !rest.IsNotFound(err) {
		return mapping.Rate{}, err
	}
	for _, f := range formats {
		for _, c := range f.Components {
			if rate := rateOf(fmt.Sprint(c.Metadata["framerate"])); f.Name == formatOriginal && f.Status != "DELETED" && c.Type == "VIDEO" && rate.Den > 0 {
				return rate, nil
			}
		}
	}
	proxies, err := r.iconik.Files.Proxies(ctx, it.AssetID, it.VersionID)
	if err != nil && !rest.IsNotFound(err) {
		return mapping.Rate{}, err
	}
	for _, p := range proxies {
		if rate := rateOf(p.FrameRate); rate.Den > 0 {
			return rate, nil
		}
	}
	return mapping.Rate{}, nil
}

// rateOf reads a rate such as "23.976 FPS" or "24000/1001".
func rateOf(text string) mapping.Rate {
	var fps, den float64
	n, _ := fmt.Sscanf(text, "%g/%g", &fps, &den)
	if n == 2 && den > 0 {
		fps /= den
	}
	return frameio.ParseRate(fps)
}

// watermarkMissing waits for the watermark a little while, and then fails.
func (r *review) watermarkMissing(ctx context.Context, it ledger.ReviewAsset) error {
	if it.ReadyAt.IsZero() {
		var err error
		if it, err = r.updateAsset(ctx, it.N, func(row *ledger.ReviewAsset) { row.ReadyAt = time.Now().UTC() }); err != nil {
			return err
		}
	}
	if time.Since(it.ReadyAt) < markLate {
		return temporal.NewApplicationErrorWithOptions(fmt.Sprintf("Frame.io has put no watermark on %q yet", it.Title), "NotReady",
			temporal.ApplicationErrorOptions{NextRetryDelay: readyLook, Category: temporal.ApplicationErrorCategoryBenign})
	}
	return contentError("%s", watermarkMissing(it.Title))
}

const watermarkPrefix = "not watermarked: "

// watermarkMissing is what the sender reads when a promise could not be kept.
func watermarkMissing(title string) string {
	return watermarkPrefix + fmt.Sprintf("Frame.io put no watermark on %q, and without one nothing is shared. Switch session watermarks on for the team (Team Settings, Watermark: a default template), or set review.watermark to preferred or off.", title)
}

// stack puts a file onto the newest file that this review has of the same asset, and returns the stack; "" without one.
func (r *review) stack(ctx context.Context, it ledger.ReviewAsset, f frameio.Asset) (string, error) {
	rows, err := r.assets(ctx)
	if err != nil {
		return "", err
	}
	var before *ledger.ReviewAsset
	for _, row := range rows {
		if row.AssetID == it.AssetID && row.N < it.N && row.State == ledger.AssetReady {
			before = &row
		}
	}
	if before == nil {
		return "", nil
	}
	if parent, err := r.frameio.Asset(ctx, f.ParentID); err != nil && !rest.IsNotFound(err) {
		return "", err
	} else if err == nil && parent.Kind == frameio.KindStack { // put there by an attempt before
		return parent.ID, r.stacked(ctx, it.AssetID, parent.ID)
	}
	target := frameio.Asset{ID: before.FileID, Kind: frameio.KindFile, ParentID: r.row.FolderID}
	if before.StackID != "" {
		target = frameio.Asset{ID: before.StackID, Kind: frameio.KindStack}
	}
	s, err := r.frameio.AddVersion(ctx, r.row.FolderID, target, it.FileID)
	if err != nil {
		return "", err
	}
	return s.ID, r.stacked(ctx, it.AssetID, s.ID)
}

// stacked notes that all files of an asset are in one stack.
func (r *review) stacked(ctx context.Context, assetID, stack string) error {
	rows, err := r.assets(ctx)
	if err != nil {
		return err
	}
	for _, row := range rows {
		if row.AssetID != assetID || row.State != ledger.AssetReady {
			continue
		}
		if _, err := r.updateAsset(ctx, row.N, func(row *ledger.ReviewAsset) { row.StackID = stack }); err != nil {
			return err
		}
	}
	return nil
}
