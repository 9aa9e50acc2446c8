package ledger

import (
	"encoding/json"
	"fmt"
	"reflect"
	"strings"
	"sync"
	"time"
)

// document is a row as JSON. Its names are the json tags of the row's type and never change.
type document string

// newer is what a newer version has stored with a row: kept when this version writes the row back.
type newer struct {
	members document // a JSON object, or empty
}

func (n *newer) kept() *newer { return n }

// rowOf is satisfied by a pointer to any type that embeds newer.
type rowOf[T any] interface {
	*T
	kept() *newer
}

// decode reads a row. Members that its type does not know, nested ones included, stay with it. Inside lists they are lost.
func decode[T any, P rowOf[T]](data document) (T, error) {
	var v T
	strict := json.NewDecoder(strings.NewReader(string(data)))
	strict.DisallowUnknownFields()
	if strict.Decode(&v) == nil {
		return v, nil
	}
	v = *new(T)
	if err := json.Unmarshal([]byte(data), &v); err != nil {
		return v, fmt.Errorf("a row of the ledger is damaged: %w", err)
	}
	rest, err := json.Marshal(unknown(reflect.TypeFor[T](), []byte(data)))
	if err != nil {
		return v, err
	}
	P(&v).kept().members = document(rest)
	return v, nil
}

// encode writes a row, with what decode kept of it.
func encode[T any, P rowOf[T]](v T) (document, error) {
	raw, err := json.Marshal(v)
	if err != nil {
		return "", err
	}
	kept := P(&v).kept().members
	if kept == "" {
		return document(raw), nil
	}
	merged, err := json.Marshal(merge(raw, []byte(kept)))
	return document(merged), err
}

// keepFrom lets a row that was put together by hand keep what is stored beside it.
func keepFrom[T any, P rowOf[T]](v *T, stored T) { P(v).kept().members = P(&stored).kept().members }

// unknown returns the members of an object that a struct has no field for.
func unknown(t reflect.Type, object []byte) map[string]json.RawMessage {
	var members map[string]json.RawMessage
	if json.Unmarshal(object, &members) != nil {
		return nil
	}
	rest := map[string]json.RawMessage{}
	fields := fieldsOf(t)
	for name, value := range members {
		field, known := fields[strings.ToLower(name)]
		switch {
		case !known:
			rest[name] = value
		case field.Kind() == reflect.Struct:
			if nested := unknown(field, value); len(nested) > 0 {
				rest[name], _ = json.Marshal(nested)
			}
		}
	}
	return rest
}

// merge adds to an object what it lacks of another.
func merge(object, more json.RawMessage) json.RawMessage {
	var to, from map[string]json.RawMessage
	if json.Unmarshal(object, &to) != nil || json.Unmarshal(more, &from) != nil || to == nil {
		return object
	}
	for name, value := range from {
		if have, ok := to[name]; ok {
			value = merge(have, value)
		}
		to[name] = value
	}
	merged, err := json.Marshal(to)
	if err != nil {
		return object
	}
	return merged
}

var fieldsCache sync.Map // of map[string]reflect.Type by reflect.Type

// fieldsOf returns a struct's fields by lower-case JSON name: encoding/json compares names without case. Those that hold
// an object have the struct's type.
func fieldsOf(t reflect.Type) map[string]reflect.Type {
	if have, ok := fieldsCache.Load(t); ok {
		return have.(map[string]reflect.Type)
	}
	fields := map[string]reflect.Type{}
	for _, f := range reflect.VisibleFields(t) {
		name, _, _ := strings.Cut(f.Tag.Get("json"), ",")
		if !f.IsExported() || f.Anonymous || name == "-" {
			continue
		}
		if name == "" {
			name = f.Name
		}
		held := f.Type
		if held.Kind() == reflect.Pointer {
			held = held.Elem()
		}
		if held == reflect.TypeFor[time.Time]() {
			held = reflect.TypeFor[string]()
		}
		fields[strings.ToLower(name)] = held
	}
	fieldsCache.Store(t, fields)
	return fields
}
