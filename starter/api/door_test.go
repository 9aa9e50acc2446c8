package api

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/mock"
	"github.com/stretchr/testify/require"

	"github.com/framebridge/framebridge/ledger"
	"github.com/framebridge/framebridge/redact"
	"github.com/framebridge/framebridge/routes"
	"github.com/framebridge/framebridge/workflows"
)

// unread is a body that must not be read.
type unread struct{ t *testing.T }

func (u unread) Read([]byte) (int, error) { u.t.Error("the body was read"); return 0, io.EOF }

func (u unread) Close() error { return nil }

func TestABodyIsNotReadBeforeItsSenderIsKnown(t *testing.T) {
	f := newTestServer(t)
	const json = "application/json"
	for name, tt := range map[string]struct {
		path, kind string
		header     map[string]string
		length     int64
		status     int
	}{
		"no key":               {routes.Prefix + "/archives", json, nil, 100, 401},
		"no key, no length":    {routes.Prefix + "/archives", json, nil, -1, 401},
		"no key, review":       {routes.Prefix + "/reviews/x/stop", json, nil, -1, 401},
		"no key, control":      {routes.Prefix + "/archives/x/cancel", json, nil, -1, 401},
		"size before key":      {routes.Prefix + "/archives", json, nil, maxBody + 1, 413},
		"type before key":      {routes.Prefix + "/archives", "", nil, -1, 415},
		"webhook: size":        {hookURL + tenantA, json, nil, maxBody + 1, 413},
		"webhook: type":        {hookURL + tenantA, "text/plain", nil, -1, 415},
		"webhook: tenant":      {hookURL + "x", json, nil, -1, 400},
		"no such route at all": {"/x", json, nil, -1, 404},
	} {
		t.Run(name, func(t *testing.T) {
			r := httptest.NewRequest("POST", tt.path, nil)
			r.Body, r.ContentLength = unread{t}, tt.length
			r.Header.Set("Content-Type", tt.kind)
			w := httptest.NewRecorder()
			f.engine.ServeHTTP(w, r)
			assert.Equal(t, tt.status, w.Code, w.Body)
			assert.Equal(t, "close", w.Header().Get("Connection"))
		})
	}
}

func TestABodyWithoutALengthIsCappedAllTheSame(t *testing.T) {
	f := newTestServer(t)
	r := httptest.NewRequest("POST", hookURL+tenantA, io.MultiReader(strings.NewReader(strings.Repeat(" ", maxBody)), strings.NewReader("  ")))
	r.ContentLength = -1
	r.Header.Set("Content-Type", "application/json")
	w := httptest.NewRecorder()
	f.engine.ServeHTTP(w, r)
	assert.Equal(t, 413, w.Code)
}

func TestBodiesInFlightAreBounded(t *testing.T) {
	f := newTestServer(t)
	require.True(t, f.door.bodies.TryAcquire(maxBodies-10))
	event := `{"type":"x"}`
	resp, _ := f.ask(ask{"POST", hookURL + tenantA, event, signed("new", event, 0)})
	assert.Equal(t, 503, resp.StatusCode)
	assert.NotEmpty(t, resp.Header.Get("Retry-After"))
	f.door.bodies.Release(maxBodies - 10)
	for range 100 { // each releases what it held
		f.ask(ask{"POST", routes.Prefix + "/archives", strings.Repeat(" ", maxBody-1), bearer("A")})
	}
	assert.True(t, f.door.bodies.TryAcquire(maxBodies), "nothing is held by what is answered")
}

