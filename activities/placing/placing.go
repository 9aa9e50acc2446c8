// Package placing puts each version into the iconik asset that Frame.io's files and stacks call for, after people have stacked,
// unstacked, moved or reordered them. It gives assets to the files and stacks they stand for, has misplaced versions copied
// again, and deletes what that leaves behind.
package placing

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/framebridge/framebridge/activities/comparing"
	"github.com/framebridge/framebridge/activities/isolate"
	"github.com/framebridge/framebridge/clients/iconik"
	"github.com/framebridge/framebridge/ledger"
	"github.com/framebridge/framebridge/mapping"
	"github.com/framebridge/framebridge/placement"
	"github.com/framebridge/framebridge/proof"
)

// Places handles the placements of one archive.
type Places struct {
	Archive string
	Iconik  *iconik.Client
	Tenant  ledger.TenantLedger
	Rows    ledger.ArchiveLedger
	Objects isolate.Objects
	// Restores means that what was changed in iconik gets Frame.io's value again.
	Restores bool
	// Changed records that the run changes something in iconik.
	Changed func(ctx context.Context) error
	// Comments returns the comments that Frame.io has on an item now, as they are written to iconik.
	Comments func(ctx context.Context, it ledger.Item) ([]Comment, error)
	// FieldsChanged reports whether people have changed a version's fields since they were written.
	FieldsChanged func(ctx context.Context, it ledger.Item, asset, version string, written proof.Written) (bool, error)
}

// Comment is a comment as it is written to iconik. Texts lists its possible texts: it begins with the author if iconik has no such user.
type Comment struct {
	ID             string
	Texts          []string
	StartMS, EndMS *int64
	Checked        bool
}

// LinkOrderKept marks an asset whose versions are out of order and stay that way, and holds that order: people have changed
// what would have to be created again.
const LinkOrderKept ledger.LinkKind = "order kept"

// node is a file or stack in the ledger.
type node struct {
	placement.Node
	kind ledger.LinkKind
}

// nodes calls each for the files and stacks that have a version in the wrong place or out of order.
func (p Places) nodes(ctx context.Context, each func(node) error) error {
	var n node
	look := func() error {
		if len(n.Items) == 0 || placement.Plain(n.Node) {
			return nil
		}
		return each(n)
	}
	for at, err := range p.Rows.Placements(ctx) {
		if err != nil {
			return err
		}
		if at.AssetKey != n.Key {
			if err := look(); err != nil {
				return err
			}
			n = node{placement.Node{Key: at.AssetKey, Linked: at.Linked}, ledger.LinkFile}
			if at.AssetKey != at.SourceID {
				n.Stack, n.kind = true, ledger.LinkStack
			}
		}
		n.Items = append(n.Items, placement.Item{SourceID: at.SourceID, Asset: at.AssetID, MadeAt: at.MadeAt})
	}
	return look()
}

// plan decides where a node's versions belong, without the assets that are gone from iconik.
func (p Places) plan(ctx context.Context, n node, gone map[string]bool) (placement.Plan, error) {
	var failed error
	plan := placement.Of(n.Node, func(asset string) bool {
		if gone[asset] {
			return true
		}
		taken, err := p.Rows.AssetTaken(ctx, asset, n.Key)
		if err != nil && failed == nil {
			failed = err
		}
		return taken
	})
	if len(plan.Late) > 0 && failed == nil {
		kept, ok, err := p.Tenant.Link(ctx, LinkOrderKept, n.Key)
		if ok && kept.Hash == order(n) {
			plan.Late = nil
		}
		failed = err
	}
	return plan, failed
}

// order identifies the order of a node's versions.
func order(n node) string {
	ids := make([]string, len(n.Items))
	for i, it := range n.Items {
		ids[i] = it.SourceID
	}
	return strings.Join(ids, " ")
}

