package comparing

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/framebridge/framebridge/ledger"
)

// Field is a metadata field with the values it should have.
type Field struct {
	View              string // by its id
	Name, Label, Type string // Type is iconik's
	Values            []string
}

// Fields compares fields with what iconik has of them.
func Fields(want []Field, found func(name string) []string) []ledger.Difference {
	var out []ledger.Difference
	for _, f := range want {
		now, is := canonical(f.Type, f.Values), canonical(f.Type, found(f.Name))
		if now != is {
			out = append(out, ledger.Difference{Kind: ledger.DifferenceChanged, Property: "field", Name: f.Label, Frameio: now, Iconik: is})
		}
	}
	return out
}

// Views are those that fields stand in.
func Views(fields []Field) []string {
	var out []string
	for _, f := range fields {
		if !slices.Contains(out, f.View) {
			out = append(out, f.View)
		}
	}
	return out
}

// Indexed are a field's values as iconik's index shows them: one, or a list.
func Indexed(metadata map[string]any, name string) []string {
	switch v := metadata[name].(type) {
	case nil:
		return nil
	case []any:
		out := make([]string, len(v))
		for i, one := range v {
			out[i] = scalar(one)
		}
		return out
	default:
		return []string{scalar(v)}
	}
}

func scalar(v any) string {
	if n, ok := v.(float64); ok {
		return strconv.FormatFloat(n, 'f', -1, 64)
	}
	return fmt.Sprint(v)
}

// canonical gives values that mean the same the same words.
func canonical(kind string, values []string) string {
	out := make([]string, len(values))
	for i, v := range values {
		out[i] = strings.TrimSpace(strings.ReplaceAll(v, "\r\n", "\n"))
		switch kind {
		case "integer", "float":
			if n, err := strconv.ParseFloat(out[i], 64); err == nil {
				out[i] = strconv.FormatFloat(n, 'f', -1, 64)
			}
		case "boolean":
			out[i] = strings.ToLower(out[i])
		case "datetime":
			out[i] = moment(out[i])
		case "date":
			out[i], _, _ = strings.Cut(out[i], "T")
		}
	}
	out = slices.DeleteFunc(out, func(v string) bool { return v == "" })
	slices.Sort(out)
	return strings.Join(out, ", ")
}

// moment is a time to the second, in UTC; iconik leaves the zone out of its own.
func moment(text string) string {
	for _, layout := range []string{time.RFC3339Nano, "2006-01-02T15:04:05.999999999"} {
		if at, err := time.Parse(layout, text); err == nil {
			return at.UTC().Truncate(time.Second).Format(time.RFC3339)
		}
	}
	return text
}
