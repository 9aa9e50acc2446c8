package ledger

import (
	"compress/gzip"
	"database/sql"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"testing/fstest"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/framebridge/framebridge/ledger/database"
)

const fixtureKey = "a secret of sixteen and more"

// deployed is a ledger as commit 97c2cd7 wrote it, before there was goose.
func deployed(t *testing.T) string {
	t.Helper()
	packed, err := os.Open("testdata/97c2cd7.db.gz")
	require.NoError(t, err)
	defer packed.Close()
	in, err := gzip.NewReader(packed)
	require.NoError(t, err)
	file := filepath.Join(t.TempDir(), "ledger.db")
	out, err := os.Create(file)
	require.NoError(t, err)
	_, err = io.Copy(out, in)
	require.NoError(t, err)
	require.NoError(t, out.Close())
	return file
}

// emptyPostgres creates a separate database.
func emptyPostgres(t *testing.T) string {
	t.Helper()
	if postgresDSN == "" {
		t.Skip("no PostgreSQL here")
	}
	db, err := sql.Open("pgx", postgresDSN)
	require.NoError(t, err)
	defer db.Close()
	name := strings.ToLower(strings.NewReplacer("/", "_", "-", "_").Replace(t.Name()))
	_, err = db.Exec("DROP DATABASE IF EXISTS " + name)
	require.NoError(t, err)
	_, err = db.Exec("CREATE DATABASE " + name)
	require.NoError(t, err)
	u, err := url.Parse(postgresDSN)
	require.NoError(t, err)
	u.Path = "/" + name
	return u.String()
}

// deployedPostgres is the same ledger in PostgreSQL: that commit's schema and its rows.
func deployedPostgres(t *testing.T) string {
	t.Helper()
	dsn := emptyPostgres(t)
	from, err := sql.Open("sqlite", "file:"+deployed(t))
	require.NoError(t, err)
	defer from.Close()
	to, err := sql.Open("pgx", dsn)
	require.NoError(t, err)
	defer to.Close()
	for _, name := range []string{"00001_archives.sql", "00002_reviews.sql"} {
		text, err := os.ReadFile("database/migrations/postgres/" + name)
		require.NoError(t, err)
		_, err = to.Exec(string(text))
		require.NoError(t, err)
	}
	_, err = to.Exec("CREATE TABLE schema_version (version INTEGER NOT NULL)")
	require.NoError(t, err)
	for _, table := range []string{"archives", "folders", "items", "links", "deliveries", "tokens", "audit", "reviews", "review_assets", "review_comments", "schema_version"} {
		rows, err := from.Query("SELECT * FROM " + table)
		require.NoError(t, err)
		columns, err := rows.Columns()
		require.NoError(t, err)
		for rows.Next() {
			values, marks := make([]any, len(columns)), make([]string, len(columns))
			for i := range values {
				values[i] = new(any)
				marks[i] = fmt.Sprintf("$%d", i+1)
			}
			require.NoError(t, rows.Scan(values...))
			for i := range values {
				values[i] = *values[i].(*any)
			}
			_, err := to.Exec("INSERT INTO "+table+" VALUES ("+strings.Join(marks, ", ")+")", values...)
			require.NoError(t, err)
		}
		require.NoError(t, rows.Err())
		rows.Close()
	}
	return dsn
}

func eachDeployed(t *testing.T, test func(t *testing.T, dsn string)) {
	t.Run("sqlite", func(t *testing.T) { test(t, "sqlite:"+deployed(t)) })
	t.Run("postgres", func(t *testing.T) { test(t, deployedPostgres(t)) })
}

