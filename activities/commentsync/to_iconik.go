package commentsync

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/framebridge/framebridge/activities/tenant"
	"github.com/framebridge/framebridge/clients/frameio"
	"github.com/framebridge/framebridge/clients/iconik"
	"github.com/framebridge/framebridge/clients/rest"
	"github.com/framebridge/framebridge/ledger"
	"github.com/framebridge/framebridge/mapping"
	"github.com/framebridge/framebridge/plan"
)

// toIconik creates a Frame.io comment in iconik.
func (s *fileSync) toIconik(ctx context.Context, c frameio.Comment) error {
	if s.refusedBefore(s.rows[rowID(s.Review, "frameio", c.ID)], mapping.Frameio, FrameioState(c)) {
		return nil
	}
	parent, wait := s.parent(mapping.Frameio, c.ParentID)
	if wait {
		s.waiting = true
		return nil
	}
	if err := s.moveHere(ctx, c.ID); err != nil {
		return err
	}
	user, err := s.Tenant.UserFor(ctx, c.Author)
	if err != nil {
		return err
	}
	requestFor := func(user string) iconik.SegmentRequest {
		req := tenant.SegmentRequest(s.draft(c, user))
		req.VersionID, req.UserID, req.ExternalID, req.ParentID = s.it.VersionID, user, mapping.ExternalID("comment", c.ID), parent.IconikID
		return req
	}
	req := requestFor(user)
	var made *iconik.Segment
	as := user
	id, _, err := s.Tenant.CreateOnce(ctx, tenant.Creation{
		Kind: ledger.LinkComment, SourceID: s.toIconikKey(c.ID), Parent: s.it.AssetID, Owner: s.Review, IndexLag: s.Tenant.Config.Iconik.SettleTime,
		Find:    func(ctx context.Context) (string, error) { return s.findSegment(ctx, req.ExternalID) },
		Discard: s.discardSegment,
		Make: func(ctx context.Context) (string, error) {
			g, who, err := s.Tenant.CreateSegment(ctx, s.it.AssetID, user, requestFor)
			if err != nil {
				return "", err
			}
			made, as = g, who
			return g.ID, nil
		},
	})
	row := ledger.ReviewComment{Review: s.Review, ID: rowID(s.Review, "frameio", c.ID), N: s.it.N, FrameioID: c.ID, IconikID: id, ParentID: parent.ID,
		Origin: ledger.FromFrameio, Author: c.Author.Name, Email: c.Author.Email, Guest: c.Author.Guest, CreatedAt: c.CreatedAt}
	s.takeFrameio(&row, c)
	if err != nil {
		return s.refusedNew(ctx, row, mapping.Iconik, fmt.Errorf("to iconik: %w", err))
	}
	adopted := made == nil || made.ID != id // made by an earlier attempt, or by a concurrent one
	if adopted {
		made = nil
	}
	if made, as, err = s.madeOf(ctx, id, made, as, requestFor); err != nil {
		return err
	}
	draft := s.draft(c, as)
	if made != nil && c.TeamOnly && !tenant.IsInternal(made) {
		marked, err := s.Tenant.MarkTeamOnly(ctx, s.it.AssetID, id)
		if err == nil {
			made = marked
		} else if err := s.fieldsRefused(ctx, err); err != nil {
			return err
		}
	}
	row.Before, row.After = around(draft.Text, c)
	if made == nil { // since deleted in iconik: the next sync deletes it in Frame.io too
		row.Iconik = mapping.IconikState(req.Text, req.StartMS, req.EndMS, req.Checked, "")
		s.waiting = true
		s.changes++
		return s.put(ctx, row)
	}
	row.Iconik, row.IconikAt = iconikState(*made), made.Modified.Time
	if adopted { // what the comment was then is unknown: bring all of it over again
		row.Frameio, s.waiting = mapping.Unknown, true
	}
	if err := s.putFields(ctx, id, draft.Fields); err != nil {
		if err := s.fieldsRefused(ctx, err); err != nil {
			return err
		}
	}
	s.changes++
	return s.put(ctx, row)
}

