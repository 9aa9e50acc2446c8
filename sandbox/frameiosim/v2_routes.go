package frameiosim

import (
	"net/http"
	"slices"
	"time"
)

func (s *Sim) routes() {
	m := http.NewServeMux()
	m.HandleFunc("GET /v2/me", func(w http.ResponseWriter, _ *http.Request) { answer(w, 200, s.userJSON(s.s.User)) })
	m.HandleFunc("GET /v2/teams", s.listTeams)
	m.HandleFunc("GET /v2/accounts", func(w http.ResponseWriter, r *http.Request) {
		s.list(w, r, 1, func(int) any {
			return map[string]any{"_type": "account", "id": s.s.Account, "owner": s.userJSON(s.s.User)}
		})
	})
	m.HandleFunc("GET /v2/accounts/{id}/teams", s.listTeams)
	m.HandleFunc("GET /v2/teams/{id}", s.getTeam)
	m.HandleFunc("GET /v2/teams/{id}/projects", s.listProjects)
	m.HandleFunc("POST /v2/teams/{id}/hooks", s.createHook)
	s.hookRoutesV2(m)
	m.HandleFunc("GET /v2/projects/{id}", s.getProject)
	m.HandleFunc("PUT /v2/projects/{id}", s.putProject)
	m.HandleFunc("GET /v2/projects/{id}/presentations", s.listShares("presentation"))
	m.HandleFunc("GET /v2/projects/{id}/review_links", s.listShares("review_link"))
	m.HandleFunc("GET /v2/review_links/{id}/items/shared", s.listShared)
	m.HandleFunc("GET /v2/assets/{id}", s.getAsset)
	m.HandleFunc("GET /v2/assets/{id}/children", s.listChildren)
	m.HandleFunc("GET /v2/assets/{id}/comments", s.listComments)
	m.HandleFunc("GET /v2/comments/{id}", s.getComment)
	m.HandleFunc("POST /v2/assets/{id}/comments", s.createComment(""))
	m.HandleFunc("POST /v2/comments/{id}/replies", s.createComment("reply"))
	m.HandleFunc("DELETE /v2/comments/{id}", s.deleteComment)
	m.HandleFunc("POST /v2/comments/{id}/complete", s.completeComment(true))
	m.HandleFunc("DELETE /v2/comments/{id}/complete", s.completeComment(false))
	m.HandleFunc("PUT /v2/comments/{id}", s.putComment)
	m.HandleFunc("GET /v2/comments/{id}/replies", s.listReplies)
	m.HandleFunc("POST /v2/teams/{id}/projects", s.createProject)
	m.HandleFunc("POST /v2/assets/{id}/children", s.createAsset)
	m.HandleFunc("PUT /v2/assets/{id}", s.putAsset)
	m.HandleFunc("DELETE /v2/assets/{id}", s.deleteAsset)
	m.HandleFunc("POST /v2/assets/{id}/version", s.addVersion)
	m.HandleFunc("POST /v2/assets/{id}/label", s.labelAsset)
	m.HandleFunc("POST /v2/projects/{id}/review_links", s.createLink)
	m.HandleFunc("GET /v2/review_links/{id}", s.getLink)
	m.HandleFunc("PUT /v2/review_links/{id}", s.putLink)
	m.HandleFunc("DELETE /v2/review_links/{id}", s.deleteLink)
	m.HandleFunc("POST /v2/review_links/{id}/assets", s.linkAssets(false))
	m.HandleFunc("PUT /v2/review_links/{id}/assets", s.linkAssets(true))
	m.HandleFunc("POST /v2/review_links/{id}/reviewers", s.addReviewer)
	m.HandleFunc("/v2/", func(w http.ResponseWriter, _ *http.Request) {
		fail(w, http.StatusNotFound, "Could not find the requested resource")
	})
	m.Handle("/_sim/faults", &s.faults)
	m.HandleFunc("GET /_sim/calls", func(w http.ResponseWriter, _ *http.Request) { answer(w, 200, s.Calls()) })
	m.HandleFunc("POST /_sim/rename", s.renameForm)
	m.HandleFunc("POST /_sim/archive", s.archiveForm)
	m.HandleFunc("GET /{$}", s.page)
	s.accessRoutesV2(m)
	s.reviewPages(m)
	s.routesV4(m)
	s.mux = m
}

func (s *Sim) listTeams(w http.ResponseWriter, r *http.Request) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	teams := values(s.s.Teams, func(t *Team) string { return t.Name })
	s.list(w, r, len(teams), func(i int) any { return teamJSON(teams[i]) })
}

