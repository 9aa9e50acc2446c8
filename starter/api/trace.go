package api

import (
	"net/http"

	"github.com/gin-gonic/gin"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/trace"
)

const tracerName = "github.com/framebridge/framebridge/starter/api"

// isProbe reports whether a route is called constantly by monitoring.
func isProbe(route string) bool {
	return route == "/healthz" || route == "/readyz" || route == "/metrics"
}

// trace starts a request's span, named by its route because a URL can contain a key. Callers are strangers, so
// their traces are not continued.
func (s *Server) trace(c *gin.Context, route string) (end func()) {
	if isProbe(route) {
		return func() {}
	}
	name := "no route"
	if route != "" { // then its method is one of ours
		name = c.Request.Method + " " + route
	}
	ctx, span := s.Tracers.Tracer(tracerName).Start(c.Request.Context(), name, trace.WithNewRoot(), trace.WithSpanKind(trace.SpanKindServer),
		trace.WithAttributes(attribute.String("http.route", route)))
	c.Request = c.Request.WithContext(ctx)
	return func() {
		status := c.Writer.Status()
		span.SetAttributes(attribute.Int("http.response.status_code", status))
		if id := c.GetString("workflow_id"); id != "" {
			span.SetAttributes(attribute.String("framebridge.workflow_id", id))
		}
		if status >= http.StatusInternalServerError {
			span.SetStatus(codes.Error, http.StatusText(status))
		}
		span.End()
	}
}
