package live

import (
	"context"
	"sync"
	"time"
)

const (
	healthInterval = 5 * time.Second
	healthPatience = 150 * time.Millisecond
)

// Health caches for a moment whether something responds.
type Health struct {
	ask func(context.Context) error
	now func() time.Time

	mu     sync.Mutex
	asked  time.Time
	good   bool
	asking bool
}

// NewHealth returns a Health that uses ask to check.
func NewHealth(ask func(context.Context) error, now func() time.Time) *Health {
	return &Health{ask: ask, now: now}
}

// Ready reports whether the last check got a response. While a check is running, Ready returns the previous result. The first call
// waits a moment for its result, and then assumes that it is good.
func (h *Health) Ready(ctx context.Context) bool {
	h.mu.Lock()
	first := h.asked.IsZero()
	if h.asking || !first && h.now().Sub(h.asked) < healthInterval {
		defer h.mu.Unlock()
		return h.good || first
	}
	h.asking = true
	h.mu.Unlock()
	answer := make(chan bool, 1)
	go func() {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 2*time.Second)
		defer cancel()
		good := h.ask(ctx) == nil
		h.mu.Lock()
		h.good, h.asked, h.asking = good, h.now(), false
		h.mu.Unlock()
		answer <- good
	}()
	if first {
		select {
		case good := <-answer:
			return good
		case <-time.After(healthPatience):
			return true
		}
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.good
}
