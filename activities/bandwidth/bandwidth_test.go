package bandwidth

import (
	"context"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/time/rate"

	"github.com/framebridge/framebridge/ledger"
	"github.com/framebridge/framebridge/test/emptyledger"
)

func TestABandwidthIsDividedByFilesThatMove(t *testing.T) {
	for _, tt := range []struct {
		allowed   int64
		mine, all int
		part      int64
	}{
		{100, 2, 2, 100}, {100, 1, 4, 25}, {100, 3, 4, 75}, {100, 0, 4, 100}, {1, 1, 10, 1},
		{100, 3, 2, 100}, // the others have not been counted yet
	} {
		assert.Equal(t, tt.part, Part(tt.allowed, tt.mine, tt.all), "%d of %d", tt.mine, tt.all)
	}
}

func TestTwoWorkersShareWhatTheWindowAllows(t *testing.T) {
	ctx := t.Context()
	book, err := ledger.Open(ctx, emptyledger.DSN(t))
	require.NoError(t, err)
	t.Cleanup(book.Close)
	one, two := New(book, "one", slog.New(slog.DiscardHandler)), New(book, "two", slog.New(slog.DiscardHandler))
	_, end := one.Begin(ctx, "t")
	assert.Equal(t, rate.Inf, one.tenants["t"].rate.Limit(), "without a migration nothing is limited")
	end()

	m := book.Tenant("t").Migration("m")
	require.NoError(t, m.Create(ctx, ledger.Migration{Status: ledger.MigrationRunning, Bandwidth: 4 << 20, CreatedAt: time.Now()}))
	wait, end1 := one.Begin(ctx, "t")
	assert.Equal(t, rate.Limit(4<<20), one.tenants["t"].rate.Limit())
	require.NoError(t, wait(ctx, 1<<20))
	_, end2 := one.Begin(ctx, "t")
	_, end3 := one.Begin(ctx, "t")
	_, end4 := two.Begin(ctx, "t")
	assert.Equal(t, rate.Limit(1<<20), two.tenants["t"].rate.Limit(), "one file of four")
	one.adjust(ctx, "t", one.tenants["t"])
	assert.Equal(t, rate.Limit(3<<20), one.tenants["t"].rate.Limit())
	_, end5 := one.Begin(ctx, "other")
	assert.Equal(t, rate.Inf, one.tenants["other"].rate.Limit(), "another tenant has its own")
	for _, end := range []func(){end1, end2, end3, end4, end5} {
		end()
	}

	gone, cancel := context.WithCancel(ctx)
	cancel()
	require.Error(t, wait(gone, 64<<20), "a transfer that is told to stop does not wait on")
	_, err = m.Update(ctx, func(m *ledger.Migration) { m.Status = ledger.MigrationDone })
	require.NoError(t, err)
	_, end = one.Begin(ctx, "t")
	defer end()
	assert.Equal(t, rate.Inf, one.tenants["t"].rate.Limit())
}

// In a window that allows next to nothing, transfers wait for hours. They move at once when the next one allows more.
func TestTheNextWindowHoldsForThoseThatWait(t *testing.T) {
	ctx := t.Context()
	book, err := ledger.Open(ctx, emptyledger.DSN(t))
	require.NoError(t, err)
	t.Cleanup(book.Close)
	m := book.Tenant("t").Migration("m")
	require.NoError(t, m.Create(ctx, ledger.Migration{Status: ledger.MigrationRunning, Bandwidth: 5, CreatedAt: time.Now()}))
	limits := New(book, "one", slog.New(slog.DiscardHandler))
	var ends []func()
	var moving sync.WaitGroup
	for range 8 {
		wait, end := limits.Begin(ctx, "t")
		ends = append(ends, end)
		moving.Go(func() { assert.NoError(t, wait(ctx, 8<<20)) })
	}
	t.Cleanup(func() {
		for _, end := range ends {
			end()
		}
	})
	one := limits.tenants["t"]
	require.Eventually(t, func() bool { return one.rate.Tokens() < 5 }, time.Minute, time.Millisecond, "what may pass at once has passed")
	_, err = m.Update(ctx, func(m *ledger.Migration) { m.Bandwidth = 0 })
	require.NoError(t, err)
	done := make(chan struct{})
	go func() { moving.Wait(); close(done) }()
	require.Eventually(t, func() bool {
		select {
		case <-done:
			return true
		default:
			return false
		}
	}, time.Minute, 10*time.Millisecond)
}

func TestATerminatedMigrationLimitsNobodyForEver(t *testing.T) {
	l, err := ledger.Open(t.Context(), emptyledger.DSN(t))
	require.NoError(t, err)
	t.Cleanup(l.Close)
	h := l.Tenant("T")
	allowed := func() int64 {
		t.Helper()
		n, err := Allowed(t.Context(), h)
		require.NoError(t, err)
		return n
	}
	assert.Zero(t, allowed(), "there is none")
	require.NoError(t, h.Migration("m").Create(t.Context(), ledger.Migration{Status: ledger.MigrationRunning, Bandwidth: 5, CreatedAt: time.Now()}))
	assert.EqualValues(t, 5, allowed(), "it has only begun")
	for age, want := range map[time.Duration]int64{time.Minute: 5, 2 * time.Hour: 0} {
		_, err := h.Migration("m").Update(t.Context(), func(m *ledger.Migration) { m.LookedAt = time.Now().Add(-age) })
		require.NoError(t, err)
		assert.Equal(t, want, allowed(), age)
	}
}

// A ledger that is away for minutes is looked at every two seconds by each worker.
func TestALedgerThatIsAwayIsLoggedOnce(t *testing.T) {
	book, err := ledger.Open(t.Context(), emptyledger.DSN(t))
	require.NoError(t, err)
	var log strings.Builder
	s := New(book, "one", slog.New(slog.NewTextHandler(&log, nil)))
	_, end := s.Begin(t.Context(), "t")
	end() // from here on, nothing looks by itself
	one := &limit{rate: rate.NewLimiter(rate.Inf, burst)}
	book.Close()
	for range 3 {
		s.adjust(t.Context(), "t", one)
	}
	assert.Equal(t, 1, strings.Count(log.String(), "level=WARN"), log.String())
}
