package comparing

import (
	"context"

	"github.com/framebridge/framebridge/activities/tenant"
	"github.com/framebridge/framebridge/clients/iconik"
	"github.com/framebridge/framebridge/clients/rest"
	"github.com/framebridge/framebridge/ledger"
	"github.com/framebridge/framebridge/mapping"
	"github.com/framebridge/framebridge/proof"
)

// WantedComment is a comment as its segment should be. Whether a team-only comment says so in its text is up to iconik.
func WantedComment(draft mapping.SegmentDraft, have *iconik.Segment, parent string) proof.Segment {
	want := proof.Segment{Text: draft.Text, StartMS: draft.StartMS, EndMS: draft.EndMS, Checked: draft.Checked, Shapes: draft.Shapes, Parent: parent}
	if draft.Internal && !tenant.IsInternal(have) {
		want.Text = mapping.TeamOnlyPrefix + want.Text
	}
	return want
}

// FoundComment is a segment as it is.
func FoundComment(s *iconik.Segment) proof.Segment {
	return proof.Segment{Text: s.Text, StartMS: s.StartMS, EndMS: s.EndMS, Checked: s.Checked, Parent: s.ParentID, Shapes: tenant.Shapes(s.Drawing)}
}

// CommentPatch gives a segment what Frame.io has changed of a comment and, where that is restored, what was changed in iconik. It
// returns which properties stay as they are, and which are restored; patch is nil where there is nothing to write.
func CommentPatch(want proof.Segment, have *iconik.Segment, before proof.Written, changed, restore bool) (patch *iconik.SegmentPatch, left []string, restored []proof.Difference) {
	now, found := want.Object(), FoundComment(have).Object()
	write := map[string]bool{}
	for _, d := range proof.Compare(now, found, before, changed) {
		if d.Property == proof.Parent { // of a segment that is there, iconik changes none
			continue
		}
		if write[d.Property] = d.Kind == proof.Source || restore && d.Kind == proof.Changed; !write[d.Property] {
			continue
		}
		if d.Kind == proof.Changed {
			restored = append(restored, d)
		}
		if patch == nil {
			patch = &iconik.SegmentPatch{}
		}
		patchComment(patch, d.Property, want, have)
	}
	for _, p := range now {
		if found.Value(p.Name) != p.Value && !write[p.Name] {
			left = append(left, p.Name)
		}
	}
	return patch, left, restored
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

// ExtraComments are segments that Framebridge made of comments that Frame.io has no more. source are the ids of those that it has.
func ExtraComments(ctx context.Context, client *iconik.Client, assetID string, source map[string]bool, listed []iconik.Segment) ([]ledger.Difference, error) {
	var out []ledger.Difference
	gone := func(s iconik.Segment) bool {
		kind, id, ours := mapping.ParseExternalID(s.ExternalID)
		return ours && kind == "comment" && s.Status != "DELETED" && !source[id]
	}
	for _, s := range listed {
		if !gone(s) {
			continue
		}
		now, err := client.Segments.Get(ctx, assetID, s.ID)
		if rest.IsNotFound(err) || err == nil && !gone(*now) {
			continue
		}
		if err != nil {
			return nil, err
		}
		out = append(out, ledger.Difference{Kind: ledger.DifferenceExtra, Property: "comment", Name: mapping.Excerpt(now.Text), Frameio: "deleted", Iconik: now.Text})
	}
	return out, nil
}
