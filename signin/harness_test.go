package signin

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/url"
	"regexp"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/framebridge/framebridge/config"
	"github.com/framebridge/framebridge/ledger"
	"github.com/framebridge/framebridge/test/emptyledger"
	"github.com/framebridge/framebridge/test/logtest"
)

const (
	acme  = "0419e0c5-6fed-4b66-bf0f-f8a99d44bcd0"
	other = "11111111-2222-3333-4444-555555555555"
)

// harness is a desk behind a real HTTP server, in front of a console that says who is signed in.
type harness struct {
	t    *testing.T
	cfg  *config.Config
	book *ledger.Ledger
	desk *Desk
	url  string
	now  atomic.Int64
	logs *logtest.Text
}

func (h *harness) time() time.Time                 { return time.Unix(0, h.now.Load()).UTC() }
func (h *harness) pass(d time.Duration)            { h.now.Add(int64(d)) }
func (h *harness) tenant(id string) *config.Tenant { return h.cfg.Tenants[id] }

func newHarness(t *testing.T) *harness {
	t.Helper()
	book, err := ledger.Open(t.Context(), emptyledger.DSN(t))
	require.NoError(t, err)
	t.Cleanup(book.Close)
	h := &harness{t: t, book: book, logs: &logtest.Text{}, cfg: &config.Config{
		Ledger: config.Ledger{EncryptionKey: config.Secrets{"a secret of sixteen and more"}},
		Tenants: map[string]*config.Tenant{
			acme:  {ID: acme, Name: "Acme", Roles: map[string][]string{"viewer": {"everybody"}, "operator": {"post"}, "admin": {"it"}}},
			other: {ID: other, Name: "Other Studio", Roles: map[string][]string{"editor": {"post"}}},
		},
	}}
	h.now.Store(time.Now().UnixNano())
	h.desk = New(Deps{Config: func() *config.Config { return h.cfg }, Ledger: book, Now: h.time, Log: slog.New(slog.NewTextHandler(h.logs, nil)),
		Address: func(*http.Request) string { return "192.0.2.7" }})
	mux := http.NewServeMux()
	mux.Handle("/ui/", h.desk.Handler(http.HandlerFunc(h.console)))
	mux.HandleFunc("/l/{token}", func(w http.ResponseWriter, r *http.Request) {
		if o, ok := h.desk.Open(w, r, r.PathValue("token")); ok {
			h.desk.ShowPage(w, r, o, linkedPage)
		}
	})
	mux.HandleFunc("/l/{token}/{file}", func(w http.ResponseWriter, r *http.Request) {
		if o, ok := h.desk.Open(w, r, r.PathValue("token")); ok && h.desk.MayLoad(w, r, o, linkedPage.Files, r.PathValue("file")) {
			_, _ = io.WriteString(w, "the file "+r.PathValue("file"))
		}
	})
	server := httptest.NewServer(mux)
	t.Cleanup(server.Close)
	h.url, h.cfg.HTTP.PublicURL = server.URL, server.URL
	return h
}

// console says who is signed in, and shows a form.
func (h *harness) console(w http.ResponseWriter, r *http.Request) {
	p, _ := From(r.Context())
	if isStream(r) {
		w.WriteHeader(http.StatusOK)
		_ = http.NewResponseController(w).Flush()
		<-r.Context().Done()
		return
	}
	fmt.Fprintf(w, "%s %s %s token=%s.", r.Method, p.Name, p.Kind, FormToken(r.Context()))
	for _, id := range p.Tenants() {
		fmt.Fprintf(w, " %s=%s", h.tenant(id).Name, p.Roles[id])
	}
}

// browser returns a client that keeps cookies and follows redirects.
func (h *harness) browser() *http.Client {
	jar, err := cookiejar.New(nil)
	require.NoError(h.t, err)
	return &http.Client{Jar: jar}
}

type page struct {
	status int
	text   string
	header http.Header
	path   string
}

func (h *harness) send(c *http.Client, r *http.Request) page {
	h.t.Helper()
	answer, err := c.Do(r)
	require.NoError(h.t, err)
	defer answer.Body.Close()
	text, err := io.ReadAll(answer.Body)
	require.NoError(h.t, err)
	return page{answer.StatusCode, string(text), answer.Header, answer.Request.URL.RequestURI()}
}

func (h *harness) get(c *http.Client, path string) page {
	h.t.Helper()
	r, err := http.NewRequestWithContext(h.t.Context(), http.MethodGet, absolute(h.url, path), nil)
	require.NoError(h.t, err)
	return h.send(c, r)
}

func (h *harness) post(c *http.Client, path string, form url.Values, header ...string) page {
	h.t.Helper()
	r, err := http.NewRequestWithContext(h.t.Context(), http.MethodPost, absolute(h.url, path), strings.NewReader(form.Encode()))
	require.NoError(h.t, err)
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	for i := 0; i < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	return h.send(c, r)
}

func absolute(base, path string) string {
	if strings.HasPrefix(path, "http") {
		return path
	}
	return base + path
}

var tokenIn = regexp.MustCompile(`token=([\w-]+)`)

// token returns the token for the forms of a browser's session.
func (h *harness) token(c *http.Client) string {
	h.t.Helper()
	found := tokenIn.FindStringSubmatch(h.get(c, "/ui/").text)
	require.Len(h.t, found, 2)
	return found[1]
}

// oneTime signs in a new browser with a one-time link.
func (h *harness) oneTime(name string, roles map[string]config.Role) *http.Client {
	h.t.Helper()
	c := h.browser()
	address, err := OneTimeLink(h.t.Context(), h.cfg, h.book, name, roles, h.time())
	require.NoError(h.t, err)
	u, err := url.Parse(address)
	require.NoError(h.t, err)
	got := h.post(c, "/ui/sign-in/once", url.Values{"code": {u.Query().Get("code")}})
	require.Equal(h.t, http.StatusOK, got.status, got.text)
	return c
}

// audited returns a tenant's entries, as action, actor and reason or object.
func (h *harness) audited(tenant string) []string {
	h.t.Helper()
	entries, err := h.book.Tenant(tenant).AuditPage(context.WithoutCancel(h.t.Context()), ledger.AuditFilter{}, 0, 100)
	require.NoError(h.t, err)
	var out []string
	for _, e := range entries {
		require.Equal(h.t, "192.0.2.7", e.Actor.Address)
		require.Equal(h.t, ledger.ActorConsole, e.Actor.Kind)
		out = append(out, strings.TrimSpace(e.Action+" | "+e.Actor.Name+" | "+strings.TrimSpace(e.ObjectID+" "+e.Reason)))
	}
	return out
}
