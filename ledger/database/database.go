// Package database is the ledger's database: embedded SQLite, or PostgreSQL, which serves several machines. It opens the
// database, migrates its schema to this program's level, and runs statements that are written once for both.
package database

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/stdlib"
	_ "modernc.org/sqlite" // SQLite without cgo
)

// DB is safe for concurrent use. Several processes can share the database.
type DB struct {
	read, write    *sql.DB
	reader, writer querier   // for read and write
	kept           *prepared // for write; nil on PostgreSQL
	postgres       bool
	took           latency
	file           string      // SQLite's
	opened         os.FileInfo // of the file; nil until it is open, and on PostgreSQL
	created        bool        // the file did not exist
}

// Open opens the database at "sqlite:FILE" or "postgres://…", and creates it if needed. No error contains the DSN.
func Open(ctx context.Context, dsn string) (*DB, error) {
	d := &DB{took: newLatency()}
	var err error
	if file, ok := strings.CutPrefix(dsn, "sqlite:"); ok {
		err = d.openSQLite(file)
	} else {
		d.postgres = true
		err = d.openPostgres(dsn)
	}
	if err == nil {
		err = d.Migrate(ctx, d.Schema())
	}
	if err != nil {
		d.Close()
		return nil, WithoutDSN(err, dsn)
	}
	return d, nil
}

func (d *DB) openSQLite(file string) error {
	if file == "" {
		return errors.New("sqlite: is followed by no file")
	}
	_, err := os.Stat(file)
	d.created = errors.Is(err, fs.ErrNotExist)
	if err := keepPrivate(file); err != nil {
		return &unavailable{err.Error(), err}
	}
	// Transactions lock the file when they begin, in all processes, instead of failing when they come to write.
	q := url.Values{"_pragma": {"busy_timeout(15000)", "journal_mode(WAL)", "synchronous(NORMAL)", "foreign_keys(ON)"}, "_txlock": {"immediate"}}
	name := "file:" + (&url.URL{Path: file}).EscapedPath() + "?" + q.Encode() // keeps a # or ? in a folder's name
	if d.write, err = sql.Open("sqlite", name); err != nil {
		return err
	}
	d.write.SetMaxOpenConns(1)
	if d.read, err = sql.Open("sqlite", name); err != nil {
		return err
	}
	d.read.SetMaxOpenConns(8)
	d.kept = newPrepared(d.write)
	d.reader, d.writer = newPrepared(d.read).outside(), d.kept.outside()
	d.file = file
	d.opened, err = os.Stat(file)
	return err
}

// keepPrivate creates the file if it does not exist. It lets only the owner read it and the files that SQLite puts next to
// it, which get its mode when they are created. A file that belongs to somebody else stays as it is.
func keepPrivate(file string) error {
	f, err := os.OpenFile(file, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return err
	}
	if err := f.Close(); err != nil {
		return err
	}
	for _, suffix := range []string{"", "-wal", "-shm"} {
		info, err := os.Stat(file + suffix)
		if err != nil || info.Mode().Perm()&0o077 == 0 {
			continue
		}
		if err := os.Chmod(file+suffix, 0o600); err != nil && !errors.Is(err, fs.ErrPermission) {
			return err
		}
	}
	return nil
}

const (
	connections    = 24               // to PostgreSQL, of one process
	connectTimeout = 10 * time.Second // unless the DSN has its own connect_timeout
)

// errReadOnly is the error of a server that accepts no changes: a standby, or one that an operator has set to read-only.
var errReadOnly = errors.New("the database is read-only")

