package migration

import (
	"cmp"
	"context"
	"fmt"
	"log/slog"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/framebridge/framebridge/activities/tenant"
	"github.com/framebridge/framebridge/clients/frameio"
	"github.com/framebridge/framebridge/clients/rest"
	"github.com/framebridge/framebridge/config"
	"github.com/framebridge/framebridge/ledger"
	"github.com/framebridge/framebridge/test/emptyledger"
	"github.com/framebridge/framebridge/workflows"
)

// frameioOf shows some projects.
type frameioOf struct {
	frameio.Reader

	projects   []frameio.Project
	generation frameio.Generation
}

func (f *frameioOf) Generation() frameio.Generation { return cmp.Or(f.generation, frameio.Legacy) }

func (f *frameioOf) Projects(context.Context, string) (frameio.Page[frameio.Project], error) {
	return frameio.Page[frameio.Project]{Items: f.projects}, nil
}

func (f *frameioOf) Project(_ context.Context, id string) (frameio.Project, error) {
	for _, p := range f.projects {
		if p.ID == id {
			return p, nil
		}
	}
	return frameio.Project{}, &rest.Error{Vendor: "Frame.io", Status: 404, Class: rest.NotFound}
}

// archives are the running workflows.
type archives struct {
	running map[string]bool
	started []string
	held    map[string]bool
	alone   []string // released
	stolen  string   // somebody else starts it just before
}

func (a *archives) Start(_ context.Context, ref workflows.Ref, migration string) (bool, error) {
	if migration != "migration/T" {
		return false, fmt.Errorf("started for %q", migration)
	}
	a.running[ref.Archive] = true
	if ref.Archive == a.stolen {
		return false, nil
	}
	a.started = append(a.started, ref.Archive)
	return true, nil
}
func (a *archives) Runs(_ context.Context, ref workflows.Ref) (bool, error) {
	return a.running[ref.Archive], nil
}
func (a *archives) Hold(_ context.Context, ref workflows.Ref, paused bool) error {
	a.held[ref.Archive] = paused
	return nil
}
func (a *archives) Release(_ context.Context, ref workflows.Ref) error {
	a.alone = append(a.alone, ref.Archive)
	return nil
}
func (a *archives) Cancel(_ context.Context, ref workflows.Ref) error {
	delete(a.running, ref.Archive)
	return nil
}

// harness is a migration's activities with a ledger. Nothing else in it is real.
type harness struct {
	*Activities
	t        *testing.T
	ref      workflows.MigrationRef
	frameio  *frameioOf
	archives *archives
	rows     ledger.MigrationLedger
}

func newHarness(t *testing.T, request string, names ...string) *harness {
	t.Helper()
	book, err := ledger.Open(t.Context(), emptyledger.DSN(t))
	require.NoError(t, err)
	t.Cleanup(book.Close)
	b := &harness{t: t, ref: workflows.MigrationRef{Tenant: "T", Migration: "M"}, frameio: &frameioOf{}, archives: &archives{running: map[string]bool{}, held: map[string]bool{}}, rows: book.Tenant("T").Migration("M")}
	for _, name := range names {
		b.frameio.projects = append(b.frameio.projects, frameio.Project{ID: name, Name: "Project " + name, Team: frameio.Team{ID: "w", Name: "Films"}, UpdatedAt: time.Now().Add(-time.Hour), Settings: map[string]any{"storage": 1000.0}})
	}
	log := slog.New(slog.DiscardHandler)
	one := tenant.New(&config.Tenant{ID: "T", Archive: config.Archive{ProjectsInParallel: 2}}, book, b.frameio, nil, nil, log)
	b.Activities = New(Options{Config: config.Hold(&config.Config{}), Ledger: book, Log: log, Tenant: func(string) (*tenant.Tenant, error) { return one, nil }, Archives: b.archives})
	require.NoError(t, b.rows.Create(t.Context(), ledger.Migration{Request: []byte(request), Status: ledger.MigrationPlanning, CreatedAt: time.Now().Add(-time.Minute)}))
	return b
}

func (b *harness) list() {
	b.t.Helper()
	require.NoError(b.t, b.ListProjects(b.t.Context(), b.ref))
}

