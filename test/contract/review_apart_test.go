package contract

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
	"regexp"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/framebridge/framebridge/ledger"
	"github.com/framebridge/framebridge/sandbox/faults"
	"github.com/framebridge/framebridge/sandbox/frameiosim"
	"github.com/framebridge/framebridge/sandbox/samples"
	"github.com/framebridge/framebridge/workflows"
)

// An attempt that was given up for dead and goes on beside the next one leaves no second comment.
func TestTwoAttemptsMakeOneComment(t *testing.T) {
	t.Parallel()
	for _, generation := range played() {
		t.Run(generation, func(t *testing.T) {
			c, ref := openReview(t, generation, 0)
			full := workflows.SyncInput{ReviewRef: ref, Full: true}
			c.frameio.AddComment(frameiosim.Comment{AssetID: c.file, Text: "remark 1"})
			c.iconik.Comment(c.asset, c.iconik.ServiceUser(), "remark 2", nil, nil, "", nil)
			next := func() { assert.NoError(t, c.sync(full, 0)) }
			require.NoError(t, c.iconik.AddFault(faults.Fault{Match: "^POST .*segments", Times: 1, Do: next}))
			require.NoError(t, c.frameio.AddFault(faults.Fault{Match: "^POST .*comments", Times: 1, Do: next}))
			for range 3 {
				require.NoError(t, c.sync(full, 0))
			}
			assert.Len(t, c.frameioIDs(), 2)
			assert.Len(t, c.segmentIDs(), 2)
			assert.Empty(t, c.equal(ref))
		})
	}
}

// picky stands before a vendor and answers the calls that it does not like itself, each in other words.
type picky struct {
	call, body *regexp.Regexp
	status     int
	calls      atomic.Int64
}

func (p *picky) wrap(h http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if p.call == nil || !p.call.MatchString(r.Method+" "+r.URL.Path) {
			h.ServeHTTP(w, r)
			return
		}
		raw, err := io.ReadAll(r.Body)
		r.Body = io.NopCloser(bytes.NewReader(raw))
		if err == nil && !p.body.Match(raw) {
			h.ServeHTTP(w, r)
			return
		}
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(p.status)
		_, _ = fmt.Fprintf(w, `{"errors":[{"detail":"not this one, request r%d"}]}`, p.calls.Add(1))
	})
}

// dislikes has calls answered with a status: those whose line and body match.
func (p *picky) dislikes(call, body string, status int) {
	p.call, p.body, p.status = regexp.MustCompile(call), regexp.MustCompile(body), status
}

// pickyReview is an open review whose vendors are picky.
func pickyReview(t *testing.T, generation string) (c *chaos, ref workflows.ReviewRef, fio, ick *picky) {
	t.Helper()
	fio, ick = &picky{}, &picky{}
	b := harnessOptions{generation: generation, storage: "S3", settings: map[string]any{"bucket": "iconik-files"}, seed: sample(smallRaw),
		frameio: fio.wrap, iconik: ick.wrap, objects: plain}.open(t)
	c, ref = b.openReview(t, 0)
	return c, ref, fio, ick
}

// addFile brings another asset into the review.
func (c *chaos) addFile(name string) (asset, file string) {
	asset, err := c.iconik.AddAsset(name, "", samples.Media("25.mov"))
	require.NoError(c.t, err)
	f, err := c.frameio.AddFile(c.root, frameiosim.File{Name: name, Type: "video/quicktime", Body: samples.Media("25.mov"), FPS: 25, Frames: 250})
	require.NoError(c.t, err)
	_, err = c.book.Tenant(tenantID).Review(c.id()).AddAssets(c.t.Context(), func([]ledger.ReviewAsset) []ledger.ReviewAsset {
		return []ledger.ReviewAsset{{AssetID: asset, VersionID: c.iconik.CurrentVersion(asset), Title: name, FileID: f.ID, State: ledger.AssetReady, FrameNum: 25, FrameDen: 1, SeenIconik: true}}
	})
	require.NoError(c.t, err)
	return asset, f.ID
}

// knowsItsLink has the ledger know that the review has made its link.
func (c *chaos) knowsItsLink() {
	require.NoError(c.t, c.book.Tenant(tenantID).Complete(c.t.Context(), ledger.LinkReviewShare, reviewID, c.row().ShareID, ""))
}

// remarks are the numbers that texts end with, in their order.
func remarks(texts []string) (out []string) {
	for _, s := range texts {
		if i := strings.LastIndex(s, "remark "); i >= 0 {
			out = append(out, s[i+len("remark "):])
		}
	}
	return out
}

func (c *chaos) texts(asset string) (out []string) {
	for _, g := range c.iconik.Segments(asset) {
		out = append(out, fmt.Sprint(g["segment_text"]))
	}
	return out
}

