package reclaim

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/framebridge/framebridge/activities/attempt"
	"github.com/framebridge/framebridge/clients/frameio"
	"github.com/framebridge/framebridge/clients/rest"
	"github.com/framebridge/framebridge/english"
	"github.com/framebridge/framebridge/ledger"
	"github.com/framebridge/framebridge/plan"
	"github.com/framebridge/framebridge/workflows"
)

// ExamineReclaim decides whether the project's files may be deleted at all, and which ones, by all that Frame.io's tree, the
// ledger and the reviews can tell. It starts over on each attempt.
func (a *Activities) ExamineReclaim(ctx context.Context, ref workflows.ReclaimRef) (workflows.ReclaimProgress, error) {
	r, err := a.open(ctx, ref)
	if err != nil {
		return workflows.ReclaimProgress{}, err
	}
	if on, err := r.goOn(ctx, func(row *ledger.Reclaim) {
		row.Status, row.Reason, row.ArchiveRun, row.ProvenAt = ledger.ReclaimExamining, "", r.archive.Run, r.archive.FinishedAt
	}); err != nil {
		return workflows.ReclaimProgress{}, err
	} else if !on {
		return r.ended(ctx)
	}
	told, err := r.tell(ctx, r.row) // which is where a run begins
	if err != nil {
		return workflows.ReclaimProgress{}, err
	}
	r.tenant.Start(ctx, told)
	why, err := r.refusal(ctx)
	if err == nil && why == "" {
		why, err = r.shared(ctx, true)
	}
	if err == nil && why == "" {
		why, err = r.walk(ctx)
	}
	if err != nil {
		return workflows.ReclaimProgress{}, err
	}
	if why != "" {
		return r.halt(ctx, ledger.ReclaimRefused, why)
	}
	p, err := r.progress(ctx, workflows.ReclaimProgress{})
	if err == nil && p.Counts.Ready == 0 && !r.row.DryRun {
		return r.halt(ctx, ledger.ReclaimRefused, noneFreed(p.Counts))
	}
	return p, err
}

// refusal returns why nothing in the project may be deleted now and what to do about it, or "" if it may.
func (r *run) refusal(ctx context.Context) (string, error) {
	if why := r.standing(); why != "" {
		return why, nil
	}
	retry := fmt.Sprintf("run `starter retry %s`, and ask again when it has ended", r.ref.Archive)
	if r.steps.Config.Now().Report.SigningKeyInUse() == nil {
		return "the deletion certificate could not be signed: set report.signing_key and ask again", nil
	}
	if age := time.Since(r.archive.FinishedAt); age > workflows.FreshFor {
		return fmt.Sprintf("both sides were last compared %s ago, and a deletion needs a comparison at most %s old: %s", english.Duration(age.Round(time.Hour)), english.Duration(workflows.FreshFor), retry), nil
	}
	if left := r.cfg.Archive.ReclaimGrace - time.Since(r.archive.ProvenSince); left > 0 || r.archive.ProvenSince.IsZero() && r.cfg.Archive.ReclaimGrace > 0 {
		if r.archive.ProvenSince.IsZero() {
			return "Framebridge does not know when the archive became complete: " + retry, nil
		}
		return fmt.Sprintf("the archive has been complete since %s, and archive.reclaim_grace keeps the files for %s after that: ask again after %s",
			r.archive.ProvenSince.Format("January 2, 2006, 15:04 UTC"), english.Duration(r.cfg.Archive.ReclaimGrace), r.archive.ProvenSince.Add(r.cfg.Archive.ReclaimGrace).Format("January 2, 2006, 15:04 UTC")), nil
	}
	project, err := r.frameio.Project(ctx, r.ref.Archive)
	switch {
	case rest.IsNotFound(err):
		return "Frame.io no longer has this project, or the token has no access to it", nil
	case err != nil:
		return "", err
	case project.Name != r.archive.Name || project.RootID != r.archive.RootID || project.Team.ID != r.archive.TeamID:
		return fmt.Sprintf("the project was renamed or moved in Frame.io since it was archived (it is %q now): %s", project.Name, retry), nil
	case !project.UpdatedAt.Equal(r.archive.SourceUpdatedAt):
		return fmt.Sprintf("the project was changed in Frame.io at %s, after its archive began: %s", english.Time(project.UpdatedAt.UTC()), retry), nil
	}
	return r.auditChanged(ctx)
}

