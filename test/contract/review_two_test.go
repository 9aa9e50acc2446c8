package contract

import (
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/framebridge/framebridge/ledger"
	"github.com/framebridge/framebridge/sandbox/frameiosim"
	"github.com/framebridge/framebridge/sandbox/samples"
	"github.com/framebridge/framebridge/workflows"
)

const otherReviewID = "bbbbbbbb-bbbb-4ccc-8ddd-eeeeeeeeeeee"

// beside is a later open review of the same asset, as an extension of an expired one leaves two of them open.
func (c *chaos) beside() (*chaos, workflows.ReviewRef) {
	c.t.Helper()
	first := c.row()
	file, err := c.frameio.AddFile(c.root, frameiosim.File{Name: "Take again.mov", Type: "video/quicktime", Body: samples.Media("25.mov"), FPS: 25, Frames: 250})
	require.NoError(c.t, err)
	link := c.frameio.AddShare(frameiosim.Share{Kind: "review_link", ProjectID: first.ProjectID, Name: "Take again.mov", Items: []string{file.ID}, Watermark: true})
	now := time.Now().UTC()
	_, _, err = c.book.RequestReview(c.t.Context(), ledger.Review{Tenant: tenantID, ID: otherReviewID, Click: "another", Status: ledger.ReviewOpen, Quality: "proxy", Reviewers: []string{"kim@client.example"},
		ClickedAssets: []string{c.asset}, ExpiresAt: now.Add(time.Hour), CreatedAt: now, ClickedAt: now, Generation: c.generation, ShareID: link.ID, ProjectID: first.ProjectID, Title: "Take again.mov"}, time.Second)
	require.NoError(c.t, err)
	_, err = c.book.Tenant(tenantID).Review(otherReviewID).AddAssets(c.t.Context(), func([]ledger.ReviewAsset) []ledger.ReviewAsset {
		return []ledger.ReviewAsset{{AssetID: c.asset, VersionID: c.iconik.CurrentVersion(c.asset), Title: "Take again.mov", FileID: file.ID, Label: "none", State: ledger.AssetReady, FrameNum: 25, FrameDen: 1, SeenIconik: true}}
	})
	require.NoError(c.t, err)
	return &chaos{harness: c.harness, t: c.t, asset: c.asset, file: file.ID, root: c.root, review: otherReviewID}, workflows.ReviewRef{Tenant: tenantID, Review: otherReviewID}
}

// two are two open reviews of one asset.
type two struct{ one, other decisions }

func twoReviews(t *testing.T, generation string) two {
	t.Helper()
	one := decisionsIn(t, generation, plain, plain)
	c, ref := one.beside()
	other := one
	other.chaos, other.full = c, workflows.SyncInput{ReviewRef: ref, Full: true}
	other.synced(1)
	return two{one, other}
}

func (w two) synced(times int) {
	for range times {
		w.one.synced(1)
		w.other.synced(1)
	}
}

func (w two) settled() {
	w.synced(3)
	w.one.statusLater()
	w.other.statusLater()
	w.synced(3)
}

