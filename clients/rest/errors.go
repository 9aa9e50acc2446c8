// Package rest is the HTTP layer below the vendors' clients. It paces calls to the vendor's rate limits, classifies every failure
// once, limits how much it reads, and never lets a token or a signed URL into an error.
package rest

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/framebridge/framebridge/redact"
)

// Class says how to react to an error.
type Class int

// Classes of errors.
const (
	Permanent    Class = iota // the request is at fault: repeating it fails again
	Retryable                 // the same request may succeed later
	Throttled                 // retry after RetryAfter
	Unauthorized              // the token is rejected
	Forbidden                 // the token's user or scope lacks permission
	NotFound                  // the object does not exist, or not for this user
	Unsupported               // the vendor, or this generation of its API, cannot do it
)

// Error is a failed call to a vendor.
type Error struct {
	Vendor    string
	Operation string
	Status    int // 0: no response
	Class     Class
	// RetryAfter is how long to wait when Throttled.
	RetryAfter time.Duration
	// Detail is the vendor's own message, shortened and scrubbed.
	Detail string
	// Hint tells the user what to do.
	Hint string
	// Uncertain says that a write may have taken effect even though it failed.
	Uncertain bool
	Cause     error
}

// ErrTooLarge is the cause if a response exceeds MaxBody. For a listing, the caller may request smaller pages.
var ErrTooLarge = errors.New("the response is larger")

func (e *Error) Error() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s: %s", e.Vendor, e.Operation)
	if e.Status != 0 {
		fmt.Fprintf(&b, ": %d %s", e.Status, http.StatusText(e.Status))
	}
	if e.Detail != "" {
		b.WriteString(": " + e.Detail)
	}
	if e.Cause != nil {
		b.WriteString(": " + redact.Scrub(e.Cause.Error()))
	}
	if e.Hint != "" {
		b.WriteString(" (" + e.Hint + ")")
	}
	return b.String()
}

func (e *Error) Unwrap() error { return e.Cause }

// ClassOf returns an error's class, or Retryable if no client has classified it.
func ClassOf(err error) Class {
	var e *Error
	if errors.As(err, &e) {
		return e.Class
	}
	return Retryable
}

// IsNotFound reports whether the vendor does not have the object, or no longer does.
func IsNotFound(err error) bool { return err != nil && ClassOf(err) == NotFound }

// IsThrottled reports whether the vendor has asked for a pause.
func IsThrottled(err error) bool { return ClassOf(err) == Throttled }

// IsRefused reports whether the vendor refuses the call for good, so that retrying it is useless.
func IsRefused(err error) bool {
	if err == nil {
		return false
	}
	switch ClassOf(err) {
	case Permanent, Forbidden, NotFound, Unsupported:
		return true
	case Retryable, Throttled, Unauthorized:
	}
	return false
}

// IsUnknownCall reports whether the vendor may not have the call at all: 404, 405 or 501. With 404 it may also be an object that it does not have.
func IsUnknownCall(err error) bool {
	var e *Error
	return errors.As(err, &e) && (e.Status == http.StatusNotFound || e.Status == http.StatusMethodNotAllowed || e.Status == http.StatusNotImplemented)
}

// IsUncertain reports whether a failed write may have taken effect.
func IsUncertain(err error) bool {
	var e *Error
	return errors.As(err, &e) && e.Uncertain
}

const maxDetail = 500

// detail extracts the message from either vendor's error bodies.
func detail(body []byte) string {
	var v struct {
		Message string          `json:"message"`
		Errors  json.RawMessage `json:"errors"`
	}
	text := ""
	if json.Unmarshal(body, &v) == nil {
		var list []any
		var fields map[string]any
		switch {
		case json.Unmarshal(v.Errors, &list) == nil && len(list) > 0:
			var parts []string
			for _, e := range list {
				switch e := e.(type) {
				case string:
					parts = append(parts, e)
				case map[string]any:
					d, _ := e["detail"].(string)
					if d == "" {
						d, _ = e["title"].(string)
					}
					source, _ := e["source"].(map[string]any)
					if at, _ := source["pointer"].(string); at != "" && !strings.Contains(d, at[strings.LastIndex(at, "/")+1:]) {
						d = strings.TrimSpace(d + " at " + at) // which field is at fault
					}
					if d != "" {
						parts = append(parts, d)
					}
				}
			}
			text = strings.Join(parts, "; ")
		case json.Unmarshal(v.Errors, &fields) == nil && len(fields) > 0:
			var parts []string
			for k, e := range fields {
				parts = append(parts, fmt.Sprintf("%s: %v", k, e))
			}
			text = strings.Join(parts, "; ")
		}
		if text == "" {
			text = v.Message
		}
	}
	text = redact.Scrub(text)
	if len(text) > maxDetail {
		text = strings.ToValidUTF8(text[:maxDetail], "") + "…"
	}
	return text
}

func classify(status int) Class {
	switch status {
	case http.StatusUnauthorized:
		return Unauthorized
	case http.StatusForbidden:
		return Forbidden
	case http.StatusNotFound, http.StatusGone:
		return NotFound
	case http.StatusTooManyRequests:
		return Throttled
	case http.StatusNotImplemented:
		return Unsupported
	case http.StatusRequestTimeout, http.StatusTooEarly:
		return Retryable
	}
	if status >= 500 {
		return Retryable
	}
	return Permanent
}

// IsConflict reports whether a vendor refuses something because of what it already has. V4's client classifies that as retryable.
func IsConflict(err error) bool {
	var e *Error
	return errors.As(err, &e) && e.Status == http.StatusConflict && !e.Uncertain
}