func TestWrongSecretsAreLimitedByAddress(t *testing.T) {
	f := newTestServer(t)
	f.noTemporal()
	list := routes.Prefix + "/archives"
	wrong := func(address string) ask {
		return ask{"GET", list, "", map[string]string{"Authorization": "Bearer wrong", "X-Forwarded-For": address}}
	}
	get := func(peer string, a ask) (*http.Response, string) {
		r := httptest.NewRequest(a.method, a.path, strings.NewReader(a.body))
		r.RemoteAddr = peer
		for k, v := range plus(a.header, "Content-Type", "application/json") {
			r.Header.Set(k, v)
		}
		w := httptest.NewRecorder()
		f.engine.ServeHTTP(w, r)
		return w.Result(), w.Body.String()
	}
	const proxy = "127.0.0.1:9"
	for range failureBurst {
		resp, _ := get(proxy, wrong("203.0.113.7"))
		require.Equal(t, 401, resp.StatusCode)
	}
	resp, text := get(proxy, wrong("203.0.113.7"))
	assert.Equal(t, 429, resp.StatusCode)
	after, err := strconv.Atoi(resp.Header.Get("Retry-After"))
	require.NoError(t, err)
	assert.InDelta(t, 2, after, 1)
	assert.Contains(t, text, "too many wrong secrets")
	right := ask{"GET", list, "", plus(bearer("A"), "X-Forwarded-For", "203.0.113.7")}
	resp, _ = get(proxy, right)
	assert.Equal(t, 429, resp.StatusCode, "whoever guesses does not learn which was right")
	neighbor := ask{"GET", list, "", plus(bearer("B"), "X-Forwarded-For", "203.0.113.9")}
	resp, _ = get(proxy, neighbor)
	require.Equal(t, 200, resp.StatusCode)
	for range failureBurst + 1 {
		resp, _ = get(proxy, wrong("203.0.113.9"))
	}
	require.Equal(t, 429, resp.StatusCode)
	resp, _ = get(proxy, neighbor)
	assert.Equal(t, 200, resp.StatusCode, "somebody else's wrong keys do not stop one that was let in from there")
	f.Config().Tenants[tenantB].APIKey = nil
	resp, _ = get(proxy, neighbor)
	assert.Equal(t, 429, resp.StatusCode, "one that was taken away is wrong")
	button := ask{"POST", list + "/none/retry?" + url.Values{"tenant-id": {tenantA}, "key": {routes.ControlKey(f.Config().Tenants[tenantA], "none", "retry", time.Now())}}.Encode(), "", map[string]string{"X-Forwarded-For": "203.0.113.9"}}
	resp, _ = get(proxy, button)
	assert.Equal(t, 404, resp.StatusCode, "a button's key is let in: there is no such archive")
	resp, _ = get(proxy, ask{"GET", list, "", plus(bearer("A"), "X-Forwarded-For", "203.0.113.8")})
	assert.Equal(t, 200, resp.StatusCode, "another address")
	resp, _ = get("198.51.100.9:1", wrong("203.0.113.7"))
	assert.Equal(t, 401, resp.StatusCode, "a stranger's X-Forwarded-For is not believed")

	// Frame.io's machines serve everybody. Making them send wrong signatures must not lock out the right ones.
	event := `{"type":"project.updated","resource":{"id":"` + project + `"}}`
	for i := range failureBurst + 2 {
		resp, _ = get("203.0.113.20:1", ask{"POST", hookURL + tenantA, event, signed("wrong", event, 0)})
		assert.Equal(t, i >= failureBurst, resp.StatusCode == 429, i)
	}
	resp, _ = get("203.0.113.20:1", ask{"POST", hookURL + tenantA, event, signed("new", event, 0)})
	assert.Equal(t, 503, resp.StatusCode, "as far as Temporal, which is down")
}

func TestFailuresAreForgottenInTimeAndBounded(t *testing.T) {
	f, now := newFailures(), time.Now()
	for i := range 5 * maxAddresses {
		f.note(fmt.Sprint("flood ", i), now)
	}
	assert.LessOrEqual(t, len(f.of), maxAddresses)
	for i := range 2 * maxAddresses {
		f.noteRight(fmt.Sprint("flood ", i), "key")
	}
	assert.LessOrEqual(t, len(f.right), maxAddresses)
	for range failureBurst {
		f.note("one", now)
	}
	assert.Equal(t, failureRefill, f.wait("one", now))
	assert.Zero(t, f.wait("one", now.Add(failureRefill)))
}

func TestTheInsideHasAListenerOfItsOwn(t *testing.T) {
	f := newTestServer(t)
	f.noTemporal()
	inside := []string{"/healthz", "/readyz", "/metrics", "/openapi.json"}
	for _, path := range inside {
		resp, _ := f.ask(ask{"GET", path, "", nil})
		assert.NotEqual(t, 404, resp.StatusCode, path)
	}
	f.Config().HTTP.InternalListen = "127.0.0.1:0"
	public, internal := f.routes()
	for _, path := range inside {
		f.engine = public
		resp, _ := f.ask(ask{"GET", path, "", nil})
		assert.Equal(t, 404, resp.StatusCode, path)
		f.engine = internal
		resp, _ = f.ask(ask{"GET", path, "", nil})
		assert.NotEqual(t, 404, resp.StatusCode, path)
	}
	resp, _ := f.ask(ask{"GET", routes.Prefix + "/archives", "", bearer("A")})
	assert.Equal(t, 404, resp.StatusCode, "the API is not on the inside")
}

