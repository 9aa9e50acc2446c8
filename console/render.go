package console

import (
	"bytes"
	"embed"
	"html/template"
	"io/fs"
	"net/http"
	"net/url"
	"path"
	"regexp"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/framebridge/framebridge/config"
	"github.com/framebridge/framebridge/english"
	"github.com/framebridge/framebridge/redact"
	"github.com/framebridge/framebridge/report"
	"github.com/framebridge/framebridge/signin"
)

//go:embed templates
var templateFiles embed.FS

// pages are the templates by name, each together with the layout.
type pages map[string]*template.Template

func loadPages(a assets) pages {
	funcs := template.FuncMap{
		"asset": a.url, "size": report.Size, "count": english.Count[int64], "scrub": redact.Scrub, "sentence": sentence,
		"join": func(list []string) string { return strings.Join(list, ", ") },
		"n":    func(n int) int64 { return int64(n) },
		"pair": func(values ...any) []any { return values },
	}
	out := pages{}
	names, _ := fs.Glob(templateFiles, "templates/*.html")
	for _, name := range names {
		if path.Base(name) == "layout.html" {
			continue
		}
		out[strings.TrimSuffix(path.Base(name), ".html")] = template.Must(template.New("layout.html").Funcs(funcs).ParseFS(templateFiles, "templates/layout.html", name))
	}
	return out
}

// page is what the layout shows around a page's own content.
type page struct {
	Title   string
	Section string // of the navigation
	Path    string // of the tenant's pages, "" outside a tenant
	Tenant  string
	Tenants []tenantLink
	Person  string
	Field   string // of the forms
	Token   string
	Admin   bool
	Act     bool   // the person may act
	Export  bool   // the person may export
	Done    string // what an action has done
	Warning string // what does not answer
	Topic   string // of live updates, "" for none
	Version string // of the topic's state when the page was made
	Body    any
}

// done are the sentences that a page shows after an action, by the code in its address.
var done = map[string]string{
	"started": "The archive was started. If another one of this tenant runs, it waits in the queue.", "retried": "The archive continues with what is missing.",
	"checks": "Framebridge checks now whether the originals are back.", "cancelled": "The archive is being cancelled. What is in iconik stays there.",
	"moved": "The order of the queue was changed.", "item": "The file is tried again.", "extended": "The review has a new expiry.",
	"stopped": "The review was stopped. Its link is off.", "synced": "A sync was started. New comments appear here when it is done.",
	"revoked": "The links in earlier e-mails no longer open.", "examining": "The check was started.", "listing": "The list of projects is being read again.",
}

// in makes a page in a tenant.
func (c *console) in(r *http.Request, v visit, section, title string) page {
	p := page{Title: title, Section: section, Path: Root + v.tenant.ID + "/", Tenant: v.tenant.Name, Tenants: c.tenantsOf(v.person),
		Admin: v.may(config.RoleAdmin), Act: v.may(config.RoleOperator), Export: v.may(config.RoleEditor), Done: done[r.URL.Query().Get("done")]}
	if !c.temporal.ready(r.Context()) {
		p.Warning = "Temporal does not respond. This page shows what the ledger knew last; nothing moves and no button works until Temporal is back."
	}
	return p
}

// show writes a page in whole, or an error.
func (c *console) show(w http.ResponseWriter, r *http.Request, status int, name string, p page) {
	if person, ok := signin.From(r.Context()); ok {
		p.Person = person.Name
		if p.Person == "" {
			p.Person = person.Email
		}
	}
	p.Field, p.Token = signin.FormField, signin.FormToken(r.Context())
	var b bytes.Buffer
	if err := c.pages[name].Execute(&b, p); err != nil {
		c.Log.ErrorContext(r.Context(), "a page of the console could not be rendered", "page", name, "error", err)
		http.Error(w, "This page could not be rendered; the log has the details.", http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.WriteHeader(status)
	_, _ = w.Write(withoutTurns.ReplaceAll(b.Bytes(), nil))
}

// withoutTurns are characters that turn the direction of all text behind them: a name must not do that to a page.
var withoutTurns = regexp.MustCompile("[\u202a-\u202e\u2066-\u2069]")

// problem says why there is no page.
func (c *console) problem(w http.ResponseWriter, r *http.Request, status int, text string) {
	p := page{Title: http.StatusText(status), Body: redact.Scrub(text)}
	if person, ok := signin.From(r.Context()); ok {
		if t, known := c.Config().Tenant(r.PathValue("tenant")); known && person.Allows(t.ID, config.RoleViewer) {
			p.Path, p.Tenant, p.Admin, p.Act = Root+t.ID+"/", t.Name, person.Allows(t.ID, config.RoleAdmin), person.Allows(t.ID, config.RoleOperator)
		}
	}
	c.show(w, r, status, "problem", p)
}

var plainWord = regexp.MustCompile(`^\p{Ll}\p{L}*([ ,:;]|\.( |$)|$)`)

// sentence is a reason as people read it: without secrets, with a capital letter and a full stop. Names, paths and addresses
// stay as they are.
func sentence(text string) string {
	text = strings.TrimSpace(redact.Scrub(text))
	if text == "" {
		return ""
	}
	if plainWord.MatchString(text) && !strings.HasPrefix(text, "iconik") && !strings.Contains(strings.Fields(text)[0], "://") {
		first, size := utf8.DecodeRuneInString(text)
		text = string(unicode.ToUpper(first)) + text[size:]
	}
	if !strings.ContainsAny(text[len(text)-1:], ".!?") {
		text += "."
	}
	return text
}

// moment is a time as the pages show it: what a machine reads, what a person reads, and how far away it is.
type moment struct{ Machine, Text, Ago string }

func (c *console) moment(t time.Time) moment {
	if t.IsZero() {
		return moment{}
	}
	m := moment{Machine: t.UTC().Format(time.RFC3339), Text: t.UTC().Format("January 2, 2006, 15:04 UTC")}
	switch d := c.Now().Sub(t); {
	case d < -time.Minute:
		m.Ago = "in " + english.Duration(coarse(-d))
	case d < time.Minute:
		m.Ago = "now"
	default:
		m.Ago = english.Duration(coarse(d)) + " ago"
	}
	return m
}

// coarse leaves out what nobody reads of a long time.
func coarse(d time.Duration) time.Duration {
	for _, unit := range []time.Duration{24 * time.Hour, time.Hour} {
		if d >= 2*unit {
			return d.Truncate(unit)
		}
	}
	return d.Truncate(time.Minute)
}

// address puts values that are not empty behind a path.
func address(path string, values ...string) string {
	q := url.Values{}
	for i := 0; i+1 < len(values); i += 2 {
		if values[i+1] != "" {
			q.Set(values[i], values[i+1])
		}
	}
	if len(q) == 0 {
		return path
	}
	return path + "?" + q.Encode()
}

// web is an address that a page may link to: vendors' texts may hold others.
func web(address string) string {
	if u, err := url.Parse(address); err == nil && (u.Scheme == "https" || u.Scheme == "http") && u.Host != "" && u.User == nil {
		return address
	}
	return ""
}
