package activities

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/framebridge/framebridge/clients/frameio"
	"github.com/framebridge/framebridge/clients/iconik"
	"github.com/framebridge/framebridge/clients/rest"
	"github.com/framebridge/framebridge/ledger"
	"github.com/framebridge/framebridge/mapping"
	"github.com/framebridge/framebridge/workflows"
)

// Names of formats in iconik. A proxy never goes by the name of an original.
const (
	formatOriginal = "ORIGINAL"
	formatProxy    = "FRAMEIO_PROXY"
)

// NextRanges returns the next ranges of items that a phase has work for.
func (a *Activities) NextRanges(ctx context.Context, in workflows.NextRangesInput) ([]workflows.Range, error) {
	phase := ledger.Phase(in.Phase)
	if in.Again && phase == ledger.PhaseComments {
		phase = ledger.PhaseCommentsAgain
	}
	ranges, err := a.Ledger.NextRanges(ctx, in.Tenant, in.Archive, phase, in.After, in.Size, in.Max)
	out := make([]workflows.Range, len(ranges))
	for i, r := range ranges {
		out[i] = workflows.Range{From: r.From, To: r.To}
	}
	return out, err
}

// RangeItems returns the items of a range that OpenVersion has something to do for.
func (a *Activities) RangeItems(ctx context.Context, in workflows.RangeInput) ([]workflows.CopyItem, error) {
	items, err := a.Ledger.Items(ctx, in.Tenant, in.Archive, in.From, in.To)
	var out []workflows.CopyItem
	for _, it := range items {
		if needsCopy(it) {
			out = append(out, workflows.CopyItem{SourceID: it.SourceID, Asset: it.AssetKey, Name: it.Name, Size: it.Size})
		}
	}
	return out, err
}

// verdict is what is to become of an item, by its original and the tenant's policy.
type verdict struct {
	do        string // "copy", "skip", "wait" or "fail"
	rendition frameio.Rendition
	why       string
}

