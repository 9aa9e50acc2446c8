package archive

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"slices"

	"github.com/framebridge/framebridge/activities/comparing"
	"github.com/framebridge/framebridge/activities/tenant"
	"github.com/framebridge/framebridge/clients/iconik"
	"github.com/framebridge/framebridge/clients/rest"
	"github.com/framebridge/framebridge/ledger"
	"github.com/framebridge/framebridge/mapping"
	"github.com/framebridge/framebridge/proof"
	"github.com/framebridge/framebridge/workflows"
)

// CloseVersion tells iconik that the file is complete, writes its metadata and requests keyframes and a proxy.
func (a *Activities) CloseVersion(ctx context.Context, in workflows.ItemInput) error {
	arc, err := a.archive(in.Ref)
	if err != nil {
		return err
	}
	it, err := arc.item(ctx, in.SourceID)
	if err != nil {
		return err
	}
	return arc.closeVersion(ctx, it)
}

func (a *archive) closeVersion(ctx context.Context, it ledger.Item) error {
	if it.State == ledger.Copied || it.State == ledger.ItemVerified {
		return nil
	}
	if err := a.closeFile(ctx, it); err != nil {
		return err
	}
	return a.finishVersion(ctx, it)
}

// closeFile tells iconik that the bytes are complete.
func (a *archive) closeFile(ctx context.Context, it ledger.Item) error {
	size := it.StoredSize
	if _, err := a.iconik.Files.UpdateFile(ctx, it.AssetID, it.FileID, iconik.FilePatch{Status: "CLOSED", Checksum: comparing.Checksum(it), Size: &size}); err != nil {
		return fmt.Errorf("closing the file: %w", err)
	}
	return nil
}

// finishVersion does what remains for a file that is closed.
func (a *archive) finishVersion(ctx context.Context, it ledger.Item) error {
	written, err := a.writeFields(ctx, it, copiedFields(it))
	if err != nil {
		return err
	}
	if it.StoredSize > 0 {
		_, _, err := a.createOnce(ctx, tenant.Creation{Kind: ledger.LinkKeyframes, SourceID: it.FileID, Parent: it.AssetID, IndexLag: tenant.StoreLag,
			Find: func(ctx context.Context) (string, error) { return a.keyframesJob(ctx, it) },
			Make: func(ctx context.Context) (string, error) {
				job, err := a.iconik.Files.CreateKeyframes(ctx, it.AssetID, it.FileID)
				if job == "" {
					job = "none" // 204: the storage's pattern excludes this kind of file
				}
				return job, err
			}})
		if err != nil {
			return fmt.Errorf("keyframes: %w", err)
		}
	}
	if it.Version == it.Versions && (it.Versions > 1 || it.Migrated) { // the asset has the stack's current name, and the current ID
		if err := a.syncIfPlacedElsewhere(ctx, it); err != nil {
			return err
		}
	}
	_, err = a.updateItem(ctx, it, func(i *ledger.Item) {
		i.State, i.UploadID, i.WrittenHash, i.BytesDone = ledger.Copied, "", i.FieldsHash, i.StoredSize
		i.FieldsWritten = cmp.Or(written, i.FieldsWritten)
	})
	if err == nil {
		a.job().ShowProgress(ctx, false)
	}
	return err
}

// keyframesJob finds the job that an unanswered request has started. Jobs name the asset, not its version, so it ignores jobs
// that are linked to another version's file or are older than this file.
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
		if _, other, err := a.tenant.Ledger.LinkByTarget(ctx, ledger.LinkKeyframes, j.ID); err != nil {
			return "", err
		} else if !other {
			return j.ID, nil
		}
	}
	return "", nil
}

// writeFields writes the archive's metadata view. iconik keeps it with the asset's current version, so the view is written
// before the next version is created, and not at all if that already exists: it would describe another file. Values that
// somebody has changed in iconik stay. It returns what was written, for the item's row.
func (a *archive) writeFields(ctx context.Context, it ledger.Item, more map[string]string) (written string, err error) {
	current, err := a.isCurrent(ctx, it)
	if err == nil && !current {
		_, err = a.updateItem(ctx, it, func(i *ledger.Item) { i.FieldsOwed = true })
	}
	if err != nil || !current {
		return "", err
	}
	left, restored, err := a.changedFields(ctx, it, more)
	if err != nil {
		return "", err
	}
	if written, err = a.putFields(ctx, it, more, left); err != nil {
		return "", err
	}
	place := a.assetOfItem(it)
	place.Part = comparing.PartFields
	return written, a.findings.Restored(ctx, place, restored)
}