// moveHere deletes a comment's segment from the version on which it was before somebody moved it in Frame.io.
func (s *fileSync) moveHere(ctx context.Context, id string) error {
	was, moved := s.elsewhere[id]
	link, _, err := s.Tenant.Ledger.Link(ctx, ledger.LinkComment, s.toIconikKey(id))
	if err != nil || !moved || was.IconikID == "" || link.TargetID != was.IconikID {
		return err
	}
	from, _, err := s.ledger().Asset(ctx, was.N)
	if err != nil {
		return err
	}
	if err := s.Tenant.Iconik.Segments.Delete(ctx, from.AssetID, was.IconikID); err != nil && !rest.IsNotFound(err) {
		return err
	}
	return s.Tenant.Ledger.Delete(ctx, ledger.LinkComment, link.SourceID)
}

// madeOf returns the segment that was created for a comment, and the user in whose name it stands. It reads a segment that an
// earlier attempt created; nil means that it has since been deleted.
func (s *fileSync) madeOf(ctx context.Context, id string, made *iconik.Segment, user string, requestFor func(user string) iconik.SegmentRequest) (*iconik.Segment, string, error) {
	if made != nil {
		made, as, err := s.Tenant.Author(ctx, s.it.AssetID, made, user, requestFor)
		if err != nil {
			return nil, "", err
		}
		return made, as, s.noteDrawing(ctx, requestFor(user).Drawing, made)
	}
	made, err := s.Tenant.Iconik.Segments.Get(ctx, s.it.AssetID, id)
	switch {
	case rest.IsNotFound(err):
		return nil, user, nil
	case err == nil && made.UserID != user:
		user = ""
	}
	return made, user, err
}

// putFields writes a segment's additional fields.
func (s *fileSync) putFields(ctx context.Context, id string, fields map[string]string) error {
	if len(fields) == 0 {
		return nil
	}
	view, err := s.Tenant.View(ctx, mapping.CommentView)
	if err == nil {
		_, err = s.Tenant.Iconik.Metadata.PutSegmentValues(ctx, s.it.AssetID, id, view, tenant.Values(fields))
	}
	if err != nil {
		return fmt.Errorf("metadata of a comment: %w", err)
	}
	return nil
}

// discardSegment deletes a segment of an attempt that was presumed dead.
func (s *fileSync) discardSegment(ctx context.Context, id string) error {
	if err := s.Tenant.Iconik.Segments.Delete(ctx, s.it.AssetID, id); !rest.IsNotFound(err) {
		return err
	}
	return nil
}

// findSegment finds a segment of the asset by the external ID that we gave it, or returns "".
func (s *fileSync) findSegment(ctx context.Context, externalID string) (string, error) {
	have, err := s.Tenant.Iconik.Segments.List(ctx, s.it.AssetID, iconik.SegmentListOptions{Type: "COMMENT", AllVersions: true})
	return tenant.FirstID(have, err, func(g iconik.Segment) (string, bool) {
		return g.ID, g.ExternalID == externalID && !g.Deleted()
	})
}

// draft returns a Frame.io comment as iconik gets it.
func (s *fileSync) draft(c frameio.Comment, user string) mapping.SegmentDraft {
	d := mapping.Segment(mapping.CommentInput{Extras: mapping.CommentExtras{Anchor: plan.Extras(c).Anchor},
		Text: c.Text, AuthorName: c.Author.Name, AuthorEmail: c.Author.Email, Guest: c.Author.Guest, AuthorUnknown: c.Author.Unknown, IconikUserID: user,
		Frame: c.Frame, Frames: c.Frames, Rate: s.it.Rate(), Page: c.Page, Completed: c.Completed, TeamOnly: c.TeamOnly, Annotation: c.Annotation, DrawingFrame: s.Tenant.DrawingFrame(),
	})
	d.Text += asideOf(c)
	return d
}

// asideOf returns what iconik can only hold in the text.
func asideOf(c frameio.Comment) string {
	return mapping.NotDrawn(c.Annotation) + plan.Extras(c).Aside(c.Text)
}

