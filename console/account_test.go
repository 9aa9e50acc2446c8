package console

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/framebridge/framebridge/config"
	"github.com/framebridge/framebridge/ledger"
	"github.com/framebridge/framebridge/plan/account"
	"github.com/framebridge/framebridge/plan/schedule"
	"github.com/framebridge/framebridge/workflows"
)

// accountRecorder records what the account pages request.
type accountRecorder struct {
	accountPlan func(progress func(done, of int)) (workflows.AccountPlan, error)
	mirrors     []Mirror
	mirrorsErr  error
	budgets     []Budget
	signInErr   error
	certificate func(file string) (io.ReadCloser, error)
}

func (a *recorder) Budgets(context.Context, *config.Tenant) ([]Budget, error) { return a.budgets, nil }
func (a *recorder) SignInURL(t *config.Tenant, redirect, state string) (string, error) {
	if t.Frameio.IMS.ClientID == "" {
		return "", &Refused{"the tenant does not sign in through Adobe"}
	}
	return "https://ims.example/ims/authorize/v2?" + url.Values{"redirect_uri": {redirect}, "state": {state}}.Encode(), nil
}
func (a *recorder) SignIn(_ context.Context, t *config.Tenant, code, redirect string) (string, error) {
	if a.signInErr != nil {
		return "", a.signInErr
	}
	return "sam@acme.example", a.note("signed in", t.ID, code, redirect)
}

func (a *recorder) PlanAccount(_ context.Context, _ *config.Tenant, take account.Selection, progress func(done, of int)) (workflows.AccountPlan, error) {
	_ = a.note("plan", take.String())
	if a.accountPlan == nil {
		return workflows.AccountPlan{}, errors.New("no plan")
	}
	return a.accountPlan(progress)
}
func (a *recorder) StartMigration(_ context.Context, _ *config.Tenant, asked account.Request, by string) (string, error) {
	raw, _ := json.Marshal(asked)
	return "mig-new", a.note("migrate", string(raw), by)
}
func (a *recorder) ControlMigration(_ context.Context, _ *config.Tenant, id, verb string) error {
	return a.note("migration", verb, id)
}
func (a *recorder) OrderMigration(_ context.Context, _ *config.Tenant, id, project string, position int) error {
	return a.note("order", id, project, position)
}
func (a *recorder) MigrationAsItStands(_ context.Context, row ledger.Migration) ledger.Migration {
	return row
}
func (a *recorder) Mirrors(context.Context, *config.Tenant) ([]Mirror, error) {
	return a.mirrors, a.mirrorsErr
}
func (a *recorder) StartMirror(_ context.Context, _ *config.Tenant, m Mirror) error {
	if m.Days == "someday" {
		return &account.FieldError{Field: "days", Why: `"someday" is not a list of days: write daily, mon-fri or sat,sun`}
	}
	return a.note("mirror", m.Name, m.Days, m.At, m.Zone, m.Selection.String())
}
func (a *recorder) ControlMirror(_ context.Context, _ *config.Tenant, name, verb string) error {
	return a.note("mirror", verb, name)
}
func (a *recorder) StartReclaim(_ context.Context, _ *config.Tenant, archive string, asked ReclaimRequest) error {
	return a.note("reclaim", archive, fmt.Sprintf("%+v", asked))
}
func (a *recorder) ControlReclaim(_ context.Context, _ *config.Tenant, archive, verb string) error {
	return a.note("reclaim", verb, archive)
}

func (a *recorder) Certificate(_ context.Context, _ *config.Tenant, archive, file string) (io.ReadCloser, error) {
	if a.certificate == nil {
		return io.NopCloser(strings.NewReader("the certificate of " + archive + " as " + file)), nil
	}
	return a.certificate(file)
}

// migration writes a migration to the ledger with its projects, in the states that their names begin with.
func (h *harness) migration(t testing.TB, id string, asked account.Request, change func(*ledger.Migration), projects ...ledger.MigrationProject) {
	t.Helper()
	request, err := json.Marshal(asked)
	require.NoError(t, err)
	m := h.ledger.Tenant(acme).Migration(id)
	row := ledger.Migration{Request: request, Status: ledger.MigrationRunning, CreatedAt: today.Add(-2 * time.Hour), StartedAt: today.Add(-2 * time.Hour)}
	change(&row)
	require.NoError(t, m.Create(t.Context(), row))
	_, err = m.AddProjects(t.Context(), projects)
	require.NoError(t, err)
}

