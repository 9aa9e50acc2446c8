package api

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/gin-gonic/gin"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/mock"
	"github.com/stretchr/testify/require"
	enumspb "go.temporal.io/api/enums/v1"
	"go.temporal.io/api/serviceerror"
	workflowpb "go.temporal.io/api/workflow/v1"
	"go.temporal.io/api/workflowservice/v1"
	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/mocks"
	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/framebridge/framebridge/clients/frameio"
	"github.com/framebridge/framebridge/clients/rest"
	"github.com/framebridge/framebridge/config"
	"github.com/framebridge/framebridge/ledger"
	"github.com/framebridge/framebridge/routes"
	"github.com/framebridge/framebridge/starter/control"
	"github.com/framebridge/framebridge/test/emptyledger"
)

const (
	tenantA = "0419e0c5-6fed-4b66-bf0f-f8a99d44bcd0"
	tenantB = "11111111-2222-4333-8444-555555555555"
	project = "4bd2e2ac-0000-4000-8000-00000000000a"
	hookURL = routes.Prefix + "/archive/webhooks/project-updated?tenant-id="
)

// fakeFrameio has one project, and records the time limit of its calls.
type fakeFrameio struct {
	frameio.Platform
	left time.Duration
	fail error // of every call

	comments int // number of requests
}

func (f *fakeFrameio) Comment(context.Context, string) (frameio.Comment, error) {
	f.comments++
	return frameio.Comment{}, f.fail
}

func (f *fakeFrameio) Project(ctx context.Context, id string) (frameio.Project, error) {
	until, _ := ctx.Deadline()
	f.left = time.Until(until)
	if f.fail != nil {
		return frameio.Project{}, f.fail
	}
	if !strings.EqualFold(id, project) {
		return frameio.Project{}, &rest.Error{Vendor: "Frame.io", Status: http.StatusNotFound, Class: rest.NotFound}
	}
	return frameio.Project{ID: project, Name: "Harbour - Archived"}, nil
}

// testServer is a starter with a mock Temporal client.
type testServer struct {
	*Server
	t        *testing.T
	frameio  *fakeFrameio
	temporal *mocks.Client
	engine   *gin.Engine
}

func newTestServer(t *testing.T) *testServer {
	t.Helper()
	book, err := ledger.Open(t.Context(), emptyledger.DSN(t), ledger.WithKey("a secret of sixteen and more"))
	require.NoError(t, err)
	t.Cleanup(book.Close)
	tenant := func(id, name string) *config.Tenant {
		return &config.Tenant{ID: id, Name: name, APIKey: config.Secrets{config.Secret("key of " + name)}, Frameio: config.Frameio{WebhookSecrets: []config.Secret{"new", "old"}},
			Iconik: config.Iconik{ActionSecret: config.Secrets{"click", "old click"}}, Archive: config.Archive{TriggerSuffix: "Archived"}}
	}
	f := &testServer{t: t, frameio: &fakeFrameio{}, temporal: &mocks.Client{}}
	a, b := tenant(tenantA, "A"), tenant(tenantB, "B")
	live := config.Hold(&config.Config{HTTP: config.HTTP{PublicURL: "http://here"}, Tenants: map[string]*config.Tenant{tenantA: a, tenantB: b}})
	f.Server = New(control.New(live, "", ledger.Actor{}, book, f.temporal, slog.New(slog.DiscardHandler)))
	f.OpenFrameio = func(*config.Tenant) (frameio.Platform, error) { return f.frameio, nil }
	f.engine, _ = f.routes()
	return f
}

// noTemporal makes every call to Temporal fail.
func (f *testServer) noTemporal() {
	f.temporal.On("DescribeWorkflowExecution", mock.Anything, mock.Anything, mock.Anything).Return(nil, serviceerror.NewUnavailable("down"))
	f.temporal.On("CheckHealth", mock.Anything, mock.Anything).Return(nil, serviceerror.NewUnavailable("down"))
}

type ask struct {
	method, path, body string
	header             map[string]string
}

func (f *testServer) ask(a ask) (*http.Response, map[string]any) {
	f.t.Helper()
	r := httptest.NewRequest(a.method, a.path, strings.NewReader(a.body))
	if a.body != "" {
		r.Header.Set("Content-Type", "application/json")
	}
	for k, v := range a.header {
		r.Header.Set(k, v)
	}
	w := httptest.NewRecorder()
	readableByHead(f.engine).ServeHTTP(w, r)
	answer := map[string]any{}
	_ = json.Unmarshal(w.Body.Bytes(), &answer)
	return w.Result(), answer
}

func bearer(name string) map[string]string {
	return map[string]string{"Authorization": "Bearer key of " + name}
}

func signed(secret, body string, ago time.Duration) map[string]string {
	ts := strconv.FormatInt(time.Now().Add(-ago).Unix(), 10)
	return map[string]string{"X-Frameio-Request-Timestamp": ts, "X-Frameio-Signature": frameio.Sign(secret, ts, []byte(body))}
}

func plus(h map[string]string, k, v string) map[string]string {
	out := map[string]string{k: v}
	for key, value := range h {
		out[key] = value
	}
	return out
}

