package ledger

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/framebridge/framebridge/ledger/database"
	"github.com/framebridge/framebridge/ledger/lease"
)

const shortLease = 600 * time.Millisecond

func leased(t *testing.T, test func(t *testing.T, db database.Session, name lease.Name)) {
	each(t, func(t *testing.T, l *Ledger, tenant string) {
		test(t, l.writes().Session, lease.Name{Tenant: tenant, Name: "views"})
	})
}

// A lease lasts as long as the work that it is held for.
func TestALeaseIsRenewed(t *testing.T) {
	leased(t, func(t *testing.T, db database.Session, name lease.Name) {
		const lasts = 10 * shortLease // long enough not to be lost on a busy machine
		ends := func() (at int64) {
			require.NoError(t, db.Row(t.Context(), "SELECT written_at FROM tokens WHERE tenant = ? AND name = ?", name.Tenant, name.Name+lease.Suffix).Scan(&at))
			return at
		}
		require.NoError(t, lease.Alone(t.Context(), db, name, lasts, func(ctx context.Context) error {
			first := ends()
			require.Eventually(t, func() bool { return ends() > first }, time.Minute, shortLease/6)
			waits, cancel := context.WithTimeout(ctx, shortLease)
			defer cancel()
			err := lease.Alone(waits, db, name, lasts, func(context.Context) error { return errors.New("two at a time") })
			assert.ErrorIs(t, err, context.DeadlineExceeded)
			assert.NoError(t, ctx.Err())
			return nil
		}))
		require.NoError(t, lease.Alone(t.Context(), db, name, lasts, func(context.Context) error { return nil }), "it was given back")
	})
}

// A dead process no longer renews its lease. The next one waits for the lease's end, and not longer.
func TestALeaseOutlivesNoProcessForLong(t *testing.T) {
	leased(t, func(t *testing.T, db database.Session, name lease.Name) {
		died := errors.New("died")
		require.ErrorIs(t, lease.Once(t.Context(), db, name, shortLease, func(ctx context.Context) error {
			at := time.Now()
			require.NoError(t, lease.Alone(ctx, db, name, shortLease, func(context.Context) error { return nil }))
			assert.Greater(t, time.Since(at), shortLease/2)
			return died
		}), died)
	})
}

// Whoever has lost a lease stops, because another may have begun.
func TestALostLeaseEndsWhatItWasHeldFor(t *testing.T) {
	leased(t, func(t *testing.T, db database.Session, name lease.Name) {
		err := lease.Alone(t.Context(), db, name, shortLease, func(ctx context.Context) error {
			_, err := db.Exec(ctx, "DELETE FROM tokens WHERE tenant = ? AND name = ?", name.Tenant, name.Name+lease.Suffix)
			require.NoError(t, err)
			<-ctx.Done()
			return ctx.Err()
		})
		require.ErrorIs(t, err, lease.ErrLost)
		require.NotErrorIs(t, err, context.Canceled, "an activity that says so is over")
	})
}
