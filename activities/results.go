package activities

import (
	"github.com/prometheus/client_golang/prometheus"

	"github.com/framebridge/framebridge/ledger"
)

// results counts the outcomes of archives' items. An item that a retry copies is counted again.
type results struct{ items, bytes *prometheus.CounterVec }

func newResults() *results {
	labels := []string{"tenant", "result"}
	return &results{
		items: prometheus.NewCounterVec(prometheus.CounterOpts{Name: "framebridge_archive_items_total", Help: "Items of archives by result: copied, verified, skipped or failed."}, labels),
		bytes: prometheus.NewCounterVec(prometheus.CounterOpts{Name: "framebridge_archive_bytes_total", Help: "Sizes of the items of archives by result."}, labels),
	}
}

func (r *results) count(tenant string, it ledger.Item) {
	switch it.State {
	case ledger.Copied, ledger.ItemVerified, ledger.Skipped, ledger.ItemFailed:
		r.items.WithLabelValues(tenant, string(it.State)).Inc()
		r.bytes.WithLabelValues(tenant, string(it.State)).Add(float64(max(0, it.Size)))
	}
}
