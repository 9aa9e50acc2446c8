package rest

import (
	"context"
	"iter"
)

// MostPages bounds every listing: at 100 rows a page, ten million rows.
const MostPages = 100_000

// Pages reads a listing row by row. fetch reads the page at a cursor, which is empty for the first one, and returns the
// next page's cursor, which is empty after the last one. A listing that comes back to where it was, or that does not end, is
// an *Error: taken for whole, it would lack rows and nobody would know.
func Pages[T any](ctx context.Context, vendor, operation string, fetch func(ctx context.Context, cursor string) (rows []T, next string, err error)) iter.Seq2[T, error] {
	return func(yield func(T, error) bool) {
		var none T
		seen := map[string]bool{}
		cursor := ""
		for {
			rows, next, err := fetch(ctx, cursor)
			if err != nil {
				yield(none, err)
				return
			}
			for _, r := range rows {
				if !yield(r, nil) {
					return
				}
			}
			seen[cursor] = true
			switch {
			case next == "":
				return
			case seen[next]:
				yield(none, &Error{Vendor: vendor, Operation: operation, Class: Retryable, Detail: "the listing repeats itself"})
				return
			case len(seen) >= MostPages:
				yield(none, &Error{Vendor: vendor, Operation: operation, Class: Permanent, Detail: "the listing does not end"})
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
