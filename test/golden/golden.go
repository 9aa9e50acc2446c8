// Package golden compares what is stored, and must be readable by later versions, with a file: the JSON of types and lists
// of names. It is for tests only.
package golden

import (
	"bytes"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"
)

var add = flag.Bool("golden.add", false, "write what is new into golden files; what is gone or changed still fails")

// JSON compares the JSON of the samples' types with file. It fills every field with a nonzero value, so that an added,
// renamed or dropped one shows. A type is named by its key, which outlives the Go type's name.
func JSON(t *testing.T, file string, samples map[string]any) {
	t.Helper()
	now := map[string]string{}
	for name, sample := range samples {
		filled := reflect.New(reflect.TypeOf(sample))
		fill(filled.Elem(), name, nil)
		raw, err := json.Marshal(filled.Interface())
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		flatten(now, name, decode(t, raw))
	}
	compare(t, file, now, "stored JSON")

	// What is in the file must survive reading and writing without loss, as an upgraded version does it.
	var stored map[string]json.RawMessage
	raw, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(raw, &stored); err != nil {
		t.Fatalf("%s: %v", file, err)
	}
	for name, sample := range samples {
		value := reflect.New(reflect.TypeOf(sample))
		if err := json.Unmarshal(stored[name], value.Interface()); err != nil {
			t.Errorf("%s: what a former version stored as %s cannot be read: %v", file, name, err)
			continue
		}
		again, err := json.Marshal(value.Interface())
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		was, is := map[string]string{}, map[string]string{}
		flatten(was, name, decode(t, stored[name]))
		flatten(is, name, decode(t, again))
		for _, path := range slices.Sorted(maps.Keys(was)) {
			if is[path] != was[path] {
				t.Errorf("%s: %s was stored as %s and is %q after reading and writing it", file, path, was[path], is[path])
			}
		}
	}
}

// Names compares a list of names with file. means says what the loss of one breaks.
func Names(t *testing.T, file, means string, names []string) {
	t.Helper()
	now := map[string]string{}
	for _, n := range names {
		now[n] = ""
	}
	compare(t, file, now, means)
}

func compare(t *testing.T, file string, now map[string]string, means string) {
	t.Helper()
	was, err := read(file)
	if err != nil {
		t.Fatalf("%s: %v", file, err)
	}
	kept := true
	for _, path := range slices.Sorted(maps.Keys(was)) {
		value, ok := now[path]
		switch {
		case !ok:
			t.Errorf("%s: %q is gone (%s). It must keep its name: a json tag or a constant may hold the old one when the Go name changes", file, path, means)
			kept = false
		case value != was[path]:
			t.Errorf("%s: %q was %s and is %s (%s)", file, path, was[path], value, means)
			kept = false
		}
	}
	var fresh []string
	for _, path := range slices.Sorted(maps.Keys(now)) {
		if _, ok := was[path]; !ok {
			fresh = append(fresh, path)
		}
	}
	if len(fresh) == 0 || !kept {
		return
	}
	if *add {
		write(t, file, now)
		return
	}
	t.Errorf("%s: new and not held yet: %s. Is it the name that is to stay? Then: go test -run '%s' . -args -golden.add", file, strings.Join(fresh, ", "), t.Name())
}

// read returns the flattened values of a .json file, or the lines of any other, and nothing if the file does not exist.
func read(file string) (map[string]string, error) {
	out := map[string]string{}
	raw, err := os.ReadFile(file)
	if errors.Is(err, fs.ErrNotExist) {
		return out, nil
	}
	if err != nil {
		return nil, err
	}
	if !strings.HasSuffix(file, ".json") {
		for line := range strings.Lines(string(raw)) {
			if line = strings.TrimSpace(line); line != "" && !strings.HasPrefix(line, "#") {
				out[line] = ""
			}
		}
		return out, nil
	}
	var all map[string]any
	d := json.NewDecoder(bytes.NewReader(raw))
	d.UseNumber()
	err = d.Decode(&all)
	for name, v := range all {
		flatten(out, name, v)
	}
	return out, err
}

