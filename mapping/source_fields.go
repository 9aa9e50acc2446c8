package mapping

import (
	"encoding/json"
	"slices"
	"strconv"
	"strings"
	"time"
)

// FieldsView is iconik's metadata view of Frame.io's own fields and the account's.
const FieldsView = "Frame.io fields"

// FieldsJSON is the field that holds all fields of an object as Frame.io sent them. It distinguishes empty fields from those
// never filled in.
const FieldsJSON = "framebridge_fields"

// SourceField is a metadata field of Frame.io with its value, as package frameio returns it.
type SourceField struct {
	ID         string          `json:"id"`
	Name       string          `json:"name"`
	Type       string          `json:"type"`
	BuiltIn    bool            `json:"built_in,omitempty"`
	State      string          `json:"state,omitempty"` // filled, empty or null
	Values     []string        `json:"values,omitempty"`
	Options    []string        `json:"options,omitempty"`
	Unresolved []string        `json:"unresolved,omitempty"`
	Source     json.RawMessage `json:"source,omitempty"`
}

// TargetField is an iconik field that receives a Frame.io field.
type TargetField struct {
	Name    string
	Label   string
	Type    string // iconik's field_type
	Multi   bool
	Options []string
}

// IconikName returns the name of the iconik field for the field's definition.
func (f SourceField) IconikName() string {
	return "frameio_" + strings.ReplaceAll(f.ID, "-", "")
}

// Target returns the field that iconik should have for a field of Frame.io.
func (f SourceField) Target() TargetField {
	t := TargetField{Name: f.IconikName(), Label: f.Name, Type: "string", Options: f.Options}
	switch f.Type {
	case "long_text":
		t.Type = "text"
	case "select", "select_multi":
		t.Type = "drop_down"
		for _, v := range f.Values { // an option may have been removed from the definition
			if !slices.Contains(t.Options, v) {
				t.Options = append(slices.Clone(t.Options), v)
			}
		}
	case "number":
		t.Type = "float"
	case "rating":
		t.Type = "integer"
	case "toggle":
		t.Type = "boolean"
	case "date":
		t.Type = "datetime"
	}
	t.Multi = f.Type == "select_multi" || f.Type == "user_multi"
	return t
}

// ValuesFor converts a value to what an iconik field accepts. ok is false if it does not fit.
func (f SourceField) ValuesFor(t TargetField) (values []string, ok bool) {
	if f.State != "filled" {
		return []string{}, true
	}
	if len(f.Values) > 1 && !t.Multi {
		switch t.Type {
		case "string", "string_exact", "text":
			return []string{strings.Join(f.Values, ", ")}, true
		}
		return nil, false
	}
	for _, v := range f.Values {
		fitted, ok := fit(v, t)
		if !ok {
			return nil, false
		}
		values = append(values, fitted)
	}
	return values, true
}

func fit(v string, t TargetField) (string, bool) {
	switch t.Type {
	case "integer":
		n, err := strconv.ParseFloat(v, 64)
		return strconv.FormatInt(int64(n), 10), err == nil && n == float64(int64(n))
	case "float":
		_, err := strconv.ParseFloat(v, 64)
		return v, err == nil
	case "boolean":
		return v, v == "true" || v == "false"
	case "datetime", "date":
		at, err := time.Parse(time.RFC3339, v)
		if err != nil {
			if at, err = time.Parse(time.DateOnly, v); err != nil {
				return "", false
			}
		}
		if t.Type == "date" {
			return at.Format(time.DateOnly), true
		}
		return at.UTC().Format(time.RFC3339), true
	case "email":
		return v, strings.Contains(v, "@")
	case "url":
		return v, strings.Contains(v, "://")
	case "drop_down":
		return v, len(t.Options) == 0 || slices.Contains(t.Options, v)
	}
	return v, true
}

// Kept returns the fields of an object that are worth keeping: those that are filled in and those that are empty.
func Kept(fields []SourceField) []SourceField {
	return slices.DeleteFunc(slices.Clone(fields), func(f SourceField) bool { return f.ID == "" || f.State != "filled" && f.State != "empty" })
}

// SourceFieldsHash returns a hash of the values that people typed or chose, or "" if there are none. Fields that Frame.io fills
// in itself do not count, because their changes alone need no work.
func SourceFieldsHash(fields []SourceField) string {
	values := map[string]string{}
	for _, f := range fields {
		if !f.BuiltIn {
			values[f.ID] = f.Name + "\x00" + f.State + "\x00" + strings.Join(f.Values, "\x00")
		}
	}
	if len(values) == 0 {
		return ""
	}
	return FieldsHash(values)
}

// SourceFieldsJSON returns the value of FieldsJSON, or "" if there are no fields.
func SourceFieldsJSON(fields []SourceField) string {
	type kept struct {
		ID      string          `json:"field_definition_id"`
		Name    string          `json:"field_definition_name"`
		Type    string          `json:"field_type"`
		Mutable bool            `json:"mutable"`
		Value   json.RawMessage `json:"value"`
	}
	if len(fields) == 0 {
		return ""
	}
	out := make([]kept, len(fields))
	for i, f := range fields {
		out[i] = kept{f.ID, f.Name, f.Type, !f.BuiltIn, f.Source}
	}
	encoded, err := json.Marshal(out)
	if err != nil {
		return ""
	}
	return string(encoded)
}
