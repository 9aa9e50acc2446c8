package tokens

import (
	"context"
	"errors"

	"github.com/framebridge/framebridge/ledger/database"
	"github.com/framebridge/framebridge/ledger/lease"
	"github.com/framebridge/framebridge/ledger/sealed"
)

type row struct{ tenant, name, sealed string }

// encrypted returns the tokens of all tenants. It skips the leases and budgets in their table, which are not encrypted.
func encrypted(ctx context.Context, db *database.DB) ([]row, error) {
	return database.Collect(ctx, db.Reads(), func(r database.Scanner) (t row, err error) {
		err = r.Scan(&t.tenant, &t.name, &t.sealed)
		return t, err
	}, "SELECT tenant, name, sealed FROM tokens WHERE name NOT LIKE '%"+lease.Suffix+"' AND name NOT LIKE '"+budgetsName+"%'")
}

// Reseal encrypts under the first key the tokens that another one encrypted.
func Reseal(ctx context.Context, db *database.DB, keys sealed.Keys) error {
	all, err := encrypted(ctx, db)
	if err != nil {
		return err
	}
	for _, t := range all {
		plain, outdated, err := keys.Open(place(t.tenant, t.name), t.sealed)
		if err != nil || !outdated {
			continue // one that no key decrypts is an error when it is read
		}
		closed, err := keys.Seal(place(t.tenant, t.name), plain)
		if err != nil {
			return err
		}
		// One that was replaced meanwhile is already under the first key.
		if _, err := db.Writes().Exec(ctx, "UPDATE tokens SET sealed = ? WHERE tenant = ? AND name = ? AND sealed = ?", closed, t.tenant, t.name, t.sealed); err != nil {
			return err
		}
	}
	return nil
}

// Sealed counts the tokens of all tenants, and those that the keys cannot decrypt.
func Sealed(ctx context.Context, db *database.DB, keys sealed.Keys) (kept, unreadable int, err error) {
	all, err := encrypted(ctx, db)
	if err != nil {
		return 0, 0, err
	}
	for _, t := range all {
		_, ok, err := Of(db, keys, t.tenant).Token(ctx, t.name)
		switch {
		case errors.Is(err, sealed.ErrUnreadable), errors.Is(err, sealed.ErrNoKey):
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