func TestALedgerOfBeforeIsTakenOver(t *testing.T) {
	eachDeployed(t, func(t *testing.T, dsn string) {
		l, err := Open(t.Context(), dsn, WithKey(fixtureKey))
		require.NoError(t, err)
		defer l.Close()
		ctx := t.Context()
		archives, _, err := l.Tenant("acme").Archives(ctx, "", 10)
		require.NoError(t, err)
		var order []string
		for _, a := range archives {
			order = append(order, a.ID+" "+string(a.Status)+" "+a.Name)
		}
		assert.Equal(t, []string{"waiting waiting Überblick waiting", "queued queued Überblick queued", "running running Überblick running", "done verified Überblick done"}, order)
		position, err := l.Tenant("acme").NextPosition(ctx, "new")
		require.NoError(t, err)
		assert.Equal(t, 3, position, "behind the queued one, which is second")
		require.NoError(t, l.Tenant("acme").Archive("done").FolderGone(ctx, "done-folder-a"))
		it, ok, err := l.Tenant("acme").Archive("done").Item(ctx, "done-a")
		require.NoError(t, err)
		require.True(t, ok)
		assert.Empty(t, it.WrittenHash)
		assert.Equal(t, "asset-a", it.AssetID)
		assert.Equal(t, "https://storage.example.com/upload?upload_id=very-secret", it.UploadID)
		items, _, err := l.Tenant("acme").Archive("done").ItemsPage(ctx, 0, 10)
		require.NoError(t, err)
		assert.Len(t, items, 2)
		k, ok, err := l.Tenant("acme").Link(ctx, LinkFile, "done-a")
		require.NoError(t, err)
		assert.True(t, ok)
		assert.Equal(t, "asset-a", k.TargetID)
		reviews, err := l.Tenant("acme").ReviewsOfAsset(ctx, "asset-a")
		require.NoError(t, err)
		require.Len(t, reviews, 1)
		assert.Equal(t, "Sam", reviews[0].RequestedBy.Name)
		comments, err := l.Tenant("acme").Review("r1").Comments(ctx, 1)
		require.NoError(t, err)
		require.Len(t, comments, 1)
		assert.EqualValues(t, 24, *comments[0].Frame)
		token, ok, err := l.Tenant("acme").Token(ctx, "refresh")
		require.NoError(t, err)
		assert.True(t, ok)
		assert.Equal(t, "a refresh token", string(token))
		seen, err := l.Tenant("acme").Delivered(ctx, "v0=abc")
		require.NoError(t, err)
		assert.True(t, seen)
		var oldest int
		require.NoError(t, l.reads().Row(ctx, "SELECT MAX(version) FROM schema_version").Scan(&oldest))
		assert.Equal(t, 2, oldest, "the release before, which refuses what is above 2, may be started again")
	})
}

// What the previous release writes while both run, or after a roll-back, also reaches the columns.
func TestColumnsFollowAnOlderVersionsWrites(t *testing.T) {
	eachDeployed(t, func(t *testing.T, dsn string) {
		l, err := Open(t.Context(), dsn)
		require.NoError(t, err)
		defer l.Close()
		for _, status := range []ArchiveStatus{Running, Verified} {
			_, err = l.exec(t.Context(), "UPDATE archives SET data = ?, queue_position = ? WHERE tenant = ? AND id = ?",
				document(`{"Tenant":"acme","ID":"done","Name":"nul \u0000 and \\u0000","Status":"`+string(status)+`"}`), 7, "acme", "done")
			require.NoError(t, err)
			position, err := l.Tenant("acme").NextPosition(t.Context(), "new")
			require.NoError(t, err)
			assert.Equal(t, map[ArchiveStatus]int{Running: 8, Verified: 3}[status], position)
		}
	})
}

func TestManyStartAtOnce(t *testing.T) {
	start := func(t *testing.T, dsn string) {
		var all sync.WaitGroup
		for range 6 {
			all.Go(func() {
				l, err := Open(t.Context(), dsn)
				if assert.NoError(t, err) {
					l.Close()
				}
			})
		}
		all.Wait()
		l, err := Open(t.Context(), dsn)
		require.NoError(t, err)
		defer l.Close()
		var n, versions int
		require.NoError(t, l.reads().Row(t.Context(), "SELECT COUNT(*), COUNT(DISTINCT version_id) FROM "+"goose_db_version").Scan(&n, &versions))
		assert.Equal(t, versions, n, "each migration once")
	}
	t.Run("of before", func(t *testing.T) { eachDeployed(t, start) })
	t.Run("new", func(t *testing.T) {
		t.Run("sqlite", func(t *testing.T) { start(t, "sqlite:"+filepath.Join(t.TempDir(), "l.db")) })
		t.Run("postgres", func(t *testing.T) { start(t, emptyPostgres(t)) })
	})
}

