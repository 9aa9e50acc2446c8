package rest

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus/testutil"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// Requests are counted by response, and the budget is what is left at the time of the scrape.
func TestCallsAndBudgetsAreCounted(t *testing.T) {
	t.Parallel()
	w, n := NewWatch(), 0
	var told []string
	w.Paused = func(tenant, vendor, operation string, pause time.Duration) {
		told = append(told, tenant+" "+vendor+" "+operation+" "+pause.String())
	}
	use := func(c *Config) {
		c.Watch, c.Tenant = w, "t"
		c.Budgets = &Budgets{Known: map[string]Limit{"an operation": {Calls: 10, Window: time.Hour}}}
	}
	c := serve(t, func(w http.ResponseWriter, _ *http.Request) {
		if n++; n == 1 {
			w.Header().Set("Retry-After", "600")
			w.WriteHeader(http.StatusTooManyRequests)
		}
	}, use)
	require.NotNil(t, call(c, http.MethodGet, nil))
	require.NotNil(t, call(c, http.MethodGet, nil), "it is paused: nothing is sent")
	require.Nil(t, call(serve(t, func(http.ResponseWriter, *http.Request) {}, use), http.MethodPut, nil), "a client that came later draws on a new budget")
	require.NotNil(t, call(serve(t, nil, func(c *Config) { use(c); c.BaseURL = "http://127.0.0.1:1" }), http.MethodPost, nil))
	assert.Equal(t, []string{"t Vendor an operation 10m0s"}, told)
	assert.Empty(t, w.Budgets("another tenant"))
	states := w.Budgets("t")
	require.NotEmpty(t, states)
	assert.Equal(t, "Vendor", states[0].Vendor)
	assert.InDelta(t, 10, states[0].Of, .01)
	assert.Equal(t, time.Hour, states[0].Window)
	require.NoError(t, testutil.CollectAndCompare(w, strings.NewReader(`
# HELP framebridge_vendor_calls_total Requests sent to vendors, by operation and answer: an HTTP status, or none if no response came.
# TYPE framebridge_vendor_calls_total counter
framebridge_vendor_calls_total{answer="200",operation="an operation",tenant="t",vendor="Vendor"} 1
framebridge_vendor_calls_total{answer="429",operation="an operation",tenant="t",vendor="Vendor"} 1
framebridge_vendor_calls_total{answer="none",operation="an operation",tenant="t",vendor="Vendor"} 1
`), "framebridge_vendor_calls_total"))
	assert.Equal(t, 1, testutil.CollectAndCount(w, "framebridge_vendor_budget_calls_left"), "one for a tenant and a budget, however many clients there were")

	srv := httptest.NewServer(http.NotFoundHandler())
	defer srv.Close()
	resp, err := w.Around(srv.Client(), "t", "Adobe", "POST ims/token").Post(srv.URL, "", nil)
	require.NoError(t, err)
	require.NoError(t, resp.Body.Close())
	assert.InDelta(t, 1, testutil.ToFloat64(w.calls.WithLabelValues("t", "Adobe", "POST ims/token", "404")), 0)
}

func TestABudgetSaysWhatIsLeft(t *testing.T) {
	t.Parallel()
	b, now := clocked(Limit{Calls: 10, Window: time.Minute})
	for range 4 {
		require.Zero(t, b.take())
	}
	assert.Equal(t, 90*time.Second, b.Done(http.StatusTooManyRequests, http.Header{"Retry-After": {"90"}}), "a pause begins")
	assert.Zero(t, b.Done(http.StatusTooManyRequests, http.Header{"Retry-After": {"90"}}), "it goes on")
	left, paced, pause := b.state()
	assert.True(t, paced)
	assert.InDelta(t, 1, left, .01)
	assert.Equal(t, 90*time.Second, pause)
	*now = now.Add(2 * time.Minute)
	left, _, pause = b.state()
	assert.InDelta(t, 10, left, .01)
	assert.Zero(t, pause)
	_, paced, _ = NewBudget(Limit{}).state()
	assert.False(t, paced, "nobody knows what is left of it")
}

// The state of a limit is how many calls are left, until when the vendor wants a pause, and how often it refused.
func TestTheStateOfABudget(t *testing.T) {
	t.Parallel()
	w, b := NewWatch(), NewBudget(Limit{Calls: 10, Window: time.Minute})
	w.budget("t", "iconik", "GET assets", b)
	b.take()
	b.Done(http.StatusTooManyRequests, http.Header{"Retry-After": {"600"}})
	s := w.Budgets("t")[0]
	assert.EqualValues(t, 1, s.Refused.Count)
	assert.WithinDuration(t, time.Now(), s.Refused.Last, time.Minute)
	assert.WithinDuration(t, time.Now().Add(10*time.Minute), s.PausedUntil, time.Minute)
	assert.LessOrEqual(t, s.Left, 1.0)
	assert.InDelta(t, 10, s.Of, .01)
}
