package review

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/framebridge/framebridge/activities/attempt"
	"github.com/framebridge/framebridge/activities/fault"
	"github.com/framebridge/framebridge/activities/isolate"
	"github.com/framebridge/framebridge/clients/frameio"
	"github.com/framebridge/framebridge/clients/rest"
	"github.com/framebridge/framebridge/english"
	"github.com/framebridge/framebridge/ledger"
	"github.com/framebridge/framebridge/mapping"
	"github.com/framebridge/framebridge/workflows"
)

const (
	keptAgain = time.Hour          // until deleting what Frame.io refused to delete is retried
	keptFor   = 7 * 24 * time.Hour // after this it is left to people, who have been told
)

// DeleteMedia deletes exactly the files that this review uploaded, and its folder if nothing else is in it.
func (a *Activities) DeleteMedia(ctx context.Context, ref workflows.ReviewRef) error {
	r, err := a.review(ctx, ref)
	if err != nil {
		return err
	}
	if _, err := r.switchOff(ctx); err != nil { // somebody may have switched it back on
		return err
	}
	if err := r.deleteMedia(ctx); err != nil {
		return r.kept(ctx, err)
	}
	if strings.HasPrefix(r.row.Reason, doesNotDelete) { // set by an earlier attempt
		if err := r.update(ctx, func(row *ledger.Review) { row.Reason = "" }); err != nil {
			return err
		}
	}
	if err := r.setStatus(ctx, ledger.ReviewDeleted); err != nil {
		return err
	}
	gone, err := r.projectIsGone(ctx)
	if err != nil {
		return err
	}
	job, text := "The review has ended, and its media in Frame.io is deleted.", "The files that this review uploaded to Frame.io are deleted."
	if gone {
		text = fmt.Sprintf("Frame.io no longer shows Framebridge the project %q. If someone deleted it, this review's files went with it. If Framebridge's user was only removed from it, the files are still there: delete them.", r.cfg.Review.Project)
		job = "The review has ended. " + text
	}
	r.closeJob(ctx, "FINISHED", job)
	return r.tell(ctx, "deleted", fmt.Sprintf("Review media deleted: %q", r.row.Title), text+" The assets and comments in iconik stay.\n")
}

// projectIsGone reports whether Frame.io no longer shows the review's project. It then shows the project's files as deleted
// too, whether they are or not.
func (r *review) projectIsGone(ctx context.Context) (bool, error) {
	if r.row.ProjectID == "" {
		return false, nil
	}
	_, err := r.frameio.Project(ctx, r.row.ProjectID)
	if rest.IsNotFound(err) {
		return true, r.note(ctx, "Frame.io no longer shows Framebridge the review's project: whether its files are deleted cannot be seen.")
	}
	if rest.IsRefused(err) {
		return false, nil // the project exists
	}
	return false, err
}

const doesNotDelete = "Frame.io does not delete "

// undeleted is the error for files that Frame.io does not delete.
type undeleted struct {
	titles []string
	why    error
}

func (e *undeleted) Error() string {
	return fmt.Sprintf(doesNotDelete+"%s (%s): %v", english.Count(len(e.titles), "file"), strings.Join(e.titles, ", "), e.why)
}

func (e *undeleted) Unwrap() error { return e.why }

// kept tells people once what Frame.io does not delete, and has it retried for a while: a file may be locked, or a permission missing.
func (r *review) kept(ctx context.Context, err error) error {
	var left *undeleted
	if !errors.As(err, &left) {
		return fmt.Errorf("deleting the review's media: %w", err)
	}
	if err := r.update(ctx, func(row *ledger.Review) { row.Reason = left.Error() }); err != nil {
		return err
	}
	if err := r.tell(ctx, fmt.Sprintf("kept:%d", r.row.DeleteAt.Unix()), fmt.Sprintf("Review media not deleted: %q", r.row.Title),
		fmt.Sprintf("%v. Framebridge tries again every hour for a week. Allow Framebridge's user to delete in Frame.io, or delete the files yourself: they are in this review's folder in %q.\n",
			left, r.cfg.Review.Project)); err != nil {
		return err
	}
	if time.Since(attempt.Of(ctx).Scheduled()) < keptFor {
		return fault.Wait("Kept", keptAgain, "%v", left)
	}
	return fault.Content("%v", left)
}

