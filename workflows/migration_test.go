package workflows

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/mock"
	"github.com/stretchr/testify/require"
	"go.temporal.io/sdk/converter"
	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/testsuite"
	"go.temporal.io/sdk/workflow"

	"github.com/framebridge/framebridge/test/temporaltest"
)

var migrationRef = MigrationRef{Tenant: testRef.Tenant, Migration: "22222222-2222-4222-8222-222222222222"}

// account fakes the outside of a migration: projects whose archives take some time.
type account struct {
	mu       sync.Mutex
	env      *testsuite.TestWorkflowEnvironment
	queue    []string
	running  map[string]time.Time // → when the archive ends
	left     map[string]time.Duration
	ended    []string
	most     int // at once
	lasts    time.Duration
	parallel int
	opens    func(time.Time) (open bool, changes time.Time)
	changed  []string // found by the delta pass
	added    []string // found by an update
	statuses []string
	held     []bool
	ends     []MigrationEndInput
	mails    int
	updates  int
	deltas   int
	finished time.Time
	cold     int // projects that wait for originals
	stuck    int // and for something else
	released int
}

func newAccount(projects int) *account {
	a := &account{running: map[string]time.Time{}, left: map[string]time.Duration{}, lasts: time.Hour, parallel: 2, opens: func(time.Time) (bool, time.Time) { return true, time.Time{} }}
	for n := range projects {
		a.queue = append(a.queue, fmt.Sprintf("p%02d", n+1))
	}
	return a
}

// look ends the archives that have run long enough.
func (a *account) look() {
	for id, ends := range a.running {
		if !ends.After(a.env.Now()) {
			delete(a.running, id)
			a.ended = append(a.ended, id)
		}
	}
	slices.Sort(a.ended)
}

func (a *account) register(env *testsuite.TestWorkflowEnvironment) {
	a.env = env
	Register(env)
	locked := func() func() { a.mu.Lock(); return a.mu.Unlock }
	ActListProjects.Register(env, func(context.Context, MigrationRef) error { return nil })
	ActSurveyMigration.Register(env, func(context.Context, MigrationRef) (Standing, error) {
		defer locked()()
		a.look()
		open, changes := a.opens(env.Now())
		return Standing{Total: len(a.queue) + len(a.running) + len(a.left) + len(a.ended), Queued: len(a.queue), Running: len(a.running) + len(a.left), Waiting: a.cold + a.stuck, Originals: a.cold, Parallel: a.parallel, WindowOpen: open, Changes: changes, Opens: "later"}, nil
	})
	ActStartProjects.Register(env, func(_ context.Context, in StartProjectsInput) (StartProjectsResult, error) {
		defer locked()()
		out := StartProjectsResult{}
		for out.Archives < in.Most && len(a.queue) > 0 {
			id := a.queue[0]
			a.queue = a.queue[1:]
			a.running[id] = env.Now().Add(a.lasts)
			out.Archives++
			env.RegisterDelayedCallback(func() { env.SignalWorkflow(SignalEnded, nil) }, a.lasts)
		}
		a.most = max(a.most, len(a.running))
		return out, nil
	})
	ActHoldProjects.Register(env, func(_ context.Context, in HoldProjectsInput) error {
		defer locked()()
		a.held = append(a.held, in.Paused)
		if in.Paused {
			for id, ends := range a.running {
				a.left[id] = ends.Sub(env.Now())
			}
			clear(a.running)
			return nil
		}
		for id, left := range a.left {
			a.running[id] = env.Now().Add(left)
		}
		clear(a.left)
		return nil
	})
	ActReleaseProjects.Register(env, func(context.Context, MigrationRef) error {
		defer locked()()
		a.released++
		return nil
	})
	ActFindChanged.Register(env, func(context.Context, MigrationRef) (int, error) {
		defer locked()()
		a.deltas++
		a.queue = append(a.queue, a.changed...)
		return len(a.changed), nil
	})
	ActAddProjects.Register(env, func(_ context.Context, in AddProjectsInput) (AddProjectsResult, error) {
		defer locked()()
		if string(in.Selection) == `{"name":"["}` {
			return AddProjectsResult{}, temporal.NewNonRetryableApplicationError("not a pattern", ErrorContent, nil)
		}
		a.queue = append(a.queue, a.added...)
		return AddProjectsResult{Added: len(a.added)}, nil
	})
	ActOrderProject.Register(env, func(_ context.Context, in OrderProjectInput) error {
		defer locked()()
		from := slices.Index(a.queue, in.Project)
		if from < 0 {
			return temporal.NewNonRetryableApplicationError("the project does not wait in the migration's list", ErrorContent, nil)
		}
		a.queue = slices.Insert(slices.Delete(a.queue, from, from+1), in.Position-1, in.Project)
		return nil
	})
	ActCancelProjects.Register(env, func(context.Context, MigrationRef) (int, error) {
		defer locked()()
		n := len(a.running)
		clear(a.running)
		return n, nil
	})
	ActSetMigrationStatus.Register(env, func(_ context.Context, in MigrationStatusInput) error {
		defer locked()()
		a.statuses = append(a.statuses, in.Status)
		return nil
	})
	ActWriteAccountReport.Register(env, func(context.Context, AccountReportInput) error { return nil })
	ActFinishMigration.Register(env, func(_ context.Context, in MigrationEndInput) (MigrationResult, error) {
		defer locked()()
		a.ends, a.finished = append(a.ends, in), env.Now()
		return MigrationResult{Status: in.Status, Reason: in.Reason}, nil
	})
	ActNotifyMigration.Register(env, func(context.Context, MigrationRef) error { return nil })
	env.SetOnChildWorkflowStartedListener(func(info *workflow.Info, _ workflow.Context, _ converter.EncodedValues) {
		defer locked()()
		if info.WorkflowType.Name == MigrationMailName {
			a.mails++
		}
	})
}

