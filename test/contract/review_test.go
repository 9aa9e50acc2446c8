package contract

import (
	"context"
	"fmt"
	"net/http"
	"os"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/framebridge/framebridge/ledger"
	"github.com/framebridge/framebridge/sandbox/faults"
	"github.com/framebridge/framebridge/sandbox/frameiosim"
	"github.com/framebridge/framebridge/sandbox/iconiksim"
	"github.com/framebridge/framebridge/sandbox/samples"
	"github.com/framebridge/framebridge/workflows"
)

const reviewID = "aaaaaaaa-bbbb-4ccc-8ddd-eeeeeeeeeeee"

// Where the legacy document, rebuilt from a generated client, says less than clients see.
var legacyReviewKnown = append([]string{
	"DELETE /v2/assets/{asset_id}: answer: /label: value is not one of",
	"DELETE /v2/assets/{asset_id}: answer: /metadata: value must be a string",
	"GET /v2/review_links/{review_link_id}/items/shared: answer: /N/asset/metadata: value must be a string",
	// An asset, with its upload URLs or as a stack.
	"POST /v2/assets/{asset_id}/children: answer: /label: value is not one of",
	"POST /v2/review_links/{review_link_id}/reviewers: answer: ", // a list of items that is documented by mistake
	"POST /v2/review_links/{review_link_id}/assets: answer: ",
}, legacyKnown...)

// TestAReviewKeepsToTheVendorsDocuments runs a review from the click to the deletion a month later, in skipped time, and
// holds every call and answer against the vendors' documents.
func TestAReviewKeepsToTheVendorsDocuments(t *testing.T) {
	t.Parallel()
	dir := specs(t)
	for generation, known := range generations {
		t.Run(generation, func(t *testing.T) { reviewInSkippedTime(t, dir, generation, known) })
	}
}

func reviewInSkippedTime(t *testing.T, dir, generation string, known []string) {
	ick, err := Iconik(dir)
	require.NoError(t, err)
	fio, err := Frameio(dir, generation)
	require.NoError(t, err)
	ick.Known, fio.Known = append([]string{
		// Lists of one type and single segments share a place in the document's paths.
		"PATCH /API/assets/v1/assets/{id}/segments/{id}/: request: method not allowed",
		"DELETE /API/assets/v1/assets/{id}/segments/{id}/: request: method not allowed",
	}, iconikKnown...), known
	b := open(t, ick, fio, "S3", map[string]any{"bucket": "iconik-files"}, generation)
	b.frameio.SetWatermark(true)
	asset, err := b.iconik.AddAsset("Take 1.mov", "", samples.Media("25.mov"))
	require.NoError(t, err)
	ref := b.request(t, 10*time.Minute, asset)

	env := b.skippingTime()
	file := func() string {
		rows, err := b.book.Tenant(tenantID).Review(reviewID).Assets(context.Background())
		if err != nil || len(rows) == 0 {
			return ""
		}
		return rows[0].FileID
	}
	var comment *frameiosim.Comment
	one := int64(10)
	env.RegisterDelayedCallback(func() {
		comment = b.frameio.AddComment(frameiosim.Comment{AssetID: file(), Text: "from Frame.io", Timestamp: &one, Annotation: `[{"tool":"line","color":"#E74A3C","size":3,"x1":0.25,"y1":0,"x2":1,"y2":1}]`})
		b.frameio.AddComment(frameiosim.Comment{AssetID: file(), ParentID: comment.ID, Text: "a reply"})
		ms := int64(1000)
		b.iconik.Comment(asset, b.iconik.ServiceUser(), "from iconik", &ms, &ms, "", nil)
		b.frameio.Label(file(), "needs_review")
	}, 3*time.Minute)
	env.RegisterDelayedCallback(func() {
		assert.Len(t, b.frameio.CommentsOf(file()), 3)
		require.Len(t, b.iconik.Segments(asset), 3)
		b.frameio.Edit(comment.ID, func(c *frameiosim.Comment) { c.Text, c.Completed = "edited", true })
		for _, g := range b.iconik.Segments(asset) {
			if g["segment_text"] == "from iconik" {
				assert.NoError(t, b.iconik.EditSegment(asset, fmt.Sprint(g["id"]), map[string]any{"segment_text": "edited in iconik", "segment_checked": true}))
			}
		}
	}, 5*time.Minute)
	env.RegisterDelayedCallback(func() {
		var texts []string
		for _, c := range b.frameio.CommentsOf(file()) {
			texts = append(texts, c.Text)
		}
		assert.Contains(t, strings.Join(texts, "|"), "edited in iconik")
		b.frameio.Unsay(comment.ID)
		assert.Equal(t, "NOT_APPROVED", b.iconik.Approval(asset))
		b.iconik.Decide(asset, b.iconik.AddUser("ed@post.example", "Ed", "Itor"), "APPROVED")
	}, 7*time.Minute)
	env.ExecuteWorkflow(workflows.Review, workflows.ReviewInput{ReviewRef: ref})
	require.True(t, env.IsWorkflowCompleted())
	require.NoError(t, env.GetWorkflowError())
	assert.Len(t, b.iconik.Segments(asset), 1, "the deleted thread is gone in iconik, too")
	row, _, err := b.book.Tenant(tenantID).Review(reviewID).Get(t.Context())
	require.NoError(t, err)
	assert.Equal(t, ledger.ReviewDeleted, row.Status, row.Reason)
	assert.Equal(t, "approved", b.iconik.Values("assets", asset)["framebridge_decision"], "as it was decided last, in iconik")
	assert.Empty(t, b.frameio.AssetsOf(row.ProjectID)[1:], "only the project's root is left")
	assert.Empty(t, strings.Join(ick.Problems(), "\n"))
	assert.Empty(t, strings.Join(fio.Problems(), "\n"))
	t.Logf("operations: iconik %d, Frame.io %d", len(ick.Seen()), len(fio.Seen()))
}

