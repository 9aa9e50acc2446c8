package iconiksim

import (
	"slices"
	"strings"
)

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
		s.giveACL(c, text(d, "id"), text(d, "parent_id"))
		s.event("collections", "entity", "create", text(d, "id"), c.user, d)
		return 201, d
	})
	s.on("GET assets/v1/collections", func(c *call) (int, any) {
		rows := slices.DeleteFunc(s.readable(c.user, s.listed(kCollection)), func(d doc) bool { return c.q.Has("is_root") && (d["is_root"] == true) != c.flag("is_root", false) })
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
}

func (s *Sim) contentsRoutes() {
	s.on("GET assets/v1/collections/{id}/contents", func(c *call) (int, any) {
		if d, ok := s.get(kCollection, c.id("id")); !ok || text(d, "status") == "DELETED" {
			return notFound("Collection")
		}
		types := strings.Split(c.q.Get("object_types"), ",")
		var rows []doc
		for _, kind := range []string{kCollection, kAsset} {
			if c.q.Get("object_types") == "" || slices.Contains(types, kind) {
				rows = append(rows, s.readable(c.user, s.members(kind, c.id("id")))...)
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

// members returns what the index shows in a collection, as documents of the index.
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
