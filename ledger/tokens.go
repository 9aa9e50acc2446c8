package ledger

import (
	"context"
	"errors"

	"github.com/framebridge/framebridge/ledger/sealed"
	"github.com/framebridge/framebridge/ledger/tokens"
)

// ErrNoKey means that something must be stored encrypted and no key is configured.
var ErrNoKey = sealed.ErrNoKey

// WithKey sets the secrets under which tokens are encrypted, of at least 16 characters each. The first one encrypts, and all
// decrypt. Opening the ledger re-encrypts under the first what another one encrypted. Empty secrets are skipped.
func WithKey(secrets ...string) Option {
	return func(l *Ledger) (err error) {
		l.keys, err = sealed.New(secrets...)
		return err
	}
}

// CanKeepTokens reports whether a key is configured.
func (l *Ledger) CanKeepTokens() bool { return len(l.keys) > 0 }

// Sealed counts the encrypted values of all tenants, and those that the configured keys cannot decrypt. Without a key, that is
// all of them.
func (l *Ledger) Sealed(ctx context.Context) (kept, unreadable int, err error) {
	kept, unreadable, err = tokens.Sealed(ctx, l.db, l.keys)
	if err != nil {
		return 0, 0, err
	}
	mails, lost, err := l.Outbox().Sealed(ctx)
	return kept + mails, unreadable + lost, err
}

// reseal encrypts under the first key what another one encrypted, and waiting mails from before there was a key.
func (l *Ledger) reseal(ctx context.Context) error {
	if err := l.Outbox().Reseal(ctx); err != nil {
		return err
	}
	if len(l.keys) < 2 {
		return nil
	}
	if err := tokens.Reseal(ctx, l.db, l.keys); err != nil {
		return err
	}
	type place struct{ tenant, archive, source string }
	uploads, err := collect(ctx, l.reads(), func(r scanner) (p place, err error) {
		err = r.Scan(&p.tenant, &p.archive, &p.source)
		return p, err
	}, "SELECT tenant, archive, source_id FROM items WHERE ("+toCopy+") AND state = 'copying'")
	if err != nil {
		return err
	}
	for _, p := range uploads {
		if _, err := l.Tenant(p.tenant).Archive(p.archive).UpdateItem(ctx, p.source, func(*Item) {}); err != nil && !errors.Is(err, ErrUnknown) {
			return err
		}
	}
	return nil
}
