package iconik

import (
	"context"
	"net/http"
	"net/url"
	"slices"
	"strconv"

	"github.com/framebridge/framebridge/clients/rest"
)

// Permissions on objects.
const (
	PermissionRead  = "read"
	PermissionWrite = "write"
)

// ACLBulk is the most objects whose lists one call may change.
const ACLBulk = 500

// ACLEntry is one line of an object's access list.
type ACLEntry struct {
	ID          string // of a user or group
	Group       bool
	Inherited   bool // from a collection that contains the object
	Permissions []string
}

type aclRow struct {
	User        string   `json:"user_id"`
	Group       string   `json:"group_id"`
	Permissions []string `json:"permissions"`
}

// NewAccess says who may read a new object from the moment it exists, besides its creator and administrators.
type NewAccess int

// Values of NewAccess.
const (
	AccessDefault    NewAccess = iota // whoever iconik lets by default, and whoever may read the collection it is put into
	AccessCollection                  // whoever may read the collection it is put into
	AccessNobody
)

func (a NewAccess) query(inCollection bool) url.Values {
	return url.Values{"apply_default_acls": {strconv.FormatBool(a == AccessDefault)}, "apply_collection_acls": {strconv.FormatBool(inCollection && a != AccessNobody)}}
}

// aclLists are an object's lists: its own, those of the collections that contain it, and what a collection passes on.
type aclLists struct {
	Users           []aclRow `json:"users_acl"`
	Groups          []aclRow `json:"groups_acl"`
	InheritedUsers  []aclRow `json:"inherited_users_acl"`
	InheritedGroups []aclRow `json:"inherited_groups_acl"`
	SpreadUsers     []aclRow `json:"propagating_users_acl"`
	SpreadGroups    []aclRow `json:"propagating_groups_acl"`
}

func (s *ACLsService) read(ctx context.Context, objectType, id string) (aclLists, error) {
	var v aclLists
	err := s.c.get(ctx, "read acl", path("acls/v1/acl", objectType, id), nil, &v)
	return v, err
}

// entries merges several lists into one, with each user and group once.
func entries(inherited bool, lists ...[]aclRow) []ACLEntry {
	var out []ACLEntry
	for _, rows := range lists {
		for _, r := range rows {
			e := ACLEntry{ID: r.User, Inherited: inherited, Permissions: r.Permissions}
			if r.Group != "" {
				e.ID, e.Group = r.Group, true
			}
			again := func(o ACLEntry) bool { return o.ID == e.ID && o.Group == e.Group }
			if e.ID != "" && len(r.Permissions) > 0 && !slices.ContainsFunc(out, again) {
				out = append(out, e)
			}
		}
	}
	return out
}

// List wraps GET acls/v1/acl/{type}/{id}/. It returns who may do something with an object, by its own list and by those of the
// collections that contain it.
func (s *ACLsService) List(ctx context.Context, objectType, id string) ([]ACLEntry, error) {
	v, err := s.read(ctx, objectType, id)
	own := entries(false, v.Users, v.Groups, v.SpreadUsers, v.SpreadGroups)
	return append(own, entries(true, v.InheritedUsers, v.InheritedGroups)...), err
}

// Propagating wraps the same call. It returns who may read everything in a collection, by its list and by those of the
// collections above it.
func (s *ACLsService) Propagating(ctx context.Context, collection string) ([]ACLEntry, error) {
	v, err := s.read(ctx, "collections", collection)
	return entries(true, v.SpreadUsers, v.SpreadGroups, v.InheritedUsers, v.InheritedGroups), err
}

// Allow wraps PUT acls/v1/acl/{type}/. It gives users and groups permissions on at most ACLBulk objects, in addition to those
// they and others have. The call's other mode would remove the caller's own permissions.
func (s *ACLsService) Allow(ctx context.Context, objectType string, objects, users, groups []string, permissions ...string) error {
	return s.c.do(ctx, "write acl", http.MethodPut, path("acls/v1/acl", objectType), nil, map[string]any{
		"object_keys": objects, "user_ids": notNil(users), "group_ids": notNil(groups), "permissions": permissions, "mode": "APPEND"}, nil)
}

// Remove wraps DELETE acls/v1/acl/{type}/. It removes users and groups from the lists of at most ACLBulk objects.
func (s *ACLsService) Remove(ctx context.Context, objectType string, objects, users, groups []string) error {
	return s.c.delete(ctx, "delete acl", path("acls/v1/acl", objectType), nil, map[string]any{
		"object_keys": objects, "user_ids": notNil(users), "group_ids": notNil(groups)})
}

func notNil(ids []string) []string { return append([]string{}, ids...) }

// Members wraps GET users/v1/users/?groups=, or GET users/v1/users/basic/?groups= if the token lacks the role for the first. It
// returns the IDs of a group's active users.
func (s *UsersService) Members(ctx context.Context, group string) ([]string, error) {
	var out []string
	read := func(service string) error {
		out = nil
		for u, err := range byPage[struct {
			User
			Groups []string `json:"groups"`
		}](ctx, s.c, "list members", path(service), url.Values{"groups": {group}}) {
			if err != nil {
				return orEmpty(err)
			}
			if slices.Contains(u.Groups, group) && (u.Status == "" || u.Status == "ACTIVE") {
				out = append(out, u.ID)
			}
		}
		return nil
	}
	err := read("users/v1/users")
	if err != nil && rest.ClassOf(err) == rest.Forbidden {
		err = read("users/v1/users/basic")
	}
	return out, err
}
