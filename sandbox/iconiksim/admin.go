package iconiksim

import (
	"slices"
	"strings"
)

// Kinds that only administrators handle.
const (
	kGroup   = "groups"
	kACL     = "acls"           // of custom actions, by the action's id
	kReaders = "readers' lists" // of assets and collections, by their id
)

// Roles are the roles of an application's user that calls can require.
var Roles = strings.Fields(`can_search can_read_assets can_create_assets can_write_assets can_delete_assets can_write_versions can_read_collections can_create_collections
	can_write_collections can_delete_collections can_delete_formats can_delete_versions can_read_storages can_read_formats can_write_formats can_read_files can_write_files can_delete_files can_create_transcode_jobs
	can_read_segments can_create_segments can_write_segments can_delete_segments can_read_jobs can_write_jobs can_read_metadata_fields can_write_metadata_fields
	can_read_metadata_views can_write_metadata_views can_read_metadata_values can_write_metadata_values can_read_users can_read_groups can_read_proxies
	can_write_approval_status can_read_custom_actions can_write_custom_actions can_read_webhooks can_write_webhooks can_read_acls can_write_acls can_delete_acls`)

// roleOf is the role that a call requires, by its pattern. Only calls for setup require one.
var roleOf = map[string]string{
	"POST assets/v1/custom_actions/{context}":        "can_write_custom_actions",
	"PATCH assets/v1/custom_actions/{context}/{id}":  "can_write_custom_actions",
	"DELETE assets/v1/custom_actions/{context}/{id}": "can_write_custom_actions",
	"GET assets/v1/custom_actions":                   "can_read_custom_actions",
	"GET notifications/v1/webhooks":                  "can_read_webhooks",
	"POST notifications/v1/webhooks":                 "can_write_webhooks",
	"PUT notifications/v1/webhooks/{id}":             "can_write_webhooks",
	"DELETE notifications/v1/webhooks/{id}":          "can_write_webhooks",
	"POST metadata/v1/fields":                        "can_write_metadata_fields",
	"POST metadata/v1/views":                         "can_write_metadata_views",
	"GET users/v1/groups":                            "can_read_groups",
	"GET acls/v1/acl/{kind}/{id}":                    "can_read_acls",
	"PUT acls/v1/acl/{kind}":                         "can_write_acls",
	"DELETE acls/v1/acl/{kind}":                      "can_delete_acls",
}

// mayNot returns the role that a user lacks for a call, or "" if none is missing. The caller must hold the lock.
func (s *Sim) mayNot(user, pattern string) string {
	role, asked := roleOf[pattern]
	d, _ := s.get(kUser, user)
	if asked && d["roles"] != nil && !slices.Contains(texts(d["roles"]), role) {
		return role
	}
	return ""
}

// SetRoles sets the roles of the service's user.
func (s *Sim) SetRoles(roles ...string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.set(kUser, s.service, func(d doc) { d["roles"] = slices.Clone(roles) })
}

// AddGroup adds a group of users and returns its id.
func (s *Sim) AddGroup(name string) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	id := newID()
	s.put(kGroup, doc{"id": id, "name": name, "alias": nil, "description": nil, "external_id": nil, "roles": []string{}, "default_user_type": nil, "is_saml_group": false,
		"date_created": now(), "date_modified": now()})
	return id
}

// ChangeDoc changes a stored entity, as a person would. If change returns false, it is deleted.
func (s *Sim) ChangeDoc(kind, id string, change func(map[string]any) bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	keep := true
	s.set(kind, id, func(d doc) { keep = change(d) })
	if !keep {
		s.drop(kind, id)
	}
}

func (s *Sim) adminRoutes() {
	groups := func(c *call) (int, any) { return page(c, s.stored(kGroup, ""), 100, same) }
	s.on("GET users/v1/groups", groups)
	s.on("GET users/v1/groups/basic", groups)
	s.on("GET users/v1/users/current/roles", func(c *call) (int, any) {
		d, _ := s.get(kUser, c.user)
		if d["roles"] != nil {
			return 200, doc{"objects": texts(d["roles"])}
		}
		return 200, doc{"objects": Roles}
	})
	edit := func(c *call) (int, any) {
		if _, ok := s.get(kField, c.id("name")); !ok {
			return notFound("Metadata field")
		}
		return 200, s.set(kField, c.id("name"), func(d doc) {
			take(d, c.body, "label", "description", "multi", "required", "read_only", "auto_set", "hide_if_not_set", "options", "source_url", "use_as_facet", "sortable")
		})
	}
	s.on("PUT metadata/v1/fields/{name}", edit)
	s.on("PATCH metadata/v1/fields/{name}", edit)
	s.on("DELETE metadata/v1/fields/{name}", func(c *call) (int, any) {
		if _, ok := s.get(kField, c.id("name")); !ok {
			return notFound("Metadata field")
		}
		for _, v := range s.stored(kView, "") {
			if slices.ContainsFunc(docs(v["view_fields"]), func(f doc) bool { return text(f, "name") == c.id("name") }) {
				return refuse(400, "The field is used in the view "+text(v, "name"))
			}
		}
		s.drop(kField, c.id("name"))
		return 204, nil
	})
	s.on("DELETE metadata/v1/views/{view}", func(c *call) (int, any) {
		if _, ok := s.get(kView, c.id("view")); !ok {
			return notFound("Metadata view")
		}
		s.drop(kView, c.id("view"))
		return 204, nil
	})
	s.aclRoutes()
}