func TestRefusalsComeInTheirOrder(t *testing.T) {
	f := newTestServer(t)
	f.noTemporal()
	const api = routes.Prefix
	const stranger = "99999999-2222-4333-8444-555555555555"
	event := `{"type":"project.updated","resource":{"id":"` + project + `"}}`
	big := `{"x":"` + strings.Repeat("x", maxBody) + `"}`
	text := map[string]string{"Content-Type": "text/plain"}
	hook, archives := hookURL+tenantA, api+"/archives"
	for name, tt := range map[string]struct {
		ask
		status int
		field  string
	}{
		"route first":                   {ask{"POST", "/nothing", big, text}, 404, ""},
		"a slash is another route":      {ask{"GET", archives + "/", "", bearer("A")}, 404, ""},
		"method before tenant":          {ask{"PUT", hookURL, event, nil}, 405, ""},
		"no tenant":                     {ask{"POST", api + "/archive/webhooks/project-updated", big, nil}, 400, "tenant-id"},
		"two tenants":                   {ask{"POST", hook + "&tenant-id=" + tenantB, event, signed("new", event, 0)}, 400, "tenant-id"},
		"tenant before size":            {ask{"POST", hookURL + stranger, big, nil}, 404, "tenant-id"},
		"size before type":              {ask{"POST", hook, big, text}, 413, ""},
		"type before signature":         {ask{"POST", hook, event, text}, 415, "Content-Type"},
		"signature before body":         {ask{"POST", hook, "{", signed("wrong", "{", 0)}, 401, "X-Frameio-Signature"},
		"no signature":                  {ask{"POST", hook, event, nil}, 401, "X-Frameio-Signature"},
		"too old":                       {ask{"POST", hook, event, signed("new", event, 301*time.Second)}, 401, "X-Frameio-Signature"},
		"from the future":               {ask{"POST", hook, event, signed("new", event, -305*time.Second)}, 401, "X-Frameio-Signature"},
		"body":                          {ask{"POST", hook, "[]", signed("old", "[]", 0)}, 400, ""},
		"no id":                         {ask{"POST", hook, "{}", signed("old", "{}", 0)}, 400, ""},
		"Temporal":                      {ask{"POST", hook, event, signed("old", event, 0)}, 503, ""},
		"api: tenant before size":       {ask{"POST", archives + "?tenant-id=x", big, nil}, 400, "tenant-id"},
		"api: size before key":          {ask{"POST", archives, big, nil}, 413, ""},
		"api: size before type":         {ask{"POST", archives, big, text}, 413, ""},
		"api: type before key":          {ask{"POST", archives, "{}", text}, 415, "Content-Type"},
		"api: key before body":          {ask{"POST", archives, "[]", nil}, 401, "Authorization"},
		"api: another scheme":           {ask{"GET", archives, "", map[string]string{"Authorization": "Basic key of A"}}, 401, "Authorization"},
		"api: another's key":            {ask{"GET", archives + "?tenant-id=" + tenantB, "", bearer("A")}, 404, "tenant-id"},
		"api: array":                    {ask{"POST", archives, "[]", bearer("A")}, 400, ""},
		"api: wrong kind":               {ask{"POST", archives, `{"project_id":5}`, bearer("A")}, 400, "project_id"},
		"api: two objects":              {ask{"POST", archives, `{"project_id":"` + project + `"} {}`, bearer("A")}, 400, ""},
		"api: no project":               {ask{"POST", archives, "{}", bearer("A")}, 422, "project_id"},
		"api: no address":               {ask{"POST", archives, `{"project_id":"` + project + `","requested_by":"@"}`, bearer("A")}, 422, "requested_by"},
		"api: unknown project":          {ask{"POST", archives, `{"project_id":"x"}`, bearer("A")}, 422, "project_id"},
		"api: Temporal":                 {ask{"POST", archives, `{"project_id":"` + project + `"}`, bearer("A")}, 503, ""},
		"archives: cursor":              {ask{"GET", archives + "?cursor=x", "", bearer("A")}, 400, "cursor"},
		"archives: limit":               {ask{"GET", archives + "?limit=0", "", bearer("A")}, 400, "limit"},
		"reviews: cursor":               {ask{"GET", api + "/reviews?cursor=x", "", bearer("A")}, 400, "cursor"},
		"reviews: limit":                {ask{"GET", api + "/reviews?limit=1001", "", bearer("A")}, 400, "limit"},
		"no archive can be called that": {ask{"GET", archives + "/%00", "", bearer("A")}, 404, "id"},
		"no review can be called that":  {ask{"GET", api + "/reviews/%ff", "", bearer("A")}, 404, "id"},
		"control: size":                 {ask{"POST", archives + "/x/retry", big, bearer("A")}, 413, ""},
		"control: unknown":              {ask{"POST", archives + "/x/cancel", "", bearer("A")}, 404, "id"},
		"control: empty key":            {ask{"POST", archives + "/x/cancel?key=&tenant-id=" + tenantA, "", nil}, 401, "key"},
		"click: secret before body":     {ask{"POST", api + "/review/actions/send?tenant-id=" + tenantA, "[]", nil}, 401, "X-Framebridge-Secret"},
		"click: body":                   {ask{"POST", api + "/review/actions/stop?tenant-id=" + tenantA, "[]", map[string]string{"X-Framebridge-Secret": "click"}}, 400, ""},
		"click: a field's kind":         {ask{"POST", api + "/review/actions/stop?tenant-id=" + tenantA, `{"asset_ids":"x"}`, map[string]string{"X-Framebridge-Secret": "click"}}, 400, "asset_ids"},
		"segments: a field's kind":      {ask{"POST", api + "/review/webhooks/segments?tenant-id=" + tenantA, `{"object_id":5}`, map[string]string{"X-Framebridge-Secret": "click"}}, 400, "object_id"},
		"click: an id that is none":     {ask{"POST", api + "/archive/actions/retry?tenant-id=" + tenantA, `{"collection_ids":["\u0000"]}`, map[string]string{"X-Framebridge-Secret": "click"}}, 400, "collection_ids"},
		"segments: body":                {ask{"POST", api + "/review/webhooks/segments?tenant-id=" + tenantA, "{}", map[string]string{"X-Framebridge-Secret": "click"}}, 400, "object_id"},
	} {
		t.Run(name, func(t *testing.T) {
			resp, answer := f.ask(tt.ask)
			assert.Equal(t, tt.status, resp.StatusCode, answer)
			assert.Equal(t, "application/problem+json", resp.Header.Get("Content-Type"))
			assert.NotEmpty(t, answer["request_id"])
			assert.Equal(t, resp.Header.Get("X-Request-Id"), answer["request_id"])
			assert.NotEmpty(t, answer["detail"])
			assert.NotContains(t, answer["detail"], "***")
			if tt.field != "" {
				assert.Equal(t, tt.field, answer["field"])
			}
			assert.Equal(t, tt.status == 503, resp.Header.Get("Retry-After") != "")
			assert.Equal(t, tt.status == 405, resp.Header.Get("Allow") != "")
		})
	}
	resp, answer := f.ask(ask{"GET", "/readyz", "", nil})
	assert.Equal(t, 503, resp.StatusCode)
	assert.Equal(t, map[string]any{"temporal": "unreachable", "ledger": "ok"}, answer)
	resp, _ = f.ask(ask{"HEAD", "/healthz", "", nil})
	assert.Equal(t, 200, resp.StatusCode)
	resp, answer = f.ask(ask{"POST", hook, event, plus(signed("old", event, 299*time.Second), "Content-Type", "Application/JSON; charset=UTF-8")})
	assert.Equal(t, 503, resp.StatusCode, "with a charset and in its last second: %v", answer)
}

