package review

import (
	"context"
	"encoding/json"
	"strings"
	"time"

	"github.com/google/uuid"

	"github.com/framebridge/framebridge/activities/attempt"
	"github.com/framebridge/framebridge/activities/isolate"
	"github.com/framebridge/framebridge/activities/tenant"
	"github.com/framebridge/framebridge/clients/frameio"
	"github.com/framebridge/framebridge/clients/iconik"
	"github.com/framebridge/framebridge/clients/rest"
	"github.com/framebridge/framebridge/ledger"
	"github.com/framebridge/framebridge/mapping"
	"github.com/framebridge/framebridge/workflows"
)

// assetSync syncs the comments on one file in Frame.io with those on the iconik version it shows.
type assetSync struct {
	review  *review
	ref     workflows.ReviewRef
	tenant  *tenant.Tenant
	ledger  ledger.ReviewLedger
	frameio frameio.Platform
	iconik  *iconik.Client

	it     ledger.ReviewAsset
	full   bool // read everything
	newest bool // new comments from iconik go to this file
	hinted []string

	rows      map[string]ledger.ReviewComment // of this file, by ID
	elsewhere map[string]ledger.ReviewComment // of other files, created in Frame.io, by their ID there
	inReview  [2]map[string]string            // IDs of comments on each side → row ID, for all files
	fio       map[string]frameio.Comment      // as confirmed by Frame.io
	ick       map[string]iconik.Segment       // as confirmed by iconik
	begunIn   map[string]iconik.Segment       // created there by attempts that died, by the ID of their Frame.io comment
	there     bool                            // the file and the asset exist
	changes   int
	waiting   bool // a reply's parent is not there yet
	held      bool // a deletion is not trusted yet
	vanished  bool // a comment disappeared during the sync
}

// mostEdits is how many edits of one file's comments a sync makes in Frame.io, where V4 takes ten a minute. The rest follow
// later, so that new comments, including those on other files, need not wait for them.
const mostEdits = 20

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
	if s.there, err = s.onBothSides(ctx); err != nil || !s.there {
		return err
	}
	if s.it.State == ledger.AssetGone || !s.it.AbsentSince.IsZero() {
		if s.it, err = s.review.isBack(ctx, s.it); err != nil {
			return err
		}
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
		seen[mapping.Frameio] = append(seen[mapping.Frameio], mapping.Seen{ID: c.ID, ParentID: c.ParentID, State: frameioState(c), CreatedAt: c.CreatedAt, UpdatedAt: c.UpdatedAt})
	}
	for _, g := range s.ick {
		seen[mapping.Iconik] = append(seen[mapping.Iconik], mapping.Seen{ID: g.ID, ParentID: g.ParentID, State: iconikState(g), CreatedAt: g.Created.Time, UpdatedAt: g.Modified.Time})
	}
	var each isolate.Each
	edits := 0
	for _, op := range mapping.Reconcile(pairs, seen) {
		if err := attempt.Stopping(ctx); err != nil {
			return err
		}
		if s.editRefusedBefore(op) {
			continue
		}
		if op.Kind == mapping.OpEdit && op.To == mapping.Frameio {
			if edits++; edits > mostEdits {
				s.waiting = true
				continue
			}
		}
		if !each.GoOn(ctx, s.do(ctx, op)) {
			break
		}
	}
	return each.Err()
}

