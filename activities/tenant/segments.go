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

const userMemory = 10 * time.Minute // how long an e-mail address's iconik user is cached, and that iconik refuses comments in a user's name

// refused reports whether iconik refuses such a request for good.
func refused(err error) bool {
	return err != nil && (rest.ClassOf(err) == rest.Permanent || rest.ClassOf(err) == rest.Forbidden)
}

// CreateSegment creates a segment in a user's name. Not every token may write in another user's name: if iconik refuses,
// requestFor is called with "" so that the author is named in the text, and this is remembered for a while. as is the user in
// whose name the segment was created.
func (t *Tenant) CreateSegment(ctx context.Context, assetID, user string, requestFor func(user string) iconik.SegmentRequest) (s *iconik.Segment, as string, err error) {
	for _, who := range []string{"", user} { // "" stands for all users
		if at, ok := t.notAs.Load(who); ok && time.Since(at.(time.Time)) < userMemory {
			user = ""
		}
	}
	s, err = t.createSegment(ctx, assetID, requestFor(user))
	if user == "" || !refused(err) && !rest.IsNotFound(err) { // what was not found may be the asset or the user
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

// Author returns in whose name a segment stands that was created for a user. If iconik has silently ignored the user, as it
// does with what a token may not write, Author puts the author into the text and remembers that for a while.
func (t *Tenant) Author(ctx context.Context, assetID string, s *iconik.Segment, user string, requestFor func(user string) iconik.SegmentRequest) (*iconik.Segment, string, error) {
	if user == "" || s.UserID == "" || s.UserID == user {
		return s, user, nil
	}
	text, marked := strings.CutPrefix(s.Text, mapping.TeamOnlyPrefix)
	if text != requestFor(user).Text { // the text names the author already, or somebody has changed it
		return s, "", nil
	}
	t.notAs.Store(user, time.Now())
	if text = requestFor("").Text; marked {
		text = mapping.TeamOnlyPrefix + text
	}
	s, err := t.Iconik.Segments.Update(ctx, assetID, s.ID, iconik.SegmentPatch{Text: &text})
	return s, "", err
}

// createSegment leaves out what iconik refuses of a comment so that the rest is created: the drawing, whose points were whole
// numbers until 2026, and the field for team-only comments, which are then marked in the text.
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

// UpdateSegment leaves out what iconik refuses of a change, like createSegment.
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

// optional is the part of a comment that not every iconik accepts.
type optional struct {
	drawing  *iconik.Drawing
	internal *bool
}

// fewerOptions returns what to try, one after the other, if everything together was refused.
func fewerOptions(drawing *iconik.Drawing, internal *bool) (less []optional) {
	if drawing != nil && internal != nil {
		less = append(less, optional{nil, internal}, optional{drawing, nil})
	}
	if drawing != nil || internal != nil {
		less = append(less, optional{})
	}
	return less
}

// MarkTeamOnly marks a team-only comment in its text if iconik accepted the field but did not keep it, as it does with unknown fields.
func (t *Tenant) MarkTeamOnly(ctx context.Context, assetID, id string) (*iconik.Segment, error) {
	s, err := t.Iconik.Segments.Get(ctx, assetID, id)
	if err != nil || IsInternal(s) || strings.HasPrefix(s.Text, mapping.TeamOnlyPrefix) {
		return s, err
	}
	s.Text = mapping.TeamOnlyPrefix + s.Text
	_, err = t.Iconik.Segments.Update(ctx, assetID, id, iconik.SegmentPatch{Text: &s.Text})
	return s, err
}

// IsInternal reports whether a segment is marked as team-only.
func IsInternal(s *iconik.Segment) bool { return s.Internal != nil && *s.Internal }

// DrawingFrame returns what the points of iconik's drawings are relative to.
func (t *Tenant) DrawingFrame() mapping.DrawingFrame {
	d := t.Config.Iconik.Drawing
	return mapping.DrawingFrame{Kind: d.Frame, Width: d.Width, Height: d.Height}
}

// SegmentRequest returns a comment as iconik accepts it.
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

// FileComments lists all comments of a file, each once. A comment that is listed both by itself and below the comment it
// replies to counts as a reply.
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

// CurrentUser returns the iconik user that Framebridge acts as.
func (t *Tenant) CurrentUser(ctx context.Context) (*iconik.User, error) {
	return t.me.Get(ctx, "", t.Iconik.Users.Current)
}

// UserFor returns the ID of the iconik user with the author's e-mail address, or "" if there is none.
func (t *Tenant) UserFor(ctx context.Context, p frameio.Person) (string, error) {
	if p.Email == "" || p.Guest {
		return "", nil
	}
	return t.users.Get(ctx, p.Email, func(ctx context.Context) (string, error) {
		u, err := t.Iconik.Users.ByEmail(ctx, p.Email)
		if err != nil && rest.ClassOf(err) != rest.Forbidden { // if users may not be listed, names and addresses stay in the text
			return "", err
		}
		if u == nil {
			return "", nil
		}
		return u.ID, nil
	})
}

// Shapes returns the shapes of an iconik drawing, or nil for none.
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

// Undrawable returns the shapes that Frame.io does not support.
func Undrawable(g iconik.Segment) []iconik.Primitive {
	var out []iconik.Primitive
	if g.Drawing != nil {
		for _, p := range g.Drawing.Primitives {
			switch p.Type {
			case "LINE", "RECTANGLE", "ARROW", "PENCIL":
			default:
				out = append(out, p)
			}
		}
	}
	return out
}
