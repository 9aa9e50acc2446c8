package contract

import (
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/framebridge/framebridge/ledger"
	"github.com/framebridge/framebridge/sandbox/frameiosim"
)

// proved is a small project with one comment of each kind.
type proved struct {
	*stacks
	file, over, drawn, reply string // ids in Frame.io
}

const arrow = `[{"tool":"arrow","color":"#ff0000","size":4,"x":0.1,"y":0.2,"w":0.233333,"h":0.2}]`

func openProved(t *testing.T, generation string) *proved {
	s := openStacks(t, generation)
	f, err := s.frameio.AddFile(s.root, frameiosim.File{Name: "cut.mov", Type: "video/quicktime", Body: []byte("a cut"), FPS: 25, Frames: 250})
	require.NoError(t, err)
	rita := &frameiosim.User{ID: "rita", Name: "Rita Reyes", Email: "rita@client.example"}
	at, other := int64(10), int64(50)
	say := func(c frameiosim.Comment) string {
		c.AssetID, c.Owner = f.ID, rita
		return s.frameio.AddComment(c).ID
	}
	p := &proved{stacks: s, file: f.ID}
	p.over = say(frameiosim.Comment{Text: "a little darker", Timestamp: &at})
	p.drawn = say(frameiosim.Comment{Text: "this one", Timestamp: &other, Annotation: arrow})
	p.reply = say(frameiosim.Comment{Text: "yes", ParentID: p.over})
	return p
}

// segment is the iconik comment made of one of Frame.io's.
func (p *proved) segment(comment string) map[string]any {
	p.t.Helper()
	for _, g := range p.iconik.Segments(p.item(p.t, "cut.mov").AssetID) {
		if str(g["external_id"]) == "frameio:comment:"+comment {
			return g
		}
	}
	p.t.Fatalf("no segment of comment %s", comment)
	return nil
}

func (p *proved) edit(comment string, change map[string]any) {
	p.t.Helper()
	g := p.segment(comment)
	require.NoError(p.t, p.iconik.EditSegment(str(g["asset_id"]), str(g["id"]), change))
}

func (p *proved) differences() []ledger.Difference {
	p.t.Helper()
	rows, err := p.book.Tenant(tenantID).Archive(p.project.ID).Differences(p.t.Context(), 100)
	require.NoError(p.t, err)
	return rows
}

// What somebody changes of a comment in iconik, after it was brought over, is named with both values and left as it is.
func TestACommentChangedInIconikIsNamed(t *testing.T) {
	changes := map[string]func(*proved) (property, frameio, iconik string){
		"text": func(p *proved) (string, string, string) {
			p.edit(p.over, map[string]any{"segment_text": "much darker"})
			return "text", "Rita Reyes <rita@client.example>: a little darker", "much darker"
		},
		"time": func(p *proved) (string, string, string) {
			p.edit(p.over, map[string]any{"time_start_milliseconds": 480, "time_end_milliseconds": 520})
			return "time", "400 ms", "480 to 520 ms"
		},
		"no time": func(p *proved) (string, string, string) {
			p.edit(p.over, map[string]any{"time_start_milliseconds": nil, "time_end_milliseconds": nil})
			return "time", "400 ms", "none"
		},
		"completion": func(p *proved) (string, string, string) {
			p.edit(p.over, map[string]any{"segment_checked": true})
			return "completion", "open", "completed"
		},
		"drawing": func(p *proved) (string, string, string) {
			p.edit(p.drawn, map[string]any{"drawing": nil})
			return "drawing", "ARROW #ff0000 4 px (0.1 0.2) (0.3333 0.4)", "none"
		},
		"parent": func(p *proved) (string, string, string) {
			other, over := str(p.segment(p.drawn)["id"]), str(p.segment(p.over)["id"])
			p.iconik.ChangeDoc("segments", str(p.segment(p.reply)["id"]), func(d map[string]any) bool { d["parent_id"] = other; return true })
			return "parent", over, other
		},
	}
	for generation := range generations {
		for name, change := range changes {
			if generation == "v4" && (name == "text" || name == "parent") {
				continue // which tells no addresses, and not who replies
			}
			t.Run(generation+" "+name, func(t *testing.T) {
				p := openProved(t, generation)
				var property, frameio, iconik string
				p.beforeProof = func() { property, frameio, iconik = change(p) }
				fin := p.again(t)
				assert.Equal(t, "verified_with_exceptions", fin.Status, fin.Reason)
				assert.Contains(t, fin.Reason, "changed in iconik: 1")
				rows := p.differences()
				require.Len(t, rows, 1)
				assert.Equal(t, []string{"changed in iconik", property, frameio, iconik, "cut.mov"}, []string{string(rows[0].Kind), rows[0].Property, rows[0].Frameio, rows[0].Iconik, rows[0].Place})

				fin = p.again(t)
				assert.Equal(t, "verified_with_exceptions", fin.Status, fin.Reason)
				assert.False(t, fin.Changed, "nothing is new")
				assert.Equal(t, rows[0].Iconik, p.differences()[0].Iconik, "nobody's change is taken back")
			})
		}
	}
}

