package reclaim

import (
	"context"
	"fmt"

	"github.com/framebridge/framebridge/activities/comparing"
	"github.com/framebridge/framebridge/clients/frameio"
	"github.com/framebridge/framebridge/clients/rest"
	"github.com/framebridge/framebridge/ledger"
	"github.com/framebridge/framebridge/workflows"
)

// shared says which share somebody has created or added to since the project was archived: people look at its files, and iconik lacks it.
// It returns "" if there is none. Unless each is set, it skips shares whose items take a call of their own.
func (r *run) shared(ctx context.Context, each bool) (string, error) {
	retry := fmt.Sprintf("run `starter retry %s`, and ask again when it has ended", r.ref.Archive)
	for s, err := range frameio.RowsOf(ctx, "list shares", r.frameio.Shares, r.ref.Archive) {
		if err != nil {
			return "", fmt.Errorf("listing the shares: %w", err)
		}
		collection, err := r.references().Linked(ctx, s.ID, ledger.LinkPresentation, ledger.LinkReviewLink, ledger.LinkShare)
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
	known, err := r.references().Of(ctx, s.ID, collection)
	if err != nil {
		return false, err
	}
	items := s.Items
	if items == nil {
		if items, err = rest.Collect(frameio.RowsOf(ctx, "list a share's items", r.frameio.ShareItems, s)); err != nil {
			return false, err
		}
	}
	for _, item := range items {
		target, err := r.references().AssetOf(ctx, item.AssetID)
		if err == nil && target == "" {
			target, err = r.references().CollectionOf(ctx, item.AssetID)
		}
		if err != nil || target != "" && !known[target] {
			return err == nil, err
		}
	}
	return false, nil
}

// references are what is known of the shares' references. It only looks them up, and needs no vendor.
func (r *run) references() comparing.References {
	return comparing.References{Tenant: r.tenant.Ledger, Rows: r.ledger}
}
