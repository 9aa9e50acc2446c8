package api

import (
	_ "embed"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/gin-gonic/gin"

	"github.com/framebridge/framebridge/english"
	"github.com/framebridge/framebridge/redact"
)

const (
	longPath, longSegment = 200, 64 // most bytes of a path, and of its segments, in the log
)

// loggedPath returns a path as logs show it: short, and without secrets. A signed link is one.
func loggedPath(path string) string {
	segments := strings.Split(path, "/")
	for i, segment := range segments {
		switch {
		case i == 2 && segments[1] == "l" && segment != "":
			segments = append(segments[:2], redact.Hidden)
			return strings.Join(segments, "/")
		case len(segment) > longSegment:
			segments[i] = fmt.Sprintf("%s…(%d)", english.CutBytes(segment, 8), len(segment))
		}
	}
	path = redact.Scrub(strings.Join(segments, "/"))
	if len(path) > longPath {
		path = english.CutBytes(path, longPath) + "…"
	}
	return path
}

// observe logs and counts requests. It omits queries because they can contain a control key.
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
