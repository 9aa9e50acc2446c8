package workflows

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/mock"
	"github.com/stretchr/testify/require"
	"go.temporal.io/sdk/activity"
	"go.temporal.io/sdk/converter"
	"go.temporal.io/sdk/workflow"
)

// If the history grows while an open review sends more assets, the run ends in time and the next one sends the rest. The run
// waits for what is being sent, unless its history has grown too long for that.
func TestAFloodWhileMoreIsSentContinuesAsNew(t *testing.T) {
	for name, tt := range map[string]struct {
		grow func(s *stage)
		want []string
	}{
		"what is on its way is finished": {func(s *stage) { s.SetContinueAsNewSuggested(true) }, []string{"stage 1", "send 1", "settle 1"}},
		"at last nothing is waited for":  {func(s *stage) { s.SetCurrentHistoryLength(sendingEvents + 1) }, []string{"stage 1"}},
	} {
		t.Run(name, func(t *testing.T) {
			s, before := newStage(t), 0
			register := func(name string, f any) { s.RegisterActivityWithOptions(f, activity.RegisterOptions{Name: name}) }
			register(ActReviewWork.Name(), func(context.Context, ReviewRef) (ReviewWorkResult, error) {
				return ReviewWorkResult{Assets: []int{1, 2}, Ready: 1}, nil
			})
			for name, what := range map[string]string{ActStageAsset.Name(): "stage", ActSendAsset.Name(): "send", ActSettleAsset.Name(): "settle", ActFailAsset.Name(): "fail"} {
				register(name, func(_ context.Context, in AssetInput) error {
					s.did = append(s.did, fmt.Sprintf("%s %d", what, in.N))
					return nil
				})
			}
			s.OnActivity(ActSendAsset.Name(), mock.Anything, mock.Anything).After(time.Hour).Return(func(ctx context.Context, in AssetInput) error {
				if ctx.Err() == nil {
					s.did = append(s.did, fmt.Sprintf("send %d", in.N))
				}
				return ctx.Err()
			})
			s.RegisterDelayedCallback(func() {
				tt.grow(s)
				before = s.syncs
				for n := range 100 {
					s.SignalWorkflow(SignalWake, Hint{Frameio: fmt.Sprint(n)})
				}
			}, 30*time.Minute)
			s.ExecuteWorkflow(Review, ReviewInput{ReviewRef: ReviewRef{Tenant: testRef.Tenant, Review: "r"}, State: ReviewState{Phase: phaseSending, ShareURL: "https://f.io/x",
				ExpiresAt: s.Now().Add(24 * time.Hour), Prepared: PrepareReviewResult{Parallel: 1}}})
			require.True(t, s.IsWorkflowCompleted())
			assert.Equal(t, tt.want, s.did)
			var again *workflow.ContinueAsNewError
			require.ErrorAs(t, s.GetWorkflowError(), &again)
			var in ReviewInput
			require.NoError(t, converter.GetDefaultDataConverter().FromPayloads(again.Input, &in))
			assert.Equal(t, phaseSending, in.State.Phase)
			assert.True(t, in.State.AllHints || s.syncs > before, "what came meanwhile is read, at the latest after the sending")
		})
	}
}
