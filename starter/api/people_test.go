package api

import (
	"encoding/base64"
	"encoding/json"
	"io"
	"log/slog"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/mock"
	"github.com/stretchr/testify/require"
	"go.temporal.io/api/serviceerror"

	"github.com/framebridge/framebridge/config"
	"github.com/framebridge/framebridge/ledger"
	"github.com/framebridge/framebridge/ledger/chain"
	"github.com/framebridge/framebridge/routes"
	"github.com/framebridge/framebridge/signin"
	"github.com/framebridge/framebridge/test/logtest"
)

// A route that is missing in this list has no role yet.
func TestEveryRouteHasItsRole(t *testing.T) {
	want := map[string]config.Role{
		"GET /archives": config.RoleViewer, "GET /archives/:id": config.RoleViewer, "GET /archives/:id/items": config.RoleViewer, "GET /archives/:id/failures": config.RoleViewer,
		"GET /archives/:id/:report": config.RoleViewer, "GET /reviews": config.RoleViewer, "GET /reviews/:id": config.RoleViewer,
		"GET /reviews/:id/:file": config.RoleEditor,
		"POST /archives":         config.RoleOperator, "POST /archives/:id/retry": config.RoleOperator, "POST /archives/:id/cancel": config.RoleOperator,
		"POST /reviews/:id/extend": config.RoleOperator, "POST /reviews/:id/stop": config.RoleOperator, "POST /reviews/:id/sync": config.RoleOperator,
		"POST /archives/:id/items/:source_id/retry": config.RoleOperator, "POST /archives/:id/position": config.RoleOperator,
		"GET /mirrors": config.RoleViewer, "POST /mirrors": config.RoleOperator, "POST /mirrors/:name/run": config.RoleOperator, "POST /mirrors/:name/pause": config.RoleOperator,
		"POST /mirrors/:name/resume": config.RoleOperator, "POST /mirrors/:name/stop": config.RoleOperator,
		"GET /migrations": config.RoleOperator, "POST /migrations": config.RoleOperator, "GET /migrations/:id": config.RoleOperator, "GET /migrations/:id/projects": config.RoleOperator,
		"GET /migrations/:id/:report": config.RoleOperator, "POST /migrations/:id/pause": config.RoleOperator, "POST /migrations/:id/resume": config.RoleOperator,
		"POST /migrations/:id/cancel": config.RoleOperator, "POST /migrations/:id/order": config.RoleOperator, "POST /migrations/:id/add": config.RoleOperator,
		"GET /doctor": config.RoleOperator, "GET /audit": config.RoleAdmin, "GET /deliveries": config.RoleOperator,
		"GET /archives/:id/reclaim": config.RoleViewer, "GET /archives/:id/reclaim/:file": config.RoleViewer, "POST /archives/:id/reclaim": config.RoleAdmin, "POST /archives/:id/reclaim/approve": config.RoleAdmin,
		"POST /archives/:id/reclaim/pause": config.RoleAdmin, "POST /archives/:id/reclaim/resume": config.RoleAdmin, "POST /archives/:id/reclaim/cancel": config.RoleAdmin,
	}
	f := newTestServer(t)
	f.Config().Tenants[tenantA].APIKeys = []config.APIKey{
		{Name: "viewer", Key: "key of viewer", Role: config.RoleViewer}, {Name: "editor", Key: "key of editor", Role: config.RoleEditor},
		{Name: "operator", Key: "key of operator", Role: config.RoleOperator}, {Name: "admin", Key: "key of admin", Role: config.RoleAdmin},
	}
	f.noTemporal()
	f.temporal.On("ListWorkflow", mock.Anything, mock.Anything).Return(nil, serviceerror.NewUnavailable("down"))
	for _, route := range f.engine.Routes() {
		path, ours := strings.CutPrefix(route.Path, routes.Prefix)
		if !ours || strings.Contains(path, "/webhooks/") || strings.Contains(path, "/actions/") {
			continue // the vendors', which check their secrets
		}
		role, known := want[route.Method+" "+path]
		if !assert.True(t, known, "%s %s has no role in this test", route.Method, path) {
			continue
		}
		delete(want, route.Method+" "+path)
		for _, key := range []config.Role{config.RoleViewer, config.RoleEditor, config.RoleOperator, config.RoleAdmin} {
			if key.Covers(role) {
				continue // tested together with what it does
			}
			resp, problem := f.ask(ask{method: route.Method, path: strings.NewReplacer(":id", project, ":report", "report.csv", ":source_id", "x", ":file", "comments.csv", ":name", "nightly").Replace(route.Path),
				header: map[string]string{"Authorization": "Bearer key of " + string(key)}})
			assert.Equal(t, http.StatusForbidden, resp.StatusCode, "%s %s as %s", route.Method, path, key)
			assert.Equal(t, "application/problem+json", resp.Header.Get("Content-Type"))
			assert.Contains(t, problem["detail"], "this needs the role "+string(role))
		}
	}
	assert.Empty(t, want, "these routes are gone")
}

