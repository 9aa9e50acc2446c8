package transfer

import (
	"context"
	"errors"
	"sync"
	"time"
)

// pace limits how many requests a transfer makes at once: one more after each round without trouble, half as many when the
// store asks to slow down.
type pace struct {
	mu      sync.Mutex
	most    float64
	limit   float64
	running int
	cut     time.Time
	waiting []chan struct{}
}

const cutEvery = time.Second // all parts in flight get the same SlowDown, which must count as one cut

func newPace(most int) *pace { return &pace{most: float64(most), limit: float64(most)} }

func (p *pace) acquire(ctx context.Context) error {
	p.mu.Lock()
	if float64(p.running) < max(p.limit, 1) && len(p.waiting) == 0 {
		p.running++
		p.mu.Unlock()
		return nil
	}
	turn := make(chan struct{})
	p.waiting = append(p.waiting, turn)
	p.mu.Unlock()
	select {
	case <-turn:
		return nil
	case <-ctx.Done():
		p.mu.Lock()
		defer p.mu.Unlock()
		for i, w := range p.waiting {
			if w == turn {
				p.waiting = append(p.waiting[:i], p.waiting[i+1:]...)
				return ctx.Err()
			}
		}
		p.running-- // it was admitted meanwhile
		p.admit()
		return ctx.Err()
	}
}

// release ends a request and learns from its outcome.
func (p *pace) release(err error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.running--
	var asked interface{ Throttled() bool }
	switch {
	case err == nil:
		p.limit = min(p.most, p.limit+1/max(p.limit, 1))
	case errors.As(err, &asked) && asked.Throttled() && time.Since(p.cut) > cutEvery:
		p.limit, p.cut = max(1, p.limit/2), time.Now()
	}
	p.admit()
}

func (p *pace) admit() {
	for len(p.waiting) > 0 && float64(p.running) < max(p.limit, 1) {
		p.running++
		close(p.waiting[0])
		p.waiting = p.waiting[1:]
	}
}
