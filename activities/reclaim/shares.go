package reclaim

import (
	"context"
	"fmt"

	"github.com/framebridge/framebridge/activities/comparing"
	"github.com/framebridge/framebridge/clients/frameio"
	"github.com/framebridge/framebridge/ledger"
	"github.com/framebridge/framebridge/workflows"
)

// shared says which share somebody has created or added to since the project was archived: people look at its files, and iconik lacks it.
// It returns "" if there is none. Unless each is set, it skips shares whose items take a call of their own.
func (r *run) shared(ctx context.Context, each bool) (string, error) {
	retry := fmt.Sprintf("run `starter retry %s`, and ask again when it has ended", r.ref.Archive)
	for s, err := range frameio.Rows(ctx, "list shares", func(ctx context.Context, cursor string) (frameio.Page[frameio.Share], error) {
		return r.frameio.Shares(ctx, r.ref.Archive, cursor)
	}) {
		if err != nil {
			return "", fmt.Errorf("listing the shares: %w", err)
		}
		collection, err := r.linked(ctx, s.ID, ledger.LinkPresentation, ledger.LinkReviewLink, ledger.LinkShare)
		if err != nil {
			return "", err
		}
		if collection == "" {
			return fmt.Sprintf("the share %q was made in Frame.io after the project was archived: %s", s.Name, retry), nil
		}
		if !each && s.Items == nil {
			continue
		}
		if more, err := r.showsMore(ctx, s, collection); err != nil {
			return "", fmt.Errorf("what the share %q shows: %w", s.Name, err)
		} else if more {
			return fmt.Sprintf("the share %q shows more in Frame.io than was archived of it: %s", s.Name, retry), nil
		}
	}
	return "", nil
}

// sharedSince is shared before files are deleted. It looks into each share only before the first deletion.
func (r *run) sharedSince(ctx context.Context) (string, error) {
	p, err := r.progress(ctx, workflows.ReclaimProgress{})
	if err != nil {
		return "", err
	}
	return r.shared(ctx, p.Counts.Deleted == 0)
}

// showsMore reports whether a share has an item that its collection lacks.
func (r *run) showsMore(ctx context.Context, s frameio.Share, collection string) (bool, error) {
	known, err := comparing.References{Tenant: r.tenant.Ledger, Rows: r.ledger}.Of(ctx, s.ID, collection)
	if err != nil {
		return false, err
	}
	shows := func(item frameio.ShareItem) (bool, error) {
		target, err := r.linked(ctx, item.AssetID, ledger.LinkFile, ledger.LinkStack, ledger.LinkFolder, ledger.LinkProject)
		if err == nil && target == "" {
			var it ledger.Item
			it, _, err = r.ledger.Item(ctx, item.AssetID)
			target = it.AssetID
		}
		return target != "" && !known[target], err
	}
	if s.Items != nil {
		for _, item := range s.Items {
			if more, err := shows(item); err != nil || more {
				return more, err
			}
		}
		return false, nil
	}
	for item, err := range frameio.Rows(ctx, "list a share's items", func(ctx context.Context, cursor string) (frameio.Page[frameio.ShareItem], error) {
		return r.frameio.ShareItems(ctx, s, cursor)
	}) {
		if err != nil {
			return false, err
		}
		if more, err := shows(item); err != nil || more {
			return more, err
		}
	}
	return false, nil
}

// linked returns what stands for a Frame.io object in iconik, or "" if the ledger knows nothing.
func (r *run) linked(ctx context.Context, source string, kinds ...ledger.LinkKind) (string, error) {
	for _, kind := range kinds {
		if link, _, err := r.tenant.Ledger.Link(ctx, kind, source); err != nil || link.TargetID != "" {
			return link.TargetID, err
		}
	}
	return "", nil
}
