// Package activities registers the activities and handles what lies between them and Temporal: errors, heartbeats and the
// queue. What the activities do is in the packages below it.
package activities

import (
	"context"
	"log/slog"
	"net/http"
	"time"

	"github.com/google/uuid"
	"github.com/prometheus/client_golang/prometheus"
	"go.temporal.io/sdk/client"

	"github.com/framebridge/framebridge/activities/archive"
	"github.com/framebridge/framebridge/activities/bandwidth"
	"github.com/framebridge/framebridge/activities/delivery"
	"github.com/framebridge/framebridge/activities/migration"
	"github.com/framebridge/framebridge/activities/mirror"
	"github.com/framebridge/framebridge/activities/reclaim"
	"github.com/framebridge/framebridge/activities/review"
	"github.com/framebridge/framebridge/activities/tenant"
	"github.com/framebridge/framebridge/activities/upkeep"
	"github.com/framebridge/framebridge/clients/hooks"
	"github.com/framebridge/framebridge/clients/rest"
	"github.com/framebridge/framebridge/config"
	"github.com/framebridge/framebridge/ledger"
	"github.com/framebridge/framebridge/temporalclient"
	"github.com/framebridge/framebridge/transfer"
	"github.com/framebridge/framebridge/version"
	"github.com/framebridge/framebridge/workflows"
)

// Activities holds all activities of a worker.
type Activities struct {
	Archive *archive.Activities
	Review  *review.Activities
	Reclaim *reclaim.Activities
	// Migration moves whole accounts.
	Migration *migration.Activities
	Upkeep    *upkeep.Activities

	Mirror *mirror.Activities

	queue   *queue
	stuck   *stuck
	tenants *tenant.Tenants
	results *results
	config  *config.Live
	ledger  *ledger.Ledger
	log     *slog.Logger

	Delivery *delivery.Activities
	dispatch *dispatcher

	mirrorEnd func(ctx context.Context, run string) (*mirror.Outcome, error)
}

// New prepares the activities. It opens a tenant's clients at their first use. objects is for signed URLs and must not send
// credentials.
func New(cfg *config.Live, l *ledger.Ledger, engine *transfer.Engine, objects *http.Client, tc client.Client, log *slog.Logger) (*Activities, error) {
	dispatch := &dispatcher{config: cfg, ledger: l, temporal: tc, log: log}
	tenants, err := tenant.NewTenants(cfg, l, dispatch.start, log)
	if err != nil {
		return nil, err
	}
	tenants.Watch = rest.NewWatch()
	dispatch.post = &postman{box: l.Outbox(), tenants: tenants, log: log, now: time.Now}
	counted := newResults()
	workflowURL := func(id string) string { return temporalclient.WorkflowURL(cfg.Now().Temporal, id) }
	a := &Activities{
		Archive: archive.New(archive.Options{Config: cfg, Ledger: l, Engine: engine, Objects: objects, Log: log, Tenant: tenants.Get, WorkflowURL: workflowURL, Result: counted.count,
			Cancel: func(ctx context.Context, workflowID string) error { return tc.CancelWorkflow(ctx, workflowID, "") }}),
		Review: review.New(review.Options{Config: cfg, Ledger: l, Engine: engine, Objects: objects, Log: log, Tenant: tenants.GetPlatform, WorkflowURL: workflowURL}),
		Upkeep: upkeep.New(upkeep.Options{Ledger: l, Objects: objects, Log: log, Tenant: tenants.Get}),
		Reclaim: reclaim.New(reclaim.Options{Config: cfg, Ledger: l, Engine: engine, Objects: objects, Log: log,
			Tenant: func(id string) (*tenant.Tenant, reclaim.Deleter, error) { return tenants.GetPlatform(id) }}),
		queue:   &queue{ledger: l, temporal: tc},
		tenants: tenants,
		results: counted,
		config:  cfg,
		ledger:  l,
		log:     log,
	}
	tenants.Watch.Paused = a.tellPause
	open := archives{cfg, l, tc}
	a.Mirror = &mirror.Activities{Ledger: l, Tenant: tenants.Get, Running: open.Runs, Start: func(ctx context.Context, ref workflows.Ref) error {
		_, err := open.Start(ctx, ref, "")
		return err
	}}
	a.mirrorEnd, dispatch.also = mirrorOutcome(tc), a.tellMirrors
	a.Archive.Limits = bandwidth.New(l, uuid.NewString(), log)
	a.Migration = migration.New(migration.Options{Config: cfg, Ledger: l, Engine: engine, Objects: objects, Log: log, Tenant: tenants.Get, Archives: open})
	a.Delivery, a.dispatch = delivery.New(tenants.Get, poster(cfg), log), dispatch
	a.stuck = &stuck{ledger: l, show: a.Archive.ShowStuck, ended: a.Archive.ShowProgress, now: time.Now, counter: newStuckCounter(), log: log,
		signal: func(ctx context.Context, workflowID string) error {
			return tc.SignalWorkflow(ctx, workflowID, "", workflows.SignalStuck, nil)
		}}
	return a, nil
}

// poster returns the client that posts notifications. It may reach public addresses, networks that are allowed, and
// addresses of the same kind as the vendors' own.
func poster(cfg *config.Live) *hooks.Client {
	guard := hooks.Guard(cfg.Now().VendorURLs(), cfg.Now().Notify.Allowed())
	cfg.OnChange(func(now *config.Config) { guard.SetBases(now.VendorURLs()) })
	return hooks.New(guard, "framebridge/"+version.Get().Version)
}

// UseClock replaces the clock that tells how long an activity has been failing, for tests that skip time.
func (a *Activities) UseClock(now func() time.Time) { a.stuck.now = now }

// Metrics returns the activities' collectors.
func (a *Activities) Metrics() []prometheus.Collector {
	return append(a.Upkeep.Metrics(), a.stuck.counter, a.results.items, a.results.bytes, a.tenants.Watch)
}

// Keep uses the tenants' sign-ins regularly so that they do not expire while nothing runs, starts notifications whose start was
// lost, and shares what it knows of the vendors' limits. It returns when ctx ends.
func (a *Activities) Keep(ctx context.Context) {
	go a.dispatch.keep(ctx)
	go a.shareBudgets(ctx)
	a.tenants.KeepSignedIn(ctx)
}
