package migration

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/framebridge/framebridge/activities/attempt"
	"github.com/framebridge/framebridge/clients/frameio"
	"github.com/framebridge/framebridge/clients/rest"
	"github.com/framebridge/framebridge/config"
	"github.com/framebridge/framebridge/ledger"
	"github.com/framebridge/framebridge/workflows"
)

// finish ends projects' archives one after the other.
func (b *harness) finish(status ledger.ArchiveStatus, projects ...string) {
	b.t.Helper()
	at := time.Now().Add(-time.Hour)
	for i, p := range projects {
		b.archive(p, status, func(r *ledger.Archive) { r.FinishedAt = at.Add(time.Duration(i) * time.Minute) })
	}
	b.survey()
}

func (b *harness) findChanged() int {
	b.t.Helper()
	n, err := b.FindChanged(b.t.Context(), b.ref)
	require.NoError(b.t, err)
	return n
}

// A new file or comment does not change its project's modification time: everything verified is compared again, except for what
// was just compared.
func TestTheSecondRoundComparesWhatIsVerified(t *testing.T) {
	b := newHarness(t, `{"projects_in_parallel":5}`, "a", "b", "byhand", "bad", "last")
	b.list()
	b.archive("byhand", ledger.Verified, func(r *ledger.Archive) { r.FinishedAt = time.Now().Add(-2 * time.Hour) }) // since the migration began
	assert.Equal(t, workflows.StartProjectsResult{Archives: 4, Settled: 1}, b.start(5, 0))
	b.archive("bad", ledger.Incomplete, nil)
	b.finish(ledger.Verified, "a", "b", "last")
	assert.Equal(t, 3, b.findChanged())
	assert.Equal(t, map[string]ledger.ProjectState{"a": ledger.ProjectQueued, "b": ledger.ProjectQueued, "byhand": ledger.ProjectQueued, "bad": ledger.ProjectIncomplete, "last": ledger.ProjectVerified}, b.states())
	b.archives.started = nil
	b.start(5, 1)
	assert.Equal(t, []string{"a", "b", "byhand"}, b.archives.started)
	for _, p := range append(b.archives.started, "last") {
		row, _, err := b.Ledger.Tenant("T").Archive(p).Get(t.Context())
		require.NoError(t, err)
		assert.Equal(t, p != "last", row.Delta, p)
	}
}

// A project that Frame.io no longer shows stays as it was archived.
func TestTheSecondRoundLeavesWhatIsGone(t *testing.T) {
	b := newHarness(t, `{"projects_in_parallel":5}`, "a", "b", "c")
	b.list()
	b.start(5, 0)
	b.finish(ledger.Verified, "a", "b", "c")
	b.frameio.projects = b.frameio.projects[1:]
	assert.Equal(t, 1, b.findChanged())
	assert.Equal(t, map[string]ledger.ProjectState{"a": ledger.ProjectVerified, "b": ledger.ProjectQueued, "c": ledger.ProjectVerified}, b.states())
}

// The list is fixed: a project that no longer matches the selection because it has changed is still in it.
func TestAChangedProjectThatFitsNoMoreIsArchivedAgain(t *testing.T) {
	for name, tt := range map[string]struct {
		request string
		change  func(*frameio.Project)
	}{
		"older_than": {`{"selection":{"older_than":"` + time.Now().UTC().Format(time.RFC3339) + `"}}`, func(*frameio.Project) {}},
		"inactive":   {`{"selection":{"status":"inactive"}}`, func(p *frameio.Project) { p.Inactive = false }},
		"name":       {`{"selection":{"name":"Project*"}}`, func(p *frameio.Project) { p.Name = "Renamed" }},
		"size":       {`{"selection":{"smaller_than":"2kB"}}`, func(p *frameio.Project) { p.Settings = map[string]any{"storage": 5000.0} }},
	} {
		t.Run(name, func(t *testing.T) {
			b := newHarness(t, tt.request, "a")
			b.frameio.projects[0].Inactive = true
			b.list()
			require.Equal(t, 1, b.start(1, 0).Archives)
			b.finish(ledger.Verified, "a")
			b.frameio.projects[0].UpdatedAt = time.Now().Add(time.Minute)
			tt.change(&b.frameio.projects[0])
			assert.Equal(t, 1, b.findChanged())
		})
	}
}

// workspaces answers only to its current name.
type workspaces struct {
	*frameioOf

	name string
}

