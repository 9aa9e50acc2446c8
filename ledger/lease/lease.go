// Package lease lets one process of many do something alone, by the database's clock. Leases stand among the ledger's tokens.
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
	// Suffix is what a lease's name ends in, in the table of tokens. Its written_at is the lease's end.
	Suffix = "/lease"
	look   = 50 * time.Millisecond
)

// ErrLost says that another process may have begun what this one did alone.
var ErrLost = errors.New("the lease on what others may do, too, could not be renewed in time")

// Name names what is done alone.
type Name struct{ Tenant, Name string }

// Alone does something that no other process does under the same name meanwhile, however long it takes: the lease is renewed
// thrice in the time that it lasts. Where a process dies, another begins that time later. One that cannot reach the database for so
// long has its context canceled, and ErrLost is returned unless it succeeded.
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
			return fmt.Errorf("%w: %s", ErrLost, err.Error()) // its text alone: nobody has canceled the whole, so it is tried again
		}
		return err
	})
}

// Once does something that must be over, and is never cut short, before the lease ends.
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

// hold waits for a lease, does something, and gives it back.
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
		_, _ = db.Exec(context.WithoutCancel(ctx), "DELETE FROM tokens WHERE tenant = ? AND name = ? AND sealed = ?", name.Tenant, name.Name, held.owner) // otherwise it runs out
	}()
	return do(ctx, held)
}

// renew moves the lease's end until ctx is done, and calls lost when another has it, or may have it by now.
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
