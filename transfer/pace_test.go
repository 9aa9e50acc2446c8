package transfer

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestThePaceHalvesAndRecovers(t *testing.T) {
	p := newPace(8)
	for range 8 {
		require.NoError(t, p.acquire(t.Context()))
	}
	for range 8 { // they all get the same SlowDown
		p.release(&SinkError{Status: 503})
	}
	assert.InDelta(t, 4, p.limit, 0.01, "that is one cut")
	p.cut = time.Now().Add(-time.Minute)
	require.NoError(t, p.acquire(t.Context()))
	p.release(&SinkError{Status: 429})
	assert.InDelta(t, 2, p.limit, 0.01)
	for range 60 {
		require.NoError(t, p.acquire(t.Context()))
		p.release(nil)
	}
	assert.InDelta(t, 8, p.limit, 0.01)
	p.cut = time.Now().Add(-time.Minute)
	require.NoError(t, p.acquire(t.Context()))
	p.release(&SinkError{Status: 500})
	assert.InDelta(t, 8, p.limit, 0.01, "other errors are no request for less")
}

func TestThePaceServesInOrderAndForgetsWhoLeft(t *testing.T) {
	p := newPace(1)
	require.NoError(t, p.acquire(t.Context()))
	ctx, cancel := context.WithCancel(t.Context())
	left := make(chan error)
	go func() { left <- p.acquire(ctx) }()
	require.Eventually(t, func() bool { p.mu.Lock(); defer p.mu.Unlock(); return len(p.waiting) == 1 }, time.Second, time.Millisecond)
	cancel()
	require.ErrorIs(t, <-left, context.Canceled)
	p.release(nil)
	require.NoError(t, p.acquire(t.Context()))
	assert.Equal(t, 1, p.running)
}