// TestACancelledReviewKeepsItsMedia: whoever cancels an open review in Temporal's UI switches its link off, and deletes
// nothing before its time.
func TestACancelledReviewKeepsItsMedia(t *testing.T) {
	t.Parallel()
	dir := specs(t)
	ick, err := Iconik(dir)
	require.NoError(t, err)
	fio, err := Frameio(dir, "legacy")
	require.NoError(t, err)
	b := open(t, ick, fio, "S3", map[string]any{"bucket": "iconik-files"})
	b.frameio.SetWatermark(true)
	asset, err := b.iconik.AddAsset("Take 1.mov", "", samples.Media("25.mov"))
	require.NoError(t, err)
	ref := b.request(t, 10*time.Minute, asset)
	env := b.skippingTime()
	env.RegisterDelayedCallback(func() {
		row, _, err := b.book.Tenant(tenantID).Review(reviewID).Get(context.Background())
		require.NoError(t, err)
		require.Equal(t, ledger.ReviewOpen, row.Status, row.Reason)
		env.CancelWorkflow()
	}, 5*time.Minute)
	env.ExecuteWorkflow(workflows.Review, workflows.ReviewInput{ReviewRef: ref})
	require.Error(t, env.GetWorkflowError())
	row, _, err := b.book.Tenant(tenantID).Review(reviewID).Get(t.Context())
	require.NoError(t, err)
	assert.Equal(t, ledger.ReviewFailed, row.Status)
	assert.Len(t, b.frameio.AssetsOf(row.ProjectID), 3, "root, the review's folder and its file")
	links := b.frameio.Shares(row.ProjectID)
	require.Len(t, links, 1)
	assert.True(t, links[0].Inactive)
}

