package archive

import (
	"context"
	"errors"
	"runtime/debug"
	"strings"
	"time"

	"github.com/framebridge/framebridge/activities/attempt"
	"github.com/framebridge/framebridge/activities/fault"
	"github.com/framebridge/framebridge/clients/rest"
	"github.com/framebridge/framebridge/ledger"
	"github.com/framebridge/framebridge/workflows"
)

// objectPatience is how long what may pass is tried again, with all that an activity has to do, before it counts as a
// failure of the one object that it is met at.
const objectPatience = 12 * time.Hour

// refusal is why one object could not be brought over, or not be compared.
type refusal struct {
	fault  string // "content" (the user can mend it) or "system" (an operator must look)
	reason string // the vendor's words
}

// settleObject says whether an error is the end of one object only: what is refused for good, and what may pass and has
// not within objectPatience. Everything else is the whole activity's, which is tried again: a token that is refused, a
// vendor that is away or asks for less, a ledger that cannot be written, a worker that is stopped.
func settleObject(ctx context.Context, err error) (refusal, bool) {
	if err == nil || ctx.Err() != nil || errors.Is(err, context.Canceled) {
		return refusal{}, false
	}
	var own *fault.Error
	if errors.As(err, &own) && own.Benign {
		return refusal{}, false
	}
	kind, lasting := fault.Lasting(err)
	late := time.Since(attempt.Of(ctx).Scheduled()) > objectPatience && rest.ClassOf(err) != rest.Unauthorized
	if !lasting && !late {
		return refusal{}, false
	}
	r := refusal{fault: "system", reason: fault.Scrubbed(err)}
	if kind == workflows.ErrorContent {
		r.fault = "content"
	}
	return r, true
}

// try does the work on one object of a list and settles what comes of it: a refusal of this object, or an error of the
// whole activity. A panic is this object's.
func (a *archive) try(ctx context.Context, work func() error) (refused *refusal, err error) {
	defer func() {
		if p := recover(); p != nil {
			text := fault.Scrubbed(p)
			a.log.ErrorContext(ctx, "the work on one object panicked", "archive", a.ref.Archive, "panic", text, "stack", string(debug.Stack()))
			refused, err = &refusal{fault: "system", reason: "Framebridge has a fault: " + text}, nil
		}
	}()
	err = work()
	if r, ok := settleObject(ctx, err); ok {
		return &r, nil
	}
	return nil, err
}

// failItem fails an item, beside what it may have failed for before.
func failItem(i *ledger.Item, r refusal) {
	switch {
	case i.State != ledger.ItemFailed || i.Reason == "":
		i.Fault, i.Reason = r.fault, r.reason
	case !strings.Contains(i.Reason, r.reason):
		i.Reason += "; " + r.reason
	}
	i.State = ledger.ItemFailed
}
