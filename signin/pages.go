package signin

import (
	"bytes"
	"cmp"
	"crypto/sha256"
	_ "embed"
	"encoding/hex"
	"html/template"
	"net/http"
	"net/url"
	"time"

	"github.com/framebridge/framebridge/redact"
)

//go:embed pages/style.css
var style []byte

//go:embed pages/pages.html
var pagesText string

// stylePath changes with the style, so that browsers can cache it.
var stylePath = func() string {
	sum := sha256.Sum256(style)
	return "/ui/sign-in/style-" + hex.EncodeToString(sum[:6]) + ".css"
}()

var pages = template.Must(template.New("").Funcs(template.FuncMap{
	"style": func() string { return stylePath },
	"when":  func(t time.Time) string { return t.UTC().Format("January 2, 2006, 15:04 UTC") },
}).Parse(pagesText))

const policy = "default-src 'none'; style-src 'self'; img-src data:; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"

func serveStyle(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Type", "text/css; charset=utf-8")
	w.Header().Set("Cache-Control", "public, max-age=31536000, immutable")
	_, _ = w.Write(style)
}

// message is a page with a single message.
type message struct{ Title, Text, Link, LinkText string }

func (d *Desk) show(w http.ResponseWriter, r *http.Request, status int, m message) {
	m.Text = redact.Scrub(m.Text)
	d.render(w, r, status, "message", m)
}

func (d *Desk) render(w http.ResponseWriter, r *http.Request, status int, name string, data any) {
	var b bytes.Buffer
	if err := pages.ExecuteTemplate(&b, name, data); err != nil {
		d.Log.ErrorContext(r.Context(), "could not render a page", "page", name, "error", err)
		http.Error(w, "internal error; the log has the details", http.StatusInternalServerError)
		return
	}
	h := w.Header()
	h.Set("Content-Type", "text/html; charset=utf-8")
	h.Set("Content-Security-Policy", policy)
	h.Set("Cache-Control", "no-store")
	h.Set("Referrer-Policy", "same-origin") // with no-referrer, browsers would send forms without their origin
	h.Set("X-Content-Type-Options", "nosniff")
	w.WriteHeader(status)
	_, _ = w.Write(b.Bytes())
}

// signInPage offers the ways to sign in.
func (d *Desk) signInPage(w http.ResponseWriter, r *http.Request) {
	data := map[string]string{"To": localPath(r.URL.Query().Get("to"))}
	if issuer := d.Config().Auth.OIDC.Issuer; issuer != "" {
		data["Provider"] = issuer
		if u, err := url.Parse(issuer); err == nil {
			data["Provider"] = u.Host
		}
	}
	d.render(w, r, http.StatusOK, "sign-in", data)
}

// noRole tells a person who is identified but has no role.
func (d *Desk) noRole(w http.ResponseWriter, r *http.Request, p Person) {
	d.Refused(r.Context(), p, d.onlyTenant(), "", "has no role")
	d.show(w, r, http.StatusForbidden, message{Title: "No role in Framebridge", Text: "You are signed in as " + cmp.Or(p.Email, p.Name) +
		", but none of your groups has a role here. Ask your administrator to give one of your groups a role, then sign in again.", Link: "/ui/sign-in", LinkText: "Sign in again"})
}
