package frameiosim

import (
	_ "embed"
	"encoding/json"
	"html/template"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"
)

//go:embed review.html
var reviewHTML string

var reviewTemplate = template.Must(template.New("review").Parse(reviewHTML))

// shortURL is the link that is given out: the reviewer's page of this simulator where it knows its own address.
func (s *Sim) shortURL(sh *Share) string {
	if s.o.PublicURL != "" && sh.Kind == "review_link" {
		return s.o.PublicURL + "/review/" + sh.ID
	}
	return "https://f.io/" + sh.ID[:8]
}

func (s *Sim) reviewPages(m *http.ServeMux) {
	m.HandleFunc("GET /review/{id}", s.reviewPage)
	m.HandleFunc("POST /review/{id}/comment", s.reviewForm(s.commentForm))
	m.HandleFunc("POST /review/{id}/label", s.reviewForm(func(r *http.Request) { s.Label(r.FormValue("file"), r.FormValue("label")) }))
	m.HandleFunc("POST /review/{id}/complete", s.reviewForm(func(r *http.Request) { s.Complete(r.FormValue("comment"), r.FormValue("done") == "true") }))
	m.HandleFunc("POST /review/{id}/delete", s.reviewForm(func(r *http.Request) { s.Unsay(r.FormValue("comment")) }))
}

type reviewFile struct {
	*Asset
	Version  int
	Comments []Comment
}

// visible says why a link cannot be opened; "" when it can.
func (sh *Share) visible(now time.Time) string {
	switch {
	case sh.Deleted != nil:
		return "This link was deleted."
	case sh.Inactive:
		return "This link is switched off."
	case sh.ExpiresAt != nil && now.After(*sh.ExpiresAt):
		return "This link has expired."
	}
	return ""
}

func (s *Sim) reviewPage(w http.ResponseWriter, r *http.Request) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	sh, ok := s.s.Shares[r.PathValue("id")]
	if !ok {
		http.NotFound(w, r)
		return
	}
	v := struct {
		*Share
		Closed string
		Files  []reviewFile
		Labels []string
	}{Share: sh, Closed: sh.visible(time.Now()), Labels: []string{"none", "in_progress", "needs_review", "approved"}}
	for _, id := range sh.Items {
		a := s.s.Assets[id]
		files := []string{id}
		if a.Type == "version_stack" {
			files = s.kids[id]
		}
		for i, f := range files {
			file := reviewFile{Asset: s.s.Assets[f], Version: i + 1}
			if file.Deleted != nil {
				continue
			}
			for _, c := range s.threads[f] {
				file.Comments = append(file.Comments, *s.s.Comments[c])
			}
			slices.SortStableFunc(file.Comments, func(a, b Comment) int { return a.Inserted.Compare(b.Inserted) })
			v.Files = append(v.Files, file)
		}
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	_ = reviewTemplate.Execute(w, v)
}

func (s *Sim) reviewForm(do func(*http.Request)) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		s.mu.RLock()
		sh, ok := s.s.Shares[r.PathValue("id")]
		closed := ok && sh.visible(time.Now()) != ""
		s.mu.RUnlock()
		if !ok || closed {
			http.Error(w, "the link is closed", http.StatusForbidden)
			return
		}
		do(r)
		http.Redirect(w, r, "/review/"+r.PathValue("id"), http.StatusSeeOther)
	}
}

// commentForm posts a guest's comment.
func (s *Sim) commentForm(r *http.Request) {
	c := Comment{AssetID: r.FormValue("file"), ParentID: r.FormValue("parent"), Text: strings.TrimSpace(r.FormValue("text")),
		Guest: &User{ID: "guest-" + r.FormValue("email"), Name: r.FormValue("name"), Email: r.FormValue("email")}}
	if n, err := strconv.ParseInt(r.FormValue("frame"), 10, 64); err == nil {
		c.Timestamp = &n
	}
	if n, err := strconv.ParseInt(r.FormValue("frames"), 10, 64); err == nil && n > 1 {
		c.Duration = &n
	}
	if a := r.FormValue("annotation"); json.Valid([]byte(a)) && a != "[]" {
		c.Annotation = a
	}
	s.mu.RLock()
	_, ok := s.live(c.AssetID)
	s.mu.RUnlock()
	if ok && (c.Text != "" || c.Annotation != "") {
		s.Say(c)
	}
}
