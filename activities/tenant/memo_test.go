package tenant

import (
	"context"
	"errors"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
)

// Concurrent callers for the same key share one call, callers for another key do not wait for it, and a caller that gives up
// does not cancel the call for the others.
func TestCallersShareACallAndNoneWaitsForAnother(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var m Memo[string]
		var calls atomic.Int32
		slow := func(ctx context.Context) (string, error) {
			calls.Add(1)
			select {
			case <-ctx.Done():
				return "", ctx.Err()
			case <-time.After(time.Minute):
				return "a", nil
			}
		}
		results := make(chan string, 2)
		impatient, cancel := context.WithCancel(t.Context())
		go func() {
			_, err := m.Get(impatient, "k", slow)
			results <- err.Error()
		}()
		synctest.Wait()
		go func() {
			v, err := m.Get(t.Context(), "k", slow)
			require.NoError(t, err)
			results <- v
		}()
		synctest.Wait()
		began := time.Now()
		v, err := m.Get(t.Context(), "other", func(context.Context) (string, error) { return "b", nil })
		require.NoError(t, err)
		require.Equal(t, "b", v)
		require.Zero(t, time.Since(began))
		cancel()
		require.Equal(t, context.Canceled.Error(), <-results)
		require.Equal(t, "a", <-results)
		require.EqualValues(t, 1, calls.Load())
	})
}

// What failed is looked up again, and so is what was cached for long enough.
func TestAMemoForgets(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := Memo[int]{Lasts: time.Minute}
		n := 0
		find := func(context.Context) (int, error) {
			if n++; n == 1 {
				return 0, errors.New("away")
			}
			return n, nil
		}
		_, err := m.Get(t.Context(), "", find)
		require.Error(t, err)
		for _, want := range []int{2, 2, 3} {
			v, err := m.Get(t.Context(), "", find)
			require.NoError(t, err)
			require.Equal(t, want, v)
			if want == 2 && n == 2 {
				time.Sleep(40 * time.Second)
			}
		}
	})
}
