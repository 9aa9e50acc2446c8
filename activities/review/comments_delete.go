package review

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/framebridge/framebridge/clients/rest"
	"github.com/framebridge/framebridge/ledger"
	"github.com/framebridge/framebridge/mapping"
)

// staysListed is why a deleted comment is not deleted again at each look: Frame.io lists it, and knows it by no id of its own.
const staysListed = "Frame.io still lists it"

// delete lets a deletion on one side follow on the other.
func (s *assetSync) delete(ctx context.Context, row ledger.ReviewComment, on mapping.Side) error {
	again := row.Deleted
	if again && row.Refused == staysListed {
		return nil
	}
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
		if again && row.Refused != "" {
			return nil // told before
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
	for _, other := range s.rows { // replies may have gone with it
		s.waiting = s.waiting || other.ParentID != "" && !other.Deleted
	}
	return nil
}

// deleted writes down that a comment was deleted, or that it stays although it was deleted before.
func (s *assetSync) deleted(ctx context.Context, row *ledger.ReviewComment, on mapping.Side, again bool) error {
	if again && on == mapping.Frameio {
		there, err := s.listed(ctx, row.FrameioID)
		if err != nil {
			return err
		}
		if there {
			row.Refused = staysListed
			return s.review.note(ctx, fmt.Sprintf("A comment on %q was deleted in iconik, and Frame.io still shows it: delete it there.", s.it.Title))
		}
	}
	return s.audit(ctx, on.Other(), "deleted", *row)
}
