package contract

import (
	"encoding/json"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/framebridge/framebridge/sandbox/frameiosim"
)

// A field that somebody has changed in iconik stays, and is named, when Frame.io changes another field of the file before the next
// run; with restore it gets Frame.io's value again, and the report says so.
func TestAFieldChangedOnBothSides(t *testing.T) {
	t.Parallel()
	for _, generation := range played() {
		for _, mode := range []string{"report", "restore"} {
			t.Run(generation+" "+mode, func(t *testing.T) {
				p := openProved(t, generation)
				p.config.Tenants[tenantID].Archive.OnDifference = mode
				p.again(t)
				asset := p.item(t, "cut.mov").AssetID
				p.iconik.SetValues(asset, map[string]string{"framebridge_source_path": "elsewhere", "framebridge_rating": "3"})
				p.frameio.Label(p.file, "approved")
				kind, path, rating := "changed in iconik", "elsewhere", "3"
				if mode == "restore" {
					kind, path, rating = "restored", "cut.mov", ""
				}
				p.again(t)
				have := p.iconik.Values("assets", asset)
				assert.Equal(t, []string{"approved", path, rating}, []string{have["framebridge_status"], have["framebridge_source_path"], have["framebridge_rating"]})
				assert.ElementsMatch(t, [][]string{{kind, "field", "Frame.io path", "cut.mov", "elsewhere"}, {kind, "field", "Rating", "", "3"}}, p.rows())

				// What both have changed is named, too.
				p.iconik.SetValues(asset, map[string]string{"framebridge_status": "mine"})
				p.frameio.Label(p.file, "in_progress")
				p.again(t)
				now := p.iconik.Values("assets", asset)["framebridge_status"]
				if mode == "restore" {
					assert.NotEqual(t, "mine", now)
					assert.Equal(t, "restored", p.rows()[0][0])
					return
				}
				assert.Equal(t, "mine", now)
				assert.Len(t, p.rows(), 3)
				assert.False(t, p.again(t).Changed)
			})
		}
	}
}

// V4's fields: those that people fill in, those that Frame.io fills in by itself, and one that Frame.io has no value of.
func TestFieldsOfV4ChangedInIconik(t *testing.T) {
	t.Parallel()
	p := openProved(t, "v4")
	slate, notes := p.frameio.AddField("Slate", "text"), p.frameio.AddField("Notes", "long_text")
	p.frameio.SetField(p.file, slate, "12A")
	p.frameio.SetField(p.other, notes, "of another file")
	p.again(t)
	asset := p.item(t, "cut.mov").AssetID
	label := map[string]string{}
	for _, f := range p.iconik.Docs("fields") {
		label[str(f["label"])] = str(f["name"])
	}
	before := p.iconik.Values("assets", asset)
	var own string // a field that Frame.io fills in by itself
	for l, name := range label {
		if before[name] != "" && l != "Slate" && name[:8] == "frameio_" {
			own = l
			break
		}
	}
	require.NotEmpty(t, own, "%v %v", label, before)
	p.iconik.SetValues(asset, map[string]string{label["Notes"]: "mine", label[own]: "4711"})
	p.frameio.SetField(p.file, slate, "12B")
	p.again(t)
	have := p.iconik.Values("assets", asset)
	assert.Equal(t, []string{"12B", "mine", "4711"}, []string{have[label["Slate"]], have[label["Notes"]], have[label[own]]})
	rows := p.rows()
	require.Len(t, rows, 1, "%v", rows)
	assert.Equal(t, []string{"field", own, "4711"}, []string{rows[0][1], rows[0][2], rows[0][4]})
	assert.False(t, p.again(t).Changed)
}

// An older version's fields, which iconik lets nobody write, are named where they are otherwise: changed there, or said of it in
// Frame.io when it was the older one already.
func TestFieldsOfOlderVersions(t *testing.T) {
	t.Parallel()
	for _, generation := range played() {
		t.Run(generation, func(t *testing.T) {
			s := openStacks(t, generation)
			a := s.file(s.root, "a.mov")
			s.frameio.AddStack(a, s.file(s.root, "b.mov"))
			p := &proved{stacks: s}
			p.again(t)
			it := p.item(t, "a.mov")
			p.iconik.SetVersionValues(it.AssetID, it.VersionID, map[string]string{"framebridge_description": "mine"})
			p.again(t)
			assert.Equal(t, [][]string{{"changed in iconik", "field", "Frame.io description", "", "mine"}}, p.rows())
			p.iconik.SetVersionValues(it.AssetID, it.VersionID, map[string]string{"framebridge_description": ""})
			p.frameio.Label(a.ID, "approved")
			fin := p.again(t)
			assert.Equal(t, "verified_with_exceptions", fin.Status, fin.Reason)
			assert.Equal(t, []string{"differ", "field", "Frame.io status", "approved", "none"}, p.rows()[0])
			assert.False(t, p.again(t).Changed)
		})
	}
}

// Replies that stand in another order than in Frame.io are named.
func TestTheOrderOfReplies(t *testing.T) {
	t.Parallel()
	p := openProved(t, "legacy")
	second := p.frameio.AddComment(reply(p.file, p.over, "and louder")).ID
	p.again(t)
	p.beforeProof = func() {
		p.iconik.ChangeDoc("segments", str(p.segment(second)["id"]), func(d map[string]any) bool { d["date_created"] = "2020-01-01T00:00:00.000000+00:00"; return true })
	}
	fin := p.again(t)
	assert.Equal(t, "verified_with_exceptions", fin.Status, fin.Reason)
	rows, err := json.Marshal(p.rows())
	require.NoError(t, err)
	assert.JSONEq(t, `[["differ","order of replies","a little darker","yes / and louder","and louder / yes"]]`, string(rows))
}

// A collection of V4 that is renamed, and gets another file, between copy and proof follows in the same run.
func TestACollectionThatChangesFollows(t *testing.T) {
	t.Parallel()
	p := openProved(t, "v4")
	c := p.frameio.AddCollection(frameiosim.Collection{Name: "Selects", ProjectID: p.project.ID, Items: []string{p.file}})
	p.beforeCompare = func() {
		p.frameio.EditCollection(c.ID, func(c *frameiosim.Collection) { c.Name, c.Items = "Best of", append(c.Items, p.other) })
	}
	p.again(t)
	id := p.collection("Best of", func(map[string]any) {})
	assert.NotEmpty(t, id)
	assert.Contains(t, p.iconik.CollectionsOf(p.item(t, "other.mov").AssetID), "frameio:collection:"+c.ID)
	assert.False(t, p.again(t).Changed)
}

func reply(file, to, text string) frameiosim.Comment {
	return frameiosim.Comment{AssetID: file, ParentID: to, Text: text, Owner: &frameiosim.User{ID: "rita", Name: "Rita Reyes", Email: "rita@client.example"}}
}