// accountRows writes what the account pages show, with names that try to break out of the page.
func (h *harness) accountRows(t testing.TB) {
	t.Helper()
	pace, err := json.Marshal(schedule.Pace{BytesRate: 50 << 20, Weight: .5})
	require.NoError(t, err)
	h.migration(t, "mig-old", account.Request{}, func(m *ledger.Migration) {
		m.CreatedAt, m.Status, m.Reason, m.FinishedAt = today.Add(-200*time.Hour), ledger.MigrationFailed, leaky, today.Add(-100*time.Hour)
	}, ledger.MigrationProject{ID: "ended", Name: "Harbour Lights", State: ledger.ProjectVerified})
	h.migration(t, "mig", account.Request{Selection: account.Selection{Name: hostile, Workspaces: []string{hostile}}, Canary: 2, ProjectsInParallel: 4, Windows: []schedule.Window{{Days: "mon-fri", From: "20:00", To: "06:00", Zone: "Europe/Berlin", Bandwidth: "100MiB"}}}, func(m *ledger.Migration) {
		m.Pace, m.ETA, m.RequestedBy, m.Bandwidth = pace, today.Add(5*time.Hour), "pat@acme.example", 100<<20
	}, ledger.MigrationProject{ID: "running", Name: hostile, Team: hostile, State: ledger.ProjectRunning, Counts: ledger.ProjectCounts{Items: 10, Copied: 4, Bytes: 10 << 30, BytesDone: 4 << 30}},
		ledger.MigrationProject{ID: "ended", Name: "Harbour Lights", State: ledger.ProjectIncomplete, Reason: leaky, Joined: true, Counts: ledger.ProjectCounts{Items: 2, Copied: 1, Failed: 1, Bytes: 10, BytesDone: 5}},
		ledger.MigrationProject{ID: "mq-1", Name: "Project one", Counts: ledger.ProjectCounts{Bytes: 1 << 30}}, ledger.MigrationProject{ID: "mq-2", Name: "Project two"}, ledger.MigrationProject{ID: "mq-3", Name: "Project three"})
	h.archive(t, "proven", func(a *ledger.Archive) {
		a.Name, a.Status, a.StartedAt, a.FinishedAt, a.ProvenSince = "Lighthouse", ledger.VerifiedWithExceptions, today.Add(-21*time.Hour), today.Add(-1170*time.Minute), today.Add(-190*time.Hour)
	})
	h.items(t, "proven", ledger.Item{SourceID: "p1", Path: "a.mov", Size: 5, State: ledger.ItemVerified, BytesDone: 5})
	l := h.ledger.Tenant(acme).Archive("proven")
	require.NoError(t, l.SetNotCarried(t.Context(), "p1", "fields", []ledger.NotCarried{{Kind: "like", Name: "like", Place: "a.mov", Reason: leaky}, {Kind: "attachment", Name: "b.pdf", Place: "a.mov", Reason: leaky}}))
	made, _, err := l.RequestReclaim(t.Context(), ledger.Reclaim{Project: "Lighthouse", Status: ledger.ReclaimWaiting, Reason: leaky, RequestedBy: ledger.Actor{Kind: ledger.ActorConsole, Name: "olga@acme.example"}, RequestedAt: today.Add(-time.Hour), Accepts: []string{"like"}, Certificate: "as-cert"})
	require.NoError(t, err)
	require.NoError(t, l.PutReclaimFiles(t.Context(), made.Run, []ledger.ReclaimFile{{Seq: 1, SourceID: "p1", Path: "a.mov", Size: 5, State: ledger.ReclaimReady}, {Seq: 2, SourceID: "p2", Path: hostile, Size: 7, State: ledger.ReclaimLeft, Reason: leaky}}))
}

