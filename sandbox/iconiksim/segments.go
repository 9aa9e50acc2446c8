package iconiksim

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"
)

var (
	segmentTypes = []string{"MARKER", "QC", "GENERIC", "COMMENT", "TAG", "TRANSCRIPTION", "SCENE", "PERSON"}
	shapeTypes   = []string{"LINE", "RECTANGLE", "ARROW", "ELLIPSE", "PENCIL", "TEXT"}
)

const segmentWritable = "segment_text segment_color segment_checked segment_track time_start_milliseconds time_end_milliseconds external_id keyframe_id drawing status is_internal metadata_view_id"

func (s *Sim) segmentRoutes() {
	s.on("POST assets/v1/assets/{id}/segments", func(c *call) (int, any) {
		asset, version, ok := s.ofAsset(c)
		if asset == nil || !ok {
			return notFound("Asset")
		}
		status, v := s.newSegment(c, version)
		return status, v
	})
	s.on("GET assets/v1/assets/{id}/segments", func(c *call) (int, any) { return s.listSegments(c, c.q.Get("segment_type")) })
	s.on("GET assets/v1/assets/{id}/segments/{segment}", func(c *call) (int, any) {
		if slices.Contains(segmentTypes, c.id("segment")) { // the two share a slot
			return s.listSegments(c, c.id("segment"))
		}
		d, ok := s.get(kSegment, c.id("segment"))
		if !ok || text(d, "asset_id") != c.id("id") {
			return notFound("Segment")
		}
		return 200, s.showSegment(d)
	})
	edit := func(c *call) (int, any) {
		d, ok := s.get(kSegment, c.id("segment"))
		if !ok || text(d, "asset_id") != c.id("id") || text(d, "status") == "DELETED" {
			return notFound("Segment")
		}
		if f, m := wrongSegment(c.body); f != "" {
			return invalid(f, m)
		}
		d = s.set(kSegment, text(d, "id"), func(d doc) {
			take(d, c.body, strings.Fields(segmentWritable)...)
			d["has_drawing"] = hasDrawing(d)
		})
		s.event("assets", "segments", "update", text(d, "id"), c.user, s.showSegment(d))
		return 200, s.showSegment(d)
	}
	s.on("PATCH assets/v1/assets/{id}/segments/{segment}", edit)
	s.on("PUT assets/v1/assets/{id}/segments/{segment}", edit)
	s.on("DELETE assets/v1/assets/{id}/segments/{segment}", func(c *call) (int, any) {
		d, ok := s.get(kSegment, c.id("segment"))
		if !ok || text(d, "asset_id") != c.id("id") || text(d, "status") == "DELETED" {
			return notFound("Segment")
		}
		if c.flag("soft_delete", false) {
			s.set(kSegment, text(d, "id"), func(d doc) { d["status"] = "DELETED" })
		} else {
			s.drop(kSegment, text(d, "id"))
		}
		s.event("assets", "segments", "delete", text(d, "id"), c.user, s.showSegment(d))
		return 204, nil
	})
}

func hasDrawing(d doc) bool {
	drawing, _ := d["drawing"].(doc)
	return len(docs(drawing["primitives"])) > 0
}

// wrongSegment names the first field that iconik's schema would refuse.
func wrongSegment(b doc) (field, message string) {
	if !oneOf(b, "segment_type", segmentTypes...) {
		return "segment_type", "Must be one of: " + strings.Join(segmentTypes, ", ")
	}
	if !oneOf(b, "status", "ACTIVE", "DELETED") {
		return "status", "Must be one of: ACTIVE, DELETED"
	}
	for _, f := range []string{"time_start_milliseconds", "time_end_milliseconds"} {
		if v, ok := b[f]; ok && v != nil {
			if n, ok := number(v); !ok || n != float64(int64(n)) || n < 0 {
				return f, "Not a valid integer."
			}
		}
	}
	drawing, ok := b["drawing"].(doc)
	if !ok {
		return "", ""
	}
	for _, p := range docs(drawing["primitives"]) {
		if !slices.Contains(shapeTypes, text(p, "type")) {
			return "drawing", "Must be one of: " + strings.Join(shapeTypes, ", ")
		}
		for _, pt := range docs(p["points"]) {
			_, x := number(pt["x"])
			_, y := number(pt["y"])
			if !x || !y {
				return "drawing", "points: x and y are required"
			}
		}
	}
	return "", ""
}

