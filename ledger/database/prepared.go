package database

import (
	"context"
	"database/sql"
	"sync"
)

// preparedMost bounds the kept statements, because some have one variant for each number of arguments.
const preparedMost = 200

// prepared keeps a database's prepared statements. SQLite parses a statement each time it gets its text, which takes about as long
// as running it. pgx keeps its own.
type prepared struct {
	db   *sql.DB
	mu   sync.Mutex
	kept map[string]*sql.Stmt
}

func newPrepared(db *sql.DB) *prepared { return &prepared{db: db, kept: map[string]*sql.Stmt{}} }

// known returns the kept statement of a query, or nil. full means that no more can be kept.
func (p *prepared) known(query string) (s *sql.Stmt, full bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.kept[query], len(p.kept) >= preparedMost
}

// keep prepares a statement. It returns nil if no more can be kept, or if it cannot be prepared, which running it will show. It holds no
// lock while preparing waits for a connection, because whoever has the only one may need another statement.
func (p *prepared) keep(ctx context.Context, query string) *sql.Stmt {
	s, full := p.known(query)
	if s != nil || full {
		return s
	}
	s, err := p.db.PrepareContext(ctx, query)
	if err != nil {
		return nil
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if first := p.kept[query]; first != nil {
		_ = s.Close()
		return first
	}
	p.kept[query] = s
	return s
}

// outside runs statements outside transactions.
func (p *prepared) outside() querier { return keeping{p.db, p.keep} }

// within runs a transaction's statements. The caller must call ended when the transaction has ended, to keep the new ones: until then
// the transaction has the only writing connection.
func (p *prepared) within(tx *sql.Tx) (q querier, ended func(context.Context)) {
	var added []string
	known := func(ctx context.Context, query string) *sql.Stmt {
		if s, _ := p.known(query); s != nil {
			return tx.StmtContext(ctx, s)
		}
		added = append(added, query)
		return nil
	}
	return keeping{tx, known}, func(ctx context.Context) {
		for _, query := range added {
			p.keep(ctx, query)
		}
	}
}

// keeping runs kept statements as prepared, and the others by their text.
type keeping struct {
	querier
	statement func(ctx context.Context, query string) *sql.Stmt
}

func (k keeping) ExecContext(ctx context.Context, query string, args ...any) (sql.Result, error) {
	if s := k.statement(ctx, query); s != nil {
		return s.ExecContext(ctx, args...)
	}
	return k.querier.ExecContext(ctx, query, args...)
}

func (k keeping) QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error) {
	if s := k.statement(ctx, query); s != nil {
		return s.QueryContext(ctx, args...)
	}
	return k.querier.QueryContext(ctx, query, args...)
}

func (k keeping) QueryRowContext(ctx context.Context, query string, args ...any) *sql.Row {
	if s := k.statement(ctx, query); s != nil {
		return s.QueryRowContext(ctx, args...)
	}
	return k.querier.QueryRowContext(ctx, query, args...)
}
