package workflows

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/mock"
	"github.com/stretchr/testify/require"
	"go.temporal.io/sdk/activity"
	"go.temporal.io/sdk/converter"
	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/testsuite"
	"go.temporal.io/sdk/workflow"

	"github.com/framebridge/framebridge/test/temporaltest"
)

var testRef = Ref{Tenant: "0419e0c5-6fed-4b66-bf0f-f8a99d44bcd0", Archive: "11111111-1111-4111-8111-111111111111"}

// fakeActivities replaces an archive's activities. It records what they were asked and says what they answer.
type fakeActivities struct {
	mu       sync.Mutex
	items    int64
	asked    map[string]int
	statuses []string
	reasons  []string // of statuses
	mails    []string
	mailIDs  []string
	failed   []FailItemInput
	finish   []FinishInput
	rechecks []RecheckResult
	compare  []bool // Changed, one answer after the other
	open     func(OpenVersionInput) (OpenVersionResult, error)
	transfer func(ItemInput) error
	perAsset int
	lost     int // verifications that find something deleted in iconik
	treeLost int // collections that every verification finds deleted

	mailServer error
	small      func(n int64) bool // nil: none
	together   func(RangeInput) (CopyTogetherResult, error)
	began      time.Time
}

func newFakeActivities(items int64) *fakeActivities {
	return &fakeActivities{items: items, asked: map[string]int{}, perAsset: 1,
		open:     func(OpenVersionInput) (OpenVersionResult, error) { return OpenVersionResult{Do: DoTransfer}, nil },
		transfer: func(ItemInput) error { return nil }}
}

func (w *fakeActivities) count(name string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.asked[name]++
}