// What Frame.io will never show is not requested again. Temporary failures are.
func TestAWebhookAboutWhatTheTokenMayNotSeeIsIgnored(t *testing.T) {
	f := newTestServer(t)
	var logged bytes.Buffer
	f.Log = slog.New(slog.NewTextHandler(&logged, nil))
	for name, tt := range map[string]struct {
		fail   rest.Error
		status int
		warns  bool
	}{
		"none":         {rest.Error{Class: rest.NotFound, Status: 404}, 200, false},
		"no id":        {rest.Error{Class: rest.Permanent, Status: 422}, 200, true},
		"no access":    {rest.Error{Class: rest.Forbidden, Status: 403}, 200, true},
		"setup":        {rest.Error{Class: rest.Permanent}, 503, false},
		"bad token":    {rest.Error{Class: rest.Unauthorized, Status: 401}, 503, false},
		"throttled":    {rest.Error{Class: rest.Throttled, Status: 429}, 503, false},
		"out of order": {rest.Error{Class: rest.Retryable, Status: 500}, 503, false},
	} {
		t.Run(name, func(t *testing.T) {
			f.frameio.fail = &tt.fail
			for path, event := range map[string]string{
				hookURL: `{"type":"project.updated","resource":{"id":"` + project + `"}}`,
				routes.Prefix + "/review/webhooks/comments?tenant-id=": `{"type":"comment.created","resource":{"id":"` + project + `"}}`,
				routes.Prefix + "/archive/actions/frameio?tenant-id=":  `{"interaction_id":"i","project":{"id":"` + project + `"}}`,
			} {
				logged.Reset()
				resp, answer := f.ask(ask{"POST", path + tenantA, event, signed("new", event, 0)})
				assert.Equal(t, tt.status, resp.StatusCode, "%s: %v", path, answer)
				assert.Equal(t, tt.warns, strings.Contains(logged.String(), "level=WARN"), path)
				if tt.status == 200 && answer["title"] == nil {
					assert.Equal(t, "ignored", answer["status"], path)
				}
			}
		})
	}
}

func TestOneProjectIsOneArchiveHoweverItsIDIsWritten(t *testing.T) {
	f := newTestServer(t)
	f.temporal.On("DescribeWorkflowExecution", mock.Anything, mock.Anything, mock.Anything).Return(nil, serviceerror.NewNotFound("none"))
	f.temporal.On("ExecuteWorkflow", mock.Anything, mock.MatchedBy(func(o client.StartWorkflowOptions) bool { return o.ID == "archive/"+tenantA+"/"+project }), mock.Anything, mock.Anything).Return(nil, nil)
	resp, answer := f.ask(ask{"POST", routes.Prefix + "/archives", `{"project_id":"` + strings.ToUpper(project) + `"}`, bearer("A")})
	assert.Equal(t, 202, resp.StatusCode)
	assert.Equal(t, project, answer["id"])
	assert.Equal(t, "http://here"+routes.Prefix+"/archives/"+project, answer["url"])

	resp, answer = f.ask(ask{"GET", routes.Prefix + "/archives/" + project + "/report.html", "", bearer("A")})
	assert.Equal(t, 404, resp.StatusCode)
	assert.Contains(t, answer["detail"], "queued")
	for _, path := range []string{"", "/items", "/report.json", "/retry", "/cancel"} {
		method := "GET"
		if path == "/retry" || path == "/cancel" {
			method = "POST"
		}
		resp, _ = f.ask(ask{method, routes.Prefix + "/archives/" + project + path, "", bearer("B")})
		assert.Equal(t, 404, resp.StatusCode, "another tenant's: %s", path)
	}
}

// Before a worker opens it, people see what is queued and at which position.
func TestAQueuedArchiveHasItsNameAndPlaceAtOnce(t *testing.T) {
	f := newTestServer(t)
	f.temporal.On("DescribeWorkflowExecution", mock.Anything, mock.Anything, mock.Anything).Return(nil, serviceerror.NewNotFound("none"))
	f.temporal.On("ExecuteWorkflow", mock.Anything, mock.Anything, mock.Anything, mock.Anything).Return(nil, nil)
	for i, status := range []ledger.ArchiveStatus{ledger.Running, ledger.Queued, ledger.Waiting, ledger.Verified} {
		id := "other" + strconv.Itoa(i)
		_, _, err := f.Ledger.Tenant(tenantA).Archive(id).Request(t.Context(), "", time.Now())
		require.NoError(t, err)
		_, err = f.Ledger.Tenant(tenantA).Archive(id).Update(t.Context(), func(r *ledger.Archive) {
			if r.Status = status; status == ledger.Queued {
				r.QueuePosition = 1
			}
		})
		require.NoError(t, err)
	}
	resp, answer := f.ask(ask{"POST", routes.Prefix + "/archives", `{"project_id":"` + project + `"}`, bearer("A")})
	assert.Equal(t, 202, resp.StatusCode)
	assert.Equal(t, "queued", answer["status"])
	_, answer = f.ask(ask{"GET", routes.Prefix + "/archives/" + project, "", bearer("A")})
	assert.Equal(t, "Harbour - Archived", answer["project"].(map[string]any)["name"])
	assert.EqualValues(t, 2, answer["queue_position"])

	resp, answer = f.ask(ask{"POST", routes.Prefix + "/archives", `{"project_id":"` + project + `"}`, bearer("B")})
	assert.Equal(t, 202, resp.StatusCode)
	assert.Equal(t, "started", answer["status"])
	_, answer = f.ask(ask{"GET", routes.Prefix + "/archives/" + project, "", bearer("B")})
	assert.EqualValues(t, 0, answer["queue_position"], "nothing of this tenant's is open")
}

