package ledger

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"time"
)

// deliveriesKept is how long a delivery is remembered; the vendors sign what is at most minutes old.
const deliveriesKept = 24 * time.Hour

func deliveryKey(key string) string {
	sum := sha256.Sum256([]byte(key))
	return hex.EncodeToString(sum[:])
}

// Delivered tells whether a webhook's delivery was noted before.
func (l *Ledger) Delivered(ctx context.Context, tenant, key string) (bool, error) {
	var n int
	err := l.reads().row(ctx, "SELECT COUNT(*) FROM deliveries WHERE tenant = ? AND delivery = ?", tenant, deliveryKey(key)).Scan(&n)
	return n > 0, err
}

// NoteDelivery remembers a delivery that was acted on, and tells whether it is the first of its key.
func (l *Ledger) NoteDelivery(ctx context.Context, tenant, key string, now time.Time) (bool, error) {
	if _, err := l.exec(ctx, forgetDelivered, tenant, micros(now.Add(-deliveriesKept))); err != nil {
		return false, err
	}
	n, err := l.exec(ctx, "INSERT INTO deliveries (tenant, delivery, seen_at) VALUES (?, ?, ?) ON CONFLICT DO NOTHING", tenant, deliveryKey(key), micros(now))
	return n == 1, err
}
