package review

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/framebridge/framebridge/clients/rest"
	"github.com/framebridge/framebridge/ledger"
)

// Whoever waits for comments is told once that they do not come, not of what passes by itself.
func TestAReviewThatIsNotSyncedSaysSo(t *testing.T) {
	box := make(outbox, 9)
	r := mailingReview(t, &folder{}, box, nil)
	synced := func(ago time.Duration) {
		require.NoError(t, r.update(t.Context(), func(row *ledger.Review) {
			row.Status, row.RequestedBy = ledger.ReviewOpen, ledger.Person{Email: "ed@post.example"}
			row.OpenedAt, row.LastSyncAt = time.Now().Add(-5*time.Hour), time.Now().Add(-ago)
		}))
	}
	down := &rest.Error{Vendor: "iconik", Operation: "list segments", Status: 503, Class: rest.Retryable}
	synced(50 * time.Minute)
	require.ErrorIs(t, r.unsynced(t.Context(), down), down)
	assert.Empty(t, r.row.Reason)
	synced(2 * time.Hour)
	paused := &rest.Error{Vendor: "iconik", Operation: "list segments", Status: 429, Class: rest.Throttled}
	require.ErrorIs(t, r.unsynced(t.Context(), paused), paused)
	assert.Empty(t, r.row.Reason)
	for range 3 {
		require.ErrorIs(t, r.unsynced(t.Context(), down), down)
	}
	assert.Contains(t, r.row.Reason, "Comments have not been synced since")
	assert.Contains(t, r.row.Reason, "503")
	require.Len(t, box, 1)
	assert.Contains(t, (<-box).Text, "Framebridge keeps trying.")
	require.NoError(t, r.unsynced(t.Context(), nil))
	assert.Empty(t, r.row.Reason)
}

// What a vendor says in other words each time is noted once, and notes have an end.
func TestNotesHaveAnEnd(t *testing.T) {
	r := testReview(t, &folder{}, nil)
	for _, id := range []string{"r1", "r2", "r3"} {
		require.NoError(t, r.noteError(t.Context(), `comments of "Take 1"`, &rest.Error{Vendor: "iconik", Operation: "create segment", Status: 404, Detail: "request " + id}))
	}
	require.NoError(t, r.noteError(t.Context(), `comments of "Take 2"`, &rest.Error{Vendor: "iconik", Operation: "create segment", Status: 404, Detail: "request r1"}))
	assert.Len(t, r.row.Notes, 2)
	for n := range mostNotes + 50 {
		require.NoError(t, r.note(t.Context(), time.Duration(n).String()))
	}
	assert.Len(t, r.row.Notes, mostNotes+1)
	assert.Contains(t, r.row.Notes[mostNotes], "Framebridge's log")
}
