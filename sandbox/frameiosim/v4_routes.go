package frameiosim

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"
)

// The V4 API for the same account: envelopes, cursors, refusal of unknown fields, and two profiles of shares.

// Share profiles of V4.
const (
	Shares202607 = "2026-07" // the stable document from July: no watermark, no switch
	Shares202609 = "2026-09"
)

func (s *Sim) routesV4(m *http.ServeMux) {
	s.adobe.Routes(m)
	m.HandleFunc("GET /v4/me", func(w http.ResponseWriter, _ *http.Request) { data(w, 200, s.userV4(s.s.User)) })
	m.HandleFunc("GET /v4/accounts", func(w http.ResponseWriter, r *http.Request) {
		pageV4(w, r, 100, 1, func(int) any {
			return map[string]any{"id": s.s.Account, "display_name": "Sandbox", "roles": []string{"admin"}, "storage_limit": nil, "storage_usage": 0, "v4_migrated_at": nil,
				"created_at": "2024-01-01T00:00:00Z", "updated_at": "2024-01-01T00:00:00Z"}
		})
	})
	on := func(pattern string, h http.HandlerFunc) {
		method, path, _ := strings.Cut(pattern, " ")
		m.HandleFunc(method+" /v4/accounts/{account}/"+path, func(w http.ResponseWriter, r *http.Request) {
			if r.PathValue("account") != s.s.Account {
				notFoundV4(w)
				return
			}
			h(w, r)
		})
	}
	on("GET workspaces", func(w http.ResponseWriter, r *http.Request) {
		s.mu.RLock()
		defer s.mu.RUnlock()
		rows := values(s.s.Teams, func(t *Team) string { return t.Name })
		pageV4(w, r, 100, len(rows), func(i int) any { return s.workspaceV4(rows[i]) })
	})
	on("GET workspaces/{id}", func(w http.ResponseWriter, r *http.Request) {
		s.mu.RLock()
		defer s.mu.RUnlock()
		t, ok := s.s.Teams[r.PathValue("id")]
		if !ok {
			notFoundV4(w)
			return
		}
		data(w, 200, s.workspaceV4(t))
	})
	projects := func(w http.ResponseWriter, r *http.Request) {
		s.mu.RLock()
		defer s.mu.RUnlock()
		rows := slices.DeleteFunc(values(s.s.Projects, func(p *Project) string { return p.Inserted.Format(time.RFC3339Nano) + p.ID }), func(p *Project) bool {
			return p.Deleted != nil || r.PathValue("id") != "" && p.TeamID != r.PathValue("id")
		})
		pageV4(w, r, 100, len(rows), func(i int) any { return s.projectV4(rows[i], r.URL.Query().Get("include")) })
	}
	on("GET projects", projects)
	on("GET workspaces/{id}/projects", projects)
	on("POST workspaces/{id}/projects", func(w http.ResponseWriter, r *http.Request) {
		in, ok := bodyV4(w, r, "name", "restricted")
		if !ok {
			return
		}
		p := s.AddProject(r.PathValue("id"), fmt.Sprint(in["name"]))
		s.mu.RLock()
		defer s.mu.RUnlock()
		data(w, 201, s.projectV4(p, ""))
	})
	on("GET projects/{id}", func(w http.ResponseWriter, r *http.Request) {
		s.mu.RLock()
		defer s.mu.RUnlock()
		p, ok := s.s.Projects[r.PathValue("id")]
		if !ok || p.Deleted != nil {
			notFoundV4(w)
			return
		}
		data(w, 200, s.projectV4(p, r.URL.Query().Get("include")))
	})
	s.assetRoutesV4(on)
	s.commentRoutesV4(on)
	s.shareRoutesV4(on)
	s.fieldRoutesV4(on)
	s.accessRoutesV4(on)
	s.collectionRoutesV4(on)
	s.hookRoutesV4(on)
	m.HandleFunc("/v4/", func(w http.ResponseWriter, _ *http.Request) { notFoundV4(w) })
}

func (s *Sim) userV4(u User) map[string]any {
	v := map[string]any{"id": nullable(u.ID), "name": u.Name, "email": u.Email, "avatar_url": nil, "active": true}
	if u.ID != "" {
		v["avatar_url"], v["adobe_user_id"] = "https://avatars.frame.io/"+u.ID, strings.ToUpper(strings.ReplaceAll(u.ID, "-", ""))+"@AdobeID"
	}
	return v
}

func (s *Sim) workspaceV4(t *Team) map[string]any {
	return map[string]any{"id": t.ID, "name": t.Name, "account_id": s.s.Account, "created_at": "2024-01-01T00:00:00Z", "updated_at": "2024-01-01T00:00:00Z"}
}

func (s *Sim) projectV4(p *Project, include string) map[string]any {
	status := "active"
	if p.ArchiveStatus != "standard" || p.Aside {
		status = "inactive"
	}
	v := map[string]any{"id": p.ID, "name": p.Name, "root_folder_id": p.RootID, "workspace_id": p.TeamID, "status": status, "restricted": p.Restricted, "storage": s.storedBy(p), "description": nullable(p.Description),
		"view_url": "https://next.frame.io/project/" + p.ID, "created_at": stampV4(p.Inserted), "updated_at": stampV4(p.Updated)}
	if p.AdobeID != "" {
		v["adobe_id"] = p.AdobeID
	}
	if strings.Contains(include, "owner") {
		owner := s.s.User
		if p.Owner != nil {
			owner = *p.Owner
		}
		v["owner"] = s.userV4(owner)
	}
	return v
}

// storedBy returns how many bytes a project stores.
func (s *Sim) storedBy(p *Project) int64 {
	var n int64
	for _, a := range s.s.Assets {
		if a.ProjectID == p.ID && a.Deleted == nil && a.Uploaded != nil {
			n += a.Size
		}
	}
	return n
}
