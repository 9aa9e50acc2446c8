package iconiksim

import (
	"maps"
	"net/http"
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
		return page(c, s.listed(kAsset), 1000, func(d doc) any { return s.showAsset(d, false) })
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

// listed are the docs of a kind that the index shows.
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

// orderVersions turns the stored order, oldest first.
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

// currentVersion is the newest active one.
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

func (s *Sim) collectionRoutes() {
	s.on("POST assets/v1/collections", func(c *call) (int, any) {
		if f := required(c.body, "title"); f != "" {
			return invalid(f, "Missing data for required field.")
		}
		d := doc{"id": newID(), "title": "", "parent_id": nil, "external_id": nil, "is_root": false, "category": nil, "status": "ACTIVE", "storage_id": nil,
			"custom_keyframe": nil, "custom_poster": nil, "keyframe_asset_ids": []string{}, "created_by_user": c.user, "date_created": now(), "date_modified": now(), "date_deleted": nil,
			"deleted_by_user": nil, "in_collections": []string{}, "parents": []string{}, "permissions": []string{}, "keyframes": []any{}, "metadata": doc{}, "object_type": "collections",
			"position": nil, "favoured": false, "custom_order_status": "DISABLED", "project_id": nil}
		take(d, c.body, "title", "parent_id", "external_id", "is_root", "category", "storage_id", "date_created")
		if p := text(d, "parent_id"); p != "" {
			up, ok := s.get(kCollection, p)
			if !ok {
				return invalid("parent_id", "Collection does not exist")
			}
			d["in_collections"] = []string{p}
			d["parents"] = append(slices.Clone(texts(up["parents"])), p)
		}
		s.put(kCollection, d)
		s.event("collections", "entity", "create", text(d, "id"), c.user, d)
		return 201, d
	})
	s.on("GET assets/v1/collections", func(c *call) (int, any) {
		rows := slices.DeleteFunc(s.listed(kCollection), func(d doc) bool { return c.q.Has("is_root") && (d["is_root"] == true) != c.flag("is_root", false) })
		return page(c, rows, 1000, same)
	})
	s.on("GET assets/v1/collections/{id}", func(c *call) (int, any) {
		d, ok := s.get(kCollection, c.id("id"))
		if !ok {
			return notFound("Collection")
		}
		return 200, d
	})
	edit := func(c *call) (int, any) {
		id := c.id("id")
		d, ok := s.get(kCollection, id)
		if !ok {
			return notFound("Collection")
		}
		if t, ok := c.body["title"]; ok && t == "" {
			return invalid("title", "Shorter than minimum length 1.")
		}
		if p, ok := c.body["parent_id"].(string); ok && p != text(d, "parent_id") {
			up, known := s.get(kCollection, p)
			if !known || p == id || slices.Contains(texts(up["parents"]), id) {
				return invalid("parent_id", "Collection does not exist, or is below this one")
			}
		}
		d = s.set(kCollection, id, func(d doc) {
			old := text(d, "parent_id")
			take(d, c.body, "title", "external_id", "category", "status", "parent_id")
			if p := text(d, "parent_id"); p != old {
				in := slices.DeleteFunc(slices.Clone(texts(d["in_collections"])), func(x string) bool { return x == old })
				d["in_collections"] = append(in, p)
				up, _ := s.get(kCollection, p)
				d["parents"] = append(slices.Clone(texts(up["parents"])), p)
			}
		})
		return 200, d
	}
	s.on("PATCH assets/v1/collections/{id}", edit)
	s.on("PUT assets/v1/collections/{id}", edit)
	s.on("DELETE assets/v1/collections/{id}", func(c *call) (int, any) {
		d, ok := s.get(kCollection, c.id("id"))
		if !ok || text(d, "status") == "DELETED" {
			return notFound("Collection")
		}
		s.set(kCollection, c.id("id"), func(d doc) { d["status"], d["date_deleted"], d["deleted_by_user"] = "DELETED", now(), c.user })
		return 202, doc{"job_id": newID()}
	})
	s.on("GET assets/v1/collections/{id}/contents", func(c *call) (int, any) {
		if d, ok := s.get(kCollection, c.id("id")); !ok || text(d, "status") == "DELETED" {
			return notFound("Collection")
		}
		types := strings.Split(c.q.Get("object_types"), ",")
		var rows []doc
		for _, kind := range []string{kCollection, kAsset} {
			if c.q.Get("object_types") == "" || slices.Contains(types, kind) {
				rows = append(rows, s.members(kind, c.id("id"))...)
			}
		}
		if x := c.q.Get("external_id"); x != "" {
			rows = slices.DeleteFunc(rows, func(d doc) bool { return text(d, "external_id") != x })
		}
		return page(c, rows, 1000, same)
	})
	s.on("POST assets/v1/collections/{id}/contents", func(c *call) (int, any) {
		if _, ok := s.get(kCollection, c.id("id")); !ok {
			return notFound("Collection")
		}
		if f := required(c.body, "object_id", "object_type"); f != "" {
			return invalid(f, "Missing data for required field.")
		}
		kind, id := text(c.body, "object_type"), text(c.body, "object_id")
		if kind != kAsset && kind != kCollection {
			return invalid("object_type", "Must be one of: assets, collections")
		}
		if _, ok := s.get(kind, id); !ok {
			return notFound("Object")
		}
		s.set(kind, id, func(d doc) {
			if in := texts(d["in_collections"]); !slices.Contains(in, c.id("id")) {
				d["in_collections"] = append(slices.Clone(in), c.id("id"))
			}
		})
		row := doc{"collection_id": c.id("id"), "object_id": id, "object_type": kind, "date_created": now()}
		s.event("collections", "contents", "create", id, c.user, row)
		return 201, row
	})
	s.on("DELETE assets/v1/collections/{id}/contents/{kind}/{object}", func(c *call) (int, any) {
		kind, id := c.id("kind"), c.id("object")
		d, ok := s.get(kind, id)
		if !ok || !slices.Contains(texts(d["in_collections"]), c.id("id")) {
			return notFound("Object")
		}
		s.set(kind, id, func(d doc) {
			d["in_collections"] = slices.DeleteFunc(slices.Clone(texts(d["in_collections"])), func(x string) bool { return x == c.id("id") })
		})
		return 204, nil
	})
}

// members are what the index shows in a collection, as documents of the index.
func (s *Sim) members(kind, collection string) []doc {
	var out []doc
	seen := map[string]bool{}
	for _, id := range s.kids[kind+"/"+collection] {
		d := s.indexed(kind, id)
		if d == nil || seen[id] || text(d, "status") == "DELETED" || !slices.Contains(texts(d["in_collections"]), collection) {
			continue
		}
		seen[id] = true
		out = append(out, s.indexDoc(kind, d))
	}
	return out
}

// indexDoc is an object as search and contents show it.
func (s *Sim) indexDoc(kind string, d doc) doc {
	v := maps.Clone(d)
	v["object_type"] = kind
	if kind == kAsset {
		v["versions"] = s.orderVersions(docs(d["versions"]))
		for _, part := range []string{kFormat, kFile, kProxy, kKeyframe} {
			v[part] = []any{}
		}
	}
	return v
}

func (s *Sim) searchRoutes() {
	s.on("POST search/v1/search", func(c *call) (int, any) {
		kinds := texts(c.body["doc_types"])
		if len(kinds) == 0 {
			kinds = []string{kAsset, kCollection}
		}
		filter, _ := c.body["filter"].(doc)
		terms := docs(filter["terms"])
		var rows []doc
		for _, kind := range kinds {
			for _, id := range s.candidates(kind, terms) {
				if d := s.indexed(kind, id); d != nil && s.matches(d, terms) {
					rows = append(rows, s.indexDoc(kind, d))
				}
			}
		}
		if fields := texts(c.body["include_fields"]); len(fields) > 0 {
			return page(c, rows, 1000, func(d doc) any {
				v := doc{}
				for _, f := range append(fields, "id", "object_type") {
					if x, ok := d[f]; ok {
						v[f] = x
					}
				}
				return v
			})
		}
		return page(c, rows, 1000, same)
	})
}

// candidates narrows a search by its external id, so that it need not go through everything.
func (s *Sim) candidates(kind string, terms []doc) []string {
	for _, t := range terms {
		if text(t, "name") == "external_id" && text(t, "value") != "" {
			return slices.Compact(slices.Clone(s.ext[kind+"/"+text(t, "value")]))
		}
	}
	return s.order[kind]
}

func (s *Sim) matches(d doc, terms []doc) bool {
	for _, t := range terms {
		name := text(t, "name")
		wanted := texts(t["value_in"])
		if v, ok := t["value"].(string); ok {
			wanted = append(wanted, v)
		}
		var have []string
		switch name {
		case "in_collections":
			have = texts(d["in_collections"])
		case "ancestor_collections":
			have = append(slices.Clone(texts(d["in_collections"])), texts(d["parents"])...)
		case "title": // an analysed field: a search for words
			if len(wanted) != 1 || !strings.Contains(strings.ToLower(text(d, "title")), strings.ToLower(wanted[0])) {
				return false
			}
			continue
		default:
			have = []string{text(d, name)}
		}
		if !slices.ContainsFunc(have, func(h string) bool { return slices.Contains(wanted, h) }) {
			return false
		}
	}
	return true
}

func (s *Sim) userRoutes() {
	list := func(c *call) (int, any) {
		emails := strings.FieldsFunc(c.q.Get("email")+","+c.q.Get("emails"), func(r rune) bool { return r == ',' })
		rows := slices.DeleteFunc(s.stored(kUser, ""), func(d doc) bool {
			return len(emails) > 0 && !slices.ContainsFunc(emails, func(e string) bool { return strings.EqualFold(e, text(d, "email")) })
		})
		return page(c, rows, 100, same)
	}
	s.on("GET users/v1/users", list)
	s.on("GET users/v1/users/basic", list)
	s.on("GET users/v1/users/current", func(c *call) (int, any) {
		d, _ := s.get(kUser, c.user)
		return 200, d
	})
	s.on("GET users/v1/users/{id}", func(c *call) (int, any) {
		d, ok := s.get(kUser, c.id("id"))
		if !ok {
			return notFound("User")
		}
		return 200, d
	})
	s.on("GET settings/v1/system/current", func(*call) (int, any) { return 200, doc{"system_domain_id": s.domain} })
	s.on("GET auth/v1/auth/token", func(c *call) (int, any) {
		return 200, doc{"id": newID(), "app_id": s.o.AppID, "user_id": c.user, "system_domain_id": s.domain, "token": nil, "expires": nil}
	})
	s.on("POST users-notifications/v1/notifications", func(c *call) (int, any) {
		if f := required(c.body, "event_type", "object_type", "object_id", "recipient_id", "sender_id", "message_short", "message_long"); f != "" {
			return invalid(f, "Missing data for required field.")
		}
		d := maps.Clone(c.body)
		d["id"], d["date_created"] = newID(), now()
		return http.StatusCreated, d
	})
}
