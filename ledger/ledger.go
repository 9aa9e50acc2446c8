// Package ledger records in SQL what was brought where: archives, their items, which Frame.io object is which iconik
// object, and what must not happen twice. SQLite is embedded; PostgreSQL serves several machines.
package ledger

import (
	"context"
	"errors"
	"log/slog"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/framebridge/framebridge/ledger/database"
	"github.com/framebridge/framebridge/ledger/outbox"
	"github.com/framebridge/framebridge/ledger/sealed"
	"github.com/framebridge/framebridge/ledger/sessions"
)

// Session is a sign-in, or what a one-time link will turn into one.
type Session = sessions.Session

// Ledger is safe for concurrent use. Several processes can share its database.
type Ledger struct {
	sessions.Store

	db   *database.DB
	keys sealed.Keys // for tokens, upload addresses and mails; empty if none is configured
}

// Option configures a ledger.
type Option func(*Ledger) error

// ErrTooNew means that this program is too old for the release that wrote the ledger.
var ErrTooNew = database.ErrTooNew

// ErrUnavailable means that the database cannot be used at the moment: it is unreachable, full, locked or read-only.
var ErrUnavailable = database.ErrUnavailable

// ErrUnwritable is an ErrUnavailable of a ledger that can be read, but not written.
var ErrUnwritable = database.ErrUnwritable

// Open opens the ledger at "sqlite:FILE" or "postgres://…", and creates it if needed. It returns ErrTooNew for a ledger that this
// program must not touch.
func Open(ctx context.Context, dsn string, opts ...Option) (*Ledger, error) {
	l := &Ledger{}
	for _, o := range opts {
		if err := o(l); err != nil {
			return nil, err
		}
	}
	var err error
	if l.db, err = database.Open(ctx, dsn); err != nil {
		return nil, err
	}
	l.Store = sessions.New(l.db)
	if err := l.reseal(ctx); err != nil {
		l.Close()
		return nil, database.WithoutDSN(err, dsn)
	}
	return l, nil
}

// Close closes the database.
func (l *Ledger) Close() {
	if l.db != nil {
		l.db.Close()
	}
}

// Ping returns an error if the database does not answer or cannot be written.
func (l *Ledger) Ping(ctx context.Context) error { return l.db.Ping(ctx) }

// LogIfNew logs that the ledger did not exist before. An SQLite ledger is easily looked for in the wrong folder.
func (l *Ledger) LogIfNew(log *slog.Logger) {
	if file := l.db.Created(); file != "" {
		log.Warn("there was no ledger: a new one begins, which knows nothing of earlier archives and reviews", "file", file)
	}
}

// Outbox returns the box that keeps mails until they are sent.
func (l *Ledger) Outbox() outbox.Box { return outbox.New(l.db, l.keys) }

// Metrics returns what the ledger measures.
func (l *Ledger) Metrics() prometheus.Collector { return l.db.Metrics() }

// ErrCursor means that a page's cursor is not one that a list returned.
var ErrCursor = errors.New("no such page")

// cursor parses a page's cursor: a time and an id.
func cursor(text, between string) (at int64, id string, err error) {
	when, id, ok := strings.Cut(text, between)
	at, err = strconv.ParseInt(when, 10, 64)
	if err != nil || !ok || !utf8.ValidString(id) || strings.ContainsRune(id, 0) {
		return 0, "", ErrCursor
	}
	return at, id, nil
}

// micros returns a time as it is stored: microseconds since 1970, 0 for none.
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

// document is a row as JSON, which the database stores unchanged. Its names are the json tags of the row's type and never change.
type document = database.JSON

type scanner = database.Scanner

// session runs statements, inside or outside a transaction, and decrypts what is stored encrypted.
type session struct {
	database.Session
	keys sealed.Keys
}

func (l *Ledger) reads() session { return session{l.db.Reads(), l.keys} }

func (l *Ledger) writes() session { return session{l.db.Writes(), l.keys} }

func (l *Ledger) tx(ctx context.Context, run func(session) error) error {
	return l.db.Tx(ctx, func(s database.Session) error { return run(session{s, l.keys}) })
}

func (l *Ledger) exec(ctx context.Context, query string, args ...any) (int64, error) {
	return l.writes().Exec(ctx, query, args...)
}

// collect reads all rows of a query.
func collect[T any](ctx context.Context, s session, scan func(scanner) (T, error), query string, args ...any) ([]T, error) {
	return database.Collect(ctx, s.Session, scan, query, args...)
}

func scanText[T ~string](r scanner) (v T, err error) {
	err = r.Scan(&v)
	return v, err
}
