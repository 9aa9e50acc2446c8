package iconiksim

import (
	"maps"
	"slices"
	"strings"
)

var assetTypes = []string{"ASSET", "SEQUENCE", "NLE_PROJECT", "PLACEHOLDER", "CUSTOM", "LINK", "SUBCLIP", "POST"}

func newVersion(user string, number int) doc {
	return doc{"id": newID(), "version_number": number, "status": "ACTIVE", "is_online": false, "analyze_status": "N/A", "archive_status": "NOT_ARCHIVED",
		"transcribe_status": "N/A", "transcribed_languages": []string{}, "face_recognition_status": "N/A", "person_ids": []string{}, "created_by_user": user,
		"created_by_user_info": nil, "date_created": now()}
}

func (s *Sim) assetRoutes() {
	s.on("POST assets/v1/assets", s.createAsset)
	s.on("GET assets/v1/assets", func(c *call) (int, any) {
		return page(c, s.readable(c.user, s.listed(kAsset)), 1000, func(d doc) any { return s.showAsset(d, false) })
	})
	s.on("GET assets/v1/assets/{id}", func(c *call) (int, any) {
		d, ok := s.get(kAsset, c.id("id"))
		if !ok {
			return notFound("Asset")
		}
		return 200, s.showAsset(d, c.flag("include_collections", false))
	})
	edit := func(c *call) (int, any) {
		id := c.id("id")
		if _, ok := s.get(kAsset, id); !ok {
			return notFound("Asset")
		}
		if !oneOf(c.body, "type", assetTypes...) {
			return invalid("type", "Must be one of: "+strings.Join(assetTypes, ", "))
		}
		if t, ok := c.body["title"]; ok && t == "" {
			return invalid("title", "Shorter than minimum length 1.")
		}
		d := s.set(kAsset, id, func(d doc) {
			take(d, c.body, "title", "type", "external_id", "external_link", "category", "custom_keyframe", "custom_poster", "warning", "is_blocked", "analyze_status")
		})
		s.event("assets", "entity", "update", id, c.user, d)
		return 200, s.showAsset(d, false)
	}
	s.on("PATCH assets/v1/assets/{id}", edit)
	s.on("PUT assets/v1/assets/{id}", edit)
	s.on("DELETE assets/v1/assets/{id}", func(c *call) (int, any) {
		d, ok := s.get(kAsset, c.id("id"))
		if !ok || text(d, "status") == "DELETED" {
			return notFound("Asset")
		}
		s.set(kAsset, c.id("id"), func(d doc) {
			d["status"], d["date_deleted"], d["deleted_by_user"] = "DELETED", now(), c.user
		})
		return 204, nil
	})
	s.on("DELETE assets/v1/assets/{id}/purge", func(c *call) (int, any) {
		if _, ok := s.get(kAsset, c.id("id")); !ok {
			return notFound("Asset")
		}
		s.drop(kAsset, c.id("id"))
		return 204, nil
	})
	s.on("PUT assets/v1/assets/{id}/restore", func(c *call) (int, any) {
		if _, ok := s.get(kAsset, c.id("id")); !ok {
			return notFound("Asset")
		}
		s.set(kAsset, c.id("id"), func(d doc) { d["status"], d["date_deleted"], d["deleted_by_user"] = "ACTIVE", nil, nil })
		return 204, nil
	})
	s.on("POST assets/v1/assets/{id}/versions", s.createVersion)
	s.on("DELETE assets/v1/assets/{id}/versions/{version}", s.deleteVersion)
	s.on("POST assets/v1/assets/{id}/history", func(c *call) (int, any) {
		if _, ok := s.get(kAsset, c.id("id")); !ok {
			return notFound("Asset")
		}
		if f := required(c.body, "operation_type"); f != "" {
			return invalid(f, "Missing data for required field.")
		}
		row := doc{"id": newID(), "asset_id": c.id("id"), "user_id": c.user, "system_domain_id": s.domain, "date_created": now(), "date_modified": now()}
		take(row, c.body, "operation_type", "operation_description", "job_id", "share_id", "share_user_id")
		return 201, row
	})
}

// listed returns the indexed docs of a kind.
func (s *Sim) listed(kind string) []doc {
	var out []doc
	for _, id := range s.order[kind] {
		if d := s.indexed(kind, id); d != nil {
			out = append(out, d)
		}
	}
	return out
}

func (s *Sim) showAsset(d doc, collections bool) doc {
	v := maps.Clone(d)
	v["versions"] = s.orderVersions(docs(d["versions"]))
	if !collections {
		v["in_collections"] = nil
	}
	return v
}

// orderVersions puts stored versions, oldest first, in the API's order.
func (s *Sim) orderVersions(versions []doc) []doc {
	versions = slices.Clone(versions)
	if !s.o.OldestFirst {
		slices.Reverse(versions)
	}
	return versions
}