// auditChanged returns the problem if the audit log is not as it was written, or "". Whoever changed it can have changed the
// rest of the ledger, and the log must prove each deletion.
func (r *run) auditChanged(ctx context.Context) (string, error) {
	_, err := r.tenant.Ledger.VerifyAudit(ctx)
	if errors.Is(err, ledger.ErrChain) {
		return fmt.Sprintf("%v, and nothing is deleted on the strength of it: find out who did it (`starter audit --verify` says the same), restore the ledger from a backup, and ask again", err), nil
	}
	return "", err
}

// standing returns what is not as it must be during the whole run, by configuration and ledger, or "".
func (r *run) standing() string {
	switch {
	case r.cfg.Archive.Reclaim != "allowed":
		return "archive.reclaim is off: an administrator must set it to allowed"
	case !r.archive.Status.Ended():
		return "the archive is running: ask again when it has ended"
	case r.archive.Status != ledger.Verified && r.archive.Status != ledger.VerifiedWithExceptions:
		return fmt.Sprintf("the archive is not verified, it is %s (%s): run `starter retry %s` until it is", english.State(string(r.archive.Status)), r.archive.Reason, r.ref.Archive)
	case r.archive.ContinuedAs != "" || frameio.Migrated(r.frameio, r.archive.Generation):
		return fmt.Sprintf("Frame.io has migrated the account since: run `starter retry %s`, and ask again when it has ended", r.ref.Archive)
	case r.row.ArchiveRun != 0 && r.row.ArchiveRun != r.archive.Run:
		return "the archive has run again since: ask again"
	}
	return ""
}

// walk reads the project's tree as it is now, and records what happens to each file. It returns what differs from the archive.
func (r *run) walk(ctx context.Context) (string, error) {
	if err := r.ledger.ClearReclaimFiles(ctx, r.ref.Run); err != nil {
		return "", err
	}
	stay := map[string]bool{} // assets with a file that stays
	folders := []ledger.Folder{{SourceID: r.archive.RootID}}
	for len(folders) > 0 {
		folder := folders[len(folders)-1]
		folders = folders[:len(folders)-1]
		for child, err := range frameio.RowsOf(ctx, "list children", r.frameio.Children, folder.SourceID) {
			if err == nil {
				err = attempt.Stopping(ctx)
			}
			if err != nil {
				return "", fmt.Errorf("listing folder %q: %w", folder.Path, err)
			}
			if child.Kind == frameio.KindFolder {
				folders = append(folders, ledger.Folder{SourceID: child.ID, Path: plan.JoinPath(folder.Path, child.Name)})
				continue
			}
			if why, err := r.node(ctx, folder, child, stay); why != "" || err != nil {
				return why, err
			}
		}
	}
	missing, err := r.ledger.NotExamined(ctx, r.ref.Run)
	if err != nil {
		return "", err
	}
	if missing != "" {
		it, _, err := r.ledger.Item(ctx, missing)
		return fmt.Sprintf("%s is gone from Frame.io, and no reclaim has deleted it: find out who did, then run `starter retry %s`", it.Path, r.ref.Archive), err
	}
	return "", r.leave(ctx, stay)
}

// node records what happens to a file, or to the files of a stack.
func (r *run) node(ctx context.Context, folder ledger.Folder, node frameio.Asset, stay map[string]bool) (string, error) {
	versions := []frameio.Asset{node}
	if node.Kind == frameio.KindStack {
		var err error
		if versions, err = r.frameio.Versions(ctx, node); err != nil {
			return "", fmt.Errorf("versions of %q: %w", node.Name, err)
		}
	}
	var files []ledger.ReclaimFile
	for i, v := range versions {
		now := plan.Item(folder, node, v, i+1, len(versions), 0)
		it, known, err := r.ledger.Item(ctx, v.ID)
		if err != nil {
			return "", err
		}
		refuse := func(why string) string {
			return fmt.Sprintf("%s %s: run `starter retry %s`, and ask again when it has ended", now.Path, why, r.ref.Archive)
		}
		if why := r.otherwise(it, known, now, v); why != "" {
			return refuse(why), nil
		}
		if why, err := r.shown(ctx, it); why != "" || err != nil {
			return why, err
		}
		f := ledger.ReclaimFile{Seq: it.Seq, SourceID: it.SourceID, AssetKey: it.AssetKey, Path: it.Path, Version: it.Version, Size: it.Size, Checksum: it.Checksum,
			State: ledger.ReclaimReady, UpdatedAt: v.UpdatedAt, AssetID: it.AssetID, FileID: it.FileID}
		if f.Reason, err = r.exception(ctx, it); err != nil {
			return "", err
		}
		if f.Reason == "" && counted(v) > it.CommentsDone { // hidden comments keep the file; a new comment refuses the whole run
			found, err := r.comments(ctx, it, counted(v))
			if err != nil {
				return "", err
			}
			if found.what != "" && !found.stays {
				return refuse(found.what), nil
			}
			f.Reason = found.what
		}
		if f.Reason != "" {
			f.State, stay[it.AssetKey] = ledger.ReclaimLeft, true
		}
		files = append(files, f)
	}
	return "", r.ledger.PutReclaimFiles(ctx, r.ref.Run, files)
}

