package hooks

import (
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/framebridge/framebridge/untrusted"
)

var local = []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}

func post(t *testing.T, guard *untrusted.Guard, address string) (int, *Error) {
	t.Helper()
	code, err := New(guard, "framebridge/test").Post(t.Context(), address, []byte(`{"a":1}`), map[string]string{"X-Test": "yes"})
	if err == nil {
		return code, nil
	}
	var e *Error
	require.ErrorAs(t, err, &e)
	assert.NotContains(t, e.Error(), "secret-path")
	assert.NotContains(t, e.Error(), "127.0.0.1")
	return code, e
}

func TestWhatReceiversAnswer(t *testing.T) {
	redirected := false
	target := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { redirected = true }))
	defer target.Close()
	for name, tt := range map[string]struct {
		code   int
		header map[string]string
		body   string
		want   Error
	}{
		"accepted":       {code: 200, body: "ok"},
		"Teams accepts":  {code: 202},
		"nothing to say": {code: 204},
		"no such hook":   {code: 404, body: "no_service", want: Error{Code: 404, Lasting: true, Reason: "HTTP 404 Not Found: no_service"}},
		"gone":           {code: 410, body: "channel_is_archived", want: Error{Code: 410, Lasting: true, Reason: "HTTP 410 Gone: channel_is_archived"}},
		"not understood": {code: 400, body: "invalid_blocks", want: Error{Code: 400, Lasting: true, Reason: "HTTP 400 Bad Request: invalid_blocks"}},
		"busy":           {code: 503, want: Error{Code: 503, Reason: "HTTP 503 Service Unavailable"}},
		"too many":       {code: 429, header: map[string]string{"Retry-After": "30"}, want: Error{Code: 429, RetryAfter: 30 * time.Second, Reason: "HTTP 429 Too Many Requests"}},
		"for ever":       {code: 429, header: map[string]string{"Retry-After": "864000"}, want: Error{Code: 429, RetryAfter: time.Hour, Reason: "HTTP 429 Too Many Requests"}},
		"a redirect":     {code: 307, header: map[string]string{"Location": target.URL}, want: Error{Code: 307, Lasting: true, Reason: "HTTP 307: it redirects, which Framebridge does not follow: set the address that it redirects to"}},
		"a web page":     {code: 500, body: "<html>x</html>", want: Error{Code: 500, Reason: "HTTP 500 Internal Server Error"}},
		"its own path":   {code: 400, body: "ADDRESS is not known", want: Error{Code: 400, Lasting: true, Reason: "HTTP 400 Bad Request: *** is not known"}},
		"much":           {code: 400, body: strings.Repeat("x ", 5000), want: Error{Code: 400, Lasting: true, Reason: "HTTP 400 Bad Request: " + strings.Repeat("x ", 100)}},
	} {
		t.Run(name, func(t *testing.T) {
			var address string
			s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				body, _ := io.ReadAll(r.Body)
				assert.JSONEq(t, `{"a":1}`, string(body))
				assert.Equal(t, "yes", r.Header.Get("X-Test"))
				assert.Equal(t, "framebridge/test", r.UserAgent())
				assert.Equal(t, "POST /hook/secret-path", r.Method+" "+r.URL.Path)
				for k, v := range tt.header {
					w.Header().Set(k, v)
				}
				w.WriteHeader(tt.code)
				_, _ = io.WriteString(w, strings.ReplaceAll(tt.body, "ADDRESS", address))
			}))
			defer s.Close()
			address = s.URL + "/hook/secret-path"
			code, err := post(t, Guard(nil, local), address)
			assert.Equal(t, tt.code, code)
			if tt.want.Code == 0 {
				assert.Nil(t, err)
				return
			}
			require.NotNil(t, err)
			assert.Equal(t, tt.want, *err)
			assert.Equal(t, tt.code == 410, err.Gone())
		})
	}
	assert.False(t, redirected)
}

func TestWhetherAMessageMayHaveArrived(t *testing.T) {
	closes := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.ReadAll(r.Body)
		conn, _, err := w.(http.Hijacker).Hijack()
		assert.NoError(t, err)
		_ = conn.Close()
	}))
	defer closes.Close()
	_, err := post(t, Guard(nil, local), closes.URL+"/secret-path")
	require.NotNil(t, err)
	assert.True(t, err.Uncertain, "it was read, and no answer came")
	assert.False(t, err.Lasting)

	gone := httptest.NewServer(http.NotFoundHandler())
	gone.Close()
	_, err = post(t, Guard(nil, local), gone.URL+"/secret-path")
	require.NotNil(t, err)
	assert.Equal(t, Error{Reason: err.Reason}, *err)
	assert.Contains(t, err.Reason, "the server does not respond")

	_, err = post(t, Guard(nil, local), "http://no-such-host.invalid/secret-path")
	require.NotNil(t, err)
	assert.Equal(t, Error{Reason: "the host's name cannot be resolved"}, *err)

	hangs := make(chan struct{})
	slow := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { _, _ = io.ReadAll(r.Body); <-hangs }))
	defer slow.Close()
	defer close(hangs)
	c := New(Guard(nil, local), "x")
	c.http.Timeout = 50 * time.Millisecond
	_, gotErr := c.Post(context.Background(), slow.URL, []byte("{}"), nil)
	var e *Error
	require.ErrorAs(t, gotErr, &e)
	assert.Equal(t, Error{Uncertain: true, Reason: "no answer within 10 seconds"}, *e)
}

func TestAPrivateAddressIsCalledOnlyWhereItIsAllowed(t *testing.T) {
	called := 0
	s := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { called++ }))
	defer s.Close()
	_, err := post(t, Guard(nil, nil), s.URL+"/secret-path")
	require.NotNil(t, err)
	assert.True(t, err.Lasting)
	assert.Contains(t, err.Reason, "notify.allowed_networks")
	assert.Zero(t, called)
	code, err := post(t, Guard(nil, local), s.URL)
	assert.Nil(t, err)
	assert.Equal(t, 200, code)
	code, err = post(t, Guard([]string{s.URL}, nil), s.URL) // a sandbox, whose vendors are on this machine, too
	assert.Nil(t, err)
	assert.Equal(t, 200, code)
}

func TestReachSendsNothingThatIsSecret(t *testing.T) {
	var seen []string
	s := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { seen = append(seen, r.Method+" "+r.RequestURI) }))
	defer s.Close()
	require.NoError(t, New(Guard(nil, local), "x").Reach(t.Context(), s.URL+"/secret-path?sig=secret"))
	assert.Equal(t, []string{"HEAD /"}, seen)
	assert.ErrorContains(t, New(Guard(nil, nil), "x").Reach(t.Context(), s.URL), "private network")
}
