package review

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/framebridge/framebridge/activities/commentsync"
	"github.com/framebridge/framebridge/activities/fault"
	"github.com/framebridge/framebridge/activities/tenant"
	"github.com/framebridge/framebridge/clients/frameio"
	"github.com/framebridge/framebridge/clients/iconik"
	"github.com/framebridge/framebridge/clients/rest"
	"github.com/framebridge/framebridge/english"
	"github.com/framebridge/framebridge/ledger"
	"github.com/framebridge/framebridge/mapping"
	"github.com/framebridge/framebridge/workflows"
)

// PrepareReview determines which assets to send, records the comments they already have, and creates the review's job in iconik
// and its folder in Frame.io.
func (a *Activities) PrepareReview(ctx context.Context, ref workflows.ReviewRef) (workflows.PrepareReviewResult, error) {
	var out workflows.PrepareReviewResult
	r, err := a.review(ctx, ref)
	if err != nil {
		return out, err
	}
	out, err = r.prepare(ctx)
	if err == nil && !r.row.Status.Running() { // another review took all of it
		return out, nil
	}
	return out, r.troubled(ctx, 0, err)
}

func (r *review) prepare(ctx context.Context) (out workflows.PrepareReviewResult, err error) {
	if err := r.update(ctx, func(row *ledger.Review) {
		row.WorkflowID, row.Generation = r.workflowID(), string(r.frameio.Generation())
		if row.Status = ledger.ReviewSending; row.Trouble == "" {
			row.Reason = ""
		}
	}); err != nil {
		return out, err
	}
	out = workflows.PrepareReviewResult{Title: r.row.Title, ExpiresAt: r.row.ExpiresAt, Longest: r.cfg.Review.Longest,
		Parallel: r.cfg.Archive.ItemsInParallel, ProxyWait: r.cfg.Review.ProxyWait}
	if out.HandedOver, err = r.chooseAssets(ctx); err != nil {
		return out, err
	}
	assets, err := r.assets(ctx)
	if err != nil {
		return out, err
	}
	if len(assets) == 0 {
		reason := "the assets are already in review and became new versions there"
		expires, err := r.stillExpires(ctx, out.HandedOver)
		if err == nil {
			err = r.endedJob(ctx, "FINISHED", "The assets are already in review: they were sent again as new versions under the same link."+expires)
		}
		if err != nil {
			return out, err
		}
		r.notify(ctx, "Sent again under the same link", "The assets are already in review and became new versions there.")
		return out, r.update(ctx, func(row *ledger.Review) { row.Status, row.Reason = ledger.ReviewStopped, reason })
	}
	out.Assets, out.FirstAsset = len(assets), assets[0].AssetID
	if r.row.Title == "" {
		title := assets[0].Title
		if len(assets) > 1 {
			title = fmt.Sprintf("%s and %d more", title, len(assets)-1)
		}
		if err := r.update(ctx, func(row *ledger.Review) { row.Title = english.Shorten(title, 150) }); err != nil {
			return out, err
		}
	}
	out.Title = r.row.Title
	if err := r.warnOfLifecycle(ctx); err != nil {
		return out, err
	}
	if err := r.noteOlderComments(ctx, assets); err != nil {
		return out, err
	}
	if err := r.openJob(ctx, assets); err != nil {
		return out, err
	}
	if err := r.publish(ctx); err != nil {
		return out, err
	}
	return out, r.makePlace(ctx)
}

// warnOfLifecycle notes, before anything is sent, that Frame.io will delete it before the review ends.
func (r *review) warnOfLifecycle(ctx context.Context) error {
	lasts := r.cfg.Review.AssetLifecycle
	if gone := time.Now().Add(lasts); lasts > 0 && gone.Before(r.row.ExpiresAt) {
		return r.note(ctx, fmt.Sprintf("Frame.io's asset lifecycle deletes what is sent now on %s, before the review expires on %s.", gone.UTC().Format("2006-01-02"), r.row.ExpiresAt.UTC().Format("2006-01-02")))
	}
	return nil
}

