package frameio

import (
	"context"
	"iter"

	"github.com/framebridge/framebridge/clients/rest"
)

// Rows reads a listing row by row. One that does not end, or comes back to a page that it has given, is an error.
func Rows[T any](ctx context.Context, list func(ctx context.Context, cursor string) (Page[T], error)) iter.Seq2[T, error] {
	return rest.Pages(ctx, "Frame.io", "list", func(ctx context.Context, cursor string) ([]T, string, error) {
		page, err := list(ctx, cursor)
		return page.Items, page.Next, err
	})
}

// RowsOf reads the listing of what belongs to one object row by row, as Rows does.
func RowsOf[T, K any](ctx context.Context, list func(ctx context.Context, of K, cursor string) (Page[T], error), of K) iter.Seq2[T, error] {
	return Rows(ctx, func(ctx context.Context, cursor string) (Page[T], error) { return list(ctx, of, cursor) })
}

// All reads a listing to its end, each object once: a reply may come with its comment and again on a later page,
// pages shift while they are read, and a listing that heeds no page number gives the same one for ever.
func All[T any](id func(T) string, list func(cursor string) (Page[T], error)) ([]T, error) {
	var all []T
	seen := map[string]bool{}
	cursor, last := "", ""
	for {
		page, err := list(cursor)
		if err != nil {
			return nil, err
		}
		ids := ""
		for _, x := range page.Items {
			ids += id(x) + " "
			if !seen[id(x)] {
				seen[id(x)] = true
				all = append(all, x)
			}
		}
		if page.Next == "" || ids != "" && ids == last {
			return all, nil
		}
		cursor, last = page.Next, ids
	}
}
