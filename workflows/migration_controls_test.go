package workflows

import (
	"context"
	"errors"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/mock"
	"github.com/stretchr/testify/require"
	"go.temporal.io/sdk/interceptor"
	"go.temporal.io/sdk/testsuite"
	"go.temporal.io/sdk/worker"
	"go.temporal.io/sdk/workflow"

	"github.com/framebridge/framebridge/test/temporaltest"
)

// Two clicks on Resume after a pause do not release a canary that has not even ended.
func TestAResumeIsNoGo(t *testing.T) {
	a := newAccount(6)
	_, err := migrate(t, a, MigrationState{Canary: 3, Orderly: true}, func(env *testsuite.TestWorkflowEnvironment) {
		env.RegisterDelayedCallback(func() { a.control(t, UpdatePause, ControlUpdate{By: "Sam"}, "") }, 10*time.Minute)
		env.RegisterDelayedCallback(func() {
			a.control(t, UpdateResume, ControlUpdate{By: "Sam"}, "")
			a.control(t, UpdateResume, ControlUpdate{By: "Sam"}, "not paused")
		}, 20*time.Minute)
		env.RegisterDelayedCallback(env.CancelWorkflow, 10*time.Hour)
	})
	require.Error(t, err)
	assert.Len(t, a.ended, 3, "only the canary")
}

// A control meant for an earlier migration reaches no other one.
func TestAControlOfAnotherMigrationIsRefused(t *testing.T) {
	a := newAccount(2)
	const other = "33333333-3333-4333-8333-333333333333"
	out, err := migrate(t, a, MigrationState{Orderly: true}, func(env *testsuite.TestWorkflowEnvironment) {
		env.RegisterDelayedCallback(func() {
			for _, name := range []string{UpdatePause, UpdateResume, UpdateCancel} {
				a.control(t, name, ControlUpdate{By: "Sam", MigrationID: other}, "another one runs")
			}
			a.control(t, UpdateOrder, OrderUpdate{Project: "p02", Position: 1, MigrationID: other}, "another one runs")
			a.control(t, UpdatePause, ControlUpdate{By: "Sam", MigrationID: migrationRef.Migration}, "")
		}, 10*time.Minute)
		env.RegisterDelayedCallback(func() { a.control(t, UpdateResume, ControlUpdate{By: "Sam"}, "") }, 20*time.Minute) // an older client
	})
	require.NoError(t, err)
	assert.Equal(t, MigrationDone, out.Status)
}

// No control is accepted once the end is being recorded.
func TestAnEndTakesNoControl(t *testing.T) {
	a := newAccount(1)
	env := temporaltest.Workflows()
	a.register(env)
	ActWriteAccountReport.Register(env, func(context.Context, AccountReportInput) error {
		a.control(t, UpdatePause, ControlUpdate{By: "Sam"}, "about to end")
		return nil
	})
	ActFinishMigration.Register(env, func(_ context.Context, in MigrationEndInput) (MigrationResult, error) {
		for _, name := range []string{UpdatePause, UpdateResume, UpdateCancel} {
			a.control(t, name, ControlUpdate{By: "Sam"}, "about to end")
		}
		return MigrationResult{Status: in.Status}, nil
	})
	env.ExecuteWorkflow(MigrationName, MigrationInput{MigrationRef: migrationRef, State: MigrationState{Orderly: true}})
	require.NoError(t, env.GetWorkflowError())
	assert.Equal(t, []string{MigrationPlanning, MigrationRunning}, a.statuses)
}

// Archives that others started may end while the migration is paused, but the migration does not.
func TestAPausedMigrationDoesNotEnd(t *testing.T) {
	a := newAccount(2)
	var resumed time.Time
	env := temporaltest.Workflows()
	a.register(env)
	ActHoldProjects.Register(env, func(context.Context, HoldProjectsInput) error { return nil }) // they belong to others
	env.RegisterDelayedCallback(func() { a.control(t, UpdatePause, ControlUpdate{By: "Sam"}, "") }, 30*time.Minute)
	env.RegisterDelayedCallback(func() {
		assert.Len(t, a.ended, 2)
		assert.Zero(t, a.deltas)
		resumed = env.Now()
		a.control(t, UpdateResume, ControlUpdate{By: "Sam"}, "")
	}, 10*time.Hour)
	env.ExecuteWorkflow(MigrationName, MigrationInput{MigrationRef: migrationRef, State: MigrationState{Orderly: true}})
	require.NoError(t, env.GetWorkflowError())
	assert.False(t, a.finished.Before(resumed))
}

