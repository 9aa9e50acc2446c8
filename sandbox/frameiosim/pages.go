package frameiosim

import (
	"crypto/subtle"
	_ "embed"
	"encoding/json"
	"html/template"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/framebridge/framebridge/sandbox/frameiosim/drawings"
	"github.com/framebridge/framebridge/sandbox/ui"
)

//go:embed pages.html
var pagesSource string

var pages = template.Must(template.New("").Funcs(ui.Funcs).Funcs(template.FuncMap{"label": labelWords, "stored": storedWords}).Parse(pagesSource))

// StatusOf returns a file's status as the reviewer's page shows it.
func (s *Sim) StatusOf(file string) string {
	s.mu.RLock()
	defer s.mu.RUnlock()
	a, ok := s.live(file)
	if !ok {
		return ""
	}
	return labelWords(a.Label)
}

// labelWords returns a status in words for people.
func labelWords(label string) string {
	return map[string]string{"none": "No status", "in_progress": "In progress", "needs_review": "Needs review", "approved": "Approved"}[label]
}

// storedWords returns in words where a project's originals are, or "" if they are where they usually are.
func storedWords(status string) string {
	return map[string]string{"archiving": "moving to cold storage", "archived": "originals in cold storage", "unarchiving": "being restored from cold storage"}[status]
}

func render(w http.ResponseWriter, name string, v any) {
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	_ = pages.ExecuteTemplate(w, name, v)
}

// SetHome sets the URL of the sandbox's own page, to which these pages link back.
func (s *Sim) SetHome(url string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.home = url
}

// shortURL returns the link to a share: the reviewer's page of this simulator, if it knows its own address.
func (s *Sim) shortURL(sh *Share) string {
	if s.o.PublicURL != "" && sh.Kind == "review_link" {
		return s.o.PublicURL + "/review/" + sh.ID
	}
	return "https://f.io/" + sh.ID[:8]
}

func (s *Sim) reviewPages(m *http.ServeMux) {
	m.HandleFunc("GET /review/{id}", s.reviewPage)
	m.HandleFunc("GET /review/{id}/media/{file}", s.reviewMedia)
	m.HandleFunc("POST /review/{id}/enter", s.enter)
	m.HandleFunc("POST /review/{id}/comment", s.reviewForm(s.commentForm))
	m.HandleFunc("POST /review/{id}/label", s.reviewForm(func(_ http.ResponseWriter, r *http.Request) { s.Label(r.FormValue("file"), r.FormValue("label")) }))
	m.HandleFunc("POST /review/{id}/complete", s.reviewForm(func(_ http.ResponseWriter, r *http.Request) {
		s.Complete(r.FormValue("comment"), r.FormValue("done") == "true")
	}))
	m.HandleFunc("POST /review/{id}/delete", s.reviewForm(func(_ http.ResponseWriter, r *http.Request) { s.Unsay(r.FormValue("comment")) }))
}

type pageNode struct {
	Name, Type, Detail string
	Comments           int
	Children           []pageNode
}

type pageProject struct {
	Project
	Team     string
	Tree     pageNode
	Files    int
	Proposed string // name
	Links    []*Share
}

func (s *Sim) node(a *Asset, files *int) pageNode {
	n := pageNode{Name: a.Name, Type: a.Type, Comments: len(s.threads[a.ID])}
	if a.Type == "file" {
		*files++
		n.Detail = a.Filetype + ", " + strconv.FormatInt(a.Size, 10) + " bytes"
		if a.FPS > 0 {
			n.Detail += ", " + strconv.FormatFloat(a.FPS, 'f', -1, 64) + " fps"
		}
		return n
	}
	shown := 0
	for _, id := range s.kids[a.ID] {
		kid := s.s.Assets[id]
		if kid.Deleted != nil {
			continue
		}
		below := s.node(kid, files)
		if shown++; shown <= mostShown {
			n.Children = append(n.Children, below)
		}
	}
	if shown > mostShown {
		n.Children = append(n.Children, pageNode{Name: "… " + strconv.Itoa(shown-mostShown) + " more"})
	}
	return n
}

const mostShown = 200 // of a folder

