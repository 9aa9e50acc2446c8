package iconiksim

import (
	"regexp"
	"slices"
	"strings"
)

// Who may read what: an object has its own entries, and the propagating ones of the collections above it. Whoever creates an
// object has all rights to it, and administrators have all rights to everything. An object without a list is open to
// everybody: custom actions are, until they get one.

// rights are iconik's permissions.
var rights = []string{"read", "write", "delete", "change-acl"}

// entry is one line of a list.
type entry struct {
	who    string // id of a user or group
	group  bool
	spread bool // propagates to everything in the collection
	rights []string
}

func (e entry) doc() doc {
	return doc{"who": e.who, "group": e.group, "spread": e.spread, "rights": slices.Clone(e.rights)}
}

// entries returns an object's own list, and false if it has none.
func (s *Sim) entries(id string) ([]entry, bool) {
	d, ok := s.get(s.listKind(id), id)
	var out []entry
	for _, e := range docs(d["entries"]) {
		group, _ := e["group"].(bool)
		spread, _ := e["spread"].(bool)
		out = append(out, entry{text(e, "who"), group, spread, texts(e["rights"])})
	}
	return out, ok
}

func (s *Sim) setEntries(id string, list []entry) {
	rows := []doc{}
	for _, e := range list {
		rows = append(rows, e.doc())
	}
	kind := s.listKind(id)
	if _, ok := s.get(kind, id); !ok {
		s.put(kind, doc{"id": id, "entries": rows})
		return
	}
	s.set(kind, id, func(d doc) { d["entries"] = rows })
}

// listKind keeps the lists of assets and collections apart from those of objects that administrators handle.
func (s *Sim) listKind(id string) string {
	if _, ok := s.readableObject(id); ok {
		return kReaders
	}
	return kACL
}

// grant adds rights to a list.
func grant(list []entry, who string, group bool, add []string) []entry {
	for i, e := range list {
		if e.who == who && e.group == group && !e.spread {
			for _, r := range add {
				if !slices.Contains(list[i].rights, r) {
					list[i].rights = append(slices.Clone(list[i].rights), r)
				}
			}
			return list
		}
	}
	return append(list, entry{who: who, group: group, rights: slices.Clone(add)})
}

// giveACL gives a new object its list: its creator's rights, the default ones, and those of its collection.
func (s *Sim) giveACL(c *call, id, collection string) {
	list := grant(nil, c.user, false, rights)
	if c.flag("apply_default_acls", true) {
		list = grant(list, s.everyone, true, []string{"read", "write"})
	}
	if c.flag("apply_collection_acls", false) && collection != "" {
		above, _ := s.entries(collection)
		for _, e := range above {
			list = grant(list, e.who, e.group, e.rights)
		}
	}
	s.setEntries(id, list)
}

// readableObject returns an asset or collection.
func (s *Sim) readableObject(id string) (doc, bool) {
	if d, ok := s.get(kAsset, id); ok {
		return d, true
	}
	return s.get(kCollection, id)
}

// inherited returns the propagating entries of all collections above an object, and the collection of each.
func (s *Sim) inherited(id string, seen map[string]bool) (list []entry, of []string) {
	d, _ := s.readableObject(id)
	for _, up := range texts(d["in_collections"]) {
		if seen[up] {
			continue
		}
		seen[up] = true
		own, _ := s.entries(up)
		for _, e := range own {
			if e.spread {
				list, of = append(list, e), append(of, up)
			}
		}
		more, ofMore := s.inherited(up, seen)
		list, of = append(list, more...), append(of, ofMore...)
	}
	return list, of
}

// mayDo reports whether a user has a right to an object. The caller must hold the lock.
func (s *Sim) mayDo(user, id, right string) bool {
	u, _ := s.get(kUser, user)
	if u["is_admin"] == true {
		return true
	}
	list, has := s.entries(id)
	if !has {
		return true
	}
	above, _ := s.inherited(id, map[string]bool{})
	groups := texts(u["groups"])
	return slices.ContainsFunc(append(list, above...), func(e entry) bool {
		return slices.Contains(e.rights, right) && (e.group && slices.Contains(groups, e.who) || !e.group && e.who == user)
	})
}

func (s *Sim) readable(user string, rows []doc) []doc {
	return slices.DeleteFunc(slices.Clone(rows), func(d doc) bool { return !s.mayDo(user, text(d, "id"), "read") })
}

var objectInPath = regexp.MustCompile(`/(?:assets|collections)/([0-9a-f]{8}-[0-9a-f-]{27})`)

// mayCall reports whether a user may read every object that a call's path names.
func (s *Sim) mayCall(user, path string) bool {
	if strings.HasPrefix(path, "/API/acls/") {
		return true // checked with the list itself
	}
	for _, m := range objectInPath.FindAllStringSubmatch(path, -1) {
		if !s.mayDo(user, m[1], "read") {
			return false
		}
	}
	return true
}

// MayRead reports whether the user with an address may read an asset or collection.
func (s *Sim) MayRead(email, id string) bool { return s.May(email, id, "read") }

// May reports whether the user with an address has a right to an asset or collection.
func (s *Sim) May(email, id, right string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, u := range s.stored(kUser, "") {
		if strings.EqualFold(text(u, "email"), email) {
			return s.mayDo(text(u, "id"), id, right)
		}
	}
	return false
}

