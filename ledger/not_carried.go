package ledger

import (
	"context"
	"database/sql"
)

// NotCarried is something that an object has in Frame.io and not in iconik.
type NotCarried struct {
	Object string // the Frame.io id of the file, folder, share, … that has it
	Kind   string // attachment, field, markup, author, share setting, collection
	Name   string
	Place  string // the object's path, for people
	Size   *int64 // bytes, or nil if unknown
	Reason string
	URL    string
}

// KindCount is the number of things of a kind that were not carried, failed or differ.
type KindCount struct {
	Kind  string `json:"kind"`
	Count int64  `json:"count"`
}

func scanKindCount(r scanner) (KindCount, error) {
	var k KindCount
	err := r.Scan(&k.Kind, &k.Count)
	return k, err
}

const notCarriedColumns = "object, kind, name, place, size, reason, url"

func scanNotCarried(r scanner) (NotCarried, error) {
	var n NotCarried
	var size sql.NullInt64
	err := r.Scan(&n.Object, &n.Kind, &n.Name, &n.Place, &size, &n.Reason, &n.URL)
	if size.Valid {
		n.Size = &size.Int64
	}
	return n, err
}

// SetNotCarried replaces the record of what one step did not carry of an object. Each part of an object, such as a file's
// fields or comments, has its own record.
func (h ArchiveLedger) SetNotCarried(ctx context.Context, object, part string, rows []NotCarried) error {
	return h.l.tx(ctx, func(tx session) error {
		if _, err := tx.Exec(ctx, "DELETE FROM not_carried WHERE tenant = ? AND archive = ? AND object = ? AND part = ?", h.tenant, h.id, object, part); err != nil {
			return err
		}
		for i, n := range rows {
			if _, err := tx.Exec(ctx, "INSERT INTO not_carried (tenant, archive, object, part, n, kind, name, place, size, reason, url) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
				h.tenant, h.id, object, part, i, n.Kind, n.Name, n.Place, n.Size, n.Reason, n.URL); err != nil {
				return err
			}
		}
		return nil
	})
}

// forgetNotCarried deletes the records of files that Frame.io no longer has.
func forgetNotCarried(ctx context.Context, tx session, tenant, archive string, scan int) error {
	_, err := tx.Exec(ctx, "DELETE FROM not_carried WHERE tenant = ? AND archive = ? AND object IN (SELECT source_id FROM items WHERE tenant = ? AND archive = ? AND scan <> ?)",
		tenant, archive, tenant, archive, scan)
	return err
}

// kindCounts counts the archive's rows in a table by kind.
func (h ArchiveLedger) kindCounts(ctx context.Context, table string) ([]KindCount, error) {
	return collect(ctx, h.l.reads(), scanKindCount, "SELECT kind, COUNT(*) FROM "+table+" WHERE tenant = ? AND archive = ? GROUP BY kind ORDER BY kind", h.tenant, h.id)
}

// ofItems reads a table's rows for the items numbered from..to.
func ofItems[T any](ctx context.Context, h ArchiveLedger, scan func(scanner) (T, error), columns, table string, from, to int64) ([]T, error) {
	return collect(ctx, h.l.reads(), scan, "SELECT "+columns+" FROM "+table+" WHERE tenant = ? AND archive = ? AND object IN (SELECT source_id FROM items WHERE tenant = ? AND archive = ? AND seq BETWEEN ? AND ?) ORDER BY object, part, n",
		h.tenant, h.id, h.tenant, h.id, from, to)
}

// NotCarriedCounts counts what an archive did not carry, by kind.
func (h ArchiveLedger) NotCarriedCounts(ctx context.Context) ([]KindCount, error) {
	return h.kindCounts(ctx, "not_carried")
}

// NotCarried lists up to most things that an archive did not carry, by place.
func (h ArchiveLedger) NotCarried(ctx context.Context, most int) ([]NotCarried, error) {
	return collect(ctx, h.l.reads(), scanNotCarried,
		"SELECT "+notCarriedColumns+" FROM not_carried WHERE tenant = ? AND archive = ? ORDER BY place, object, part, n LIMIT ?", h.tenant, h.id, most)
}

// NotCarriedOf returns what was not carried of the items numbered from..to, by Frame.io id.
func (h ArchiveLedger) NotCarriedOf(ctx context.Context, from, to int64) (map[string][]NotCarried, error) {
	rows, err := ofItems(ctx, h, scanNotCarried, notCarriedColumns, "not_carried", from, to)
	return groupBy(rows, func(n NotCarried) string { return n.Object }), err
}
