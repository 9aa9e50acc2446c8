package transfer

import "github.com/prometheus/client_golang/prometheus"

// Metrics count what an engine does. A nil *Metrics counts nothing.
type Metrics struct {
	bytes, parts, retries prometheus.Counter
	files                 prometheus.Gauge
}

// NewMetrics registers the engine's metrics.
func NewMetrics(r prometheus.Registerer) *Metrics {
	m := &Metrics{
		bytes:   prometheus.NewCounter(prometheus.CounterOpts{Name: "framebridge_transfer_bytes_total", Help: "Bytes stored."}),
		parts:   prometheus.NewCounter(prometheus.CounterOpts{Name: "framebridge_transfer_parts_total", Help: "Parts stored."}),
		retries: prometheus.NewCounter(prometheus.CounterOpts{Name: "framebridge_transfer_retries_total", Help: "Requests for parts that were repeated."}),
		files:   prometheus.NewGauge(prometheus.GaugeOpts{Name: "framebridge_transfer_files_in_flight", Help: "Files being transferred."}),
	}
	r.MustRegister(m.bytes, m.parts, m.retries, m.files)
	return m
}

func (m *Metrics) part(size int64) {
	if m != nil {
		m.parts.Inc()
		m.bytes.Add(float64(size))
	}
}

func (m *Metrics) retried() {
	if m != nil {
		m.retries.Inc()
	}
}

func (m *Metrics) inFlight(d float64) {
	if m != nil {
		m.files.Add(d)
	}
}
