package workflows

import (
	"context"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.temporal.io/sdk/activity"
	"go.temporal.io/sdk/temporal"

	"github.com/framebridge/framebridge/test/temporaltest"
)

func TestANotificationIsTriedAgainAndThenGivenUp(t *testing.T) {
	for name, tt := range map[string]struct {
		failures int // how many first attempts fail; -1: all, and the test environment ends after ten
		want     NotificationResult
	}{
		"accepted at once":  {0, NotificationResult{Status: "delivered"}},
		"away for a while":  {8, NotificationResult{Status: "delivered"}},
		"nobody accepts it": {-1, NotificationResult{Status: "failed", Reason: "slack: HTTP 503"}},
	} {
		t.Run(name, func(t *testing.T) {
			env := temporaltest.Workflows()
			Register(env)
			attempts := 0
			env.RegisterActivityWithOptions(func(context.Context, NotificationInput) (NotificationResult, error) {
				if attempts++; tt.failures < 0 || attempts <= tt.failures {
					return NotificationResult{}, temporal.NewApplicationError("slack: HTTP 503", "Channel slack")
				}
				return NotificationResult{Status: "delivered"}, nil
			}, activity.RegisterOptions{Name: ActDeliverEvent.Name()})
			env.RegisterActivityWithOptions(func(_ context.Context, in EndNotificationInput) (NotificationResult, error) {
				return NotificationResult{Status: "failed", Reason: in.Reason}, nil
			}, activity.RegisterOptions{Name: ActEndDelivery.Name()})
			env.ExecuteWorkflow(Notification, NotificationInput{Tenant: "t", Event: "evt_1", Channel: "slack"})
			require.NoError(t, env.GetWorkflowError())
			var got NotificationResult
			require.NoError(t, env.GetWorkflowResult(&got))
			assert.Equal(t, tt.want, got)
		})
	}
}