// What changes of a comment in Frame.io, after it was brought over, is brought over by the same run.
func TestACommentChangedInFrameioFollows(t *testing.T) {
	edit := func(p *proved, id string, change func(*frameiosim.Comment)) {
		require.True(p.t, p.frameio.Edit(id, change))
	}
	at := int64(75)
	for name, c := range map[string]struct {
		change func(*proved)
		want   func(*proved) (have, want any)
	}{
		"text": {func(p *proved) { edit(p, p.drawn, func(c *frameiosim.Comment) { c.Text = "that one" }) },
			func(p *proved) (any, any) { return withoutAuthor(str(p.segment(p.drawn)["segment_text"])), "that one" }},
		"time": {func(p *proved) { edit(p, p.over, func(c *frameiosim.Comment) { c.Timestamp = &at }) },
			func(p *proved) (any, any) { return fmt.Sprint(p.segment(p.over)["time_start_milliseconds"]), "3000" }},
		"completion": {func(p *proved) { _, _ = p.frameio.Complete(p.over, true) },
			func(p *proved) (any, any) { return p.segment(p.over)["segment_checked"], true }},
		"drawing": {func(p *proved) { edit(p, p.drawn, func(c *frameiosim.Comment) { c.Annotation = "" }) },
			func(p *proved) (any, any) { return p.segment(p.drawn)["has_drawing"], false }},
		"reply": {func(p *proved) { edit(p, p.reply, func(c *frameiosim.Comment) { c.Text = "no" }) },
			func(p *proved) (any, any) { return withoutAuthor(str(p.segment(p.reply)["segment_text"])), "no" }},
	} {
		for generation := range generations {
			t.Run(generation+" "+name, func(t *testing.T) {
				p := openProved(t, generation)
				before := p.noted()
				p.beforeProof = func() { c.change(p) }
				fin := p.again(t)
				require.Equal(t, before, fin.Status, fin.Reason)
				have, want := c.want(p)
				assert.Equal(t, want, have)
				assert.Empty(t, p.differences())
				assert.False(t, p.again(t).Changed)
			})
		}
	}
}

// A comment that is edited in Frame.io and ticked off in iconik gets the one and keeps the other.
func TestACommentChangedOnBothSides(t *testing.T) {
	p := openProved(t, "legacy")
	p.again(t)
	p.edit(p.over, map[string]any{"segment_checked": true})
	require.True(t, p.frameio.Edit(p.over, func(c *frameiosim.Comment) { c.Text = "much darker" }))
	fin := p.again(t)
	assert.Equal(t, "verified_with_exceptions", fin.Status, fin.Reason)
	g := p.segment(p.over)
	assert.Contains(t, g["segment_text"], "much darker")
	assert.Equal(t, true, g["segment_checked"])
	rows := p.differences()
	require.Len(t, rows, 1)
	assert.Equal(t, "completion", rows[0].Property)

	p.edit(p.over, map[string]any{"segment_checked": false})
	fin = p.again(t)
	assert.Equal(t, "verified", fin.Status, fin.Reason)
	assert.Empty(t, p.differences())
}

// A comment that is deleted in Frame.io after its copy is extra, and stays in iconik.
func TestACommentDeletedInFrameioIsExtra(t *testing.T) {
	for generation := range generations {
		t.Run(generation, func(t *testing.T) {
			p := openProved(t, generation)
			p.beforeProof = func() { require.True(t, p.frameio.Unsay(p.drawn)) }
			fin := p.again(t)
			assert.Equal(t, "verified_with_exceptions", fin.Status, fin.Reason)
			rows := p.differences()
			require.Len(t, rows, 1)
			assert.Equal(t, []string{"extra", "comment"}, []string{string(rows[0].Kind), rows[0].Property})
			assert.NotEmpty(t, p.segment(p.drawn))
		})
	}
}

// noted is the verdict of an archive of the same kind that nobody disturbs: V4 does not tell the authors of replies.
func (p *proved) noted() string {
	if p.generation == "v4" {
		return "verified_with_exceptions"
	}
	return "verified"
}

// withoutAuthor is a comment's text without who wrote it.
func withoutAuthor(text string) string { return text[strings.LastIndex(": "+text, ": "):] }
