package database

import (
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// latency measures how long the database takes, including the wait for a connection or a lock.
type latency struct {
	all                         *prometheus.HistogramVec
	reads, writes, transactions prometheus.Observer
}

func newLatency() latency {
	all := prometheus.NewHistogramVec(prometheus.HistogramOpts{Name: "framebridge_ledger_seconds",
		Help: "Time until the ledger's database has answered a statement or committed a transaction.", Buckets: []float64{.0005, .001, .0025, .005, .01, .025, .05, .1, .25, 1, 5, 15}}, []string{"kind"})
	return latency{all, all.WithLabelValues("read"), all.WithLabelValues("write"), all.WithLabelValues("transaction")}
}

// Metrics returns what the ledger measures.
func (d *DB) Metrics() prometheus.Collector { return d.took.all }

func timed(o prometheus.Observer) func() {
	if o == nil {
		return func() {}
	}
	begun := time.Now()
	return func() { o.Observe(time.Since(begun).Seconds()) }
}
