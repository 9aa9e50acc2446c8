package database

import (
	"context"
	"database/sql"
	"sync"
)

// preparedMost bounds the statements that are kept: some are as many as the numbers of their arguments.
const preparedMost = 200

// prepared keeps a database's statements: SQLite parses a statement each time that it gets its text, which takes about as long as
// running it. pgx keeps its own.
type prepared struct {
	db   *sql.DB
	mu   sync.Mutex
	kept map[string]*sql.Stmt
}

func newPrepared(db *sql.DB) *prepared { return &prepared{db: db, kept: map[string]*sql.Stmt{}} }

// known is the statement of a text, and nil where none is kept; full: no more can be.
func (p *prepared) known(query string) (s *sql.Stmt, full bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.kept[query], len(p.kept) >= preparedMost
}

// keep prepares a statement. nil: as many are kept as may be, or it can't be prepared, which running it will tell. Nothing is locked
// meanwhile: preparing waits for a connection, and who has the only one may ask for another statement.
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

// outside runs statements outside of transactions.
func (p *prepared) outside() querier { return keeping{p.db, p.keep} }

// within runs a transaction's statements. What is new to it is kept by ended, which is called when it has ended: until then it has
// the only connection that writes.
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

// keeping runs statements that are kept, and the others by their text.
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