func (s *Sim) page(w http.ResponseWriter, _ *http.Request) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	v := struct {
		Home     string
		Projects []pageProject
	}{Home: s.home}
	for _, p := range values(s.s.Projects, func(p *Project) string { return p.Name }) {
		pp := pageProject{Project: *p, Team: s.s.Teams[p.TeamID].Name, Proposed: p.Name}
		if !strings.HasSuffix(p.Name, "Archived") {
			pp.Proposed += " - Archived"
		}
		pp.Tree = s.node(s.s.Assets[p.RootID], &pp.Files)
		pp.Links = slices.DeleteFunc(values(s.s.Shares, func(sh *Share) string { return sh.Name }), func(sh *Share) bool {
			return sh.ProjectID != p.ID || sh.Kind != "review_link" || sh.Deleted != nil
		})
		v.Projects = append(v.Projects, pp)
	}
	render(w, "projects", v)
}

type reviewFile struct {
	*Asset
	Version  int
	Comments []pageComment
}

type pageComment struct {
	Comment
	Author  string
	Drawing template.HTML
}

// Media returns the URL from which the page shows the file, or "" if it has no picture yet.
func (f reviewFile) Media(share string) string {
	if f.Key == "" {
		return ""
	}
	return "/review/" + share + "/media/" + f.ID
}

// Mark returns the watermark that a reviewer sees on the picture.
func (f reviewFile) Mark() string {
	if f.Watermarked {
		return "CONFIDENTIAL"
	}
	return ""
}

// picture returns the frame that a comment is about, with its drawing.
func (f reviewFile) picture(share string, c Comment) template.HTML {
	m := ui.Media{URL: f.Media(share), Type: f.Filetype, Watermark: f.Mark()}
	if c.Timestamp != nil && f.FPS > 0 {
		m.Seconds = (float64(*c.Timestamp) + 0.5) / f.FPS // the middle of the frame, because its edges belong to two frames
	}
	return ui.Picture(m, c.Timestamp != nil, drawings.Marks(c.Annotation))
}

// reviewMedia redirects to a shared file's bytes, as long as the link is open.
func (s *Sim) reviewMedia(w http.ResponseWriter, r *http.Request) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	sh, ok := s.s.Shares[r.PathValue("id")]
	if !ok || sh.visible(time.Now()) != "" || sh.locked(r) {
		http.NotFound(w, r)
		return
	}
	for _, f := range s.shared(sh) {
		if f.ID == r.PathValue("file") && f.Key != "" {
			http.Redirect(w, r, s.mediaURL(f.Key, f.Name), http.StatusTemporaryRedirect)
			return
		}
	}
	http.NotFound(w, r)
}

// visible returns why a link cannot be opened, or "" if it can.
func (sh *Share) visible(now time.Time) string {
	switch {
	case sh.Deleted != nil:
		return "This link was deleted."
	case sh.ExpiresAt != nil && now.After(*sh.ExpiresAt):
		return "This link has expired."
	case sh.Inactive:
		return "This link is turned off."
	}
	return ""
}

// locked reports whether the passphrase must still be entered.
func (sh *Share) locked(r *http.Request) bool {
	if sh.Password == "" {
		return false
	}
	c, err := r.Cookie("link-" + sh.ID)
	return err != nil || subtle.ConstantTimeCompare([]byte(c.Value), []byte(url.QueryEscape(sh.Password))) == 0
}

func (s *Sim) enter(w http.ResponseWriter, r *http.Request) {
	s.mu.RLock()
	sh, ok := s.s.Shares[r.PathValue("id")]
	right := ok && subtle.ConstantTimeCompare([]byte(r.FormValue("passphrase")), []byte(sh.Password)) == 1
	s.mu.RUnlock()
	to := "/review/" + r.PathValue("id")
	if right {
		http.SetCookie(w, &http.Cookie{Name: "link-" + sh.ID, Value: url.QueryEscape(r.FormValue("passphrase")), Path: "/review/", HttpOnly: true, SameSite: http.SameSiteLaxMode})
	} else {
		to += "?wrong=1"
	}
	http.Redirect(w, r, to, http.StatusSeeOther)
}

