package main

import (
	"errors"
	"net/http"

	"github.com/gin-gonic/gin"

	"github.com/framebridge/framebridge/redact"
)

// problem is an RFC 9457 answer; Field names what is at fault in the request.
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
		c.Header("Connection", "close") // what is left of the body is not read
	}
	c.AbortWithStatusJSON(status, problem{
		Type: "about:blank", Title: http.StatusText(status), Status: status,
		Detail: redact.Scrub(detail), Field: field, RequestID: c.GetString(requestIDKey),
	})
}

// failWith answers an error of the service.
func (s *service) failWith(c *gin.Context, err error, field string) {
	var no *refusal
	if errors.As(err, &no) {
		fail(c, http.StatusUnprocessableEntity, field, no.why)
		return
	}
	s.log.ErrorContext(c, "request failed", "request_id", c.GetString(requestIDKey), "error", err)
	if errors.Is(err, errUnavailable) {
		fail(c, http.StatusServiceUnavailable, "", errUnavailable.Error())
		return
	}
	fail(c, http.StatusInternalServerError, "", "internal error; the log has the details under this request ID")
}
