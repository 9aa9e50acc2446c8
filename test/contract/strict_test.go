package contract

import (
	"net/http"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/framebridge/framebridge/sandbox/faults"
	"github.com/framebridge/framebridge/sandbox/frameiosim"
	"github.com/framebridge/framebridge/workflows"
)

// iconik answers a page beyond the end with a 404, and does not say whether the first page of nothing is one: an asset
// without comments, and a collection without contents, are no deleted ones.
func TestWhatIsEmptyIsNotTakenForDeleted(t *testing.T) {
	t.Parallel()
	empty := func(b *harness, what string) {
		require.NoError(t, b.iconik.AddFault(faults.Fault{Match: "^GET .*/" + what + "/?$", Status: http.StatusNotFound}))
	}
	t.Run("a review's asset", func(t *testing.T) {
		c, ref := openReview(t, "legacy", 1)
		c.frameio.AddComment(frameiosim.Comment{AssetID: c.file, Text: "the first"})
		empty(c.harness, "segments")
		for range 2 {
			require.NoError(t, c.sync(workflows.SyncInput{ReviewRef: ref, Hints: []workflows.Hint{{Asset: c.asset}}}, 0))
		}
		require.Len(t, c.iconik.Segments(c.asset), 1)
	})
	t.Run("an archive's folders", func(t *testing.T) {
		b := open(t, &Checker{}, &Checker{}, "S3", map[string]any{"bucket": "iconik-files", "path": "media"})
		empty(b, "contents")
		before := len(b.iconik.Docs("collections"))
		fin := b.archive(t)
		assert.Equal(t, "verified_with_exceptions", fin.Status, fin.Reason)
		made := len(b.iconik.Docs("collections"))
		require.Greater(t, made, before)
		fin = b.again(t)
		assert.Equal(t, "verified_with_exceptions", fin.Status, fin.Reason)
		assert.False(t, fin.Changed)
		assert.Len(t, b.iconik.Docs("collections"), made)
	})
}
