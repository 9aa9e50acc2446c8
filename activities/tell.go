package activities

import (
	"context"
	"time"

	"go.temporal.io/sdk/activity"

	"github.com/framebridge/framebridge/redact"
	"github.com/framebridge/framebridge/workflows"
)

// longPause is the shortest pause requested by a vendor that is logged. Shorter ones are just rate limiting.
const longPause = 10 * time.Second

// tellPause logs that a vendor has asked a tenant to wait, and tells the tenant's channels about a long pause.
func (a *Activities) tellPause(tenant, vendor, operation string, pause time.Duration) {
	if pause >= longPause {
		a.log.Info("vendor asks for a pause", "tenant", a.config.Now().TenantName(tenant), "vendor", vendor, "operation", operation, "for", pause.Round(time.Second).String())
	}
	if pause >= toldPause {
		go a.announcePause(tenant, vendor, operation, pause) // do not make the paused call wait for it
	}
}

// tellSync logs when a review's sync starts failing and when it works again, but not every attempt.
func (b boundary) tellSync(ctx context.Context, in any, info activity.Info, err error) {
	sync, ok := in.(workflows.SyncInput)
	if !ok || b.config == nil {
		return
	}
	args := []any{"tenant", b.config.Now().TenantName(sync.Tenant), "review", sync.Review}
	switch {
	case err != nil && info.Attempt == 1 && ctx.Err() == nil:
		b.log.InfoContext(ctx, "review sync failed", append(args, "reason", redact.Scrub(err.Error()))...)
	case err == nil && info.Attempt > 1:
		b.log.InfoContext(ctx, "review syncs again", append(args, "attempts", info.Attempt, "after", time.Since(info.ScheduledTime).Round(time.Second).String())...)
	}
}