// A misspelled field must not be treated as missing: a reclaim without its dry_run deletes.
func TestABodyIsTakenAsItIsMeantOrNotAtAll(t *testing.T) {
	f := newTestServer(t)
	f.noTemporal()
	_, _, err := f.Ledger.Tenant(tenantA).Archive(project).Request(t.Context(), "", time.Now())
	require.NoError(t, err)
	_, _, err = f.Ledger.RequestReview(t.Context(), ledger.Review{Tenant: tenantA, ID: "r", Click: "c", Status: ledger.ReviewOpen, CreatedAt: time.Now(), ExpiresAt: time.Now().Add(time.Hour)}, time.Second)
	require.NoError(t, err)
	for _, tt := range []struct{ path, body, field string }{
		{"/archives", `{"project":"` + project + `"}`, "project"},
		{"/archives/" + project + "/reclaim", `{"dryrun":true,"project":"Harbour"}`, "dryrun"},
		{"/archives/" + project + "/reclaim", `{"dry_run":"yes"}`, "dry_run"},
		{"/archives/" + project + "/position", `{"position":"first"}`, "position"},
		{"/archives/" + project + "/position", `{"position":1,"after":"x"}`, "after"},
		{"/reviews/r/extend", `{"expires_at":1798675200}`, "expires_at"},
		{"/reviews/r/extend", `{"expires_at":"2027-01-01","until":"2027-02-01"}`, "until"},
		{"/mirrors", `{"name":"nightly","selection":{"workspace":["x"]}}`, "workspace"},
		{"/mirrors", `{"name":5}`, "name"},
		{"/mirrors/nightly/pause", `{"reason":"x"}`, "reason"},
		{"/migrations", `{"selecton":{}}`, "selecton"},
	} {
		resp, answer := f.ask(ask{"POST", routes.Prefix + tt.path, tt.body, bearer("A")})
		assert.Equal(t, 400, resp.StatusCode, "%s %s: %v", tt.path, tt.body, answer)
		assert.Equal(t, tt.field, answer["field"], "%s %s: %v", tt.path, tt.body, answer)
		assert.Contains(t, answer["detail"], tt.field)
	}
}

// A refused request for a reclaim names the field at fault. Any other obstacle is named by the archive's ID.
func TestARefusedReclaimNamesItsField(t *testing.T) {
	f := newTestServer(t)
	f.noTemporal()
	h := f.Ledger.Tenant(tenantA).Archive(project)
	_, _, err := h.Request(t.Context(), "", time.Now())
	require.NoError(t, err)
	_, err = h.Update(t.Context(), func(a *ledger.Archive) { a.Name = "Harbour - Archived" })
	require.NoError(t, err)
	ask := func(body, field string) {
		resp, answer := f.ask(ask{"POST", routes.Prefix + "/archives/" + project + "/reclaim", body, bearer("A")})
		assert.Equal(t, 422, resp.StatusCode, "%s: %v", body, answer)
		assert.Equal(t, field, answer["field"], "%s: %v", body, answer)
		_, known, err := h.Reclaim(t.Context())
		require.NoError(t, err)
		assert.False(t, known, body)
	}
	ask(`{"dry_run":false}`, "id") // archive.reclaim is off
	f.Config().Tenants[tenantA].Archive.Reclaim = "allowed"
	ask(`{"accept":["author","comment"]}`, "accept")
	ask(`{"project":"Harbour - Archived","accept":["attachment"]}`, "accept")
	ask(`{"project":"harbour - archived"}`, "project")
	ask(`{"project":"Harbour - Archived "}`, "project")
}

func TestAnArchiveKnowsWhatAskedForIt(t *testing.T) {
	event := `{"type":"project.updated","resource":{"id":"` + project + `"}}`
	for name, tt := range map[string]struct {
		ask  ask
		want ledger.Trigger
	}{
		"an API key": {ask{"POST", routes.Prefix + "/archives", `{"project_id":"` + project + `"}`, map[string]string{"Authorization": "Bearer key of the desk"}}, ledger.Trigger{Kind: ledger.ActorAPI, Name: "desk"}},
		"a webhook":  {ask{"POST", hookURL + tenantA, event, signed("old", event, 0)}, ledger.Trigger{Kind: ledger.ActorFrameio}},
	} {
		f := newTestServer(t)
		f.Config().Tenants[tenantA].APIKeys = []config.APIKey{{Name: "desk", Key: "key of the desk", Role: config.RoleOperator}}
		f.temporal.On("DescribeWorkflowExecution", mock.Anything, mock.Anything, mock.Anything).Return(nil, serviceerror.NewNotFound("none"))
		f.temporal.On("ExecuteWorkflow", mock.Anything, mock.Anything, mock.Anything, mock.Anything).Return(nil, nil)
		_, answer := f.ask(tt.ask)
		require.Equal(t, "started", answer["status"], name)
		row, _, err := f.Ledger.Tenant(tenantA).Archive(project).Get(t.Context())
		require.NoError(t, err)
		assert.Equal(t, tt.want, row.TriggeredBy, name)
		entries, err := f.Ledger.Tenant(tenantA).AuditPage(t.Context(), ledger.AuditFilter{Action: "start", Archive: project}, 0, 10)
		require.NoError(t, err)
		require.Len(t, entries, 1, name)
		assert.Equal(t, tt.want, ledger.TriggerOf(entries[0].Actor), name)

		_, err = f.Ledger.Tenant(tenantA).Archive(project).Update(t.Context(), func(a *ledger.Archive) { a.Status = ledger.Verified })
		require.NoError(t, err)
		again, _, err := f.Ledger.Tenant(tenantA).Archive(project).Request(t.Context(), "", time.Now())
		require.NoError(t, err)
		assert.Zero(t, again.TriggeredBy, "what asked for the run before did not ask for this one")
	}
}

