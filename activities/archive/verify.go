package archive

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"golang.org/x/sync/errgroup"

	"github.com/framebridge/framebridge/activities/attempt"
	"github.com/framebridge/framebridge/activities/comparing"
	"github.com/framebridge/framebridge/activities/isolate"
	"github.com/framebridge/framebridge/clients/iconik"
	"github.com/framebridge/framebridge/clients/rest"
	"github.com/framebridge/framebridge/english"
	"github.com/framebridge/framebridge/ledger"
	"github.com/framebridge/framebridge/mapping"
	"github.com/framebridge/framebridge/workflows"
)

const verifyInParallel = 8 // items of one range that are read at once

// VerifyItems reads iconik's side of a range of items, and both sides' comments, and compares them with what the ledger says
// was done. A difference fails the item.
func (a *Activities) VerifyItems(ctx context.Context, in workflows.VerifyInput) (workflows.Counts, error) {
	var counts workflows.Counts
	arc, err := a.archive(in.Ref)
	if err != nil {
		return counts, err
	}
	items, err := arc.ledger.Items(ctx, in.From, in.To)
	if err != nil {
		return counts, err
	}
	if err := attempt.Stopping(ctx); err != nil {
		return counts, err
	}
	if len(items) > 0 {
		if err := arc.stillThere(ctx, items[0].SourceID); err != nil {
			return counts, err
		}
	}
	if err := arc.findings.Read(ctx, in.From, in.To); err != nil {
		return counts, err
	}
	row, err := arc.row(ctx)
	if err != nil {
		return counts, err
	}
	arc.countsFail = row.CountsFail
	verified, missing := make([]bool, len(items)), make([]bool, len(items))
	group, gctx := errgroup.WithContext(ctx)
	group.SetLimit(verifyInParallel)
	for i, it := range items {
		group.Go(func() error {
			refused, err := arc.objects.Try(gctx, func() (err error) {
				verified[i], missing[i], err = arc.verifyItem(gctx, it, in.Repair)
				return err
			})
			if refused != nil {
				refused.Reason = "comparison failed: " + refused.Reason
				_, err = arc.updateItem(gctx, it, func(i *ledger.Item) { isolate.FailItem(i, *refused) })
			}
			if err != nil {
				return fmt.Errorf("verifying %q: %w", it.Path, err)
			}
			return nil
		})
	}
	if err := group.Wait(); err != nil {
		return counts, err
	}
	for i := range items {
		if verified[i] {
			counts.Verified++
		}
		if missing[i] {
			counts.Missing++
		}
	}
	arc.job().ShowProgress(ctx, false)
	return counts, nil
}

// verifyItem reports whether the item's bytes and comments in iconik match Frame.io's and, with repair, whether part of it was
// missing and must be created again.
func (a *archive) verifyItem(ctx context.Context, it ledger.Item, repair bool) (verified, missing bool, err error) {
	if it.State != ledger.Copied && it.State != ledger.ItemVerified && it.State != ledger.Skipped {
		return false, false, nil
	}
	problem, gone, err := a.itemProblem(ctx, it)
	if err != nil {
		return false, false, err
	}
	if gone > commentMissing {
		if err := a.forget(ctx, it, gone); err != nil {
			return false, false, err
		}
	}
	switch {
	case problem != "" && repair && gone.repairable():
		_, err = a.updateItem(ctx, it, func(i *ledger.Item) {
			i.CommentsScan = 0
			if i.CommentCount == 0 {
				i.CommentCount = ledger.CommentsUnknown
			}
			switch {
			case gone > commentMissing:
				i.State, i.Reason, i.Fault = ledger.Pending, "", ""
			case i.State == ledger.ItemVerified:
				i.State = ledger.Copied
			}
		})
		return false, true, err
	case problem != "":
		return false, false, a.differs(ctx, it, problem)
	case it.State == ledger.Copied:
		_, err = a.updateItem(ctx, it, func(i *ledger.Item) { i.State = ledger.ItemVerified })
	}
	return it.State != ledger.Skipped, false, err
}

// itemProblem returns the first difference between an item in Frame.io and in iconik, and which part is missing.
func (a *archive) itemProblem(ctx context.Context, it ledger.Item) (string, missingPart, error) {
	if it.AssetID == "" || it.VersionID == "" {
		return "missing: the ledger has no iconik asset for this file", assetMissing, nil
	}
	problem, missing, err := a.assetProblem(ctx, it)
	if err == nil && problem == "" && it.State != ledger.Skipped {
		problem, missing, err = a.fileProblem(ctx, it)
	}
	if err == nil && problem == "" && (it.CommentCount != 0 || it.CommentsDone > 0 || it.HadComments || a.countsFail && it.CommentsScan > 0) { // includes one that was never read
		var uncopied bool
		if problem, uncopied, err = a.threads().Problem(ctx, it); uncopied {
			missing = commentMissing
		}
	}
	return problem, missing, err
}

