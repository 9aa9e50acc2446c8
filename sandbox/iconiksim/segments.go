package iconiksim

import (
	"maps"
	"math"
	"slices"
	"strings"
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
		if slices.Contains(segmentTypes, c.id("segment")) { // types and ids share this path
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
		if f, m := s.wrongSegment(c.body); f != "" {
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

// wrongSegment returns the first field that iconik's schema would refuse, or "".
func (s *Sim) wrongSegment(b doc) (field, message string) {
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
			x, hasX := number(pt["x"])
			y, hasY := number(pt["y"])
			switch {
			case !hasX || !hasY:
				return "drawing", "points: x and y are required"
			case s.o.WholePoints && (x != math.Trunc(x) || y != math.Trunc(y)):
				return "drawing", "points: Not a valid integer."
			}
		}
	}
	return "", ""
}

func (s *Sim) newSegment(c *call, version string) (int, any) {
	if f := required(c.body, "segment_type"); f != "" {
		return invalid(f, "Missing data for required field.")
	}
	if f, m := s.wrongSegment(c.body); f != "" {
		return invalid(f, m)
	}
	user := c.user
	if u, ok := c.body["user_id"].(string); ok && u != "" && !s.o.OwnName {
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
