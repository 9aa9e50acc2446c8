package contract

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/framebridge/framebridge/sandbox/frameiosim"
	"github.com/framebridge/framebridge/workflows"
)

// V4 does not count comments: a file that had none when it was copied is read again by an archive that has waited for
// originals since, and by no other.
func TestAFirstCommentWhileTheArchiveWaits(t *testing.T) {
	t.Parallel()
	b := open(t, &Checker{}, &Checker{}, "S3", map[string]any{"bucket": "iconik-files", "path": "media"}, "v4")
	b.archive(t)
	it := b.item(t, "notes.txt")
	require.Zero(t, it.CommentCount)
	b.frameio.AddComment(frameiosim.Comment{AssetID: it.SourceID, Text: "the first"})
	ref := workflows.Ref{Tenant: tenantID, Archive: b.project.ID}
	copyComments := func(again bool) {
		ranges, err := b.acts.Archive.NextRanges(t.Context(), workflows.NextRangesInput{Ref: ref, Phase: workflows.PhaseComments, Size: 100, Max: 50, Again: again})
		require.NoError(t, err)
		for _, r := range ranges {
			_, err := b.acts.Archive.CopyComments(t.Context(), workflows.CommentsInput{
				RangeInput: workflows.RangeInput{Ref: ref, Range: r}, Again: again})
			require.NoError(t, err)
		}
	}
	copyComments(false)
	require.Empty(t, b.iconik.Segments(it.AssetID))
	copyComments(true)
	require.Len(t, b.iconik.Segments(it.AssetID), 1)
	assert.Equal(t, 1, b.item(t, "notes.txt").CommentCount, "and verified with the others")
}
