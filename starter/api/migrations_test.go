package api

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/mock"
	"github.com/stretchr/testify/require"
	commonpb "go.temporal.io/api/common/v1"
	enumspb "go.temporal.io/api/enums/v1"
	"go.temporal.io/api/serviceerror"
	workflowpb "go.temporal.io/api/workflow/v1"
	"go.temporal.io/api/workflowservice/v1"
	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/mocks"

	"github.com/framebridge/framebridge/ledger"
	"github.com/framebridge/framebridge/routes"
	"github.com/framebridge/framebridge/workflows"
)

const migrationsRoute = routes.Prefix + "/migrations"

// migrationRuns sets whether Temporal runs the tenant's migration.
func (f *testServer) migrationRuns(running bool) {
	f.temporal.ExpectedCalls = nil
	call := f.temporal.On("DescribeWorkflowExecution", mock.Anything, workflows.MigrationID(tenantA), "")
	if !running {
		call.Return(nil, serviceerror.NewNotFound("none"))
		return
	}
	call.Return(&workflowservice.DescribeWorkflowExecutionResponse{WorkflowExecutionInfo: &workflowpb.WorkflowExecutionInfo{
		Execution: &commonpb.WorkflowExecution{WorkflowId: workflows.MigrationID(tenantA)}, Status: enumspb.WORKFLOW_EXECUTION_STATUS_RUNNING}}, nil)
}

func TestAMigrationIsStartedOnce(t *testing.T) {
	f := newTestServer(t)
	f.migrationRuns(false)
	f.temporal.On("ExecuteWorkflow", mock.Anything, mock.Anything, workflows.MigrationName, mock.Anything).Return(&mocks.WorkflowRun{}, nil).Once()
	body := `{"selection":{"name":"Spring*"},"canary":2,"projects_in_parallel":4,"windows":[{"days":"mon-fri","from":"20:00","to":"06:00","zone":"Europe/Berlin","bandwidth":"100MiB"}],"requested_by":"sam@example.com"}`
	resp, answer := f.ask(ask{"POST", migrationsRoute, body, bearer("A")})
	require.Equal(t, http.StatusAccepted, resp.StatusCode, answer)
	id := fmt.Sprint(answer["id"])
	assert.Equal(t, "started", answer["status"])
	assert.Equal(t, "migration/"+tenantA, answer["workflow_id"])
	row, known, err := f.Ledger.Tenant(tenantA).Migration(id).Get(t.Context())
	require.NoError(t, err)
	require.True(t, known)
	assert.Equal(t, "sam@example.com", row.RequestedBy)

	f.migrationRuns(true)
	resp, answer = f.ask(ask{"POST", migrationsRoute, body, bearer("A")})
	require.Equal(t, http.StatusAccepted, resp.StatusCode, "the same again joins it")
	assert.Equal(t, "running", answer["status"])
	assert.Equal(t, id, answer["id"])
	resp, answer = f.ask(ask{"POST", migrationsRoute, `{}`, bearer("A")})
	assert.Equal(t, http.StatusUnprocessableEntity, resp.StatusCode)
	assert.Contains(t, answer["detail"], "has not ended")
}

func TestAMigrationThatTemporalDoesNotTakeHasFailed(t *testing.T) {
	f := newTestServer(t)
	f.migrationRuns(false)
	f.temporal.On("ExecuteWorkflow", mock.Anything, mock.Anything, workflows.MigrationName, mock.Anything).Return(nil, serviceerror.NewUnavailable("down"))
	resp, _ := f.ask(ask{"POST", migrationsRoute, `{}`, bearer("A")})
	assert.Equal(t, http.StatusServiceUnavailable, resp.StatusCode)
	rows, _, err := f.Ledger.Tenant(tenantA).Migrations(t.Context(), "", 10)
	require.NoError(t, err)
	require.Len(t, rows, 1)
	assert.Equal(t, ledger.MigrationFailed, rows[0].Status)
}