func TestRefusalsOfKeysAreInTheAudit(t *testing.T) {
	f := newTestServer(t)
	f.Config().Tenants[tenantA].APIKeys = []config.APIKey{
		{Name: "wall", Key: "key of the wall", Role: config.RoleViewer},
		{Name: "old", Key: "key of once", Role: config.RoleAdmin, Expires: time.Date(2026, 1, 31, 0, 0, 0, 0, time.UTC)},
	}
	f.noTemporal()
	for _, a := range []struct{ key, path string }{
		{"the wall", "/archives?tenant-id=" + tenantB}, {"the wall", "/doctor"}, {"the wall", "/doctor"}, {"once", "/archives"}, {"nobody", "/archives"},
	} {
		f.ask(ask{method: "GET", path: routes.Prefix + a.path, header: map[string]string{"Authorization": "Bearer key of " + a.key}})
	}
	entries, err := f.Ledger.Tenant(tenantA).AuditPage(t.Context(), ledger.AuditFilter{}, 0, 10)
	require.NoError(t, err)
	var got []string
	for _, e := range entries {
		assert.Equal(t, signin.ActionRefused, e.Action)
		assert.Equal(t, "192.0.2.1", e.Actor.Address)
		got = append(got, e.Actor.Key+": "+e.Reason)
	}
	assert.Equal(t, []string{"wall: the key asked for another tenant", "wall: GET " + routes.Prefix + "/doctor needs the role operator; the key has the role viewer",
		"old: the key expired on 2026-01-31"}, got, "the same is recorded once a minute")
	entries, err = f.Ledger.Tenant(tenantB).AuditPage(t.Context(), ledger.AuditFilter{}, 0, 10)
	require.NoError(t, err)
	assert.Empty(t, entries)
}

// inBrowser is a starter with a real server, and a person's browser.
type inBrowser struct {
	*testServer
	url    string
	client *http.Client
	logs   *logtest.Text
}

func newBrowser(t *testing.T) *inBrowser {
	t.Helper()
	f := &inBrowser{testServer: newTestServer(t), logs: &logtest.Text{}}
	f.Log = slog.New(slog.NewTextHandler(f.logs, nil))
	f.engine, _ = f.routes()
	f.Config().Ledger.EncryptionKey = config.Secrets{"a secret of sixteen and more"}
	server := httptest.NewServer(f.engine)
	t.Cleanup(server.Close)
	jar, err := cookiejar.New(nil)
	require.NoError(t, err)
	f.url, f.client = server.URL, &http.Client{Jar: jar}
	f.Config().HTTP.PublicURL = server.URL
	f.noTemporal()
	return f
}

func (f *inBrowser) get(address string) (int, string, *http.Response) {
	f.t.Helper()
	r, err := http.NewRequestWithContext(f.t.Context(), http.MethodGet, address, nil)
	require.NoError(f.t, err)
	resp, err := f.client.Do(r)
	require.NoError(f.t, err)
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	require.NoError(f.t, err)
	return resp.StatusCode, string(text), resp
}

