// Package tokens stores secrets that change, such as sign-ins and passphrases, encrypted. Through the same table, unencrypted, processes
// share leases and what they know about the vendors' limits.
package tokens

import (
	"bytes"
	"context"
	"database/sql"
	"errors"
	"time"

	"github.com/framebridge/framebridge/ledger/database"
	"github.com/framebridge/framebridge/ledger/lease"
	"github.com/framebridge/framebridge/ledger/sealed"
)

// Tokens are the tokens of one tenant.
type Tokens struct {
	db     *database.DB
	keys   sealed.Keys
	tenant string
}

// Of returns a tenant's tokens. Without keys, none can be stored.
func Of(db *database.DB, keys sealed.Keys, tenant string) Tokens { return Tokens{db, keys, tenant} }

func place(tenant, name string) string { return tenant + "/" + name }

// CanKeepTokens reports whether a key is configured.
func (t Tokens) CanKeepTokens() bool { return len(t.keys) > 0 }

// PutToken stores a token encrypted, replacing the previous one.
func (t Tokens) PutToken(ctx context.Context, name string, plain []byte) error {
	closed, err := t.keys.Seal(place(t.tenant, name), plain)
	if err != nil {
		return err
	}
	_, err = t.db.Writes().Exec(ctx, `INSERT INTO tokens (tenant, name, sealed, written_at) VALUES (?, ?, ?, ?)
		ON CONFLICT (tenant, name) DO UPDATE SET sealed = excluded.sealed, written_at = excluded.written_at`, t.tenant, name, closed, time.Now().UnixMicro())
	return err
}

// Token returns a token, and false if there is none.
func (t Tokens) Token(ctx context.Context, name string) ([]byte, bool, error) {
	if len(t.keys) == 0 {
		return nil, false, sealed.ErrNoKey
	}
	var closed string
	err := t.db.Reads().Row(ctx, "SELECT sealed FROM tokens WHERE tenant = ? AND name = ?", t.tenant, name).Scan(&closed)
	if errors.Is(err, sql.ErrNoRows) {
		return nil, false, nil
	}
	if err != nil {
		return nil, false, err
	}
	plain, _, err := t.keys.Open(place(t.tenant, name), closed)
	return plain, err == nil, err
}

// DropToken deletes a token.
func (t Tokens) DropToken(ctx context.Context, name string) error {
	_, err := t.db.Writes().Exec(ctx, "DELETE FROM tokens WHERE tenant = ? AND name = ?", t.tenant, name)
	return err
}

const (
	exchangeLease = 45 * time.Second // how soon another process may continue after one died in an exchange, which is never cut short
	aloneLease    = 15 * time.Second // the same for Alone
)

// Alone calls do while no other process does the same for the tenant under this name. The ledger stays free for everything
// else meanwhile.
func (t Tokens) Alone(ctx context.Context, name string, do func(context.Context) error) error {
	return lease.Alone(ctx, t.db.Writes(), lease.Name{Tenant: t.tenant, Name: name}, aloneLease, do)
}

// ExchangeToken passes the current token to change and stores the result. No other process can change the token meanwhile.
func (t Tokens) ExchangeToken(ctx context.Context, name string, change func(ctx context.Context, present []byte) ([]byte, error)) error {
	if len(t.keys) == 0 {
		return sealed.ErrNoKey
	}
	return lease.Once(ctx, t.db.Writes(), lease.Name{Tenant: t.tenant, Name: name}, exchangeLease, func(ctx context.Context) error {
		present, _, err := t.Token(ctx, name)
		if errors.Is(err, sealed.ErrUnreadable) {
			present, err = nil, nil // as if there were none
		}
		if err != nil {
			return err
		}
		next, err := change(ctx, present)
		if err != nil || bytes.Equal(next, present) {
			return err
		}
		return t.PutToken(context.WithoutCancel(ctx), name, next)
	})
}

// budgetsName prefixes the rows in which processes share what they know about the vendors' limits. Like leases, they are not secret.
const budgetsName = "budgets/"

// ShareBudgets shares what a process knows about the vendors' limits, replacing what it shared before.
func (t Tokens) ShareBudgets(ctx context.Context, process string, known []byte) error {
	db := t.db.Writes()
	_, err := db.Exec(ctx, "INSERT INTO tokens (tenant, name, sealed, written_at) VALUES (?, ?, ?, "+db.Now()+") ON CONFLICT (tenant, name) DO UPDATE SET sealed = excluded.sealed, written_at = excluded.written_at", t.tenant, budgetsName+process, string(known))
	if err == nil {
		_, err = db.Exec(ctx, "DELETE FROM tokens WHERE tenant = ? AND name LIKE ? AND written_at < "+db.Now()+" - ?", t.tenant, budgetsName+"%", (24 * time.Hour).Microseconds())
	}
	return err
}

// SharedBudgets returns what processes shared about the vendors' limits within fresh, by the database's clock.
func (t Tokens) SharedBudgets(ctx context.Context, fresh time.Duration) ([]string, error) {
	db := t.db.Reads()
	return database.Collect(ctx, db, func(r database.Scanner) (said string, err error) {
		err = r.Scan(&said)
		return said, err
	}, "SELECT sealed FROM tokens WHERE tenant = ? AND name LIKE ? AND written_at >= "+db.Now()+" - ? ORDER BY name", t.tenant, budgetsName+"%", fresh.Microseconds())
}