func TestWhatNoMigrationIs(t *testing.T) {
	f := newTestServer(t)
	f.migrationRuns(false)
	for body, want := range map[string]struct {
		status int
		field  string
	}{
		`{"windows":[{"from":"20:00","to":"06:00","zone":"Mars"}]}`: {422, "windows.0.zone"},
		`{"selection":{"status":"gone"}}`:                           {422, "selection.status"},
		`{"canary":-1}`:                                             {422, "canary"},
		`{"projects_in_parallel":1000}`:                             {422, "projects_in_parallel"},
		`{"requested_by":"nobody"}`:                                 {422, "requested_by"},
		`{"canary":"two"}`:                                          {400, "canary"},
		`{"project":"x"}`:                                           {400, ""},
		`[]`:                                                        {400, ""},
	} {
		resp, answer := f.ask(ask{"POST", migrationsRoute, body, bearer("A")})
		assert.Equal(t, want.status, resp.StatusCode, body)
		assert.Equal(t, want.field, fmt.Sprint(answer["field"], "")[:len(want.field)], body)
	}
}

func TestAMigrationShowsItsProjectsInOrder(t *testing.T) {
	f := newTestServer(t)
	const id = "22222222-2222-4222-8222-222222222222"
	m := f.Ledger.Tenant(tenantA).Migration(id)
	require.NoError(t, m.Create(t.Context(), ledger.Migration{Request: []byte(`{"selection":{}}`), Status: ledger.MigrationRunning, CreatedAt: time.Now()}))
	_, err := m.AddProjects(t.Context(), []ledger.MigrationProject{{ID: "p1", Name: "=Spring"}, {ID: "p2", Name: "Summer"}, {ID: "p3", Name: "Fall", State: ledger.ProjectFailed, Reason: "no access"}, {ID: "p4", Name: "Winter"}})
	require.NoError(t, err)
	_, err = m.UpdateProject(t.Context(), "p1", func(p *ledger.MigrationProject) {
		p.State, p.Counts = ledger.ProjectRunning, ledger.ProjectCounts{Items: 10, Copied: 4, Verified: 1, Bytes: 100, BytesDone: 40}
	})
	require.NoError(t, err)
	f.migrationRuns(true)

	_, answer := f.ask(ask{"GET", migrationsRoute + "/" + id, "", bearer("A")})
	assert.Equal(t, "running", answer["status"])
	assert.Equal(t, map[string]any{"total": 4.0, "queued": 2.0, "running": 1.0, "waiting": 0.0, "verified": 0.0, "verified_with_exceptions": 0.0, "incomplete": 0.0, "failed": 1.0, "cancelled": 0.0}, answer["projects"])
	assert.Equal(t, map[string]any{"total": 100.0, "done": 40.0}, answer["bytes"])
	assert.Nil(t, answer["eta"])
	_, answer = f.ask(ask{"GET", migrationsRoute + "/" + id + "/projects?limit=3", "", bearer("A")})
	list := answer["projects"].([]any)
	require.Len(t, list, 3)
	assert.Equal(t, 0.0, list[0].(map[string]any)["position"])
	assert.Equal(t, 1.0, list[1].(map[string]any)["position"])
	_, answer = f.ask(ask{"GET", migrationsRoute + "/" + id + "/projects?limit=3&cursor=" + fmt.Sprint(answer["next"]), "", bearer("A")})
	list = answer["projects"].([]any)
	require.Len(t, list, 1)
	assert.Equal(t, 2.0, list[0].(map[string]any)["position"], "the place counts over pages")
	_, answer = f.ask(ask{"GET", migrationsRoute, "", bearer("A")})
	assert.Len(t, answer["migrations"], 1)

	resp, _ := f.ask(ask{"GET", migrationsRoute + "/" + strings.Replace(id, "2", "3", 1), "", bearer("A")})
	assert.Equal(t, http.StatusNotFound, resp.StatusCode)
	for file, part := range map[string]string{"report.json": `"projects": [`, "report.csv": "'=Spring,", "report.html": "Account report"} {
		r := httptest.NewRequest("GET", migrationsRoute+"/"+id+"/"+file, nil)
		r.Header.Set("Authorization", bearer("A")["Authorization"])
		w := httptest.NewRecorder()
		f.engine.ServeHTTP(w, r)
		assert.Equal(t, http.StatusOK, w.Code, file)
		assert.Contains(t, w.Body.String(), part, file)
	}
}