func (b *harness) start(most, round int) workflows.StartProjectsResult {
	b.t.Helper()
	out, err := b.StartProjects(b.t.Context(), workflows.StartProjectsInput{MigrationRef: b.ref, Most: most, Round: round})
	require.NoError(b.t, err)
	return out
}

func (b *harness) survey() workflows.Standing {
	b.t.Helper()
	out, err := b.SurveyMigration(b.t.Context(), b.ref)
	require.NoError(b.t, err)
	return out
}

// archive sets the status of a project's archive.
func (b *harness) archive(project string, status ledger.ArchiveStatus, change func(*ledger.Archive)) {
	b.t.Helper()
	h := b.Ledger.Tenant("T").Archive(project)
	if _, known, _ := h.Get(b.t.Context()); !known {
		_, _, err := h.Request(b.t.Context(), "", time.Now())
		require.NoError(b.t, err)
	}
	_, err := h.Update(b.t.Context(), func(r *ledger.Archive) {
		r.Status = status
		if r.StartedAt.IsZero() {
			r.StartedAt, r.SourceUpdatedAt = time.Now(), time.Now().Add(-time.Hour)
		}
		if status.Ended() {
			r.FinishedAt = time.Now()
		}
		if change != nil {
			change(r)
		}
	})
	require.NoError(b.t, err)
	if status.Ended() {
		delete(b.archives.running, project)
	}
}

func (b *harness) states() map[string]ledger.ProjectState {
	b.t.Helper()
	out := map[string]ledger.ProjectState{}
	for p, err := range b.rows.AllProjects(b.t.Context()) {
		require.NoError(b.t, err)
		out[p.ID] = p.State
	}
	return out
}

func TestTheListIsFrozen(t *testing.T) {
	b := newHarness(t, `{"selection":{"project_ids":["a","gone"]}}`, "a", "b")
	b.list()
	b.list() // an attempt whose answer was lost
	assert.Equal(t, map[string]ledger.ProjectState{"a": ledger.ProjectQueued, "gone": ledger.ProjectFailed}, b.states())
	sums, err := b.rows.Sums(t.Context())
	require.NoError(t, err)
	assert.EqualValues(t, 1000, sums.Bytes, "what Frame.io says it stores")

	none := newHarness(t, `{"selection":{"name":"nothing*"}}`, "a")
	err = none.ListProjects(t.Context(), none.ref)
	require.ErrorContains(t, err, "fits no project")
	out, err := none.FinishMigration(t.Context(), workflows.MigrationEndInput{MigrationRef: none.ref, Status: workflows.MigrationFailed, Fault: "content", Reason: err.Error()})
	require.NoError(t, err)
	assert.Equal(t, "FAILED: the selection fits no project that the Frame.io token has access to.", out.Reason)
}

func TestProjectsAreStartedOnceAndJoined(t *testing.T) {
	b := newHarness(t, `{}`, "a", "b", "c", "d")
	b.list()
	b.archive("a", ledger.Verified, nil) // by hand, since the migration began
	b.archive("b", ledger.Running, nil)  // by hand, and it runs
	b.archives.running["b"] = true
	b.archives.stolen = "c"
	assert.Equal(t, workflows.StartProjectsResult{Archives: 2, Settled: 1}, b.start(5, 0), "two at once, and one needs none")
	assert.Empty(t, b.archives.started)
	assert.Equal(t, map[string]ledger.ProjectState{"a": ledger.ProjectVerified, "b": ledger.ProjectRunning, "c": ledger.ProjectRunning, "d": ledger.ProjectQueued}, b.states())
	assert.Equal(t, workflows.StartProjectsResult{}, b.start(5, 0), "a lost answer starts no more than may run")
	require.NoError(t, b.HoldProjects(t.Context(), workflows.HoldProjectsInput{MigrationRef: b.ref, Paused: true}))
	assert.Empty(t, b.archives.held, "what others have started is their business")

	b.archive("b", ledger.VerifiedWithExceptions, nil)
	assert.Equal(t, 1, b.survey().Running)
	// An attempt has started it and died before it could record that.
	_, err := b.rows.UpdateProject(t.Context(), "d", func(p *ledger.MigrationProject) { p.BegunAt = time.Now() })
	require.NoError(t, err)
	b.archive("d", ledger.Queued, nil)
	b.archives.running["d"] = true
	b.start(1, 0)
	require.NoError(t, b.HoldProjects(t.Context(), workflows.HoldProjectsInput{MigrationRef: b.ref, Paused: true}))
	assert.Equal(t, map[string]bool{"d": true}, b.archives.held, "that one is the migration's")
}

