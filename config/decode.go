package config

import (
	"errors"
	"fmt"
	"math"
	"os"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"time"
)

var errNotText = errors.New("must be text: put it in quotes")

// decode decodes a value into a field. It reports every part that cannot be read by its key, and never shows a secret.
func (d *document) decode(value any, into reflect.Value, key string) {
	if value == nil || d.p.unread[key] {
		return
	}
	var err error
	switch into.Interface().(type) {
	case TLS:
		d.decodeTLS(value, into, key)
		return
	case Secret:
		var s Secret
		if s, err = secretOf(value); err == nil {
			err = d.spaces(key, s)
		}
		into.Set(reflect.ValueOf(s))
	case Secrets:
		list, isList := value.([]any)
		if !isList {
			if list = []any{value}; value == "" {
				return
			}
		}
		d.decodeList(list, into, key, !isList)
		return
	case PEM:
		var s PEM
		s, err = d.pemOf(value)
		into.Set(reflect.ValueOf(s))
	case Bytes:
		var b Bytes
		b, err = ParseBytes(fmt.Sprint(value))
		into.Set(reflect.ValueOf(b))
	case time.Duration:
		var length time.Duration
		if length, err = time.ParseDuration(fmt.Sprint(value)); err != nil {
			err = fmt.Errorf("%q is not a duration: write 15m or 720h", fmt.Sprint(value))
		}
		into.Set(reflect.ValueOf(length))
	case time.Time:
		var at time.Time
		at, err = dateOf(fmt.Sprint(value))
		into.Set(reflect.ValueOf(at))
	default:
		d.decodeKind(value, into, key)
		return
	}
	if err != nil {
		d.p.refuse(key, "%v", err)
	}
}

func (d *document) decodeKind(value any, into reflect.Value, key string) {
	switch into.Kind() {
	case reflect.Pointer:
		into.Set(reflect.New(into.Type().Elem()))
		d.decode(value, into.Elem(), key)
	case reflect.Struct:
		d.decodeStruct(value, into, key)
	case reflect.Map:
		d.decodeMap(value, into, key)
	case reflect.Slice:
		list, ok := value.([]any)
		if text, isText := value.(string); isText && into.Type().Elem().Kind() == reflect.String {
			list, ok = nil, true
			for part := range strings.SplitSeq(text, ",") {
				if part = strings.TrimSpace(part); part != "" {
					list = append(list, part)
				}
			}
		}
		if !ok {
			d.p.refuse(key, "must be a list")
			return
		}
		d.decodeList(list, into, key, false)
	case reflect.String:
		switch v := value.(type) {
		case string:
			into.SetString(v)
		case number:
			into.SetString(string(v))
		default:
			d.p.refuse(key, "%v", errNotText)
		}
	case reflect.Int:
		n, err := strconv.Atoi(fmt.Sprint(value))
		if err != nil {
			d.p.refuse(key, "%q is not a whole number", fmt.Sprint(value))
		}
		into.SetInt(int64(n))
	case reflect.Float64:
		n, err := strconv.ParseFloat(fmt.Sprint(value), 64)
		if err != nil || math.IsNaN(n) || math.IsInf(n, 0) {
			d.p.refuse(key, "%q is not a number: write 0.023", fmt.Sprint(value))
			n = 0
		}
		into.SetFloat(n)
	case reflect.Bool:
		b, err := strconv.ParseBool(fmt.Sprint(value))
		if err != nil && value != "" {
			d.p.refuse(key, "%q is not true or false", fmt.Sprint(value))
		}
		into.SetBool(b)
	}
}

func (d *document) decodeStruct(value any, into reflect.Value, key string) {
	node, ok := value.(map[string]any)
	if !ok {
		d.p.refuse(key, "must contain keys of its own")
		return
	}
	fields := map[string]reflect.Value{}
	var names []string
	for i := range into.NumField() {
		if name := into.Type().Field(i).Tag.Get("yaml"); name != "-" && name != "" {
			fields[name] = into.Field(i)
			names = append(names, name)
		}
	}
	for name, child := range node {
		field, known := fields[name]
		if !known {
			d.p.add(join(key, name), "unknown key%s", didYouMean(name, names))
			continue
		}
		d.decode(child, field, join(key, name))
	}
}

func (d *document) decodeMap(value any, into reflect.Value, key string) {
	node, ok := value.(map[string]any)
	if !ok {
		if into.Type().Elem().Kind() == reflect.Pointer {
			d.p.refuse(key, "must contain each tenant's keys under the tenant's ID")
		} else {
			d.p.refuse(key, "must contain keys with values")
		}
		return
	}
	into.Set(reflect.MakeMap(into.Type()))
	for name, child := range node {
		v := reflect.New(into.Type().Elem()).Elem()
		d.decode(child, v, join(key, name))
		into.SetMapIndex(reflect.ValueOf(name), v)
	}
}

