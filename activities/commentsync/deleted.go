package commentsync

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/framebridge/framebridge/clients/rest"
	"github.com/framebridge/framebridge/ledger"
	"github.com/framebridge/framebridge/mapping"
)

// staysListed marks a deleted comment that Frame.io still lists but cannot find by its ID, so that it is not deleted again on each sync.
const staysListed = "Frame.io still lists it"

// delete carries a deletion over to the other side.
func (s *fileSync) delete(ctx context.Context, row ledger.ReviewComment, on mapping.Side) error {
	again := row.Deleted
	if again && row.Refused == staysListed {
		return nil
	}
	var err error
	if on == mapping.Iconik {
		err = s.Tenant.Iconik.Segments.Delete(ctx, s.it.AssetID, row.IconikID)
		if rest.IsNotFound(err) {
			err = nil
		}
	} else {
		err = s.Frameio.DeleteComment(ctx, row.FrameioID)
	}
	if err != nil {
		if again && row.Refused != "" {
			return nil // people were told already
		}
		if rerr := s.refused(ctx, &row, on, err); rerr != nil {
			return errors.Join(err, rerr)
		}
	} else if err := s.deleted(ctx, &row, on, again); err != nil {
		return err
	}
	row.Deleted, row.UpdatedAt = true, time.Now().UTC()
	s.changes++
	if err := s.put(ctx, row); err != nil {
		return err
	}
	for _, other := range s.rows { // replies may have been deleted with it
		s.waiting = s.waiting || other.ParentID != "" && !other.Deleted
	}
	return nil
}

// deleted records that a comment was deleted, or that Frame.io still lists it after a second deletion.
func (s *fileSync) deleted(ctx context.Context, row *ledger.ReviewComment, on mapping.Side, again bool) error {
	if again && on == mapping.Frameio {
		there, err := s.listed(ctx, row.FrameioID)
		if err != nil {
			return err
		}
		if there {
			row.Refused = staysListed
			return s.Note(ctx, fmt.Sprintf("A comment on %q was deleted in iconik, and Frame.io still shows it: delete it there.", s.it.Title))
		}
	}
	return s.audit(ctx, on.Other(), "deleted", *row)
}
