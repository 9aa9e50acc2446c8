package workflows

import (
	"context"
	"fmt"
	"strconv"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/mock"
	"github.com/stretchr/testify/require"
	"go.temporal.io/sdk/activity"
	"go.temporal.io/sdk/testsuite"
)

const testMigration = "migration/0419e0c5-6fed-4b66-bf0f-f8a99d44bcd0"

func TestAPausedArchiveGoesOnWhereItWas(t *testing.T) {
	w := newFakeActivities(250)
	var opened []string
	w.open = func(in OpenVersionInput) (OpenVersionResult, error) {
		w.mu.Lock()
		defer w.mu.Unlock()
		opened = append(opened, in.SourceID)
		return OpenVersionResult{Do: DoTransfer}, nil
	}
	closed := map[int64]bool{} // as the ledger would know what is copied
	isClosed := func(n int64) bool {
		w.mu.Lock()
		defer w.mu.Unlock()
		return closed[n]
	}
	cut := map[string]bool{}
	var paused, resumed time.Time
	env, out, err := run(t, w, ArchiveInput{Ref: testRef, State: ArchiveState{Migration: testMigration}}, func(env *testsuite.TestWorkflowEnvironment) {
		env.OnSignalExternalWorkflow(mock.Anything, testMigration, "", SignalEnded, mock.Anything).Return(nil).Once()
		ActNextRanges.Register(env, func(_ context.Context, in NextRangesInput) (out []Range, _ error) {
			for from := in.After + 1; from <= w.items && len(out) < in.Max; from++ {
				if in.Phase == PhaseCopy && isClosed(from) {
					continue
				}
				to := min(from+int64(in.Size)-1, w.items)
				out = append(out, Range{From: from, To: to})
				from = to
			}
			return out, nil
		})
		ActRangeItems.Register(env, func(_ context.Context, in RangeInput) (out []CopyItem, _ error) {
			for n := in.From; n <= in.To; n++ {
				if !isClosed(n) {
					out = append(out, CopyItem{SourceID: fmt.Sprint(n), Asset: fmt.Sprint(n), Name: "clip", Size: 10})
				}
			}
			return out, nil
		})
		ActCloseVersion.Register(env, func(_ context.Context, in ItemInput) error {
			n, err := strconv.ParseInt(in.SourceID, 10, 64)
			w.mu.Lock()
			defer w.mu.Unlock()
			closed[n] = true
			return err
		})
		ActTransferFile.Register(env, func(_ context.Context, in ItemInput) error {
			if in.SourceID != "25" {
				return w.transfer(in)
			}
			w.mu.Lock()
			first := !cut["25"]
			cut["25"] = true
			w.mu.Unlock()
			if first {
				paused = env.Now()
				env.SignalWorkflow(SignalHold, HoldSignal{Paused: true})
				env.RegisterDelayedCallback(func() {
					resumed = env.Now()
					env.SignalWorkflow(SignalHold, HoldSignal{})
				}, 3*time.Hour)
				return activity.ErrResultPending // until it is canceled
			}
			return nil
		})
	})
	require.NoError(t, err)
	require.Equal(t, "verified", out.Status)
	env.AssertExpectations(t)
	assert.Equal(t, 3*time.Hour, resumed.Sub(paused), "it stands still while it is paused")
	assert.Contains(t, w.statuses, StatusWaiting)
	assert.Contains(t, w.reasons, "The migration is paused. The archive continues from here when it is resumed.")
	assert.Empty(t, w.failed, "what was interrupted has not failed")
	assert.Empty(t, w.mails, "the migration sends one mail for all")
	assert.Zero(t, w.asked[ActJoinQueue.Name()], "a migration has an order of its own")
	seen := map[string]bool{}
	for _, id := range opened {
		seen[id] = true
	}
	assert.Len(t, seen, 250)
	assert.LessOrEqual(t, len(opened), 250+3, "only what the three lanes were at is opened again")
}

func TestAPauseBeforeTheFirstStepHolds(t *testing.T) {
	w := newFakeActivities(3)
	began := time.Time{}
	env, out, err := run(t, w, ArchiveInput{Ref: testRef, State: ArchiveState{Migration: testMigration, Paused: true}}, func(env *testsuite.TestWorkflowEnvironment) {
		env.OnSignalExternalWorkflow(mock.Anything, testMigration, "", SignalEnded, mock.Anything).Return(nil).Once()
		env.RegisterDelayedCallback(func() {
			assert.Zero(t, w.asked[ActOpenArchive.Name()])
			began = env.Now()
			env.SignalWorkflow(SignalHold, HoldSignal{})
		}, time.Hour)
	})
	require.NoError(t, err)
	require.Equal(t, "verified", out.Status)
	require.False(t, began.IsZero())
	env.AssertExpectations(t)
	assert.NotContains(t, w.statuses, StatusWaiting)
}

func TestAPausedArchiveCanBeCancelled(t *testing.T) {
	w := newFakeActivities(3)
	_, out, err := run(t, w, ArchiveInput{Ref: testRef, State: ArchiveState{Migration: testMigration, Paused: true}}, func(env *testsuite.TestWorkflowEnvironment) {
		env.OnSignalExternalWorkflow(mock.Anything, testMigration, "", SignalEnded, mock.Anything).Return(nil).Once()
		env.RegisterDelayedCallback(func() {
			env.UpdateWorkflow(UpdateCancel, "u", &testsuite.TestUpdateCallback{OnAccept: func() {}, OnReject: func(err error) { t.Error(err) }, OnComplete: func(any, error) {}})
		}, time.Hour)
	})
	require.NoError(t, err)
	assert.Equal(t, StatusCancelled, out.Status)
	assert.Empty(t, w.mails)
}

// An archive that is released while it waits for originals takes its turn and mails its result like any other.
func TestAnArchiveThatIsLetGoIsLikeAnyOther(t *testing.T) {
	w := newFakeActivities(3)
	w.rechecks = []RecheckResult{{Waiting: 2}, {Waiting: 1}}
	_, out, err := run(t, w, ArchiveInput{Ref: testRef, State: ArchiveState{Migration: testMigration}}, func(env *testsuite.TestWorkflowEnvironment) {
		env.RegisterDelayedCallback(func() {
			env.SignalWorkflow(SignalHold, HoldSignal{Alone: true})
		}, time.Minute)
	})
	require.NoError(t, err)
	assert.Equal(t, "verified", out.Status)
	assert.Equal(t, 1, w.asked[ActJoinQueue.Name()])
	assert.Contains(t, w.mails, NotifyEnded)
}