// decodeList decodes a list's elements. If alone, the value was not written as a list, and problems are reported under its own key.
func (d *document) decodeList(list []any, into reflect.Value, key string, alone bool) {
	out := reflect.MakeSlice(into.Type(), len(list), len(list))
	for i, v := range list {
		at := join(key, strconv.Itoa(i))
		if alone {
			at = key
		}
		if _, nested := v.([]any); nested {
			d.p.refuse(at, "%v", errNotText)
			continue
		}
		d.decode(v, out.Index(i), at)
	}
	into.Set(out)
}

// decodeTLS accepts true or false, or the keys, which imply true.
func (d *document) decodeTLS(value any, into reflect.Value, key string) {
	node, ok := value.(map[string]any)
	if !ok {
		on, err := strconv.ParseBool(fmt.Sprint(value))
		if err != nil && value != "" {
			d.p.refuse(key, "%q is neither true nor false, nor a set of keys", fmt.Sprint(value))
		}
		into.Set(reflect.ValueOf(TLS{Enabled: on}))
		return
	}
	d.decodeStruct(node, into, key)
	for _, v := range node {
		if v != "" && v != nil {
			into.FieldByName("Enabled").SetBool(true)
		}
	}
}

// secretOf accepts only text: YAML would parse digits as a number, which would change the secret.
func secretOf(value any) (Secret, error) {
	text, ok := value.(string)
	if !ok {
		return "", errNotText
	}
	text = trimmed(text)
	if strings.HasPrefix(text, "-----BEGIN ") {
		return Secret(text), nil
	}
	if strings.IndexFunc(text, func(r rune) bool { return r < ' ' || r == 0x7f }) >= 0 {
		return "", errors.New("contains a line break or another control character")
	}
	return Secret(text), nil
}

// spaces rejects white space around a secret: HTTP headers lose it on the way, so nobody could ever present the secret. Secrets
// that only derive encryption keys keep it, because data is already encrypted with them.
func (d *document) spaces(key string, s Secret) error {
	switch text := s.Reveal(); {
	case strings.TrimSpace(text) == text, strings.HasPrefix(text, "-----BEGIN "):
	case strings.HasPrefix(key, "ledger.encryption_key"), strings.HasPrefix(key, "temporal.codec.keys"):
		d.p.warn(key, "begins or ends with white space, which is part of the secret")
	default:
		return errors.New("begins or ends with white space: remove it")
	}
	return nil
}

// pemOf accepts PEM itself or the path of a file that contains it.
func (d *document) pemOf(value any) (PEM, error) {
	text, ok := value.(string)
	if !ok {
		return "", errNotText
	}
	if text == "" || strings.Contains(text, "-----BEGIN ") {
		return PEM(text), nil
	}
	raw, err := os.ReadFile(d.path(text))
	if err != nil {
		return "", fmt.Errorf("is neither PEM nor a readable file: %w", err)
	}
	if !strings.Contains(string(raw), "-----BEGIN ") {
		return "", errors.New("points to a file that contains no PEM")
	}
	return PEM(raw), nil
}

// dateOf parses a date, which means the end of that day in UTC, or a time.
func dateOf(text string) (time.Time, error) {
	if day, err := time.Parse(time.DateOnly, text); err == nil {
		return day.AddDate(0, 0, 1).Add(-time.Second), nil
	}
	at, err := time.Parse(time.RFC3339, text)
	if err != nil {
		return at, fmt.Errorf("%q is not a date: write 2027-06-30 or 2027-06-30T12:00:00Z", text)
	}
	return at, nil
}

// SecretValues returns everything in a configuration that must never be shown: all secrets, and the passwords in its addresses,
// both as they are and URL-encoded.
func (c *Config) SecretValues() []string {
	var all []string
	var walk func(v reflect.Value)
	walk = func(v reflect.Value) {
		switch x := v.Interface().(type) {
		case Secret:
			all = append(all, secretForms(x.Reveal())...)
			return
		case PEM, time.Time:
			return
		}
		switch v.Kind() {
		case reflect.Pointer:
			if !v.IsNil() {
				walk(v.Elem())
			}
		case reflect.Struct:
			for i := range v.NumField() {
				walk(v.Field(i))
			}
		case reflect.Slice:
			for i := range v.Len() {
				walk(v.Index(i))
			}
		case reflect.Map:
			for _, k := range v.MapKeys() {
				walk(v.MapIndex(k))
			}
		}
	}
	walk(reflect.ValueOf(c))
	slices.Sort(all)
	return slices.DeleteFunc(slices.Compact(all), func(s string) bool { return s == "" })
}
