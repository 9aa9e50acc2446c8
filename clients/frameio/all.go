package frameio

import (
	"context"
	"iter"
	"slices"
	"strings"

	"github.com/framebridge/framebridge/clients/rest"
)

const vendor = "Frame.io"

// Rows reads a listing row by row. One that does not end, or comes back to a page that it has given, is an error that
// names the operation.
func Rows[T any](ctx context.Context, operation string, list func(ctx context.Context, cursor string) (Page[T], error)) iter.Seq2[T, error] {
	return rest.Pages(ctx, vendor, operation, func(ctx context.Context, cursor string) ([]T, string, error) {
		page, err := list(ctx, cursor)
		return page.Items, page.Next, err
	})
}

// RowsOf reads the listing of what belongs to one object row by row, as Rows does.
func RowsOf[T, K any](ctx context.Context, operation string, list func(ctx context.Context, of K, cursor string) (Page[T], error), of K) iter.Seq2[T, error] {
	return Rows(ctx, operation, func(ctx context.Context, cursor string) (Page[T], error) { return list(ctx, of, cursor) })
}

// All reads a listing to its end, as Rows does, each object once: a reply may come with its comment and again on a later
// page, and pages shift while they are read. A listing that shows the same page under another cursor is an error, too.
func All[T any](ctx context.Context, operation string, id func(T) string, list func(ctx context.Context, cursor string) (Page[T], error)) ([]T, error) {
	shown := map[string]bool{}
	rows, err := rest.Collect(Rows(ctx, operation, func(ctx context.Context, cursor string) (Page[T], error) {
		page, err := list(ctx, cursor)
		if err != nil || len(page.Items) == 0 {
			return page, err
		}
		ids := make([]string, len(page.Items))
		for i, row := range page.Items {
			ids[i] = id(row)
		}
		key := strings.Join(ids, " ")
		if shown[key] {
			return Page[T]{}, &rest.Error{Vendor: vendor, Operation: operation, Class: rest.Retryable, Detail: "the listing repeats the same page"}
		}
		shown[key] = true
		return page, nil
	}))
	if err != nil {
		return nil, err
	}
	return unique(rows, id), nil
}

// unique leaves out the rows whose id came before.
func unique[T any](rows []T, id func(T) string) []T {
	seen := map[string]bool{}
	return slices.DeleteFunc(rows, func(row T) bool {
		known := seen[id(row)]
		seen[id(row)] = true
		return known
	})
}
