package acls

import (
	"context"
	"fmt"
	"strings"

	"github.com/framebridge/framebridge/access"
	"github.com/framebridge/framebridge/activities/attempt"
	"github.com/framebridge/framebridge/clients/frameio"
	"github.com/framebridge/framebridge/english"
	"github.com/framebridge/framebridge/ledger"
)

const objectsAtOnce = 1000 // whose lists are handled together

// ofItems returns the items' assets, each once.
func (k *Keeper) ofItems(ctx context.Context, items []ledger.Item) ([]Object, error) {
	seen := map[string]bool{}
	var out []Object
	for _, it := range items {
		if it.AssetID == "" || seen[it.AssetID] {
			continue
		}
		seen[it.AssetID] = true
		place, err := k.PlaceOf(ctx, it.FolderID)
		if err != nil {
			return nil, err
		}
		out = append(out, Object{Type: Assets, ID: it.AssetID, Place: place, Name: it.Path})
	}
	return out, nil
}

// LetIn lets those read the items' assets in iconik who may see them in Frame.io.
func (k *Keeper) LetIn(ctx context.Context, items []ledger.Item) error {
	if some, err := k.Any(ctx); err != nil || !some {
		return err
	}
	objects, err := k.ofItems(ctx, items)
	if err != nil {
		return err
	}
	return k.Align(ctx, objects)
}

// each calls do with everything that the archive has created in iconik, in batches. links are the kinds of objects beside the tree. Objects
// that Frame.io no longer has, and that were once given a list, come last.
func (k *Keeper) each(ctx context.Context, links []ledger.LinkKind, do func([]Object) error) error {
	seen := map[string]bool{}
	if err := k.eachThere(ctx, links, func(objects []Object) error {
		for _, o := range objects {
			seen[o.key()] = true
		}
		return do(objects)
	}); err != nil {
		return err
	}
	for after := ""; ; {
		page, next, err := k.Ledger.Links(ctx, linkAccess, after, objectsAtOnce)
		if err != nil {
			return err
		}
		var gone []Object
		for _, l := range page {
			if objectType, id, ok := strings.Cut(l.SourceID, ":"); ok && !seen[l.SourceID] {
				gone = append(gone, Object{Type: objectType, ID: id, Place: placeKept(l), Name: "what Frame.io no longer has", gone: true})
			}
		}
		if err := do(gone); err != nil {
			return err
		}
		if after = next; next == "" {
			return nil
		}
	}
}

func (k *Keeper) eachThere(ctx context.Context, links []ledger.LinkKind, do func([]Object) error) error {
	row, known, err := k.Ledger.Get(ctx)
	if err != nil || !known {
		return err
	}
	beside := []Object{{Type: Collections, ID: row.CollectionID, Name: row.Name}, {Type: Collections, ID: row.PresentationsID, Name: "Presentations"},
		{Type: Assets, ID: row.ReportAssetID, Place: k.OwnPlace(ctx, ReportPlace(row.ID)), Name: "the report"}}
	for _, kind := range links {
		for after := ""; ; {
			page, next, err := k.Ledger.Links(ctx, kind, after, objectsAtOnce)
			if err != nil {
				return err
			}
			for _, l := range page {
				beside = append(beside, Object{Type: Collections, ID: l.TargetID, Place: k.OwnPlace(ctx, l.SourceID), Name: fmt.Sprintf("%s %s", kind, l.SourceID)})
			}
			if after = next; next == "" {
				break
			}
		}
	}
	if err := do(beside); err != nil {
		return err
	}
	if err := k.eachFolder(ctx, do); err != nil {
		return err
	}
	for after := int64(0); ; {
		items, next, err := k.Ledger.ItemsPage(ctx, after, objectsAtOnce)
		if err != nil {
			return err
		}
		objects, err := k.ofItems(ctx, items)
		if err != nil {
			return err
		}
		if err := do(objects); err != nil {
			return err
		}
		if err := attempt.Stopping(ctx); err != nil {
			return err
		}
		if after = next; next == 0 {
			return nil
		}
	}
}

