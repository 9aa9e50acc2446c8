package api

import (
	"context"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/framebridge/framebridge/ledger"
)

// What the ledger knows, read when a scrape asks: a few indexed queries for each tenant.
var (
	descArchives   = prometheus.NewDesc("framebridge_archives", "Archives that have not ended, by status.", []string{"tenant", "status"}, nil)
	descQueueAge   = prometheus.NewDesc("framebridge_archive_queue_seconds", "How long the next archive in the queue has waited; 0 where none does.", []string{"tenant"}, nil)
	descLastEnded  = prometheus.NewDesc("framebridge_archive_last_failure_timestamp_seconds", "When the newest archive that failed or stayed incomplete ended, of the last 100 that did; absent where none did.", []string{"tenant", "status"}, nil)
	descReviews    = prometheus.NewDesc("framebridge_reviews", "Reviews that are being sent or are open, by status.", []string{"tenant", "status"}, nil)
	descSyncAge    = prometheus.NewDesc("framebridge_review_oldest_sync_seconds", "How long ago the open review that waits longest was last synced; 0 where none is open.", []string{"tenant"}, nil)
	descDeliveries = prometheus.NewDesc("framebridge_webhook_last_delivery_timestamp_seconds", "When a webhook that was acted on came last, within a day; absent where none did.", []string{"tenant"}, nil)
	descUp         = prometheus.NewDesc("framebridge_ledger_up", "1 where the ledger could be read for this scrape.", nil, nil)
)

const (
	scrapeTimeLimit = 5 * time.Second
	newestFailures  = 100
	openReviews     = 1000
)

// ledgerMetrics reads a scrape's values from the ledger.
type ledgerMetrics struct{ s *Server }

func (m ledgerMetrics) Describe(ch chan<- *prometheus.Desc) {
	for _, d := range []*prometheus.Desc{descArchives, descQueueAge, descLastEnded, descReviews, descSyncAge, descDeliveries, descUp} {
		ch <- d
	}
}

func (m ledgerMetrics) Collect(ch chan<- prometheus.Metric) {
	ctx, cancel := context.WithTimeout(context.Background(), scrapeTimeLimit)
	defer cancel()
	up := 1.0
	for id := range m.s.Config().Tenants {
		if err := m.tenant(ctx, m.s.Ledger.Tenant(id), id, ch); err != nil {
			m.s.Log.WarnContext(ctx, "a scrape could not read the ledger", "tenant", id, "error", err)
			up = 0
			break
		}
	}
	ch <- prometheus.MustNewConstMetric(descUp, prometheus.GaugeValue, up)
}

func (m ledgerMetrics) tenant(ctx context.Context, l ledger.TenantLedger, id string, ch chan<- prometheus.Metric) error {
	gauge := func(d *prometheus.Desc, v float64, labels ...string) {
		ch <- prometheus.MustNewConstMetric(d, prometheus.GaugeValue, v, append([]string{id}, labels...)...)
	}
	archives, err := l.OpenArchives(ctx)
	if err != nil {
		return err
	}
	for _, status := range []ledger.ArchiveStatus{ledger.Queued, ledger.Planning, ledger.Running, ledger.Waiting, ledger.Verifying} {
		gauge(descArchives, float64(archives[status]), string(status))
	}
	next, err := l.Queue(ctx, -1, "", 1)
	if err != nil {
		return err
	}
	waited := 0.0
	if len(next) > 0 {
		waited = time.Since(next[0].QueuedAt).Seconds()
	}
	gauge(descQueueAge, waited)
	ended, _, err := l.BrowseArchives(ctx, ledger.ArchiveFilter{Statuses: []ledger.ArchiveStatus{ledger.Failed, ledger.Incomplete}}, "", newestFailures)
	if err != nil {
		return err
	}
	newest := map[ledger.ArchiveStatus]time.Time{}
	for _, a := range ended {
		if a.FinishedAt.After(newest[a.Status]) {
			newest[a.Status] = a.FinishedAt
		}
	}
	for status, at := range newest {
		gauge(descLastEnded, float64(at.Unix()), string(status))
	}
	if err := m.reviews(ctx, l, gauge); err != nil {
		return err
	}
	last, n, err := l.LastDelivery(ctx)
	if err == nil && n > 0 {
		gauge(descDeliveries, float64(last.Unix()))
	}
	return err
}

func (m ledgerMetrics) reviews(ctx context.Context, l ledger.TenantLedger, gauge func(*prometheus.Desc, float64, ...string)) error {
	counts, err := l.RunningReviews(ctx)
	if err != nil {
		return err
	}
	for _, status := range []ledger.ReviewStatus{ledger.ReviewSending, ledger.ReviewOpen} {
		gauge(descReviews, float64(counts[status]), string(status))
	}
	open, err := l.OpenReviews(ctx, time.Time{}, time.Time{}, "", openReviews)
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
	gauge(descSyncAge, oldest)
	return nil
}