// isCurrent reports whether an item's version is the asset's current one. When versions are copied in order, it need not ask iconik.
func (a *archive) isCurrent(ctx context.Context, it ledger.Item) (bool, error) {
	if it.Version == it.Versions {
		return true, nil
	}
	newer, err := a.ledger.Items(ctx, it.Seq+1, it.Seq+int64(it.Versions-it.Version))
	if err != nil {
		return false, err
	}
	for _, n := range newer {
		_, tied, err := a.tenant.Ledger.Link(ctx, ledger.LinkVersion, n.SourceID)
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

// shows reports whether an asset's current version is the item's.
func shows(asset *iconik.Asset, it ledger.Item) bool {
	v, ok := asset.CurrentVersion()
	return !ok || v.ID == it.VersionID
}

// putFields writes an item's fields, except those named in left, and returns what iconik now has of them.
func (a *archive) putFields(ctx context.Context, it ledger.Item, more map[string]string, left []string) (written string, err error) {
	view, err := a.tenant.View(ctx, mapping.ArchiveView)
	if err != nil {
		return "", err
	}
	fields, err := comparing.ArchiveFields(it)
	if err != nil {
		return "", err
	}
	maps.Copy(fields, more)
	if it.WrittenHash != "" || it.State != ledger.Pending && it.State != ledger.Copying {
		fields = mapping.WithCleared(mapping.ArchiveFields, fields) // it was written before, perhaps with more fields
	}
	for _, name := range left {
		delete(fields, name)
	}
	if err := a.markChanged(ctx); err != nil {
		return "", err
	}
	answered, err := a.iconik.Metadata.PutValues(ctx, "assets", it.AssetID, view, tenant.Values(fields))
	if err != nil {
		return "", fmt.Errorf("metadata: %w", err)
	}
	custom, err := a.writeCustom(ctx, it, it.WrittenHash != "", left)
	if err != nil {
		return "", err
	}
	want, err := comparing.WantedFields(ctx, a.tenant, it, more)
	if err != nil {
		return "", err
	}
	all := map[string][]string{}
	maps.Copy(all, answered)
	maps.Copy(all, custom)
	now := proof.Write(comparing.FieldsOf(want, nil), comparing.Answered(want, all, nil))
	written = now.Keeping(proof.ReadWritten(it.FieldsWritten), comparing.Properties(want, left)).String()
	if !it.FieldsOwed {
		return written, nil
	}
	_, err = a.updateItem(ctx, it, func(i *ledger.Item) { i.FieldsOwed, i.FieldsWritten = false, written })
	return written, err
}

// refresh updates the title, place and metadata of an archived asset from Frame.io. The metadata of older versions stays as
// archived: iconik only writes that of the current version.
func (a *archive) refresh(ctx context.Context, it ledger.Item) error {
	wrote, written := false, ""
	if it.Version == it.Versions {
		asset, err := a.iconik.Assets.Get(ctx, it.AssetID, true)
		if err != nil {
			return err
		}
		if shows(asset, it) {
			if written, err = a.writeFields(ctx, it, copiedFields(it)); err != nil {
				return err
			}
			wrote = true
		}
		if err := a.syncTitleAndFolder(ctx, it, asset); err != nil {
			return err
		}
	}
	_, err := a.updateItem(ctx, it, func(i *ledger.Item) {
		i.WrittenHash, i.FieldsOwed, i.FieldsWritten = i.FieldsHash, !wrote, cmp.Or(written, i.FieldsWritten)
	})
	return err
}

// assetKind returns what an item's asset stands for: the file itself or its version stack.
func assetKind(it ledger.Item) ledger.LinkKind {
	if it.AssetKey != it.SourceID {
		return ledger.LinkStack
	}
	return ledger.LinkFile
}

// placedAs returns the hash of the item's link: title, collection and external ID that its asset was last given.
func placedAs(it ledger.Item, collection string) string {
	return it.Title + "\x00" + collection + "\x00" + mapping.ExternalID(string(assetKind(it)), it.AssetKey)
}

// syncIfPlacedElsewhere is syncTitleAndFolder, but does not read an asset that is known to be placed like its source.
func (a *archive) syncIfPlacedElsewhere(ctx context.Context, it ledger.Item) error {
	folder, err := a.folderCollection(ctx, it.FolderID)
	if err != nil {
		return err
	}
	link, _, err := a.tenant.Ledger.Link(ctx, assetKind(it), it.AssetKey)
	if err != nil || link.TargetID == it.AssetID && link.Hash == placedAs(it, folder) {
		return err
	}
	asset, err := a.iconik.Assets.Get(ctx, it.AssetID, true)
	if err != nil {
		return err
	}
	return a.syncTitleAndFolder(ctx, it, asset)
}

// syncTitleAndFolder renames and moves an asset the way its source was. The asset must have been read with its collections.
func (a *archive) syncTitleAndFolder(ctx context.Context, it ledger.Item, asset *iconik.Asset) error {
	at, err := a.placedAsset(ctx, it, asset)
	if err != nil {
		return err
	}
	left, restored, err := a.placeAsset(ctx, it, asset, at)
	if err != nil {
		return err
	}
	written := proof.Write(at.now, at.now).Keeping(at.before, left).String()
	if at.link.TargetID == it.AssetID && (at.link.Hash != placedAs(it, at.collection) || at.link.Written != written) {
		if err := a.tenant.Ledger.CompleteAs(ctx, assetKind(it), it.AssetKey, it.AssetID, placedAs(it, at.collection), written); err != nil {
			return err
		}
	}
	return a.findings.Restored(ctx, a.assetOfItem(it), comparing.InWords(comparing.Differences("", restored), mapping.ParentPath(it.Path)))
}

// placeAsset leaves what was changed in iconik, unless that must be restored.
func (a *archive) placeAsset(ctx context.Context, it ledger.Item, asset *iconik.Asset, at placedAsset) (left []string, restored []proof.Difference, err error) {
	kind := string(assetKind(it))
	patch, move := iconik.AssetPatch{Title: asset.Title}, false
	write, left, restored := a.findings.Decide(at.found)
	for _, d := range write {
		if d.Property == comparing.Title {
			patch.Title = it.Title
		}
		move = move || d.Property == comparing.InFolder
	}
	if was, _, ours := mapping.ParseExternalID(asset.ExternalID); ours && was == kind && asset.ExternalID != mapping.ExternalID(kind, it.AssetKey) {
		patch.ExternalID = mapping.ExternalID(kind, it.AssetKey) // its source has a new ID
	}
	if patch != (iconik.AssetPatch{Title: asset.Title}) {
		if err := a.markChanged(ctx); err != nil {
			return nil, nil, err
		}
		if _, err := a.iconik.Assets.Update(ctx, it.AssetID, patch); err != nil {
			return nil, nil, err
		}
	}
	if !move {
		return left, restored, nil
	}
	if err := a.markChanged(ctx); err != nil {
		return nil, nil, err
	}
	if err := a.iconik.Collections.Add(ctx, at.collection, "assets", it.AssetID); err != nil {
		return nil, nil, err
	}
	for _, c := range asset.InCollections { // remove it from the folder it was moved out of, but not from people's own collections
		if ours, err := a.holdsFiles(ctx, c); err != nil {
			return nil, nil, err
		} else if ours {
			if err := a.iconik.Collections.Remove(ctx, c, "assets", it.AssetID); err != nil && !rest.IsNotFound(err) {
				return nil, nil, err
			}
		}
	}
	return left, restored, nil
}

// holdsFiles reports whether a collection belongs to a folder, or to the project, whose folder is the root.
func (a *archive) holdsFiles(ctx context.Context, collection string) (bool, error) {
	for _, kind := range []ledger.LinkKind{ledger.LinkFolder, ledger.LinkProject} {
		if _, ours, err := a.tenant.Ledger.LinkByTarget(ctx, kind, collection); err != nil || ours {
			return ours, err
		}
	}
	return false, nil
}