// register registers every activity of the archive with the environment.
func (w *fakeActivities) register(env *testsuite.TestWorkflowEnvironment) {
	add := func(name string, fn any) { env.RegisterActivityWithOptions(fn, activity.RegisterOptions{Name: name}) }
	Register(env)
	ActJoinQueue.Register(env, func(context.Context, JoinQueueInput) error {
		w.count(ActJoinQueue.Name())
		env.RegisterDelayedCallback(func() { env.SignalWorkflow(SignalTurn, nil) }, time.Second)
		return nil
	})
	ActOpenArchive.Register(env, func(context.Context, OpenArchiveInput) (OpenArchiveResult, error) {
		w.count(ActOpenArchive.Name())
		return OpenArchiveResult{Project: "Summer - Archived", Team: "Marketing", Run: 1, Lanes: 3, WaitInterval: "15m"}, nil
	})
	ActVerifyTree.Register(env, func(context.Context, Ref) (TreeResult, error) {
		w.count(ActVerifyTree.Name())
		return TreeResult{Missing: w.treeLost}, nil
	})
	for _, name := range []string{ActPrepareIconik.Name(), ActMakeCollections.Name(), ActCopyShares.Name(), ActWriteReport.Name()} {
		add(name, func(context.Context, Ref) error { w.count(name); return nil })
	}
	ActScanProject.Register(env, func(_ context.Context, in ScanInput) (ScanResult, error) {
		w.count(ActScanProject.Name())
		res := ScanResult{Counts: Counts{Items: w.items}}
		if in.Compare && len(w.compare) > 0 {
			res.Changed, w.compare = w.compare[0], w.compare[1:]
		}
		return res, nil
	})
	ActNextRanges.Register(env, func(_ context.Context, in NextRangesInput) ([]Range, error) {
		w.count(ActNextRanges.Name())
		if in.Again {
			w.count(in.Phase + " again")
		}
		var out []Range
		per := int64(w.perAsset)
		step := (int64(in.Size) + per - 1) / per * per // a range never splits an asset's versions
		for from := in.After + 1; from <= w.items && len(out) < in.Max; from += step {
			out = append(out, Range{From: from, To: min(from+step-1, w.items)})
		}
		return out, nil
	})
	ActRangeItems.Register(env, func(_ context.Context, in RangeInput) ([]CopyItem, error) {
		var out []CopyItem
		for n := in.From; n <= in.To; n++ {
			out = append(out, CopyItem{SourceID: fmt.Sprint(n), Asset: fmt.Sprint((n - 1) / int64(w.perAsset)), Name: "clip", Size: 10, Together: w.small != nil && w.small(n)})
		}
		return out, nil
	})
	ActCopyTogether.Register(env, func(_ context.Context, in RangeInput) (CopyTogetherResult, error) {
		w.count(ActCopyTogether.Name())
		return w.together(in)
	})
	ActOpenVersion.Register(env, func(_ context.Context, in OpenVersionInput) (OpenVersionResult, error) {
		w.count(ActOpenVersion.Name())
		return w.open(in)
	})
	ActTransferFile.Register(env, func(_ context.Context, in ItemInput) error {
		w.count(ActTransferFile.Name())
		return w.transfer(in)
	})
	ActCloseVersion.Register(env, func(context.Context, ItemInput) error { w.count(ActCloseVersion.Name()); return nil })
	ActFailItem.Register(env, func(_ context.Context, in FailItemInput) error {
		w.mu.Lock()
		defer w.mu.Unlock()
		w.failed = append(w.failed, in)
		return nil
	})
	ActRecheckOriginals.Register(env, func(context.Context, Ref) (RecheckResult, error) {
		w.count(ActRecheckOriginals.Name())
		if len(w.rechecks) == 0 {
			return RecheckResult{}, nil
		}
		res := w.rechecks[0]
		w.rechecks = w.rechecks[1:]
		return res, nil
	})
	ActCopyComments.Register(env, func(context.Context, CommentsInput) (Counts, error) {
		w.count(ActCopyComments.Name())
		return Counts{CommentsDone: 1}, nil
	})
	ActVerifyItems.Register(env, func(_ context.Context, in VerifyInput) (Counts, error) {
		w.count(ActVerifyItems.Name())
		if w.lost > 0 && in.Repair {
			w.lost--
			return Counts{Missing: 1}, nil
		}
		return Counts{Verified: in.To - in.From + 1}, nil
	})
	ActSetStatus.Register(env, func(_ context.Context, in SetStatusInput) error {
		w.mu.Lock()
		defer w.mu.Unlock()
		w.statuses, w.reasons = append(w.statuses, in.Status), append(w.reasons, in.Reason)
		return nil
	})
	ActFinishArchive.Register(env, func(_ context.Context, in FinishInput) (FinishArchiveResult, error) {
		w.mu.Lock()
		defer w.mu.Unlock()
		w.finish = append(w.finish, in)
		status := in.Status
		if status == "" {
			status = "verified"
		}
		return FinishArchiveResult{Status: status, Reason: in.Reason, Changed: true}, nil
	})
	ActNotify.Register(env, func(context.Context, NotifyInput) error { return w.mailServer })
	env.SetOnChildWorkflowStartedListener(func(info *workflow.Info, _ workflow.Context, args converter.EncodedValues) {
		var in NotifyInput
		if info.WorkflowType.Name != ArchiveMailName || args.Get(&in) != nil {
			return
		}
		w.mu.Lock()
		defer w.mu.Unlock()
		w.mails = append(w.mails, in.Kind)
		w.mailIDs = append(w.mailIDs, info.WorkflowExecution.ID)
	})
	env.OnSignalExternalWorkflow(mock.Anything, ArchiveQueueID(testRef.Tenant), "", SignalRelease, mock.Anything).Return(nil).Maybe()
}

func run(t *testing.T, w *fakeActivities, in ArchiveInput, script func(*testsuite.TestWorkflowEnvironment)) (*testsuite.TestWorkflowEnvironment, FinishArchiveResult, error) {
	t.Helper()
	env := temporaltest.Workflows()
	w.register(env)
	w.began = env.Now()
	if script != nil {
		script(env)
	}
	env.ExecuteWorkflow(ArchiveName, in)
	require.True(t, env.IsWorkflowCompleted())
	var out FinishArchiveResult
	err := env.GetWorkflowError()
	if err == nil {
		require.NoError(t, env.GetWorkflowResult(&out))
	}
	return env, out, err
}

