package activities

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/framebridge/framebridge/clients/frameio"
	"github.com/framebridge/framebridge/clients/iconik"
	"github.com/framebridge/framebridge/clients/rest"
	"github.com/framebridge/framebridge/ledger"
	"github.com/framebridge/framebridge/mapping"
	"github.com/framebridge/framebridge/workflows"
)

// rateAssumed is what an item says whose comments' times had to be counted without a frame rate.
var rateAssumed = fmt.Sprintf("Frame.io gives no frame rate: the times of its comments are counted at %d frames a second", mapping.DefaultRate.Num)

const userMemory = 10 * time.Minute // how long an e-mail address's iconik user is remembered, and that none may be written as

// CopyComments brings the comments of a range of items over, on the version that they were made on.
func (a *Activities) CopyComments(ctx context.Context, in workflows.CommentsInput) (workflows.Counts, error) {
	var counts workflows.Counts
	arc, err := a.archive(in.Ref)
	if err != nil {
		return counts, err
	}
	items, err := a.Ledger.Items(ctx, in.Tenant, in.Archive, in.From, in.To)
	if err != nil {
		return counts, err
	}
	for _, it := range items {
		// Where Frame.io does not count comments, none is what was read, and may be old like the rest.
		none := it.CommentCount == 0 && !(in.Again && it.CommentsScan > 0)
		if none || it.AssetID == "" || it.VersionID == "" || it.CommentsScan == it.Scan && !in.Again {
			continue
		}
		if err := stopping(ctx); err != nil {
			return counts, err
		}
		done, err := arc.copyComments(ctx, it)
		if err != nil {
			return counts, settled(fmt.Errorf("comments of %q: %w", it.Path, err))
		}
		counts.CommentsDone += int64(done)
		arc.progress(ctx, false)
	}
	return counts, nil
}

// sourceComments reads all comments of a file, parents before their replies, in the order they were made.
func (a *archive) sourceComments(ctx context.Context, fileID string) ([]frameio.Comment, error) {
	all, err := a.fileComments(ctx, fileID)
	if err != nil {
		return nil, err
	}
	slices.SortStableFunc(all, func(x, y frameio.Comment) int { return x.CreatedAt.Compare(y.CreatedAt) })
	depth := depths(all)
	slices.SortStableFunc(all, func(x, y frameio.Comment) int { return cmp.Compare(depth[x.ID], depth[y.ID]) })
	return all, nil
}

// fileComments lists all comments of a file.
func (t *tenant) fileComments(ctx context.Context, fileID string) ([]frameio.Comment, error) {
	return everyPage(func(c frameio.Comment) string { return c.ID }, func(cursor string) (frameio.Page[frameio.Comment], error) {
		return t.frameio.Comments(ctx, fileID, cursor)
	})
}

// everyPage reads a listing to its end, each object once: a reply may come with its comment and again on a later page,
// pages shift while they are read, and a listing that heeds no page number gives the same one for ever.
func everyPage[T any](id func(T) string, list func(cursor string) (frameio.Page[T], error)) ([]T, error) {
	var all []T
	seen := map[string]bool{}
	for cursor, last := "", ""; ; {
		page, err := list(cursor)
		if err != nil {
			return nil, err
		}
		ids := ""
		for _, x := range page.Items {
			ids += id(x) + " "
			if !seen[id(x)] {
				seen[id(x)] = true
				all = append(all, x)
			}
		}
		if cursor = page.Next; cursor == "" || ids != "" && ids == last {
			return all, nil
		}
		last = ids
	}
}

// depths counts each comment's ancestors among its siblings; a reply to something deleted stands at the top.
func depths(all []frameio.Comment) map[string]int {
	parent := map[string]string{}
	for _, c := range all {
		parent[c.ID] = c.ParentID
	}
	depth := map[string]int{}
	for _, c := range all {
		n := 0
		for p, ok := c.ParentID, true; p != "" && n <= len(all); n++ {
			if p, ok = parent[p]; !ok {
				break
			}
		}
		depth[c.ID] = n
	}
	return depth
}

func (a *archive) copyComments(ctx context.Context, it ledger.Item) (int, error) {
	comments, err := a.sourceComments(ctx, it.SourceID)
	if rest.IsNotFound(err) { // deleted since the tree was read, or under another id by now: its next reading tells
		return 0, nil
	}
	if err != nil {
		return 0, err
	}
	if err := a.rematchComments(ctx, it, comments); err != nil {
		return 0, err
	}
	for _, c := range comments {
		if err := a.copyComment(ctx, it, c); err != nil {
			return 0, err
		}
	}
	note := noteOf(it, comments, a.drawingFrame())
	_, err = a.updateItem(ctx, it, func(i *ledger.Item) {
		i.Note = note
		i.CommentsSeen, i.CommentsScan = i.CommentCount, it.Scan
		i.CommentsDone, i.CommentCount = len(comments), max(len(comments), i.CommentCount)
		if i.CommentsSeen < 0 {
			i.CommentsSeen = len(comments)
		}
	})
	return len(comments), err
}