func (w *workspaces) Workspace(_ context.Context, idOrName string) (frameio.Team, error) {
	if idOrName == w.name || idOrName == "w" {
		return frameio.Team{ID: "w", Name: w.name}, nil
	}
	return frameio.Team{}, &rest.Error{Vendor: "Frame.io", Status: 404, Class: rest.NotFound}
}

// A workspace that is renamed in the meantime keeps the migration from finding new projects, but not from ending.
func TestARenamedWorkspaceFailsNoMigration(t *testing.T) {
	b := newHarness(t, `{"selection":{"workspaces":["Films"]}}`, "a", "b")
	one, err := b.Tenant("T")
	require.NoError(t, err)
	w := &workspaces{b.frameio, "Films"}
	one.Frameio = w
	b.list()
	require.Equal(t, 2, b.start(2, 0).Archives)
	b.finish(ledger.Verified, "a", "b")
	w.name = "Movies"
	assert.Equal(t, 1, b.findChanged(), "what was listed is compared again")
	b.archives.started = nil
	b.start(2, 1)
	b.finish(ledger.Verified, "a")
	out, err := b.FinishMigration(t.Context(), workflows.MigrationEndInput{MigrationRef: b.ref, Status: workflows.MigrationDone})
	require.NoError(t, err)
	assert.Contains(t, out.Reason, "2 projects: 2 verified.")
	assert.Contains(t, out.Reason, "New projects were not looked for at the end: ")
}

// picky refuses an ID of the other generation.
type picky struct{ *frameioOf }

func (p picky) Project(ctx context.Context, id string) (frameio.Project, error) {
	if id == "a" {
		return frameio.Project{}, &rest.Error{Vendor: "Frame.io", Status: 422, Class: rest.Permanent}
	}
	return p.frameioOf.Project(ctx, id)
}

func TestAnOldIDThatIsRefusedFailsNoMigration(t *testing.T) {
	b := newHarness(t, `{}`, "a")
	b.list()
	b.start(1, 0)
	b.finish(ledger.Failed, "a")
	b.frameio.projects[0].ID, b.frameio.generation = "a2", frameio.V4
	one, err := b.Tenant("T")
	require.NoError(t, err)
	one.Frameio = picky{b.frameio}
	assert.Equal(t, 1, b.findChanged())
	b.start(1, 1)
	b.finish(ledger.Verified, "a2")
	b.survey()
	assert.Equal(t, map[string]ledger.ProjectState{"a2": ledger.ProjectVerified}, b.states())
}

// A project that was deleted before its turn is not the one with its name that somebody created: the account has not moved.
func TestADeletedProjectContinuesNowhere(t *testing.T) {
	b := newHarness(t, `{}`, "a")
	b.list()
	b.start(1, 0)
	b.finish(ledger.Failed, "a")
	b.frameio.projects[0].ID = "b"
	assert.Equal(t, 1, b.findChanged())
	b.start(1, 1)
	b.finish(ledger.Verified, "b")
	b.survey()
	assert.Equal(t, map[string]ledger.ProjectState{"a": ledger.ProjectFailed, "b": ledger.ProjectVerified}, b.states())
}

// A project that somebody has retried by hand counts with its latest result.
func TestAProjectThatIsRetriedByHandCounts(t *testing.T) {
	b := newHarness(t, `{}`, "a")
	b.list()
	b.start(1, 0)
	b.finish(ledger.Failed, "a")
	assert.Equal(t, ledger.ProjectFailed, b.states()["a"])
	_, _, err := b.Ledger.Tenant("T").Archive("a").Request(t.Context(), "", time.Now())
	require.NoError(t, err)
	b.finish(ledger.Verified, "a")
	assert.Equal(t, ledger.ProjectVerified, b.states()["a"])
}

