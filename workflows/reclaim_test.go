package workflows

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.temporal.io/sdk/activity"
	"go.temporal.io/sdk/testsuite"

	"github.com/framebridge/framebridge/test/temporaltest"
)

// reclaiming is a reclaim with fake activities: three batches to prove and three to delete.
type reclaiming struct {
	env      *testsuite.TestWorkflowEnvironment
	steps    []string
	end      FinishReclaimInput
	proven   int
	deleted  int
	approved bool
	surprise bool
	onDelete func(int)
}

func newReclaiming() *reclaiming {
	r := &reclaiming{env: temporaltest.Workflows()}
	Register(r.env)
	note := func(what string) { r.steps = append(r.steps, what) }
	register := func(name string, f any) {
		r.env.RegisterActivityWithOptions(f, activity.RegisterOptions{Name: name})
	}
	register(ActExamineReclaim.Name(), func(context.Context, ReclaimRef) (ReclaimProgress, error) {
		note("examine")
		return ReclaimProgress{Approved: r.approved}, nil
	})
	register(ActAwaitApproval.Name(), func(context.Context, ReclaimRef) error { note("await"); return nil })
	register(ActProveFiles.Name(), func(context.Context, ReclaimRef) (ReclaimProgress, error) {
		r.proven++
		note("prove")
		return ReclaimProgress{Done: r.proven == 3}, nil
	})
	register(ActDeleteProven.Name(), func(context.Context, ReclaimRef) (ReclaimProgress, error) {
		n := r.deleted
		r.deleted++
		note("delete")
		out := ReclaimProgress{Ended: r.surprise, Done: r.deleted == 3}
		if r.onDelete != nil { // last: Temporal's test environment does not wait for a canceled activity
			r.onDelete(n)
		}
		return out, nil
	})
	register(ActPauseReclaim.Name(), func(context.Context, PauseReclaimInput) error { return nil })
	register(ActCertifyReclaim.Name(), func(context.Context, ReclaimRef) error { note("certify"); return nil })
	register(ActFinishReclaim.Name(), func(_ context.Context, in FinishReclaimInput) (ReclaimResult, error) {
		r.end = in
		return ReclaimResult{Counts: ReclaimCounts{Deleted: int64(r.deleted)}}, nil
	})
	return r
}

func (r *reclaiming) run(t *testing.T, dry bool) {
	t.Helper()
	r.env.ExecuteWorkflow(Reclaim, ReclaimInput{ReclaimRef: ReclaimRef{Tenant: "T", Archive: "P", Run: 1}, DryRun: dry})
	require.True(t, r.env.IsWorkflowCompleted())
	require.NoError(t, r.env.GetWorkflowError())
}

func (r *reclaiming) update(t *testing.T, name string, refused bool) {
	r.env.UpdateWorkflow(name, name+time.Now().String(), &testsuite.TestUpdateCallback{OnAccept: func() { assert.False(t, refused, name) }, OnComplete: func(any, error) {},
		OnReject: func(err error) { assert.True(t, refused, "%s: %v", name, err) }})
}

func TestADryRunDeletesNothing(t *testing.T) {
	r := newReclaiming()
	r.approved = true
	r.run(t, true)
	assert.Equal(t, []string{"examine"}, r.steps)
}

func TestAReclaimProvesEverythingBeforeItDeletes(t *testing.T) {
	r := newReclaiming()
	r.approved = true
	r.run(t, false)
	assert.Equal(t, []string{"examine", "prove", "prove", "prove", "delete", "delete", "delete", "certify"}, r.steps)
}

func TestAReclaimWaitsForASecondPerson(t *testing.T) {
	r := newReclaiming()
	r.env.RegisterDelayedCallback(func() {
		assert.Equal(t, []string{"examine", "await"}, r.steps)
		r.update(t, UpdateApprove, false)
	}, 72*time.Hour)
	r.run(t, false)
	assert.Equal(t, []string{"examine", "await", "examine", "prove"}, r.steps[:4], "days later, both sides are compared again")

	r = newReclaiming()
	r.run(t, false)
	assert.Equal(t, []string{"examine", "await"}, r.steps)
	assert.Equal(t, ReclaimStopped, r.end.Status)
	assert.Contains(t, r.end.Reason, "nobody approved")
}

func TestASurpriseEndsAReclaimWithItsCertificate(t *testing.T) {
	r := newReclaiming()
	r.approved, r.surprise = true, true
	r.run(t, false)
	assert.Equal(t, []string{"examine", "prove", "prove", "prove", "delete", "certify"}, r.steps)
}

func TestAPauseEndsWhatIsUnderWay(t *testing.T) {
	r := newReclaiming()
	r.approved = true
	paused := false
	r.onDelete = func(n int) {
		if n != 1 || paused {
			return
		}
		paused = true
		<-accepted(r.env, UpdatePause)
		r.env.RegisterDelayedCallback(func() {
			assert.Equal(t, 2, r.deleted, "nothing is deleted during a pause, beyond what was under way")
			r.update(t, UpdatePause, true)
			r.update(t, UpdateApprove, true)
			r.update(t, UpdateResume, false)
		}, time.Hour)
	}
	r.run(t, false)
	assert.Equal(t, 3, r.deleted)
	assert.Empty(t, r.end.Status)
}

func TestACancelledReclaimIsCertified(t *testing.T) {
	r := newReclaiming()
	r.approved = true
	r.onDelete = func(n int) {
		if n != 1 {
			return
		}
		<-accepted(r.env, UpdateCancel)
	}
	r.run(t, false)
	assert.Equal(t, ReclaimCancelled, r.end.Status)
	assert.Equal(t, "certify", r.steps[len(r.steps)-1])
}
