package workflows

import (
	"errors"

	"go.temporal.io/sdk/temporal"
)

// faultOf tells the user's errors from the operator's.
func faultOf(err error) string {
	var app *temporal.ApplicationError
	if errors.As(err, &app) && app.Type() == ErrorContent {
		return "content"
	}
	return "system"
}

// reasonOf is the innermost message, which is the one written for people.
func reasonOf(err error) string {
	var app *temporal.ApplicationError
	if errors.As(err, &app) {
		return app.Message()
	}
	var timeout *temporal.TimeoutError
	if errors.As(err, &timeout) {
		if last := timeout.Unwrap(); last != nil {
			return reasonOf(last)
		}
	}
	return err.Error()
}
