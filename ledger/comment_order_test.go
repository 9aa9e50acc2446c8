package ledger

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func count(n int) *int { return &n }

// What Frame.io counts comments of is read first, then what it says nothing of, then the rest; what was read is not read again.
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
	read := Item{SourceID: "x", State: Copied, CommentHint: count(0)}
	seen := Item{CommentCount: CommentsAsBefore, CommentHint: count(1)}
	assert.Equal(t, CommentsUnknown, merged(read, seen).CommentCount)
	seen.CommentHint = count(0)
	assert.Equal(t, 0, merged(read, seen).CommentCount)
	read.CommentHint, seen.CommentHint = count(5), count(5) // it was wrong when they were read, too
	assert.Equal(t, 0, merged(read, seen).CommentCount)
	read.CommentHint, seen.CommentHint = nil, count(5)
	assert.Equal(t, 0, merged(read, seen).CommentCount)
}
