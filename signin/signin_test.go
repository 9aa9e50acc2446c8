package signin

import (
	"bufio"
	"encoding/base64"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/framebridge/framebridge/config"
)

func TestSignInWithTheProvider(t *testing.T) {
	h := newHarness(t)
	h.realProvider()
	c := h.browser()

	got := h.get(c, "/ui/archives?status=failed")
	assert.Equal(t, "/ui/sign-in?to=%2Fui%2Farchives%3Fstatus%3Dfailed", got.path)
	assert.Contains(t, got.text, "/ui/sign-in/oidc?to=%2fui%2farchives%3fstatus%3dfailed")

	got = h.signInAt(c, "/ui/archives?status=failed", "edith")
	require.Equal(t, http.StatusOK, got.status, got.text+h.logs.String())
	assert.Equal(t, "/ui/archives?status=failed", got.path, "she is where she wanted to go")
	assert.Contains(t, got.text, "GET Edith Cutter oidc")
	assert.Contains(t, got.text, "Acme=operator Other Studio=editor", "the highest role of her groups in each tenant")
	assert.Equal(t, []string{"sign-in | edith@example.com |"}, h.audited(acme))
	assert.Equal(t, []string{"sign-in | edith@example.com |"}, h.audited(other))

	// Changes of the configuration apply at once.
	h.tenant(acme).Roles = map[string][]string{"viewer": {"everybody"}}
	h.tenant(other).Roles = nil
	assert.Contains(t, h.get(c, "/ui/").text, ". Acme=viewer")
	h.cfg.Auth.OIDC.Issuer = "https://another.example.com"
	got = h.get(c, "/ui/")
	assert.Equal(t, http.StatusForbidden, got.status, "a session of another provider has no role")
}

func TestWhoHasNoRoleIsTold(t *testing.T) {
	h := newHarness(t)
	h.realProvider()
	delete(h.cfg.Tenants, other)
	c := h.browser()
	got := h.signInAt(c, "/ui/", "guest")
	assert.Equal(t, http.StatusForbidden, got.status)
	assert.Contains(t, got.text, "No role in Framebridge")
	assert.Contains(t, got.text, "You are signed in as Gus Guest,", "an e-mail address that is not verified may be somebody else's")
	assert.Equal(t, []string{"refused | Gus Guest | has no role"}, h.audited(acme))
	assert.Contains(t, h.get(c, "/ui/").path, "/ui/sign-in", "there is no session")
}

func TestAnAnswerOfTheProviderBelongsToItsSignIn(t *testing.T) {
	h := newHarness(t)
	provider := h.realProvider()
	delete(h.cfg.Tenants, other)
	change := func(c *http.Client, change func(*attempt)) {
		u, err := url.Parse(h.url)
		require.NoError(t, err)
		for _, cookie := range c.Jar.Cookies(u) {
			var a attempt
			raw, err := base64.RawURLEncoding.DecodeString(cookie.Value)
			require.NoError(t, err)
			require.NoError(t, json.Unmarshal(raw, &a))
			change(&a)
			raw, err = json.Marshal(a)
			require.NoError(t, err)
			cookie.Value, cookie.Path = base64.RawURLEncoding.EncodeToString(raw), "/"
			c.Jar.SetCookies(u, []*http.Cookie{cookie})
		}
	}
	tests := []struct {
		name   string
		change func(*attempt)
		status int
	}{
		{"as it was", func(*attempt) {}, http.StatusOK},
		{"another nonce", func(a *attempt) { a.Nonce = "other" }, http.StatusBadGateway},
		{"another verifier", func(a *attempt) { a.Verifier = strings.Repeat("v", 43) }, http.StatusBadGateway},
		{"another state", func(a *attempt) { a.State = a.State[:10] + "other" }, http.StatusBadRequest},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			c := h.browser()
			login := h.get(c, "/ui/sign-in/oidc")
			change(c, tt.change)
			got := h.typePassword(c, login, "ivan")
			assert.Equal(t, tt.status, got.status, got.text)
			if tt.status != http.StatusOK {
				assert.Contains(t, h.get(c, "/ui/").path, "/ui/sign-in")
			}
		})
	}
	t.Run("another browser", func(t *testing.T) {
		mine, theirs := h.browser(), h.browser()
		theirs.CheckRedirect = func(r *http.Request, _ []*http.Request) error {
			if strings.HasPrefix(r.URL.Path, callbackPath) {
				return http.ErrUseLastResponse
			}
			return nil
		}
		answer := h.typePassword(theirs, h.get(theirs, "/ui/sign-in/oidc"), "ivan")
		got := h.get(mine, answer.header.Get("Location"))
		assert.Equal(t, http.StatusBadRequest, got.status, "nobody can be signed in as somebody else by a link")
	})
	t.Run("user info about somebody else", func(t *testing.T) {
		provider.mu.Lock()
		provider.lies = true
		provider.mu.Unlock()
		assert.Equal(t, http.StatusBadGateway, h.signInAt(h.browser(), "/ui/", "ivan").status)
	})
	for _, line := range []string{"the user info belongs to someone else", "the ID token belongs to another sign-in", "the provider refused the code"} {
		assert.Contains(t, h.logs.String(), line)
	}
	assert.NotContains(t, h.logs.String(), "a client's secret")
}

