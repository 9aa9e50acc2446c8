package review

import (
	"context"
	"errors"

	"github.com/framebridge/framebridge/clients/rest"
)

// mostInRow is how many objects in a row may fail with what may pass, before the vendor counts as away.
const mostInRow = 5

// apart lets the others of a list go on where one object fails: what a vendor refuses for one, or fails at for one, need not be so
// for the next.
type apart struct {
	refused, failed error // the first of each; refused for good, and what may pass
	inRow           int
}

// goOn takes what came of one object, and says whether the next one is tried: not where a token is refused, a limit is
// reached, the ledger or the worker is at fault, or one object after the other fails.
func (a *apart) goOn(ctx context.Context, err error) bool {
	switch {
	case err == nil:
		a.inRow = 0
		return true
	case rest.IsRefused(err):
		if a.inRow = 0; a.refused == nil {
			a.refused = err
		}
		return ctx.Err() == nil
	case a.failed == nil:
		a.failed = err
	}
	if !isAway(err) || ctx.Err() != nil {
		a.failed = err
		return false
	}
	a.inRow++
	return a.inRow < mostInRow
}

// isAway says that a vendor fails, and asks for no pause.
func isAway(err error) bool {
	var e *rest.Error
	return errors.As(err, &e) && e.Class == rest.Retryable
}

// err is what the whole came to: what may pass is tried again.
func (a *apart) err() error {
	if a.failed != nil {
		return a.failed
	}
	return a.refused
}
