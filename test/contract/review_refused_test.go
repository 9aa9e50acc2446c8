package contract

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/framebridge/framebridge/activities/attempt"
	"github.com/framebridge/framebridge/ledger"
	"github.com/framebridge/framebridge/sandbox/faults"
	"github.com/framebridge/framebridge/sandbox/frameiosim"
	"github.com/framebridge/framebridge/sandbox/samples"
	"github.com/framebridge/framebridge/workflows"
)

// A file that Frame.io does not delete keeps no other, and is told with its reason; it goes as soon as Frame.io lets it.
func TestOneFileThatStaysKeepsNoOther(t *testing.T) {
	t.Parallel()
	for _, generation := range played() {
		for _, status := range []int{403, 409, 422, 423} {
			t.Run(fmt.Sprint(generation, "/", status), func(t *testing.T) {
				c, ref, fio, _ := pickyReview(t, generation)
				c.addFile("Other.mov")
				fio.dislikes("^DELETE .*"+c.file, "", status)
				require.ErrorContains(t, c.acts.Review.DeleteMedia(t.Context(), ref), `Frame.io does not delete 1 file ("Take.mov")`)
				assert.Equal(t, ledger.AssetReady, c.rows()[0].State)
				assert.Equal(t, ledger.AssetDeleted, c.rows()[1].State)
				assert.Contains(t, c.row().Reason, "not this one")
				assert.NotEqual(t, ledger.ReviewDeleted, c.row().Status)
				fio.call = nil
				require.NoError(t, c.acts.Review.DeleteMedia(t.Context(), ref))
				assert.Equal(t, ledger.ReviewDeleted, c.row().Status)
				assert.Empty(t, c.row().Reason)
			})
		}
	}
}

// A link that Frame.io does not switch off is deleted; where that is refused, too, people are told, and the end goes on.
func TestALinkThatStaysOnIsTold(t *testing.T) {
	t.Parallel()
	for _, deletable := range []bool{true, false} {
		c, ref, fio, _ := pickyReview(t, "v4")
		fio.dislikes("^PATCH .*shares", "", http.StatusForbidden)
		if !deletable {
			fio.dislikes("^(PATCH|DELETE) .*shares", "", http.StatusForbidden)
		}
		out, err := c.acts.Review.RevokeLink(t.Context(), workflows.EndReviewInput{ReviewRef: ref, Status: "stopped"})
		require.NoError(t, err)
		assert.False(t, out.DeleteAt.IsZero())
		assert.Equal(t, ledger.ReviewStopped, c.row().Status)
		assert.Equal(t, !deletable, strings.Contains(c.notes(), "refuses to switch the review link off"), c.notes())
		assert.Equal(t, deletable, len(c.shares()) == 0)
		require.NoError(t, c.acts.Review.DeleteMedia(t.Context(), ref))
		assert.Equal(t, ledger.AssetDeleted, c.rows()[0].State)
	}
}

// Somebody whom Frame.io does not invite costs the others nothing; where it invites nobody, the review fails.
func TestOneAddressThatIsRefusedCostsNoOther(t *testing.T) {
	t.Parallel()
	for _, generation := range played() {
		t.Run(generation, func(t *testing.T) {
			c, ref, fio, _ := pickyReview(t, generation)
			c.update(func(r *ledger.Review) {
				r.Status, r.Reviewers = ledger.ReviewSending, []string{"rita@client.example", "bad@client.example", "sam@client.example"}
			})
			fio.dislikes("^POST .*reviewers", "bad@", http.StatusUnprocessableEntity)
			tenantOf(c).Review.Watermark = "off"
			for range 2 {
				_, err := c.acts.Review.ShareReview(t.Context(), ref)
				require.NoError(t, err)
			}
			var told []string
			for _, m := range c.frameio.Mails() {
				told = append(told, m.To)
			}
			assert.ElementsMatch(t, []string{"rita@client.example", "sam@client.example"}, told)
			require.Len(t, c.row().Notes, 1, c.notes())
			assert.Contains(t, c.notes(), "refused to invite bad@client.example")
			c.update(func(r *ledger.Review) { r.Reviewers = []string{"bad@client.example"}; r.Relinks++ })
			_, err := c.acts.Review.ShareReview(t.Context(), ref)
			require.ErrorContains(t, err, "not this one")
		})
	}
}

