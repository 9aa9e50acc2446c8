package activities

import (
	"context"
	"errors"
	"fmt"
	"time"

	"go.temporal.io/sdk/temporal"

	"github.com/framebridge/framebridge/clients/rest"
	"github.com/framebridge/framebridge/redact"
	"github.com/framebridge/framebridge/workflows"
)

// tokenPatience is how often an archive tries again while a vendor refuses the token: until somebody has mended it.
const tokenPatience = time.Minute

const askedAtMost = 2 * time.Minute // is waited after a failure, however long a vendor asks for

// contentError is one that the user can mend; no attempt is made again.
func contentError(format string, args ...any) error {
	return temporal.NewNonRetryableApplicationError(redact.Scrub(fmt.Sprintf(format, args...)), workflows.ErrorContent, nil)
}

// systemError is one that an operator must look at; no attempt is made again.
func systemError(format string, args ...any) error {
	return temporal.NewNonRetryableApplicationError(redact.Scrub(fmt.Sprintf(format, args...)), workflows.ErrorSystem, nil)
}

// settled gives an error its Temporal form, once, from the class that the client gave it.
func settled(err error) error {
	if err == nil {
		return nil
	}
	var app *temporal.ApplicationError
	var canceled *temporal.CanceledError
	if errors.As(err, &app) || errors.As(err, &canceled) || errors.Is(err, context.Canceled) {
		return err
	}
	text := redact.Scrub(err.Error())
	var e *rest.Error
	if !errors.As(err, &e) {
		return temporal.NewApplicationErrorWithOptions(text, "Internal", temporal.ApplicationErrorOptions{})
	}
	typed := e.Vendor + " " + e.Operation
	switch e.Class {
	case rest.Throttled:
		return temporal.NewApplicationErrorWithOptions(text, typed, temporal.ApplicationErrorOptions{
			NextRetryDelay: max(e.RetryAfter, time.Second), Category: temporal.ApplicationErrorCategoryBenign})
	case rest.Unauthorized:
		return temporal.NewApplicationErrorWithOptions(text, typed, temporal.ApplicationErrorOptions{NextRetryDelay: tokenPatience})
	case rest.Retryable:
		return temporal.NewApplicationErrorWithOptions(text, typed, temporal.ApplicationErrorOptions{NextRetryDelay: min(e.RetryAfter, askedAtMost)}) // 0: the policy's
	case rest.Unsupported:
		return temporal.NewNonRetryableApplicationError(text, workflows.ErrorContent, nil)
	default: // Permanent, Forbidden, NotFound
		return temporal.NewNonRetryableApplicationError(text, workflows.ErrorContent, nil)
	}
}

// firstTouch is settled for the calls that open an archive: a refused token ends it at once and says so.
func firstTouch(err error) error {
	if rest.ClassOf(err) == rest.Unauthorized && err != nil {
		return contentError("%v", err)
	}
	return settled(err)
}