// Wrong reports whether anything is misplaced or out of order.
func (p Places) Wrong(ctx context.Context) (bool, error) {
	wrong := false
	err := p.nodes(ctx, func(n node) error {
		plan, err := p.plan(ctx, n, nil)
		wrong = wrong || !plan.Nothing()
		return err
	})
	return wrong, err
}

// Mend gives assets to the files and stacks that they stand for now, and has misplaced versions copied again.
func (p Places) Mend(ctx context.Context) error {
	return p.nodes(ctx, func(n node) error {
		refused, err := p.Objects.Try(ctx, func() error { return p.mend(ctx, n) })
		if refused == nil {
			return err
		}
		refused.Reason = "its versions in iconik: " + refused.Reason
		for _, it := range n.Items {
			if _, err := p.Rows.UpdateItem(ctx, it.SourceID, func(i *ledger.Item) { isolate.FailItem(i, *refused) }); err != nil {
				return err
			}
		}
		return nil
	})
}

func (p Places) mend(ctx context.Context, n node) error {
	gone := map[string]bool{}
	for {
		plan, err := p.plan(ctx, n, gone)
		if err != nil || plan.Nothing() {
			return err
		}
		if plan.Taken {
			there, err := p.take(ctx, n, plan.Asset)
			if err != nil {
				return err
			}
			if !there {
				gone[plan.Asset] = true
				continue
			}
		} else if plan.Asset == "" && n.Linked != "" {
			if err := p.Tenant.Delete(ctx, n.kind, n.Key); err != nil {
				return err
			}
		}
		return p.follow(ctx, n, plan)
	}
}

