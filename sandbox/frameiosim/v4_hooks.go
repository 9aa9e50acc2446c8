package frameiosim

import (
	"net/http"
	"slices"
	"time"

	"github.com/google/uuid"
)

// Button is a workspace's custom action.
type Button struct {
	ID, Name, Description, Event, URL, Secret, TeamID string
	Timeout                                           int
	MultiAsset, Active                                bool
	Inserted, Updated                                 time.Time
}

// eventsV4 are V4's events, as its document of July 2026 lists them.
var eventsV4 = []string{"file.created", "file.deleted", "file.ready", "file.updated", "file.upload.completed", "file.versioned", "file.copied", "folder.created", "folder.deleted",
	"folder.updated", "folder.copied", "comment.completed", "comment.created", "comment.deleted", "comment.uncompleted", "comment.updated", "customfield.created",
	"customfield.updated", "customfield.deleted", "metadata.value.updated", "project.created", "project.deleted", "project.updated", "collection.created",
	"collection.updated", "collection.deleted", "share.created", "share.updated", "share.deleted", "share.viewed"}

func init() {
	for _, op := range []string{"POST workspaces/{id}/webhooks", "PATCH webhooks/{id}", "POST workspaces/{id}/actions", "PATCH actions/{id}"} {
		ratesV4[op] = [2]float64{10, 60_000}
	}
	for _, op := range []string{"DELETE webhooks/{id}", "DELETE actions/{id}"} {
		ratesV4[op] = [2]float64{60, 60_000}
	}
}

func (s *Sim) hookV4(h *Hook) map[string]any {
	return map[string]any{"id": h.ID, "name": h.Name, "url": h.URL, "events": h.Events, "active": h.Active, "workspace_id": nullable(h.TeamID),
		"created_at": "2026-01-01T00:00:00Z", "updated_at": "2026-01-01T00:00:00Z"}
}

func strs(v any) ([]string, bool) {
	list, ok := v.([]any)
	out := make([]string, 0, len(list))
	for _, one := range list {
		t, isText := one.(string)
		ok = ok && isText
		out = append(out, t)
	}
	return out, ok
}

// wrongHook returns what the schema refuses in a webhook's data, or "". When a webhook is created, required is set.
func wrongHook(in map[string]any, required bool) (detail, pointer string) {
	for name, most := range map[string]int{"name": 255, "url": 2000} {
		v, there := in[name]
		if t, _ := v.(string); there && (t == "" || len(t) > most) || required && !there {
			return "Invalid value for " + name, "/data/" + name
		}
	}
	v, there := in["events"]
	events, isList := strs(v)
	if there && (!isList || len(events) == 0) || required && !there {
		return "Invalid value for events", "/data/events"
	}
	for _, e := range events {
		if !slices.Contains(eventsV4, e) {
			return "Invalid value for enum: " + e, "/data/events"
		}
	}
	if v, there := in["active"]; there {
		if _, isBool := v.(bool); !isBool {
			return "Invalid boolean", "/data/active"
		}
	}
	return "", ""
}

