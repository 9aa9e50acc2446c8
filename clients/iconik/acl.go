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

// ACLBulk is how many objects one call may change the lists of.
const ACLBulk = 500

// ACLEntry is one line of an object's access list.
type ACLEntry struct {
	ID          string // of a user or group
	Group       bool
	Inherited   bool // from a collection that it lies in
	Permissions []string
}

type aclRow struct {
	User        string   `json:"user_id"`
	Group       string   `json:"group_id"`
	Permissions []string `json:"permissions"`
}

// NewAccess is who may read a new object from the moment that it is there, besides its maker and administrators.
type NewAccess int

// Who may read a new object.
const (
	AccessDefault    NewAccess = iota // whoever iconik lets by default, and who may read the collection that it is put into
	AccessCollection                  // who may read the collection that it is put into
	AccessNobody
)

func (a NewAccess) query(inCollection bool) url.Values {
	return url.Values{"apply_default_acls": {strconv.FormatBool(a == AccessDefault)}, "apply_collection_acls": {strconv.FormatBool(inCollection && a != AccessNobody)}}
}

// aclLists are an object's lists: its own, those of the collections that it lies in, and what a collection hands down.
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

// entries makes one list of several, each user and group once.
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

// List wraps GET acls/v1/acl/{type}/{id}/: who may do something with an object, by its own list and by those of the collections
// that it lies in.
func (s *ACLsService) List(ctx context.Context, objectType, id string) ([]ACLEntry, error) {
	v, err := s.read(ctx, objectType, id)
	own := entries(false, v.Users, v.Groups, v.SpreadUsers, v.SpreadGroups)
	return append(own, entries(true, v.InheritedUsers, v.InheritedGroups)...), err
}

// Propagating wraps the same call: who may read all that lies in a collection, by its list and by those of the collections
// above.
func (s *ACLsService) Propagating(ctx context.Context, collection string) ([]ACLEntry, error) {
	v, err := s.read(ctx, "collections", collection)
	return entries(true, v.SpreadUsers, v.SpreadGroups, v.InheritedUsers, v.InheritedGroups), err
}

// Allow wraps PUT acls/v1/acl/{type}/ and gives users and groups permissions on objects beside those that they, and others,
// have: at most ACLBulk objects. Its other mode would take the caller's own rights away.
func (s *ACLsService) Allow(ctx context.Context, objectType string, objects, users, groups []string, permissions ...string) error {
	return s.c.do(ctx, "write acl", http.MethodPut, path("acls/v1/acl", objectType), nil, map[string]any{
		"object_keys": objects, "user_ids": notNil(users), "group_ids": notNil(groups), "permissions": permissions, "mode": "APPEND"}, nil)
}

// Remove wraps DELETE acls/v1/acl/{type}/ and takes users and groups out of objects' lists: at most ACLBulk objects.
func (s *ACLsService) Remove(ctx context.Context, objectType string, objects, users, groups []string) error {
	return s.c.delete(ctx, "delete acl", path("acls/v1/acl", objectType), nil, map[string]any{
		"object_keys": objects, "user_ids": notNil(users), "group_ids": notNil(groups)})
}

func notNil(ids []string) []string { return append([]string{}, ids...) }

// Members wraps GET users/v1/users/?groups=, and GET users/v1/users/basic/?groups= where the token lacks the role for the first:
// the ids of a group's active users.
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