func TestASurveyFollowsTheArchives(t *testing.T) {
	b := newHarness(t, `{"projects_in_parallel":5,"windows":[{"from":"00:00","to":"24:00","bandwidth":"7MiB"}]}`, "a", "b", "c", "d", "e")
	b.list()
	assert.Equal(t, 5, b.start(5, 0).Archives)
	b.archive("a", ledger.Incomplete, func(r *ledger.Archive) { r.Reason = "2 of 3 files failed" })
	b.archive("b", ledger.Waiting, func(r *ledger.Archive) { r.ReasonCode = workflows.WaitsForRestore })
	b.archive("c", ledger.Waiting, func(r *ledger.Archive) { r.ReasonCode = workflows.PausedWithMigration })
	b.archive("d", ledger.Running, nil)
	delete(b.archives.running, "d") // terminated in Temporal
	s := b.survey()
	assert.Equal(t, map[string]ledger.ProjectState{"a": ledger.ProjectIncomplete, "b": ledger.ProjectWaiting, "c": ledger.ProjectRunning, "d": ledger.ProjectFailed, "e": ledger.ProjectRunning}, b.states())
	assert.Equal(t, workflows.Standing{Total: 5, Running: 2, Waiting: 1, Originals: 1, Parallel: 5, WindowOpen: true, Changes: s.Changes}, s)
	row, _, err := b.rows.Get(t.Context())
	require.NoError(t, err)
	assert.EqualValues(t, 7<<20, row.Bandwidth)
	p, _, err := b.rows.Project(t.Context(), "a")
	require.NoError(t, err)
	assert.Equal(t, "2 of 3 files failed", p.Reason)
	require.NoError(t, b.ReleaseProjects(t.Context(), b.ref))
	assert.Equal(t, []string{"b", "c", "e"}, b.archives.alone)
	b.archive("b", ledger.Waiting, func(r *ledger.Archive) { r.Stuck = []ledger.Stuck{{}} })
	assert.Zero(t, b.survey().Originals, "one that is stuck waits for something else")
	b.archive("b", ledger.Waiting, func(r *ledger.Archive) { r.Stuck = nil })
	left, err := b.CancelProjects(t.Context(), b.ref)
	require.NoError(t, err)
	assert.Equal(t, 3, left)
}

func TestTheSecondRoundTakesWhatHasChanged(t *testing.T) {
	b := newHarness(t, `{}`, "a", "b", "c")
	b.list()
	b.start(3, 0)
	b.archive("a", ledger.Verified, nil)
	b.archive("b", ledger.Verified, nil)
	b.survey()
	b.start(3, 0)
	b.archive("c", ledger.Cancelled, nil)
	b.survey()
	for i := range b.frameio.projects {
		if b.frameio.projects[i].ID != "b" {
			b.frameio.projects[i].UpdatedAt = time.Now().Add(time.Minute)
		}
	}
	b.frameio.projects = append(b.frameio.projects, frameio.Project{ID: "new", Name: "New", Team: frameio.Team{ID: "w", Name: "Films"}})
	n, err := b.FindChanged(t.Context(), b.ref)
	require.NoError(t, err)
	assert.Equal(t, 2, n)
	assert.Equal(t, map[string]ledger.ProjectState{"a": ledger.ProjectQueued, "b": ledger.ProjectVerified, "c": ledger.ProjectCancelled, "new": ledger.ProjectQueued}, b.states())
	n, err = b.FindChanged(t.Context(), b.ref)
	require.NoError(t, err)
	assert.Equal(t, 2, n, "an attempt whose answer was lost finds the same")
	b.archives.started = nil
	b.start(3, 1)
	assert.Equal(t, []string{"a", "new"}, b.archives.started, "although it is verified")
	row, _, err := b.Ledger.Tenant("T").Archive("new").Get(t.Context())
	require.NoError(t, err)
	assert.Equal(t, "the migration "+b.ref.Migration, row.TriggeredBy.For(row.Asked()...))
}

