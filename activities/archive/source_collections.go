package archive

import (
	"cmp"
	"context"
	"fmt"
	"strings"

	"github.com/framebridge/framebridge/activities/isolate"
	"github.com/framebridge/framebridge/clients/frameio"
	"github.com/framebridge/framebridge/clients/rest"
	"github.com/framebridge/framebridge/english"
	"github.com/framebridge/framebridge/ledger"
	"github.com/framebridge/framebridge/mapping"
)

// Links of Frame.io's collections.
const (
	linkCollections ledger.LinkKind = "collections" // the collection that holds them, per project
	linkCollection  ledger.LinkKind = "collection"
)

// copyCollections copies what exists besides the tree in V4: the project's own details, and its collections as collections of
// references under "Collections".
func (a *archive) copyCollections(ctx context.Context, row ledger.Archive, shares []frameio.Share) error {
	if err := a.objects.Clear(ctx, ledger.FailedDetails, ledger.FailedReferences); err != nil {
		return err
	}
	project := frameio.Project{ID: row.ID, RootID: row.RootID, Name: row.Name} // all that its collections need
	failure := ledger.Failure{Kind: ledger.FailedDetails, SourceID: row.ID, Place: row.Name, URL: row.ProjectURL}
	if _, err := a.objects.TryOr(ctx, failure, func() error {
		now, err := a.frameio.Project(ctx, a.ref.Archive)
		if err != nil {
			return err
		}
		project = now
		return a.writeProjectDetails(ctx, project, row.CollectionID)
	}); err != nil {
		return fmt.Errorf("the project's details: %w", err)
	}
	failure = ledger.Failure{Kind: ledger.FailedReferences, SourceID: row.ID, Place: "Collections", URL: row.ProjectURL}
	var found []frameio.Collection
	parent := ""
	listed, err := a.objects.TryOr(ctx, failure, func() (err error) {
		if found, err = a.collectionsNow(ctx); err != nil || len(found) == 0 {
			return err
		}
		if err := a.dropStaleLink(ctx, linkCollections, a.ref.Archive); err != nil {
			return err
		}
		parent, err = a.collection(ctx, placement{kind: linkCollections, source: a.ref.Archive, external: mapping.ExternalID("collections", a.ref.Archive), title: "Collections", parent: row.CollectionID})
		return err
	})
	if err != nil || !listed {
		return err
	}
	if err := a.goneCollections(ctx, found); err != nil {
		return err
	}
	for _, c := range found {
		c = withShares(c, shares)
		failure := ledger.Failure{Kind: ledger.FailedReferences, SourceID: c.ID, Place: "Collections/" + mapping.PathName(c.Name), URL: row.ProjectURL}
		if _, err := a.objects.TryOr(ctx, failure, func() error { return a.copyCollection(ctx, parent, c, project) }); err != nil {
			return fmt.Errorf("collection %q: %w", c.Name, err)
		}
	}
	return nil
}

// collectionsNow lists the collections that people created. Those that Frame.io created for a share come with the share.
func (a *archive) collectionsNow(ctx context.Context) ([]frameio.Collection, error) {
	all, err := frameio.All(ctx, "list collections", func(c frameio.Collection) string { return c.ID }, func(ctx context.Context, cursor string) (frameio.Page[frameio.Collection], error) {
		return a.frameio.Collections(ctx, a.ref.Archive, cursor)
	})
	var out []frameio.Collection
	for _, c := range all {
		if !c.OfShare {
			out = append(out, c)
		}
	}
	return out, err
}

// goneCollections reports those that Frame.io no longer has.
func (a *archive) goneCollections(ctx context.Context, now []frameio.Collection) error {
	has := map[string]bool{}
	for _, c := range now {
		has[c.ID] = true
	}
	return a.references().Gone(ctx, linkCollection, has)
}

// newCollections reports whether Frame.io has a collection that is not in iconik yet, has another name there, or has more in it.
func (a *archive) newCollections(ctx context.Context) (bool, error) {
	now, err := a.collectionsNow(ctx)
	if err != nil {
		return false, isolate.Others(ctx, err) // the list was read before, or is reported as failed
	}
	if err := a.goneCollections(ctx, now); err != nil || len(now) == 0 {
		return false, err
	}
	row, err := a.row(ctx)
	if err != nil {
		return false, err
	}
	shares, err := a.sharesNow(ctx)
	if err := isolate.Others(ctx, err); err != nil {
		return false, err
	}
	for _, c := range now {
		link, known, err := a.tenant.Ledger.Link(ctx, linkCollection, c.ID)
		if err != nil {
			return false, err
		}
		if known && link.TargetID != "" {
			if more, err := a.moreInCollection(ctx, row, withShares(c, shares), link); err != nil || more {
				return more, err
			}
			continue
		}
		_, failed, err := a.ledger.Failed(ctx, ledger.FailedReferences, c.ID)
		if err == nil && !failed { // nor did the collection that holds them all
			_, failed, err = a.ledger.Failed(ctx, ledger.FailedReferences, a.ref.Archive)
		}
		if err != nil || !failed {
			return err == nil, err
		}
	}
	return false, nil
}

