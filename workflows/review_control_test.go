package workflows

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/mock"
	"github.com/stretchr/testify/require"
	"go.temporal.io/sdk/activity"
	"go.temporal.io/sdk/converter"
	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/testsuite"
	"go.temporal.io/sdk/workflow"

	"github.com/framebridge/framebridge/test/temporaltest"
)

// stage runs one review in skipped time and records what its activities did, in order.
type stage struct {
	*testsuite.TestWorkflowEnvironment
	t       *testing.T
	did     []string
	syncs   int
	onSync  func(n int)
	away    func(n int) bool         // what counts as deleted at a sync
	late    map[string]time.Duration // the first attempt of these fails and is retried after this long
	deletes time.Duration            // from the end to the deletion
	nextIn  time.Duration            // from one poll to the next
}

func newStage(t *testing.T) *stage {
	s := &stage{TestWorkflowEnvironment: temporaltest.Workflows(), t: t, late: map[string]time.Duration{}, deletes: time.Hour, nextIn: time.Minute}
	Register(s)
	act := func(name string, fn any) { s.RegisterActivityWithOptions(fn, activity.RegisterOptions{Name: name}) }
	act(ActSyncReview.Name(), func(context.Context, SyncInput) (SyncResult, error) {
		if s.syncs++; s.onSync != nil {
			s.onSync(s.syncs)
		}
		return SyncResult{NextIn: s.nextIn, Away: s.away != nil && s.away(s.syncs)}, nil
	})
	act(ActExtendReview.Name(), func(_ context.Context, in ExtendInput) error {
		if in.Reopen {
			return s.done(ActExtendReview.Name(), "reopen")
		}
		return s.done(ActExtendReview.Name(), "extend")
	})
	act(ActRevokeLink.Name(), func(_ context.Context, in EndReviewInput) (EndReviewResult, error) {
		at := s.Now().Add(s.deletes)
		return EndReviewResult{WarnAt: at, DeleteAt: at}, s.done(ActRevokeLink.Name(), "off")
	})
	act(ActEndReview.Name(), func(_ context.Context, in EndReviewInput) (EndReviewResult, error) {
		return EndReviewResult{}, s.done(ActEndReview.Name(), in.Status)
	})
	act(ActDeleteMedia.Name(), func(context.Context, ReviewRef) error { return s.done(ActDeleteMedia.Name(), "delete") })
	return s
}

func (s *stage) done(name, what string) error {
	if delay, ok := s.late[name]; ok {
		delete(s.late, name)
		return temporal.NewApplicationErrorWithOptions("not now", "Vendor", temporal.ApplicationErrorOptions{NextRetryDelay: delay})
	}
	s.did = append(s.did, what)
	return nil
}

// open runs a review that is open for another ten minutes.
func (s *stage) open() error {
	s.ExecuteWorkflow(Review, ReviewInput{ReviewRef: ReviewRef{Tenant: testRef.Tenant, Review: "r"},
		State: ReviewState{Phase: phaseOpen, ShareURL: "https://f.io/x", ExpiresAt: s.Now().Add(10 * time.Minute)}})
	require.True(s.t, s.IsWorkflowCompleted())
	return s.GetWorkflowError()
}

// update sends an update at a time relative to the start of the review, and records the answer.
func (s *stage) update(at time.Duration, name string, args ...any) *answer {
	a := &answer{}
	s.RegisterDelayedCallback(func() {
		s.UpdateWorkflow(name, name+at.String(), &testsuite.TestUpdateCallback{
			OnAccept:   func() {},
			OnReject:   func(err error) { a.refused = err },
			OnComplete: func(_ any, err error) { a.complete, a.err, a.at = true, err, s.Now() },
		}, args...)
	}, at)
	return a
}

type answer struct {
	complete     bool
	refused, err error
	at           time.Time
}

