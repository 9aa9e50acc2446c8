package v4

import (
	"encoding/json"
	"strconv"
	"strings"
	"time"

	"github.com/framebridge/framebridge/clients/frameio"
)

// field is a metadata field of an asset with its value.
type field struct {
	ID      string          `json:"field_definition_id"`
	Name    string          `json:"field_definition_name"`
	Type    string          `json:"field_type"`
	Mutable *bool           `json:"mutable"`
	Value   json.RawMessage `json:"value"`
	Options json.RawMessage `json:"field_options"`
}

type option struct {
	ID   string `json:"id"`
	Name string `json:"display_name"`
}

func (f field) options() []option {
	var out []option
	if json.Unmarshal(f.Options, &out) != nil {
		return nil
	}
	return out
}

// text returns the value in words. If it is only an option's ID, it returns that option's name.
func (f field) text() string {
	v := scalar(f.Value)
	for _, o := range f.options() {
		if o.ID == v && v != "" {
			return o.Name
		}
	}
	return v
}

// member is a person or group in a field's value.
type member struct {
	ID   string `json:"id"`
	Type string `json:"type"`
	option
}

func (f field) fieldType() frameio.FieldType {
	if f.Type == "users" { // an older name
		return frameio.FieldUserMulti
	}
	return frameio.FieldType(f.Type)
}

// countsComments reports whether this is Frame.io's own field "Comment Count", and not one with that name that an account has created.
func (f field) countsComments() bool {
	return strings.EqualFold(strings.TrimSpace(f.Name), "Comment Count") && (f.Mutable == nil || !*f.Mutable)
}

// commentCount returns the field's value, or nil if it is not a count.
func (f field) commentCount() *int {
	n, err := strconv.ParseUint(strings.TrimSpace(f.text()), 10, 31)
	if err != nil {
		return nil
	}
	count := int(n)
	return &count
}

func (f field) namesPeople() bool {
	t := f.fieldType()
	return t == frameio.FieldUserSingle || t == frameio.FieldUserMulti
}

// domain converts the value to words. who returns people's addresses by their IDs.
func (f field) domain(who *directory) frameio.FieldValue {
	d := frameio.FieldValue{ID: f.ID, Name: f.Name, Type: f.fieldType(), BuiltIn: f.Mutable != nil && !*f.Mutable, State: frameio.FieldFilled, Source: f.Value}
	for _, o := range f.options() {
		d.Options = append(d.Options, o.Name)
	}
	switch raw := strings.TrimSpace(string(f.Value)); raw {
	case "", "null":
		d.State, d.Source = frameio.FieldNull, nil
		return d
	case `""`, "[]", "{}":
		d.State = frameio.FieldEmpty
		return d
	}
	for _, raw := range elements(f.Value) {
		switch {
		case f.namesPeople():
			id, name := f.person(raw, who)
			if d.Values = append(d.Values, name); name == id {
				d.Unresolved = append(d.Unresolved, id)
			}
		case d.Type == frameio.FieldSelect || d.Type == frameio.FieldSelectMulti:
			d.Values = append(d.Values, field{Value: raw, Options: f.Options}.choice())
		case d.Type == frameio.FieldDate:
			d.Values = append(d.Values, date(scalar(raw)))
		default:
			d.Values = append(d.Values, plain(raw))
		}
	}
	return d
}

// elements returns the members of a list, or the value itself.
func elements(raw json.RawMessage) []json.RawMessage {
	var list []json.RawMessage
	if json.Unmarshal(raw, &list) == nil {
		return list
	}
	return []json.RawMessage{raw}
}

// choice returns an option's name, from the value itself or from the field's options.
func (f field) choice() string {
	var o option
	if json.Unmarshal(f.Value, &o) == nil && o.Name != "" {
		return o.Name
	}
	if o.ID != "" {
		f.Value, _ = json.Marshal(o.ID)
	}
	return f.text()
}

func (f field) person(raw json.RawMessage, who *directory) (id, name string) {
	var m member
	if json.Unmarshal(raw, &m) != nil || m.ID == "" {
		m.ID = scalar(raw)
	}
	return m.ID, who.name(m.ID)
}

// plain returns a scalar in words, and anything else as JSON.
func plain(raw json.RawMessage) string {
	var v any
	if json.Unmarshal(raw, &v) != nil {
		return string(raw)
	}
	switch v := v.(type) {
	case string:
		return v
	case bool:
		return strconv.FormatBool(v)
	case float64:
		return strconv.FormatFloat(v, 'f', -1, 64)
	}
	return string(raw)
}

// date returns a date as YYYY-MM-DD, and a date with a time as RFC 3339. It returns anything else unchanged.
func date(s string) string {
	s = strings.TrimSpace(s)
	for _, layout := range []string{time.RFC3339Nano, "2006-01-02 15:04:05.999999Z07:00", "2006-01-02T15:04:05.999999", "2006-01-02 15:04:05.999999"} {
		if t, err := time.Parse(layout, s); err == nil {
			return t.UTC().Format(time.RFC3339)
		}
	}
	return s
}
