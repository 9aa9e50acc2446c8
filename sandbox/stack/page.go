package stack

import (
	"context"
	_ "embed"
	"encoding/json"
	"html/template"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/framebridge/framebridge/clients/mail/mailtest"
	"github.com/framebridge/framebridge/english"
	"github.com/framebridge/framebridge/sandbox/ui"
)

//go:embed page.html
var pageSource string

var pageTemplate = template.Must(template.New("page").Funcs(ui.Funcs).Funcs(template.FuncMap{
	"when": when, "ended": func(status string) bool { return status == "expired" || status == "stopped" },
	"reviewWords": words(reviewWords), "archiveWords": words(archiveWords), "decisionWords": words(decisionWords),
}).Parse(pageSource))

// The API's states in words for people.
var (
	reviewWords = map[string]string{"preparing": "Preparing", "sending": "Sending to Frame.io", "open": "Open for comments", "expired": "Expired",
		"stopped": "Stopped", "deleted": "Ended, media deleted in Frame.io", "failed": "Failed"}
	archiveWords = map[string]string{"queued": "Queued", "running": "Archiving", "waiting": "Waiting for originals in cold storage", "verifying": "Comparing Frame.io and iconik",
		"verified": "Done: every file is in iconik", "verified_with_exceptions": "Done, with exceptions", "incomplete": "Incomplete", "failed": "Failed", "cancelled": "Canceled"}
	decisionWords = map[string]string{"approved": "approved", "needs_review": "needs review", "in_progress": "in progress", "none": "no decision yet"}
)

// words returns a state in words for people. An unknown one only loses its underscores.
func words(of map[string]string) func(string) string {
	return func(state string) string {
		if text, ok := of[strings.ToLower(state)]; ok {
			return text
		}
		return strings.ReplaceAll(state, "_", " ")
	}
}

// when returns a time in words for people.
func when(t *time.Time) string {
	if t == nil {
		return ""
	}
	text := t.UTC().Format("January 2, 2006, 15:04:05 UTC")
	switch d := time.Until(*t); {
	case d > 48*time.Hour:
		return text + ", in " + english.Duration(d.Truncate(24*time.Hour))
	case d > 2*time.Minute:
		return text + ", in " + english.Duration(d.Round(time.Minute))
	case d > 0:
		return text + ", in " + english.Duration(d)
	}
	return text
}

type archiveOnPage struct {
	ID      string `json:"id"`
	Status  string `json:"status"`
	Reason  string `json:"reason"`
	Project struct {
		Name string `json:"name"`
	} `json:"project"`
	Temporal string `json:"temporal_url"`
	Iconik   struct {
		Collection string `json:"collection_id"`
	} `json:"iconik"`
	Items itemsOnPage
}

type itemsOnPage struct{ Total, Copied, Verified, Skipped, Failed int64 }

// Steps returns the steps done. Each file has two: copying and verifying it.
func (i itemsOnPage) Steps() int64 { return i.Copied + i.Verified + 2*(i.Skipped+i.Failed) }

// Most returns the total number of steps.
func (i itemsOnPage) Most() int64 { return 2 * i.Total }

// Brought returns the number of files in iconik. The API's count of copied files includes verified ones.
func (i itemsOnPage) Brought() int64 { return i.Copied }

// page serves the sandbox's own page: where everything is, what runs, the mails, and a clock.
func (s *Stack) page() http.Handler {
	m := http.NewServeMux()
	m.HandleFunc("GET /{$}", s.home)
	m.HandleFunc("POST /console", s.openConsole)
	m.HandleFunc("POST /reviews/{id}/expire", s.button(s.Expire))
	m.HandleFunc("POST /reviews/{id}/delete", s.button(s.Delete))
	m.HandleFunc("GET /archives/{id}/{file}", s.pass("/archives/"))
	m.HandleFunc("GET /reviews/{id}/{file}", s.pass("/reviews/"))
	m.HandleFunc("GET /migrations/{id}/{file}", s.pass("/migrations/"))
	return http.NewCrossOriginProtection().Handler(m)
}

func (s *Stack) home(w http.ResponseWriter, r *http.Request) {
	v := struct {
		*Stack
		API, Problem string
		Archives     []archiveOnPage
		Reviews      []Review
		Mails        []mailtest.Message
	}{Stack: s, API: s.APIURL + Prefix, Problem: r.FormValue("problem"), Mails: s.Mail.Messages()}
	slices.Reverse(v.Mails)
	var err error
	if v.Reviews, err = s.Reviews(r.Context()); err == nil {
		var raw []byte
		var list struct{ Archives []archiveOnPage }
		if raw, _, err = s.Call(r.Context(), http.MethodGet, "/archives", ""); err == nil {
			err = json.Unmarshal(raw, &list)
		}
		v.Archives = list.Archives
	}
	if err != nil {
		v.Problem = "Framebridge is not responding: " + err.Error()
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	_ = pageTemplate.Execute(w, v)
}

func (s *Stack) button(press func(context.Context, string) error) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		to := "/"
		if err := press(r.Context(), r.PathValue("id")); err != nil {
			to += "?problem=" + url.QueryEscape(err.Error())
		}
		http.Redirect(w, r, to, http.StatusSeeOther)
	}
}

// pass shows a report or an export to a browser, which cannot send the bearer token.
func (s *Stack) pass(path string) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		raw, h, err := s.Call(r.Context(), http.MethodGet, path+url.PathEscape(r.PathValue("id"))+"/"+url.PathEscape(r.PathValue("file")), "")
		if err != nil {
			http.Error(w, err.Error(), http.StatusBadGateway)
			return
		}
		for _, name := range []string{"Content-Type", "Content-Disposition", "Content-Security-Policy", "X-Content-Type-Options"} {
			if v := h.Get(name); v != "" {
				w.Header().Set(name, v)
			}
		}
		_, _ = w.Write(raw)
	}
}