// TestBothSidesEndEqual is the promise of reviews: whatever people do on both sides, whatever fails and whenever a worker
// dies, both sides end equal, with each remark once. FRAMEBRIDGE_CHAOS sets how many histories are tried.
func TestBothSidesEndEqual(t *testing.T) {
	t.Parallel()
	histories := rounds(4, 12)
	if n, err := strconv.Atoi(os.Getenv("FRAMEBRIDGE_CHAOS")); err == nil {
		histories = n
	}
	for seed := range histories {
		generation := []string{"legacy", "v4"}[seed%2]
		t.Run(generation+"-"+strconv.Itoa(seed), func(t *testing.T) {
			t.Parallel()
			c, ref := openReview(t, generation, seed)
			c.frameio.SetAdobeOwners(seed%4 == 3)
			in := workflows.SyncInput{ReviewRef: ref, Hints: []workflows.Hint{{Asset: c.asset}}}
			for range 12 {
				for range 1 + c.r.IntN(4) {
					c.act()
				}
				c.spoil()
				cut := time.Duration(0)
				if c.r.IntN(4) == 0 {
					cut = time.Duration(1+c.r.IntN(30)) * time.Millisecond
				}
				_ = c.sync(in, cut)
			}
			c.frameio.ClearFaults()
			c.iconik.ClearFaults()
			for range 4 {
				require.NoError(t, c.sync(in, 0))
			}
			assert.Empty(t, c.equal(ref))
			before := fmt.Sprint(c.frameio.Calls()["PUT /v2/comments/{id}"]+c.frameio.Calls()["PATCH comments/{id}"], c.iconik.Calls()["PATCH assets/v1/assets/{id}/segments/{id}"])
			require.NoError(t, c.sync(in, 0))
			assert.Equal(t, before, fmt.Sprint(c.frameio.Calls()["PUT /v2/comments/{id}"]+c.frameio.Calls()["PATCH comments/{id}"], c.iconik.Calls()["PATCH assets/v1/assets/{id}/segments/{id}"]), "nothing is left to do")
		})
	}
}

// A comment that is deleted after its copy was made, and before that was written down, does not stay behind, nor come back.
func TestWhatIsDeletedWhileItIsCopiedGoes(t *testing.T) {
	t.Parallel()
	for _, generation := range played() {
		t.Run(generation, func(t *testing.T) {
			t.Parallel() // it waits
			c, ref := openReview(t, generation, 0)
			in := workflows.SyncInput{ReviewRef: ref, Full: true}
			said := c.frameio.AddComment(frameiosim.Comment{AssetID: c.file, Text: "a slip"})
			require.NoError(t, c.iconik.AddFault(faults.Fault{Match: "^POST .*segments", Times: 1, Lose: true}))
			require.NoError(t, c.iconik.AddFault(faults.Fault{Match: "^GET .*segments", After: 1, Times: 100, Status: http.StatusBadGateway}))
			require.Error(t, c.sync(in, 0))
			require.Len(t, c.iconik.Segments(c.asset), 1)
			c.frameio.Unsay(said.ID)
			c.iconik.ClearFaults()
			require.NoError(t, c.sync(in, 0))
			require.Empty(t, c.iconik.Segments(c.asset), generation)

			c.iconik.Comment(c.asset, c.iconik.ServiceUser(), "another slip", nil, nil, "", nil)
			require.NoError(t, c.frameio.AddFault(faults.Fault{Match: "^POST .*comments", Times: 1, Lose: true}))
			require.NoError(t, c.frameio.AddFault(faults.Fault{Match: "^GET .*comments", After: 1, Times: 100, Status: http.StatusBadGateway}))
			require.Error(t, c.sync(in, 0))
			require.Len(t, c.frameio.CommentsOf(c.file), 1)
			require.NoError(t, c.iconik.DeleteSegment(c.asset, c.segmentIDs()[0]))
			c.frameio.ClearFaults()
			require.NoError(t, c.sync(in, 0))
			require.Empty(t, c.frameio.CommentsOf(c.file), generation)
			require.Empty(t, c.iconik.Segments(c.asset), generation)
		})
	}
}

// Our own comment whose answer was lost is known again also where V4 names its writer by another id than /me.
func TestALostCommentIsNotMadeTwice(t *testing.T) {
	t.Parallel()
	for _, adobe := range []bool{false, true} {
		c, ref := openReview(t, "v4", 0)
		c.frameio.SetAdobeOwners(adobe)
		c.iconik.Comment(c.asset, c.iconik.ServiceUser(), "a remark", nil, nil, "", nil)
		require.NoError(t, c.frameio.AddFault(faults.Fault{Match: "^POST .*comments", Times: 1, Lose: true}))
		for range 3 {
			require.NoError(t, c.sync(workflows.SyncInput{ReviewRef: ref, Full: true}, 0))
		}
		require.Len(t, c.frameio.CommentsOf(c.file), 1)
		require.Len(t, c.segmentIDs(), 1)
	}
}

