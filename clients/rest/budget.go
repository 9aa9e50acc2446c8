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
	mostCalls   = 1e6         // the most that a vendor's header may allow per window
	slowestPace = time.Minute // per call; a header that asks for less is a mistake
)

// Limit is a vendor's rate limit: a bucket of Calls that refills continuously over Window.
type Limit struct {
	Calls  float64
	Window time.Duration
}

// Budgets holds one budget for each operation, or group of operations, of one tenant.
type Budgets struct {
	// Group returns the name of the budget that an operation draws on; if nil, every operation has its own.
	Group func(operation string) string
	// Known are the initial limits. The vendor's headers correct them.
	Known map[string]Limit

	mu   sync.Mutex
	each map[string]*Budget
	made func(name string, b *Budget) // called for each new budget; may be nil
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

// Budget paces the calls of one operation. It allows the bucket's burst first and then calls at the pace of the refill. If
// headers report the vendor's own count, it adopts that. Callers are served in order of arrival.
type Budget struct {
	turn   chan struct{} // holds one token; its owner waits for the next call
	mu     sync.Mutex
	limit  Limit
	level  float64 // calls that may be made now
	flying float64 // sent, but not answered
	queued float64 // waiting for their turn
	at     time.Time
	pause  time.Time
	streak int // bursts of 429s in a row
	told   BudgetRefusals
	now    func() time.Time
}

// NewBudget returns a budget with a full bucket. With the zero Limit, it does not pace calls until the vendor announces a limit.
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

// Wait returns when the next call may be made. If the vendor asked for a pause longer than most, Wait returns what is left of it
// at once, so that the caller can do something else. It always waits as long as pacing requires.
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

// Idle reports whether more than half of the limit is unused and no pause is in effect, so that calls that are not urgent may go.
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

// room returns how many calls may be made at once in addition to the waiting ones. It is negative if a call must wait; the longer
// the wait, the lower.
func (b *Budget) room() float64 {
	b.mu.Lock()
	defer b.mu.Unlock()
	now := b.now()
	b.refill(now)
	room := b.level - b.queued
	if b.perSecond() == 0 {
		room = -b.flying - b.queued // without a limit, prefer the fewest calls in flight
	}
	if d := b.pause.Sub(now); d > 0 {
		room -= mostCalls + d.Seconds()
	}
	return room
}

// paused returns what is left of the pause that the vendor asked for.
func (b *Budget) paused() time.Duration {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.pause.Sub(b.now())
}

// take takes a call from the bucket. If there is none, it returns how long to wait for one.
func (b *Budget) take() time.Duration {
	b.mu.Lock()
	defer b.mu.Unlock()
	now := b.now()
	b.refill(now)
	if d := b.pause.Sub(now); d > 0 {
		return d
	}
	if paced := b.perSecond() > 0; !paced || b.level >= 1 {
		if paced { // calls from before a limit was known are not owed
			b.level--
		}
		b.flying++
		return 0
	}
	return max(time.Duration((1-b.level)/b.perSecond()*float64(time.Second)), time.Millisecond)
}

// Done accounts for the vendor's response to a call; h is nil if there was none. It returns the length of a pause that begins
// with this response, or 0.
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
		// Calls in flight may or may not be in the vendor's count; within that margin, do not correct the level.
		b.level = min(max(b.level, n-b.flying), n)
	}
	burst := b.pause.After(now) // nothing is sent during a pause, so a response that arrives in one is to an earlier call
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
