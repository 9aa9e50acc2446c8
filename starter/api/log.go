package api

import (
	_ "embed"
	"fmt"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/gin-gonic/gin"

	"github.com/framebridge/framebridge/redact"
)

const (
	longPath, longSegment = 200, 64 // characters of a path that are logged
)

// loggedPath is a path as logs show it: short, and without what may be a secret. A signed link is one.
func loggedPath(path string) string {
	segments := strings.Split(path, "/")
	for i, segment := range segments {
		switch {
		case i == 2 && segments[1] == "l" && segment != "":
			segments = append(segments[:2], redact.Hidden)
			return strings.Join(segments, "/")
		case len(segment) > longSegment:
			segments[i] = fmt.Sprintf("%s…(%d)", cut(segment, 8), len(segment))
		}
	}
	path = redact.Scrub(strings.Join(segments, "/"))
	if len(path) > longPath {
		path = cut(path, longPath) + "…"
	}
	return path
}

// cut shortens a text to as many bytes or a few less, in whole characters.
func cut(text string, n int) string {
	for n > 0 && !utf8.RuneStart(text[n]) {
		n--
	}
	return text[:n]
}

// observe logs and counts. Queries are left out: they can hold a control key.
func (s *Server) observe(c *gin.Context) {
	begun, route := time.Now(), c.FullPath()
	ended := s.trace(c, route)
	defer func() {
		ended()
		s.counts.answers.WithLabelValues(route, strconv.Itoa(c.Writer.Status())).Inc()
		s.counts.seconds.WithLabelValues(route).Observe(time.Since(begun).Seconds())
		level := s.Log.InfoContext
		if isProbe(route) {
			level = s.Log.DebugContext
		}
		level(c, "answered", "request_id", c.GetString(requestIDKey), "method", c.Request.Method, "path", loggedPath(c.Request.URL.Path),
			"status", c.Writer.Status(), "ms", time.Since(begun).Milliseconds(), "workflow_id", c.GetString("workflow_id"))
	}()
	c.Next()
}