// chooseAssets opens the clicked collections, drops duplicates, and hands assets that are already in a running review over to
// that review. It returns the reviews that took any.
func (r *review) chooseAssets(ctx context.Context) ([]string, error) {
	if have, err := r.assets(ctx); err != nil || len(have) > 0 {
		return nil, err // chosen by an earlier attempt
	}
	var ids []string
	seen := map[string]bool{}
	add := func(id string) error {
		if id == "" || seen[id] {
			return nil
		}
		seen[id] = true
		if ids = append(ids, id); len(ids) > workflows.MaxReviewAssets {
			return fault.Content("A review can have at most %d assets: select fewer.", workflows.MaxReviewAssets)
		}
		return nil
	}
	clicked, open := r.row.ClickedAssets, slices.Clone(r.row.ClickedCollections)
	collections := len(open)
	for _, id := range clicked {
		if err := add(id); err != nil {
			return nil, err
		}
	}
	for i := 0; i < len(open); i++ {
		err := r.contents(ctx, open[i], &open, add)
		if err != nil && rest.ClassOf(err) == rest.Forbidden && i >= collections {
			err = r.note(ctx, fmt.Sprintf("Skipped in the collection: Framebridge may not read collection %s in iconik: its user needs access to it.", open[i]))
		}
		if err != nil {
			return nil, err
		}
	}
	if len(ids) == 0 {
		return nil, fault.Content("The selection contains no assets.")
	}
	var mine []ledger.ReviewAsset
	var handed []string
	elsewhere := map[string][]string{} // titles, by the review that took them
	for _, id := range ids {
		asset, err := r.newAsset(ctx, id)
		var un *unsendable
		switch {
		case errors.As(err, &un) && !slices.Contains(clicked, id): // the index may still show deleted assets
			if err := r.note(ctx, "Skipped in the collection: "+un.why); err != nil {
				return nil, err
			}
			continue
		case un != nil:
			return nil, fault.Content("%s", un.why)
		case err != nil:
			return nil, err
		}
		other, err := r.handOver(ctx, asset)
		switch {
		case err != nil:
			return nil, err
		case other == "":
			mine = append(mine, asset)
		case !slices.Contains(handed, other):
			handed = append(handed, other)
		}
		elsewhere[other] = append(elsewhere[other], fmt.Sprintf("%q", asset.Title))
	}
	if len(mine)+len(handed) == 0 {
		return nil, fault.Content("The selection contains no asset that can be sent.")
	}
	if len(mine) > 0 {
		if err := r.noteElsewhere(ctx, handed, elsewhere); err != nil {
			return nil, err
		}
	}
	_, err := r.ledger.AddAssets(ctx, func(have []ledger.ReviewAsset) []ledger.ReviewAsset {
		if len(have) > 0 {
			return nil
		}
		return mine
	})
	return handed, err
}

// noteElsewhere notes what was selected and is not under this review's link, because another review shows it.
func (r *review) noteElsewhere(ctx context.Context, reviews []string, titles map[string][]string) error {
	for _, id := range reviews {
		other, _, err := r.tenant.Ledger.Review(id).Get(ctx)
		if err != nil {
			return err
		}
		if err := r.note(ctx, fmt.Sprintf("Already in the review %q, and sent there again instead of under this link: %s.", other.Title, english.Shorten(strings.Join(titles[id], ", "), 500))); err != nil {
			return err
		}
	}
	return nil
}

// stillExpires returns what people read of the expiry of the review that took a click's assets, which the click does not change.
func (r *review) stillExpires(ctx context.Context, reviews []string) (string, error) {
	if len(reviews) != 1 {
		return "", nil
	}
	other, _, err := r.tenant.Ledger.Review(reviews[0]).Get(ctx)
	if err != nil || other.ExpiresAt.IsZero() {
		return "", err
	}
	return fmt.Sprintf(" It still expires on %s: to change that, extend the review.", english.Minute(other.ExpiresAt)), nil
}

// contents adds a collection's assets with add, and appends its subcollections to open.
func (r *review) contents(ctx context.Context, collection string, open *[]string, add func(id string) error) error {
	for o, err := range r.iconik.Collections.AllContents(ctx, collection, "assets,collections") {
		if err != nil {
			return fmt.Errorf("collection %s: %w", collection, err)
		}
		switch {
		case o.Deleted():
		case o.ObjectType == "collections":
			if !slices.Contains(*open, o.ID) {
				*open = append(*open, o.ID)
			}
		default:
			if err := add(o.ID); err != nil {
				return err
			}
		}
	}
	return nil
}

