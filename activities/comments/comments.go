// Package comments copies the comments of a file to the version they were made on, each as a segment, and compares the two sides.
package comments

import (
	"cmp"
	"context"
	"slices"

	"github.com/framebridge/framebridge/activities/acls"
	"github.com/framebridge/framebridge/activities/comparing"
	"github.com/framebridge/framebridge/activities/isolate"
	"github.com/framebridge/framebridge/activities/tenant"
	"github.com/framebridge/framebridge/clients/frameio"
	"github.com/framebridge/framebridge/clients/rest"
	"github.com/framebridge/framebridge/ledger"
	"github.com/framebridge/framebridge/mapping"
	"github.com/framebridge/framebridge/plan"
)

// Threads handles the comments of one archive's files.
type Threads struct {
	Archive  string // its ID
	Tenant   *tenant.Tenant
	Rows     ledger.ArchiveLedger
	Objects  isolate.Objects
	Access   *acls.Keeper
	Findings *comparing.Findings
	// Changed is called before the first write to iconik. Adopting reports whether somebody else may have copied comments.
	Changed  func(context.Context) error
	Adopting func(context.Context) (bool, error)
	// Update changes an item's row.
	Update func(ctx context.Context, it ledger.Item, change func(*ledger.Item)) (ledger.Item, error)
}

// Source reads all comments of a file in the order they were made, parents before their replies.
func (t Threads) Source(ctx context.Context, fileID string) ([]frameio.Comment, error) {
	all, err := t.Tenant.FileComments(ctx, fileID)
	if err != nil {
		return nil, err
	}
	slices.SortStableFunc(all, func(x, y frameio.Comment) int { return x.CreatedAt.Compare(y.CreatedAt) })
	depth := plan.Depths(all)
	slices.SortStableFunc(all, func(x, y frameio.Comment) int { return cmp.Compare(depth[x.ID], depth[y.ID]) })
	return all, nil
}

// Visible returns a file's comments. If people outside the team may read the file in iconik, it leaves out team-only comments
// and the replies to them, and deletes what was copied of them before.
func (t Threads) Visible(ctx context.Context, it ledger.Item) ([]frameio.Comment, error) {
	all, err := t.Source(ctx, it.SourceID)
	if err != nil {
		return nil, err
	}
	place, err := t.Access.PlaceOf(ctx, it.FolderID)
	if err != nil {
		return nil, err
	}
	hides, err := t.Access.HidesTeamOnly(ctx, place)
	if err != nil || !hides {
		return all, err
	}
	hidden := map[string]bool{}
	var out []frameio.Comment
	var lost []ledger.NotCarried
	for _, c := range all { // parents come before their replies
		if !c.TeamOnly && !hidden[c.ParentID] {
			out = append(out, c)
			continue
		}
		hidden[c.ID] = true
		lost = append(lost, ledger.NotCarried{Object: it.SourceID, Kind: "comment", Name: mapping.Excerpt(c.Text), Place: it.Path,
			Reason: "for the team only in Frame.io, and people outside the team may read the file in iconik, which hides no comments from them"})
		if err := t.takeAway(ctx, it, c.ID); err != nil {
			return nil, err
		}
	}
	return out, t.Rows.SetNotCarried(ctx, it.SourceID, "team only", lost)
}

func (t Threads) takeAway(ctx context.Context, it ledger.Item, comment string) error {
	link, ok, err := t.Tenant.Ledger.Link(ctx, ledger.LinkComment, comment)
	if err != nil || !ok {
		return err
	}
	if link.TargetID != "" && it.AssetID != "" {
		if err := t.Changed(ctx); err != nil {
			return err
		}
		if err := t.Tenant.Iconik.Segments.Delete(ctx, it.AssetID, link.TargetID); err != nil && !rest.IsNotFound(err) {
			return err
		}
	}
	return t.Tenant.Ledger.Delete(ctx, ledger.LinkComment, comment)
}

// Forget lets a file's comments be copied again, because its version is no longer in iconik.
func (t Threads) Forget(ctx context.Context, it ledger.Item) error {
	comments, err := t.Visible(ctx, it)
	if rest.IsNotFound(err) {
		return nil
	}
	if err != nil {
		return err
	}
	for _, c := range comments {
		if err := t.Tenant.Ledger.Delete(ctx, ledger.LinkComment, c.ID); err != nil {
			return err
		}
	}
	return nil
}

// note records what is not carried of an item's comments.
func (t Threads) note(ctx context.Context, it ledger.Item, comments []frameio.Comment) error {
	notCarried := plan.NotCarried(comments, t.Tenant.DrawingFrame())
	if len(notCarried) == 0 && it.CommentsScan == 0 { // there was nothing to clear
		return nil
	}
	for i := range notCarried {
		notCarried[i].Place = it.Path
	}
	return t.Rows.SetNotCarried(ctx, it.SourceID, "comments", notCarried)
}
