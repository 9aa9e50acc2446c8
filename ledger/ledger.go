// Package ledger remembers, in SQL, what was brought where: archives, their items, which Frame.io object is which iconik
// object, and what must not happen twice. SQLite is embedded; PostgreSQL serves several machines.
package ledger

import (
	"context"
	"database/sql"
	"errors"
	"io/fs"
	"net/url"
	"os"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	_ "github.com/jackc/pgx/v5/stdlib" // PostgreSQL
	_ "modernc.org/sqlite"             // SQLite without cgo
)

// Ledger is safe for concurrent use, and so is its database for several processes.
type Ledger struct {
	read, write *sql.DB
	postgres    bool
	keys        keyring // for tokens and upload addresses; empty: none configured
}

// Option changes a ledger.
type Option func(*Ledger) error

// Open opens, and where needed creates, the ledger at "sqlite:FILE" or "postgres://…".
func Open(ctx context.Context, dsn string, opts ...Option) (*Ledger, error) {
	l := &Ledger{}
	for _, o := range opts {
		if err := o(l); err != nil {
			return nil, err
		}
	}
	var err error
	if file, ok := strings.CutPrefix(dsn, "sqlite:"); ok {
		err = l.openSQLite(file)
	} else {
		l.postgres = true
		err = l.openPostgres(dsn)
	}
	if err == nil {
		err = l.migrate(ctx, l.schema())
	}
	if err == nil {
		err = l.reseal(ctx)
	}
	if err != nil {
		l.Close()
		return nil, withoutDSN(err, dsn)
	}
	return l, nil
}

func (l *Ledger) openSQLite(file string) error {
	if file == "" {
		return errors.New("sqlite: is followed by no file")
	}
	if err := keepPrivate(file); err != nil {
		return err
	}
	// Writers of all processes take their turn at once, instead of failing when they come to write.
	q := url.Values{"_pragma": {"busy_timeout(15000)", "journal_mode(WAL)", "synchronous(NORMAL)", "foreign_keys(ON)"}, "_txlock": {"immediate"}}
	var err error
	if l.write, err = sql.Open("sqlite", "file:"+file+"?"+q.Encode()); err != nil {
		return err
	}
	l.write.SetMaxOpenConns(1)
	if l.read, err = sql.Open("sqlite", "file:"+file+"?"+q.Encode()); err != nil {
		return err
	}
	l.read.SetMaxOpenConns(8)
	return nil
}

// keepPrivate makes the file if it is not there, and lets nobody but its owner read it or what SQLite puts beside it, which
// gets the file's mode when it is made. A file of somebody else's stays as it is.
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

func (l *Ledger) openPostgres(dsn string) error {
	db, err := sql.Open("pgx", dsn)
	if err != nil {
		return err
	}
	db.SetMaxOpenConns(24)
	db.SetMaxIdleConns(8)
	db.SetConnMaxIdleTime(5 * time.Minute)
	l.read, l.write = db, db
	return nil
}

func (l *Ledger) schema() schema {
	dialect := "sqlite"
	if l.postgres {
		dialect = "postgres"
	}
	files, err := fs.Sub(migrations, "migrations/"+dialect)
	if err != nil {
		panic(err) // embedded
	}
	return schema{files: files, oldest: oldestReader}
}

// withoutDSN keeps a password out of an error.
func withoutDSN(err error, dsn string) error {
	text := strings.ReplaceAll(err.Error(), dsn, "the ledger")
	if u, perr := url.Parse(dsn); perr == nil && u.User != nil {
		if pw, ok := u.User.Password(); ok && pw != "" {
			text = strings.ReplaceAll(text, pw, "***")
		}
	}
	return errors.New(text)
}

// Close closes the database.
func (l *Ledger) Close() {
	if l.read != nil {
		_ = l.read.Close()
	}
	if l.write != nil && l.write != l.read {
		_ = l.write.Close()
	}
}

// Ping tells whether the database answers.
func (l *Ledger) Ping(ctx context.Context) error { return l.read.PingContext(ctx) }

// ErrCursor says that the page's beginning is not one that a list has given.
var ErrCursor = errors.New("no such page")

// cursor takes apart where a page begins: a time and an id.
func cursor(text, between string) (at int64, id string, err error) {
	when, id, ok := strings.Cut(text, between)
	at, err = strconv.ParseInt(when, 10, 64)
	if err != nil || !ok || !utf8.ValidString(id) || strings.ContainsRune(id, 0) {
		return 0, "", ErrCursor
	}
	return at, id, nil
}

// micros is how times are stored: microseconds since 1970, 0 for none.
func micros(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return t.UnixMicro()
}

func fromMicros(us int64) time.Time {
	if us == 0 {
		return time.Time{}
	}
	return time.UnixMicro(us).UTC()
}
