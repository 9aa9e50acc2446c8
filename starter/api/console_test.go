package api

import (
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/mock"
	"github.com/stretchr/testify/require"
	"go.temporal.io/api/serviceerror"
	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/mocks"
	"go.temporal.io/sdk/temporal"

	"github.com/framebridge/framebridge/config"
	"github.com/framebridge/framebridge/ledger"
	"github.com/framebridge/framebridge/routes"
	"github.com/framebridge/framebridge/signin"
	"github.com/framebridge/framebridge/workflows"
)

// TestAButtonOfTheConsole signs in, reads a page and presses its button. The audit log names the person.
func TestAButtonOfTheConsole(t *testing.T) {
	f := newBrowser(t)
	handle := &mocks.WorkflowUpdateHandle{}
	handle.On("Get", mock.Anything, mock.Anything).Return(nil)
	f.temporal.On("UpdateWorkflow", mock.Anything, mock.Anything).Return(handle, nil)
	_, _, err := f.Ledger.Tenant(tenantA).Archive(project).Request(t.Context(), "", time.Now())
	require.NoError(t, err)
	address, err := signin.OneTimeLink(t.Context(), f.Config(), f.Ledger, "sam", map[string]config.Role{tenantA: config.RoleOperator}, time.Now())
	require.NoError(t, err)
	u, err := url.Parse(address)
	require.NoError(t, err)
	post := func(path string, form url.Values) *http.Response {
		resp, err := f.client.PostForm(f.url+path, form)
		require.NoError(t, err)
		require.NoError(t, resp.Body.Close())
		return resp
	}
	post("/ui/sign-in/once", u.Query())
	path := "/ui/" + tenantA + "/archives/" + project + "/do/cancel"
	_, page, _ := f.get(f.url + path)
	require.Contains(t, page, "The archive leaves the queue.")
	_, token, _ := strings.Cut(page, `name="`+signin.FormField+`" value="`)
	token, _, _ = strings.Cut(token, `"`)
	require.NotEmpty(t, token)
	require.Equal(t, http.StatusForbidden, post(path, url.Values{}).StatusCode, "a form of another site has no token")
	f.temporal.AssertNotCalled(t, "UpdateWorkflow", mock.Anything, mock.Anything)
	resp := post(path, url.Values{signin.FormField: {token}})
	require.Equal(t, "/ui/"+tenantA+"/archives/"+project, resp.Request.URL.Path)
	entries, err := f.Ledger.Tenant(tenantA).AuditPage(t.Context(), ledger.AuditFilter{Action: workflows.UpdateCancel}, 0, 10)
	require.NoError(t, err)
	require.Len(t, entries, 1)
	require.Equal(t, ledger.Actor{Kind: ledger.ActorConsole, Name: "sam", Address: "127.0.0.1"}, entries[0].Actor)
}

func TestTheQueueIsReordered(t *testing.T) {
	f := newTestServer(t)
	h := f.Ledger.Tenant(tenantA)
	for i, id := range []string{"a", "b", "c"} {
		_, _, err := h.Archive(id).Request(t.Context(), "", time.Now())
		require.NoError(t, err)
		_, err = h.Archive(id).Update(t.Context(), func(r *ledger.Archive) { r.QueuePosition = i + 1 })
		require.NoError(t, err)
	}
	handle := &mocks.WorkflowUpdateHandle{}
	handle.On("Get", mock.Anything, mock.Anything).Run(func(args mock.Arguments) {
		args.Get(1).(*workflows.QueueState).Waiting = []workflows.Ticket{{Archive: "c"}, {Archive: "a"}, {Archive: "b"}}
	}).Return(nil).Once()
	f.temporal.On("UpdateWorkflow", mock.Anything, mock.MatchedBy(func(o client.UpdateWorkflowOptions) bool {
		return o.WorkflowID == workflows.ArchiveQueueID(tenantA) && o.UpdateName == workflows.UpdateMove && o.Args[0] == workflows.MoveUpdate{Archive: "c", Position: 1}
	})).Return(handle, nil)
	path := routes.Prefix + "/archives/c/position"
	resp, answer := f.ask(ask{"POST", path, `{"position": 1}`, bearer("A")})
	require.Equal(t, http.StatusAccepted, resp.StatusCode, answer)
	queue, err := h.Queue(t.Context(), 0, "", 10)
	require.NoError(t, err)
	require.Equal(t, "c a b", queue[0].ID+" "+queue[1].ID+" "+queue[2].ID, "whoever reads it next sees the new order")
	entries, err := h.AuditPage(t.Context(), ledger.AuditFilter{Action: workflows.UpdateMove}, 0, 10)
	require.NoError(t, err)
	require.Len(t, entries, 1)

	handle.On("Get", mock.Anything, mock.Anything).Return(temporal.NewApplicationError("the archive does not wait in the queue", "Refused")).Once()
	resp, answer = f.ask(ask{"POST", path, `{"position": 1}`, bearer("A")})
	require.Equal(t, http.StatusUnprocessableEntity, resp.StatusCode)
	require.Contains(t, answer["detail"], "does not wait")
	for body, want := range map[string]int{`{"position": 0}`: 422, `{}`: 422, `{"position": "first"}`: 400, `[`: 400} {
		resp, _ = f.ask(ask{"POST", path, body, bearer("A")})
		require.Equal(t, want, resp.StatusCode, body)
	}
	resp, _ = f.ask(ask{"POST", routes.Prefix + "/archives/none/position", `{"position": 1}`, bearer("A")})
	require.Equal(t, http.StatusNotFound, resp.StatusCode)
}