func teamJSON(t *Team) map[string]any {
	return map[string]any{"_type": "team", "id": t.ID, "name": t.Name}
}

func (s *Sim) getTeam(w http.ResponseWriter, r *http.Request) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	t, ok := s.s.Teams[r.PathValue("id")]
	if !ok {
		notFound(w)
		return
	}
	answer(w, 200, teamJSON(t))
}

func (s *Sim) listProjects(w http.ResponseWriter, r *http.Request) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	all := r.URL.Query().Get("filter[archived]") == "all"
	rows := values(s.s.Projects, func(p *Project) string { return p.Inserted.Format(time.RFC3339Nano) + p.ID })
	rows = slices.DeleteFunc(rows, func(p *Project) bool {
		return p.TeamID != r.PathValue("id") || p.Deleted != nil || p.ArchiveStatus == "archived" && !all
	})
	s.list(w, r, len(rows), func(i int) any { return s.projectJSON(rows[i]) })
}

func (s *Sim) projectJSON(p *Project) map[string]any {
	v := map[string]any{"_type": "project", "id": p.ID, "name": p.Name, "team_id": p.TeamID, "root_asset_id": p.RootID, "owner_id": s.s.User.ID,
		"archive_status": p.ArchiveStatus, "archived_at": nil, "archived_file_count": 0, "archived_storage": 0, "collaborator_count": 0, "deleted_at": nil,
		"description": nil, "ignore_archive": false, "inserted_at": stamp(p.Inserted), "updated_at": stamp(p.Updated), "invite_url": nil,
		"read_only": p.ArchiveStatus != "standard", "resource_id": nil, "shared": false, "has_drm_assets": false, "storage": 0, "file_count": 0, "folder_count": 0}
	if p.ArchiveStatus == "archived" {
		v["archived_at"] = stamp(p.Updated)
	}
	return v
}

func (s *Sim) getProject(w http.ResponseWriter, r *http.Request) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	p, ok := s.s.Projects[r.PathValue("id")]
	if !ok || p.Deleted != nil {
		notFound(w)
		return
	}
	answer(w, 200, s.projectJSON(p))
}

func (s *Sim) putProject(w http.ResponseWriter, r *http.Request) {
	var in struct {
		Name *string `json:"name"`
	}
	if !decode(w, r, &in) {
		return
	}
	s.mu.Lock()
	p, ok := s.s.Projects[r.PathValue("id")]
	if !ok {
		s.mu.Unlock()
		notFound(w)
		return
	}
	if in.Name != nil {
		p.Name = *in.Name
	}
	p.Updated = time.Now().UTC()
	s.touch()
	v := s.projectJSON(p)
	s.mu.Unlock()
	answer(w, 200, v)
	s.fire("project.updated", "project", p.ID, p.ID)
}

func (s *Sim) userJSON(u User) map[string]any {
	return map[string]any{"_type": "user", "id": u.ID, "account_id": s.s.Account, "name": u.Name, "email": u.Email}
}

func (s *Sim) createHook(w http.ResponseWriter, r *http.Request) {
	var in struct {
		Name   string   `json:"name"`
		URL    string   `json:"url"`
		Events []string `json:"events"`
	}
	if !decode(w, r, &in) {
		return
	}
	if in.Name == "" || in.URL == "" || len(in.Events) == 0 {
		fail(w, http.StatusUnprocessableEntity, "name, url and events are required")
		return
	}
	h := s.AddHook(r.PathValue("id"), in.Name, in.URL, "", in.Events...)
	answer(w, 200, map[string]any{"_type": "webhook", "id": h.ID, "name": h.Name, "url": h.URL, "events": h.Events, "active": true, "secret": h.Secret, "team_id": h.TeamID})
}

func (s *Sim) createProject(w http.ResponseWriter, r *http.Request) {
	var in struct {
		Name string `json:"name"`
	}
	if !decode(w, r, &in) {
		return
	}
	s.mu.RLock()
	_, ok := s.s.Teams[r.PathValue("id")]
	s.mu.RUnlock()
	switch {
	case !ok:
		notFound(w)
		return
	case in.Name == "":
		fail(w, http.StatusUnprocessableEntity, "name is required")
		return
	}
	p := s.AddProject(r.PathValue("id"), in.Name)
	s.mu.RLock()
	v := s.projectJSON(p)
	s.mu.RUnlock()
	answer(w, 200, v)
	s.fire("project.created", "project", p.ID, p.ID)
}