func (s *Sim) hookRoutesV4(on func(string, http.HandlerFunc)) {
	on("GET workspaces/{id}/webhooks", func(w http.ResponseWriter, r *http.Request) {
		s.mu.RLock()
		defer s.mu.RUnlock()
		rows := slices.DeleteFunc(values(s.s.Hooks, func(h *Hook) string { return h.ID }), func(h *Hook) bool { return h.TeamID != r.PathValue("id") })
		pageV4(w, r, 100, len(rows), func(i int) any { return s.hookV4(rows[i]) })
	})
	on("POST workspaces/{id}/webhooks", func(w http.ResponseWriter, r *http.Request) {
		in, ok := bodyV4(w, r, "name", "url", "events")
		if !ok {
			return
		}
		if detail, at := wrongHook(in, true); detail != "" {
			failV4(w, http.StatusUnprocessableEntity, detail, at)
			return
		}
		s.mu.Lock()
		defer s.mu.Unlock()
		if s.s.Teams[r.PathValue("id")] == nil {
			notFoundV4(w)
			return
		}
		events, _ := strs(in["events"])
		h := &Hook{ID: uuid.NewString(), Name: in["name"].(string), URL: in["url"].(string), Events: events, TeamID: r.PathValue("id"), Secret: uuid.NewString() + uuid.NewString(), Active: true}
		s.s.Hooks[h.ID] = h
		s.touch()
		v := s.hookV4(h)
		v["secret"] = h.Secret // only this once
		data(w, 201, v)
	})
	one := func(do func(w http.ResponseWriter, r *http.Request, h *Hook)) http.HandlerFunc {
		return func(w http.ResponseWriter, r *http.Request) {
			s.mu.Lock()
			defer s.mu.Unlock()
			h := s.s.Hooks[r.PathValue("id")]
			if h == nil {
				notFoundV4(w)
				return
			}
			do(w, r, h)
		}
	}
	on("GET webhooks/{id}", one(func(w http.ResponseWriter, _ *http.Request, h *Hook) { data(w, 200, s.hookV4(h)) }))
	on("PATCH webhooks/{id}", one(func(w http.ResponseWriter, r *http.Request, h *Hook) {
		in, ok := bodyV4(w, r, "active", "name", "url", "events")
		if !ok {
			return
		}
		if detail, at := wrongHook(in, false); detail != "" {
			failV4(w, http.StatusUnprocessableEntity, detail, at)
			return
		}
		if v, ok := in["name"].(string); ok {
			h.Name = v
		}
		if v, ok := in["url"].(string); ok {
			h.URL = v
		}
		if v, ok := in["active"].(bool); ok {
			h.Active = v
		}
		if v, ok := strs(in["events"]); ok {
			h.Events = v
		}
		s.touch()
		data(w, 200, s.hookV4(h))
	}))
	on("DELETE webhooks/{id}", one(func(w http.ResponseWriter, _ *http.Request, h *Hook) {
		delete(s.s.Hooks, h.ID)
		s.touch()
		w.WriteHeader(http.StatusNoContent)
	}))
	s.buttonRoutesV4(on)
}

func (s *Sim) buttonV4(b *Button) map[string]any {
	return map[string]any{"id": b.ID, "name": b.Name, "description": b.Description, "event": b.Event, "url": b.URL, "timeout": b.Timeout, "multi_asset": b.MultiAsset,
		"active": b.Active, "workspace_id": b.TeamID, "creator_id": s.s.User.ID, "created_at": stampV4(b.Inserted), "updated_at": stampV4(b.Updated), "deleted_at": nil}
}

// setButton applies a request to a custom action. It returns what the schema refuses, or "".
func setButton(b *Button, in map[string]any, required bool) (detail, pointer string) {
	for _, f := range []struct {
		name string
		into *string
		most int
	}{{"name", &b.Name, 255}, {"description", &b.Description, 255}, {"event", &b.Event, 255}, {"url", &b.URL, 2000}} {
		v, there := in[f.name]
		t, _ := v.(string)
		switch {
		case there && (t == "" || len(t) > f.most) || required && !there:
			return "Invalid value for " + f.name, "/data/" + f.name
		case there:
			*f.into = t
		}
	}
	if v, there := in["timeout"]; there {
		n, _ := v.(float64)
		if n < 5 || n > 10 {
			return "timeout must be 5 to 10", "/data/timeout"
		}
		b.Timeout = int(n)
	}
	if v, ok := in["active"].(bool); ok {
		b.Active = v
	}
	if v, ok := in["multi_asset"].(bool); ok {
		b.MultiAsset = v
	}
	b.Updated = time.Now().UTC()
	return "", ""
}

