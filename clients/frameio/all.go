package frameio

import (
	"context"
	"fmt"
	"iter"
	"slices"

	"github.com/framebridge/framebridge/clients/rest"
)

const vendor = "Frame.io"

// Keyed is a row of a listing. Key identifies it.
type Keyed interface{ Key() string }

// Key returns the ID of the file, folder or stack.
func (a Asset) Key() string { return a.ID }

// Key returns the project's ID.
func (p Project) Key() string { return p.ID }

// Key returns the share's ID.
func (s Share) Key() string { return s.ID }

// Key returns the comment's ID.
func (c Comment) Key() string { return c.ID }

// Key returns the collection's ID.
func (c Collection) Key() string { return c.ID }

// Key returns the ID of the asset that is shown.
func (i ShareItem) Key() string { return i.AssetID }

// Rows reads a listing row by row. A listing that does not end or repeats itself yields an error that names the operation.
func Rows[T Keyed](ctx context.Context, operation string, list func(ctx context.Context, cursor string) (Page[T], error)) iter.Seq2[T, error] {
	return rows(ctx, operation, T.Key, list)
}

func rows[T any](ctx context.Context, operation string, id func(T) string, list func(ctx context.Context, cursor string) (Page[T], error)) iter.Seq2[T, error] {
	return rest.Pages(ctx, vendor, operation, id, func(ctx context.Context, cursor string) ([]T, string, error) {
		page, err := list(ctx, cursor)
		return page.Items, page.Next, err
	})
}

// RowsOf is Rows for the listing of what belongs to one object.
func RowsOf[T Keyed, K any](ctx context.Context, operation string, list func(ctx context.Context, of K, cursor string) (Page[T], error), of K) iter.Seq2[T, error] {
	return Rows(ctx, operation, func(ctx context.Context, cursor string) (Page[T], error) { return list(ctx, of, cursor) })
}

// All reads a listing to its end, like Rows, and returns each object once: a reply may come with its comment and again on a
// later page, and pages shift while they are read.
func All[T any](ctx context.Context, operation string, id func(T) string, list func(ctx context.Context, cursor string) (Page[T], error)) ([]T, error) {
	all, err := rest.Collect(rows(ctx, operation, id, list))
	if err != nil {
		return nil, err
	}
	return Unique(all, id), nil
}

// Listing detects that a listing read page by page repeats itself or does not end.
func Listing(operation string) *rest.Listing { return rest.NewListing(vendor, operation) }

// Understood returns an error if Framebridge cannot bring an object over, because it does not know the object's kind or cannot read what
// Frame.io says of it.
func Understood(a Asset) error {
	detail := ""
	switch {
	case a.Unreadable != "":
		detail = fmt.Sprintf("Framebridge cannot read the member %q of %q", a.Unreadable, a.Name)
	case a.Kind == KindFile, a.Kind == KindFolder, a.Kind == KindStack:
		return nil
	default:
		detail = fmt.Sprintf("%q is of the kind %q, which Framebridge does not know", a.Name, a.Kind)
	}
	return &rest.Error{Vendor: vendor, Operation: "list a folder", Class: rest.Unsupported, Detail: detail}
}

// Unique removes the rows whose ID has come before: pages shift while they are read.
func Unique[T any](rows []T, id func(T) string) []T {
	seen := map[string]bool{}
	return slices.DeleteFunc(rows, func(row T) bool {
		known := seen[id(row)]
		seen[id(row)] = true
		return known
	})
}
