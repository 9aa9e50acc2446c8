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

func (it Item) hints(n int) bool { return it.CommentHint != nil && *it.CommentHint == n }
