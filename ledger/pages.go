package ledger

import (
	"context"
	"iter"
)

// pageRows is the page size of listings that read to the end.
const pageRows = 500

// rowsOf iterates over a listing. page returns the rows after a cursor, which is zero for the first page, and the next
// cursor, which is zero after the last page. No query is open while the caller has a row, so the caller may write.
func rowsOf[T any, K comparable](page func(after K) (rows []T, next K, err error)) iter.Seq2[T, error] {
	return func(yield func(T, error) bool) {
		var none T
		var start, after K
		for {
			rows, next, err := page(after)
			if err != nil {
				yield(none, err)
				return
			}
			for _, r := range rows {
				if !yield(r, nil) {
					return
				}
			}
			if next == start {
				return
			}
			after = next
		}
	}
}

// AllArchives iterates over the tenant's archives.
func (h TenantLedger) AllArchives(ctx context.Context) iter.Seq2[Archive, error] {
	return rowsOf(func(after string) ([]Archive, string, error) { return h.Archives(ctx, after, pageRows) })
}

// AllReviews iterates over the tenant's reviews.
func (h TenantLedger) AllReviews(ctx context.Context) iter.Seq2[Review, error] {
	return rowsOf(func(after string) ([]Review, string, error) { return h.Reviews(ctx, after, pageRows) })
}

// AllFolders iterates over an archive's folders, parents before children.
func (h ArchiveLedger) AllFolders(ctx context.Context) iter.Seq2[Folder, error] {
	return rowsOf(func(after string) ([]Folder, string, error) { return h.Folders(ctx, after, pageRows) })
}

// AllItems iterates over an archive's items in order.
func (h ArchiveLedger) AllItems(ctx context.Context) iter.Seq2[Item, error] {
	return rowsOf(func(after int64) ([]Item, int64, error) { return h.ItemsPage(ctx, after, pageRows) })
}

// EveryItem iterates over an archive's items by Frame.io id, including those that Frame.io no longer has.
func (h ArchiveLedger) EveryItem(ctx context.Context) iter.Seq2[Item, error] {
	return rowsOf(func(after string) ([]Item, string, error) {
		items, err := collect(ctx, h.l.reads(), h.l.reads().scanItem(h.tenant), "SELECT seq, data FROM items WHERE tenant = ? AND archive = ? AND source_id > ? ORDER BY source_id LIMIT ?", h.tenant, h.id, after, pageRows)
		if err != nil || len(items) < pageRows {
			return items, "", err
		}
		return items, items[len(items)-1].SourceID, nil
	})
}

// AllMigrations iterates over the tenant's migrations.
func (h TenantLedger) AllMigrations(ctx context.Context) iter.Seq2[Migration, error] {
	return rowsOf(func(after string) ([]Migration, string, error) { return h.Migrations(ctx, after, pageRows) })
}

// ItemsOf iterates over the ranges of items that a phase has work for. They may include items that it has none for, such as other versions.
func (h ArchiveLedger) ItemsOf(ctx context.Context, phase Phase) iter.Seq2[Item, error] {
	ranges := rowsOf(func(after int64) ([]Range, int64, error) {
		ranges, err := h.NextRanges(ctx, phase, after, RangeLimits{Items: 200, Most: 10})
		if err != nil || len(ranges) == 0 {
			return nil, 0, err
		}
		return ranges, ranges[len(ranges)-1].To, nil
	})
	return func(yield func(Item, error) bool) {
		for r, err := range ranges {
			var items []Item
			if err == nil {
				items, err = h.Items(ctx, r.From, r.To)
			}
			if err != nil {
				yield(Item{}, err)
				return
			}
			for _, it := range items {
				if !yield(it, nil) {
					return
				}
			}
		}
	}
}

// AllLinks iterates over an archive's links of one kind.
func (h ArchiveLedger) AllLinks(ctx context.Context, kind LinkKind) iter.Seq2[Link, error] {
	return rowsOf(func(after string) ([]Link, string, error) { return h.Links(ctx, kind, after, pageRows) })
}

// AllLinks iterates over a review's links of one kind.
func (h ReviewLedger) AllLinks(ctx context.Context, kind LinkKind) iter.Seq2[Link, error] {
	return ArchiveLedger(h).AllLinks(ctx, kind)
}

// AllFailures iterates over an archive's failures other than files, by kind.
func (h ArchiveLedger) AllFailures(ctx context.Context) iter.Seq2[Failure, error] {
	return rowsOf(func(after string) ([]Failure, string, error) { return h.Failures(ctx, after, pageRows) })
}
