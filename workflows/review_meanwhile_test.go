package workflows

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.temporal.io/sdk/activity"
	"go.temporal.io/sdk/temporal"
)

// sendingMore is an open review that has been sent another asset, for which a step waits until the given time.
func sendingMore(t *testing.T, step string, until time.Duration) *stage {
	s := newStage(t)
	begin := s.Now()
	act := func(name string, fn any) { s.RegisterActivityWithOptions(fn, activity.RegisterOptions{Name: name}) }
	sent := false
	act(ActReviewWork.Name(), func(context.Context, ReviewRef) (ReviewWorkResult, error) {
		if sent {
			return ReviewWorkResult{Ready: 2}, nil
		}
		return ReviewWorkResult{Assets: []int{2}, Ready: 1}, nil
	})
	for _, name := range []string{ActStageAsset.Name(), ActSendAsset.Name(), ActSettleAsset.Name()} {
		act(name, func(context.Context, AssetInput) error {
			if name == step && s.Now().Sub(begin) < until {
				return temporal.NewApplicationErrorWithOptions("not yet", "Waiting", temporal.ApplicationErrorOptions{NextRetryDelay: until / 6})
			}
			sent = sent || name == ActSettleAsset.Name()
			return nil
		})
	}
	act(ActFailAsset.Name(), func(_ context.Context, in AssetInput) error {
		return s.done(ActFailAsset.Name(), "left out: "+in.Reason)
	})
	act(ActShareReview.Name(), func(context.Context, ReviewRef) (ShareReviewResult, error) {
		if step == ActShareReview.Name() && s.Now().Sub(begin) < until {
			return ShareReviewResult{}, temporal.NewApplicationErrorWithOptions("not yet", "Waiting", temporal.ApplicationErrorOptions{NextRetryDelay: until / 6})
		}
		return ShareReviewResult{URL: "https://f.io/x"}, s.done(ActShareReview.Name(), "share")
	})
	act(ActPublishReview.Name(), func(context.Context, ReviewRef) error { return s.done(ActPublishReview.Name(), "publish") })
	return s
}

func (s *stage) sends(lasts time.Duration) {
	s.ExecuteWorkflow(Review, ReviewInput{ReviewRef: ReviewRef{Tenant: testRef.Tenant, Review: "r"},
		State: ReviewState{Phase: phaseSending, ShareURL: "https://f.io/x", ExpiresAt: s.Now().Add(lasts), Prepared: PrepareReviewResult{ProxyWait: 72 * time.Hour}}})
	require.True(s.t, s.IsWorkflowCompleted())
	require.NoError(s.t, s.GetWorkflowError())
}

// While an open review sends more, however long that takes, its comments are synced, and it can be synced at once and extended.
func TestAnOpenReviewIsSyncedWhileItSendsMore(t *testing.T) {
	for _, step := range []string{ActStageAsset.Name(), ActSendAsset.Name(), ActSettleAsset.Name(), ActShareReview.Name()} {
		t.Run(step, func(t *testing.T) {
			s := sendingMore(t, step, 3*time.Hour)
			s.nextIn = 5 * time.Minute
			early := 0
			s.RegisterDelayedCallback(func() { early = s.syncs }, 2*time.Hour+time.Second)
			asked := s.update(2*time.Hour+time.Minute, UpdateSync)
			extended := s.update(150*time.Minute, UpdateExtend, ExtendUpdate{ExpiresAt: s.Now().Add(6 * time.Hour)})
			begin := s.Now()
			s.sends(4 * time.Hour)
			assert.InDelta(t, 24, early, 2)
			assert.True(t, asked.complete && asked.err == nil && asked.refused == nil, "%+v", asked)
			assert.WithinDuration(t, begin.Add(2*time.Hour+time.Minute), asked.at, time.Second)
			assert.True(t, extended.complete && extended.err == nil && extended.refused == nil, "%+v", extended)
			assert.Equal(t, []string{"extend", "share", "publish", "off", "expired", "delete"}, s.did)
			assert.InDelta(t, 6*12, s.syncs, 4)
		})
	}
}

// What is still being sent when an open review expires does not delay its end.
func TestAReviewEndsOnTimeWhileItSendsMore(t *testing.T) {
	for _, step := range []string{ActStageAsset.Name(), ActSendAsset.Name(), ActSettleAsset.Name(), ActShareReview.Name()} {
		t.Run(step, func(t *testing.T) {
			s := sendingMore(t, step, 30*time.Hour)
			s.nextIn = 5 * time.Minute
			begin := s.Now()
			var ended time.Duration
			s.RegisterActivityWithOptions(func(context.Context, EndReviewInput) (EndReviewResult, error) {
				ended = s.Now().Sub(begin)
				at := s.Now().Add(s.deletes)
				return EndReviewResult{WarnAt: at, DeleteAt: at}, s.done(ActRevokeLink.Name(), "off")
			}, activity.RegisterOptions{Name: ActRevokeLink.Name(), DisableAlreadyRegisteredCheck: true})
			s.sends(10 * time.Hour)
			want := []string{"left out: the review expired before this was sent", "off", "expired", "delete"}
			if step == ActShareReview.Name() {
				want = want[1:]
			}
			assert.Equal(t, want, s.did)
			assert.WithinDuration(t, begin.Add(10*time.Hour), begin.Add(ended), time.Minute)
		})
	}
}

// A stop ends the sending and the sync beside it.
func TestAStopWhileMoreIsSentAndSynced(t *testing.T) {
	s := sendingMore(t, ActSendAsset.Name(), 30*time.Hour)
	s.onSync = func(n int) {
		if n == 3 {
			<-accepted(s.TestWorkflowEnvironment, UpdateStop)
		}
	}
	s.sends(10 * time.Hour)
	assert.Equal(t, []string{"left out: someone stopped the review", "off", "stopped", "delete"}, s.did)
}

// A link is off at its end also if people could not be told of it before, because iconik is away.
func TestALinkIsOffAlthoughNobodyCouldBeTold(t *testing.T) {
	s := sendingMore(t, "", 0)
	s.nextIn = 10 * time.Minute
	begin := s.Now()
	s.RegisterActivityWithOptions(func(context.Context, ReviewRef) error {
		return temporal.NewApplicationErrorWithOptions("iconik is away", "Internal", temporal.ApplicationErrorOptions{NextRetryDelay: 3 * time.Hour})
	}, activity.RegisterOptions{Name: ActPublishReview.Name(), DisableAlreadyRegisteredCheck: true})
	var ended time.Time
	s.RegisterActivityWithOptions(func(context.Context, EndReviewInput) (EndReviewResult, error) {
		ended = s.Now()
		return EndReviewResult{WarnAt: s.Now().Add(time.Hour), DeleteAt: s.Now().Add(time.Hour)}, s.done(ActRevokeLink.Name(), "off")
	}, activity.RegisterOptions{Name: ActRevokeLink.Name(), DisableAlreadyRegisteredCheck: true})
	s.ExecuteWorkflow(Review, ReviewInput{ReviewRef: ReviewRef{Tenant: testRef.Tenant, Review: "r"}, State: ReviewState{Phase: phaseSharing, ExpiresAt: begin.Add(10 * time.Hour)}})
	require.True(t, s.IsWorkflowCompleted())
	require.NoError(t, s.GetWorkflowError())
	assert.Equal(t, []string{"share", "off", "expired", "delete"}, s.did)
	assert.WithinDuration(t, begin.Add(10*time.Hour), ended, time.Minute)
}