func TestArchiveBringsEverythingOver(t *testing.T) {
	w := newFakeActivities(250)
	_, out, err := run(t, w, ArchiveInput{Ref: testRef}, nil)
	require.NoError(t, err)
	require.Equal(t, "verified", out.Status)
	require.Equal(t, 250, w.asked[ActOpenVersion.Name()])
	require.Equal(t, 250, w.asked[ActTransferFile.Name()])
	require.Equal(t, 250, w.asked[ActCloseVersion.Name()])
	require.Equal(t, 3, w.asked[ActVerifyItems.Name()], "250 items are three ranges of 100")
	require.Equal(t, 2, w.asked[ActScanProject.Name()], "Frame.io is read at the plan and again at the end")
	require.Equal(t, []string{"running", "running", "verifying"}, w.statuses)
	require.Zero(t, w.asked[PhaseComments+" again"])
	require.Equal(t, []string{NotifyEnded}, w.mails)
}

func TestSmallFilesAreCopiedTogether(t *testing.T) {
	w := newFakeActivities(250)
	w.small = func(n int64) bool { return n%10 != 0 } // every tenth is large
	w.together = func(in RangeInput) (CopyTogetherResult, error) {
		return CopyTogetherResult{Left: []string{fmt.Sprint(in.From)}}, nil
	}
	_, out, err := run(t, w, ArchiveInput{Ref: testRef}, nil)
	require.NoError(t, err)
	require.Equal(t, "verified", out.Status)
	ranges := w.asked[ActCopyTogether.Name()]
	require.Equal(t, 7, ranges, "250 items in 3 lanes are ranges of 40")
	require.Equal(t, 25+ranges, w.asked[ActOpenVersion.Name()], "the large ones and those that were left go by themselves")
	require.Equal(t, 25+ranges, w.asked[ActCloseVersion.Name()])
}

// If the activity for small files fails, no file is lost: each is copied on its own.
func TestSmallFilesThatFailTogetherGoByThemselves(t *testing.T) {
	w := newFakeActivities(100)
	w.small = func(int64) bool { return true }
	w.together = func(RangeInput) (CopyTogetherResult, error) {
		return CopyTogetherResult{}, temporal.NewNonRetryableApplicationError("Framebridge has a bug", ErrorSystem, nil)
	}
	_, out, err := run(t, w, ArchiveInput{Ref: testRef}, nil)
	require.NoError(t, err)
	require.Equal(t, "verified", out.Status)
	require.Equal(t, 3, w.asked[ActCopyTogether.Name()], "100 items in 3 lanes are three ranges of more than one")
	require.Equal(t, 100, w.asked[ActTransferFile.Name()])
}

// A range with only one small file copies it as before, because one activity for it alone would save nothing.
func TestASingleSmallFileGoesByItself(t *testing.T) {
	w := newFakeActivities(1)
	w.small = func(int64) bool { return true }
	_, _, err := run(t, w, ArchiveInput{Ref: testRef}, nil)
	require.NoError(t, err)
	require.Zero(t, w.asked[ActCopyTogether.Name()])
	require.Equal(t, 1, w.asked[ActTransferFile.Name()])
}

func TestAMailServerThatIsAwayHoldsNothingUp(t *testing.T) {
	w := newFakeActivities(3)
	w.mailServer = errors.New("connection refused")
	env, out, err := run(t, w, ArchiveInput{Ref: testRef}, nil)
	require.NoError(t, err)
	require.Equal(t, "verified", out.Status)
	require.Less(t, env.Now().Sub(w.began), time.Minute)
}

func TestArchiveSaysThatItIsQueued(t *testing.T) {
	w := newFakeActivities(1)
	_, _, err := run(t, w, ArchiveInput{Ref: testRef}, func(env *testsuite.TestWorkflowEnvironment) {
		env.OnActivity(ActJoinQueue.Name(), mock.Anything, mock.Anything).Return(func(context.Context, JoinQueueInput) error {
			env.RegisterDelayedCallback(func() { env.SignalWorkflow(SignalTurn, nil) }, time.Hour)
			return nil
		})
	})
	require.NoError(t, err)
	require.Equal(t, []string{NotifyQueued, NotifyEnded}, w.mails)
	require.Equal(t, []string{"archive-mail/" + testRef.Tenant + "/" + testRef.Archive + "/0/queued", "archive-mail/" + testRef.Tenant + "/" + testRef.Archive + "/1/ended"}, w.mailIDs)
	require.Equal(t, testRef.Tenant, TenantOf(w.mailIDs[0]))
}

