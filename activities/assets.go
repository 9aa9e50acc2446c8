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
