package comparing

import (
	"cmp"
	"context"
	"slices"
	"strings"

	"github.com/framebridge/framebridge/activities/isolate"
	"github.com/framebridge/framebridge/clients/iconik"
	"github.com/framebridge/framebridge/clients/rest"
	"github.com/framebridge/framebridge/ledger"
)

// References compares the collections of references that stand for Frame.io's shares and collections.
type References struct {
	Iconik   *iconik.Client
	Tenant   ledger.TenantLedger
	Rows     ledger.ArchiveLedger
	Objects  isolate.Objects
	Findings *Findings
}

// collection is a collection of references as it was copied, and as iconik lists it.
type collection struct {
	id     string
	wanted map[string]bool
	listed map[string]iconik.Object
	read   bool
}

// Missing reads the collections back, with one listing each. References that people have removed are forgotten, so that the next
// round creates them again. References that people have added are reported. It returns how many collections lack a reference.
func (r References) Missing(ctx context.Context) (int, error) {
	missing := map[string]bool{}
	var now collection
	for k, err := range r.Rows.AllLinks(ctx, ledger.LinkReference) {
		if err != nil {
			return 0, err
		}
		if k.TargetID == "" {
			continue
		}
		if k.Parent != now.id {
			if err := r.added(ctx, now); err != nil {
				return 0, err
			}
			if now, err = r.list(ctx, k.Parent); err != nil {
				return 0, err
			}
		}
		now.wanted[k.TargetID] = true
		if _, listed := now.listed[k.TargetID]; !now.read || listed {
			continue
		}
		there := true
		asked, err := r.Objects.TryOr(ctx, r.failure(now.id), func() (err error) {
			there, err = r.refersTo(ctx, now.id, k.TargetID)
			return err
		})
		if err != nil {
			return 0, err
		}
		if !asked || there {
			continue
		}
		missing[now.id] = true
		if err := r.Tenant.Delete(ctx, ledger.LinkReference, k.SourceID); err != nil {
			return 0, err
		}
	}
	return len(missing), r.added(ctx, now)
}

// failure returns the failure to record if a collection of references cannot be read back.
func (r References) failure(collection string) ledger.Failure {
	return ledger.Failure{Kind: ledger.FailedComparison, SourceID: "references:" + collection, Place: "Presentations and collections", URL: r.Iconik.CollectionURL(collection)}
}

// list reads what iconik's index shows of a collection.
func (r References) list(ctx context.Context, id string) (collection, error) {
	c := collection{id: id, wanted: map[string]bool{}, listed: map[string]iconik.Object{}}
	var err error
	c.read, err = r.Objects.TryOr(ctx, r.failure(id), func() error {
		for o, err := range r.Iconik.Collections.AllContents(ctx, id, "assets,collections") {
			if err != nil {
				return err
			}
			c.listed[o.ID] = o
		}
		return nil
	})
	return c, err
}

// added reports what somebody has put into a collection of references.
func (r References) added(ctx context.Context, c collection) error {
	var rows []ledger.Difference
	for id, o := range c.listed {
		if !c.read || c.wanted[id] || o.Deleted() {
			continue
		}
		rows = append(rows, ledger.Difference{Kind: ledger.DifferenceChanged, Property: Reference, Name: o.Title, Frameio: "not in it", Iconik: "in it"})
	}
	if len(rows) == 0 {
		return nil
	}
	slices.SortFunc(rows, func(x, y ledger.Difference) int { return cmp.Compare(x.Name, y.Name) })
	title := ""
	if is, err := r.Iconik.Collections.Get(ctx, c.id); err == nil { // if it cannot be read, its ID has to do
		title = is.Title
	}
	return r.Findings.Set(ctx, Place{Object: c.id, Part: PartReferences, Path: title, URL: r.Iconik.CollectionURL(c.id)}, rows)
}

// refersTo asks iconik's store, because the index that lists collections lags. A target that is gone, or that does not say
// which collections it is in, does not count as missing.
func (r References) refersTo(ctx context.Context, collection, target string) (bool, error) {
	asset, err := r.Iconik.Assets.Get(ctx, target, true)
	if err == nil {
		return asset.Deleted() || slices.Contains(asset.InCollections, collection), nil
	}
	if !rest.IsNotFound(err) {
		return false, err
	}
	c, err := r.Iconik.Collections.Get(ctx, target)
	if rest.IsNotFound(err) {
		return true, nil
	}
	if err != nil {
		return false, err
	}
	return c.Deleted() || len(c.InCollections) == 0 || slices.Contains(c.InCollections, collection), nil
}

// each calls do for the references of a share.
func (r References) each(ctx context.Context, share string, do func(source string, k ledger.Link) error) error {
	for after := share + "/"; ; {
		links, next, err := r.Rows.Links(ctx, ledger.LinkReference, after, linksPage)
		if err != nil {
			return err
		}
		for _, k := range links {
			source, of := strings.CutPrefix(k.SourceID, share+"/")
			if !of {
				return nil
			}
			if k.TargetID == "" {
				continue
			}
			if err := do(source, k); err != nil {
				return err
			}
		}
		if after = next; next == "" {
			return nil
		}
	}
}

