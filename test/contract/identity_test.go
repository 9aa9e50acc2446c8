package contract

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/framebridge/framebridge/ledger"
	"github.com/framebridge/framebridge/sandbox/frameiosim"
)

// stacks is a small project of files and stacks that people change.
type stacks struct {
	*harness
	t    *testing.T
	root string
	n    int // of files
}

func openStacks(t *testing.T, generation string, change ...func(*harnessOptions)) *stacks {
	t.Helper()
	set := harnessOptions{generation: generation, storage: "S3", settings: map[string]any{"bucket": "iconik-files"}, seed: sample(smallRaw),
		frameio: new(Checker).Wrap, iconik: new(Checker).Wrap, objects: plain}
	for _, c := range change {
		c(&set)
	}
	b := set.open(t)
	p := b.frameio.AddProject(b.project.TeamID, "Stacks - Archived")
	b.project.ID = p.ID
	_, _, err := b.book.Tenant(tenantID).Archive(p.ID).Request(t.Context(), "test", time.Now())
	require.NoError(t, err)
	return &stacks{harness: b, t: t, root: p.RootID}
}

// file adds a file with two comments that name it.
func (s *stacks) file(folder, name string) *frameiosim.Asset {
	s.n++
	f, err := s.frameio.AddFile(folder, frameiosim.File{Name: name, Type: "video/quicktime", Body: []byte(strings.Repeat(name, s.n)), FPS: 25, Frames: 250})
	require.NoError(s.t, err)
	at := int64(10 * s.n)
	over := s.frameio.AddComment(frameiosim.Comment{AssetID: f.ID, Text: "on " + f.ID, Timestamp: &at})
	reply := frameiosim.Comment{AssetID: f.ID, ParentID: over.ID, Text: "reply on " + f.ID}
	if s.generation == "v4" { // which does not say who wrote a reply
		reply.ParentID = ""
	}
	s.frameio.AddComment(reply)
	return f
}

func (s *stacks) run() {
	s.t.Helper()
	fin := s.again(s.t)
	require.Equal(s.t, "verified", fin.Status, fin.Reason)
}

// holds compares iconik with Frame.io as the simulators have them, without the ledger: each file and stack has one asset with
// its versions in order, each with its file and its own comments, in its folder's collection, and there is nothing else.
func (s *stacks) holds() {
	s.t.Helper()
	want := map[string][]string{} // by external id: title, collection and versions of the asset
	place := func(parent string) string {
		if parent == s.root {
			return "frameio:project:" + s.project.ID
		}
		return "frameio:folder:" + parent
	}
	all := s.frameio.AssetsOf(s.project.ID)
	byID := map[string]frameiosim.Asset{}
	for _, a := range all {
		byID[a.ID] = a
	}
	for _, a := range all {
		switch {
		case a.Type == "version_stack":
			want["frameio:stack:"+a.ID] = append([]string{a.Name, place(a.ParentID)}, s.frameio.VersionsOf(a.ID)...)
		case a.Type == "file" && byID[a.ParentID].Type == "folder":
			want["frameio:file:"+a.ID] = []string{a.Name, place(a.ParentID), a.ID}
		}
	}
	for _, c := range s.iconik.Docs("collections") {
		if id, ok := strings.CutPrefix(str(c["external_id"]), "frameio:folder:"); ok && str(c["status"]) != "DELETED" {
			assert.Equal(s.t, byID[id].Name, str(c["title"]), "a collection of a folder that is there")
		}
	}
	have := map[string][]string{}
	for _, a := range s.iconik.Docs("assets") {
		id, external := str(a["id"]), str(a["external_id"])
		if str(a["status"]) == "DELETED" || strings.HasPrefix(external, "frameio:report:") {
			continue
		}
		asset := []string{str(a["title"]), strings.Join(s.iconik.CollectionsOf(id), "+")}
		for _, v := range s.iconik.ActiveVersions(id) {
			asset = append(asset, s.version(id, v))
		}
		assert.Empty(s.t, have[external], "%s is there twice", external)
		have[external] = asset
	}
	assert.Equal(s.t, want, have)
}

