package archive

import (
	"context"

	"github.com/framebridge/framebridge/access"
	"github.com/framebridge/framebridge/activities/acls"
	"github.com/framebridge/framebridge/clients/frameio"
	"github.com/framebridge/framebridge/ledger"
)

// besideTheTree lists the kinds of collections that are not folders.
var besideTheTree = []ledger.LinkKind{linkCollections, linkCollection, ledger.LinkPresentation, ledger.LinkReviewLink, ledger.LinkShare}

// readAccess records who may see the project.
func (a *archive) readAccess(ctx context.Context) error {
	if a.access.Mode() != access.Source {
		return a.access.ReadProject(ctx, frameio.Project{ID: a.ref.Archive})
	}
	project, err := a.project(ctx)
	if err != nil {
		return err
	}
	return a.access.ReadProject(ctx, project)
}

// sharePlace returns the place whose access rule applies to a share's collection.
func (a *archive) sharePlace(ctx context.Context, s frameio.Share, items []frameio.ShareItem) (string, error) {
	var shown []acls.Shown
	for _, i := range items {
		shown = append(shown, acls.Shown{ID: i.AssetID, Folder: i.Kind == frameio.KindFolder})
	}
	return a.access.SharePlace(ctx, s, shown)
}

// collectionPlace returns the place whose rule applies to a collection that people created.
func (a *archive) collectionPlace(ctx context.Context, c frameio.Collection) (string, error) {
	if !c.Private || a.access.Mode() != access.Source {
		return "", a.access.Drop(ctx, c.ID)
	}
	return a.access.PutPrivate(ctx, c.ID, "Collections/"+c.Name, c.Creator)
}
