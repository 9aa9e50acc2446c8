package rest

import (
	"context"
	"strconv"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// A listing is read whole or not at all, and it ends.
func TestPagesEnd(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		next  func(cursor string) string
		calls int
		err   string
	}{
		"three pages":                 {func(c string) string { return map[string]string{"": "b", "b": "c"}[c] }, 3, ""},
		"a page that leads to itself": {func(string) string { return "a" }, 2, "repeats itself"},
		"two that lead to each other": {func(c string) string { return map[string]string{"": "a", "a": "b", "b": "a"}[c] }, 3, "repeats itself"},
		"no end": {func(c string) string {
			n, _ := strconv.Atoi(c)
			return strconv.Itoa(n + 1)
		}, MostPages, "does not end"},
	} {
		t.Run(name, func(t *testing.T) {
			calls := 0
			_, err := Collect(Pages(t.Context(), "Vendor", "list", func(_ context.Context, cursor string) ([]int, string, error) {
				calls++
				return []int{1}, tt.next(cursor), nil
			}))
			if tt.err == "" {
				require.NoError(t, err)
			} else {
				require.ErrorContains(t, err, tt.err)
			}
			assert.Equal(t, tt.calls, calls)
		})
	}
}
