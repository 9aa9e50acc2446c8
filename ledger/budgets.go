package ledger

import (
	"context"
	"time"
)

// budgetsName names the rows in which processes share what they know of the vendors' limits: beside the tokens, like their leases, and no secret.
const budgetsName = "budgets/"

// ShareBudgets lets other processes know what one knows of the vendors' limits, in place of what it said before.
func (h TenantLedger) ShareBudgets(ctx context.Context, process string, known []byte) error {
	now := h.l.writes().Now()
	_, err := h.l.exec(ctx, "INSERT INTO tokens (tenant, name, sealed, written_at) VALUES (?, ?, ?, "+now+") ON CONFLICT (tenant, name) DO UPDATE SET sealed = excluded.sealed, written_at = excluded.written_at", h.id, budgetsName+process, string(known))
	if err == nil {
		_, err = h.l.exec(ctx, "DELETE FROM tokens WHERE tenant = ? AND name LIKE ? AND written_at < "+now+" - ?", h.id, budgetsName+"%", (24 * time.Hour).Microseconds())
	}
	return err
}

// SharedBudgets are what processes have said of the vendors' limits recently, by the database's clock.
func (h TenantLedger) SharedBudgets(ctx context.Context, fresh time.Duration) ([]string, error) {
	return collect(ctx, h.l.reads(), scanText[string], "SELECT sealed FROM tokens WHERE tenant = ? AND name LIKE ? AND written_at >= "+h.l.reads().Now()+" - ? ORDER BY name", h.id, budgetsName+"%", fresh.Microseconds())
}
