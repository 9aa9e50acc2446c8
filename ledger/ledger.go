// Package ledger remembers, in SQL, what was brought where: archives, their items, which Frame.io object is which iconik
// object, and what must not happen twice. SQLite is embedded; PostgreSQL serves several machines.
package ledger

import (
	"context"
	"crypto/sha256"
	"database/sql"
	"embed"
	"encoding/hex"
	"errors"
	"fmt"
	"net/url"
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
	key         []byte // for tokens; nil: none configured
}

// Option changes a ledger.
type Option func(*Ledger) error

//go:embed migrations/*.sql
var migrations embed.FS

const migrationLock = 0x46726d62 // "Frmb"

const openPatience = 15 * time.Second

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
		err = l.migrate(ctx)
	}
	// Two processes that make the file at once: SQLite's own patience does not cover the change to its journal.
	for until := time.Now().Add(openPatience); err != nil && !l.postgres && strings.Contains(err.Error(), "SQLITE_BUSY") && time.Now().Before(until) && ctx.Err() == nil; {
		time.Sleep(50 * time.Millisecond)
		err = l.migrate(ctx)
	}
	if err != nil {
		l.Close()
		return nil, withoutDSN(err, dsn)
	}
	return l, nil
}

func (l *Ledger) openSQLite(file string) error {
	if file == "" {
		return errors.New("no file is named after sqlite:")
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

// migrate applies what is new; two processes that start together do not get into each other's way.
func (l *Ledger) migrate(ctx context.Context) error {
	entries, err := migrations.ReadDir("migrations")
	if err != nil {
		return err
	}
	return l.tx(ctx, func(tx *sql.Tx) error {
		if l.postgres {
			if _, err := tx.ExecContext(ctx, "SELECT pg_advisory_xact_lock("+strconv.Itoa(migrationLock)+")"); err != nil {
				return err
			}
		}
		if _, err := tx.ExecContext(ctx, "CREATE TABLE IF NOT EXISTS schema_version (version INTEGER NOT NULL)"); err != nil {
			return err
		}
		var version int
		if err := tx.QueryRowContext(ctx, "SELECT COALESCE(MAX(version), 0) FROM schema_version").Scan(&version); err != nil {
			return err
		}
		if version > len(entries) {
			return fmt.Errorf("it was written by a newer Framebridge (schema %d, this one knows %d)", version, len(entries))
		}
		for i, e := range entries[version:] {
			text, err := migrations.ReadFile("migrations/" + e.Name())
			if err != nil {
				return err
			}
			for _, statement := range strings.Split(string(text), ";\n") {
				if strings.TrimSpace(statement) == "" {
					continue
				}
				if _, err := tx.ExecContext(ctx, statement); err != nil {
					return fmt.Errorf("migration %s: %w", e.Name(), err)
				}
			}
			if _, err := tx.ExecContext(ctx, l.bind("INSERT INTO schema_version (version) VALUES (?)"), version+i+1); err != nil {
				return err
			}
		}
		return nil
	})
}

// bind writes a query's ? as PostgreSQL's $1, $2, ….
func (l *Ledger) bind(query string) string {
	if !l.postgres {
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

// forUpdate locks the rows that a transaction is going to change; SQLite's transactions have the whole file.
func (l *Ledger) forUpdate() string {
	if l.postgres {
		return " FOR UPDATE"
	}
	return ""
}

func (l *Ledger) tx(ctx context.Context, run func(*sql.Tx) error) error {
	tx, err := l.write.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	if err := run(tx); err != nil {
		_ = tx.Rollback()
		return err
	}
	return tx.Commit()
}

func (l *Ledger) exec(ctx context.Context, query string, args ...any) (int64, error) {
	res, err := l.write.ExecContext(ctx, l.bind(query), args...)
	if err != nil {
		return 0, err
	}
	return res.RowsAffected()
}

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

// deliveriesKept is how long a delivery is remembered; the vendors sign what is at most minutes old.
const deliveriesKept = 24 * time.Hour

func deliveryKey(key string) string {
	sum := sha256.Sum256([]byte(key))
	return hex.EncodeToString(sum[:])
}

// Delivered tells whether a webhook's delivery was noted before.
func (l *Ledger) Delivered(ctx context.Context, tenant, key string) (bool, error) {
	var n int
	err := l.read.QueryRowContext(ctx, l.bind("SELECT COUNT(*) FROM deliveries WHERE tenant = ? AND delivery = ?"), tenant, deliveryKey(key)).Scan(&n)
	return n > 0, err
}

// NoteDelivery remembers a delivery that was acted on, and tells whether it is the first of its key.
func (l *Ledger) NoteDelivery(ctx context.Context, tenant, key string, now time.Time) (bool, error) {
	if _, err := l.exec(ctx, "DELETE FROM deliveries WHERE tenant = ? AND seen_at < ?", tenant, micros(now.Add(-deliveriesKept))); err != nil {
		return false, err
	}
	n, err := l.exec(ctx, "INSERT INTO deliveries (tenant, delivery, seen_at) VALUES (?, ?, ?) ON CONFLICT DO NOTHING", tenant, deliveryKey(key), micros(now))
	return n == 1, err
}

// Audit writes down who did what.
func (l *Ledger) Audit(ctx context.Context, tenant, archive, actor, what, detail string) error {
	_, err := l.exec(ctx, "INSERT INTO audit (tenant, archive, at, actor, what, detail) VALUES (?, ?, ?, ?, ?, ?)", tenant, archive, micros(time.Now()), actor, what, detail)
	return err
}

// AuditEntry is a line of the audit.
type AuditEntry struct {
	At                  time.Time
	Actor, What, Detail string
}

// AuditTrail returns an archive's last entries, newest first.
func (l *Ledger) AuditTrail(ctx context.Context, tenant, archive string, limit int) ([]AuditEntry, error) {
	rows, err := l.read.QueryContext(ctx, l.bind("SELECT at, actor, what, detail FROM audit WHERE tenant = ? AND archive = ? ORDER BY at DESC LIMIT ?"), tenant, archive, limit)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var out []AuditEntry
	for rows.Next() {
		var e AuditEntry
		var at int64
		if err := rows.Scan(&at, &e.Actor, &e.What, &e.Detail); err != nil {
			return nil, err
		}
		e.At = fromMicros(at)
		out = append(out, e)
	}
	return out, rows.Err()
}
