package archive

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/framebridge/framebridge/activities/acls"
	"github.com/framebridge/framebridge/activities/comparing"
	"github.com/framebridge/framebridge/activities/fault"
	"github.com/framebridge/framebridge/activities/tenant"
	"github.com/framebridge/framebridge/clients/iconik"
	"github.com/framebridge/framebridge/ledger"
	"github.com/framebridge/framebridge/mapping"
	"github.com/framebridge/framebridge/proof"
	"github.com/framebridge/framebridge/workflows"
)

// placement is a collection as it should be. It follows Frame.io's name and place on every run.
type placement struct {
	kind     ledger.LinkKind
	source   string
	external string
	title    string
	parent   string
	access   string // the place whose access rule applies; "" is the project
	shared   bool   // another archive may have created it: look in iconik first
}

func (p placement) hash() string { return p.parent + "\x00" + p.title }

// collection finds, creates, renames or moves a collection, and lets its readers in.
func (a *archive) collection(ctx context.Context, p placement) (string, error) {
	p.title = mapping.Title(p.title)
	if p.kind == ledger.LinkTeam { // it also holds other projects
		id, _, err := a.placeCollection(ctx, p, iconik.AccessDefault)
		return id, err
	}
	if p.access == p.source || p.kind == ledger.LinkProject {
		if err := a.access.CheckAbove(ctx, p.access, p.parent); err != nil {
			return "", err
		}
	}
	readers, err := a.access.New(ctx, p.access, false)
	if err != nil {
		return "", err
	}
	id, made, err := a.placeCollection(ctx, p, readers)
	if err != nil {
		return "", err
	}
	return id, a.access.SecureReaders(ctx, acls.Object{Type: acls.Collections, ID: id, Place: p.access, Name: p.title}, made)
}

func (a *archive) placeCollection(ctx context.Context, p placement, readers iconik.NewAccess) (id string, made bool, err error) {
	link, known, err := a.tenant.Ledger.Link(ctx, p.kind, p.source)
	if err != nil {
		return "", false, err
	}
	if !known || link.TargetID == "" {
		adopting, err := a.adopting(ctx)
		if err != nil {
			return "", false, err
		}
		id, made, err := a.createOnce(ctx, tenant.Creation{
			Kind: p.kind, SourceID: p.source, Parent: p.parent, Hash: p.hash(), IndexLag: a.cfg.Iconik.SettleTime,
			FindFirst: adopting, Shared: p.shared,
			Find: func(ctx context.Context) (string, error) {
				return a.byExternalID(ctx, "collections", p.external)
			},
			Make: func(ctx context.Context) (string, error) {
				return a.newCollection(ctx, iconik.CollectionRequest{Title: p.title, ParentID: p.parent, ExternalID: p.external, Access: readers})
			},
		})
		if err != nil || made {
			return id, made, err
		}
		if p.kind == ledger.LinkProject && !known {
			if err := a.adopt(ctx, id); err != nil {
				return "", false, err
			}
		}
		// It already existed. Whether this or another installation created it, it may have another title.
		return id, false, a.place(ctx, id, p, ledger.Link{})
	}
	if link.Hash == p.hash() {
		return link.TargetID, false, nil
	}
	return link.TargetID, false, a.place(ctx, link.TargetID, p, link)
}

