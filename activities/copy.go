package activities

import (
	"context"
	"encoding/json"
	"fmt"
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
	ranges, err := a.Ledger.NextRanges(ctx, in.Tenant, in.Archive, ledger.Phase(in.Phase), in.After, in.Size, in.Max)
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
	unarchiveOrAllow = "either the project was archived before the account was moved to V4, then have it unarchived there; or the token's user may not download it, then give that user the permission to download"
)

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
		_, err := a.updateItem(ctx, it, func(i *ledger.Item) { i.State, i.Reason = ledger.Pending, v.why })
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
	why := now.Original
	switch {
	case project.Archived:
		why = frameio.OriginalArchived
	case why == frameio.OriginalAvailable:
		return it, contentError("Frame.io lists an original of %d bytes but does not give it", it.Size)
	}
	return a.updateItem(ctx, it, func(i *ledger.Item) { i.Original, i.HasProxy = string(why), now.HasProxy })
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
		if err := a.follow(ctx, it); err != nil {
			return err
		}
	}
	_, err = a.updateItem(ctx, it, func(i *ledger.Item) {
		i.State, i.Reason, i.Rendition, i.WrittenHash = ledger.Skipped, why, "", i.FieldsHash
	})
	return err
}

// ensureVersion finds or makes the asset, and the version of it that stands for the item.
func (a *archive) ensureVersion(ctx context.Context, it ledger.Item, assetType string) (ledger.Item, error) {
	if it.AssetID != "" && it.VersionID != "" {
		return it, nil
	}
	assetID, err := a.ensureAsset(ctx, it, assetType)
	if err != nil {
		return it, err
	}
	versionID, err := a.ensureAssetVersion(ctx, it, assetID)
	if err != nil {
		return it, err
	}
	return a.updateItem(ctx, it, func(i *ledger.Item) { i.AssetID, i.VersionID = assetID, versionID })
}

func (a *archive) ensureAsset(ctx context.Context, it ledger.Item, assetType string) (string, error) {
	kind, external := ledger.LinkFile, mapping.ExternalID("file", it.AssetKey)
	if it.AssetKey != it.SourceID {
		kind, external = ledger.LinkStack, mapping.ExternalID("stack", it.AssetKey)
		if id, err := a.becameStack(ctx, it, external); err != nil || id != "" {
			return id, err
		}
	}
	folder, err := a.folderCollection(ctx, it.FolderID)
	if err != nil {
		return "", err
	}
	adopting, err := a.adopting(ctx)
	if err != nil {
		return "", err
	}
	id, made, err := a.once(ctx, creation{
		kind: kind, sourceID: it.AssetKey, parent: folder, settle: a.cfg.Iconik.SettleTime, lookFirst: adopting,
		look: func(ctx context.Context) (string, error) { return a.byExternalID(ctx, "assets", external) },
		make: func(ctx context.Context) (string, error) {
			asset, err := a.iconik.Assets.Create(ctx, iconik.AssetRequest{Title: it.Title, Type: assetType, ExternalID: external, CollectionID: folder})
			if err != nil {
				return "", err
			}
			if v, ok := asset.CurrentVersion(); ok && it.Version == 1 {
				// Saves reading the asset again; a lost ledger write only means that it is read after all.
				if _, _, err := a.Ledger.Intend(ctx, a.ref.Tenant, ledger.Link{Kind: ledger.LinkVersion, SourceID: it.SourceID, Archive: a.ref.Archive, Parent: asset.ID, IntendedAt: time.Now()}); err == nil {
					err = a.Ledger.Made(ctx, a.ref.Tenant, ledger.LinkVersion, it.SourceID, v.ID, "")
					if err != nil {
						return "", err
					}
				}
			}
			return asset.ID, nil
		},
	})
	if err == nil && !made && assetType == "ASSET" && it.Version > 1 {
		err = a.noPlaceholder(ctx, id)
	}
	return id, err
}

// noPlaceholder turns the asset of a stack whose first version had no bytes into a real one.
func (a *archive) noPlaceholder(ctx context.Context, assetID string) error {
	first, err := a.iconik.Assets.Get(ctx, assetID, false)
	if err != nil || first.Type != "PLACEHOLDER" {
		return err
	}
	_, err = a.iconik.Assets.Update(ctx, assetID, iconik.AssetPatch{Title: first.Title, Type: "ASSET"})
	return err
}

