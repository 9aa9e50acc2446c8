// Package isolate confines the failure of one object in a list to that object. What is refused for good fails only that object;
// a temporary error fails the whole activity.
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

// Patience is how long temporary errors are retried, with the whole activity, before they count as a failure of the one object
// where they occur.
const Patience = 12 * time.Hour

// Refusal says why one object could not be copied or compared.
type Refusal struct {
	Fault  string // ledger.FaultContent or ledger.FaultSystem
	Reason string // the vendor's words
}

// Of reports whether an error is the failure of one object only: it was refused for good, or a temporary error has not passed
// within Patience. Everything else fails the whole activity, which is retried: a rejected token, a vendor that is down or asks
// for fewer calls, a ledger that cannot be written, a worker that is stopping.
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

// Others returns err if it fails the whole activity, and nil if it fails only one object.
func Others(ctx context.Context, err error) error {
	if _, ok := Of(ctx, err); ok {
		return nil
	}
	return err
}

// FailItem fails an item, keeping what it may have failed for before.
func FailItem(i *ledger.Item, r Refusal) {
	switch {
	case i.State != ledger.ItemFailed || i.Reason == "":
		i.Fault, i.Reason = r.Fault, r.Reason
	case !strings.Contains(i.Reason, r.Reason):
		i.Reason += "; " + r.Reason
	}
	i.State = ledger.ItemFailed
}

// Objects works on the objects of one archive.
type Objects struct {
	Archive string
	Ledger  ledger.ArchiveLedger
	Log     *slog.Logger
}

// Try does the work on one object of a list. It returns a refusal of this object, or an error that fails the whole activity. A
// panic counts as a refusal.
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

// TryOr is Try for an object that is not a file. It records a refusal as f.
func (o Objects) TryOr(ctx context.Context, f ledger.Failure, work func() error) (ok bool, err error) {
	refused, err := o.Try(ctx, work)
	if refused == nil {
		return err == nil, err
	}
	return false, o.Failed(ctx, f, *refused)
}

// Failed records that an object that is not a file failed.
func (o Objects) Failed(ctx context.Context, f ledger.Failure, r Refusal) error {
	f.Fault, f.Reason, f.At = r.Fault, r.Reason, time.Now().UTC()
	o.Log.WarnContext(ctx, "an object failed; the rest continues", "archive", o.Archive, "kind", f.Kind, "id", f.SourceID, "reason", f.Reason)
	return o.Ledger.PutFailure(ctx, f)
}

// Clear forgets earlier failures of kinds that are retried.
func (o Objects) Clear(ctx context.Context, kinds ...ledger.FailureKind) error {
	return o.ClearOlder(ctx, 0, kinds...)
}

// ClearOlder forgets earlier failures, except those that this scan has met.
func (o Objects) ClearOlder(ctx context.Context, scan int, kinds ...ledger.FailureKind) error {
	for _, kind := range kinds {
		if err := o.Ledger.ClearFailures(ctx, kind, scan); err != nil {
			return err
		}
	}
	return nil
}

// named is how many objects a reason names. The report lists them all.
const named = 20

// Reason returns the part of an archive's reason that names the failed objects that are not files.
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
