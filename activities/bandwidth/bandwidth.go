// Package bandwidth keeps a tenant's transfers within what its migration's window allows, across all workers.
package bandwidth

import (
	"context"
	"log/slog"
	"sync"
	"time"

	"golang.org/x/time/rate"

	"github.com/framebridge/framebridge/ledger"
)

const (
	every = 2 * time.Second  // between looks at what is allowed, and at how many others there are
	fresh = 10 * time.Second // for this long a worker that has reported transfers counts as moving them
	burst = 4 << 20          // bytes that may pass at once after a time in which nothing moved
	ahead = time.Second / 2  // bytes are reserved for this long in advance: the next window may allow more
)

// Limits are those of one worker.
type Limits struct {
	ledger *ledger.Ledger
	worker string
	log    *slog.Logger

	mu      sync.Mutex
	tenants map[string]*limit
}

// New returns the limits of a worker, whose name must be unique.
func New(l *ledger.Ledger, worker string, log *slog.Logger) *Limits {
	return &Limits{ledger: l, worker: worker, log: log, tenants: map[string]*limit{}}
}

// limit is what one tenant's transfers share in this worker.
type limit struct {
	rate      *rate.Limiter
	turn      chan struct{} // held by the transfer that waits for its bytes; the others wait for it
	transfers int
	stop      context.CancelFunc
	unread    bool // the last look failed, which the log has
}

// Begin counts a transfer of a tenant until end is called. wait returns once n bytes may have passed. A nil *Limits has no limit, and
// wait is nil.
func (s *Limits) Begin(ctx context.Context, tenant string) (wait func(ctx context.Context, n int) error, end func()) {
	if s == nil {
		return nil, func() {}
	}
	s.mu.Lock()
	t, known := s.tenants[tenant]
	if !known {
		t = &limit{rate: rate.NewLimiter(rate.Inf, burst), turn: make(chan struct{}, 1)}
		s.tenants[tenant] = t
	}
	t.transfers++
	first := t.stop == nil
	if first { // it keeps looking as long as anything of the tenant moves
		looking, stop := context.WithCancel(context.WithoutCancel(ctx))
		t.stop = stop
		go s.look(looking, tenant, t)
	}
	s.mu.Unlock()
	s.adjust(ctx, tenant, t) // before the first byte
	return t.wait, func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		if t.transfers--; t.transfers == 0 {
			t.stop()
			t.stop = nil
		}
	}
}

func (t *limit) wait(ctx context.Context, n int) error {
	for n > 0 && t.rate.Limit() != rate.Inf {
		step, err := t.pass(ctx, n)
		if err != nil {
			return err
		}
		n -= step
	}
	return nil
}

// pass waits until some of n bytes may have passed, and returns how many.
func (t *limit) pass(ctx context.Context, n int) (int, error) {
	select {
	case t.turn <- struct{}{}:
	case <-ctx.Done():
		return 0, ctx.Err()
	}
	defer func() { <-t.turn }()
	step := min(n, burst)
	if soon := float64(t.rate.Limit()) * ahead.Seconds(); soon < float64(step) {
		step = max(int(soon), 1)
	}
	return step, t.rate.WaitN(ctx, step)
}

func (s *Limits) look(ctx context.Context, tenant string, t *limit) {
	tick := time.NewTicker(every)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
			s.adjust(ctx, tenant, t)
		}
	}
}

// adjust sets the limit to this worker's share of the tenant's bandwidth. If the ledger does not answer, the limit stays.
func (s *Limits) adjust(ctx context.Context, tenant string, t *limit) {
	s.mu.Lock()
	mine := t.transfers
	s.mu.Unlock()
	allowed, err := Allowed(ctx, s.ledger.Tenant(tenant))
	if err == nil && allowed > 0 {
		var all int
		if all, err = s.ledger.Tenant(tenant).ShareTransfers(ctx, s.worker, mine, fresh); err == nil {
			allowed = Part(allowed, mine, all)
		}
	}
	if err != nil && ctx.Err() != nil {
		return
	}
	s.mu.Lock()
	news := t.unread != (err != nil)
	t.unread = err != nil
	s.mu.Unlock()
	switch {
	case err != nil && news:
		s.log.WarnContext(ctx, "could not read the bandwidth that the migration's window allows; the limit stays as it is", "tenant", tenant, "error", err)
	case news:
		s.log.InfoContext(ctx, "the bandwidth that the migration's window allows can be read again", "tenant", tenant)
	}
	if err != nil {
		return
	}
	if allowed <= 0 {
		t.rate.SetLimit(rate.Inf)
		return
	}
	t.rate.SetLimit(rate.Limit(allowed))
}

// limitLasts is how long a migration's limit applies after its last look: a migration terminated in Temporal must limit nobody.
const limitLasts = time.Hour

// Allowed returns what a tenant's open migration allows its transfers now, in bytes per second, or 0 if there is no limit.
func Allowed(ctx context.Context, h ledger.TenantLedger) (int64, error) {
	m, known, err := h.NewestMigration(ctx)
	if err != nil || !known || m.Status.Ended() || !m.LookedAt.IsZero() && time.Since(m.LookedAt) > limitLasts {
		return 0, err
	}
	return m.Bandwidth, nil
}

// Part returns a worker's share of a tenant's bandwidth. Every file that moves, on any worker, gets the same.
func Part(allowed int64, mine, all int) int64 {
	if mine <= 0 || all <= mine {
		return allowed
	}
	return max(allowed*int64(mine)/int64(all), 1)
}
