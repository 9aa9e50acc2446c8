package contract

import (
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/framebridge/framebridge/sandbox/frameiosim"
	"github.com/framebridge/framebridge/workflows"
)

// An edit that a side refuses, because the account is locked or the user lacks a right, is brought over once it is accepted.
func TestARefusedEditIsBroughtOverLater(t *testing.T) {
	t.Parallel()
	c, ref, fio, ick := pickyReview(t, "v4")
	full := workflows.SyncInput{ReviewRef: ref, Full: true}
	said := c.frameio.AddComment(frameiosim.Comment{AssetID: c.file, Text: "remark 1"})
	c.iconik.Comment(c.asset, c.iconik.ServiceUser(), "remark 2", nil, nil, "", nil)
	require.NoError(t, c.sync(full, 0))
	fio.dislikes("^PATCH .*comments", "", http.StatusForbidden)
	ick.dislikes("^PATCH .*segments", "", http.StatusForbidden)
	c.frameio.Edit(said.ID, func(m *frameiosim.Comment) { m.Text, m.Completed = "remark 3", true })
	for _, g := range c.iconik.Segments(c.asset) {
		if g["segment_text"] == "remark 2" {
			require.NoError(t, c.iconik.EditSegment(c.asset, str(g["id"]), map[string]any{"segment_text": "remark 4", "segment_checked": true}))
		}
	}
	for range 3 {
		require.NoError(t, c.sync(full, 0))
	}
	assert.Len(t, c.row().Notes, 2, c.notes())
	assert.Equal(t, int64(1), fio.calls.Load(), "what is refused is left alone for a while")
	assert.Equal(t, int64(1), ick.calls.Load())
	fio.call, ick.call = nil, nil
	c.laterComments(11 * time.Minute)
	for range 2 {
		require.NoError(t, c.sync(full, 0))
	}
	assert.Empty(t, c.equal(ref))
	assert.ElementsMatch(t, []string{"3", "4"}, remarks(c.texts(c.asset)))
}

// laterComments lets time pass for the ledger's rows of comments.
func (c *chaos) laterComments(by time.Duration) {
	book := c.book.Tenant(tenantID)
	rows, err := book.Review(c.id()).Comments(c.t.Context(), 0)
	require.NoError(c.t, err)
	for _, row := range rows {
		row.UpdatedAt = row.UpdatedAt.Add(-by)
		require.NoError(c.t, book.PutReviewComments(c.t.Context(), row))
	}
}