func (d *DB) openPostgres(dsn string) error {
	cfg, err := postgresConfig(dsn)
	if err != nil {
		return err
	}
	// A session that began while the server was read-only stays so when the server no longer is.
	db := stdlib.OpenDB(*cfg, stdlib.OptionAfterConnect(boundSession), stdlib.OptionResetSession(func(_ context.Context, c *pgx.Conn) error {
		if isReadOnly(c) {
			return driver.ErrBadConn // the pool opens another
		}
		return nil
	}))
	db.SetMaxOpenConns(connections)
	db.SetMaxIdleConns(connections) // opening one costs PostgreSQL more than the queries on it
	db.SetConnMaxIdleTime(5 * time.Minute)
	d.read, d.write, d.reader, d.writer = db, db, db, db
	return nil
}

func postgresConfig(dsn string) (*pgx.ConnConfig, error) {
	cfg, err := pgx.ParseConfig(dsn)
	if err != nil {
		return nil, err
	}
	cfg.DialFunc = dialer().DialContext
	if cfg.ConnectTimeout == 0 {
		cfg.ConnectTimeout = connectTimeout
	}
	return cfg, nil
}

// isReadOnly reports whether the server has said that the session cannot change anything. PostgreSQL says so since version 14.
func isReadOnly(c *pgx.Conn) bool {
	said := func(name string) bool { return c.PgConn().ParameterStatus(name) == "on" }
	return said("default_transaction_read_only") || said("in_hot_standby")
}

// Schema returns this program's schema.
func (d *DB) Schema() Schema {
	dialect := "sqlite"
	if d.postgres {
		dialect = "postgres"
	}
	files, err := fs.Sub(migrations, "migrations/"+dialect)
	if err != nil {
		panic(err) // embedded
	}
	return Schema{Files: files, Oldest: oldestReader}
}

// Created returns the file of an SQLite ledger that did not exist before it was opened, and otherwise "".
func (d *DB) Created() string {
	if !d.created {
		return ""
	}
	if path, err := filepath.Abs(d.file); err == nil {
		return path
	}
	return d.file
}

// Postgres reports whether the database is PostgreSQL.
func (d *DB) Postgres() bool { return d.postgres }

// WithoutDSN returns an error without the DSN and its password. Of what it wraps, only ErrTooNew and ErrUnavailable are kept.
func WithoutDSN(err error, dsn string) error {
	text := strings.ReplaceAll(err.Error(), dsn, "the ledger")
	if u, perr := url.Parse(dsn); perr == nil && u.User != nil {
		if pw, ok := u.User.Password(); ok && pw != "" {
			text = strings.ReplaceAll(text, pw, "***")
		}
	}
	if before, after, _ := strings.Cut(text, ErrTooNew.Error()); errors.Is(err, ErrTooNew) {
		return fmt.Errorf("%s%w%s", before, ErrTooNew, after)
	}
	if errors.Is(err, ErrUnavailable) || cannotBeUsed(err) {
		return &unavailable{text, ErrUnavailable}
	}
	return errors.New(text)
}

// Close closes the database.
func (d *DB) Close() {
	if d.read != nil {
		_ = d.read.Close()
	}
	if d.write != nil && d.write != d.read {
		_ = d.write.Close()
	}
}

// Ping returns an error if the database does not answer or accepts no changes.
func (d *DB) Ping(ctx context.Context) error {
	if !d.postgres {
		return d.touch(ctx)
	}
	conn, err := d.read.Conn(ctx)
	if err != nil {
		return err
	}
	defer conn.Close()
	if err := conn.PingContext(ctx); err != nil {
		return err
	}
	return conn.Raw(func(c any) error {
		if pg, ok := c.(*stdlib.Conn); ok && isReadOnly(pg.Conn()) {
			return unwritable{errReadOnly}
		}
		return nil
	})
}

// touch writes to an SQLite ledger: a full disk, a lost permission or a lock shows in nothing less. Nothing uses the number that it
// sets to what it is.
func (d *DB) touch(ctx context.Context) error {
	if err := d.inPlace(); err != nil {
		return unwritable{err}
	}
	if _, err := d.write.ExecContext(ctx, "PRAGMA user_version = 0"); err != nil {
		return unwritable{err}
	}
	return nil
}