// version is the Frame.io id that a version's metadata, comments and file agree on.
func (s *stacks) version(asset, version string) string {
	id := s.iconik.VersionValues(asset, version)["framebridge_source_id"]
	var texts []string
	for _, g := range s.iconik.Segments(asset) {
		if str(g["version_id"]) == version && str(g["status"]) != "DELETED" {
			texts = append(texts, str(g["segment_text"]))
		}
	}
	files := 0
	for _, f := range s.iconik.Docs("files") {
		if str(f["version_id"]) == version && str(f["status"]) == "CLOSED" {
			files++
		}
	}
	if len(texts) != 2 || !strings.Contains(texts[0], "on "+id) || !strings.Contains(texts[1], "on "+id) || files != 1 {
		return fmt.Sprintf("%s with %d files and %q", id, files, texts)
	}
	return id
}

// TestIdentityFollowsFrameio archives, lets people stack, unstack, move and reorder, and archives again: everything is where
// Frame.io has it, once, and a further run has nothing to do.
func TestIdentityFollowsFrameio(t *testing.T) {
	t.Parallel()
	type change struct{ before, after func(s *stacks) }
	var a, b, c *frameiosim.Asset
	var one, two *frameiosim.Asset
	twoFiles := func(s *stacks) { a, b = s.file(s.root, "a.mov"), s.file(s.root, "b.mov") }
	stacked := func(s *stacks) {
		twoFiles(s)
		c = s.file(s.root, "c.mov")
		one = s.frameio.AddStack(a, b, c)
	}
	twoStacks := func(s *stacks) {
		stacked(s)
		two = s.frameio.AddStack(s.file(s.root, "x.mov"), s.file(s.root, "y.mov"))
	}
	changes := map[string]change{
		"a file gets a version":            {func(s *stacks) { a = s.file(s.root, "a.mov") }, func(s *stacks) { s.frameio.AddStack(a, s.file(s.root, "a v2.mov")) }},
		"a file becomes the newer version": {func(s *stacks) { a = s.file(s.root, "a.mov") }, func(s *stacks) { s.frameio.AddStack(s.file(s.root, "a v0.mov"), a) }},
		"two files become a stack":         {twoFiles, func(s *stacks) { s.frameio.AddStack(a, b) }},
		"two files, the later one first":   {twoFiles, func(s *stacks) { s.frameio.AddStack(b, a) }},
		"a stack gets a version":           {stacked, func(s *stacks) { s.frameio.MoveAsset(s.file(s.root, "d.mov").ID, one.ID) }},
		"the newest leaves its stack":      {stacked, func(s *stacks) { s.frameio.MoveAsset(c.ID, s.root) }},
		"the first leaves its stack":       {stacked, func(s *stacks) { s.frameio.MoveAsset(a.ID, s.root) }},
		"a stack falls apart": {stacked, func(s *stacks) {
			for _, f := range []*frameiosim.Asset{c, b, a} {
				s.frameio.MoveAsset(f.ID, s.root)
			}
		}},
		"moved to another stack": {twoStacks, func(s *stacks) { s.frameio.MoveAsset(b.ID, two.ID) }},
		"two stacks become one": {twoStacks, func(s *stacks) {
			for _, f := range s.frameio.VersionsOf(one.ID) {
				s.frameio.MoveAsset(f, two.ID)
			}
		}},
		"reordered":               {stacked, func(s *stacks) { s.frameio.Reorder(one.ID, c.ID, a.ID, b.ID) }},
		"a stack is renamed":      {stacked, func(s *stacks) { s.frameio.RenameAsset(one.ID, "Final.mov") }},
		"a stack changes folders": {stacked, func(s *stacks) { s.frameio.MoveAsset(one.ID, s.frameio.AddFolder(s.root, "Day 1").ID) }},
		"a stack gets a version and another name": {stacked, func(s *stacks) {
			s.frameio.MoveAsset(s.file(s.root, "d.mov").ID, one.ID)
			s.frameio.RenameAsset(one.ID, "Final.mov")
		}},
		"folders are merged": {func(s *stacks) {
			one, two = s.frameio.AddFolder(s.root, "Day 1"), s.frameio.AddFolder(s.root, "Day 2")
			s.file(one.ID, "a.mov")
			c = s.frameio.AddStack(s.file(two.ID, "b.mov"), s.file(two.ID, "c.mov"))
		}, func(s *stacks) {
			s.frameio.MoveAsset(c.ID, one.ID)
			s.frameio.DeleteAsset(two.ID)
		}},
		"a folder is renamed and moved": {func(s *stacks) {
			one, two = s.frameio.AddFolder(s.root, "Day 1"), s.frameio.AddFolder(s.root, "Day 2")
			s.file(one.ID, "a.mov")
		}, func(s *stacks) {
			s.frameio.RenameAsset(one.ID, "Day one")
			s.frameio.MoveAsset(one.ID, two.ID)
		}},
		"stacked across folders": {func(s *stacks) {
			one = s.frameio.AddFolder(s.root, "Day 1")
			a, b = s.file(s.root, "a.mov"), s.file(one.ID, "b.mov")
		}, func(s *stacks) { s.frameio.MoveAsset(b.ID, s.frameio.AddStack(a, s.file(s.root, "c.mov")).ID) }},
	}
	for _, generation := range played() {
		for i, name := range slices.Sorted(maps.Keys(changes)) {
			if !sampled(i, 4) {
				continue
			}
			c := changes[name]
			t.Run(generation+", "+name, func(t *testing.T) {
				s := openStacks(t, generation)
				c.before(s)
				s.run()
				s.holds()
				c.after(s)
				s.run()
				s.holds()
				assert.False(t, s.again(t).Changed, "nothing is left to do")
			})
		}
	}
}