// around returns what a segment's text has before and after the comment's own text. Names and addresses may contain the same words.
func around(text string, c frameio.Comment) (before, after string) {
	after = asideOf(c)
	before, ok := strings.CutSuffix(text, c.Text+after)
	if !ok {
		return "", ""
	}
	return before, after
}

// takeFrameio copies a Frame.io comment's content into a row.
func (s *fileSync) takeFrameio(row *ledger.ReviewComment, c frameio.Comment) {
	row.Text, row.Frame, row.Frames, row.Page, row.Completed, row.Internal = c.Text, c.Frame, c.Frames, c.Page, c.Completed, c.TeamOnly
	row.Drawn = c.Annotation != ""
	if row.Origin == ledger.FromIconik {
		row.Text = mapping.Bare(c.Text, row.Before, row.After)
	}
	row.Frameio, row.FrameioAt, row.UpdatedAt = FrameioState(c), c.UpdatedAt, time.Now().UTC()
}

// editIconik brings a segment up to date with an edit in Frame.io.
func (s *fileSync) editIconik(ctx context.Context, row ledger.ReviewComment, op mapping.Op) error {
	c, g := s.fio[row.FrameioID], s.ick[row.IconikID]
	if err := s.overruled(ctx, op, row); err != nil {
		return err
	}
	user := ""
	if row.Origin == ledger.FromFrameio && row.Before == "" {
		user = "known" // it was posted in its author's name
	}
	if c.Author.Unknown && row.Author+row.Email != "" { // the listing has no author, but it was looked up before
		c.Author = frameio.Person{Name: row.Author, Email: row.Email, Guest: row.Guest}
	}
	draft := s.draft(c, user)
	var p iconik.SegmentPatch
	for _, part := range op.Parts {
		switch part {
		case mapping.PartText:
			text := draft.Text
			if row.Origin == ledger.FromIconik {
				text = mapping.Bare(c.Text, row.Before, row.After)
			} else {
				row.Before, row.After = around(text, c)
			}
			p.Text = &text
		case mapping.PartTime:
			if p.StartMS, p.EndMS = draft.StartMS, draft.EndMS; p.StartMS == nil {
				p.Clear = append(p.Clear, "time_start_milliseconds", "time_end_milliseconds")
			}
		case mapping.PartDone:
			p.Checked = &draft.Checked
		case mapping.PartDrawing:
			p.Drawing = tenant.SegmentRequest(draft).Drawing
			if kept := tenant.Undrawable(g); len(kept) > 0 {
				if p.Drawing == nil {
					p.Drawing = &iconik.Drawing{}
				}
				p.Drawing.Primitives = append(p.Drawing.Primitives, kept...)
			}
			if p.Drawing == nil {
				p.Clear = append(p.Clear, "drawing")
			}
		}
	}
	made, err := s.Tenant.UpdateSegment(ctx, s.it.AssetID, row.IconikID, p)
	if rest.IsNotFound(err) {
		s.vanished = true // the next sync sees it
		return nil
	}
	if err != nil {
		return s.editRefused(ctx, s.rows[op.Key], op, err)
	}
	if err := s.noteDrawing(ctx, p.Drawing, made); err != nil {
		return err
	}
	s.ick[made.ID], row.Refused = *made, ""
	for _, part := range op.Parts { // any other change there is a separate edit
		row.Iconik.Copy(part, iconikState(*made))
		row.Frameio.Copy(part, FrameioState(c))
	}
	s.takeText(&row, c)
	s.changes++
	return s.put(ctx, row)
}

// noteDrawing notes that iconik accepted a comment without its drawing.
func (s *fileSync) noteDrawing(ctx context.Context, sent *iconik.Drawing, is *iconik.Segment) error {
	if sent == nil || is.Drawing != nil && len(is.Drawing.Primitives) == len(sent.Primitives) {
		return nil
	}
	return s.Note(ctx, fmt.Sprintf("iconik did not accept the drawing of a comment on %q: it is in Frame.io only.", s.it.Title))
}
