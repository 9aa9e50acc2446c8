package frameio_test

import (
	"context"
	"errors"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/framebridge/framebridge/clients/frameio"
	"github.com/framebridge/framebridge/clients/rest"
)

type thing int

func (n thing) Key() string { return strconv.Itoa(int(n)) }

func TestRowsReadAListingToItsEnd(t *testing.T) {
	t.Parallel()
	refused := errors.New("refused")
	pages := map[string]frameio.Page[thing]{"": {Items: []thing{1, 2}, Next: "b"}, "b": {Next: "c"}, "c": {Items: []thing{3}}}
	read := func(list func(context.Context, string, string) (frameio.Page[thing], error), most int) (got []thing, err error) {
		for n, err := range frameio.RowsOf(t.Context(), "list things", list, "project") {
			if err != nil {
				return got, err
			}
			if got = append(got, n); len(got) == most {
				return got, nil
			}
		}
		return got, nil
	}
	calls := 0
	whole := func(_ context.Context, of, cursor string) (frameio.Page[thing], error) {
		require.Equal(t, "project", of)
		calls++
		return pages[cursor], nil
	}
	got, err := read(whole, 0)
	require.NoError(t, err)
	require.Equal(t, []thing{1, 2, 3}, got)
	require.Equal(t, 3, calls)

	calls = 0
	got, err = read(whole, 1)
	require.NoError(t, err)
	require.Equal(t, []thing{1}, got)
	require.Equal(t, 1, calls, "nothing is read that nobody asks for")

	got, err = read(func(_ context.Context, _, cursor string) (frameio.Page[thing], error) {
		if cursor == "" {
			return frameio.Page[thing]{Items: []thing{1}, Next: "b"}, nil
		}
		return frameio.Page[thing]{}, refused
	}, 0)
	require.ErrorIs(t, err, refused)
	require.Equal(t, []thing{1}, got)

	_, err = read(func(_ context.Context, _, cursor string) (frameio.Page[thing], error) {
		n, _ := strconv.Atoi(cursor)
		return frameio.Page[thing]{Items: []thing{thing(n)}, Next: strconv.Itoa((n + 1) % 3)}, nil
	}, 0)
	require.Equal(t, rest.Retryable, rest.ClassOf(err), "a listing in circles is not taken for whole")
	require.ErrorContains(t, err, "list things")
}

func TestAllReadsEachObjectOnce(t *testing.T) {
	t.Parallel()
	id := func(s string) string { return s }
	for name, c := range map[string]struct {
		pages []string // of one-letter rows; * is an empty page
		most  int      // pages that are read
		want  string   // rows, or part of the error
		fails bool
	}{
		"each once":              {[]string{"ab", "bc", "*", "cd"}, 4, "abcd", false},
		"a page of known rows":   {[]string{"abr", "r", "c"}, 3, "abrc", false},
		"one page again":         {[]string{"a", "a", "a"}, 2, "list comments: the listing repeats the same page", true},
		"two pages in turn":      {[]string{"a", "b", "a", "b"}, 3, "list comments: the listing repeats the same page", true},
		"nothing":                {[]string{"*"}, 1, "", false},
		"empty pages are no end": {[]string{"*", "*", "a"}, 3, "a", false},
	} {
		t.Run(name, func(t *testing.T) {
			calls := 0
			got, err := frameio.All(t.Context(), "list comments", id, func(_ context.Context, cursor string) (frameio.Page[string], error) {
				n, _ := strconv.Atoi(cursor)
				calls++
				page := frameio.Page[string]{Items: strings.Split(c.pages[n], "")}
				if c.pages[n] == "*" {
					page.Items = nil
				}
				if n+1 < len(c.pages) {
					page.Next = strconv.Itoa(n + 1)
				}
				return page, nil
			})
			require.Equal(t, c.most, calls)
			if c.fails {
				require.ErrorContains(t, err, c.want)
				require.Equal(t, rest.Retryable, rest.ClassOf(err))
				return
			}
			require.NoError(t, err)
			require.Equal(t, c.want, strings.Join(got, ""))
		})
	}
}
