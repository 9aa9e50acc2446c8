package live

import (
	"context"
	"strconv"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestATopicIsAskedForOnceHoweverManyPagesAreOpen(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		stop, cancel := context.WithCancel(t.Context())
		defer cancel()
		var asked, version atomic.Int64
		version.Store(1)
		l := New(stop, func(context.Context, Topic) (State, error) {
			asked.Add(1)
			return State{Version: strconv.FormatInt(version.Load(), 10)}, nil
		})
		open := make([]chan []byte, 200)
		for i := range open {
			var ok bool
			open[i], ok = l.join(Topic{"t", "archives"})
			require.True(t, ok)
		}
		time.Sleep(3 * pollInterval / 2)
		synctest.Wait()
		assert.EqualValues(t, 2, asked.Load())
		for _, news := range open {
			assert.JSONEq(t, `{"version":"1"}`, string(<-news))
		}
		time.Sleep(pollInterval)
		synctest.Wait()
		assert.Empty(t, open[0], "what has not changed is not sent again")
		version.Store(2)
		time.Sleep(2 * pollInterval)
		version.Store(3)
		time.Sleep(2 * pollInterval)
		synctest.Wait()
		assert.JSONEq(t, `{"version":"3"}`, string(<-open[7]), "only the last state")
		for _, news := range open {
			l.leave(Topic{"t", "archives"}, news)
		}
		asked.Store(0)
		time.Sleep(10 * pollInterval)
		assert.LessOrEqual(t, asked.Load(), int64(1), "nobody looks: nothing is asked")
		news, _ := l.join(Topic{"t", "archives"})
		synctest.Wait()
		assert.JSONEq(t, `{"version":"3"}`, string(<-news))
	})
}

func TestTooManyPagesAreRefused(t *testing.T) {
	l := New(t.Context(), func(context.Context, Topic) (State, error) { return State{}, nil })
	for range streamsAtOnce {
		_, ok := l.join(Topic{"t", "archives"})
		require.True(t, ok)
	}
	_, ok := l.join(Topic{"t", "archives"})
	assert.False(t, ok)
}

func TestATemporalThatHangsHoldsNoPageUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := NewHealth(func(ctx context.Context) error { <-ctx.Done(); return ctx.Err() }, time.Now)
		begun := time.Now()
		assert.True(t, h.Ready(t.Context()), "nothing is known yet")
		assert.Equal(t, healthPatience, time.Since(begun))
		time.Sleep(2 * time.Second)
		synctest.Wait()
		assert.False(t, h.Ready(t.Context()))
		h.ask = func(context.Context) error { return nil }
		time.Sleep(healthInterval)
		assert.False(t, h.Ready(t.Context()), "what was known, while it is asked")
		synctest.Wait()
		assert.True(t, h.Ready(t.Context()))
	})
}
