package isolate

import (
	"context"
	"errors"

	"github.com/framebridge/framebridge/clients/rest"
)

// mostInRow is how many objects in a row may fail with what may pass, before the vendor counts as away.
const mostInRow = 5

// Each lets the others of a list go on where one object fails: what a vendor refuses for one, or fails at for one, need not be so
// for the next.
type Each struct {
	refused, failed error // the first of each; refused for good, and what may pass
	inRow           int
}

// GoOn takes what came of one object, and says whether the next one is tried: not where a token is refused, a limit is
// reached, the ledger or the worker is at fault, or one object after the other fails.
func (e *Each) GoOn(ctx context.Context, err error) bool {
	switch {
	case err == nil:
		e.inRow = 0
		return true
	case rest.IsRefused(err):
		if e.inRow = 0; e.refused == nil {
			e.refused = err
		}
		return ctx.Err() == nil
	case e.failed == nil:
		e.failed = err
	}
	if !Away(err) || ctx.Err() != nil {
		e.failed = err
		return false
	}
	e.inRow++
	return e.inRow < mostInRow
}

// Away says that a vendor fails, and asks for no pause.
func Away(err error) bool {
	var e *rest.Error
	return errors.As(err, &e) && e.Class == rest.Retryable
}

// Err is what the whole came to: what may pass is tried again.
func (e *Each) Err() error {
	if e.failed != nil {
		return e.failed
	}
	return e.refused
}