// What brings originals back. V4 archives nothing itself: a missing link has one of two causes, and does not say which.
const (
	unarchive        = "unarchive the project there"
	unarchiveOrAllow = "either the project was archived before the account was moved to V4, then have it unarchived there; or the token's user may not download it, or not without a watermark, then give that user the permission to download"
	allowOrWait      = "either they are on their way back from cold storage; or the token's user may not download them, or not without a watermark, then give that user the permission to download. They are waited for a day each"
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

func (t *tenant) decide(it ledger.Item) verdict {
	policy := t.cfg.Archive
	if it.Size > int64(policy.MaxFileSize) {
		return verdict{do: "skip", why: fmt.Sprintf("over the size limit (archive.max_file_size): %d bytes, allowed are %d", it.Size, int64(policy.MaxFileSize))}
	}
	var why string
	switch frameio.Original(it.Original) {
	case frameio.OriginalAvailable, "":
		return verdict{do: "copy", rendition: frameio.RenditionOriginal}
	case frameio.OriginalArchived:
		advice := unarchive
		why = "the original is in Frame.io's cold storage"
		if !t.frameio.Capabilities().NativeArchive {
			why, advice = "Frame.io gives no link to the original", unarchiveOrAllow
		}
		if policy.MissingOriginal == "wait" {
			return verdict{do: "wait", why: why + ": " + advice}
		}
	case frameio.OriginalMissing:
		why = "Frame.io gives no link to the original, although the project is not archived"
		switch {
		case policy.MissingOriginal != "wait":
		case mayComeBack(it):
			return verdict{do: "wait", why: why + ": " + allowOrWait}
		default:
			why += ", and gave none within a day: the token's user may not download it, or not without a watermark"
		}
	case frameio.OriginalWatermarked:
		why = "Frame.io serves only a watermarked stream, not the original"
	case frameio.OriginalForbidden:
		why = "the token's user may not download the original"
	case frameio.OriginalNeverUploaded:
		return verdict{do: "skip", why: "never uploaded completely to Frame.io"}
	default:
		why = "no original: " + it.Original
	}
	switch {
	case policy.MissingOriginal == "proxy" && it.HasProxy:
		return verdict{do: "copy", rendition: frameio.RenditionProxy, why: why + ": the proxy is stored"}
	case policy.MissingOriginal == "fail":
		return verdict{do: "fail", why: why}
	}
	return verdict{do: "skip", why: why}
}

// OpenVersion makes the version's asset, format, file set and file in iconik, and the upload session of a large file.
// It decides what is done with a file that has no original.
func (a *Activities) OpenVersion(ctx context.Context, in workflows.OpenVersionInput) (workflows.OpenedVersion, error) {
	nothing := workflows.OpenedVersion{Do: workflows.DoNothing}
	arc, err := a.archive(in.Ref)
	if err != nil {
		return nothing, err
	}
	it, ok, err := a.Ledger.Item(ctx, in.Tenant, in.Archive, in.SourceID)
	if err != nil {
		return nothing, err
	}
	if !ok {
		return nothing, systemError("the ledger does not know file %s", in.SourceID)
	}
	res, err := arc.openVersion(ctx, it, in)
	return res, settled(err)
}

func (a *archive) openVersion(ctx context.Context, it ledger.Item, in workflows.OpenVersionInput) (workflows.OpenedVersion, error) {
	result := func(do string) (workflows.OpenedVersion, error) { return workflows.OpenedVersion{Do: do}, nil }
	switch {
	case !needsCopy(it):
		return result(workflows.DoNothing)
	case it.State == ledger.Copied || it.State == ledger.ItemVerified:
		return workflows.OpenedVersion{Do: workflows.DoNothing}, a.refresh(ctx, it)
	}
	var err error
	if in.NoOriginal {
		if it, err = a.noOriginal(ctx, it); err != nil {
			return workflows.OpenedVersion{}, err
		}
	}
	if in.NewUpload {
		if it, err = a.dropUpload(ctx, it); err != nil {
			return workflows.OpenedVersion{}, err
		}
	}
	v := a.decide(it)
	switch v.do {
	case "wait":
		_, err := a.updateItem(ctx, it, func(i *ledger.Item) {
			i.State, i.Reason = ledger.Pending, v.why
			noteOriginal(i, frameio.Original(i.Original))
		})
		return workflows.OpenedVersion{Do: workflows.DoWait}, err
	case "fail":
		return workflows.OpenedVersion{}, contentError("%s", v.why)
	case "skip":
		return workflows.OpenedVersion{Do: workflows.DoNothing}, a.skip(ctx, it, v.why)
	}
	if it, err = a.ensureVersion(ctx, it, "ASSET"); err != nil {
		return workflows.OpenedVersion{}, err
	}
	if it.State == ledger.Copying && it.Checksum != "" && it.Rendition == string(v.rendition) {
		return result(workflows.DoClose) // the bytes were all there when the worker ended
	}
	if it, err = a.ensureFile(ctx, it, v); err != nil {
		return workflows.OpenedVersion{}, err
	}
	return result(workflows.DoTransfer)
}

func (a *archive) updateItem(ctx context.Context, it ledger.Item, change func(*ledger.Item)) (ledger.Item, error) {
	return a.Ledger.UpdateItem(ctx, a.ref.Tenant, a.ref.Archive, it.SourceID, change)
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
		return it, contentError("Frame.io lists an original of %d bytes but does not give it", it.Size)
	}
	return a.updateItem(ctx, it, func(i *ledger.Item) { i.Original, i.HasProxy, i.Listed = string(why), now.HasProxy, listed })
}

// skip keeps what was said about a file whose bytes are not brought over: an asset of type PLACEHOLDER.
func (a *archive) skip(ctx context.Context, it ledger.Item, why string) error {
	if it.FileID != "" {
		var err error
		if it, err = a.dropUpload(ctx, it); err != nil {
			return err
		}
	}
	it, err := a.ensureVersion(ctx, it, "PLACEHOLDER")
	if err != nil {
		return err
	}
	if err := a.writeFields(ctx, it, nil); err != nil {
		return err
	}
	if it.WrittenHash != "" && it.Version == it.Versions {
		asset, err := a.iconik.Assets.Get(ctx, it.AssetID, true)
		if err != nil {
			return err
		}
		if err := a.follow(ctx, it, asset); err != nil {
			return err
		}
	}
	_, err = a.updateItem(ctx, it, func(i *ledger.Item) {
		i.State, i.Reason, i.Rendition, i.WrittenHash = ledger.Skipped, why, "", i.FieldsHash
	})
	return err
}

// firstID picks the first row that fits.
func firstID[T any](rows []T, err error, fits func(T) (string, bool)) (string, error) {
	if err != nil && !rest.IsNotFound(err) {
		return "", err
	}
	for _, r := range rows {
		if id, ok := fits(r); ok {
			return id, nil
		}
	}
	return "", nil
}

