package commentsync

import (
	"context"
	"strings"

	"github.com/framebridge/framebridge/clients/rest"
	"github.com/framebridge/framebridge/ledger"
	"github.com/framebridge/framebridge/mapping"
)

// resume finishes what an earlier attempt was sending when it died. Only then is it known which comments in Frame.io are ours,
// and which ones in iconik stand for a comment that Frame.io no longer has.
func (s *fileSync) resume(ctx context.Context) error {
	for id, g := range s.ick {
		if _, known := s.inReview[mapping.Iconik][id]; known {
			continue
		}
		if _, begun, err := s.Tenant.Ledger.Link(ctx, ledger.LinkComment, s.toFrameioKey(id)); err != nil || !begun {
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
		c, err := s.Frameio.Comment(ctx, source)
		switch {
		case err == nil && (c.FileID == "" || c.FileID == s.it.FileID):
			s.fio[source] = c // the listing was stale
		case err != nil && !rest.IsNotFound(err):
			return err
		case err != nil:
			row := ledger.ReviewComment{Review: s.Review, ID: rowID(s.Review, "frameio", source), N: s.it.N, FrameioID: source, IconikID: g.ID,
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
func (s *fileSync) resumeDeleted(ctx context.Context) error {
	loose := map[string]string{} // comments in no row, possibly by our user, by what was sent
	for id, c := range s.fio {
		if _, known := s.inReview[mapping.Frameio][id]; !known && !c.Author.Guest {
			state := FrameioState(c)
			loose[state.Text+" "+state.Time] = id
		}
	}
	for after := ""; len(loose) > 0; {
		links, next, err := s.ledger().Links(ctx, ledger.LinkComment, after, 200)
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
			g, err := s.Tenant.Iconik.Segments.Get(ctx, s.it.AssetID, segment)
			if err != nil && !rest.IsNotFound(err) {
				return err
			}
			if err == nil && !g.Deleted() {
				continue // the index does not show it yet
			}
			row := ledger.ReviewComment{Review: s.Review, ID: rowID(s.Review, "iconik", segment), N: s.it.N, FrameioID: id, IconikID: segment, Origin: ledger.FromIconik}
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