// becameStack finds the asset of a file that has been put into a version stack since the last run, and lets it go by
// the stack's name.
func (a *archive) becameStack(ctx context.Context, it ledger.Item, external string) (string, error) {
	if link, ok, err := a.Ledger.Link(ctx, a.ref.Tenant, ledger.LinkStack, it.AssetKey); err != nil || ok {
		return link.TargetID, err
	}
	link, ok, err := a.Ledger.Link(ctx, a.ref.Tenant, ledger.LinkFile, it.SourceID)
	if err != nil || !ok || link.TargetID == "" {
		return "", err
	}
	if err := a.wrote(ctx); err != nil {
		return "", err
	}
	if _, err := a.iconik.Assets.Update(ctx, link.TargetID, iconik.AssetPatch{Title: it.Title, ExternalID: external}); err != nil {
		return "", err
	}
	if _, _, err := a.Ledger.Intend(ctx, a.ref.Tenant, ledger.Link{Kind: ledger.LinkStack, SourceID: it.AssetKey, Archive: a.ref.Archive, Parent: link.Parent, IntendedAt: time.Now()}); err != nil {
		return "", err
	}
	return link.TargetID, a.Ledger.Made(ctx, a.ref.Tenant, ledger.LinkStack, it.AssetKey, link.TargetID, "")
}

// ensureAssetVersion ties the item to a version of the asset. iconik makes the first one with the asset.
func (a *archive) ensureAssetVersion(ctx context.Context, it ledger.Item, assetID string) (string, error) {
	adopting, err := a.adopting(ctx)
	if err != nil {
		return "", err
	}
	// A version of the asset that no item is tied to yet was made for this one.
	untied := func(ctx context.Context) (string, error) {
		asset, err := a.iconik.Assets.Get(ctx, assetID, false)
		if err != nil {
			return "", err
		}
		versions := slices.Clone(asset.Versions)
		slices.SortStableFunc(versions, iconik.OlderFirst)
		for i, v := range versions {
			if v.Status == "DELETED" || v.Status == "DELETING" {
				continue
			}
			if adopting {
				if i+1 == it.Version {
					return v.ID, nil
				}
				continue
			}
			_, tied, err := a.Ledger.LinkByTarget(ctx, a.ref.Tenant, ledger.LinkVersion, v.ID)
			if err != nil {
				return "", err
			}
			if !tied {
				return v.ID, nil
			}
		}
		return "", nil
	}
	id, _, err := a.once(ctx, creation{
		kind: ledger.LinkVersion, sourceID: it.SourceID, parent: assetID, settle: storeSettle, lookFirst: it.Version == 1 || adopting,
		look: untied,
		make: func(ctx context.Context) (string, error) {
			if it.Version == 1 {
				return "", contentError("asset %s has no version for %q", assetID, it.Name)
			}
			versions, err := a.iconik.Assets.CreateVersion(ctx, assetID, iconik.VersionRequest{})
			if err != nil {
				return "", err
			}
			for _, v := range versions {
				if _, tied, err := a.Ledger.LinkByTarget(ctx, a.ref.Tenant, ledger.LinkVersion, v.ID); err != nil {
					return "", err
				} else if !tied {
					return v.ID, nil
				}
			}
			return untied(ctx)
		},
	})
	return id, err
}

func (a *archive) folderCollection(ctx context.Context, folderID string) (string, error) {
	link, ok, err := a.Ledger.Link(ctx, a.ref.Tenant, ledger.LinkFolder, folderID)
	if err != nil {
		return "", err
	}
	if ok && link.TargetID != "" {
		return link.TargetID, nil
	}
	row, err := a.row(ctx)
	if err != nil {
		return "", err
	}
	if folderID == row.RootID {
		return row.CollectionID, nil
	}
	return "", systemError("folder %s has no collection in the ledger", folderID)
}