func TestAProviderThatIsDownStopsNobodyElse(t *testing.T) {
	h := newHarness(t)
	h.cfg.Auth.OIDC = config.OIDC{Issuer: "http://127.0.0.1:1", ClientID: "framebridge", ClientSecret: "a client's secret", GroupsClaim: "groups"}
	got := h.get(h.browser(), "/ui/sign-in/oidc")
	assert.Equal(t, http.StatusBadGateway, got.status)
	assert.Contains(t, got.text, "starter console")
	c := h.oneTime("sam", map[string]config.Role{acme: config.RoleAdmin})
	assert.Contains(t, h.get(c, "/ui/").text, "Acme=admin")
	h.realProvider()
	assert.Equal(t, http.StatusOK, h.signInAt(h.browser(), "/ui/", "edith").status, "the next sign-in asks again")
}

func TestAOneTimeLinkSignsInOnce(t *testing.T) {
	h := newHarness(t)
	address, err := OneTimeLink(t.Context(), h.cfg, h.book, "sam", map[string]config.Role{acme: config.RoleOperator}, h.time())
	require.NoError(t, err)
	path := strings.TrimPrefix(address, h.url)
	code := url.Values{"code": {strings.TrimPrefix(path, "/ui/sign-in/once?code=")}}
	c := h.browser()
	for range 2 {
		assert.Contains(t, h.get(c, path).text, "Sign in as sam", "a program that looks at links does not use it up")
	}
	got := h.post(c, "/ui/sign-in/once", code, "Sec-Fetch-Site", "cross-site")
	assert.Equal(t, http.StatusForbidden, got.status)
	got = h.post(c, "/ui/sign-in/once", code)
	assert.Contains(t, got.text, "GET sam console")
	assert.Contains(t, got.text, ". Acme=operator")
	got = h.post(h.browser(), "/ui/sign-in/once", code)
	assert.Equal(t, http.StatusGone, got.status)

	address, err = OneTimeLink(t.Context(), h.cfg, h.book, "sam", map[string]config.Role{acme: config.RoleOperator}, h.time())
	require.NoError(t, err)
	h.pass(OneTimeLasts)
	assert.Equal(t, http.StatusGone, h.get(h.browser(), strings.TrimPrefix(address, h.url)).status)
	assert.Equal(t, []string{"sign-in | sam |"}, h.audited(acme))
}

func TestASessionEnds(t *testing.T) {
	signedIn := func(h *harness, c *http.Client) bool { return h.get(c, "/ui/").path == "/ui/" }
	roles := map[string]config.Role{acme: config.RoleViewer}
	t.Run("when nobody clicks", func(t *testing.T) {
		h := newHarness(t)
		c := h.oneTime("sam", roles)
		for range 3 {
			h.pass(SessionIdle - time.Minute)
			assert.True(t, signedIn(h, c))
		}
		h.pass(SessionIdle)
		assert.False(t, signedIn(h, c))
	})
	t.Run("after its time", func(t *testing.T) {
		h := newHarness(t)
		c := h.oneTime("sam", roles)
		for range 11 {
			h.pass(time.Hour)
			assert.True(t, signedIn(h, c))
		}
		h.pass(time.Hour)
		assert.False(t, signedIn(h, c))
	})
	t.Run("by sign-out", func(t *testing.T) {
		h := newHarness(t)
		c, second := h.oneTime("sam", roles), h.oneTime("sam", roles)
		got := h.post(c, "/ui/sign-out", url.Values{FormField: {h.token(c)}})
		assert.Contains(t, got.text, "You are signed out")
		assert.False(t, signedIn(h, c))
		assert.True(t, signedIn(h, second))
		assert.Contains(t, h.audited(acme), "sign-out | sam |")
	})
	t.Run("as the tenant goes", func(t *testing.T) {
		h := newHarness(t)
		c := h.oneTime("sam", roles)
		delete(h.cfg.Tenants, acme)
		assert.Equal(t, http.StatusForbidden, h.get(c, "/ui/").status)
	})
}