func migrate(t *testing.T, a *account, state MigrationState, script func(*testsuite.TestWorkflowEnvironment)) (MigrationResult, error) {
	t.Helper()
	env := temporaltest.Workflows()
	a.register(env)
	if script != nil {
		script(env)
	}
	env.ExecuteWorkflow(MigrationName, MigrationInput{MigrationRef: migrationRef, State: state})
	require.True(t, env.IsWorkflowCompleted())
	var out MigrationResult
	if err := env.GetWorkflowError(); err != nil {
		return out, err
	}
	return out, env.GetWorkflowResult(&out)
}

// control sends an update. When the test ends, it checks that the update was refused with these words, or accepted if there are none.
func (a *account) control(t *testing.T, name string, in any, refused string) {
	var failed error
	done := false
	a.updates++
	a.env.UpdateWorkflow(name, fmt.Sprint(name, a.updates), &testsuite.TestUpdateCallback{OnAccept: func() {}, OnReject: func(err error) { failed, done = err, true },
		OnComplete: func(_ any, err error) { failed, done = err, true }}, in)
	t.Cleanup(func() {
		assert.True(t, done, name)
		if refused == "" {
			assert.NoError(t, failed, name)
			return
		}
		assert.ErrorContains(t, failed, refused, name)
	})
}

func TestAMigrationBringsAllProjectsOver(t *testing.T) {
	a := newAccount(7)
	a.changed = []string{"p03"}
	out, err := migrate(t, a, MigrationState{}, nil)
	require.NoError(t, err)
	assert.Equal(t, MigrationDone, out.Status)
	assert.Len(t, a.ended, 8, "and what has changed since once more")
	assert.Equal(t, 2, a.most, "no more at once than asked for")
	assert.Equal(t, 1, a.deltas)
	assert.Equal(t, []string{MigrationPlanning, MigrationRunning}, a.statuses)
	assert.Equal(t, 1, a.mails)
	assert.Empty(t, a.held)
}

