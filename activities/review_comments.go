package activities

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/google/uuid"

	"github.com/framebridge/framebridge/clients/frameio"
	"github.com/framebridge/framebridge/clients/iconik"
	"github.com/framebridge/framebridge/clients/rest"
	"github.com/framebridge/framebridge/ledger"
	"github.com/framebridge/framebridge/mapping"
)

// assetSync makes the comments on one file in Frame.io and on the version in iconik that it shows equal.
type assetSync struct {
	*review
	it     ledger.ReviewAsset
	newest bool // takes what is new in iconik
	hinted []string

	rows     map[string]ledger.ReviewComment // of this file, by id
	inReview [2]map[string]string            // ids of comments on each side → row id, of all files
	fio      map[string]frameio.Comment      // as Frame.io has them for certain
	ick      map[string]iconik.Segment       // as iconik has them for certain
	begunIn  map[string]iconik.Segment       // made there by attempts that died, by their comment in Frame.io
	changes  int
	waiting  bool // a reply's parent is not there yet
}

func (s *assetSync) run(ctx context.Context) error {
	if err := s.load(ctx); err != nil {
		return err
	}
	there, err := s.readFrameio(ctx)
	if err != nil || !there {
		return err
	}
	there, err = s.readIconik(ctx)
	if err != nil || !there {
		return err
	}
	if err := s.resume(ctx); err != nil {
		return err
	}
	var pairs []mapping.Pair
	for _, row := range s.rows {
		origin := mapping.Frameio
		if row.Origin == ledger.FromIconik {
			origin = mapping.Iconik
		}
		pairs = append(pairs, mapping.Pair{Key: row.ID, Origin: origin, IDs: [2]string{row.FrameioID, row.IconikID}, State: [2]mapping.State{row.Frameio, row.Iconik},
			Deleted: row.Deleted, Ignored: row.Older})
	}
	var seen [2][]mapping.Seen
	for _, c := range s.fio {
		seen[mapping.Frameio] = append(seen[mapping.Frameio], mapping.Seen{ID: c.ID, ParentID: c.ParentID, State: frameioState(c), UpdatedAt: c.UpdatedAt})
	}
	for _, g := range s.ick {
		seen[mapping.Iconik] = append(seen[mapping.Iconik], mapping.Seen{ID: g.ID, ParentID: g.ParentID, State: iconikState(g), UpdatedAt: g.Modified.Time})
	}
	for _, op := range mapping.Reconcile(pairs, seen) {
		if err := stopping(ctx); err != nil {
			return err
		}
		if err := s.do(ctx, op); err != nil {
			return err
		}
	}
	return nil
}

func (s *assetSync) load(ctx context.Context) error {
	all, err := s.Ledger.ReviewComments(ctx, s.ref.Tenant, s.ref.Review, 0)
	if err != nil {
		return err
	}
	s.rows, s.inReview = map[string]ledger.ReviewComment{}, [2]map[string]string{{}, {}}
	for _, row := range all {
		if row.N == s.it.N {
			s.rows[row.ID] = row
		}
		s.learn(row)
	}
	return nil
}

func (s *assetSync) learn(row ledger.ReviewComment) {
	if row.FrameioID != "" {
		s.inReview[mapping.Frameio][row.FrameioID] = row.ID
	}
	if row.IconikID != "" {
		s.inReview[mapping.Iconik][row.IconikID] = row.ID
	}
}

// put writes a row down.
func (s *assetSync) put(ctx context.Context, row ledger.ReviewComment) error {
	if err := s.Ledger.PutReviewComments(ctx, s.ref.Tenant, row); err != nil {
		return err
	}
	s.rows[row.ID] = row
	s.learn(row)
	return nil
}

