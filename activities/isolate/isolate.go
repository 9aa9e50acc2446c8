// Package isolate keeps the failure of one object of a list to that object: what is refused for good costs it alone, and what may
// pass is the whole activity's.
package isolate

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"runtime/debug"
	"strings"
	"time"

	"github.com/framebridge/framebridge/activities/attempt"
	"github.com/framebridge/framebridge/activities/fault"
	"github.com/framebridge/framebridge/clients/rest"
	"github.com/framebridge/framebridge/ledger"
	"github.com/framebridge/framebridge/workflows"
)

// Patience is how long what may pass is tried again, with all that an activity has to do, before it counts as a failure of
// the one object that it is met at.
const Patience = 12 * time.Hour

// Refusal is why one object could not be brought over, or not be compared.
type Refusal struct {
	Fault  string // ledger.FaultContent or ledger.FaultSystem
	Reason string // the vendor's words
}

// Of says whether an error is the end of one object only: what is refused for good, and what may pass and has not within
// Patience. Everything else is the whole activity's, which is tried again: a token that is refused, a vendor that is away
// or asks for less, a ledger that cannot be written, a worker that is stopped.
func Of(ctx context.Context, err error) (Refusal, bool) {
	if err == nil || ctx.Err() != nil || errors.Is(err, context.Canceled) {
		return Refusal{}, false
	}
	var own *fault.Error
	if errors.As(err, &own) && own.Benign {
		return Refusal{}, false
	}
	kind, lasting := fault.Lasting(err)
	late := time.Since(attempt.Of(ctx).Scheduled()) > Patience && rest.ClassOf(err) != rest.Unauthorized
	if !lasting && !late {
		return Refusal{}, false
	}
	r := Refusal{Fault: ledger.FaultSystem, Reason: fault.Scrubbed(err)}
	if kind == workflows.ErrorContent {
		r.Fault = ledger.FaultContent
	}
	return r, true
}

// Others returns an error that is the whole activity's, and nil for one object's.
func Others(ctx context.Context, err error) error {
	if _, ok := Of(ctx, err); ok {
		return nil
	}
	return err
}

// FailItem fails an item, beside what it may have failed for before.
func FailItem(i *ledger.Item, r Refusal) {
	switch {
	case i.State != ledger.ItemFailed || i.Reason == "":
		i.Fault, i.Reason = r.Fault, r.Reason
	case !strings.Contains(i.Reason, r.Reason):
		i.Reason += "; " + r.Reason
	}
	i.State = ledger.ItemFailed
}

// Objects are the objects of one archive.
type Objects struct {
	Archive string
	Ledger  ledger.ArchiveLedger
	Log     *slog.Logger
}

// Try does the work on one object of a list and says what comes of it: a refusal of this object, or an error of the
// whole activity. A panic is this object's.
func (o Objects) Try(ctx context.Context, work func() error) (refused *Refusal, err error) {
	defer func() {
		if p := recover(); p != nil {
			text := fault.Scrubbed(p)
			o.Log.ErrorContext(ctx, "the work on one object panicked", "archive", o.Archive, "panic", text, "stack", string(debug.Stack()))
			refused, err = &Refusal{Fault: ledger.FaultSystem, Reason: "Framebridge has a bug: " + text}, nil
		}
	}()
	err = work()
	if r, ok := Of(ctx, err); ok {
		return &r, nil
	}
	return nil, err
}

// TryOr is Try for an object that is no file: where it is refused, that is written down as f.
func (o Objects) TryOr(ctx context.Context, f ledger.Failure, work func() error) (ok bool, err error) {
	refused, err := o.Try(ctx, work)
	if refused == nil {
		return err == nil, err
	}
	return false, o.Failed(ctx, f, *refused)
}

// Failed writes down that an object which is no file failed.
func (o Objects) Failed(ctx context.Context, f ledger.Failure, r Refusal) error {
	f.Fault, f.Reason, f.At = r.Fault, r.Reason, time.Now().UTC()
	o.Log.WarnContext(ctx, "an object failed, the rest continues", "archive", o.Archive, "kind", f.Kind, "id", f.SourceID, "reason", f.Reason)
	return o.Ledger.PutFailure(ctx, f)
}

// Clear forgets what failed before, of kinds that are tried again.
func (o Objects) Clear(ctx context.Context, kinds ...ledger.FailureKind) error {
	return o.ClearOlder(ctx, 0, kinds...)
}

// ClearOlder forgets what failed before, but for what this scan has met.
func (o Objects) ClearOlder(ctx context.Context, scan int, kinds ...ledger.FailureKind) error {
	for _, kind := range kinds {
		if err := o.Ledger.ClearFailures(ctx, kind, scan); err != nil {
			return err
		}
	}
	return nil
}

// named are the objects in a reason; the report lists them all.
const named = 20

// Reason names, at the end of an archive's reason, what failed and is no file.
func (o Objects) Reason(ctx context.Context, count int64) (string, error) {
	if count == 0 {
		return "", nil
	}
	first, _, err := o.Ledger.Failures(ctx, "", named)
	text := ""
	for _, f := range first {
		text += fmt.Sprintf("; %s %q: %s", f.Kind, f.Place, f.Reason)
	}
	if more := count - int64(len(first)); more > 0 {
		text += fmt.Sprintf("; %d more like these", more)
	}
	return text, err
}
