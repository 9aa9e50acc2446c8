package api

import (
	"context"
	"encoding/json"
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
	"go.temporal.io/sdk/mocks"

	"github.com/framebridge/framebridge/clients/frameio"
	"github.com/framebridge/framebridge/config"
	"github.com/framebridge/framebridge/ledger"
	"github.com/framebridge/framebridge/signin"
	"github.com/framebridge/framebridge/workflows"
)

// Me returns the user who is signed in to Frame.io.
func (f *fakeFrameio) Me(context.Context) (frameio.User, error) {
	return frameio.User{Name: "Sam", Email: "sam@example.com"}, nil
}

// as signs a person in, in a browser of their own, and returns the token for their forms.
func (f *inBrowser) as(name string, role config.Role) (token string) {
	f.t.Helper()
	jar, err := cookiejar.New(nil)
	require.NoError(f.t, err)
	f.client = &http.Client{Jar: jar, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	address, err := signin.OneTimeLink(f.t.Context(), f.Config(), f.Ledger, name, map[string]config.Role{tenantA: role}, time.Now())
	require.NoError(f.t, err)
	u, err := url.Parse(address)
	require.NoError(f.t, err)
	f.press("/ui/sign-in/once", u.Query())
	_, page, _ := f.get(f.url + "/ui/" + tenantA + "/account")
	_, token, _ = strings.Cut(page, `name="`+signin.FormField+`" value="`)
	token, _, _ = strings.Cut(token, `"`)
	require.NotEmpty(f.t, token)
	return token
}

// press submits a form and returns the response, without following redirects.
func (f *inBrowser) press(path string, form url.Values) *http.Response {
	f.t.Helper()
	resp, err := f.client.PostForm(f.url+path, form)
	require.NoError(f.t, err)
	require.NoError(f.t, resp.Body.Close())
	return resp
}

func TestAMigrationIsStartedFromTheConsole(t *testing.T) {
	f := newBrowser(t)
	token := f.as("sam", config.RoleOperator)
	f.migrationRuns(false)
	f.temporal.On("ExecuteWorkflow", mock.Anything, mock.Anything, workflows.MigrationName, mock.Anything).Return(&mocks.WorkflowRun{}, nil).Once()
	resp := f.press("/ui/"+tenantA+"/account/start", url.Values{signin.FormField: {token}, "name": {"Salt*"}, "canary": {"2"}, "days_1": {"mon-fri"}, "from_1": {"20:00"}, "to_1": {"06:00"}})
	require.Equal(t, http.StatusSeeOther, resp.StatusCode)
	row, known, err := f.Ledger.Tenant(tenantA).NewestMigration(t.Context())
	require.NoError(t, err)
	require.True(t, known)
	assert.Equal(t, "/ui/"+tenantA+"/account/migrations/"+row.ID+"?done=migrating", resp.Header.Get("Location"))
	assert.JSONEq(t, `{"selection":{"name":"Salt*"},"canary":2,"windows":[{"days":"mon-fri","from":"20:00","to":"06:00"}]}`, string(row.Request))
	entries, err := f.Ledger.Tenant(tenantA).AuditPage(t.Context(), ledger.AuditFilter{Text: row.ID}, 0, 10)
	require.NoError(t, err)
	require.Len(t, entries, 1)
	assert.Equal(t, "start sam", entries[0].Action+" "+entries[0].Actor.Name)
}

// The person who requests a deletion cannot approve it, neither in the console nor through the API.
func TestADeletionNeedsASecondPersonAtTheConsole(t *testing.T) {
	f := newBrowser(t)
	f.Config().Tenants[tenantA].Archive.Reclaim = "allowed"
	h := f.Ledger.Tenant(tenantA).Archive(project)
	_, _, err := h.Request(t.Context(), "", time.Now())
	require.NoError(t, err)
	f.temporal.On("ExecuteWorkflow", mock.Anything, mock.Anything, workflows.ReclaimName, mock.Anything).Return(&mocks.WorkflowRun{}, nil).Once()
	path := "/ui/" + tenantA + "/archives/" + project + "/reclaim/do/"
	press := func(name string, role config.Role, verb string) int {
		token := f.as(name, role)
		return f.press(path+verb, url.Values{signin.FormField: {token}}).StatusCode
	}
	assert.Equal(t, http.StatusForbidden, press("olga", config.RoleOperator, "ask"))
	require.Equal(t, http.StatusSeeOther, press("olga", config.RoleAdmin, "ask"))
	_, err = h.UpdateReclaim(t.Context(), func(r *ledger.Reclaim) error { r.Status = ledger.ReclaimWaiting; return nil })
	require.NoError(t, err)
	assert.Equal(t, http.StatusUnprocessableEntity, press("Olga", config.RoleAdmin, "approve"))
	handle := &mocks.WorkflowUpdateHandle{}
	handle.On("Get", mock.Anything, mock.Anything).Return(nil)
	f.temporal.On("UpdateWorkflow", mock.Anything, mock.Anything).Return(handle, nil)
	require.Equal(t, http.StatusSeeOther, press("pat", config.RoleAdmin, "approve"))
	r, _, err := h.Reclaim(t.Context())
	require.NoError(t, err)
	assert.Equal(t, "pat", r.ApprovedBy.Name)
	assert.Equal(t, ledger.ApprovedBySecond, r.ApprovedHow)
}

// TestTheSignInToFrameioIsStartedFromTheConsole goes to Adobe and back. The tokens are stored, and the audit log names the person.
func TestTheSignInToFrameioIsStartedFromTheConsole(t *testing.T) {
	f := newBrowser(t)
	adobe := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		assert.Equal(t, "code-1", r.PostFormValue("code"))
		assert.Equal(t, f.url+"/ui/frameio-sign-in", r.PostFormValue("redirect_uri"))
		_ = json.NewEncoder(w).Encode(map[string]any{"access_token": "at", "refresh_token": "rt", "expires_in": 3600})
	}))
	t.Cleanup(adobe.Close)
	c := &f.Config().Tenants[tenantA].Frameio
	c.Generation, c.IMS = "v4", config.IMS{ClientID: "client", ClientSecret: "secret", TokenURL: adobe.URL + "/ims/token/v3"}
	token := f.as("sam", config.RoleAdmin)
	resp := f.press("/ui/"+tenantA+"/setup/sign-in", url.Values{signin.FormField: {token}})
	require.Equal(t, http.StatusSeeOther, resp.StatusCode)
	to, err := url.Parse(resp.Header.Get("Location"))
	require.NoError(t, err)
	assert.Equal(t, adobe.URL+"/ims/authorize/v2", to.Scheme+"://"+to.Host+to.Path)
	back := f.url + "/ui/frameio-sign-in?" + url.Values{"code": {"code-1"}, "state": {to.Query().Get("state")}}.Encode()
	sam := f.client
	f.as("eve", config.RoleAdmin)
	code, _, _ := f.get(back)
	assert.Equal(t, http.StatusBadRequest, code, "another session's answer signs nobody in")
	f.client = sam
	code, page, resp := f.get(back)
	require.Equal(t, http.StatusSeeOther, code, page)
	assert.Equal(t, "/ui/"+tenantA+"/setup?done=signed-in", resp.Header.Get("Location"))
	kept, known, err := f.Ledger.Tenant(tenantA).Token(t.Context(), "frameio-ims")
	require.NoError(t, err)
	require.True(t, known)
	assert.Contains(t, string(kept), `"rt"`)
	entries, err := f.Ledger.Tenant(tenantA).AuditPage(t.Context(), ledger.AuditFilter{Action: "sign-in to Frame.io"}, 0, 10)
	require.NoError(t, err)
	require.Len(t, entries, 1)
	assert.Equal(t, "sam", entries[0].Actor.Name)
	assert.NotContains(t, f.logs.String(), "code-1", "the log has no code")
}