func (s *Sim) createAsset(c *call) (int, any) {
	if f := required(c.body, "title"); f != "" {
		return invalid(f, "Missing data for required field.")
	}
	if !oneOf(c.body, "type", assetTypes...) {
		return invalid("type", "Must be one of: "+strings.Join(assetTypes, ", "))
	}
	d := doc{"id": newID(), "title": "", "type": "ASSET", "status": "ACTIVE", "is_online": false, "is_blocked": false, "analyze_status": "N/A",
		"archive_status": "NOT_ARCHIVED", "category": nil, "custom_keyframe": nil, "custom_poster": nil, "external_id": nil, "external_link": nil, "warning": nil, "site_name": nil,
		"created_by_user": c.user, "deleted_by_user": nil, "updated_by_user": nil, "date_created": now(), "date_imported": now(), "date_modified": now(), "date_deleted": nil,
		"face_recognition_status": "N/A", "favoured": false, "in_collections": []string{}, "original_asset_id": nil, "original_segment_id": nil, "original_version_id": nil,
		"versions": []doc{newVersion(c.user, 1)}}
	take(d, c.body, "title", "type", "external_id", "external_link", "category", "warning", "date_created", "custom_keyframe", "custom_poster")
	if in, ok := c.body["collection_id"].(string); ok && in != "" {
		if _, ok := s.get(kCollection, in); !ok {
			return invalid("collection_id", "Collection does not exist")
		}
		if c.flag("assign_to_collection", false) {
			d["in_collections"] = []string{in}
		}
	}
	s.put(kAsset, d)
	s.giveACL(c, text(d, "id"), text(c.body, "collection_id"))
	s.event("assets", "entity", "create", text(d, "id"), c.user, d)
	return 201, s.showAsset(d, false)
}

func (s *Sim) createVersion(c *call) (int, any) {
	id := c.id("id")
	d, ok := s.get(kAsset, id)
	if !ok {
		return notFound("Asset")
	}
	old := docs(d["versions"])
	made := newVersion(c.user, len(old)+1)
	d = s.set(kAsset, id, func(d doc) { d["versions"] = append(slices.Clone(old), made) })
	from, _ := c.body["source_version_id"].(string)
	if from == "" && len(old) > 0 {
		from = text(old[len(old)-1], "id")
	}
	if copyMetadata, _ := c.body["copy_metadata"].(bool); copyMetadata {
		if v, ok := s.values[valuesKey(kAsset, id, from)]; ok {
			s.values[valuesKey(kAsset, id, text(made, "id"))] = maps.Clone(v)
		}
	}
	if copySegments, _ := c.body["copy_segments"].(bool); copySegments {
		for _, seg := range s.stored(kSegment, id) {
			if text(seg, "version_id") == from {
				twin := maps.Clone(seg)
				twin["id"], twin["version_id"] = newID(), text(made, "id")
				s.put(kSegment, twin)
			}
		}
	}
	return 200, doc{"asset_id": id, "system_domain_id": s.domain, "versions": s.orderVersions(docs(d["versions"]))}
}

// deleteVersion deletes a version with its files and segments, unless it is the last.
func (s *Sim) deleteVersion(c *call) (int, any) {
	id, version := c.id("id"), c.id("version")
	d, ok := s.get(kAsset, id)
	if !ok || !hasVersion(d, version) {
		return notFound("Version")
	}
	versions, active := docs(d["versions"]), 0
	for _, v := range versions {
		if text(v, "status") == "ACTIVE" {
			active++
		}
	}
	if active < 2 {
		return invalid("version_id", "The last version of an asset cannot be deleted.")
	}
	changed := make([]doc, len(versions))
	for i, v := range versions {
		changed[i] = maps.Clone(v)
		if text(v, "id") != version {
			continue
		}
		if text(v, "status") == "DELETED" {
			return notFound("Version")
		}
		changed[i]["status"] = "DELETED"
	}
	s.set(kAsset, id, func(d doc) { d["versions"] = changed })
	for _, kind := range []string{kFile, kFileSet, kFormat, kSegment} {
		for _, d := range s.stored(kind, id) {
			if text(d, "version_id") == version {
				s.set(kind, text(d, "id"), func(d doc) { d["status"] = "DELETED" })
			}
		}
	}
	return 204, nil
}

// currentVersion returns the newest active version.
func currentVersion(asset doc) string {
	versions := docs(asset["versions"])
	for i := len(versions) - 1; i >= 0; i-- {
		if text(versions[i], "status") == "ACTIVE" {
			return text(versions[i], "id")
		}
	}
	return ""
}

func hasVersion(asset doc, version string) bool {
	return slices.ContainsFunc(docs(asset["versions"]), func(v doc) bool { return text(v, "id") == version })
}
