package ledger

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func count(n int) *int { return &n }

// Files with a comment count are read first, then those without a count, then the rest. Nothing is read twice.
func TestCommentsAreReadInTheOrderOfTheirCounts(t *testing.T) {
	each(t, func(t *testing.T, l *Ledger, tenant string) {
		var items []Item
		for n := range 9 {
			hint := [3]*int{count(0), nil, count(2)}[n%3]
			items = append(items, Item{SourceID: fmt.Sprintf("f%d", n), AssetKey: fmt.Sprintf("f%d", n), Version: 1, Versions: 1, Path: fmt.Sprint(n), State: Copied, AssetID: "asset", CommentCount: CommentsUnknown, CommentHint: hint})
		}
		fill(t, l, tenant, items)
		h := l.Tenant(tenant).Archive(project)
		var got []string
		pass, passed, rest := 0, int64(0), int64(0)
		for {
			ranges, now, err := h.NextPass(t.Context(), pass, passed, rest, RangeLimits{Items: 1, Most: 2})
			require.NoError(t, err)
			if len(ranges) == 0 {
				break
			}
			for _, r := range ranges {
				got = append(got, fmt.Sprintf("%d: %d", now, r.From))
				it, err := h.Items(t.Context(), r.From, r.To)
				require.NoError(t, err)
				if now == PassRest || it[0].Pass() == now {
					_, err = h.UpdateItem(t.Context(), it[0].SourceID, func(i *Item) { i.CommentsScan, i.CommentCount = i.Scan, 1 })
					require.NoError(t, err)
				}
				if now == PassRest {
					rest = r.To
				} else {
					passed = r.To
				}
			}
			pass = now
		}
		assert.Equal(t, []string{"1: 3", "1: 6", "1: 9", "2: 2", "2: 5", "2: 8", "3: 1", "3: 4", "3: 7"}, got)
	})
}

func TestACountThatComesLaterHasCommentsReadAgain(t *testing.T) {
	read := Item{SourceID: "x", State: Copied, CommentHint: count(0), CommentsScan: 1}
	seen := Item{CommentCount: CommentsAsBefore, CommentHint: count(1)}
	assert.Equal(t, CommentsUnknown, merged(read, seen).CommentCount)
	seen.CommentHint = count(0)
	assert.Equal(t, 0, merged(read, seen).CommentCount)
	read.CommentHint, seen.CommentHint = count(5), count(5) // it was also wrong when they were read
	assert.Equal(t, 0, merged(read, seen).CommentCount)
	read.CommentHint, seen.CommentHint = count(3), count(4) // of comments that are not listed, and one more
	assert.Equal(t, CommentsUnknown, merged(read, seen).CommentCount)
	read.CommentHint, seen.CommentHint = nil, count(1) // Frame.io may leave out a count of 0
	assert.Equal(t, CommentsUnknown, merged(read, seen).CommentCount)
	read.CommentHint, seen.CommentHint = count(1), nil
	assert.Equal(t, 0, merged(read, seen).CommentCount)
	read.CommentsScan = 0
	assert.Equal(t, CommentsUnknown, merged(read, seen).CommentCount, "its count was trusted, and they were never read")
}

func TestOnlyWhatHadNoneAndCountsNoneIsKept(t *testing.T) {
	for _, c := range []struct {
		old  Item
		hint *int
		want int
	}{
		{Item{CommentsScan: 1}, count(0), 0},
		{Item{CommentsScan: 1}, nil, 0},
		{Item{CommentsScan: 1, CommentHint: count(1)}, count(1), CommentsUnknown},
		{Item{CommentsScan: 1, CommentHint: count(2)}, count(1), CommentsUnknown},
		{Item{}, count(0), CommentsUnknown},
		{Item{CommentsScan: 1, HadComments: true}, count(0), CommentsUnknown},
		{Item{CommentsScan: 1, CommentCount: 3}, count(0), CommentsUnknown},
		{Item{CommentsScan: 1, CommentCount: CommentsUnknown}, count(0), CommentsUnknown},
	} {
		seen := Item{CommentCount: CommentsIfAnyBefore, CommentHint: c.hint}
		once := merged(c.old, seen)
		assert.Equal(t, []int{c.want, c.want}, []int{once.CommentCount, merged(once, seen).CommentCount}, "%+v", c)
	}
}

// No more comments are done than there are. Those deleted in Frame.io are no longer read, but still looked for in iconik.
func TestDeletedCommentsAreNotDone(t *testing.T) {
	before := Item{CommentCount: 2, CommentsDone: 2, CommentsSeen: 2, CommentsScan: 1}
	none := merged(before, Item{CommentCount: 0})
	assert.Equal(t, []any{0, 0, true}, []any{none.CommentCount, none.CommentsDone, none.HadComments})
	unknown := merged(before, Item{CommentCount: CommentsUnknown})
	assert.Equal(t, []any{CommentsUnknown, 2}, []any{unknown.CommentCount, unknown.CommentsDone}, "it is read again")
}
