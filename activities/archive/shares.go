package archive

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/framebridge/framebridge/activities/comparing"
	"github.com/framebridge/framebridge/activities/isolate"
	"github.com/framebridge/framebridge/activities/tenant"
	"github.com/framebridge/framebridge/clients/frameio"
	"github.com/framebridge/framebridge/ledger"
	"github.com/framebridge/framebridge/mapping"
	"github.com/framebridge/framebridge/plan"
	"github.com/framebridge/framebridge/workflows"
)

// CopyShares creates a collection of references for each presentation, review link and share of the project.
func (a *Activities) CopyShares(ctx context.Context, ref workflows.Ref) error {
	arc, err := a.archive(ref)
	if err != nil {
		return err
	}
	if err := arc.stillThere(ctx, ""); err != nil {
		return err
	}
	row, err := arc.row(ctx)
	if err != nil {
		return err
	}
	if err := isolate.Others(ctx, arc.matchMigratedShares(ctx)); err != nil { // a list that is refused is reported below
		return fmt.Errorf("presentations: %w", err)
	}
	if err := arc.objects.Clear(ctx, ledger.FailedShare, ledger.FailedShares); err != nil {
		return err
	}
	parent := "" // the collection "Presentations"
	seen, done := 0, 0
	var shares []frameio.Share
	list := func(ctx context.Context, cursor string) (page frameio.Page[frameio.Share], err error) {
		_, err = arc.objects.TryOr(ctx, ledger.Failure{Kind: ledger.FailedShares, SourceID: ref.Archive, Place: "Presentations", URL: row.ProjectURL}, func() (err error) {
			page, err = arc.frameio.Shares(ctx, ref.Archive, cursor)
			return err
		})
		return page, err
	}
	for s, err := range frameio.Rows(ctx, "list shares", list) {
		if err != nil {
			return fmt.Errorf("presentations: %w", err)
		}
		seen++
		shares = append(shares, frameio.Share{ID: s.ID, CollectionID: s.CollectionID})
		failure := ledger.Failure{Kind: ledger.FailedShare, SourceID: s.ID, Place: "Presentations/" + mapping.PathName(s.Name), URL: s.URL}
		copied, err := arc.objects.TryOr(ctx, failure, func() (err error) {
			if parent == "" {
				if parent, err = arc.presentations(ctx, row); err != nil {
					return fmt.Errorf("the collection Presentations: %w", err)
				}
			}
			return arc.copyShare(ctx, parent, s)
		})
		if err != nil {
			return fmt.Errorf("presentation %q: %w", s.Name, err)
		}
		if copied {
			done++
		}
	}
	if _, err = arc.ledger.Update(ctx, func(r *ledger.Archive) { r.Shares, r.SharesDone = seen, done }); err != nil {
		return err
	}
	if err := arc.goneShares(ctx, shares); err != nil {
		return err
	}
	if former, known, err := arc.tenant.Ledger.Link(ctx, ledger.LinkPresentations, row.ID); err != nil {
		return err
	} else if parent == "" && known && former.TargetID != "" && former.Hash == "" { // the project has a new ID since the migration
		if _, err := arc.presentations(ctx, row); err != nil {
			return fmt.Errorf("the collection Presentations: %w", err)
		}
	}
	if err := arc.copyCollections(ctx, row, shares); err != nil {
		return err
	}
	return arc.places().Clear(ctx) // nothing refers to them now
}

// presentations finds or creates the collection that holds a collection for each share.
func (a *archive) presentations(ctx context.Context, row ledger.Archive) (string, error) {
	if err := a.dropStaleLink(ctx, ledger.LinkPresentations, row.ID); err != nil {
		return "", err
	}
	id, err := a.collection(ctx, placement{kind: ledger.LinkPresentations, source: row.ID,
		external: mapping.ExternalID("presentations", row.ID), title: "Presentations", parent: row.CollectionID})
	if err != nil {
		return "", err
	}
	_, err = a.ledger.Update(ctx, func(r *ledger.Archive) { r.PresentationsID = id })
	return id, err
}

func shareKind(k frameio.ShareKind) ledger.LinkKind {
	switch k {
	case frameio.SharePresentation:
		return ledger.LinkPresentation
	case frameio.ShareReviewLink:
		return ledger.LinkReviewLink
	}
	return ledger.LinkShare
}

