package frameiosim

import (
	"bytes"
	"encoding/json"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/framebridge/framebridge/clients/frameio"
)

const deliveries = 5 // attempts in all

// fire delivers an event to the project's team's webhooks: ids only, signed anew each time, and only 200 counts.
func (s *Sim) fire(event, resourceType, resourceID, projectID string) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	p := s.s.Projects[projectID]
	scope := "team"
	if s.o.Generation == "v4" { // the same events under V4's names
		event = strings.Replace(event, "asset.label.updated", "metadata.value.updated", 1)
		event = strings.Replace(event, "asset.", "file.", 1)
		resourceType, scope = strings.Replace(resourceType, "asset", "file", 1), "workspace"
	}
	payload := map[string]any{"type": event, "resource": map[string]string{"type": resourceType, "id": resourceID},
		"project": map[string]string{"id": projectID}, scope: map[string]string{"id": p.TeamID}, "user": map[string]string{"id": s.s.User.ID}}
	if scope == "workspace" {
		payload["account"] = map[string]string{"id": s.s.Account}
	}
	body, err := json.Marshal(payload)
	if err != nil {
		return
	}
	for _, h := range s.s.Hooks {
		if h.Active && h.TeamID == p.TeamID && slices.Contains(h.Events, event) {
			s.wait.Add(1)
			go s.deliver(*h, body)
		}
	}
}

func (s *Sim) deliver(h Hook, body []byte) {
	defer s.wait.Done()
	wait := s.o.Backoff
	for range deliveries {
		ts := strconv.FormatInt(time.Now().Unix(), 10)
		req, err := http.NewRequest(http.MethodPost, h.URL, bytes.NewReader(body))
		if err != nil {
			return
		}
		req.Header.Set("Content-Type", "application/json")
		req.Header.Set("User-Agent", "Frame.io Legacy API")
		req.Header.Set("X-Frameio-Request-Timestamp", ts)
		req.Header.Set("X-Frameio-Signature", frameio.Sign(h.Secret, ts, body))
		resp, err := s.client.Do(req)
		if err == nil {
			resp.Body.Close()
			if resp.StatusCode == http.StatusOK {
				return
			}
		}
		time.Sleep(wait)
		wait *= 2
	}
}

func (s *Sim) renameForm(w http.ResponseWriter, r *http.Request) {
	s.mu.RLock()
	_, ok := s.s.Projects[r.FormValue("project")]
	s.mu.RUnlock()
	if !ok || strings.TrimSpace(r.FormValue("name")) == "" {
		http.Error(w, "no such project, or no name", http.StatusBadRequest)
		return
	}
	s.Rename(r.FormValue("project"), r.FormValue("name"))
	http.Redirect(w, r, "/", http.StatusSeeOther)
}

func (s *Sim) archiveForm(w http.ResponseWriter, r *http.Request) {
	s.mu.RLock()
	_, ok := s.s.Projects[r.FormValue("project")]
	s.mu.RUnlock()
	status := r.FormValue("status")
	if !ok || status != "archived" && status != "standard" {
		http.Error(w, "no such project, or no such state", http.StatusBadRequest)
		return
	}
	s.Archive(r.FormValue("project"), status)
	http.Redirect(w, r, "/", http.StatusSeeOther)
}
