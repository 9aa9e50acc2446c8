package rest

import (
	"context"
	"errors"
	"net/http"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/trace"
)

const tracerName = "github.com/framebridge/framebridge/clients/rest"

var classNames = map[Class]string{Permanent: "permanent", Retryable: "retryable", Throttled: "throttled", Unauthorized: "unauthorized", Forbidden: "forbidden",
	NotFound: "not_found", Unsupported: "unsupported"}

// callSpan is the span of a call: its operation and how it ended. It contains no addresses, IDs or vendor messages.
type callSpan struct{ trace.Span }

// trace starts a span below the caller's, if the caller is traced.
func (c *Client) trace(ctx context.Context, r Request) (context.Context, callSpan) {
	ctx, span := trace.SpanFromContext(ctx).TracerProvider().Tracer(tracerName).Start(ctx, c.cfg.Vendor+" "+r.Operation, trace.WithSpanKind(trace.SpanKindClient),
		trace.WithAttributes(attribute.String("framebridge.vendor", c.cfg.Vendor), attribute.String("framebridge.operation", r.Operation), attribute.String("framebridge.tenant", c.cfg.Tenant)))
	return ctx, callSpan{span}
}

func (s callSpan) end(resp *http.Response, err error) {
	if resp != nil {
		s.SetAttributes(attribute.Int("http.response.status_code", resp.StatusCode))
	}
	var e *Error
	switch {
	case errors.As(err, &e):
		s.SetAttributes(attribute.String("error.type", classNames[e.Class]))
		s.SetStatus(codes.Error, classNames[e.Class])
	case err != nil:
		s.SetStatus(codes.Error, "canceled")
	}
	s.End()
}
