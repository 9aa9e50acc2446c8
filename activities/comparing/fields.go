package comparing

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/framebridge/framebridge/ledger"
	"github.com/framebridge/framebridge/proof"
)

// Field is a metadata field with the values that it should have.
type Field struct {
	View              string // by ID
	Name, Label, Type string // Type is iconik's
	Values            []string
	// OfFrameio means that Frame.io fills it in itself and may change it at any time. Only what people change in iconik counts
	// as a difference.
	OfFrameio bool
}

// property returns the field's name in a proof. It is short because it is stored with every file.
func (f Field) property() string {
	if id, ok := strings.CutPrefix(f.Name, "frameio_"); ok {
		return proof.Field(id[:min(len(id), 12)])
	}
	return proof.Field(strings.TrimPrefix(f.Name, "framebridge_"))
}

// FieldsOf describes fields, with the values they should have or, if found is set, the values they have.
func FieldsOf(fields []Field, found func(name string) []string) proof.Object {
	out := make(proof.Object, len(fields))
	for i, f := range fields {
		values := f.Values
		if found != nil {
			values = found(f.Name)
		}
		out[i] = proof.Property{Name: f.property(), Value: canonical(f.Type, values)}
	}
	return out
}

// In returns a function that looks up fields.
func In(values map[string][]string) func(name string) []string {
	return func(name string) []string { return values[name] }
}

// Answered describes fields as iconik has them after they were written: as in its response, otherwise as before, or as sent if
// before is nil.
func Answered(fields []Field, answered, before map[string][]string) proof.Object {
	out := make(proof.Object, len(fields))
	for i, f := range fields {
		values, ok := answered[f.Name]
		switch {
		case ok:
		case before != nil:
			values = before[f.Name]
		default:
			values = f.Values
		}
		out[i] = proof.Property{Name: f.property(), Value: canonical(f.Type, values)}
	}
	return out
}

// Values returns fields in the form that iconik wants.
func Values(fields []Field) map[string][]string {
	out := make(map[string][]string, len(fields))
	for _, f := range fields {
		out[f.Name] = slices.DeleteFunc(slices.Clone(f.Values), func(v string) bool { return v == "" })
		if out[f.Name] == nil {
			out[f.Name] = []string{}
		}
	}
	return out
}

// Properties returns the properties of the named fields.
func Properties(fields []Field, names []string) []string {
	var out []string
	for _, f := range fields {
		if slices.Contains(names, f.Name) {
			out = append(out, f.property())
		}
	}
	return out
}

// SaidSince returns what people have entered for an older version in Frame.io since its fields were last written.
func SaidSince(fields []Field, found func(name string) []string, before proof.Written) (out []proof.Difference) {
	for _, f := range fields {
		said := strings.HasPrefix(f.Name, "frameio_") || f.Name == "framebridge_status" || f.Name == "framebridge_description" || f.Name == "framebridge_rating"
		now, is := canonical(f.Type, f.Values), canonical(f.Type, found(f.Name))
		if said && !f.OfFrameio && now != is && before.Is(f.property(), is) && !slices.Contains(before.Wrong, f.property()) {
			out = append(out, proof.Difference{Kind: proof.Differ, Property: f.property(), Frameio: now, Iconik: is})
		}
	}
	return out
}

// Only returns the fields with the given properties.
func Only(fields []Field, properties []string) []Field {
	return slices.DeleteFunc(slices.Clone(fields), func(f Field) bool { return !slices.Contains(properties, f.property()) })
}

// CompareFields compares fields with what iconik has. changed means that Frame.io's side is no longer what was last written.
func CompareFields(fields []Field, found func(name string) []string, before proof.Written, changed bool) []proof.Difference {
	if !before.Fields { // written by an older release that did not record this
		fields = slices.DeleteFunc(slices.Clone(fields), func(f Field) bool { return f.OfFrameio })
	}
	return proof.Compare(FieldsOf(fields, nil), FieldsOf(fields, found), before, changed)
}

// FieldDifferences converts the differences of an object's fields for the ledger.
func FieldDifferences(fields []Field, found []proof.Difference) []ledger.Difference {
	var out []ledger.Difference
	for _, d := range Differences("", found) {
		if at := slices.IndexFunc(fields, func(f Field) bool { return f.property() == d.Property }); at >= 0 {
			d.Property, d.Name = "field", fields[at].Label
		}
		out = append(out, d)
	}
	return out
}

// Views returns the views that the fields belong to.
func Views(fields []Field) []string {
	var out []string
	for _, f := range fields {
		if !slices.Contains(out, f.View) {
			out = append(out, f.View)
		}
	}
	return out
}

// Indexed returns a field's values as iconik's index shows them, as one value or a list.
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

// IndexShows reports whether iconik's index has the fields as they should be. If it does not, that means nothing: the index lags.
func IndexShows(fields []Field, metadata any) bool {
	flat, ok := metadata.(map[string]any)
	return ok && len(flat) > 0 && !slices.ContainsFunc(fields, func(f Field) bool {
		return canonical(f.Type, f.Values) != canonical(f.Type, Indexed(flat, f.Name))
	})
}

// canonical returns the same text for values that mean the same.
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

// moment returns a time in UTC, truncated to the second. iconik omits the zone from its own times.
func moment(text string) string {
	for _, layout := range []string{time.RFC3339Nano, "2006-01-02T15:04:05.999999999"} {
		if at, err := time.Parse(layout, text); err == nil {
			return at.UTC().Truncate(time.Second).Format(time.RFC3339)
		}
	}
	return text
}