// The review waits for an extension that Frame.io accepts only later. Nothing ends meanwhile, so the link is not switched on
// again after the end, and the caller gets what was promised.
func TestNothingEndsBesideAnExtension(t *testing.T) {
	extend := func(s *stage) ExtendUpdate { return ExtendUpdate{ExpiresAt: s.Now().Add(3 * time.Hour)} }
	for name, tt := range map[string]struct {
		run  func(s *stage)
		want []string
	}{
		"over the expiry": {func(s *stage) {
			s.late[ActExtendReview.Name()] = 5 * time.Minute
			s.update(9*time.Minute, UpdateExtend, extend(s))
		}, []string{"extend", "off", "expired", "delete"}},
		"before a stop": {func(s *stage) {
			s.late[ActExtendReview.Name()] = 5 * time.Minute
			s.update(2*time.Minute, UpdateExtend, extend(s))
			s.update(3*time.Minute, UpdateStop)
		}, []string{"extend", "off", "stopped", "delete"}},
		"over the deletion": {func(s *stage) {
			s.late[ActExtendReview.Name()] = 30 * time.Minute
			s.update(65*time.Minute, UpdateExtend, extend(s))
		}, []string{"off", "expired", "reopen", "off", "expired", "delete"}},
		"two of them, and a stop": {func(s *stage) {
			s.late[ActExtendReview.Name()] = 5 * time.Minute
			s.update(20*time.Minute, UpdateExtend, extend(s))
			s.update(21*time.Minute, UpdateExtend, extend(s))
			s.update(26*time.Minute, UpdateStop)
		}, []string{"off", "expired", "reopen", "extend", "off", "stopped", "delete"}},
		"not beside the deletion": {func(s *stage) {
			s.late[ActDeleteMedia.Name()] = time.Hour
			s.update(90*time.Minute, UpdateExtend, extend(s))
		}, []string{"off", "expired", "delete"}},
	} {
		t.Run(name, func(t *testing.T) {
			s := newStage(t)
			tt.run(s)
			require.NoError(t, s.open())
			assert.Equal(t, tt.want, s.did)
		})
	}
}

// Assets that count as deleted at the last sync are looked for while the media is kept, without a second mail about the end. An
// extension stops that.
func TestWhatIsAwayAtTheEndIsLookedFor(t *testing.T) {
	for name, tt := range map[string]struct {
		run   func(s *stage)
		syncs int
		want  []string
	}{
		"until it is back":     {func(s *stage) { s.away = func(n int) bool { return n < 4 } }, 4, []string{"off", "expired", "delete"}},
		"until the media goes": {func(s *stage) { s.away = func(int) bool { return true } }, 1 + 1 + 5, []string{"off", "expired", "delete"}},
		"until it is open again": {func(s *stage) {
			s.away = func(n int) bool { return n == 2 || n == 3 }
			s.update(80*time.Minute, UpdateExtend, ExtendUpdate{ExpiresAt: s.Now().Add(81 * time.Minute)})
		}, 5, []string{"off", "expired", "reopen", "off", "expired", "delete"}},
	} {
		t.Run(name, func(t *testing.T) {
			s := newStage(t)
			s.deletes = 5*time.Hour + time.Minute
			s.nextIn = time.Hour // only the first poll comes before the expiry
			tt.run(s)
			require.NoError(t, s.open())
			assert.Equal(t, tt.want, s.did)
			assert.Equal(t, tt.syncs, s.syncs)
		})
	}
}

// A failed extension leaves the expiry unchanged, even if it has passed meanwhile.
func TestAReviewEndsAfterAnExtensionThatFailed(t *testing.T) {
	s := newStage(t)
	s.OnActivity(ActExtendReview.Name(), mock.Anything, mock.Anything).Return(temporal.NewNonRetryableApplicationError("no such link", ErrorContent, nil)).After(5 * time.Minute)
	a := s.update(9*time.Minute, UpdateExtend, ExtendUpdate{ExpiresAt: s.Now().Add(3 * time.Hour)})
	require.NoError(t, s.open())
	assert.Error(t, a.err)
	assert.Equal(t, []string{"off", "expired", "delete"}, s.did)
}

