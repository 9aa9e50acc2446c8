package redact

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"strings"
)

// CheckLog returns what is wrong with the flags that NewLogger takes, or nil.
func CheckLog(format, level string) error {
	var l slog.Level
	switch {
	case !strings.EqualFold(format, "json") && !strings.EqualFold(format, "text"):
		return fmt.Errorf("--log-format: %q is not text or json", format)
	case l.UnmarshalText([]byte(level)) != nil:
		return fmt.Errorf("--log-level: %q is not debug, info, warn or error", level)
	}
	return nil
}

// NewLogger returns a logger that writes "json" or "text", from level "debug", "info", "warn" or "error" up. Everything it logs
// is scrubbed.
func NewLogger(w io.Writer, format, level string) *slog.Logger {
	var l slog.Level
	if err := l.UnmarshalText([]byte(level)); err != nil {
		l = slog.LevelInfo
	}
	o := &slog.HandlerOptions{Level: l, ReplaceAttr: scrubAttr}
	w = scrubWriter{w}
	if strings.EqualFold(format, "json") {
		return slog.New(scrubHandler{slog.NewJSONHandler(w, o)})
	}
	return slog.New(scrubHandler{slog.NewTextHandler(w, o)})
}

func scrubAttr(_ []string, a slog.Attr) slog.Attr {
	switch v := a.Value.Resolve(); v.Kind() {
	case slog.KindString:
		a.Value = slog.StringValue(Scrub(v.String()))
	case slog.KindAny:
		if err, ok := v.Any().(error); ok {
			a.Value = slog.StringValue(Scrub(err.Error()))
		}
	}
	return a
}

// scrubWriter hides known secrets in values that are neither text nor errors, such as lists and structs. It relies on loggers
// writing each record with one call.
type scrubWriter struct{ io.Writer }

func (w scrubWriter) Write(p []byte) (int, error) {
	if _, err := io.WriteString(w.Writer, hideKnown(string(p))); err != nil {
		return 0, err
	}
	return len(p), nil
}

// scrubHandler scrubs the message. ReplaceAttr scrubs the attributes.
type scrubHandler struct{ slog.Handler }

func (h scrubHandler) Handle(ctx context.Context, r slog.Record) error {
	clean := slog.NewRecord(r.Time, r.Level, Scrub(r.Message), r.PC)
	r.Attrs(func(a slog.Attr) bool { clean.AddAttrs(a); return true })
	return h.Handler.Handle(ctx, clean)
}

func (h scrubHandler) WithAttrs(attrs []slog.Attr) slog.Handler {
	return scrubHandler{h.Handler.WithAttrs(attrs)}
}
func (h scrubHandler) WithGroup(name string) slog.Handler {
	return scrubHandler{h.Handler.WithGroup(name)}
}
