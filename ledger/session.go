package ledger

import (
	"context"
	"database/sql"
	"encoding/hex"
	"reflect"
	"strconv"
	"strings"
	"unicode/utf8"
)

type querier interface {
	ExecContext(ctx context.Context, query string, args ...any) (sql.Result, error)
	QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error)
	QueryRowContext(ctx context.Context, query string, args ...any) *sql.Row
}

// session runs statements, in a transaction or outside of one. They are written once, with ? for both databases.
type session struct {
	q        querier
	postgres bool
	inTx     bool
	keys     keyring
}

func (l *Ledger) reads() session  { return session{q: l.read, postgres: l.postgres, keys: l.keys} }
func (l *Ledger) writes() session { return session{q: l.write, postgres: l.postgres, keys: l.keys} }

// tx runs a transaction. SQLite's have the whole file from their beginning; in PostgreSQL rows are locked with forUpdate.
func (l *Ledger) tx(ctx context.Context, run func(session) error) error {
	tx, err := l.write.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	if err := run(session{q: tx, postgres: l.postgres, inTx: true, keys: l.keys}); err != nil {
		_ = tx.Rollback()
		return err
	}
	return tx.Commit()
}

func (l *Ledger) exec(ctx context.Context, query string, args ...any) (int64, error) {
	return l.writes().exec(ctx, query, args...)
}

// forUpdate locks the rows that a transaction reads; outside of one it is empty.
func (s session) forUpdate() string {
	if s.postgres && s.inTx {
		return " FOR UPDATE"
	}
	return ""
}

// now is the database's clock in microseconds since 1970: processes on several machines agree on it.
func (s session) now() string {
	if s.postgres {
		return "CAST(EXTRACT(EPOCH FROM clock_timestamp()) * 1000000 AS BIGINT)"
	}
	return "CAST(unixepoch('subsec') * 1000000 AS INTEGER)"
}

func (s session) exec(ctx context.Context, query string, args ...any) (int64, error) {
	res, err := s.q.ExecContext(ctx, s.bind(query), s.args(args)...)
	if err != nil {
		return 0, err
	}
	return res.RowsAffected()
}

func (s session) query(ctx context.Context, query string, args ...any) (*rows, error) {
	r, err := s.q.QueryContext(ctx, s.bind(query), s.args(args)...) //nolint:rowserrcheck,sqlclosecheck // the caller's
	if err != nil {
		return nil, err
	}
	return &rows{Rows: r, postgres: s.postgres}, nil
}

func (s session) row(ctx context.Context, query string, args ...any) row {
	return row{Row: s.q.QueryRowContext(ctx, s.bind(query), s.args(args)...), postgres: s.postgres}
}

type rows struct {
	*sql.Rows
	postgres bool
}

func (r *rows) Scan(dest ...any) error { return scanned(r.postgres, dest, r.Rows.Scan(dest...)) }

type row struct {
	*sql.Row
	postgres bool
}

func (r row) Scan(dest ...any) error { return scanned(r.postgres, dest, r.Row.Scan(dest...)) }

// collect reads all rows of a query.
func collect[T any](ctx context.Context, s session, scan func(scanner) (T, error), query string, args ...any) ([]T, error) {
	r, err := s.query(ctx, query, args...)
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

type scanner interface{ Scan(dest ...any) error }

func scanText[T ~string](r scanner) (v T, err error) {
	err = r.Scan(&v)
	return v, err
}

// bind writes a query's ? as PostgreSQL's $1, $2, ….
func (s session) bind(query string) string {
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

// PostgreSQL's texts hold neither a NUL nor bytes that are not UTF-8; names in Frame.io may. There each such byte is
// written as escapeMark and two hexadecimal digits, and the mark itself twice, so that every name comes back as it was.
// Documents need none of this: JSON writes a NUL as \u0000.
const escapeMark = '␛'

func (s session) args(args []any) []any {
	if !s.postgres {
		return args
	}
	out := make([]any, len(args))
	for i, a := range args {
		out[i] = a
		if _, ok := a.(document); ok {
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
		return err
	}
	for _, d := range dest {
		if _, ok := d.(*document); ok {
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

// unescapeText leaves a mark alone that escapeText has not written.
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
