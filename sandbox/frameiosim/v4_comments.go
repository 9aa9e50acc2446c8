package frameiosim

import (
	"encoding/json"
	"math"
	"net/http"
	"slices"
	"strings"
	"time"
	"unicode/utf8"
)

// Point is a place in the picture, from 0 to 1.
type Point struct {
	X float64 `json:"x"`
	Y float64 `json:"y"`
}

// TextLink is a linked part of a comment's text.
type TextLink struct {
	Start int    `json:"start_index"`
	End   int    `json:"end_index"`
	Text  string `json:"text"`
	URL   string `json:"url"`
}

// Mention is a part of a comment's text that names a user.
type Mention struct {
	Start  int    `json:"start_index"`
	End    int    `json:"end_index"`
	Text   string `json:"text"`
	UserID string `json:"user_id"`
}

// Attachment is a file attached to a comment. It cannot be downloaded.
type Attachment struct {
	ID        string    `json:"id"`
	Name      string    `json:"name"`
	MediaType string    `json:"media_type"`
	Size      int64     `json:"file_size"`
	CreatedAt time.Time `json:"created_at"`
}

// Markup is a proposed change to a document's text.
type Markup struct {
	Kind      string `json:"text_review_annotation_type"`
	Selection string `json:"selection_text"`
	Suggested string `json:"suggested_text"`
	Bounds    []Box  `json:"bounds"`
}

// Box is where marked text is on its page.
type Box struct {
	X      float64 `json:"x"`
	Y      float64 `json:"y"`
	Width  float64 `json:"width"`
	Height float64 `json:"height"`
}

// rows turns a nil list into an empty one.
func rows[T any](list []T) []T {
	if list == nil {
		return []T{}
	}
	return list
}

func (s *Sim) commentV4(c *Comment, include string) map[string]any {
	v := map[string]any{"id": c.ID, "file_id": c.AssetID, "text": c.Text, "timestamp": nil, "duration": nil, "annotation": nullable(c.Annotation), "anchor": nil, "page": nil,
		"completed_at": nil, "completer_id": nullable(c.Completer), "text_edited_at": stampV4OrNull(c.EditedAt), "links": rows(c.Links), "mentions": rows(c.Mentions),
		"attachments": rows(c.Attachments), "text_review_annotation": nil, "created_at": stampV4(c.Inserted), "updated_at": stampV4(c.Updated)}
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
		v["completed_at"] = stampV4(c.Updated)
		if c.CompletedAt != nil {
			v["completed_at"] = stampV4(*c.CompletedAt)
		}
	}
	if c.Anchor != nil {
		v["anchor"] = c.Anchor
	}
	if c.Markup != nil {
		v["text_review_annotation"] = c.Markup
	}
	if strings.Contains(include, "owner") && (c.ParentID == "" || s.o.Replies == RepliesWithAuthors) {
		switch {
		case c.Owner != nil:
			owner := *c.Owner
			if s.o.AdobeOwners {
				owner.ID = strings.ToUpper(strings.ReplaceAll(owner.ID, "-", "")) + "@AdobeID"
			}
			v["owner"] = s.userV4(owner)
		case c.Guest != nil:
			v["owner"] = map[string]any{"id": nil, "name": c.Guest.Name, "email": c.Guest.Email, "avatar_url": nil, "active": nil}
		}
	}
	if strings.Contains(include, "replies") && c.ParentID == "" {
		replies := []any{}
		for _, id := range s.threads[c.AssetID] {
			if x := s.s.Comments[id]; x.ParentID == c.ID {
				replies = append(replies, s.commentV4(x, ""))
			}
		}
		v["replies"] = replies
	}
	return v
}