func (k *Keeper) eachFolder(ctx context.Context, do func([]Object) error) error {
	for after := ""; ; {
		folders, next, err := k.Ledger.Folders(ctx, after, objectsAtOnce)
		if err != nil {
			return err
		}
		var objects []Object
		for _, f := range folders {
			if f.ParentID != "" {
				objects = append(objects, Object{Type: Collections, ID: f.CollectionID, Place: f.Access, Name: f.Path})
			}
		}
		if err := do(objects); err != nil {
			return err
		}
		if after = next; next == "" {
			return nil
		}
	}
}

// Follow aligns the access to everything that exists before more is created, so that whoever lost access in Frame.io loses it
// first.
func (k *Keeper) Follow(ctx context.Context, links ...ledger.LinkKind) error {
	if some, err := k.Any(ctx); err != nil || !some {
		return err
	}
	return k.each(ctx, links, func(objects []Object) error { return k.Align(ctx, objects) })
}

// Verify compares who may read what in iconik with who may see it in Frame.io.
func (k *Keeper) Verify(ctx context.Context, links ...ledger.LinkKind) error {
	if some, err := k.Any(ctx); err != nil || !some {
		return err
	}
	me, err := k.Tenant.CurrentUser(ctx)
	if err != nil {
		return err
	}
	v := &verification{k: k, self: me.ID, at: map[string]map[string]*Found{}}
	if err := k.each(ctx, links, func(objects []Object) error { return v.check(ctx, objects) }); err != nil {
		return err
	}
	return v.end(ctx)
}

// Exceptions lowers a verdict of "verified" if somebody may read something in iconik but not see it in Frame.io, or the other way round.
func (k *Keeper) Exceptions(ctx context.Context, status ledger.ArchiveStatus, reason string) (ledger.ArchiveStatus, string, error) {
	rows, err := k.Ledger.Access(ctx)
	if err != nil || status != ledger.Verified && status != ledger.VerifiedWithExceptions {
		return status, reason, err
	}
	places := 0
	for _, r := range rows {
		if r.Part == ledger.AccessFound {
			places++
		}
	}
	if places == 0 {
		return status, reason, nil
	}
	return ledger.VerifiedWithExceptions, fmt.Sprintf("%s; access differs in %s", reason, english.Count(places, "place")), nil
}

// Shown is something in the archive that a share shows: an item's file or stack, or a folder.
type Shown struct {
	ID     string
	Folder bool
}

// SharePlace returns the place whose rule applies to the collection of a share's items: only those who may read all of the
// items may read it.
func (k *Keeper) SharePlace(ctx context.Context, s frameio.Share, items []Shown) (string, error) {
	var places []string
	for _, item := range items {
		folder := item.ID
		if !item.Folder {
			it, ok, err := k.Ledger.Item(ctx, item.ID)
			if err == nil && !ok {
				it, ok, err = k.Ledger.ItemOfAsset(ctx, item.ID)
			}
			if err != nil {
				return "", err
			}
			if ok {
				folder = it.FolderID
			}
		}
		place, err := k.PlaceOf(ctx, folder)
		if err != nil {
			return "", err
		}
		places = append(places, place)
	}
	return k.PutAll(ctx, s.ID, access.KindShare, "Presentations/"+s.Name, s.URL, places)
}

// ReportPlace names the report among an archive's places.
func ReportPlace(archive string) string { return "report:" + archive }

// PutReport records who may read the report, and returns its place. The report covers everything, so only those who may read
// everything may read it.
func (k *Keeper) PutReport(ctx context.Context) (string, error) {
	places, err := k.ClosedPlaces(ctx, ReportPlace(k.Project))
	if err != nil {
		return "", err
	}
	return k.PutAll(ctx, ReportPlace(k.Project), access.KindReport, "Report", "", places)
}

// OfGonePlace reports whether an object was given the readers of a place whose rule is gone. They need not be those who may read the rest.
func (k *Keeper) OfGonePlace(ctx context.Context, o Object) (bool, error) {
	link, known, err := k.Tenant.Ledger.Link(ctx, linkAccess, o.key())
	place := placeKept(link)
	if err != nil || !known || place == "" || place == k.Project {
		return false, err
	}
	return k.OwnPlace(ctx, place) == "", nil
}