// take makes an asset stand for a node, with its title and external ID. It returns false if iconik no longer has the asset.
func (p Places) take(ctx context.Context, n node, assetID string) (bool, error) {
	asset, err := p.Iconik.Assets.Get(ctx, assetID, false)
	if iconik.Gone(asset, err) {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	newest, ok, err := p.Rows.Item(ctx, n.Items[len(n.Items)-1].SourceID)
	if err != nil || !ok {
		return true, err
	}
	before, err := p.written(ctx, assetID)
	if err != nil {
		return false, err
	}
	if err := p.Changed(ctx); err != nil {
		return false, err
	}
	wrote := proof.Object{{Name: comparing.Title, Value: newest.Title}}
	title, written := newest.Title, proof.Write(wrote, wrote).With(before, comparing.InFolder)
	if !p.Restores && !before.Left(proof.Object{{Name: comparing.Title, Value: asset.Title}}, comparing.Title) { // somebody has renamed it in iconik
		title, written = asset.Title, before
	}
	if _, err := p.Iconik.Assets.Update(ctx, assetID, iconik.AssetPatch{Title: title, ExternalID: mapping.ExternalID(string(n.kind), n.Key)}); err != nil {
		return false, err
	}
	return true, p.Rows.TakeAsset(ctx, n.kind, n.Key, assetID, written.String())
}

// written returns what was last written to an asset, whatever it stood for.
func (p Places) written(ctx context.Context, assetID string) (proof.Written, error) {
	for _, kind := range []ledger.LinkKind{ledger.LinkFile, ledger.LinkStack} {
		link, ok, err := p.Tenant.LinkByTarget(ctx, kind, assetID)
		if err != nil || ok {
			return proof.ReadWritten(link.Written), err
		}
	}
	return proof.Written{}, nil
}

// follow has a plan's misplaced versions copied again. Versions that are only out of order stay if people have changed one of them.
func (p Places) follow(ctx context.Context, n node, plan placement.Plan) error {
	late, err := p.mayReorder(ctx, n, plan.Late)
	if err != nil {
		return err
	}
	if !late {
		plan.Late = nil
	}
	for _, at := range slices.Concat(plan.Anew, plan.Late) {
		it, ok, err := p.Rows.Item(ctx, n.Items[at].SourceID)
		if err != nil {
			return err
		}
		if ok {
			if err := p.leave(ctx, it, slices.Contains(plan.Late, at)); err != nil {
				return fmt.Errorf("%q: %w", it.Path, err)
			}
		}
	}
	if !n.Stack {
		return nil
	}
	for _, it := range n.Items {
		if err := p.Tenant.Delete(ctx, ledger.LinkFile, it.SourceID); err != nil { // from when it stood by itself
			return err
		}
	}
	return nil
}

// mayReorder reports whether versions may be created again to fix their order: Frame.io has their files, and nobody has changed
// them in iconik.
func (p Places) mayReorder(ctx context.Context, n node, late []int) (bool, error) {
	for _, at := range late {
		it, ok, err := p.Rows.Item(ctx, n.Items[at].SourceID)
		if err != nil || !ok {
			return false, err
		}
		why := ""
		if it.Rendition == "original" && it.Original != "available" {
			why = "Frame.io does not offer its original now"
		} else if why, err = p.touched(ctx, leftBy(it), it); err != nil {
			return false, err
		}
		if why == "" {
			continue
		}
		newest := n.Items[len(n.Items)-1].SourceID
		if err := p.name(ctx, newest, "order", it.Path, it.Title, "its versions are in a different order in iconik, and stay that way: "+why, it.AssetID); err != nil {
			return false, err
		}
		if _, _, err := p.Tenant.Intend(ctx, ledger.Link{Kind: LinkOrderKept, SourceID: n.Key, Archive: p.Archive, Parent: it.AssetID, IntendedAt: time.Now()}); err != nil {
			return false, err
		}
		return false, p.Tenant.Complete(ctx, LinkOrderKept, n.Key, it.AssetID, order(n))
	}
	return true, nil
}

// leftBy returns the version that an item leaves behind.
func leftBy(it ledger.Item) left {
	return left{it.SourceID, it.AssetID, it.VersionID, it.FileID, it.Rendition, proof.ReadWritten(it.FieldsWritten)}
}

// leave has a version copied again, and records what that leaves behind.
func (p Places) leave(ctx context.Context, it ledger.Item, sameAsset bool) error {
	if it.VersionID != "" {
		l := leftBy(it)
		asset, err := p.written(ctx, it.AssetID)
		if err != nil {
			return err
		}
		if l.written.Kept != nil {
			l.written = l.written.With(asset, comparing.Title)
		}
		if _, _, err := p.Tenant.Intend(ctx, ledger.Link{Kind: ledger.LinkLeftBehind, SourceID: it.VersionID, Archive: p.Archive, Parent: it.AssetID, IntendedAt: time.Now()}); err != nil {
			return err
		}
		if err := p.Tenant.CompleteAs(ctx, ledger.LinkLeftBehind, it.VersionID, it.VersionID, l.hash(), l.written.String()); err != nil {
			return err
		}
	}
	comments, err := p.Comments(ctx, it)
	if err != nil {
		return err
	}
	for _, c := range comments {
		if err := p.Tenant.Delete(ctx, ledger.LinkComment, c.ID); err != nil {
			return err
		}
	}
	for _, form := range []string{"", ":proxy"} {
		for _, kind := range []ledger.LinkKind{ledger.LinkFileRecord, ledger.LinkFileSet, ledger.LinkFormat, ledger.LinkVersion} {
			if err := p.Tenant.Delete(ctx, kind, it.SourceID+form); err != nil {
				return err
			}
		}
	}
	_, err = p.Rows.UpdateItem(ctx, it.SourceID, func(i *ledger.Item) {
		i.State, i.Reason, i.Fault, i.Rendition = ledger.Pending, "", "", ""
		i.VersionID, i.FormatID, i.FileSetID, i.FileID, i.UploadID = "", "", "", "", ""
		i.Checksum, i.BytesDone, i.StoredSize, i.WrittenHash, i.FieldsWritten = "", 0, 0, "", ""
		i.CommentsDone, i.CommentsScan = 0, 0
		if !sameAsset {
			i.AssetID = ""
		}
	})
	return err
}