func TestTheEndSaysWhatBecameOfTheProjects(t *testing.T) {
	b := newHarness(t, `{}`, "a", "b", "c")
	b.list()
	b.start(2, 0)
	b.archive("a", ledger.Verified, nil)
	b.archive("b", ledger.Failed, nil)
	b.survey()
	out, err := b.FinishMigration(t.Context(), workflows.MigrationEndInput{MigrationRef: b.ref, Status: workflows.MigrationCancelled, Reason: "Canceled by Sam."})
	require.NoError(t, err)
	assert.Equal(t, "Canceled by Sam. 3 projects: 1 verified, 1 failed, 1 not started.", out.Reason)
	require.NoError(t, b.WriteAccountReport(t.Context(), workflows.AccountReportInput{MigrationRef: b.ref, Status: workflows.MigrationDone}), "without a collection there is nothing to store it in")
	entries, err := b.Ledger.Tenant("T").AuditPage(t.Context(), ledger.AuditFilter{}, 0, 10)
	require.NoError(t, err)
	require.Len(t, entries, 1)
	assert.Equal(t, "migration_cancelled", entries[0].Action)
}

// TestStatusesAreTheLedgers: workflows write them as text.
func TestStatusesAreTheLedgers(t *testing.T) {
	for text, status := range map[string]ledger.MigrationStatus{workflows.MigrationPlanning: ledger.MigrationPlanning, workflows.MigrationRunning: ledger.MigrationRunning, workflows.MigrationPaused: ledger.MigrationPaused,
		workflows.MigrationScheduled: ledger.MigrationScheduled, workflows.MigrationDone: ledger.MigrationDone, workflows.MigrationCancelled: ledger.MigrationCancelled, workflows.MigrationFailed: ledger.MigrationFailed} {
		assert.Equal(t, string(status), text)
	}
	for _, s := range []ledger.ArchiveStatus{ledger.Verified, ledger.VerifiedWithExceptions, ledger.Incomplete, ledger.Failed, ledger.Cancelled} {
		assert.True(t, stateOf(ledger.Archive{Status: s}).Ended(), s)
	}
}

// The account moves while it is archived, and its projects get new IDs: each counts once, under the new one.
func TestAMovedAccountIsAccountedForOnce(t *testing.T) {
	b := newHarness(t, `{"projects_in_parallel":5}`, "a", "b", "c")
	b.list()
	require.Equal(t, 3, b.start(5, 0).Archives)
	counted := func(id string) {
		_, err := b.rows.UpdateProject(t.Context(), id, func(p *ledger.MigrationProject) {
			p.Counts = ledger.ProjectCounts{Items: 4, Copied: 4, Verified: 4, Bytes: 40, BytesDone: 40}
		})
		require.NoError(t, err)
	}
	b.archive("a", ledger.Verified, nil)
	b.archive("b", ledger.Failed, func(r *ledger.Archive) { r.Reason = "has a new ID" })
	b.archive("c", ledger.Failed, func(r *ledger.Archive) { r.Reason = "has a new ID" })
	b.survey()
	counted("a")
	var others []frameio.Project
	for _, p := range b.frameio.projects {
		p.ID += "2"
		others = append(others, p)
	}
	b.frameio.projects = others
	found, err := b.FindChanged(t.Context(), b.ref)
	require.NoError(t, err)
	require.Equal(t, 3, found, "the new IDs are added")
	require.Equal(t, 3, b.start(5, 1).Archives)
	for _, id := range []string{"a", "b"} {
		b.archive(id+"2", ledger.Verified, nil)
		b.archive(id, b.stateOf(id), func(r *ledger.Archive) { r.ContinuedAs, r.Reason = id+"2", "continues as project "+id+"2" })
	}
	b.archive("c2", ledger.Running, nil)
	b.survey()
	assert.Equal(t, ledger.ProjectFailed, b.states()["b"], "not before all have ended")
	b.archive("c2", ledger.Incomplete, nil)
	b.archive("c", ledger.Failed, func(r *ledger.Archive) { r.ContinuedAs, r.Reason = "c2", "continues as project c2" })
	b.survey() // reads how c2 ended
	b.survey()
	for _, id := range []string{"a2", "b2"} {
		counted(id)
	}
	assert.Equal(t, map[string]ledger.ProjectState{"a2": ledger.ProjectVerified, "b2": ledger.ProjectVerified, "c2": ledger.ProjectIncomplete}, b.states())
	sums, err := b.rows.Sums(t.Context())
	require.NoError(t, err)
	assert.EqualValues(t, 8, sums.Items, "no file is counted twice")
	assert.EqualValues(t, 3, sums.Total(), "and no project")
	incomplete, err := b.rows.ProjectsIn(t.Context(), 10, ledger.ProjectIncomplete)
	require.NoError(t, err)
	assert.Len(t, incomplete, 1)
	p, _, err := b.rows.Project(t.Context(), "b")
	require.NoError(t, err)
	assert.Equal(t, "continues as project b2", p.Reason)
}

