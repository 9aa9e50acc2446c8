package activities

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/framebridge/framebridge/clients/frameio"
	"github.com/framebridge/framebridge/clients/rest"
	"github.com/framebridge/framebridge/ledger"
	"github.com/framebridge/framebridge/mapping"
	"github.com/framebridge/framebridge/workflows"
)

// projectMemory is how long the project for reviews is not looked for again.
const projectMemory = time.Minute

// review is one review in the hands of one activity.
type review struct {
	*tenant
	ref workflows.ReviewRef
	row ledger.Review
}

func (a *Activities) review(ctx context.Context, ref workflows.ReviewRef) (*review, error) {
	t, err := a.tenant(ref.Tenant)
	if err != nil {
		return nil, err
	}
	row, ok, err := a.Ledger.Review(ctx, ref.Tenant, ref.Review)
	if err != nil {
		return nil, err
	}
	if !ok {
		return nil, systemError("the ledger does not know review %s: was the ledger replaced while it ran?", ref.Review)
	}
	return &review{tenant: t, ref: ref, row: row}, nil
}

func (r *review) update(ctx context.Context, change func(*ledger.Review)) (err error) {
	r.row, err = r.Ledger.UpdateReview(ctx, r.ref.Tenant, r.ref.Review, change)
	return err
}

func (r *review) assets(ctx context.Context) ([]ledger.ReviewAsset, error) {
	return r.Ledger.ReviewAssets(ctx, r.ref.Tenant, r.ref.Review)
}

func (r *review) updateAsset(ctx context.Context, n int, change func(*ledger.ReviewAsset)) (ledger.ReviewAsset, error) {
	return r.Ledger.UpdateReviewAsset(ctx, r.ref.Tenant, r.ref.Review, n, change)
}

func (r *review) workflowID() string { return workflows.ReviewID(r.ref.Tenant, r.ref.Review) }

// PrepareReview finds out which assets are meant, notes what was said about them before, and makes the review's job in
// iconik and its place in Frame.io.
func (a *Activities) PrepareReview(ctx context.Context, ref workflows.ReviewRef) (workflows.Prepared, error) {
	var out workflows.Prepared
	r, err := a.review(ctx, ref)
	if err != nil {
		return out, err
	}
	if err := r.update(ctx, func(row *ledger.Review) {
		row.WorkflowID, row.Generation = r.workflowID(), string(r.frameio.Generation())
		row.Status, row.Reason = ledger.ReviewSending, ""
	}); err != nil {
		return out, err
	}
	out = workflows.Prepared{Title: r.row.Title, ExpiresAt: r.row.ExpiresAt, Longest: r.cfg.Review.Longest,
		Parallel: r.cfg.Archive.ItemsInParallel, ProxyWait: r.cfg.Review.ProxyWait}
	if out.HandedOver, err = r.chooseAssets(ctx); err != nil {
		return out, settled(err)
	}
	assets, err := r.assets(ctx)
	if err != nil {
		return out, err
	}
	if len(assets) == 0 {
		reason := "its assets are in review already and became new versions there"
		if err := r.endedJob(ctx, "FINISHED", "The assets are in review already: they were sent again, as new versions under the same link."); err != nil {
			return out, firstTouch(err)
		}
		r.notify(ctx, "Sent again under the same link", "The assets are in review already and became new versions there.")
		return out, r.update(ctx, func(row *ledger.Review) { row.Status, row.Reason = ledger.ReviewStopped, reason })
	}
	out.Assets, out.FirstAsset = len(assets), assets[0].AssetID
	if r.row.Title == "" {
		title := assets[0].Title
		if len(assets) > 1 {
			title = fmt.Sprintf("%s and %d more", title, len(assets)-1)
		}
		if err := r.update(ctx, func(row *ledger.Review) { row.Title = shorten(title, 150) }); err != nil {
			return out, err
		}
	}
	out.Title = r.row.Title
	if err := r.noteOlderComments(ctx, assets); err != nil {
		return out, settled(err)
	}
	if err := r.openJob(ctx, assets); err != nil {
		return out, firstTouch(err)
	}
	if err := r.publish(ctx); err != nil {
		return out, firstTouch(err)
	}
	return out, firstTouch(r.makePlace(ctx))
}

func shorten(s string, most int) string {
	if runes := []rune(s); len(runes) > most {
		return string(runes[:most-1]) + "…"
	}
	return s
}

