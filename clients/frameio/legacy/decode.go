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

// number is a JSON number, a numeric string, a fraction such as "24000/1001", or null.
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
	over, under, _ := strings.Cut(text, "/")
	v, err := strconv.ParseFloat(strings.TrimSpace(over), 64)
	if under != "" && err == nil {
		var by float64
		by, err = strconv.ParseFloat(strings.TrimSpace(under), 64)
		v /= by
	}
	if err == nil && !math.IsNaN(v) && !math.IsInf(v, 0) {
		*n = number{v, true}
	}
	return nil
}

// whole returns the number as a count. A value that is negative or beyond any file or film is logged and clamped.
func (n number) whole() int64 { return untrusted.Whole("a number of Frame.io", n.value, mostWhole) }

const mostWhole = 1 << 50 // a petabyte in bytes, or more frames than all films have

// text is a JSON string, or a number as it is written. Null and anything else become "".
type text string

func (t *text) UnmarshalJSON(raw []byte) error {
	var s string
	var n json.Number
	if json.Unmarshal(raw, &s) == nil {
		*t = text(s)
	} else if json.Unmarshal(raw, &n) == nil {
		*t = text(n)
	}
	return nil
}

// flag is a JSON boolean, "true", 1, or null. A nil *flag means that the response does not say.
type flag bool

func (f *flag) UnmarshalJSON(raw []byte) error {
	switch strings.Trim(string(raw), `"`) {
	case "true", "1":
		*f = true
	default:
		*f = false
	}
	return nil
}

// isNo reports whether the response says false.
func isNo(f *flag) bool { return f != nil && !bool(*f) }

// instant is an ISO 8601 time, or null.
type instant struct {
	time.Time
	given bool // the response has the member, null or not
	said  bool // it is not null: the event has happened, even if its time cannot be parsed
}

var instantForms = []string{time.RFC3339Nano, "2006-01-02T15:04:05.999999999", "2006-01-02T15:04:05.999999999Z0700", "2006-01-02 15:04:05.999999999Z07:00", "2006-01-02 15:04:05.999999999", "2006-01-02"}

func (i *instant) UnmarshalJSON(raw []byte) error {
	*i = instant{given: true}
	var s *string
	if err := json.Unmarshal(raw, &s); err == nil && (s == nil || *s == "") || string(raw) == "false" {
		return nil
	}
	if i.said = true; s == nil {
		return nil
	}
	for _, layout := range instantForms {
		if t, err := time.Parse(layout, *s); err == nil {
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
	if json.Unmarshal(raw, &v) == nil { // an odd object in one row must not cost the page
		t.value = &v
	}
	return nil
}

// list holds the rows of an array that can be decoded. It is nil if there is no array.
type list[T any] []T

func (l *list[T]) UnmarshalJSON(raw []byte) error {
	*l = nil
	var rows []json.RawMessage
	if json.Unmarshal(raw, &rows) != nil || rows == nil {
		return nil //nolint:nilerr // what is no array has no rows
	}
	*l = make([]T, 0, len(rows))
	for _, row := range rows {
		var v T
		if json.Unmarshal(row, &v) == nil && !bytes.Equal(row, []byte("null")) {
			*l = append(*l, v)
		}
	}
	return nil
}