func TestEveryAnswerTellsBrowsersWhatNotToDo(t *testing.T) {
	f := newTestServer(t)
	f.Config().HTTP.PublicURL = "https://framebridge.example.com"
	for _, path := range []string{"/healthz", "/nothing", routes.Prefix + "/archives"} {
		resp, _ := f.ask(ask{"GET", path, "", nil})
		for _, h := range []string{"X-Content-Type-Options", "X-Frame-Options", "Referrer-Policy", "Content-Security-Policy", "Cache-Control", "Strict-Transport-Security"} {
			assert.NotEmpty(t, resp.Header.Get(h), "%s %s", path, h)
		}
	}
}

func TestLoggedPathsAreShortAndHoldNoSecret(t *testing.T) {
	f := newTestServer(t)
	var logged bytes.Buffer
	f.Log = slog.New(slog.NewJSONHandler(&logged, nil))
	secret := strings.Repeat("s3cret", 20)
	for _, path := range []string{"/l/short-link", "/l/" + secret, "/l/" + secret + "/x", "/x/" + secret, routes.Prefix + "/archives/" + secret,
		"/x/fio-u-abcdef123456", "/x?token=" + secret, "/" + strings.Repeat("a/", 5000), "/" + strings.Repeat("é", 5000)} {
		logged.Reset()
		f.ask(ask{"GET", path, "", nil})
		assert.Less(t, logged.Len(), 600, path)
		for _, bad := range []string{secret, "short-link", "abcdef123456"} {
			assert.NotContains(t, logged.String(), bad, path)
		}
	}
	assert.Equal(t, "/l/"+redact.Hidden, loggedPath("/l/x"))
	assert.Equal(t, "/lists/x", loggedPath("/lists/x"))
}

// A slow sender holds a connection only for so long, and one that opens many does not get more than there are.
func TestASlowSenderIsLetGo(t *testing.T) {
	f := newTestServer(t)
	l := &listening{key: "http.listen", address: "127.0.0.1:0", handler: f.engine}
	require.NoError(t, l.open(t.Context(), f.Log))
	l.server.ReadHeaderTimeout, l.server.ReadTimeout = 50*time.Millisecond, 100*time.Millisecond
	go func() { _ = l.server.Serve(l.listener) }()
	defer l.server.Close()
	for name, sent := range map[string]string{
		"headers": "POST /x HTTP/1.1\r\nHost: x\r\n",
		"body":    "POST " + hookURL + tenantA + " HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 100\r\n\r\n{",
	} {
		conn, err := net.Dial("tcp", l.listener.Addr().String())
		require.NoError(t, err)
		_, err = conn.Write([]byte(sent))
		require.NoError(t, err)
		require.NoError(t, conn.SetReadDeadline(time.Now().Add(10*time.Second)))
		_, err = io.Copy(io.Discard, bufio.NewReader(conn))
		assert.NoError(t, err, "%s: closed by the server", name)
		conn.Close()
	}
	for _, limit := range []time.Duration{headerTimeLimit, requestTimeLimit, writeTimeLimit, idleTimeLimit} {
		assert.Positive(t, limit)
	}
}