// What one review's reviewers decide stands in iconik until they or somebody later decides otherwise: the other review's
// withdrawals, of its reviewers and of people in iconik, leave it alone.
func TestAWithdrawalLeavesTheOtherReviewsDecision(t *testing.T) {
	t.Parallel()
	for name, play := range map[string]func(w two){
		"by the other's reviewer": func(w two) {
			w.one.frameio.Label(w.one.file, "approved")
			w.settled()
			w.other.frameio.Label(w.other.file, "needs_review")
			w.settled()
			assert.Equal(w.one.t, "NOT_APPROVED", w.one.iconik.Approval(w.one.asset), "the latest decision")
			w.other.frameio.Label(w.other.file, "none")
			w.settled()
		},
		"by somebody in iconik": func(w two) {
			w.one.frameio.Label(w.one.file, "approved")
			w.settled()
			w.one.iconik.Decide(w.one.asset, w.one.ed, "NOT_APPROVED")
			w.settled()
			assert.Equal(w.one.t, "needs_review", w.one.label())
			assert.Equal(w.one.t, "needs_review", w.other.label())
			w.one.iconik.Withdraw(w.one.asset, w.one.ed)
			w.settled()
			assert.Equal(w.one.t, "approved", w.one.label())
			assert.Equal(w.one.t, "none", w.other.label())
		},
		"by the other's reviewer, after this one has expired": func(w two) {
			w.one.frameio.Label(w.one.file, "approved")
			w.settled()
			w.one.update(func(r *ledger.Review) { r.Status, r.EndedAt = ledger.ReviewExpired, time.Now() })
			w.other.frameio.Label(w.other.file, "needs_review")
			w.other.synced(2)
			w.other.frameio.Label(w.other.file, "none")
			w.other.synced(2)
		},
	} {
		for _, generation := range played() {
			t.Run(generation+", "+name, func(t *testing.T) {
				t.Parallel()
				w := twoReviews(t, generation)
				play(w)
				assert.Equal(t, "APPROVED", w.one.iconik.Approval(w.one.asset))
				assert.Empty(t, w.one.notes())
				assert.Empty(t, w.other.notes())
			})
		}
	}
}

// Each comment is once on each side: what one review's reviewers say, and what is answered to them in iconik, is not for the other's.
func TestCommentsOfTwoReviewsStayApart(t *testing.T) {
	t.Parallel()
	for _, generation := range played() {
		t.Run(generation, func(t *testing.T) {
			t.Parallel()
			w := twoReviews(t, generation)
			frame, ms := int64(10), int64(400)
			w.one.frameio.AddComment(frameiosim.Comment{AssetID: w.one.file, Text: "remark 1", Timestamp: &frame})
			w.one.frameio.AddComment(frameiosim.Comment{AssetID: w.other.file, Text: "remark 2", Timestamp: &frame})
			w.synced(2)
			assert.ElementsMatch(t, []string{"1", "2"}, remarks(w.one.texts(w.one.asset)))
			for _, g := range w.one.iconik.Segments(w.one.asset) {
				if remarks([]string{text(g["segment_text"])})[0] == "2" {
					w.one.iconik.Comment(w.one.asset, w.one.ed, "remark 3", &ms, &ms, text(g["id"]), nil)
				}
			}
			w.synced(3)
			said := func(file string) (out []string) {
				for _, m := range w.one.frameio.CommentsOf(file) {
					out = append(out, m.Text)
				}
				return remarks(out)
			}
			assert.Equal(t, []string{"1"}, said(w.one.file))
			assert.ElementsMatch(t, []string{"2", "3"}, said(w.other.file))
			assert.Len(t, w.one.segmentIDs(), 3)

			w.one.iconik.Comment(w.one.asset, w.one.mo, "remark 4", &ms, &ms, "", nil)
			w.synced(3)
			assert.ElementsMatch(t, []string{"1", "4"}, said(w.one.file), "said to all reviewers")
			assert.ElementsMatch(t, []string{"2", "3", "4"}, said(w.other.file))
			assert.Len(t, w.one.segmentIDs(), 4)
		})
	}
}