// ensureFile makes format, file set and file record, and for a large file the upload session.
func (a *archive) ensureFile(ctx context.Context, it ledger.Item, v verdict) (ledger.Item, error) {
	rec := record{key: it.SourceID, format: formatOriginal, size: it.Size}
	if v.rendition == frameio.RenditionProxy {
		rec = record{key: it.SourceID + ":proxy", format: formatProxy, size: -1}
	}
	row, err := a.row(ctx)
	if err != nil {
		return it, err
	}
	if rec, err = a.ensureRecord(ctx, row, it, rec); err != nil {
		return it, err
	}
	if rec.made.ID != "" {
		a.rememberUpload(rec.made)
	}
	uploadID := it.UploadID
	if uploadID == "" {
		it.FileID = rec.fileID
		if uploadID, err = a.beginUpload(ctx, it, rec.size); err != nil {
			return it, err
		}
	}
	return a.updateItem(ctx, it, func(i *ledger.Item) {
		i.State, i.Reason, i.Fault = ledger.Copying, v.why, ""
		i.Rendition, i.UploadID = string(v.rendition), uploadID
		i.FormatID, i.FileSetID, i.FileID = rec.formatID, rec.fileSetID, rec.fileID
	})
}

// record is what iconik keeps of one file: a format, a file set of it on a storage, and the file in that.
type record struct {
	key    string // of its links in the ledger
	format string
	size   int64 // bytes, -1 while unknown

	formatID, fileSetID, fileID string
	made                        iconik.File // only when this call made the file: with its upload URLs
}

