package ledger

import (
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestArchivesAreBrowsedByStatusAndName(t *testing.T) {
	each(t, func(t *testing.T, l *Ledger, tenant string) {
		ctx, h := t.Context(), l.Tenant(tenant)
		base := time.Date(2026, 11, 1, 0, 0, 0, 0, time.UTC)
		for i := range 30 {
			id := fmt.Sprintf("p%02d", i)
			_, _, err := h.Archive(id).Request(ctx, "", base.Add(time.Duration(i/2)*time.Minute)) // two per minute
			require.NoError(t, err)
			_, err = h.Archive(id).Update(ctx, func(a *Archive) {
				a.Name, a.Status = fmt.Sprintf("Harbour 100%%_%d", i), []ArchiveStatus{Queued, Running, Verified}[i%3]
				a.QueuePosition = 30 - i
			})
			require.NoError(t, err)
		}
		_, _, err := l.Tenant("another").Archive("x").Request(ctx, "", base)
		require.NoError(t, err)

		var seen []string
		for after := ""; ; {
			page, next, err := h.BrowseArchives(ctx, ArchiveFilter{Statuses: []ArchiveStatus{Verified, Failed}, Name: "HARBOUR 100%_"}, after, 3)
			require.NoError(t, err)
			for _, a := range page {
				seen = append(seen, a.ID)
			}
			if after = next; next == "" {
				break
			}
		}
		assert.Equal(t, []string{"p29", "p26", "p23", "p20", "p17", "p14", "p11", "p08", "p05", "p02"}, seen)
		none, _, err := h.BrowseArchives(ctx, ArchiveFilter{Name: "harbour_"}, "", 3)
		require.NoError(t, err)
		assert.Empty(t, none, "a wildcard is a letter like any other")

		queue, err := h.Queue(ctx, 0, "", 2)
		require.NoError(t, err)
		require.Len(t, queue, 2)
		assert.Equal(t, "p27 p24", queue[0].ID+" "+queue[1].ID)
		queue, err = h.Queue(ctx, queue[1].QueuePosition, queue[1].ID, 1)
		require.NoError(t, err)
		assert.Equal(t, "p21", queue[0].ID)
		running, err := h.UnderWay(ctx, 100)
		require.NoError(t, err)
		assert.Len(t, running, 10)
		open, err := h.OpenArchives(ctx)
		require.NoError(t, err)
		assert.Equal(t, map[ArchiveStatus]int64{Queued: 10, Running: 10}, open)
	})
}

func TestItemsAreBrowsedByStateAndPath(t *testing.T) {
	each(t, func(t *testing.T, l *Ledger, tenant string) {
		ctx := t.Context()
		grow(t, l, tenant, 2, 50)
		h := l.Tenant(tenant).Archive("a1")
		for i := 1; i <= 50; i += 7 {
			_, err := h.UpdateItem(ctx, fmt.Sprintf("i%d", i), func(it *Item) { it.State, it.Path = ItemFailed, fmt.Sprintf("Day 1/A%02d.MOV", i) })
			require.NoError(t, err)
		}
		items, next, err := h.BrowseItems(ctx, ItemFilter{States: []ItemState{ItemFailed, Skipped}, Text: ".mov"}, 0, 5)
		require.NoError(t, err)
		require.Len(t, items, 5)
		assert.Equal(t, "Day 1/A01.MOV", items[0].Path)
		items, last, err := h.BrowseItems(ctx, ItemFilter{States: []ItemState{ItemFailed}}, next, 5)
		require.NoError(t, err)
		assert.Len(t, items, 3)
		assert.Zero(t, last)
		items, _, err = h.BrowseItems(ctx, ItemFilter{Text: "a08"}, 0, 5)
		require.NoError(t, err)
		require.Len(t, items, 1)
		assert.EqualValues(t, 8, items[0].Seq)
	})
}

func TestReviewsAreBrowsedByExpiry(t *testing.T) {
	each(t, func(t *testing.T, l *Ledger, tenant string) {
		ctx, h := t.Context(), l.Tenant(tenant)
		now := time.Date(2026, 11, 20, 12, 0, 0, 0, time.UTC)
		for i := range 6 {
			_, _, err := l.RequestReview(ctx, Review{Tenant: tenant, ID: fmt.Sprintf("r%d", i), Title: fmt.Sprintf("Cut %d", i), Click: fmt.Sprint(i), CreatedAt: now.Add(time.Duration(i) * time.Hour),
				Status: []ReviewStatus{ReviewOpen, ReviewDeleted}[i%2], ExpiresAt: now.Add(time.Duration(10-i) * time.Hour)}, 0)
			require.NoError(t, err)
		}
		rows, err := h.OpenReviews(ctx, time.Time{}, time.Time{}, "", 2)
		require.NoError(t, err)
		require.Len(t, rows, 2)
		assert.Equal(t, "r4 r2", rows[0].ID+" "+rows[1].ID)
		rows, err = h.OpenReviews(ctx, time.Time{}, rows[1].ExpiresAt, rows[1].ID, 2)
		require.NoError(t, err)
		require.Len(t, rows, 1)
		assert.Equal(t, "r0", rows[0].ID)
		rows, err = h.OpenReviews(ctx, now.Add(7*time.Hour), time.Time{}, "", 9)
		require.NoError(t, err)
		assert.Len(t, rows, 1)
		ended, next, err := h.BrowseReviews(ctx, ReviewFilter{Statuses: []ReviewStatus{ReviewDeleted}, Title: "CUT"}, "", 2)
		require.NoError(t, err)
		require.Len(t, ended, 2)
		assert.Equal(t, "r5", ended[0].ID)
		ended, _, err = h.BrowseReviews(ctx, ReviewFilter{Statuses: []ReviewStatus{ReviewDeleted}, Title: "CUT"}, next, 2)
		require.NoError(t, err)
		require.Len(t, ended, 1)
		assert.Equal(t, "r1", ended[0].ID)
	})
}

func TestTheAuditIsReadFromItsEnd(t *testing.T) {
	each(t, func(t *testing.T, l *Ledger, tenant string) {
		at := time.Date(2026, 11, 20, 12, 0, 0, 0, time.UTC)
		for i := range 5 {
			note(t, l, AuditEntry{Tenant: tenant, At: at.Add(time.Duration(i) * time.Hour), Action: "retry", Archive: "a", Actor: Actor{Kind: ActorConsole, Name: "sam"}})
		}
		entries, err := l.Tenant(tenant).AuditNewest(t.Context(), AuditFilter{Actor: "sam"}, 0, 2)
		require.NoError(t, err)
		require.Len(t, entries, 2)
		assert.EqualValues(t, 5, entries[0].Seq)
		entries, err = l.Tenant(tenant).AuditNewest(t.Context(), AuditFilter{Since: at.Add(time.Hour), Until: at.Add(3 * time.Hour)}, entries[1].Seq, 9)
		require.NoError(t, err)
		require.Len(t, entries, 2)
		assert.EqualValues(t, 3, entries[0].Seq)
		assert.EqualValues(t, 2, entries[1].Seq)
	})
}

func TestTheLastDeliveryIsKnownForADay(t *testing.T) {
	each(t, func(t *testing.T, l *Ledger, tenant string) {
		last, n, err := l.Tenant(tenant).LastDelivery(t.Context())
		require.NoError(t, err)
		assert.True(t, last.IsZero() && n == 0)
		now := time.Now().UTC().Truncate(time.Microsecond)
		for i, key := range []string{"a", "b"} {
			_, err := l.Tenant(tenant).NoteDelivery(t.Context(), key, now.Add(time.Duration(i)*time.Second))
			require.NoError(t, err)
		}
		last, n, err = l.Tenant(tenant).LastDelivery(t.Context())
		require.NoError(t, err)
		assert.Equal(t, now.Add(time.Second), last)
		assert.EqualValues(t, 2, n)
	})
}
