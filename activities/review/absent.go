package review

import (
	"context"
	"fmt"
	"time"

	"github.com/framebridge/framebridge/activities/attempt"
	"github.com/framebridge/framebridge/activities/fault"
	"github.com/framebridge/framebridge/clients/frameio"
	"github.com/framebridge/framebridge/clients/rest"
	"github.com/framebridge/framebridge/ledger"
)

const (
	goneFromIconik  = "the asset was deleted in iconik"
	goneFromFrameio = "the file was deleted in Frame.io"

	absentLook   = 5 * time.Second  // between looks for something that a side no longer shows
	absentSeen   = 20 * time.Second // after this it counts as deleted, if its parent is visible without it,
	absentUnseen = time.Hour        // and after this if its parent is not visible either: access may be lost, or a proxy failing
)

// absent records that a side does not show a file or an asset. While it is absent, Framebridge keeps looking for it and neither
// syncs nor deletes anything. After a while it counts as deleted, and people are told. certain means that a second call showed
// its parent without it, or showed it as deleted.
func (r *review) absent(ctx context.Context, it ledger.ReviewAsset, from string, certain bool) error {
	now := time.Now().UTC()
	if it.AbsentSince.IsZero() || it.AbsentFrom != from {
		_, err := r.updateAsset(ctx, it.N, func(row *ledger.ReviewAsset) { row.AbsentSince, row.AbsentFrom = now, from })
		return err
	}
	patience := absentUnseen
	if certain {
		patience = absentSeen
	}
	if it.State == ledger.AssetGone || now.Sub(it.AbsentSince) < patience {
		return nil
	}
	why := from
	if !certain {
		why = "Framebridge can no longer see it; perhaps " + from
	}
	return r.markDeleted(ctx, it, why)
}

// unseen turns Frame.io's 404 for something that exists into a retry, for a while.
func unseen(ctx context.Context, err error, what string) error {
	if rest.IsNotFound(err) && time.Since(attempt.Of(ctx).Scheduled()) < absentSeen {
		return fault.Wait("Unseen", absentLook, "Frame.io does not find %s at the moment", what)
	}
	return err
}

// absentFromFrameio records that Frame.io does not find a file.
func (r *review) absentFromFrameio(ctx context.Context, it ledger.ReviewAsset) error {
	var err error
	switch {
	case r.row.FolderID != "":
		_, err = r.frameio.Asset(ctx, r.row.FolderID)
	case r.row.ProjectID != "":
		_, err = r.frameio.Project(ctx, r.row.ProjectID)
	default:
		return r.absent(ctx, it, goneFromFrameio, false)
	}
	if err != nil && !rest.IsNotFound(err) {
		return err
	}
	return r.absent(ctx, it, goneFromFrameio, err == nil)
}

// inIconik reports whether an asset exists and is not deleted. If not, it records that.
func (r *review) inIconik(ctx context.Context, it ledger.ReviewAsset) (bool, error) {
	asset, err := r.iconik.Assets.Get(ctx, it.AssetID, false)
	switch {
	case rest.IsNotFound(err):
		return false, r.absent(ctx, it, goneFromIconik, false)
	case err != nil:
		return false, err
	case asset.Deleted():
		return false, r.absent(ctx, it, goneFromIconik, true)
	}
	return true, nil
}

// inFrameio reports whether a file exists. If not, it records that.
func (r *review) inFrameio(ctx context.Context, it ledger.ReviewAsset) (bool, error) {
	f, err := r.frameio.Asset(ctx, it.FileID)
	if rest.IsNotFound(err) {
		return false, r.absentFromFrameio(ctx, it)
	}
	if err == nil {
		r.files[it.FileID] = seenFile{f, time.Now()}
	}
	return err == nil, err
}

// seenFile is a file as Frame.io showed it.
type seenFile struct {
	frameio.Asset
	at time.Time
}

// seenFor is how long a file is as it was seen.
const seenFor = 5 * time.Second

// file returns a file as it is, without a call if this sync has just made it.
func (r *review) file(ctx context.Context, it ledger.ReviewAsset) (frameio.Asset, error) {
	if f, ok := r.files[it.FileID]; ok && time.Since(f.at) < seenFor {
		return f.Asset, nil
	}
	return r.frameio.Asset(ctx, it.FileID)
}

// markDeleted leaves alone an asset that somebody has deleted, and tells people. If it comes back, its sync resumes.
func (r *review) markDeleted(ctx context.Context, it ledger.ReviewAsset, why string) error {
	if err := r.notifyOnce(ctx, fmt.Sprintf("gone:%d:%d", it.N, it.AbsentSince.Unix()), fmt.Sprintf("%q: %s. Framebridge leaves its comments as they are.", it.Title, why)); err != nil {
		return err
	}
	_, err := r.updateAsset(ctx, it.N, func(row *ledger.ReviewAsset) { row.State, row.Reason = ledger.AssetGone, why })
	return err
}

// isBack records that both sides show an asset again, and tells people if they were told that it was deleted.
func (r *review) isBack(ctx context.Context, it ledger.ReviewAsset) (ledger.ReviewAsset, error) {
	if it.State == ledger.AssetGone {
		if err := r.notifyOnce(ctx, fmt.Sprintf("back:%d:%d", it.N, it.AbsentSince.Unix()), fmt.Sprintf("%q is back, and Framebridge syncs its comments again.", it.Title)); err != nil {
			return it, err
		}
	}
	return r.updateAsset(ctx, it.N, func(row *ledger.ReviewAsset) {
		row.State, row.Reason = ledger.AssetReady, ""
		row.AbsentSince, row.AbsentFrom, row.BackAt = time.Time{}, "", time.Now().UTC()
	})
}