func TestControlsOfAMigration(t *testing.T) {
	f := newTestServer(t)
	const id = "22222222-2222-4222-8222-222222222222"
	m := f.Ledger.Tenant(tenantA).Migration(id)
	require.NoError(t, m.Create(t.Context(), ledger.Migration{Request: []byte(`{}`), Status: ledger.MigrationRunning, CreatedAt: time.Now()}))
	handle := &mocks.WorkflowUpdateHandle{}
	handle.On("Get", mock.Anything, mock.Anything).Run(func(args mock.Arguments) {
		if out, ok := args.Get(1).(*workflows.AddProjectsResult); ok {
			out.Added = 12
		}
	}).Return(nil)
	var asked []string
	f.temporal.ExpectedCalls = nil
	f.temporal.On("UpdateWorkflow", mock.Anything, mock.Anything).Run(func(args mock.Arguments) { asked = append(asked, fmt.Sprintf("%+v", args.Get(1))) }).Return(handle, nil)
	for _, verb := range []string{"pause", "resume", "cancel"} {
		resp, _ := f.ask(ask{"POST", migrationsRoute + "/" + id + "/" + verb, "{}", bearer("A")})
		assert.Equal(t, http.StatusAccepted, resp.StatusCode, verb)
	}
	resp, _ := f.ask(ask{"POST", migrationsRoute + "/" + id + "/order", `{"project_id":"p2","position":1}`, bearer("A")})
	assert.Equal(t, http.StatusAccepted, resp.StatusCode)
	require.Len(t, asked, 4)
	assert.Contains(t, asked[3], "Project:p2 Position:1")
	for _, body := range []string{"", `{"selection":{"name":"Salt*"}}`} {
		resp, answer := f.ask(ask{"POST", migrationsRoute + "/" + id + "/add", body, bearer("A")})
		assert.Equal(t, http.StatusAccepted, resp.StatusCode, answer)
		assert.InDelta(t, 12, answer["added"], 0)
	}
	resp, answer := f.ask(ask{"POST", migrationsRoute + "/" + id + "/add", `{"selection":{"status":"old"}}`, bearer("A")})
	assert.Equal(t, http.StatusUnprocessableEntity, resp.StatusCode)
	assert.Equal(t, "selection.status", answer["field"])
	for _, said := range asked {
		assert.Contains(t, said, "MigrationID:"+id)
	}
	for body, field := range map[string]string{`{"position":1}`: "project_id", `{"project_id":"p2","position":0}`: "position"} {
		resp, answer := f.ask(ask{"POST", migrationsRoute + "/" + id + "/order", body, bearer("A")})
		assert.Equal(t, http.StatusUnprocessableEntity, resp.StatusCode)
		assert.Equal(t, field, answer["field"])
	}
	entries, err := f.Ledger.Tenant(tenantA).AuditPage(t.Context(), ledger.AuditFilter{}, 0, 10)
	require.NoError(t, err)
	assert.Len(t, entries, 6, "each control is on record")
	_, err = m.Update(t.Context(), func(r *ledger.Migration) { r.Status = ledger.MigrationDone })
	require.NoError(t, err)
	resp, answer = f.ask(ask{"POST", migrationsRoute + "/" + id + "/pause", "{}", bearer("A")})
	assert.Equal(t, http.StatusUnprocessableEntity, resp.StatusCode)
	assert.Contains(t, answer["detail"], "has ended")
}

const (
	olderMigration = "22222222-2222-4222-8222-222222222222"
	newerMigration = "33333333-3333-4333-8333-333333333333"
)

