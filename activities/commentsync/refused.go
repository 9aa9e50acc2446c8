package commentsync

import (
	"cmp"
	"context"
	"fmt"
	"time"

	"github.com/framebridge/framebridge/clients/rest"
	"github.com/framebridge/framebridge/ledger"
	"github.com/framebridge/framebridge/mapping"
)

// refused records a change that the other side refuses, and tells people.
func (s *fileSync) refused(ctx context.Context, row *ledger.ReviewComment, to mapping.Side, err error) error {
	if !rest.IsRefused(err) {
		return err
	}
	row.Refused = err.Error()
	if err := s.audit(ctx, to, "refused a change", *row); err != nil {
		return err
	}
	return s.Note(ctx, fmt.Sprintf("%s rejected a change to a comment on %q: %v", to, s.it.Title, err))
}

// editRefused records an edit that the other side refuses, and tells people once. It is retried when it is edited again, and every
// RefusedLook: an account may be locked for a while.
func (s *fileSync) editRefused(ctx context.Context, row ledger.ReviewComment, op mapping.Op, err error) error {
	if !rest.IsRefused(err) {
		return err
	}
	if row.Refused == "" {
		if err := s.refused(ctx, &row, op.To, err); err != nil {
			return err
		}
	}
	row.Refused, row.UpdatedAt = err.Error(), time.Now().UTC()
	s.markRefused(&row, op)
	return s.put(ctx, row)
}

// markRefused records the parts of an edit as refused in the state of the side where they were edited.
func (s *fileSync) markRefused(row *ledger.ReviewComment, op mapping.Op) {
	last, now := &row.Frameio, FrameioState(s.fio[row.FrameioID])
	if op.To == mapping.Frameio {
		last, now = &row.Iconik, iconikState(s.ick[row.IconikID])
	}
	for _, part := range op.Parts {
		last.Copy(part, now.Refused())
	}
}

// editRefusedBefore reports whether exactly this edit was refused recently.
func (s *fileSync) editRefusedBefore(op mapping.Op) bool {
	row, marked := s.rows[op.Key], s.rows[op.Key]
	if op.Kind != mapping.OpEdit || row.Refused == "" || time.Since(row.UpdatedAt) >= RefusedLook {
		return false
	}
	s.markRefused(&marked, op)
	return marked.Frameio == row.Frameio && marked.Iconik == row.Iconik
}

// refusedNew records a comment that the other side refuses, and tells people. It does not hold up other comments. It is retried
// when it is edited, and every RefusedLook.
func (s *fileSync) refusedNew(ctx context.Context, row ledger.ReviewComment, to mapping.Side, err error) error {
	if !rest.IsRefused(err) && !rest.IsConflict(err) || rest.IsNotFound(err) { // what it belongs to is missing: the next sync sees that
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
	return s.Note(ctx, fmt.Sprintf("%s rejected a comment by %s on %q, so it stays in %s only: %v", to, cmp.Or(row.Author, "somebody"), s.it.Title, to.Other(), err))
}

// fieldsRefused notes that iconik refuses a comment's additional fields. The comment exists without them.
func (s *fileSync) fieldsRefused(ctx context.Context, err error) error {
	if !rest.IsRefused(err) {
		return err
	}
	return s.NoteError(ctx, fmt.Sprintf("iconik rejected fields of comments on %q, so they are missing there", s.it.Title), err)
}

// refusedBefore reports whether a comment was refused recently and has not changed since.
func (s *fileSync) refusedBefore(row ledger.ReviewComment, from mapping.Side, state mapping.State) bool {
	last := row.Frameio
	if from == mapping.Iconik {
		last = row.Iconik
	}
	return row.Refused != "" && last == state && time.Since(row.UpdatedAt) < RefusedLook
}

func (s *fileSync) audit(ctx context.Context, side mapping.Side, what string, row ledger.ReviewComment) error {
	actor := ledger.ActorFrameio
	if side == mapping.Iconik {
		actor = ledger.ActorIconik
	}
	return s.Audit(ctx, actor, what, fmt.Sprintf("comment %s of %s: %s", row.ID, row.Author, row.Text))
}

// overruled writes the state that loses to a later edit to the audit log.
func (s *fileSync) overruled(ctx context.Context, op mapping.Op, row ledger.ReviewComment) error {
	if len(op.Overruled) == 0 {
		return nil
	}
	overruled := row
	if op.To == mapping.Iconik {
		s.takeIconik(&overruled, s.ick[row.IconikID])
	} else {
		s.takeFrameio(&overruled, s.fio[row.FrameioID])
	}
	return s.audit(ctx, op.To, fmt.Sprintf("edit of %v overruled by a later one", op.Overruled), overruled)
}