func TestAnAdministratorSignsPeopleOut(t *testing.T) {
	h := newHarness(t)
	admin := h.oneTime("ada", map[string]config.Role{acme: config.RoleAdmin})
	sam, samToo := h.oneTime("sam", map[string]config.Role{acme: config.RoleOperator, other: config.RoleAdmin}), h.oneTime("sam", map[string]config.Role{acme: config.RoleOperator})
	olga := h.oneTime("olga", map[string]config.Role{other: config.RoleAdmin})

	got := h.get(admin, "/ui/people")
	assert.Contains(t, got.text, "ada <small>(you)</small>")
	assert.Contains(t, got.text, "operator (Acme)")
	assert.NotContains(t, got.text, "olga", "she has no role in a tenant of this administrator")
	assert.NotContains(t, got.text, "Other Studio")

	got = h.get(sam, "/ui/people")
	assert.Contains(t, got.text, "olga", "he administers the other tenant")
	got = h.get(samToo, "/ui/people")
	assert.Equal(t, http.StatusForbidden, got.status)
	assert.Contains(t, got.text, "needs the role admin")

	form := url.Values{FormField: {h.token(admin)}, "subject": {"console:olga"}}
	assert.Equal(t, http.StatusNotFound, h.post(admin, "/ui/people/sign-out", form).status)
	form.Set("subject", "console:sam")
	assert.Contains(t, h.post(admin, "/ui/people/sign-out", form).text, "sam was signed out everywhere")
	for _, c := range []*http.Client{sam, samToo} {
		assert.Contains(t, h.get(c, "/ui/").path, "/ui/sign-in")
	}
	assert.Contains(t, h.get(olga, "/ui/").text, "Other Studio=admin")
	assert.Contains(t, h.audited(acme), "sign-out of a person | ada | sam")
	assert.Contains(t, h.audited(acme), "refused | sam | /ui/people needs the role admin")
	assert.NotContains(t, h.audited(other), "sign-out of a person | ada | sam")
}

func TestAFormFromElsewhereDoesNothing(t *testing.T) {
	h := newHarness(t)
	c := h.oneTime("sam", map[string]config.Role{acme: config.RoleOperator})
	good := h.token(c)
	tests := []struct {
		name   string
		form   url.Values
		header []string
		want   int
	}{
		{"a page of the session", url.Values{FormField: {good}}, nil, http.StatusOK},
		{"a script of the session", nil, []string{FormHeader, good}, http.StatusOK},
		{"with its origin", url.Values{FormField: {good}}, []string{"Origin", h.url, "Sec-Fetch-Site", "same-origin"}, http.StatusOK},
		{"without a token", nil, nil, http.StatusForbidden},
		{"with another's token", url.Values{FormField: {h.token(h.oneTime("eve", map[string]config.Role{acme: config.RoleViewer}))}}, nil, http.StatusForbidden},
		{"another origin", url.Values{FormField: {good}}, []string{"Origin", "https://evil.example"}, http.StatusForbidden},
		{"another site", url.Values{FormField: {good}}, []string{"Sec-Fetch-Site", "cross-site", "Origin", "https://evil.example"}, http.StatusForbidden},
		{"a host beside it", url.Values{FormField: {good}}, []string{"Sec-Fetch-Site", "same-site", "Origin", "https://evil.example.com"}, http.StatusForbidden},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			assert.Equal(t, tt.want, h.post(c, "/ui/archives", tt.form, tt.header...).status)
		})
	}
	assert.Contains(t, h.audited(acme), "refused | sam | the form's token is missing or wrong")
	assert.Contains(t, h.audited(acme), "refused | sam | the request comes from another site")
}