func TestAResumeWhileTheAccountIsListed(t *testing.T) {
	a := newAccount(2)
	env := temporaltest.Workflows()
	a.register(env)
	env.OnActivity(ActListProjects.Name(), mock.Anything, mock.Anything).After(time.Hour).Return(nil)
	env.RegisterDelayedCallback(func() { a.control(t, UpdatePause, ControlUpdate{By: "Sam"}, "") }, 10*time.Minute)
	env.RegisterDelayedCallback(func() { a.control(t, UpdateResume, ControlUpdate{By: "Sam"}, "") }, 20*time.Minute)
	env.ExecuteWorkflow(MigrationName, MigrationInput{MigrationRef: migrationRef})
	require.NoError(t, env.GetWorkflowError())
	assert.Equal(t, []string{MigrationPlanning, MigrationPaused, MigrationPlanning, MigrationRunning}, a.statuses, "it has no windows to wait for")
}

// waitsForWork records which activities are waited for when they are canceled.
type waitsForWork struct {
	interceptor.WorkerInterceptorBase

	waits map[string]bool
}

func (w *waitsForWork) InterceptWorkflow(_ workflow.Context, next interceptor.WorkflowInboundInterceptor) interceptor.WorkflowInboundInterceptor {
	return &workInbound{interceptor.WorkflowInboundInterceptorBase{Next: next}, w.waits}
}

type workInbound struct {
	interceptor.WorkflowInboundInterceptorBase

	waits map[string]bool
}

func (w *workInbound) Init(next interceptor.WorkflowOutboundInterceptor) error {
	return w.Next.Init(&workOutbound{interceptor.WorkflowOutboundInterceptorBase{Next: next}, w.waits})
}

type workOutbound struct {
	interceptor.WorkflowOutboundInterceptorBase

	waits map[string]bool
}

func (w *workOutbound) ExecuteActivity(ctx workflow.Context, name string, args ...any) workflow.Future {
	w.waits[name] = workflow.GetActivityOptions(ctx).WaitForCancellation
	return w.Next.ExecuteActivity(ctx, name, args...)
}

// When a migration is canceled, it first waits for the archives that are being started, and then cancels them. Older runs behave
// as before.
func TestACancelWaitsForWhatIsBeingStarted(t *testing.T) {
	for _, orderly := range []bool{true, false} {
		a := newAccount(2)
		waits := map[string]bool{}
		_, err := migrate(t, a, MigrationState{Orderly: orderly}, func(env *testsuite.TestWorkflowEnvironment) {
			env.SetWorkerOptions(worker.Options{Interceptors: []interceptor.WorkerInterceptor{&waitsForWork{waits: waits}}})
		})
		require.NoError(t, err)
		for _, name := range []string{ActListProjects.Name(), ActStartProjects.Name()} {
			at, known := waits[name]
			assert.True(t, known, name)
			assert.Equal(t, orderly, at, name)
		}
	}
}

// shown records each status of the migration with its reason.
func (a *account) shown(env *testsuite.TestWorkflowEnvironment) *[]string {
	out := &[]string{}
	ActSetMigrationStatus.Register(env, func(_ context.Context, in MigrationStatusInput) error {
		*out = append(*out, in.Status+": "+in.Reason)
		return nil
	})
	return out
}

// A stuck canary is not done. One that waits for originals may take months: people are told, and may give the go.
func TestACanaryThatWaits(t *testing.T) {
	for _, tt := range []struct {
		stuck bool
		says  string
	}{
		{true, "running: The first 2 projects are stuck: see the archive's reason. The others wait for it."},
		{false, "paused: The first 2 projects wait for originals in Frame.io. Look at them, then resume the migration to bring over the others."},
	} {
		a := newAccount(4)
		env := temporaltest.Workflows()
		a.register(env)
		shown := a.shown(env)
		started := 0
		ActStartProjects.Register(env, func(_ context.Context, in StartProjectsInput) (StartProjectsResult, error) {
			assert.Equal(t, 2, in.Canary)
			a.mu.Lock()
			defer a.mu.Unlock()
			started += in.Most
			a.queue = a.queue[in.Most:]
			if tt.stuck {
				a.stuck += in.Most
			} else {
				a.cold += in.Most
			}
			return StartProjectsResult{Archives: in.Most, Begun: in.Most}, nil
		})
		env.RegisterDelayedCallback(env.CancelWorkflow, time.Hour)
		env.ExecuteWorkflow(MigrationName, MigrationInput{MigrationRef: migrationRef, State: MigrationState{Canary: 2, Orderly: true}})
		assert.Equal(t, 2, started)
		assert.Equal(t, tt.says, (*shown)[len(*shown)-1])
	}
}

