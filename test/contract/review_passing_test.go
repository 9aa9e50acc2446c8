package contract

import (
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/framebridge/framebridge/ledger"
	"github.com/framebridge/framebridge/sandbox/faults"
	"github.com/framebridge/framebridge/workflows"
)

// What Frame.io briefly does not find does not count as gone: the file is deleted, the link is switched off, and what is sent again
// comes under the same link.
func TestAPassing404IsNoDeletion(t *testing.T) {
	t.Parallel()
	missing := func(c *chaos, call string) {
		require.NoError(t, c.frameio.AddFault(faults.Fault{Match: call, Times: 1, Status: http.StatusNotFound}))
	}
	patiently := func(do func() error) {
		err := do()
		for range 3 {
			if err != nil {
				err = do()
			}
		}
		require.NoError(t, err)
	}
	t.Run("deleting the file", func(t *testing.T) {
		c, ref := openReview(t, "v4", 0)
		folder := c.frameio.AddFolder(c.root, "the review's")
		c.frameio.MoveAsset(c.file, folder.ID)
		c.update(func(r *ledger.Review) { r.FolderID = folder.ID })
		missing(c, "^DELETE .*files")
		patiently(func() error { return c.acts.Review.DeleteMedia(t.Context(), ref) })
		assert.Len(t, c.frameio.AssetsOf(c.row().ProjectID), 1, "only the project's root is left")
	})
	t.Run("switching the link off", func(t *testing.T) {
		c, ref := openReview(t, "v4", 0)
		missing(c, "^PATCH .*shares")
		patiently(func() error {
			_, err := c.acts.Review.RevokeLink(t.Context(), workflows.EndReviewInput{ReviewRef: ref, Status: "expired"})
			return err
		})
		assert.True(t, c.shares()[0].Inactive)
	})
	t.Run("sending again", func(t *testing.T) {
		c, ref := openReview(t, "v4", 0)
		c.knowsItsLink()
		c.update(func(r *ledger.Review) { r.OpenedAt, r.ShareURL = time.Now(), "https://f.io/x" })
		patiently(func() error { _, err := c.acts.Review.ShareReview(t.Context(), ref); return err })
		link := c.row().ShareID
		missing(c, "^GET .*shares/[^/]+$")
		patiently(func() error { _, err := c.acts.Review.ShareReview(t.Context(), ref); return err })
		assert.Equal(t, link, c.row().ShareID)
		assert.Len(t, c.shares(), 1)
		assert.Len(t, c.frameio.Mails(), 1)
	})
}
