package review

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/framebridge/framebridge/activities/attempt"
	"github.com/framebridge/framebridge/activities/fault"
	"github.com/framebridge/framebridge/clients/frameio"
	"github.com/framebridge/framebridge/clients/rest"
	"github.com/framebridge/framebridge/ledger"
	"github.com/framebridge/framebridge/mapping"
	"github.com/framebridge/framebridge/workflows"
)

// SettleAsset fails until Frame.io has the file ready. It then checks the watermark and puts the file on top of the asset's
// previous version.
func (a *Activities) SettleAsset(ctx context.Context, in workflows.AssetInput) error {
	r, err := a.review(ctx, in.ReviewRef)
	if err != nil {
		return err
	}
	it, ok, err := r.ledger.Asset(ctx, in.N)
	if err != nil || !ok || it.State != ledger.AssetProcessing {
		return err
	}
	return r.troubled(ctx, it.N, tooLong(ctx, it.Title, r.settle(ctx, it)))
}

func (r *review) settle(ctx context.Context, it ledger.ReviewAsset) error {
	f, err := r.frameio.Asset(ctx, it.FileID)
	switch {
	case rest.IsNotFound(err) && (it.AbsentSince.IsZero() || time.Since(it.AbsentSince) < absentSeen):
		if err := r.absentFromFrameio(ctx, it); err != nil {
			return err
		}
		return fault.Wait("Unseen", readyLook, "Frame.io does not show %q at the moment", it.Title)
	case rest.IsNotFound(err):
		return fault.Content("%q was deleted in Frame.io before the review could be shared.", it.Title)
	case err != nil:
		return err
	case f.UploadFailed:
		return fault.Content("Frame.io could not process %q: send it again.", it.Title)
	case !f.Ready:
		return notReady(it.Title, time.Since(attempt.Of(ctx).Scheduled()))
	case r.cfg.Review.Watermark == "required" && r.frameio.Capabilities().WatermarkOnFiles && f.Watermark != frameio.WatermarkOn:
		return r.watermarkMissing(ctx, it)
	}
	if it.StackID, err = r.stack(ctx, it, f); err != nil {
		return fmt.Errorf("new version of %q: %w", it.Title, err)
	}
	if f.FrameRate.Den == 0 && strings.HasPrefix(f.MediaType, "video/") {
		if f.FrameRate, err = r.tenant.VersionRate(ctx, it.AssetID, it.VersionID); err != nil {
			return fmt.Errorf("frame rate of %q: %w", it.Title, err)
		}
		if f.FrameRate.Den == 0 {
			if err := r.note(ctx, fmt.Sprintf("Neither Frame.io nor iconik reports a frame rate for %q: comment times assume %d fps.", it.Title, mapping.DefaultRate.Num)); err != nil {
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

var errNotReady = errors.New("not ready yet")

// notReady has a file looked at again until Frame.io has taken too long.
func notReady(title string, since time.Duration) error {
	if since > workflows.ReadyPatience {
		return fault.System("Frame.io has been processing %q for more than %d hours.", title, int(workflows.ReadyPatience.Hours()))
	}
	return fault.Wait("NotReady", readyLook, "Frame.io is still processing %q: %v", title, errNotReady)
}

// watermarkMissing waits a short while for the watermark, and then fails.
func (r *review) watermarkMissing(ctx context.Context, it ledger.ReviewAsset) error {
	if it.ReadyAt.IsZero() {
		var err error
		if it, err = r.updateAsset(ctx, it.N, func(row *ledger.ReviewAsset) { row.ReadyAt = time.Now().UTC() }); err != nil {
			return err
		}
	}
	if time.Since(it.ReadyAt) < markLate {
		return fault.Wait("NotReady", readyLook, "%q has no watermark in Frame.io yet", it.Title)
	}
	return fault.Content("%s", watermarkMissing(it.Title))
}

const watermarkPrefix = "not watermarked: "

// watermarkMissing returns what the sender reads if a required watermark is missing.
func watermarkMissing(title string) string {
	return watermarkPrefix + fmt.Sprintf("Frame.io put no watermark on %q, so nothing was shared. Turn on session watermarks for the team (Team Settings > Watermark: choose a default template), or set review.watermark to preferred or off.", title)
}

// stack puts a file on top of the newest file that this review has of the same asset. It returns the stack's ID, or "" if there is none.
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
	} else if err == nil && parent.Kind == frameio.KindStack { // put there by an earlier attempt
		return parent.ID, r.stacked(ctx, it.AssetID, parent.ID)
	}
	target := frameio.Asset{ID: before.FileID, Kind: frameio.KindFile, ParentID: r.row.FolderID}
	if before.StackID != "" {
		target = frameio.Asset{ID: before.StackID, Kind: frameio.KindStack}
	}
	s, err := r.frameio.AddVersion(ctx, r.row.FolderID, target, it.FileID)
	if rest.IsRefused(err) { // for example because somebody has moved or deleted the previous version: show the file next to it
		return "", r.noteError(ctx, fmt.Sprintf("Frame.io did not put the new version of %q on top of the one before, so the link shows them one beside the other", it.Title), err)
	}
	if err != nil {
		return "", err
	}
	return s.ID, r.stacked(ctx, it.AssetID, s.ID)
}

// stacked records that all of an asset's files are in one stack.
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
