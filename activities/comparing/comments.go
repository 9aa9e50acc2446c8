package comparing

import (
	"context"
	"slices"
	"strings"

	"github.com/framebridge/framebridge/activities/tenant"
	"github.com/framebridge/framebridge/clients/iconik"
	"github.com/framebridge/framebridge/clients/rest"
	"github.com/framebridge/framebridge/ledger"
	"github.com/framebridge/framebridge/mapping"
	"github.com/framebridge/framebridge/proof"
)

// WantedComment returns a comment as its segment should be. Whether a team-only comment says so in its text depends on iconik.
func WantedComment(draft mapping.SegmentDraft, have *iconik.Segment, parent string) proof.Segment {
	want := proof.Segment{Text: draft.Text, StartMS: draft.StartMS, EndMS: draft.EndMS, Checked: draft.Checked, Shapes: draft.Shapes, Parent: parent, TeamOnly: draft.Internal}
	if draft.Internal && saysTeamOnly(have) && !tenant.IsInternal(have) {
		want.Text = mapping.TeamOnlyPrefix + want.Text
	}
	return want
}

// FoundComment returns a segment as it is.
func FoundComment(s *iconik.Segment) proof.Segment {
	return proof.Segment{Text: s.Text, StartMS: s.StartMS, EndMS: s.EndMS, Checked: s.Checked, Parent: s.ParentID, Shapes: tenant.Shapes(s.Drawing), TeamOnly: tenant.IsInternal(s) || saysTeamOnly(s)}
}

func saysTeamOnly(s *iconik.Segment) bool { return strings.HasPrefix(s.Text, mapping.TeamOnlyPrefix) }

// CommentFields returns the fields that a comment's segment should have.
func CommentFields(draft mapping.SegmentDraft) []Field {
	out := make([]Field, len(mapping.CommentFields))
	for i, f := range mapping.CommentFields {
		out[i] = Field{Name: f.Name, Label: f.Label, Type: f.Type, Values: []string{draft.Fields[f.Name]}}
	}
	return out
}

// HasFields reports whether a segment has fields, or was given some before.
func HasFields(draft mapping.SegmentDraft, before proof.Written) bool {
	return len(draft.Fields) > 0 || before.HasFields()
}

// CommentWork is what must be done to a segment that differs from its comment.
type CommentWork struct {
	Patch    *iconik.SegmentPatch // nil for nothing
	Fields   []string             // properties of the fields to write
	Left     []string             // properties that stay as changed in iconik
	Restored []proof.Difference
}

// WorkOn returns the work that gives a segment what Frame.io has changed in a comment and, with restore, undoes what was changed in iconik.
func WorkOn(want, found proof.Segment, have *iconik.Segment, before proof.Written, changed, restore bool) (w CommentWork) {
	now, is := want.Object(), found.Object()
	write := map[string]bool{}
	for _, d := range proof.Compare(now, is, before, changed) {
		if d.Property == proof.Parent { // iconik cannot change it on an existing segment
			continue
		}
		if write[d.Property] = d.Kind == proof.Source || restore && d.Kind == proof.Changed; !write[d.Property] {
			continue
		}
		if d.Kind == proof.Changed {
			w.Restored = append(w.Restored, d)
		}
		if proof.IsField(d.Property) {
			w.Fields = append(w.Fields, d.Property)
			continue
		}
		if w.Patch == nil {
			w.Patch = &iconik.SegmentPatch{}
		}
		patchComment(w.Patch, d.Property, want, have)
	}
	for _, p := range now {
		if is.Value(p.Name) != p.Value && !write[p.Name] {
			w.Left = append(w.Left, p.Name)
		}
	}
	return w
}

// patchComment adds a property to a patch.
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
	case proof.TeamOnly:
		if patch.Internal = &want.TeamOnly; saysTeamOnly(have) && !want.TeamOnly {
			patch.Text = &want.Text
		}
	}
}

// CommentDifferences converts the differences of a comment, named by the beginning of its text, for the ledger.
func CommentDifferences(text string, found []proof.Difference) []ledger.Difference {
	rows, fields := Differences(mapping.Excerpt(text), found), CommentFields(mapping.SegmentDraft{})
	for i, d := range rows {
		if at := slices.IndexFunc(fields, func(f Field) bool { return f.property() == d.Property }); at >= 0 {
			rows[i].Property = proof.Field(fields[at].Label)
		}
	}
	return rows
}

// ExtraComments returns the segments that Framebridge created for comments that Frame.io no longer has. source holds the IDs of
// those that it has.
func ExtraComments(ctx context.Context, client *iconik.Client, assetID string, source map[string]bool, listed []iconik.Segment) ([]ledger.Difference, error) {
	var out []ledger.Difference
	gone := func(s iconik.Segment) bool {
		kind, id, ours := mapping.ParseExternalID(s.ExternalID)
		return ours && kind == "comment" && !s.Deleted() && !source[id]
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