func (s *assetSync) load(ctx context.Context) error {
	all, err := s.ledger.Comments(ctx, 0)
	if err != nil {
		return err
	}
	s.rows, s.elsewhere, s.inReview = map[string]ledger.ReviewComment{}, map[string]ledger.ReviewComment{}, [2]map[string]string{{}, {}}
	for _, row := range all {
		if row.N == s.it.N {
			s.rows[row.ID] = row
		} else if row.Origin == ledger.FromFrameio {
			s.elsewhere[row.FrameioID] = row
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

// put records a row.
func (s *assetSync) put(ctx context.Context, row ledger.ReviewComment) error {
	if err := s.tenant.Ledger.PutReviewComments(ctx, row); err != nil {
		return err
	}
	s.rows[row.ID] = row
	s.learn(row)
	return nil
}

// readFrameio lists the file's comments, and asks one by one for those that are missing from the list.
func (s *assetSync) readFrameio(ctx context.Context) (bool, error) {
	s.fio = map[string]frameio.Comment{}
	listed, err := s.tenant.FileComments(ctx, s.it.FileID)
	if rest.IsNotFound(err) {
		_, err := s.review.inFrameio(ctx, s.it)
		return false, err
	}
	if err != nil {
		return false, err
	}
	for _, c := range listed {
		s.fio[c.ID] = c
	}
	var missing, lost []string
	for _, row := range s.rows {
		if _, listed := s.fio[row.FrameioID]; row.FrameioID != "" && !row.Deleted && !listed {
			missing = append(missing, row.FrameioID)
		}
	}
	ask := func(id string) error {
		c, err := s.frameio.Comment(ctx, id)
		switch {
		case err == nil && (c.FileID == "" || c.FileID == s.it.FileID):
			s.fio[id] = c
		case rest.IsNotFound(err):
			lost = append(lost, id)
			err = nil
		}
		return err
	}
	for _, id := range missing {
		if err := ask(id); err != nil {
			return false, err
		}
	}
	if len(lost) == 0 {
		return true, nil
	}
	// Comments disappear and come back with their file: one is deleted only if it is missing before and after a look at the file.
	if there, err := s.review.inFrameio(ctx, s.it); err != nil || !there {
		return false, err
	}
	for _, id := range lost {
		if err := ask(id); err != nil {
			return false, err
		}
	}
	return true, nil
}

// listIconik lists the version's segments as iconik's index has them. It returns false if the asset is gone.
func (s *assetSync) listIconik(ctx context.Context) ([]iconik.Segment, bool, error) {
	listed, err := s.iconik.Segments.List(ctx, s.it.AssetID, iconik.SegmentListOptions{Type: "COMMENT", VersionID: s.it.VersionID, WithUsers: true})
	if !rest.IsNotFound(err) {
		return listed, err == nil, err
	}
	// The asset is gone, or it has no comments: iconik returns 404 for pages beyond the end.
	there, err := s.review.inIconik(ctx, s.it)
	return nil, there, err
}

func (s *assetSync) readIconik(ctx context.Context) (bool, error) {
	s.ick, s.begunIn = map[string]iconik.Segment{}, map[string]iconik.Segment{}
	listed, there, err := s.listIconik(ctx)
	if err != nil || !there {
		return false, err
	}
	doubtful := map[string]bool{}
	for _, id := range s.hinted {
		doubtful[id] = true
	}
	byID := map[string]iconik.Segment{}
	for _, g := range listed {
		if g.Deleted() { // whether the list shows deleted ones is not documented: ignore them
			continue
		}
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
	var missing []string
	for id := range doubtful {
		if key, known := s.inReview[mapping.Iconik][id]; known && (s.rows[key].ID == "" || s.rows[key].Older) {
			continue // belongs to another file, or is older
		}
		g, err := s.iconik.Segments.Get(ctx, s.it.AssetID, id)
		if err != nil && !rest.IsNotFound(err) {
			return false, err
		}
		if err != nil || g.Deleted() {
			missing = append(missing, id)
			delete(s.ick, id) // the list was stale
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
	return s.confirmDeleted(ctx, missing)
}

// begun reports whether this review has requested a segment that no row knows yet, and for which Frame.io comment.
func (s *assetSync) begun(ctx context.Context, g iconik.Segment) (source string, is bool, err error) {
	kind, source, ours := mapping.ParseExternalID(g.ExternalID)
	if !ours || kind != "comment" || g.VersionID != "" && g.VersionID != s.it.VersionID {
		return "", false, nil
	}
	_, is, err = s.tenant.Ledger.Link(ctx, ledger.LinkComment, s.toIconikKey(source))
	return source, is, err
}

// older reports whether a comment was made before the review was requested, although the index did not show it then.
func (s *assetSync) older(g iconik.Segment) bool {
	return !g.Created.IsZero() && g.Created.Before(s.review.clickedAt(s.it))
}

func olderComment(review string, n int, segment string) ledger.ReviewComment {
	return ledger.ReviewComment{Review: review, ID: "older/" + segment, N: n, IconikID: segment, Origin: ledger.FromIconik, Older: true}
}

// wanted reports whether a segment is a comment on this version that may go to the reviewers.
func (s *assetSync) wanted(g iconik.Segment) bool {
	if _, known := s.inReview[mapping.Iconik][g.ID]; known {
		return true
	}
	_, _, ours := mapping.ParseExternalID(g.ExternalID) // ours with no row yet, or an archive's
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

func frameioState(c frameio.Comment) mapping.State {
	return mapping.FrameioState(c.Text, c.Frame, c.Frames, c.Page, c.Completed, c.Annotation)
}

// resume finishes what an earlier attempt was sending when it died. Only then is it known which comments in Frame.io are ours,
// and which ones in iconik stand for a comment that Frame.io no longer has.
func (s *assetSync) resume(ctx context.Context) error {
	for id, g := range s.ick {
		if _, known := s.inReview[mapping.Iconik][id]; known {
			continue
		}
		if _, begun, err := s.tenant.Ledger.Link(ctx, ledger.LinkComment, s.toFrameioKey(id)); err != nil || !begun {
			if err != nil {
				return err
			}
			continue
		}
		if err := s.toFrameio(ctx, g); err != nil {
			return err
		}
	}
	for source, g := range s.begunIn { // if its comment has since been deleted in Frame.io, delete it too
		if _, there := s.fio[source]; there {
			continue
		}
		c, err := s.frameio.Comment(ctx, source)
		switch {
		case err == nil && (c.FileID == "" || c.FileID == s.it.FileID):
			s.fio[source] = c // the listing was stale
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

// resumeDeleted finds comments that earlier attempts created in Frame.io for segments that have since been deleted in iconik,
// so that they are deleted too.
func (s *assetSync) resumeDeleted(ctx context.Context) error {
	loose := map[string]string{} // comments in no row, possibly by our user, by what was sent
	for id, c := range s.fio {
		if _, known := s.inReview[mapping.Frameio][id]; !known && !c.Author.Guest {
			state := frameioState(c)
			loose[state.Text+" "+state.Time] = id
		}
	}
	for after := ""; len(loose) > 0; {
		links, next, err := s.ledger.Links(ctx, ledger.LinkComment, after, 200)
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
			if err == nil && !g.Deleted() {
				continue // the index does not show it yet
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

func (s *assetSync) toIconikKey(comment string) string { return s.ref.Review + "/frameio/" + comment }

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
	case time.Since(s.it.BackAt) < comingBack: // what is missing may come back after the file or asset did
		s.held = s.held || op.Kind == mapping.OpDelete
		return nil
	case op.Kind == mapping.OpDelete:
		return s.delete(ctx, s.rows[op.Key], op.To)
	}
	row := s.rows[op.Key]
	row.Deleted = true
	return s.put(ctx, row)
}

// parent returns the row of the comment that is replied to. wait is true while that comment is still on its way.
func (s *assetSync) parent(side mapping.Side, parentID string) (row ledger.ReviewComment, wait bool) {
	if parentID == "" {
		return row, false
	}
	if row, known := s.rows[s.inReview[side][parentID]]; known && !row.Deleted && !row.Older {
		switch {
		case row.FrameioID != "" && row.IconikID != "":
			return row, false
		case row.Refused != "": // the other side refuses it, so the reply stands alone there
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
