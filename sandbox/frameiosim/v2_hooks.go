package frameiosim

import (
	"net/http"
	"slices"
)

func hookV2(h *Hook) map[string]any {
	return map[string]any{"_type": "webhook", "id": h.ID, "name": h.Name, "url": h.URL, "events": h.Events, "active": h.Active, "secret": h.Secret, "team_id": h.TeamID}
}

func (s *Sim) hookRoutesV2(m *http.ServeMux) {
	m.HandleFunc("GET /v2/accounts/{id}/hooks", func(w http.ResponseWriter, r *http.Request) {
		s.mu.RLock()
		defer s.mu.RUnlock()
		if r.PathValue("id") != s.s.Account {
			notFound(w)
			return
		}
		rows := values(s.s.Hooks, func(h *Hook) string { return h.ID })
		s.list(w, r, len(rows), func(i int) any { return hookV2(rows[i]) })
	})
	one := func(do func(w http.ResponseWriter, r *http.Request, h *Hook)) http.HandlerFunc {
		return func(w http.ResponseWriter, r *http.Request) {
			s.mu.Lock()
			defer s.mu.Unlock()
			h := s.s.Hooks[r.PathValue("id")]
			if h == nil {
				notFound(w)
				return
			}
			do(w, r, h)
		}
	}
	m.HandleFunc("GET /v2/hooks/{id}", one(func(w http.ResponseWriter, _ *http.Request, h *Hook) { answer(w, 200, hookV2(h)) }))
	m.HandleFunc("PUT /v2/hooks/{id}", one(func(w http.ResponseWriter, r *http.Request, h *Hook) {
		var in struct {
			Name   string   `json:"name"`
			URL    string   `json:"url"`
			Events []string `json:"events"`
		}
		if !decode(w, r, &in) {
			return
		}
		if in.Name == "" || in.URL == "" {
			fail(w, http.StatusUnprocessableEntity, "name and url are required")
			return
		}
		if h.Name, h.URL = in.Name, in.URL; in.Events != nil {
			h.Events = slices.Clone(in.Events)
		}
		s.touch()
		answer(w, 200, hookV2(h))
	}))
	m.HandleFunc("DELETE /v2/hooks/{id}", one(func(w http.ResponseWriter, _ *http.Request, h *Hook) {
		delete(s.s.Hooks, h.ID)
		s.touch()
		answer(w, 200, hookV2(h))
	}))
}