// differs fails an item with what the comparison found.
func (a *archive) differs(ctx context.Context, it ledger.Item, problem string) error {
	_, err := a.updateItem(ctx, it, func(i *ledger.Item) { i.State, i.Fault, i.Reason = ledger.ItemFailed, ledger.FaultContent, problem })
	return err
}

func (a *archive) assetProblem(ctx context.Context, it ledger.Item) (string, missingPart, error) {
	asset, err := a.iconik.Assets.Get(ctx, it.AssetID, it.Version == it.Versions)
	if rest.IsNotFound(err) {
		return "missing: the asset is no longer in iconik; a retry restores it", assetMissing, nil
	}
	if err != nil {
		return "", nothingMissing, err
	}
	if asset.Deleted() {
		return "missing: the asset was deleted in iconik; a retry restores it", assetMissing, nil
	}
	if why := comparing.Elsewhere(asset, it); why != "" {
		return why, nothingMissing, nil
	}
	if !slices.ContainsFunc(asset.Versions, func(v iconik.Version) bool { return v.ID == it.VersionID && !v.Deleted() }) {
		return "missing: the version is no longer in iconik; a retry restores it as the newest version", versionMissing, nil
	}
	if it.Version != it.Versions {
		if err := a.findings.Set(ctx, a.assetOfItem(it), nil); err != nil { // they were found while it was the newest one
			return "", nothingMissing, err
		}
		return "", nothingMissing, a.compareOlder(ctx, it)
	}
	return "", nothingMissing, a.compareAsset(ctx, it, asset)
}

// fileProblem compares the file that the archive created. Copies of a format's file set on other storages, which people and
// iconik's own rules make, are not the archive's concern.
func (a *archive) fileProblem(ctx context.Context, it ledger.Item) (string, missingPart, error) {
	files, err := a.iconik.Files.SignedFiles(ctx, it.AssetID, it.VersionID)
	if err != nil && !rest.IsNotFound(err) {
		return "", nothingMissing, err
	}
	var ours, moved *iconik.File
	extra := 0
	for i, f := range files {
		switch {
		case f.Deleted() || f.FormatID != it.FormatID:
		case f.ID == it.FileID:
			ours = &files[i]
		case f.Status == "OPEN" && f.FileSetID == it.FileSetID:
			// An open record without bytes next to ours is left over from a request whose answer was lost.
			if err := a.iconik.Files.DeleteFile(ctx, it.AssetID, f.ID); err != nil && !rest.IsNotFound(err) {
				return "", nothingMissing, err
			}
		case f.FileSetID == it.FileSetID:
			extra++
		case comparing.HasBytes(f) && f.Size == it.StoredSize && f.Checksum == comparing.Checksum(it):
			moved = &files[i]
		}
	}
	if ours == nil {
		ours = moved // to another storage
	}
	if ours == nil {
		if ours, err = a.unlistedFile(ctx, it); err != nil {
			return "", nothingMissing, err
		}
	}
	switch {
	case ours == nil:
		return "missing: the version has no file in iconik", fileMissing, nil
	case extra > 0:
		return "extra: " + english.Count(extra+1, "file") + " instead of 1", nothingMissing, nil
	}
	problem, err := comparing.Content(ctx, a.steps.Objects, a.iconik, it, *ours)
	if problem == "" {
		return "", nothingMissing, err
	}
	return problem, fileDiffers, err
}

// unlistedFile asks for the archive's file by its ID, and returns nil if it is gone. That a listing lacks the file, or does not
// exist at all, does not mean that the file is gone, and taking it for gone would copy it once more.
func (a *archive) unlistedFile(ctx context.Context, it ledger.Item) (*iconik.File, error) {
	if it.FileID == "" {
		return nil, nil
	}
	f, err := a.iconik.Files.File(ctx, it.AssetID, it.FileID, iconik.FileOptions{})
	if iconik.Gone(f, err) {
		return nil, nil
	}
	return f, err
}

