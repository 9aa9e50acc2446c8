package activities

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"runtime/debug"
	"time"

	"go.temporal.io/sdk/temporal"

	"github.com/framebridge/framebridge/activities/attempt"
	"github.com/framebridge/framebridge/activities/fault"
	"github.com/framebridge/framebridge/clients/rest"
	"github.com/framebridge/framebridge/config"
	"github.com/framebridge/framebridge/redact"
	"github.com/framebridge/framebridge/workflows"
)

const (
	// tokenPatience is the retry interval while a vendor rejects the token, until somebody has fixed it.
	tokenPatience = time.Minute
	// maxRetryAfter caps the wait after a failure, however long the vendor asks for.
	maxRetryAfter = 2 * time.Minute
)

// boundary wraps every activity: it provides the heartbeat, and gives errors one form.
type boundary struct {
	log *slog.Logger
	// failFastOnAuth ends the activity if a vendor rejects the token, instead of retrying until somebody has fixed it, so that
	// whoever has just started something learns of it right away.
	failFastOnAuth bool
	// stuck tells people what has been failing for long. It may be nil.
	stuck *stuck
	// config provides the tenants' names for the log. If nil, nothing is logged.
	config *config.Live
}

// guard wraps an activity that has a result.
func guard[In, Out any](b boundary, f func(context.Context, In) (Out, error)) func(context.Context, In) (Out, error) {
	return func(ctx context.Context, in In) (out Out, err error) {
		err = b.run(ctx, in, func(ctx context.Context) error {
			out, err = f(ctx, in)
			return err
		})
		return out, err
	}
}

// guardTask wraps an activity without a result.
func guardTask[In any](b boundary, f func(context.Context, In) error) func(context.Context, In) error {
	return func(ctx context.Context, in In) error {
		return b.run(ctx, in, func(ctx context.Context) error { return f(ctx, in) })
	}
}

func (b boundary) run(ctx context.Context, in any, f func(context.Context) error) (err error) {
	h, stop := beat(ctx)
	defer stop()
	began := time.Now()
	defer func() { b.stuck.note(ctx, in, h.info, began, err) }()
	defer func() {
		if p := recover(); p != nil {
			b.log.ErrorContext(ctx, "activity panicked", "activity", h.info.ActivityType.Name, "panic", redact.Scrub(fmt.Sprint(p)), "stack", string(debug.Stack()))
			err = toTemporal(fault.System("Framebridge has a bug in %s: %v", h.info.ActivityType.Name, p))
		}
	}()
	err = f(attempt.With(ctx, h))
	b.tellSync(ctx, in, h.info, err)
	if b.failFastOnAuth {
		err = fault.FailFastOnAuth(err)
	}
	return toTemporal(err)
}

// toTemporal converts an error to its Temporal form: its text without secrets, and whether and when it is retried.
func toTemporal(err error) error {
	if err == nil {
		return nil
	}
	var app *temporal.ApplicationError
	var canceled *temporal.CanceledError
	if errors.As(err, &app) || errors.As(err, &canceled) || errors.Is(err, context.Canceled) {
		return err
	}
	text := redact.Scrub(err.Error())
	var own *fault.Error
	if errors.As(err, &own) {
		o := temporal.ApplicationErrorOptions{NonRetryable: own.Final, NextRetryDelay: own.RetryIn}
		if own.Benign {
			o.Category = temporal.ApplicationErrorCategoryBenign
		}
		return temporal.NewApplicationErrorWithOptions(text, own.Type, o)
	}
	var e *rest.Error
	if !errors.As(err, &e) {
		if kind, lasting := fault.Lasting(err); lasting { // from a store
			return temporal.NewNonRetryableApplicationError(text, kind, nil)
		}
		return temporal.NewApplicationErrorWithOptions(text, "Internal", temporal.ApplicationErrorOptions{})
	}
	kind := e.Vendor + " " + e.Operation
	switch e.Class {
	case rest.Throttled:
		return temporal.NewApplicationErrorWithOptions(text, kind, temporal.ApplicationErrorOptions{
			NextRetryDelay: max(e.RetryAfter, time.Second), Category: temporal.ApplicationErrorCategoryBenign})
	case rest.Unauthorized:
		return temporal.NewApplicationErrorWithOptions(text, kind, temporal.ApplicationErrorOptions{NextRetryDelay: tokenPatience})
	case rest.Retryable: // 0 means the retry policy's interval
		return temporal.NewApplicationErrorWithOptions(text, kind, temporal.ApplicationErrorOptions{NextRetryDelay: min(e.RetryAfter, maxRetryAfter)})
	default: // Permanent, Forbidden, NotFound, Unsupported
		return temporal.NewNonRetryableApplicationError(text, workflows.ErrorContent, nil)
	}
}