// The end of one review, and the deletion of its media, leave the other's file, link, fields and comments as they are.
func TestTheEndOfOneReviewLeavesTheOther(t *testing.T) {
	t.Parallel()
	for _, generation := range played() {
		for _, first := range []bool{true, false} {
			t.Run(generation, func(t *testing.T) {
				t.Parallel()
				w := twoReviews(t, generation)
				ends, stays := w.one, w.other
				if !first {
					ends, stays = w.other, w.one
				}
				w.one.iconik.Comment(w.one.asset, w.one.mo, "remark 1", nil, nil, "", nil)
				w.one.frameio.AddComment(frameiosim.Comment{AssetID: ends.file, Text: "remark 2"})
				w.one.frameio.AddComment(frameiosim.Comment{AssetID: stays.file, Text: "remark 3"})
				ends.frameio.Label(ends.file, "approved")
				w.synced(3)
				_, err := w.one.acts.Review.RevokeLink(t.Context(), workflows.EndReviewInput{ReviewRef: ends.full.ReviewRef, Status: "expired"})
				require.NoError(t, err)
				last := ends.full
				last.Last = true
				require.NoError(t, ends.sync(last, 0))
				_, err = w.one.acts.Review.EndReview(t.Context(), workflows.EndReviewInput{ReviewRef: ends.full.ReviewRef, Status: "expired"})
				require.NoError(t, err)
				stays.synced(2)
				assert.Equal(t, "open", stays.field("framebridge_review_status"))
				assert.Equal(t, stays.row().ShareURL, stays.field("framebridge_review_link"))
				require.NoError(t, w.one.acts.Review.DeleteMedia(t.Context(), ends.full.ReviewRef))
				stays.synced(2)
				assert.Equal(t, "open", stays.field("framebridge_review_status"))
				assert.Equal(t, "none", stays.label())
				assert.Equal(t, "no file", ends.label())
				assert.Len(t, w.one.frameio.CommentsOf(stays.file), 2)
				assert.ElementsMatch(t, []string{"1", "2", "3"}, remarks(w.one.texts(w.one.asset)))
				assert.Equal(t, "APPROVED", w.one.iconik.Approval(w.one.asset))
				for _, s := range stays.shares() {
					assert.Equal(t, s.ID == ends.row().ShareID, s.Inactive, s.Name)
				}
				stays.frameio.AddComment(frameiosim.Comment{AssetID: stays.file, Text: "remark 4"})
				stays.synced(1)
				assert.Len(t, stays.segmentIDs(), 4)
				assert.Empty(t, stays.notes())
			})
		}
	}
}

// An earlier click whose preparing took longer gives its assets to the later one's review, and makes no second link.
func TestAnEarlierClickJoinsALaterReview(t *testing.T) {
	t.Parallel()
	c, _ := openReview(t, "v4", 0)
	earlier := workflows.ReviewRef{Tenant: tenantID, Review: otherReviewID}
	_, _, err := c.book.RequestReview(t.Context(), ledger.Review{Tenant: tenantID, ID: otherReviewID, Click: "another", Status: ledger.ReviewSending, Quality: "proxy", Reviewers: []string{"kim@client.example"},
		ClickedAssets: []string{c.asset, c.asset}, ExpiresAt: time.Now().Add(time.Hour), CreatedAt: c.row().CreatedAt.Add(-time.Minute), ClickedAt: c.row().ClickedAt.Add(-time.Minute)}, time.Second)
	require.NoError(t, err)
	prepared, err := c.acts.Review.PrepareReview(t.Context(), earlier)
	require.NoError(t, err)
	assert.Equal(t, []string{reviewID}, prepared.HandedOver)
	assert.Zero(t, prepared.Assets)
	assert.Contains(t, c.row().Reviewers, "kim@client.example")
	require.Len(t, c.rows(), 2, "once, however often it is selected")
	assert.Equal(t, "proxy", c.rows()[1].Quality)
}