// What people did in iconik on a version that is elsewhere now stays, and is named.
func TestWhatPeopleChangedIsNotTakenAway(t *testing.T) {
	t.Parallel()
	for _, generation := range played() {
		t.Run(generation, func(t *testing.T) {
			s := openStacks(t, generation)
			a, b := s.file(s.root, "a.mov"), s.file(s.root, "b.mov")
			s.run()
			asset := s.item(t, "b.mov").AssetID
			s.iconik.Comment(asset, s.iconik.ServiceUser(), "said in iconik", nil, nil, "", nil)
			s.frameio.AddStack(a, b)
			for range 2 {
				fin := s.again(t)
				assert.Equal(t, "verified_with_exceptions", fin.Status, fin.Reason)
				assert.Contains(t, segmentTexts(s.iconik.Segments(asset)), "said in iconik")
				rows, err := s.book.Tenant(tenantID).Archive(s.project.ID).NotCarried(t.Context(), 10)
				require.NoError(t, err)
				require.Len(t, rows, 1)
				assert.Contains(t, rows[0].Reason, "people have commented on it in iconik")
				assert.Contains(t, rows[0].URL, asset)
				assert.NotEqual(t, asset, s.item(t, "b.mov").AssetID)
			}
			// It is not taken for the file's when that stands by itself again.
			s.frameio.MoveAsset(b.ID, s.root)
			s.again(t)
			assert.NotEqual(t, asset, s.item(t, "b.mov").AssetID)
			assert.Contains(t, segmentTexts(s.iconik.Segments(asset)), "said in iconik")
			assert.Equal(t, "ACTIVE", s.statusOf(asset))
		})
	}
}

// An order that only a change of people's work could mend stays, and is named.
func TestAnOrderThatPeopleBuiltOnStays(t *testing.T) {
	t.Parallel()
	s := openStacks(t, "v4")
	a, b := s.file(s.root, "a.mov"), s.file(s.root, "b.mov")
	stack := s.frameio.AddStack(a, b)
	s.run()
	it := s.item(t, "a.mov")
	s.iconik.CommentOn(it.AssetID, it.VersionID, "said in iconik")
	s.frameio.Reorder(stack.ID, b.ID, a.ID)
	for range 2 {
		fin := s.again(t)
		assert.NotEqual(t, "verified", fin.Status, fin.Reason)
		rows, err := s.book.Tenant(tenantID).Archive(s.project.ID).NotCarried(t.Context(), 10)
		require.NoError(t, err)
		require.Len(t, rows, 1)
		assert.Contains(t, rows[0].Reason, "a different order")
		assert.Equal(t, it.VersionID, s.item(t, "a.mov").VersionID)
	}
}