// A run with many syncs continues until nobody waits for an answer, and keeps syncing meanwhile, so everyone gets an answer.
func TestARunIsHandedOverWhenNobodyWaits(t *testing.T) {
	s := newStage(t)
	s.late[ActExtendReview.Name()] = 10 * time.Minute
	far := s.Now().Add(1000 * time.Hour)
	at := time.Duration(syncsPerRun-5) * time.Minute
	extended := s.update(at, UpdateExtend, ExtendUpdate{ExpiresAt: far})
	synced := s.update(at+7*time.Minute, UpdateSync)
	s.ExecuteWorkflow(Review, ReviewInput{ReviewRef: ReviewRef{Tenant: testRef.Tenant, Review: "r"},
		State: ReviewState{Phase: phaseOpen, ShareURL: "https://f.io/x", ExpiresAt: far}})
	require.True(t, s.IsWorkflowCompleted())
	var again *workflow.ContinueAsNewError
	require.ErrorAs(t, s.GetWorkflowError(), &again)
	assert.True(t, extended.complete && synced.complete)
	assert.NoError(t, errors.Join(extended.err, synced.err))
	assert.True(t, synced.at.Before(extended.at), "the sync did not wait for the extension")
	assert.Greater(t, s.syncs, syncsPerRun)
}

// Hints from webhooks that arrive at the moment a run hands over go to the next run.
func TestHintsOfTheLastMomentAreHandedOver(t *testing.T) {
	env := temporaltest.Workflows()
	env.ExecuteWorkflow(func(ctx workflow.Context) error {
		r := &review{ref: ReviewRef{Tenant: "t", Review: "r"}, state: ReviewState{Phase: phaseOpen}}
		if err := r.setup(ctx); err != nil {
			return err
		}
		if err := workflow.Sleep(ctx, time.Second); err != nil { // until all coroutines wait
			return err
		}
		send := func(name string, v any) { workflow.GetSignalChannel(ctx, name).(workflow.Channel).SendAsync(v) }
		hints := converter.GetDefaultDataConverter()
		for _, file := range []string{"a", "b"} {
			raw, err := hints.ToPayloads(Hint{Frameio: file})
			if err != nil {
				return err
			}
			send(SignalWake, raw)
		}
		send(SignalResend, nil)
		return r.continueAsNew(ctx)
	})
	var again *workflow.ContinueAsNewError
	require.ErrorAs(t, env.GetWorkflowError(), &again)
	var next ReviewInput
	require.NoError(t, converter.GetDefaultDataConverter().FromPayloads(again.Input, &next))
	assert.Equal(t, []Hint{{Frameio: "a"}, {Frameio: "b"}}, next.State.Hints)
	assert.True(t, next.State.Resend)
}

