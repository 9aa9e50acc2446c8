package legacy

import (
	"bytes"
	"encoding/json"
	"math"
	"strconv"
	"strings"
	"time"

	"github.com/framebridge/framebridge/untrusted"
)

// The legacy API sends numbers as numbers or as strings, and null for whatever is unset.

// number is a JSON number, a numeric string, or null.
type number struct {
	value float64
	set   bool
}

func (n *number) UnmarshalJSON(raw []byte) error {
	*n = number{}
	text := strings.Trim(string(raw), `"`)
	if text == "null" || text == "" {
		return nil
	}
	if v, err := strconv.ParseFloat(text, 64); err == nil && !math.IsNaN(v) && !math.IsInf(v, 0) {
		*n = number{v, true}
	}
	return nil
}

// whole returns the number as a count. A value that is negative or beyond any file or film is logged and clamped.
func (n number) whole() int64 { return untrusted.Whole("a number of Frame.io", n.value, mostWhole) }

const mostWhole = 1 << 50 // a petabyte in bytes, or more frames than all films have

// text is a JSON string, or null, or something else that is taken for nothing.
type text string

func (t *text) UnmarshalJSON(raw []byte) error {
	var s string
	if json.Unmarshal(raw, &s) == nil {
		*t = text(s)
	}
	return nil
}

// flag is a JSON boolean, "true", or null.
type flag bool

func (f *flag) UnmarshalJSON(raw []byte) error {
	*f = flag(strings.Trim(string(raw), `"`) == "true")
	return nil
}

// instant is an ISO 8601 time, or null.
type instant struct{ time.Time }

func (i *instant) UnmarshalJSON(raw []byte) error {
	i.Time = time.Time{}
	var s string
	if json.Unmarshal(raw, &s) != nil || s == "" {
		return nil //nolint:nilerr // what is no time is no time
	}
	for _, layout := range []string{time.RFC3339Nano, "2006-01-02T15:04:05.999999999", "2006-01-02"} {
		if t, err := time.Parse(layout, s); err == nil {
			i.Time = t.UTC()
			return nil
		}
	}
	return nil
}

// tolerant is an object that may be null or, in some responses, something else.
type tolerant[T any] struct {
	value *T
}

func (t *tolerant[T]) UnmarshalJSON(raw []byte) error {
	t.value = nil
	if !bytes.HasPrefix(bytes.TrimSpace(raw), []byte("{")) {
		return nil
	}
	var v T
	if err := json.Unmarshal(raw, &v); err != nil {
		return err
	}
	t.value = &v
	return nil
}
