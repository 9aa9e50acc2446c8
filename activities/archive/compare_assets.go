package archive

import (
	"context"
	"slices"

	"github.com/framebridge/framebridge/activities/comparing"
	"github.com/framebridge/framebridge/activities/placing"
	"github.com/framebridge/framebridge/clients/iconik"
	"github.com/framebridge/framebridge/ledger"
	"github.com/framebridge/framebridge/mapping"
	"github.com/framebridge/framebridge/proof"
)

// placedAsset is an item's asset with the title and collection that it should have, and the differences.
type placedAsset struct {
	collection string
	link       ledger.Link
	before     proof.Written
	now        proof.Object
	found      []proof.Difference
}

// placedAsset compares an asset with its source. The asset must have been read with its collections.
func (a *archive) placedAsset(ctx context.Context, it ledger.Item, asset *iconik.Asset) (at placedAsset, err error) {
	if at.collection, err = a.folderCollection(ctx, it.FolderID); err != nil {
		return at, err
	}
	if at.link, _, err = a.tenant.Ledger.Link(ctx, assetKind(it), it.AssetKey); err != nil {
		return at, err
	}
	at.before, at.now = proof.ReadWritten(at.link.Written), comparing.WantedAsset(it.Title, at.collection)
	changed := it.FieldsHash != it.WrittenHash
	if at.link.Written != "" {
		changed = !at.before.Is(comparing.Title, it.Title) || !at.before.Is(comparing.InFolder, at.collection)
	}
	at.found = proof.Compare(at.now, comparing.FoundAsset(asset, at.collection, at.before), at.before, changed)
	return at, nil
}

// assetOfItem returns where findings on an item's asset are recorded.
func (a *archive) assetOfItem(it ledger.Item) comparing.Place {
	return comparing.Place{Object: it.SourceID, Part: "asset", Path: it.Path, URL: a.iconik.AssetURL(it.AssetID)}
}

// compareAsset compares the name and place of the asset of an item, which is its newest version, and the order of its versions.
func (a *archive) compareAsset(ctx context.Context, it ledger.Item, asset *iconik.Asset) error {
	at, err := a.placedAsset(ctx, it, asset)
	if err != nil {
		return err
	}
	if comparing.Stale(at.found) || a.findings.Restores && len(at.found) > 0 {
		if err := a.syncTitleAndFolder(ctx, it, asset); err != nil {
			return err
		}
		at.found = slices.DeleteFunc(at.found, func(d proof.Difference) bool { return a.findings.Restores && d.Kind == proof.Changed })
	}
	rows := comparing.InWords(comparing.Differences("", at.found), mapping.ParentPath(it.Path))
	versions, err := a.ledger.Items(ctx, it.Seq-int64(it.Version-1), it.Seq)
	if err != nil {
		return err
	}
	found, err := a.leftovers(nil).Versions(ctx, asset, slices.DeleteFunc(versions, func(v ledger.Item) bool { return v.AssetKey != it.AssetKey }))
	if err != nil {
		return err
	}
	if _, kept, err := a.tenant.Ledger.Link(ctx, placing.LinkOrderKept, it.AssetKey); err != nil {
		return err
	} else if kept { // it is reported separately
		found = slices.DeleteFunc(found, func(d ledger.Difference) bool { return d.Property == comparing.Order })
	}
	return a.findings.Set(ctx, a.assetOfItem(it), append(rows, found...))
}

// compareFields compares the fields of a file's or stack's asset as listed by iconik's index. Because the index lags,
// differences are confirmed by reading the store.
func (a *archive) compareFields(ctx context.Context, o iconik.Object, key string) error {
	it, ok, err := a.ledger.ItemOfAsset(ctx, key)
	written := it.State == ledger.Copied || it.State == ledger.ItemVerified || it.State == ledger.Skipped
	if err == nil && ok && it.Seq == 0 && it.AssetID == o.ID { // so are all its versions
		if ours, err := a.ledger.Reclaimed(ctx, it.SourceID); err != nil || ours { // deleted on purpose
			return err
		}
		where, err := a.leftovers(nil).Where(ctx, it.SourceID)
		if err != nil {
			return err
		}
		return a.findings.Set(ctx, comparing.Place{Object: key, Part: comparing.PartFields, Path: it.Path, URL: a.iconik.AssetURL(o.ID)},
			[]ledger.Difference{{Kind: ledger.DifferenceExtra, Property: "file", Frameio: where, Iconik: o.Title}})
	}
	if err != nil || !ok || it.AssetID != o.ID || !written || it.FieldsHash != it.WrittenHash {
		return err
	}
	if now, ok := (&iconik.Asset{Versions: o.Versions}).CurrentVersion(); ok && now.ID != it.VersionID { // its fields describe another file
		return nil
	}
	var copied map[string]string
	if it.State != ledger.Skipped {
		copied = copiedFields(it)
	}
	if it.FieldsOwed { // a newer version was current until now
		_, err := a.putFields(ctx, it, copied, nil)
		return err
	}
	want, err := comparing.WantedFields(ctx, a.tenant, it, copied)
	if err != nil {
		return err
	}
	before := proof.ReadWritten(it.FieldsWritten)
	indexed := func(name string) []string { return comparing.Indexed(o.Metadata, name) }
	if o.Metadata != nil && len(comparing.CompareFields(want, indexed, before, false)) == 0 {
		return nil
	}
	stored, err := a.storedFields(want, func(view string) (map[string][]string, error) {
		return a.iconik.Metadata.Values(ctx, "assets", o.ID, view)
	})
	if err != nil {
		return err
	}
	rows, at := comparing.FieldDifferences(want, comparing.CompareFields(want, comparing.In(stored), before, false)), a.assetOfItem(it)
	at.Part = comparing.PartFields
	if len(rows) == 0 || !a.findings.Restores {
		return a.findings.Set(ctx, at, rows)
	}
	now, err := a.putFields(ctx, it, copied, nil)
	if err != nil {
		return err
	}
	if _, err := a.updateItem(ctx, it, func(i *ledger.Item) { i.FieldsWritten = now }); err != nil {
		return err
	}
	return a.findings.Restored(ctx, at, rows)
}

// compareOlder compares the fields of an asset's older version. iconik only writes those of the current version, so differences
// are reported whatever is configured.
func (a *archive) compareOlder(ctx context.Context, it ledger.Item) error {
	before := proof.ReadWritten(it.FieldsWritten)
	if !before.Fields { // written by an older release that did not record this, or not at all
		return nil
	}
	var copied map[string]string
	if it.State != ledger.Skipped {
		copied = copiedFields(it)
	}
	want, err := comparing.WantedFields(ctx, a.tenant, it, copied)
	if err != nil {
		return err
	}
	stored, err := a.storedFields(want, func(view string) (map[string][]string, error) {
		return a.iconik.Metadata.VersionValues(ctx, it.AssetID, it.VersionID, view)
	})
	if err != nil {
		return err
	}
	at := a.assetOfItem(it)
	at.Part = "older version"
	found := append(comparing.CompareFields(want, comparing.In(stored), before, false), comparing.SaidSince(want, comparing.In(stored), before)...)
	return a.findings.Set(ctx, at, comparing.FieldDifferences(want, found))
}

// copiedFields returns the fields that copying a file's bytes adds.
func copiedFields(it ledger.Item) map[string]string {
	return map[string]string{"framebridge_checksum": comparing.Checksum(it), "framebridge_rendition": it.Rendition}
}
