package contract

import (
	"fmt"
	"net/http"
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

func (c *chaos) row() ledger.Review {
	row, _, err := c.book.Tenant(tenantID).Review(c.id()).Get(c.t.Context())
	require.NoError(c.t, err)
	return row
}

func (c *chaos) rows() []ledger.ReviewAsset {
	rows, err := c.book.Tenant(tenantID).Review(c.id()).Assets(c.t.Context())
	require.NoError(c.t, err)
	return rows
}

// later has time go by since a side was first seen without an asset, and since it came back.
func (c *chaos) later(by time.Duration) {
	for _, it := range c.rows() {
		_, err := c.book.Tenant(tenantID).Review(c.id()).UpdateAsset(c.t.Context(), it.N, func(row *ledger.ReviewAsset) {
			if !row.AbsentSince.IsZero() {
				row.AbsentSince = row.AbsentSince.Add(-by)
			}
			if !row.BackAt.IsZero() {
				row.BackAt = row.BackAt.Add(-by)
			}
		})
		require.NoError(c.t, err)
	}
}

func (c *chaos) notes() string { return strings.Join(c.row().Notes, "|") }

func (c *chaos) decisionShown() string {
	return c.iconik.Values("assets", c.asset)["framebridge_decision"]
}

// The approval of a version is not that of a later one, which somebody has brought into iconik meanwhile.
func TestADecisionLandsOnTheVersionThatWasReviewed(t *testing.T) {
	t.Parallel()
	for _, generation := range played() {
		t.Run(generation, func(t *testing.T) {
			c, ref := openReview(t, generation, 0)
			full := workflows.SyncInput{ReviewRef: ref, Full: true}
			c.frameio.Label(c.file, "approved")
			require.NoError(t, c.sync(full, 0))
			assert.Equal(t, "APPROVED", c.iconik.Approval(c.asset))
			assert.Equal(t, "approved", c.decisionShown())

			require.NoError(t, c.iconik.AddVersion(c.asset, "Take 2.mov", samples.Media("25.mov")))
			c.frameio.Label(c.file, "needs_review")
			require.NoError(t, c.sync(full, 0))
			assert.Equal(t, "APPROVED", c.iconik.Approval(c.asset), "left alone")
			assert.Empty(t, c.decisionShown(), "the new version has none")
			assert.Equal(t, "changes requested", c.rows()[0].Decision, "of the version that was reviewed")
			assert.Contains(t, c.notes(), "no longer the current one")
		})
	}
}

// With both versions in the review, a status on the old one changes nothing of the new one.
func TestAStatusOnTheOldVersionIsNotTheNewOnes(t *testing.T) {
	t.Parallel()
	for _, generation := range played() {
		t.Run(generation, func(t *testing.T) {
			c, ref := openReview(t, generation, 0)
			require.NoError(t, c.iconik.AddVersion(c.asset, "Take 2.mov", samples.Media("25.mov")))
			second, err := c.frameio.AddFile(c.frameio.AddFolder(c.root, "another").ID, frameiosim.File{Name: "Take 2.mov", Type: "video/quicktime", Body: samples.Media("25.mov"), FPS: 25, Frames: 250})
			require.NoError(t, err)
			_, err = c.book.Tenant(tenantID).Review(reviewID).AddAssets(t.Context(), func([]ledger.ReviewAsset) []ledger.ReviewAsset {
				return []ledger.ReviewAsset{{AssetID: c.asset, VersionID: c.iconik.CurrentVersion(c.asset), Title: "Take.mov", FileID: second.ID, State: ledger.AssetReady, FrameNum: 25, FrameDen: 1, SeenIconik: true}}
			})
			require.NoError(t, err)
			full := workflows.SyncInput{ReviewRef: ref, Full: true}
			c.frameio.Label(second.ID, "needs_review")
			require.NoError(t, c.sync(full, 0))
			c.frameio.Label(c.file, "approved")
			require.NoError(t, c.sync(full, 0))
			assert.Equal(t, "NOT_APPROVED", c.iconik.Approval(c.asset))
			assert.Equal(t, "changes requested", c.decisionShown())
		})
	}
}

// Options that an account has made itself decide what the configuration says, or are shown as they are.
func TestAnAccountsOwnStatusIsNotDropped(t *testing.T) {
	t.Parallel()
	c, ref := openReview(t, "v4", 0)
	full := workflows.SyncInput{ReviewRef: ref, Full: true}
	c.frameio.Label(c.file, "approved")
	require.NoError(t, c.sync(full, 0))
	c.frameio.Label(c.file, "Approved with changes")
	require.NoError(t, c.sync(full, 0))
	assert.Equal(t, "Approved with changes", c.decisionShown())
	assert.Equal(t, "APPROVED", c.iconik.Approval(c.asset), "left alone")
	assert.Contains(t, c.notes(), "review.status_options")
	tenant, _ := c.config.Tenant(tenantID)
	tenant.Review.StatusOptions = map[string]string{"final": "approved", "Freigegeben": "approved", "Rework": "changes requested"}
	for option, want := range map[string]string{"Rework": "NOT_APPROVED", "Freigegeben": "APPROVED"} {
		c.frameio.Label(c.file, option)
		require.NoError(t, c.sync(full, 0))
		assert.Equal(t, want, c.iconik.Approval(c.asset), option)
	}
}

// What was deleted and comes back goes on being synced; nothing that was synced is deleted by it.
func TestGoneIsAStateThatEnds(t *testing.T) {
	t.Parallel()
	for _, generation := range played() {
		for side, do := range map[string]struct{ away, back func(c *chaos) }{
			"the file":  {func(c *chaos) { c.frameio.DeleteAsset(c.file) }, func(c *chaos) { c.frameio.RestoreAsset(c.file) }},
			"the asset": {func(c *chaos) { c.iconik.Delete("assets", c.asset) }, func(c *chaos) { c.iconik.Restore("assets", c.asset) }},
			"all of Frame.io for a while": {func(c *chaos) {
				require.NoError(c.t, c.frameio.AddFault(faults.Fault{Match: ".", Times: 10000, Status: http.StatusNotFound}))
			}, func(c *chaos) { c.frameio.ClearFaults() }},
			"all of iconik for a while": {func(c *chaos) {
				require.NoError(c.t, c.iconik.AddFault(faults.Fault{Match: "(assets|segments)", Times: 10000, Status: http.StatusNotFound}))
			}, func(c *chaos) { c.iconik.ClearFaults() }},
		} {
			for _, told := range []bool{false, true} { // it is away for seconds, or for so long that people are told
				if told && side == "all of Frame.io for a while" {
					continue // which is read as a token that is refused: the sync fails until somebody has mended it
				}
				t.Run(generation+"/"+side+"/"+map[bool]string{false: "seconds", true: "hours"}[told], func(t *testing.T) {
					c, ref := openReview(t, generation, 0)
					full := workflows.SyncInput{ReviewRef: ref, Full: true}
					c.frameio.AddComment(frameiosim.Comment{AssetID: c.file, Text: "remark 1"})
					c.iconik.Comment(c.asset, c.iconik.ServiceUser(), "remark 2", nil, nil, "", nil)
					require.NoError(t, c.sync(full, 0))
					do.away(c)
					for range 2 {
						_ = c.sync(full, 0)
					}
					assert.Equal(t, ledger.AssetReady, c.rows()[0].State, "seconds are no evidence")
					if told {
						c.later(2 * time.Hour)
						err := c.sync(full, 0)
						assert.Equal(t, ledger.AssetGone, c.rows()[0].State, err)
						assert.Contains(t, c.notes(), "leaves its comments as they are")
					}
					do.back(c)
					c.frameio.AddComment(frameiosim.Comment{AssetID: c.file, Text: "remark 3"})
					require.NoError(t, c.sync(full, 0))
					assert.Equal(t, ledger.AssetReady, c.rows()[0].State)
					assert.Len(t, c.segmentIDs(), 3)
					assert.Len(t, c.frameioIDs(), 3)
					assert.Empty(t, c.equal(ref))
					assert.Equal(t, told, strings.Contains(c.notes(), "is back"), c.notes())
				})
			}
		}
	}
}

// The last sync waits for what is away until that counts as deleted, and brings over what was said once it is back.
func TestTheLastSyncWaitsForWhatIsAway(t *testing.T) {
	t.Parallel()
	for _, generation := range played() {
		t.Run(generation, func(t *testing.T) {
			c, ref := openReview(t, generation, 0)
			last := workflows.SyncInput{ReviewRef: ref, Full: true, Last: true, Wait: true}
			c.iconik.Comment(c.asset, c.iconik.ServiceUser(), "remark 1", nil, nil, "", nil)
			c.frameio.DeleteAsset(c.file)
			require.ErrorContains(t, c.sync(last, 0), `"Take.mov" cannot be found at the moment`)
			require.ErrorContains(t, c.sync(last, 0), "cannot be found", "it may be back soon")
			c.later(time.Minute)
			require.ErrorContains(t, c.sync(last, 0), "cannot be found")
			out, err := c.acts.Review.SyncReview(t.Context(), last)
			require.NoError(t, err)
			assert.True(t, out.Away, "it counts as deleted")
			c.frameio.RestoreAsset(c.file)
			out, err = c.acts.Review.SyncReview(t.Context(), last)
			require.NoError(t, err)
			assert.False(t, out.Away)
			assert.Len(t, c.frameioIDs(), 1)
			assert.Empty(t, c.equal(ref))
			assert.Zero(t, c.row().NextSyncAt, "no sync is announced after the last")
		})
	}
}

// Replies go with the comment that a sync deletes: the last one looks again, and brings that over.
func TestTheLastSyncSeesWhatWentWithAComment(t *testing.T) {
	t.Parallel()
	for _, generation := range played() {
		t.Run(generation, func(t *testing.T) {
			c, ref := openReview(t, generation, 0)
			parent := c.frameio.AddComment(frameiosim.Comment{AssetID: c.file, Text: "remark 1"})
			require.NoError(t, c.sync(workflows.SyncInput{ReviewRef: ref, Full: true}, 0))
			c.frameio.AddComment(frameiosim.Comment{AssetID: c.file, Text: "remark 2", ParentID: parent.ID})
			require.NoError(t, c.sync(workflows.SyncInput{ReviewRef: ref, Full: true}, 0))
			require.Len(t, c.segmentIDs(), 2)
			for _, g := range c.iconik.Segments(c.asset) {
				if g["parent_id"] == nil || g["parent_id"] == "" {
					require.NoError(t, c.iconik.DeleteSegment(c.asset, fmt.Sprint(g["id"])))
				}
			}
			last := workflows.SyncInput{ReviewRef: ref, Full: true, Last: true, Wait: true}
			for tries := 0; ; tries++ {
				if err := c.sync(last, 0); err == nil {
					break
				}
				require.Less(t, tries, 5)
			}
			assert.Empty(t, c.equal(ref))
		})
	}
}

// Comments that come back later than their file are not deleted in iconik; what stays away is, in the end.
func TestWhatComesBackLaterIsNotDeleted(t *testing.T) {
	t.Parallel()
	c, ref := openReview(t, "v4", 0)
	full := workflows.SyncInput{ReviewRef: ref, Full: true}
	c.frameio.AddComment(frameiosim.Comment{AssetID: c.file, Text: "remark 1"})
	c.frameio.AddComment(frameiosim.Comment{AssetID: c.file, Text: "remark 2"})
	require.NoError(t, c.sync(full, 0))
	c.frameio.DeleteAsset(c.file)
	require.NoError(t, c.sync(full, 0))
	c.frameio.RestoreAsset(c.file)
	c.frameio.Unsay(c.frameioIDs()[0])
	require.NoError(t, c.sync(full, 0))
	assert.Len(t, c.segmentIDs(), 2, "it may come back later")
	last := full
	last.Last, last.Wait = true, true
	require.ErrorContains(t, c.sync(last, 0), "going or coming back")
	assert.Len(t, c.segmentIDs(), 2)
	c.later(time.Hour)
	require.NoError(t, c.sync(last, 0))
	assert.Len(t, c.segmentIDs(), 1)
}

// What is said in iconik after the click belongs to the review, also where the review sees it only later.
func TestACommentAfterTheClickBelongsToTheReview(t *testing.T) {
	t.Parallel()
	c, ref := openReview(t, "v4", 0)
	_, err := c.book.Tenant(tenantID).Review(reviewID).UpdateAsset(t.Context(), 1, func(row *ledger.ReviewAsset) {
		row.State, row.SeenIconik = ledger.AssetPending, false
		row.FileID = ""
	})
	require.NoError(t, err)
	c.iconik.Comment(c.asset, c.iconik.ServiceUser(), "after the click", nil, nil, "", nil)
	c.iconik.Wait() // for the proxy that is sent
	require.NoError(t, c.acts.Review.StageAsset(t.Context(), workflows.AssetInput{ReviewRef: ref, N: 1}))
	_, err = c.book.Tenant(tenantID).Review(reviewID).UpdateAsset(t.Context(), 1, func(row *ledger.ReviewAsset) { row.State, row.FileID = ledger.AssetReady, c.file })
	require.NoError(t, err)
	require.NoError(t, c.sync(workflows.SyncInput{ReviewRef: ref, Full: true}, 0))
	assert.Len(t, c.frameioIDs(), 1)
}

// A reviewer's drawing that iconik refuses costs neither the comment nor what is edited with it, and the review says so.
func TestARefusedDrawingCostsNoComment(t *testing.T) {
	t.Parallel()
	c, ref := openReview(t, "v4", 0)
	c.iconik.Change(func(o *iconiksim.Options) { o.WholePoints = true })
	const line = `[{"tool":"line","color":"#E74A3C","size":3,"x1":%g,"y1":0,"x2":1,"y2":1}]`
	full := workflows.SyncInput{ReviewRef: ref, Full: true}
	texts := func() (out []string) {
		for _, s := range c.iconik.Segments(c.asset) {
			assert.Nil(t, s["drawing"])
			out = append(out, fmt.Sprint(s["segment_text"]))
		}
		return out
	}
	drawn := c.frameio.AddComment(frameiosim.Comment{AssetID: c.file, Text: "here", Annotation: fmt.Sprintf(line, 0.25)})
	require.NoError(t, c.sync(full, 0))
	require.Len(t, texts(), 1)
	assert.Contains(t, c.notes(), "did not accept the drawing")
	require.True(t, c.frameio.Edit(drawn.ID, func(c *frameiosim.Comment) { c.Text, c.Annotation = "there", fmt.Sprintf(line, 0.75) }))
	require.NoError(t, c.sync(full, 0))
	require.Len(t, texts(), 1)
	assert.Contains(t, texts()[0], "there")
	assert.NotEmpty(t, c.frameioIDs())
}

// A drawing in iconik that cannot be read costs neither its comment nor the asset's others. Frame.io names it, and iconik keeps it.
func TestAnUnreadableDrawingCostsNoComment(t *testing.T) {
	t.Parallel()
	for _, api := range played() {
		t.Run(api, func(t *testing.T) {
			t.Parallel()
			c, ref := openReview(t, api, 0)
			frame, user := int64(1000), c.iconik.ServiceUser()
			here := map[string]any{"x": 0.5, "y": 0.5}
			c.iconik.Comment(c.asset, user, "Darker here", &frame, &frame, "", map[string]any{"primitives": []any{map[string]any{"type": "LINE", "color": 16711680, "points": []any{here, here}}}})
			c.iconik.Comment(c.asset, user, "And here", &frame, &frame, "", map[string]any{"primitives": map[string]any{"0": here}})
			c.iconik.Comment(c.asset, user, "Fine", nil, nil, "", nil)
			written := fmt.Sprint(c.iconik.Segments(c.asset))
			for range 3 {
				require.NoError(t, c.sync(workflows.SyncInput{ReviewRef: ref, Full: true}, 0))
			}
			texts := ""
			for _, comment := range c.frameio.CommentsOf(c.file) {
				texts += comment.Text + "\n"
			}
			assert.Equal(t, 3, strings.Count(texts, "\n"), texts)
			assert.Contains(t, texts, "Darker here [also drawn in iconik: unreadable line]")
			assert.Contains(t, texts, "And here [also drawn in iconik: unreadable drawing]")
			assert.Equal(t, written, fmt.Sprint(c.iconik.Segments(c.asset)), "nobody has edited them")
		})
	}
}

// A link that Framebridge switched off because of its missing watermark is not reported as switched off by somebody else.
func TestALinkThatWeSwitchOffIsToldAsThat(t *testing.T) {
	t.Parallel()
	c, ref := openReview(t, "v4", 0)
	c.frameio.EditShare(c.row().ShareID, func(s *frameiosim.Share) { s.Watermark = false })
	for range 3 {
		require.NoError(t, c.sync(workflows.SyncInput{ReviewRef: ref, Full: true}, 0))
	}
	assert.True(t, c.shares()[0].Inactive)
	require.Len(t, c.row().Notes, 1, c.notes())
	assert.Contains(t, c.notes(), "watermark")

	c.frameio.EditShare(c.row().ShareID, func(s *frameiosim.Share) { s.Watermark, s.Inactive = true, false })
	require.NoError(t, c.sync(workflows.SyncInput{ReviewRef: ref, Full: true}, 0))
	c.frameio.EditShare(c.row().ShareID, func(s *frameiosim.Share) { s.Inactive = true })
	require.NoError(t, c.sync(workflows.SyncInput{ReviewRef: ref, Full: true}, 0))
	assert.Contains(t, c.notes(), "Someone switched off the review link")
}

// Nor is one that Framebridge switched off while assets were sent again.
func TestALinkThatAResendSwitchesOffIsToldAsThat(t *testing.T) {
	t.Parallel()
	c, ref := openReview(t, "v4", 0)
	c.knowsItsLink()
	c.update(func(r *ledger.Review) { r.OpenedAt = time.Now() })
	c.frameio.EditShare(c.row().ShareID, func(s *frameiosim.Share) { s.Watermark = false })
	_, err := c.acts.Review.ShareReview(t.Context(), ref)
	require.NoError(t, err)
	assert.Contains(t, c.notes(), "did not turn on the link's watermark")
	for range 3 {
		require.NoError(t, c.sync(workflows.SyncInput{ReviewRef: ref, Full: true}, 0))
	}
	assert.True(t, c.shares()[0].Inactive)
	assert.NotContains(t, c.notes(), "Someone switched off")
}

// A proxy is not waited for once the review has expired, or somebody has deleted the asset.
func TestAProxyIsNotWaitedForInVain(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		do   func(c *chaos)
		says string
	}{
		"expired": {func(c *chaos) { c.update(func(r *ledger.Review) { r.ExpiresAt = time.Now().Add(-time.Minute) }) }, "expired on"},
		"deleted": {func(c *chaos) { c.iconik.Delete("assets", c.asset) }, "was deleted in iconik"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := open(t, &Checker{}, &Checker{}, "S3", map[string]any{"bucket": "iconik-files"}, "v4")
			b.iconik.Change(func(o *iconiksim.Options) { o.TranscodeDelay = 1000 * time.Hour })
			asset, err := b.iconik.AddAsset("Take.mov", "", samples.Media("25.mov"))
			require.NoError(t, err)
			c := &chaos{harness: b, t: t, asset: asset}
			ref := b.request(t, time.Hour, asset)
			c.update(func(r *ledger.Review) { r.Quality = "proxy" })
			_, err = b.acts.Review.PrepareReview(t.Context(), ref)
			require.NoError(t, err)
			stage := func() error {
				return b.acts.Review.StageAsset(t.Context(), workflows.AssetInput{ReviewRef: ref, N: 1})
			}
			require.ErrorContains(t, stage(), "iconik has no proxy")
			tt.do(c)
			require.ErrorContains(t, stage(), tt.says)
		})
	}
}