func (a *archive) copyShare(ctx context.Context, parent string, s frameio.Share) error {
	if err := a.dropStaleLink(ctx, shareKind(s.Kind), s.ID); err != nil {
		return err
	}
	items, err := a.shareItems(ctx, s)
	if err != nil {
		return err
	}
	place, err := a.sharePlace(ctx, s, items)
	if err != nil {
		return err
	}
	id, err := a.collection(ctx, placement{kind: shareKind(s.Kind), source: s.ID, external: mapping.ExternalID(string(s.Kind), s.ID), title: s.Name, parent: parent, access: place})
	if err != nil {
		return err
	}
	shown := map[string]bool{} // several versions of one stack are one asset
	for _, item := range items {
		if err := a.reference(ctx, s, id, item, shown); err != nil {
			return err
		}
	}
	if err := a.references().Extra(ctx, s.ID, s.Name, id, shown); err != nil {
		return err
	}
	listed, err := plan.ShareAsListed(s)
	if err != nil {
		return err
	}
	if s, err = a.withReviewers(ctx, s); err != nil {
		return err
	}
	if err := a.noteShare(ctx, s); err != nil {
		return err
	}
	if err := a.writeSettings(ctx, s, id); err != nil {
		return err
	}
	if link, _, err := a.tenant.Ledger.Link(ctx, linkListed, plan.ShareKey(s)); err != nil || link.Hash == listed && link.TargetID == id {
		return err
	}
	if _, _, err := a.tenant.Ledger.Intend(ctx, ledger.Link{Kind: linkListed, SourceID: plan.ShareKey(s), Archive: a.ref.Archive, Parent: id, IntendedAt: time.Now()}); err != nil {
		return err
	}
	return a.tenant.Ledger.Complete(ctx, linkListed, plan.ShareKey(s), id, listed)
}

func (a *archive) shareItems(ctx context.Context, s frameio.Share) ([]frameio.ShareItem, error) {
	if s.Items != nil {
		return s.Items, nil
	}
	return frameio.All(ctx, "list a share's items", func(i frameio.ShareItem) string { return i.AssetID }, func(ctx context.Context, cursor string) (frameio.Page[frameio.ShareItem], error) {
		return a.frameio.ShareItems(ctx, s, cursor)
	})
}

// reference adds an asset, or a folder's collection, to a presentation's collection. It leaves out what the project no longer
// has; the share's settings name it.
func (a *archive) reference(ctx context.Context, s frameio.Share, collection string, item frameio.ShareItem, shown map[string]bool) error {
	objectType, target, err := a.targetOf(ctx, item)
	if err != nil || target == "" || shown[target] {
		return err
	}
	shown[target] = true
	key := s.ID + "/" + item.AssetID
	if link, ok, err := a.tenant.Ledger.Link(ctx, ledger.LinkReference, key); err != nil {
		return err
	} else if ok && (link.Parent != collection || link.TargetID != "" && link.TargetID != target) {
		// The asset or the collection was deleted in iconik and created again.
		if err := a.tenant.Ledger.Delete(ctx, ledger.LinkReference, key); err != nil {
			return err
		}
	}
	_, _, err = a.createOnce(ctx, tenant.Creation{
		Kind: ledger.LinkReference, SourceID: key, Parent: collection, IndexLag: a.cfg.Iconik.SettleTime,
		Find: func(ctx context.Context) (string, error) {
			for o, err := range a.iconik.Collections.AllContents(ctx, collection, objectType) {
				if err != nil {
					return "", err
				}
				if o.ID == target {
					return target, nil
				}
			}
			return "", nil
		},
		Make: func(ctx context.Context) (string, error) {
			err := a.iconik.Collections.Add(ctx, collection, objectType, target)
			return target, err
		},
	})
	return err
}

func (a *archive) references() comparing.References {
	return comparing.References{Iconik: a.iconik, Tenant: a.tenant.Ledger, Rows: a.ledger, Objects: a.objects, Findings: a.findings}
}

// goneShares reports the collections of shares that Frame.io no longer has, if the whole list could be read.
func (a *archive) goneShares(ctx context.Context, shares []frameio.Share) error {
	if _, failed, err := a.ledger.Failed(ctx, ledger.FailedShares, a.ref.Archive); err != nil || failed {
		return err
	}
	has := map[string]bool{}
	for _, s := range shares {
		has[s.ID] = true
	}
	for _, kind := range []ledger.LinkKind{ledger.LinkPresentation, ledger.LinkReviewLink, ledger.LinkShare} {
		if err := a.references().Gone(ctx, kind, has); err != nil {
			return err
		}
	}
	return nil
}

