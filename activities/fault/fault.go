// Package fault names what ends or delays an attempt of an activity, without Temporal: package activities gives it its
// Temporal form.
package fault

import (
	"errors"
	"fmt"
	"time"

	"github.com/framebridge/framebridge/clients/rest"
	"github.com/framebridge/framebridge/redact"
	"github.com/framebridge/framebridge/workflows"
)

// Error is an activity's own verdict, beside the classes that the vendors' clients give.
type Error struct {
	Type    string // as it stands in histories, where workflows act on some of them
	Text    string // for people
	Final   bool   // no attempt is made again
	Benign  bool   // nothing has failed: no error in logs and metrics
	RetryIn time.Duration
}

func (e *Error) Error() string { return e.Text }

// Content is an error that the user can mend.
func Content(format string, args ...any) error {
	return &Error{Type: workflows.ErrorContent, Text: text(format, args), Final: true}
}

// System is an error that an operator must look at.
func System(format string, args ...any) error {
	return &Error{Type: workflows.ErrorSystem, Text: text(format, args), Final: true}
}

// UploadGone says that the storage has lost an upload: the workflow has a new one opened.
func UploadGone(format string, args ...any) error {
	return &Error{Type: workflows.ErrorUploadGone, Text: text(format, args), Final: true}
}

// OriginalGone says that Frame.io did not give the original after all.
func OriginalGone(format string, args ...any) error {
	return &Error{Type: workflows.ErrorOriginalGone, Text: text(format, args), Final: true}
}

// Superseded says that another attempt has taken over what this one did.
func Superseded(format string, args ...any) error {
	return &Error{Type: "Superseded", Text: text(format, args)}
}

// Wait has the next attempt made in a while; kind is its type in histories.
func Wait(kind string, in time.Duration, format string, args ...any) error {
	return &Error{Type: kind, Text: text(format, args), Benign: true, RetryIn: in}
}

// Lasting says whether an error stays however often its call is made again, and whose it is to mend: workflows.ErrorContent
// or workflows.ErrorSystem, or another of the types that workflows act on. The vendors' clients and the stores say the
// first; what nobody has classified may pass.
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

// FailFastOnAuth turns a refused token into a final error: whoever has just started something learns of it at once.
// Others wait until somebody has mended the token.
func FailFastOnAuth(err error) error {
	if err != nil && rest.ClassOf(err) == rest.Unauthorized {
		return Content("%v", err)
	}
	return err
}

// Scrubbed is an error's text, or a panic's, without secrets.
func Scrubbed(err any) string { return text("%v", []any{err}) }

func text(format string, args []any) string { return redact.Scrub(fmt.Sprintf(format, args...)) }