func (h *harness) showAccount() {
	h.actions.mirrors = []Mirror{{Name: "nightly", At: "02:00", Days: "daily", Zone: "UTC", LastAt: today.Add(-10 * time.Hour), NextAt: today.Add(14 * time.Hour), Last: &workflows.MirrorResult{Projects: 12, Verified: 11, Failed: 1}, URL: "javascript:alert(1)"},
		{Name: "weekend", Selection: account.Selection{Name: hostile}, At: "10:00", Days: "sat,sun", Zone: "Europe/Berlin", Paused: true, Note: leaky, Failed: leaky}}
	h.actions.budgets = []Budget{{Vendor: "iconik", Name: "assets", Left: 40, Of: 50, Window: time.Second}, {Vendor: "Frame.io", Name: hostile, Of: 100, Window: time.Minute, PausedUntil: today.Add(time.Hour), Refused: 3, RefusedAt: today.Add(-5 * time.Minute)},
		{Vendor: "iconik", Name: "files", Left: 0, Of: 10, Window: time.Minute}, {Vendor: "Adobe", Name: "token"}}
	few := int64(3)
	h.actions.accountPlan = func(progress func(done, of int)) (workflows.AccountPlan, error) {
		progress(3, 4)
		return workflows.AccountPlan{Projects: 40, Files: 12000, Folders: 900, Bytes: 30 << 40, Comments: 5000, Shares: 60, ByType: []workflows.PlanType{{MediaType: hostile, Count: 12000, Bytes: 30 << 40}}, ByAge: []workflows.PlanAge{{Age: "last year", Count: 9, Bytes: 9}},
			Blockers: []workflows.AccountBlocker{{ProjectID: "p9", Project: hostile, Why: leaky, Outcome: leaky, Files: 2, Bytes: 9}, {Why: "iconik has no storage"}}, BlockersMore: 2,
			Access:     workflows.AccountAccess{Mode: "mirror", Open: 30, Restricted: 10, Within: 3, Places: []workflows.AccountReader{{Project: hostile, Place: hostile, Readers: []string{hostile}}, {Project: "Quiet"}}, PlacesMore: 1, Unmapped: []string{hostile}},
			NotCarried: []workflows.PlanNotCarried{{Kind: "attachment", Count: &few, Reason: leaky}, {Kind: "like", Reason: "no API"}}, Time: workflows.PlanTime{Limits: 9000, Bytes: 300000, BytesPerSecond: 100e6}, APICalls: 80000,
			Cost: &workflows.PlanCost{Currency: "USD", GiB: 30000, Minutes: 500, Storage: []workflows.StorageCost{{Class: hostile, PerMonth: 700}}, Egress: 30, Transcode: 12.5}}, nil
	}
}

// planned waits for the plan of every project.
func (h *harness) planned(t testing.TB) (body string) {
	t.Helper()
	require.Eventually(t, func() bool {
		_, body = h.get(t, "account/plan")
		return strings.Contains(body, "What a migration would do") || strings.Contains(body, "Planning failed")
	}, 5*time.Second, 10*time.Millisecond)
	return body
}

func TestTheAccountShowsMigrationsAndMirrors(t *testing.T) {
	h := filled(t, config.RoleOperator)
	_, body := h.get(t, "account")
	for _, want := range []string{"1 of 5 projects done, 1 incomplete or failed", "all projects", "100.0 MiB/s", "about 5 hours left", "Failed", "took 4 days", "12 projects, 11 verified, 1 failed", "in 14 hours", "sat,sun, 10:00, Europe/Berlin", `aria-label="Resume: weekend"`, `aria-label="Pause: nightly"`} {
		assert.Contains(t, body, want)
	}
	h.actions.mirrorsErr = errors.New("dial tcp 10.0.0.7: refused")
	h.actions.temporal = errors.New("down")
	require.Eventually(t, func() bool {
		_, body = h.get(t, "account")
		return strings.Contains(body, "Mirrors are stored in Temporal")
	}, 20*time.Second, time.Millisecond)
	assert.Contains(t, body, "1 of 5 projects done", "the ledger knows it without Temporal")
	assert.NotContains(t, body, "10.0.0.7")
	viewer := filled(t, config.RoleViewer)
	_, body = viewer.get(t, "account")
	assert.Contains(t, body, "you need the operator role")
	assert.NotContains(t, body, "projects done")
	assert.Contains(t, body, "nightly")
	assert.NotContains(t, body, "Run now")
}