// One comment that a side does not take, or always fails at, holds up neither the others, which come in the order in which they
// were said, nor other files nor decisions, and is told once.
func TestOneCommentHoldsUpNothingElse(t *testing.T) {
	t.Parallel()
	for _, generation := range played() {
		for _, status := range []int{400, 403, 404, 409, 422, 423, 500} {
			t.Run(fmt.Sprint(generation, "/", status), func(t *testing.T) {
				t.Parallel()
				c, ref, fio, ick := pickyReview(t, generation)
				other, otherFile := c.addFile("Other.mov")
				fio.dislikes("^POST .*comments", "remark 2", status)
				ick.dislikes("^POST .*segments", "remark 2", status)
				var want []string
				for n := range 8 {
					text := fmt.Sprint("remark ", n)
					if n != 2 {
						want = append(want, fmt.Sprint(n))
					}
					c.frameio.AddComment(frameiosim.Comment{AssetID: c.file, Text: text})
					c.iconik.Comment(c.asset, c.iconik.ServiceUser(), text, nil, nil, "", nil)
				}
				c.frameio.AddComment(frameiosim.Comment{AssetID: otherFile, Text: "remark 9"})
				c.frameio.Label(c.file, "approved")
				var err error
				for range 3 {
					err = c.sync(workflows.SyncInput{ReviewRef: ref, Full: true}, 0)
				}
				assert.Equal(t, status == 500, err != nil, "what may pass is tried again: %v", err)
				var inFrameio []string
				for _, m := range c.frameio.CommentsOf(c.file)[8:] {
					inFrameio = append(inFrameio, m.Text)
				}
				assert.Equal(t, want, remarks(inFrameio), "said in iconik")
				assert.Equal(t, want, remarks(c.texts(c.asset)[8:]), "said in Frame.io")
				assert.Len(t, c.iconik.Segments(other), 1, "another file")
				assert.Equal(t, "APPROVED", c.iconik.Approval(c.asset))
				assert.Equal(t, "approved", c.decisionShown())
				notes := map[int]int{404: 1, 500: 0}
				if n, ok := notes[status]; ok {
					assert.Len(t, c.row().Notes, n, c.notes())
				} else {
					assert.Len(t, c.row().Notes, 2, c.notes())
				}
				fio.call, ick.call = nil, nil
				if status == 404 || status == 500 {
					require.NoError(t, c.sync(workflows.SyncInput{ReviewRef: ref, Full: true}, 0))
					assert.Len(t, c.frameioIDs(), 16)
					assert.Len(t, c.segmentIDs(), 16)
				}
			})
		}
	}
}

// Replies come in the order in which they were said.
func TestRepliesKeepTheirOrder(t *testing.T) {
	t.Parallel()
	for _, generation := range played() {
		t.Run(generation, func(t *testing.T) {
			c, ref := openReview(t, generation, 0)
			top := c.frameio.AddComment(frameiosim.Comment{AssetID: c.file, Text: "remark 0"})
			want := []string{"0"}
			for n := 1; n < 9; n++ {
				c.frameio.AddComment(frameiosim.Comment{AssetID: c.file, ParentID: top.ID, Text: fmt.Sprint("remark ", n)})
				want = append(want, fmt.Sprint(n))
			}
			require.NoError(t, c.sync(workflows.SyncInput{ReviewRef: ref, Full: true}, 0))
			assert.Equal(t, want, remarks(c.texts(c.asset)))
		})
	}
}

// A file whose comments cannot be read holds up no other.
func TestOneFileHoldsUpNoOther(t *testing.T) {
	t.Parallel()
	for _, status := range []int{403, 500} {
		c, ref, fio, _ := pickyReview(t, "v4")
		other, file := c.addFile("Other.mov")
		fio.dislikes("^GET .*"+c.file, "", status)
		c.frameio.AddComment(frameiosim.Comment{AssetID: file, Text: "remark"})
		c.frameio.Label(file, "approved")
		_ = c.sync(workflows.SyncInput{ReviewRef: ref, Full: true}, 0)
		assert.Len(t, c.iconik.Segments(other), 1)
		assert.Equal(t, "APPROVED", c.iconik.Approval(other))
	}
}

