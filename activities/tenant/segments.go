package tenant

import (
	"context"
	"strings"
	"time"

	"github.com/framebridge/framebridge/clients/frameio"
	"github.com/framebridge/framebridge/clients/iconik"
	"github.com/framebridge/framebridge/clients/rest"
	"github.com/framebridge/framebridge/mapping"
)

const userMemory = 10 * time.Minute // how long an e-mail address's iconik user is remembered, and that none may be written as

// refused says that iconik takes no such request, now or later.
func refused(err error) bool {
	return err != nil && (rest.ClassOf(err) == rest.Permanent || rest.ClassOf(err) == rest.Forbidden)
}

// CreateSegment makes a segment in a user's name. Not every token may write in another's: then requestFor gets "", the author
// stands in the text, and no other is tried for a while. as is whose name it came to stand in.
func (t *Tenant) CreateSegment(ctx context.Context, assetID, user string, requestFor func(user string) iconik.SegmentRequest) (s *iconik.Segment, as string, err error) {
	for _, who := range []string{"", user} { // "": everybody's
		if at, ok := t.notAs.Load(who); ok && time.Since(at.(time.Time)) < userMemory {
			user = ""
		}
	}
	s, err = t.createSegment(ctx, assetID, requestFor(user))
	if user == "" || !refused(err) && !rest.IsNotFound(err) { // what is not found may be the asset or the user
		return s, user, err
	}
	who := user
	if rest.ClassOf(err) == rest.Forbidden {
		who = ""
	}
	if s, err = t.createSegment(ctx, assetID, requestFor("")); err == nil {
		t.notAs.Store(who, time.Now())
	}
	return s, "", err
}

// Author says in whose name a segment stands that was to be a user's. Where iconik has passed over the user in silence, as it does
// with what it does not let a token write, the author is put into the text, and no other is tried for a while.
func (t *Tenant) Author(ctx context.Context, assetID string, s *iconik.Segment, user string, requestFor func(user string) iconik.SegmentRequest) (*iconik.Segment, string, error) {
	if user == "" || s.UserID == "" || s.UserID == user {
		return s, user, nil
	}
	text, marked := strings.CutPrefix(s.Text, mapping.TeamOnlyPrefix)
	if text != requestFor(user).Text { // it says so already, or somebody has changed it
		return s, "", nil
	}
	t.notAs.Store(user, time.Now())
	if text = requestFor("").Text; marked {
		text = mapping.TeamOnlyPrefix + text
	}
	s, err := t.Iconik.Segments.Update(ctx, assetID, s.ID, iconik.SegmentPatch{Text: &text})
	return s, "", err
}

// createSegment does without what iconik refuses of a comment, so that the rest of it is there: the drawing, whose points were whole
// numbers until 2026, and the field for team-only comments, which stands in the text then.
func (t *Tenant) createSegment(ctx context.Context, assetID string, req iconik.SegmentRequest) (*iconik.Segment, error) {
	s, err := t.Iconik.Segments.Create(ctx, assetID, req)
	for _, less := range fewerOptions(req.Drawing, req.Internal) {
		if err == nil || rest.ClassOf(err) != rest.Permanent {
			break
		}
		next := req
		if next.Drawing, next.Internal = less.drawing, less.internal; less.internal == nil && req.Internal != nil {
			next.Text = mapping.TeamOnlyPrefix + req.Text
		}
		s, err = t.Iconik.Segments.Create(ctx, assetID, next)
	}
	return s, err
}

// UpdateSegment does without what iconik refuses of a change, as createSegment does.
func (t *Tenant) UpdateSegment(ctx context.Context, assetID, id string, p iconik.SegmentPatch) (*iconik.Segment, error) {
	s, err := t.Iconik.Segments.Update(ctx, assetID, id, p)
	for _, less := range fewerOptions(p.Drawing, p.Internal) {
		if err == nil || rest.ClassOf(err) != rest.Permanent {
			break
		}
		if p.Drawing, p.Internal = less.drawing, less.internal; p.IsEmpty() {
			continue
		}
		s, err = t.Iconik.Segments.Update(ctx, assetID, id, p)
	}
	return s, err
}

// optional is what not every iconik takes of a comment.
type optional struct {
	drawing  *iconik.Drawing
	internal *bool
}