// noteOf is what a person should know of how an item's comments were brought over.
func noteOf(it ledger.Item, comments []frameio.Comment, frame mapping.DrawingFrame) string {
	assumed, unknown := false, 0
	for _, c := range comments {
		draft := mapping.Segment(commentInput(it, c, "", frame))
		assumed = assumed || draft.RateAssumed
		unknown += draft.UnknownTools
	}
	var notes []string
	if assumed {
		notes = append(notes, rateAssumed)
	}
	if unknown > 0 {
		notes = append(notes, fmt.Sprintf("drawn with tools that iconik does not have, and kept as Frame.io's source only: %d", unknown))
	}
	return strings.Join(notes, "; ")
}

func (a *archive) copyComment(ctx context.Context, it ledger.Item, c frameio.Comment) error {
	user, err := a.userFor(ctx, c.Author)
	if err != nil {
		return fmt.Errorf("iconik user of a comment's author: %w", err)
	}
	draftFor := func(user string) mapping.SegmentDraft {
		return mapping.Segment(commentInput(it, c, user, a.drawingFrame()))
	}
	draft := draftFor(user)
	hash := draft.Hash()
	link, known, err := a.Ledger.Link(ctx, a.ref.Tenant, ledger.LinkComment, c.ID)
	if err != nil {
		return err
	}
	if known && link.TargetID != "" {
		if link.Hash == hash {
			return nil
		}
		there, err := a.editComment(ctx, it, c, link, user, draftFor)
		if err != nil || there {
			return err
		}
		if err := a.Ledger.Forget(ctx, a.ref.Tenant, ledger.LinkComment, c.ID); err != nil { // deleted in iconik: made again
			return err
		}
	}
	requestFor := func(user string) iconik.SegmentRequest {
		req := segmentRequest(draftFor(user))
		req.VersionID, req.UserID, req.ExternalID = it.VersionID, user, mapping.ExternalID("comment", c.ID)
		return req
	}
	req := requestFor(user)
	if c.ParentID != "" {
		link, ok, err := a.Ledger.Link(ctx, a.ref.Tenant, ledger.LinkComment, c.ParentID)
		if err != nil {
			return err
		}
		if ok {
			req.ParentID = link.TargetID
		}
	}
	adopting, err := a.adopting(ctx)
	if err != nil {
		return err
	}
	id, _, err := a.once(ctx, creation{
		kind: ledger.LinkComment, sourceID: c.ID, parent: it.AssetID, hash: "", settle: a.cfg.Iconik.SettleTime, lookFirst: adopting,
		look: func(ctx context.Context) (string, error) {
			have, err := a.iconik.Segments.List(ctx, it.AssetID, iconik.SegmentListOptions{Type: "COMMENT", AllVersions: true})
			return firstID(have, err, func(s iconik.Segment) (string, bool) {
				return s.ID, s.ExternalID == req.ExternalID && s.Status != "DELETED"
			})
		},
		make: func(ctx context.Context) (string, error) {
			s, as, err := a.createAs(ctx, it.AssetID, user, func(user string) iconik.SegmentRequest {
				r := requestFor(user)
				r.ParentID = req.ParentID
				return r
			})
			if err != nil {
				return "", err
			}
			user = as
			return s.ID, nil
		},
	})
	if err != nil {
		return err
	}
	draft = draftFor(user)
	return a.finishComment(ctx, it, c, id, draft, draft.Fields, hash)
}

// refused says that iconik takes no such request, now or later.
func refused(err error) bool {
	return err != nil && (rest.ClassOf(err) == rest.Permanent || rest.ClassOf(err) == rest.Forbidden)
}