// A migration that was terminated in Temporal has ended, whatever its row says. A control for it must not reach another one.
func TestAMigrationThatWasReplacedHasEnded(t *testing.T) {
	f := newTestServer(t)
	l := f.Ledger.Tenant(tenantA)
	for id, age := range map[string]time.Duration{olderMigration: time.Hour, newerMigration: 0} {
		require.NoError(t, l.Migration(id).Create(t.Context(), ledger.Migration{Request: []byte(`{}`), Status: ledger.MigrationRunning, CreatedAt: time.Now().Add(-age)}))
	}
	f.migrationRuns(true)
	_, answer := f.ask(ask{"GET", migrationsRoute + "/" + olderMigration, "", bearer("A")})
	assert.Equal(t, "failed", answer["status"])
	resp, answer := f.ask(ask{"POST", migrationsRoute + "/" + olderMigration + "/cancel", "{}", bearer("A")})
	assert.Equal(t, http.StatusUnprocessableEntity, resp.StatusCode, "and Temporal is not asked")
	assert.Contains(t, answer["detail"], "another one was started after it")
	_, answer = f.ask(ask{"GET", migrationsRoute + "/" + newerMigration, "", bearer("A")})
	assert.Equal(t, "running", answer["status"])
}

// A new migration records the end of one that ended without recording it.
func TestANewMigrationEndsWhatIsLeftOver(t *testing.T) {
	f := newTestServer(t)
	l := f.Ledger.Tenant(tenantA)
	require.NoError(t, l.Migration(olderMigration).Create(t.Context(), ledger.Migration{Request: []byte(`{}`), Status: ledger.MigrationRunning, Bandwidth: 5 << 20, CreatedAt: time.Now().Add(-time.Hour)}))
	f.migrationRuns(false)
	f.temporal.On("ExecuteWorkflow", mock.Anything, mock.Anything, workflows.MigrationName, mock.Anything).Return(&mocks.WorkflowRun{}, nil).Once()
	resp, answer := f.ask(ask{"POST", migrationsRoute, `{}`, bearer("A")})
	require.Equal(t, http.StatusAccepted, resp.StatusCode, answer)
	row, _, err := l.Migration(olderMigration).Get(t.Context())
	require.NoError(t, err)
	assert.Equal(t, ledger.MigrationFailed, row.Status)
	assert.False(t, row.FinishedAt.IsZero())
	assert.Zero(t, row.Bandwidth)
	newest, _, err := l.NewestMigration(t.Context())
	require.NoError(t, err)
	assert.Equal(t, answer["id"], newest.ID)
	assert.False(t, newest.Status.Ended())
}

// If two migrations start at the same moment, only one does, and the other response names it.
func TestTwoMigrationsStartedAtOnceAreOne(t *testing.T) {
	f := newTestServer(t)
	l := f.Ledger.Tenant(tenantA)
	body := `{"windows":[{"from":"00:00","to":"24:00","bandwidth":"5MiB"}]}`
	f.migrationRuns(false) // both have checked before either has started
	f.temporal.On("ExecuteWorkflow", mock.Anything, mock.Anything, workflows.MigrationName, mock.Anything).Return(&mocks.WorkflowRun{}, nil).Once()
	_, first := f.ask(ask{"POST", migrationsRoute, body, bearer("A")})
	f.temporal.On("ExecuteWorkflow", mock.Anything, mock.Anything, workflows.MigrationName, mock.Anything).Return(nil, serviceerror.NewWorkflowExecutionAlreadyStarted("", "", ""))
	for range 2 {
		resp, second := f.ask(ask{"POST", migrationsRoute, body, bearer("A")})
		require.Equal(t, http.StatusAccepted, resp.StatusCode, second)
		assert.Equal(t, first["id"], second["id"])
		assert.Equal(t, "running", second["status"])
	}
	resp, answer := f.ask(ask{"POST", migrationsRoute, `{}`, bearer("A")})
	assert.Equal(t, http.StatusUnprocessableEntity, resp.StatusCode)
	assert.Contains(t, answer["detail"], "has not ended")
	rows, _, err := l.Migrations(t.Context(), "", 10)
	require.NoError(t, err)
	assert.Len(t, rows, 1)
}