func TestAnExportOfAnAssetThatIsNotInTheReviewIsRefused(t *testing.T) {
	f := newTestServer(t)
	_, _, err := f.Ledger.RequestReview(t.Context(), ledger.Review{Tenant: tenantA, ID: "r", Click: "c", Status: ledger.ReviewOpen, CreatedAt: time.Now(), ExpiresAt: time.Now().Add(time.Hour)}, time.Second)
	require.NoError(t, err)
	_, err = f.Ledger.Tenant(tenantA).Review("r").AddAssets(t.Context(), func([]ledger.ReviewAsset) []ledger.ReviewAsset {
		return []ledger.ReviewAsset{{AssetID: "a", FileID: "f", Name: "a.mov", State: ledger.AssetReady}}
	})
	require.NoError(t, err)
	resp, _ := f.ask(ask{"GET", routes.Prefix + "/reviews/r/comments.json?asset=a", "", bearer("A")})
	assert.Equal(t, 200, resp.StatusCode)
	resp, answer := f.ask(ask{"GET", routes.Prefix + "/reviews/r/comments.edl?asset=another", "", bearer("A")})
	assert.Equal(t, 404, resp.StatusCode, "an empty list would say that nobody has commented")
	assert.Equal(t, "asset", answer["field"])
}

func TestWhoSendsAReviewIsInTheAudit(t *testing.T) {
	f := newTestServer(t)
	f.temporal.On("ExecuteWorkflow", mock.Anything, mock.Anything, mock.Anything, mock.Anything).Return(nil, nil)
	row := ledger.Review{Tenant: tenantA, ID: "r", Click: "c", Status: ledger.ReviewSending, RequestedBy: ledger.Person{ID: "u", Email: "ed@post.example"}, CreatedAt: time.Now(), ExpiresAt: time.Now().Add(time.Hour)}
	ctx := control.WithActor(t.Context(), ledger.Actor{Kind: ledger.ActorIconik})
	for range 2 { // the second is the same click again
		_, err := f.StartReview(ctx, f.Config().Tenants[tenantA], row, "")
		require.NoError(t, err)
	}
	entries, err := f.Ledger.Tenant(tenantA).AuditPage(t.Context(), ledger.AuditFilter{Action: "send", Review: "r"}, 0, 10)
	require.NoError(t, err)
	require.Len(t, entries, 1)
	assert.Equal(t, ledger.Actor{Kind: ledger.ActorIconik, Name: "ed@post.example"}, entries[0].Actor)
}

// What has begun stays so, even if the caller goes away at that moment. A failure would make people start it again.
func TestAStartThatNobodyWaitsForIsAStart(t *testing.T) {
	f := newTestServer(t)
	closed := &workflowservice.DescribeWorkflowExecutionResponse{WorkflowExecutionInfo: &workflowpb.WorkflowExecutionInfo{Status: enumspb.WORKFLOW_EXECUTION_STATUS_COMPLETED}}
	f.temporal.On("DescribeWorkflowExecution", mock.Anything, mock.Anything, mock.Anything).Return(closed, nil)
	var leave context.CancelFunc
	f.temporal.On("ExecuteWorkflow", mock.Anything, mock.Anything, mock.Anything, mock.Anything).Run(func(mock.Arguments) { leave() }).Return(nil, nil)
	for name, start := range map[string]func(ctx context.Context) (control.Accepted, error){
		"review": func(ctx context.Context) (control.Accepted, error) {
			return f.StartReview(ctx, f.Config().Tenants[tenantA], ledger.Review{Tenant: tenantA, ID: "r", Click: "c", CreatedAt: time.Now()}, "")
		},
		"archive": func(ctx context.Context) (control.Accepted, error) {
			return f.StartArchive(ctx, f.Config().Tenants[tenantA], frameio.Project{ID: project}, "")
		},
	} {
		var ctx context.Context
		ctx, leave = context.WithCancel(t.Context())
		defer leave()
		out, err := start(ctx)
		require.NoError(t, err, name)
		assert.Equal(t, "started", out.Status, name)
	}
	for action, filter := range map[string]ledger.AuditFilter{"send": {Review: "r"}, "start": {Archive: project}} {
		entries, err := f.Ledger.Tenant(tenantA).AuditPage(t.Context(), filter, 0, 10)
		require.NoError(t, err)
		require.Len(t, entries, 1)
		assert.Equal(t, action, entries[0].Action)
	}
}

