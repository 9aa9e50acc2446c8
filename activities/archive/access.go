package archive

import (
	"context"

	"github.com/framebridge/framebridge/access"
	"github.com/framebridge/framebridge/activities/acls"
	"github.com/framebridge/framebridge/clients/frameio"
	"github.com/framebridge/framebridge/clients/rest"
	"github.com/framebridge/framebridge/ledger"
	"github.com/framebridge/framebridge/mapping"
)

// besideTheTree are the kinds of collections that are no folders.
var besideTheTree = []ledger.LinkKind{linkCollections, linkCollection, ledger.LinkPresentation, ledger.LinkReviewLink, ledger.LinkShare}

// readAccess writes down who may see the project.
func (a *archive) readAccess(ctx context.Context) error {
	if a.access.Mode() != access.Source {
		return a.access.ReadProject(ctx, frameio.Project{ID: a.ref.Archive})
	}
	project, err := a.frameio.Project(ctx, a.ref.Archive)
	if err != nil {
		return err
	}
	return a.access.ReadProject(ctx, project)
}

// sharePlace is the place whose access rule holds for a share's collection.
func (a *archive) sharePlace(ctx context.Context, s frameio.Share, items []frameio.ShareItem) (string, error) {
	var shown []acls.Shown
	for _, i := range items {
		shown = append(shown, acls.Shown{ID: i.AssetID, Folder: i.Kind == frameio.KindFolder})
	}
	return a.access.SharePlace(ctx, s.ID, "Presentations/"+s.Name, shown)
}

// visibleComments are a file's comments without those that are for the team only where somebody else may read the file in
// iconik, and without the replies to them. What was brought over of those before is taken away.
func (a *archive) visibleComments(ctx context.Context, it ledger.Item) ([]frameio.Comment, error) {
	all, err := a.sourceComments(ctx, it.SourceID)
	if err != nil {
		return nil, err
	}
	place, err := a.access.PlaceOf(ctx, it.FolderID)
	if err != nil {
		return nil, err
	}
	hides, err := a.access.HidesTeamOnly(ctx, place)
	if err != nil || !hides {
		return all, err
	}
	hidden := map[string]bool{}
	var out []frameio.Comment
	var lost []ledger.NotCarried
	for _, c := range all { // parents come before their replies
		if !c.TeamOnly && !hidden[c.ParentID] {
			out = append(out, c)
			continue
		}
		hidden[c.ID] = true
		lost = append(lost, ledger.NotCarried{Object: it.SourceID, Kind: "comment", Name: mapping.Excerpt(c.Text), Place: it.Path,
			Reason: "for the team only in Frame.io, and people outside the team may read the file in iconik, which hides no comments from them"})
		if err := a.takeCommentAway(ctx, it, c.ID); err != nil {
			return nil, err
		}
	}
	return out, a.ledger.SetNotCarried(ctx, it.SourceID, "team only", lost)
}

func (a *archive) takeCommentAway(ctx context.Context, it ledger.Item, comment string) error {
	link, ok, err := a.tenant.Ledger.Link(ctx, ledger.LinkComment, comment)
	if err != nil || !ok {
		return err
	}
	if link.TargetID != "" && it.AssetID != "" {
		if err := a.markChanged(ctx); err != nil {
			return err
		}
		if err := a.iconik.Segments.Delete(ctx, it.AssetID, link.TargetID); err != nil && !rest.IsNotFound(err) {
			return err
		}
	}
	return a.tenant.Ledger.Delete(ctx, ledger.LinkComment, comment)
}

// collectionPlace is the place whose rule holds for a collection that people made.
func (a *archive) collectionPlace(ctx context.Context, c frameio.Collection) (string, error) {
	if !c.Private || a.access.Mode() != access.Source {
		return "", a.access.Drop(ctx, c.ID)
	}
	return a.access.PutPrivate(ctx, c.ID, "Collections/"+c.Name, c.Creator)
}