// A start that Temporal did not accept must not hide a running migration.
func TestAFailedStartHidesNoMigration(t *testing.T) {
	f := newTestServer(t)
	l := f.Ledger.Tenant(tenantA)
	require.NoError(t, l.Migration(olderMigration).Create(t.Context(), ledger.Migration{Request: []byte(`{}`), Status: ledger.MigrationRunning, CreatedAt: time.Now().Add(-time.Minute)}))
	require.NoError(t, l.Migration(newerMigration).Create(t.Context(), ledger.Migration{Request: []byte(`{}`), Status: ledger.MigrationFailed, CreatedAt: time.Now()}))
	newest, _, err := l.NewestMigration(t.Context())
	require.NoError(t, err)
	assert.Equal(t, olderMigration, newest.ID)
}

// A mirror that does not exist is a 404, as for an archive, a review or a migration, and not a refusal.
func TestAMirrorThatIsNotThereIsNotFound(t *testing.T) {
	f := newTestServer(t)
	handle, schedules := &mocks.ScheduleHandle{}, &mocks.ScheduleClient{}
	none := serviceerror.NewNotFound("none")
	handle.On("Describe", mock.Anything).Return(nil, none)
	handle.On("Pause", mock.Anything, mock.Anything).Return(none)
	handle.On("Unpause", mock.Anything, mock.Anything).Return(none)
	handle.On("Trigger", mock.Anything, mock.Anything).Return(none)
	schedules.On("GetHandle", mock.Anything, workflows.MirrorID(tenantA, "sports")).Return(handle)
	f.temporal.On("ScheduleClient").Return(schedules)
	for _, verb := range []string{"run", "pause", "resume", "stop"} {
		resp, answer := f.ask(ask{"POST", routes.Prefix + "/mirrors/sports/" + verb, "", bearer("A")})
		assert.Equal(t, http.StatusNotFound, resp.StatusCode, "%s: %v", verb, answer)
		assert.Equal(t, "name", answer["field"], verb)
		assert.Contains(t, answer["detail"], "no mirror sports", verb)
	}
	entries, err := f.Ledger.Tenant(tenantA).AuditPage(t.Context(), ledger.AuditFilter{}, 0, 10)
	require.NoError(t, err)
	assert.Empty(t, entries)
}

// A mirror whose run cannot be canceled stays until it can: without its schedule, nobody could ask for it again.
func TestAMirrorIsRemovedAfterItsRun(t *testing.T) {
	f := newTestServer(t)
	handle, schedules := &mocks.ScheduleHandle{}, &mocks.ScheduleClient{}
	handle.On("Describe", mock.Anything).Return(&client.ScheduleDescription{Info: client.ScheduleInfo{RunningWorkflows: []client.ScheduleWorkflowExecution{{WorkflowID: "tonight"}}}}, nil)
	schedules.On("GetHandle", mock.Anything, workflows.MirrorID(tenantA, "sports")).Return(handle)
	f.temporal.On("ScheduleClient").Return(schedules)
	f.temporal.On("CancelWorkflow", mock.Anything, "tonight", "").Return(serviceerror.NewUnavailable("away")).Once()
	resp, _ := f.ask(ask{"POST", routes.Prefix + "/mirrors/sports/stop", "", bearer("A")})
	assert.Equal(t, http.StatusServiceUnavailable, resp.StatusCode)
	handle.AssertNotCalled(t, "Delete", mock.Anything)
	f.temporal.On("CancelWorkflow", mock.Anything, "tonight", "").Return(nil)
	handle.On("Delete", mock.Anything).Return(nil)
	resp, answer := f.ask(ask{"POST", routes.Prefix + "/mirrors/sports/stop", "", bearer("A")})
	assert.Less(t, resp.StatusCode, 300, answer)
	entries, err := f.Ledger.Tenant(tenantA).AuditPage(t.Context(), ledger.AuditFilter{}, 0, 10)
	require.NoError(t, err)
	require.Len(t, entries, 1)
	assert.Equal(t, "mirror.stop", entries[0].Action)
}