// fewerOptions are what is tried one after the other where all of it together was refused.
func fewerOptions(drawing *iconik.Drawing, internal *bool) (less []optional) {
	if drawing != nil && internal != nil {
		less = append(less, optional{nil, internal}, optional{drawing, nil})
	}
	if drawing != nil || internal != nil {
		less = append(less, optional{})
	}
	return less
}

// MarkTeamOnly marks a team-only comment in its text where iconik took the field and did not keep it, as it does with
// fields that it does not know.
func (t *Tenant) MarkTeamOnly(ctx context.Context, assetID, id string) (*iconik.Segment, error) {
	s, err := t.Iconik.Segments.Get(ctx, assetID, id)
	if err != nil || IsInternal(s) || strings.HasPrefix(s.Text, mapping.TeamOnlyPrefix) {
		return s, err
	}
	s.Text = mapping.TeamOnlyPrefix + s.Text
	_, err = t.Iconik.Segments.Update(ctx, assetID, id, iconik.SegmentPatch{Text: &s.Text})
	return s, err
}

// IsInternal says that a segment is marked as for the team only.
func IsInternal(s *iconik.Segment) bool { return s.Internal != nil && *s.Internal }

// DrawingFrame is what the points of iconik's drawings are relative to.
func (t *Tenant) DrawingFrame() mapping.DrawingFrame {
	d := t.Config.Iconik.Drawing
	return mapping.DrawingFrame{Kind: d.Frame, Width: d.Width, Height: d.Height}
}

// SegmentRequest is a comment as iconik takes it.
func SegmentRequest(d mapping.SegmentDraft) iconik.SegmentRequest {
	req := iconik.SegmentRequest{Type: "COMMENT", Text: d.Text, StartMS: d.StartMS, EndMS: d.EndMS, Checked: d.Checked}
	if d.Internal {
		internal := true
		req.Internal = &internal
	}
	if len(d.Shapes) > 0 {
		req.Drawing = &iconik.Drawing{}
		for _, s := range d.Shapes {
			p := iconik.Primitive{Type: s.Type, Color: s.Color, Width: &s.Width}
			for _, pt := range s.Points {
				p.Points = append(p.Points, iconik.Point{X: pt[0], Y: pt[1]})
			}
			req.Drawing.Primitives = append(req.Drawing.Primitives, p)
		}
	}
	return req
}

// FileComments lists all comments of a file, each once. One that is listed by itself, and below the comment that it replies to as
// well, is a reply.
func (t *Tenant) FileComments(ctx context.Context, fileID string) ([]frameio.Comment, error) {
	var all []frameio.Comment
	at := map[string]int{}
	for c, err := range frameio.RowsOf(ctx, "list comments", t.Frameio.Comments, fileID) {
		if err != nil {
			return nil, err
		}
		switch i, known := at[c.ID]; {
		case !known:
			at[c.ID] = len(all)
			all = append(all, c)
		case all[i].ParentID == "" && c.ParentID != "":
			all[i] = c
		}
	}
	return all, nil
}

// CurrentUser is the iconik user the service acts as.
func (t *Tenant) CurrentUser(ctx context.Context) (*iconik.User, error) {
	return t.me.Get(ctx, "", t.Iconik.Users.Current)
}

// UserFor returns the iconik user with the author's e-mail address, or "".
func (t *Tenant) UserFor(ctx context.Context, p frameio.Person) (string, error) {
	if p.Email == "" || p.Guest {
		return "", nil
	}
	return t.users.Get(ctx, p.Email, func(ctx context.Context) (string, error) {
		u, err := t.Iconik.Users.ByEmail(ctx, p.Email)
		if err != nil && rest.ClassOf(err) != rest.Forbidden { // where no list of users may be read, names and addresses stay in the text
			return "", err
		}
		if u == nil {
			return "", nil
		}
		return u.ID, nil
	})
}

// Shapes are the shapes of iconik's drawing, nil for none.
func Shapes(d *iconik.Drawing) []mapping.Shape {
	if d == nil {
		return nil
	}
	var out []mapping.Shape
	for _, p := range d.Primitives {
		shape := mapping.Shape{Type: p.Type, Color: p.Color, Text: p.Text}
		if p.Width != nil {
			shape.Width = *p.Width
		}
		for _, at := range p.Points {
			shape.Points = append(shape.Points, [2]float64{at.X, at.Y})
		}
		out = append(out, shape)
	}
	return out
}