func TestWhoJoinsAnArchiveIsToldOfItsEndToo(t *testing.T) {
	f := newTestServer(t)
	running := &workflowservice.DescribeWorkflowExecutionResponse{WorkflowExecutionInfo: &workflowpb.WorkflowExecutionInfo{Status: enumspb.WORKFLOW_EXECUTION_STATUS_RUNNING}}
	f.temporal.On("DescribeWorkflowExecution", mock.Anything, mock.Anything, mock.Anything).Return(running, nil)
	_, _, err := f.Ledger.Tenant(tenantA).Archive(project).Request(t.Context(), "", time.Now())
	require.NoError(t, err)
	_, err = f.Ledger.Tenant(tenantA).Archive(project).Update(t.Context(), func(a *ledger.Archive) { a.Delta, a.QueuePosition = true, 1 })
	require.NoError(t, err)
	for _, by := range []string{"sam@example.com", "kim@example.com", ""} {
		resp, answer := f.ask(ask{"POST", routes.Prefix + "/archives", `{"project_id":"` + project + `","requested_by":"` + by + `"}`, bearer("A")})
		assert.Equal(t, 202, resp.StatusCode)
		assert.Equal(t, "queued", answer["status"])
	}
	row, _, err := f.Ledger.Tenant(tenantA).Archive(project).Get(t.Context())
	require.NoError(t, err)
	assert.Equal(t, "sam@example.com", row.RequestedBy)
	assert.Equal(t, []string{"kim@example.com"}, row.AlsoAsked)
	assert.False(t, row.Delta, "what somebody asks for reads everything")
}

// Frame.io may send a webhook again before the first one is answered.
func TestTwoRequestsAtOnceAreOneStart(t *testing.T) {
	f := newTestServer(t)
	f.temporal.On("DescribeWorkflowExecution", mock.Anything, mock.Anything, mock.Anything).Return(nil, serviceerror.NewNotFound("none"))
	f.temporal.On("ExecuteWorkflow", mock.Anything, mock.Anything, mock.Anything, mock.Anything).Return(nil, nil).Once()
	f.temporal.On("ExecuteWorkflow", mock.Anything, mock.Anything, mock.Anything, mock.Anything).Return(nil, serviceerror.NewWorkflowExecutionAlreadyStarted("", "", ""))
	var statuses []any
	for range 3 {
		resp, answer := f.ask(ask{"POST", routes.Prefix + "/archives", `{"project_id":"` + project + `"}`, bearer("A")})
		require.Equal(t, 202, resp.StatusCode, answer)
		statuses = append(statuses, answer["status"])
	}
	assert.Equal(t, []any{"started", "running", "running"}, statuses)
	entries, err := f.Ledger.Tenant(tenantA).AuditPage(t.Context(), ledger.AuditFilter{Archive: project}, 0, 10)
	require.NoError(t, err)
	assert.Len(t, entries, 1)
}

func TestAServerThatDoesNotKnowTheSearchAttributesStillArchives(t *testing.T) {
	f := newTestServer(t)
	f.UseSearchAttributes(nil)
	tagged := func(o client.StartWorkflowOptions) bool { return o.TypedSearchAttributes.Size() > 0 }
	f.temporal.On("DescribeWorkflowExecution", mock.Anything, mock.Anything, mock.Anything).Return(nil, serviceerror.NewNotFound("none"))
	f.temporal.On("ExecuteWorkflow", mock.Anything, mock.MatchedBy(tagged), mock.Anything, mock.Anything).Return(nil, serviceerror.NewInvalidArgument("search attribute FramebridgeTenant is not defined"))
	f.temporal.On("ExecuteWorkflow", mock.Anything, mock.MatchedBy(func(o client.StartWorkflowOptions) bool { return !tagged(o) }), mock.Anything, mock.Anything).Return(nil, nil)
	event := `{"type":"project.updated","resource":{"id":"` + project + `"}}`
	resp, answer := f.ask(ask{"POST", hookURL + tenantA, event, signed("old", event, 0)})
	assert.Equal(t, 200, resp.StatusCode)
	assert.Equal(t, "started", answer["status"])
}

func TestFrameioIsAskedForNoLongerThanItWaits(t *testing.T) {
	f := newTestServer(t)
	f.noTemporal()
	event := `{"type":"project.updated","resource":{"id":"` + project + `"}}`
	gone, hangUp := context.WithCancel(t.Context())
	hangUp()
	r := httptest.NewRequest("POST", hookURL+tenantA, strings.NewReader(event)).WithContext(gone)
	for k, v := range plus(signed("new", event, 0), "Content-Type", "application/json") {
		r.Header.Set(k, v)
	}
	f.engine.ServeHTTP(httptest.NewRecorder(), r)
	assert.Positive(t, f.frameio.left)
	assert.LessOrEqual(t, f.frameio.left, webhookTimeout)
	f.temporal.AssertCalled(t, "DescribeWorkflowExecution", mock.Anything, mock.Anything, mock.Anything)
}

func TestListsArePagedToTheirEnd(t *testing.T) {
	f := newTestServer(t)
	now := time.Now().UTC()
	for i := range 5 {
		id := "r" + strconv.Itoa(i)
		_, _, err := f.Ledger.RequestReview(t.Context(), ledger.Review{Tenant: tenantA, ID: id, Click: id, CreatedAt: now}, 0)
		require.NoError(t, err)
		_, _, err = f.Ledger.Tenant(tenantA).Archive(id).Request(t.Context(), "", now)
		require.NoError(t, err)
	}
	for _, list := range []string{"reviews", "archives"} {
		seen := map[string]bool{}
		pages := 0
		for cursor := ""; pages < 10; pages++ {
			resp, answer := f.ask(ask{"GET", routes.Prefix + "/" + list + "?limit=2&cursor=" + cursor, "", bearer("A")})
			require.Equal(t, 200, resp.StatusCode, answer)
			for _, row := range answer[list].([]any) {
				seen[row.(map[string]any)["id"].(string)] = true
			}
			next, more := answer["next"].(string)
			if cursor = next; !more {
				break
			}
		}
		assert.Len(t, seen, 5, list)
		assert.Less(t, pages, 4, list)
		_, answer := f.ask(ask{"GET", routes.Prefix + "/" + list, "", bearer("B")})
		assert.Equal(t, map[string]any{list: []any{}, "next": nil}, answer)
	}
}

