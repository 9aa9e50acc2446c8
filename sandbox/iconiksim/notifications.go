package iconiksim

import (
	"maps"
	"strings"
	"time"

	"github.com/google/uuid"
)

func (s *Sim) webhookRoutes() {
	s.on("GET notifications/v1/webhooks", func(*call) (int, any) {
		rows := s.stored(kWebhook, "")
		if rows == nil {
			rows = []doc{}
		}
		return 200, doc{"objects": rows}
	})
	s.on("POST notifications/v1/webhooks", func(c *call) (int, any) {
		if f := required(c.body, "event_type", "url", "status"); f != "" {
			return invalid(f, "Missing data for required field.")
		}
		return 201, s.newWebhook(c.body)
	})
	s.on("GET notifications/v1/webhooks/{id}", func(c *call) (int, any) {
		d, ok := s.get(kWebhook, c.id("id"))
		if !ok {
			return notFound("Webhook")
		}
		return 200, d
	})
	s.on("PUT notifications/v1/webhooks/{id}", func(c *call) (int, any) {
		if _, ok := s.get(kWebhook, c.id("id")); !ok {
			return notFound("Webhook")
		}
		return 200, s.set(kWebhook, c.id("id"), func(d doc) { take(d, c.body, strings.Fields(webhookFields)...) })
	})
	s.on("DELETE notifications/v1/webhooks/{id}", func(c *call) (int, any) {
		if _, ok := s.get(kWebhook, c.id("id")); !ok {
			return notFound("Webhook")
		}
		s.drop(kWebhook, c.id("id"))
		return 204, nil
	})
}

const webhookFields = "event_type url status realm operation object_id headers query name description"

func (s *Sim) newWebhook(b doc) doc {
	d := doc{"id": newID(), "event_type": "", "url": "", "status": "ENABLED", "realm": nil, "operation": nil, "object_id": nil, "headers": doc{}, "query": nil, "name": nil, "description": nil,
		"last_payload": nil, "last_error": nil, "first_failed_at": nil, "deleted_at": nil, "date_created": now(), "date_modified": now()}
	take(d, b, strings.Fields(webhookFields)...)
	s.put(kWebhook, d)
	return d
}

// EnsureWebhook registers a webhook, or updates the one with its event type and realm.
func (s *Sim) EnsureWebhook(eventType, realm, url string, headers map[string]string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	h := doc{}
	for k, v := range headers {
		h[k] = v
	}
	for _, d := range s.stored(kWebhook, "") {
		if text(d, "event_type") == eventType && text(d, "realm") == realm {
			s.set(kWebhook, text(d, "id"), func(d doc) { d["url"], d["headers"], d["status"] = url, h, "ENABLED" })
			return
		}
	}
	s.newWebhook(doc{"event_type": eventType, "realm": realm, "url": url, "headers": h, "status": "ENABLED"})
}

// event delivers an event once to the webhooks that want it. The caller must hold the lock.
func (s *Sim) event(eventType, realm, operation, object, user string, data doc) {
	for _, h := range s.stored(kWebhook, "") {
		wants := func(field, v string) bool { w := text(h, field); return w == "" || w == "all" || w == v }
		status := text(h, "status")
		if status != "ENABLED" && status != "FAILING" || text(h, "event_type") != eventType || !wants("realm", realm) || !wants("operation", operation) || !wants("object_id", object) {
			continue
		}
		payload := doc{"system_domain_id": s.domain, "object_id": object, "user_id": user, "realm": realm, "operation": operation, "event_type": eventType, "data": maps.Clone(data),
			"request_id": strings.ReplaceAll(uuid.NewString(), "-", "")}
		s.wait.Add(1)
		go func() {
			defer s.wait.Done()
			err := s.send(text(h, "url"), h["headers"], payload)
			s.mu.Lock()
			defer s.mu.Unlock()
			if _, ok := s.get(kWebhook, text(h, "id")); !ok {
				return
			}
			s.set(kWebhook, text(h, "id"), func(d doc) { s.delivered(d, payload, err) })
		}()
	}
}

func (s *Sim) delivered(d, payload doc, err error) {
	d["last_payload"] = payload
	if err == nil {
		d["status"], d["first_failed_at"] = "ENABLED", nil
		return
	}
	d["last_error"] = err.Error()
	if text(d, "status") != "FAILING" {
		d["status"], d["first_failed_at"] = "FAILING", now()
		return
	}
	since, perr := time.Parse(time.RFC3339Nano, text(d, "first_failed_at"))
	if perr == nil && time.Since(since) > disableAfter {
		d["status"] = "DISABLED"
	}
}
