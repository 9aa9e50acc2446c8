package console

import (
	"errors"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/framebridge/framebridge/config"
)

const backFromAdobe = "/ui/frameio-sign-in?"

// begin starts a sign-in and returns its state.
func (h *harness) begin(t *testing.T) string {
	t.Helper()
	resp, body := h.do(t, http.MethodPost, "setup/sign-in", url.Values{})
	require.Equal(t, http.StatusSeeOther, resp.StatusCode, body)
	to, err := url.Parse(resp.Header.Get("Location"))
	require.NoError(t, err)
	assert.Equal(t, "ims.example", to.Host)
	assert.Equal(t, "http://127.0.0.1:8080/ui/frameio-sign-in", to.Query().Get("redirect_uri"))
	return to.Query().Get("state")
}

func TestASignInToFrameioComesBackToThePage(t *testing.T) {
	h := serve(t, config.RoleAdmin)
	resp, body := h.get(t, "setup/sign-in")
	assert.Contains(t, body, "http://127.0.0.1:8080/ui/frameio-sign-in", "it has to be registered at Adobe")
	assert.Contains(t, resp.Header.Get("Content-Security-Policy"), "form-action 'self' https://ims.example;")
	state := h.begin(t)
	back := backFromAdobe + url.Values{"state": {state}, "code": {"c-1"}}.Encode()
	resp, body = h.get(t, back)
	require.Equal(t, http.StatusSeeOther, resp.StatusCode, body)
	assert.Equal(t, "/ui/"+acme+"/setup?done=signed-in", resp.Header.Get("Location"))
	assert.Equal(t, []string{"signed in " + acme + " c-1 http://127.0.0.1:8080/ui/frameio-sign-in"}, h.actions.asked)
	resp, _ = h.get(t, back)
	assert.Equal(t, http.StatusBadRequest, resp.StatusCode, "an answer counts once")
	resp, body = h.get(t, backFromAdobe+url.Values{"state": {h.begin(t)}, "error": {"access_denied"}, "error_description": {"the user said no <b>"}}.Encode())
	assert.Equal(t, http.StatusUnprocessableEntity, resp.StatusCode)
	assert.Contains(t, body, "Adobe rejected the sign-in: The user said no &lt;b&gt;.")
	h.actions.signInErr = &Refused{"Adobe rejects the sign-in code"}
	resp, body = h.get(t, backFromAdobe+url.Values{"state": {h.begin(t)}, "code": {"c-2"}}.Encode())
	assert.Equal(t, http.StatusUnprocessableEntity, resp.StatusCode)
	assert.Contains(t, body, "Adobe rejects the sign-in code.")
	h.actions.signInErr = errors.New("dial tcp 10.0.0.3: refused")
	resp, body = h.get(t, backFromAdobe+url.Values{"state": {h.begin(t)}, "code": {"c-3"}}.Encode())
	assert.Equal(t, http.StatusServiceUnavailable, resp.StatusCode)
	assert.NotContains(t, body, "10.0.0.3")
}

func TestAForeignAnswerSignsNobodyIn(t *testing.T) {
	h := serve(t, config.RoleAdmin)
	state := h.begin(t)
	parts := strings.Split(state, ".")
	otherTenant := strings.Join(append([]string{other}, parts[1:]...), ".")
	for what, bad := range map[string]string{"no state": "", "another tenant": otherTenant, "a later end": strings.Replace(state, parts[1], "99999999999", 1), "no mark": strings.Join(parts[:3], "."), "nonsense": "a.b", "of another session": state + "x"} {
		resp, _ := h.get(t, backFromAdobe+url.Values{"state": {bad}, "code": {"c"}}.Encode())
		assert.Equal(t, http.StatusBadRequest, resp.StatusCode, what)
	}
	assert.Empty(t, h.actions.asked)
	for range 620 { // each request is a second later
		h.asked.Add(1)
	}
	resp, _ := h.get(t, backFromAdobe+url.Values{"state": {state}, "code": {"c"}}.Encode())
	assert.Equal(t, http.StatusBadRequest, resp.StatusCode, "too late")
	viewer := serve(t, config.RoleOperator)
	for _, method := range []string{http.MethodGet, http.MethodPost} {
		resp, _ := viewer.do(t, method, "setup/sign-in", url.Values{})
		assert.Equal(t, http.StatusForbidden, resp.StatusCode)
	}
	viewer.cfg.Tenants[acme].Frameio.IMS.ClientID = ""
	h.cfg.Tenants[acme].Frameio.IMS.ClientID = ""
	_, body := h.get(t, "setup/sign-in")
	assert.Contains(t, body, "The tenant does not sign in through Adobe.")
	assert.NotContains(t, body, "Sign in with Adobe")
}

func TestLimitsAndPausesAreShown(t *testing.T) {
	h := filled(t, config.RoleAdmin)
	_, body := h.get(t, "setup")
	for _, want := range []string{"40 of 50 calls in 1 second", "0 of 100 calls in 1 minute", "until 13:00:00 UTC", "Too many requests (429): 3 times, the last one 4 minutes ago.", "Used up", "it ends after 14 days without use", `/setup/sign-in"`} {
		assert.Contains(t, body, want)
	}
	assert.Less(t, strings.Index(body, "Paused"), strings.Index(body, "40 of 50"), "what waits comes first")
	assert.NotContains(t, body, "<strong>Adobe</strong>", "a limit that nobody has met is not shown")
}
