// Package proof compares an object in Frame.io with the same object in iconik, property by property, and tells where a
// difference comes from: Frame.io since the copy, iconik when it was written, or somebody in iconik. It reads nothing itself.
package proof

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"slices"
	"strings"
)

// Property is one property of an object. Two properties are equal if their values are.
type Property struct{ Name, Value string }

// Object is an object as one side shows it. Both sides list its properties in the same order.
type Object []Property

// Value returns the value of a property, or "" if the object does not have it.
func (o Object) Value(name string) string {
	at := slices.IndexFunc(o, func(p Property) bool { return p.Name == name })
	if at < 0 {
		return ""
	}
	return o[at].Value
}

// Kind is where a difference comes from.
type Kind string

// Kinds of differences.
const (
	Source  Kind = "source"  // changed in Frame.io since the copy; the next round brings it over
	Differ  Kind = "differ"  // iconik did not keep what was written
	Changed Kind = "changed" // changed in iconik
)

// Difference is a property with both values.
type Difference struct {
	Kind            Kind
	Property        string
	Frameio, Iconik string
}

// Written holds fingerprints of what iconik had of an object when it was last written. The zero value stands for an object written
// before this was stored.
type Written struct {
	Kept  map[string]string `json:"kept,omitempty"`
	Wrong []string          `json:"wrong,omitempty"` // properties that iconik did not keep as they were sent
	// Fields means that fields were written too. Those that have no fingerprint were empty.
	Fields bool `json:"fields,omitempty"`
}

const field = "field "

// Field returns the property name of a metadata field.
func Field(name string) string { return field + name }

// IsField reports whether a property is a metadata field.
func IsField(property string) bool { return strings.HasPrefix(property, field) }

// HasFields reports whether any written field was not empty.
func (w Written) HasFields() bool {
	for p := range w.Kept {
		if IsField(p) {
			return true
		}
	}
	return false
}

// Write returns the record of what was sent and what iconik answered.
func Write(sent, answered Object) Written {
	w := Written{Kept: map[string]string{}}
	for _, p := range answered {
		w.Fields = w.Fields || IsField(p.Name)
		if !IsField(p.Name) || p.Value != "" {
			w.Kept[p.Name] = fingerprint(p.Value)
		}
		if sent.Value(p.Name) != p.Value {
			w.Wrong = append(w.Wrong, p.Name)
		}
	}
	return w
}

// Accept returns a record that takes what iconik has as right, whatever Frame.io says now.
func Accept(found Object) Written { return Write(found, found) }

// Keeping returns w, with the given properties, which were left as they are, recorded as they were written before.
func (w Written) Keeping(before Written, properties []string) Written {
	for _, p := range properties {
		if !before.known(p) {
			continue
		}
		if w.Kept[p] = before.Kept[p]; w.Kept[p] == "" {
			delete(w.Kept, p)
		}
		w.Wrong = slices.DeleteFunc(w.Wrong, func(wrong string) bool { return wrong == p })
		if slices.Contains(before.Wrong, p) {
			w.Wrong = append(w.Wrong, p)
		}
	}
	return w
}

// ReadWritten parses what String returned. It returns the zero value for anything else.
func ReadWritten(text string) Written {
	var w Written
	if json.Unmarshal([]byte(text), &w) != nil {
		return Written{}
	}
	return w
}

func (w Written) String() string {
	text, err := json.Marshal(w)
	if err != nil {
		return ""
	}
	return string(text)
}

func (w Written) known(property string) bool {
	return w.Kept[property] != "" || w.Fields && IsField(property)
}

// With returns w with a property added as it was written before.
func (w Written) With(before Written, property string) Written {
	if before.known(property) {
		w.Kept[property] = before.Kept[property]
	}
	return w
}

// Is reports whether a property had this value when it was written.
func (w Written) Is(property, value string) bool {
	kept := w.Kept[property]
	return kept != "" && kept == fingerprint(value) || kept == "" && value == "" && w.known(property)
}

// Left reports whether a property is unchanged in iconik since it was written, as far as is known.
func (w Written) Left(found Object, property string) bool {
	return !w.known(property) || w.Is(property, found.Value(property))
}

// Compare returns what differs between iconik and Frame.io. changed means that Frame.io's side is not what was last written.
func Compare(now, found Object, w Written, changed bool) []Difference {
	var out []Difference
	for _, p := range now {
		d := Difference{Property: p.Name, Frameio: p.Value, Iconik: found.Value(p.Name)}
		if d.Frameio == d.Iconik {
			continue
		}
		switch {
		case !w.known(p.Name) && !changed, !w.Left(found, p.Name):
			d.Kind = Changed
		case changed:
			d.Kind = Source
		case slices.Contains(w.Wrong, p.Name):
			d.Kind = Differ
		default:
			continue // kept as it was, such as an author whom Frame.io no longer names
		}
		out = append(out, d)
	}
	return out
}

func fingerprint(value string) string {
	sum := sha256.Sum256([]byte(value))
	return hex.EncodeToString(sum[:6])
}