// A flood while a review is being sent leaves nothing in its history, because it reads everything when it opens.
func TestWebhooksWhileAReviewIsSentAreNoSignals(t *testing.T) {
	f := newTestServer(t)
	_, _, err := f.Ledger.RequestReview(t.Context(), ledger.Review{Tenant: tenantA, ID: "r", Click: "c", CreatedAt: time.Now()}, 0)
	require.NoError(t, err)
	set := func(status ledger.ReviewStatus) {
		_, err := f.Ledger.Tenant(tenantA).Review("r").Update(t.Context(), func(r *ledger.Review) { r.Status = status })
		require.NoError(t, err)
	}
	f.temporal.On("SignalWorkflow", mock.Anything, "review/"+tenantA+"/r", "", workflows.SignalWake, mock.Anything).Return(nil)
	set(ledger.ReviewSending)
	for range 200 {
		woken, err := f.wake(t.Context(), f.Config().Tenants[tenantA], "r", workflows.Hint{})
		require.NoError(t, err)
		require.True(t, woken)
	}
	f.temporal.AssertNumberOfCalls(t, "SignalWorkflow", 0)
	set(ledger.ReviewOpen)
	_, err = f.wake(t.Context(), f.Config().Tenants[tenantA], "r", workflows.Hint{})
	require.NoError(t, err)
	f.temporal.AssertNumberOfCalls(t, "SignalWorkflow", 1)
	_, err = f.Ledger.Tenant(tenantA).Review("r").AddAssets(t.Context(), func([]ledger.ReviewAsset) []ledger.ReviewAsset {
		return []ledger.ReviewAsset{{AssetID: "a", State: ledger.AssetReady}, {AssetID: "b", State: ledger.AssetUploading}}
	})
	require.NoError(t, err)
	woken, err := f.wake(t.Context(), f.Config().Tenants[tenantA], "r", workflows.Hint{})
	require.NoError(t, err)
	assert.True(t, woken)
	f.temporal.AssertNumberOfCalls(t, "SignalWorkflow", 1)
}

func TestACompressedBodyIsRefused(t *testing.T) {
	f := newTestServer(t)
	event := `{"type":"x"}`
	resp, answer := f.ask(ask{"POST", hookURL + tenantA, event, plus(signed("new", event, 0), "Content-Encoding", "gzip")})
	assert.Equal(t, 415, resp.StatusCode)
	assert.Equal(t, "Content-Encoding", answer["field"])
	assert.Equal(t, "identity", resp.Header.Get("Accept-Encoding"))
	resp, answer = f.ask(ask{"POST", routes.Prefix + "/archives", `{}`, plus(bearer("A"), "Content-Encoding", "Identity")})
	assert.Equal(t, 422, resp.StatusCode, answer)
}

// A body that was meant for something else stops nothing.
func TestAControlWithoutABodyAcceptsNothingButAnObject(t *testing.T) {
	f := newTestServer(t)
	f.noTemporal()
	_, _, err := f.Ledger.Tenant(tenantA).Archive(project).Request(t.Context(), "", time.Now())
	require.NoError(t, err)
	_, _, err = f.Ledger.RequestReview(t.Context(), ledger.Review{Tenant: tenantA, ID: "r", Click: "c", Status: ledger.ReviewOpen, CreatedAt: time.Now(), ExpiresAt: time.Now().Add(time.Hour)}, time.Second)
	require.NoError(t, err)
	for _, path := range []string{"/reviews/r/stop", "/reviews/r/sync", "/archives/" + project + "/cancel", "/archives/" + project + "/retry", "/archives/" + project + "/items/x/retry",
		"/migrations/99999999-2222-4333-8444-555555555555/pause"} {
		for body, refused := range map[string]bool{"": false, "{}": false, ` {"why":"late"}`: false, "[]": true, "null": true, "stop": true, `"x"`: true, "{} {}": true} {
			resp, answer := f.ask(ask{"POST", routes.Prefix + path, body, bearer("A")})
			assert.Equal(t, refused, resp.StatusCode == 400, "%s %s: %v", path, body, answer)
		}
	}
}

// A migration without a selection is of the whole account.
func TestNullIsNoRequest(t *testing.T) {
	f := newTestServer(t)
	f.noTemporal()
	for _, path := range []string{"/migrations", "/archives", "/mirrors", "/mirrors/nightly/run"} {
		resp, answer := f.ask(ask{"POST", routes.Prefix + path, " null\n", bearer("A")})
		assert.Equal(t, 400, resp.StatusCode, "%s: %v", path, answer)
	}
}

func TestASlowRequestIsAnsweredToo(t *testing.T) {
	for _, limit := range []time.Duration{webhookTimeout, clickTimeLimit, readTimeLimit} {
		assert.Greater(t, sendLimit(limit), requestTimeLimit+time.Second)
		assert.Greater(t, sendLimit(limit), limit+time.Second)
	}
}

func TestAKeyMayFollowMoreThanOneSpace(t *testing.T) {
	f := newTestServer(t)
	key := strings.TrimPrefix(bearer("A")["Authorization"], "Bearer ")
	resp, answer := f.ask(ask{"GET", routes.Prefix + "/archives", "", map[string]string{"Authorization": "Bearer   " + key}})
	assert.Equal(t, 200, resp.StatusCode, answer)
}