// reviewer returns who last commented in this browser.
func reviewer(r *http.Request) User {
	u := User{Name: "Rita Reviewer", Email: "rita@client.example"}
	if c, err := r.Cookie("reviewer"); err == nil {
		if v, err := url.ParseQuery(c.Value); err == nil {
			u.Name, u.Email = v.Get("name"), v.Get("email")
		}
	}
	return u
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
		Home, Closed, Wrong string
		Locked              bool
		Who                 User
		Files               []reviewFile
		Labels              []string
	}{Share: sh, Home: s.home, Closed: sh.visible(time.Now()), Who: reviewer(r), Labels: []string{"none", "in_progress", "needs_review", "approved"}}
	v.Locked = v.Closed == "" && sh.locked(r)
	if v.Locked && r.FormValue("wrong") != "" {
		v.Wrong = "Wrong passphrase."
	}
	if v.Closed == "" && !v.Locked {
		v.Files = s.shared(sh)
	}
	render(w, "review", v)
}

func (s *Sim) shared(sh *Share) []reviewFile {
	var out []reviewFile
	for _, id := range sh.Items {
		files := []string{id}
		if s.s.Assets[id].Type == "version_stack" {
			files = s.kids[id]
		}
		for i, f := range files {
			file := reviewFile{Asset: s.s.Assets[f], Version: i + 1}
			if file.Deleted != nil {
				continue
			}
			if file.Label == "" {
				file.Label = "none"
			}
			for _, id := range s.threads[f] {
				c := *s.s.Comments[id]
				p := pageComment{Comment: c, Drawing: file.picture(sh.ID, c)}
				for _, u := range []*User{c.Owner, c.Guest} {
					if u != nil {
						p.Author = u.Name
					}
				}
				file.Comments = append(file.Comments, p)
			}
			thread(file.Comments)
			out = append(out, file)
		}
	}
	return out
}

// thread sorts comments, each followed by its replies.
func thread(list []pageComment) {
	began := map[string]time.Time{}
	for _, c := range list {
		began[c.ID] = c.Inserted
	}
	first := func(c pageComment) time.Time {
		if at, ok := began[c.ParentID]; ok {
			return at
		}
		return c.Inserted
	}
	slices.SortStableFunc(list, func(a, b pageComment) int {
		if n := first(a).Compare(first(b)); n != 0 {
			return n
		}
		if a.ParentID == "" || b.ParentID == "" {
			return strings.Compare(a.ParentID, b.ParentID)
		}
		return a.Inserted.Compare(b.Inserted)
	})
}

func (s *Sim) reviewForm(do func(http.ResponseWriter, *http.Request)) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		s.mu.RLock()
		sh, ok := s.s.Shares[r.PathValue("id")]
		shut := ok && (sh.visible(time.Now()) != "" || sh.locked(r))
		s.mu.RUnlock()
		if !ok || shut {
			http.Error(w, "This review is closed for comments.", http.StatusForbidden)
			return
		}
		do(w, r)
		to := "/review/" + r.PathValue("id")
		if file := r.FormValue("file"); file != "" {
			to += "#f-" + url.PathEscape(file)
		}
		http.Redirect(w, r, to, http.StatusSeeOther)
	}
}

// commentForm posts a guest's comment.
func (s *Sim) commentForm(w http.ResponseWriter, r *http.Request) {
	name, email := strings.TrimSpace(r.FormValue("name")), strings.TrimSpace(r.FormValue("email"))
	c := Comment{AssetID: r.FormValue("file"), ParentID: r.FormValue("parent"), Text: strings.TrimSpace(r.FormValue("text")), Guest: &User{ID: "guest-" + email, Name: name, Email: email}}
	http.SetCookie(w, &http.Cookie{Name: "reviewer", Value: url.Values{"name": {name}, "email": {email}}.Encode(), Path: "/review/", HttpOnly: true, SameSite: http.SameSiteLaxMode})
	if n, err := strconv.ParseInt(r.FormValue("frame"), 10, 64); err == nil && n >= 0 {
		c.Timestamp = &n
	}
	if n, err := strconv.ParseInt(r.FormValue("frames"), 10, 64); err == nil && n > 1 {
		c.Duration = &n
	}
	var drawn []ui.Mark
	if json.Unmarshal([]byte(r.FormValue("shapes")), &drawn) == nil {
		c.Annotation = drawings.Annotation(drawn)
	}
	s.mu.RLock()
	_, ok := s.live(c.AssetID)
	s.mu.RUnlock()
	if ok && (c.Text != "" || c.Annotation != "") {
		s.Say(c)
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
