package archive

import (
	"context"
	"encoding/json"

	"github.com/framebridge/framebridge/activities/isolate"
	"github.com/framebridge/framebridge/clients/frameio"
	"github.com/framebridge/framebridge/clients/rest"
	"github.com/framebridge/framebridge/ledger"
	"github.com/framebridge/framebridge/plan"
)

// unlisted handles a folder whose listing is refused. The folder is gone if its parent no longer has it. Otherwise it has
// failed, and what was known of it before stays.
func (a *archive) unlisted(ctx context.Context, f ledger.Folder, scan int, r isolate.Refusal) error {
	deleted, err := a.folderDeleted(ctx, f)
	switch {
	case err != nil:
		return err
	case deleted:
		return a.ledger.FolderDeleted(ctx, f.SourceID, scan)
	}
	failure := ledger.Failure{Kind: ledger.FailedFolder, SourceID: f.SourceID, Place: f.Path, URL: folderURL(f), Scan: scan}
	if f.ParentID == "" {
		row, err := a.row(ctx)
		if err != nil {
			return err
		}
		failure.Place, failure.URL = f.Name, row.ProjectURL
	}
	r.Reason += "; what is in it, and in the folders below it, was not brought over unless an earlier run did"
	if err := a.objects.Failed(ctx, failure, r); err != nil {
		return err
	}
	return a.ledger.FolderUnlisted(ctx, f.SourceID, scan)
}

// folderURL returns a folder's page in Frame.io, if Frame.io provided it.
func folderURL(f ledger.Folder) string {
	var d details
	if json.Unmarshal([]byte(f.Details), &d) != nil {
		return ""
	}
	return d.Fields["framebridge_source_url"]
}

// folderDeleted reports whether a folder is no longer in its parent's listing. If the parent cannot be read either, the folder
// does not count as deleted.
func (a *archive) folderDeleted(ctx context.Context, f ledger.Folder) (bool, error) {
	if f.ParentID == "" {
		_, err := a.frameio.Project(ctx, a.ref.Archive)
		if rest.IsNotFound(err) {
			return false, a.noProject(ctx)
		}
		return false, isolate.Others(ctx, err)
	}
	parent, known, err := a.ledger.Folder(ctx, f.ParentID)
	if err != nil || !known { // it was removed from this scan
		return err == nil, err
	}
	for child, err := range frameio.RowsOf(ctx, "list a folder", a.frameio.Children, f.ParentID) {
		if rest.IsNotFound(err) {
			return a.folderDeleted(ctx, parent)
		}
		if err != nil {
			return false, isolate.Others(ctx, err)
		}
		if child.ID == f.SourceID {
			return false, nil
		}
	}
	return true, nil
}

// notUnderstood names an object of a folder that cannot be brought over. What was known of it before stays.
func (a *archive) notUnderstood(ctx context.Context, folder ledger.Folder, child frameio.Asset, scan int, odd error) error {
	failure := ledger.Failure{Kind: ledger.FailedFolder, SourceID: child.ID, Place: plan.JoinPath(folder.Path, child.Name), URL: child.URL, Scan: scan}
	if _, err := a.objects.TryOr(ctx, failure, func() error { return odd }); err != nil {
		return err
	}
	return a.ledger.KeepStack(ctx, child.ID, scan)
}

// versions lists a stack's versions. If the stack is refused, what was known of it before stays.
func (a *archive) versions(ctx context.Context, folder ledger.Folder, stack frameio.Asset, scan int) (versions []frameio.Asset, err error) {
	refused, err := a.objects.Try(ctx, func() (err error) {
		versions, err = a.frameio.Versions(ctx, stack)
		return err
	})
	if refused == nil {
		return versions, err
	}
	if _, err := a.frameio.Asset(ctx, stack.ID); rest.IsNotFound(err) { // deleted in the meantime
		return nil, nil
	}
	failure := ledger.Failure{Kind: ledger.FailedStack, SourceID: stack.ID, Place: plan.JoinPath(folder.Path, stack.Name), URL: stack.URL, Scan: scan}
	if err := a.objects.Failed(ctx, failure, *refused); err != nil {
		return nil, err
	}
	return nil, a.ledger.KeepStack(ctx, stack.ID, scan)
}
