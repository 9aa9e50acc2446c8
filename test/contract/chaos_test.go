package contract

import (
	"cmp"
	"context"
	"fmt"
	"math/rand/v2"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/framebridge/framebridge/ledger"
	"github.com/framebridge/framebridge/sandbox/faults"
	"github.com/framebridge/framebridge/sandbox/frameiosim"
	"github.com/framebridge/framebridge/sandbox/samples"
	"github.com/framebridge/framebridge/test/temporaltest"
	"github.com/framebridge/framebridge/workflows"
)

// chaos is a review whose two sides people change at random, while calls fail and answers are lost.
type chaos struct {
	*harness
	t     *testing.T
	r     *rand.Rand
	asset string
	file  string
	said  int
	root  string // the folder of the project for reviews

	review string // "" is the harness's own
}

func (c *chaos) id() string { return cmp.Or(c.review, reviewID) }

func (c *chaos) frameioIDs() (ids []string) {
	for _, m := range c.frameio.CommentsOf(c.file) {
		ids = append(ids, m.ID)
	}
	return ids
}

func (c *chaos) pick(ids []string) string {
	if len(ids) == 0 {
		return ""
	}
	return ids[c.r.IntN(len(ids))]
}

func (c *chaos) segmentIDs() (ids []string) {
	for _, g := range c.iconik.Segments(c.asset) {
		ids = append(ids, fmt.Sprint(g["id"]))
	}
	return ids
}

// currentIDs are the comments on iconik's current version, which is where people reply.
func (c *chaos) currentIDs() (ids []string) {
	for _, g := range c.iconik.Segments(c.asset) {
		if g["version_id"] == c.iconik.CurrentVersion(c.asset) {
			ids = append(ids, fmt.Sprint(g["id"]))
		}
	}
	return ids
}

// act is one thing that somebody does.
func (c *chaos) act() {
	c.said++
	text := fmt.Sprintf("remark %d", c.said)
	frame := c.r.Int64N(250)
	ms := frame * 40
	fio, ick := c.pick(c.frameioIDs()), c.pick(c.segmentIDs())
	switch c.r.IntN(12) {
	case 0, 1:
		c.frameio.AddComment(frameiosim.Comment{AssetID: c.file, Text: text, Timestamp: &frame, Guest: &frameiosim.User{ID: "g", Name: "Rita", Email: "rita@client.example"}})
	case 2, 3:
		c.iconik.Comment(c.asset, c.iconik.ServiceUser(), text, &ms, &ms, "", nil)
	case 4:
		if fio != "" {
			c.frameio.AddComment(frameiosim.Comment{AssetID: c.file, ParentID: fio, Text: text})
		}
	case 5:
		if ick = c.pick(c.currentIDs()); ick != "" {
			c.iconik.Comment(c.asset, c.iconik.ServiceUser(), text, nil, nil, ick, nil)
		}
	case 6:
		c.frameio.Edit(fio, func(m *frameiosim.Comment) { m.Text = text })
	case 7:
		if ick != "" {
			_ = c.iconik.EditSegment(c.asset, ick, map[string]any{"segment_text": text})
		}
	case 8:
		c.frameio.Edit(fio, func(m *frameiosim.Comment) { m.Timestamp, m.Completed = &frame, !m.Completed })
	case 9:
		if ick != "" {
			_ = c.iconik.EditSegment(c.asset, ick, map[string]any{"time_start_milliseconds": ms, "time_end_milliseconds": ms, "segment_checked": c.r.IntN(2) == 0})
		}
	case 10:
		c.frameio.Unsay(fio)
	case 11:
		if ick != "" {
			_ = c.iconik.DeleteSegment(c.asset, ick)
		}
	}
}

// spoil makes some of the next calls fail, or their answers get lost.
func (c *chaos) spoil() {
	c.frameio.ClearFaults()
	c.iconik.ClearFaults()
	for range c.r.IntN(3) {
		f := faults.Fault{Match: `^(POST|PUT|PATCH|DELETE) .*(comments|segments)`, Times: 1 + c.r.IntN(2), After: c.r.IntN(3)}
		switch c.r.IntN(3) {
		case 0:
			f.Status = http.StatusInternalServerError
		case 1:
			f.Lose = true
		case 2:
			f.Match, f.Status = `^GET`, http.StatusBadGateway
			f.Times = 4
		}
		if c.r.IntN(2) == 0 {
			require.NoError(c.t, c.frameio.AddFault(f))
		} else {
			require.NoError(c.t, c.iconik.AddFault(f))
		}
	}
}

// sync runs the activity as a worker would; it may be cut off at any moment.
func (c *chaos) sync(in workflows.SyncInput, cut time.Duration) error {
	env := temporaltest.Activities()
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	if cut > 0 {
		time.AfterFunc(cut, cancel)
	}
	sync := func(actx context.Context) (workflows.SyncResult, error) {
		actx, stop := context.WithCancel(actx)
		defer context.AfterFunc(ctx, stop)()
		return c.acts.Review.SyncReview(actx, in)
	}
	env.RegisterActivity(sync)
	_, err := env.ExecuteActivity(sync)
	return err
}