// VerifyTree reads back the presentations and each collection's contents. Assets of ours that the ledger does not know are left
// over from requests whose answer was lost for longer than iconik's index lags, and are deleted. Folders whose collection was
// deleted are left without one until the next round or run creates it.
func (a *Activities) VerifyTree(ctx context.Context, ref workflows.Ref) (workflows.TreeResult, error) {
	var res workflows.TreeResult
	arc, err := a.archive(ref)
	if err != nil {
		return res, err
	}
	if err := arc.stillThere(ctx, ""); err != nil {
		return res, err
	}
	if err := arc.objects.Clear(ctx, ledger.FailedComparison); err != nil {
		return res, err
	}
	if err := arc.findings.Begin(ctx, comparing.PartFields, comparing.PartCollection, comparing.PartReferences); err != nil {
		return res, err
	}
	me := "" // nobody, if iconik does not say
	if _, err := arc.objects.TryOr(ctx, ledger.Failure{Kind: ledger.FailedComparison, SourceID: "user", Place: "What Framebridge made twice"}, func() error {
		user, err := arc.tenant.CurrentUser(ctx)
		if err == nil {
			me = user.ID
		}
		return err
	}); err != nil {
		return res, err
	}
	row, err := arc.row(ctx)
	if err != nil {
		return res, err
	}
	team, _, err := arc.tenant.Ledger.Link(ctx, ledger.LinkTeam, row.TeamID)
	if err != nil {
		return res, err
	}
	parents := map[string]string{}
	for f, err := range arc.ledger.AllFolders(ctx) {
		if err != nil {
			return res, err
		}
		if parents[f.SourceID] = f.CollectionID; f.CollectionID == "" {
			continue
		}
		place := placementOf(f, parents)
		if f.SourceID == row.RootID {
			place = arc.projectPlacement(row, team.TargetID)
		}
		if err := attempt.Stopping(ctx); err != nil {
			return res, err
		}
		_, err := arc.objects.TryOr(ctx, ledger.Failure{Kind: ledger.FailedComparison, SourceID: f.SourceID, Place: f.Path, URL: arc.iconik.CollectionURL(f.CollectionID)},
			func() error { return arc.verifyFolder(ctx, f, place, me) })
		if errors.Is(err, errFolderGone) {
			res.Missing++
			continue
		}
		if err != nil {
			return res, fmt.Errorf("verifying the collection of %q: %w", f.Path, err)
		}
	}
	if err := arc.leftovers(func(ctx context.Context, c string) error { return arc.verifyContents(ctx, c, me) }).Folders(ctx); err != nil {
		return res, err
	}
	if err := arc.compareBeside(ctx); err != nil {
		return res, err
	}
	presentations, err := arc.references().Missing(ctx)
	if err != nil {
		return res, fmt.Errorf("verifying presentations: %w", err)
	}
	if presentations > 0 {
		res.Missing += presentations
		_, err = arc.ledger.Update(ctx, func(r *ledger.Archive) { r.SharesDone = max(r.Shares-presentations, 0) })
	}
	if err != nil {
		return res, err
	}
	if err := arc.findings.End(ctx); err != nil {
		return res, err
	}
	return res, arc.access.Verify(ctx, besideTheTree...)
}

var errFolderGone = errors.New("the collection is no longer in iconik")

// verifyFolder compares a folder's collection and its contents.
func (a *archive) verifyFolder(ctx context.Context, f ledger.Folder, place placement, me string) error {
	// Objects in the delete queue are still listed, and empty collections may not be: ask for the collection itself.
	is, err := a.iconik.Collections.Get(ctx, f.CollectionID)
	if iconik.Gone(is, err) {
		return a.folderGone(ctx, f)
	}
	if err != nil {
		return err
	}
	if err := a.compareCollection(ctx, place, is); err != nil {
		return err
	}
	if _, refused, err := a.ledger.Failed(ctx, ledger.FailedCollection, f.SourceID); err != nil {
		return err
	} else if !refused {
		if err := a.writeFolderDetails(ctx, f, f.CollectionID); err != nil { // they may have changed
			return err
		}
	}
	return a.verifyContents(ctx, f.CollectionID, me)
}

// verifyContents compares the fields of the contents of a folder's collection, and deletes duplicates.
func (a *archive) verifyContents(ctx context.Context, collection, me string) error {
	for o, err := range a.iconik.Collections.AllContents(ctx, collection, "assets,collections") {
		if err != nil {
			return err
		}
		kind, source, ours := mapping.ParseExternalID(o.ExternalID)
		if !ours || o.Deleted() || o.CreatedByUser != me {
			continue
		}
		linkKind, ok := map[string]ledger.LinkKind{"file": ledger.LinkFile, "stack": ledger.LinkStack, "folder": ledger.LinkFolder}[kind]
		if !ok {
			continue
		}
		link, known, err := a.tenant.Ledger.Link(ctx, linkKind, source)
		if err != nil {
			return err
		}
		if known && link.TargetID == o.ID && linkKind != ledger.LinkFolder {
			if err := a.compareFields(ctx, o, source); err != nil {
				return err
			}
		}
		if !known || link.TargetID == "" || link.TargetID == o.ID {
			continue
		}
		if err := a.markChanged(ctx); err != nil {
			return err
		}
		if linkKind == ledger.LinkFolder {
			err = a.iconik.Collections.Delete(ctx, o.ID)
		} else {
			err = a.iconik.Assets.Delete(ctx, o.ID)
		}
		if err != nil && !rest.IsNotFound(err) {
			return err
		}
		if err := a.audit(ctx, "removed duplicate", o.ExternalID+" "+o.ID); err != nil {
			return err
		}
	}
	return nil
}