// Allow gives a user or group rights to an object, as a person would. spread also gives them to everything in it.
func (s *Sim) Allow(id, who string, group, spread bool, give ...string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	list, _ := s.entries(id)
	if spread {
		list = append(list, entry{who, group, true, give})
	} else {
		list = grant(list, who, group, give)
	}
	s.setEntries(id, list)
}

// Deny removes a user or group from an object's list, as a person would.
func (s *Sim) Deny(id, who string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	list, _ := s.entries(id)
	s.setEntries(id, slices.DeleteFunc(list, func(e entry) bool { return e.who == who }))
}

// Join puts a user into a group.
func (s *Sim) Join(user, group string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.set(kUser, user, func(d doc) { d["groups"] = append(slices.Clone(texts(d["groups"])), group) })
}

// SetAdmin makes a user an administrator.
func (s *Sim) SetAdmin(user string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.set(kUser, user, func(d doc) { d["is_admin"] = true })
}

// Token returns a token that acts as a user.
func (s *Sim) Token(user string) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	for token, id := range s.tokens {
		if id == user {
			return token
		}
	}
	return ""
}

// OnWrite makes f be called after each call that may have changed something, before its answer is sent.
func (s *Sim) OnWrite(f func(method, path string)) { s.onWrite = f }

func (s *Sim) aclRoutes() {
	s.on("GET acls/v1/acl/{kind}/{id}", s.showACL)
	s.on("PUT acls/v1/acl/{kind}", s.putACL)
	s.on("DELETE acls/v1/acl/{kind}", s.deleteACL)
	s.on("GET acls/v1/acl/{kind}/{id}/{right}", func(c *call) (int, any) {
		if c.id("right") == "permissions" {
			own := slices.DeleteFunc(slices.Clone(rights), func(r string) bool { return !s.mayDo(c.user, c.id("id"), r) })
			return 200, doc{"permissions": own}
		}
		if !s.mayDo(c.user, c.id("id"), c.id("right")) {
			return 403, doc{}
		}
		return 200, doc{}
	})
}

func (s *Sim) showACL(c *call) (int, any) {
	id := c.id("id")
	if _, ok := s.readableObject(id); ok && !s.mayDo(c.user, id, "read") {
		return refuse(403, "You do not have permission to perform this action")
	}
	v := doc{}
	for _, name := range []string{"users_acl", "groups_acl", "inherited_users_acl", "inherited_groups_acl", "propagating_users_acl", "propagating_groups_acl"} {
		v[name] = []doc{}
	}
	add := func(prefix string, e entry, of string) {
		name, key := prefix+"users_acl", "user_id"
		if e.group {
			name, key = prefix+"groups_acl", "group_id"
		}
		row := doc{key: e.who, "permissions": e.rights}
		if prefix != "" {
			row["object_key"], row["object_type"] = of, kCollection
		}
		v[name] = append(docs(v[name]), row)
	}
	own, _ := s.entries(id)
	for _, e := range own {
		if e.spread {
			add("propagating_", e, id)
		}
		add("", e, id)
	}
	above, of := s.inherited(id, map[string]bool{})
	for i, e := range above {
		add("inherited_", e, of[i])
	}
	return 200, v
}

// targets reads whose lists a call is about. The objects must exist, and the user must have the right to change them.
func (s *Sim) targets(c *call) (keys, users, groups []string, status int, refusal any) {
	keys, users, groups = texts(c.body["object_keys"]), texts(c.body["user_ids"]), texts(c.body["group_ids"])
	if len(keys) > 500 {
		status, refusal = invalid("object_keys", "Longer than maximum length 500.")
		return
	}
	for _, g := range groups {
		if _, ok := s.get(kGroup, g); !ok {
			status, refusal = invalid("group_ids", "No such group: "+g)
			return
		}
	}
	for _, u := range users {
		if _, ok := s.get(kUser, u); !ok {
			status, refusal = invalid("user_ids", "No such user: "+u)
			return
		}
	}
	if c.id("kind") != kAsset && c.id("kind") != kCollection {
		return // only administrators handle these
	}
	for _, key := range keys {
		if _, ok := s.readableObject(key); !ok {
			status, refusal = notFound("Object")
			return
		}
		if !s.mayDo(c.user, key, "change-acl") {
			status, refusal = refuse(403, "You do not have permission to perform this action")
			return
		}
	}
	return
}

func (s *Sim) putACL(c *call) (int, any) {
	keys, users, groups, status, refusal := s.targets(c)
	give := texts(c.body["permissions"])
	if len(give) == 0 {
		return invalid("permissions", "Missing data for required field.")
	}
	if status != 0 {
		return status, refusal
	}
	for _, key := range keys {
		list, _ := s.entries(key)
		if text(c.body, "mode") != "APPEND" {
			list = nil // drops even the caller's own rights
		}
		for _, u := range users {
			list = grant(list, u, false, give)
		}
		for _, g := range groups {
			list = grant(list, g, true, give)
		}
		s.setEntries(key, list)
	}
	return 200, doc{"updated_object_keys": keys}
}

func (s *Sim) deleteACL(c *call) (int, any) {
	keys, users, groups, status, refusal := s.targets(c)
	if status != 0 {
		return status, refusal
	}
	for _, key := range keys {
		list, _ := s.entries(key)
		s.setEntries(key, slices.DeleteFunc(list, func(e entry) bool {
			return e.group && slices.Contains(groups, e.who) || !e.group && slices.Contains(users, e.who)
		}))
	}
	return 200, doc{"updated_object_keys": keys}
}
