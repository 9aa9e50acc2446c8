package iconiksim

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"
)

func valuesKey(kind, id, version string) string {
	if version == "" {
		return kind + "/" + id
	}
	return kind + "/" + id + "/" + version
}

func (s *Sim) metadataRoutes() {
	s.on("GET metadata/v1/fields", func(c *call) (int, any) { return page(c, s.stored(kField, ""), 1000, same) })
	s.on("POST metadata/v1/fields", func(c *call) (int, any) {
		if f := required(c.body, "name", "label", "field_type"); f != "" {
			return invalid(f, "Missing data for required field.")
		}
		if !oneOf(c.body, "field_type", fieldTypes...) {
			return invalid("field_type", "Must be one of: "+strings.Join(fieldTypes, ", "))
		}
		if _, ok := s.get(kField, text(c.body, "name")); ok {
			return refuse(400, "Metadata field already exists")
		}
		d := doc{"name": "", "label": "", "field_type": "", "description": nil, "multi": false, "required": false, "read_only": false, "auto_set": false, "hide_if_not_set": false,
			"min_value": nil, "max_value": nil, "options": []any{}, "source_url": nil, "use_as_facet": false, "sortable": false, "representative": false, "external_id": nil,
			"is_block_field": false, "is_warning_field": false, "date_created": now(), "date_modified": now()}
		maps.Copy(d, c.body)
		s.put(kField, d)
		return 201, d
	})
	s.on("GET metadata/v1/fields/{name}", func(c *call) (int, any) {
		d, ok := s.get(kField, c.id("name"))
		if !ok {
			return notFound("Metadata field")
		}
		return 200, d
	})
	s.on("GET metadata/v1/views", func(*call) (int, any) {
		rows := s.stored(kView, "")
		if rows == nil {
			rows = []doc{}
		}
		return 200, doc{"objects": rows}
	})
	s.on("POST metadata/v1/views", func(c *call) (int, any) {
		if f, m := s.wrongView(c.body); f != "" {
			return invalid(f, m)
		}
		d := doc{"id": newID(), "name": "", "description": nil, "view_fields": []any{}, "date_created": now(), "date_modified": now()}
		take(d, c.body, "name", "description")
		d["view_fields"] = s.fieldsOfView(c.body)
		s.put(kView, d)
		return 201, d
	})
	s.on("GET metadata/v1/views/{view}", func(c *call) (int, any) {
		d, ok := s.get(kView, c.id("view"))
		if !ok {
			return notFound("Metadata view")
		}
		if c.flag("merge_fields", true) {
			d = maps.Clone(d)
			d["view_fields"] = s.merged(d)
		}
		return 200, d
	})
	s.on("PUT metadata/v1/views/{view}", func(c *call) (int, any) {
		if _, ok := s.get(kView, c.id("view")); !ok {
			return notFound("Metadata view")
		}
		if f, m := s.wrongView(c.body); f != "" {
			return invalid(f, m)
		}
		return 200, s.set(kView, c.id("view"), func(d doc) {
			take(d, c.body, "name", "description")
			d["view_fields"] = s.fieldsOfView(c.body)
		})
	})
	s.on("PUT metadata/v1/{kind}/{id}/views/{view}", func(c *call) (int, any) { return s.putValues(c, c.id("kind"), c.id("id"), "") })
	s.on("GET metadata/v1/{kind}/{id}/views/{view}", func(c *call) (int, any) { return s.getValues(c, c.id("kind"), c.id("id"), "") })
	s.on("GET metadata/v1/assets/{id}/versions/{version}/views/{view}", func(c *call) (int, any) { return s.getValues(c, kAsset, c.id("id"), c.id("version")) })
	s.on("PUT metadata/v1/assets/{id}/segments/{segment}/views/{view}", func(c *call) (int, any) { return s.putValues(c, kSegment, c.id("segment"), "") })
	s.on("GET metadata/v1/assets/{id}/segments/{segment}/views/{view}", func(c *call) (int, any) { return s.getValues(c, kSegment, c.id("segment"), "") })
}

// fieldsOfView returns a view's fields with the types and labels of their definitions.
func (s *Sim) fieldsOfView(b doc) []any {
	out := []any{}
	for _, f := range docs(b["view_fields"]) {
		n := maps.Clone(f)
		if field, ok := s.get(kField, text(f, "name")); ok {
			n["field_type"], n["label"] = field["field_type"], field["label"]
		}
		out = append(out, n)
	}
	return out
}

// merged returns a view's fields merged with their definitions. The view takes precedence.
func (s *Sim) merged(view doc) []any {
	out := []any{}
	for _, f := range docs(view["view_fields"]) {
		field, _ := s.get(kField, text(f, "name"))
		n := maps.Clone(field)
		if n == nil {
			n = doc{}
		}
		maps.Copy(n, f)
		out = append(out, n)
	}
	return out
}

func (s *Sim) wrongView(b doc) (field, message string) {
	if f := required(b, "name", "view_fields"); f != "" {
		return f, "Missing data for required field."
	}
	for _, f := range docs(b["view_fields"]) {
		if _, ok := s.get(kField, text(f, "name")); !ok && text(f, "name") != "__separator__" {
			return "view_fields", "No such metadata field: " + text(f, "name")
		}
	}
	return "", ""
}

func (s *Sim) viewFields(view string) (map[string]bool, bool) {
	d, ok := s.get(kView, view)
	fields := map[string]bool{}
	for _, f := range docs(d["view_fields"]) {
		fields[text(f, "name")] = true
	}
	return fields, ok
}