// Originals in cold storage hold up nobody: the migration ends, and their archives continue without it.
func TestAMigrationEndsWithoutOriginals(t *testing.T) {
	a := newAccount(3)
	a.cold = 2
	out, err := migrate(t, a, MigrationState{}, nil)
	require.NoError(t, err)
	assert.Equal(t, MigrationDone, out.Status)
	assert.Equal(t, []int{3, 1, 1}, []int{len(a.ended), a.released, a.deltas}, "after the others and the delta pass")
	assert.Equal(t, 1, a.mails)

	// The migration does wait for archives that wait for something else, and while a person has paused it.
	a = newAccount(1)
	a.cold, a.stuck = 1, 1
	var mended, resumed time.Time
	_, err = migrate(t, a, MigrationState{}, func(env *testsuite.TestWorkflowEnvironment) {
		env.RegisterDelayedCallback(func() { a.control(t, UpdatePause, ControlUpdate{By: "Sam"}, "") }, 2*time.Hour)
		env.RegisterDelayedCallback(func() {
			a.stuck, mended = 0, env.Now()
		}, 3*time.Hour)
		env.RegisterDelayedCallback(func() {
			resumed = env.Now()
			a.control(t, UpdateResume, ControlUpdate{}, "")
		}, 4*time.Hour)
	})
	require.NoError(t, err)
	assert.False(t, mended.IsZero())
	assert.False(t, a.finished.Before(resumed), "it ended at %s, and was resumed at %s", a.finished, resumed)
	assert.Equal(t, 1, a.released)
}

func TestACanaryWaitsForAGo(t *testing.T) {
	a := newAccount(6)
	var before int
	out, err := migrate(t, a, MigrationState{Canary: 3}, func(env *testsuite.TestWorkflowEnvironment) {
		env.RegisterDelayedCallback(func() {
			before = len(a.ended)
			a.control(t, UpdateResume, ControlUpdate{By: "Sam"}, "")
		}, 10*time.Hour)
	})
	require.NoError(t, err)
	assert.Equal(t, MigrationDone, out.Status)
	assert.Equal(t, 3, before, "the others wait")
	assert.Equal(t, []string{MigrationPlanning, MigrationRunning, MigrationPaused, MigrationRunning}, a.statuses)
	assert.Len(t, a.ended, 6)
}

func TestAPausedMigrationStandsStill(t *testing.T) {
	a := newAccount(2)
	began := time.Time{}
	out, err := migrate(t, a, MigrationState{}, func(env *testsuite.TestWorkflowEnvironment) {
		began = env.Now()
		env.RegisterDelayedCallback(func() { a.control(t, UpdateResume, ControlUpdate{}, "not paused") }, time.Minute)
		env.RegisterDelayedCallback(func() { a.control(t, UpdatePause, ControlUpdate{By: "Sam"}, "") }, 30*time.Minute)
		env.RegisterDelayedCallback(func() { a.control(t, UpdatePause, ControlUpdate{}, "paused already") }, time.Hour)
		env.RegisterDelayedCallback(func() { a.control(t, UpdateResume, ControlUpdate{}, "") }, 5*time.Hour)
	})
	require.NoError(t, err)
	assert.Equal(t, MigrationDone, out.Status)
	assert.Equal(t, []bool{true, false}, a.held)
	assert.Equal(t, []string{MigrationPlanning, MigrationRunning, MigrationPaused, MigrationRunning}, a.statuses)
	assert.InDelta(t, 5.5, a.finished.Sub(began).Hours(), 0.1, "half an hour each before and after the pause")
}

