package process

import (
	"context"
	"math/rand/v2"
	"sync"
	"time"

	"go.temporal.io/sdk/activity"
	"go.temporal.io/sdk/interceptor"
	"go.temporal.io/sdk/temporal"

	"github.com/framebridge/framebridge/workflows"
)

// An activity that arrives while its tenant's share is in use is retried after about this long, which frees its slot for others
// at once. The wait is short because nothing signals that the share has room again.
const (
	shareWait   = 2 * time.Second
	shareJitter = 2 * time.Second
)

// errShare is the type of the error that makes an activity wait for its tenant's share.
const errShare = "TenantShare"

// shares keeps one tenant's load from taking all slots of a worker. A tenant may run at most as many activities as there are
// slots left for everybody else. That is half of the slots if no other tenant is active, and less the more tenants are; there is
// always room for one more.
type shares struct {
	interceptor.WorkerInterceptorBase
	slots    int
	tenantOf func(context.Context) string
	alone    func() bool // there is only one tenant, which gets all slots

	mu   sync.Mutex
	used map[string]int
	all  int
}

func newShares(slots int) *shares {
	return &shares{slots: slots, used: map[string]int{}, alone: func() bool { return false }, tenantOf: func(ctx context.Context) string {
		return workflows.TenantOf(activity.GetInfo(ctx).WorkflowExecution.ID)
	}}
}

func (s *shares) enter(tenant string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if mine := s.used[tenant]; !s.alone() && tenant != "" && mine > 0 && mine >= s.slots-s.all {
		return false
	}
	s.used[tenant]++
	s.all++
	return true
}

func (s *shares) leave(tenant string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.all--
	if s.used[tenant]--; s.used[tenant] == 0 {
		delete(s.used, tenant)
	}
}

func (s *shares) InterceptActivity(_ context.Context, next interceptor.ActivityInboundInterceptor) interceptor.ActivityInboundInterceptor {
	i := &sharingActivity{shares: s}
	i.Next = next
	return i
}

type sharingActivity struct {
	interceptor.ActivityInboundInterceptorBase
	shares *shares
}

// ExecuteActivity runs the activity if its tenant's share has room, and otherwise returns an error that has it retried. The
// heartbeat details of earlier attempts stay, so that a transfer resumes from them.
func (a *sharingActivity) ExecuteActivity(ctx context.Context, in *interceptor.ExecuteActivityInput) (any, error) {
	tenant := a.shares.tenantOf(ctx)
	if !a.shares.enter(tenant) {
		return nil, temporal.NewApplicationErrorWithOptions("waits for its turn: this tenant's share of the worker is in use", errShare,
			temporal.ApplicationErrorOptions{NextRetryDelay: shareWait + rand.N(shareJitter), Category: temporal.ApplicationErrorCategoryBenign}) //nolint:gosec // jitter
	}
	defer a.shares.leave(tenant)
	return a.Next.ExecuteActivity(ctx, in)
}
