package ledger

import (
	"context"
	"time"
)

// ShareTransfers records how many of the tenant's files a worker is transferring. It returns the total over all workers that have
// reported within fresh, by the database's clock.
func (h TenantLedger) ShareTransfers(ctx context.Context, worker string, transfers int, fresh time.Duration) (all int, err error) {
	now := h.l.writes().Now()
	if _, err := h.l.exec(ctx, "INSERT INTO transfer_shares (tenant, worker, transfers, seen_at) VALUES (?, ?, ?, "+now+") ON CONFLICT (tenant, worker) DO UPDATE SET transfers = excluded.transfers, seen_at = excluded.seen_at",
		h.id, worker, transfers); err != nil {
		return 0, err
	}
	if _, err := h.l.exec(ctx, "DELETE FROM transfer_shares WHERE tenant = ? AND seen_at < "+now+" - ?", h.id, (100 * fresh).Microseconds()); err != nil {
		return 0, err
	}
	err = h.l.reads().Row(ctx, "SELECT COALESCE(SUM(transfers), 0) FROM transfer_shares WHERE tenant = ? AND seen_at >= "+now+" - ?", h.id, fresh.Microseconds()).Scan(&all)
	return all, err
}
