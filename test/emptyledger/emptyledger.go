// Package emptyledger gives tests a ledger of their own that has its schema already: its migrations are a good part of the
// time of a test that is otherwise short.
package emptyledger

import (
	"context"
	"os"
	"path/filepath"
	"sync"
	"testing"

	"github.com/framebridge/framebridge/ledger"
)

// schemaOnly is the file of a ledger that was never used.
var schemaOnly = sync.OnceValues(func() ([]byte, error) {
	dir, err := os.MkdirTemp("", "ledger-")
	if err != nil {
		return nil, err
	}
	defer func() { _ = os.RemoveAll(dir) }()
	file := filepath.Join(dir, "ledger.db")
	l, err := ledger.Open(context.Background(), "sqlite:"+file)
	if err != nil {
		return nil, err
	}
	l.Close()
	return os.ReadFile(file)
})

// DSN is that of a new, empty ledger on SQLite, which goes with the test.
func DSN(t testing.TB) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), "ledger.db")
	empty, err := schemaOnly()
	if err == nil {
		err = os.WriteFile(file, empty, 0o600)
	}
	if err != nil {
		t.Fatal(err)
	}
	return "sqlite:" + file
}