// unsendable is the error for an asset that cannot be in a review.
type unsendable struct{ why string }

func (e *unsendable) Error() string { return e.why }

func (r *review) newAsset(ctx context.Context, id string) (ledger.ReviewAsset, error) {
	asset, err := r.iconik.Assets.Get(ctx, id, false)
	switch {
	case rest.IsNotFound(err):
		return ledger.ReviewAsset{}, &unsendable{fmt.Sprintf("Asset %s is no longer in iconik.", id)}
	case err != nil && rest.ClassOf(err) == rest.Forbidden:
		return ledger.ReviewAsset{}, &unsendable{fmt.Sprintf("Framebridge may not read asset %s in iconik: its user needs access to it.", id)}
	case rest.IsRefused(err):
		return ledger.ReviewAsset{}, &unsendable{fmt.Sprintf("iconik does not let Framebridge see asset %s: %v.", id, err)}
	case err != nil:
		return ledger.ReviewAsset{}, err
	case asset.Deleted():
		return ledger.ReviewAsset{}, &unsendable{fmt.Sprintf("Asset %q is deleted in iconik.", asset.Title)}
	}
	version, ok := asset.CurrentVersion()
	if !ok {
		return ledger.ReviewAsset{}, &unsendable{fmt.Sprintf("Asset %q has no version to send.", asset.Title)}
	}
	return ledger.ReviewAsset{AssetID: id, VersionID: version.ID, Title: asset.Title, Quality: r.row.Quality, State: ledger.AssetPending, Decision: "none",
		ClickedAt: r.row.ClickedAt}, nil
}

// handOver gives an asset to a running review that already shows it and returns that review's ID, or "" if there is none. The
// asset becomes a new version there, and this click's reviewers are invited too. A review that is ending takes nothing. A later
// click's review may be running first, if preparing this one took longer.
func (r *review) handOver(ctx context.Context, asset ledger.ReviewAsset) (string, error) {
	rows, err := r.tenant.Ledger.ReviewsOfAsset(ctx, asset.AssetID)
	if err != nil {
		return "", err
	}
	for _, other := range rows {
		if other.ID == r.ref.Review {
			continue
		}
		taken, err := r.tenant.Ledger.Review(other.ID).HandOver(ctx, r.ref.Review, asset, time.Now())
		if err != nil {
			return "", err
		}
		if taken {
			_, err := r.tenant.Ledger.Review(other.ID).Update(ctx, func(row *ledger.Review) {
				for _, m := range r.row.Reviewers {
					if !slices.ContainsFunc(row.Reviewers, func(h string) bool { return strings.EqualFold(h, m) }) {
						row.Reviewers = append(row.Reviewers, m)
					}
				}
			})
			return other.ID, err
		}
	}
	return "", nil
}

// makePlace finds or creates the tenant's review project, and creates this review's folder in it.
func (r *review) makePlace(ctx context.Context) error {
	if r.row.FolderID != "" {
		return nil
	}
	project, err := r.reviewProject(ctx)
	if err != nil {
		return err
	}
	name := r.folderName()
	folder, _, err := r.tenant.CreateOnce(ctx, tenant.Creation{
		Kind: ledger.LinkReviewFolder, SourceID: r.ref.Review, Parent: project.RootID, Owner: r.ref.Review,
		Find: func(ctx context.Context) (string, error) {
			return r.childNamed(ctx, project.RootID, name, frameio.KindFolder, nil)
		},
		Make: func(ctx context.Context) (string, error) {
			f, err := r.frameio.CreateFolder(ctx, project.RootID, name)
			return f.ID, err
		},
	})
	if err != nil {
		return fmt.Errorf("folder of the review: %w", err)
	}
	return r.update(ctx, func(row *ledger.Review) { row.ProjectID, row.FolderID = project.ID, folder })
}

// folderName returns a name that is unique in the review project, so the folder can be found even if its ID has changed.
func (r *review) folderName() string {
	return english.Shorten(mapping.SafeFileName(r.row.Title), 120) + " " + r.row.CreatedAt.Format("2006-01-02") + " " + r.ref.Review[:8]
}