// createAs makes a segment in a user's name. Not every token may write in another's: then requestFor gets "", the author
// stands in the text, and no other is tried for a while. as is whose name it came to stand in.
func (t *tenant) createAs(ctx context.Context, assetID, user string, requestFor func(user string) iconik.SegmentRequest) (s *iconik.Segment, as string, err error) {
	for _, who := range []string{"", user} { // "": everybody's
		if at, ok := t.notAs.Load(who); ok && time.Since(at.(time.Time)) < userMemory {
			user = ""
		}
	}
	s, err = t.createSegment(ctx, assetID, requestFor(user))
	if user == "" || !refused(err) {
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

// createSegment marks team-only comments as internal where iconik knows the field, and in the text where it refuses it.
func (t *tenant) createSegment(ctx context.Context, assetID string, req iconik.SegmentRequest) (*iconik.Segment, error) {
	s, err := t.iconik.Segments.Create(ctx, assetID, req)
	if err != nil && req.Internal != nil && rest.ClassOf(err) == rest.Permanent {
		req.Internal, req.Text = nil, mapping.TeamOnlyPrefix+req.Text
		return t.iconik.Segments.Create(ctx, assetID, req)
	}
	return s, err
}

// markTeamOnly marks a team-only comment in its text where iconik took the field and did not keep it, as it does with
// fields that it does not know.
func (t *tenant) markTeamOnly(ctx context.Context, assetID, id string) (*iconik.Segment, error) {
	s, err := t.iconik.Segments.Get(ctx, assetID, id)
	if err != nil || isInternal(s) || strings.HasPrefix(s.Text, mapping.TeamOnlyPrefix) {
		return s, err
	}
	s.Text = mapping.TeamOnlyPrefix + s.Text
	_, err = t.iconik.Segments.Update(ctx, assetID, id, iconik.SegmentPatch{Text: &s.Text})
	return s, err
}

func isInternal(s *iconik.Segment) bool { return s.Internal != nil && *s.Internal }

// finishComment marks a team-only comment, writes the comment's own metadata and then its hash, which says that nothing is left to do.
func (a *archive) finishComment(ctx context.Context, it ledger.Item, c frameio.Comment, id string, draft mapping.SegmentDraft, fields map[string]string, hash string) error {
	if draft.Internal {
		if _, err := a.markTeamOnly(ctx, it.AssetID, id); err != nil {
			return fmt.Errorf("a team-only comment: %w", err)
		}
	}
	if len(fields) > 0 {
		view, err := a.view(ctx, mapping.CommentView)
		if err != nil {
			return err
		}
		if err := a.iconik.Metadata.PutSegmentValues(ctx, it.AssetID, id, view, values(fields)); err != nil {
			return fmt.Errorf("metadata of a comment: %w", err)
		}
	}
	return a.Ledger.Made(ctx, a.ref.Tenant, ledger.LinkComment, c.ID, id, hash)
}

// editComment lets a comment that changed in Frame.io since the last run follow; false where iconik has it no more. Who
// wrote a segment, and that it is internal, cannot be changed any more: what iconik does not say stays in the text.
func (a *archive) editComment(ctx context.Context, it ledger.Item, c frameio.Comment, link ledger.Link, user string, draftFor func(string) mapping.SegmentDraft) (bool, error) {
	have, err := a.iconik.Segments.Get(ctx, it.AssetID, link.TargetID)
	if rest.IsNotFound(err) || err == nil && have.Status == "DELETED" {
		return false, nil
	}
	if err != nil {
		return true, err
	}
	hash := draftFor(user).Hash()
	if have.UserID != user {
		user = ""
	}
	draft := draftFor(user)
	if link.Hash == draft.Hash() { // only the author has become an iconik user since
		return true, a.Ledger.Made(ctx, a.ref.Tenant, ledger.LinkComment, c.ID, link.TargetID, hash)
	}
	if err := a.wrote(ctx); err != nil {
		return true, err
	}
	req := segmentRequest(draft)
	if draft.Internal && !isInternal(have) {
		req.Text = mapping.TeamOnlyPrefix + req.Text
	}
	patch := iconik.SegmentPatch{Text: &req.Text, Checked: &draft.Checked, StartMS: req.StartMS, EndMS: req.EndMS, Drawing: req.Drawing}
	if req.StartMS == nil && have.StartMS != nil {
		patch.Clear = append(patch.Clear, "time_start_milliseconds", "time_end_milliseconds")
	}
	if req.Drawing == nil && have.Drawing != nil && len(have.Drawing.Primitives) > 0 {
		patch.Clear = append(patch.Clear, "drawing")
	}
	if _, err := a.iconik.Segments.Update(ctx, it.AssetID, link.TargetID, patch); err != nil {
		return true, err
	}
	return true, a.finishComment(ctx, it, c, link.TargetID, draft, mapping.WithCleared(mapping.CommentFields, draft.Fields), hash)
}

func (t *tenant) drawingFrame() mapping.DrawingFrame {
	d := t.cfg.Iconik.Drawing
	return mapping.DrawingFrame{Kind: d.Frame, Width: d.Width, Height: d.Height}
}

func commentInput(it ledger.Item, c frameio.Comment, user string, frame mapping.DrawingFrame) mapping.CommentInput {
	return mapping.CommentInput{
		Text: c.Text, AuthorName: c.Author.Name, AuthorEmail: c.Author.Email, Guest: c.Author.Guest, AuthorUnknown: c.Author.Unknown,
		IconikUserID: user, Frame: c.Frame, Frames: c.Frames, Rate: mapping.Rate{Num: it.FrameNum, Den: it.FrameDen}, Page: c.Page,
		Completed: c.Completed, TeamOnly: c.TeamOnly, Annotation: c.Annotation, DrawingFrame: frame,
	}
}

func segmentRequest(d mapping.SegmentDraft) iconik.SegmentRequest {
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

// userFor returns the iconik user with the author's e-mail address, or "".
func (t *tenant) userFor(ctx context.Context, p frameio.Person) (string, error) {
	if p.Email == "" || p.Guest {
		return "", nil
	}
	t.mu.Lock()
	known, ok := t.users[p.Email]
	t.mu.Unlock()
	if ok && time.Since(known.at) < userMemory {
		return known.id, nil
	}
	u, err := t.iconik.Users.ByEmail(ctx, p.Email)
	if err != nil && rest.ClassOf(err) != rest.Forbidden { // where no list of users may be read, names and addresses stay in the text
		return "", err
	}
	id := ""
	if u != nil {
		id = u.ID
	}
	t.mu.Lock()
	t.users[p.Email] = userAt{id, time.Now()}
	t.mu.Unlock()
	return id, nil
}
