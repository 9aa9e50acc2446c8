package activities

import (
	"context"
	"log/slog"
	"time"

	enumspb "go.temporal.io/api/enums/v1"
	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/temporal"

	"github.com/framebridge/framebridge/config"
	"github.com/framebridge/framebridge/ledger"
	"github.com/framebridge/framebridge/redact"
	"github.com/framebridge/framebridge/temporalclient"
	"github.com/framebridge/framebridge/workflows"
)

const (
	dispatchEvery = 30 * time.Second // between looks for deliveries whose start was lost
	dispatchMost  = 200              // deliveries per look
	startTimeout  = 10 * time.Second
	forgetEvery   = 6 * time.Hour // how often old events are removed
)

// dispatcher starts the workflows that deliver events to channels. If one cannot be started, it is found in the ledger later.
type dispatcher struct {
	config   *config.Live
	ledger   *ledger.Ledger
	temporal client.Client
	log      *slog.Logger
	post     *postman
	also     func(context.Context) error // what else each round takes care of
}

// start starts a delivery's workflow, or joins the one that is running.
func (d *dispatcher) start(ctx context.Context, row ledger.Delivery) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), startTimeout)
	defer cancel()
	o := client.StartWorkflowOptions{
		ID: workflows.NotificationID(row.Tenant, row.Event, row.Channel), TaskQueue: d.config.Now().Temporal.TaskQueue,
		WorkflowIDReusePolicy:    enumspb.WORKFLOW_ID_REUSE_POLICY_ALLOW_DUPLICATE, // the ledger knows what was delivered
		WorkflowIDConflictPolicy: enumspb.WORKFLOW_ID_CONFLICT_POLICY_USE_EXISTING,
		StaticSummary:            workflows.Clip(row.Channel + ": " + redact.Scrub(row.Title)),
		Priority:                 temporal.Priority{FairnessKey: row.Tenant},
		TypedSearchAttributes:    temporal.NewSearchAttributes(workflows.AttributeTenant.ValueSet(row.Tenant)),
	}
	in := workflows.NotificationInput{Tenant: row.Tenant, Event: row.Event, Channel: row.Channel}
	if err := temporalclient.Start(ctx, d.temporal, o, workflows.NotificationName, in, nil); err != nil {
		return err
	}
	return d.ledger.Tenant(row.Tenant).DeliveryStarted(ctx, row.Event, row.Channel)
}

// keep periodically starts deliveries whose start was lost and sends mail that waits. It returns when ctx ends.
func (d *dispatcher) keep(ctx context.Context) {
	var forgot time.Time
	for wait := time.Duration(0); ; wait = dispatchEvery {
		select {
		case <-ctx.Done():
			return
		case <-time.After(wait):
		}
		if err := d.sweep(ctx); err != nil && ctx.Err() == nil {
			d.log.WarnContext(ctx, "could not start waiting notifications", "error", err)
		}
		if err := d.also(ctx); err != nil && ctx.Err() == nil {
			d.log.WarnContext(ctx, "could not check how mirrors ended", "error", err)
		}
		if err := d.post.sweep(ctx); err != nil && ctx.Err() == nil {
			d.log.WarnContext(ctx, "could not send waiting mails", "error", err)
		}
		if time.Since(forgot) > forgetEvery {
			err := d.ledger.ForgetEvents(ctx)
			if err == nil {
				forgot = time.Now()
			} else if ctx.Err() == nil {
				d.log.WarnContext(ctx, "could not remove old notifications", "error", err)
			}
		}
	}
}

func (d *dispatcher) sweep(ctx context.Context) error {
	due, err := d.ledger.DueDeliveries(ctx, dispatchMost)
	for _, row := range due {
		if err := d.start(ctx, row); err != nil {
			return err
		}
	}
	return err
}
