package iconiksim

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"time"
)

var actionContexts = []string{"ASSET", "ASSET_SUBCLIP", "SHARED_ASSET", "COLLECTION", "SHARED_COLLECTION", "BULK", "SAVED_SEARCH", "NONE", "PLAYLIST", "SHARED_PLAYLIST"}

func (s *Sim) actionRoutes() {
	list := func(c *call) (int, any) {
		rows := slices.DeleteFunc(s.stored(kAction, ""), func(d doc) bool { return c.id("context") != "" && text(d, "context") != c.id("context") })
		if rows == nil {
			rows = []doc{}
		}
		return 200, doc{"objects": rows}
	}
	s.on("GET assets/v1/custom_actions", list)
	s.on("GET assets/v1/custom_actions/{context}", list)
	s.on("POST assets/v1/custom_actions/{context}", func(c *call) (int, any) {
		if f := required(c.body, "title", "url", "context"); f != "" {
			return invalid(f, "Missing data for required field.")
		}
		if !oneOf(c.body, "context", actionContexts...) || text(c.body, "context") != c.id("context") {
			return invalid("context", "Must be one of: "+strings.Join(actionContexts, ", "))
		}
		if !oneOf(c.body, "type", "POST", "OPEN", "PUBLISH") {
			return invalid("type", "Must be one of: POST, OPEN, PUBLISH")
		}
		return 201, s.newAction(c.body)
	})
	one := func(h func(c *call, d doc) (int, any)) handler {
		return func(c *call) (int, any) {
			d, ok := s.get(kAction, c.id("id"))
			if !ok || text(d, "context") != c.id("context") {
				return notFound("Custom action")
			}
			return h(c, d)
		}
	}
	s.on("GET assets/v1/custom_actions/{context}/{id}", one(func(_ *call, d doc) (int, any) { return 200, d }))
	edit := one(func(c *call, d doc) (int, any) {
		return 200, s.set(kAction, text(d, "id"), func(d doc) {
			take(d, c.body, "title", "url", "type", "headers", "app_id", "metadata_view", "disabled")
		})
	})
	s.on("PATCH assets/v1/custom_actions/{context}/{id}", edit)
	s.on("PUT assets/v1/custom_actions/{context}/{id}", edit)
	s.on("DELETE assets/v1/custom_actions/{context}/{id}", one(func(_ *call, d doc) (int, any) {
		s.drop(kAction, text(d, "id"))
		return 204, nil
	}))
	s.on("POST assets/v1/custom_actions/{context}/{id}/callback", one(func(c *call, d doc) (int, any) {
		values, _ := c.body["metadata_values"].(doc)
		s.click(d, c.user, texts(c.body["asset_ids"]), texts(c.body["collection_ids"]), values)
		return 200, doc{"redirect_url": nil}
	}))
}

func (s *Sim) newAction(b doc) doc {
	d := doc{"id": newID(), "title": "", "url": "", "context": "", "type": "POST", "headers": doc{}, "app_id": nil, "metadata_view": nil, "disabled": false, "status": "HEALTHY",
		"last_error": nil, "last_error_date": nil, "system_domain_id": s.domain, "date_created": now(), "date_modified": now()}
	take(d, b, "title", "url", "context", "type", "headers", "app_id", "metadata_view", "disabled")
	s.put(kAction, d)
	return d
}

// EnsureAction registers a custom action, or updates the one with its context and title, and returns its id.
func (s *Sim) EnsureAction(context, title, url, view string, headers map[string]string) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	h := doc{}
	for k, v := range headers {
		h[k] = v
	}
	for _, d := range s.stored(kAction, "") {
		if text(d, "context") == context && text(d, "title") == title {
			s.set(kAction, text(d, "id"), func(d doc) { d["url"], d["headers"] = url, h })
			return text(d, "id")
		}
	}
	b := doc{"title": title, "url": url, "context": context, "headers": h, "app_id": s.o.AppID}
	if view != "" {
		b["metadata_view"] = view
	}
	return text(s.newAction(b), "id")
}

// Click clicks a custom action, as a person would.
func (s *Sim) Click(action, user string, assets, collections []string, values map[string][]string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	d, ok := s.get(kAction, action)
	if !ok {
		return
	}
	form := doc{}
	for k, list := range values {
		rows := []doc{}
		for _, v := range list {
			rows = append(rows, doc{"value": v})
		}
		form[k] = doc{"field_values": rows}
	}
	s.click(d, user, assets, collections, form)
}

// click calls an action's service as iconik's task does: configured headers, the clicking user's token, ten seconds.
func (s *Sim) click(d doc, user string, assets, collections []string, values doc) {
	if assets == nil {
		assets = []string{}
	}
	if collections == nil {
		collections = []string{}
	}
	var form any
	if len(values) > 0 {
		form = values
	}
	token := ""
	for t, u := range s.tokens {
		if u == user && strings.HasPrefix(t, "user-") {
			token = t
		}
	}
	payload := doc{"user_id": user, "system_domain_id": s.domain, "context": d["context"], "action_id": d["id"], "asset_ids": assets, "collection_ids": collections,
		"saved_search_ids": []string{}, "metadata_view_id": d["metadata_view"], "metadata_values": form, "date_created": time.Now().UTC().Format("2006-01-02T15:04:05.000000"), "auth_token": token}
	s.wait.Add(1)
	go func() {
		defer s.wait.Done()
		err := s.send(text(d, "url"), d["headers"], payload)
		s.mu.Lock()
		defer s.mu.Unlock()
		if _, ok := s.get(kAction, text(d, "id")); !ok {
			return
		}
		s.set(kAction, text(d, "id"), func(d doc) {
			if d["status"] = "HEALTHY"; err != nil {
				d["status"], d["last_error"], d["last_error_date"] = "FAILING", err.Error(), now()
			}
		})
	}()
}

func (s *Sim) send(url string, headers any, payload doc) error {
	raw, err := json.Marshal(payload)
	if err != nil {
		return err
	}
	req, err := http.NewRequest(http.MethodPost, url, bytes.NewReader(raw))
	if err != nil {
		return err
	}
	req.Header.Set("Content-Type", "application/json")
	h, _ := headers.(doc)
	for k, v := range h {
		req.Header.Set(k, fmt.Sprint(v))
	}
	resp, err := s.client.Do(req)
	if err != nil {
		return errors.New("no answer within 10 seconds")
	}
	defer resp.Body.Close()
	_, _ = io.Copy(io.Discard, io.LimitReader(resp.Body, 1<<20))
	if resp.StatusCode >= 300 {
		return fmt.Errorf("status %d", resp.StatusCode)
	}
	return nil
}

const disableAfter = 5 * time.Hour