// Where sending took longer than the review was to last, nobody is invited to a link that is off.
func TestAReviewThatExpiredWhileItWasSent(t *testing.T) {
	t.Parallel()
	c, ref := toShare(t, "v4", "Take")
	c.update(func(r *ledger.Review) { r.ExpiresAt = time.Now().Add(-time.Minute) })
	_, err := c.acts.Review.ShareReview(t.Context(), ref)
	require.ErrorContains(t, err, "before everything was sent")
	assert.Empty(t, c.frameio.Mails())
	assert.Empty(t, c.shares())

	c, ref = openReview(t, "v4", 0)
	c.knowsItsLink()
	_, other := c.addFile("Other.mov")
	c.update(func(r *ledger.Review) {
		r.ExpiresAt, r.OpenedAt = time.Now().Add(-time.Minute), time.Now().Add(-time.Hour)
	})
	_, err = c.acts.Review.ShareReview(t.Context(), ref)
	require.NoError(t, err)
	assert.Empty(t, c.frameio.Mails())
	assert.Contains(t, c.notes(), "before rita@client.example could be invited")
	assert.Contains(t, c.shares()[0].Items, other, "an extension shows it")
}

// That a comment is done is not worth the comment.
func TestARefusedMarkCostsNoComment(t *testing.T) {
	t.Parallel()
	c, ref, fio, _ := pickyReview(t, "legacy")
	fio.dislikes("complete$", "", http.StatusForbidden)
	for n := range 4 {
		c.iconik.Comment(c.asset, c.iconik.ServiceUser(), fmt.Sprint("remark ", n), nil, nil, "", nil)
	}
	require.NoError(t, c.iconik.EditSegment(c.asset, c.segmentIDs()[0], map[string]any{"segment_checked": true}))
	require.NoError(t, c.sync(workflows.SyncInput{ReviewRef: ref, Full: true}, 0))
	assert.Len(t, c.frameioIDs(), 4)
	assert.Contains(t, c.notes(), "Frame.io rejected a change")
}

// What is sent to an open review and cannot be shared does not end it for those who look at it.
func TestAnOpenReviewOutlivesWhatCannotBeAdded(t *testing.T) {
	t.Parallel()
	for _, generation := range played() {
		t.Run(generation, func(t *testing.T) {
			c, ref, fio, _ := pickyReview(t, generation)
			tenantOf(c).Review.Watermark = "off"
			c.knowsItsLink()
			c.update(func(r *ledger.Review) { r.OpenedAt, r.ShareURL = time.Now(), "https://f.io/x" })
			c.addFile("Other.mov")
			fio.dislikes("^(POST|PUT) .*/assets$", "", http.StatusUnprocessableEntity)
			out, err := c.acts.Review.ShareReview(t.Context(), ref)
			require.NoError(t, err)
			assert.Equal(t, "https://f.io/x", out.URL)
			require.NoError(t, c.acts.Review.PublishReview(t.Context(), ref))
			assert.Equal(t, ledger.ReviewOpen, c.row().Status)
			assert.Contains(t, c.notes(), "Not all of what was sent again could be shared")
			for _, s := range c.shares() {
				assert.False(t, s.Inactive)
			}
		})
	}
}

// An open review whose link somebody has deleted, and which gets no new one, keeps its comments equal; the next send makes one.
func TestAnOpenReviewWithoutALinkIsSyncedOn(t *testing.T) {
	t.Parallel()
	for _, generation := range played() {
		t.Run(generation, func(t *testing.T) {
			c, ref, fio, _ := pickyReview(t, generation)
			tenantOf(c).Review.Watermark = "off"
			c.knowsItsLink()
			c.update(func(r *ledger.Review) {
				r.OpenedAt, r.ShareURL, r.LinkAbsentSince = time.Now(), "https://f.io/x", time.Now().Add(-time.Minute)
			})
			c.frameio.EditShare(c.row().ShareID, func(s *frameiosim.Share) { now := time.Now(); s.Deleted = &now })
			fio.dislikes("^POST .*(shares|review_links)$", "", http.StatusUnprocessableEntity)
			_, err := c.acts.Review.ShareReview(t.Context(), ref)
			require.NoError(t, err)
			require.NoError(t, c.acts.Review.PublishReview(t.Context(), ref))
			tried := fio.calls.Load()
			require.Positive(t, tried)
			c.frameio.AddComment(frameiosim.Comment{AssetID: c.file, Text: "remark 1"})
			for range 2 {
				require.NoError(t, c.sync(workflows.SyncInput{ReviewRef: ref, Full: true}, 0))
			}
			assert.Len(t, c.segmentIDs(), 1)
			assert.Equal(t, tried, fio.calls.Load(), "nobody has sent anything again")
			fio.call = nil
			require.NoError(t, c.sync(workflows.SyncInput{ReviewRef: ref, Full: true}, 0))
			assert.Len(t, c.row().Notes, 1, c.notes())
			out, err := c.acts.Review.ShareReview(t.Context(), ref)
			require.NoError(t, err)
			assert.NotEmpty(t, out.URL)
		})
	}
}

