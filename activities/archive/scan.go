package archive

import (
	"context"
	"fmt"

	"github.com/framebridge/framebridge/activities/attempt"
	"github.com/framebridge/framebridge/activities/comments"
	"github.com/framebridge/framebridge/clients/frameio"
	"github.com/framebridge/framebridge/clients/rest"
	"github.com/framebridge/framebridge/ledger"
	"github.com/framebridge/framebridge/plan"
	"github.com/framebridge/framebridge/workflows"
)

// ScanProject reads the project's tree into the ledger, page by page. A retry continues with the page after the last one recorded.
func (a *Activities) ScanProject(ctx context.Context, in workflows.ScanInput) (workflows.ScanResult, error) {
	arc, err := a.archive(in.Ref)
	if err != nil {
		return workflows.ScanResult{}, err
	}
	row, err := arc.row(ctx)
	if err != nil {
		return workflows.ScanResult{}, err
	}
	if row, err = arc.refreshProject(ctx, row); err != nil {
		return workflows.ScanResult{}, err
	}
	if in.Compare {
		if row, err = arc.followName(ctx, row); err != nil {
			return workflows.ScanResult{}, err
		}
	}
	if err := arc.readAccess(ctx); err != nil {
		return workflows.ScanResult{}, err
	}
	scan, err := arc.ledger.BeginScan(ctx)
	if err != nil {
		return workflows.ScanResult{}, err
	}
	var none []string
	known := ledger.CommentsAsBefore
	if in.Compare {
		none, err = arc.commentCounts().None(ctx)
	} else {
		known, err = arc.commentCounts().Known(ctx, row, scan)
	}
	if err != nil {
		return workflows.ScanResult{}, err
	}
	root := ledger.Folder{SourceID: row.RootID, Name: row.Name, Scan: scan}
	if err := arc.ledger.PutFolders(ctx, []ledger.Folder{root}); err != nil {
		return workflows.ScanResult{}, err
	}
	if err := arc.scanFolders(ctx, scan, known); err != nil {
		return workflows.ScanResult{}, err
	}
	if row.Migrating {
		if err := arc.matchMigratedIDs(ctx, scan); err != nil {
			return workflows.ScanResult{}, err
		}
	}
	if err := arc.ledger.FinishScan(ctx, scan); err != nil {
		return workflows.ScanResult{}, err
	}
	if err := arc.objects.ClearOlder(ctx, scan, ledger.FailedFolder, ledger.FailedStack); err != nil {
		return workflows.ScanResult{}, err
	}
	if err := arc.commentCounts().Note(ctx); err != nil {
		return workflows.ScanResult{}, err
	}
	counts, err := arc.counts(ctx)
	if err != nil {
		return workflows.ScanResult{}, err
	}
	if !in.Compare {
		return workflows.ScanResult{Counts: counts}, nil
	}
	if err := arc.commentCounts().Judge(ctx, none); err != nil {
		return workflows.ScanResult{}, err
	}
	work, err := arc.hasWork(ctx)
	if err == nil && !work {
		work, err = arc.newShares(ctx)
	}
	if err == nil && !work {
		work, err = arc.newCollections(ctx)
	}
	return workflows.ScanResult{Counts: counts, Changed: work}, err
}

// followName records the project's current name: verification gives its collection that title.
func (a *archive) followName(ctx context.Context, row ledger.Archive) (ledger.Archive, error) {
	now, err := a.project(ctx)
	if err != nil || now.Name == row.Name {
		return row, err
	}
	return a.ledger.Update(ctx, func(r *ledger.Archive) { r.Name, r.ProjectURL = now.Name, now.URL })
}

// scanFolders reads the folders that have not been read yet, page by page. known says how to treat comments that Frame.io only
// hints at, see comments.Counts.
func (a *archive) scanFolders(ctx context.Context, scan, known int) error {
	listing := map[string]*rest.Listing{} // of the folder being read
	for {
		if err := attempt.Stopping(ctx); err != nil {
			return err
		}
		folder, err := a.ledger.NextFolder(ctx, scan)
		if err != nil {
			return err
		}
		if folder == nil {
			return nil
		}
		if listing[folder.SourceID] == nil {
			listing = map[string]*rest.Listing{folder.SourceID: frameio.Listing("list a folder")}
		}
		refused, err := a.objects.Try(ctx, func() error { return a.scanPage(ctx, *folder, listing[folder.SourceID], scan, known) })
		if refused != nil {
			err = a.unlisted(ctx, *folder, scan, *refused)
		}
		if err != nil {
			return fmt.Errorf("listing folder %q: %w", folder.Path, err)
		}
		a.job().ShowProgress(ctx, false)
	}
}