// ensureRecord finds or makes format, file set and file of a version.
func (a *archive) ensureRecord(ctx context.Context, row ledger.Archive, it ledger.Item, rec record) (record, error) {
	storage, err := a.filesStorage(ctx)
	if err != nil {
		return rec, err
	}
	me, err := a.currentUser(ctx)
	if err != nil {
		return rec, err
	}
	dir := storageDir(row, it)
	rec.formatID, _, err = a.once(ctx, creation{kind: ledger.LinkFormat, sourceID: rec.key, parent: it.AssetID, settle: storeSettle,
		look: func(ctx context.Context) (string, error) {
			have, err := a.iconik.Files.Formats(ctx, it.AssetID, it.VersionID)
			return firstID(have, err, func(f iconik.Format) (string, bool) { return f.ID, f.Name == rec.format && f.Status != "DELETED" })
		},
		make: func(ctx context.Context) (string, error) {
			f, err := a.iconik.Files.CreateFormat(ctx, it.AssetID, iconik.FormatRequest{Name: rec.format, UserID: me.ID, VersionID: it.VersionID,
				StorageMethods: []string{storage.Method}, Metadata: []map[string]string{{"internet_media_type": it.MediaType}}})
			if err != nil {
				return "", err
			}
			return f.ID, nil
		}})
	if err != nil {
		return rec, fmt.Errorf("format: %w", err)
	}
	rec.fileSetID, _, err = a.once(ctx, creation{kind: ledger.LinkFileSet, sourceID: rec.key, parent: it.AssetID, settle: storeSettle,
		look: func(ctx context.Context) (string, error) {
			have, err := a.iconik.Files.FileSets(ctx, it.AssetID, it.VersionID)
			return firstID(have, err, func(f iconik.FileSet) (string, bool) {
				return f.ID, f.FormatID == rec.formatID && f.Status != "DELETED"
			})
		},
		make: func(ctx context.Context) (string, error) {
			f, err := a.iconik.Files.CreateFileSet(ctx, it.AssetID, iconik.FileSetRequest{FormatID: rec.formatID, StorageID: storage.ID,
				Name: it.Name, BaseDir: dir, VersionID: it.VersionID})
			if err != nil {
				return "", err
			}
			return f.ID, nil
		}})
	if err != nil {
		return rec, fmt.Errorf("file set: %w", err)
	}
	rec.fileID, _, err = a.once(ctx, creation{kind: ledger.LinkFileRecord, sourceID: rec.key, parent: it.AssetID, settle: storeSettle,
		look: func(ctx context.Context) (string, error) {
			have, err := a.iconik.Files.Files(ctx, it.AssetID, it.VersionID)
			return firstID(have, err, func(f iconik.File) (string, bool) {
				return f.ID, f.FileSetID == rec.fileSetID && f.Status != "DELETED"
			})
		},
		make: func(ctx context.Context) (string, error) {
			f, err := a.iconik.Files.CreateFile(ctx, it.AssetID, iconik.FileRequest{OriginalName: mapping.SafeFileName(it.Name), DirectoryPath: dir,
				Size: max(rec.size, 0), FormatID: rec.formatID, FileSetID: rec.fileSetID, StorageID: storage.ID, VersionID: it.VersionID})
			if err != nil {
				return "", err
			}
			rec.made = *f
			return f.ID, nil
		}})
	if err != nil {
		return rec, fmt.Errorf("file: %w", err)
	}
	return rec, nil
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

// storageDir is where the storage keeps a file: readable for people; iconik makes the file's own name unique.
func storageDir(row ledger.Archive, it ledger.Item) string {
	dir := "Frame.io/" + mapping.SafeFileName(row.TeamName) + "/" + mapping.SafeFileName(row.Name)
	if folder := parentPath(it.Path); folder != "" {
		dir += "/" + mapping.SafePath(folder)
	}
	return dir
}

func parentPath(path string) string {
	for i := len(path) - 1; i >= 0; i-- {
		if path[i] == '/' {
			return path[:i]
		}
	}
	return ""
}

// dropUpload gives up an upload session together with its file record, so that a new one can be opened.
func (a *archive) dropUpload(ctx context.Context, it ledger.Item) (ledger.Item, error) {
	for _, key := range []string{it.SourceID, it.SourceID + ":proxy"} {
		link, ok, err := a.Ledger.Link(ctx, a.ref.Tenant, ledger.LinkFileRecord, key)
		if err != nil {
			return it, err
		}
		if !ok || link.TargetID == "" {
			continue
		}
		if it.UploadID != "" && link.TargetID == it.FileID {
			// Best effort: the store also drops sessions that are never completed.
			if err := a.giveUp(ctx, it); err != nil {
				a.Log.InfoContext(ctx, "upload session not cleaned up", "file", it.FileID, "error", err)
			}
		}
		if err := a.iconik.Files.DeleteFile(ctx, it.AssetID, link.TargetID); err != nil && !rest.IsNotFound(err) {
			return it, err
		}
		if err := a.Ledger.Forget(ctx, a.ref.Tenant, ledger.LinkFileRecord, key); err != nil {
			return it, err
		}
	}
	return a.updateItem(ctx, it, func(i *ledger.Item) { i.UploadID, i.FileID, i.BytesDone, i.Checksum = "", "", 0, "" })
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
// before the next version is made.
func (a *archive) writeFields(ctx context.Context, it ledger.Item, more map[string]string) error {
	view, err := a.view(ctx, mapping.ArchiveView)
	if err != nil {
		return err
	}
	var fields map[string]string
	if err := json.Unmarshal(it.Fields, &fields); err != nil {
		return systemError("fields of file %s in the ledger: %v", it.SourceID, err)
	}
	for k, v := range more {
		fields[k] = v
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
		if err := a.writeFields(ctx, it, map[string]string{"framebridge_checksum": checksumOf(it), "framebridge_rendition": it.Rendition}); err != nil {
			return err
		}
		if err := a.follow(ctx, it); err != nil {
			return err
		}
	}
	_, err := a.updateItem(ctx, it, func(i *ledger.Item) { i.WrittenHash = i.FieldsHash })
	return err
}

// follow renames and moves an asset as its source was.
func (a *archive) follow(ctx context.Context, it ledger.Item) error {
	asset, err := a.iconik.Assets.Get(ctx, it.AssetID, true)
	if err != nil {
		return err
	}
	kind := "file"
	if it.AssetKey != it.SourceID {
		kind = "stack"
	}
	patch := iconik.AssetPatch{Title: it.Title}
	if was, _, ours := mapping.ParseExternalID(asset.ExternalID); ours && was == kind && asset.ExternalID != mapping.ExternalID(kind, it.AssetKey) {
		patch.ExternalID = mapping.ExternalID(kind, it.AssetKey) // its source came under another id
	}
	if asset.Title != it.Title || patch.ExternalID != "" {
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
