package rest

import (
	"context"
	"fmt"
	"iter"

	"github.com/cespare/xxhash/v2"
)

// MostPages limits every listing: at 100 rows per page, to ten million rows.
const MostPages = 100_000

// While people work on what is listed, rows shift from one page to the next, so that a page may show only rows from earlier ones.
// A filter may leave a page empty. Too many such pages in a row mean that the listing is broken.
const (
	mostStale = 20
	mostEmpty = 1000
)

// Listing detects a listing that repeats itself or does not end.
type Listing struct {
	vendor, operation string

	cursors map[string]bool
	pages   map[uint64]bool // hashes of pages, independent of the order of rows
	rows    map[uint64]struct{}
	stale   int // pages in a row that showed only known rows
	empty   int
}

// NewListing returns a Listing whose errors name the vendor and operation.
func NewListing(vendor, operation string) *Listing {
	return &Listing{vendor: vendor, operation: operation, cursors: map[string]bool{}, pages: map[uint64]bool{}, rows: map[uint64]struct{}{}}
}

// Page records the page at a cursor with the IDs of its rows, and the cursor of the next page. It returns an *Error if the
// listing returns to an earlier cursor, repeats a page, shows nothing new for too long, or does not end. If such a listing passed
// for complete, rows would be missing and nobody would know.
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
		if id == "" { // it may or may not be new
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

// Pages reads a listing row by row. fetch returns the page at a cursor and the next page's cursor; the cursor is empty for the
// first page, and after the last one. id identifies rows. Anything that Listing detects is an error.
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

// Collect reads a listing to its end. It returns the first error.
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