// sharesNow lists the project's shares in Frame.io.
func (a *archive) sharesNow(ctx context.Context) ([]frameio.Share, error) {
	return frameio.All(ctx, "list shares", func(s frameio.Share) string { return s.ID }, func(ctx context.Context, cursor string) (frameio.Page[frameio.Share], error) {
		return a.frameio.Shares(ctx, a.ref.Archive, cursor)
	})
}

// newShares reports whether Frame.io has a presentation, review link or share that has no collection yet, has a new name or settings, or
// refers to more. It records as findings what a share no longer refers to, and shares that no longer exist.
func (a *archive) newShares(ctx context.Context) (bool, error) {
	now, err := a.sharesNow(ctx)
	if err != nil {
		return false, isolate.Others(ctx, err) // the list was read before, or is reported as failed
	}
	for _, s := range now {
		link, known, err := a.tenant.Ledger.Link(ctx, shareKind(s.Kind), s.ID)
		if err != nil {
			return false, err
		}
		same, err := a.sameSettings(ctx, s)
		if err != nil {
			return false, err
		}
		if _, title, _ := strings.Cut(link.Hash, "\x00"); known && link.TargetID != "" && title == mapping.Title(s.Name) && same {
			if more, err := a.newItems(ctx, s, link.TargetID); err != nil || more {
				return more, err
			}
			continue
		}
		if _, failed, err := a.ledger.Failed(ctx, ledger.FailedShare, s.ID); err != nil || !failed {
			return err == nil, err
		}
	}
	return false, a.goneShares(ctx, now)
}

// newItems reports whether a share has an item whose reference is not in its collection yet.
func (a *archive) newItems(ctx context.Context, s frameio.Share, collection string) (bool, error) {
	items, err := a.shareItems(ctx, s)
	if err != nil {
		return false, isolate.Others(ctx, err) // they were read when it was copied, or it is reported as failed
	}
	return a.newReferences(ctx, s.ID, s.Name, collection, items)
}

// newReferences reports whether an item of a share or collection is not in its collection yet. It records as findings the
// references that no longer belong there.
func (a *archive) newReferences(ctx context.Context, id, name, collection string, items []frameio.ShareItem) (bool, error) {
	known, err := a.references().Of(ctx, id, collection)
	if err != nil {
		return false, err
	}
	shown := map[string]bool{}
	for _, item := range items {
		_, target, err := a.targetOf(ctx, item)
		if err != nil {
			return false, err
		}
		if target != "" && !known[target] {
			return true, nil
		}
		shown[target] = true
	}
	return false, a.references().Extra(ctx, id, name, collection, shown)
}

// targetOf returns what an item of a share refers to in iconik, or an empty target if the project no longer has it.
func (a *archive) targetOf(ctx context.Context, item frameio.ShareItem) (objectType, target string, err error) {
	if item.Kind != frameio.KindFolder {
		if target, err = a.references().AssetOf(ctx, item.AssetID); err != nil || target != "" {
			return "assets", target, err
		}
	}
	if item.Kind == frameio.KindFolder || item.Kind == "" {
		target, err = a.references().CollectionOf(ctx, item.AssetID)
	}
	return "collections", target, err
}

// writeSettings writes a share's dates and settings to its collection.
func (a *archive) writeSettings(ctx context.Context, s frameio.Share, collection string) error {
	fields, counted, err := plan.ShareFields(s)
	if err != nil {
		return err
	}
	_, err = a.writeDetails(ctx, plan.ShareKey(s), collection, details{Fields: fields, Counted: counted, NoCustom: true})
	return err
}

// sameSettings reports whether a share's settings are those that were brought over, as far as is known.
func (a *archive) sameSettings(ctx context.Context, s frameio.Share) (bool, error) {
	now, err := plan.ShareAsListed(s)
	if err != nil {
		return false, err
	}
	link, known, err := a.tenant.Ledger.Link(ctx, linkListed, plan.ShareKey(s))
	return !known || link.Hash == now, err
}

const (
	// linkSettings records which settings of a share were written.
	linkSettings ledger.LinkKind = "settings"
	// linkListed records how the list of shares showed one when it was brought over.
	linkListed ledger.LinkKind = "share as listed"
)
