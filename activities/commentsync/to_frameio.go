package commentsync

import (
	"cmp"
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
)

// takeIconik copies a segment's content into a row.
func (s *fileSync) takeIconik(row *ledger.ReviewComment, g iconik.Segment) {
	row.Text, row.Completed = g.Text, g.Checked
	row.Frame, row.Frames = mapping.FrameRange(g.StartMS, g.EndMS, s.it.Rate())
	row.Drawn = g.Drawing != nil && len(g.Drawing.Primitives) > 0
	if row.Origin == ledger.FromFrameio {
		row.Text = mapping.Bare(g.Text, row.Before, row.After)
	}
	row.Iconik, row.IconikAt, row.UpdatedAt = iconikState(g), g.Modified.Time, time.Now().UTC()
}

// writer returns who wrote a segment in iconik.
func (s *fileSync) writer(ctx context.Context, g iconik.Segment) (name, email string, err error) {
	switch {
	case g.ShareEmail != "" && (g.User == nil || !strings.EqualFold(g.User.Email, g.ShareEmail)): // the user is the share's own
		return g.ShareEmail, g.ShareEmail, nil
	case g.User != nil && (g.User.Email != "" || g.User.FirstName != ""):
		return g.User.FullName(), g.User.Email, nil
	case strings.TrimSpace(g.FirstName+" "+g.LastName) != "":
		return strings.TrimSpace(g.FirstName + " " + g.LastName), "", nil
	case g.UserID != "":
		u, err := s.Tenant.Iconik.Users.Get(ctx, g.UserID)
		if err == nil && u.FullName() != "" {
			return u.FullName(), u.Email, nil
		}
		if c := rest.ClassOf(err); err != nil && (c == rest.Retryable || c == rest.Throttled || c == rest.Unauthorized) {
			return "", "", fmt.Errorf("writer of a comment: %w", err)
		}
	}
	return "iconik user", "", nil
}

// toFrameio creates an iconik comment in Frame.io, with its writer's name.
func (s *fileSync) toFrameio(ctx context.Context, g iconik.Segment) error {
	if s.refusedBefore(s.rows[rowID(s.Review, "iconik", g.ID)], mapping.Iconik, iconikState(g)) {
		return nil
	}
	parent, wait := s.parent(mapping.Iconik, g.ParentID)
	if wait {
		s.waiting = true
		return nil
	}
	name, email, err := s.writer(ctx, g)
	if err != nil {
		return err
	}
	before, body, after, drawable := mapping.ToFrameio(g.Text, name, tenant.Shapes(g.Drawing))
	drawing, aside := s.annotation(drawable)
	after += aside
	n := frameio.NewComment{Annotation: drawing, TeamOnly: g.Internal != nil && *g.Internal, Completed: g.Checked}
	n.Frame, n.Frames = s.place(g)
	switch {
	case parent.ID == "":
	case s.Frameio.Capabilities().CreateReplies:
		n.ParentID = s.threadOf(parent).FrameioID
	default: // place it at the parent's frame and quote the parent
		before = mapping.QuotedReply(parent.Author, parent.Text) + before
		if n.Frame == nil && mapping.Plays(s.it.MediaType, s.it.Rate()) {
			n.Frame, n.Frames = parent.Frame, parent.Frames
		}
	}
	n.Text = before + body + after
	sent := mapping.FrameioState(n.Text, n.Frame, n.Frames, n.Page, false, n.Annotation)
	begun, _, err := s.Tenant.Ledger.Link(ctx, ledger.LinkComment, s.toFrameioKey(g.ID))
	if err != nil {
		return err
	}
	lost := cmp.Or(begun.Hash, sent.Text+" "+sent.Time) // what an earlier attempt sent
	var made *frameio.Comment
	id, _, err := s.Tenant.CreateOnce(ctx, tenant.Creation{
		Kind: ledger.LinkComment, SourceID: s.toFrameioKey(g.ID), Parent: s.it.FileID, Owner: s.Review, Hash: sent.Text + " " + sent.Time,
		Find:    func(ctx context.Context) (string, error) { return s.lostComment(ctx, lost) },
		Discard: s.Frameio.DeleteComment, // the comment of an attempt that was presumed dead
		Make: func(ctx context.Context) (string, error) {
			c, err := s.Frameio.CreateComment(ctx, s.it.FileID, n)
			if err != nil {
				return "", err
			}
			made = &c
			return c.ID, nil
		},
	})
	row := ledger.ReviewComment{Review: s.Review, ID: rowID(s.Review, "iconik", g.ID), N: s.it.N, FrameioID: id, IconikID: g.ID, ParentID: parent.ID,
		Origin: ledger.FromIconik, Author: name, Email: email, Before: before, After: after, CreatedAt: g.Created.Time, Internal: n.TeamOnly}
	s.takeIconik(&row, g)
	if err != nil {
		return s.refusedNew(ctx, row, mapping.Frameio, fmt.Errorf("to Frame.io: %w", err))
	}
	adopted := made == nil || made.ID != id // made by an earlier attempt, or by a concurrent one
	if adopted {
		c, err := s.Frameio.Comment(ctx, id)
		if err != nil && !rest.IsNotFound(err) {
			return err
		}
		made = &c
	}
	if g.Checked && made.ID != "" && !made.Completed {
		if err := s.complete(ctx, &row, made); err != nil {
			return err
		}
	}
	row.Frameio, row.FrameioAt = FrameioState(*made), made.UpdatedAt
	if adopted {
		row.Iconik, s.waiting = mapping.Unknown, true
	}
	if made.ID != "" {
		s.fio[id] = *made
	}
	s.changes++
	return s.put(ctx, row)
}