func TestTheConsoleIsBehindTheSignIn(t *testing.T) {
	f := newBrowser(t)
	_, text, resp := f.get(f.url)
	assert.Equal(t, "/ui/sign-in", resp.Request.URL.Path)
	assert.Contains(t, text, "starter console")
	assert.Contains(t, resp.Header.Get("Content-Security-Policy"), "form-action 'self'")

	address, err := signin.OneTimeLink(t.Context(), f.Config(), f.Ledger, "sam", map[string]config.Role{tenantA: config.RoleOperator}, time.Now())
	require.NoError(t, err)
	status, text, _ := f.get(address)
	assert.Equal(t, http.StatusOK, status)
	assert.Contains(t, text, "Sign in as sam")
	u, err := url.Parse(address)
	require.NoError(t, err)
	r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, f.url+"/ui/sign-in/once", strings.NewReader(u.RawQuery))
	require.NoError(t, err)
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	again, err := f.client.Do(r)
	require.NoError(t, err)
	require.NoError(t, again.Body.Close())
	assert.Equal(t, "/ui/"+tenantA+"/archives", again.Request.URL.Path)
	assert.Equal(t, http.StatusOK, again.StatusCode)
	status, text, _ = f.get(f.url + "/ui/" + tenantA + "/archives")
	assert.Equal(t, http.StatusOK, status)
	assert.Contains(t, text, "Temporal is not responding.")
	status, _, _ = f.get(f.url + "/ui/" + tenantB + "/archives")
	assert.Equal(t, http.StatusNotFound, status, "another tenant's pages do not exist")

	entries, err := f.Ledger.Tenant(tenantA).AuditPage(t.Context(), ledger.AuditFilter{}, 0, 10)
	require.NoError(t, err)
	require.Len(t, entries, 1)
	assert.Equal(t, ledger.Actor{Kind: ledger.ActorConsole, Name: "sam", Address: "127.0.0.1"}, entries[0].Actor)
	assert.NotContains(t, f.logs.String(), u.Query().Get("code"))
}

// signed returns a link's path.
func (f *inBrowser) signed(kind, id string, role config.Role) string {
	f.t.Helper()
	address, err := routes.SignLink(f.Config(), routes.Link{Tenant: tenantA, Kind: kind, ID: id, Role: role, Expires: time.Now().Add(time.Hour)})
	require.NoError(f.t, err)
	return address
}

// withPosters returns the URL of an iconik with a picture of each asset.
func withPosters(t *testing.T) string {
	pixel, err := base64.StdEncoding.DecodeString("iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==")
	require.NoError(t, err)
	m := http.NewServeMux()
	server := httptest.NewServer(m)
	t.Cleanup(server.Close)
	m.HandleFunc("GET /poster", func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write(pixel) })
	m.HandleFunc("/", func(w http.ResponseWriter, _ *http.Request) {
		_, _ = io.WriteString(w, `{"objects":[{"type":"POSTER","url":"`+server.URL+`/poster?X-Amz-Signature=deadbeef"}]}`)
	})
	return server.URL
}

