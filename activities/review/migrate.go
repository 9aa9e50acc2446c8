package review

import (
	"context"
	"fmt"
	"slices"

	"github.com/framebridge/framebridge/activities/commentsync"
	"github.com/framebridge/framebridge/clients/frameio"
	"github.com/framebridge/framebridge/clients/rest"
	"github.com/framebridge/framebridge/english"
	"github.com/framebridge/framebridge/ledger"
)

// migrated reports whether the review's Frame.io IDs are those of another generation.
func (r *review) migrated() bool {
	return r.row.Generation != "" && frameio.Migrated(r.frameio, r.row.Generation)
}

// migrate shares an open review again after its account was moved to another generation, because links of the old generation
// can no longer be changed. Files stay where they are.
func (r *review) migrate(ctx context.Context) error {
	now := string(r.frameio.Generation())
	if r.row.Status != ledger.ReviewOpen || !frameio.Migrated(r.frameio, r.row.Generation) && (r.row.ShareID != "" || r.row.Moves == 0) {
		return nil // a review that was never moved and has no link waits for the next send
	}
	if frameio.Migrated(r.frameio, r.row.Generation) {
		if err := r.update(ctx, func(row *ledger.Review) {
			row.Generation, row.ShareID, row.ShareURL = now, "", ""
			row.Moves++
		}); err != nil {
			return err
		}
	}
	assets, err := r.assets(ctx)
	if err != nil {
		return err
	}
	if assets, err = r.relocateFiles(ctx, assets); err != nil {
		return err
	}
	for i, it := range assets {
		if it.State != ledger.AssetReady {
			continue
		}
		f, err := r.frameio.Asset(ctx, it.FileID)
		if rest.IsNotFound(err) {
			if err := r.markDeleted(ctx, it, "the file is missing since the account migration, or Framebridge cannot tell it from another one"); err != nil {
				return err
			}
			assets[i].State = ledger.AssetGone
			continue
		}
		if err != nil {
			return err
		}
		stack := ""
		if parent, err := r.frameio.Asset(ctx, f.ParentID); err == nil && parent.Kind == frameio.KindStack {
			stack = parent.ID
		}
		if assets[i], err = r.updateAsset(ctx, it.N, func(row *ledger.ReviewAsset) { row.StackID = stack }); err != nil {
			return err
		}
	}
	shown, _, err := r.shareable(ctx, assets)
	if err != nil {
		return err
	}
	if len(shown) == 0 {
		return r.update(ctx, func(row *ledger.Review) { row.ShareID = noShare })
	}
	if err := r.share(ctx, shown); err != nil {
		return err
	}
	if err := r.invite(ctx); err != nil {
		return err
	}
	return r.notifyOnce(ctx, fmt.Sprintf("moved:%d", r.row.Moves), "The Frame.io account was migrated to "+now+". The review has a new link, and its reviewers have new invitations.")
}

// placedFile is a file in a review's folder.
type placedFile struct {
	frameio.Asset
	stack string
}

// relocateFiles gives a review's files and their comments their new IDs after a move that changed them. It recognizes the
// folder by its name, which contains the review's ID, a file by its name and size, and the versions of a stack by their order.
func (r *review) relocateFiles(ctx context.Context, assets []ledger.ReviewAsset) ([]ledger.ReviewAsset, error) {
	var files []placedFile
	for i, it := range assets {
		if it.FileID == "" || it.State == ledger.AssetGone || it.State == ledger.AssetDeleted {
			continue
		}
		_, err := r.frameio.Asset(ctx, it.FileID)
		if err == nil {
			continue
		}
		if !rest.IsNotFound(err) {
			return nil, err
		}
		if files == nil {
			if files, err = r.relocatedFiles(ctx); err != nil || len(files) == 0 {
				return assets, err
			}
		}
		same := func(a ledger.ReviewAsset) bool {
			return a.Name == it.Name && a.Size == it.Size && a.FileID != "" && a.State != ledger.AssetGone && a.State != ledger.AssetDeleted
		}
		place, of := 0, 0 // of this file among the review's files that look the same
		for j, a := range assets {
			if same(a) {
				if of++; j < i {
					place++
				}
			}
		}
		var fits []placedFile
		for _, f := range files {
			if f.Name == it.Name && f.Size == it.Size {
				fits = append(fits, f)
			}
		}
		if len(fits) != of || of > 1 && slices.ContainsFunc(fits, func(f placedFile) bool { return f.stack == "" || f.stack != fits[0].stack }) {
			continue // they cannot be told apart
		}
		f := fits[place]
		// Comments first: those of a file whose ID is unknown count as deleted.
		if err := r.relocateComments(ctx, it, f.ID); err != nil {
			return nil, err
		}
		if assets[i], err = r.updateAsset(ctx, it.N, func(row *ledger.ReviewAsset) { row.FileID, row.StackID = f.ID, f.stack }); err != nil {
			return nil, err
		}
		if err := r.audit(ctx, ledger.ActorSystem, "found again after the move", it.FileID+" is "+f.ID); err != nil {
			return nil, err
		}
	}
	return assets, nil
}

