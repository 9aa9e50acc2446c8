package review

import (
	"errors"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/framebridge/framebridge/activities/attempt"
	"github.com/framebridge/framebridge/activities/fault"
	"github.com/framebridge/framebridge/clients/rest"
	"github.com/framebridge/framebridge/ledger"
	"github.com/framebridge/framebridge/transfer"
)

// Whoever waits for comments is told once that they are not coming, but not about what passes by itself.
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
	assert.Contains(t, r.row.Reason, "iconik accepts no further calls at the moment.")
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

// A long pause that a vendor asks for is shown at once, and mailed only when comments have been missing for long.
func TestALongPauseIsShown(t *testing.T) {
	box := make(outbox, 9)
	r := mailingReview(t, &folder{}, box, nil)
	require.NoError(t, r.update(t.Context(), func(row *ledger.Review) {
		row.Status, row.RequestedBy = ledger.ReviewOpen, ledger.Person{Email: "ed@post.example"}
		row.OpenedAt, row.LastSyncAt = time.Now().Add(-5*time.Hour), time.Now()
	}))
	paused := &rest.Error{Vendor: "Frame.io", Operation: "list comments", Status: 429, Class: rest.Throttled, RetryAfter: 40 * time.Minute}
	require.ErrorIs(t, r.unsynced(t.Context(), paused), paused)
	assert.Contains(t, r.row.Reason, "Frame.io asked Framebridge to wait until about "+time.Now().Add(40*time.Minute).UTC().Format("January 2, "))
	require.NoError(t, r.update(t.Context(), func(row *ledger.Review) { row.LastSyncAt = time.Now().Add(-2 * time.Hour) }))
	for range 3 {
		require.ErrorIs(t, r.unsynced(t.Context(), paused), paused)
	}
	assert.Contains(t, r.row.Reason, "Comments have not been synced since")
	assert.Contains(t, r.row.Reason, "asked Framebridge to wait")
	require.Len(t, box, 1)
	require.NoError(t, r.unsynced(t.Context(), nil))
	assert.Empty(t, r.row.Reason)

	require.NoError(t, r.update(t.Context(), func(row *ledger.Review) {
		row.Status, row.OpenedAt, row.LastSyncAt = ledger.ReviewSending, time.Time{}, time.Time{}
	}))
	require.ErrorIs(t, r.troubled(t.Context(), 0, paused), paused)
	assert.Contains(t, r.row.Reason, "Frame.io asked Framebridge to wait", "what is sent waits, too")
}

// What a vendor words differently each time is noted once, and the number of notes is limited.
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

// late is an attempt of an activity that was scheduled some time ago.
type late struct {
	attempt.Attempt
	by time.Duration
}

func (l late) Scheduled() time.Time { return time.Now().Add(-l.by) }

// An asset at which a vendor fails for half a day is given up on, so that the others are shared. One that waits for somebody,
// or was asked to wait, is not.
func TestOneAssetIsNotWaitedForForEver(t *testing.T) {
	for name, tt := range map[string]struct {
		err   error
		after time.Duration
		final bool
	}{
		"it fails for long": {&rest.Error{Vendor: "Frame.io", Status: 500, Class: rest.Retryable}, 13 * time.Hour, true},
		"a store fails":     {errors.New("connection reset"), 13 * time.Hour, true},
		"it fails a while":  {&rest.Error{Vendor: "Frame.io", Status: 500, Class: rest.Retryable}, 11 * time.Hour, false},
		"a refused token":   {&rest.Error{Vendor: "Frame.io", Status: 401, Class: rest.Unauthorized}, 13 * time.Hour, false},
		"a limit":           {&rest.Error{Vendor: "Frame.io", Status: 429, Class: rest.Throttled}, 13 * time.Hour, false},
		"it is made ready":  {notReady("Take", time.Hour), 13 * time.Hour, false},
	} {
		ctx := attempt.With(t.Context(), late{attempt.Of(t.Context()), tt.after})
		_, final := fault.Lasting(tooLong(ctx, "Take", tt.err))
		assert.Equal(t, tt.final, final, name)
	}
	require.NoError(t, tooLong(t.Context(), "Take", nil))
}

// moving is an attempt whose transfer last made progress some time ago.
type moving struct {
	late
	ago time.Duration
}

func (m moving) Resume() attempt.Checkpoint { return attempt.Checkpoint{At: time.Now().Add(-m.ago)} }

// A transfer that takes more than half a day is not given up on at the first moment without progress.
func TestALongTransferIsGivenUpOnlyWhereItStands(t *testing.T) {
	down := &rest.Error{Vendor: "Frame.io", Status: 503, Class: rest.Retryable}
	for ago, want := range map[time.Duration]bool{time.Minute: false, 13 * time.Hour: true} {
		ctx := attempt.With(t.Context(), moving{late{attempt.Of(t.Context()), 20 * time.Hour}, ago})
		_, final := fault.Lasting(tooLong(ctx, "Take", down))
		assert.Equal(t, want, final, ago)
	}
	before, now := time.Now().Add(-time.Hour), time.Now()
	for name, tt := range map[string]struct {
		had, done, bytes int64
		want             time.Time
	}{
		"it gets further":                         {had: 40, done: 40, bytes: 50, want: now},
		"it goes on where it stood":               {had: 50, done: 50, bytes: 50, want: before},
		"it began anew, and was further before":   {had: 0, done: 50, bytes: 40, want: before},
		"it began anew, and is further than ever": {had: 40, done: 50, bytes: 60, want: now},
	} {
		c := checkpoint(attempt.Checkpoint{Bytes: tt.had, At: before}, ledger.ReviewAsset{BytesDone: tt.done}, transfer.Progress{Bytes: tt.bytes}, now)
		assert.Equal(t, tt.want, c.At, name)
		assert.Equal(t, tt.bytes, c.Bytes, name)
	}
}
