package ledger

import (
	"bytes"
	"context"
	"database/sql"
	"errors"
	"time"

	"github.com/framebridge/framebridge/ledger/lease"
	"github.com/framebridge/framebridge/ledger/sealed"
)

// ErrNoKey says that something is to be kept encrypted and no key is configured.
var ErrNoKey = sealed.ErrNoKey

// WithKey sets the secrets under which tokens are kept, of 16 characters or more each: the first one encrypts, all decrypt.
// What another than the first has encrypted is encrypted anew when the ledger is opened. Empty ones are left out.
func WithKey(secrets ...string) Option {
	return func(l *Ledger) (err error) {
		l.keys, err = sealed.New(secrets...)
		return err
	}
}

func tokenPlace(tenant, name string) string { return tenant + "/" + name }

// CanKeepTokens says that a key is configured.
func (l *Ledger) CanKeepTokens() bool { return len(l.keys) > 0 }

// CanKeepTokens says that a key is configured.
func (h TenantLedger) CanKeepTokens() bool { return h.l.CanKeepTokens() }

// PutToken keeps a token encrypted and replaces the one before.
func (h TenantLedger) PutToken(ctx context.Context, name string, plain []byte) error {
	closed, err := h.l.keys.Seal(tokenPlace(h.id, name), plain)
	if err != nil {
		return err
	}
	_, err = h.l.exec(ctx, `INSERT INTO tokens (tenant, name, sealed, written_at) VALUES (?, ?, ?, ?)
		ON CONFLICT (tenant, name) DO UPDATE SET sealed = excluded.sealed, written_at = excluded.written_at`, h.id, name, closed, micros(time.Now()))
	return err
}

// Token returns a token, and false when there is none.
func (h TenantLedger) Token(ctx context.Context, name string) ([]byte, bool, error) {
	if len(h.l.keys) == 0 {
		return nil, false, ErrNoKey
	}
	closed, err := scanText[string](h.l.reads().Row(ctx, "SELECT sealed FROM tokens WHERE tenant = ? AND name = ?", h.id, name))
	if errors.Is(err, sql.ErrNoRows) {
		return nil, false, nil
	}
	if err != nil {
		return nil, false, err
	}
	plain, _, err := h.l.keys.Open(tokenPlace(h.id, name), closed)
	return plain, err == nil, err
}

// DropToken forgets a token.
func (h TenantLedger) DropToken(ctx context.Context, name string) error {
	_, err := h.l.exec(ctx, "DELETE FROM tokens WHERE tenant = ? AND name = ?", h.id, name)
	return err
}

// encrypted are the tokens among the rows of their table: leases and what is known of the vendors' limits stand there as they are.
const encrypted = "name NOT LIKE '%" + lease.Suffix + "' AND name NOT LIKE '" + budgetsName + "%'"

// reseal encrypts under the first key what another one has encrypted, and the mails that wait since there was no key.
func (l *Ledger) reseal(ctx context.Context) error {
	if err := l.Outbox().Reseal(ctx); err != nil {
		return err
	}
	if len(l.keys) < 2 {
		return nil
	}
	type token struct{ tenant, name, sealed string }
	all, err := collect(ctx, l.reads(), func(r scanner) (t token, err error) {
		err = r.Scan(&t.tenant, &t.name, &t.sealed)
		return t, err
	}, "SELECT tenant, name, sealed FROM tokens WHERE "+encrypted)
	if err != nil {
		return err
	}
	for _, t := range all {
		plain, outdated, err := l.keys.Open(tokenPlace(t.tenant, t.name), t.sealed)
		if err != nil || !outdated {
			continue // what no key opens is told when it is asked for
		}
		closed, err := l.keys.Seal(tokenPlace(t.tenant, t.name), plain)
		if err != nil {
			return err
		}
		// One that was replaced meanwhile is under the first key already.
		if _, err := l.exec(ctx, "UPDATE tokens SET sealed = ? WHERE tenant = ? AND name = ? AND sealed = ?", closed, t.tenant, t.name, t.sealed); err != nil {
			return err
		}
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

const (
	exchangeLease = 45 * time.Second // until another may go on where a process died in an exchange, which is never cut short
	aloneLease    = 15 * time.Second // the same, for what Alone does
)

// Alone does something that no other process of the tenant does under the same name meanwhile. The ledger is free for
// everything else while it takes its time.
func (h TenantLedger) Alone(ctx context.Context, name string, do func(context.Context) error) error {
	return lease.Alone(ctx, h.l.writes().Session, lease.Name{Tenant: h.id, Name: name}, aloneLease, do)
}

// ExchangeToken hands the present token to change and keeps what that returns; no other process changes it meanwhile.
func (h TenantLedger) ExchangeToken(ctx context.Context, name string, change func(ctx context.Context, present []byte) ([]byte, error)) error {
	if len(h.l.keys) == 0 {
		return ErrNoKey
	}
	return lease.Once(ctx, h.l.writes().Session, lease.Name{Tenant: h.id, Name: name}, exchangeLease, func(ctx context.Context) error {
		present, _, err := h.Token(ctx, name)
		if errors.Is(err, sealed.ErrUnreadable) {
			present, err = nil, nil // one that does not open is none
		}
		if err != nil {
			return err
		}
		next, err := change(ctx, present)
		if err != nil || bytes.Equal(next, present) {
			return err
		}
		return h.PutToken(context.WithoutCancel(ctx), name, next)
	})
}