// deleteMedia deletes what it can. A file that Frame.io does not delete does not keep the others from being deleted.
func (r *review) deleteMedia(ctx context.Context) error {
	assets, err := r.assets(ctx)
	if err != nil {
		return err
	}
	if r.migrated() {
		if assets, err = r.relocateFiles(ctx, assets); err != nil {
			return err
		}
	}
	late := time.Since(attempt.Of(ctx).Scheduled()) > workflows.StuckAfter
	var left undeleted
	var each isolate.Each
	stacks := map[string]bool{}
	for _, it := range assets {
		if it.StackID != "" {
			stacks[it.StackID] = true
		}
		err := r.deleteFile(ctx, it)
		if rest.IsRefused(err) || rest.IsConflict(err) || late && isolate.Away(err) {
			left.titles = append(left.titles, fmt.Sprintf("%q", it.Title))
			left.why, err = cmp.Or(left.why, err), nil
		}
		if !each.GoOn(ctx, err) {
			break
		}
	}
	if err := each.Err(); err != nil {
		return err
	}
	if left.why != nil {
		return &left
	}
	for id := range stacks {
		if err := r.deleteEmpty(ctx, frameio.Asset{ID: id, Kind: frameio.KindStack}); err != nil {
			return err
		}
	}
	if r.row.FolderID == "" {
		return nil
	}
	return r.deleteEmpty(ctx, frameio.Asset{ID: r.row.FolderID, Kind: frameio.KindFolder})
}

// deleteFile deletes what the review has of one asset in Frame.io.
func (r *review) deleteFile(ctx context.Context, it ledger.ReviewAsset) error {
	if !it.BeganUpload.IsZero() && it.Name != "" && r.row.FolderID != "" { // an upload whose answer was lost
		if err := r.dropUnknown(ctx, it); err != nil && !rest.IsNotFound(err) {
			return err
		}
	}
	if it.FileID == "" || it.State == ledger.AssetDeleted {
		return nil
	}
	if err := r.frameio.Delete(ctx, frameio.Asset{ID: it.FileID, Kind: frameio.KindFile}); err != nil {
		return err
	}
	if _, err := r.updateAsset(ctx, it.N, func(row *ledger.ReviewAsset) { row.State = ledger.AssetDeleted }); err != nil {
		return err
	}
	return r.audit(ctx, ledger.ActorSystem, "deleted file", it.FileID)
}

// deleteEmpty deletes a folder or stack unless somebody has put something into it.
func (r *review) deleteEmpty(ctx context.Context, a frameio.Asset) error {
	empty, err := r.isEmpty(ctx, a)
	if err != nil || !empty {
		return err
	}
	err = r.frameio.Delete(ctx, a)
	if rest.IsRefused(err) { // it contains nothing of the review
		return r.noteError(ctx, fmt.Sprintf("Frame.io refuses to delete the review's empty %s", strings.ReplaceAll(string(a.Kind), "_", " ")), err)
	}
	return err
}

// isEmpty reports true also for what is gone, and for a folder that holds only empty stacks: V4 has no call to delete a stack.
func (r *review) isEmpty(ctx context.Context, a frameio.Asset) (bool, error) {
	if a.Kind == frameio.KindStack {
		files, err := r.frameio.Versions(ctx, a)
		if rest.IsNotFound(err) {
			err = nil
		}
		for _, f := range files {
			err = cmp.Or(err, r.deleteAgain(ctx, f))
		}
		return len(files) == 0, err
	}
	for child, err := range frameio.RowsOf(ctx, "list a folder", r.frameio.Children, a.ID) {
		if rest.IsNotFound(err) {
			return true, nil
		}
		if err != nil || child.Kind != frameio.KindStack {
			return false, cmp.Or(err, r.deleteAgain(ctx, child))
		}
		if empty, err := r.isEmpty(ctx, child); err != nil || !empty {
			return false, err
		}
	}
	return true, nil
}

// deleteAgain deletes what Frame.io still shows of the review: a file that it briefly did not find when the review deleted it,
// or a lost upload that it showed too late, perhaps renamed because its name was taken.
func (r *review) deleteAgain(ctx context.Context, a frameio.Asset) error {
	assets, err := r.assets(ctx)
	mine := slices.ContainsFunc(assets, func(it ledger.ReviewAsset) bool { return it.FileID == a.ID })
	if err == nil && !mine && a.Kind == frameio.KindFile && a.UploadedAt.IsZero() && slices.ContainsFunc(assets, func(it ledger.ReviewAsset) bool {
		return a.Name == it.Name || a.Size == it.Size && mapping.Renamed(it.Name, a.Name)
	}) {
		mine, err = r.uploadedByUs(ctx, a)
	}
	switch {
	case err != nil || !mine:
		return err
	case time.Since(attempt.Of(ctx).Scheduled()) > workflows.StuckAfter:
		return r.note(ctx, fmt.Sprintf("Frame.io still shows %q, which this review has deleted: delete it there.", a.Name))
	}
	if err := r.frameio.Delete(ctx, a); err != nil && !rest.IsRefused(err) {
		return err
	}
	return fault.Wait("Unseen", absentLook, "Frame.io still shows %q, which was deleted", a.Name)
}