// A comment that is deleted softly in iconik goes in Frame.io, whether iconik's list still shows it, as deleted or, being
// late, as it was.
func TestWhatIsDeletedSoftlyGoes(t *testing.T) {
	t.Parallel()
	c, ref := openReview(t, "legacy", 0)
	c.frameio.AddComment(frameiosim.Comment{AssetID: c.file, Text: "from Frame.io"})
	c.iconik.Comment(c.asset, c.iconik.ServiceUser(), "from iconik", nil, nil, "", nil)
	in := workflows.SyncInput{ReviewRef: ref, Full: true}
	require.NoError(t, c.sync(in, 0))
	require.Len(t, c.frameio.CommentsOf(c.file), 2)
	require.Len(t, c.segmentIDs(), 2)
	c.iconik.Change(func(o *iconiksim.Options) { o.ListDeleted = true })
	require.NoError(t, c.iconik.EditSegment(c.asset, c.segmentIDs()[0], map[string]any{"status": "DELETED"}))
	require.NoError(t, c.sync(in, 0))
	require.Len(t, c.frameio.CommentsOf(c.file), 1)
	asked := c.iconik.Calls()["GET assets/v1/assets/{id}/segments/{id}"]
	require.NotZero(t, asked)
	require.NoError(t, c.sync(in, 0))
	require.Equal(t, asked, c.iconik.Calls()["GET assets/v1/assets/{id}/segments/{id}"], "a deletion that is known is not asked for again")

	c.iconik.Change(func(o *iconiksim.Options) { o.IndexDelay = time.Hour })
	last := c.segmentIDs()[0]
	require.NoError(t, c.iconik.EditSegment(c.asset, last, map[string]any{"status": "DELETED"}))
	require.NoError(t, c.sync(workflows.SyncInput{ReviewRef: ref, Hints: []workflows.Hint{{Asset: c.asset, Segment: last}}}, 0))
	require.Empty(t, c.frameio.CommentsOf(c.file), "the webhook has told of it")
}

// TestNothingIsHeldUp: not by a comment that a side refuses, which is told and goes through once it is edited, and not by
// a link that somebody has deleted, which gives way to a new one when assets are sent again.
func TestNothingIsHeldUp(t *testing.T) {
	t.Parallel()
	b := open(t, &Checker{}, &Checker{}, "S3", map[string]any{"bucket": "iconik-files"}, "legacy")
	b.frameio.SetWatermark(true)
	asset, err := b.iconik.AddAsset("Take.mov", "", samples.Media("25.mov"))
	require.NoError(t, err)
	project := b.frameio.AddProject(b.project.TeamID, "iconik Reviews")
	file, err := b.frameio.AddFile(project.RootID, frameiosim.File{Name: "Take.mov", Type: "video/quicktime", Body: samples.Media("25.mov"), FPS: 25, Frames: 250, Watermarked: true})
	require.NoError(t, err)
	ref := b.request(t, time.Hour, asset)
	_, err = b.book.Tenant(tenantID).Review(reviewID).Update(t.Context(), func(r *ledger.Review) {
		r.Status, r.Generation, r.ProjectID, r.ShareID = ledger.ReviewOpen, b.generation, project.ID, "a-link-that-is-gone"
		r.LinkAbsentSince = time.Now().Add(-time.Minute)
	})
	require.NoError(t, err)
	_, err = b.book.Tenant(tenantID).Review(reviewID).AddAssets(t.Context(), func([]ledger.ReviewAsset) []ledger.ReviewAsset {
		return []ledger.ReviewAsset{{AssetID: asset, VersionID: b.iconik.CurrentVersion(asset), Title: "Take.mov", FileID: file.ID, State: ledger.AssetReady, FrameNum: 25, FrameDen: 1, SeenIconik: true}}
	})
	require.NoError(t, err)
	shared, err := b.acts.Review.ShareReview(t.Context(), ref)
	require.NoError(t, err)
	assert.NotEmpty(t, shared.URL, "a new link stands for the deleted one")
	assert.Len(t, b.frameio.Mails(), 1, "and its reviewers are told")

	c := &chaos{harness: b, t: t, asset: asset, file: file.ID}
	in := workflows.SyncInput{ReviewRef: ref, Hints: []workflows.Hint{{Asset: asset}}}
	require.NoError(t, b.iconik.AddFault(faults.Fault{Match: `^POST .*segments`, Status: http.StatusBadRequest, Times: 1}))
	refused := b.frameio.AddComment(frameiosim.Comment{AssetID: file.ID, Text: "remark 1"})
	require.NoError(t, c.sync(in, 0))
	assert.Empty(t, b.iconik.Segments(asset))
	b.frameio.AddComment(frameiosim.Comment{AssetID: file.ID, Text: "remark 2"})
	require.NoError(t, c.sync(in, 0))
	assert.Len(t, b.iconik.Segments(asset), 1, "the one that is refused holds up no other and is left alone")
	row, _, err := b.book.Tenant(tenantID).Review(reviewID).Get(t.Context())
	require.NoError(t, err)
	assert.Contains(t, strings.Join(row.Notes, "|"), "iconik rejected a comment")
	b.frameio.Edit(refused.ID, func(m *frameiosim.Comment) { m.Text = "remark 3" })
	require.NoError(t, c.sync(in, 0))
	assert.Len(t, b.iconik.Segments(asset), 2, "it goes through once it is edited")
	assert.Empty(t, c.equal(ref))

	b.iconik.AddUser("ana@example.com", "Ana", "Lima")
	require.NoError(t, b.iconik.AddFault(faults.Fault{Match: `^POST .*segments`, Status: http.StatusForbidden, Times: 1}))
	b.frameio.AddComment(frameiosim.Comment{AssetID: file.ID, Text: "remark 4", Owner: &frameiosim.User{ID: "ana", Name: "Ana Lima", Email: "ana@example.com"}})
	require.NoError(t, c.sync(in, 0))
	texts := ""
	for _, s := range b.iconik.Segments(asset) {
		texts += fmt.Sprint(s["segment_text"], "|")
	}
	assert.Regexp(t, `Ana Lima.*remark 4`, texts, "where iconik lets nobody write in another's name, the text has it")
	assert.Empty(t, c.equal(ref))
}

