package ledger

import (
	"context"
	"errors"

	"github.com/framebridge/framebridge/ledger/sealed"
)

// Sealed counts the encrypted values that are kept, of all tenants, and those that the configured key does not open.
// Without a key none opens.
func (l *Ledger) Sealed(ctx context.Context) (kept, unreadable int, err error) {
	places, err := collect(ctx, l.reads(), func(r scanner) (p [2]string, err error) {
		err = r.Scan(&p[0], &p[1])
		return p, err
	}, "SELECT tenant, name FROM tokens WHERE "+encrypted)
	if err != nil {
		return 0, 0, err
	}
	for _, p := range places {
		_, ok, err := l.Tenant(p[0]).Token(ctx, p[1])
		switch {
		case errors.Is(err, sealed.ErrUnreadable), errors.Is(err, ErrNoKey):
			kept++
			unreadable++
		case err != nil:
			return 0, 0, err
		case ok:
			kept++
		}
	}
	mails, lost, err := l.Outbox().Sealed(ctx)
	return kept + mails, unreadable + lost, err
}
