package archive

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/framebridge/framebridge/activities/acls"
	"github.com/framebridge/framebridge/activities/comparing"
	"github.com/framebridge/framebridge/activities/fault"
	"github.com/framebridge/framebridge/activities/tenant"
	"github.com/framebridge/framebridge/clients/frameio"
	"github.com/framebridge/framebridge/clients/iconik"
	"github.com/framebridge/framebridge/ledger"
	"github.com/framebridge/framebridge/mapping"
	"github.com/framebridge/framebridge/plan"
	"github.com/framebridge/framebridge/proof"
	"github.com/framebridge/framebridge/workflows"
)

// OpenVersion creates the version's asset, format, file set and file in iconik, and the upload session of a large file. It
// decides what to do with a file that has no original.
func (a *Activities) OpenVersion(ctx context.Context, in workflows.OpenVersionInput) (workflows.OpenVersionResult, error) {
	nothing := workflows.OpenVersionResult{Do: workflows.DoNothing}
	arc, err := a.archive(in.Ref)
	if err != nil {
		return nothing, err
	}
	it, err := arc.item(ctx, in.SourceID)
	if err != nil {
		return nothing, err
	}
	if err := arc.stillThere(ctx, ""); err != nil {
		return nothing, err
	}
	return arc.openVersion(ctx, it, in)
}

func (a *archive) openVersion(ctx context.Context, it ledger.Item, in workflows.OpenVersionInput) (workflows.OpenVersionResult, error) {
	result := func(do string) (workflows.OpenVersionResult, error) { return workflows.OpenVersionResult{Do: do}, nil }
	switch {
	case !it.NeedsCopying():
		return result(workflows.DoNothing)
	case it.State == ledger.Copied || it.State == ledger.ItemVerified:
		return workflows.OpenVersionResult{Do: workflows.DoNothing}, a.refresh(ctx, it)
	}
	var err error
	if it.State == ledger.ItemFailed {
		if it, err = a.takeUpAgain(ctx, it); err != nil {
			return workflows.OpenVersionResult{}, err
		}
	}
	if in.NoOriginal {
		if it, err = a.noOriginal(ctx, it); err != nil {
			return workflows.OpenVersionResult{}, err
		}
	}
	if in.NewUpload {
		if it, err = a.dropUpload(ctx, it); err != nil {
			return workflows.OpenVersionResult{}, err
		}
	}
	if why, err := a.heldBack(ctx, it); err != nil || why != "" {
		return workflows.OpenVersionResult{}, cmp.Or(err, fault.Content("%s", why))
	}
	d := a.decide(it)
	switch d.Do {
	case plan.Wait:
		_, err := a.updateItem(ctx, it, func(i *ledger.Item) {
			i.State, i.Reason = ledger.Pending, d.Why
			plan.NoteOriginal(i, frameio.Original(i.Original))
		})
		return workflows.OpenVersionResult{Do: workflows.DoWait}, err
	case plan.Fail:
		if _, err := a.placeholder(ctx, it); err != nil {
			return workflows.OpenVersionResult{}, err
		}
		return workflows.OpenVersionResult{}, fault.Content("%s", d.Why)
	case plan.Skip:
		return workflows.OpenVersionResult{Do: workflows.DoNothing}, a.skip(ctx, it, d.Why)
	}
	if it, err = a.ensureVersion(ctx, it, "ASSET"); err != nil {
		return workflows.OpenVersionResult{}, err
	}
	if it.State == ledger.Copying && it.Checksum != "" && it.Rendition == string(d.Rendition) {
		return result(workflows.DoClose) // all bytes were stored when the worker ended
	}
	if it, err = a.ensureFile(ctx, it, d); err != nil {
		return workflows.OpenVersionResult{}, err
	}
	return result(workflows.DoTransfer)
}

// heldBack says which older version an item waits for, or "": iconik adds a new version after all others, and keeps metadata
// only with the current one. A version that already exists does not wait.
func (a *archive) heldBack(ctx context.Context, it ledger.Item) (string, error) {
	if it.Version == 1 || it.VersionID != "" {
		return "", nil
	}
	older, err := a.ledger.Items(ctx, it.Seq-int64(it.Version-1), it.Seq-1)
	for _, o := range older {
		written := o.State == ledger.Copied || o.State == ledger.ItemVerified || o.State == ledger.Skipped || o.WrittenHash != ""
		if o.AssetKey == it.AssetKey && (o.VersionID == "" || !written) {
			return fmt.Sprintf("waits for version %d of %d, %q, which was not brought over: a retry continues with both, in their order", o.Version, o.Versions, o.Name), err
		}
	}
	return "", err
}