func TestABrokenAnswerDoesNotLookWhole(t *testing.T) {
	f := newTestServer(t)
	var logged bytes.Buffer
	f.Log = slog.New(slog.NewJSONHandler(&logged, nil))
	f.engine.GET("/early", func(*gin.Context) { panic("early") })
	f.engine.GET("/late", func(c *gin.Context) { c.String(200, "half"); c.Writer.Flush(); panic("late") })
	f.engine.GET("/cut", func(c *gin.Context) { c.String(200, "half"); c.Writer.Flush(); panic(http.ErrAbortHandler) })
	server := httptest.NewServer(f.engine)
	defer server.Close()
	resp, answer := f.ask(ask{"GET", "/early", "", nil})
	assert.Equal(t, 500, resp.StatusCode)
	assert.NotEmpty(t, answer["request_id"])
	for _, path := range []string{"/late", "/cut"} {
		resp, err := http.Get(server.URL + path)
		require.NoError(t, err)
		_, err = io.ReadAll(resp.Body)
		resp.Body.Close()
		assert.ErrorIs(t, err, io.ErrUnexpectedEOF, path)
	}
	server.Close()
	assert.Equal(t, 3, strings.Count(logged.String(), `"msg":"answered"`))
	assert.Contains(t, logged.String(), "server_test.go", "where it was")
}

// TestTheDescriptionIsOfTheRoutesThatExist compares openapi.json with the routes, both ways.
func TestTheDescriptionIsOfTheRoutesThatExist(t *testing.T) {
	doc, err := openapi3.NewLoader().LoadFromData(openAPI)
	require.NoError(t, err)
	require.NoError(t, doc.Validate(t.Context()))
	var described, served []string
	for path, item := range doc.Paths.Map() {
		for method, o := range item.Operations() {
			described = append(described, method+" "+path)
			if o.RequestBody != nil {
				if body := o.RequestBody.Value.Content.Get("application/json").Schema.Value; len(body.Properties) > 0 {
					assert.NotNil(t, body.AdditionalProperties.Has, "%s %s refuses a field that it does not know", method, path)
				}
			}
			if strings.HasPrefix(path, routes.Prefix) {
				refusals := []string{"400", "401", "404", "503"}
				if method == http.MethodPost {
					refusals = append(refusals, "413", "415")
				}
				for _, status := range refusals {
					assert.NotNil(t, o.Responses.Value(status), "%s %s: %s", method, path, status)
				}
				assert.NotNil(t, o.Parameters.GetByInAndName("query", "tenant-id"), "%s %s", method, path)
			}
		}
	}
	parameter := regexp.MustCompile(`:(\w+)`)
	for _, r := range newTestServer(t).engine.Routes() {
		if r.Path == "/" || strings.HasPrefix(r.Path, "/ui") || strings.HasPrefix(r.Path, "/l/") {
			continue // pages for people
		}
		path := strings.Replace(parameter.ReplaceAllString(r.Path, "{$1}"), "/reviews/{id}/{file}", "/reviews/{id}/comments.{format}", 1)
		served = append(served, r.Method+" "+path)
	}
	assert.ElementsMatch(t, served, described)
}

// Terminating a workflow in Temporal's UI leaves the ledger unchanged.
func TestAnArchiveThatWasTerminatedIsNotShownAsRunning(t *testing.T) {
	f := newTestServer(t)
	_, _, err := f.Ledger.Tenant(tenantA).Archive(project).Request(t.Context(), "", time.Now())
	require.NoError(t, err)
	_, err = f.Ledger.Tenant(tenantA).Archive(project).Update(t.Context(), func(r *ledger.Archive) { r.Status = ledger.Running })
	require.NoError(t, err)
	status := func(at time.Time) any {
		f.temporal.ExpectedCalls = nil
		f.temporal.On("DescribeWorkflowExecution", mock.Anything, "archive/"+tenantA+"/"+project, "").Return(&workflowservice.DescribeWorkflowExecutionResponse{
			WorkflowExecutionInfo: &workflowpb.WorkflowExecutionInfo{Status: enumspb.WORKFLOW_EXECUTION_STATUS_TERMINATED, CloseTime: timestamppb.New(at)}}, nil)
		_, answer := f.ask(ask{"GET", routes.Prefix + "/archives/" + project, "", bearer("A")})
		return answer["status"]
	}
	assert.Equal(t, "running", status(time.Now().Add(-time.Minute)), "that was the run before")
	assert.Equal(t, "failed", status(time.Now().Add(time.Minute)))
	_, answer := f.ask(ask{"GET", routes.Prefix + "/archives", "", bearer("A")})
	assert.Equal(t, "failed", answer["archives"].([]any)[0].(map[string]any)["status"])
}

// Temporal's response may be lost after the start. The review that runs then must not be reported as failed, or a second
// click would invite everybody again.
func TestAStartWhoseAnswerIsLostIsAStart(t *testing.T) {
	f := newTestServer(t)
	start := func(id string, begins bool) (control.Accepted, error) {
		f.temporal.ExpectedCalls = nil
		f.temporal.On("ExecuteWorkflow", mock.Anything, mock.Anything, mock.Anything, mock.Anything).Run(func(mock.Arguments) {
			if begins {
				_, err := f.Ledger.Tenant(tenantA).Review(id).Update(context.Background(), func(r *ledger.Review) { r.WorkflowID, r.Status = "review/x", ledger.ReviewSending })
				require.NoError(t, err)
			}
		}).Return(nil, serviceerror.NewDeadlineExceeded("no answer"))
		return f.StartReview(t.Context(), f.Config().Tenants[tenantA], ledger.Review{Tenant: tenantA, ID: id, Click: id, CreatedAt: time.Now()}, "")
	}
	out, err := start("r1", true)
	require.NoError(t, err)
	assert.Equal(t, "started", out.Status)
	row, _, err := f.Ledger.Tenant(tenantA).Review("r1").Get(t.Context())
	require.NoError(t, err)
	assert.Equal(t, ledger.ReviewSending, row.Status)
	_, err = start("r2", false)
	require.ErrorIs(t, err, control.ErrUnavailable)
	row, _, err = f.Ledger.Tenant(tenantA).Review("r2").Get(t.Context())
	require.NoError(t, err)
	assert.Equal(t, ledger.ReviewFailed, row.Status)
}