// A version that cannot be put on top of the one before is shown beside it.
func TestAVersionThatCannotBeStackedIsShownBesideTheOther(t *testing.T) {
	t.Parallel()
	c, ref, fio, _ := pickyReview(t, "v4")
	_, second := c.addFile("Take 2.mov")
	_, err := c.book.Tenant(tenantID).Review(reviewID).UpdateAsset(t.Context(), 2, func(row *ledger.ReviewAsset) {
		row.AssetID, row.State = c.asset, ledger.AssetProcessing
	})
	require.NoError(t, err)
	c.knowsItsLink()
	c.update(func(r *ledger.Review) { r.FolderID = c.root })
	fio.dislikes("^POST .*version_stacks", "", http.StatusUnprocessableEntity)
	require.NoError(t, c.acts.Review.SettleAsset(t.Context(), workflows.AssetInput{ReviewRef: ref, N: 2}))
	assert.Equal(t, ledger.AssetReady, c.rows()[1].State)
	assert.Contains(t, c.notes(), "one beside the other")
	_, err = c.acts.Review.ShareReview(t.Context(), ref)
	require.NoError(t, err)
	assert.ElementsMatch(t, []string{c.file, second}, c.shares()[0].Items)
}

// An asset whose comments iconik does not show costs the others nothing.
func TestOneAssetWithoutItsCommentsCostsNoOther(t *testing.T) {
	t.Parallel()
	c, _, _, ick := pickyReview(t, "v4")
	other, err := c.iconik.AddAsset("Other.mov", "", samples.Media("25.mov"))
	require.NoError(t, err)
	hidden, err := c.iconik.AddAsset("Hidden.mov", "", samples.Media("25.mov"))
	require.NoError(t, err)
	c.update(func(r *ledger.Review) { r.Status = ledger.ReviewStopped })
	const id = "bbbbbbbb-bbbb-4ccc-8ddd-eeeeeeeeeeee"
	_, _, err = c.book.RequestReview(t.Context(), ledger.Review{Tenant: tenantID, ID: id, Click: id, Status: ledger.ReviewSending, Quality: "original", Reviewers: []string{"rita@client.example"},
		ClickedAssets: []string{hidden, other}, ExpiresAt: time.Now().Add(time.Hour), CreatedAt: time.Now(), ClickedAt: time.Now()}, time.Second)
	require.NoError(t, err)
	ick.dislikes("/assets/"+hidden+"/segments", "", http.StatusForbidden)
	ref := workflows.ReviewRef{Tenant: tenantID, Review: id}
	_, err = c.acts.Review.PrepareReview(t.Context(), ref)
	require.NoError(t, err)
	for n := range 2 {
		require.NoError(t, c.acts.Review.StageAsset(t.Context(), workflows.AssetInput{ReviewRef: ref, N: n + 1}))
	}
	row, _, err := c.book.Tenant(tenantID).Review(id).Get(t.Context())
	require.NoError(t, err)
	require.Len(t, row.Notes, 1)
	assert.Contains(t, row.Notes[0], `read the comments of "Hidden.mov"`)
}

