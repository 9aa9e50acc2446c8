package ledger

import "context"

// Passes over the items whose comments must be read. Frame.io's count only sets the order; it proves nothing. The last pass
// reads whatever the others left.
const (
	PassCounted = 1 // Frame.io counts comments
	PassUnknown = 2 // it does not say
	PassRest    = 3
)

// passConditions select the items of each pass before the last.
var passConditions = map[int]string{PassCounted: "comment_hint > 0", PassUnknown: "comment_hint IS NULL"} //nolint:gosec // conditions, no credentials

// toReadComments selects the items whose comments this scan has not read yet. It matches the index items_to_read.
const toReadComments = "comment_count <> 0 AND comments_scan <> scan"

func nextPass(pass int) string {
	query := "SELECT seq, version, versions, size FROM items WHERE tenant = ? AND archive = ? AND seq > ? AND " + toReadComments +
		" AND state IN ('copied', 'verified', 'skipped') AND asset_id <> ''"
	if condition := passConditions[pass]; condition != "" {
		query += " AND " + condition
	}
	return query + " ORDER BY seq LIMIT ?"
}

// NextPass returns the next ranges of items whose comments must be read, and their pass. It looks in this pass after a
// number, then in the later ones. A range may also include items of other passes: see Item.Pass.
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

// CountUnread counts the files whose comments were not read because Frame.io counts none.
func (h ArchiveLedger) CountUnread(ctx context.Context) (int64, error) {
	var n int64
	err := h.l.reads().Row(ctx, "SELECT COUNT(*) FROM items WHERE tenant = ? AND archive = ? AND seq > 0 AND comment_count = 0 AND comment_hint = 0", h.tenant, h.id).Scan(&n)
	return n, err
}

// CountKept counts the files that had no comments when they were read before a scan, and have not been read since. It includes files
// that Frame.io counts no comments for if least is 0 (the count is not trusted), and leaves them out if it is 1.
func (h ArchiveLedger) CountKept(ctx context.Context, scan, least int) (n int64, err error) {
	err = h.l.reads().Row(ctx, "SELECT COUNT(*) FROM items WHERE tenant = ? AND archive = ? AND seq > 0 AND comment_count = 0 AND comments_scan > 0 AND comments_scan < ? AND COALESCE(comment_hint, 1) >= ?",
		h.tenant, h.id, scan, least).Scan(&n)
	return n, err
}

// CountsRight reports whether Frame.io has been seen to count existing comments in any of the tenant's archives.
func (h ArchiveLedger) CountsRight(ctx context.Context) (right bool, err error) {
	err = h.l.reads().Row(ctx, "SELECT EXISTS (SELECT 1 FROM items WHERE tenant = ? AND comments_done > 0 AND comment_hint > 0)", h.tenant).Scan(&right)
	return right, err
}

// Pass returns the pass in which the item's comments are read.
func (it Item) Pass() int {
	switch {
	case it.CommentHint == nil:
		return PassUnknown
	case *it.CommentHint > 0:
		return PassCounted
	}
	return PassRest
}

// hintsFirst reports whether Frame.io's count is above 0 and differs from the previous scan's, so that a file that had no
// comments may have one now. An absent count differs from any other.
func hintsFirst(before, now *int) bool {
	return now != nil && *now > 0 && (before == nil || *before != *now)
}

// CountsComments reports whether Frame.io counts the comments of any of the archive's files.
func (h ArchiveLedger) CountsComments(ctx context.Context) (bool, error) {
	var counted bool
	err := h.l.reads().Row(ctx, "SELECT EXISTS (SELECT 1 FROM items WHERE tenant = ? AND archive = ? AND seq > 0 AND comment_hint IS NOT NULL)", h.tenant, h.id).Scan(&counted)
	return counted, err
}

// CountedNone returns up to most files that have comments although Frame.io counts none.
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
