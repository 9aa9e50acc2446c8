package database

import (
	"context"
	"database/sql"
	"encoding/hex"
	"reflect"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/prometheus/client_golang/prometheus"
)

type querier interface {
	ExecContext(ctx context.Context, query string, args ...any) (sql.Result, error)
	QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error)
	QueryRowContext(ctx context.Context, query string, args ...any) *sql.Row
}

// Session runs statements, inside or outside a transaction. They are written once for both databases, with ? placeholders.
type Session struct {
	q        querier
	postgres bool
	inTx     bool
	took     prometheus.Observer // nil in a transaction, which is observed as a whole
	inPlace  func() error        // nil in a transaction, which asks when it begins and ends
}

// Reads returns a session for statements that change nothing.
func (d *DB) Reads() Session {
	return Session{q: d.reader, postgres: d.postgres, took: d.took.reads, inPlace: d.inPlace}
}

// Writes returns a session for single statements that change something.
func (d *DB) Writes() Session {
	return Session{q: d.writer, postgres: d.postgres, took: d.took.writes, inPlace: d.inPlace}
}

// Tx runs a transaction. SQLite's lock the whole file when they begin. In PostgreSQL, ForUpdate locks rows.
func (d *DB) Tx(ctx context.Context, run func(Session) error) error {
	defer timed(d.took.transactions)()
	if err := d.inPlace(); err != nil {
		return err
	}
	tx, err := d.write.BeginTx(ctx, nil)
	if err != nil {
		return told(err)
	}
	q := querier(tx)
	if d.kept != nil {
		kept, ended := d.kept.within(tx)
		defer ended(ctx)
		q = kept
	}
	defer func() { _ = tx.Rollback() }() // after an error or a panic; a no-op after a commit
	if err := run(Session{q: q, postgres: d.postgres, inTx: true}); err != nil {
		return told(err)
	}
	if err := d.inPlace(); err != nil {
		return err
	}
	return told(tx.Commit())
}

// ForUpdate returns the clause that locks the rows a transaction reads. It is empty outside one, and on SQLite.
func (s Session) ForUpdate() string {
	if s.postgres && s.inTx {
		return " FOR UPDATE"
	}
	return ""
}

// Now returns an SQL expression for the database's clock, on which all machines agree, in microseconds since 1970.
func (s Session) Now() string {
	if s.postgres {
		return "CAST(EXTRACT(EPOCH FROM clock_timestamp()) * 1000000 AS BIGINT)"
	}
	return "CAST(unixepoch('subsec') * 1000000 AS INTEGER)"
}

// Exec runs a statement and returns how many rows it changed.
func (s Session) Exec(ctx context.Context, query string, args ...any) (int64, error) {
	defer timed(s.took)()
	if err := s.ask(); err != nil {
		return 0, err
	}
	res, err := s.q.ExecContext(ctx, s.bind(query), s.args(args)...)
	if err != nil {
		return 0, told(err)
	}
	return res.RowsAffected()
}

// Query returns rows, which the caller must close.
func (s Session) Query(ctx context.Context, query string, args ...any) (*Rows, error) {
	defer timed(s.took)()
	if err := s.ask(); err != nil {
		return nil, err
	}
	r, err := s.q.QueryContext(ctx, s.bind(query), s.args(args)...) //nolint:rowserrcheck,sqlclosecheck // the caller's
	if err != nil {
		return nil, told(err)
	}
	return &Rows{Rows: r, postgres: s.postgres}, nil
}

// Row returns one row. If there is none, Scan returns sql.ErrNoRows.
func (s Session) Row(ctx context.Context, query string, args ...any) Row {
	defer timed(s.took)()
	if err := s.ask(); err != nil {
		return Row{err: err}
	}
	return Row{Row: s.q.QueryRowContext(ctx, s.bind(query), s.args(args)...), postgres: s.postgres}
}

// ask returns an error if the database is not the one that was opened.
func (s Session) ask() error {
	if s.inPlace == nil {
		return nil
	}
	return s.inPlace()
}

// Rows is the result of a query.
type Rows struct {
	*sql.Rows
	postgres bool
}

