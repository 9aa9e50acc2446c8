package activities

import (
	"encoding/json"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/framebridge/framebridge/activities/tenant"
	"github.com/framebridge/framebridge/clients/rest"
	"github.com/framebridge/framebridge/config"
	"github.com/framebridge/framebridge/ledger"
)

// What a worker knows of the limits is in the ledger for other processes, and is only written again if it has changed.
func TestAWorkerSharesWhatItKnowsOfTheLimits(t *testing.T) {
	book, err := ledger.Open(t.Context(), "sqlite:"+t.TempDir()+"/ledger.db")
	require.NoError(t, err)
	t.Cleanup(book.Close)
	vendor := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Retry-After", "600")
		w.WriteHeader(http.StatusTooManyRequests)
	}))
	t.Cleanup(vendor.Close)
	watch := rest.NewWatch()
	c, err := rest.New(rest.Config{Vendor: "iconik", BaseURL: vendor.URL, Tenant: "t", Watch: watch, Authorize: func(*http.Request) {}})
	require.NoError(t, err)
	a := &Activities{log: slog.New(slog.DiscardHandler), config: config.Hold(&config.Config{Tenants: map[string]*config.Tenant{"t": {ID: "t"}, "idle": {ID: "idle"}}}), tenants: &tenant.Tenants{Watch: watch}, ledger: book}
	told := map[string][]byte{}
	a.tellBudgets(t.Context(), "worker-1", told)
	assert.Empty(t, told, "nothing was asked yet")
	_, err = c.Do(t.Context(), rest.Request{Operation: "GET assets", Method: http.MethodGet, Path: "assets"}, nil)
	require.Error(t, err)
	a.tellBudgets(t.Context(), "worker-1", told)
	shared, err := book.Tenant("t").SharedBudgets(t.Context(), time.Minute)
	require.NoError(t, err)
	require.Len(t, shared, 1)
	var known []rest.BudgetState
	require.NoError(t, json.Unmarshal([]byte(shared[0]), &known))
	assert.Equal(t, "GET assets", known[0].Name)
	assert.WithinDuration(t, time.Now().Add(10*time.Minute), known[0].PausedUntil, time.Minute)
	assert.EqualValues(t, 1, known[0].Refused.Count)
	require.NoError(t, book.Tenant("t").ShareBudgets(t.Context(), "worker-1", []byte("[]")))
	a.tellBudgets(t.Context(), "worker-1", told)
	shared, err = book.Tenant("t").SharedBudgets(t.Context(), time.Minute)
	require.NoError(t, err)
	assert.Equal(t, "[]", shared[0], "what has not changed is not written again")
}
