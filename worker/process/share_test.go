package process

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.temporal.io/sdk/activity"
	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/interceptor"
	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/workflow"

	"github.com/framebridge/framebridge/config"
	"github.com/framebridge/framebridge/test/temporaltest"
	"github.com/framebridge/framebridge/workflows"
)

type tenantKey struct{}

// stuck is work that ends when the test says so, like calls to a vendor that asked for a long pause.
type stuck struct {
	interceptor.ActivityInboundInterceptorBase
	begun chan string
	end   chan struct{}
}

func (s *stuck) ExecuteActivity(ctx context.Context, _ *interceptor.ExecuteActivityInput) (any, error) {
	s.begun <- ctx.Value(tenantKey{}).(string)
	<-s.end
	return nil, nil
}

// TestOneTenantsLoadLeavesRoomForTheOthers: one tenant has more stuck activities than a worker has slots.
func TestOneTenantsLoadLeavesRoomForTheOthers(t *testing.T) {
	s := newShares(maxActivities)
	s.tenantOf = func(ctx context.Context) string { return ctx.Value(tenantKey{}).(string) }
	work := &stuck{begun: make(chan string), end: make(chan struct{})}
	a := s.InterceptActivity(t.Context(), work)
	ended := make(chan error)
	// comes reports whether an activity was let in and, if not, after how long to retry it.
	comes := func(tenant string) (bool, time.Duration) {
		go func() {
			_, err := a.ExecuteActivity(context.WithValue(t.Context(), tenantKey{}, tenant), &interceptor.ExecuteActivityInput{})
			ended <- err
		}()
		select {
		case <-work.begun:
			return true, 0
		case err := <-ended:
			var app *temporal.ApplicationError
			require.True(t, errors.As(err, &app), "%v", err)
			assert.Equal(t, temporal.ApplicationErrorCategoryBenign, app.Category())
			assert.False(t, app.NonRetryable())
			return false, app.NextRetryDelay()
		}
	}
	let := func(tenant string, times int) (n int) {
		for range times {
			in, wait := comes(tenant)
			if in {
				n++
			} else {
				assert.Positive(t, wait)
				assert.Less(t, wait, 10*time.Second)
			}
		}
		return n
	}
	assert.Equal(t, maxActivities/2, let("busy", 70))
	assert.Equal(t, 5, let("quiet", 5), "who has little to do does not wait")
	assert.Equal(t, 11, let("quiet", 70), "a second busy one leaves room, too")
	for _, tenant := range []string{"c", "d", "e", "f", "g"} {
		assert.Positive(t, let(tenant, 70), "always one more")
		assert.LessOrEqual(t, s.all, maxActivities)
	}
	running := s.all // before they end
	close(work.end)
	for range running {
		require.NoError(t, <-ended)
	}
	assert.Zero(t, s.all)
	assert.Empty(t, s.used)

	one := newShares(1)
	assert.True(t, one.enter("a"), "a worker with one slot works, too")
	one.leave("a")
	assert.True(t, one.enter("b"))
}

// TestTheSharesAreOfTheWorkflowsTenants runs a real workflow: an activity that is turned away is retried and completes.
func TestTheSharesAreOfTheWorkflowsTenants(t *testing.T) {
	const tenant = "0419e0c5-6fed-4b66-bf0f-f8a99d44bcd0"
	for _, id := range []string{workflows.ReviewID(tenant, "r"), workflows.ArchiveID(tenant, "p") + "/copy/1-40", workflows.ArchiveQueueID(tenant), workflows.PlanID(tenant, "p")} {
		assert.Equal(t, tenant, workflows.TenantOf(id))
	}
	assert.Empty(t, workflows.TenantOf("something else"))

	env := temporaltest.Workflows()
	tenants := map[string]*config.Tenant{tenant: {}}
	o := workerOptions(1, config.Hold(&config.Config{Tenants: tenants}), nil)
	require.Len(t, o.Interceptors, 1)
	alone := o.Interceptors[0].(*shares)
	require.True(t, alone.enter(tenant))
	require.True(t, alone.enter(tenant), "one tenant alone has all slots")
	tenants["11111111-2222-4333-8444-555555555555"] = &config.Tenant{}
	require.False(t, alone.enter(tenant), "until another comes")
	alone.leave(tenant)
	alone.leave(tenant)
	shared := o.Interceptors[0].(*shares)
	require.True(t, shared.enter(tenant))
	env.SetWorkerOptions(temporaltest.Options(o.Interceptors...))
	env.SetStartWorkflowOptions(client.StartWorkflowOptions{ID: workflows.ReviewID(tenant, "r")})
	asked, ran := 0, 0
	of := shared.tenantOf
	shared.tenantOf = func(ctx context.Context) string {
		if asked++; asked == 2 {
			shared.leave(tenant)
		}
		return of(ctx)
	}
	env.RegisterActivityWithOptions(func(context.Context) error { ran++; return nil }, activity.RegisterOptions{Name: "Work"})
	env.ExecuteWorkflow(func(ctx workflow.Context) error {
		ctx = workflow.WithActivityOptions(ctx, workflow.ActivityOptions{StartToCloseTimeout: time.Minute, RetryPolicy: &temporal.RetryPolicy{InitialInterval: time.Second}})
		return workflow.ExecuteActivity(ctx, "Work").Get(ctx, nil)
	})
	require.NoError(t, env.GetWorkflowError())
	assert.Equal(t, 2, asked)
	assert.Equal(t, 1, ran)
}