// Scan reads the current row.
func (r *Rows) Scan(dest ...any) error { return scanned(r.postgres, dest, r.Rows.Scan(dest...)) }

// Err returns the error that ended the rows, if any.
func (r *Rows) Err() error { return told(r.Rows.Err()) }

// Row is the only row of a query.
type Row struct {
	*sql.Row
	postgres bool
	err      error // instead of a row
}

// Scan reads the row.
func (r Row) Scan(dest ...any) error {
	if r.err != nil {
		return r.err
	}
	return scanned(r.postgres, dest, r.Row.Scan(dest...))
}

// Collect reads all rows of a query.
func Collect[T any](ctx context.Context, s Session, scan func(Scanner) (T, error), query string, args ...any) ([]T, error) {
	r, err := s.Query(ctx, query, args...)
	if err != nil {
		return nil, err
	}
	defer r.Close()
	var out []T
	for r.Next() {
		v, err := scan(r)
		if err != nil {
			return nil, err
		}
		out = append(out, v)
	}
	return out, r.Err()
}

// Scanner is a row of a query.
type Scanner interface{ Scan(dest ...any) error }

// JSON is a document. It needs no escaping, because JSON writes a NUL as \u0000.
type JSON string

// Postgres reports whether the database is PostgreSQL, for the few statements that differ.
func (s Session) Postgres() bool { return s.postgres }

// bind replaces the ? placeholders of a query by PostgreSQL's $1, $2, ….
func (s Session) bind(query string) string {
	if !s.postgres {
		return query
	}
	var b strings.Builder
	n := 0
	for _, r := range query {
		if r == '?' {
			n++
			b.WriteString("$" + strconv.Itoa(n))
			continue
		}
		b.WriteRune(r)
	}
	return b.String()
}

// PostgreSQL's texts cannot hold a NUL or invalid UTF-8, but names in Frame.io may. In PostgreSQL, each such byte is
// stored as escapeMark and two hexadecimal digits, and the mark itself twice, so that every name comes back unchanged.
// Documents need none of this, because JSON writes a NUL as \u0000.
const escapeMark = '␛'

func (s Session) args(args []any) []any {
	if !s.postgres {
		return args
	}
	out := make([]any, len(args))
	for i, a := range args {
		out[i] = a
		if _, ok := a.(JSON); ok {
			continue
		}
		if v := reflect.ValueOf(a); v.Kind() == reflect.String {
			out[i] = escapeText(v.String())
		}
	}
	return out
}

func scanned(postgres bool, dest []any, err error) error {
	if err != nil || !postgres {
		return told(err)
	}
	for _, d := range dest {
		if _, ok := d.(*JSON); ok {
			continue
		}
		if v := reflect.ValueOf(d).Elem(); v.Kind() == reflect.String {
			v.SetString(unescapeText(v.String()))
		}
	}
	return nil
}

func escapeText(text string) string {
	if utf8.ValidString(text) && !strings.ContainsAny(text, "\x00"+string(escapeMark)) {
		return text
	}
	var b strings.Builder
	for i := 0; i < len(text); {
		r, size := utf8.DecodeRuneInString(text[i:])
		switch {
		case r == 0 || r == utf8.RuneError && size == 1:
			b.WriteRune(escapeMark)
			b.WriteString(hex.EncodeToString([]byte{text[i]}))
		case r == escapeMark:
			b.WriteString(string(escapeMark) + string(escapeMark))
		default:
			b.WriteString(text[i : i+size])
		}
		i += size
	}
	return b.String()
}

// unescapeText reverses escapeText. It keeps a mark that escapeText did not write.
func unescapeText(text string) string {
	mark := string(escapeMark)
	if !strings.Contains(text, mark) {
		return text
	}
	var b strings.Builder
	for {
		before, after, found := strings.Cut(text, mark)
		b.WriteString(before)
		if !found {
			return b.String()
		}
		text = after
		if rest, twice := strings.CutPrefix(text, mark); twice {
			b.WriteString(mark)
			text = rest
			continue
		}
		if len(text) >= 2 {
			if raw, err := hex.DecodeString(text[:2]); err == nil {
				b.Write(raw)
				text = text[2:]
				continue
			}
		}
		b.WriteString(mark)
	}
}