// So does what they have filled in there, and a title that they gave it.
func TestFieldsAndTitlesThatPeopleChangedAreNotTakenAway(t *testing.T) {
	t.Parallel()
	for why, change := range map[string]func(s *stacks, asset string){
		"its fields were changed in iconik": func(s *stacks, asset string) {
			s.iconik.SetValues(asset, map[string]string{"framebridge_description": "mine"})
		},
		"its title was changed in iconik": func(s *stacks, asset string) {
			s.iconik.ChangeDoc("assets", asset, func(d map[string]any) bool { d["title"] = "mine"; return true })
		},
	} {
		t.Run(why, func(t *testing.T) {
			s := openStacks(t, "v4")
			a, b := s.file(s.root, "a.mov"), s.file(s.root, "b.mov")
			s.run()
			asset := s.item(t, "b.mov").AssetID
			change(s, asset)
			s.frameio.AddStack(a, b)
			for range 2 {
				s.again(t)
				rows, err := s.book.Tenant(tenantID).Archive(s.project.ID).NotCarried(t.Context(), 10)
				require.NoError(t, err)
				require.Len(t, rows, 1)
				assert.Contains(t, rows[0].Reason, why)
				assert.Equal(t, "ACTIVE", s.statusOf(asset))
			}
		})
	}
}

func (s *stacks) statusOf(asset string) string {
	for _, d := range s.iconik.Docs("assets") {
		if str(d["id"]) == asset {
			return str(d["status"])
		}
	}
	return ""
}

// TestRandomRestacking plays random changes of identity, several between two runs.
func TestRandomRestacking(t *testing.T) {
	t.Parallel()
	seeds := rounds(2, 4)
	if n, err := strconv.Atoi(os.Getenv("FRAMEBRIDGE_CHAOS")); err == nil {
		seeds = n
	}
	for _, generation := range played() {
		for seed := range seeds {
			t.Run(fmt.Sprintf("%s, seed %d", generation, seed), func(t *testing.T) {
				s := openStacks(t, generation)
				r := rand.New(rand.NewPCG(uint64(seed), 11))
				folders := []string{s.root, s.frameio.AddFolder(s.root, "Day 1").ID, s.frameio.AddFolder(s.root, "Day 2").ID}
				for i := range 6 {
					s.file(folders[r.IntN(3)], fmt.Sprintf("%c.mov", 'a'+i))
				}
				s.run()
				for range 3 {
					for range 1 + r.IntN(5) {
						s.restack(r, folders)
					}
					s.run()
					s.holds()
				}
				assert.False(t, s.again(t).Changed, "nothing is left to do")
				items, _, err := s.book.Tenant(tenantID).Archive(s.project.ID).ItemsPage(t.Context(), 0, 100)
				require.NoError(t, err)
				for _, it := range items {
					assert.Equal(t, ledger.ItemVerified, it.State)
				}
			})
		}
	}
}

// restack makes one change that people may make.
func (s *stacks) restack(r *rand.Rand, folders []string) {
	var files, stacks []*frameiosim.Asset
	all := s.frameio.AssetsOf(s.project.ID)
	slices.SortFunc(all, func(x, y frameiosim.Asset) int { return strings.Compare(x.ID, y.ID) })
	for _, a := range all {
		switch a.Type {
		case "file":
			files = append(files, &a)
		case "version_stack":
			stacks = append(stacks, &a)
		}
	}
	file, folder := files[r.IntN(len(files))], folders[r.IntN(len(folders))]
	switch do := r.IntN(7); {
	case do == 0:
		s.file(folder, fmt.Sprintf("new %d.mov", s.n))
	case do == 1 && len(stacks) > 0:
		versions := s.frameio.VersionsOf(stacks[0].ID)
		r.Shuffle(len(versions), func(i, j int) { versions[i], versions[j] = versions[j], versions[i] })
		s.frameio.Reorder(stacks[0].ID, versions...)
	case do == 2 && len(stacks) > 0:
		s.frameio.MoveAsset(stacks[r.IntN(len(stacks))].ID, folder)
	case do <= 4 && len(stacks) > 0:
		if stack := stacks[r.IntN(len(stacks))]; file.ParentID != stack.ID {
			s.frameio.MoveAsset(file.ID, stack.ID)
		}
	case do == 5:
		s.frameio.MoveAsset(file.ID, folder)
	default:
		s.frameio.MoveAsset(file.ID, folder)
		s.frameio.Stack(file.ID, s.file(folder, fmt.Sprintf("new %d.mov", s.n)).ID)
	}
}
