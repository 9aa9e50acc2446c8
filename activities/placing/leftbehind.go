package placing

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/framebridge/framebridge/activities/comparing"
	"github.com/framebridge/framebridge/clients/iconik"
	"github.com/framebridge/framebridge/clients/rest"
	"github.com/framebridge/framebridge/ledger"
	"github.com/framebridge/framebridge/mapping"
	"github.com/framebridge/framebridge/proof"
)

// left is a version in iconik whose file was copied again to another place.
type left struct {
	source, asset, version, file, rendition string
	written                                 proof.Written // its fields and the asset's title as written
}

func (l left) hash() string { return strings.Join([]string{l.source, l.file, l.rendition}, "\n") }

func leftOf(k ledger.Link) left {
	parts := append(strings.Split(k.Hash, "\n"), "", "", "")
	return left{parts[0], k.Parent, k.TargetID, parts[1], parts[2], proof.ReadWritten(k.Written)}
}

// notLeft is the kind of what stays in iconik although its file is elsewhere now.
const notLeft = "left in iconik"

// Clear deletes what files that are elsewhere now have left behind in iconik, if Framebridge made it and nobody has changed it.
// Everything else stays and is reported. Nothing is deleted before its file is in its new place.
func (p Places) Clear(ctx context.Context) error {
	assets := map[string][]left{}
	for k, err := range p.Rows.AllLinks(ctx, ledger.LinkLeftBehind) {
		if err != nil {
			return err
		}
		if l := leftOf(k); l.version != "" {
			assets[l.asset] = append(assets[l.asset], l)
		}
	}
	for asset, all := range assets {
		refused, err := p.Objects.Try(ctx, func() error { return p.clear(ctx, asset, all) })
		if refused != nil {
			err = p.keep(ctx, all, "it could not be deleted: "+refused.Reason)
		}
		if err != nil {
			return err
		}
	}
	return p.ClearFolders(ctx)
}

func (p Places) clear(ctx context.Context, assetID string, all []left) error {
	asset, err := p.Iconik.Assets.Get(ctx, assetID, true)
	if iconik.Gone(asset, err) {
		return p.forget(ctx, all...)
	}
	if err != nil {
		return err
	}
	whole, unlike, err := p.whole(ctx, asset, all)
	if err != nil {
		return err
	}
	var stays []string // why each one stays
	for _, l := range all {
		ready, why, err := p.replaced(ctx, l)
		if err != nil {
			return err
		}
		switch {
		case whole && !ready:
			return nil
		case whole:
			stays = append(stays, why)
		case ready && why != "":
			err = p.keep(ctx, []left{l}, why)
		case ready:
			err = p.delete(ctx, func() error { return p.Iconik.Assets.DeleteVersion(ctx, assetID, l.version) }, l)
		}
		if err != nil {
			return err
		}
	}
	if !whole {
		return nil
	}
	if why := cmp.Or(append(stays, unlike)...); why != "" {
		return p.keepWhole(ctx, asset, all, why)
	}
	return p.delete(ctx, func() error { return p.Iconik.Assets.Delete(ctx, assetID) }, all...)
}

func (p Places) delete(ctx context.Context, call func() error, all ...left) error {
	if err := p.Changed(ctx); err != nil {
		return err
	}
	if err := call(); err != nil && !rest.IsNotFound(err) {
		return err
	}
	return p.forget(ctx, all...)
}

// replaced reports whether a version's file is in its new place, and why the version stays even so.
func (p Places) replaced(ctx context.Context, l left) (ready bool, why string, err error) {
	it, ok, err := p.Rows.Item(ctx, l.source)
	switch {
	case err != nil:
		return false, "", err
	case !ok || it.Seq == 0:
		return true, "Frame.io no longer has its file", nil
	case it.State == ledger.Skipped && l.file != "", l.rendition == "original" && it.Rendition == "proxy":
		return true, "it has the file, which Frame.io no longer provides", nil
	case it.State != ledger.Copied && it.State != ledger.ItemVerified && it.State != ledger.Skipped:
		return false, "", nil
	}
	why, err = p.touched(ctx, l, it)
	return true, why, err
}

// whole reports whether nothing of an asset is still needed, and what speaks against deleting it.
func (p Places) whole(ctx context.Context, asset *iconik.Asset, all []left) (whole bool, unlike string, err error) {
	holds, err := p.Rows.AssetHolds(ctx, asset.ID)
	if err == nil && !holds {
		holds, err = p.Rows.AssetTaken(ctx, asset.ID, "")
	}
	if err != nil || holds {
		return false, "", err
	}
	for _, v := range asset.Versions {
		ours := slices.ContainsFunc(all, func(l left) bool { return l.version == v.ID })
		if v.Deleted() || ours {
			continue
		}
		files, err := p.Iconik.Files.Files(ctx, asset.ID, v.ID)
		if err != nil && !rest.IsNotFound(err) {
			return false, "", err
		}
		if len(files) > 0 {
			return true, "it has a version that Framebridge did not make", nil
		}
	}
	title := proof.Object{{Name: comparing.Title, Value: asset.Title}}
	if slices.ContainsFunc(all, func(l left) bool { return !l.written.Left(title, comparing.Title) }) {
		return true, "its title was changed in iconik", nil
	}
	for _, c := range asset.InCollections {
		ours := false
		for _, kind := range []ledger.LinkKind{ledger.LinkFolder, ledger.LinkProject, ledger.LinkPresentation, ledger.LinkReviewLink, ledger.LinkShare, "collection"} {
			_, known, err := p.Tenant.LinkByTarget(ctx, kind, c)
			if err != nil {
				return false, "", err
			}
			ours = ours || known
		}
		if !ours {
			return true, "people have put it into another collection", nil
		}
	}
	return true, "", nil
}

