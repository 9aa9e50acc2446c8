package outbox_test

import (
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/framebridge/framebridge/ledger/database"
	"github.com/framebridge/framebridge/ledger/outbox"
)

// box is an outbox on a database that several workers have open. at is the current time.
func box(t *testing.T) (outbox.Box, time.Time) {
	t.Helper()
	db, err := database.Open(t.Context(), "sqlite:"+t.TempDir()+"/l.db")
	require.NoError(t, err)
	t.Cleanup(db.Close)
	return outbox.New(db, nil), time.Date(2026, 11, 29, 8, 0, 0, 0, time.UTC)
}

func subjects(b outbox.Batch) (out []string) {
	for _, m := range b.Mails {
		out = append(out, m.Subject)
	}
	return out
}

func TestWhatIsCollectedIsSentAsOneOncePerRecipient(t *testing.T) {
	b, now := box(t)
	for i, to := range []string{"sam@post.example", "rita@client.example"} {
		for n, subject := range []string{"first", "second", "third"} {
			m := outbox.Mail{ID: subject, To: []string{to}, Subject: subject, CreatedAt: now.Add(time.Duration(n+i) * time.Minute), DueAt: now.Add(time.Hour), Digest: true}
			require.NoError(t, b.Put(t.Context(), "T", m))
			require.NoError(t, b.Put(t.Context(), "T", m), "put again by an attempt that follows one that died")
		}
	}
	early, err := b.Claim(t.Context(), now, 10)
	require.NoError(t, err)
	assert.Empty(t, early)
	due, err := b.Claim(t.Context(), now.Add(time.Hour), 10)
	require.NoError(t, err)
	require.Len(t, due, 2)
	for _, batch := range due {
		assert.Equal(t, []string{"first", "second", "third"}, subjects(batch))
		assert.Equal(t, 1, batch.Attempts)
	}
	// Mails added while a batch is being sent belong to the next one.
	require.NoError(t, b.Put(t.Context(), "T", outbox.Mail{ID: "late", To: []string{"sam@post.example"}, Subject: "late", CreatedAt: now, DueAt: now.Add(time.Hour), Digest: true}))
	require.NoError(t, b.Sent(t.Context(), due[0]))
	require.NoError(t, b.Sent(t.Context(), due[1]))
	due, err = b.Claim(t.Context(), now.Add(time.Hour), 10)
	require.NoError(t, err)
	require.Len(t, due, 1)
	assert.Equal(t, []string{"late"}, subjects(due[0]))
}

func TestAWorkerThatDiesLosesNothing(t *testing.T) {
	b, now := box(t)
	require.NoError(t, b.Put(t.Context(), "T", outbox.Mail{ID: "1", To: []string{"sam@post.example"}, Subject: "one", CreatedAt: now, DueAt: now, Digest: true}))
	first, err := b.Claim(t.Context(), now, 10) // and dies
	require.NoError(t, err)
	require.Len(t, first, 1)
	meanwhile, err := b.Claim(t.Context(), now.Add(time.Minute), 10)
	require.NoError(t, err)
	assert.Empty(t, meanwhile, "it may still be at it")
	again, err := b.Claim(t.Context(), now.Add(time.Hour), 10)
	require.NoError(t, err)
	require.Len(t, again, 1)
	assert.Equal(t, first[0].ID, again[0].ID, "the same mail, with the same Message-ID")
	assert.Equal(t, 2, again[0].Attempts)
	require.NoError(t, b.Failed(t.Context(), again[0], now.Add(2*time.Hour)))
	soon, err := b.Claim(t.Context(), now.Add(90*time.Minute), 10)
	require.NoError(t, err)
	assert.Empty(t, soon)
}

func TestOneWorkerHasABatch(t *testing.T) {
	b, now := box(t)
	for _, id := range []string{"1", "2", "3", "4"} {
		require.NoError(t, b.Put(t.Context(), "T", outbox.Mail{ID: id, To: []string{"sam@post.example", "rita@client.example"}, Subject: id, CreatedAt: now, DueAt: now}))
	}
	var mu sync.Mutex
	var wait sync.WaitGroup
	seen := map[string]int{}
	for range 4 {
		wait.Go(func() {
			got, err := b.Claim(t.Context(), now, 10)
			assert.NoError(t, err)
			mu.Lock()
			defer mu.Unlock()
			for _, batch := range got {
				assert.Len(t, batch.Mails, 1, "not a digest")
				assert.Equal(t, []string{"sam@post.example", "rita@client.example"}, batch.Mails[0].To)
				seen[batch.Mails[0].ID]++
			}
		})
	}
	wait.Wait()
	assert.Equal(t, map[string]int{"1": 1, "2": 1, "3": 1, "4": 1}, seen)
}