// relocatedFiles lists the files in the review's folder; versions of a stack are oldest first.
func (r *review) relocatedFiles(ctx context.Context) ([]placedFile, error) {
	project, err := r.reviewProject(ctx)
	if err != nil {
		return nil, err
	}
	folder, err := r.childNamed(ctx, project.RootID, r.folderName(), frameio.KindFolder, nil)
	if err != nil || folder == "" {
		return nil, err
	}
	var out []placedFile
	for a, err := range frameio.RowsOf(ctx, "list a folder", r.frameio.Children, folder) {
		if err != nil {
			return nil, err
		}
		switch a.Kind {
		case frameio.KindFile:
			out = append(out, placedFile{a, ""})
		case frameio.KindStack:
			versions, err := r.frameio.Versions(ctx, a)
			if err != nil {
				return nil, err
			}
			for _, v := range versions {
				out = append(out, placedFile{v, a.ID})
			}
		}
	}
	return out, r.update(ctx, func(row *ledger.Review) { row.ProjectID, row.FolderID = project.ID, folder })
}

// relocateComments gives the comments of a file their new IDs, matching them by text and time. Comments without a match are
// left as they are on both sides.
func (r *review) relocateComments(ctx context.Context, it ledger.ReviewAsset, fileID string) error {
	rows, err := r.ledger.Comments(ctx, it.N)
	if err != nil {
		return err
	}
	free, err := r.tenant.FileComments(ctx, fileID)
	if err != nil {
		return err
	}
	slices.SortStableFunc(free, func(x, y frameio.Comment) int { return x.CreatedAt.Compare(y.CreatedAt) })
	slices.SortStableFunc(rows, func(x, y ledger.ReviewComment) int { return x.CreatedAt.Compare(y.CreatedAt) })
	take := func(fits func(frameio.Comment) bool) (frameio.Comment, bool) {
		i := slices.IndexFunc(free, fits)
		if i < 0 {
			return frameio.Comment{}, false
		}
		c := free[i]
		free = slices.Delete(free, i, i+1)
		return c, true
	}
	open := slices.DeleteFunc(rows, func(row ledger.ReviewComment) bool {
		if row.FrameioID == "" || row.Deleted || row.Older {
			return true
		}
		_, known := take(func(c frameio.Comment) bool { return c.ID == row.FrameioID }) // matched by an earlier attempt
		return known
	})
	lost := 0
	for i := range open {
		row := &open[i]
		c, ok := take(func(c frameio.Comment) bool { s := commentsync.FrameioState(c); return s == row.Frameio })
		if !ok {
			c, ok = take(func(c frameio.Comment) bool {
				s := commentsync.FrameioState(c)
				return s.Text == row.Frameio.Text && s.Time == row.Frameio.Time
			})
		}
		if ok {
			row.FrameioID = c.ID
			continue
		}
		row.Older = true
		lost++
	}
	if err := r.tenant.Ledger.PutReviewComments(ctx, open...); err != nil || lost == 0 {
		return err
	}
	return r.note(ctx, fmt.Sprintf("%s on %q could not be matched after the account migration and will no longer be synced.", english.Count(lost, "comment"), it.Title))
}
