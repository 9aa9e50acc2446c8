package comments

import (
	"context"
	"slices"
	"strings"
	"time"

	"github.com/framebridge/framebridge/activities/comparing"
	"github.com/framebridge/framebridge/clients/frameio"
	"github.com/framebridge/framebridge/clients/iconik"
	"github.com/framebridge/framebridge/clients/rest"
	"github.com/framebridge/framebridge/ledger"
	"github.com/framebridge/framebridge/mapping"
	"github.com/framebridge/framebridge/proof"
)

// matchMigrated ties the comments of a file that has a new ID to the segments that were created for them. It matches them by
// time and text, which begins with the author if iconik has no such user, and replies also by the comment they reply to.
func (t Threads) matchMigrated(ctx context.Context, it ledger.Item, comments []frameio.Comment) error {
	if !it.Migrated {
		return nil
	}
	listed, err := t.Tenant.Iconik.Segments.List(ctx, it.AssetID, iconik.SegmentListOptions{Type: "COMMENT", VersionID: it.VersionID})
	if err != nil && !rest.IsNotFound(err) {
		return err
	}
	type former struct {
		iconik.Segment
		source string // the comment's former ID
	}
	var free []former
	for _, g := range listed {
		kind, source, ours := mapping.ParseExternalID(g.ExternalID)
		if !ours || kind != "comment" || g.Deleted() {
			continue
		}
		if link, ok, err := t.Tenant.Ledger.Link(ctx, ledger.LinkComment, source); err != nil {
			return err
		} else if ok && link.TargetID == g.ID && !slices.ContainsFunc(comments, func(c frameio.Comment) bool { return c.ID == source }) {
			free = append(free, former{g, source})
		}
	}
	slices.SortStableFunc(free, func(x, y former) int { return x.Created.Compare(y.Created.Time) })
	target := map[string]string{} // of this file's comments
	for _, c := range comments {
		link, known, err := t.Tenant.Ledger.Link(ctx, ledger.LinkComment, c.ID)
		if err != nil {
			return err
		}
		if known {
			target[c.ID] = link.TargetID
			continue
		}
		user, err := t.Tenant.UserFor(ctx, c.Author)
		if err != nil {
			return err
		}
		draft, named := t.draftFor(it, c)(user), t.draftFor(it, c)("")
		samePlace := func(g former) bool {
			return g.ParentID == target[c.ParentID] && mapping.SameTime(g.StartMS, draft.StartMS) && mapping.SameTime(g.EndMS, draft.EndMS)
		}
		at := slices.IndexFunc(free, func(g former) bool { // in its author's name, or with the author in its text
			return samePlace(g) && (g.Text == draft.Text && (user == "" || g.UserID == user) || g.Text == named.Text && g.UserID != user)
		})
		if at < 0 && c.Author.Unknown && c.Text != "" { // the segment's text begins with its author's name
			at = slices.IndexFunc(free, func(g former) bool { return samePlace(g) && strings.HasSuffix(g.Text, c.Text) })
		}
		if at < 0 {
			continue
		}
		g := free[at]
		free = slices.Delete(free, at, at+1)
		target[c.ID] = g.ID
		external := mapping.ExternalID("comment", c.ID)
		if _, err := t.Tenant.Iconik.Segments.Update(ctx, it.AssetID, g.ID, iconik.SegmentPatch{ExternalID: &external}); err != nil {
			return err
		}
		// What is there stays, including an author's name that V4 does not tell: it counts as written.
		if _, _, err := t.Tenant.Ledger.Intend(ctx, ledger.Link{Kind: ledger.LinkComment, SourceID: c.ID, Archive: t.Archive, Parent: it.AssetID, IntendedAt: time.Now()}); err != nil {
			return err
		}
		if err := t.Tenant.Ledger.CompleteAs(ctx, ledger.LinkComment, c.ID, g.ID, draft.Hash(), proof.Accept(comparing.FoundComment(&g.Segment).Object()).String()); err != nil {
			return err
		}
		if err := t.Tenant.Ledger.Delete(ctx, ledger.LinkComment, g.source); err != nil {
			return err
		}
	}
	_, err = t.Update(ctx, it, func(i *ledger.Item) { i.Migrated = false })
	return err
}
