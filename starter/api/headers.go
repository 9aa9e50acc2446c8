package api

import (
	"context"
	"crypto/rand"
	_ "embed"
	"encoding/hex"
	"net/http"
	"strings"
	"time"

	"github.com/gin-gonic/gin"
)

// securityHeaders sets headers for browsers. Handlers of pages set their own policy.
func (s *Server) securityHeaders(c *gin.Context) {
	for _, h := range [][2]string{
		{"X-Content-Type-Options", "nosniff"},
		{"X-Frame-Options", "DENY"},
		{"Referrer-Policy", "no-referrer"},
		{"Cross-Origin-Resource-Policy", "same-origin"},
		{"Content-Security-Policy", "default-src 'none'; style-src 'unsafe-inline'; img-src data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"},
		{"Cache-Control", "no-store"},
	} {
		c.Header(h[0], h[1])
	}
	if strings.HasPrefix(s.Config().HTTP.PublicURL, "https://") {
		c.Header("Strict-Transport-Security", "max-age=31536000")
	}
}

// answeredWithin limits how long a response may take, including the time that the client takes to read it.
func answeredWithin(limit time.Duration) gin.HandlerFunc {
	return func(c *gin.Context) {
		_ = http.NewResponseController(c.Writer).SetWriteDeadline(time.Now().Add(limit)) // fails in tests, which have no connection
	}
}

// readableByHead answers HEAD wherever GET is allowed. net/http leaves out the body.
func readableByHead(h http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodHead {
			r = r.Clone(r.Context())
			r.Method = http.MethodGet
		}
		h.ServeHTTP(w, r)
	})
}

// sendLimit is the time for a response whose handler has a limit. A client that takes too long to send its request gets an answer, too.
func sendLimit(limit time.Duration) time.Duration { return max(limit, requestTimeLimit) + slowReader }

// within limits what a handler may wait for. A client that hangs up does not interrupt what it has requested.
func within(limit time.Duration) gin.HandlerFunc {
	timely := answeredWithin(sendLimit(limit))
	return func(c *gin.Context) {
		timely(c)
		ctx, cancel := context.WithTimeout(context.WithoutCancel(c.Request.Context()), limit)
		defer cancel()
		c.Request = c.Request.WithContext(ctx)
		c.Next()
	}
}

// identify gives each request an ID: the caller's, if it has a plain one.
func (s *Server) identify(c *gin.Context) {
	id := c.GetHeader("X-Request-Id")
	if len(id) < 8 || len(id) > 64 || strings.IndexFunc(id, func(r rune) bool {
		return (r < 'a' || r > 'z') && (r < 'A' || r > 'Z') && (r < '0' || r > '9') && r != '-' && r != '_'
	}) >= 0 {
		var b [12]byte
		_, _ = rand.Read(b[:])
		id = hex.EncodeToString(b[:])
	}
	c.Set(requestIDKey, id)
	c.Header("X-Request-Id", id)
}