// A queue that somebody terminates forgets who waits in it.
func TestArchiveJoinsTheQueueAgain(t *testing.T) {
	w := newFakeActivities(1)
	joins := 0
	_, out, err := run(t, w, ArchiveInput{Ref: testRef}, func(env *testsuite.TestWorkflowEnvironment) {
		env.OnActivity(ActJoinQueue.Name(), mock.Anything, mock.Anything).Return(func(context.Context, JoinQueueInput) error {
			if joins++; joins == 3 {
				env.RegisterDelayedCallback(func() { env.SignalWorkflow(SignalTurn, nil) }, time.Minute)
			}
			return nil
		})
	})
	require.NoError(t, err)
	require.Equal(t, "verified", out.Status)
	require.Equal(t, 3, joins)
	require.Equal(t, []string{NotifyQueued, NotifyEnded}, w.mails, "nobody is told twice")
}

func TestArchiveGoesOnWhenOneItemFails(t *testing.T) {
	w := newFakeActivities(5)
	w.transfer = func(in ItemInput) error {
		if in.SourceID == "3" {
			return temporal.NewNonRetryableApplicationError("the file changed while it was copied", ErrorContent, nil)
		}
		return nil
	}
	_, _, err := run(t, w, ArchiveInput{Ref: testRef}, nil)
	require.NoError(t, err)
	require.Equal(t, []FailItemInput{{Ref: testRef, SourceID: "3", Fault: "content", Reason: "the file changed while it was copied"}}, w.failed)
	require.Equal(t, 4, w.asked[ActCloseVersion.Name()])
}

func TestArchiveOpensANewUploadWhenTheStoreLostIt(t *testing.T) {
	w := newFakeActivities(1)
	var opened []OpenVersionInput
	w.open = func(in OpenVersionInput) (OpenVersionResult, error) {
		opened = append(opened, in)
		return OpenVersionResult{Do: DoTransfer}, nil
	}
	w.transfer = func(ItemInput) error {
		if len(opened) == 1 {
			return temporal.NewNonRetryableApplicationError("no such upload", ErrorUploadGone, nil)
		}
		return nil
	}
	_, _, err := run(t, w, ArchiveInput{Ref: testRef}, nil)
	require.NoError(t, err)
	require.Len(t, opened, 2)
	require.True(t, opened[1].NewUpload)
	require.Empty(t, w.failed)
}

func TestArchiveGivesUpAnUploadThatIsLostForEver(t *testing.T) {
	w := newFakeActivities(1)
	w.transfer = func(ItemInput) error {
		return temporal.NewNonRetryableApplicationError("no such upload", ErrorUploadGone, nil)
	}
	_, _, err := run(t, w, ArchiveInput{Ref: testRef}, nil)
	require.NoError(t, err)
	require.Len(t, w.failed, 1)
	require.Equal(t, uploadRestarts+1, w.asked[ActTransferFile.Name()])
}

func TestArchiveKeepsTheOrderOfVersionsWhenOneWaits(t *testing.T) {
	w := newFakeActivities(3)
	w.perAsset = 3
	var opened []string
	w.open = func(in OpenVersionInput) (OpenVersionResult, error) {
		opened = append(opened, in.SourceID)
		return OpenVersionResult{Do: DoWait}, nil
	}
	_, _, err := run(t, w, ArchiveInput{Ref: testRef}, nil)
	require.NoError(t, err)
	require.Equal(t, []string{"1"}, opened, "newer versions are not made before an older one that waits")
}