// Archives whose start was reported in a lost answer count: the canary is what the ledger says.
func TestACanaryIsWhatHasBegun(t *testing.T) {
	a := newAccount(5)
	env := temporaltest.Workflows()
	a.register(env)
	calls := 0
	ActStartProjects.Register(env, func(_ context.Context, in StartProjectsInput) (StartProjectsResult, error) {
		a.mu.Lock()
		defer a.mu.Unlock()
		calls++
		a.queue, a.ended = a.queue[2:], a.queue[:2]
		return StartProjectsResult{Archives: 1, Begun: 2}, nil
	})
	env.RegisterDelayedCallback(env.CancelWorkflow, time.Hour)
	env.ExecuteWorkflow(MigrationName, MigrationInput{MigrationRef: migrationRef, State: MigrationState{Canary: 2, Orderly: true}})
	assert.Equal(t, 1, calls)
	assert.Equal(t, []string{MigrationPlanning, MigrationRunning, MigrationPaused}, a.statuses)
}

// A canary that was the whole account needs no go for the second round.
func TestACanaryIsOfTheFirstRound(t *testing.T) {
	a := newAccount(2)
	a.changed = []string{"p01", "p02"}
	out, err := migrate(t, a, MigrationState{Canary: 2, Orderly: true}, nil)
	require.NoError(t, err)
	assert.Equal(t, MigrationDone, out.Status)
	assert.NotContains(t, a.statuses, MigrationPaused)
	assert.Len(t, a.ended, 4)
}

// An archive that is paused again while it records that it continues, pauses again.
func TestAPauseRightAfterAResumeHolds(t *testing.T) {
	w := newFakeActivities(30)
	var mu sync.Mutex // activities of several lanes run at once
	var again, went time.Time
	held := false
	_, out, err := run(t, w, ArchiveInput{Ref: testRef, State: ArchiveState{Migration: testMigration, Orderly: true}}, func(env *testsuite.TestWorkflowEnvironment) {
		env.OnSignalExternalWorkflow(mock.Anything, testMigration, "", SignalEnded, mock.Anything).Return(nil).Once()
		w.transfer = func(in ItemInput) error {
			mu.Lock()
			defer mu.Unlock()
			if in.SourceID == "5" && !held {
				held = true
				env.SignalWorkflow(SignalHold, HoldSignal{Paused: true})
				env.RegisterDelayedCallback(func() { env.SignalWorkflow(SignalHold, HoldSignal{}) }, time.Hour)
			}
			return nil
		}
		ActSetStatus.Register(env, func(_ context.Context, in SetStatusInput) error {
			mu.Lock()
			defer mu.Unlock()
			if in.Status == StatusRunning && held && again.IsZero() {
				again = env.Now()
				env.SignalWorkflow(SignalHold, HoldSignal{Paused: true})
				env.RegisterDelayedCallback(func() { env.SignalWorkflow(SignalHold, HoldSignal{}) }, 24*time.Hour)
			}
			return nil
		})
		ActOpenVersion.Register(env, func(context.Context, OpenVersionInput) (OpenVersionResult, error) {
			mu.Lock()
			defer mu.Unlock()
			if !again.IsZero() && went.IsZero() {
				went = env.Now()
			}
			return OpenVersionResult{Do: DoTransfer}, nil
		})
	})
	require.NoError(t, err)
	require.Equal(t, "verified", out.Status)
	assert.GreaterOrEqual(t, went.Sub(again), 24*time.Hour)
}

// Added projects come last, and the migration does not end while they are being listed.
func TestProjectsAreAddedToAMigration(t *testing.T) {
	a := newAccount(2)
	a.added = []string{"p10", "p11"}
	out, err := migrate(t, a, MigrationState{Canary: 1, Orderly: true}, func(env *testsuite.TestWorkflowEnvironment) {
		env.RegisterDelayedCallback(func() {
			a.control(t, UpdateAdd, AddUpdate{MigrationID: "33333333-3333-4333-8333-333333333333"}, "another one runs")
			a.control(t, UpdateAdd, AddUpdate{Selection: []byte(`{"name":"["}`)}, "not a pattern")
			a.control(t, UpdateAdd, AddUpdate{MigrationID: migrationRef.Migration}, "") // while the migration waits for a go
		}, 2*time.Hour)
		env.RegisterDelayedCallback(func() { a.control(t, UpdateResume, ControlUpdate{By: "Sam"}, "") }, 3*time.Hour)
	})
	require.NoError(t, err)
	assert.Equal(t, MigrationDone, out.Status)
	assert.Equal(t, []string{"p01", "p02", "p10", "p11"}, a.ended)

	a = newAccount(1)
	slow := time.Time{}
	out, err = migrate(t, a, MigrationState{Orderly: true}, func(env *testsuite.TestWorkflowEnvironment) {
		env.OnActivity(ActAddProjects.Name(), mock.Anything, mock.Anything).After(3 * time.Hour).Return(func(context.Context, AddProjectsInput) (AddProjectsResult, error) {
			a.mu.Lock()
			defer a.mu.Unlock()
			a.queue, slow = append(a.queue, "p10"), env.Now()
			return AddProjectsResult{Added: 1}, nil
		})
		env.RegisterDelayedCallback(func() { a.control(t, UpdateAdd, AddUpdate{}, "") }, 30*time.Minute)
	})
	require.NoError(t, err)
	assert.Equal(t, MigrationDone, out.Status)
	assert.Equal(t, []string{"p01", "p10"}, a.ended)
	assert.True(t, a.finished.After(slow.Add(a.lasts-time.Minute)), "it ended at %s, and was added to at %s", a.finished, slow)
	assert.Equal(t, 1, a.deltas)
}