// A project whose turn came after the account had moved was never opened under its old ID. It continues as the project in its
// place, if there is exactly one and Frame.io no longer has the old ID.
func TestAProjectThatNeverBeganContinuesInItsPlace(t *testing.T) {
	b := newHarness(t, `{"projects_in_parallel":5}`, "a", "twin1", "twin2", "here")
	for i := 1; i <= 2; i++ {
		b.frameio.projects[i].Name = "Twins"
	}
	b.list()
	require.Equal(t, 4, b.start(5, 0).Archives)
	all := []string{"a", "twin1", "twin2", "here"}
	for _, id := range all {
		b.archive(id, ledger.Failed, func(r *ledger.Archive) { r.Reason = "Frame.io has no project " + id })
	}
	b.survey()
	for _, p := range b.frameio.projects { // "here" was refused for another reason, and still exists next to another project with its name
		p.ID += "2"
		b.frameio.projects = append(b.frameio.projects, p)
	}
	b.frameio.projects, b.frameio.generation = b.frameio.projects[3:], frameio.V4
	found, err := b.FindChanged(t.Context(), b.ref)
	require.NoError(t, err)
	require.Equal(t, 4, found)
	require.Equal(t, 4, b.start(5, 1).Archives)
	for _, id := range all {
		b.archive(id+"2", ledger.Verified, nil)
	}
	b.survey()
	b.survey()
	assert.Equal(t, map[string]ledger.ProjectState{"a2": ledger.ProjectVerified, "twin1": ledger.ProjectFailed, "twin2": ledger.ProjectFailed, "twin12": ledger.ProjectVerified, "twin22": ledger.ProjectVerified,
		"here": ledger.ProjectFailed, "here2": ledger.ProjectVerified}, b.states())
	p, _, err := b.rows.Project(t.Context(), "a")
	require.NoError(t, err)
	assert.Equal(t, "continues as project a2, which Frame.io has in its place", p.Reason)
}

// If the account moves and its projects keep their IDs, the archived ones are archived again: their files have new IDs.
func TestAProjectWhoseFilesHaveNewIDsIsArchivedAgain(t *testing.T) {
	b := newHarness(t, `{"projects_in_parallel":5}`, "a", "b")
	b.list()
	require.Equal(t, 2, b.start(5, 0).Archives)
	b.archive("a", ledger.Verified, func(r *ledger.Archive) { r.Generation = "legacy" })
	b.archive("b", ledger.Failed, func(r *ledger.Archive) { r.Reason = "it was never opened" })
	b.survey()
	b.frameio.generation = frameio.V4
	found, err := b.FindChanged(t.Context(), b.ref)
	require.NoError(t, err)
	assert.Equal(t, 1, found)
	assert.Equal(t, map[string]ledger.ProjectState{"a": ledger.ProjectQueued, "b": ledger.ProjectFailed}, b.states())
	p, _, err := b.rows.Project(t.Context(), "a")
	require.NoError(t, err)
	assert.Contains(t, p.Reason, "its files have new IDs")
}

func (b *harness) stateOf(project string) ledger.ArchiveStatus {
	row, _, err := b.Ledger.Tenant("T").Archive(project).Get(b.t.Context())
	require.NoError(b.t, err)
	return row.Status
}
