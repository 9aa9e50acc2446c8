package review

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/framebridge/framebridge/clients/rest"
	"github.com/framebridge/framebridge/ledger"
	"github.com/framebridge/framebridge/mapping"
)

// refused keeps an edit that the other side does not take, so that it is not tried for ever, and tells people.
func (s *assetSync) refused(ctx context.Context, row *ledger.ReviewComment, to mapping.Side, err error) error {
	if !rest.IsRefused(err) {
		return err
	}
	row.Refused = err.Error()
	if err := s.audit(ctx, to, "refused a change", *row); err != nil {
		return err
	}
	return s.review.note(ctx, fmt.Sprintf("%s rejected a change to a comment on %q: %v", to, s.it.Title, err))
}

// refusedNew writes down a comment that the other side does not take, and tells people: it holds up no other. It is tried
// again when it is edited, and now and then.
func (s *assetSync) refusedNew(ctx context.Context, row ledger.ReviewComment, to mapping.Side, err error) error {
	if !rest.IsRefused(err) && !conflicts(err) || rest.IsNotFound(err) { // what it belongs to is not found: the next look sees it
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
	return s.review.note(ctx, fmt.Sprintf("%s rejected a comment by %s on %q, so it stays in %s only: %v", to, cmp.Or(row.Author, "somebody"), s.it.Title, to.Other(), err))
}

// conflicts says that a side refuses something beside what it has; V4's client counts that as what may pass.
func conflicts(err error) bool {
	var e *rest.Error
	return errors.As(err, &e) && e.Status == http.StatusConflict && !e.Uncertain
}

// fieldsRefused notes that iconik does not take what it should keep beside a comment: the comment is there without.
func (s *assetSync) fieldsRefused(ctx context.Context, err error) error {
	if !rest.IsRefused(err) {
		return err
	}
	return s.review.noteError(ctx, fmt.Sprintf("iconik rejected fields of comments on %q, so they are missing there", s.it.Title), err)
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
	actor := ledger.ActorFrameio
	if side == mapping.Iconik {
		actor = ledger.ActorIconik
	}
	return s.review.audit(ctx, actor, what, fmt.Sprintf("comment %s of %s: %s", row.ID, row.Author, row.Text))
}

// overruled keeps the state that loses against a later edit.
func (s *assetSync) overruled(ctx context.Context, op mapping.Op, row ledger.ReviewComment) error {
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