// chooseAssets opens the clicked collections, leaves out what is named twice, and hands assets that are in a running
// review over to it. It returns those reviews.
func (r *review) chooseAssets(ctx context.Context) ([]string, error) {
	if have, err := r.assets(ctx); err != nil || len(have) > 0 {
		return nil, err // chosen by an attempt before
	}
	var ids []string
	seen := map[string]bool{}
	add := func(id string) error {
		if id == "" || seen[id] {
			return nil
		}
		seen[id] = true
		if ids = append(ids, id); len(ids) > workflows.MaxReviewAssets {
			return contentError("More than %d assets were chosen: send fewer at once.", workflows.MaxReviewAssets)
		}
		return nil
	}
	for _, id := range r.row.ClickedAssets {
		if err := add(id); err != nil {
			return nil, err
		}
	}
	open := slices.Clone(r.row.ClickedCollections)
	for i := 0; i < len(open); i++ {
		for o, err := range r.iconik.Collections.AllContents(ctx, open[i], "assets,collections") {
			if err != nil {
				return nil, fmt.Errorf("collection %s: %w", open[i], err)
			}
			switch {
			case o.Status == "DELETED":
			case o.ObjectType == "collections":
				if !slices.Contains(open, o.ID) {
					open = append(open, o.ID)
				}
			default:
				if err := add(o.ID); err != nil {
					return nil, err
				}
			}
		}
	}
	if len(ids) == 0 {
		return nil, contentError("There is no asset in what was clicked.")
	}
	var mine []ledger.ReviewAsset
	var handed []string
	for _, id := range ids {
		asset, err := r.newAsset(ctx, id)
		var un *unsendable
		switch {
		case errors.As(err, &un) && !slices.Contains(r.row.ClickedAssets, id): // an index may still show what was deleted
			if err := r.note(ctx, "Left out of the collection: "+un.why); err != nil {
				return nil, err
			}
			continue
		case un != nil:
			return nil, contentError("%s", un.why)
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
	}
	if len(mine)+len(handed) == 0 {
		return nil, contentError("There is no asset in what was clicked that could be sent.")
	}
	_, err := r.Ledger.AddReviewAssets(ctx, r.ref.Tenant, r.ref.Review, func(have []ledger.ReviewAsset) []ledger.ReviewAsset {
		if len(have) > 0 {
			return nil
		}
		return mine
	})
	return handed, err
}

// unsendable says why an asset cannot be in a review.
type unsendable struct{ why string }

func (e *unsendable) Error() string { return e.why }

func (r *review) newAsset(ctx context.Context, id string) (ledger.ReviewAsset, error) {
	asset, err := r.iconik.Assets.Get(ctx, id, false)
	switch {
	case rest.IsNotFound(err):
		return ledger.ReviewAsset{}, &unsendable{fmt.Sprintf("Asset %s is not in iconik any more.", id)}
	case err != nil:
		return ledger.ReviewAsset{}, err
	case asset.Status == "DELETED":
		return ledger.ReviewAsset{}, &unsendable{fmt.Sprintf("Asset %q is deleted in iconik.", asset.Title)}
	}
	version, ok := asset.CurrentVersion()
	if !ok {
		return ledger.ReviewAsset{}, &unsendable{fmt.Sprintf("Asset %q has no version that could be sent.", asset.Title)}
	}
	return ledger.ReviewAsset{AssetID: id, VersionID: version.ID, Title: asset.Title, Quality: r.row.Quality, State: ledger.AssetPending, Decision: "none"}, nil
}

// handOver gives an asset to a running review that shows it already, and returns which: it becomes a new version there,
// and this click's reviewers are invited too. One that is ending sends nothing any more.
func (r *review) handOver(ctx context.Context, asset ledger.ReviewAsset) (string, error) {
	rows, err := r.Ledger.ReviewsOfAsset(ctx, r.ref.Tenant, asset.AssetID)
	if err != nil {
		return "", err
	}
	for _, other := range rows {
		if other.ID == r.ref.Review || other.CreatedAt.After(r.row.CreatedAt) {
			continue
		}
		taken, err := r.Ledger.HandOver(ctx, r.ref.Tenant, other.ID, r.ref.Review, asset, time.Now())
		if err != nil {
			return "", err
		}
		if taken {
			_, err := r.Ledger.UpdateReview(ctx, r.ref.Tenant, other.ID, func(row *ledger.Review) {
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

// makePlace finds or makes the tenant's review project and makes this review's folder in it.
func (r *review) makePlace(ctx context.Context) error {
	if r.row.FolderID != "" {
		return nil
	}
	project, err := r.reviewProject(ctx)
	if err != nil {
		return err
	}
	name := r.folderName()
	folder, _, err := r.makeOnce(ctx, creation{
		kind: ledger.LinkReviewFolder, sourceID: r.ref.Review, parent: project.RootID, owner: r.ref.Review,
		look: func(ctx context.Context) (string, error) {
			return r.childNamed(ctx, project.RootID, name, frameio.KindFolder, nil)
		},
		make: func(ctx context.Context) (string, error) {
			f, err := r.frameio.CreateFolder(ctx, project.RootID, name)
			return f.ID, err
		},
	})
	if err != nil {
		return fmt.Errorf("folder of the review: %w", err)
	}
	return r.update(ctx, func(row *ledger.Review) { row.ProjectID, row.FolderID = project.ID, folder })
}

// folderName is unique in the project for reviews, and finds the folder again where it came under another id.
func (r *review) folderName() string {
	return shorten(mapping.SafeFileName(r.row.Title), 120) + " " + r.row.CreatedAt.Format("2006-01-02") + " " + r.ref.Review[:8]
}

// childNamed finds a child by its name; those that known holds are others.
func (t *tenant) childNamed(ctx context.Context, folder, name string, kind frameio.AssetKind, known map[string]bool) (string, error) {
	for cursor := ""; ; {
		page, err := t.frameio.Children(ctx, folder, cursor)
		if err != nil {
			return "", err
		}
		for _, a := range page.Items {
			if a.Kind == kind && a.Name == name && !known[a.ID] {
				return a.ID, nil
			}
		}
		if cursor = page.Next; cursor == "" {
			return "", nil
		}
	}
}

// reviewProject finds the tenant's project for reviews by its name, or makes it.
func (t *tenant) reviewProject(ctx context.Context) (frameio.Project, error) {
	t.mu.Lock()
	known := t.reviews
	t.mu.Unlock()
	if known.project.ID != "" && time.Since(known.at) < projectMemory {
		return known.project, nil
	}
	p, err := t.findReviewProject(ctx)
	if err == nil {
		t.mu.Lock()
		t.reviews.project, t.reviews.at = p, time.Now()
		t.mu.Unlock()
	}
	return p, err
}

func (t *tenant) findReviewProject(ctx context.Context) (frameio.Project, error) {
	ws, err := t.frameio.Workspace(ctx, t.cfg.Frameio.Workspace)
	if err != nil {
		return frameio.Project{}, err
	}
	key := ws.ID + "/" + t.cfg.Review.Project
	if link, ok, err := t.Ledger.Link(ctx, t.cfg.ID, ledger.LinkReviewProject, key); err != nil {
		return frameio.Project{}, err
	} else if ok && link.TargetID != "" {
		p, err := t.frameio.Project(ctx, link.TargetID)
		if err == nil || !rest.IsNotFound(err) {
			return p, err
		}
		if err := t.Ledger.Forget(ctx, t.cfg.ID, ledger.LinkReviewProject, key); err != nil { // deleted by hand: a new one
			return frameio.Project{}, err
		}
	}
	id, _, err := t.makeOnce(ctx, creation{
		kind: ledger.LinkReviewProject, sourceID: key, lookFirst: true,
		look: func(ctx context.Context) (string, error) {
			for cursor := ""; ; {
				page, err := t.frameio.ProjectsOf(ctx, ws.ID, cursor)
				if err != nil {
					return "", err
				}
				for _, p := range page.Items {
					if p.Name == t.cfg.Review.Project && !p.Archived {
						return p.ID, nil
					}
				}
				if cursor = page.Next; cursor == "" {
					return "", nil
				}
			}
		},
		make: func(ctx context.Context) (string, error) {
			p, err := t.frameio.CreateProject(ctx, ws.ID, t.cfg.Review.Project)
			return p.ID, err
		},
	})
	if err != nil {
		return frameio.Project{}, fmt.Errorf("project %q for reviews: %w", t.cfg.Review.Project, err)
	}
	return t.frameio.Project(ctx, id)
}

// ReviewWork lists the assets that are not ready in Frame.io.
func (a *Activities) ReviewWork(ctx context.Context, ref workflows.ReviewRef) (workflows.ReviewWorkResult, error) {
	var out workflows.ReviewWorkResult
	r, err := a.review(ctx, ref)
	if err != nil {
		return out, err
	}
	assets, err := r.assets(ctx)
	for _, it := range assets {
		switch it.State {
		case ledger.AssetPending, ledger.AssetUploading, ledger.AssetProcessing:
			out.Assets = append(out.Assets, it.N)
		case ledger.AssetReady, ledger.AssetGone:
			out.Ready++
		case ledger.AssetFailed:
			out.Failed, out.Reason = out.Failed+1, it.Reason
		}
	}
	return out, err
}

// FailAsset notes why an asset is left out, and takes back what was uploaded of it.
func (a *Activities) FailAsset(ctx context.Context, in workflows.AssetInput) error {
	r, err := a.review(ctx, in.ReviewRef)
	if err != nil {
		return err
	}
	it, err := r.updateAsset(ctx, in.N, func(it *ledger.ReviewAsset) { it.State, it.Reason = ledger.AssetFailed, in.Reason })
	if err != nil {
		return err
	}
	if err := r.note(ctx, fmt.Sprintf("%q was not sent: %s", it.Title, in.Reason)); err != nil {
		return err
	}
	if err := r.dropUpload(ctx, it); err != nil {
		return settled(err)
	}
	return settled(r.publish(ctx))
}

// note keeps a sentence for people, once.
func (r *review) note(ctx context.Context, text string) error {
	return r.update(ctx, func(row *ledger.Review) {
		if !slices.Contains(row.Notes, text) {
			row.Notes = append(row.Notes, text)
		}
	})
}

var errNotReady = errors.New("not ready yet")
