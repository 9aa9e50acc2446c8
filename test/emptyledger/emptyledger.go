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
	empty, err := schemaOnly()
	if err != nil {
		t.Fatal(err)
	}
	return Copy(t, empty)
}

// Copy returns the DSN of a copy of a ledger's file, for tests that begin with the same rows. It is removed with the test.
func Copy(t testing.TB, ledger []byte) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), "ledger.db")
	if err := os.WriteFile(file, ledger, 0o600); err != nil {
		t.Fatal(err)
	}
	return "sqlite:" + file
}