func write(t *testing.T, file string, now map[string]string) {
	t.Helper()
	var b bytes.Buffer
	if strings.HasSuffix(file, ".json") {
		tree := map[string]any{}
		for path, value := range now {
			plant(tree, strings.Split(path, "."), json.RawMessage(value))
		}
		e := json.NewEncoder(&b)
		e.SetIndent("", "  ")
		e.SetEscapeHTML(false)
		if err := e.Encode(tree); err != nil {
			t.Fatal(err)
		}
	} else {
		for _, name := range slices.Sorted(maps.Keys(now)) {
			fmt.Fprintln(&b, name)
		}
	}
	if err := os.WriteFile(file, b.Bytes(), 0o600); err != nil {
		t.Fatal(err)
	}
}

func plant(tree map[string]any, path []string, value json.RawMessage) {
	for _, key := range path[:len(path)-1] {
		below, ok := tree[key].(map[string]any)
		if !ok {
			below = map[string]any{}
			tree[key] = below
		}
		tree = below
	}
	tree[path[len(path)-1]] = value
}

func decode(t *testing.T, raw []byte) any {
	t.Helper()
	d := json.NewDecoder(bytes.NewReader(raw))
	d.UseNumber()
	var v any
	if err := d.Decode(&v); err != nil {
		t.Fatal(err)
	}
	return v
}

// flatten turns objects into dotted paths. Lists stay values.
func flatten(out map[string]string, path string, v any) {
	if object, ok := v.(map[string]any); ok && len(object) > 0 {
		for key, below := range object {
			flatten(out, path+"."+key, below)
		}
		return
	}
	raw, _ := json.Marshal(v) //nolint:errchkjson // it came from JSON
	out[path] = string(raw)
}

var someday = time.Date(2026, 11, 28, 17, 0, 0, 0, time.UTC)

// fill sets every exported field that JSON includes. The values do not depend on Go names.
func fill(v reflect.Value, name string, inside []reflect.Type) {
	if v.Type() == reflect.TypeFor[time.Time]() {
		v.Set(reflect.ValueOf(someday))
		return
	}
	if v.Type() == reflect.TypeFor[json.RawMessage]() {
		v.SetBytes([]byte(`{"raw":1}`))
		return
	}
	switch v.Kind() {
	case reflect.Bool:
		v.SetBool(true)
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64:
		v.SetInt(7)
	case reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64:
		v.SetUint(7)
	case reflect.Float32, reflect.Float64:
		v.SetFloat(7.5)
	case reflect.String:
		v.SetString("a " + strings.ToLower(name))
	case reflect.Slice:
		one := reflect.MakeSlice(v.Type(), 1, 1)
		fill(one.Index(0), name, inside)
		v.Set(one)
	case reflect.Map:
		key, value := reflect.New(v.Type().Key()).Elem(), reflect.New(v.Type().Elem()).Elem()
		fill(key, "key", inside)
		fill(value, name, inside)
		v.Set(reflect.MakeMap(v.Type()))
		v.SetMapIndex(key, value)
	case reflect.Pointer:
		v.Set(reflect.New(v.Type().Elem()))
		fill(v.Elem(), name, inside)
	case reflect.Struct:
		if slices.Contains(inside, v.Type()) {
			return
		}
		for i := range v.NumField() {
			f := v.Type().Field(i)
			called, _, _ := strings.Cut(f.Tag.Get("json"), ",")
			if !f.IsExported() || called == "-" {
				continue
			}
			if called == "" {
				called = f.Name
			}
			fill(v.Field(i), called, append(inside, v.Type()))
		}
	case reflect.Interface:
		if v.NumMethod() == 0 {
			v.Set(reflect.ValueOf("a " + strings.ToLower(name)))
		}
	}
}
