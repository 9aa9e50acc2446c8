package telemetry

import (
	"context"
	"strings"

	"go.opentelemetry.io/otel/attribute"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
)

// ours is the beginning of our own tracers' names: what they say of an error is a word from the code.
const ours = "github.com/framebridge/"

// told are the attributes that leave the house: ids and words from the code.
var told = []string{"framebridge.", "http.response.status_code", "http.route", "error.type", "temporalWorkflowID", "temporalRunID", "temporalActivityID"}

// discreet keeps out of traces what names something: Temporal's spans hold an error's text, in which names of files stand.
type discreet struct{ sdktrace.SpanExporter }

func (d discreet) ExportSpans(ctx context.Context, spans []sdktrace.ReadOnlySpan) error {
	out := make([]sdktrace.ReadOnlySpan, len(spans))
	for i, s := range spans {
		out[i] = span{s}
	}
	return d.SpanExporter.ExportSpans(ctx, out)
}

type span struct{ sdktrace.ReadOnlySpan }

// Status is without words that are not our own.
func (s span) Status() sdktrace.Status {
	status := s.ReadOnlySpan.Status()
	if !strings.HasPrefix(s.InstrumentationScope().Name, ours) {
		status.Description = ""
	}
	return status
}

// Events are left out: they are errors in words.
func (s span) Events() []sdktrace.Event { return nil }

// Attributes are those that may be told.
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