// scanPage lists one page of a folder and records it together with the position to continue from.
func (a *archive) scanPage(ctx context.Context, folder ledger.Folder, listing *rest.Listing, scan, known int) error {
	if folder.Cursor == "" {
		var err error
		if folder, err = a.access.ReadFolder(ctx, folder, scan); err != nil {
			return err
		}
	}
	page, err := a.frameio.Children(ctx, folder.SourceID, folder.Cursor)
	if err != nil {
		return err
	}
	if err := listing.Page(folder.Cursor, keys(page.Items), page.Next); err != nil {
		return err
	}
	var folders []ledger.Folder
	var items []ledger.Item
	for _, child := range page.Items {
		if odd := frameio.Understood(child); odd != nil {
			if err := a.notUnderstood(ctx, folder, child, scan, odd); err != nil {
				return err
			}
			continue
		}
		switch child.Kind {
		case frameio.KindFolder:
			path := plan.JoinPath(folder.Path, child.Name)
			place, err := a.access.Child(ctx, folder, child, path, scan)
			if err != nil {
				return err
			}
			folders = append(folders, ledger.Folder{SourceID: child.ID, ParentID: folder.SourceID, Name: child.Name,
				Path: path, Depth: folder.Depth + 1, Details: folderDetails(child, path), Access: place, Scan: scan})
		case frameio.KindStack:
			versions, err := a.versions(ctx, folder, child, scan)
			if err != nil {
				return err
			}
			for i, v := range versions {
				items = append(items, plan.Item(folder, child, v, i+1, len(versions), scan))
			}
		case frameio.KindFile:
			items = append(items, plan.Item(folder, child, child, 1, 1, scan))
		}
	}
	a.commentCounts().Listed(items, known)
	return a.ledger.PageListed(ctx, folder.SourceID, scan, page.Next, folders, items, page.Next == "")
}

func keys(assets []frameio.Asset) (ids []string) {
	for _, a := range assets {
		ids = append(ids, a.ID)
	}
	return ids
}

// hasWork reports whether the final scan has found anything that was not there before: folders, files, misplaced versions, or
// more comments. What has failed and what waits for its original do not count.
func (a *archive) hasWork(ctx context.Context) (bool, error) {
	folders, err := a.foldersWithoutCollection(ctx)
	if err != nil || folders > 0 {
		return folders > 0, err
	}
	if misplaced, err := a.places().Wrong(ctx); err != nil || misplaced {
		return misplaced, err
	}
	for _, phase := range []ledger.Phase{ledger.PhaseCopy, ledger.PhaseComments} {
		for it, err := range a.ledger.ItemsOf(ctx, phase) {
			if err != nil {
				return false, err
			}
			if phase == ledger.PhaseCopy && it.NeedsCopying() && it.State != ledger.ItemFailed || phase == ledger.PhaseComments && it.AssetID != "" && comments.AreNew(it) {
				return true, nil
			}
		}
	}
	return false, nil
}

// commentCounts returns what Frame.io counts of its files' comments.
func (a *archive) commentCounts() comments.Counts {
	return comments.Counts{Rows: a.ledger, Archive: a.cfg.Archive}
}

func (a *archive) foldersWithoutCollection(ctx context.Context) (int, error) {
	n := 0
	for f, err := range a.ledger.AllFolders(ctx) {
		if err != nil {
			return 0, err
		}
		if f.CollectionID != "" {
			continue
		}
		if _, refused, err := a.ledger.Failed(ctx, ledger.FailedCollection, f.SourceID); err != nil {
			return 0, err
		} else if !refused { // a refused one is reported separately
			n++
		}
	}
	return n, nil
}

// counts returns the ledger's totals as the workflow's type.
func (a *archive) counts(ctx context.Context) (workflows.Counts, error) {
	t, err := a.ledger.Totals(ctx)
	if err != nil {
		return workflows.Counts{}, err
	}
	row, err := a.row(ctx)
	waiting := int64(0)
	if row.Status == ledger.Waiting {
		waiting = t.Pending // the rest is done
	}
	return workflows.Counts{
		Waiting: waiting,
		Items:   t.Items, Copied: t.Copied + t.Verified, Verified: t.Verified, Skipped: t.Skipped, Failed: t.Failed + t.FailedOthers,
		Bytes: t.Bytes, BytesDone: t.BytesDone, BytesSkipped: t.BytesSkipped, Comments: t.Comments, CommentsDone: t.CommentsDone,
		Folders: int64(row.Folders), Presentations: int64(row.SharesDone),
	}, err
}
