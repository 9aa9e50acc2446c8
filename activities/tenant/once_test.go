package tenant

import (
	"context"
	"fmt"
	"log/slog"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/framebridge/framebridge/clients/iconik"
	"github.com/framebridge/framebridge/clients/rest"
	"github.com/framebridge/framebridge/config"
	"github.com/framebridge/framebridge/ledger"
	"github.com/framebridge/framebridge/test/emptyledger"
)

// What a later attempt has created is invisible for as long as what the first one created: if its answer is lost, a third
// attempt must not create it again.
func TestALateAttemptIsWaitedForToo(t *testing.T) {
	const settle, lag = 600 * time.Millisecond, 300 * time.Millisecond
	book, err := ledger.Open(t.Context(), emptyledger.DSN(t))
	require.NoError(t, err)
	defer book.Close()
	lost := &rest.Error{Vendor: "iconik", Operation: "create", Class: rest.Retryable, Uncertain: true}
	var made []time.Time // objects in iconik
	attempts := 0
	create := Creation{
		Kind: ledger.LinkComment, SourceID: "C", IndexLag: settle,
		Find: func(context.Context) (string, error) {
			if len(made) > 0 && time.Since(made[0]) > lag {
				return "S", nil
			}
			return "", nil
		},
		Make: func(context.Context) (string, error) {
			if attempts++; attempts > 1 { // the first was not carried out; the answers to the others are lost
				made = append(made, time.Now())
			}
			return "", lost
		},
	}
	one := New(&config.Tenant{ID: "T"}, book, nil, nil, nil, nil)
	_, _, err = one.CreateOnce(t.Context(), create)
	require.ErrorIs(t, err, lost)
	id, _, err := one.CreateOnce(t.Context(), create)
	require.NoError(t, err)
	require.Equal(t, "S", id)
	require.Len(t, made, 1)
}

// An attempt that lost Temporal runs next to its successor: what the successor finished first stays.
func TestOfTwoAttemptsAtOnceOneHolds(t *testing.T) {
	book, err := ledger.Open(t.Context(), emptyledger.DSN(t))
	require.NoError(t, err)
	defer book.Close()
	one := New(&config.Tenant{ID: "T"}, book, nil, nil, nil, slog.New(slog.DiscardHandler))
	var discarded []string
	attempt := func(id string, before func()) Creation {
		return Creation{Kind: ledger.LinkReviewShare, SourceID: "R",
			Find:    func(context.Context) (string, error) { return "", nil },
			Make:    func(context.Context) (string, error) { before(); return id, nil },
			Discard: func(_ context.Context, id string) error { discarded = append(discarded, id); return nil },
		}
	}
	var second string
	first, made, err := one.CreateOnce(t.Context(), attempt("A", func() { // waits for its turn while another one is created
		second, _, err = one.CreateOnce(t.Context(), attempt("B", func() {}))
		require.NoError(t, err)
	}))
	require.NoError(t, err)
	require.Equal(t, "B", second)
	require.Equal(t, "B", first)
	require.False(t, made)
	require.Equal(t, []string{"A"}, discarded)

	// A refusal of the slower one does not take back the other's.
	refused := &rest.Error{Vendor: "iconik", Operation: "create", Class: rest.Permanent}
	c := attempt("", func() {
		_, err := book.Tenant("T").Claim(t.Context(), ledger.LinkReviewShare, "S", "C", "")
		require.NoError(t, err)
	})
	c.SourceID, c.Make = "S", func(make func(context.Context) (string, error)) func(context.Context) (string, error) {
		return func(ctx context.Context) (string, error) { _, _ = make(ctx); return "", refused }
	}(c.Make)
	_, _, err = one.CreateOnce(t.Context(), c)
	require.ErrorIs(t, err, refused)
	link, ok, err := book.Tenant("T").Link(t.Context(), ledger.LinkReviewShare, "S")
	require.NoError(t, err)
	require.True(t, ok)
	require.Equal(t, "C", link.TargetID)
}

// What several archives share is created by one of their workers, and the others wait for it.
func TestWhatIsSharedIsMadeOnce(t *testing.T) {
	dsn := emptyledger.DSN(t)
	var made atomic.Int32
	both, another := context.WithCancel(t.Context())
	defer another()
	var all sync.WaitGroup
	for range 4 {
		book, err := ledger.Open(t.Context(), dsn)
		require.NoError(t, err)
		defer book.Close()
		worker := New(&config.Tenant{ID: "T"}, book, nil, nil, nil, slog.New(slog.DiscardHandler))
		all.Go(func() {
			id, _, err := worker.CreateOnce(t.Context(), Creation{
				Kind: ledger.LinkTeam, SourceID: "W", Shared: true,
				Find: func(context.Context) (string, error) { return "", nil }, // the index does not show it yet
				Make: func(context.Context) (string, error) {
					n := made.Add(1)
					if n > 1 {
						another()
					}
					select {
					case <-both.Done():
					case <-time.After(50 * time.Millisecond): // nobody else creates it
					}
					return fmt.Sprintf("C%d", n), nil
				},
			})
			assert.NoError(t, err)
			assert.Equal(t, "C1", id)
		})
	}
	all.Wait()
	assert.EqualValues(t, 1, made.Load())
}

// The client waits for a write that is in flight when its attempt is canceled: what it created is recorded.
func TestWhatIsMadeDuringACancellationIsKept(t *testing.T) {
	book, err := ledger.Open(t.Context(), emptyledger.DSN(t))
	require.NoError(t, err)
	defer book.Close()
	ctx, cancel := context.WithCancel(t.Context())
	one := New(&config.Tenant{ID: "T"}, book, nil, nil, nil, nil)
	id, made, err := one.CreateOnce(ctx, Creation{Kind: ledger.LinkFormat, SourceID: "F", Make: func(context.Context) (string, error) {
		cancel()
		return "A", nil
	}})
	require.NoError(t, err)
	assert.True(t, made)
	assert.Equal(t, "A", id)
	link, _, err := book.Tenant("T").Link(t.Context(), ledger.LinkFormat, "F")
	require.NoError(t, err)
	assert.Equal(t, "A", link.TargetID)
}

func TestADeletedVersionTakesNoReport(t *testing.T) {
	book, err := ledger.Open(t.Context(), emptyledger.DSN(t))
	require.NoError(t, err)
	defer book.Close()
	one := New(&config.Tenant{ID: "T"}, book, nil, nil, nil, slog.New(slog.DiscardHandler))
	id, err := one.UntiedVersion(t.Context(), []iconik.Version{{ID: "A", Status: "DELETED"}, {ID: "B", Status: "DELETING"}, {ID: "C"}})
	require.NoError(t, err)
	require.Equal(t, "C", id)
}
