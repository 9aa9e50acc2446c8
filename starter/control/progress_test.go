package control

import (
	"context"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/framebridge/framebridge/ledger"
)

// summed is an archive whose items take some time to add up, by a clock of its own.
type summed struct {
	takes time.Duration
	at    time.Time
	reads int64
}

func (s *summed) now() time.Time { return s.at }

func (s *summed) read(context.Context) (ledger.Totals, error) {
	s.reads++
	s.at = s.at.Add(s.takes)
	return ledger.Totals{Items: s.reads}, nil
}

func TestALargeArchiveIsAddedUpSeldom(t *testing.T) {
	var p progress
	row := ledger.Archive{Tenant: "t", ID: "a", Run: 1, Status: ledger.Running}
	large := &summed{takes: 5 * time.Second, at: time.Unix(1_000_000, 0)}
	items := func() int64 {
		sum, err := p.of(t.Context(), row, large.now, large.read)
		require.NoError(t, err)
		return sum.Items
	}
	require.Equal(t, int64(1), items())
	large.at = large.at.Add(99 * time.Second)
	assert.Equal(t, int64(1), items())
	large.at = large.at.Add(2 * time.Second)
	assert.Equal(t, int64(2), items())
	row.Status = ledger.Verified
	assert.Equal(t, int64(3), items(), "an end shows at once")
	row.ID = "b"
	assert.Equal(t, int64(4), items())
}

func TestASmallArchiveIsAddedUpEachTime(t *testing.T) {
	var p progress
	small := &summed{takes: 20 * time.Millisecond, at: time.Unix(1_000_000, 0)}
	for want := range int64(3) {
		sum, err := p.of(t.Context(), ledger.Archive{Tenant: "t", ID: "a"}, small.now, small.read)
		require.NoError(t, err)
		assert.Equal(t, want+1, sum.Items)
	}
}

// A caller that goes away does not take the sum from the others.
func TestAllWhoAskAtOnceShareOneSum(t *testing.T) {
	var p progress
	begun, finish := make(chan struct{}), make(chan struct{})
	read := func(ctx context.Context) (ledger.Totals, error) {
		close(begun) // a second call panics
		<-finish
		return ledger.Totals{Items: 7}, ctx.Err()
	}
	leaving, leave := context.WithCancel(t.Context())
	first := make(chan error, 1)
	go func() {
		_, err := p.of(leaving, ledger.Archive{}, time.Now, read)
		first <- err
	}()
	<-begun
	var others sync.WaitGroup
	asked := make(chan struct{}, 3)
	for range cap(asked) {
		others.Go(func() {
			asked <- struct{}{}
			sum, err := p.of(t.Context(), ledger.Archive{}, time.Now, func(context.Context) (ledger.Totals, error) { return ledger.Totals{Items: 7}, nil })
			assert.NoError(t, err)
			assert.Equal(t, int64(7), sum.Items)
		})
	}
	for range cap(asked) {
		<-asked
	}
	leave()
	require.ErrorIs(t, <-first, context.Canceled)
	close(finish)
	others.Wait()
}
