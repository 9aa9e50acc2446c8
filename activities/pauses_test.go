package activities

import (
	"log/slog"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/framebridge/framebridge/activities/tenant"
	"github.com/framebridge/framebridge/config"
	"github.com/framebridge/framebridge/events"
	"github.com/framebridge/framebridge/ledger"
	"github.com/framebridge/framebridge/test/emptyledger"
)

func TestALongPauseIsToldOnceAnHour(t *testing.T) {
	const id = "0419e0c5-6fed-4b66-bf0f-f8a99d44bcd0"
	book, err := ledger.Open(t.Context(), emptyledger.DSN(t))
	require.NoError(t, err)
	defer book.Close()
	live := config.Hold(&config.Config{Tenants: map[string]*config.Tenant{id: {ID: id, Name: "Acme", Frameio: config.Frameio{Generation: "legacy", BaseURL: "https://f.example", Token: "x"},
		Iconik: config.Iconik{BaseURL: "https://i.example", AppID: "a", AuthToken: "t"}, Notify: config.Notify{SlackURL: "https://s.example"}}}})
	tenants, err := tenant.NewTenants(live, book, nil, slog.New(slog.DiscardHandler))
	require.NoError(t, err)
	a := &Activities{tenants: tenants, log: slog.New(slog.DiscardHandler)}
	told := func() []ledger.Delivery {
		all, _, err := book.Tenant(id).Deliveries(t.Context(), ledger.DeliveryFilter{}, "", 10)
		require.NoError(t, err)
		return all
	}
	assert.Empty(t, told())
	for range 3 {
		a.announcePause(id, "Frame.io", "list comments", 17*time.Minute)
	}
	a.announcePause("another", "Frame.io", "list comments", 17*time.Minute)
	require.LessOrEqual(t, len(told()), 2, "the hour may have changed meanwhile")
	require.NotEmpty(t, told())
	assert.Equal(t, events.VendorPause, told()[0].Type)
	assert.Equal(t, "Frame.io asked Framebridge to pause for 17 minutes", told()[0].Title)
}