func TestAMigrationListsItsProjects(t *testing.T) {
	h := filled(t, config.RoleOperator)
	_, body := h.get(t, "account/migrations/mig")
	for _, want := range []string{"4 of 10 files", "Action needed", "mon-fri 20:00–06:00 Europe/Berlin, at most 100MiB per second", "2 projects first, then it waits for you", "Queued 3", "Incomplete or failed 1", `aria-label="Move to the top: Project two"`, "archives/running", "report.html", "Somebody else started this archive", "http://127.0.0.1:8233"} {
		if want == "Action needed" {
			assert.NotContains(t, body, want, "nothing is in that state")
			continue
		}
		assert.Contains(t, body, want)
	}
	assert.NotContains(t, body, "projects/mq-1/up", "the first one cannot go up")
	_, body = h.get(t, "account/migrations/mig?state=queued&q=two")
	assert.Contains(t, body, "Project two")
	assert.NotContains(t, body, "Project one")
	assert.Contains(t, body, `<span class="dim">2</span>`, "its place is among all that are queued")
	_, body = h.get(t, "account/migrations/mig?q=nothing")
	assert.Contains(t, body, "No project matches.")
	for file, want := range map[string]string{"report.html": "Harbour Lights", "report.csv": "Harbour Lights", "report.json": "Harbour Lights"} {
		resp, body := h.get(t, "account/migrations/mig/"+file)
		assert.Equal(t, http.StatusOK, resp.StatusCode)
		assert.Contains(t, body, want)
		assert.NotContains(t, body, "deadbeef")
	}
}

// TestThousandsOfProjects reads projects page by page, even if only the last one matches.
func TestThousandsOfProjects(t *testing.T) {
	h := serve(t, config.RoleOperator)
	var all []ledger.MigrationProject
	for i := range 3000 {
		all = append(all, ledger.MigrationProject{ID: fmt.Sprintf("p%05d", i), Name: fmt.Sprintf("Campaign %05d", i), Counts: ledger.ProjectCounts{Bytes: 1 << 30}})
	}
	h.migration(t, "large", account.Request{}, func(*ledger.Migration) {}, all...)
	begin := time.Now()
	resp, body := h.get(t, "account/migrations/large")
	assert.Equal(t, http.StatusOK, resp.StatusCode)
	assert.Less(t, len(body), mostBytes)
	assert.Contains(t, body, "More projects")
	_, body = h.get(t, "account/migrations/large?q=02999")
	assert.Contains(t, body, "Campaign 02999")
	assert.Contains(t, body, `<span class="dim">3000</span>`)
	t.Logf("the first page and the search of the last of 3,000 projects took %s", time.Since(begin))
}

func TestAMigrationIsPlannedBeforeItStarts(t *testing.T) {
	h := filled(t, config.RoleOperator)
	body := h.planned(t)
	for _, want := range []string{"12000 files in 900 folders", "30.0 TiB", "at least 2 hours 30 minutes", "USD a month", "And 2 more.", "This account already has a migration that has not ended", "administrators only", "Nothing is"} {
		if want == "Nothing is" {
			assert.NotContains(t, body, "Start the migration", "there is one at a time")
			continue
		}
		assert.Contains(t, body, want)
	}
	_, err := h.ledger.Tenant(acme).Migration("mig").Update(t.Context(), func(m *ledger.Migration) { m.Status = ledger.MigrationDone })
	require.NoError(t, err)
	_, body = h.get(t, "account/plan?canary=2&projects_in_parallel=3&days_1=sat,sun&from_1=08:00&to_1=20:00")
	for _, want := range []string{"The list of 40 projects is frozen", "After the first 2 projects, it waits", "It works only sat,sun 08:00–20:00", `name="canary" value="2"`, "Start the migration"} {
		assert.Contains(t, body, want)
	}
	resp, body := h.get(t, "account/plan?name=[&canary=2")
	assert.Equal(t, http.StatusUnprocessableEntity, resp.StatusCode)
	assert.Contains(t, body, "Project name: ")
	assert.Contains(t, body, `name="name" value="[" maxlength="200" placeholder="all" aria-invalid="true"`)
	assert.Contains(t, body, `value="2"`, "what was right stays")
	resp, body = h.get(t, "account/plan?from_1=25:00&to_1=1")
	assert.Equal(t, http.StatusUnprocessableEntity, resp.StatusCode)
	assert.Contains(t, body, "Hours: ")
	h.actions.accountPlan = nil
	h.get(t, "account/plan?again=1")
	assert.Contains(t, h.planned(t), "Planning failed: no plan")
}