// A release can be rolled back by one: it opens the ledger of the next release, but not of the one after it.
func TestOneReleaseCanBeRolledBack(t *testing.T) {
	try := func(t *testing.T, dsn string) {
		ctx := t.Context()
		l, err := Open(ctx, dsn)
		require.NoError(t, err)
		defer l.Close()
		known, err := l.db.Level(ctx)
		require.NoError(t, err)
		next := database.Schema{Files: withMigration(t, l.db.Schema().Files, known+1), Oldest: known}
		require.NoError(t, l.db.Migrate(ctx, next))
		level, err := l.db.Level(ctx)
		require.NoError(t, err)
		require.Equal(t, known+1, level)
		old, err := Open(ctx, dsn)
		require.NoError(t, err, "this release, after the next one has run")
		old.Close()
		require.NoError(t, l.db.Migrate(ctx, database.Schema{Files: withMigration(t, next.Files, known+2), Oldest: known + 1}))
		_, err = Open(ctx, dsn)
		require.ErrorContains(t, err, fmt.Sprintf("it needs one that knows schema level %d, this one knows %d", known+1, known))
		assert.ErrorContains(t, err, "restore the ledger's backup")
	}
	t.Run("sqlite", func(t *testing.T) { try(t, "sqlite:"+filepath.Join(t.TempDir(), "l.db")) })
	t.Run("postgres", func(t *testing.T) { try(t, emptyPostgres(t)) })
}

func withMigration(t *testing.T, files fs.FS, level int64) fs.FS {
	t.Helper()
	out := fstest.MapFS{}
	names, err := fs.Glob(files, "*.sql")
	require.NoError(t, err)
	for _, name := range names {
		text, err := fs.ReadFile(files, name)
		require.NoError(t, err)
		out[name] = &fstest.MapFile{Data: text}
	}
	more := maps.Clone(out)
	more[fmt.Sprintf("%05d_more.sql", level)] = &fstest.MapFile{Data: fmt.Appendf(nil, "-- +goose Up\nCREATE TABLE more%d (a INTEGER);\n", level)}
	return more
}

func TestAFailedMigrationIsTold(t *testing.T) {
	l, err := Open(t.Context(), "sqlite:"+filepath.Join(t.TempDir(), "l.db"))
	require.NoError(t, err)
	defer l.Close()
	known, err := l.db.Level(t.Context())
	require.NoError(t, err)
	files := withMigration(t, l.db.Schema().Files, known+1).(fstest.MapFS)
	files[fmt.Sprintf("%05d_more.sql", known+1)].Data = []byte("-- +goose Up\nCREATE TABLE more (a INTEGER);\nNONSENSE;\n")
	require.ErrorContains(t, l.db.Migrate(t.Context(), database.Schema{Files: files, Oldest: 2}), "NONSENSE")
	level, err := l.db.Level(t.Context())
	require.NoError(t, err)
	assert.Equal(t, known, level)
	var more bool
	require.NoError(t, l.reads().Row(t.Context(), "SELECT EXISTS (SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = 'more')").Scan(&more))
	assert.False(t, more, "all or nothing")
}

func TestNobodyElseReadsTheFile(t *testing.T) {
	file := deployed(t)
	require.NoError(t, os.Chmod(file, 0o644))
	for _, name := range []string{file, filepath.Join(t.TempDir(), "new.db")} {
		l, err := Open(t.Context(), "sqlite:"+name)
		require.NoError(t, err)
		_, err = l.AppendAudit(t.Context(), AuditEntry{Tenant: "t", Action: "c"})
		require.NoError(t, err)
		for _, suffix := range []string{"", "-wal", "-shm"} {
			info, err := os.Stat(name + suffix)
			require.NoError(t, err)
			assert.Equal(t, os.FileMode(0o600), info.Mode().Perm(), suffix)
		}
		l.Close()
	}
}