// CloseVersion tells iconik that the file is there, writes its metadata and asks for keyframes and a proxy.
func (a *Activities) CloseVersion(ctx context.Context, in workflows.ItemInput) error {
	arc, err := a.archive(in.Ref)
	if err != nil {
		return err
	}
	it, ok, err := a.Ledger.Item(ctx, in.Tenant, in.Archive, in.SourceID)
	if err != nil {
		return err
	}
	if !ok {
		return systemError("the ledger does not know file %s", in.SourceID)
	}
	return settled(arc.closeVersion(ctx, it))
}

func (a *archive) closeVersion(ctx context.Context, it ledger.Item) error {
	if it.State == ledger.Copied || it.State == ledger.ItemVerified {
		return nil
	}
	size := it.StoredSize
	if _, err := a.iconik.Files.UpdateFile(ctx, it.AssetID, it.FileID, iconik.FilePatch{Status: "CLOSED", Checksum: checksumOf(it), Size: &size}); err != nil {
		return fmt.Errorf("closing the file: %w", err)
	}
	if err := a.writeFields(ctx, it, map[string]string{"framebridge_checksum": checksumOf(it), "framebridge_rendition": it.Rendition}); err != nil {
		return err
	}
	if it.StoredSize > 0 {
		_, _, err := a.once(ctx, creation{kind: ledger.LinkKeyframes, sourceID: it.FileID, parent: it.AssetID, settle: storeSettle,
			look: func(ctx context.Context) (string, error) { return a.keyframesJob(ctx, it) },
			make: func(ctx context.Context) (string, error) {
				job, err := a.iconik.Files.CreateKeyframes(ctx, it.AssetID, it.FileID)
				if job == "" {
					job = "none" // 204: the storage's pattern leaves this kind of file out
				}
				return job, err
			}})
		if err != nil {
			return fmt.Errorf("keyframes: %w", err)
		}
	}
	_, err := a.updateItem(ctx, it, func(i *ledger.Item) {
		i.State, i.UploadID, i.WrittenHash, i.BytesDone = ledger.Copied, "", i.FieldsHash, i.StoredSize
	})
	if err == nil {
		a.progress(ctx, false)
	}
	return err
}

// keyframesJob finds the job that a request without an answer has started. Jobs name the asset, not its version: one that
// another version's file is known by, or that was there before this file, is not it.
func (a *archive) keyframesJob(ctx context.Context, it ledger.Item) (string, error) {
	jobs, err := a.iconik.Jobs.List(ctx, iconik.JobListOptions{ObjectType: "assets", ObjectID: it.AssetID})
	jobs = slices.DeleteFunc(jobs, func(j iconik.Job) bool { return j.Type != "KEYFRAMES" && j.Type != "TRANSCODE" })
	if err != nil || len(jobs) == 0 {
		return "", err
	}
	file, err := a.iconik.Files.File(ctx, it.AssetID, it.FileID, iconik.FileOptions{})
	if err != nil {
		return "", err
	}
	for _, j := range jobs {
		if !j.Created.IsZero() && j.Created.Before(file.Created.Time) {
			continue
		}
		if _, other, err := a.Ledger.LinkByTarget(ctx, a.ref.Tenant, ledger.LinkKeyframes, j.ID); err != nil {
			return "", err
		} else if !other {
			return j.ID, nil
		}
	}
	return "", nil
}

func checksumOf(it ledger.Item) string {
	if it.Checksum == "" {
		return ""
	}
	return "xxh64:" + it.Checksum
}

// writeFields writes the archive's metadata view. iconik keeps it with the asset's current version, so it is written
// before the next version is made, and not at all where that was made before: it would describe another file.
func (a *archive) writeFields(ctx context.Context, it ledger.Item, more map[string]string) error {
	if current, err := a.isCurrent(ctx, it); err != nil || !current {
		return err
	}
	return a.putFields(ctx, it, more)
}

// isCurrent says whether an item's version is the asset's current one. Who copies in order need not ask iconik.
func (a *archive) isCurrent(ctx context.Context, it ledger.Item) (bool, error) {
	if it.Version == it.Versions {
		return true, nil
	}
	newer, err := a.Ledger.Items(ctx, a.ref.Tenant, a.ref.Archive, it.Seq+1, it.Seq+int64(it.Versions-it.Version))
	if err != nil {
		return false, err
	}
	for _, n := range newer {
		_, tied, err := a.Ledger.Link(ctx, a.ref.Tenant, ledger.LinkVersion, n.SourceID)
		if err != nil {
			return false, err
		}
		if tied && n.AssetKey == it.AssetKey {
			asset, err := a.iconik.Assets.Get(ctx, it.AssetID, false)
			return err == nil && shows(asset, it), err
		}
	}
	return true, nil
}