// moreInCollection reports whether a collection's name or details have changed, or it has an item whose reference is not in iconik yet.
func (a *archive) moreInCollection(ctx context.Context, row ledger.Archive, c frameio.Collection, link ledger.Link) (bool, error) {
	if _, failed, err := a.ledger.Failed(ctx, ledger.FailedReferences, c.ID); err != nil || failed {
		return false, err
	}
	if _, title, ok := strings.Cut(link.Hash, "\x00"); ok && title != mapping.Title(collectionName(c)) {
		return true, nil
	}
	if said, known, err := a.tenant.Ledger.Link(ctx, linkSettings, "collection:"+c.ID); err != nil || known && said.Hash != mapping.FieldsHash(collectionFields(c))+mapping.SourceFieldsHash(nil) {
		return err == nil, err
	}
	items, known, err := a.frameio.CollectionItems(ctx, c, frameio.Project{ID: row.ID, RootID: row.RootID, Name: row.Name})
	if err != nil || !known {
		return false, isolate.Others(ctx, err) // they were read when it was copied, or are reported as unreadable
	}
	return a.newReferences(ctx, c.ID, c.Name, link.TargetID, items)
}

func collectionName(c frameio.Collection) string { return cmp.Or(c.Name, "Collection "+c.ID) }

// withShares adds to a collection the shares that show it.
func withShares(c frameio.Collection, shares []frameio.Share) frameio.Collection {
	for _, s := range shares {
		if s.CollectionID == c.ID {
			c.ShareIDs = append(c.ShareIDs, s.ID)
		}
	}
	return c
}

func (a *archive) copyCollection(ctx context.Context, parent string, c frameio.Collection, project frameio.Project) error {
	if err := a.dropStaleLink(ctx, linkCollection, c.ID); err != nil {
		return err
	}
	place, err := a.collectionPlace(ctx, c)
	if err != nil {
		return err
	}
	id, err := a.collection(ctx, placement{kind: linkCollection, source: c.ID, external: mapping.ExternalID("collection", c.ID), title: collectionName(c), parent: parent, access: place})
	if err != nil {
		return err
	}
	items, known, err := a.frameio.CollectionItems(ctx, c, project)
	if err != nil && !rest.IsNotFound(err) && rest.ClassOf(err) != rest.Forbidden {
		return err
	}
	notCarried := []ledger.NotCarried{}
	if !known || err != nil {
		why := "Frame.io's API does not say what is in it"
		if c.Dynamic {
			why = "it is filled by a rule, and Frame.io's API says neither the rule nor what is in it"
		}
		notCarried = append(notCarried, ledger.NotCarried{Object: c.ID, Kind: notCollection, Name: cmp.Or(c.Name, c.ID), Place: "Collections/" + c.Name, Reason: why + "; name, description and settings are brought over"})
	}
	shown := map[string]bool{}
	for _, item := range items {
		if err := a.reference(ctx, frameio.Share{ID: c.ID}, id, item, shown); err != nil {
			return err
		}
	}
	if len(notCarried) == 0 {
		if err := a.references().Extra(ctx, c.ID, c.Name, id, shown); err != nil {
			return err
		}
	}
	if err := a.ledger.SetNotCarried(ctx, c.ID, "collection", notCarried); err != nil {
		return err
	}
	_, err = a.writeDetails(ctx, "collection:"+c.ID, id, details{Fields: collectionFields(c), NoCustom: true})
	return err
}

// collectionFields returns a collection's own details.
func collectionFields(c frameio.Collection) map[string]string {
	in := mapping.Fields(mapping.FieldsInput{OwnerName: c.Creator.Name, OwnerEmail: c.Creator.Email, CreatedAt: c.CreatedAt})
	return map[string]string{"framebridge_source_id": c.ID, "framebridge_description": c.Description, "framebridge_settings": string(c.Source),
		"framebridge_owner": in["framebridge_owner"], "framebridge_created_at": in["framebridge_created_at"]}
}

// withReviewers adds the people invited to a secure share. A public share has no list of them.
func (a *archive) withReviewers(ctx context.Context, s frameio.Share) (frameio.Share, error) {
	if s.Settings["access"] != "secure" {
		return s, nil
	}
	who, err := a.frameio.Reviewers(ctx, s.ID)
	if rest.IsNotFound(err) || rest.ClassOf(err) == rest.Forbidden && err != nil {
		return s, a.ledger.SetNotCarried(ctx, s.ID, "reviewers", []ledger.NotCarried{{Object: s.ID, Kind: notSetting, Name: "reviewers", Place: "Presentations/" + s.Name,
			Reason: "Frame.io does not let the token read who was invited", URL: s.URL}})
	}
	if err != nil {
		return s, err
	}
	var list []map[string]string
	for _, p := range who.People {
		list = append(list, map[string]string{"name": p.Name, "email": p.Email})
	}
	if len(list) > 0 {
		s.Settings["reviewers"] = list
	}
	return s, a.ledger.SetNotCarried(ctx, s.ID, "reviewers", nil)
}

// noteShare records what is not carried of a share.
func (a *archive) noteShare(ctx context.Context, s frameio.Share) error {
	var notCarried []ledger.NotCarried
	if has, _ := s.Settings["has_password"].(bool); has || s.HasPassphrase {
		notCarried = append(notCarried, ledger.NotCarried{Object: s.ID, Kind: notSetting, Name: "passphrase", Place: "Presentations/" + s.Name, Reason: "a secret: only that there is one is brought over", URL: s.URL})
	}
	return a.ledger.SetNotCarried(ctx, s.ID, "share", notCarried)
}

// exceptions lowers an outcome of "verified" if something was not carried.
func (a *archive) exceptions(ctx context.Context, status ledger.ArchiveStatus, reason string) (ledger.ArchiveStatus, string, error) {
	counts, err := a.ledger.NotCarriedCounts(ctx)
	if err != nil || len(counts) == 0 || status != ledger.Verified && status != ledger.VerifiedWithExceptions {
		return status, reason, err
	}
	reason += "; not carried:"
	for i, k := range counts {
		if i > 0 {
			reason += ","
		}
		reason += " " + english.Count(k.Count, k.Kind)
	}
	return ledger.VerifiedWithExceptions, reason, nil
}
