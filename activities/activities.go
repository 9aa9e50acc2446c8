// Package activities registers the activities and stands between them and Temporal: errors, heartbeats, the queue. What they
// do is in archive and review.
package activities

import (
	"context"
	"log/slog"
	"net/http"

	"github.com/prometheus/client_golang/prometheus"
	"go.temporal.io/sdk/client"

	"github.com/framebridge/framebridge/activities/archive"
	"github.com/framebridge/framebridge/activities/review"
	"github.com/framebridge/framebridge/activities/tenant"
	"github.com/framebridge/framebridge/config"
	"github.com/framebridge/framebridge/ledger"
	"github.com/framebridge/framebridge/temporalclient"
	"github.com/framebridge/framebridge/transfer"
	"github.com/framebridge/framebridge/workflows"
)

// Activities are all activities of a worker.
type Activities struct {
	Archive *archive.Activities
	Review  *review.Activities

	queue   *queue
	stuck   *stuck
	tenants *tenant.Tenants
	log     *slog.Logger
}

// New prepares the activities; clients of a tenant are opened at its first use. objects is for signed URLs: it sends no
// credentials.
func New(cfg *config.Live, l *ledger.Ledger, engine *transfer.Engine, objects *http.Client, tc client.Client, log *slog.Logger) (*Activities, error) {
	tenants, err := tenant.NewTenants(cfg, l, log)
	if err != nil {
		return nil, err
	}
	workflowURL := func(id string) string { return temporalclient.WorkflowURL(cfg.Now().Temporal, id) }
	a := &Activities{
		Archive: archive.New(archive.Options{Config: cfg, Ledger: l, Engine: engine, Objects: objects, Log: log, Tenant: tenants.Get, WorkflowURL: workflowURL,
			Cancel: func(ctx context.Context, workflowID string) error { return tc.CancelWorkflow(ctx, workflowID, "") }}),
		Review:  review.New(review.Options{Config: cfg, Ledger: l, Engine: engine, Objects: objects, Log: log, Tenant: tenants.GetPlatform, WorkflowURL: workflowURL}),
		queue:   &queue{ledger: l, temporal: tc},
		tenants: tenants,
		log:     log,
	}
	a.stuck = &stuck{ledger: l, show: a.Archive.ShowStuck, counter: newStuckCounter(), log: log,
		signal: func(ctx context.Context, workflowID string) error {
			return tc.SignalWorkflow(ctx, workflowID, "", workflows.SignalStuck, nil)
		}}
	return a, nil
}

// Metrics are what the activities count.
func (a *Activities) Metrics() prometheus.Collector { return a.stuck.counter }

// KeepSignedIn uses the tenants' sign-ins now and then, so that they do not end while nothing runs. It returns with ctx.
func (a *Activities) KeepSignedIn(ctx context.Context) { a.tenants.KeepSignedIn(ctx) }
