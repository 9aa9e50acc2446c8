package ledger

import (
	"database/sql"
	"net/url"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
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