func TestAMigrationKeepsToItsWindows(t *testing.T) {
	a := newAccount(3)
	a.parallel, a.lasts = 1, 4*time.Hour
	night := func(now time.Time) (bool, time.Time) { // from 20:00 to 06:00, UTC
		day := now.Truncate(24 * time.Hour)
		switch h := now.UTC().Hour(); {
		case h < 6:
			return true, day.Add(6 * time.Hour)
		case h < 20:
			return false, day.Add(20 * time.Hour)
		}
		return true, day.Add(30 * time.Hour)
	}
	a.opens = night
	out, err := migrate(t, a, MigrationState{}, func(env *testsuite.TestWorkflowEnvironment) {
		env.SetStartTime(time.Date(2026, 12, 1, 12, 0, 0, 0, time.UTC))
	})
	require.NoError(t, err)
	assert.Equal(t, MigrationDone, out.Status)
	assert.Equal(t, []string{MigrationPlanning, MigrationScheduled, MigrationRunning, MigrationScheduled, MigrationRunning}, a.statuses)
	assert.Equal(t, []bool{true, false, true, false}, a.held)
	assert.WithinDuration(t, time.Date(2026, 12, 2, 22, 0, 0, 0, time.UTC), a.finished, 5*time.Minute, "ten hours of the first night, two of the next")
}

func TestTheOrderChangesWhileItRuns(t *testing.T) {
	a := newAccount(4)
	a.parallel = 1
	var order []string
	_, err := migrate(t, a, MigrationState{}, func(env *testsuite.TestWorkflowEnvironment) {
		env.RegisterDelayedCallback(func() {
			a.control(t, UpdateOrder, OrderUpdate{Project: "p04"}, "position must be a number, 1 or higher")
			a.control(t, UpdateOrder, OrderUpdate{Position: 1}, "name a project")
			a.control(t, UpdateOrder, OrderUpdate{Project: "p04", Position: 1}, "")
			a.control(t, UpdateOrder, OrderUpdate{Project: "p01", Position: 1}, "does not wait")
		}, time.Minute)
		env.RegisterDelayedCallback(func() {
			a.mu.Lock()
			defer a.mu.Unlock()
			order = slices.Clone(a.queue)
		}, 10*time.Minute)
	})
	require.NoError(t, err)
	assert.Equal(t, []string{"p04", "p02", "p03"}, order)
}

func TestACancelledMigrationCancelsItsArchives(t *testing.T) {
	a := newAccount(4)
	out, err := migrate(t, a, MigrationState{}, func(env *testsuite.TestWorkflowEnvironment) {
		env.RegisterDelayedCallback(func() { a.control(t, UpdateCancel, ControlUpdate{By: "Sam"}, "") }, 90*time.Minute)
	})
	require.NoError(t, err)
	assert.Equal(t, MigrationCancelled, out.Status)
	assert.Equal(t, "Canceled by Sam. What is in iconik stays; a new migration continues from there.", out.Reason)
	assert.Empty(t, a.running)
	assert.Equal(t, []string{"p01", "p02"}, a.ended)
	assert.Equal(t, 1, a.mails)
}

func TestAMigrationThatCannotListFails(t *testing.T) {
	a := newAccount(0)
	env := temporaltest.Workflows()
	a.register(env)
	env.OnActivity(ActListProjects.Name(), mock.Anything, mock.Anything).Return(temporal.NewNonRetryableApplicationError("the selection fits no project", ErrorContent, nil))
	env.ExecuteWorkflow(MigrationName, MigrationInput{MigrationRef: migrationRef})
	require.Error(t, env.GetWorkflowError())
	require.Len(t, a.ends, 1)
	assert.Equal(t, MigrationEndInput{MigrationRef: migrationRef, Status: MigrationFailed, Reason: "the selection fits no project", Fault: "content"}, a.ends[0])
	assert.Equal(t, 1, a.mails, "people are told")
}

// TestALongMigrationContinuesAsNew simulates a migration whose history the server considers long.
func TestALongMigrationContinuesAsNew(t *testing.T) {
	a := newAccount(2)
	env := temporaltest.Workflows()
	a.register(env)
	env.SetContinueAsNewSuggested(true)
	env.ExecuteWorkflow(MigrationName, MigrationInput{MigrationRef: migrationRef, State: MigrationState{Canary: 5, Round: 0}})
	err := env.GetWorkflowError()
	require.Error(t, err)
	assert.ErrorContains(t, err, "continue as new")
	assert.False(t, errors.Is(err, context.Canceled))
	assert.Empty(t, a.ends)
}
