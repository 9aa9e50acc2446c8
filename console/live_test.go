package console

import (
	"bufio"
	"context"
	"net/http"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/framebridge/framebridge/config"
	"github.com/framebridge/framebridge/ledger"
)

func TestATopicIsAskedForOnceHoweverManyPagesAreOpen(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		stop, cancel := context.WithCancel(t.Context())
		defer cancel()
		var asked, version atomic.Int64
		version.Store(1)
		l := newLive(stop, func(context.Context, topic) (state, error) {
			asked.Add(1)
			return state{Version: strconv.FormatInt(version.Load(), 10)}, nil
		})
		open := make([]chan []byte, 200)
		for i := range open {
			var ok bool
			open[i], ok = l.join(topic{"t", "archives"})
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
			l.leave(topic{"t", "archives"}, news)
		}
		asked.Store(0)
		time.Sleep(10 * pollInterval)
		assert.LessOrEqual(t, asked.Load(), int64(1), "nobody looks: nothing is asked")
		news, _ := l.join(topic{"t", "archives"})
		synctest.Wait()
		assert.JSONEq(t, `{"version":"3"}`, string(<-news))
	})
}

func TestTooManyPagesAreRefused(t *testing.T) {
	l := newLive(t.Context(), func(context.Context, topic) (state, error) { return state{}, nil })
	for range streamsAtOnce {
		_, ok := l.join(topic{"t", "archives"})
		require.True(t, ok)
	}
	_, ok := l.join(topic{"t", "archives"})
	assert.False(t, ok)
}

func TestTheStreamTellsWhatHasChanged(t *testing.T) {
	h := filled(t, config.RoleViewer)
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, h.server.URL+"/ui/"+acme+"/events?topic=archive/running", nil)
	require.NoError(t, err)
	resp, err := http.DefaultClient.Do(req)
	require.NoError(t, err)
	defer resp.Body.Close()
	assert.Equal(t, "text/event-stream", resp.Header.Get("Content-Type"))
	lines := make(chan string)
	go func() {
		defer close(lines)
		for in := bufio.NewScanner(resp.Body); in.Scan(); {
			if data, ok := strings.CutPrefix(in.Text(), "data: "); ok {
				lines <- data
			}
		}
	}()
	first := <-lines
	for !strings.Contains(first, "percent") { // a busy machine has not added up yet
		first = <-lines
	}
	assert.Contains(t, first, `"running.percent":"50"`)
	_, body := h.get(t, "archives/running")
	_, version, _ := strings.Cut(first, `"version":"`)
	version, _, _ = strings.Cut(version, `"`)
	assert.Contains(t, body, `data-version="`+version+`"`, "a page that has just been read is not read again")
	_, err = h.ledger.Tenant(acme).Archive("running").Update(t.Context(), func(a *ledger.Archive) { a.Status = ledger.Verifying })
	require.NoError(t, err)
	assert.NotContains(t, <-lines, version)
}

func TestATemporalThatHangsHoldsNoPageUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := &health{now: time.Now, ask: func(ctx context.Context) error { <-ctx.Done(); return ctx.Err() }}
		begun := time.Now()
		assert.True(t, h.ready(t.Context()), "nothing is known yet")
		assert.Equal(t, healthPatience, time.Since(begun))
		time.Sleep(2 * time.Second)
		synctest.Wait()
		assert.False(t, h.ready(t.Context()))
		h.ask = func(context.Context) error { return nil }
		time.Sleep(healthInterval)
		assert.False(t, h.ready(t.Context()), "what was known, while it is asked")
		synctest.Wait()
		assert.True(t, h.ready(t.Context()))
	})
}