// equal says what differs between the two sides, and whether a remark is there twice.
func (c *chaos) equal(ref workflows.ReviewRef) []string {
	rows, err := c.book.Tenant(tenantID).Review(ref.Review).Comments(context.Background(), 0)
	require.NoError(c.t, err)
	fio, ick := map[string]frameiosim.Comment{}, map[string]map[string]any{}
	versions := map[string]bool{}
	for _, it := range c.rows() {
		versions[it.VersionID] = true
		for _, m := range c.frameio.CommentsOf(it.FileID) {
			fio[m.ID] = m
		}
	}
	for _, g := range c.iconik.Segments(c.asset) {
		if versions[fmt.Sprint(g["version_id"])] {
			ick[fmt.Sprint(g["id"])] = g
		}
	}
	for _, row := range rows {
		if row.Older {
			delete(ick, row.IconikID)
		}
	}
	var wrong []string
	pairs := 0
	gone := map[string]bool{}
	for _, row := range rows {
		gone[row.ID] = row.Deleted
	}
	for _, row := range rows {
		if row.Older {
			continue
		}
		m, inFio := fio[row.FrameioID]
		g, inIck := ick[row.IconikID]
		if row.Deleted || !inFio || !inIck {
			if inFio || inIck {
				wrong = append(wrong, fmt.Sprintf("%q is on one side only (Frame.io %v, iconik %v, deleted %v)", row.Text, inFio, inIck, row.Deleted))
			}
			continue
		}
		pairs++
		text := fmt.Sprint(g["segment_text"])
		if !strings.Contains(text, row.Text) || !strings.Contains(m.Text, row.Text) || lastWords(text) != lastWords(m.Text) {
			wrong = append(wrong, fmt.Sprintf("texts differ: %q in Frame.io, %q in iconik", m.Text, text))
		}
		if m.Completed != (g["segment_checked"] == true) {
			wrong = append(wrong, fmt.Sprintf("%q is completed on one side", m.Text))
		}
		if c.generation == "v4" && row.ParentID != "" { // a reply is a quotation there, at its parent's frame
			continue
		}
		if ms, ok := asInt(g["time_start_milliseconds"]); ok != (m.Timestamp != nil) || ok && ms/40 != *m.Timestamp {
			wrong = append(wrong, fmt.Sprintf("%q is at %v ms and at frame %v", m.Text, g["time_start_milliseconds"], m.Timestamp))
		}
		// A reply to what was deleted stands alone.
		_, parentInIck := ick[fmt.Sprint(g["parent_id"])]
		_, parentInFio := fio[m.ParentID]
		if parentInIck != parentInFio && !gone[row.ParentID] {
			wrong = append(wrong, fmt.Sprintf("%q is a reply on one side only: to %q in Frame.io, to %q in iconik, known from %s, row parent %q", m.Text, fio[m.ParentID].Text, ick[fmt.Sprint(g["parent_id"])]["segment_text"], row.Origin, row.ParentID))
		}
	}
	if pairs != len(fio) || pairs != len(ick) {
		wrong = append(wrong, fmt.Sprintf("%d comments in Frame.io, %d in iconik, %d pairs", len(fio), len(ick), pairs))
	}
	return wrong
}

// lastWords is "remark N", what is left of a text without its writers.
func lastWords(text string) string {
	if i := strings.LastIndex(text, "remark "); i >= 0 {
		return text[i:]
	}
	return text
}

func asInt(v any) (int64, bool) {
	switch v := v.(type) {
	case float64:
		return int64(v), true
	case int64:
		return v, true
	}
	return 0, false
}

// openReview is an open review of one clip, and whoever acts on both of its sides.
func openReview(t *testing.T, generation string, seed int) (*chaos, workflows.ReviewRef) {
	t.Helper()
	return open(t, &Checker{}, &Checker{}, "S3", map[string]any{"bucket": "iconik-files"}, generation).openReview(t, seed)
}

func (b *harness) openReview(t *testing.T, seed int) (*chaos, workflows.ReviewRef) {
	t.Helper()
	asset, err := b.iconik.AddAsset("Take.mov", "", samples.Media("25.mov"))
	require.NoError(t, err)
	project := b.frameio.AddProject(b.project.TeamID, "iconik Reviews")
	file, err := b.frameio.AddFile(project.RootID, frameiosim.File{Name: "Take.mov", Type: "video/quicktime", Body: samples.Media("25.mov"), FPS: 25, Frames: 250})
	require.NoError(t, err)
	b.frameio.SetWatermark(true)
	link := b.frameio.AddShare(frameiosim.Share{Kind: "review_link", ProjectID: project.ID, Name: "Take.mov", Items: []string{file.ID}, Watermark: true})
	ref := b.request(t, time.Hour, asset)
	_, err = b.book.Tenant(tenantID).Review(reviewID).Update(t.Context(), func(r *ledger.Review) {
		r.Status, r.Generation, r.ShareID, r.ProjectID, r.Title = ledger.ReviewOpen, b.generation, link.ID, project.ID, "Take.mov"
		r.RequestedBy = ledger.Person{} // there is no mail server here
	})
	require.NoError(t, err)
	_, err = b.book.Tenant(tenantID).Review(reviewID).AddAssets(t.Context(), func([]ledger.ReviewAsset) []ledger.ReviewAsset {
		return []ledger.ReviewAsset{{AssetID: asset, VersionID: b.iconik.CurrentVersion(asset), Title: "Take.mov", FileID: file.ID, Label: "none", State: ledger.AssetReady, FrameNum: 25, FrameDen: 1, SeenIconik: true}}
	})
	require.NoError(t, err)
	return &chaos{harness: b, t: t, r: rand.New(rand.NewPCG(uint64(seed), 1)), asset: asset, file: file.ID, root: project.RootID}, ref
}
