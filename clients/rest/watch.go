package rest

import (
	"cmp"
	"math"
	"net/http"
	"slices"
	"strconv"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// Watch counts calls to vendors and tracks what is left of their budgets. All clients of a process share one. A nil Watch counts
// nothing. Its label values are bounded: tenants by the configuration, operations by the code.
type Watch struct {
	// Paused is called when a vendor starts asking a tenant for a pause, unless it is nil. Set it before the first call.
	Paused func(tenant, vendor, operation string, pause time.Duration)

	calls *prometheus.CounterVec
	took  *prometheus.HistogramVec
	left  *prometheus.Desc
	pause *prometheus.Desc

	mu      sync.Mutex
	budgets map[budgetKey]*Budget
}

type budgetKey struct{ tenant, vendor, name string }

// NewWatch returns a Watch with empty counters.
func NewWatch() *Watch {
	budget := []string{"tenant", "vendor", "budget"}
	return &Watch{
		calls: prometheus.NewCounterVec(prometheus.CounterOpts{Name: "framebridge_vendor_calls_total",
			Help: "Requests sent to vendors, by operation and answer: an HTTP status, or none if no response came."}, []string{"tenant", "vendor", "operation", "answer"}),
		took: prometheus.NewHistogramVec(prometheus.HistogramOpts{Name: "framebridge_vendor_call_seconds",
			Help: "Time from a request to the end of its answer.", Buckets: []float64{.05, .1, .25, .5, 1, 2.5, 5, 10, 30, 60}}, []string{"vendor", "operation"}),
		left:    prometheus.NewDesc("framebridge_vendor_budget_calls_left", "Calls that may be made at once before a vendor's rate limit sets the pace.", budget, nil),
		pause:   prometheus.NewDesc("framebridge_vendor_pause_seconds", "Time left of the pause that a vendor asked for; 0 if none.", budget, nil),
		budgets: map[budgetKey]*Budget{},
	}
}

// Called counts a request. status is 0 if there was no response.
func (w *Watch) Called(tenant, vendor, operation string, status int, took time.Duration) {
	if w == nil {
		return
	}
	answer := "none"
	if status != 0 {
		answer = strconv.Itoa(status)
	}
	w.calls.WithLabelValues(tenant, vendor, operation, answer).Inc()
	w.took.WithLabelValues(vendor, operation).Observe(took.Seconds())
}

func (w *Watch) paused(tenant, vendor, operation string, pause time.Duration) {
	if w != nil && w.Paused != nil && pause > 0 {
		w.Paused(tenant, vendor, operation, pause)
	}
}

// Around returns an HTTP client that counts all calls as one operation, for calls that are not made with a Client.
func (w *Watch) Around(h *http.Client, tenant, vendor, operation string) *http.Client {
	if w == nil {
		return h
	}
	own := *h
	next := h.Transport
	if next == nil {
		next = http.DefaultTransport
	}
	own.Transport = roundTripper(func(r *http.Request) (*http.Response, error) {
		sent := time.Now()
		resp, err := next.RoundTrip(r)
		status := 0
		if err == nil {
			status = resp.StatusCode
		}
		w.Called(tenant, vendor, operation, status, time.Since(sent))
		return resp, err
	})
	return &own
}

type roundTripper func(*http.Request) (*http.Response, error)

func (f roundTripper) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

// budget registers a client's budget. It replaces that of an older client of the same tenant.
func (w *Watch) budget(tenant, vendor, name string, b *Budget) {
	if w == nil {
		return
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.budgets[budgetKey{tenant, vendor, name}] = b
}

// Describe implements prometheus.Collector.
func (w *Watch) Describe(ch chan<- *prometheus.Desc) {
	w.calls.Describe(ch)
	w.took.Describe(ch)
	ch <- w.left
	ch <- w.pause
}

// Collect implements prometheus.Collector.
func (w *Watch) Collect(ch chan<- prometheus.Metric) {
	w.calls.Collect(ch)
	w.took.Collect(ch)
	w.mu.Lock()
	defer w.mu.Unlock()
	for k, b := range w.budgets {
		left, paced, pause := b.state()
		if paced {
			ch <- prometheus.MustNewConstMetric(w.left, prometheus.GaugeValue, left, k.tenant, k.vendor, k.name)
		}
		ch <- prometheus.MustNewConstMetric(w.pause, prometheus.GaugeValue, pause.Seconds(), k.tenant, k.vendor, k.name)
	}
}

// BudgetState is a vendor's limit on a tenant's calls as one process sees it. Processes share it through the ledger.
type BudgetState struct {
	Vendor      string         `json:"vendor"`
	Name        string         `json:"name"`         // the operation, or group of operations, that is limited
	Left        float64        `json:"left"`         // calls that may be made at once
	Of          float64        `json:"of"`           // calls per window; 0: the vendor has not announced a limit
	Window      time.Duration  `json:"window"`       // the period that Of counts for
	PausedUntil time.Time      `json:"paused_until"` // zero: no pause was requested
	Refused     BudgetRefusals `json:"refused"`
}

// BudgetRefusals counts a vendor's 429 (Too Many Requests) responses.
type BudgetRefusals struct {
	Count int64     `json:"count"`
	Last  time.Time `json:"last"` // zero: never
}

// Budgets returns the limits of a tenant that this process has encountered, sorted by vendor and name.
func (w *Watch) Budgets(tenant string) []BudgetState {
	if w == nil {
		return nil
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	var out []BudgetState
	for k, b := range w.budgets {
		if k.tenant == tenant {
			out = append(out, b.stateOf(k.vendor, k.name))
		}
	}
	slices.SortFunc(out, func(x, y BudgetState) int {
		return cmp.Or(cmp.Compare(x.Vendor, y.Vendor), cmp.Compare(x.Name, y.Name))
	})
	return out
}

func (b *Budget) stateOf(vendor, name string) BudgetState {
	b.mu.Lock()
	defer b.mu.Unlock()
	now := b.now()
	b.refill(now)
	s := BudgetState{Vendor: vendor, Name: name, Left: math.Floor(max(0, b.level)), Refused: b.told}
	if b.perSecond() > 0 {
		s.Of, s.Window = b.limit.Calls, b.limit.Window
	}
	if b.pause.After(now) {
		s.PausedUntil = b.pause.UTC()
	}
	return s
}

// state returns what is left of the budget, whether it is paced, and what is left of a pause.
func (b *Budget) state() (left float64, paced bool, pause time.Duration) {
	b.mu.Lock()
	defer b.mu.Unlock()
	now := b.now()
	b.refill(now)
	return max(0, b.level), b.perSecond() > 0, max(0, b.pause.Sub(now))
}