// A stop ends sending at once, whatever it waits for. Before anything is shared, everything is rolled back. A review that has
// been open ends in order, without what was being sent.
func TestAStopEndsWhatIsBeingSent(t *testing.T) {
	for name, tt := range map[string]struct {
		waits string // the step that would go on for hours
		link  string
		want  []string
	}{
		"a proxy, not shared":     {ActStageAsset.Name(), "", []string{"take back: stopped"}},
		"an upload, not shared":   {ActSendAsset.Name(), "", []string{"take back: stopped"}},
		"Frame.io, not shared":    {ActSettleAsset.Name(), "", []string{"take back: stopped"}},
		"a new version, shared":   {ActSettleAsset.Name(), "https://f.io/x", []string{"left out: someone stopped the review", "off", "stopped", "delete"}},
		"a missing proxy, shared": {ActStageAsset.Name(), "https://f.io/x", []string{"left out: someone stopped the review", "off", "stopped", "delete"}},
	} {
		t.Run(name, func(t *testing.T) {
			s := newStage(t)
			begin := s.Now()
			act := func(name string, fn any) { s.RegisterActivityWithOptions(fn, activity.RegisterOptions{Name: name}) }
			act(ActReviewWork.Name(), func(context.Context, ReviewRef) (ReviewWorkResult, error) {
				return ReviewWorkResult{Assets: []int{1, 2}}, nil
			})
			for _, step := range []string{ActStageAsset.Name(), ActSendAsset.Name(), ActSettleAsset.Name()} {
				act(step, func(context.Context, AssetInput) error {
					if step == tt.waits {
						return temporal.NewApplicationErrorWithOptions("not yet", "Waiting", temporal.ApplicationErrorOptions{NextRetryDelay: time.Hour})
					}
					return nil
				})
			}
			var took time.Duration
			act(ActFailAsset.Name(), func(_ context.Context, in AssetInput) error {
				took = s.Now().Sub(begin)
				return s.done(ActFailAsset.Name(), "left out: "+in.Reason)
			})
			act(ActFailReview.Name(), func(_ context.Context, in FailReviewInput) error {
				took = s.Now().Sub(begin)
				return s.done(ActFailReview.Name(), "take back: "+in.Status)
			})
			s.update(time.Minute, UpdateStop)
			s.ExecuteWorkflow(Review, ReviewInput{ReviewRef: ReviewRef{Tenant: testRef.Tenant, Review: "r"},
				State: ReviewState{Phase: phaseSending, ShareURL: tt.link, ExpiresAt: begin.Add(10 * time.Hour)}})
			require.True(t, s.IsWorkflowCompleted())
			require.NoError(t, s.GetWorkflowError())
			assert.Equal(t, tt.want, s.did)
			assert.Less(t, took, 2*time.Minute)
		})
	}
}

// If Frame.io refuses the sign-in over a long weekend, the end of a review is delayed but does not fail.
func TestTheEndWaitsForTheSignIn(t *testing.T) {
	s := newStage(t)
	s.late[ActRevokeLink.Name()], s.late[ActDeleteMedia.Name()] = 80*time.Hour, 80*time.Hour
	require.NoError(t, s.open())
	assert.Equal(t, []string{"off", "expired", "delete"}, s.did)
}

// While iconik is down, the link still goes off at once: a stop waits neither for a sync in progress nor for the last sync. The
// last sync is retried for as long as the media is kept, and recent comments come over when iconik is back.
func TestALinkIsOffAtOnceWhateverElseIsAway(t *testing.T) {
	for name, tt := range map[string]struct {
		stopped   bool
		back      time.Duration // after the start; 0: never
		want      []string
		off, told time.Duration
	}{
		"a stop":                       {true, 3 * time.Hour, []string{"off", "stopped", "delete"}, 2 * time.Minute, 3 * time.Hour},
		"an expiry":                    {false, 3 * time.Hour, []string{"off", "expired", "delete"}, 10 * time.Minute, 3 * time.Hour},
		"iconik never comes back":      {true, 0, []string{"off", "stopped", "delete"}, 2 * time.Minute, 24 * time.Hour},
		"nor does it after the expiry": {false, 0, []string{"off", "expired", "delete"}, 10 * time.Minute, 24 * time.Hour},
	} {
		t.Run(name, func(t *testing.T) {
			s := newStage(t)
			s.deletes = 24 * time.Hour
			begin := s.Now()
			var off, told, lastSync time.Duration
			unsynced := ""
			act := func(name string, fn any) { s.RegisterActivityWithOptions(fn, activity.RegisterOptions{Name: name}) }
			act(ActSyncReview.Name(), func(_ context.Context, in SyncInput) (SyncResult, error) {
				if at := s.Now().Sub(begin); tt.back > 0 && at >= tt.back {
					lastSync = at
					return SyncResult{NextIn: time.Minute}, nil
				}
				return SyncResult{}, temporal.NewApplicationError("iconik is away", "Vendor")
			})
			act(ActRevokeLink.Name(), func(context.Context, EndReviewInput) (EndReviewResult, error) {
				off = s.Now().Sub(begin)
				return EndReviewResult{WarnAt: s.Now().Add(s.deletes), DeleteAt: s.Now().Add(s.deletes)}, s.done(ActRevokeLink.Name(), "off")
			})
			act(ActEndReview.Name(), func(_ context.Context, in EndReviewInput) (EndReviewResult, error) {
				told, unsynced = s.Now().Sub(begin), in.Unsynced
				return EndReviewResult{}, s.done(ActEndReview.Name(), in.Status)
			})
			if tt.stopped {
				s.update(2*time.Minute, UpdateStop)
			}
			require.NoError(t, s.open())
			assert.Equal(t, tt.want, s.did)
			assert.InDelta(t, tt.off.Seconds(), off.Seconds(), 15, "the link")
			assert.InDelta(t, tt.told.Seconds(), told.Seconds(), 40*60, "the news of it")
			assert.Equal(t, tt.back > 0, lastSync > 0, "the last sync")
			assert.Equal(t, tt.back == 0, unsynced != "", unsynced)
		})
	}
}

