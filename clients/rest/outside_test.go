package rest

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/framebridge/framebridge/untrusted"
)

// What responses say about waits and limits must neither block a tenant for years nor remove all pacing.
func TestNumbersFromOutsideAreBounded(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		header   http.Header
		status   int
		min, max time.Duration // until the next call
	}{
		"seconds":                    {http.Header{"Retry-After": {"7"}}, 429, 7 * time.Second, 7 * time.Second},
		"a date":                     {http.Header{"Retry-After": {"Sun, 01 Nov 2026 00:00:09 GMT"}}, 429, 9 * time.Second, 9 * time.Second},
		"a date of yesterday":        {http.Header{"Retry-After": {"Sat, 31 Oct 2026 00:00:09 GMT"}}, 429, time.Second, time.Second},
		"a date in a thousand years": {http.Header{"Retry-After": {"Sat, 01 Nov 3026 00:00:09 GMT"}}, 429, time.Hour, time.Hour},
		"more than a duration holds": {http.Header{"Retry-After": {"9999999999999"}}, 429, time.Second, time.Hour},
		"1e300":                      {http.Header{"Retry-After": {"1e300"}}, 429, time.Hour, time.Hour},
		"seconds since 1970":         {http.Header{"Retry-After": {"1793491209"}}, 429, 9 * time.Second, 9 * time.Second},
		"milliseconds since 1970":    {http.Header{"Retry-After": {"1793491209000"}}, 429, 9 * time.Second, 9 * time.Second},
		"negative":                   {http.Header{"Retry-After": {"-30"}}, 429, time.Second, time.Second},
		"not a number":               {http.Header{"Retry-After": {"NaN"}}, 429, time.Second, time.Second},
		"infinite":                   {http.Header{"Retry-After": {"+Inf"}}, 429, time.Second, time.Hour},
		"next to nothing":            {http.Header{"Retry-After": {"1e-300"}}, 429, time.Second, time.Second},
		"a word":                     {http.Header{"Retry-After": {"soon"}}, 429, time.Second, time.Second},
		"a limit of nothing":         {http.Header{"X-Ratelimit-Limit": {"1e-300"}, "X-Ratelimit-Window": {"60000"}, "X-Ratelimit-Remaining": {"0"}}, 200, 0, 2 * time.Second},
		"a window of a century":      {http.Header{"X-Ratelimit-Limit": {"1"}, "X-Ratelimit-Window": {"3e12"}, "X-Ratelimit-Remaining": {"0"}}, 200, 0, 2 * time.Second},
		"a window of no time":        {http.Header{"X-Ratelimit-Limit": {"10"}, "X-Ratelimit-Window": {"1e-300"}, "X-Ratelimit-Remaining": {"0"}}, 200, 0, 2 * time.Second},
		"a limit without end":        {http.Header{"X-Ratelimit-Limit": {"+Inf"}, "X-Ratelimit-Window": {"60000"}, "X-Ratelimit-Remaining": {"0"}}, 200, 0, 2 * time.Second},
		"a limit that is no number":  {http.Header{"X-Ratelimit-Limit": {"NaN"}, "X-Ratelimit-Window": {"NaN"}, "X-Ratelimit-Remaining": {"NaN"}}, 200, 0, 2 * time.Second},
		"less than none are left":    {http.Header{"X-Ratelimit-Limit": {"60"}, "X-Ratelimit-Window": {"60000"}, "X-Ratelimit-Remaining": {"-1e300"}}, 200, 0, 2 * time.Second},
		"one a minute":               {http.Header{"X-Ratelimit-Limit": {"1"}, "X-Ratelimit-Window": {"60000"}, "X-Ratelimit-Remaining": {"0"}}, 200, time.Minute, time.Minute},
	} {
		t.Run(name, func(t *testing.T) {
			b, now := clocked(Limit{Calls: 60, Window: time.Minute})
			require.Zero(t, b.take())
			b.Done(tt.status, tt.header)
			wait := b.take()
			assert.GreaterOrEqual(t, wait, tt.min)
			assert.LessOrEqual(t, wait, tt.max)
			*now = now.Add(time.Hour)
			assert.Zero(t, b.take(), "an hour later it goes on, whatever was said")
		})
	}
}

// A wait that became negative once led to 8,000 calls in 2 s.
func TestAThrottledCallNeverRunsWild(t *testing.T) {
	t.Parallel()
	for _, asked := range []string{"9999999999999999999", "-1", "NaN", "1e-300", "0", "9223372037"} {
		var seen atomic.Int64
		c := serve(t, func(w http.ResponseWriter, _ *http.Request) {
			seen.Add(1)
			w.Header().Set("Retry-After", asked)
			w.WriteHeader(429)
		}, func(c *Config) { c.MaxThrottleWait = 1500 * time.Millisecond })
		e := call(c, "GET", nil)
		require.NotNil(t, e)
		assert.Equal(t, Throttled, e.Class)
		assert.GreaterOrEqual(t, e.RetryAfter, time.Second)
		assert.LessOrEqual(t, e.RetryAfter, untrusted.LongestPause)
		assert.LessOrEqual(t, seen.Load(), int64(3), asked)
	}
}

