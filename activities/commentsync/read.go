package commentsync

import (
	"context"

	"github.com/framebridge/framebridge/clients/frameio"
	"github.com/framebridge/framebridge/clients/iconik"
	"github.com/framebridge/framebridge/clients/rest"
	"github.com/framebridge/framebridge/ledger"
	"github.com/framebridge/framebridge/mapping"
)

// readFrameio lists the file's comments, and asks one by one for those that are missing from the list.
func (s *fileSync) readFrameio(ctx context.Context) (bool, error) {
	s.fio = map[string]frameio.Comment{}
	listed, err := s.Tenant.FileComments(ctx, s.it.FileID)
	if rest.IsNotFound(err) {
		_, err := s.InFrameio(ctx, s.it)
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
		c, err := s.Frameio.Comment(ctx, id)
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
	if there, err := s.InFrameio(ctx, s.it); err != nil || !there {
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
func (s *fileSync) listIconik(ctx context.Context) ([]iconik.Segment, bool, error) {
	listed, err := s.Tenant.Iconik.Segments.List(ctx, s.it.AssetID, iconik.SegmentListOptions{Type: "COMMENT", VersionID: s.it.VersionID, WithUsers: true})
	if !rest.IsNotFound(err) {
		return listed, err == nil, err
	}
	// The asset is gone, or it has no comments: iconik returns 404 for pages beyond the end.
	there, err := s.InIconik(ctx, s.it)
	return nil, there, err
}

func (s *fileSync) readIconik(ctx context.Context) (bool, error) {
	s.ick, s.begunIn = map[string]iconik.Segment{}, map[string]iconik.Segment{}
	listed, there, err := s.listIconik(ctx)
	if err != nil || !there {
		return false, err
	}
	doubtful := map[string]bool{}
	for _, id := range s.Hinted {
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
		case !known && s.Newest && !isOurs(g):
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
		g, err := s.Tenant.Iconik.Segments.Get(ctx, s.it.AssetID, id)
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
			if err := s.put(ctx, Older(s.Review, s.it.N, id)); err != nil {
				return false, err
			}
		} else if wanted, err := s.wanted(ctx, *g, byID); err != nil {
			return false, err
		} else if wanted {
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
func (s *fileSync) begun(ctx context.Context, g iconik.Segment) (source string, is bool, err error) {
	kind, source, ours := mapping.ParseExternalID(g.ExternalID)
	if !ours || kind != "comment" || g.VersionID != "" && g.VersionID != s.it.VersionID {
		return "", false, nil
	}
	_, is, err = s.Tenant.Ledger.Link(ctx, ledger.LinkComment, s.toIconikKey(source))
	return source, is, err
}

// older reports whether a comment was made before the review was requested, although the index did not show it then.
func (s *fileSync) older(g iconik.Segment) bool {
	return !g.Created.IsZero() && g.Created.Before(s.ClickedAt)
}

// Older returns the row of a comment that was made in iconik before the review was requested, and stays there.
func Older(review string, n int, segment string) ledger.ReviewComment {
	return ledger.ReviewComment{Review: review, ID: "older/" + segment, N: n, IconikID: segment, Origin: ledger.FromIconik, Older: true}
}

// wanted reports whether a segment is a comment on this version that may go to the reviewers.
func (s *fileSync) wanted(ctx context.Context, g iconik.Segment, listed map[string]iconik.Segment) (bool, error) {
	if _, known := s.inReview[mapping.Iconik][g.ID]; known {
		return true, nil
	}
	internal := g.Internal != nil && *g.Internal
	if !s.Newest || isOurs(g) || g.Type != "" && g.Type != "COMMENT" || g.VersionID != "" && g.VersionID != s.it.VersionID ||
		internal && !s.Frameio.Capabilities().TeamOnlyComments {
		return false, nil
	}
	foreign, err := s.repliesElsewhere(ctx, g, listed)
	return !foreign, err
}

// isOurs reports whether Framebridge created a segment: this review, another one or an archive.
func isOurs(g iconik.Segment) bool {
	_, _, ours := mapping.ParseExternalID(g.ExternalID)
	return ours
}

// repliesElsewhere reports whether a segment replies to what was said in Frame.io in another review or in an archived project.
// That is not for this review's reviewers.
func (s *fileSync) repliesElsewhere(ctx context.Context, g iconik.Segment, listed map[string]iconik.Segment) (bool, error) {
	for range len(listed) + 1 { // a thread is no longer
		if g.ParentID == "" {
			break
		}
		if key, known := s.inReview[mapping.Iconik][g.ParentID]; known && !s.rows[key].Older {
			return false, nil
		}
		parent, ok := listed[g.ParentID]
		if !ok {
			found, err := s.Tenant.Iconik.Segments.Get(ctx, s.it.AssetID, g.ParentID)
			if rest.IsNotFound(err) {
				return false, nil
			}
			if err != nil {
				return false, err
			}
			parent = *found
		}
		if isOurs(parent) {
			_, begun, err := s.begun(ctx, parent)
			return !begun, err
		}
		g = parent
	}
	return false, nil
}

// listed reports whether Frame.io still lists a comment. It may list replies that it cannot find by their IDs.
func (s *fileSync) listed(ctx context.Context, id string) (bool, error) {
	for c, err := range frameio.RowsOf(ctx, "list comments", s.Frameio.Comments, s.it.FileID) {
		if err != nil || c.ID == id {
			return err == nil, err
		}
	}
	return false, nil
}

// onBothSides asks for the file and the asset themselves if this is a full sync or one of them was absent: comments may still
// be listed for what was deleted.
func (s *fileSync) onBothSides(ctx context.Context) (bool, error) {
	if !s.Full && s.it.State == ledger.AssetReady && s.it.AbsentSince.IsZero() {
		return true, nil
	}
	if there, err := s.InFrameio(ctx, s.it); err != nil || !there {
		return false, err
	}
	return s.InIconik(ctx, s.it)
}

// confirmDeleted asks again for missing segments. Comments disappear and come back with their asset, so one counts as deleted
// only if it is missing both before and after a look at the asset. It returns false if the asset is not there.
func (s *fileSync) confirmDeleted(ctx context.Context, missing []string) (bool, error) {
	if len(missing) == 0 {
		return true, nil
	}
	if there, err := s.InIconik(ctx, s.it); err != nil || !there {
		return false, err
	}
	for _, id := range missing {
		g, err := s.Tenant.Iconik.Segments.Get(ctx, s.it.AssetID, id)
		if err != nil && !rest.IsNotFound(err) {
			return false, err
		}
		if _, known := s.inReview[mapping.Iconik][id]; err == nil && !g.Deleted() && known {
			s.ick[id] = *g
		}
	}
	return true, nil
}
