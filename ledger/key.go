package ledger

import (
	"context"
	"errors"
	"strings"
)

// Sealed counts the encrypted values that are kept, of all tenants, and those that the configured key does not open.
// Without a key none opens.
func (l *Ledger) Sealed(ctx context.Context) (kept, unreadable int, err error) {
	rows, err := l.read.QueryContext(ctx, "SELECT tenant, name FROM tokens")
	if err != nil {
		return 0, 0, err
	}
	var places [][2]string
	for rows.Next() {
		var tenant, name string
		if err := rows.Scan(&tenant, &name); err != nil {
			_ = rows.Close()
			return 0, 0, err
		}
		if !strings.HasSuffix(name, "/lease") {
			places = append(places, [2]string{tenant, name})
		}
	}
	if err := errors.Join(rows.Err(), rows.Close()); err != nil {
		return 0, 0, err
	}
	for _, p := range places {
		_, ok, err := l.Tenant(p[0]).Token(ctx, p[1])
		switch {
		case errors.Is(err, errUnreadable), errors.Is(err, ErrNoKey):
			kept++
			unreadable++
		case err != nil:
			return 0, 0, err
		case ok:
			kept++
		}
	}
	return kept, unreadable, nil
}