// takeUpAgain lets a further round of a run retry a failed item. Bytes that are stored need not be moved again, and the
// comments are read again.
func (a *archive) takeUpAgain(ctx context.Context, it ledger.Item) (ledger.Item, error) {
	return a.updateOwn(ctx, it, func(i *ledger.Item) {
		i.CommentsScan = 0
		if i.FileID != "" && i.Checksum != "" {
			i.State, i.Reason, i.Fault = ledger.Copying, "", ""
		}
	})
}

// skip records why an item's bytes are not copied.
func (a *archive) skip(ctx context.Context, it ledger.Item, why string) error {
	it, err := a.placeholder(ctx, it)
	if err == nil {
		_, err = a.updateItem(ctx, it, func(i *ledger.Item) { i.State, i.Reason, i.Rendition = ledger.Skipped, why, "" })
	}
	return err
}

// placeholder keeps the metadata and comments of a file whose bytes are not copied, in an asset of type PLACEHOLDER.
func (a *archive) placeholder(ctx context.Context, it ledger.Item) (ledger.Item, error) {
	said := it.FileID == "" && it.Rendition == "" && it.WrittenHash == it.FieldsHash && !it.FieldsOwed // by an earlier run; unchanged since
	if it.FileID != "" {
		var err error
		if it, err = a.dropUpload(ctx, it); err != nil {
			return it, err
		}
	}
	it, err := a.ensureVersion(ctx, it, "PLACEHOLDER")
	if err != nil {
		return it, err
	}
	written := ""
	if !said {
		if written, err = a.writeFields(ctx, it, nil); err != nil {
			return it, err
		}
	}
	if (it.WrittenHash != "" || it.Migrated) && it.Version == it.Versions {
		asset, err := a.iconik.Assets.Get(ctx, it.AssetID, true)
		if err != nil {
			return it, err
		}
		if err := a.syncTitleAndFolder(ctx, it, asset); err != nil {
			return it, err
		}
	}
	return a.updateItem(ctx, it, func(i *ledger.Item) {
		i.WrittenHash, i.FieldsWritten = i.FieldsHash, cmp.Or(written, i.FieldsWritten)
	})
}