// readFrameio lists the file's comments, and asks for those one by one that are missing in the list.
func (s *assetSync) readFrameio(ctx context.Context) (bool, error) {
	s.fio = map[string]frameio.Comment{}
	for cursor := ""; ; {
		page, err := s.frameio.Comments(ctx, s.it.FileID, cursor)
		if rest.IsNotFound(err) {
			if _, err := s.frameio.Asset(ctx, s.it.FileID); !rest.IsNotFound(err) {
				return false, err
			}
			return false, s.gone(ctx, s.it, goneFromFrameio)
		}
		if err != nil {
			return false, err
		}
		for _, c := range page.Items {
			s.fio[c.ID] = c
		}
		if cursor = page.Next; cursor == "" {
			break
		}
	}
	var missing []string
	for _, row := range s.rows {
		if _, listed := s.fio[row.FrameioID]; row.FrameioID != "" && !row.Deleted && !listed {
			missing = append(missing, row.FrameioID)
		}
	}
	for i, id := range missing {
		c, err := s.frameio.Comment(ctx, id)
		switch {
		case err == nil && (c.FileID == "" || c.FileID == s.it.FileID):
			s.fio[id] = c
		case err != nil && !rest.IsNotFound(err):
			return false, err
		case err != nil && i == 0: // comments go with their file: is that still there?
			if _, err := s.frameio.Asset(ctx, s.it.FileID); rest.IsNotFound(err) {
				return false, s.gone(ctx, s.it, goneFromFrameio)
			} else if err != nil {
				return false, err
			}
		}
	}
	return true, nil
}

// readIconik lists the version's comments. The list comes from an index that lags behind: whatever it shows as new,
// changed or missing is read from the store before it counts.
func (s *assetSync) readIconik(ctx context.Context) (bool, error) {
	s.ick, s.begunIn = map[string]iconik.Segment{}, map[string]iconik.Segment{}
	listed, err := s.iconik.Segments.List(ctx, s.it.AssetID, iconik.SegmentListOptions{Type: "COMMENT", VersionID: s.it.VersionID, WithUsers: true})
	if rest.IsNotFound(err) {
		if _, err := s.iconik.Assets.Get(ctx, s.it.AssetID, false); !rest.IsNotFound(err) {
			return false, err
		}
		return false, s.gone(ctx, s.it, goneFromIconik)
	}
	if err != nil {
		return false, err
	}
	doubtful := map[string]bool{}
	for _, id := range s.hinted {
		doubtful[id] = true
	}
	byID := map[string]iconik.Segment{}
	for _, g := range listed {
		byID[g.ID] = g
		key, known := s.inReview[mapping.Iconik][g.ID]
		row, mine := s.rows[key]
		switch {
		case known && mine && !row.Older && (row.Deleted || row.Iconik != iconikState(g)):
			doubtful[g.ID] = true
		case known && mine && !row.Older:
			s.ick[g.ID] = g
		case !known && s.newest:
			doubtful[g.ID] = true
		case !known:
			_, begun, err := s.begun(ctx, g)
			if err != nil {
				return false, err
			}
			if begun {
				doubtful[g.ID] = true
			}
		}
	}
	for _, row := range s.rows {
		if _, listed := byID[row.IconikID]; row.IconikID != "" && !row.Older && !row.Deleted && !listed {
			doubtful[row.IconikID] = true
		}
	}
	missing := false
	for id := range doubtful {
		if key, known := s.inReview[mapping.Iconik][id]; known && (s.rows[key].ID == "" || s.rows[key].Older) {
			continue // another file's, or older
		}
		g, err := s.iconik.Segments.Get(ctx, s.it.AssetID, id)
		if rest.IsNotFound(err) {
			missing = true
			continue
		}
		if err != nil {
			return false, err
		}
		if g.Status == "DELETED" {
			missing = true
			continue
		}
		if l := byID[id]; g.User == nil && g.FirstName == "" {
			g.User, g.FirstName, g.LastName = l.User, l.FirstName, l.LastName
		}
		if _, known := s.inReview[mapping.Iconik][id]; !known && s.older(*g) {
			if err := s.put(ctx, olderComment(s.ref.Review, s.it.N, id)); err != nil {
				return false, err
			}
		} else if s.wanted(*g) {
			s.ick[id] = *g
		} else if source, begun, err := s.begun(ctx, *g); err != nil {
			return false, err
		} else if begun {
			s.begunIn[source] = *g
		}
	}
	if missing { // comments go with their asset: is that still there?
		a, err := s.iconik.Assets.Get(ctx, s.it.AssetID, false)
		if rest.IsNotFound(err) || err == nil && a.Status == "DELETED" {
			return false, s.gone(ctx, s.it, goneFromIconik)
		}
		return err == nil, err
	}
	return true, nil
}

// begun says that this review has asked for a segment that no row knows yet, and of which comment in Frame.io.
func (s *assetSync) begun(ctx context.Context, g iconik.Segment) (source string, is bool, err error) {
	kind, source, ours := mapping.ParseExternalID(g.ExternalID)
	if !ours || kind != "comment" || g.VersionID != "" && g.VersionID != s.it.VersionID {
		return "", false, nil
	}
	_, is, err = s.Ledger.Link(ctx, s.ref.Tenant, ledger.LinkComment, s.toIconikKey(source))
	return source, is, err
}