// A list of many workspaces is not truncated: part of it would be another selection.
func TestALongSelectionIsNotCut(t *testing.T) {
	var workspaces []string
	for n := range 40 {
		workspaces = append(workspaces, fmt.Sprintf("0419e0c5-6fed-4b66-bf0f-f8a99d44bc%02d", n))
	}
	name := strings.Repeat("Spring ", 60) + "*"
	asked, err := requestOf(url.Values{"workspaces": {strings.Join(workspaces, ", ")}, "name": {" " + name + "\x00"}})
	require.NoError(t, err)
	assert.Equal(t, account.Selection{Workspaces: workspaces, Name: name}, asked.Selection)
}

func TestButtonsOfTheAccountDoWhatTheySay(t *testing.T) {
	h := filled(t, config.RoleAdmin)
	h.cfg.Tenants[acme].Archive.Reclaim = "allowed"
	for _, tt := range []struct {
		path string
		form url.Values
		want string
		to   string
	}{
		{"account/start", url.Values{"name": {"Salt*"}, "canary": {"2"}}, `migrate {"selection":{"name":"Salt*"},"canary":2} pat@acme.example`, "account/migrations/mig-new?done=migrating"},
		{"account/migrations/mig/do/pause", nil, "migration pause mig", "account/migrations/mig?done=paused"},
		{"account/migrations/mig/do/resume", nil, "migration resume mig", "account/migrations/mig?done=resumed"},
		{"account/migrations/mig/do/add", nil, "migration add mig", "account/migrations/mig?done=projects-added"},
		{"account/migrations/mig/do/cancel", nil, "migration cancel mig", "account/migrations/mig?done=migration-cancelled"},
		{"account/migrations/mig/projects/mq-3/first", nil, "order mig mq-3 1", "account/migrations/mig?done=ordered"},
		{"account/migrations/mig/projects/mq-3/up", nil, "order mig mq-3 2", "account/migrations/mig?done=ordered"},
		{"account/migrations/mig/projects/mq-1/down", nil, "order mig mq-1 2", "account/migrations/mig?done=ordered"},
		{"account/mirrors", url.Values{"mirror": {"sports"}, "days": {"mon-fri"}, "at": {"03:00"}, "zone": {"UTC"}, "workspaces": {"A, B"}}, "mirror sports mon-fri 03:00 UTC in A, B", "account?done=mirrored"},
		{"account/mirrors/nightly/do/run", nil, "mirror run nightly", "account?done=mirror-runs"},
		{"account/mirrors/weekend/do/resume", nil, "mirror resume weekend", "account?done=mirror-resumed"},
		{"account/mirrors/nightly/do/stop", nil, "mirror stop nightly", "account?done=mirror-removed"},
		{"archives/proven/reclaim/do/examine", nil, "reclaim proven {DryRun:true Name: Accepts:[]}", "archives/proven/reclaim?done=reclaim-examined"},
		{"archives/proven/reclaim/do/ask", url.Values{"accept": {"like"}}, "reclaim proven {DryRun:false Name: Accepts:[like]}", "archives/proven/reclaim?done=reclaim-asked"},
		{"archives/proven/reclaim/do/delete", url.Values{"name": {"Lighthouse"}}, "reclaim proven {DryRun:false Name:Lighthouse Accepts:[]}", "archives/proven/reclaim?done=reclaim-begun"},
		{"archives/proven/reclaim/do/approve", nil, "reclaim approve proven", "archives/proven/reclaim?done=reclaim-approved"},
		{"archives/proven/reclaim/do/pause", nil, "reclaim pause proven", "archives/proven/reclaim?done=reclaim-pause"},
	} {
		h.actions.asked = nil
		if tt.form == nil {
			tt.form = url.Values{}
		}
		resp, body := h.do(t, http.MethodPost, tt.path, tt.form)
		require.Equal(t, http.StatusSeeOther, resp.StatusCode, "%s: %s", tt.path, body)
		assert.Equal(t, []string{tt.want}, h.actions.asked, tt.path)
		assert.Equal(t, "/ui/"+acme+"/"+tt.to, resp.Header.Get("Location"))
		_, code, _ := strings.Cut(tt.to, "done=")
		assert.NotEmpty(t, done[code], code)
	}
	h.actions.asked = nil
	resp, body := h.do(t, http.MethodPost, "account/mirrors", url.Values{"days": {"someday"}, "mirror": {"x"}})
	assert.Equal(t, http.StatusUnprocessableEntity, resp.StatusCode)
	assert.Contains(t, body, "Days: &#34;someday&#34; is not a list of days")
	resp, _ = h.do(t, http.MethodPost, "archives/proven/reclaim/do/delete", url.Values{})
	assert.Equal(t, http.StatusUnprocessableEntity, resp.StatusCode, "a name has to be typed")
	assert.Empty(t, h.actions.asked)
}

