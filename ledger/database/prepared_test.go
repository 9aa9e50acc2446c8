package database

import (
	"fmt"
	"path/filepath"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func openEmpty(t *testing.T) *DB {
	t.Helper()
	d, err := Open(t.Context(), "sqlite:"+filepath.Join(t.TempDir(), "ledger.db"))
	require.NoError(t, err)
	t.Cleanup(d.Close)
	_, err = d.Writes().Exec(t.Context(), "CREATE TABLE numbers (n INTEGER)")
	require.NoError(t, err)
	return d
}

func (d *DB) numbers(t *testing.T) (n int) {
	t.Helper()
	require.NoError(t, d.Reads().Row(t.Context(), "SELECT COUNT(*) FROM numbers").Scan(&n))
	return n
}

// The number of kept statements is limited. Those that are not kept still run.
func TestSoManyStatementsAreKept(t *testing.T) {
	d := openEmpty(t)
	for i := range preparedMost + 50 {
		_, err := d.Writes().Exec(t.Context(), fmt.Sprintf("INSERT INTO numbers VALUES (%d)", i))
		require.NoError(t, err)
	}
	assert.Equal(t, preparedMost+50, d.numbers(t))
	assert.Len(t, d.kept.kept, preparedMost)
}

// A transaction has the only writing connection. Its new statements, and those that wait for it, are kept when it has ended.
func TestTransactionsKeepStatements(t *testing.T) {
	d := openEmpty(t)
	var all sync.WaitGroup
	for i := range 20 {
		all.Go(func() {
			assert.NoError(t, d.Tx(t.Context(), func(s Session) error {
				for range 3 {
					if _, err := s.Exec(t.Context(), fmt.Sprintf("INSERT INTO numbers VALUES (%d)", i%5)); err != nil {
						return err
					}
				}
				return nil
			}))
			_, err := d.Writes().Exec(t.Context(), fmt.Sprintf("INSERT INTO numbers VALUES (%d + 100)", i%5))
			assert.NoError(t, err)
		})
	}
	all.Wait()
	assert.Equal(t, 80, d.numbers(t))
}

// A panic is rolled back and blocks nobody.
func TestATransactionThatPanicsIsRolledBack(t *testing.T) {
	d := openEmpty(t)
	assert.Panics(t, func() {
		_ = d.Tx(t.Context(), func(s Session) error {
			_, err := s.Exec(t.Context(), "INSERT INTO numbers VALUES (1)")
			require.NoError(t, err)
			panic("a fault of the program")
		})
	})
	_, err := d.Writes().Exec(t.Context(), "INSERT INTO numbers VALUES (2)")
	require.NoError(t, err)
	assert.Equal(t, 1, d.numbers(t))
}

// A statement outlives a change of the schema, which another process may make.
func TestAKeptStatementFollowsTheSchema(t *testing.T) {
	d := openEmpty(t)
	insert := "INSERT INTO numbers (n) VALUES (7)"
	_, err := d.Writes().Exec(t.Context(), insert)
	require.NoError(t, err)
	_, err = d.Writes().Exec(t.Context(), "ALTER TABLE numbers ADD COLUMN word TEXT DEFAULT 'seven'")
	require.NoError(t, err)
	_, err = d.Writes().Exec(t.Context(), insert)
	require.NoError(t, err)
	assert.Equal(t, 2, d.numbers(t))
}