// complete marks a new comment as done, if Frame.io accepts that.
func (s *fileSync) complete(ctx context.Context, row *ledger.ReviewComment, made *frameio.Comment) error {
	done := true
	err := s.Frameio.UpdateComment(ctx, made.ID, frameio.CommentChange{Completed: &done})
	if err != nil {
		row.Iconik.Copy(mapping.PartDone, row.Iconik.Refused())
		return s.refused(ctx, row, mapping.Frameio, err)
	}
	made.Completed = true
	return nil
}

// place returns the frames that an iconik comment is about. Files that do not play have none, and Frame.io refuses one there.
func (s *fileSync) place(g iconik.Segment) (frame *int64, frames int64) {
	if !mapping.Plays(s.it.MediaType, s.it.Rate()) {
		return nil, 0
	}
	return mapping.FrameRange(g.StartMS, g.EndMS, s.it.Rate())
}

const (
	mostAnnotation = 200_000 // the longest drawing that V4 accepts, in characters
	drawnInIconik  = " [also drawn in iconik]"
)

// annotation returns a drawing as Frame.io accepts it. If Frame.io accepts none, because the file is audio or the drawing is
// too large, it returns what the text says instead.
func (s *fileSync) annotation(shapes []mapping.Shape) (drawing, aside string) {
	drawing = mapping.Annotation(shapes, s.Tenant.DrawingFrame())
	if drawing != "" && (strings.HasPrefix(s.it.MediaType, "audio/") || len(drawing) > mostAnnotation) {
		return "", drawnInIconik
	}
	return drawing, ""
}

// threadOf returns the comment at the top of a thread: Frame.io's threads have one level.
func (s *fileSync) threadOf(row ledger.ReviewComment) ledger.ReviewComment {
	for range len(s.rows) {
		above, ok := s.rows[row.ParentID]
		if !ok || above.FrameioID == "" || above.Deleted {
			break
		}
		row = above
	}
	return row
}

// lostComment finds a comment that an earlier attempt created in Frame.io without receiving the answer. Frame.io has no field
// for a foreign ID, so it looks for a comment by our own user that no row knows and whose content is what was sent.
func (s *fileSync) lostComment(ctx context.Context, sent string) (string, error) {
	me, err := s.Frameio.Me(ctx)
	if err != nil {
		return "", err
	}
	for c, err := range frameio.RowsOf(ctx, "list comments", s.Frameio.Comments, s.it.FileID) {
		if err != nil {
			return "", err
		}
		got := FrameioState(c)
		if _, known := s.inReview[mapping.Frameio][c.ID]; !known && ours(me, c.Author) && got.Text+" "+got.Time == sent {
			return c.ID, nil
		}
	}
	return "", nil
}

// ours reports whether a comment may be by our own user.
func ours(me frameio.User, writer frameio.Person) bool {
	return writer.Unknown || me.Is(writer.ID, writer.Email)
}

// takeText copies a comment's content into a row after an edit from Frame.io, but not its state.
func (s *fileSync) takeText(row *ledger.ReviewComment, c frameio.Comment) {
	before := row.Frameio
	s.takeFrameio(row, c)
	row.Frameio = before
}

// editFrameio brings a Frame.io comment up to date with an edit in iconik.
func (s *fileSync) editFrameio(ctx context.Context, row ledger.ReviewComment, op mapping.Op) error {
	c, g := s.fio[row.FrameioID], s.ick[row.IconikID]
	if err := s.overruled(ctx, op, row); err != nil {
		return err
	}
	name := row.Author
	before, body, after, drawable := mapping.ToFrameio(g.Text, name, tenant.Shapes(g.Drawing))
	drawing, aside := s.annotation(drawable)
	after += aside
	var ch frameio.CommentChange
	for _, part := range op.Parts {
		switch part {
		case mapping.PartText:
			text := mapping.Bare(g.Text, row.Before, row.After)
			if row.Origin == ledger.FromIconik {
				if strings.HasSuffix(row.Before, before) { // keep a quoted parent in front
					before = row.Before
				}
				row.Before, row.After = before, after
				text = before + body + after
			}
			if text == "" {
				text = body
			}
			ch.Text, c.Text = &text, text
		case mapping.PartTime:
			frame, frames := s.place(g)
			ch.Time = &frameio.CommentTime{Frame: frame, Frames: frames}
			c.Frame, c.Frames = frame, frames
		case mapping.PartDone:
			ch.Completed, c.Completed = &g.Checked, g.Checked
		case mapping.PartDrawing:
			annotation := mapping.KeepUnknown(c.Annotation, drawing)
			ch.Annotation, c.Annotation = &annotation, annotation
		}
	}
	err := s.Frameio.UpdateComment(ctx, row.FrameioID, ch)
	if rest.IsNotFound(err) {
		if there, lerr := s.listed(ctx, row.FrameioID); lerr != nil || !there {
			s.vanished = true // the next sync sees it
			return lerr
		}
	}
	if err != nil {
		return s.editRefused(ctx, s.rows[op.Key], op, err)
	}
	s.fio[c.ID], row.Refused = c, ""
	for _, part := range op.Parts {
		row.Frameio.Copy(part, FrameioState(c))
		row.Iconik.Copy(part, iconikState(g))
	}
	ick := row.Iconik
	s.takeIconik(&row, g)
	row.Iconik = ick
	s.changes++
	return s.put(ctx, row)
}