// touched returns what people have changed about a version that Framebridge made, or "" for nothing.
func (p Places) touched(ctx context.Context, l left, it ledger.Item) (string, error) {
	files, err := p.Iconik.Files.Files(ctx, l.asset, l.version)
	if err != nil && !rest.IsNotFound(err) {
		return "", err
	}
	for _, f := range files {
		if !f.Deleted() && f.ID != l.file {
			return "a file was added to it in iconik", nil
		}
	}
	if changed, err := p.FieldsChanged(ctx, it, l.asset, l.version, l.written); err != nil || changed {
		return "its fields were changed in iconik", err
	}
	segments, err := p.Iconik.Segments.List(ctx, l.asset, iconik.SegmentListOptions{VersionID: l.version})
	if err != nil && !rest.IsNotFound(err) || len(segments) == 0 {
		return "", p.unlessMissing(err)
	}
	wrote, err := p.Comments(ctx, it)
	if err != nil {
		return "", err
	}
	for _, s := range segments {
		if s.Deleted() || !slices.Contains([]string{"COMMENT", "MARKER", "QC", "GENERIC"}, s.Type) { // iconik's own analysis
			continue
		}
		kind, id, ours := mapping.ParseExternalID(s.ExternalID)
		if !ours || kind != "comment" {
			return "people have commented on it in iconik", nil
		}
		at := slices.IndexFunc(wrote, func(c Comment) bool { return c.ID == id })
		if at < 0 {
			return "it has a comment that Frame.io no longer has", nil
		}
		if c := wrote[at]; !slices.Contains(c.Texts, s.Text) || s.Checked != c.Checked || !mapping.SameTime(s.StartMS, c.StartMS) || !mapping.SameTime(s.EndMS, c.EndMS) {
			return "one of its comments differs from Frame.io's", nil
		}
	}
	return "", nil
}

func (p Places) unlessMissing(err error) error {
	if rest.IsNotFound(err) {
		return nil
	}
	return err
}

func (p Places) forget(ctx context.Context, all ...left) error {
	for _, l := range all {
		if err := p.Tenant.Delete(ctx, ledger.LinkLeftBehind, l.version); err != nil {
			return err
		}
		if err := p.Rows.SetNotCarried(ctx, l.source, "left behind", nil); err != nil {
			return err
		}
	}
	return nil
}

// keepWhole leaves an asset that people have changed where it is. It changes the asset's external ID, because the asset no
// longer stands for a file or stack that may come back.
func (p Places) keepWhole(ctx context.Context, asset *iconik.Asset, all []left, why string) error {
	kind, id, ours := mapping.ParseExternalID(asset.ExternalID)
	if ours && (kind == "file" || kind == "stack") {
		if err := p.Changed(ctx); err != nil {
			return err
		}
		if _, err := p.Iconik.Assets.Update(ctx, asset.ID, iconik.AssetPatch{Title: asset.Title, ExternalID: mapping.ExternalID("former_"+kind, id)}); err != nil {
			return err
		}
	}
	return p.keep(ctx, all, why)
}

func (p Places) keep(ctx context.Context, all []left, why string) error {
	for _, l := range all {
		it, _, err := p.Rows.Item(ctx, l.source)
		if err != nil {
			return err
		}
		reason := fmt.Sprintf("version %s in iconik stays next to the new one: %s; delete it there if nobody needs it", l.version, why)
		if err := p.name(ctx, l.source, "left behind", it.Path, it.Title, reason, l.asset); err != nil {
			return err
		}
	}
	return nil
}

// name reports something that stays in iconik.
func (p Places) name(ctx context.Context, source, part, place, title, reason, asset string) error {
	return p.Rows.SetNotCarried(ctx, source, part, []ledger.NotCarried{{Object: source, Kind: notLeft, Name: title, Place: place, Reason: reason, URL: p.Iconik.AssetURL(asset)}})
}

// ClearFolders deletes the collections of folders that Frame.io no longer has, if they are empty: their contents are
// elsewhere now. Collections that hold something stay.
func (p Places) ClearFolders(ctx context.Context) error {
	gone, err := p.Rows.GoneFolders(ctx)
	if err != nil {
		return err
	}
	for _, k := range slices.Backward(gone) {
		refused, err := p.Objects.Try(ctx, func() error { return p.clearFolder(ctx, k) })
		if refused != nil {
			continue // it stays, empty
		}
		if err != nil {
			return err
		}
	}
	return nil
}

func (p Places) clearFolder(ctx context.Context, k ledger.Link) error {
	c, err := p.Iconik.Collections.Get(ctx, k.TargetID)
	if iconik.Gone(c, err) {
		return p.Tenant.Delete(ctx, ledger.LinkFolder, k.SourceID)
	}
	if err != nil || c.ExternalID != mapping.ExternalID("folder", k.SourceID) {
		return err
	}
	for o, err := range p.Iconik.Collections.AllContents(ctx, k.TargetID, "assets,collections") {
		if err != nil || !o.Deleted() {
			return err
		}
	}
	if err := p.Changed(ctx); err != nil {
		return err
	}
	if err := p.Iconik.Collections.Delete(ctx, k.TargetID); err != nil && !rest.IsNotFound(err) {
		return err
	}
	return p.Tenant.Delete(ctx, ledger.LinkFolder, k.SourceID)
}
