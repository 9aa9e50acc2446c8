package api

import (
	"context"
	"errors"
	"maps"
	"slices"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/framebridge/framebridge/config"
	"github.com/framebridge/framebridge/events"
	"github.com/framebridge/framebridge/ledger"
	"github.com/framebridge/framebridge/starter/control"
)

const (
	scrapeTimeLimit = 5 * time.Second
	newestFailures  = 100
	openReviews     = 1000
)

var (
	descUp = prometheus.NewDesc("framebridge_ledger_up", "1 if the ledger could be read and written for this scrape.", nil, nil)
)

// counts holds the metrics that the server counts itself.
type counts struct {
	answers      *prometheus.CounterVec
	seconds, lag *prometheus.HistogramVec
}

func newCounts() counts {
	return counts{
		answers: prometheus.NewCounterVec(prometheus.CounterOpts{Name: "framebridge_http_answers_total", Help: "Responses of the HTTP API."}, []string{"route", "status"}),
		seconds: prometheus.NewHistogramVec(prometheus.HistogramOpts{Name: "framebridge_http_seconds", Help: "Time until a request was answered.", Buckets: []float64{.005, .01, .025, .05, .1, .25, .5, 1, 2, 4, 8, 20}}, []string{"route"}),
		lag: prometheus.NewHistogramVec(prometheus.HistogramOpts{Name: "framebridge_webhook_lag_seconds",
			Help: "Time from Frame.io's signing of a webhook to its arrival, including any difference between the clocks.", Buckets: []float64{.5, 1, 2, 5, 10, 30, 60, 120, 300}}, []string{"tenant"}),
	}
}

// gaugeOf describes a per-tenant gauge. Its labels are the tenant's ID and values fixed in the code, never names or IDs of objects.
func gaugeOf(name, help string, labels ...string) *prometheus.Desc {
	return prometheus.NewDesc(name, help, append([]string{"tenant"}, labels...), nil)
}

// scrape is one tenant's part of a scrape.
type scrape struct {
	context.Context //nolint:containedctx // lives as long as the scrape
	tenant          *config.Tenant
	ledger          ledger.TenantLedger
	signedIn        func(context.Context, *config.Tenant) (time.Time, bool)
	ch              chan<- prometheus.Metric
}

func (s scrape) gauge(d *prometheus.Desc, v float64, labels ...string) {
	s.ch <- prometheus.MustNewConstMetric(d, prometheus.GaugeValue, v, append([]string{s.tenant.ID}, labels...)...)
}

// reading is what a scrape reads from the ledger, in a few indexed queries. To add a gauge, add a reading to readings.
type reading struct {
	descs []*prometheus.Desc
	read  func(scrape) error
}

var readings = []reading{archiveReading(), queueReading(), failureReading(), reviewReading(), syncReading(), deliveryReading(), signInReading(), migrationReading(), eventReading()}

// ledgerMetrics collects metrics from the ledger on every scrape.
type ledgerMetrics struct{ s *Server }

func (m ledgerMetrics) Describe(ch chan<- *prometheus.Desc) {
	ch <- descUp
	for _, r := range readings {
		for _, d := range r.descs {
			ch <- d
		}
	}
}

func (m ledgerMetrics) Collect(ch chan<- prometheus.Metric) {
	ctx, cancel := context.WithTimeout(context.Background(), scrapeTimeLimit)
	defer cancel()
	up := 1.0
	if err := errors.Join(m.all(ctx, ch), m.s.Ledger.Ping(ctx)); err != nil {
		m.s.Log.WarnContext(ctx, "a scrape could not use the ledger", "error", err)
		up = 0
	}
	ch <- prometheus.MustNewConstMetric(descUp, prometheus.GaugeValue, up)
}

func (m ledgerMetrics) all(ctx context.Context, ch chan<- prometheus.Metric) error {
	for id, t := range m.s.Config().Tenants {
		s := scrape{Context: ctx, tenant: t, ledger: m.s.Ledger.Tenant(id), signedIn: control.SignedIn(m.s.Ledger), ch: ch}
		for _, r := range readings {
			if err := r.read(s); err != nil {
				return err
			}
		}
	}
	return nil
}

// byStatus emits a gauge for each status in counts, and for the ones in always even if they are 0.
func byStatus[K ~string](s scrape, d *prometheus.Desc, counts map[K]int64, always ...K) {
	for _, status := range always {
		s.gauge(d, float64(counts[status]), string(status))
	}
	for _, status := range slices.Sorted(maps.Keys(counts)) {
		if !slices.Contains(always, status) {
			s.gauge(d, float64(counts[status]), string(status))
		}
	}
}

func archiveReading() reading {
	d := gaugeOf("framebridge_archives", "Archives that have not ended, by status.", "status")
	return reading{[]*prometheus.Desc{d}, func(s scrape) error {
		counts, err := s.ledger.OpenArchives(s)
		if err == nil {
			byStatus(s, d, counts, ledger.Queued, ledger.Planning, ledger.Running, ledger.Waiting, ledger.Verifying)
		}
		return err
	}}
}

