package workflows

import (
	"errors"
	"fmt"

	"go.temporal.io/sdk/temporal"
)

// Who is at fault, as the ledger stores it (ledger.FaultContent and ledger.FaultSystem; a test keeps them equal).
const (
	FaultContent = "content" // the user can fix it
	FaultSystem  = "system"  // an operator must look
)

// refuse returns the error that rejects an update. Its text is written for people.
func refuse(format string, args ...any) error {
	return temporal.NewApplicationError(fmt.Sprintf(format, args...), "Refused")
}

// faultOf tells the user's errors from the operator's.
func faultOf(err error) string {
	var app *temporal.ApplicationError
	if errors.As(err, &app) && app.Type() == ErrorContent {
		return FaultContent
	}
	return FaultSystem
}

// reasonOf returns the innermost message, which is the one written for people.
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