// A path leads where it was meant to, whatever ID somebody chooses.
func TestOnlyIDsComeIntoPaths(t *testing.T) {
	t.Parallel()
	var asked atomic.Value
	c := serve(t, func(w http.ResponseWriter, r *http.Request) {
		asked.Store(r.URL.EscapedPath())
		_, _ = io.WriteString(w, `{}`)
	}, func(c *Config) { c.TrailingSlash, c.IDs = true, ":|" })
	for id, good := range map[string]bool{
		"2c5bfe1a-f149-11eb-a843-0a580a3db916": true, "C": true, "frameio_project": true, "adobe:ABC|2": true,
		"": false, ".": false, "..": false, "../../users/v1/users": false, "a/b": false, "a?b": false, "a#b": false, "a b": false, "a%2fb": false,
		"ä": false, "a\x00": false, "a\nb": false, "-": false, strings.Repeat("a", 300): false, "..;": false, `a\b`: false,
	} {
		_, err := c.Do(t.Context(), Request{Operation: "get asset", Method: "GET", Path: "assets/v1/assets/" + url.PathEscape(id) + "/"}, nil)
		if good {
			require.NoError(t, err, "%q", id)
			assert.Equal(t, "/api/assets/v1/assets/"+url.PathEscape(id)+"/", asked.Swap(""))
			continue
		}
		var wrong *untrusted.IDError
		require.ErrorAs(t, err, &wrong, "%q", id)
		assert.Equal(t, "asset_id", wrong.Field)
		assert.Equal(t, Permanent, ClassOf(err))
		if was := asked.Load(); was != nil {
			assert.Empty(t, was, "%q was called", id)
		}
	}
}

func TestCredentialsDoNotFollowARedirectElsewhere(t *testing.T) {
	t.Parallel()
	secrets := []string{"Authorization", "App-Id", "Auth-Token", "X-Frameio-Legacy-Token-Auth", "X-Frameio-Service-Client", "X-Anything", "Cookie", "Referer"}
	var got atomic.Value
	elsewhere := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		got.Store(r.Header.Clone())
		_, _ = io.WriteString(w, `{}`)
	})
	other, secure := httptest.NewServer(elsewhere), httptest.NewTLSServer(elsewhere)
	defer other.Close()
	defer secure.Close()
	port := other.URL[strings.LastIndex(other.URL, ":"):]
	for name, tt := range map[string]struct {
		to       string
		tls      bool // the vendor uses TLS
		method   string
		status   int
		followed bool
		bare     bool
	}{
		"another port":                       {to: other.URL + "/x", method: "GET", status: 302, followed: true, bare: true},
		"another name":                       {to: "http://localhost" + port + "/x", method: "GET", status: 307, followed: true, bare: true},
		"another scheme":                     {to: secure.URL + "/x", method: "GET", status: 307, followed: true, bare: true},
		"from https to http":                 {to: other.URL + "/x", tls: true, method: "GET", status: 302},
		"a write elsewhere":                  {to: other.URL + "/x", method: "POST", status: 307},
		"a write elsewhere, kept":            {to: other.URL + "/x", method: "PUT", status: 308},
		"a write that would become a read":   {to: other.URL + "/x", method: "POST", status: 302},
		"a change that would become a read":  {to: other.URL + "/x", method: "PATCH", status: 303},
		"a removal that would become a read": {to: other.URL + "/x", method: "DELETE", status: 301},
	} {
		t.Run(name, func(t *testing.T) {
			got.Store(http.Header(nil))
			h := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, tt.to, tt.status) })
			vendor := httptest.NewServer(h)
			if tt.tls {
				vendor.Close()
				vendor = httptest.NewTLSServer(h)
			}
			defer vendor.Close()
			c, err := New(Config{Vendor: "Vendor", BaseURL: vendor.URL, HTTP: secure.Client(), Authorize: func(r *http.Request) {
				for _, s := range secrets {
					r.Header.Set(s, "secret")
				}
			}})
			require.NoError(t, err)
			_, err = c.Do(context.Background(), Request{Operation: "an operation", Method: tt.method, Path: "things/1", Body: map[string]any{"a": 1}}, nil)
			if !tt.followed {
				require.ErrorContains(t, err, "redirects")
				assert.Nil(t, got.Load(), "nobody else was called")
				return
			}
			require.NoError(t, err)
			for _, s := range secrets {
				assert.Empty(t, got.Load().(http.Header).Get(s), s)
			}
		})
	}
}

// A vendor on the Internet cannot lead a call to this machine or the networks behind it.
func TestARedirectDoesNotLeadInside(t *testing.T) {
	t.Parallel()
	var called atomic.Int64
	inside := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { called.Add(1) }))
	defer inside.Close()
	guard := untrusted.NewGuard([]string{"https://192.0.2.1"}, nil)
	h := &http.Client{Transport: &http.Transport{DialContext: guard.Dial(net.Dialer{})}}
	_, err := h.Get(inside.URL)
	var refused *untrusted.AddressError
	require.True(t, errors.As(err, &refused), "%v", err)
	assert.Equal(t, "loopback", refused.Kind)
	assert.Zero(t, called.Load())
}