// unequal says what differs between a review's two sides, and what is on one of them twice.
func (c *chaos) unequal() (wrong []string) {
	rows, err := c.book.Tenant(tenantID).Review(c.id()).Comments(c.t.Context(), 0)
	require.NoError(c.t, err)
	here, there, times := map[string]string{}, map[string]string{}, map[string]int{}
	for _, m := range c.frameio.CommentsOf(c.file) {
		here[m.ID] = lastWords(m.Text)
		times["Frame.io: "+lastWords(m.Text)]++
	}
	for _, g := range c.iconik.Segments(c.asset) {
		there[text(g["id"])] = lastWords(text(g["segment_text"]))
		times["iconik: "+lastWords(text(g["segment_text"]))]++
	}
	for said, n := range times {
		if n > 1 {
			wrong = append(wrong, fmt.Sprintf("%s: %d times", said, n))
		}
	}
	paired := 0
	for _, row := range rows {
		f, inFrameio := here[row.FrameioID]
		g, inIconik := there[row.IconikID]
		switch {
		case row.Older:
		case inFrameio != inIconik || f != g:
			wrong = append(wrong, fmt.Sprintf("%q in Frame.io, %q in iconik", f, g))
		case inFrameio:
			paired++
		}
	}
	if paired != len(here) {
		wrong = append(wrong, fmt.Sprintf("%d comments in Frame.io, %d pairs", len(here), paired))
	}
	return wrong
}

// Whatever people do in two reviews of one asset at once, and whatever fails meanwhile, each review's sides end equal, with each remark once.
func TestTwoReviewsEndEqual(t *testing.T) {
	t.Parallel()
	for seed := range rounds(2, 4) {
		for _, generation := range played() {
			t.Run(fmt.Sprint(generation, "-", seed), func(t *testing.T) {
				t.Parallel()
				w := twoReviews(t, generation)
				r := rand.New(rand.NewPCG(uint64(seed), 2))
				w.one.r, w.other.r = r, r
				for range 12 {
					for range 1 + r.IntN(4) {
						c, o := w.one, w.other
						if r.IntN(2) == 0 {
							c, o = o, c
						}
						c.said = max(c.said, o.said)
						c.act()
					}
					w.one.spoil()
					_ = w.one.sync(w.one.full, 0)
					if r.IntN(2) == 0 {
						_ = w.other.sync(w.other.full, 0)
					}
				}
				w.one.frameio.ClearFaults()
				w.one.iconik.ClearFaults()
				w.synced(6)
				assert.Empty(t, w.one.unequal())
				assert.Empty(t, w.other.unequal())
			})
		}
	}
}

// Whoever selects what is in review, and more, reads what the new link does not show; whoever selects only that, when its link expires.
func TestWhatIsInReviewAlreadyIsNamed(t *testing.T) {
	t.Parallel()
	click := func(t *testing.T, more ...string) (*chaos, ledger.Review) {
		c, _ := openReview(t, "v4", 0)
		var clicked []string
		for _, title := range more {
			id, err := c.iconik.AddAsset(title, "", samples.Media("25.mov"))
			require.NoError(t, err)
			clicked = append(clicked, id)
		}
		now := time.Now().UTC()
		_, _, err := c.book.RequestReview(t.Context(), ledger.Review{Tenant: tenantID, ID: otherReviewID, Click: "another", Status: ledger.ReviewSending, Quality: "proxy", Reviewers: []string{"kim@client.example"},
			ClickedAssets: append(clicked, c.asset), ExpiresAt: now.Add(90 * time.Hour), CreatedAt: now, ClickedAt: now}, time.Second)
		require.NoError(t, err)
		_, err = c.acts.Review.PrepareReview(t.Context(), workflows.ReviewRef{Tenant: tenantID, Review: otherReviewID})
		require.NoError(t, err)
		row, _, err := c.book.Tenant(tenantID).Review(otherReviewID).Get(t.Context())
		require.NoError(t, err)
		return c, row
	}
	_, row := click(t, "Extra.mov")
	require.Len(t, row.Notes, 1)
	assert.Contains(t, row.Notes[0], `Already in the review "Take.mov", and sent there again instead of under this link: "Take.mov".`)
	c, row := click(t)
	assert.Empty(t, row.Notes)
	said := ""
	for _, job := range c.iconik.Docs("jobs") {
		said += text(job["message"])
	}
	assert.Contains(t, said, "It still expires on "+c.row().ExpiresAt.UTC().Format("2006-01-02 15:04 UTC"))
}