func TestADeletionSaysWhatItWillDo(t *testing.T) {
	h := filled(t, config.RoleAdmin)
	_, body := h.get(t, "archives/proven/reclaim")
	for _, want := range []string{"Waiting for approval", "Deletion is off", "Can be freed, bytes not proven yet", "Stay in Frame.io", "olga@acme.example", "1 kind: like", "asset/as-cert", "do/approve", "do/cancel", "19 hours ago", "complete since November 21, 2026"} {
		assert.Contains(t, body, want)
	}
	assert.NotContains(t, body, "do/examine", "one is under way")
	_, body = h.get(t, "archives/proven/reclaim/do/approve")
	assert.Contains(t, body, "The deletion was requested by olga@acme.example. Whoever requests a deletion cannot approve it.")
	assert.Contains(t, body, "The files&#39; comments go with them. Folders, shares and the project stay.")
	l := h.ledger.Tenant(acme).Archive("proven")
	_, err := l.UpdateReclaim(t.Context(), func(r *ledger.Reclaim) error {
		r.Status, r.DeletingSince, r.FinishedAt = ledger.ReclaimRefused, today.Add(-48*time.Hour), today
		return nil
	})
	require.NoError(t, err)
	require.NoError(t, l.PutReclaimFiles(t.Context(), 1, []ledger.ReclaimFile{{Seq: 3, SourceID: "p3", Path: "c.mov", Size: 5, State: ledger.ReclaimDeleted}}))
	_, body = h.get(t, "archives/proven/reclaim")
	assert.Regexp(t, "All of it can be restored in Frame.io until</dt>\\s*<dd>[^<]*"+today.Add(28*24*time.Hour).Format("January 2, 2006"), body, "of the first file that was deleted")
	_, _, err = l.RequestReclaim(t.Context(), ledger.Reclaim{Status: ledger.ReclaimRefused, FinishedAt: today})
	require.NoError(t, err)
	_, body = h.get(t, "archives/proven/reclaim")
	assert.Contains(t, body, "asset/as-cert", "the last certificate that there is")
	assert.Contains(t, body, "The certificate is from the deletion on")
	_, body = h.get(t, "archives/proven/reclaim/do/delete")
	assert.Contains(t, body, `type="text" name="name"`)
	assert.Contains(t, body, `value="like"`)
	assert.NotContains(t, body, `value="attachment"`, "what cannot be given up is not offered")
	_, body = h.get(t, "archives/proven")
	assert.Contains(t, body, "Free space in Frame.io")
	_, body = h.get(t, "archives/ended")
	assert.NotContains(t, body, "Free space in Frame.io", "it is not verified")
}