func TestALinkShowsAnArchive(t *testing.T) {
	f := newBrowser(t)
	f.Config().Tenants[tenantA].Iconik.BaseURL = withPosters(t)
	book := f.Ledger.Tenant(tenantA).Archive(project)
	_, _, err := book.Request(t.Context(), "", time.Now())
	require.NoError(t, err)
	_, err = book.Update(t.Context(), func(r *ledger.Archive) {
		r.Name, r.Status, r.Reason, r.CollectionID = "Harbour & Sons", ledger.VerifiedWithExceptions, "2 files were skipped.", "c0ffee"
		r.ProjectURL = "https://next.frame.io/project/1"
	})
	require.NoError(t, err)
	link := f.signed("archive", project, config.RoleViewer)
	status, text, _ := f.get(link)
	require.Equal(t, http.StatusOK, status, text)
	for _, part := range []string{"Harbour &amp; Sons", "verified with exceptions", "2 files were skipped.", "https://next.frame.io/project/1", "/report.html"} {
		assert.Contains(t, text, part)
	}
	for file, kind := range map[string]string{"report.html": "text/html", "report.csv": "text/csv", "report.json": "application/json", "report.mhl": "application/xml"} {
		status, _, resp := f.get(link + "/" + file)
		assert.Equal(t, http.StatusOK, status, file)
		assert.Contains(t, resp.Header.Get("Content-Type"), kind)
	}
	_, err = book.BeginScan(t.Context())
	require.NoError(t, err)
	require.NoError(t, book.PutFolders(t.Context(), []ledger.Folder{{SourceID: "root", Scan: 1}}))
	require.NoError(t, book.PageListed(t.Context(), "root", 1, "", nil, []ledger.Item{{SourceID: "f1", AssetKey: "f1", FolderID: "root", Version: 1, Versions: 1, Scan: 1, Path: "a.mov", State: ledger.ItemVerified, AssetID: "as-1", VersionID: "ve-1"}}, true))
	require.NoError(t, book.FinishScan(t.Context(), 1))
	_, text, resp := f.get(link + "/report.html")
	assert.Contains(t, text, `<img src="thumbs/f1"`)
	assert.Contains(t, resp.Header.Get("Content-Security-Policy"), "img-src 'self'")
	status, text, resp = f.get(link + "/thumbs/f1")
	assert.Equal(t, http.StatusOK, status, text)
	assert.Equal(t, "image/png", resp.Header.Get("Content-Type"))
	for _, none := range []string{link + "/thumbs/f2", f.signed("archive", "another", config.RoleViewer) + "/thumbs/f1", f.signed("review", project, config.RoleViewer) + "/thumbs/f1"} {
		status, _, _ = f.get(none)
		assert.Equal(t, http.StatusNotFound, status)
	}
	_, text, _ = f.get(link + "/report.json")
	assert.NotContains(t, text, "thumbs")
	saved, _ := f.ask(ask{method: http.MethodGet, path: routes.Prefix + "/archives/" + project + "/report.html", header: bearer("A")})
	raw, err := io.ReadAll(saved.Body)
	require.NoError(t, err)
	assert.Contains(t, string(raw), "a.mov")
	assert.NotContains(t, string(raw), "<img", "a client saves it")
	status, _, _ = f.get(link + "/comments.edl")
	assert.Equal(t, http.StatusNotFound, status)
	status, _, _ = f.get(f.signed("archive", "another", config.RoleViewer))
	assert.Equal(t, http.StatusNotFound, status)
	token := strings.TrimPrefix(link, f.url+"/l/")
	assert.NotContains(t, f.logs.String(), token[:20])
	assert.Eventually(t, func() bool { return strings.Contains(f.logs.String(), "path=/l/") }, time.Minute, 10*time.Millisecond)
}

func TestALinkShowsAReview(t *testing.T) {
	f := newBrowser(t)
	now := time.Now()
	row := ledger.Review{Tenant: tenantA, ID: "r1", Click: "r1", CreatedAt: now, Title: "Rough cut", Status: ledger.ReviewOpen, ShareURL: "https://f.io/abc",
		Reviewers: []string{"rita@example.com"}, ExpiresAt: now.Add(time.Hour)}
	_, _, err := f.Ledger.RequestReview(t.Context(), row, 0)
	require.NoError(t, err)
	_, err = f.Ledger.Tenant(tenantA).Review("r1").Update(t.Context(), func(r *ledger.Review) { r.Status, r.ShareURL = ledger.ReviewOpen, "https://f.io/abc" })
	require.NoError(t, err)
	editor, viewer := f.signed("review", "r1", config.RoleEditor), f.signed("review", "r1", config.RoleViewer)
	status, text, _ := f.get(editor)
	require.Equal(t, http.StatusOK, status, text)
	for _, part := range []string{"Rough cut", "rita@example.com", "https://f.io/abc", "comments.edl", "DaVinci Resolve"} {
		assert.Contains(t, text, part)
	}
	for _, ending := range []string{"csv", "json", "edl", "fcpxml", "xml", "txt", "otio"} {
		status, _, resp := f.get(editor + "/comments." + ending)
		assert.Equal(t, http.StatusOK, status, ending)
		assert.Contains(t, resp.Header.Get("Content-Disposition"), "Rough cut."+ending)
		status, _, _ = f.get(viewer + "/comments." + ending)
		assert.Equal(t, http.StatusForbidden, status, ending)
	}
	_, text, _ = f.get(viewer)
	assert.NotContains(t, text, "comments.edl")
}

