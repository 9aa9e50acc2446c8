package ledger

import (
	"context"
	"time"
)

// Audit writes down who did what.
func (l *Ledger) Audit(ctx context.Context, tenant, archive, actor, what, detail string) error {
	_, err := l.exec(ctx, "INSERT INTO audit (tenant, archive, at, actor, what, detail) VALUES (?, ?, ?, ?, ?, ?)", tenant, archive, micros(time.Now()), actor, what, detail)
	return err
}

// AuditEntry is a line of the audit.
type AuditEntry struct {
	At                  time.Time
	Actor, What, Detail string
}

// AuditTrail returns an archive's last entries, newest first.
func (l *Ledger) AuditTrail(ctx context.Context, tenant, archive string, limit int) ([]AuditEntry, error) {
	rows, err := l.reads().query(ctx, "SELECT at, actor, what, detail FROM audit WHERE tenant = ? AND archive = ? ORDER BY at DESC LIMIT ?", tenant, archive, limit)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var out []AuditEntry
	for rows.Next() {
		var e AuditEntry
		var at int64
		if err := rows.Scan(&at, &e.Actor, &e.What, &e.Detail); err != nil {
			return nil, err
		}
		e.At = fromMicros(at)
		out = append(out, e)
	}
	return out, rows.Err()
}