// older says that a comment was made before the review was asked for; the index was late with it then.
func (s *assetSync) older(g iconik.Segment) bool {
	return !g.Created.IsZero() && g.Created.Before(s.row.ClickedAt)
}

func olderComment(review string, n int, segment string) ledger.ReviewComment {
	return ledger.ReviewComment{Review: review, ID: "older/" + segment, N: n, IconikID: segment, Origin: ledger.FromIconik, Older: true}
}

// wanted says whether a segment is a comment on this version that may go to the reviewers.
func (s *assetSync) wanted(g iconik.Segment) bool {
	if _, known := s.inReview[mapping.Iconik][g.ID]; known {
		return true
	}
	_, _, ours := mapping.ParseExternalID(g.ExternalID) // one of ours whose row is not written yet, or an archive's
	internal := g.Internal != nil && *g.Internal
	return s.newest && !ours && (g.Type == "" || g.Type == "COMMENT") && (g.VersionID == "" || g.VersionID == s.it.VersionID) &&
		(!internal || s.frameio.Capabilities().TeamOnlyComments)
}

func iconikState(g iconik.Segment) mapping.State {
	drawing := ""
	if g.Drawing != nil && len(g.Drawing.Primitives) > 0 {
		if raw, err := json.Marshal(g.Drawing.Primitives); err == nil {
			drawing = string(raw)
		}
	}
	return mapping.IconikState(g.Text, g.StartMS, g.EndMS, g.Checked, drawing)
}

// resume finishes what an attempt before was sending when it died. Only then is it known which of the comments in Frame.io
// are ours, and which in iconik stand for one that Frame.io has no more.
func (s *assetSync) resume(ctx context.Context) error {
	for id, g := range s.ick {
		if _, known := s.inReview[mapping.Iconik][id]; known {
			continue
		}
		if _, begun, err := s.Ledger.Link(ctx, s.ref.Tenant, ledger.LinkComment, s.toFrameioKey(id)); err != nil || !begun {
			if err != nil {
				return err
			}
			continue
		}
		if err := s.toFrameio(ctx, g); err != nil {
			return err
		}
	}
	for source, g := range s.begunIn { // its comment may have been deleted in Frame.io since: then it goes, too
		if _, there := s.fio[source]; there {
			continue
		}
		c, err := s.frameio.Comment(ctx, source)
		switch {
		case err == nil && (c.FileID == "" || c.FileID == s.it.FileID):
			s.fio[source] = c // the listing was late
		case err != nil && !rest.IsNotFound(err):
			return err
		case err != nil:
			row := ledger.ReviewComment{Review: s.ref.Review, ID: rowID(s.ref.Review, "frameio", source), N: s.it.N, FrameioID: source, IconikID: g.ID,
				Origin: ledger.FromFrameio, CreatedAt: g.Created.Time}
			s.takeIconik(&row, g)
			if err := s.put(ctx, row); err != nil {
				return err
			}
			s.ick[g.ID] = g
		}
	}
	return s.resumeDeleted(ctx)
}

// resumeDeleted finds the comments that attempts before made in Frame.io of segments that were deleted in iconik since:
// they go, too.
func (s *assetSync) resumeDeleted(ctx context.Context) error {
	loose := map[string]string{} // comments in no row, of our user perhaps, by what was sent
	for id, c := range s.fio {
		if _, known := s.inReview[mapping.Frameio][id]; !known && !c.Author.Guest {
			state := frameioState(c)
			loose[state.Text+" "+state.Time] = id
		}
	}
	for after := ""; len(loose) > 0; {
		links, next, err := s.Ledger.Links(ctx, s.ref.Tenant, s.ref.Review, ledger.LinkComment, after, 200)
		if err != nil {
			return err
		}
		for _, l := range links {
			segment, ours := strings.CutPrefix(l.SourceID, s.toFrameioKey(""))
			id, made := loose[l.Hash]
			_, known := s.inReview[mapping.Iconik][segment]
			_, there := s.ick[segment]
			if !ours || !made || known || there || l.Parent != s.it.FileID {
				continue
			}
			g, err := s.iconik.Segments.Get(ctx, s.it.AssetID, segment)
			if err != nil && !rest.IsNotFound(err) {
				return err
			}
			if err == nil && g.Status != "DELETED" {
				continue // the index is late with it
			}
			row := ledger.ReviewComment{Review: s.ref.Review, ID: rowID(s.ref.Review, "iconik", segment), N: s.it.N, FrameioID: id, IconikID: segment, Origin: ledger.FromIconik}
			s.takeFrameio(&row, s.fio[id])
			if err := s.put(ctx, row); err != nil {
				return err
			}
		}
		if after = next; after == "" {
			break
		}
	}
	return nil
}