func TestTheConsoleActsInThePersonsName(t *testing.T) {
	f := newTestServer(t)
	who := signin.Person{Name: "Sam", Email: "sam@example.com", Address: "192.0.2.9"}
	handler := asPerson(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		require.NoError(t, f.Audit(r.Context(), f.Config().Tenants[tenantA], ledger.AuditEntry{Action: "stop"}))
	}))
	r := httptest.NewRequest(http.MethodPost, "/ui/x", nil)
	handler.ServeHTTP(httptest.NewRecorder(), r.WithContext(signin.With(r.Context(), who)))
	entries, err := f.Ledger.Tenant(tenantA).AuditPage(t.Context(), ledger.AuditFilter{}, 0, 10)
	require.NoError(t, err)
	require.Len(t, entries, 1)
	assert.Equal(t, ledger.Actor{Kind: ledger.ActorConsole, Name: "sam@example.com", Address: "192.0.2.9"}, entries[0].Actor)
}

func TestTheAuditIsReadByAdministrators(t *testing.T) {
	f := newTestServer(t)
	for i := range 5 {
		_, err := f.Ledger.AppendAudit(t.Context(), ledger.AuditEntry{Tenant: tenantA, Action: "retry", Archive: []string{"a", "b"}[i%2], Actor: ledger.Actor{Kind: ledger.ActorAPI, Key: "desk"}})
		require.NoError(t, err)
	}
	get := func(query, accept string) (*http.Response, map[string]any) {
		return f.ask(ask{method: "GET", path: routes.Prefix + "/audit?" + query, header: map[string]string{"Authorization": "Bearer key of A", "Accept": accept}})
	}
	_, page := get("limit=2", "")
	assert.Len(t, page["audit"], 2)
	assert.EqualValues(t, 2, page["next"])
	_, page = get("limit=10&after=2&archive=b", "")
	assert.Len(t, page["audit"], 1)
	assert.Nil(t, page["next"])
	_, page = get("after=5", "")
	assert.Equal(t, []any{}, page["audit"])
	resp, _ := get("after=x", "")
	assert.Equal(t, http.StatusBadRequest, resp.StatusCode)

	r := httptest.NewRequest(http.MethodGet, routes.Prefix+"/audit?after=1", nil)
	r.Header.Set("Authorization", "Bearer key of A")
	r.Header.Set("Accept", "application/jsonl")
	w := httptest.NewRecorder()
	f.engine.ServeHTTP(w, r)
	assert.Equal(t, "application/jsonl", w.Header().Get("Content-Type"))
	var entries []ledger.AuditEntry
	for line := range strings.Lines(w.Body.String()) {
		var e ledger.AuditEntry
		require.NoError(t, json.Unmarshal([]byte(line), &e))
		entries = append(entries, e)
	}
	require.Len(t, entries, 4)
	first, err := f.Ledger.Tenant(tenantA).AuditPage(t.Context(), ledger.AuditFilter{}, 0, 1)
	require.NoError(t, err)
	require.NoError(t, chain.Verify(&first[0], entries, nil), "an extract proves itself")
}