func TestTheCookieIsKeptFromOthers(t *testing.T) {
	h := newHarness(t)
	for base, want := range map[string]string{
		"https://bridge.example.com": "__Host-framebridge=",
		"http://127.0.0.1:8080":      "framebridge=",
	} {
		h.cfg.HTTP.PublicURL = base
		address, err := OneTimeLink(t.Context(), h.cfg, h.book, "sam", map[string]config.Role{acme: config.RoleViewer}, h.time())
		require.NoError(t, err)
		u, err := url.Parse(address)
		require.NoError(t, err)
		r := httptest.NewRequest(http.MethodPost, base+"/ui/sign-in/once", strings.NewReader(u.RawQuery))
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		w := httptest.NewRecorder()
		h.desk.Handler(http.NotFoundHandler()).ServeHTTP(w, r)
		cookie := w.Header().Get("Set-Cookie")
		assert.True(t, strings.HasPrefix(cookie, want), cookie)
		for _, part := range []string{"; Path=/", "; Max-Age=43200", "; HttpOnly", "; SameSite=Lax"} {
			assert.Contains(t, cookie, part)
		}
		assert.Equal(t, strings.HasPrefix(base, "https"), strings.Contains(cookie, "; Secure"))
		assert.NotContains(t, cookie, "Domain")
	}
}

func TestPagesLoadNothingFromElsewhere(t *testing.T) {
	h := newHarness(t)
	c := h.oneTime("ada", map[string]config.Role{acme: config.RoleAdmin})
	for _, path := range []string{"/ui/sign-in", "/ui/sign-in/once?code=x", "/ui/people", "/l/x"} {
		got := h.get(c, path)
		assert.Equal(t, policy, got.header.Get("Content-Security-Policy"), path)
		assert.Equal(t, "no-store", got.header.Get("Cache-Control"), path)
		assert.NotContains(t, got.text, "http://", path)
		assert.NotContains(t, got.text, "https://", path)
		assert.NotContains(t, got.text, "style=", path)
		assert.Contains(t, got.text, stylePath, path)
	}
	got := h.get(h.browser(), stylePath)
	assert.Equal(t, "text/css; charset=utf-8", got.header.Get("Content-Type"))
	assert.Contains(t, got.header.Get("Cache-Control"), "immutable")
}

func TestAfterSignInPeopleStayHere(t *testing.T) {
	for to, want := range map[string]string{
		"/ui/archives?x=1":     "/ui/archives?x=1",
		"/l/abc":               "/l/abc",
		"/l/abc/comments.edl":  "/l/abc/comments.edl",
		"":                     "/ui/",
		"/":                    "/ui/",
		"//evil.example/ui/":   "/ui/",
		"/\\evil.example/ui/":  "/ui/",
		"https://evil.example": "/ui/",
		"javascript:alert(1)":  "/ui/",
		"/ui/sign-out":         "/ui/",
		"/ui/sign-in":          "/ui/",
		"/ui/\r\nSet-Cookie":   "/ui/",
		"/metrics":             "/ui/",
		"/ui/../metrics":       "/ui/",
	} {
		assert.Equal(t, want, localPath(to), to)
	}
}

func TestAStreamEndsWithItsSession(t *testing.T) {
	h := newHarness(t)
	h.desk.lookEvery = time.Millisecond
	c := h.oneTime("sam", map[string]config.Role{acme: config.RoleViewer})
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, h.url+"/ui/events", nil)
	require.NoError(t, err)
	r.Header.Set("Accept", "text/event-stream")
	answer, err := c.Do(r)
	require.NoError(t, err)
	defer answer.Body.Close()
	require.Equal(t, http.StatusOK, answer.StatusCode)
	_, err = h.book.EndSessions(t.Context(), "console:sam")
	require.NoError(t, err)
	_, err = bufio.NewReader(answer.Body).ReadString('\n')
	require.ErrorIs(t, err, io.EOF)
}

func TestWhatAScriptIsTold(t *testing.T) {
	h := newHarness(t)
	for _, header := range [][2]string{{"Accept", "text/event-stream"}, {"Sec-Fetch-Mode", "cors"}} {
		r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, h.url+"/ui/archives", nil)
		require.NoError(t, err)
		r.Header.Set(header[0], header[1])
		assert.Equal(t, http.StatusUnauthorized, h.send(h.browser(), r).status)
	}
	assert.Equal(t, http.StatusUnauthorized, h.post(h.browser(), "/ui/archives", nil).status)
}
