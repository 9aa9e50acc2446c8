// Package proof compares an object as Frame.io has it with the same object in iconik, property by property, and says who
// made the difference: Frame.io since the copy, iconik when it was written, or somebody in iconik. It reads nothing by itself.
package proof

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"slices"
	"strings"
)

// Property is one property of an object, in words that are the same where the property is.
type Property struct{ Name, Value string }

// Object is what one side shows of an object. Both sides name its properties in one order.
type Object []Property

// Value is a property's.
func (o Object) Value(name string) string {
	at := slices.IndexFunc(o, func(p Property) bool { return p.Name == name })
	if at < 0 {
		return ""
	}
	return o[at].Value
}

// Kind says where a difference comes from.
type Kind string

// Kinds of differences.
const (
	Source  Kind = "source"  // Frame.io has changed since the copy: the next round brings it over
	Differ  Kind = "differ"  // iconik did not keep what was written
	Changed Kind = "changed" // it was changed in iconik
)

// Difference is a property with both values.
type Difference struct {
	Kind            Kind
	Property        string
	Frameio, Iconik string
}

// Written is what iconik had of an object when it was last written, as fingerprints. The zero value is of one that was written
// before this was remembered.
type Written struct {
	Kept  map[string]string `json:"kept,omitempty"`
	Wrong []string          `json:"wrong,omitempty"` // properties that iconik did not keep as they were sent
	// Fields says that fields were written, too: those that have no fingerprint were empty.
	Fields bool `json:"fields,omitempty"`
}

const field = "field "

// Field is the name of a property that is a metadata field.
func Field(name string) string { return field + name }

// IsField says that a property is a metadata field.
func IsField(property string) bool { return strings.HasPrefix(property, field) }

// HasFields says that fields were written that were not all empty.
func (w Written) HasFields() bool {
	for p := range w.Kept {
		if IsField(p) {
			return true
		}
	}
	return false
}

// Write remembers what was sent, and what iconik has answered to have.
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

// Accept remembers what iconik has as right, whatever Frame.io says now.
func Accept(found Object) Written { return Write(found, found) }

// Keeping is what was written, but for properties that were left as they are: of those, what was written before.
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

// ReadWritten reads what String wrote; anything else is the zero value.
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

// With adds a property as it was written before.
func (w Written) With(before Written, property string) Written {
	if before.known(property) {
		w.Kept[property] = before.Kept[property]
	}
	return w
}

// Is says that a property had a value when it was written.
func (w Written) Is(property, value string) bool {
	kept := w.Kept[property]
	return kept != "" && kept == fingerprint(value) || kept == "" && value == "" && w.known(property)
}

// Left says that a property was not changed in iconik since it was written, as far as is known.
func (w Written) Left(found Object, property string) bool {
	return !w.known(property) || w.Is(property, found.Value(property))
}

// Compare names what is otherwise in iconik than in Frame.io. changed says that Frame.io's side is not what was last written.
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
			continue // taken over as it was, such as an author whom Frame.io no longer tells
		}
		out = append(out, d)
	}
	return out
}

func fingerprint(value string) string {
	sum := sha256.Sum256([]byte(value))
	return hex.EncodeToString(sum[:6])
}