func TestArchiveWaitsForOriginals(t *testing.T) {
	w := newFakeActivities(2)
	w.rechecks = []RecheckResult{{Waiting: 2, Advice: "ask for them"}, {Waiting: 2}, {Waiting: 1, Back: 1}, {Waiting: 1}, {Back: 1}, {}}
	var began time.Time
	env, _, err := run(t, w, ArchiveInput{Ref: testRef}, func(env *testsuite.TestWorkflowEnvironment) { began = env.Now() })
	require.NoError(t, err)
	require.GreaterOrEqual(t, env.Now().Sub(began), 45*time.Minute, "three looks, a quarter of an hour apart")
	require.Contains(t, w.statuses, "waiting")
	require.Contains(t, w.reasons, "2 files have no original in Frame.io right now: ask for them. Framebridge checks every 15 minutes")
	require.Contains(t, w.reasons, "1 file has no original in Frame.io right now: unarchive the project in Frame.io. Framebridge checks every 15 minutes")
	require.Equal(t, []string{NotifyWaiting, NotifyWaiting, NotifyEnded}, w.mails)
	require.NotZero(t, w.asked[PhaseComments+" again"], "a first comment may have been made meanwhile")
	require.Zero(t, w.asked[PhaseCopy+" again"])
	require.Equal(t, 3, w.asked[ActJoinQueue.Name()], "it waits without holding the queue, and joins it again")
}

func TestArchiveLooksAtOnceOnRetry(t *testing.T) {
	w := newFakeActivities(1)
	w.rechecks = []RecheckResult{{Waiting: 1}, {}}
	var began time.Time
	env, _, err := run(t, w, ArchiveInput{Ref: testRef}, func(env *testsuite.TestWorkflowEnvironment) {
		began = env.Now()
		env.RegisterDelayedCallback(func() {
			env.UpdateWorkflow(UpdateRetry, "now", &testsuite.TestUpdateCallback{
				OnReject: func(err error) { t.Error("retry was refused:", err) }, OnAccept: func() {}, OnComplete: func(any, error) {}})
		}, time.Minute)
	})
	require.NoError(t, err)
	require.Less(t, env.Now().Sub(began), 10*time.Minute)
}

func TestArchiveRefusesRetryWhileItRuns(t *testing.T) {
	w := newFakeActivities(1)
	refused := false
	_, _, err := run(t, w, ArchiveInput{Ref: testRef}, func(env *testsuite.TestWorkflowEnvironment) {
		env.RegisterDelayedCallback(func() {
			env.UpdateWorkflow(UpdateRetry, "early", &testsuite.TestUpdateCallback{
				OnReject: func(error) { refused = true }, OnAccept: func() {}, OnComplete: func(any, error) {}})
		}, 100*time.Millisecond)
	})
	require.NoError(t, err)
	require.True(t, refused)
}

func TestArchiveComparesAgainWhileFrameioChanges(t *testing.T) {
	w := newFakeActivities(1)
	w.compare = []bool{true, true, false}
	_, _, err := run(t, w, ArchiveInput{Ref: testRef}, nil)
	require.NoError(t, err)
	require.Equal(t, 4, w.asked[ActScanProject.Name()])
	require.Equal(t, 3, w.asked[ActMakeCollections.Name()])
}

// The run that finds deletions in iconik restores them, but not forever.
func TestArchiveMakesAgainWhatWasDeletedInIconik(t *testing.T) {
	w := newFakeActivities(1)
	w.lost = 1
	_, out, err := run(t, w, ArchiveInput{Ref: testRef}, nil)
	require.NoError(t, err)
	require.Equal(t, "verified", out.Status)
	require.Equal(t, []int{2, 2, 2, 1}, []int{w.asked[ActMakeCollections.Name()], w.asked[ActCopyShares.Name()], w.asked[ActVerifyItems.Name()], w.asked[ActPrepareIconik.Name()]})

	w = newFakeActivities(1)
	w.treeLost = 1
	_, _, err = run(t, w, ArchiveInput{Ref: testRef}, nil)
	require.NoError(t, err)
	require.Equal(t, []int{1 + maxRepairs, 1 + maxRepairs, 1}, []int{w.asked[ActMakeCollections.Name()], w.asked[ActPrepareIconik.Name()], w.asked[ActWriteReport.Name()]})
}

