// Package members finds the members of a JSON object that a struct does not know, so that they survive when it is written back.
package members

import (
	"encoding/json"
	"reflect"
	"strings"
	"sync"
	"time"
)

// Unknown returns the members of an object for which a struct has no field, nested objects included.
func Unknown(t reflect.Type, object []byte) map[string]json.RawMessage {
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
			if nested := Unknown(field, value); len(nested) > 0 {
				rest[name], _ = json.Marshal(nested)
			}
		}
	}
	return rest
}

// Merge adds to an object the members of another that it lacks.
func Merge(object, more json.RawMessage) json.RawMessage {
	var to, from map[string]json.RawMessage
	if json.Unmarshal(object, &to) != nil || json.Unmarshal(more, &from) != nil || to == nil {
		return object
	}
	for name, value := range from {
		if have, ok := to[name]; ok {
			value = Merge(have, value)
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

// fieldsOf returns the types of a struct's fields by lower-case JSON name, because encoding/json ignores case. A pointer
// has its element's type, and a time is a string.
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
