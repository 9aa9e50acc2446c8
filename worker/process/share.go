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

// An activity that comes while its tenant's share is in use comes again after this long, give or take: its slot is free
// for others at once. It is short, because nobody is told when the share has room again.
const (
	shareWait   = 2 * time.Second
	shareJitter = 2 * time.Second
)

// errShare is the type of error by which an activity waits for its tenant's share.
const errShare = "TenantShare"

// shares keeps one tenant's load from taking all slots of a worker: a tenant may have at most as many activities at work
// as slots are left for all others. That is half of the slots where nobody else works, less the more tenants do, and
// there is room for one more at any time.
type shares struct {
	interceptor.WorkerInterceptorBase
	slots    int
	tenantOf func(context.Context) string
	alone    func() bool // there is one tenant only: all slots are its

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

// ExecuteActivity leaves the heartbeats of the attempts before as they are: a transfer goes on from there.
func (a *sharingActivity) ExecuteActivity(ctx context.Context, in *interceptor.ExecuteActivityInput) (any, error) {
	tenant := a.shares.tenantOf(ctx)
	if !a.shares.enter(tenant) {
		return nil, temporal.NewApplicationErrorWithOptions("waits for its turn: this tenant's share of the worker is in use", errShare,
			temporal.ApplicationErrorOptions{NextRetryDelay: shareWait + rand.N(shareJitter), Category: temporal.ApplicationErrorCategoryBenign}) //nolint:gosec // jitter
	}
	defer a.shares.leave(tenant)
	return a.Next.ExecuteActivity(ctx, in)
}
