package activities

import (
	"context"
	"slices"
	"time"

	"github.com/framebridge/framebridge/clients/iconik"
	"github.com/framebridge/framebridge/ledger"
	"github.com/framebridge/framebridge/mapping"
)

// ensureVersion finds or makes the asset, and the version of it that stands for the item.
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
	var first iconik.Version
	id, made, err := a.once(ctx, creation{
		kind: kind, sourceID: it.AssetKey, parent: folder, settle: a.cfg.Iconik.SettleTime, lookFirst: adopting,
		look: func(ctx context.Context) (string, error) { return a.byExternalID(ctx, "assets", external) },
		make: func(ctx context.Context) (string, error) {
			asset, err := a.iconik.Assets.Create(ctx, iconik.AssetRequest{Title: it.Title, Type: assetType, ExternalID: external, CollectionID: folder})
			if err != nil {
				return "", err
			}
			first, _ = asset.CurrentVersion()
			return asset.ID, nil
		},
	})
	if err == nil && made && it.Version == 1 && first.ID != "" {
		// Saves reading the asset again; a lost ledger write only means that it is read after all.
		if _, _, err := a.Ledger.Intend(ctx, a.ref.Tenant, ledger.Link{Kind: ledger.LinkVersion, SourceID: it.SourceID, Archive: a.ref.Archive, Parent: id, IntendedAt: time.Now()}); err == nil {
			err = a.Ledger.Made(ctx, a.ref.Tenant, ledger.LinkVersion, it.SourceID, first.ID, "")
			if err != nil {
				return "", err
			}
		}
	}
	if err == nil && !made && assetType == "ASSET" {
		err = a.noPlaceholder(ctx, id)
	}
	return id, err
}

// noPlaceholder turns an asset that was made for a version without bytes into a real one.
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
	// A version of the asset that no item is tied to yet was made for this one: the newest of them, since the one that came
	// with the asset waits for the first item.
	untied := func(ctx context.Context, versions []iconik.Version, newest bool) (string, error) {
		versions = slices.Clone(versions)
		slices.SortStableFunc(versions, iconik.OlderFirst)
		if newest {
			slices.Reverse(versions)
		}
		for _, v := range versions {
			if v.Status == "DELETED" || v.Status == "DELETING" {
				continue
			}
			if _, tied, err := a.Ledger.LinkByTarget(ctx, a.ref.Tenant, ledger.LinkVersion, v.ID); err != nil || !tied {
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
	id, _, err := a.once(ctx, creation{
		kind: ledger.LinkVersion, sourceID: it.SourceID, parent: assetID, settle: storeSettle, lookFirst: it.Version == 1 || adopting,
		look: look,
		make: func(ctx context.Context) (string, error) {
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

// inOrder is the version at a place, counted from 1, oldest first, as an archive made them.
func inOrder(versions []iconik.Version, place int) string {
	versions = slices.Clone(versions)
	slices.SortStableFunc(versions, iconik.OlderFirst)
	if place > len(versions) || versions[place-1].Status == "DELETED" || versions[place-1].Status == "DELETING" {
		return ""
	}
	return versions[place-1].ID
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