func queueReading() reading {
	d := gaugeOf("framebridge_archive_queue_seconds", "How long the next archive in the queue has been waiting; 0 if none is.")
	return reading{[]*prometheus.Desc{d}, func(s scrape) error {
		next, err := s.ledger.Queue(s, -1, "", 1)
		if err != nil {
			return err
		}
		waited := 0.0
		if len(next) > 0 {
			waited = time.Since(next[0].QueuedAt).Seconds()
		}
		s.gauge(d, waited)
		return nil
	}}
}

func failureReading() reading {
	d := gaugeOf("framebridge_archive_last_failure_timestamp_seconds", "When the latest failed or incomplete archive ended, among the last 100; absent if there was none.", "status")
	return reading{[]*prometheus.Desc{d}, func(s scrape) error {
		ended, _, err := s.ledger.BrowseArchives(s, ledger.ArchiveFilter{Statuses: []ledger.ArchiveStatus{ledger.Failed, ledger.Incomplete}}, "", newestFailures)
		newest := map[ledger.ArchiveStatus]time.Time{}
		for _, a := range ended {
			if a.FinishedAt.After(newest[a.Status]) {
				newest[a.Status] = a.FinishedAt
			}
		}
		for status, at := range newest {
			s.gauge(d, float64(at.Unix()), string(status))
		}
		return err
	}}
}

func reviewReading() reading {
	d := gaugeOf("framebridge_reviews", "Reviews that are being sent or are open, by status.", "status")
	return reading{[]*prometheus.Desc{d}, func(s scrape) error {
		counts, err := s.ledger.RunningReviews(s)
		if err == nil {
			byStatus(s, d, counts, ledger.ReviewSending, ledger.ReviewOpen)
		}
		return err
	}}
}

func syncReading() reading {
	d := gaugeOf("framebridge_review_oldest_sync_seconds", "How long ago the open review that has waited longest was last synced; 0 if none is open.")
	return reading{[]*prometheus.Desc{d}, func(s scrape) error {
		open, err := s.ledger.OpenReviews(s, time.Time{}, time.Time{}, "", openReviews)
		if err != nil {
			return err
		}
		oldest := 0.0
		for _, r := range open {
			since := r.LastSyncAt
			if since.IsZero() {
				since = r.OpenedAt
			}
			if !since.IsZero() {
				oldest = max(oldest, time.Since(since).Seconds())
			}
		}
		s.gauge(d, oldest)
		return nil
	}}
}

func deliveryReading() reading {
	d := gaugeOf("framebridge_webhook_last_delivery_timestamp_seconds", "When Framebridge last received a webhook that it acted on, within the last day; absent if none came.")
	return reading{[]*prometheus.Desc{d}, func(s scrape) error {
		last, n, err := s.ledger.LastDelivery(s)
		if err == nil && n > 0 {
			s.gauge(d, float64(last.Unix()))
		}
		return err
	}}
}

func signInReading() reading {
	d := gaugeOf("framebridge_sign_in_renewed_timestamp_seconds", "When a person's Adobe sign-in was last renewed; it expires after 14 days without use. Absent if none is stored.")
	return reading{[]*prometheus.Desc{d}, func(s scrape) error {
		if at, ok := s.signedIn(s, s.tenant); ok {
			s.gauge(d, float64(at.Unix()))
		}
		return nil
	}}
}

// waitsForGo is the status of a migration that has archived its first projects and waits for a person.
const waitsForGo ledger.MigrationStatus = "waiting_for_go"

func migrationReading() reading {
	d := gaugeOf("framebridge_migrations", "1 for the current status of the tenant's newest migration until it ends; waiting_for_go: a person must resume it.", "status")
	return reading{[]*prometheus.Desc{d}, func(s scrape) error {
		newest, ok, err := s.ledger.NewestMigration(s)
		if err != nil {
			return err
		}
		at := map[ledger.MigrationStatus]int64{}
		if ok && !newest.Status.Ended() {
			status := newest.Status
			if newest.WaitsForGo {
				status = waitsForGo
			}
			at[status] = 1
		}
		byStatus(s, d, at, ledger.MigrationPlanning, ledger.MigrationRunning, ledger.MigrationPaused, waitsForGo, ledger.MigrationScheduled)
		return nil
	}}
}

// toldKinds are the events whose last time a scrape reports: those that nothing else in the ledger shows and that require a person
// to act.
var toldKinds = []events.Kind{events.MigrationIncomplete, events.MigrationFailed, events.MirrorFailed, events.ReclaimStopped}

func eventReading() reading {
	d := gaugeOf("framebridge_event_last_timestamp_seconds", "When an event of this type last happened, within the last three months; absent if none did.", "type")
	return reading{[]*prometheus.Desc{d}, func(s scrape) error {
		for _, kind := range toldKinds {
			at, err := s.ledger.LastEvent(s, kind)
			if err != nil {
				return err
			}
			if !at.IsZero() {
				s.gauge(d, float64(at.Unix()), string(kind))
			}
		}
		return nil
	}}
}