// The second round is work too: its files are compared again.
func TestTheSecondRoundHasAnExpectedEnd(t *testing.T) {
	b := newHarness(t, `{"projects_in_parallel":5}`, "a", "b", "c")
	b.list()
	b.start(5, 0)
	b.finish(ledger.Verified, "a", "b", "c")
	for _, id := range []string{"a", "b", "c"} {
		_, err := b.rows.UpdateProject(t.Context(), id, func(p *ledger.MigrationProject) {
			p.Counts = ledger.ProjectCounts{Items: 100, Copied: 100, Verified: 100}
		})
		require.NoError(t, err)
	}
	require.Equal(t, 2, b.findChanged())
	eta := func() time.Time {
		row, _, err := b.rows.Get(t.Context())
		require.NoError(t, err)
		return row.ETA
	}
	m := &migration{Activities: b.Activities, ref: b.ref, ledger: b.rows}
	look := func(at time.Time) {
		sums, err := b.rows.Sums(t.Context())
		require.NoError(t, err)
		hours, err := m.asked.Hours()
		require.NoError(t, err)
		require.NoError(t, m.notePace(t.Context(), at, hours, hours.At(at), sums))
	}
	_, err := b.rows.Update(t.Context(), func(r *ledger.Migration) { r.Status = ledger.MigrationRunning })
	require.NoError(t, err)
	_, err = b.rows.UpdateProject(t.Context(), "a", func(p *ledger.MigrationProject) { p.State = ledger.ProjectRunning })
	require.NoError(t, err)
	at := time.Now()
	look(at)
	assert.True(t, eta().IsZero(), "nothing is known yet")
	for id, state := range map[string]ledger.ProjectState{"a": ledger.ProjectVerified, "b": ledger.ProjectRunning} {
		_, err = b.rows.UpdateProject(t.Context(), id, func(p *ledger.MigrationProject) { p.State = state })
		require.NoError(t, err)
	}
	look(at.Add(10 * time.Minute))
	assert.WithinDuration(t, at.Add(15*time.Minute), eta(), 2*time.Minute, "150 of the 200 files took ten minutes from the half of the first project on")
}

func TestWhatNobodyWillDoIsNotWaitedFor(t *testing.T) {
	b := newHarness(t, `{}`, "cancelled", "last", "failed")
	b.list()
	for id, p := range map[string]ledger.MigrationProject{
		"cancelled": {State: ledger.ProjectCancelled, Counts: ledger.ProjectCounts{Items: 1000, Copied: 100, Bytes: 1000 << 30, BytesDone: 100 << 30}},
		"last":      {State: ledger.ProjectRunning, Counts: ledger.ProjectCounts{Items: 10, Copied: 10, Verified: 9, Bytes: 10 << 30, BytesDone: 10 << 30}},
		"failed":    {State: ledger.ProjectIncomplete, Counts: ledger.ProjectCounts{Items: 2, Copied: 1, Verified: 1, Failed: 1, Bytes: 1 << 40, BytesDone: 10}},
	} {
		_, err := b.rows.UpdateProject(t.Context(), id, func(row *ledger.MigrationProject) { row.State, row.Counts = p.State, p.Counts })
		require.NoError(t, err)
	}
	sums, err := b.rows.Sums(t.Context())
	require.NoError(t, err)
	items, bytes := Left(sums)
	assert.EqualValues(t, 1, items)
	assert.Zero(t, bytes)
	_, bytes = Left(ledger.MigrationSums{Of: map[ledger.ProjectState]ledger.ProjectCounts{ledger.ProjectRunning: {Items: 2, Copied: 1, Verified: 1, Failed: 1, Bytes: 1 << 40, BytesDone: 10}}})
	assert.Zero(t, bytes, "one file has failed, and the other one is done")
}

// Projects are added by the migration's own selection, for what is new, or by another one, which the second round reads again.
func TestProjectsAreAddedToTheList(t *testing.T) {
	b := newHarness(t, `{"selection":{"name":"Project a*"},"projects_in_parallel":5}`, "a", "b", "c")
	b.list()
	add := func(selection string) (int, error) {
		in := workflows.AddProjectsInput{MigrationRef: b.ref}
		if selection != "" {
			in.Selection = []byte(selection)
		}
		out, err := b.AddProjects(t.Context(), in)
		return out.Added, err
	}
	b.frameio.projects = append(b.frameio.projects, frameio.Project{ID: "a2", Name: "Project a2"})
	for _, step := range []struct {
		selection string
		added     int
	}{{"", 1}, {"", 0}, {`{"project_ids":["c"]}`, 1}, {`{"project_ids":["c"]}`, 0}} {
		n, err := add(step.selection)
		require.NoError(t, err)
		assert.Equal(t, step.added, n, step.selection)
	}
	_, err := add(`{"name":"` + strings.Repeat("x", mostAdded) + `"}`)
	require.ErrorContains(t, err, "too long")
	_, err = add(`{"name":"["}`)
	require.ErrorContains(t, err, "selection.name")
	row, _, err := b.rows.Get(t.Context())
	require.NoError(t, err)
	assert.Len(t, row.Added, 1, "each selection once, and none that cannot be read")
	assert.Equal(t, map[string]ledger.ProjectState{"a": ledger.ProjectQueued, "a2": ledger.ProjectQueued, "c": ledger.ProjectQueued}, b.states())
	b.start(5, 0)
	b.finish(ledger.Verified, "a", "a2", "c")
	b.frameio.projects = append(b.frameio.projects, frameio.Project{ID: "c2", Name: "Project c2"}, frameio.Project{ID: "a3", Name: "Project a3"})
	b.findChanged()
	assert.Contains(t, b.states(), "a3")
	assert.NotContains(t, b.states(), "c2")
}