// ensureVersion finds or creates the asset, and its version for the item.
func (a *archive) ensureVersion(ctx context.Context, it ledger.Item, assetType string) (ledger.Item, error) {
	if it.AssetID != "" && it.VersionID != "" {
		if assetType == "ASSET" && it.FileID == "" { // its original may have come back since it was skipped
			return it, a.noPlaceholder(ctx, it.AssetID)
		}
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
	return a.updateOwn(ctx, it, func(i *ledger.Item) { i.AssetID, i.VersionID = assetID, versionID })
}

func (a *archive) ensureAsset(ctx context.Context, it ledger.Item, assetType string) (string, error) {
	kind := assetKind(it)
	external := mapping.ExternalID(string(kind), it.AssetKey)
	folder, err := a.folderCollection(ctx, it.FolderID)
	if err != nil {
		return "", err
	}
	adopting, err := a.adopting(ctx)
	if err != nil {
		return "", err
	}
	place, err := a.access.PlaceOf(ctx, it.FolderID)
	if err != nil {
		return "", err
	}
	readers, err := a.access.New(ctx, place, true)
	if err != nil {
		return "", err
	}
	var first iconik.Version
	id, made, err := a.createOnce(ctx, tenant.Creation{
		Kind: kind, SourceID: it.AssetKey, Parent: folder, IndexLag: a.cfg.Iconik.SettleTime, FindFirst: adopting,
		Find: func(ctx context.Context) (string, error) { return a.byExternalID(ctx, "assets", external) },
		Make: func(ctx context.Context) (string, error) {
			asset, err := a.iconik.Assets.Create(ctx, iconik.AssetRequest{Title: it.Title, Type: assetType, ExternalID: external, CollectionID: folder, Access: readers})
			if err != nil {
				return "", err
			}
			first, _ = asset.CurrentVersion()
			return asset.ID, nil
		},
	})
	if err == nil {
		err = a.access.Secure(ctx, acls.Object{Type: acls.Assets, ID: id, Place: place, Name: it.Path}, made)
	}
	if err == nil && made && it.Version == 1 && first.ID != "" {
		// This saves reading the asset again. If the ledger write is lost, the asset is read after all.
		if _, _, err := a.tenant.Ledger.Intend(ctx, ledger.Link{Kind: ledger.LinkVersion, SourceID: it.SourceID, Archive: a.ref.Archive, Parent: id, IntendedAt: time.Now()}); err == nil {
			err = a.tenant.Ledger.Complete(ctx, ledger.LinkVersion, it.SourceID, first.ID, "")
			if err != nil {
				return "", err
			}
		}
	}
	if err == nil && made { // saves the newest version from reading where the asset is
		wrote := comparing.WantedAsset(it.Title, folder)
		err = a.tenant.Ledger.CompleteAs(ctx, kind, it.AssetKey, id, placedAs(it, folder), proof.Write(wrote, wrote).String())
	}
	if err != nil || made || assetType != "ASSET" {
		return id, err
	}
	if real, err := a.hasBytes(ctx, it, id); err != nil || real {
		return id, err
	}
	return id, a.noPlaceholder(ctx, id)
}

// hasBytes reports whether an older version has put a file into the asset, which made it a real one.
func (a *archive) hasBytes(ctx context.Context, it ledger.Item, assetID string) (bool, error) {
	if it.Version == 1 {
		return false, nil
	}
	older, err := a.ledger.Items(ctx, it.Seq-int64(it.Version-1), it.Seq-1)
	return slices.ContainsFunc(older, func(o ledger.Item) bool { return o.AssetKey == it.AssetKey && o.AssetID == assetID && o.FileID != "" }), err
}

// noPlaceholder turns an asset that was created for a version without bytes into a real one.
func (a *archive) noPlaceholder(ctx context.Context, assetID string) error {
	first, err := a.iconik.Assets.Get(ctx, assetID, false)
	if err != nil || first.Type != "PLACEHOLDER" {
		return err
	}
	_, err = a.iconik.Assets.Update(ctx, assetID, iconik.AssetPatch{Title: first.Title, Type: "ASSET"})
	return err
}

// ensureAssetVersion ties the item to a version of the asset. iconik creates the first version together with the asset.
func (a *archive) ensureAssetVersion(ctx context.Context, it ledger.Item, assetID string) (string, error) {
	adopting, err := a.adopting(ctx)
	if err != nil {
		return "", err
	}
	// A version that no item is tied to was created for this one. The newest of them is taken, because the one that came with
	// the asset waits for the first item.
	untied := func(ctx context.Context, versions []iconik.Version, newest bool) (string, error) {
		versions = slices.Clone(versions)
		slices.SortStableFunc(versions, iconik.OlderFirst)
		if newest {
			slices.Reverse(versions)
		}
		for _, v := range versions {
			if v.Deleted() {
				continue
			}
			if tied, err := a.tied(ctx, v.ID); err != nil || !tied {
				return v.ID, err
			}
		}
		return "", nil
	}
	look := func(ctx context.Context) (string, error) {
		asset, err := a.iconik.Assets.Get(ctx, assetID, false)
		switch {
		case err != nil:
			return "", err
		case adopting:
			return inOrder(asset.Versions, it.Version), nil
		}
		return untied(ctx, asset.Versions, it.Version > 1)
	}
	id, _, err := a.createOnce(ctx, tenant.Creation{
		Kind: ledger.LinkVersion, SourceID: it.SourceID, Parent: assetID, IndexLag: tenant.StoreLag, FindFirst: it.Version == 1 || adopting,
		Find: look,
		Make: func(ctx context.Context) (string, error) {
			versions, err := a.iconik.Assets.CreateVersion(ctx, assetID, iconik.VersionRequest{})
			if err != nil {
				return "", err
			}
			if id, err := untied(ctx, versions, true); err != nil || id != "" {
				return id, err
			}
			return look(ctx)
		},
	})
	return id, err
}

// tied reports whether a version belongs to an item, or did before the item's file was copied elsewhere.
func (a *archive) tied(ctx context.Context, version string) (bool, error) {
	for _, kind := range []ledger.LinkKind{ledger.LinkVersion, ledger.LinkLeftBehind} {
		if _, tied, err := a.tenant.Ledger.LinkByTarget(ctx, kind, version); err != nil || tied {
			return tied, err
		}
	}
	return false, nil
}

// inOrder returns the ID of the version at a position, counted from 1 with the oldest first, in the order an archive creates them.
func inOrder(versions []iconik.Version, place int) string {
	versions = slices.Clone(versions)
	slices.SortStableFunc(versions, iconik.OlderFirst)
	if place > len(versions) || versions[place-1].Deleted() {
		return ""
	}
	return versions[place-1].ID
}

func (a *archive) folderCollection(ctx context.Context, folderID string) (string, error) {
	link, ok, err := a.tenant.Ledger.Link(ctx, ledger.LinkFolder, folderID)
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
	if f, refused, err := a.ledger.Failed(ctx, ledger.FailedCollection, folderID); err != nil {
		return "", err
	} else if refused {
		return "", fault.Content("its folder %q has no collection in iconik: %s", f.Place, f.Reason)
	}
	return "", fault.System("folder %s has no collection in the ledger", folderID)
}
