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
	made func(name string, b *Budget) // is told of each; nil: nobody
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
		if b.made != nil {
			b.made(key, one)
		}
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
	queued float64 // that wait for their turn
	at     time.Time
	pause  time.Time
	streak int // bursts of 429s in a row
	told   BudgetRefusals
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
	b.queue(1)
	defer b.queue(-1)
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

// Idle says that more than half of the limit is unused and nobody waits: what is in no hurry may go.
func (b *Budget) Idle() bool {
	if b == nil {
		return true
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	now := b.now()
	b.refill(now)
	return !b.pause.After(now) && (b.perSecond() == 0 || b.level > b.limit.Calls/2)
}

func (b *Budget) queue(n float64) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.queued += n
}

// room is how many calls may be made at once beside those that wait; less than 0 where one has to wait, the longer the less.
func (b *Budget) room() float64 {
	b.mu.Lock()
	defer b.mu.Unlock()
	now := b.now()
	b.refill(now)
	room := b.level - b.queued
	if b.perSecond() == 0 {
		room = -b.flying - b.queued // without a limit, the one with fewest calls on their way
	}
	if d := b.pause.Sub(now); d > 0 {
		room -= mostCalls + d.Seconds()
	}
	return room
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

// Done takes the vendor's answer to a call into account; h is nil when there was none. It returns the pause that begins with
// it, if one does.
func (b *Budget) Done(status int, h http.Header) (pause time.Duration) {
	if b == nil {
		return 0
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	now := b.now()
	b.refill(now)
	b.flying = max(0, b.flying-1)
	if h == nil {
		return 0
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
	burst := b.pause.After(now) // nothing is sent in a pause: what is answered in one was sent before it
	if status == http.StatusTooManyRequests {
		b.told.Count, b.told.Last = b.told.Count+1, now.UTC()
		if !burst {
			b.streak++
		}
		wait, _ := untrusted.RetryAfter(h, now)
		if wait == 0 {
			wait = shortestThrottle << min(b.streak-1, 5)
		}
		wait = max(wait, shortestThrottle)
		if until := now.Add(wait); until.After(b.pause) {
			if !burst {
				pause = wait
			}
			b.pause = until
		}
		b.level = min(b.level, 1)
		return pause
	}
	if !burst {
		b.streak = 0
	}
	return 0
}
