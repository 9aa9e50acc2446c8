// Package fault defines the errors that end or delay an attempt of an activity, without importing Temporal. Package activities
// converts them to their Temporal form.
package fault

import (
	"errors"
	"fmt"
	"time"

	"github.com/framebridge/framebridge/clients/rest"
	"github.com/framebridge/framebridge/redact"
	"github.com/framebridge/framebridge/workflows"
)

// Error is an activity's own verdict, in addition to the classes that the vendors' clients return.
type Error struct {
	Type    string // as in histories; workflows act on some of them
	Text    string // for people
	Final   bool   // not retried
	Benign  bool   // nothing has failed: not an error in logs and metrics
	RetryIn time.Duration
}

func (e *Error) Error() string { return e.Text }

// Content returns an error that the user can fix.
func Content(format string, args ...any) error {
	return &Error{Type: workflows.ErrorContent, Text: text(format, args), Final: true}
}

// System returns an error that an operator must look at.
func System(format string, args ...any) error {
	return &Error{Type: workflows.ErrorSystem, Text: text(format, args), Final: true}
}

// UploadGone returns an error that says the storage has lost an upload. The workflow opens a new one.
func UploadGone(format string, args ...any) error {
	return &Error{Type: workflows.ErrorUploadGone, Text: text(format, args), Final: true}
}

// OriginalGone returns an error that says Frame.io did not provide the original after all.
func OriginalGone(format string, args ...any) error {
	return &Error{Type: workflows.ErrorOriginalGone, Text: text(format, args), Final: true}
}

// Superseded returns an error that says another attempt has taken over this one's work.
func Superseded(format string, args ...any) error {
	return &Error{Type: "Superseded", Text: text(format, args)}
}

// Wait returns an error after which the next attempt is made in the given time. kind is its type in histories.
func Wait(kind string, in time.Duration, format string, args ...any) error {
	return &Error{Type: kind, Text: text(format, args), Benign: true, RetryIn: in}
}

// Lasting reports whether an error persists however often its call is retried, and who must fix it: kind is
// workflows.ErrorContent, workflows.ErrorSystem, or another type that workflows act on. Permanent errors of the vendors'
// clients and the stores are ErrorContent. Unclassified errors may pass.
func Lasting(err error) (kind string, lasting bool) {
	var own *Error
	var vendor *rest.Error
	var classed interface{ Retryable() bool }
	switch {
	case errors.As(err, &own):
		return own.Type, own.Final
	case errors.As(err, &vendor):
		switch vendor.Class {
		case rest.Throttled, rest.Unauthorized, rest.Retryable:
			return "", false
		}
		return workflows.ErrorContent, true
	case errors.As(err, &classed) && !classed.Retryable():
		return workflows.ErrorContent, true
	}
	return "", false
}

// FailFastOnAuth turns a rejected token into a final error, so that whoever has just started something learns of it right away.
// Without it, an activity waits until somebody has fixed the token.
func FailFastOnAuth(err error) error {
	if err != nil && rest.ClassOf(err) == rest.Unauthorized {
		return Content("%v", err)
	}
	return err
}

// Scrubbed returns the text of an error or a panic without secrets.
func Scrubbed(err any) string { return text("%v", []any{err}) }

func text(format string, args []any) string { return redact.Scrub(fmt.Sprintf(format, args...)) }
