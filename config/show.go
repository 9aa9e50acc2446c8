package config

import (
	"fmt"
	"net/url"
	"reflect"
	"strings"
	"time"
)

// Setting is a key's effective value, with secrets masked, and its source: file:line, the environment variable or the default.
type Setting struct {
	Key   string `json:"key"`
	Value any    `json:"value"`
	From  string `json:"from"`
}

// Explain returns every setting of a configuration in the order of its keys, tenant by tenant.
func Explain(path string) ([]Setting, error) {
	d, err := readDocument(path)
	if err != nil {
		return nil, err
	}
	cfg, err := d.load()
	if err != nil {
		return nil, err
	}
	var out []Setting
	for _, k := range generalKeys {
		out = append(out, d.setting(k.Key, reflect.ValueOf(cfg), k.Key))
	}
	for _, id := range sortedKeys(cfg.Tenants) {
		for _, k := range tenantKeys {
			rest := strings.TrimPrefix(k.Key, tenantPrefix)
			out = append(out, d.setting("tenants."+id+"."+rest, reflect.ValueOf(cfg.Tenants[id]), rest))
		}
	}
	return out, nil
}

func (d *document) setting(key string, in reflect.Value, path string) Setting {
	for step := range strings.SplitSeq(path, ".") {
		in = field(reflect.Indirect(in), step)
	}
	from := d.origin[key]
	for at := key; from == "" && at != ""; at = at[:max(strings.LastIndexByte(at, '.'), 0)] {
		from = d.origin[at] // the place of the map that contains it
	}
	return Setting{Key: key, Value: shown(in.Interface()), From: from}
}

func field(in reflect.Value, name string) reflect.Value {
	for i := range in.NumField() {
		if in.Type().Field(i).Tag.Get("yaml") == name {
			return in.Field(i)
		}
	}
	panic("no key " + name) // Keys and Config differ: tests read every key
}

// shown returns a value as people may see it. Of an address with a password, it hides only the password and the query.
func shown(value any) any {
	switch v := value.(type) {
	case Secret:
		u, err := url.Parse(v.Reveal())
		if err != nil || v == "" {
			return v.String()
		}
		switch u.Scheme {
		case "sqlite":
			return v.Reveal()
		case "postgres", "postgresql", "smtp", "smtps":
			if _, has := u.User.Password(); has {
				u.User = url.User(u.User.Username())
				u.RawQuery = ""
				return strings.Replace(u.String(), "@", ":"+Secret("x").String()+"@", 1)
			}
			u.RawQuery = ""
			return u.String()
		}
		return v.String()
	case TLS:
		return v.Enabled
	case time.Time:
		return v.Format(time.DateOnly)
	case fmt.Stringer:
		return v.String()
	}
	if in := reflect.ValueOf(value); in.Kind() == reflect.Slice && in.Type().Elem().Kind() == reflect.Struct {
		entries := make([]any, in.Len())
		for i := range entries {
			entries[i] = entry(in.Index(i))
		}
		return entries
	}
	return value
}

// entry returns an element of a list, such as an API key, as a map by key, without keys that are not set.
func entry(in reflect.Value) map[string]any {
	out := map[string]any{}
	for i := range in.NumField() {
		name := in.Type().Field(i).Tag.Get("yaml")
		if name == "" || name == "-" || in.Field(i).IsZero() {
			continue
		}
		value := shown(in.Field(i).Interface())
		if of := reflect.ValueOf(value); of.Kind() == reflect.Struct {
			value = entry(of)
		}
		out[name] = value
	}
	return out
}
