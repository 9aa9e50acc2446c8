package api

import (
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/framebridge/framebridge/events"
	"github.com/framebridge/framebridge/ledger"
	"github.com/framebridge/framebridge/routes"
)

func TestDeliveriesOfTheTenantAreListed(t *testing.T) {
	f := newTestServer(t)
	for tenant, title := range map[string]string{tenantA: "of A", tenantB: "of B"} {
		e := events.Event{ID: events.ID(tenant, "k"), Type: events.ArchiveFailed, Created: time.Now(), Tenant: tenant, Data: events.Data{Title: title}}
		_, err := f.Ledger.Tenant(tenant).Publish(t.Context(), e, []string{"slack", "webhook"})
		require.NoError(t, err)
		require.NoError(t, f.Ledger.Tenant(tenant).BeginAttempt(t.Context(), e.ID, "slack"))
		require.NoError(t, f.Ledger.Tenant(tenant).EndAttempt(t.Context(), e.ID, "slack", ledger.DeliveryFailed, 404, "HTTP 404 Not Found: no_service"))
	}
	get := func(query string, want int) map[string]any {
		resp, page := f.ask(ask{method: http.MethodGet, path: routes.Prefix + "/deliveries" + query, header: map[string]string{"Authorization": "Bearer key of A"}})
		require.Equal(t, want, resp.StatusCode)
		return page
	}
	assert.Len(t, get("", 200)["deliveries"], 2)
	failed, _ := get("?status=failed", 200)["deliveries"].([]any)
	require.Len(t, failed, 1)
	one, _ := failed[0].(map[string]any)
	assert.Equal(t, "of A", one["title"])
	assert.Equal(t, "HTTP 404 Not Found: no_service", one["reason"])
	assert.NotNil(t, one["last_attempt_at"])
	page := get("?limit=1", 200)
	next, _ := page["next"].(string)
	require.NotEmpty(t, next)
	assert.Len(t, get("?limit=1&cursor="+next, 200)["deliveries"], 1)
	get("?status=lost", 400)
}