func TestArchiveIsCancelledByUpdate(t *testing.T) {
	w := newFakeActivities(2)
	w.rechecks = []RecheckResult{{Waiting: 1}, {Waiting: 1}}
	_, out, err := run(t, w, ArchiveInput{Ref: testRef}, func(env *testsuite.TestWorkflowEnvironment) {
		env.RegisterDelayedCallback(func() {
			env.UpdateWorkflow(UpdateCancel, "stop", &testsuite.TestUpdateCallback{
				OnReject: func(err error) { t.Error(err) }, OnAccept: func() {}, OnComplete: func(any, error) {}})
		}, time.Minute)
	})
	require.NoError(t, err)
	require.Equal(t, "cancelled", out.Status)
	require.Equal(t, "cancelled", w.finish[0].Status)
}

func TestArchiveIsCancelledByTemporal(t *testing.T) {
	w := newFakeActivities(2)
	w.rechecks = []RecheckResult{{Waiting: 1}, {Waiting: 1}}
	_, _, err := run(t, w, ArchiveInput{Ref: testRef}, func(env *testsuite.TestWorkflowEnvironment) {
		env.RegisterDelayedCallback(env.CancelWorkflow, time.Minute)
	})
	require.True(t, temporal.IsCanceledError(err), "%v", err)
	require.Equal(t, "cancelled", w.finish[0].Status)
}

func TestArchiveThatCannotBeginFailsWithTheReason(t *testing.T) {
	w := newFakeActivities(2)
	_, _, err := run(t, w, ArchiveInput{Ref: testRef}, func(env *testsuite.TestWorkflowEnvironment) {
		env.OnActivity(ActOpenArchive.Name(), mock.Anything, mock.Anything).Return(OpenArchiveResult{},
			temporal.NewNonRetryableApplicationError("the token is refused", ErrorContent, nil))
	})
	require.Error(t, err)
	require.Equal(t, FinishInput{Ref: testRef, Status: "failed", Fault: "content", Reason: "the token is refused"}, w.finish[0])
	require.Equal(t, []string{NotifyEnded}, w.mails)
}

func TestArchiveContinuesAsNewBetweenRanges(t *testing.T) {
	w := newFakeActivities(int64(batchSize*continueAfterRuns + 5))
	w.open = func(OpenVersionInput) (OpenVersionResult, error) { return OpenVersionResult{Do: DoNothing}, nil }
	_, _, err := run(t, w, ArchiveInput{Ref: testRef, State: ArchiveState{Step: stepCopy, HasTurn: true, Opened: OpenArchiveResult{Lanes: 4, WaitInterval: "15m"}}}, nil)
	var again *workflow.ContinueAsNewError
	require.True(t, errors.As(err, &again), "%v", err)
	require.Empty(t, w.finish, "the archive goes on: nothing is written down as its end")
}

func TestQueueLetsArchivesRunOneAfterTheOther(t *testing.T) {
	env := temporaltest.Workflows()
	Register(env)
	var positions [][]string
	env.RegisterActivityWithOptions(func(_ context.Context, in QueuePositionsInput) error {
		positions = append(positions, in.Archives)
		return nil
	}, activity.RegisterOptions{Name: ActQueuePositions.Name()})
	env.RegisterActivityWithOptions(func(_ context.Context, in ClosedArchivesInput) ([]Ticket, error) {
		for _, ticket := range in.Tickets {
			if ticket.Archive == "b" {
				return []Ticket{ticket}, nil // terminated, so it sends no signal
			}
		}
		return nil, nil
	}, activity.RegisterOptions{Name: ActClosedArchives.Name()})
	var turns []string
	env.OnSignalExternalWorkflow(mock.Anything, mock.Anything, "", SignalTurn, mock.Anything).Return(
		func(_, workflowID, _, _ string, _ any) error {
			turns = append(turns, workflowID)
			return nil
		})
	ticket := func(name string) Ticket { return Ticket{Archive: name, WorkflowID: "archive/" + name, RunID: name} }
	env.RegisterDelayedCallback(func() {
		for _, name := range []string{"a", "b", "a", "c"} {
			env.SignalWorkflow(SignalEnqueue, ticket(name))
		}
	}, 0)
	env.RegisterDelayedCallback(func() {
		require.Equal(t, []string{"archive/a"}, turns)
		require.Equal(t, []string{"b", "c"}, positions[len(positions)-1])
		env.SignalWorkflow(SignalRelease, ticket("a"))
	}, 10*time.Second)
	env.RegisterDelayedCallback(func() { env.SignalWorkflow(SignalRelease, ticket("c")) }, time.Hour)
	env.ExecuteWorkflow(ArchiveQueueName, QueueState{Tenant: "t"})
	require.True(t, env.IsWorkflowCompleted())
	require.NoError(t, env.GetWorkflowError())
	require.Equal(t, "archive/c", turns[len(turns)-1])
	require.NotContains(t, turns[2:], "archive/b")
}