// A key allows what its role may do, until it expires.
func TestAKeyOpensWhatItsRoleMayDo(t *testing.T) {
	f := newTestServer(t)
	f.Config().Tenants[tenantA].APIKeys = []config.APIKey{
		{Name: "wall", Key: "key of the wall", Role: config.RoleViewer}, {Name: "suite", Key: "key of the suite", Role: config.RoleEditor},
		{Name: "desk", Key: "key of the desk", Role: config.RoleOperator}, {Name: "old", Key: "key of once", Role: config.RoleAdmin, Expires: time.Now().Add(-time.Second)},
	}
	f.noTemporal()
	for key, want := range map[string][3]int{"wall": {200, 403, 403}, "suite": {200, 404, 403}, "desk": {200, 404, 404}, "once": {401, 401, 401}} {
		for i, a := range []ask{{method: "GET", path: routes.Prefix + "/archives"}, {method: "GET", path: routes.Prefix + "/reviews/" + project + "/comments.csv"},
			{method: "POST", path: routes.Prefix + "/reviews/" + project + "/stop"}} {
			prefix := "key of the "
			if key == "once" {
				prefix = "key of "
			}
			a.header = map[string]string{"Authorization": "Bearer " + prefix + key}
			resp, problem := f.ask(a)
			assert.Equal(t, want[i], resp.StatusCode, "%s %s %v", key, a.path, problem)
		}
	}
}

// Frame.io allows only ten changes of links a minute. An extension that waits for others is accepted, and in the audit log.
func TestAnExtensionThatTakesLongIsAccepted(t *testing.T) {
	f := newTestServer(t)
	_, _, err := f.Ledger.RequestReview(t.Context(), ledger.Review{Tenant: tenantA, ID: "r", Click: "c", Status: ledger.ReviewOpen, CreatedAt: time.Now(), ExpiresAt: time.Now().Add(time.Hour)}, time.Second)
	require.NoError(t, err)
	handle := &mocks.WorkflowUpdateHandle{}
	ctx, giveUp := context.WithCancel(t.Context())
	handle.On("Get", mock.Anything, mock.Anything).Run(func(mock.Arguments) { giveUp() }).Return(context.Canceled)
	f.temporal.On("UpdateWorkflow", mock.Anything, mock.Anything).Return(handle, nil)
	out, err := f.ControlReview(ctx, f.Config().Tenants[tenantA], "r", control.VerbExtend, time.Now().Add(48*time.Hour))
	require.NoError(t, err)
	assert.Equal(t, "running", out.Status)
	entries, err := f.Ledger.Tenant(tenantA).AuditPage(t.Context(), ledger.AuditFilter{Review: "r"}, 0, 10)
	require.NoError(t, err)
	assert.Len(t, entries, 1)
}

// The audit log says who controlled what: by which key and from where, or which iconik user clicked.
func TestTheAuditSaysWhoControlled(t *testing.T) {
	f := newTestServer(t)
	f.Config().Tenants[tenantA].APIKeys = []config.APIKey{{Name: "desk", Key: "key of the desk", Role: config.RoleOperator}}
	_, _, err := f.Ledger.Tenant(tenantA).Archive(project).Request(t.Context(), "", time.Now())
	require.NoError(t, err)
	const collection = "7b8f8c1e-0000-4000-8000-00000000000c"
	_, err = f.Ledger.Tenant(tenantA).Claim(t.Context(), ledger.LinkProject, project, collection, "")
	require.NoError(t, err)
	running := &workflowservice.DescribeWorkflowExecutionResponse{WorkflowExecutionInfo: &workflowpb.WorkflowExecutionInfo{Status: enumspb.WORKFLOW_EXECUTION_STATUS_RUNNING}}
	handle := &mocks.WorkflowUpdateHandle{}
	handle.On("Get", mock.Anything, mock.Anything).Return(nil)
	f.temporal.On("DescribeWorkflowExecution", mock.Anything, mock.Anything, mock.Anything).Return(running, nil)
	f.temporal.On("UpdateWorkflow", mock.Anything, mock.Anything).Return(handle, nil)
	for _, a := range []ask{
		{method: "POST", path: routes.Prefix + "/archives/" + project + "/cancel", header: map[string]string{"Authorization": "Bearer key of the desk", "X-Forwarded-For": "203.0.113.9"}},
		{method: "POST", path: routes.Prefix + "/archive/actions/retry?tenant-id=" + tenantA, body: `{"user_id":"` + tenantB + `","collection_ids":["` + collection + `"]}`,
			header: map[string]string{"X-Framebridge-Secret": "click"}},
	} {
		resp, problem := f.ask(a)
		require.Equal(t, http.StatusAccepted, resp.StatusCode, problem)
	}
	entries, err := f.Ledger.Tenant(tenantA).AuditPage(t.Context(), ledger.AuditFilter{}, 0, 10)
	require.NoError(t, err)
	require.Len(t, entries, 2)
	require.Equal(t, ledger.Actor{Kind: ledger.ActorAPI, Address: "192.0.2.1", Key: "desk"}, entries[0].Actor)
	require.Equal(t, ledger.Actor{Kind: ledger.ActorIconik, Address: "192.0.2.1", Name: tenantB}, entries[1].Actor)
	for _, e := range entries {
		require.Equal(t, []string{"archive", project, project}, []string{e.ObjectKind, e.ObjectID, e.Archive})
	}
}
