package workflows

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.temporal.io/sdk/activity"
	"go.temporal.io/sdk/converter"
	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/testsuite"
	"go.temporal.io/sdk/workflow"

	"github.com/framebridge/framebridge/test/temporaltest"
)

// accepted sends an update to a workflow that waits for the calling activity. The channel is closed when the workflow has begun
// to handle the update.
func accepted(env *testsuite.TestWorkflowEnvironment, update string, args ...any) <-chan struct{} {
	begun := make(chan struct{})
	env.RegisterDelayedCallback(func() {
		env.UpdateWorkflow(update, update, &testsuite.TestUpdateCallback{OnAccept: func() { close(begun) }, OnReject: func(err error) { panic(err) }, OnComplete: func(any, error) {}}, args...)
	}, 0)
	return begun
}

// TestAStopDuringTheLastSyncOfARunIsKept: the run that continues as new hands the stop on to the next one, which ends the review.
func TestAStopDuringTheLastSyncOfARunIsKept(t *testing.T) {
	ended := ""
	run := func(in ReviewInput, stopDuring int) error {
		env := temporaltest.Workflows()
		Register(env)
		syncs := 0
		env.RegisterActivityWithOptions(func(context.Context, SyncInput) (SyncResult, error) {
			if syncs++; syncs == stopDuring {
				<-accepted(env, UpdateStop) // while the sync is running
			}
			return SyncResult{NextIn: time.Second}, nil
		}, activity.RegisterOptions{Name: ActSyncReview.Name()})
		env.RegisterActivityWithOptions(func(context.Context, EndReviewInput) (EndReviewResult, error) { return EndReviewResult{}, nil },
			activity.RegisterOptions{Name: ActRevokeLink.Name()})
		env.RegisterActivityWithOptions(func(_ context.Context, in EndReviewInput) (EndReviewResult, error) {
			ended = in.Status
			return EndReviewResult{}, nil
		}, activity.RegisterOptions{Name: ActEndReview.Name()})
		env.RegisterActivityWithOptions(func(context.Context, ReviewRef) error { return nil }, activity.RegisterOptions{Name: ActDeleteMedia.Name()})
		env.ExecuteWorkflow(Review, in)
		require.True(t, env.IsWorkflowCompleted())
		return env.GetWorkflowError()
	}
	start := time.Now().Add(1000 * time.Hour)
	err := run(ReviewInput{ReviewRef: ReviewRef{Tenant: testRef.Tenant, Review: "r"}, State: ReviewState{Phase: phaseOpen, ShareURL: "https://f.io/x", ExpiresAt: start}}, syncsPerRun)
	var again *workflow.ContinueAsNewError
	require.True(t, errors.As(err, &again), "%v", err)
	require.Empty(t, ended)
	var next ReviewInput
	require.NoError(t, converter.GetDefaultDataConverter().FromPayloads(again.Input, &next))
	require.NoError(t, run(next, 0))
	require.Equal(t, "stopped", ended)
}

// TestAnExtensionWhileItEndsOpensTheReviewAgain: the API says "expired" before the workflow has got that far.
func TestAnExtensionWhileItEndsOpensTheReviewAgain(t *testing.T) {
	env := temporaltest.Workflows()
	Register(env)
	var ends []string
	extended := 0
	env.RegisterActivityWithOptions(func(context.Context, SyncInput) (SyncResult, error) { return SyncResult{NextIn: 10 * time.Minute}, nil },
		activity.RegisterOptions{Name: ActSyncReview.Name()})
	env.RegisterActivityWithOptions(func(context.Context, EndReviewInput) (EndReviewResult, error) {
		at := env.Now().Add(30 * 24 * time.Hour)
		return EndReviewResult{WarnAt: at, DeleteAt: at}, nil
	}, activity.RegisterOptions{Name: ActRevokeLink.Name()})
	env.RegisterActivityWithOptions(func(_ context.Context, in EndReviewInput) (EndReviewResult, error) {
		ends = append(ends, in.Status)
		if len(ends) == 1 {
			<-accepted(env, UpdateExtend, ExtendUpdate{ExpiresAt: env.Now().Add(time.Hour)}) // while the mail is being sent
		}
		return EndReviewResult{}, nil
	}, activity.RegisterOptions{Name: ActEndReview.Name()})
	env.RegisterActivityWithOptions(func(_ context.Context, in ExtendInput) error {
		require.True(t, in.Reopen)
		extended++
		return nil
	}, activity.RegisterOptions{Name: ActExtendReview.Name()})
	env.RegisterActivityWithOptions(func(context.Context, ReviewRef) error { return nil }, activity.RegisterOptions{Name: ActDeleteMedia.Name()})
	env.ExecuteWorkflow(Review, ReviewInput{ReviewRef: ReviewRef{Tenant: testRef.Tenant, Review: "r"},
		State: ReviewState{Phase: phaseOpen, ShareURL: "https://f.io/x", ExpiresAt: env.Now().Add(time.Minute)}})
	require.True(t, env.IsWorkflowCompleted())
	require.NoError(t, env.GetWorkflowError())
	require.Equal(t, 1, extended)
	require.Equal(t, []string{"expired", "expired"}, ends)
}

// TestASharedReviewOutlivesIconiksAbsence: its reviewers have the link, which must not go off because iconik cannot be updated for a day.
func TestASharedReviewOutlivesIconiksAbsence(t *testing.T) {
	env := temporaltest.Workflows()
	Register(env)
	began := env.Now()
	published := time.Time{}
	env.RegisterActivityWithOptions(func(context.Context, ReviewRef) (ShareReviewResult, error) {
		return ShareReviewResult{URL: "https://f.io/x"}, nil
	}, activity.RegisterOptions{Name: ActShareReview.Name()})
	env.RegisterActivityWithOptions(func(context.Context, ReviewRef) error {
		if published = env.Now(); published.Sub(began) < 30*time.Hour {
			return temporal.NewApplicationErrorWithOptions("iconik is away", "Internal", temporal.ApplicationErrorOptions{NextRetryDelay: 5 * time.Hour})
		}
		return nil
	}, activity.RegisterOptions{Name: ActPublishReview.Name()})
	env.RegisterActivityWithOptions(func(context.Context, SyncInput) (SyncResult, error) { return SyncResult{NextIn: 10 * time.Minute}, nil },
		activity.RegisterOptions{Name: ActSyncReview.Name()})
	ended := ""
	env.RegisterActivityWithOptions(func(_ context.Context, in EndReviewInput) (EndReviewResult, error) {
		ended = in.Status
		return EndReviewResult{}, nil
	}, activity.RegisterOptions{Name: ActRevokeLink.Name()})
	env.RegisterActivityWithOptions(func(context.Context, EndReviewInput) (EndReviewResult, error) { return EndReviewResult{}, nil },
		activity.RegisterOptions{Name: ActEndReview.Name()})
	env.RegisterActivityWithOptions(func(context.Context, ReviewRef) error { return nil }, activity.RegisterOptions{Name: ActDeleteMedia.Name()})
	env.ExecuteWorkflow(Review, ReviewInput{ReviewRef: ReviewRef{Tenant: testRef.Tenant, Review: "r"},
		State: ReviewState{Phase: phaseSharing, ExpiresAt: began.Add(48 * time.Hour)}})
	require.True(t, env.IsWorkflowCompleted())
	require.NoError(t, env.GetWorkflowError())
	require.GreaterOrEqual(t, published.Sub(began), 30*time.Hour)
	require.Equal(t, "expired", ended)
}
