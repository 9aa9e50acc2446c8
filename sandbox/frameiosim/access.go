package frameiosim

import (
	"net/http"
	"slices"
	"strings"
)

// Role is what a person may do in a project or folder that they were invited to.
type Role struct {
	User string // id
	Role string // full_access, editor, edit_only, commenter, viewer
}

// Restrict lets only the people with the given roles see a project, or a folder and its contents.
func (s *Sim) Restrict(id string, roles ...Role) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if p := s.s.Projects[id]; p != nil {
		p.Restricted, p.Roles = true, roles
	} else {
		a := s.s.Assets[id]
		a.Restricted, a.Roles = true, roles
	}
	s.touch()
}

// Unrestrict lifts a restriction.
func (s *Sim) Unrestrict(id string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if p := s.s.Projects[id]; p != nil {
		p.Restricted = false
	} else {
		s.s.Assets[id].Restricted = false
	}
	s.touch()
}

// Invite gives people roles in a project or folder, in addition to those who already see it.
func (s *Sim) Invite(id string, roles ...Role) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if p := s.s.Projects[id]; p != nil {
		p.Roles = append(p.Roles, roles...)
	} else {
		a := s.s.Assets[id]
		a.Roles = append(a.Roles, roles...)
	}
	s.touch()
}

// SetTeamOnly hides a folder or file of the legacy API from collaborators.
func (s *Sim) SetTeamOnly(id string, on bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.s.Assets[id].TeamOnly = on
	s.touch()
}

// SetMembers sets the members of a team or workspace, by id. By default everybody is a member.
func (s *Sim) SetMembers(team string, users ...string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.s.Teams[team].Members = append([]string{}, users...)
	s.touch()
}

// MoveTo puts an asset into another folder.
func (s *Sim) MoveTo(id, folder string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.move(s.s.Assets[id], folder)
}

func (s *Sim) ofTeam(team, user string) bool {
	t := s.s.Teams[team]
	return user == s.s.User.ID || t != nil && (t.Members == nil || slices.Contains(t.Members, user))
}

// projectRoles returns who sees a project, with the account's owner first.
func (s *Sim) projectRoles(p *Project) []Role {
	roles := []Role{{s.s.User.ID, "owner"}}
	add := func(r Role) {
		if !slices.ContainsFunc(roles, func(have Role) bool { return have.User == r.User }) {
			roles = append(roles, r)
		}
	}
	for _, r := range p.Roles {
		add(r)
	}
	if !p.Restricted {
		for _, u := range s.s.Users {
			if s.ofTeam(p.TeamID, u.ID) {
				add(Role{u.ID, "full_access"})
			}
		}
	}
	return roles
}

// assetRoles returns who sees an asset.
func (s *Sim) assetRoles(a *Asset) []Role {
	p := s.s.Projects[a.ProjectID]
	var roles []Role
	switch up := s.s.Assets[a.ParentID]; {
	case a.Restricted:
		roles = []Role{{s.s.User.ID, "owner"}}
	case up != nil:
		roles = s.assetRoles(up)
	default:
		roles = s.projectRoles(p)
	}
	for _, r := range a.Roles {
		if i := slices.IndexFunc(roles, func(have Role) bool { return have.User == r.User }); i < 0 {
			roles = append(slices.Clone(roles), r)
		}
	}
	if a.TeamOnly {
		roles = slices.DeleteFunc(slices.Clone(roles), func(r Role) bool { return !s.ofTeam(p.TeamID, r.User) })
	}
	return roles
}

// MaySee reports whether a person sees a project, asset, collection or comment in Frame.io.
func (s *Sim) MaySee(email, id string) bool {
	s.mu.RLock()
	defer s.mu.RUnlock()
	i := slices.IndexFunc(s.peopleV4(), func(u User) bool { return strings.EqualFold(u.Email, email) })
	if i < 0 {
		return false
	}
	user := s.peopleV4()[i].ID
	sees := func(roles []Role) bool {
		return slices.ContainsFunc(roles, func(r Role) bool { return r.User == user })
	}
	if p := s.s.Projects[id]; p != nil {
		return sees(s.projectRoles(p))
	}
	if a := s.s.Assets[id]; a != nil {
		return sees(s.assetRoles(a))
	}
	if c := s.s.Comments[id]; c != nil {
		a := s.s.Assets[c.AssetID]
		return sees(s.assetRoles(a)) && (!c.Private || s.ofTeam(s.s.Projects[a.ProjectID].TeamID, user))
	}
	for _, c := range s.s.Collections {
		if c.ID == id {
			return c.Private && c.Creator.ID == user || !c.Private && sees(s.projectRoles(s.s.Projects[c.ProjectID]))
		}
	}
	return false
}