// Of returns the IDs of what a share's collection refers to.
func (r References) Of(ctx context.Context, share, collection string) (map[string]bool, error) {
	out := map[string]bool{}
	return out, r.each(ctx, share, func(_ string, k ledger.Link) error {
		out[k.TargetID] = out[k.TargetID] || k.Parent == collection
		return nil
	})
}

// Extra reports the references of a share that Frame.io no longer has in it. shown holds the iconik IDs of those that it has.
func (r References) Extra(ctx context.Context, share, title, collection string, shown map[string]bool) error {
	var rows []ledger.Difference
	err := r.each(ctx, share, func(source string, k ledger.Link) error {
		if k.Parent != collection || shown[k.TargetID] {
			return nil
		}
		it, known, err := r.Rows.Item(ctx, source)
		if err == nil && !known { // a version stack
			it, known, err = r.Rows.ItemOfAsset(ctx, source)
		}
		if err == nil && known {
			known, err = r.Rows.Reclaimed(ctx, it.SourceID)
		}
		if err != nil || known { // deleted on purpose
			return err
		}
		folder, _, err := r.Rows.Folder(ctx, source)
		rows = append(rows, ledger.Difference{Kind: ledger.DifferenceExtra, Property: Reference, Name: cmp.Or(it.Path, folder.Path, source), Frameio: "no longer in it", Iconik: "in it"})
		return err
	})
	if err != nil {
		return err
	}
	return r.Findings.Set(ctx, Place{Object: share, Part: partShares, Path: title, URL: r.Iconik.CollectionURL(collection)}, rows)
}

// Gone reports the collections of shares that Frame.io no longer has. It forgets those that iconik no longer has either.
func (r References) Gone(ctx context.Context, kind ledger.LinkKind, has map[string]bool) error {
	for k, err := range r.Rows.AllLinks(ctx, kind) {
		if err != nil {
			return err
		}
		if k.TargetID == "" || has[k.SourceID] {
			continue
		}
		if err := r.gone(ctx, kind, k); err != nil {
			return err
		}
	}
	return nil
}

func (r References) gone(ctx context.Context, kind ledger.LinkKind, k ledger.Link) error {
	_, title, _ := strings.Cut(k.Hash, "\x00")
	rows := []ledger.Difference{{Kind: ledger.DifferenceExtra, Property: string(kind), Frameio: "deleted", Iconik: title}}
	is, err := r.Iconik.Collections.Get(ctx, k.TargetID)
	if iconik.Gone(is, err) {
		if err := r.forget(ctx, kind, k.SourceID); err != nil {
			return err
		}
		rows = nil
	} else if err := isolate.Others(ctx, err); err != nil {
		return err
	}
	return r.Findings.Set(ctx, Place{Object: k.SourceID, Part: partShares, Path: title, URL: r.Iconik.CollectionURL(k.TargetID)}, rows)
}

// forget deletes the links from a share to its collection and to what that refers to.
func (r References) forget(ctx context.Context, kind ledger.LinkKind, share string) error {
	var sources []string
	if err := r.each(ctx, share, func(source string, _ ledger.Link) error {
		sources = append(sources, source)
		return nil
	}); err != nil {
		return err
	}
	for _, source := range sources {
		if err := r.Tenant.Delete(ctx, ledger.LinkReference, share+"/"+source); err != nil {
			return err
		}
	}
	return r.Tenant.Delete(ctx, kind, share)
}

// AssetOf returns the asset that the ledger links a file or stack to, or "". A single version of a stack leads to the stack's asset.
func (r References) AssetOf(ctx context.Context, source string) (string, error) {
	if target, err := r.Linked(ctx, source, ledger.LinkFile, ledger.LinkStack); err != nil || target != "" {
		return target, err
	}
	it, ok, err := r.Rows.Item(ctx, source)
	if err != nil || !ok {
		return "", err
	}
	return it.AssetID, nil
}

// CollectionOf returns a folder's collection, or the project's for its root folder. It returns "" if there is none.
func (r References) CollectionOf(ctx context.Context, source string) (string, error) {
	if target, err := r.Linked(ctx, source, ledger.LinkFolder, ledger.LinkProject); err != nil || target != "" {
		return target, err
	}
	row, _, err := r.Rows.Get(ctx)
	if err != nil || row.RootID != source {
		return "", err
	}
	return row.CollectionID, nil
}

// Linked returns what a Frame.io object is linked to in iconik as the first of the kinds for which it is, or "".
func (r References) Linked(ctx context.Context, source string, kinds ...ledger.LinkKind) (string, error) {
	for _, kind := range kinds {
		link, ok, err := r.Tenant.Link(ctx, kind, source)
		if err != nil {
			return "", err
		}
		if ok && link.TargetID != "" {
			return link.TargetID, nil
		}
	}
	return "", nil
}

const (
	linksPage  = 500
	partShares = "shares" // what copying a share finds
)
