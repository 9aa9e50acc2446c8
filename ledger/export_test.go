package ledger

import "context"

// What the tests of the ledger's other packages share with its own.
var (
	Each    = each
	Project = project
)

// Exec changes a database behind the ledger's back.
func Exec(ctx context.Context, l *Ledger, query string, args ...any) (int64, error) {
	return l.exec(ctx, query, args...)
}
