package ledger

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/framebridge/framebridge/test/postgres"
)

// backedUp writes to a ledger continuously while it is backed up, and returns how much was there before the backup began
// and after it ended.
func backedUp(t *testing.T, dsn string, backup func()) (before, after int64) {
	t.Helper()
	book, err := Open(t.Context(), dsn)
	require.NoError(t, err)
	defer book.Close()
	_, _, err = book.Tenant("t").Archive("p").Request(t.Context(), "ops@example.com", time.Now())
	require.NoError(t, err)
	var written atomic.Int64
	ctx, stop := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() {
		for ctx.Err() == nil {
			n := written.Load() + 1
			if _, err := book.AppendAudit(t.Context(), AuditEntry{Tenant: "t", Actor: Actor{Kind: ActorSystem}, Action: "write", ObjectKind: "archive", ObjectID: fmt.Sprint(n), Archive: "p"}); err != nil {
				ended <- err
				return
			}
			written.Store(n)
		}
		ended <- nil
	}()
	require.Eventually(t, func() bool { return written.Load() > 20 }, 20*time.Second, time.Millisecond)
	before = written.Load()
	backup()
	after = written.Load()
	stop()
	require.NoError(t, <-ended)
	return before, after
}

// restored asserts that a ledger is complete and works.
func restored(t *testing.T, dsn string, before, after int64) {
	t.Helper()
	book, err := Open(t.Context(), dsn)
	require.NoError(t, err)
	defer book.Close()
	row, ok, err := book.Tenant("t").Archive("p").Get(t.Context())
	require.NoError(t, err)
	require.True(t, ok)
	assert.Equal(t, "ops@example.com", row.RequestedBy)
	n, err := book.Tenant("t").VerifyAudit(t.Context())
	require.NoError(t, err, "the chain of the audit is whole")
	assert.GreaterOrEqual(t, n, before)
	assert.LessOrEqual(t, n, after+1)
	_, err = book.AppendAudit(t.Context(), AuditEntry{Tenant: "t", Actor: Actor{Kind: ActorSystem}, Action: "on", ObjectKind: "archive", ObjectID: "p", Archive: "p"})
	require.NoError(t, err)
	more, err := book.Tenant("t").VerifyAudit(t.Context())
	require.NoError(t, err)
	assert.Equal(t, n+1, more)
}

// The commands are those of docs/backup.md.
func TestABackupOfTheRunningLedgerIsWhole(t *testing.T) {
	t.Run("sqlite", func(t *testing.T) {
		if _, err := exec.LookPath("sqlite3"); err != nil {
			t.Skip("NOT TESTED: sqlite3 is not installed")
		}
		dir := t.TempDir()
		file, saved := filepath.Join(dir, "framebridge.db"), filepath.Join(dir, "backup.db")
		before, after := backedUp(t, "sqlite:"+file, func() {
			out, err := exec.CommandContext(t.Context(), "sqlite3", file, ".timeout 10000", ".backup "+saved).CombinedOutput()
			require.NoError(t, err, "%s", out)
		})
		restored(t, "sqlite:"+saved, before, after)
	})
	t.Run("postgres", func(t *testing.T) {
		db, err := postgres.Start()
		if err != nil && !postgres.Required() {
			t.Skipf("NOT TESTED: PostgreSQL cannot be started here: %v", err)
		}
		require.NoError(t, err)
		defer db.Stop()
		if _, err := exec.LookPath("pg_dump"); err != nil {
			t.Skip("NOT TESTED: pg_dump is not installed")
		}
		saved := filepath.Join(t.TempDir(), "framebridge.dump")
		run := func(name string, args ...string) {
			t.Helper()
			cmd := exec.CommandContext(t.Context(), name, args...)
			var out bytes.Buffer
			cmd.Stdout, cmd.Stderr, cmd.Env = &out, &out, os.Environ()
			require.NoError(t, cmd.Run(), "%s %v: %s", name, args, out.String())
		}
		before, after := backedUp(t, db.DSN, func() { run("pg_dump", "--format=custom", "--file="+saved, db.DSN) })
		run("psql", "--quiet", "--command=CREATE DATABASE restored", db.DSN)
		at := strings.LastIndex(db.DSN, "/")
		_, query, _ := strings.Cut(db.DSN[at+1:], "?")
		other := db.DSN[:at+1] + "restored"
		if query != "" {
			other += "?" + query
		}
		run("pg_restore", "--exit-on-error", "--dbname="+other, saved)
		restored(t, other, before, after)
	})
}