// An extension reopens an expired review even though its last sync still waits for iconik.
func TestAnExtensionDoesNotWaitForTheLastSync(t *testing.T) {
	s := newStage(t)
	s.deletes = 24 * time.Hour
	away := true
	s.RegisterActivityWithOptions(func(context.Context, SyncInput) (SyncResult, error) {
		if away {
			return SyncResult{}, temporal.NewApplicationError("iconik is away", "Vendor")
		}
		return SyncResult{NextIn: time.Minute}, nil
	}, activity.RegisterOptions{Name: ActSyncReview.Name()})
	extended := s.update(12*time.Minute, UpdateExtend, ExtendUpdate{ExpiresAt: s.Now().Add(3 * time.Hour)})
	asked := s.Now().Add(12 * time.Minute)
	s.RegisterDelayedCallback(func() { away = false }, time.Hour)
	require.NoError(t, s.open())
	require.NoError(t, errors.Join(extended.refused, extended.err))
	assert.Less(t, extended.at.Sub(asked), time.Minute)
	assert.Equal(t, []string{"off", "reopen", "off", "expired", "delete"}, s.did)
}

// A stop ends the sharing and its announcement, however long they would take.
func TestAStopEndsTheSharing(t *testing.T) {
	for _, waits := range []string{ActShareReview.Name(), ActPublishReview.Name()} {
		t.Run(waits, func(t *testing.T) {
			s := newStage(t)
			begin := s.Now()
			var off time.Duration
			act := func(name string, fn any) { s.RegisterActivityWithOptions(fn, activity.RegisterOptions{Name: name}) }
			fail := func(step string) error {
				if step == waits {
					return temporal.NewApplicationErrorWithOptions("not yet", "Vendor", temporal.ApplicationErrorOptions{NextRetryDelay: time.Hour})
				}
				return nil
			}
			act(ActShareReview.Name(), func(context.Context, ReviewRef) (ShareReviewResult, error) {
				return ShareReviewResult{URL: "https://f.io/x"}, fail(ActShareReview.Name())
			})
			act(ActPublishReview.Name(), func(context.Context, ReviewRef) error { return fail(ActPublishReview.Name()) })
			act(ActRevokeLink.Name(), func(context.Context, EndReviewInput) (EndReviewResult, error) {
				off = s.Now().Sub(begin)
				return EndReviewResult{WarnAt: s.Now(), DeleteAt: s.Now()}, s.done(ActRevokeLink.Name(), "off")
			})
			s.update(time.Minute, UpdateStop)
			s.ExecuteWorkflow(Review, ReviewInput{ReviewRef: ReviewRef{Tenant: testRef.Tenant, Review: "r"}, State: ReviewState{Phase: phaseSharing, ExpiresAt: begin.Add(10 * time.Hour)}})
			require.True(t, s.IsWorkflowCompleted())
			require.NoError(t, s.GetWorkflowError())
			assert.Equal(t, []string{"off", "stopped", "delete"}, s.did)
			assert.Less(t, off, 2*time.Minute)
		})
	}
}
