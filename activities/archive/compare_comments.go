package archive

import (
	"context"
	"slices"

	"github.com/framebridge/framebridge/activities/comparing"
	"github.com/framebridge/framebridge/clients/frameio"
	"github.com/framebridge/framebridge/clients/iconik"
	"github.com/framebridge/framebridge/clients/rest"
	"github.com/framebridge/framebridge/ledger"
	"github.com/framebridge/framebridge/mapping"
	"github.com/framebridge/framebridge/plan"
	"github.com/framebridge/framebridge/proof"
)

// draftFor is a comment as it is written in a user's name.
func (a *archive) draftFor(it ledger.Item, c frameio.Comment) func(user string) mapping.SegmentDraft {
	return func(user string) mapping.SegmentDraft {
		return mapping.Segment(plan.Comment(it, c, user, a.tenant.DrawingFrame()))
	}
}

// parentSegment is the segment that a comment's own replies to; empty where there is none.
func (a *archive) parentSegment(ctx context.Context, c frameio.Comment) (string, error) {
	if c.ParentID == "" {
		return "", nil
	}
	link, _, err := a.tenant.Ledger.Link(ctx, ledger.LinkComment, c.ParentID)
	return link.TargetID, err
}

// The words for a comment that Frame.io has otherwise than it had.
const changedSince = "differ: a comment was changed in Frame.io after the copy; a retry brings the change over"

// compareComment compares a comment with its segment, as iconik's index or its store shows it. The index lags, so only the store
// can say that something differs. gone says that iconik has the segment no more.
func (a *archive) compareComment(ctx context.Context, it ledger.Item, c frameio.Comment, link ledger.Link, have *iconik.Segment) (found []proof.Difference, gone bool, err error) {
	user, err := a.tenant.UserFor(ctx, c.Author)
	if err != nil {
		return nil, false, err
	}
	parent, err := a.parentSegment(ctx, c)
	if err != nil {
		return nil, false, err
	}
	draftFor := a.draftFor(it, c)
	changed := link.Hash != draftFor(user).Hash() && link.Hash != draftFor("").Hash()
	compare := func(s *iconik.Segment) []proof.Difference {
		as := user
		if s.UserID != user {
			as = ""
		}
		found := proof.Compare(comparing.WantedComment(draftFor(as), s, parent).Object(), comparing.FoundComment(s).Object(), proof.ReadWritten(link.Written), changed)
		if link.Written == "" { // a reply's segment of before keeps its parent, whatever became of that one
			found = slices.DeleteFunc(found, func(d proof.Difference) bool { return d.Property == proof.Parent })
		}
		return found
	}
	if have != nil {
		if found = compare(have); len(found) == 0 && !changed {
			return nil, false, nil
		}
	}
	if have, err = a.iconik.Segments.Get(ctx, it.AssetID, link.TargetID); rest.IsNotFound(err) || err == nil && have.Status == "DELETED" {
		return nil, true, nil
	}
	if err != nil {
		return nil, false, err
	}
	if found = compare(have); changed && !comparing.Stale(found) { // in what cannot be seen of the segment itself
		found = append(found, proof.Difference{Kind: proof.Source})
	}
	return found, false, nil
}

// restoreComment gives a segment back what was changed of it in iconik, where the configuration says so. It returns what differs
// still.
func (a *archive) restoreComment(ctx context.Context, it ledger.Item, c frameio.Comment, link ledger.Link, found []proof.Difference) ([]proof.Difference, error) {
	changed := func(d proof.Difference) bool { return d.Kind == proof.Changed && d.Property != proof.Parent }
	if !a.findings.Restores || comparing.Stale(found) || !slices.ContainsFunc(found, changed) {
		return found, nil
	}
	user, err := a.tenant.UserFor(ctx, c.Author)
	if err != nil {
		return nil, err
	}
	have, err := a.iconik.Segments.Get(ctx, it.AssetID, link.TargetID)
	if err != nil {
		return nil, err
	}
	hash := a.draftFor(it, c)(user).Hash()
	if have.UserID != user {
		user = ""
	}
	return slices.DeleteFunc(found, changed), a.writeComment(ctx, it, c, link, have, a.draftFor(it, c)(user), hash, false)
}
