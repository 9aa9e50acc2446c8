// Package lease lets one of many processes do something alone, by the database's clock. Leases are rows in the ledger's table of tokens.
package lease

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"time"

	"github.com/framebridge/framebridge/ledger/database"
)

const (
	// Suffix ends a lease's name in the table of tokens. The row's written_at is the lease's end.
	Suffix = "/lease"
	look   = 50 * time.Millisecond
)

// ErrLost means that another process may have begun what this one was doing alone.
var ErrLost = errors.New("the lease on what others may do, too, could not be renewed in time")

// Name identifies what is done alone.
type Name struct{ Tenant, Name string }

// Alone calls do while no other process does the same under this name, however long that takes: it renews the lease every third of its
// duration. If the process dies, another can begin after that duration. If the lease cannot be renewed for so long, do's context is canceled,
// and an error of do is returned as ErrLost.
func Alone(ctx context.Context, db database.Session, name Name, lasts time.Duration, do func(context.Context) error) error {
	return hold(ctx, db, name, lasts, func(ctx context.Context, held lease) error {
		doing, end := context.WithCancelCause(ctx)
		renewed := make(chan struct{})
		go func() {
			defer close(renewed)
			held.renew(doing, end)
		}()
		err := do(doing)
		lost := context.Cause(doing)
		end(nil)
		<-renewed
		if err != nil && errors.Is(lost, ErrLost) {
			return fmt.Errorf("%w: %s", ErrLost, err.Error()) // as text only: the caller was not canceled, so this is retried
		}
		return err
	})
}

// Once calls do, which is never cut short and must end before the lease does.
func Once(ctx context.Context, db database.Session, name Name, lasts time.Duration, do func(context.Context) error) error {
	return hold(ctx, db, name, lasts, func(ctx context.Context, _ lease) error { return do(ctx) })
}

// lease is the right to do something alone until its end.
type lease struct {
	db    database.Session
	name  Name
	owner string
	lasts time.Duration
}

// hold waits for a lease, calls do, and releases the lease.
func hold(ctx context.Context, db database.Session, name Name, lasts time.Duration, do func(context.Context, lease) error) error {
	name.Name += Suffix
	held := lease{db, name, rand.Text(), lasts}
	for {
		n, err := db.Exec(ctx, "INSERT INTO tokens (tenant, name, sealed, written_at) VALUES (?, ?, ?, "+db.Now()+` + ?)
			ON CONFLICT (tenant, name) DO UPDATE SET sealed = excluded.sealed, written_at = excluded.written_at WHERE tokens.written_at < `+db.Now(),
			name.Tenant, name.Name, held.owner, lasts.Microseconds())
		if err != nil {
			return err
		}
		if n == 1 {
			break
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(look):
		}
	}
	defer func() {
		_, _ = db.Exec(context.WithoutCancel(ctx), "DELETE FROM tokens WHERE tenant = ? AND name = ? AND sealed = ?", name.Tenant, name.Name, held.owner) // if this fails, it expires
	}()
	return do(ctx, held)
}

// renew extends the lease until ctx is done. It calls lost if another process has the lease or may have it by now.
func (l lease) renew(ctx context.Context, lost context.CancelCauseFunc) {
	beat := time.NewTicker(l.lasts / 3)
	defer beat.Stop()
	ends := time.Now().Add(l.lasts)
	for {
		select {
		case <-ctx.Done():
			return
		case <-beat.C:
		}
		asked := time.Now()
		within, cancel := context.WithDeadline(ctx, ends)
		n, err := l.db.Exec(within, "UPDATE tokens SET written_at = "+l.db.Now()+" + ? WHERE tenant = ? AND name = ? AND sealed = ?",
			l.lasts.Microseconds(), l.name.Tenant, l.name.Name, l.owner)
		cancel()
		switch {
		case err == nil && n == 1:
			ends = asked.Add(l.lasts)
		case err == nil || !time.Now().Before(ends):
			lost(ErrLost)
			return
		}
	}
}