// Nobody is invited twice where the answer to an invitation is lost. Where Frame.io does not tell whether it went out, the
// review says so.
func TestALostInvitationIsNotSentAgain(t *testing.T) {
	t.Parallel()
	for _, generation := range played() {
		t.Run(generation, func(t *testing.T) {
			b := open(t, &Checker{}, &Checker{}, "S3", map[string]any{"bucket": "iconik-files"}, generation)
			b.frameio.SetWatermark(true)
			project := b.frameio.AddProject(b.project.TeamID, "iconik Reviews")
			root := ""
			for _, a := range b.frameio.AssetsOf(project.ID) {
				root = a.ID
			}
			file, err := b.frameio.AddFile(root, frameiosim.File{Name: "Take.mov", Type: "video/quicktime", Body: samples.Media("25.mov"), FPS: 25, Frames: 250, Watermarked: true})
			require.NoError(t, err)
			ref := b.request(t, time.Hour, "an-asset")
			_, err = b.book.Tenant(tenantID).Review(reviewID).Update(t.Context(), func(r *ledger.Review) {
				r.Title, r.Status, r.Generation, r.ProjectID = "Take", ledger.ReviewSending, b.generation, project.ID
			})
			require.NoError(t, err)
			_, err = b.book.Tenant(tenantID).Review(reviewID).AddAssets(t.Context(), func([]ledger.ReviewAsset) []ledger.ReviewAsset {
				return []ledger.ReviewAsset{{AssetID: "an-asset", VersionID: "v", Title: "Take.mov", FileID: file.ID, State: ledger.AssetReady}}
			})
			require.NoError(t, err)
			require.NoError(t, b.frameio.AddFault(faults.Fault{Match: `^POST .*reviewers`, Lose: true, Times: 1}))
			for range 3 {
				_, err = b.acts.Review.ShareReview(t.Context(), ref)
			}
			require.NoError(t, err)
			assert.Len(t, b.frameio.Mails(), 1)
			row, _, err := b.book.Tenant(tenantID).Review(reviewID).Get(t.Context())
			require.NoError(t, err)
			if generation == "v4" {
				assert.Contains(t, strings.Join(row.Notes, "|"), "If it did not arrive, send them the link")
			} else {
				assert.Empty(t, row.Notes)
			}
		})
	}
}