// An archive that joins or leaves while the queue continues as new is not forgotten.
func TestQueueTakesWhatCameMeanwhileIntoItsNextRun(t *testing.T) {
	env := temporaltest.Workflows()
	Register(env)
	env.SetContinueAsNewSuggested(true)
	ticket := func(name string) Ticket { return Ticket{Archive: name, WorkflowID: "archive/" + name, RunID: name} }
	env.RegisterActivityWithOptions(func(context.Context, QueuePositionsInput) error {
		env.SignalWorkflow(SignalEnqueue, ticket("c"))
		env.SignalWorkflow(SignalRelease, ticket("a"))
		return nil
	}, activity.RegisterOptions{Name: ActQueuePositions.Name()})
	env.OnSignalExternalWorkflow(mock.Anything, mock.Anything, "", SignalTurn, mock.Anything).Return(nil)
	env.ExecuteWorkflow(ArchiveQueueName, QueueState{Tenant: "t", Waiting: []Ticket{ticket("a"), ticket("b")}})
	var again *workflow.ContinueAsNewError
	require.ErrorAs(t, env.GetWorkflowError(), &again)
	var next QueueState
	require.NoError(t, converter.GetDefaultDataConverter().FromPayloads(again.Input, &next))
	require.Equal(t, QueueState{Tenant: "t", Waiting: []Ticket{ticket("b"), ticket("c")}}, next)
}

// A person reorders the queue. An archive that is not in it, and an invalid place, are refused before they reach the history.
func TestTheQueueIsPutInAnotherOrder(t *testing.T) {
	env := temporaltest.Workflows()
	Register(env)
	var positions [][]string
	env.RegisterActivityWithOptions(func(_ context.Context, in QueuePositionsInput) error {
		positions = append(positions, in.Archives)
		return nil
	}, activity.RegisterOptions{Name: ActQueuePositions.Name()})
	env.RegisterActivityWithOptions(func(context.Context, ClosedArchivesInput) ([]Ticket, error) { return nil, nil }, activity.RegisterOptions{Name: ActClosedArchives.Name()})
	var turns []string
	env.OnSignalExternalWorkflow(mock.Anything, mock.Anything, "", SignalTurn, mock.Anything).Return(func(_, workflowID, _, _ string, _ any) error {
		turns = append(turns, workflowID)
		return nil
	})
	ticket := func(name string) Ticket { return Ticket{Archive: name, WorkflowID: "archive/" + name, RunID: name} }
	var refused []error
	move := func(archive string, position int) {
		env.UpdateWorkflow(UpdateMove, "", &testsuite.TestUpdateCallback{OnReject: func(err error) { refused = append(refused, err) }, OnAccept: func() {}, OnComplete: func(_ any, err error) { require.NoError(t, err) }}, MoveUpdate{archive, position})
	}
	env.RegisterDelayedCallback(func() { move("d", 1) }, time.Second)
	env.RegisterDelayedCallback(func() { move("b", 9) }, 2*time.Second)
	env.RegisterDelayedCallback(func() { move("a", 1); move("nobody", 1); move("c", 0) }, 3*time.Second)
	env.RegisterDelayedCallback(func() {
		require.Equal(t, []string{"d", "c", "b"}, positions[len(positions)-1])
		require.Len(t, refused, 3, "the one whose turn it is does not wait")
		for _, name := range []string{"a", "d", "c", "b"} {
			env.SignalWorkflow(SignalRelease, ticket(name))
		}
	}, 10*time.Second)
	env.ExecuteWorkflow(ArchiveQueueName, QueueState{Tenant: "t", Waiting: []Ticket{ticket("a"), ticket("b"), ticket("c"), ticket("d")}})
	require.NoError(t, env.GetWorkflowError())
	require.Equal(t, "archive/a", turns[0])
}

