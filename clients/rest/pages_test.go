package rest

import (
	"context"
	"strconv"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// A listing is read to its end or fails, and it always ends.
func TestPagesEnd(t *testing.T) {
	t.Parallel()
	count := func(c string) string {
		n, _ := strconv.Atoi(c)
		return strconv.Itoa(n + 1)
	}
	fresh := func(n int) []string { return []string{"row " + strconv.Itoa(n)} }
	for name, tt := range map[string]struct {
		next  func(cursor string) string
		rows  func(call int) []string
		calls int
		err   string
	}{
		"three pages":                           {func(c string) string { return map[string]string{"": "b", "b": "c"}[c] }, fresh, 3, ""},
		"a page that leads to itself":           {func(string) string { return "a" }, fresh, 2, "Vendor: list: the listing repeats itself"},
		"two that lead to each other":           {func(c string) string { return map[string]string{"": "a", "a": "b", "b": "a"}[c] }, fresh, 3, "repeats itself"},
		"no end":                                {count, fresh, MostPages, "does not end"},
		"two pages in turn under fresh cursors": {count, func(n int) []string { return [][]string{{"a", "b"}, {"c", "d"}}[n%2] }, 3, "Vendor: list: the listing repeats the same page"},
		"their rows in another order":           {count, func(n int) []string { return [][]string{{"a", "b"}, {"b", "a"}}[n%2] }, 2, "repeats the same page"},
		"the same rows in other company":        {count, func(n int) []string { return []string{"a" + strconv.Itoa(n%7), "b" + strconv.Itoa(n%11)} }, 31, "its last 20 pages showed nothing new"},
		"nothing on every page":                 {count, func(int) []string { return nil }, 1000, "its last 1000 pages were empty"},
		"rows that say not which they are":      {func(c string) string { return map[string]string{"": "b", "b": "c"}[c] }, func(int) []string { return []string{""} }, 3, ""},
		"rows that move on while they are read": {func(c string) string { return map[string]string{"": "b", "b": "c", "c": "d"}[c] },
			func(n int) []string { return [][]string{{"a", "b"}, {"b"}, {"b", "c"}, {"a"}}[n] }, 4, ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			calls := 0
			_, err := Collect(Pages(t.Context(), "Vendor", "list", func(r string) string { return r }, func(_ context.Context, cursor string) ([]string, string, error) {
				calls++
				return tt.rows(calls - 1), tt.next(cursor), nil
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