func (s *assetSync) toFrameioKey(segment string) string { return s.ref.Review + "/iconik/" + segment }
func (s *assetSync) toIconikKey(comment string) string  { return s.ref.Review + "/frameio/" + comment }

func rowID(review, side, id string) string {
	return uuid.NewSHA1(uuid.NameSpaceURL, []byte(review+"/"+side+"/"+id)).String()
}

func (s *assetSync) do(ctx context.Context, op mapping.Op) error {
	switch {
	case op.Kind == mapping.OpCreate && op.To == mapping.Iconik:
		return s.toIconik(ctx, s.fio[op.From])
	case op.Kind == mapping.OpCreate:
		return s.toFrameio(ctx, s.ick[op.From])
	case op.Kind == mapping.OpEdit && op.To == mapping.Iconik:
		return s.editIconik(ctx, s.rows[op.Key], op)
	case op.Kind == mapping.OpEdit:
		return s.editFrameio(ctx, s.rows[op.Key], op)
	case op.Kind == mapping.OpDelete:
		return s.delete(ctx, s.rows[op.Key], op.To)
	}
	row := s.rows[op.Key]
	row.Deleted = true
	return s.put(ctx, row)
}

// parent finds the row of the comment that one replies to. A parent that is only on its way is waited for.
func (s *assetSync) parent(side mapping.Side, parentID string) (row ledger.ReviewComment, wait bool) {
	if parentID == "" {
		return row, false
	}
	if row, known := s.rows[s.inReview[side][parentID]]; known && !row.Deleted && !row.Older {
		switch {
		case row.FrameioID != "" && row.IconikID != "":
			return row, false
		case row.Refused != "": // the other side does not take it: the reply stands alone there
			return ledger.ReviewComment{}, false
		}
		return row, true
	}
	if side == mapping.Frameio {
		_, there := s.fio[parentID]
		return row, there
	}
	_, there := s.ick[parentID]
	return row, there
}

// toIconik makes a Frame.io comment in iconik.
func (s *assetSync) toIconik(ctx context.Context, c frameio.Comment) error {
	if s.refusedBefore(s.rows[rowID(s.ref.Review, "frameio", c.ID)], mapping.Frameio, frameioState(c)) {
		return nil
	}
	parent, wait := s.parent(mapping.Frameio, c.ParentID)
	if wait {
		s.waiting = true
		return nil
	}
	user, err := s.userFor(ctx, c.Author)
	if err != nil {
		return err
	}
	draft := s.draft(c, user)
	requestFor := func(user string) iconik.SegmentRequest {
		req := segmentRequest(s.draft(c, user))
		req.VersionID, req.UserID, req.ExternalID, req.ParentID = s.it.VersionID, user, mapping.ExternalID("comment", c.ID), parent.IconikID
		return req
	}
	req := requestFor(user)
	var made *iconik.Segment
	id, _, err := s.makeOnce(ctx, creation{
		kind: ledger.LinkComment, sourceID: s.toIconikKey(c.ID), parent: s.it.AssetID, owner: s.ref.Review, settle: s.cfg.Iconik.SettleTime,
		look: func(ctx context.Context) (string, error) {
			have, err := s.iconik.Segments.List(ctx, s.it.AssetID, iconik.SegmentListOptions{Type: "COMMENT", AllVersions: true})
			return firstID(have, err, func(g iconik.Segment) (string, bool) {
				return g.ID, g.ExternalID == req.ExternalID && g.Status != "DELETED"
			})
		},
		make: func(ctx context.Context) (string, error) {
			g, as, err := s.createAs(ctx, s.it.AssetID, user, requestFor)
			if err != nil {
				return "", err
			}
			made, draft = g, s.draft(c, as)
			return g.ID, nil
		},
	})
	row := ledger.ReviewComment{Review: s.ref.Review, ID: rowID(s.ref.Review, "frameio", c.ID), N: s.it.N, FrameioID: c.ID, IconikID: id, ParentID: parent.ID,
		Origin: ledger.FromFrameio, Author: c.Author.Name, Email: c.Author.Email, Guest: c.Author.Guest, CreatedAt: c.CreatedAt}
	s.takeFrameio(&row, c)
	if err != nil {
		return s.refusedNew(ctx, row, mapping.Iconik, fmt.Errorf("to iconik: %w", err))
	}
	adopted := made == nil
	if adopted {
		if made, err = s.iconik.Segments.Get(ctx, s.it.AssetID, id); err != nil && !rest.IsNotFound(err) {
			return err
		}
		if made != nil && made.UserID != user {
			draft = s.draft(c, "")
		}
	}
	if made != nil && c.TeamOnly && !isInternal(made) {
		if made, err = s.markTeamOnly(ctx, s.it.AssetID, id); err != nil {
			return err
		}
	}
	if before, after, ok := strings.Cut(draft.Text, c.Text); ok && c.Text != "" {
		row.Before, row.After = before, after
	}
	if made == nil { // deleted in iconik since: it goes in Frame.io, too, at the next look
		row.Iconik = mapping.IconikState(req.Text, req.StartMS, req.EndMS, req.Checked, "")
		return s.put(ctx, row)
	}
	row.Iconik, row.IconikAt = iconikState(*made), made.Modified.Time
	if adopted { // it was made of what the comment was then, which is not known: all of it is brought over again
		row.Frameio, s.waiting = mapping.Unknown, true
	}
	if len(draft.Fields) > 0 {
		view, err := s.view(ctx, mapping.CommentView)
		if err != nil {
			return err
		}
		if err := s.iconik.Metadata.PutSegmentValues(ctx, s.it.AssetID, id, view, values(draft.Fields)); err != nil {
			return fmt.Errorf("metadata of a comment: %w", err)
		}
	}
	s.changes++
	return s.put(ctx, row)
}