// A version that somebody has put on top in Frame.io is told once: what is said about it stays there.
func TestAVersionPutOnTopByHandIsTold(t *testing.T) {
	t.Parallel()
	for _, generation := range played() {
		t.Run(generation, func(t *testing.T) {
			c, ref := openReview(t, generation, 0)
			full := workflows.SyncInput{ReviewRef: ref, Full: true}
			c.update(func(r *ledger.Review) { r.FolderID = c.root })
			require.NoError(t, c.sync(full, 0))
			require.Empty(t, c.notes())
			hand, err := c.frameio.AddFile(c.root, frameiosim.File{Name: "Take 2.mov", Type: "video/quicktime", Body: samples.Media("25.mov"), FPS: 25, Frames: 250})
			require.NoError(t, err)
			require.NotNil(t, c.frameio.Stack(c.file, hand.ID))
			for range 2 {
				require.NoError(t, c.sync(full, 0))
			}
			require.Len(t, c.row().Notes, 1, c.notes())
			assert.Contains(t, c.notes(), "another version on top")
		})
	}
}

// What was uploaded of an asset that is left out, and that Frame.io does not delete, does not end the review.
func TestALeftoverOfAFailedAssetIsNamed(t *testing.T) {
	t.Parallel()
	c, ref, fio, _ := pickyReview(t, "v4")
	_, file := c.addFile("Other.mov")
	fio.dislikes("^DELETE .*"+file, "", http.StatusForbidden)
	require.NoError(t, c.acts.Review.FailAsset(t.Context(), workflows.AssetInput{ReviewRef: ref, N: 2, Reason: "it is broken"}))
	assert.Equal(t, ledger.AssetFailed, c.rows()[1].State)
	assert.Equal(t, file, c.rows()[1].FileID, "it is deleted with the others")
	assert.Contains(t, c.notes(), `does not delete what was uploaded of "Other.mov"`)
}

// longAgo is an attempt of an activity that was scheduled hours ago.
type longAgo struct{ attempt.Attempt }

func (longAgo) Scheduled() time.Time { return time.Now().Add(-2 * time.Hour) }

// Where Frame.io shows nothing of the project any more, files only seem to be deleted, and people are told so.
func TestADeletionThatCannotBeSeenIsToldAsThat(t *testing.T) {
	t.Parallel()
	c, ref, fio, _ := pickyReview(t, "v4")
	ctx := attempt.With(t.Context(), longAgo{attempt.Of(t.Context())})
	fio.dislikes("/(projects|files|shares|folders)/", "", http.StatusNotFound)
	require.NoError(t, c.acts.Review.DeleteMedia(ctx, ref))
	assert.Contains(t, c.notes(), "whether its files are deleted cannot be seen")
	assert.Len(t, c.frameio.AssetsOf(c.row().ProjectID), 2, "they are not")
}

// A file that is locked at its time goes once Frame.io lets it, and the review ends as any other.
func TestALockedFileIsDeletedLater(t *testing.T) {
	t.Parallel()
	b := open(t, &Checker{}, &Checker{}, "S3", map[string]any{"bucket": "iconik-files"}, "v4")
	asset, err := b.iconik.AddAsset("Take.mov", "", samples.Media("25.mov"))
	require.NoError(t, err)
	ref := b.request(t, 10*time.Minute, asset)
	row := func() ledger.Review {
		row, _, err := b.book.Tenant(tenantID).Review(reviewID).Get(t.Context())
		assert.NoError(t, err)
		return row
	}
	_, err = b.book.Tenant(tenantID).Review(reviewID).Update(t.Context(), func(r *ledger.Review) { r.RequestedBy = ledger.Person{} })
	require.NoError(t, err)
	b.frameio.SetWatermark(true)
	reason := ""
	require.NoError(t, b.frameio.AddFault(faults.Fault{Match: "^DELETE .*files", Times: 5, Status: http.StatusLocked, Do: func() { reason = row().Reason }}))
	env := b.skippingTime()
	env.ExecuteWorkflow(workflows.Review, workflows.ReviewInput{ReviewRef: ref})
	require.True(t, env.IsWorkflowCompleted())
	require.NoError(t, env.GetWorkflowError())
	assert.Contains(t, reason, "does not delete 1 file")
	assert.Equal(t, ledger.ReviewDeleted, row().Status)
	assert.Empty(t, row().Reason)
	assert.Empty(t, b.frameio.AssetsOf(row().ProjectID)[1:], "only the project's root is left")
}