// place gives an existing collection the title and parent it should have. What was changed in iconik stays, unless it must be restored.
func (a *archive) place(ctx context.Context, id string, p placement, link ledger.Link) error {
	is, err := a.iconik.Collections.Get(ctx, id)
	if err != nil {
		return err
	}
	now, before := comparing.WantedCollection(p.title, p.parent), comparing.WrittenCollection(link)
	patch := iconik.CollectionPatch{Title: is.Title}
	write, left, restored := a.findings.Decide(comparing.Collection(now, is, before, link.Hash != p.hash()))
	for _, d := range write {
		if d.Property == comparing.Title {
			patch.Title = p.title
		} else {
			patch.ParentID = &p.parent
		}
	}
	if strings.HasPrefix(is.ExternalID, "frameio:") && is.ExternalID != p.external { // its source has a new ID
		patch.ExternalID = p.external
	}
	if patch != (iconik.CollectionPatch{Title: is.Title}) {
		if err := a.markChanged(ctx); err != nil {
			return err
		}
		if _, err := a.iconik.Collections.Update(ctx, id, patch); err != nil {
			return err
		}
	}
	if err := a.tenant.Ledger.CompleteAs(ctx, p.kind, p.source, id, p.hash(), proof.Write(now, now).Keeping(before, left).String()); err != nil {
		return err
	}
	return a.findings.Restored(ctx, a.collectionOfSource(p, id), comparing.CollectionInWords(comparing.Differences("", restored)))
}

// collectionOfSource returns where findings on a collection are recorded.
func (a *archive) collectionOfSource(p placement, id string) comparing.Place {
	return comparing.Place{Object: p.source, Part: comparing.PartCollection, Path: p.title, URL: a.iconik.CollectionURL(id)}
}

// compareCollection compares a collection's title and place with its source, and updates them.
func (a *archive) compareCollection(ctx context.Context, p placement, is *iconik.Collection) error {
	p.title = mapping.Title(p.title)
	link, _, err := a.tenant.Ledger.Link(ctx, p.kind, p.source)
	if err != nil || link.TargetID != is.ID {
		return err
	}
	if _, refused, err := a.ledger.Failed(ctx, ledger.FailedCollection, p.source); err != nil || refused { // it is reported separately
		return err
	}
	found := comparing.Collection(comparing.WantedCollection(p.title, p.parent), is, comparing.WrittenCollection(link), link.Hash != p.hash())
	if comparing.Stale(found) || a.findings.Restores && len(found) > 0 {
		if err := a.place(ctx, is.ID, p, link); err != nil {
			return err
		}
	}
	if a.findings.Restores || len(found) == 0 {
		return nil
	}
	return a.findings.Set(ctx, a.collectionOfSource(p, is.ID), comparing.CollectionInWords(comparing.Differences("", found)))
}

// compareBeside compares the collections of shares and of Frame.io's collections with what they were last given.
func (a *archive) compareBeside(ctx context.Context) error {
	for _, kind := range append([]ledger.LinkKind{ledger.LinkPresentations}, besideTheTree...) {
		for link, err := range a.ledger.AllLinks(ctx, kind) {
			if err != nil {
				return err
			}
			parent, title, written := strings.Cut(link.Hash, "\x00")
			if link.TargetID == "" || !written {
				continue
			}
			failure := ledger.Failure{Kind: ledger.FailedComparison, SourceID: link.SourceID, Place: title, URL: a.iconik.CollectionURL(link.TargetID)}
			if _, err := a.objects.TryOr(ctx, failure, func() error {
				is, err := a.iconik.Collections.Get(ctx, link.TargetID)
				if iconik.Gone(is, err) { // its references are missing
					return nil
				}
				if err != nil {
					return err
				}
				return a.compareCollection(ctx, placement{kind: kind, source: link.SourceID, external: is.ExternalID, title: title, parent: parent}, is)
			}); err != nil {
				return fmt.Errorf("verifying the collection %q: %w", title, err)
			}
		}
	}
	return nil
}

// placementOf returns a folder's collection as it should be. parents holds the collections of the folders before it.
func placementOf(f ledger.Folder, parents map[string]string) placement {
	return placement{kind: ledger.LinkFolder, source: f.SourceID, external: mapping.ExternalID("folder", f.SourceID), title: f.Name, parent: parents[f.ParentID], access: f.Access}
}

func (a *archive) newCollection(ctx context.Context, req iconik.CollectionRequest) (string, error) {
	c, err := a.iconik.Collections.Create(ctx, req)
	if err != nil {
		return "", err
	}
	return c.ID, nil
}