// draft is a Frame.io comment as iconik gets it.
func (s *assetSync) draft(c frameio.Comment, user string) mapping.SegmentDraft {
	d := mapping.Segment(mapping.CommentInput{
		Text: c.Text, AuthorName: c.Author.Name, AuthorEmail: c.Author.Email, Guest: c.Author.Guest, AuthorUnknown: c.Author.Unknown, IconikUserID: user,
		Frame: c.Frame, Frames: c.Frames, Rate: s.it.Rate(), Page: c.Page, Completed: c.Completed, TeamOnly: c.TeamOnly, Annotation: c.Annotation, DrawingFrame: s.drawingFrame(),
	})
	d.Text += mapping.NotDrawn(c.Annotation)
	return d
}

// takeFrameio keeps what a Frame.io comment says.
func (s *assetSync) takeFrameio(row *ledger.ReviewComment, c frameio.Comment) {
	row.Text, row.Frame, row.Frames, row.Page, row.Completed, row.Internal = c.Text, c.Frame, c.Frames, c.Page, c.Completed, c.TeamOnly
	row.Drawn = c.Annotation != ""
	if row.Origin == ledger.FromIconik {
		row.Text = mapping.Bare(c.Text, row.Before, row.After)
	}
	row.Frameio, row.FrameioAt, row.UpdatedAt = frameioState(c), c.UpdatedAt, time.Now().UTC()
}

// takeIconik keeps what a segment says.
func (s *assetSync) takeIconik(row *ledger.ReviewComment, g iconik.Segment) {
	row.Text, row.Completed = g.Text, g.Checked
	row.Frame, row.Frames = mapping.FrameRange(g.StartMS, g.EndMS, s.it.Rate())
	row.Drawn = g.Drawing != nil && len(g.Drawing.Primitives) > 0
	if row.Origin == ledger.FromFrameio {
		row.Text = mapping.Bare(g.Text, row.Before, row.After)
	}
	row.Iconik, row.IconikAt, row.UpdatedAt = iconikState(g), g.Modified.Time, time.Now().UTC()
}

// writer is who made a segment in iconik.
func (s *assetSync) writer(ctx context.Context, g iconik.Segment) (name, email string, err error) {
	switch {
	case g.User != nil && (g.User.Email != "" || g.User.FirstName != ""):
		return g.User.FullName(), g.User.Email, nil
	case strings.TrimSpace(g.FirstName+" "+g.LastName) != "":
		return strings.TrimSpace(g.FirstName + " " + g.LastName), "", nil
	case g.ShareEmail != "":
		return g.ShareEmail, g.ShareEmail, nil
	case g.UserID != "":
		u, err := s.iconik.Users.Get(ctx, g.UserID)
		if err == nil && u.FullName() != "" {
			return u.FullName(), u.Email, nil
		}
		if c := rest.ClassOf(err); err != nil && (c == rest.Retryable || c == rest.Throttled || c == rest.Unauthorized) {
			return "", "", fmt.Errorf("writer of a comment: %w", err)
		}
	}
	return "iconik user", "", nil
}

