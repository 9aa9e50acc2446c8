// Package emptyledger gives tests their own ledger that already has its schema, because the migrations take a good part of
// the time of a short test.
package emptyledger

import (
	"context"
	"os"
	"path/filepath"
	"sync"
	"testing"

	"github.com/framebridge/framebridge/ledger"
)

// schemaOnly returns the file of an unused ledger.
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

// DSN returns the DSN of a new, empty ledger on SQLite, which is removed with the test.
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
