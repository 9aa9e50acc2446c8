package telemetry

import (
	"context"
	"strings"

	"go.opentelemetry.io/otel/attribute"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
)

// ours is the prefix of the names of Framebridge's own tracers. Their error descriptions are constant words from the code.
const ours = "github.com/framebridge/"

// told are the prefixes of attributes that may be exported: IDs and words from the code.
var told = []string{"framebridge.", "http.response.status_code", "http.route", "error.type", "temporalWorkflowID", "temporalRunID", "temporalActivityID"}

// discreet keeps names out of traces: Temporal's spans contain error texts, and those contain file names.
type discreet struct{ sdktrace.SpanExporter }

func (d discreet) ExportSpans(ctx context.Context, spans []sdktrace.ReadOnlySpan) error {
	out := make([]sdktrace.ReadOnlySpan, len(spans))
	for i, s := range spans {
		out[i] = span{s}
	}
	return d.SpanExporter.ExportSpans(ctx, out)
}

type span struct{ sdktrace.ReadOnlySpan }

// Status drops descriptions that are not Framebridge's own.
func (s span) Status() sdktrace.Status {
	status := s.ReadOnlySpan.Status()
	if !strings.HasPrefix(s.InstrumentationScope().Name, ours) {
		status.Description = ""
	}
	return status
}

// Events returns nil, because events are error texts.
func (s span) Events() []sdktrace.Event { return nil }

// Attributes returns only the attributes that may be exported.
func (s span) Attributes() []attribute.KeyValue {
	var out []attribute.KeyValue
	for _, a := range s.ReadOnlySpan.Attributes() {
		for _, key := range told {
			if strings.HasPrefix(string(a.Key), key) {
				out = append(out, a)
				break
			}
		}
	}
	return out
}
