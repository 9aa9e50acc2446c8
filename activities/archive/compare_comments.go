package archive

import (
	"context"
	"fmt"
	"slices"

	"github.com/framebridge/framebridge/activities/tenant"
	"github.com/framebridge/framebridge/clients/frameio"
	"github.com/framebridge/framebridge/clients/iconik"
	"github.com/framebridge/framebridge/clients/rest"
	"github.com/framebridge/framebridge/ledger"
	"github.com/framebridge/framebridge/mapping"
	"github.com/framebridge/framebridge/proof"
)

// draftFor is a comment as it is written in a user's name.
func (a *archive) draftFor(it ledger.Item, c frameio.Comment) func(user string) mapping.SegmentDraft {
	return func(user string) mapping.SegmentDraft {
		return mapping.Segment(commentInput(it, c, user, a.tenant.DrawingFrame()))
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

// wantedComment is a comment as its segment should be. Whether a team-only comment says so in its text is up to iconik.
func wantedComment(draft mapping.SegmentDraft, have *iconik.Segment, parent string) proof.Segment {
	want := proof.Segment{Text: draft.Text, StartMS: draft.StartMS, EndMS: draft.EndMS, Checked: draft.Checked, Shapes: draft.Shapes, Parent: parent}
	if draft.Internal && !tenant.IsInternal(have) {
		want.Text = mapping.TeamOnlyPrefix + want.Text
	}
	return want
}

// foundComment is a segment as it is.
func foundComment(s *iconik.Segment) proof.Segment {
	return proof.Segment{Text: s.Text, StartMS: s.StartMS, EndMS: s.EndMS, Checked: s.Checked, Parent: s.ParentID, Shapes: tenant.Shapes(s.Drawing)}
}

// patchComment names a property in a patch.
func patchComment(patch *iconik.SegmentPatch, property string, want proof.Segment, have *iconik.Segment) {
	switch property {
	case proof.Text:
		patch.Text = &want.Text
	case proof.Completion:
		patch.Checked = &want.Checked
	case proof.Time:
		if patch.StartMS, patch.EndMS = want.StartMS, want.EndMS; want.StartMS == nil && have.StartMS != nil {
			patch.Clear = append(patch.Clear, "time_start_milliseconds", "time_end_milliseconds")
		}
	case proof.Drawing:
		if patch.Drawing = tenant.SegmentRequest(mapping.SegmentDraft{Shapes: want.Shapes}).Drawing; patch.Drawing == nil {
			patch.Clear = append(patch.Clear, "drawing")
		}
	}
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
		found := proof.Compare(wantedComment(draftFor(as), s, parent).Object(), foundComment(s).Object(), proof.ReadWritten(link.Written), changed)
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
	if found = compare(have); changed && !slices.ContainsFunc(found, isSource) { // in what cannot be seen of the segment itself
		found = append(found, proof.Difference{Kind: proof.Source})
	}
	return found, false, nil
}

func isSource(d proof.Difference) bool { return d.Kind == proof.Source }

// extraComments are segments that Framebridge made of comments that Frame.io has no more.
func (a *archive) extraComments(ctx context.Context, it ledger.Item, source []frameio.Comment, listed []iconik.Segment) ([]ledger.Difference, error) {
	var out []ledger.Difference
	gone := func(s iconik.Segment) bool {
		kind, id, ours := mapping.ParseExternalID(s.ExternalID)
		return ours && kind == "comment" && s.Status != "DELETED" && !slices.ContainsFunc(source, func(c frameio.Comment) bool { return c.ID == id })
	}
	for _, s := range listed {
		if !gone(s) {
			continue
		}
		now, err := a.iconik.Segments.Get(ctx, it.AssetID, s.ID)
		if rest.IsNotFound(err) || err == nil && !gone(*now) {
			continue
		}
		if err != nil {
			return nil, err
		}
		out = append(out, ledger.Difference{Kind: ledger.DifferenceExtra, Property: "comment", Name: excerpt(now.Text), Frameio: "deleted", Iconik: now.Text})
	}
	return out, nil
}

// differenceRows are what a proof found, for the ledger.
func differenceRows(name string, found []proof.Difference) []ledger.Difference {
	kinds := map[proof.Kind]ledger.DifferenceKind{proof.Differ: ledger.DifferenceDiffers, proof.Changed: ledger.DifferenceChanged}
	var out []ledger.Difference
	for _, d := range found {
		if kind, ok := kinds[d.Kind]; ok {
			out = append(out, ledger.Difference{Kind: kind, Property: d.Property, Name: name, Frameio: d.Frameio, Iconik: d.Iconik})
		}
	}
	return out
}

// found writes down what a proof has found in a part of an object, in place of what was found there before.
func (a *archive) found(ctx context.Context, object, part, place, url string, rows []ledger.Difference) error {
	if len(rows) == 0 && a.known != nil && !slices.ContainsFunc(a.known[object], func(d ledger.Difference) bool { return d.Part == part }) {
		return nil
	}
	row, err := a.row(ctx)
	if err != nil {
		return err
	}
	for i := range rows {
		rows[i].Place, rows[i].URL = place, url
	}
	return a.ledger.SetDifferences(ctx, object, part, row.Run, rows)
}

// noteDifferences has a run that found something else than the one before count as one that changed something: the report and
// the mail say so.
func (a *archive) noteDifferences(ctx context.Context) error {
	hash, err := a.ledger.DifferencesHash(ctx)
	if err != nil {
		return err
	}
	row, err := a.row(ctx)
	if err != nil || row.DifferencesHash == hash {
		return err
	}
	_, err = a.ledger.Update(ctx, func(r *ledger.Archive) { r.DifferencesHash, r.Changed = hash, true })
	return err
}

// differing lowers an outcome of "verified" where something is otherwise in iconik than in Frame.io.
func (a *archive) differing(ctx context.Context, status ledger.ArchiveStatus, reason string) (ledger.ArchiveStatus, string, error) {
	counts, err := a.ledger.DifferenceCounts(ctx)
	if err != nil || status != ledger.Verified && status != ledger.VerifiedWithExceptions {
		return status, reason, err
	}
	words := map[ledger.DifferenceKind]string{ledger.DifferenceChanged: "changed in iconik", ledger.DifferenceDiffers: "not kept by iconik as written",
		ledger.DifferenceExtra: "deleted in Frame.io after the copy and still in iconik", ledger.DifferenceMissing: "missing in iconik"}
	for _, k := range counts {
		if what, ok := words[ledger.DifferenceKind(k.Kind)]; ok {
			status, reason = ledger.VerifiedWithExceptions, reason+fmt.Sprintf("; %s: %d", what, k.Count)
		}
	}
	return status, reason, nil
}
