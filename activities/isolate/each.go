package isolate

import (
	"context"
	"errors"

	"github.com/framebridge/framebridge/clients/rest"
)

// mostInRow is how many objects in a row may fail temporarily before the vendor counts as unavailable.
const mostInRow = 5

// Each lets the rest of a list continue if one object fails: what a vendor refuses or fails to do for one may work for the next.
type Each struct {
	refused, failed error // the first of each: refused for good, and temporary
	inRow           int
}

// GoOn takes the result for one object and reports whether to try the next one. It returns false if a token is rejected, the
// ledger or the worker is at fault, or one object after another fails or meets a limit: limits may be of one operation only.
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
	if !Away(err) && !rest.IsThrottled(err) || ctx.Err() != nil {
		e.failed = err
		return false
	}
	e.inRow++
	return e.inRow < mostInRow
}

// Away reports whether err means that a vendor is failing, rather than asking for a pause.
func Away(err error) bool {
	var e *rest.Error
	return errors.As(err, &e) && e.Class == rest.Retryable
}

// Err returns the result for the whole list: a temporary error, which is retried, before a refusal.
func (e *Each) Err() error {
	if e.failed != nil {
		return e.failed
	}
	return e.refused
}
