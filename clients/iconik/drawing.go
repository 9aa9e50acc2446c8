package iconik

import (
	"bytes"
	"encoding/json"
)

// Drawing is what was drawn over a frame. One in a form that Framebridge does not know fails no listing of comments: it decodes as one
// unreadable Primitive.
type Drawing struct {
	Primitives []Primitive `json:"primitives"`
}

// Primitive is one shape. Type is LINE, RECTANGLE, ARROW, ELLIPSE, PENCIL or TEXT, or begins with "UNREADABLE " where the shape could not
// be decoded. An unreadable one is encoded as it was read.
type Primitive struct {
	Type    string   `json:"type"`
	Color   string   `json:"color,omitempty"`
	Points  []Point  `json:"points"`
	Text    string   `json:"text,omitempty"`
	Width   *float64 `json:"width,omitempty"`
	Opacity *float64 `json:"opacity,omitempty"`

	raw json.RawMessage // of an unreadable one
}

// Point is a position in the tenant's drawing frame.
type Point struct {
	X float64 `json:"x"`
	Y float64 `json:"y"`
}

const unreadable = "UNREADABLE "

// UnmarshalJSON returns no error.
func (d *Drawing) UnmarshalJSON(raw []byte) error {
	type plain Drawing
	var is plain
	if err := json.Unmarshal(raw, &is); err != nil {
		is.Primitives = []Primitive{{Type: unreadable + "DRAWING", raw: bytes.Clone(raw)}}
	}
	*d = Drawing(is)
	return nil
}

// UnmarshalJSON returns no error.
func (p *Primitive) UnmarshalJSON(raw []byte) error {
	type plain Primitive
	var is plain
	err := json.Unmarshal(raw, &is)
	if err == nil && is.Type != "" {
		*p = Primitive(is)
		return nil
	}
	*p = Primitive{Type: unreadable + "SHAPE", raw: bytes.Clone(raw)}
	if kind := is.Type; kind != "" {
		p.Type = unreadable + kind
	}
	return nil
}

// MarshalJSON writes an unreadable shape as it was read.
func (p Primitive) MarshalJSON() ([]byte, error) {
	if p.raw != nil {
		return p.raw, nil
	}
	type plain Primitive
	return json.Marshal(plain(p))
}