// definition returns a field's definition in a view, whose options replace the field's.
func (s *Sim) definition(view, name string) doc {
	def, _ := s.get(kField, name)
	d, _ := s.get(kView, view)
	for _, f := range docs(d["view_fields"]) {
		if text(f, "name") == name && len(docs(f["options"])) > 0 {
			def = maps.Clone(def)
			def["options"] = f["options"]
		}
	}
	return def
}

// metadataKey returns where an object's values are, and false if there is no such object. An asset's belong to a version: the current
// one unless one is named.
func (s *Sim) metadataKey(kind, id, version string) (string, bool) {
	d, ok := s.get(kind, id)
	if !ok {
		return "", false
	}
	if kind == kAsset {
		if version == "" {
			version = currentVersion(d)
		}
		return valuesKey(kind, id, version), hasVersion(d, version)
	}
	return valuesKey(kind, id, ""), true
}

func (s *Sim) putValues(c *call, kind, id, version string) (int, any) {
	fields, ok := s.viewFields(c.id("view"))
	if !ok {
		return notFound("Metadata view")
	}
	key, ok := s.metadataKey(kind, id, version)
	if !ok {
		return notFound("Object")
	}
	given, ok := c.body["metadata_values"].(doc)
	if !ok {
		return invalid("metadata_values", "Missing data for required field.")
	}
	next := maps.Clone(s.values[key])
	if next == nil {
		next = doc{}
	}
	for name, v := range given {
		if !fields[name] {
			return refuse(400, "Field "+name+" is not part of the view")
		}
		entry, _ := v.(doc)
		list := docs(entry["field_values"])
		def := s.definition(c.id("view"), name)
		var out []any
		for _, x := range list {
			if !fits(text(def, "field_type"), x["value"]) || !isOption(def, x["value"]) {
				return invalid(name, fmt.Sprintf("Not a valid %s: %v", text(def, "field_type"), x["value"]))
			}
			out = append(out, x["value"])
		}
		if len(out) > 1 && def["multi"] != true {
			return invalid(name, "Not a field of several values")
		}
		switch mode := text(entry, "mode"); mode {
		case "", "overwrite":
			if next[name] = out; len(out) == 0 {
				delete(next, name)
			}
		case "append":
			old, _ := next[name].([]any)
			next[name] = append(slices.Clone(old), out...)
		case "delete":
			delete(next, name)
		default:
			return invalid("mode", "Must be one of: append, delete, overwrite")
		}
	}
	s.values[key] = next
	s.touch()
	s.event(kind, "metadata", "update", id, c.user, doc{"object_id": id, "object_type": kind})
	return 200, s.showValues(key, kind, id, fields)
}

// isOption reports whether a value is among a drop-down's options. It returns true for any other field.
func isOption(def doc, v any) bool {
	options := docs(def["options"])
	if text(def, "field_type") != "drop_down" || len(options) == 0 {
		return true
	}
	return slices.ContainsFunc(options, func(o doc) bool { return o["value"] == v })
}

func fits(kind string, v any) bool {
	t, isText := v.(string)
	switch kind {
	case "integer":
		n, ok := number(v)
		return ok && n == float64(int64(n))
	case "float":
		_, ok := number(v)
		return ok
	case "boolean":
		_, ok := v.(bool)
		return ok || t == "true" || t == "false"
	case "date":
		_, err := time.Parse(time.DateOnly, t)
		return err == nil
	case "datetime":
		_, err := time.Parse(time.RFC3339Nano, t)
		return err == nil
	case "email":
		return isText && strings.Contains(t, "@")
	case "url":
		return isText && strings.Contains(t, "://")
	}
	return isText
}

func (s *Sim) showValues(key, kind, id string, fields map[string]bool) doc {
	out := doc{}
	for name, v := range s.values[key] {
		if fields != nil && !fields[name] {
			continue
		}
		var list []doc
		values, _ := v.([]any)
		for _, x := range values {
			list = append(list, doc{"value": x, "label": nil})
		}
		out[name] = doc{"field_values": list, "date_created": now()}
	}
	parts := strings.Split(key, "/")
	var version any
	if len(parts) == 3 {
		version = parts[2]
	}
	return doc{"metadata_values": out, "object_id": id, "object_type": kind, "version_id": version, "date_created": now(), "date_modified": now(), "job_id": nil}
}

func (s *Sim) getValues(c *call, kind, id, version string) (int, any) {
	fields, ok := s.viewFields(c.id("view"))
	if !ok {
		return notFound("Metadata view")
	}
	key, ok := s.metadataKey(kind, id, version)
	if !ok {
		return notFound("Object")
	}
	v := s.showValues(key, kind, id, fields)
	if len(v["metadata_values"].(doc)) == 0 {
		return refuse(404, "No metadata values for this view")
	}
	return 200, v
}

// SetValues writes metadata as a person would, regardless of views.
func (s *Sim) SetValues(assetID string, values map[string]string) {
	s.setValues(kAsset, assetID, "", values)
}

// SetVersionValues is SetValues for one version of an asset.
func (s *Sim) SetVersionValues(assetID, version string, values map[string]string) {
	s.setValues(kAsset, assetID, version, values)
}

// SetSegmentValues is SetValues for a comment.
func (s *Sim) SetSegmentValues(segment string, values map[string]string) {
	s.setValues(kSegment, segment, "", values)
}

func (s *Sim) setValues(kind, id, version string, values map[string]string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	key, ok := s.metadataKey(kind, id, version)
	if !ok {
		return
	}
	next := maps.Clone(s.values[key])
	if next == nil {
		next = doc{}
	}
	for k, v := range values {
		next[k] = []any{v}
	}
	s.values[key] = next
	s.touch()
}

var fieldTypes = []string{"integer", "float", "boolean", "string", "string_exact", "text", "date", "datetime", "tag_cloud", "url", "drop_down", "email"}