// What is kept beside a comment, or shown of a review on an asset, is not worth the comment, the review's end or its deletion.
func TestRefusedFieldsCostThemselvesOnly(t *testing.T) {
	t.Parallel()
	c, ref, _, ick := pickyReview(t, "v4")
	full := workflows.SyncInput{ReviewRef: ref, Full: true}
	c.update(func(r *ledger.Review) { r.OpenedAt = time.Now() })
	other, _ := c.addFile("Other.mov")
	ick.dislikes("^PUT .*(segments/.*/views|assets/"+c.asset+"/views)", "", http.StatusForbidden)
	for n := range 4 {
		c.frameio.AddComment(frameiosim.Comment{AssetID: c.file, Text: fmt.Sprint("remark ", n), Guest: &frameiosim.User{ID: "g", Name: "Rita", Email: "rita@client.example"}})
	}
	for range 3 {
		require.NoError(t, c.sync(full, 0))
	}
	assert.Len(t, c.segmentIDs(), 4)
	assert.Empty(t, c.equal(ref))
	assert.Len(t, c.row().Notes, 2, c.notes())
	assert.Contains(t, c.notes(), "fields of comments")
	assert.Contains(t, c.notes(), "the review's fields")
	assert.Equal(t, "open", c.iconik.Values("assets", other)["framebridge_review_status"])
	_, err := c.acts.Review.EndReview(t.Context(), workflows.EndReviewInput{ReviewRef: ref, Status: "expired"})
	require.NoError(t, err)
	require.NoError(t, c.acts.Review.DeleteMedia(t.Context(), ref))
	assert.Equal(t, ledger.ReviewDeleted, c.row().Status)
	assert.Equal(t, "deleted", c.iconik.Values("assets", other)["framebridge_review_status"])
}

// A comment's own words may also stand in its author's name or address.
func TestAShortCommentIsNotTakenForItsAuthor(t *testing.T) {
	t.Parallel()
	for _, text := range []string{"it", "Rita", "a", "client.example"} {
		c, ref := openReview(t, "v4", 0)
		full := workflows.SyncInput{ReviewRef: ref, Full: true}
		c.frameio.AddComment(frameiosim.Comment{AssetID: c.file, Text: text, Guest: &frameiosim.User{ID: "g", Name: "Rita", Email: "rita@client.example"}})
		require.NoError(t, c.sync(full, 0))
		said := c.texts(c.asset)[0]
		require.NoError(t, c.iconik.EditSegment(c.asset, c.segmentIDs()[0], map[string]any{"segment_text": strings.TrimSuffix(said, text) + "that"}))
		require.NoError(t, c.sync(full, 0))
		assert.Equal(t, "that", c.frameio.CommentsOf(c.file)[0].Text, text)
	}
}

// V4 lists replies without their authors. Whether it tells them of one that is asked for alone, or knows replies by their ids at
// all, is documented nowhere: neither loses a reply, nor goes on asking.
func TestRepliesAreCarriedWhateverV4MakesOfThem(t *testing.T) {
	t.Parallel()
	for _, replies := range []string{"", frameiosim.RepliesWithAuthors, frameiosim.RepliesUnknown} {
		t.Run("replies "+replies, func(t *testing.T) {
			c, ref := openReview(t, "v4", 0)
			full := workflows.SyncInput{ReviewRef: ref, Full: true}
			c.frameio.Change(func(o *frameiosim.Options) { o.Replies = replies })
			top := c.frameio.AddComment(frameiosim.Comment{AssetID: c.file, Text: "remark 0"})
			reply := c.frameio.AddComment(frameiosim.Comment{AssetID: c.file, ParentID: top.ID, Text: "remark 1", Guest: &frameiosim.User{ID: "g", Name: "Rita", Email: "rita@client.example"}})
			require.NoError(t, c.sync(full, 0))
			who := "Frame.io user"
			if replies == frameiosim.RepliesWithAuthors {
				who = "Rita <rita@client.example> (Frame.io guest)"
			}
			assert.Equal(t, who+": remark 1", c.texts(c.asset)[1])
			c.frameio.Edit(reply.ID, func(m *frameiosim.Comment) { m.Text = "remark 2" })
			require.NoError(t, c.sync(full, 0))
			assert.Equal(t, who+": remark 2", c.texts(c.asset)[1])

			segment := c.segmentIDs()[1]
			require.NoError(t, c.iconik.EditSegment(c.asset, segment, map[string]any{"segment_text": "remark 3"}))
			require.NoError(t, c.sync(full, 0))
			require.NoError(t, c.iconik.DeleteSegment(c.asset, segment))
			for range 3 {
				require.NoError(t, c.sync(full, 0))
			}
			asked := c.frameio.Calls()
			require.NoError(t, c.sync(full, 0))
			for _, call := range []string{"PATCH comments/{id}", "DELETE comments/{id}"} {
				assert.Equal(t, asked[call], c.frameio.Calls()[call], call)
			}
			if replies == frameiosim.RepliesUnknown {
				assert.Len(t, c.frameioIDs(), 2)
				assert.Contains(t, c.notes(), "rejected a change")
				assert.Contains(t, c.notes(), "delete it there")
				assert.Len(t, c.row().Notes, 2)
				return
			}
			assert.Len(t, c.frameioIDs(), 1)
			assert.Empty(t, c.notes())
		})
	}
}

