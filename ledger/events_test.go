package ledger

import (
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/framebridge/framebridge/events"
)

func anEvent(tenant, key string) events.Event {
	return events.Event{ID: events.ID(tenant, key), Type: events.ArchiveFailed, Created: time.Now().UTC().Truncate(time.Microsecond), Tenant: tenant,
		Data: events.Data{Title: "Action needed: " + key, Object: "archive", ObjectID: "p", Counts: map[string]int64{"items": 3}}}
}

func TestAnEventIsPublishedOnce(t *testing.T) {
	each(t, func(t *testing.T, l *Ledger, tenant string) {
		h, e := l.Tenant(tenant), anEvent(tenant, "k")
		unwanted := anEvent(tenant, "unwanted")
		unwanted.Type = events.ReclaimStopped
		none, err := h.Publish(t.Context(), unwanted, nil)
		require.NoError(t, err)
		assert.Empty(t, none, "nobody wants it")
		last, err := h.LastEvent(t.Context(), events.ReclaimStopped)
		require.NoError(t, err)
		assert.Equal(t, unwanted.Created, last, "it is known that it has happened")
		last, err = h.LastEvent(t.Context(), events.MirrorFailed)
		require.NoError(t, err)
		assert.Zero(t, last)

		var begun atomic.Int32
		var running sync.WaitGroup
		for range 8 {
			running.Go(func() {
				out, err := h.Publish(t.Context(), e, []string{"slack", "webhook"})
				assert.NoError(t, err)
				begun.Add(int32(len(out)))
			})
		}
		running.Wait()
		assert.EqualValues(t, 2, begun.Load())
		got, ok, err := h.Event(t.Context(), e.ID)
		require.NoError(t, err)
		assert.True(t, ok)
		assert.Equal(t, e, got)
		_, ok, err = l.Tenant(tenant+"x").Event(t.Context(), e.ID)
		require.NoError(t, err)
		assert.False(t, ok, "another tenant's")
	})
}

func TestADeliveryGoesOnUntilItsEnd(t *testing.T) {
	each(t, func(t *testing.T, l *Ledger, tenant string) {
		h, e := l.Tenant(tenant), anEvent(tenant, "k")
		_, err := h.Publish(t.Context(), e, []string{"slack"})
		require.NoError(t, err)
		get := func() Delivery {
			d, ok, err := h.Delivery(t.Context(), e.ID, "slack")
			require.NoError(t, err)
			require.True(t, ok)
			return d
		}
		assert.Equal(t, DeliveryPending, get().Status)
		require.NoError(t, h.BeginAttempt(t.Context(), e.ID, "slack"))
		assert.False(t, get().SendingAt.IsZero())
		require.NoError(t, h.EndAttempt(t.Context(), e.ID, "slack", DeliveryPending, 503, "busy"))
		require.NoError(t, h.BeginAttempt(t.Context(), e.ID, "slack"))
		require.NoError(t, h.EndAttempt(t.Context(), e.ID, "slack", DeliveryDelivered, 200, ""))
		d := get()
		assert.Equal(t, DeliveryDelivered, d.Status)
		assert.Equal(t, 2, d.Attempts)
		assert.Equal(t, 200, d.Code)
		assert.Empty(t, d.Reason)
		assert.True(t, d.SendingAt.IsZero())
		assert.Equal(t, e.Data.Title, d.Title)

		// A late attempt by a worker that counted as dead changes nothing.
		require.NoError(t, h.BeginAttempt(t.Context(), e.ID, "slack"))
		require.NoError(t, h.EndAttempt(t.Context(), e.ID, "slack", DeliveryFailed, 500, "late"))
		assert.Equal(t, d, get())
		last, ok, err := h.LastDeliveryOn(t.Context(), "slack", DeliveryDelivered)
		require.NoError(t, err)
		assert.True(t, ok)
		assert.Equal(t, d, last)
		_, ok, err = h.LastDeliveryOn(t.Context(), "slack", DeliveryFailed)
		require.NoError(t, err)
		assert.False(t, ok)
	})
}

