package database

import (
	"context"
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"time"

	"github.com/pressly/goose/v3"
	"github.com/pressly/goose/v3/database"
	"modernc.org/sqlite"
	sqlitelib "modernc.org/sqlite/lib"
)

// Migrations only add: a program that knows the schema up to level n works on every level whose oldest reader is n or
// less. So a release can be rolled back by one without touching the ledger.
//
//go:embed migrations
var migrations embed.FS

// oldestReader is the level of the previous release, which can still open the ledger. With each release, raise it to the
// level that the previous one knew.
const oldestReader = 2

// ErrTooNew means that this program is too old for the release that wrote the ledger.
var ErrTooNew = errors.New("the ledger is too new for this program")

const (
	migrationLock   = 0x46726d62 // "Frmb"
	migrationsTable = "goose_db_version"
	openPatience    = 15 * time.Second
)

// Schema is what Migrate brings the database to.
type Schema struct {
	Files  fs.FS // goose migrations of one dialect
	Oldest int64 // level that a program must know to open the database afterwards
}

// Migrate brings the database to this program's level. Programs may call it at the same time.
func (d *DB) Migrate(ctx context.Context, to Schema) error {
	if d.postgres { // the transaction only holds the lock, which is released even if this process dies
		return d.Tx(ctx, func(tx Session) error {
			for _, statement := range []string{"SET LOCAL idle_in_transaction_session_timeout = 0", fmt.Sprintf("SELECT pg_advisory_xact_lock(%d)", migrationLock)} {
				if _, err := tx.Exec(ctx, statement); err != nil {
					return err
				}
			}
			return d.migrateAlone(ctx, to)
		})
	}
	// SQLite runs each migration in a transaction that locks the file. The second process fails without having changed
	// anything, and then finds it done. The change of the file's journal mode does not wait for a lock either.
	var err error
	for until := time.Now().Add(openPatience); ; time.Sleep(50 * time.Millisecond) {
		before, _ := d.Level(ctx)
		if err = d.migrateAlone(ctx, to); err == nil || errors.Is(err, ErrTooNew) || ctx.Err() != nil || time.Now().After(until) {
			return err
		}
		after, _ := d.Level(ctx)
		if after == before && !isBusy(err) {
			return err
		}
	}
}

// isBusy reports whether an error is any of SQLite's codes for a file that another process has locked.
func isBusy(err error) bool {
	var e *sqlite.Error
	return errors.As(err, &e) && e.Code()&0xff == sqlitelib.SQLITE_BUSY
}

func (d *DB) migrateAlone(ctx context.Context, to Schema) error {
	dialect := goose.DialectSQLite3
	if d.postgres {
		dialect = goose.DialectPostgres
	}
	provider, err := goose.NewProvider(dialect, d.write, to.Files, goose.WithTableName(migrationsTable))
	if err != nil {
		return err
	}
	sources := provider.ListSources()
	known := sources[len(sources)-1].Version
	if err := d.Tx(ctx, func(tx Session) error {
		oldest, ok, err := oldestOf(ctx, tx)
		switch {
		case err != nil || !ok:
			return err
		case oldest > known:
			return fmt.Errorf("%w: it needs one that knows schema level %d, this one knows %d. Start the newer release again, or restore the ledger's backup from before its first start", ErrTooNew, oldest, known)
		}
		return adopt(ctx, tx, dialect, oldest)
	}); err != nil {
		return err
	}
	if _, err := provider.Up(ctx); err != nil {
		return fmt.Errorf("the ledger's schema: %w", err)
	}
	return d.Tx(ctx, func(tx Session) error {
		if _, err := tx.Exec(ctx, "CREATE TABLE IF NOT EXISTS schema_version (version INTEGER NOT NULL)"); err != nil {
			return err
		}
		if oldest, ok, err := oldestOf(ctx, tx); err != nil || ok && oldest >= to.Oldest {
			return err
		}
		_, err := tx.Exec(ctx, "INSERT INTO schema_version (version) VALUES (?)", to.Oldest)
		return err
	})
}

// oldestOf returns the level that a program must know to open the ledger, and false if there is none. The table is that of
// the migrator before goose, and programs from then also refuse a ledger by it.
func oldestOf(ctx context.Context, tx Session) (oldest int64, ok bool, err error) {
	if ok, err = hasTable(ctx, tx, "schema_version"); err != nil || !ok {
		return 0, false, err
	}
	err = tx.Row(ctx, "SELECT COALESCE(MAX(version), 0) FROM schema_version").Scan(&oldest)
	return oldest, oldest > 0, err
}

// adopt lets goose continue where the migrator before it stopped.
func adopt(ctx context.Context, tx Session, dialect goose.Dialect, level int64) error {
	if taken, err := hasTable(ctx, tx, migrationsTable); err != nil || taken {
		return err
	}
	store, err := database.NewStore(dialect, migrationsTable)
	if err != nil {
		return err
	}
	db := tx.q
	if err := store.CreateVersionTable(ctx, db); err != nil {
		return err
	}
	for v := int64(0); v <= level; v++ {
		if err := store.Insert(ctx, db, database.InsertRequest{Version: v}); err != nil {
			return err
		}
	}
	return nil
}

func hasTable(ctx context.Context, s Session, name string) (ok bool, err error) {
	query := "SELECT EXISTS (SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = ?)"
	if s.postgres {
		query = "SELECT to_regclass(?) IS NOT NULL"
	}
	err = s.Row(ctx, query, name).Scan(&ok)
	return ok, err
}

// Level returns the newest migration that the database has, or 0 if it has none.
func (d *DB) Level(ctx context.Context) (level int64, err error) {
	err = d.Reads().Row(ctx, "SELECT COALESCE(MAX(version_id), 0) FROM "+migrationsTable).Scan(&level)
	return level, err
}
