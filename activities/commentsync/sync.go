// Package commentsync brings the comments on one file of a review from each side to the other: new ones, edits and deletions.
// It has a row in the ledger for each comment, with both IDs and what each side looked like when they last agreed.
package commentsync

import (
	"context"
	"encoding/json"
	"fmt"
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
)

// File is a file of a review, with the comments that are made on it in Frame.io and on the iconik version that it shows.
type File struct {
	Review  string // its ID
	Asset   ledger.ReviewAsset
	Tenant  *tenant.Tenant
	Frameio frameio.Platform

	// ClickedAt is when the asset was sent, by iconik's clock. What was said in iconik before is not for the reviewers.
	ClickedAt time.Time
	Full      bool     // also look whether the file and the asset exist
	Newest    bool     // new comments from iconik go to this file
	Hinted    []string // segments that webhooks named

	// InFrameio and InIconik report whether the file and the asset exist. If not, they record that. IsBack records that both do again.
	InFrameio, InIconik func(context.Context, ledger.ReviewAsset) (bool, error)
	IsBack              func(context.Context, ledger.ReviewAsset) (ledger.ReviewAsset, error)
	// Note and NoteError record a sentence for people, once. Audit records what was done, and by which side.
	Note      func(ctx context.Context, text string) error
	NoteError func(ctx context.Context, what string, err error) error
	Audit     func(ctx context.Context, actor, action, text string) error
}

// Result is what a sync did and found.
type Result struct {
	Asset    ledger.ReviewAsset // as it is now
	There    bool               // the file and the asset exist
	Changes  int
	Waiting  bool // something is not there yet, for example a reply's parent
	Held     bool // a deletion is not trusted yet
	Vanished bool // a comment disappeared during the sync
}

// Sync brings both sides up to date with each other. With an error, Result is what was done before it.
func (f File) Sync(ctx context.Context) (Result, error) {
	s := &fileSync{File: f, it: f.Asset}
	err := s.run(ctx)
	return Result{Asset: s.it, There: s.there, Changes: s.changes, Waiting: s.waiting, Held: s.held, Vanished: s.vanished}, err
}

func (f File) ledger() ledger.ReviewLedger { return f.Tenant.Ledger.Review(f.Review) }

type fileSync struct {
	File

	it        ledger.ReviewAsset
	rows      map[string]ledger.ReviewComment // of this file, by ID
	elsewhere map[string]ledger.ReviewComment // of other files, created in Frame.io, by their ID there
	inReview  [2]map[string]string            // IDs of comments on each side → row ID, for all files
	fio       map[string]frameio.Comment      // as confirmed by Frame.io
	ick       map[string]iconik.Segment       // as confirmed by iconik
	begunIn   map[string]iconik.Segment       // created there by attempts that died, by the ID of their Frame.io comment

	there, waiting, held, vanished bool // as in Result
	changes                        int
}

// RefusedLook is how long after the other side refuses something it is brought over again: an account may be locked for a while.
const RefusedLook = 10 * time.Minute

// comingBack is for how long what is missing on something that came back is not deleted: it may follow.
const comingBack = 10 * time.Minute

// mostEdits is how many edits of one file's comments a sync makes in Frame.io, where V4 takes ten a minute. The rest follow
// later, so that new comments, including those on other files, need not wait for them.
const mostEdits = 20

func (s *fileSync) run(ctx context.Context) error {
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
		if s.it, err = s.IsBack(ctx, s.it); err != nil {
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
		seen[mapping.Frameio] = append(seen[mapping.Frameio], mapping.Seen{ID: c.ID, ParentID: c.ParentID, State: FrameioState(c), CreatedAt: c.CreatedAt, UpdatedAt: c.UpdatedAt})
	}
	for _, g := range s.ick {
		seen[mapping.Iconik] = append(seen[mapping.Iconik], mapping.Seen{ID: g.ID, ParentID: g.ParentID, State: iconikState(g), CreatedAt: g.Created.Time, UpdatedAt: g.Modified.Time})
	}
	var each isolate.Each
	edits := 0
	paused := map[string]bool{} // kinds of changes for which a vendor has asked for a pause; the others are made
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
		kind := fmt.Sprint(op.Kind, op.To)
		if paused[kind] {
			continue
		}
		err := s.do(ctx, op)
		paused[kind] = rest.IsThrottled(err)
		if !each.GoOn(ctx, err) {
			break
		}
	}
	return each.Err()
}

func (s *fileSync) load(ctx context.Context) error {
	all, err := s.ledger().Comments(ctx, 0)
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

func (s *fileSync) learn(row ledger.ReviewComment) {
	if row.FrameioID != "" {
		s.inReview[mapping.Frameio][row.FrameioID] = row.ID
	}
	if row.IconikID != "" {
		s.inReview[mapping.Iconik][row.IconikID] = row.ID
	}
}

// put records a row.
func (s *fileSync) put(ctx context.Context, row ledger.ReviewComment) error {
	if err := s.Tenant.Ledger.PutReviewComments(ctx, row); err != nil {
		return err
	}
	s.rows[row.ID] = row
	s.learn(row)
	return nil
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

// FrameioState returns what a sync compares of a comment.
func FrameioState(c frameio.Comment) mapping.State {
	return mapping.FrameioState(c.Text, c.Frame, c.Frames, c.Page, c.Completed, c.Annotation)
}

func (s *fileSync) toFrameioKey(segment string) string { return s.Review + "/iconik/" + segment }

func (s *fileSync) toIconikKey(comment string) string { return s.Review + "/frameio/" + comment }

func rowID(review, side, id string) string {
	return uuid.NewSHA1(uuid.NameSpaceURL, []byte(review+"/"+side+"/"+id)).String()
}

func (s *fileSync) do(ctx context.Context, op mapping.Op) error {
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
func (s *fileSync) parent(side mapping.Side, parentID string) (row ledger.ReviewComment, wait bool) {
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
