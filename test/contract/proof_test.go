package contract

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/framebridge/framebridge/clients/iconik"
	"github.com/framebridge/framebridge/ledger"
	"github.com/framebridge/framebridge/sandbox/frameiosim"
)

// proved is a small project with one comment of each kind.
type proved struct {
	*stacks
	file, other, over, drawn, reply, team, day, share string // ids in Frame.io
}

const arrow = `[{"tool":"arrow","color":"#ff0000","size":4,"x":0.1,"y":0.2,"w":0.233333,"h":0.2}]`

func openProved(t *testing.T, generation string, change ...func(*harnessOptions)) *proved {
	s := openStacks(t, generation, change...)
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
	p.team = say(frameiosim.Comment{Text: "not for the client", Private: true})
	p.day = s.frameio.AddFolder(s.root, "Day 1").ID
	more, err := s.frameio.AddFile(p.day, frameiosim.File{Name: "other.mov", Type: "video/quicktime", Body: []byte("another"), FPS: 25, Frames: 250})
	require.NoError(t, err)
	p.other = more.ID
	p.share = s.frameio.AddShare(frameiosim.Share{Kind: "presentation", Name: "For Rita", ProjectID: s.project.ID, Items: []string{f.ID}}).ID
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

// change is what somebody does in iconik, and the row that names it.
type change func(*proved) (property, name, frameio, iconik string)

var changesOfComments = map[string]change{
	"text": func(p *proved) (string, string, string, string) {
		p.edit(p.over, map[string]any{"segment_text": "much darker"})
		return "text", "a little darker", "Rita Reyes <rita@client.example>: a little darker", "much darker"
	},
	"time": func(p *proved) (string, string, string, string) {
		p.edit(p.over, map[string]any{"time_start_milliseconds": 480, "time_end_milliseconds": 520})
		return "time", "a little darker", "400 ms", "480 to 520 ms"
	},
	"no time": func(p *proved) (string, string, string, string) {
		p.edit(p.over, map[string]any{"time_start_milliseconds": nil, "time_end_milliseconds": nil})
		return "time", "a little darker", "400 ms", "none"
	},
	"completion": func(p *proved) (string, string, string, string) {
		p.edit(p.over, map[string]any{"segment_checked": true})
		return "completion", "a little darker", "open", "completed"
	},
	"author": func(p *proved) (string, string, string, string) {
		p.iconik.SetSegmentValues(str(p.segment(p.over)["id"]), map[string]string{"framebridge_author": "Rick Rose"})
		return "field Author", "a little darker", "Rita Reyes", "Rick Rose"
	},
	"team only": func(p *proved) (string, string, string, string) {
		p.edit(p.team, map[string]any{"is_internal": false})
		return "team only", "not for the client", "yes", "no"
	},
	"drawing": func(p *proved) (string, string, string, string) {
		p.edit(p.drawn, map[string]any{"drawing": nil})
		return "drawing", "this one", "ARROW #ff0000 4 px (0.1 0.2) (0.3333 0.4)", "none"
	},
}

var changesOfAssets = map[string]change{
	"title": func(p *proved) (string, string, string, string) {
		p.asset(func(d map[string]any) { d["title"] = "Final cut" })
		return "title", "", "cut.mov", "Final cut"
	},
	"collection": func(p *proved) (string, string, string, string) {
		p.asset(func(d map[string]any) { d["in_collections"] = []string{} })
		return "collection", "", "in the project itself", "not in its collection"
	},
	"field": func(p *proved) (string, string, string, string) {
		p.iconik.SetValues(p.item(p.t, "cut.mov").AssetID, map[string]string{"framebridge_source_path": "elsewhere"})
		return "field", "Frame.io path", "cut.mov", "elsewhere"
	},
	"number": func(p *proved) (string, string, string, string) {
		p.iconik.SetValues(p.item(p.t, "cut.mov").AssetID, map[string]string{"framebridge_rating": "3"})
		return "field", "Rating", "", "3"
	},
}

// Of what is beside the files: the folder "Day 1" and a presentation of the file.
var changesOfCollections = map[string]change{
	"folder's title": func(p *proved) (string, string, string, string) {
		p.collection("Day 1", func(d map[string]any) { d["title"] = "Monday" })
		return "title", "", "Day 1", "Monday"
	},
	"folder's place": func(p *proved) (string, string, string, string) {
		p.collection("Day 1", func(d map[string]any) { d["parent_id"] = "elsewhere" })
		return "parent collection", "", "in its folder's place", "moved to another collection"
	},
	"presentation's title": func(p *proved) (string, string, string, string) {
		p.collection("For Rita", func(d map[string]any) { d["title"] = "For everybody" })
		return "title", "", "For Rita", "For everybody"
	},
	"presentation's references": func(p *proved) (string, string, string, string) {
		p.add("For Rita", "other.mov")
		return "reference", "other.mov", "not in it", "in it"
	},
}

// collection lets somebody change a collection in iconik, by its title.
func (p *proved) collection(title string, change func(map[string]any)) string {
	for _, d := range p.iconik.Docs("collections") {
		if str(d["title"]) == title && str(d["status"]) != "DELETED" {
			p.iconik.ChangeDoc("collections", str(d["id"]), func(d map[string]any) bool { change(d); return true })
			return str(d["id"])
		}
	}
	p.t.Fatalf("no collection %q", title)
	return ""
}

// add lets somebody put a file's asset into another collection.
func (p *proved) add(collection, file string) {
	id := p.collection(collection, func(map[string]any) {})
	client, err := iconik.New(p.harness.config.Tenants[tenantID].Iconik)
	require.NoError(p.t, err)
	require.NoError(p.t, client.Collections.Add(p.t.Context(), id, "assets", p.item(p.t, file).AssetID))
}

// asset lets somebody change the asset of the file in iconik.
func (p *proved) asset(change func(map[string]any)) {
	p.iconik.ChangeDoc("assets", p.item(p.t, "cut.mov").AssetID, func(d map[string]any) bool { change(d); return true })
}

// tells: V4 tells no addresses, and no comments that are for the team only.
func (p *proved) tells(change string) bool {
	return p.generation != "v4" || change != "text" && change != "team only"
}

// eachChange plays changes in iconik; the fast suite every second one, from the first or from the second.
func eachChange(t *testing.T, from int, test func(t *testing.T, p *proved, c change)) {
	for _, generation := range played() {
		for of, changes := range map[string]map[string]change{"comment": changesOfComments, "asset": changesOfAssets, "collection": changesOfCollections} {
			for i, name := range slices.Sorted(maps.Keys(changes)) {
				if !sampled(from+i, 2) {
					continue
				}
				t.Run(generation+" "+of+" "+name, func(t *testing.T) {
					if p := openProved(t, generation); p.tells(name) {
						test(t, p, changes[name])
					}
				})
			}
		}
	}
}

// What somebody changes in iconik, after it was brought over, is named with both values and left as it is.
func TestWhatIsChangedInIconikIsNamed(t *testing.T) {
	t.Parallel()
	eachChange(t, 0, func(t *testing.T, p *proved, c change) {
		var want []string
		p.beforeProof = func() {
			property, name, frameio, iconik := c(p)
			want = []string{"changed in iconik", property, name, frameio, iconik}
		}
		fin := p.again(t)
		assert.Equal(t, "verified_with_exceptions", fin.Status, fin.Reason)
		assert.Contains(t, fin.Reason, "changed in iconik: 1")
		assert.Equal(t, [][]string{want}, p.rows())

		fin = p.again(t)
		assert.Equal(t, "verified_with_exceptions", fin.Status, fin.Reason)
		assert.False(t, fin.Changed, "nothing is new")
		assert.Equal(t, [][]string{want}, p.rows(), "nobody's change is taken back")
	})
}

// With archive.on_difference: restore, it gets Frame.io's value again, and the report says so.
func TestWhatIsChangedInIconikIsRestored(t *testing.T) {
	t.Parallel()
	eachChange(t, 1, func(t *testing.T, p *proved, c change) {
		p.config.Tenants[tenantID].Archive.OnDifference = "restore"
		verdict := p.noted()
		var want []string
		p.beforeProof = func() {
			property, name, frameio, iconik := c(p)
			want = []string{"restored", property, name, frameio, iconik}
		}
		fin := p.again(t)
		if want[1] == "reference" { // it takes nothing away that somebody added
			assert.Equal(t, "verified_with_exceptions", fin.Status, fin.Reason)
			return
		}
		assert.Equal(t, verdict, fin.Status, fin.Reason)
		assert.Equal(t, [][]string{want}, p.rows())

		fin = p.again(t)
		assert.Equal(t, verdict, fin.Status, fin.Reason)
		assert.Empty(t, p.rows(), "it is as it was")
		assert.False(t, p.again(t).Changed)
	})
}

// rows are the differences, without ids.
func (p *proved) rows() (out [][]string) {
	for _, d := range p.differences() {
		out = append(out, []string{string(d.Kind), d.Property, d.Name, d.Frameio, d.Iconik})
	}
	return out
}

// iconik moves no reply to another thread; that one stands in another is named all the same.
func TestAReplyInAnotherThreadIsNamed(t *testing.T) {
	t.Parallel()
	for _, mode := range []string{"report", "restore"} {
		p := openProved(t, "legacy")
		p.config.Tenants[tenantID].Archive.OnDifference = mode
		p.beforeProof = func() {
			other := str(p.segment(p.drawn)["id"])
			p.iconik.ChangeDoc("segments", str(p.segment(p.reply)["id"]), func(d map[string]any) bool { d["parent_id"] = other; return true })
		}
		fin := p.again(t)
		assert.Equal(t, "verified_with_exceptions", fin.Status, fin.Reason)
		rows := p.rows()
		require.Len(t, rows, 1)
		assert.Equal(t, []string{"changed in iconik", "parent", "yes"}, rows[0][:3])
	}
}

// Nor does Framebridge if Frame.io now has it in another thread: that is reported, too. A reply to a reply that V4 shows under the comment
// above both, as after an account migration, is in the right thread.
func TestACommentThatFrameioHasInAnotherThreadIsNamed(t *testing.T) {
	t.Parallel()
	p := openProved(t, "legacy")
	deeper := p.frameio.AddComment(frameiosim.Comment{AssetID: p.file, ParentID: p.reply, Text: "and warmer"}).ID
	p.run()
	under := func(id, parent string) {
		require.True(t, p.frameio.Edit(id, func(c *frameiosim.Comment) { c.ParentID = parent }))
	}
	under(deeper, p.over)
	p.run()
	for _, change := range []struct{ comment, parent, name, frameio, iconik string }{
		{deeper, p.drawn, "and warmer", "in the thread of this one", "in the thread of Rita Reyes <rita@client.example>: a little darker"},
		{p.drawn, p.over, "this one", "in the thread of a little darker", "none"}, // and with it the previous one
	} {
		under(change.comment, change.parent)
		for range 2 {
			fin := p.again(t)
			assert.Equal(t, "verified_with_exceptions", fin.Status, fin.Reason)
			assert.Equal(t, [][]string{{"differ", "parent", change.name, change.frameio, change.iconik}}, p.rows())
		}
	}
	under(p.drawn, "")
	under(deeper, p.over)
	p.run()
	assert.Empty(t, p.rows())
}

// What changes of a comment in Frame.io, after it was brought over, is brought over by the same run.
func TestACommentChangedInFrameioFollows(t *testing.T) {
	t.Parallel()
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
		for _, generation := range played() {
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
	t.Parallel()
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
	t.Parallel()
	for _, generation := range played() {
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

// What changes of files, folders and presentations in Frame.io, after they were brought over, is brought over by the same run or, where
// it was deleted, named and kept.
func TestWhatChangesInFrameioFollows(t *testing.T) {
	t.Parallel()
	title := func(kind, external string) func(p *proved) any {
		return func(p *proved) any {
			for _, d := range p.iconik.Docs(kind) {
				if strings.HasSuffix(str(d["external_id"]), ":"+external) {
					return str(d["title"])
				}
			}
			return nil
		}
	}
	changes := map[string]struct {
		change func(*proved)
		have   func(*proved) any
		want   any
		extra  []string
	}{
		"a file's name": {change: func(p *proved) { p.frameio.RenameAsset(p.file, "final.mov") }, have: func(p *proved) any { return title("assets", p.file)(p) }, want: "final.mov"},
		"a file's place": {change: func(p *proved) { p.frameio.MoveAsset(p.file, p.day) }, have: func(p *proved) any {
			return slices.Contains(p.iconik.CollectionsOf(p.item(p.t, "cut.mov").AssetID), "frameio:folder:"+p.day)
		}, want: true},
		"a folder's name": {change: func(p *proved) { p.frameio.RenameAsset(p.day, "Day one") }, have: func(p *proved) any { return title("collections", p.day)(p) }, want: "Day one"},
		"a share's name":  {change: func(p *proved) { p.frameio.EditShare(p.share, func(s *frameiosim.Share) { s.Name = "For all" }) }, have: func(p *proved) any { return title("collections", p.share)(p) }, want: "For all"},
		"more in a share": {change: func(p *proved) {
			p.frameio.EditShare(p.share, func(s *frameiosim.Share) { s.Items = append(slices.Clone(s.Items), p.other) })
		}, have: func(p *proved) any { return len(p.iconik.CollectionsOf(p.item(p.t, "other.mov").AssetID)) }, want: 2},
		"less in a share": {change: func(p *proved) {
			p.frameio.EditShare(p.share, func(s *frameiosim.Share) { s.Items = []string{p.other} })
		},
			extra: []string{"extra", "reference", "cut.mov", "no longer in it", "in it"}},
		"a file's status": {change: func(p *proved) { p.frameio.Label(p.file, "approved") }, have: func(p *proved) any {
			return p.iconik.Values("assets", p.item(p.t, "cut.mov").AssetID)["framebridge_status"]
		}, want: "approved"},
		"a folder's place": {change: func(p *proved) { p.frameio.MoveAsset(p.day, p.frameio.AddFolder(p.root, "Week 1").ID) }, have: func(p *proved) any {
			parent := ""
			for _, d := range p.iconik.Docs("collections") {
				if str(d["external_id"]) == "frameio:folder:"+p.day {
					parent = str(d["parent_id"])
				}
			}
			return p.collection("Week 1", func(map[string]any) {}) == parent
		}, want: true},
		"a newer version": {change: func(p *proved) {
			newer, err := p.frameio.AddFile(p.root, frameiosim.File{Name: "cut.mov", Type: "video/quicktime", Body: []byte("a newer cut"), FPS: 25, Frames: 250})
			require.NoError(p.t, err)
			p.frameio.Stack(p.file, newer.ID)
		}, have: func(p *proved) any { return len(p.iconik.ActiveVersions(p.item(p.t, "cut.mov").AssetID)) }, want: 2},
		"a file moves to another project": {change: func(p *proved) {
			p.frameio.MoveAsset(p.file, p.frameio.AddProject(p.frameio.AddTeam("Elsewhere").ID, "Elsewhere").RootID)
		}, extra: []string{"extra", "file", "", "no longer in this project", "cut.mov"}},
		"a file is deleted": {change: func(p *proved) { p.frameio.DeleteAsset(p.file) }, extra: []string{"extra", "file", "", "deleted", "cut.mov"}},
	}
	for i, name := range slices.Sorted(maps.Keys(changes)) {
		c := changes[name]
		for _, generation := range played() {
			if !sampled(i, 2) {
				continue
			}
			t.Run(generation+" "+name, func(t *testing.T) {
				p := openProved(t, generation)
				verdict := p.noted()
				p.beforeCompare = func() { c.change(p) }
				fin := p.again(t)
				if c.extra != nil {
					assert.Equal(t, "verified_with_exceptions", fin.Status, fin.Reason)
					assert.Contains(t, p.rows(), c.extra)
					return
				}
				assert.Equal(t, verdict, fin.Status, fin.Reason)
				assert.Equal(t, c.want, c.have(p))
				assert.Empty(t, p.rows())
				assert.False(t, p.again(t).Changed)
			})
		}
	}
}

// Versions that stand in another order in iconik, or behind one that somebody made there, are named.
func TestVersionsChangedInIconikAreNamed(t *testing.T) {
	t.Parallel()
	for _, generation := range played() {
		t.Run(generation, func(t *testing.T) {
			s := openStacks(t, generation)
			s.frameio.AddStack(s.file(s.root, "a.mov"), s.file(s.root, "b.mov"), s.file(s.root, "c.mov"))
			p := &proved{stacks: s}
			var asset string
			p.beforeProof = func() {
				asset = p.item(t, "b.mov").AssetID
				p.iconik.ChangeDoc("assets", asset, func(d map[string]any) bool {
					versions, err := json.Marshal(d["versions"])
					require.NoError(t, err)
					var list []any
					require.NoError(t, json.Unmarshal(versions, &list))
					first, second := list[0].(map[string]any), list[1].(map[string]any)
					first["version_number"], second["version_number"] = second["version_number"], first["version_number"]
					d["versions"] = list
					return true
				})
			}
			fin := p.again(t)
			assert.Equal(t, "verified_with_exceptions", fin.Status, fin.Reason)
			assert.Equal(t, [][]string{{"changed in iconik", "order of versions", "", "1, 2, 3", "2, 1, 3"}}, p.rows())

			require.NoError(t, p.iconik.AddVersion(asset, "mine.mov", []byte("mine")))
			fin = p.again(t)
			assert.Equal(t, "verified_with_exceptions", fin.Status, fin.Reason)
			assert.Contains(t, p.rows(), []string{"changed in iconik", "current version", "", "version 3", "a version that Framebridge did not make"})
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
