package frameiosim

import (
	"bytes"
	"encoding/json"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/google/uuid"

	"github.com/framebridge/framebridge/clients/frameio"
)

const deliveries = 5 // attempts in total

// fire delivers an event to the project team's webhooks: ids only, signed for each attempt. Only a 200 counts.
func (s *Sim) fire(event, resourceType, resourceID, projectID string) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	p := s.s.Projects[projectID]
	scope := "team"
	if s.o.Generation == "v4" { // the same events by V4's names
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

// AddHook registers a webhook. If secret is empty, it makes one up.
func (s *Sim) AddHook(teamID, name, target, secret string, events ...string) *Hook {
	if secret == "" {
		secret = uuid.NewString() + uuid.NewString()
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, h := range s.s.Hooks {
		if h.URL == target && h.TeamID == teamID {
			h.Secret, h.Active = secret, true
			s.touch()
			return h
		}
	}
	h := &Hook{ID: uuid.NewString(), Name: name, URL: target, Secret: secret, TeamID: teamID, Events: events, Active: true}
	s.s.Hooks[h.ID] = h
	s.touch()
	return h
}