// oneOfTwo is the first attempt of an activity and the one after it.
type oneOfTwo struct {
	attempt.Attempt

	saved attempt.Checkpoint
}

func (a *oneOfTwo) Resume() attempt.Checkpoint  { return a.saved }
func (a *oneOfTwo) Save(c attempt.Checkpoint)   { a.saved = c }
func (a *oneOfTwo) WorkerStop() <-chan struct{} { return nil }

// breaking returns the first projects, and refuses the rest once.
type breaking struct {
	*frameioOf

	asked int
}

func (f *breaking) Projects(ctx context.Context, cursor string) (frameio.Page[frameio.Project], error) {
	if f.asked++; f.asked == 1 {
		return frameio.Page[frameio.Project]{Items: f.projects[:listBatch], Next: "more"}, nil
	}
	if f.asked == 2 {
		return frameio.Page[frameio.Project]{}, &rest.Error{Vendor: "Frame.io", Status: 503, Class: rest.Retryable}
	}
	return f.frameioOf.Projects(ctx, cursor)
}

// What an interrupted attempt has added counts too, so that whoever asked is not told that everything was already listed.
func TestAddedProjectsAreCountedOverAttempts(t *testing.T) {
	b := newHarness(t, `{}`)
	for n := range listBatch + 20 {
		b.frameio.projects = append(b.frameio.projects, frameio.Project{ID: fmt.Sprint("p", n), Name: fmt.Sprint("Project ", n), Team: frameio.Team{ID: "w", Name: "Films"}})
	}
	one, err := b.Tenant("T")
	require.NoError(t, err)
	one.Frameio = &breaking{frameioOf: b.frameio}
	ctx := attempt.With(t.Context(), &oneOfTwo{})
	_, err = b.AddProjects(ctx, workflows.AddProjectsInput{MigrationRef: b.ref})
	require.Error(t, err)
	out, err := b.AddProjects(ctx, workflows.AddProjectsInput{MigrationRef: b.ref})
	require.NoError(t, err)
	assert.Equal(t, listBatch+20, out.Added)
}

// A listed project does not fail because Frame.io refuses it when it is requested again.
func TestARefusedProjectOfTheListIsNotToldAgain(t *testing.T) {
	b := newHarness(t, `{}`, "a", "b")
	one, err := b.Tenant("T")
	require.NoError(t, err)
	one.Config.Notify = config.Notify{SlackURL: "https://slack.example"}
	b.list()
	b.start(2, 0)
	b.finish(ledger.Verified, "a", "b")
	b.frameio.projects = b.frameio.projects[1:]
	for range 2 {
		_, err := b.AddProjects(t.Context(), workflows.AddProjectsInput{MigrationRef: b.ref, AddUpdate: workflows.AddUpdate{Selection: []byte(`{"project_ids":["a","gone"]}`)}})
		require.NoError(t, err)
	}
	assert.Equal(t, map[string]ledger.ProjectState{"a": ledger.ProjectVerified, "b": ledger.ProjectVerified, "gone": ledger.ProjectFailed}, b.states())
	assert.Equal(t, []string{"migration.project_failed"}, b.told("slack"))
}

// Once Frame.io has migrated the account, all projects are new by their IDs: the second round tells which of them are listed.
func TestNothingIsAddedToTheListOfAnotherGeneration(t *testing.T) {
	b := newHarness(t, `{}`, "a", "b")
	b.list()
	b.start(1, 0)
	b.frameio.generation = frameio.V4
	b.frameio.projects[0].ID, b.frameio.projects[1].ID = "a2", "b2"
	_, err := b.AddProjects(t.Context(), workflows.AddProjectsInput{MigrationRef: b.ref})
	require.ErrorContains(t, err, "Frame.io has migrated the account")
	assert.Len(t, b.states(), 2)
}