func (s *Sim) newSegment(c *call, version string) (int, any) {
	if f := required(c.body, "segment_type"); f != "" {
		return invalid(f, "Missing data for required field.")
	}
	if f, m := wrongSegment(c.body); f != "" {
		return invalid(f, m)
	}
	user := c.user
	if u, ok := c.body["user_id"].(string); ok && u != "" {
		if _, known := s.get(kUser, u); !known {
			return invalid("user_id", "User does not exist")
		}
		user = u
	}
	d := doc{"id": newID(), "asset_id": c.id("id"), "version_id": version, "segment_type": "", "segment_text": nil, "segment_color": nil, "segment_checked": false, "segment_track": nil,
		"time_start_milliseconds": nil, "time_end_milliseconds": nil, "parent_id": nil, "top_level": true, "path": nil, "user_id": user, "external_id": nil, "keyframe_id": nil,
		"metadata_view_id": nil, "metadata": doc{}, "drawing": nil, "has_drawing": false, "share_id": nil, "share_user_email": nil, "project_id": nil, "status": "ACTIVE",
		"is_internal": false, "person_id": nil, "subclip_id": nil, "date_created": now(), "date_modified": now()}
	take(d, c.body, append(strings.Fields(segmentWritable), "segment_type", "parent_id", "share_id", "share_user_email", "project_id")...)
	if p := text(d, "parent_id"); p != "" {
		up, ok := s.get(kSegment, p)
		if !ok || text(up, "asset_id") != c.id("id") {
			return invalid("parent_id", "Segment does not exist")
		}
		d["top_level"], d["path"] = false, strings.TrimPrefix(text(up, "path")+"/"+p, "/")
	}
	d["has_drawing"] = hasDrawing(d)
	s.put(kSegment, d)
	v := s.showSegment(d)
	s.event("assets", "segments", "create", text(d, "id"), c.user, v)
	return 201, v
}

func (s *Sim) showSegment(d doc) doc {
	v := maps.Clone(d)
	if u, ok := s.get(kUser, text(d, "user_id")); ok {
		v["user_info"] = doc{"id": u["id"], "email": u["email"], "first_name": u["first_name"], "last_name": u["last_name"], "photo": nil, "photo_small": nil, "photo_big": nil}
		v["user_first_name"], v["user_last_name"], v["user_photo"] = u["first_name"], u["last_name"], nil
	}
	return v
}

func (s *Sim) listSegments(c *call, kind string) (int, any) {
	asset, ok := s.get(kAsset, c.id("id"))
	if !ok {
		return notFound("Asset")
	}
	version := c.q.Get("version_id")
	if version == "" && !c.flag("include_all_versions", false) {
		version = currentVersion(asset)
	}
	var rows []doc
	for _, id := range s.kids[kSegment+"/"+c.id("id")] {
		d := s.indexed(kSegment, id)
		if d == nil || version != "" && text(d, "version_id") != version || kind != "" && text(d, "segment_type") != kind || text(d, "status") == "DELETED" && c.q.Get("status") != "DELETED" && !s.o.ListDeleted {
			continue
		}
		rows = append(rows, d)
	}
	return page(c, rows, 1000, func(d doc) any { return s.showSegment(d) })
}

// Comment adds a comment as a person would in iconik's player, and returns its id.
func (s *Sim) Comment(assetID, userID, body string, startMS, endMS *int64, parent string, drawing map[string]any) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	b := doc{"segment_type": "COMMENT", "segment_text": body}
	if startMS != nil {
		b["time_start_milliseconds"], b["time_end_milliseconds"] = *startMS, *endMS
	}
	if parent != "" {
		b["parent_id"] = parent
	}
	if drawing != nil {
		b["drawing"] = drawing
	}
	asset, ok := s.get(kAsset, assetID)
	if !ok {
		return ""
	}
	c := &call{Request: pathRequest("id", assetID), body: b, user: userID}
	_, v := s.newSegment(c, currentVersion(asset))
	d, _ := v.(doc)
	return text(d, "id")
}

func valuesKey(kind, id, version string) string {
	if version == "" {
		return kind + "/" + id
	}
	return kind + "/" + id + "/" + version
}

var fieldTypes = []string{"integer", "float", "boolean", "string", "string_exact", "text", "date", "datetime", "tag_cloud", "url", "drop_down", "email"}

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

// fieldsOfView shows a view's fields with what their definitions say.
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

// metadataKey is where an object's values are; an asset's belong to a version, the current one where none is named.
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
		def, _ := s.get(kField, name)
		var out []any
		for _, x := range list {
			if !fits(text(def, "field_type"), x["value"]) {
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
	s.mu.Lock()
	defer s.mu.Unlock()
	key, ok := s.metadataKey(kAsset, assetID, "")
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
