//go:build integration

package contract

import "testing"

// TestEveryRefusalOfAnyOperation plays the whole table: every way to fail with every operation, on both generations.
func TestEveryRefusalOfAnyOperation(t *testing.T) {
	playRefusals(t, func(int, int) []spoil { return spoils })
}
