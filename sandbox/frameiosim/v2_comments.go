package frameiosim

import (
	"net/http"
	"slices"
)

func (s *Sim) commentJSON(c *Comment) map[string]any {
	v := map[string]any{"_type": "comment", "id": c.ID, "asset_id": c.AssetID, "parent_id": nullable(c.ParentID), "text": c.Text, "annotation": nullable(c.Annotation),
		"timestamp": nil, "duration": nil, "page": nil, "private": c.Private, "completed": c.Completed, "completed_at": nil, "completer_id": nil, "like_count": 0,
		"inserted_at": stamp(c.Inserted), "updated_at": stamp(c.Updated), "owner": nil, "owner_id": nil, "anonymous_user": nil, "anonymous_user_id": nil, "has_replies": false}
	if c.Timestamp != nil {
		v["timestamp"] = *c.Timestamp
	}
	if c.Duration != nil {
		v["duration"] = *c.Duration
	}
	if c.Page != nil {
		v["page"] = *c.Page
	}
	if c.Completed {
		v["completed_at"] = stamp(c.Updated)
	}
	if c.Owner != nil {
		v["owner"], v["owner_id"] = s.userJSON(*c.Owner), c.Owner.ID
	}
	if c.Guest != nil {
		v["anonymous_user"], v["anonymous_user_id"] = map[string]any{"id": c.Guest.ID, "name": c.Guest.Name, "email": c.Guest.Email}, c.Guest.ID
	}
	return v
}

func (s *Sim) listComments(w http.ResponseWriter, r *http.Request) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	if _, ok := s.s.Assets[r.PathValue("id")]; !ok {
		notFound(w)
		return
	}
	ids := s.threads[r.PathValue("id")]
	s.list(w, r, len(ids), func(i int) any { return s.commentJSON(s.s.Comments[ids[i]]) })
}

func (s *Sim) getComment(w http.ResponseWriter, r *http.Request) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	c, ok := s.s.Comments[r.PathValue("id")]
	if !ok {
		notFound(w)
		return
	}
	answer(w, 200, s.commentJSON(c))
}

func (s *Sim) createComment(kind string) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		var in struct {
			Text       string `json:"text"`
			Annotation string `json:"annotation"`
			Timestamp  *int64 `json:"timestamp"`
			Duration   *int64 `json:"duration"`
			Page       *int   `json:"page"`
			Private    bool   `json:"private"`
		}
		if !decode(w, r, &in) {
			return
		}
		c := Comment{AssetID: r.PathValue("id"), Text: in.Text, Annotation: in.Annotation, Timestamp: in.Timestamp, Duration: in.Duration, Page: in.Page, Private: in.Private}
		s.mu.RLock()
		if parent, ok := s.s.Comments[r.PathValue("id")]; kind == "reply" && ok {
			c.AssetID, c.ParentID = parent.AssetID, parent.ID
		}
		a, ok := s.s.Assets[c.AssetID]
		s.mu.RUnlock()
		switch {
		case !ok:
			notFound(w)
			return
		case in.Text == "" || a.Type != "file":
			fail(w, http.StatusUnprocessableEntity, "text is required, and the asset must be a file")
			return
		}
		answer(w, 200, s.shown(s.Say(c)))
	}
}

func (s *Sim) deleteComment(w http.ResponseWriter, r *http.Request) {
	s.mu.RLock()
	c, ok := s.s.Comments[r.PathValue("id")]
	s.mu.RUnlock()
	if !ok {
		notFound(w)
		return
	}
	v := s.shown(c)
	s.Unsay(c.ID)
	answer(w, 200, v)
}

func (s *Sim) completeComment(done bool) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		c, ok := s.Complete(r.PathValue("id"), done)
		if !ok {
			notFound(w)
			return
		}
		answer(w, 200, s.shown(c))
	}
}

// shown is commentJSON, locked.
func (s *Sim) shown(c *Comment) map[string]any {
	s.mu.RLock()
	defer s.mu.RUnlock()
	return s.commentJSON(c)
}

func (s *Sim) putComment(w http.ResponseWriter, r *http.Request) {
	var in map[string]any
	if !decode(w, r, &in) {
		return
	}
	for name := range in {
		if !slices.Contains([]string{"text", "annotation", "timestamp", "duration", "page", "private", "completed"}, name) {
			fail(w, http.StatusUnprocessableEntity, "unknown field "+name)
			return
		}
	}
	frame := func(v any) *int64 {
		if f, ok := v.(float64); ok {
			n := int64(f)
			return &n
		}
		return nil
	}
	ok := s.Edit(r.PathValue("id"), func(c *Comment) {
		if v, given := in["text"].(string); given {
			c.Text = v
		}
		if v, given := in["annotation"]; given {
			c.Annotation, _ = v.(string)
		}
		if v, given := in["timestamp"]; given {
			c.Timestamp = frame(v)
		}
		if v, given := in["duration"]; given {
			c.Duration = frame(v)
		}
	})
	if !ok {
		notFound(w)
		return
	}
	s.getComment(w, r)
}

func (s *Sim) listReplies(w http.ResponseWriter, r *http.Request) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	c, ok := s.s.Comments[r.PathValue("id")]
	if !ok {
		notFound(w)
		return
	}
	ids := slices.DeleteFunc(slices.Clone(s.threads[c.AssetID]), func(id string) bool { return s.s.Comments[id].ParentID != c.ID })
	s.list(w, r, len(ids), func(i int) any { return s.commentJSON(s.s.Comments[ids[i]]) })
}