// Many edits in iconik, of which V4 takes ten a minute, do not keep what is new waiting.
func TestWhatIsNewDoesNotWaitForEdits(t *testing.T) {
	t.Parallel()
	c, ref := openReview(t, "v4", 0)
	full := workflows.SyncInput{ReviewRef: ref, Full: true}
	for n := range 50 {
		c.iconik.Comment(c.asset, c.iconik.ServiceUser(), fmt.Sprint("remark ", n), nil, nil, "", nil)
	}
	require.NoError(t, c.sync(full, 0))
	for _, id := range c.segmentIDs() {
		require.NoError(t, c.iconik.EditSegment(c.asset, id, map[string]any{"segment_checked": true}))
	}
	c.iconik.Comment(c.asset, c.iconik.ServiceUser(), "remark 50", nil, nil, "", nil)
	require.NoError(t, c.sync(full, 0))
	assert.Len(t, c.frameioIDs(), 51)
	assert.LessOrEqual(t, c.frameio.Calls()["PATCH comments/{id}"], 20)
	for range 2 {
		require.NoError(t, c.sync(full, 0))
	}
	assert.Empty(t, c.equal(ref))
}

// What iconik has no place for stands behind a comment's text, and does not come back with it.
func TestWhatACommentCarriesIsNamed(t *testing.T) {
	t.Parallel()
	c, ref := openReview(t, "v4", 0)
	full := workflows.SyncInput{ReviewRef: ref, Full: true}
	c.frameio.AddComment(frameiosim.Comment{AssetID: c.file, Text: "see the guide", Anchor: &frameiosim.Point{X: 0.5, Y: 0.25}, Links: []frameiosim.TextLink{{Start: 8, End: 13, URL: "https://brand.example/guide"}},
		Attachments: []frameiosim.Attachment{{ID: "a", Name: "logo.pdf", MediaType: "application/pdf", Size: 10}}})
	require.NoError(t, c.sync(full, 0))
	said := c.texts(c.asset)[0]
	assert.Equal(t, "Sam Sandbox <sam@example.com>: see the guide [link in Frame.io: https://brand.example/guide] [attached in Frame.io: logo.pdf]", said)
	assert.NotNil(t, c.iconik.Segments(c.asset)[0]["drawing"], "the place")
	require.NoError(t, c.iconik.EditSegment(c.asset, c.segmentIDs()[0], map[string]any{"segment_text": strings.ReplaceAll(said, "see", "mind")}))
	require.NoError(t, c.sync(full, 0))
	assert.Equal(t, "mind the guide", c.frameio.CommentsOf(c.file)[0].Text)
	require.NoError(t, c.sync(full, 0))
	assert.Equal(t, strings.ReplaceAll(said, "see", "mind"), c.texts(c.asset)[0])
}

// What V4 takes of no file of this kind, a time where nothing plays or a drawing on sound, does not cost the words.
func TestAFilesKindDecidesWhatItsCommentsHave(t *testing.T) {
	t.Parallel()
	for media, forbidden := range map[string]string{"application/vnd.ms-powerpoint": `"timestamp"`, "image/png": `"timestamp"`, "audio/wav": `"annotation"`} {
		c, ref, fio, _ := pickyReview(t, "v4")
		_, err := c.book.Tenant(tenantID).Review(reviewID).UpdateAsset(t.Context(), 1, func(row *ledger.ReviewAsset) {
			row.MediaType, row.FrameNum, row.FrameDen = media, 0, 0
		})
		require.NoError(t, err)
		fio.dislikes("^POST .*comments", forbidden, http.StatusUnprocessableEntity)
		zero := int64(0)
		drawing := map[string]any{"primitives": []any{map[string]any{"type": "LINE", "color": "#ff0000", "points": []any{map[string]any{"x": 0, "y": 0}, map[string]any{"x": 1, "y": 1}}}}}
		c.iconik.Comment(c.asset, c.iconik.ServiceUser(), "remark", &zero, &zero, "", drawing)
		require.NoError(t, c.sync(workflows.SyncInput{ReviewRef: ref, Full: true}, 0))
		require.Len(t, c.frameioIDs(), 1, media)
		said := c.frameio.CommentsOf(c.file)[0]
		assert.Equal(t, media == "audio/wav", strings.Contains(said.Text, "also drawn in iconik"), media)
		assert.Equal(t, media == "audio/wav", said.Annotation == "", media)
		assert.Empty(t, c.notes())
	}
}
