package ledger

import (
	"database/sql"
	"net/url"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/framebridge/framebridge/ledger/database"
)

// TestAFailoverThroughAReadOnlyServerIsSurvived: sessions that began while the server was read-only are not kept.
func TestAFailoverThroughAReadOnlyServerIsSurvived(t *testing.T) {
	dsn := emptyPostgres(t)
	l, err := Open(t.Context(), dsn)
	require.NoError(t, err)
	defer l.Close()
	operator, err := sql.Open("pgx", postgresDSN)
	require.NoError(t, err)
	defer operator.Close()
	u, err := url.Parse(dsn)
	require.NoError(t, err)
	name := u.Path[1:]
	readOnly := func(mode string) {
		_, err := operator.Exec("ALTER DATABASE " + name + " SET default_transaction_read_only = " + mode)
		require.NoError(t, err)
	}
	restart := func() {
		_, err := operator.Exec("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '" + name + "'")
		require.NoError(t, err)
	}
	change := func() error {
		_, _, err := l.Tenant("t").Archive(project).Request(t.Context(), "sam@example.com", time.Now())
		return err
	}
	require.NoError(t, change())

	readOnly("on")
	restart()
	require.Eventually(t, func() bool { return l.Ping(t.Context()) != nil }, 5*time.Second, time.Millisecond)
	require.Eventually(t, func() bool {
		err := l.Ping(t.Context())
		return err != nil && err.Error() == "the database is read-only"
	}, 5*time.Second, time.Millisecond)
	require.ErrorContains(t, change(), "read-only")

	readOnly("off")
	assert.NoError(t, l.Ping(t.Context()))
	assert.NoError(t, change())
}

// TestTheServerNoticesThatAProgramIsGone: a worker that lost its power in a transaction would keep its rows locked for two hours.
func TestTheServerNoticesThatAProgramIsGone(t *testing.T) {
	d, err := database.Open(t.Context(), emptyPostgres(t))
	require.NoError(t, err)
	defer d.Close()
	for setting, want := range map[string]string{"tcp_keepalives_idle": "15", "tcp_keepalives_interval": "5", "tcp_keepalives_count": "3", "tcp_user_timeout": "30000", "idle_in_transaction_session_timeout": "1min"} {
		var is string
		require.NoError(t, d.Reads().Row(t.Context(), "SHOW "+setting).Scan(&is), setting)
		assert.Equal(t, want, is, setting)
	}

	// A frozen program is one whose transaction makes no statement.
	err = d.Tx(t.Context(), func(tx database.Session) error {
		_, err := tx.Exec(t.Context(), "SET LOCAL idle_in_transaction_session_timeout = 1")
		require.NoError(t, err)
		return waitForTheEnd(t, d, tx)
	})
	require.ErrorIs(t, err, database.ErrUnavailable)
}

// waitForTheEnd returns the error of a statement in a transaction whose session the server has ended.
func waitForTheEnd(t *testing.T, d *database.DB, tx database.Session) error {
	t.Helper()
	require.Eventually(t, func() bool {
		var waiting int
		require.NoError(t, d.Reads().Row(t.Context(), "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND state = 'idle in transaction'").Scan(&waiting))
		return waiting == 0
	}, 10*time.Second, time.Millisecond)
	_, err := tx.Exec(t.Context(), "SELECT 1")
	return err
}