func (s *Sim) commentRoutesV4(on func(string, http.HandlerFunc)) {
	on("GET files/{id}/comments", func(w http.ResponseWriter, r *http.Request) {
		s.mu.RLock()
		defer s.mu.RUnlock()
		if a, ok := s.live(r.PathValue("id")); !ok || a.Type != "file" {
			notFoundV4(w)
			return
		}
		ids := slices.DeleteFunc(slices.Clone(s.threads[r.PathValue("id")]), func(id string) bool { return s.s.Comments[id].ParentID != "" })
		pageV4(w, r, 100, len(ids), func(i int) any { return s.commentV4(s.s.Comments[ids[i]], r.URL.Query().Get("include")) })
	})
	on("GET comments/{id}", func(w http.ResponseWriter, r *http.Request) {
		s.mu.RLock()
		defer s.mu.RUnlock()
		c, ok := s.s.Comments[r.PathValue("id")]
		if !ok || c.ParentID != "" && s.o.Replies == RepliesUnknown {
			notFoundV4(w)
			return
		}
		data(w, 200, s.commentV4(c, r.URL.Query().Get("include")))
	})
	fields := []string{"text", "timestamp", "duration", "annotation", "anchor", "page", "completed", "links", "text_review_annotation"}
	on("POST files/{id}/comments", func(w http.ResponseWriter, r *http.Request) {
		in, ok := bodyV4(w, r, append(fields, "attachments")...)
		if !ok {
			return
		}
		s.mu.RLock()
		a, there := s.live(r.PathValue("id"))
		s.mu.RUnlock()
		if !there || a.Type != "file" {
			notFoundV4(w)
			return
		}
		if in["text"] == nil {
			in["text"] = ""
		}
		if refusesComment(w, a, in) {
			return
		}
		c := Comment{AssetID: a.ID}
		c.takeV4(in)
		made := s.Say(c)
		s.mu.RLock()
		defer s.mu.RUnlock()
		data(w, 201, s.commentV4(made, ""))
	})
	on("PATCH comments/{id}", func(w http.ResponseWriter, r *http.Request) {
		in, ok := bodyV4(w, r, fields...)
		if !ok {
			return
		}
		if s.hidesReply(r.PathValue("id")) {
			notFoundV4(w)
			return
		}
		s.mu.RLock()
		c, ok := s.s.Comments[r.PathValue("id")]
		ok = ok && !refusesComment(w, s.s.Assets[c.AssetID], in)
		s.mu.RUnlock()
		switch {
		case c == nil:
			notFoundV4(w)
		case ok && s.Edit(c.ID, func(c *Comment) { c.takeV4(in) }):
			s.mu.RLock()
			defer s.mu.RUnlock()
			data(w, 200, s.commentV4(c, ""))
		}
	})
	on("DELETE comments/{id}", func(w http.ResponseWriter, r *http.Request) {
		if s.hidesReply(r.PathValue("id")) || !s.Unsay(r.PathValue("id")) {
			notFoundV4(w)
			return
		}
		w.WriteHeader(http.StatusNoContent)
	})
}

// refusesComment answers with an error and returns true if the API's document does not allow a comment's data on a file.
func refusesComment(w http.ResponseWriter, of *Asset, in map[string]any) bool {
	text, isText := in["text"].(string)
	drawing, _ := in["annotation"].(string)
	_, said := in["text"]
	wrong := ""
	switch {
	case said && (!isText || text == "" || utf8.RuneCountInString(text) > 40_000):
		wrong = "text"
	case in["timestamp"] != nil && of.AssetType != "stream":
		wrong = "timestamp"
	case in["duration"] != nil && in["timestamp"] == nil:
		wrong = "duration"
	case in["page"] != nil && of.Filetype != "application/pdf":
		wrong = "page"
	case len(drawing) > 200_000:
		wrong = "annotation"
	}
	for name, least := range map[string]float64{"timestamp": 0, "duration": 1, "page": 1} {
		if n, isNumber := in[name].(float64); isNumber && (n < least || n != math.Trunc(n)) {
			wrong = name
		}
	}
	if wrong != "" {
		failV4(w, http.StatusUnprocessableEntity, "Invalid value for "+wrong, "/data/"+wrong)
	}
	return wrong != ""
}

// How V4's calls by a comment's id may treat replies.
const (
	RepliesWithAuthors = "authors"
	RepliesUnknown     = "unknown"
)

func (s *Sim) hidesReply(id string) bool {
	s.mu.RLock()
	defer s.mu.RUnlock()
	c, ok := s.s.Comments[id]
	return ok && c.ParentID != "" && s.o.Replies == RepliesUnknown
}

// takeV4 applies a request to a comment.
func (c *Comment) takeV4(in map[string]any) {
	frame := func(v any) *int64 {
		if f, ok := v.(float64); ok {
			n := int64(f)
			return &n
		}
		return nil
	}
	if v, ok := in["text"].(string); ok {
		if now := time.Now().UTC(); c.Text != "" && c.Text != v {
			c.EditedAt = &now
		}
		c.Text = v
	}
	for name, into := range map[string]any{"anchor": &c.Anchor, "links": &c.Links, "text_review_annotation": &c.Markup} {
		if v, ok := in[name]; ok {
			encoded, _ := json.Marshal(v)
			_ = json.Unmarshal(encoded, into) // malformed: it stays as it was
		}
	}
	if v, ok := in["annotation"]; ok {
		c.Annotation, _ = v.(string)
	}
	if v, ok := in["timestamp"]; ok {
		c.Timestamp = frame(v)
	}
	if v, ok := in["duration"]; ok {
		c.Duration = frame(v)
	}
	if v, ok := in["completed"].(bool); ok {
		c.Completed = v
	}
	if v := frame(in["page"]); v != nil {
		n := int(*v)
		c.Page = &n
	}
}