func shapes(g iconik.Segment) []mapping.Shape {
	if g.Drawing == nil {
		return nil
	}
	var out []mapping.Shape
	for _, p := range g.Drawing.Primitives {
		shape := mapping.Shape{Type: p.Type, Color: p.Color, Text: p.Text}
		if p.Width != nil {
			shape.Width = *p.Width
		}
		for _, pt := range p.Points {
			shape.Points = append(shape.Points, [2]float64{pt.X, pt.Y})
		}
		out = append(out, shape)
	}
	return out
}

// toFrameio makes a comment of iconik in Frame.io, with its writer's name.
func (s *assetSync) toFrameio(ctx context.Context, g iconik.Segment) error {
	if s.refusedBefore(s.rows[rowID(s.ref.Review, "iconik", g.ID)], mapping.Iconik, iconikState(g)) {
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
	before, body, after, drawable := mapping.ToFrameio(g.Text, name, shapes(g))
	n := frameio.NewComment{Annotation: mapping.Annotation(drawable, s.drawingFrame()), TeamOnly: g.Internal != nil && *g.Internal, Completed: g.Checked}
	n.Frame, n.Frames = s.place(g)
	switch {
	case parent.ID == "":
	case s.frameio.Capabilities().CreateReplies:
		n.ParentID = s.threadOf(parent).FrameioID
	default: // said at the parent's frame, with the parent quoted
		before = mapping.QuotedReply(parent.Author, parent.Text) + before
		if n.Frame == nil {
			n.Frame, n.Frames = parent.Frame, parent.Frames
		}
	}
	n.Text = before + body + after
	sent := mapping.FrameioState(n.Text, n.Frame, n.Frames, n.Page, false, n.Annotation)
	begun, _, err := s.Ledger.Link(ctx, s.ref.Tenant, ledger.LinkComment, s.toFrameioKey(g.ID))
	if err != nil {
		return err
	}
	lost := orFirst(begun.Hash, sent.Text+" "+sent.Time) // what an attempt before has sent
	var made *frameio.Comment
	id, _, err := s.makeOnce(ctx, creation{
		kind: ledger.LinkComment, sourceID: s.toFrameioKey(g.ID), parent: s.it.FileID, owner: s.ref.Review, hash: sent.Text + " " + sent.Time,
		look: func(ctx context.Context) (string, error) { return s.lostComment(ctx, lost) },
		make: func(ctx context.Context) (string, error) {
			c, err := s.frameio.CreateComment(ctx, s.it.FileID, n)
			if err != nil {
				return "", err
			}
			made = &c
			return c.ID, nil
		},
	})
	row := ledger.ReviewComment{Review: s.ref.Review, ID: rowID(s.ref.Review, "iconik", g.ID), N: s.it.N, FrameioID: id, IconikID: g.ID, ParentID: parent.ID,
		Origin: ledger.FromIconik, Author: name, Email: email, Before: before, After: after, CreatedAt: g.Created.Time, Internal: n.TeamOnly}
	s.takeIconik(&row, g)
	if err != nil {
		return s.refusedNew(ctx, row, mapping.Frameio, fmt.Errorf("to Frame.io: %w", err))
	}
	adopted := made == nil
	if adopted {
		c, err := s.frameio.Comment(ctx, id)
		if err != nil && !rest.IsNotFound(err) {
			return err
		}
		made = &c
	}
	if g.Checked && made.ID != "" && !made.Completed {
		if err := s.frameio.UpdateComment(ctx, id, frameio.CommentChange{Completed: &g.Checked}); err != nil {
			return err
		}
		made.Completed = true
	}
	row.Frameio, row.FrameioAt = frameioState(*made), made.UpdatedAt
	if adopted {
		row.Iconik, s.waiting = mapping.Unknown, true
	}
	if made.ID != "" {
		s.fio[id] = *made
	}
	s.changes++
	return s.put(ctx, row)
}

// place is the frame that a comment of iconik is about; what does not play has none, and Frame.io refuses one there.
func (s *assetSync) place(g iconik.Segment) (frame *int64, frames int64) {
	if t := s.it.MediaType; strings.HasPrefix(t, "image/") || t == "application/pdf" {
		return nil, 0
	}
	return mapping.FrameRange(g.StartMS, g.EndMS, s.it.Rate())
}

// threadOf is the comment at the top of a thread: Frame.io's threads have one level.
func (s *assetSync) threadOf(row ledger.ReviewComment) ledger.ReviewComment {
	for range len(s.rows) {
		above, ok := s.rows[row.ParentID]
		if !ok || above.FrameioID == "" || above.Deleted {
			break
		}
		row = above
	}
	return row
}

// lostComment finds a comment that an attempt before has made in Frame.io without hearing so: Frame.io has no field for
// a foreign id, so it is one that no row knows, by our own user, with what was sent.
func (s *assetSync) lostComment(ctx context.Context, sent string) (string, error) {
	me, err := s.frameio.Me(ctx)
	if err != nil {
		return "", err
	}
	for cursor := ""; ; {
		page, err := s.frameio.Comments(ctx, s.it.FileID, cursor)
		if err != nil {
			return "", err
		}
		for _, c := range page.Items {
			got := frameioState(c)
			if _, known := s.inReview[mapping.Frameio][c.ID]; !known && (c.Author.ID == me.ID || c.Author.Unknown) && got.Text+" "+got.Time == sent {
				return c.ID, nil
			}
		}
		if cursor = page.Next; cursor == "" {
			return "", nil
		}
	}
}

// refused keeps an edit that the other side does not take, so that it is not tried for ever, and tells people.
func (s *assetSync) refused(ctx context.Context, row *ledger.ReviewComment, to mapping.Side, err error) error {
	switch rest.ClassOf(err) {
	case rest.Permanent, rest.Forbidden, rest.Unsupported:
	default:
		return err
	}
	row.Refused = err.Error()
	if err := s.audit(ctx, to, "refused a change", *row); err != nil {
		return err
	}
	return s.note(ctx, fmt.Sprintf("%s does not take a change of a comment on %q: %v", to, s.it.Title, err))
}

// refusedNew writes down a comment that the other side does not take, and tells people: it holds up no other. It is tried
// again when it is edited, and now and then.
func (s *assetSync) refusedNew(ctx context.Context, row ledger.ReviewComment, to mapping.Side, err error) error {
	if c := rest.ClassOf(err); c != rest.Permanent && c != rest.Unsupported {
		return err
	}
	first := s.rows[row.ID].Refused == ""
	row.Refused = err.Error()
	if err := s.put(ctx, row); err != nil || !first {
		return err
	}
	if err := s.audit(ctx, to, "refused a comment", row); err != nil {
		return err
	}
	return s.note(ctx, fmt.Sprintf("%s does not take a comment of %s on %q, and it stays in %s: %v", to, orFirst(row.Author, "somebody"), s.it.Title, to.Other(), err))
}

// refusedBefore says that a comment need not be tried now.
func (s *assetSync) refusedBefore(row ledger.ReviewComment, from mapping.Side, state mapping.State) bool {
	last := row.Frameio
	if from == mapping.Iconik {
		last = row.Iconik
	}
	return row.Refused != "" && last == state && time.Since(row.UpdatedAt) < refusedLook
}

func (s *assetSync) audit(ctx context.Context, side mapping.Side, what string, row ledger.ReviewComment) error {
	return s.Ledger.Audit(ctx, s.ref.Tenant, s.ref.Review, side.String(), what, fmt.Sprintf("comment %s of %s: %s", row.ID, row.Author, row.Text))
}

// overruled keeps the state that loses against a later edit.
func (s *assetSync) overruled(ctx context.Context, op mapping.Op, row ledger.ReviewComment) error {
	if len(op.Lost) == 0 {
		return nil
	}
	lost := row
	if op.To == mapping.Iconik {
		s.takeIconik(&lost, s.ick[row.IconikID])
	} else {
		s.takeFrameio(&lost, s.fio[row.FrameioID])
	}
	return s.audit(ctx, op.To, fmt.Sprintf("edit of %v overruled by a later one", op.Lost), lost)
}

// editIconik lets a segment follow what was edited in Frame.io.
func (s *assetSync) editIconik(ctx context.Context, row ledger.ReviewComment, op mapping.Op) error {
	c, g := s.fio[row.FrameioID], s.ick[row.IconikID]
	if err := s.overruled(ctx, op, row); err != nil {
		return err
	}
	user := ""
	if row.Origin == ledger.FromFrameio && row.Before == "" {
		user = "known" // it was posted in its author's name
	}
	draft := s.draft(c, user)
	var p iconik.SegmentPatch
	for _, part := range op.Parts {
		switch part {
		case mapping.PartText:
			text := draft.Text
			if row.Origin == ledger.FromIconik {
				text = mapping.Bare(c.Text, row.Before, row.After)
			} else if before, after, ok := strings.Cut(draft.Text, c.Text); ok && c.Text != "" {
				row.Before, row.After = before, after
			}
			p.Text = &text
		case mapping.PartTime:
			if p.StartMS, p.EndMS = draft.StartMS, draft.EndMS; p.StartMS == nil {
				p.Clear = append(p.Clear, "time_start_milliseconds", "time_end_milliseconds")
			}
		case mapping.PartDone:
			p.Checked = &draft.Checked
		case mapping.PartDrawing:
			p.Drawing = segmentRequest(draft).Drawing
			if kept := undrawable(g); len(kept) > 0 {
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
	made, err := s.iconik.Segments.Update(ctx, s.it.AssetID, row.IconikID, p)
	if rest.IsNotFound(err) {
		return nil // deleted just now: the next look sees it
	}
	if err != nil {
		if err := s.refused(ctx, &row, mapping.Iconik, err); err != nil {
			return err
		}
	} else {
		s.ick[made.ID] = *made
		for _, part := range op.Parts { // what else has changed there meanwhile is an edit of its own
			row.Iconik.Copy(part, iconikState(*made))
		}
	}
	for _, part := range op.Parts {
		row.Frameio.Copy(part, frameioState(c))
	}
	s.takeText(&row, c)
	s.changes++
	return s.put(ctx, row)
}

// undrawable are the shapes that Frame.io never had.
func undrawable(g iconik.Segment) []iconik.Primitive {
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

// takeText keeps a comment's content after an edit that came from Frame.io.
func (s *assetSync) takeText(row *ledger.ReviewComment, c frameio.Comment) {
	before := row.Frameio
	s.takeFrameio(row, c)
	row.Frameio = before
}

// editFrameio lets a Frame.io comment follow what was edited in iconik.
func (s *assetSync) editFrameio(ctx context.Context, row ledger.ReviewComment, op mapping.Op) error {
	c, g := s.fio[row.FrameioID], s.ick[row.IconikID]
	if err := s.overruled(ctx, op, row); err != nil {
		return err
	}
	name := row.Author
	before, body, after, drawable := mapping.ToFrameio(g.Text, name, shapes(g))
	var ch frameio.CommentChange
	for _, part := range op.Parts {
		switch part {
		case mapping.PartText:
			text := mapping.Bare(g.Text, row.Before, row.After)
			if row.Origin == ledger.FromIconik {
				if strings.HasSuffix(row.Before, before) { // a quoted parent stays before it
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
			annotation := mapping.KeepUnknown(c.Annotation, mapping.Annotation(drawable, s.drawingFrame()))
			ch.Annotation, c.Annotation = &annotation, annotation
		}
	}
	err := s.frameio.UpdateComment(ctx, row.FrameioID, ch)
	if rest.IsNotFound(err) {
		return nil
	}
	if err != nil {
		if err := s.refused(ctx, &row, mapping.Frameio, err); err != nil {
			return err
		}
		c = s.fio[row.FrameioID]
	}
	s.fio[c.ID] = c
	for _, part := range op.Parts {
		row.Frameio.Copy(part, frameioState(c))
		row.Iconik.Copy(part, iconikState(g))
	}
	ick := row.Iconik
	s.takeIconik(&row, g)
	row.Iconik = ick
	s.changes++
	return s.put(ctx, row)
}

// delete lets a deletion on one side follow on the other.
func (s *assetSync) delete(ctx context.Context, row ledger.ReviewComment, on mapping.Side) error {
	var err error
	if on == mapping.Iconik {
		err = s.iconik.Segments.Delete(ctx, s.it.AssetID, row.IconikID)
		if rest.IsNotFound(err) {
			err = nil
		}
	} else {
		err = s.frameio.DeleteComment(ctx, row.FrameioID)
	}
	if err != nil {
		if row.Deleted && row.Refused != "" {
			return nil // told before
		}
		if rerr := s.refused(ctx, &row, on, err); rerr != nil {
			return errors.Join(err, rerr)
		}
	} else if err := s.audit(ctx, on.Other(), "deleted", row); err != nil {
		return err
	}
	row.Deleted, row.UpdatedAt = true, time.Now().UTC()
	s.changes++
	return s.put(ctx, row)
}