// Restricted reports whether a project is restricted, or whether something is hidden from people who see its project. V4
// does not distinguish a restricted folder to which all of them were invited from an open one.
func (s *Sim) Restricted(id string) bool {
	s.mu.RLock()
	defer s.mu.RUnlock()
	if a := s.s.Assets[id]; a != nil {
		p, sees := s.s.Projects[a.ProjectID], s.assetRoles(a)
		return p.Restricted || slices.ContainsFunc(s.projectRoles(p), func(r Role) bool {
			return !slices.ContainsFunc(sees, func(o Role) bool { return o.User == r.User })
		})
	}
	for _, c := range s.s.Collections {
		if c.ID == id {
			return c.Private || s.s.Projects[c.ProjectID].Restricted
		}
	}
	p := s.s.Projects[id]
	return p != nil && p.Restricted
}

func (s *Sim) person(id string) (User, bool) {
	people := s.peopleV4()
	i := slices.IndexFunc(people, func(u User) bool { return u.ID == id })
	if i < 0 {
		return User{}, false
	}
	return people[i], true
}

func (s *Sim) rolesV4(w http.ResponseWriter, r *http.Request, roles []Role) {
	var rows []any
	for _, role := range roles {
		if u, ok := s.person(role.User); ok {
			rows = append(rows, map[string]any{"role": role.Role, "user": s.userV4(u)})
		}
	}
	pageV4(w, r, 100, len(rows), func(i int) any { return rows[i] })
}

func (s *Sim) accessRoutesV4(on func(string, http.HandlerFunc)) {
	on("GET projects/{id}/users", func(w http.ResponseWriter, r *http.Request) {
		s.mu.RLock()
		defer s.mu.RUnlock()
		p := s.s.Projects[r.PathValue("id")]
		if p == nil || p.Deleted != nil {
			notFoundV4(w)
			return
		}
		s.rolesV4(w, r, s.projectRoles(p))
	})
	on("GET folders/{id}/users", func(w http.ResponseWriter, r *http.Request) {
		s.mu.RLock()
		defer s.mu.RUnlock()
		a, ok := s.live(r.PathValue("id"))
		if !ok || a.Type != "folder" {
			notFoundV4(w)
			return
		}
		if s.o.OwnRoles {
			roles := a.Roles
			if a.Restricted {
				roles = s.assetRoles(a)
			}
			s.rolesV4(w, r, roles)
			return
		}
		s.rolesV4(w, r, s.assetRoles(a))
	})
}

func (s *Sim) accessRoutesV2(m *http.ServeMux) {
	m.HandleFunc("GET /v2/teams/{id}/members", func(w http.ResponseWriter, r *http.Request) {
		s.mu.RLock()
		defer s.mu.RUnlock()
		if s.s.Teams[r.PathValue("id")] == nil {
			notFound(w)
			return
		}
		people := slices.DeleteFunc(slices.Clone(s.peopleV4()), func(u User) bool { return !s.ofTeam(r.PathValue("id"), u.ID) })
		s.list(w, r, len(people), func(i int) any {
			return map[string]any{"_type": "team_member", "id": r.PathValue("id"), "role": "member", "user": s.userJSON(people[i])}
		})
	})
	m.HandleFunc("GET /v2/projects/{id}/collaborators", func(w http.ResponseWriter, r *http.Request) {
		s.mu.RLock()
		defer s.mu.RUnlock()
		p := s.s.Projects[r.PathValue("id")]
		if p == nil || p.Deleted != nil {
			notFound(w)
			return
		}
		var rows []any
		for _, role := range p.Roles {
			u, ok := s.person(role.User)
			if !ok {
				continue
			}
			user := s.userJSON(u)
			if strings.Contains(r.URL.Query().Get("include"), "project_role") {
				user["project_role"] = map[string]any{"collaborator": true, "owner": u.ID == s.s.User.ID, "team_member": s.ofTeam(p.TeamID, u.ID), "team_role": nil}
			}
			rows = append(rows, map[string]any{"_type": "collaborator", "id": p.ID + ":" + u.ID, "project_id": p.ID, "user_id": u.ID, "creator_id": s.s.User.ID, "message": nil, "user": user})
		}
		s.list(w, r, len(rows), func(i int) any { return rows[i] })
	})
}