// One file is retried. If other files failed, too, they are left alone and the comparison is skipped. If nothing else is left,
// the whole project is compared.
func TestOneItemIsTriedAgain(t *testing.T) {
	for name, left := range map[string]bool{"others have failed, too": true, "it was the last one": false} {
		t.Run(name, func(t *testing.T) {
			env := temporaltest.Workflows()
			w := newFakeActivities(3)
			w.register(env)
			only := Range{From: 2, To: 2}
			var opened OpenArchiveInput
			env.OnActivity(ActOpenArchive.Name(), mock.Anything, mock.Anything).Return(func(_ context.Context, in OpenArchiveInput) (OpenArchiveResult, error) {
				opened = in
				return OpenArchiveResult{Project: "P", Run: 2, Lanes: 2, WaitInterval: "1h"}, nil
			})
			env.OnActivity(ActNextRanges.Name(), mock.Anything, mock.Anything).Return(func(_ context.Context, in NextRangesInput) ([]Range, error) {
				if left && in.Phase == PhaseCopy {
					return []Range{{From: 3, To: 3}}, nil
				}
				return nil, nil
			})
			var copied []Range
			env.OnActivity(ActRangeItems.Name(), mock.Anything, mock.Anything).Return(func(_ context.Context, in RangeInput) ([]CopyItem, error) {
				copied = append(copied, in.Range)
				return nil, nil
			})
			env.ExecuteWorkflow(Archive, ArchiveInput{Ref: testRef, State: ArchiveState{Only: &only}})
			require.NoError(t, env.GetWorkflowError())
			require.Equal(t, &only, opened.Only, "just its failure is forgotten")
			require.Equal(t, []Range{only}, copied)
			require.Equal(t, left, w.asked[ActScanProject.Name()] == 0, "the proof reads both sides again")
			require.Equal(t, left, w.asked[ActVerifyTree.Name()] == 0)
			if left {
				require.Equal(t, 1, w.asked[ActVerifyItems.Name()])
			}
		})
	}
}

// A stuck archive is announced by mail once, and yields its turn to the tenant's next archive until it continues.
func TestAStuckArchiveLeavesItsTurn(t *testing.T) {
	env := temporaltest.Workflows()
	w := newFakeActivities(3)
	w.register(env)
	env.OnActivity(ActMakeCollections.Name(), mock.Anything, mock.Anything).After(3 * time.Hour).Return(nil).Once() // as if it were retried for that long
	for _, at := range []time.Duration{time.Hour, 2 * time.Hour} {
		env.RegisterDelayedCallback(func() { env.SignalWorkflow(SignalStuck, nil) }, at)
	}
	env.ExecuteWorkflow(Archive, ArchiveInput{Ref: testRef})
	require.NoError(t, env.GetWorkflowError())
	require.Equal(t, 2, w.asked[ActJoinQueue.Name()], "it waits for its turn again")
	require.Contains(t, w.mails, NotifyStuck)
}

// In a small project, every lane has work, but each child has enough files that Temporal has less to do than the vendors. In a
// large one, a child that is killed loses only a little work.
func TestAChildCopiesNeitherTooFewNorTooMany(t *testing.T) {
	for _, tt := range []struct {
		items int64
		lanes int
		want  int
	}{{0, 0, 4}, {1, 16, 4}, {30, 16, 4}, {160, 16, 10}, {640, 16, 40}, {100_000, 16, 40}, {30, 1, 30}} {
		a := &archive{state: ArchiveState{Counts: Counts{Items: tt.items}, Opened: OpenArchiveResult{Lanes: tt.lanes}}}
		require.Equal(t, tt.want, a.batch(), "%d items, %d lanes", tt.items, tt.lanes)
	}
}
