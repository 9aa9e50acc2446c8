//go:build integration

package contract

import (
	"os"
	"testing"
)

// TestEveryRefusalOfAnyOperation plays the whole table: every way to fail with every operation, on both APIs. It is about 1,200
// rows, so it waits for FRAMEBRIDGE_REFUSALS=all; -run plays a slice of it (docs/developer.md).
func TestEveryRefusalOfAnyOperation(t *testing.T) {
	t.Parallel()
	if os.Getenv("FRAMEBRIDGE_REFUSALS") != "all" {
		t.Skip("set FRAMEBRIDGE_REFUSALS=all")
	}
	playRefusals(t, func(string, string, int) []spoil { return spoils })
}

// 200 random refusals over 300 files, on both APIs.
func TestTwoHundredRandomRefusals(t *testing.T) {
	t.Parallel()
	playRandomRefusals(t, 300, 200)
}
