package api

import (
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/framebridge/framebridge/ledger"
)

// A scrape reports what the ledger knows. tools/lint-observability checks what the alert rules and the dashboard query.
func TestMetricsTellWhatTheLedgerKnows(t *testing.T) {
	f := newTestServer(t)
	l := f.Ledger.Tenant(tenantA)
	_, _, err := l.Archive("p1").Request(t.Context(), "x", time.Now().Add(-time.Hour))
	require.NoError(t, err)
	_, _, err = l.Archive("p2").Request(t.Context(), "x", time.Now())
	require.NoError(t, err)
	_, err = l.Archive("p2").Update(t.Context(), func(a *ledger.Archive) { a.Status, a.FinishedAt = ledger.Incomplete, time.Unix(1_800_000_000, 0) })
	require.NoError(t, err)
	f.engine.ServeHTTP(httptest.NewRecorder(), httptest.NewRequest(http.MethodGet, "/nothing", nil)) // a response to count
	w := httptest.NewRecorder()
	f.engine.ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/metrics", nil))
	require.Equal(t, http.StatusOK, w.Code)
	for _, line := range []string{
		`framebridge_archives{status="queued",tenant="` + tenantA + `"} 1`,
		`framebridge_archives{status="running",tenant="` + tenantA + `"} 0`,
		`framebridge_archive_queue_seconds{tenant="` + tenantA + `"} 36`,
		`framebridge_archive_last_failure_timestamp_seconds{status="incomplete",tenant="` + tenantA + `"} 1.8e+09`,
		`framebridge_reviews{status="open",tenant="` + tenantA + `"} 0`,
		`framebridge_review_oldest_sync_seconds{tenant="` + tenantA + `"} 0`,
		"framebridge_ledger_up 1",
		`framebridge_http_seconds_count{route=""} 1`,
		`framebridge_ledger_seconds_count{kind="transaction"} `,
	} {
		assert.Contains(t, w.Body.String(), line)
	}
}
