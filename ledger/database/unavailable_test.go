package database

import (
	"context"
	"database/sql"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgconn"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// opened returns an SQLite ledger with a table for tests, and its file.
func opened(t *testing.T) (*DB, string) {
	t.Helper()
	file := filepath.Join(t.TempDir(), "ledger.db")
	d, err := Open(t.Context(), "sqlite:"+file)
	require.NoError(t, err)
	t.Cleanup(d.Close)
	_, err = d.Writes().Exec(t.Context(), "CREATE TABLE probe (text TEXT NOT NULL)")
	require.NoError(t, err)
	return d, file
}

func (d *DB) insert(ctx context.Context, text string) error {
	_, err := d.Writes().Exec(ctx, "INSERT INTO probe (text) VALUES (?)", text)
	return err
}

func TestAPingSeesThatAnSQLiteLedgerCannotBeWritten(t *testing.T) {
	d, file := opened(t)
	require.NoError(t, d.Ping(t.Context()))

	other, err := sql.Open("sqlite", file)
	require.NoError(t, err)
	defer other.Close()
	locked, err := other.Conn(t.Context())
	require.NoError(t, err)
	defer locked.Close()
	_, err = locked.ExecContext(t.Context(), "BEGIN IMMEDIATE")
	require.NoError(t, err)
	soon, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	require.ErrorIs(t, d.Ping(soon), ErrUnwritable, "another process has locked it")
	_, err = locked.ExecContext(t.Context(), "ROLLBACK")
	require.NoError(t, err)
	require.NoError(t, d.Ping(t.Context()))

	_, err = d.write.ExecContext(t.Context(), "PRAGMA query_only = 1")
	require.NoError(t, err)
	require.ErrorIs(t, d.Ping(t.Context()), ErrUnwritable)
	require.ErrorIs(t, d.insert(t.Context(), "x"), ErrUnavailable)
	_, err = d.write.ExecContext(t.Context(), "PRAGMA query_only = 0")
	require.NoError(t, err)
	assert.NoError(t, d.Ping(t.Context()))
	assert.NoError(t, d.insert(t.Context(), "x"))
}

func TestAFullLedgerIsUnavailableUntilThereIsRoom(t *testing.T) {
	d, _ := opened(t)
	limit := func(pages string) {
		_, err := d.write.ExecContext(t.Context(), "PRAGMA max_page_count = "+pages)
		require.NoError(t, err)
	}
	long := string(make([]byte, 1<<16))
	limit("1") // no more than it has
	err := d.insert(t.Context(), long)
	require.ErrorIs(t, err, ErrUnavailable)
	assert.ErrorContains(t, err, "the ledger: database or disk is full")
	require.ErrorIs(t, d.Tx(t.Context(), func(tx Session) error {
		_, err := tx.Exec(t.Context(), "INSERT INTO probe (text) VALUES (?)", long)
		return err
	}), ErrUnavailable)
	limit("100000")
	assert.NoError(t, d.insert(t.Context(), long))
}

// What is written to a file that was deleted would be gone with the process.
func TestNothingIsWrittenToAFileThatWasReplaced(t *testing.T) {
	for name, replace := range map[string]func(t *testing.T, file string){
		"deleted": func(t *testing.T, file string) { require.NoError(t, os.Remove(file)) },
		"moved":   func(t *testing.T, file string) { require.NoError(t, os.Rename(file, file+".old")) },
		"replaced": func(t *testing.T, file string) {
			raw, err := os.ReadFile(file)
			require.NoError(t, err)
			require.NoError(t, os.WriteFile(file+".new", raw, 0o600))
			require.NoError(t, os.Rename(file+".new", file))
		},
	} {
		t.Run(name, func(t *testing.T) {
			d, file := opened(t)
			during := d.Tx(t.Context(), func(tx Session) error {
				_, err := tx.Exec(t.Context(), "INSERT INTO probe (text) VALUES ('x')")
				replace(t, file)
				return err
			})
			require.ErrorIs(t, during, ErrUnavailable, "it was replaced in a transaction")
			require.ErrorContains(t, d.insert(t.Context(), "x"), "deleted or replaced while this program was running")
			require.ErrorIs(t, d.Tx(t.Context(), func(Session) error { return nil }), ErrUnavailable)
			require.ErrorIs(t, d.Reads().Row(t.Context(), "SELECT 1").Scan(new(int)), ErrUnavailable)
			_, err := d.Reads().Query(t.Context(), "SELECT 1") //nolint:rowserrcheck,sqlclosecheck // there are none
			require.ErrorIs(t, err, ErrUnavailable)
			assert.ErrorIs(t, d.Ping(t.Context()), ErrUnwritable)
		})
	}
}

func TestAStatementsOwnErrorIsNotTheDatabases(t *testing.T) {
	d, _ := opened(t)
	_, err := d.Writes().Exec(t.Context(), "INSERT INTO probe (text) VALUES (NULL)")
	require.Error(t, err)
	assert.NotErrorIs(t, err, ErrUnavailable)
	for code, want := range map[string]bool{"23505": false, "42P01": false, "22001": false, "40001": false,
		"53100": true, "53300": true, "57014": true, "57P01": true, "25006": true, "42501": true, "28P01": true, "3D000": true, "08006": true} {
		assert.Equal(t, want, cannotBeUsed(&pgconn.PgError{Code: code}), code)
	}
}

func TestALedgerIsNewOrThereOrUnavailable(t *testing.T) {
	d, file := opened(t)
	assert.Equal(t, file, d.Created())
	again, err := Open(t.Context(), "sqlite:"+file)
	require.NoError(t, err)
	defer again.Close()
	assert.Empty(t, again.Created())
	for _, dsn := range []string{"sqlite:" + filepath.Join(t.TempDir(), "none", "ledger.db"), "postgres://nobody:secret-of-nobody@127.0.0.1:1/none"} {
		_, err := Open(t.Context(), dsn)
		require.ErrorIs(t, err, ErrUnavailable, dsn)
		assert.NotContains(t, err.Error(), "secret-of-nobody")
	}
	_, err = Open(t.Context(), "sqlite:")
	require.Error(t, err)
	assert.NotErrorIs(t, err, ErrUnavailable)
}