// childNamed finds a child by its name, ignoring the IDs in known. It returns "" if there is none.
func (r *review) childNamed(ctx context.Context, folder, name string, kind frameio.AssetKind, known map[string]bool) (string, error) {
	for a, err := range frameio.RowsOf(ctx, "list a folder", r.frameio.Children, folder) {
		if err != nil {
			return "", err
		}
		if a.Kind == kind && a.Name == name && !known[a.ID] {
			return a.ID, nil
		}
	}
	return "", nil
}

// projectMemory is how long the review project is cached.
const projectMemory = time.Minute

// reviewProject returns the tenant's project for reviews, which it finds by name or creates.
func (r *review) reviewProject(ctx context.Context) (frameio.Project, error) {
	return r.steps.projects.Get(ctx, r.tenant.ID, r.findReviewProject)
}

func (r *review) findReviewProject(ctx context.Context) (frameio.Project, error) {
	ws, err := r.frameio.Workspace(ctx, r.cfg.Frameio.Workspace)
	if err != nil {
		return frameio.Project{}, err
	}
	key := ws.ID + "/" + r.cfg.Review.Project
	if link, ok, err := r.tenant.Ledger.Link(ctx, ledger.LinkReviewProject, key); err != nil {
		return frameio.Project{}, err
	} else if ok && link.TargetID != "" {
		p, err := r.frameio.Project(ctx, link.TargetID)
		if err == nil || !rest.IsNotFound(err) {
			return p, err
		}
		if err := r.tenant.Ledger.Delete(ctx, ledger.LinkReviewProject, key); err != nil { // deleted by hand: create a new one
			return frameio.Project{}, err
		}
	}
	id, _, err := r.tenant.CreateOnce(ctx, tenant.Creation{
		Kind: ledger.LinkReviewProject, SourceID: key, Shared: true,
		Find: func(ctx context.Context) (string, error) {
			for p, err := range frameio.RowsOf(ctx, "list projects", r.frameio.ProjectsOf, ws.ID) {
				if err != nil {
					return "", err
				}
				if p.Name == r.cfg.Review.Project && !p.Archived {
					return p.ID, nil
				}
			}
			return "", nil
		},
		Make: func(ctx context.Context) (string, error) {
			p, err := r.frameio.CreateProject(ctx, ws.ID, r.cfg.Review.Project)
			return p.ID, err
		},
	})
	if err != nil {
		return frameio.Project{}, fmt.Errorf("project %q for reviews: %w", r.cfg.Review.Project, err)
	}
	p, err := r.frameio.Project(ctx, id)
	return p, unseen(ctx, err, "the project for reviews")
}

// noteOlderComments records the comments that iconik had before the review. They stay internal.
func (r *review) noteOlderComments(ctx context.Context, assets []ledger.ReviewAsset) error {
	for i, it := range assets {
		if it.SeenIconik {
			continue
		}
		again := false
		for _, before := range assets[:i] {
			again = again || before.AssetID == it.AssetID && before.VersionID == it.VersionID
		}
		if !again {
			segments, err := r.iconik.Segments.List(ctx, it.AssetID, iconik.SegmentListOptions{Type: "COMMENT", VersionID: it.VersionID})
			if rest.IsRefused(err) && !rest.IsNotFound(err) { // once they become readable, their dates show that they are older
				segments, err = nil, r.noteError(ctx, fmt.Sprintf("iconik does not let Framebridge read the comments of %q", it.Title), err)
			}
			if err != nil && !rest.IsNotFound(err) {
				return fmt.Errorf("comments of %q before the review: %w", it.Title, err)
			}
			var rows []ledger.ReviewComment
			for _, s := range segments {
				// A comment made after the click belongs to the review, even if sending took long.
				before := s.Created.IsZero() || !s.Created.After(r.clickedAt(it))
				if before && (s.VersionID == "" || s.VersionID == it.VersionID) {
					rows = append(rows, commentsync.Older(r.ref.Review, it.N, s.ID))
				}
			}
			if err := r.tenant.Ledger.PutReviewComments(ctx, rows...); err != nil {
				return err
			}
		}
		if _, err := r.updateAsset(ctx, it.N, func(row *ledger.ReviewAsset) { row.SeenIconik = true }); err != nil {
			return err
		}
	}
	return nil
}

// clickedAt returns when an asset was sent, by iconik's clock.
func (r *review) clickedAt(it ledger.ReviewAsset) time.Time {
	if it.ClickedAt.IsZero() {
		return r.row.ClickedAt
	}
	return it.ClickedAt
}
