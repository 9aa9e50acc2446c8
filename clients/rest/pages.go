package rest

import (
	"context"
	"fmt"
	"iter"

	"github.com/cespare/xxhash/v2"
)

// MostPages bounds every listing: at 100 rows a page, ten million rows.
const MostPages = 100_000

// In a listing that people work on, rows shift from one page to the next, and a page may show nothing but what was shown
// before; a filter may leave a page empty. Many such pages in a row are no listing.
const (
	mostStale = 20
	mostEmpty = 1000
)

// Listing notices that a listing repeats itself or does not end.
type Listing struct {
	vendor, operation string

	cursors map[string]bool
	pages   map[uint64]bool // by what their rows add up to, in whatever order
	rows    map[uint64]struct{}
	stale   int // pages in a row with rows that were all shown before
	empty   int
}

// NewListing names the operation for what is found wrong with it.
func NewListing(vendor, operation string) *Listing {
	return &Listing{vendor: vendor, operation: operation, cursors: map[string]bool{}, pages: map[uint64]bool{}, rows: map[uint64]struct{}{}}
}

// Page takes note of the page at a cursor with its rows' ids, and the cursor of the page that follows. A listing that comes
// back to where it was, shows a page again, goes on without showing anything new, or does not end is an *Error: taken for
// whole, it would lack rows and nobody would know.
func (l *Listing) Page(cursor string, ids []string, next string) error {
	if err := l.repeats(ids); err != nil {
		return err
	}
	l.cursors[cursor] = true
	switch {
	case next == "":
		return nil
	case l.cursors[next]:
		return l.wrong(Retryable, "the listing repeats itself")
	case len(l.cursors) >= MostPages:
		return l.wrong(Permanent, "the listing does not end")
	case l.stale >= mostStale:
		return l.wrong(Retryable, fmt.Sprintf("the listing repeats itself: its last %d pages showed nothing new", l.stale))
	case l.empty >= mostEmpty:
		return l.wrong(Retryable, fmt.Sprintf("the listing does not end: its last %d pages were empty", l.empty))
	}
	return nil
}

func (l *Listing) repeats(ids []string) error {
	if len(ids) == 0 {
		l.empty++
		return nil
	}
	l.empty = 0
	var sum uint64
	before := len(l.rows)
	nameless := false
	for _, id := range ids {
		if id == "" { // nobody can tell whether it was shown
			nameless = true
			continue
		}
		h := xxhash.Sum64String(id)
		l.rows[h] = struct{}{}
		sum += h
	}
	if sum != 0 && l.pages[sum] {
		return l.wrong(Retryable, "the listing repeats the same page")
	}
	l.pages[sum] = true
	if l.stale++; len(l.rows) > before || nameless {
		l.stale = 0
	}
	return nil
}

func (l *Listing) wrong(class Class, detail string) error {
	return &Error{Vendor: l.vendor, Operation: l.operation, Class: class, Detail: detail}
}

// Pages reads a listing row by row. fetch reads the page at a cursor, which is empty for the first one, and returns the
// next page's cursor, which is empty after the last one. id tells rows apart. What Listing notices is an error.
func Pages[T any](ctx context.Context, vendor, operation string, id func(T) string, fetch func(ctx context.Context, cursor string) (rows []T, next string, err error)) iter.Seq2[T, error] {
	return func(yield func(T, error) bool) {
		var none T
		listing := NewListing(vendor, operation)
		cursor := ""
		for {
			rows, next, err := fetch(ctx, cursor)
			if err != nil {
				yield(none, err)
				return
			}
			ids := make([]string, len(rows))
			for i, r := range rows {
				ids[i] = id(r)
			}
			wrong := listing.Page(cursor, ids, next)
			for _, r := range rows {
				if !yield(r, nil) {
					return
				}
			}
			if wrong != nil {
				yield(none, wrong)
				return
			}
			if next == "" {
				return
			}
			cursor = next
		}
	}
}

// Collect reads a listing to its end.
func Collect[T any](rows iter.Seq2[T, error]) ([]T, error) {
	var all []T
	for r, err := range rows {
		if err != nil {
			return nil, err
		}
		all = append(all, r)
	}
	return all, nil
}
