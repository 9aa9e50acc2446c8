package comments

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/framebridge/framebridge/activities/comparing"
	"github.com/framebridge/framebridge/clients/frameio"
	"github.com/framebridge/framebridge/clients/iconik"
	"github.com/framebridge/framebridge/clients/rest"
	"github.com/framebridge/framebridge/ledger"
	"github.com/framebridge/framebridge/mapping"
	"github.com/framebridge/framebridge/plan"
	"github.com/framebridge/framebridge/proof"
)

// Problem reads the comments on both sides and returns what prevents a verdict. missing means that the next round copies it.
// iconik lists comments from an index that lags, so one that is not listed is requested by its ID before it counts as missing.
func (t Threads) Problem(ctx context.Context, it ledger.Item) (problem string, missing bool, err error) {
	source, err := t.Visible(ctx, it)
	if rest.IsNotFound(err) {
		if _, gone := t.Tenant.Frameio.Asset(ctx, it.SourceID); !rest.IsNotFound(gone) {
			return "", false, cmp.Or(gone, err) // the file exists: only its comments are refused
		}
		return "extra: the file was removed from Frame.io during the archive; a retry leaves it out", false, nil
	}
	if err != nil {
		return "", false, err
	}
	listed, err := t.Tenant.Iconik.Segments.List(ctx, it.AssetID, iconik.SegmentListOptions{Type: "COMMENT", VersionID: it.VersionID})
	if err != nil && !rest.IsNotFound(err) {
		return "", false, err
	}
	there, external := map[string]*iconik.Segment{}, map[string]int{}
	for i, s := range listed {
		// Pages of an index that is changing may show a segment twice.
		if !s.Deleted() && there[s.ID] == nil {
			there[s.ID] = &listed[i]
			external[s.ExternalID]++
		}
	}
	has := map[string]bool{}
	for _, c := range source {
		has[c.ID] = true
	}
	rows, err := comparing.ExtraComments(ctx, t.Tenant.Iconik, it.AssetID, has, listed)
	if err != nil {
		return "", false, err
	}
	stale, segments := false, map[string]*iconik.Segment{}
	for _, c := range source {
		link, ok, err := t.Tenant.Ledger.Link(ctx, ledger.LinkComment, c.ID)
		if err != nil {
			return "", false, err
		}
		if !ok || link.TargetID == "" {
			return "missing: a comment was added in Frame.io after the copy; a retry copies it", true, nil
		}
		if n := external[mapping.ExternalID("comment", c.ID)]; n > 1 {
			return fmt.Sprintf("extra: a comment appears %d times in iconik", n), false, nil
		}
		found, gone, err := t.compare(ctx, it, c, link, there[link.TargetID])
		if err != nil {
			return "", false, err
		}
		if gone {
			if err := t.Tenant.Ledger.Delete(ctx, ledger.LinkComment, c.ID); err != nil {
				return "", false, err
			}
			return "missing: a comment was deleted in iconik; a retry restores it", true, nil
		}
		segments[c.ID] = there[link.TargetID]
		if found, err = t.restore(ctx, it, c, link, found); err != nil {
			return "", false, err
		}
		stale = stale || comparing.Stale(found)
		rows = append(rows, comparing.CommentDifferences(c.Text, found)...)
	}
	if stale {
		return changedSince, true, nil
	}
	rows = append(rows, inOtherThreads(source, segments, there, rows)...)
	rows = append(rows, outOfOrder(source, segments)...)
	return "", false, t.Findings.Set(ctx, t.placeOf(it), rows)
}

// draftFor returns a function that returns a comment as it is written in a user's name.
func (t Threads) draftFor(it ledger.Item, c frameio.Comment) func(user string) mapping.SegmentDraft {
	return func(user string) mapping.SegmentDraft {
		return mapping.Segment(plan.Comment(it, c, user, t.Tenant.DrawingFrame()))
	}
}

// parentSegment returns the segment that a comment's own segment replies to, or "" if there is none.
func (t Threads) parentSegment(ctx context.Context, c frameio.Comment) (string, error) {
	if c.ParentID == "" {
		return "", nil
	}
	link, _, err := t.Tenant.Ledger.Link(ctx, ledger.LinkComment, c.ParentID)
	return link.TargetID, err
}

// changedSince is the problem of a comment that has changed in Frame.io.
const changedSince = "differ: a comment was changed in Frame.io after the copy; a retry brings the change over"

