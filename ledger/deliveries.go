package ledger

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"time"
)

// deliveriesKept is how long a delivery is remembered. The vendors' signatures are valid for minutes.
const deliveriesKept = 24 * time.Hour

func deliveryKey(key string) string {
	sum := sha256.Sum256([]byte(key))
	return hex.EncodeToString(sum[:])
}

// Delivered reports whether a webhook delivery was already noted.
func (h TenantLedger) Delivered(ctx context.Context, key string) (bool, error) {
	var n int
	err := h.l.reads().Row(ctx, "SELECT COUNT(*) FROM deliveries WHERE tenant = ? AND delivery = ?", h.id, deliveryKey(key)).Scan(&n)
	return n > 0, err
}

// NoteDelivery remembers a delivery that was acted on, and reports whether it is the first with its key.
func (h TenantLedger) NoteDelivery(ctx context.Context, key string, now time.Time) (bool, error) {
	if _, err := h.l.exec(ctx, forgetDelivered, h.id, micros(now.Add(-deliveriesKept))); err != nil {
		return false, err
	}
	n, err := h.l.exec(ctx, "INSERT INTO deliveries (tenant, delivery, seen_at) VALUES (?, ?, ?) ON CONFLICT DO NOTHING", h.id, deliveryKey(key), micros(now))
	return n == 1, err
}