func (s *Sim) buttonRoutesV4(on func(string, http.HandlerFunc)) {
	on("GET workspaces/{id}/actions", func(w http.ResponseWriter, r *http.Request) {
		s.mu.RLock()
		defer s.mu.RUnlock()
		rows := slices.DeleteFunc(values(s.s.Buttons, func(b *Button) string { return b.ID }), func(b *Button) bool { return b.TeamID != r.PathValue("id") })
		pageV4(w, r, 100, len(rows), func(i int) any { return s.buttonV4(rows[i]) })
	})
	on("POST workspaces/{id}/actions", func(w http.ResponseWriter, r *http.Request) {
		in, ok := bodyV4(w, r, "name", "description", "event", "url", "timeout", "multi_asset")
		if !ok {
			return
		}
		s.mu.Lock()
		defer s.mu.Unlock()
		if s.s.Teams[r.PathValue("id")] == nil {
			notFoundV4(w)
			return
		}
		b := &Button{ID: uuid.NewString(), TeamID: r.PathValue("id"), Secret: uuid.NewString() + uuid.NewString(), Timeout: 5, MultiAsset: true, Active: true, Inserted: time.Now().UTC()}
		if detail, at := setButton(b, in, true); detail != "" {
			failV4(w, http.StatusUnprocessableEntity, detail, at)
			return
		}
		if s.s.Buttons == nil {
			s.s.Buttons = map[string]*Button{}
		}
		s.s.Buttons[b.ID] = b
		s.touch()
		v := s.buttonV4(b)
		v["secret"] = b.Secret // only this once
		data(w, 201, v)
	})
	one := func(do func(w http.ResponseWriter, r *http.Request, b *Button)) http.HandlerFunc {
		return func(w http.ResponseWriter, r *http.Request) {
			s.mu.Lock()
			defer s.mu.Unlock()
			b := s.s.Buttons[r.PathValue("id")]
			if b == nil {
				notFoundV4(w)
				return
			}
			do(w, r, b)
		}
	}
	on("GET actions/{id}", one(func(w http.ResponseWriter, _ *http.Request, b *Button) { data(w, 200, s.buttonV4(b)) }))
	on("PATCH actions/{id}", one(func(w http.ResponseWriter, r *http.Request, b *Button) {
		in, ok := bodyV4(w, r, "active", "name", "description", "event", "url", "timeout", "multi_asset")
		if !ok {
			return
		}
		if detail, at := setButton(b, in, false); detail != "" {
			failV4(w, http.StatusUnprocessableEntity, detail, at)
			return
		}
		s.touch()
		data(w, 200, s.buttonV4(b))
	}))
	on("DELETE actions/{id}", one(func(w http.ResponseWriter, _ *http.Request, b *Button) {
		delete(s.s.Buttons, b.ID)
		s.touch()
		w.WriteHeader(http.StatusNoContent)
	}))
}

// Hooks returns copies of the account's webhooks.
func (s *Sim) Hooks() []Hook {
	s.mu.RLock()
	defer s.mu.RUnlock()
	var out []Hook
	for _, h := range values(s.s.Hooks, func(h *Hook) string { return h.TeamID + h.URL + h.ID }) {
		out = append(out, *h)
	}
	return out
}

// Buttons returns copies of the account's custom actions.
func (s *Sim) Buttons() []Button {
	s.mu.RLock()
	defer s.mu.RUnlock()
	var out []Button
	for _, b := range values(s.s.Buttons, func(b *Button) string { return b.TeamID + b.URL + b.ID }) {
		out = append(out, *b)
	}
	return out
}

// ChangeHooks calls change on each of the account's webhooks, and deletes those for which it returns false.
func (s *Sim) ChangeHooks(change func(*Hook) bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for id, h := range s.s.Hooks {
		if !change(h) {
			delete(s.s.Hooks, id)
		}
	}
	s.touch()
}

// ChangeButtons is ChangeHooks for custom actions.
func (s *Sim) ChangeButtons(change func(*Button) bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for id, b := range s.s.Buttons {
		if !change(b) {
			delete(s.s.Buttons, id)
		}
	}
	s.touch()
}

// Teams returns copies of the account's workspaces (legacy: teams).
func (s *Sim) Teams() []Team {
	s.mu.RLock()
	defer s.mu.RUnlock()
	var out []Team
	for _, t := range values(s.s.Teams, func(t *Team) string { return t.Name }) {
		out = append(out, *t)
	}
	return out
}

// Account returns the account's id.
func (s *Sim) Account() string { return s.s.Account }

// Change changes how Frame.io behaves from now on.
func (s *Sim) Change(change func(*Options)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	change(&s.o)
}
