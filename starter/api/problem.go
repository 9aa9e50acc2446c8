package api

import (
	_ "embed"
	"errors"
	"fmt"
	"net/http"
	"runtime/debug"

	"github.com/gin-gonic/gin"

	"github.com/framebridge/framebridge/ledger"
	"github.com/framebridge/framebridge/plan/account"
	"github.com/framebridge/framebridge/redact"
	"github.com/framebridge/framebridge/starter/control"
)

// problem is an RFC 9457 response. Field names the part of the request at fault.
type problem struct {
	Type      string `json:"type"`
	Title     string `json:"title"`
	Status    int    `json:"status"`
	Detail    string `json:"detail"`
	Field     string `json:"field,omitempty"`
	RequestID string `json:"request_id"`
}

func fail(c *gin.Context, status int, field, detail string) {
	c.Header("Content-Type", "application/problem+json")
	if status == http.StatusServiceUnavailable {
		c.Header("Retry-After", "5")
	}
	if _, read := c.Get(bodyKey); !read && c.Request.ContentLength != 0 {
		c.Header("Connection", "close") // the rest of the body is not read
	}
	became(c, detail)
	c.AbortWithStatusJSON(status, problem{
		Type: "about:blank", Title: http.StatusText(status), Status: status,
		Detail: redact.Scrub(detail), Field: field, RequestID: c.GetString(requestIDKey),
	})
}

// failWith responds to an error from the service.
func (s *Server) failWith(c *gin.Context, err error, field string) {
	var no *control.Refusal
	var missing *control.Missing
	var wrong *control.FieldError
	var asked *account.FieldError
	switch {
	case errors.As(err, &wrong):
		fail(c, http.StatusUnprocessableEntity, wrong.Field, wrong.Problem)
		return
	case errors.As(err, &asked):
		fail(c, http.StatusUnprocessableEntity, asked.Field, asked.Error())
		return
	case errors.As(err, &missing):
		fail(c, http.StatusNotFound, field, missing.Why)
		return
	case errors.As(err, &no):
		fail(c, http.StatusUnprocessableEntity, field, no.Why)
		return
	}
	s.Log.ErrorContext(c, "request failed", "request_id", c.GetString(requestIDKey), "error", err)
	if errors.Is(err, control.ErrUnavailable) || errors.Is(err, ledger.ErrUnavailable) {
		fail(c, http.StatusServiceUnavailable, "", control.ErrUnavailable.Error())
		return
	}
	fail(c, http.StatusInternalServerError, "", "internal error; the log has the details under this request ID")
}

// recovered turns a panic into a response. If one has begun, it aborts it so that it does not look complete.
func (s *Server) recovered(c *gin.Context) {
	defer func() {
		switch v := recover(); {
		case v == nil:
		case v == http.ErrAbortHandler: //nolint:errorlint // as net/http does
			panic(v)
		default:
			s.Log.ErrorContext(c, "panic", "request_id", c.GetString(requestIDKey), "panic", fmt.Sprint(v), "stack", string(debug.Stack()))
			if c.Writer.Written() {
				panic(http.ErrAbortHandler)
			}
			fail(c, http.StatusInternalServerError, "", "internal error; the log has the details under this request ID")
		}
	}()
	c.Next()
}