// shows says whether an asset's current version is the item's.
func shows(asset *iconik.Asset, it ledger.Item) bool {
	v, ok := asset.CurrentVersion()
	return !ok || v.ID == it.VersionID
}

func (a *archive) putFields(ctx context.Context, it ledger.Item, more map[string]string) error {
	view, err := a.view(ctx, mapping.ArchiveView)
	if err != nil {
		return err
	}
	var fields map[string]string
	if err := json.Unmarshal(it.Fields, &fields); err != nil {
		return systemError("fields of file %s in the ledger: %v", it.SourceID, err)
	}
	maps.Copy(fields, more)
	if it.WrittenHash != "" || it.State != ledger.Pending && it.State != ledger.Copying {
		fields = mapping.WithCleared(mapping.ArchiveFields, fields) // it was written before, perhaps with more
	}
	if err := a.wrote(ctx); err != nil {
		return err
	}
	if err := a.iconik.Metadata.PutValues(ctx, "assets", it.AssetID, view, values(fields)); err != nil {
		return fmt.Errorf("metadata: %w", err)
	}
	return nil
}

// refresh lets title, place and metadata of an archived asset follow Frame.io. Metadata of older versions stay as
// they were archived: iconik writes those of the current version only.
func (a *archive) refresh(ctx context.Context, it ledger.Item) error {
	if it.Version == it.Versions {
		asset, err := a.iconik.Assets.Get(ctx, it.AssetID, true)
		if err != nil {
			return err
		}
		if shows(asset, it) {
			if err := a.putFields(ctx, it, map[string]string{"framebridge_checksum": checksumOf(it), "framebridge_rendition": it.Rendition}); err != nil {
				return err
			}
		}
		if err := a.follow(ctx, it, asset); err != nil {
			return err
		}
	}
	_, err := a.updateItem(ctx, it, func(i *ledger.Item) { i.WrittenHash = i.FieldsHash })
	return err
}

// follow renames and moves an asset, read with its collections, as its source was.
func (a *archive) follow(ctx context.Context, it ledger.Item, asset *iconik.Asset) error {
	kind := "file"
	if it.AssetKey != it.SourceID {
		kind = "stack"
	}
	patch := iconik.AssetPatch{Title: it.Title}
	if was, _, ours := mapping.ParseExternalID(asset.ExternalID); ours && was == kind && asset.ExternalID != mapping.ExternalID(kind, it.AssetKey) {
		patch.ExternalID = mapping.ExternalID(kind, it.AssetKey) // its source came under another id
	}
	if asset.Title != it.Title || patch.ExternalID != "" {
		if err := a.wrote(ctx); err != nil {
			return err
		}
		if _, err := a.iconik.Assets.Update(ctx, it.AssetID, patch); err != nil {
			return err
		}
	}
	want, err := a.folderCollection(ctx, it.FolderID)
	if err != nil {
		return err
	}
	if slices.Contains(asset.InCollections, want) {
		return nil
	}
	if err := a.wrote(ctx); err != nil {
		return err
	}
	if err := a.iconik.Collections.Add(ctx, want, "assets", it.AssetID); err != nil {
		return err
	}
	for _, c := range asset.InCollections { // out of the folder it was moved from, not out of people's own collections
		if _, ours, err := a.Ledger.LinkByTarget(ctx, a.ref.Tenant, ledger.LinkFolder, c); err != nil {
			return err
		} else if ours {
			if err := a.iconik.Collections.Remove(ctx, c, "assets", it.AssetID); err != nil && !rest.IsNotFound(err) {
				return err
			}
		}
	}
	return nil
}

// FailItem writes down why an item could not be copied.
func (a *Activities) FailItem(ctx context.Context, in workflows.FailItemInput) error {
	_, err := a.Ledger.UpdateItem(ctx, in.Tenant, in.Archive, in.SourceID, func(i *ledger.Item) {
		i.State, i.Fault, i.Reason = ledger.ItemFailed, in.Fault, in.Reason
	})
	return err
}