func TestRolesOfTheAccount(t *testing.T) {
	for _, tt := range []asRole{
		{config.RoleViewer, "GET", "account", 200}, {config.RoleViewer, "GET", "account/migrations/mig", 403}, {config.RoleEditor, "GET", "account/migrations/mig/report.json", 403}, {config.RoleViewer, "GET", "account/plan", 403},
		{config.RoleViewer, "GET", "account/mirrors/new", 403}, {config.RoleViewer, "GET", "account/mirrors/nightly/do/run", 403}, {config.RoleViewer, "POST", "account/mirrors/nightly/do/run", 403}, {config.RoleEditor, "POST", "account/start", 403},
		{config.RoleOperator, "GET", "account/migrations/none", 404}, {config.RoleOperator, "GET", "account/migrations/mig/do/resume", 422}, {config.RoleOperator, "POST", "account/migrations/mig/do/explode", 422},
		{config.RoleOperator, "POST", "account/migrations/mig/projects/running/up", 422}, {config.RoleOperator, "GET", "account/mirrors/none/do/run", 404}, {config.RoleOperator, "GET", "account/migrations/mig/report.exe", 404},
		{config.RoleViewer, "GET", "archives/proven/reclaim", 200}, {config.RoleOperator, "GET", "archives/proven/reclaim/do/approve", 403}, {config.RoleOperator, "POST", "archives/proven/reclaim/do/approve", 403},
		{config.RoleOperator, "POST", "archives/proven/reclaim/do/examine", 403}, {config.RoleAdmin, "GET", "archives/proven/reclaim/do/approve", 200}, {config.RoleAdmin, "GET", "archives/none/reclaim", 404}, {config.RoleAdmin, "GET", "archives/none/reclaim/do/ask", 404},
		{config.RoleViewer, "GET", "/ui/" + other + "/account", 404},
	} {
		tt.play(t)
	}
}

func TestTheEmptyAccountSaysWhatToDo(t *testing.T) {
	h := serve(t, config.RoleOperator)
	_, body := h.get(t, "account")
	for _, want := range []string{"No migrations yet.", "No mirrors yet.", "Plan a migration", "Create a mirror"} {
		assert.Contains(t, body, want)
	}
}

// TestTheCertificateIsDownloaded checks that the certificate is served as stored, and never as a page of the console.
func TestTheCertificateIsDownloaded(t *testing.T) {
	h := filled(t, config.RoleViewer)
	_, body := h.get(t, "archives/proven/reclaim")
	for file, mediaType := range map[string]string{"deletion-certificate.json": "application/json", "deletion-certificate.html": "text/html; charset=utf-8"} {
		assert.Contains(t, body, "archives/proven/reclaim/"+file)
		resp, text := h.get(t, "archives/proven/reclaim/"+file)
		assert.Equal(t, http.StatusOK, resp.StatusCode)
		assert.Equal(t, "the certificate of proven as "+file, text)
		assert.Equal(t, mediaType, resp.Header.Get("Content-Type"))
		assert.Equal(t, `attachment; filename=`+file, resp.Header.Get("Content-Disposition"))
	}
	resp, _ := h.get(t, "archives/proven/reclaim/other.json")
	assert.Equal(t, http.StatusNotFound, resp.StatusCode)
	h.actions.certificate = func(string) (io.ReadCloser, error) { return nil, &Refused{"there is no deletion certificate"} }
	resp, text := h.get(t, "archives/proven/reclaim/deletion-certificate.json")
	assert.Equal(t, http.StatusUnprocessableEntity, resp.StatusCode)
	assert.Contains(t, text, "There is no deletion certificate.")
	h.actions.certificate = func(string) (io.ReadCloser, error) {
		return io.NopCloser(io.MultiReader(strings.NewReader("half"), cutOff{})), nil
	}
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, h.server.URL+"/ui/"+acme+"/archives/proven/reclaim/deletion-certificate.json", nil)
	require.NoError(t, err)
	if resp, err := http.DefaultClient.Do(req); err == nil {
		_, err = io.ReadAll(resp.Body)
		_ = resp.Body.Close()
		assert.Error(t, err, "an unfinished answer does not look whole")
	}
}

// cutOff is a file that ends in an error.
type cutOff struct{}

func (cutOff) Read([]byte) (int, error) { return 0, errors.New("the response was cut off") }