func TestOneFileIsRetried(t *testing.T) {
	f := newTestServer(t)
	h := f.Ledger.Tenant(tenantA).Archive(project)
	_, _, err := h.Request(t.Context(), "", time.Now())
	require.NoError(t, err)
	scan, err := h.BeginScan(t.Context())
	require.NoError(t, err)
	require.NoError(t, h.PutFolders(t.Context(), []ledger.Folder{{SourceID: "root", Scan: scan}}))
	require.NoError(t, h.PageListed(t.Context(), "root", scan, "", nil, []ledger.Item{
		{SourceID: "good", AssetKey: "k1", Path: "a", Version: 1, Versions: 1, Scan: scan, State: ledger.ItemVerified},
		{SourceID: "v1", AssetKey: "k2", Path: "b", Version: 1, Versions: 2, Scan: scan, State: ledger.ItemVerified},
		{SourceID: "v2", AssetKey: "k2", Path: "b", Version: 2, Versions: 2, Scan: scan, State: ledger.ItemFailed}}, true))
	require.NoError(t, h.FinishScan(t.Context(), scan))
	retry := func(id string) (int, map[string]any) {
		resp, answer := f.ask(ask{"POST", routes.Prefix + "/archives/" + project + "/items/" + id + "/retry", "", bearer("A")})
		return resp.StatusCode, answer
	}
	code, answer := retry("v2")
	require.Equal(t, http.StatusUnprocessableEntity, code)
	require.Contains(t, answer["detail"], "still running")
	_, err = h.Update(t.Context(), func(r *ledger.Archive) { r.Status = ledger.Incomplete })
	require.NoError(t, err)
	code, answer = retry("good")
	require.Equal(t, http.StatusUnprocessableEntity, code)
	require.Contains(t, answer["detail"], "has not failed")
	code, answer = retry("none")
	require.Equal(t, http.StatusUnprocessableEntity, code)
	require.Equal(t, "source_id", answer["field"])

	f.temporal.On("DescribeWorkflowExecution", mock.Anything, mock.Anything, mock.Anything).Return(nil, serviceerror.NewNotFound("none"))
	var started workflows.ArchiveInput
	f.temporal.On("ExecuteWorkflow", mock.Anything, mock.Anything, workflows.ArchiveName, mock.Anything).Run(func(args mock.Arguments) {
		started = args.Get(3).(workflows.ArchiveInput)
	}).Return(nil, nil)
	code, answer = retry("v2")
	require.Equal(t, http.StatusAccepted, code, answer)
	require.Equal(t, &workflows.Range{From: 2, To: 3}, started.State.Only, "with the other versions of its asset")
	entries, err := f.Ledger.Tenant(tenantA).AuditPage(t.Context(), ledger.AuditFilter{Archive: project}, 0, 10)
	require.NoError(t, err)
	require.Len(t, entries, 1)
	require.Equal(t, "file v2", entries[0].ObjectKind+" "+entries[0].ObjectID)
}