// byExternalID looks for an object of ours in iconik's search, which may lag behind writes.
func (a *archive) byExternalID(ctx context.Context, docType, external string) (string, error) {
	found, err := a.iconik.Search.ByExternalID(ctx, docType, external)
	if err != nil || len(found) == 0 {
		return "", err
	}
	return found[0].ID, nil
}

// adopting reports whether iconik had this project before the ledger did, because another installation created it or the ledger
// was lost. Every object is then looked for before it is created.
func (a *archive) adopting(ctx context.Context) (bool, error) {
	link, ok, err := a.tenant.Ledger.Link(ctx, linkAdopted, a.ref.Archive)
	return ok && link.TargetID != "", err
}

func (a *archive) adopt(ctx context.Context, collection string) error {
	_, _, err := a.tenant.Ledger.Intend(ctx, ledger.Link{Kind: linkAdopted, SourceID: a.ref.Archive, Archive: a.ref.Archive, IntendedAt: time.Now()})
	if err != nil {
		return err
	}
	return a.tenant.Ledger.Complete(ctx, linkAdopted, a.ref.Archive, collection, "")
}

// linkAdopted marks a project that its first run here found in iconik.
const linkAdopted ledger.LinkKind = "adopted"

// MakeCollections gives each folder its collection, parents first, and each file and stack the asset that stands for it. It
// needs no checkpoint: the ledger has what was created.
func (a *Activities) MakeCollections(ctx context.Context, ref workflows.Ref) error {
	arc, err := a.archive(ref)
	if err != nil {
		return err
	}
	row, err := arc.row(ctx)
	if err != nil {
		return err
	}
	if err := arc.objects.Clear(ctx, ledger.FailedCollection); err != nil {
		return err
	}
	if err := arc.access.Follow(ctx, besideTheTree...); err != nil {
		return fmt.Errorf("who may read what is there: %w", err)
	}
	parents := map[string]string{row.RootID: row.CollectionID}
	for f, err := range arc.ledger.AllFolders(ctx) {
		if err != nil {
			return err
		}
		if f.SourceID == row.RootID {
			if f.CollectionID != "" && f.CollectionID != row.CollectionID { // it was deleted: its files go into the new one
				if err := arc.ledger.FolderGone(ctx, f.SourceID); err != nil {
					return err
				}
			}
			if err := arc.ledger.SetFolderCollection(ctx, f.SourceID, row.CollectionID); err != nil {
				return err
			}
			continue
		}
		parent, ok := parents[f.ParentID]
		if !ok {
			return fault.System("folder %s has no parent in the ledger", f.SourceID)
		}
		id, err := arc.folderInto(ctx, f, parent)
		if err != nil {
			return fmt.Errorf("collection of folder %q: %w", f.Path, err)
		}
		parents[f.SourceID] = id
		if f.CollectionID != id {
			if err := arc.ledger.SetFolderCollection(ctx, f.SourceID, id); err != nil {
				return err
			}
		}
	}
	arc.job().ShowProgress(ctx, false)
	return arc.places().Mend(ctx)
}

// folderInto gives a folder its collection inside another one. If that is refused, it returns the collection that the folder had, if any.
func (a *archive) folderInto(ctx context.Context, f ledger.Folder, parent string) (id string, err error) {
	failure := ledger.Failure{Kind: ledger.FailedCollection, SourceID: f.SourceID, Place: f.Path, URL: folderURL(f)}
	made, err := a.objects.TryOr(ctx, failure, func() (err error) {
		if parent == "" {
			return fault.Content("the collection of the folder above it was refused")
		}
		id, err = a.collection(ctx, placementOf(f, map[string]string{f.ParentID: parent}))
		return err
	})
	if !made {
		return f.CollectionID, err // a collection that could not be renamed or moved
	}
	_, err = a.objects.TryOr(ctx, failure, func() error { return a.writeFolderDetails(ctx, f, id) })
	return id, err
}
