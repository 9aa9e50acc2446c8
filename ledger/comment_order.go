package ledger

import "context"

// Passes over the items whose comments are to be read. Frame.io's count sets the order and proves nothing: the last pass
// reads whatever the others have left.
const (
	PassCounted = 1 // Frame.io counts comments
	PassUnknown = 2 // it does not say
	PassRest    = 3
)

// passConditions are those of the passes before the last.
var passConditions = map[int]string{PassCounted: "comment_hint > 0", PassUnknown: "comment_hint IS NULL"} //nolint:gosec // conditions, no credentials

// toReadComments is what has comments that this reading of the tree does not know yet, as the index items_to_read has it.
const toReadComments = "comment_count <> 0 AND comments_scan <> scan"

func nextPass(pass int) string {
	query := "SELECT seq, version, versions, size FROM items WHERE tenant = ? AND archive = ? AND seq > ? AND " + toReadComments +
		" AND state IN ('copied', 'verified', 'skipped') AND asset_id <> ''"
	if condition := passConditions[pass]; condition != "" {
		query += " AND " + condition
	}
	return query + " ORDER BY seq LIMIT ?"
}

// NextPass returns the next ranges of items whose comments are to be read: of this pass after a number, or of the first later
// one that has any. Its items are not the only ones in a range: see CountsComments.
func (h ArchiveLedger) NextPass(ctx context.Context, pass int, after, rest int64, limits RangeLimits) ([]Range, int, error) {
	for pass = max(pass, PassCounted); pass < PassRest; pass++ {
		out, err := h.ranges(ctx, PhaseComments, nextPass(pass), after, limits)
		if err != nil || len(out) > 0 {
			return out, pass, err
		}
		after = 0
	}
	out, err := h.ranges(ctx, PhaseComments, nextPass(PassRest), rest, limits)
	return out, PassRest, err
}

// CountUnread counts the files that Frame.io counts no comments of, and whose comments are not read for that.
func (h ArchiveLedger) CountUnread(ctx context.Context) (int64, error) {
	var n int64
	err := h.l.reads().Row(ctx, "SELECT COUNT(*) FROM items WHERE tenant = ? AND archive = ? AND seq > 0 AND comment_count = 0 AND comment_hint = 0", h.tenant, h.id).Scan(&n)
	return n, err
}

// CountKept counts the files that had no comment when they were read, before a scan, and were not read since. Those of CountUnread count
// where its count is not trusted, least 0, and not where it is, 1.
func (h ArchiveLedger) CountKept(ctx context.Context, scan, least int) (n int64, err error) {
	err = h.l.reads().Row(ctx, "SELECT COUNT(*) FROM items WHERE tenant = ? AND archive = ? AND seq > 0 AND comment_count = 0 AND comments_scan > 0 AND comments_scan < ? AND COALESCE(comment_hint, 1) >= ?",
		h.tenant, h.id, scan, least).Scan(&n)
	return n, err
}

// CountsRight says whether Frame.io was seen to count comments that are there, in any of the tenant's archives.
func (h ArchiveLedger) CountsRight(ctx context.Context) (right bool, err error) {
	err = h.l.reads().Row(ctx, "SELECT EXISTS (SELECT 1 FROM items WHERE tenant = ? AND comments_done > 0 AND comment_hint > 0)", h.tenant).Scan(&right)
	return right, err
}

// Pass is in which pass an item's comments are read.
func (it Item) Pass() int {
	switch {
	case it.CommentHint == nil:
		return PassUnknown
	case *it.CommentHint > 0:
		return PassCounted
	}
	return PassRest
}

// hintsFirst says that a scan's count differs from the one before: a file that was read and had no comment may have one now.
// A count that is absent is another one, too.
func hintsFirst(before, now *int) bool {
	return now != nil && *now > 0 && (before == nil || *before != *now)
}

// CountsComments says whether Frame.io counts the comments of any file at all.
func (h ArchiveLedger) CountsComments(ctx context.Context) (bool, error) {
	var counted bool
	err := h.l.reads().Row(ctx, "SELECT EXISTS (SELECT 1 FROM items WHERE tenant = ? AND archive = ? AND seq > 0 AND comment_hint IS NOT NULL)", h.tenant, h.id).Scan(&counted)
	return counted, err
}

// CountedNone returns files of which comments were read and Frame.io counts none, up to a number.
func (h ArchiveLedger) CountedNone(ctx context.Context, most int) (ids []string, err error) {
	rows, err := h.l.reads().Query(ctx, "SELECT source_id FROM items WHERE tenant = ? AND archive = ? AND seq > 0 AND comments_scan > 0 AND comment_count > 0 AND COALESCE(comment_hint, 0) = 0 ORDER BY seq LIMIT ?",
		h.tenant, h.id, most)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	for rows.Next() {
		var id string
		if err := rows.Scan(&id); err != nil {
			return nil, err
		}
		ids = append(ids, id)
	}
	return ids, rows.Err()
}