// A migration that is canceled does not wait for Frame.io to be read, and nothing is added to it afterward.
func TestACancelEndsAnAdd(t *testing.T) {
	a := newAccount(2)
	var canceled time.Time
	out, err := migrate(t, a, MigrationState{Orderly: true}, func(env *testsuite.TestWorkflowEnvironment) {
		env.OnActivity(ActAddProjects.Name(), mock.Anything, mock.Anything).After(30*time.Hour).Return(AddProjectsResult{Added: 1}, nil)
		env.RegisterDelayedCallback(func() { a.control(t, UpdateAdd, AddUpdate{}, "the migration is being canceled") }, 30*time.Minute)
		env.RegisterDelayedCallback(func() {
			canceled = env.Now()
			a.control(t, UpdateCancel, ControlUpdate{By: "Sam"}, "")
		}, 40*time.Minute)
	})
	require.NoError(t, err)
	assert.Equal(t, MigrationCancelled, out.Status)
	assert.WithinDuration(t, canceled, a.env.Now(), time.Hour)
}

// While projects are being listed, the migration continues with what it has: it starts projects and observes its windows.
func TestAMigrationGoesOnWhileProjectsAreLookedFor(t *testing.T) {
	slow := func(env *testsuite.TestWorkflowEnvironment, a *account) {
		env.OnActivity(ActAddProjects.Name(), mock.Anything, mock.Anything).After(9*time.Hour).Return(AddProjectsResult{}, nil)
		env.RegisterDelayedCallback(func() { a.control(t, UpdateAdd, AddUpdate{}, "") }, 30*time.Minute)
	}
	a, ended := newAccount(20), 0
	a.parallel = 1
	_, err := migrate(t, a, MigrationState{Orderly: true}, func(env *testsuite.TestWorkflowEnvironment) {
		slow(env, a)
		env.RegisterDelayedCallback(func() { env.SetContinueAsNewSuggested(true) }, 40*time.Minute)
		env.RegisterDelayedCallback(func() { ended = len(a.ended) }, 6*time.Hour+30*time.Minute)
	})
	require.True(t, workflow.IsContinueAsNewError(err), err)
	assert.Equal(t, 6, ended, "a run that is long enough ends once the projects are listed, and works until then")

	a = newAccount(1)
	a.cold = 1 // its archive continues on its own once Frame.io has the original, even outside the windows
	begun := time.Time{}
	a.opens = func(now time.Time) (bool, time.Time) {
		if begun.IsZero() {
			begun = now
		}
		return now.Before(begun.Add(4 * time.Hour)), time.Time{}
	}
	_, err = migrate(t, a, MigrationState{Orderly: true, Round: deltaRounds}, func(env *testsuite.TestWorkflowEnvironment) { slow(env, a) })
	require.NoError(t, err)
	assert.Equal(t, []bool{true}, a.held)
}

// If Frame.io cannot be read for half a day, the migration still ends.
func TestAnAddIsGivenUp(t *testing.T) {
	a := newAccount(1)
	out, err := migrate(t, a, MigrationState{Orderly: true}, func(env *testsuite.TestWorkflowEnvironment) {
		env.OnActivity(ActAddProjects.Name(), mock.Anything, mock.Anything).Return(AddProjectsResult{}, errors.New("the token was refused"))
		env.RegisterDelayedCallback(func() { a.control(t, UpdateAdd, AddUpdate{}, "the token was refused") }, 30*time.Minute)
	})
	require.NoError(t, err)
	assert.Equal(t, MigrationDone, out.Status)
}
