package archive

import (
	"context"
	"fmt"
	"time"

	"github.com/framebridge/framebridge/activities/fault"
	"github.com/framebridge/framebridge/clients/frameio"
	"github.com/framebridge/framebridge/clients/rest"
	"github.com/framebridge/framebridge/ledger"
	"github.com/framebridge/framebridge/workflows"
)

// verdict is what is to become of an item, by its original and the tenant's policy.
type verdict struct {
	do        string // "copy", "skip", "wait" or "fail"
	rendition frameio.Rendition
	why       string
}

// What brings originals back. V4 archives nothing itself: a missing link has one of two causes, and does not say which.
const (
	unarchive        = "unarchive the project in Frame.io"
	unarchiveOrAllow = "either the project was archived before the account migration to V4 (unarchive it in Frame.io), or the token's user lacks permission to download without a watermark (grant it in Frame.io)"
	allowOrWait      = "either they are still being restored from cold storage, or the token's user lacks permission to download without a watermark (grant it in Frame.io). Framebridge waits up to a day for each"
)

const missingFor = 24 * time.Hour // an original whose link is missing is waited for: from cold storage it takes hours

// mayComeBack says that an original is worth waiting for.
func mayComeBack(it ledger.Item) bool {
	switch frameio.Original(it.Original) {
	case frameio.OriginalArchived:
		return true
	case frameio.OriginalMissing:
		return it.MissingSince.IsZero() || time.Since(it.MissingSince) < missingFor
	}
	return false
}

// noteOriginal writes down what Frame.io says of an original now, and since when its link is missing.
func noteOriginal(it *ledger.Item, now frameio.Original) {
	switch {
	case now != frameio.OriginalMissing:
		it.MissingSince = time.Time{}
	case it.Original != string(now) || it.MissingSince.IsZero():
		it.MissingSince = time.Now().UTC()
	}
	it.Original = string(now)
}

func (a *archive) decide(it ledger.Item) verdict {
	policy := a.cfg.Archive
	if it.Size > int64(policy.MaxFileSize) {
		return verdict{do: "skip", why: fmt.Sprintf("over the size limit: %d bytes, archive.max_file_size is %d", it.Size, int64(policy.MaxFileSize))}
	}
	var why string
	switch frameio.Original(it.Original) {
	case frameio.OriginalAvailable, "":
		return verdict{do: "copy", rendition: frameio.RenditionOriginal}
	case frameio.OriginalArchived:
		advice := unarchive
		why = "the original is in Frame.io's cold storage"
		if !a.frameio.Capabilities().NativeArchive {
			why, advice = "Frame.io offers no download of the original", unarchiveOrAllow
		}
		if policy.MissingOriginal == "wait" {
			return verdict{do: "wait", why: why + ": " + advice}
		}
	case frameio.OriginalMissing:
		why = "Frame.io offers no download of the original, although the project is not archived"
		switch {
		case policy.MissingOriginal != "wait":
		case mayComeBack(it):
			return verdict{do: "wait", why: why + ": " + allowOrWait}
		default:
			why += ", and offered none within a day: the token's user probably lacks permission to download without a watermark"
		}
	case frameio.OriginalWatermarked:
		why = "Frame.io offers only a watermarked stream, not the original"
	case frameio.OriginalForbidden:
		why = "the token's user lacks permission to download the original"
	case frameio.OriginalNeverUploaded:
		return verdict{do: "skip", why: "the upload to Frame.io was never completed"}
	default:
		why = "no original: " + it.Original
	}
	switch {
	case policy.MissingOriginal == "proxy" && it.HasProxy:
		return verdict{do: "copy", rendition: frameio.RenditionProxy, why: why + ": stored the proxy instead"}
	case policy.MissingOriginal == "fail":
		return verdict{do: "fail", why: why}
	}
	return verdict{do: "skip", why: why}
}

// noOriginal corrects what the listing said when Frame.io refuses the bytes themselves.
func (a *archive) noOriginal(ctx context.Context, it ledger.Item) (ledger.Item, error) {
	project, err := a.frameio.Project(ctx, a.ref.Archive)
	if err != nil {
		return it, err
	}
	now, err := a.frameio.Asset(ctx, it.SourceID)
	if err != nil {
		return it, err
	}
	why, listed := now.Original, ""
	switch {
	case project.Archived:
		why = frameio.OriginalArchived
	case why == frameio.OriginalAvailable && now.Watermark == frameio.WatermarkOn:
		why, listed = frameio.OriginalWatermarked, string(why) // its stream goes by the original's name
	case why == frameio.OriginalAvailable:
		return it, fault.Content("Frame.io lists an original of %d bytes but refuses the download", it.Size)
	}
	return a.updateItem(ctx, it, func(i *ledger.Item) { i.Original, i.HasProxy, i.Listed = string(why), now.HasProxy, listed })
}

// RecheckOriginals asks Frame.io again for the items that wait for their original.
func (a *Activities) RecheckOriginals(ctx context.Context, ref workflows.Ref) (workflows.RecheckResult, error) {
	var res workflows.RecheckResult
	arc, err := a.archive(ref)
	if err != nil {
		return res, err
	}
	cold := false // of one that waits it is known
	var project *frameio.Project
	for it, err := range arc.ledger.ItemsOf(ctx, ledger.PhaseCopy) {
		if err != nil {
			return res, err
		}
		if o := frameio.Original(it.Original); it.State != ledger.Pending || o != frameio.OriginalArchived && o != frameio.OriginalMissing {
			continue
		}
		if project == nil { // one call tells for all while the project is still away
			p, err := arc.frameio.Project(ctx, ref.Archive)
			if rest.IsNotFound(err) {
				return res, arc.noProject(ctx)
			}
			if err != nil {
				return res, err
			}
			project = &p
		}
		if project.Archived {
			cold = true
			res.Waiting++
			continue
		}
		waits, original, err := arc.recheckOriginal(ctx, it)
		if rest.IsNotFound(err) { // deleted meanwhile, or under another id by now: the next reading of the tree tells
			continue
		}
		if err != nil {
			return res, err
		}
		if waits {
			res.Waiting++
			cold = cold || original == frameio.OriginalArchived
		} else {
			res.Back++
		}
	}
	switch {
	case !cold:
		res.Advice = allowOrWait
	case arc.frameio.Capabilities().NativeArchive:
		res.Advice = unarchive
	default:
		res.Advice = unarchiveOrAllow
	}
	return res, nil
}

// recheckOriginal writes down what Frame.io says of an item's original now, and says whether it is still waited for.
func (a *archive) recheckOriginal(ctx context.Context, it ledger.Item) (waits bool, original frameio.Original, err error) {
	file, err := a.frameio.Asset(ctx, it.SourceID)
	if err != nil {
		return false, "", err
	}
	was, since := it.Original, it.MissingSince
	noteOriginal(&it, file.Original)
	waits = mayComeBack(it)
	if waits && it.Original == was && it.MissingSince.Equal(since) {
		return waits, file.Original, nil
	}
	_, err = a.ledger.UpdateItem(ctx, it.SourceID, func(i *ledger.Item) {
		i.Original, i.MissingSince = it.Original, it.MissingSince
		if !waits {
			i.Reason, i.Size, i.SourceChecksum, i.HasProxy = "", file.Size, file.Checksum, file.HasProxy
		}
	})
	return waits, file.Original, err
}