// compare compares a comment with its segment, as shown by iconik's index or its store. The index lags, so only the store can
// tell that something differs. gone means that iconik no longer has the segment.
func (t Threads) compare(ctx context.Context, it ledger.Item, c frameio.Comment, link ledger.Link, have *iconik.Segment) (found []proof.Difference, gone bool, err error) {
	user, err := t.Tenant.UserFor(ctx, c.Author)
	if err != nil {
		return nil, false, err
	}
	parent, err := t.parentSegment(ctx, c)
	if err != nil {
		return nil, false, err
	}
	draftFor := t.draftFor(it, c)
	changed := link.Hash != draftFor(user).Hash() && link.Hash != draftFor("").Hash()
	before := proof.ReadWritten(link.Written)
	as := func(s *iconik.Segment) mapping.SegmentDraft {
		if s.UserID != user {
			return draftFor("")
		}
		return draftFor(user)
	}
	compare := func(s *iconik.Segment, stored map[string][]string) []proof.Difference {
		want, is := comparing.WantedComment(as(s), s, parent), comparing.FoundComment(s)
		if stored != nil {
			fields := comparing.CommentFields(as(s))
			want.Fields, is.Fields = comparing.FieldsOf(fields, nil), comparing.FieldsOf(fields, comparing.In(stored))
		}
		found := proof.Compare(want.Object(), is.Object(), before, changed)
		if link.Written == "" { // an older reply's segment keeps its parent, whatever became of it
			found = slices.DeleteFunc(found, func(d proof.Difference) bool { return d.Property == proof.Parent })
		}
		return found
	}
	if have != nil && !changed && len(compare(have, nil)) == 0 {
		if !comparing.HasFields(as(have), before) || comparing.IndexShows(comparing.CommentFields(as(have)), have.Metadata) {
			return nil, false, nil
		}
		stored, err := t.fields(ctx, it, link.TargetID)
		if err != nil {
			return nil, false, err
		}
		return compare(have, stored), false, nil
	}
	if have, err = t.Tenant.Iconik.Segments.Get(ctx, it.AssetID, link.TargetID); iconik.Gone(have, err) {
		return nil, true, nil
	}
	if err != nil {
		return nil, false, err
	}
	var stored map[string][]string
	if comparing.HasFields(as(have), before) {
		if stored, err = t.fields(ctx, it, link.TargetID); err != nil {
			return nil, false, err
		}
	}
	if found = compare(have, stored); changed && !comparing.Stale(found) { // in something that the segment does not show
		found = append(found, proof.Difference{Kind: proof.Source})
	}
	return found, false, nil
}

// restore undoes what was changed in a segment in iconik, if the configuration says so. It returns what still differs.
func (t Threads) restore(ctx context.Context, it ledger.Item, c frameio.Comment, link ledger.Link, found []proof.Difference) ([]proof.Difference, error) {
	changed := func(d proof.Difference) bool { return d.Kind == proof.Changed && d.Property != proof.Parent }
	if !t.Findings.Restores || comparing.Stale(found) || !slices.ContainsFunc(found, changed) {
		return found, nil
	}
	user, err := t.Tenant.UserFor(ctx, c.Author)
	if err != nil {
		return nil, err
	}
	have, err := t.Tenant.Iconik.Segments.Get(ctx, it.AssetID, link.TargetID)
	if err != nil {
		return nil, err
	}
	hash := t.draftFor(it, c)(user).Hash()
	if have.UserID != user {
		user = ""
	}
	return slices.DeleteFunc(found, changed), t.write(ctx, it, c, link, have, t.draftFor(it, c)(user), hash, false)
}

// inOtherThreads returns the comments that are now in a different thread in Frame.io than in iconik, which cannot move them. segments holds
// the comments' segments, and there all segments by ID, as far as they are listed. What rows already has is left out.
func inOtherThreads(source []frameio.Comment, segments, there map[string]*iconik.Segment, rows []ledger.Difference) (out []ledger.Difference) {
	comments := map[string]frameio.Comment{}
	for _, c := range source {
		comments[c.ID] = c
	}
	for _, c := range source {
		s := segments[c.ID]
		if s == nil {
			continue
		}
		top, under := c, s
		for i := 0; i <= len(source) && comments[top.ParentID].ID != ""; i++ {
			top = comments[top.ParentID]
		}
		for i := 0; i <= len(there) && there[under.ParentID] != nil; i++ {
			under = there[under.ParentID]
		}
		wanted := segments[top.ID]
		if wanted == nil || wanted.ID == under.ID || under.ParentID != "" { // the rest of the thread is not listed
			continue
		}
		row := ledger.Difference{Kind: ledger.DifferenceDiffers, Property: proof.Parent, Name: mapping.Excerpt(c.Text), Frameio: "none", Iconik: "none"}
		if top.ID != c.ID {
			row.Frameio = "in the thread of " + mapping.Excerpt(top.Text)
		}
		if under.ID != s.ID {
			row.Iconik = "in the thread of " + mapping.Excerpt(under.Text)
		}
		if !slices.ContainsFunc(rows, func(d ledger.Difference) bool { return d.Property == row.Property && d.Name == row.Name }) {
			out = append(out, row)
		}
	}
	return out
}

// outOfOrder returns the threads whose replies are not in Frame.io's order in iconik, which sorts them by creation time.
// segments holds the comments' segments, as far as they are listed.
func outOfOrder(source []frameio.Comment, segments map[string]*iconik.Segment) (rows []ledger.Difference) {
	replies := map[string][]frameio.Comment{}
	for _, c := range source {
		if s := segments[c.ID]; c.ParentID != "" && s != nil && !s.Created.IsZero() {
			replies[c.ParentID] = append(replies[c.ParentID], c)
		}
	}
	made := func(x, y frameio.Comment) int { return segments[x.ID].Created.Compare(segments[y.ID].Created.Time) }
	words := func(all []frameio.Comment) string {
		texts := make([]string, len(all))
		for i, c := range all {
			texts[i] = mapping.Excerpt(c.Text)
		}
		return strings.Join(texts, " / ")
	}
	for _, c := range source {
		thread := replies[c.ID]
		if slices.IsSortedFunc(thread, made) {
			continue
		}
		is := slices.Clone(thread)
		slices.SortStableFunc(is, made)
		rows = append(rows, ledger.Difference{Kind: ledger.DifferenceDiffers, Property: "order of replies", Name: mapping.Excerpt(c.Text), Frameio: words(thread), Iconik: words(is)})
	}
	return rows
}
