package tenant

import (
	"fmt"
	"log/slog"
	"slices"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/framebridge/framebridge/config"
	"github.com/framebridge/framebridge/events"
	"github.com/framebridge/framebridge/ledger"
	"github.com/framebridge/framebridge/test/emptyledger"
)

// News within the same millisecond is listed in the order in which it was published.
func TestNewsKeepsItsOrder(t *testing.T) {
	book, err := ledger.Open(t.Context(), emptyledger.DSN(t))
	require.NoError(t, err)
	defer book.Close()
	one := New(&config.Tenant{ID: "T", Notify: config.Notify{Webhook: config.Webhook{URL: "https://hook.example", Secret: config.Secrets{"x"}}}}, book, nil, nil, nil, slog.New(slog.DiscardHandler))
	var told, listed []string
	for n := range 100 {
		title := fmt.Sprint("Archive ", n)
		told = append(told, title)
		_, err := one.Announce(t.Context(), title, events.ArchiveFailed, events.Data{Title: title})
		require.NoError(t, err)
	}
	all, _, err := book.Tenant("T").Deliveries(t.Context(), ledger.DeliveryFilter{}, "", 200)
	require.NoError(t, err)
	for _, d := range slices.Backward(all) {
		listed = append(listed, d.Title)
	}
	assert.Equal(t, told, listed)
}