// otherwise returns how a file differs from what was archived, or "".
func (r *run) otherwise(it ledger.Item, known bool, now ledger.Item, file frameio.Asset) string {
	switch {
	case !known || it.Seq == 0:
		return "was added in Frame.io after it was archived"
	case now.FieldsHash != it.FieldsHash || now.Path != it.Path || now.FolderID != it.FolderID || now.Name != it.Name || now.Title != it.Title:
		return "was renamed, moved or given different fields in Frame.io after it was archived"
	case now.AssetKey != it.AssetKey || now.Version != it.Version || now.Versions != it.Versions:
		return "has different versions in Frame.io than were archived, or in a different order"
	case now.Size != it.Size || now.SourceChecksum != it.SourceChecksum:
		return "has different bytes in Frame.io than were archived"
	case now.CommentCount > max(it.CommentsSeen, it.CommentsDone):
		return "has more comments in Frame.io than were archived"
	case file.UpdatedAt.After(r.archive.FinishedAt):
		return fmt.Sprintf("was changed in Frame.io at %s, after the archive ended", english.Time(file.UpdatedAt.UTC()))
	}
	return ""
}

// shown returns the problem if a review needs the file on either side.
func (r *run) shown(ctx context.Context, it ledger.Item) (string, error) {
	var open []ledger.Review
	if it.AssetID != "" {
		reviews, err := r.tenant.Ledger.ReviewsOfAsset(ctx, it.AssetID)
		if err != nil {
			return "", err
		}
		open = reviews
	}
	id, ours, err := r.tenant.Ledger.ReviewOfFile(ctx, it.SourceID)
	if err != nil {
		return "", err
	}
	if ours {
		return fmt.Sprintf("%s was sent to Frame.io by the review %s, which deletes it itself: a project of reviews cannot be reclaimed", it.Path, id), nil
	}
	if at := slices.IndexFunc(open, func(v ledger.Review) bool { return v.Status.Running() }); at >= 0 {
		return fmt.Sprintf("%s is in the open review %q: stop the review (`starter review stop %s`) or wait for its end, and ask again", it.Path, open[at].Title, open[at].ID), nil
	}
	return "", nil
}

// exception returns why a file stays in Frame.io although the archive is complete: it has something there that iconik does not have.
func (r *run) exception(ctx context.Context, it ledger.Item) (string, error) {
	switch {
	case it.State != ledger.ItemVerified:
		return fmt.Sprintf("it is not verified, it is %s: %s", it.State, it.Why()), nil
	case it.Rendition != string(frameio.RenditionOriginal):
		return "only a proxy of it was archived", nil
	case it.Checksum == "" || it.AssetID == "" || it.VersionID == "" || it.FileID == "" || it.Listed != "" || it.StoredSize != it.Size:
		return "the ledger does not say for certain which bytes were stored", nil
	}
	notCarried, err := r.ledger.NotCarriedOf(ctx, it.Seq, it.Seq)
	if err != nil {
		return "", err
	}
	for _, n := range notCarried[it.SourceID] {
		if !slices.Contains(r.row.Accepts, n.Kind) {
			return fmt.Sprintf("only Frame.io has its %s %q", n.Kind, n.Name), nil
		}
	}
	differences, err := r.ledger.DifferencesOf(ctx, it.Seq, it.Seq)
	if err != nil {
		return "", err
	}
	for _, d := range differences[it.SourceID] {
		if d.Kind != ledger.DifferenceRestored {
			return fmt.Sprintf("it differs in iconik: %s %s %s", d.Kind, d.Property, d.Name), nil
		}
	}
	return "", nil
}

// leave keeps all files of the assets that have a file that stays.
func (r *run) leave(ctx context.Context, assets map[string]bool) error {
	return r.ledger.LeaveAssets(ctx, r.ref.Run, assets, "another version of it stays: a version stack is deleted as a whole or not at all")
}
