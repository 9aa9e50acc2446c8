package rest

import (
	"cmp"
	"context"
	"net/http"
	"sync"
	"time"

	"github.com/framebridge/framebridge/untrusted"
)

const (
	mostCalls   = 1e6         // that a vendor's header may allow in its window
	slowestPace = time.Minute // a call: what asks for less than that is a mistake
)

// Limit is a vendor's rate limit: Calls in Window, as a bucket that refills continuously.
type Limit struct {
	Calls  float64
	Window time.Duration
}

// Budgets hold one budget for each operation, or group of operations, of one tenant.
type Budgets struct {
	// Group names the budget that an operation draws on; nil: its own.
	Group func(operation string) string
	// Known are the limits to begin with; the vendor's headers correct them.
	Known map[string]Limit

	mu   sync.Mutex
	each map[string]*Budget
}

func (b *Budgets) of(operation string) *Budget {
	if b == nil {
		return nil
	}
	key := operation
	if b.Group != nil {
		key = b.Group(operation)
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.each == nil {
		b.each = map[string]*Budget{}
	}
	one, ok := b.each[key]
	if !ok {
		one = NewBudget(b.Known[key])
		b.each[key] = one
	}
	return one
}

// Budget paces the calls of one operation. It spends the bucket's burst first, then keeps the pace of its refill, and
// takes the vendor's own count where headers tell it. Callers are served in the order they came.
type Budget struct {
	turn   chan struct{} // holds one token: whoever has it waits for the next call
	mu     sync.Mutex
	limit  Limit
	level  float64 // calls that may be made now
	flying float64 // made, not answered
	at     time.Time
	pause  time.Time
	streak int // 429s in a row
	now    func() time.Time
}

// NewBudget begins with a full bucket; the zero Limit does not pace until the vendor asks for it.
func NewBudget(l Limit) *Budget {
	b := &Budget{turn: make(chan struct{}, 1), limit: l, level: l.Calls, now: time.Now}
	b.at = b.now()
	return b
}

func (b *Budget) perSecond() float64 {
	if b.limit.Window <= 0 {
		return 0
	}
	return b.limit.Calls / b.limit.Window.Seconds()
}

func (b *Budget) refill(now time.Time) {
	if d := now.Sub(b.at).Seconds(); d > 0 {
		b.level = min(b.limit.Calls, b.level+d*b.perSecond())
	}
	b.at = now
}

// Wait returns when the next call may be made. Where the vendor has asked for a pause of more than most, it returns at
// once with what is left of it: the caller has better to do than to hold its place. Waits that keep the pace of a limit
// are always waited out.
func (b *Budget) Wait(ctx context.Context, most time.Duration) (pause time.Duration, err error) {
	if b == nil {
		return 0, ctx.Err()
	}
	if d := b.paused(); d > most {
		return d, nil
	}
	select {
	case b.turn <- struct{}{}:
	case <-ctx.Done():
		return 0, ctx.Err()
	}
	defer func() { <-b.turn }()
	for {
		if d := b.paused(); d > most {
			return d, nil
		}
		d := b.take()
		if d <= 0 {
			return 0, ctx.Err()
		}
		t := time.NewTimer(d)
		select {
		case <-ctx.Done():
			t.Stop()
			return 0, ctx.Err()
		case <-t.C:
		}
	}
}

// paused is what is left of the pause that the vendor has asked for.
func (b *Budget) paused() time.Duration {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.pause.Sub(b.now())
}

// take takes a call from the bucket, or tells how long it takes until there is one.
func (b *Budget) take() time.Duration {
	b.mu.Lock()
	defer b.mu.Unlock()
	now := b.now()
	b.refill(now)
	if d := b.pause.Sub(now); d > 0 {
		return d
	}
	if paced := b.perSecond() > 0; !paced || b.level >= 1 {
		if paced { // calls from before a limit was known are no debt
			b.level--
		}
		b.flying++
		return 0
	}
	return max(time.Duration((1-b.level)/b.perSecond()*float64(time.Second)), time.Millisecond)
}

// Done takes the vendor's answer to a call into account; h is nil when there was none.
func (b *Budget) Done(status int, h http.Header) {
	if b == nil {
		return
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	now := b.now()
	b.refill(now)
	b.flying = max(0, b.flying-1)
	if h == nil {
		return
	}
	calls, hasCalls := untrusted.Number("X-Ratelimit-Limit", h.Get("X-Ratelimit-Limit"), 1, mostCalls)
	ms, hasWindow := untrusted.Number("X-Ratelimit-Window", h.Get("X-Ratelimit-Window"), 1, slowestPace.Seconds()*1000*calls)
	if hasCalls && hasWindow {
		b.limit = Limit{Calls: calls, Window: time.Duration(ms * float64(time.Millisecond))}
	}
	left := cmp.Or(h.Get("X-Ratelimit-Remaining"), h.Get("Ratelimit-Remaining"))
	if n, ok := untrusted.Number("X-Ratelimit-Remaining", left, 0, mostCalls); ok && b.perSecond() > 0 {
		// Calls on their way may or may not be in the vendor's count: between these two it is not corrected.
		b.level = min(max(b.level, n-b.flying), n)
	}
	if status == http.StatusTooManyRequests {
		b.streak++
		wait, _ := untrusted.RetryAfter(h, now)
		if wait == 0 {
			wait = shortestThrottle << min(b.streak-1, 5)
		}
		wait = max(wait, shortestThrottle)
		if until := now.Add(wait); until.After(b.pause) {
			b.pause = until
		}
		b.level = min(b.level, 1)
		return
	}
	b.streak = 0
}