// due moves a delivery's time, as if the time had passed.
func due(t *testing.T, l *Ledger, tenant string, at int64) {
	t.Helper()
	_, err := l.exec(t.Context(), "UPDATE event_deliveries SET due_at = ? WHERE tenant = ? AND due_at > 0", at, tenant)
	require.NoError(t, err)
}

func TestALostStartIsFound(t *testing.T) {
	each(t, func(t *testing.T, l *Ledger, tenant string) {
		h, e := l.Tenant(tenant), anEvent(tenant, "k")
		_, err := h.Publish(t.Context(), e, []string{"webhook"})
		require.NoError(t, err)
		mine := func() (n int) {
			all, err := l.DueDeliveries(t.Context(), 1000)
			require.NoError(t, err)
			for _, d := range all {
				if d.Tenant == tenant {
					n++
				}
			}
			return n
		}
		assert.Zero(t, mine(), "it was published just now")
		due(t, l, tenant, 1)
		assert.Equal(t, 1, mine())
		require.NoError(t, h.DeliveryStarted(t.Context(), e.ID, "webhook"))
		assert.Zero(t, mine())
		due(t, l, tenant, 1)
		assert.Equal(t, 1, mine(), "its workflow was quiet for long")
		require.NoError(t, h.EndAttempt(t.Context(), e.ID, "webhook", DeliveryDelivered, 204, ""))
		require.NoError(t, h.DeliveryStarted(t.Context(), e.ID, "webhook"))
		due(t, l, tenant, 1)
		assert.Zero(t, mine(), "it has ended")
	})
}

func TestDeliveriesAreListedNewestFirst(t *testing.T) {
	each(t, func(t *testing.T, l *Ledger, tenant string) {
		h := l.Tenant(tenant)
		begin := time.Now().Add(-time.Hour)
		for i := range 7 {
			e := anEvent(tenant, string(rune('a'+i)))
			e.Created = begin.Add(time.Duration(i/2) * time.Minute) // two at the same time
			_, err := h.Publish(t.Context(), e, []string{"slack", "webhook"})
			require.NoError(t, err)
			if i == 3 {
				require.NoError(t, h.EndAttempt(t.Context(), e.ID, "slack", DeliveryFailed, 404, "no_service"))
			}
		}
		var all []Delivery
		for after := ""; ; {
			page, next, err := h.Deliveries(t.Context(), DeliveryFilter{}, after, 5)
			require.NoError(t, err)
			all = append(all, page...)
			if after = next; next == "" {
				break
			}
		}
		require.Len(t, all, 14)
		for i := range all[1:] {
			assert.False(t, all[i+1].CreatedAt.After(all[i].CreatedAt))
		}
		failed, _, err := h.Deliveries(t.Context(), DeliveryFilter{Channel: "slack", Status: DeliveryFailed}, "", 50)
		require.NoError(t, err)
		require.Len(t, failed, 1)
		assert.Equal(t, 404, failed[0].Code)
		_, _, err = h.Deliveries(t.Context(), DeliveryFilter{}, "no place", 5)
		require.NoError(t, err)
	})
}

func TestOldEventsAreForgotten(t *testing.T) {
	each(t, func(t *testing.T, l *Ledger, tenant string) {
		h, old, young := l.Tenant(tenant), anEvent(tenant, "old"), anEvent(tenant, "young")
		old.Created = old.Created.Add(-eventsKept - time.Hour)
		for _, e := range []events.Event{old, young} {
			_, err := h.Publish(t.Context(), e, []string{"teams"})
			require.NoError(t, err)
		}
		require.NoError(t, l.ForgetEvents(t.Context()))
		left, _, err := h.Deliveries(t.Context(), DeliveryFilter{}, "", 10)
		require.NoError(t, err)
		require.Len(t, left, 1)
		assert.Equal(t, young.ID, left[0].Event)
		_, ok, err := h.Event(t.Context(), old.ID)
		require.NoError(t, err)
		assert.False(t, ok)
	})
}
