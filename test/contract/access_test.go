package contract

import (
	"fmt"
	"math/rand/v2"
	"os"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/framebridge/framebridge/report"
	"github.com/framebridge/framebridge/sandbox/faults"
	"github.com/framebridge/framebridge/sandbox/frameiosim"
)

// accessWorld is a random project with people, whose access both vendors are asked for.
type accessWorld struct {
	*harness
	random *rand.Rand
	people []frameiosim.User // of Frame.io
	mapped map[string]string // e-mail address → iconik user
	admin  string            // an administrator's e-mail address
	other  string            // an iconik user whom Frame.io does not know
	ids    []string          // folders and files

	mu    sync.Mutex
	leaks []string
	asked int
}

func newAccessWorld(t *testing.T, generation string, seed uint64) *accessWorld {
	t.Helper()
	return open(t, &Checker{}, &Checker{}, "S3", map[string]any{"bucket": "iconik-files", "path": "media"}, generation).withAccess(t, seed)
}

func (b *harness) withAccess(t *testing.T, seed uint64) *accessWorld {
	t.Helper()
	w := &accessWorld{harness: b, random: rand.New(rand.NewPCG(seed, 1)), mapped: map[string]string{}}
	team := w.frameio.AddTeam("Lantern").ID
	p := w.frameio.AddProject(team, "Lantern")
	w.project.ID, w.project.Name = p.ID, p.Name
	_, _, err := w.book.Tenant(tenantID).Archive(p.ID).Request(t.Context(), "test", p.Inserted)
	require.NoError(t, err)
	var members []string
	for i := range 5 {
		u := w.frameio.AddUser(frameiosim.User{Name: fmt.Sprintf("Person %d", i), Email: fmt.Sprintf("p%d@film.example", i)})
		w.people = append(w.people, u)
		if i < 4 || w.random.IntN(2) == 0 {
			members = append(members, u.ID)
		}
		if i != 1 { // one is not in iconik
			w.mapped[u.Email] = w.iconik.AddUser(strings.ToUpper(u.Email[:1])+u.Email[1:], "Person", strconv.Itoa(i))
		}
	}
	if b.generation == "legacy" {
		members = members[:3]
	}
	w.frameio.SetMembers(team, members...)
	w.admin, w.other = "admin@film.example", "other@film.example"
	w.iconik.SetAdmin(w.iconik.AddUser(w.admin, "Ada", "Admin"))
	w.iconik.AddUser(w.other, "Otto", "Other")
	w.frameio.AddGroup("Edit", w.people[0].ID, w.people[2].ID)
	w.frameio.AddGroup("Color", w.people[3].ID)
	group := w.iconik.AddGroup("Editors")
	w.iconik.Join(w.mapped[w.people[0].Email], group)
	w.iconik.Join(w.mapped[w.people[2].Email], group)
	w.config.Tenants[tenantID].Archive.Groups = map[string]string{"Edit": "Editors"}

	folders := []string{p.RootID}
	for i := range 6 {
		f := w.frameio.AddFolder(folders[w.random.IntN(len(folders))], fmt.Sprintf("Folder %d", i))
		folders = append(folders, f.ID)
		w.ids = append(w.ids, f.ID)
	}
	for i := range 8 {
		w.addFile(t, folders[w.random.IntN(len(folders))], fmt.Sprintf("file %d.txt", i))
	}
	w.shuffle(folders)
	if w.frameio.V4() {
		w.frameio.AddCollection(frameiosim.Collection{ProjectID: p.ID, Name: "Mine", Private: true, Creator: w.people[0], Items: []string{w.ids[len(w.ids)-1]}})
		w.frameio.AddCollection(frameiosim.Collection{ProjectID: p.ID, Name: "Ours", Creator: w.people[0], Items: []string{w.ids[len(w.ids)-1]}})
	}
	w.iconik.OnWrite(func(_, path string) { w.watch(path) })
	return w
}

func (w *accessWorld) addFile(t *testing.T, folder, name string) {
	f, err := w.frameio.AddFile(folder, frameiosim.File{Name: name, Type: "text/plain", Body: []byte(name)})
	require.NoError(t, err)
	w.frameio.AddComment(frameiosim.Comment{AssetID: f.ID, Text: "for all of " + name})
	w.frameio.AddComment(frameiosim.Comment{AssetID: f.ID, Text: "for the team: " + name, Private: !w.frameio.V4()})
	w.ids = append(w.ids, f.ID)
}

// shuffle gives the project and its folders other restrictions.
func (w *accessWorld) shuffle(folders []string) {
	roles := func() []frameiosim.Role {
		var out []frameiosim.Role
		for _, u := range w.people {
			if w.random.IntN(2) == 0 {
				out = append(out, frameiosim.Role{User: u.ID, Role: []string{"viewer", "commenter", "editor", "full_access"}[w.random.IntN(4)]})
			}
		}
		return out
	}
	if w.random.IntN(3) == 0 {
		w.frameio.Restrict(w.project.ID, roles()...)
	} else {
		w.frameio.Unrestrict(w.project.ID)
	}
	for _, f := range folders[1:] {
		switch {
		case w.frameio.V4() && w.random.IntN(3) == 0:
			w.frameio.Restrict(f, roles()...)
		case w.frameio.V4():
			w.frameio.Unrestrict(f)
		default:
			w.frameio.SetTeamOnly(f, w.random.IntN(3) == 0)
		}
	}
}

// objects are what iconik has of the project: the Frame.io id of each, by its id there.
func (w *accessWorld) objects() map[string]string {
	out := map[string]string{}
	for _, kind := range []string{"assets", "collections"} {
		for _, d := range w.iconik.Docs(kind) {
			external := fmt.Sprint(d["external_id"])
			for _, prefix := range []string{"frameio:file:", "frameio:stack:", "frameio:folder:", "frameio:project:", "frameio:collection:"} {
				if id, ok := strings.CutPrefix(external, prefix); ok {
					out[fmt.Sprint(d["id"])] = id
				}
			}
		}
	}
	return out
}

// watch asks after each write whether somebody may read what they may not see in Frame.io. Only what is restricted counts:
// the rest follows iconik's defaults.
func (w *accessWorld) watch(after string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for object, source := range w.objects() {
		if !w.frameio.Restricted(source) {
			continue
		}
		for _, email := range append([]string{w.other}, w.emails()...) {
			w.asked++
			if w.iconik.MayRead(email, object) && !w.frameio.MaySee(email, source) && len(w.leaks) < 10 {
				w.leaks = append(w.leaks, fmt.Sprintf("%s may read %s after %s", email, source, after))
			}
		}
	}
}

func (w *accessWorld) emails() []string {
	var out []string
	for _, u := range w.people {
		if w.mapped[u.Email] != "" {
			out = append(out, u.Email)
		}
	}
	return out
}

// equal holds that both sides answer every question about what is restricted alike, and that comments are where they may be.
func (w *accessWorld) equal(t *testing.T) {
	t.Helper()
	objects := w.objects()
	assert.GreaterOrEqual(t, len(objects), 15)
	for object, source := range objects {
		assert.True(t, w.iconik.MayRead(w.admin, object))
		if !w.frameio.Restricted(source) {
			continue
		}
		assert.False(t, w.iconik.MayRead(w.other, object), "nobody else reads %s", source)
		for _, email := range w.emails() {
			assert.Equal(t, w.frameio.MaySee(email, source), w.iconik.MayRead(email, object), "%s and %s", email, source)
		}
		for _, c := range w.frameio.CommentsOf(source) {
			carried := slices.ContainsFunc(w.iconik.Segments(object), func(s map[string]any) bool {
				return strings.Contains(fmt.Sprint(s["segment_text"]), c.Text) && s["status"] != "DELETED"
			})
			hidden := slices.ContainsFunc(w.emails(), func(e string) bool { return w.iconik.MayRead(e, object) && !w.frameio.MaySee(e, c.ID) })
			if hidden {
				assert.False(t, carried, "%q is read by somebody who may not see it in Frame.io", c.Text)
			}
			if !c.Private {
				assert.True(t, carried, "%q", c.Text)
			}
		}
	}
	collections := map[string]bool{} // of Frame.io: the report in iconik says nothing of private ones
	for _, d := range w.iconik.Docs("collections") {
		collections[fmt.Sprint(d["id"])] = strings.HasPrefix(fmt.Sprint(d["external_id"]), "frameio:collection:")
	}
	for _, d := range w.iconik.Docs("assets") {
		if !strings.HasPrefix(fmt.Sprint(d["external_id"]), "frameio:report:") {
			continue
		}
		for _, email := range w.emails() {
			for object, source := range objects {
				if !collections[object] && w.frameio.Restricted(source) && !w.frameio.MaySee(email, source) {
					assert.False(t, w.iconik.MayRead(email, fmt.Sprint(d["id"])), "%s may not read all of the report: %s", email, source)
				}
			}
		}
	}
	assert.Empty(t, w.leaks)
}

// A private collection does not keep the report from those who may see the project: the copy in iconik says nothing of it.
func TestAPrivateCollectionIsNotInTheReportForAll(t *testing.T) {
	t.Parallel()
	p := openProved(t, "v4")
	p.frameio.AddCollection(frameiosim.Collection{ProjectID: p.project.ID, Name: "Quiet picks", Private: true, Dynamic: true})
	other := p.iconik.AddUser("other@film.example", "Otto", "Other")
	require.NotEmpty(t, other)
	fin := p.again(t)
	require.Equal(t, "verified_with_exceptions", fin.Status, fin.Reason)
	for _, d := range p.iconik.Docs("assets") {
		if strings.HasPrefix(str(d["external_id"]), "frameio:report:") {
			assert.True(t, p.iconik.MayRead("other@film.example", str(d["id"])))
		}
	}
	for hides, names := range map[bool]bool{true: false, false: true} {
		rep, err := report.Open(t.Context(), p.book.Tenant(tenantID).Archive(p.project.ID), report.Source{HidesPrivate: hides})
		require.NoError(t, err)
		var page, doc strings.Builder
		require.NoError(t, report.HTML(&page, rep))
		require.NoError(t, report.JSON(&doc, rep))
		for _, text := range []string{page.String(), doc.String()} {
			assert.Equal(t, names, strings.Contains(text, "Quiet picks"))
			assert.Equal(t, hides, strings.Contains(text, "1 private collection"))
		}
	}
}

// Random projects on both generations, with lost answers, refusals that pass and workers that end at any call about access:
// whoever may not see something in Frame.io can read it in iconik at no moment, and whoever may see it can in the end.
// A re-run follows what changed.
func TestNobodyReadsWhatTheyCouldNotSee(t *testing.T) {
	t.Parallel()
	seeds := uint64(rounds(2, 4))
	if n, err := strconv.ParseUint(os.Getenv("FRAMEBRIDGE_CHAOS"), 10, 64); err == nil {
		seeds = n
	}
	for _, generation := range played() {
		for seed := range seeds {
			t.Run(fmt.Sprintf("%s %d", generation, seed), func(t *testing.T) {
				w := newAccessWorld(t, generation, seed)
				calls := "^(PUT|DELETE) .*/acls/|^POST .*/assets/v1/(assets|collections)/"
				for range 3 {
					f := faults.Fault{Match: calls, After: w.random.IntN(20), Times: 1 + w.random.IntN(2), Lose: w.random.IntN(2) == 0}
					if !f.Lose {
						f.Status = 503
					}
					require.NoError(t, w.iconik.AddFault(f))
				}
				fin := w.archive(t)
				require.Contains(t, fin.Status, "verified", fin.Reason)
				w.equal(t)
				assert.Positive(t, w.asked+1)

				var folders []string
				for _, a := range w.frameio.AssetsOf(w.project.ID) {
					if a.Type == "folder" {
						folders = append(folders, a.ID)
					}
				}
				slices.SortFunc(folders, func(x, y string) int { return slices.Index(w.ids, x) - slices.Index(w.ids, y) })
				w.iconik.OnWrite(nil)
				w.iconik.ClearFaults()
				w.shuffle(folders)
				w.addFile(t, folders[len(folders)-1], "later.txt")
				fin = w.again(t)
				require.Contains(t, fin.Status, "verified", fin.Reason)
				w.equal(t)
				fin = w.again(t)
				assert.False(t, fin.Changed, "a run that finds nothing to do writes nothing")
			})
		}
	}
}

// Who was let in by people in iconik stays, and is named; who lost access in Frame.io loses it; the plan says all of it before.
func TestAccessThatPeopleChangeInIconikIsNamed(t *testing.T) {
	t.Parallel()
	w := newAccessWorld(t, "v4", 7)
	folder := w.ids[0]
	for _, id := range w.ids {
		w.frameio.Unrestrict(id)
	}
	w.frameio.Unrestrict(w.project.ID)
	w.frameio.Restrict(folder, frameiosim.Role{User: w.people[0].ID, Role: "viewer"}, frameiosim.Role{User: w.people[2].ID, Role: "editor"}, frameiosim.Role{User: w.people[1].ID, Role: "viewer"})
	w.archive(t)
	w.equal(t)
	collection := ""
	for object, source := range w.objects() {
		if source == folder {
			collection = object
		}
	}
	assert.True(t, w.iconik.May(w.people[2].Email, collection, "write"), "an editor")
	assert.False(t, w.iconik.May(w.people[0].Email, collection, "write"), "a viewer")
	says := func() *report.Access {
		a, err := report.ReadAccess(t.Context(), w.book.Tenant(tenantID).Archive(w.project.ID))
		require.NoError(t, err)
		return a
	}
	assert.Contains(t, fmt.Sprint(says().Unmapped), w.people[1].Email)
	assert.Contains(t, says().Unmapped, "group Color")

	var stranger string
	for _, u := range w.iconik.Docs("users") {
		if u["email"] == w.other {
			stranger = fmt.Sprint(u["id"])
		}
	}
	w.iconik.Allow(collection, stranger, false, false, "read")
	w.frameio.Restrict(folder, frameiosim.Role{User: w.people[2].ID, Role: "viewer"})
	fin := w.again(t)
	assert.Equal(t, "verified_with_exceptions", fin.Status, fin.Reason)
	assert.Contains(t, fin.Reason, "access differs")
	assert.True(t, w.iconik.MayRead(w.other, collection), "let in on purpose")
	assert.False(t, w.iconik.MayRead(w.people[0].Email, collection))
	assert.True(t, w.iconik.MayRead(w.people[2].Email, collection))
	assert.False(t, w.iconik.May(w.people[2].Email, collection, "write"), "a viewer by now")
	found := fmt.Sprintf("%+v", says().Places)
	assert.Contains(t, found, w.other)
	assert.Contains(t, found, "added")
	assert.Contains(t, strings.ToLower(found), w.people[0].Email)
}

// What lies above may hand its readers down to all of its content: then nothing restricted is put there.
func TestNothingRestrictedIsPutUnderOpenDoors(t *testing.T) {
	t.Parallel()
	w := newAccessWorld(t, "v4", 3)
	w.frameio.Restrict(w.project.ID, frameiosim.Role{User: w.people[0].ID, Role: "viewer"})
	root := false
	w.iconik.OnWrite(func(_, path string) {
		for _, d := range w.iconik.Docs("collections") {
			if d["title"] == "Archive from Frame.io Media" && !root {
				root = true
				for _, g := range w.iconik.Docs("groups") {
					if g["name"] == "Everyone" {
						w.iconik.Allow(fmt.Sprint(d["id"]), fmt.Sprint(g["id"]), true, true, "read")
					}
				}
			}
		}
		w.watch(path)
	})
	err := w.archiveFailing(t)
	assert.ErrorContains(t, err, "Apply access to all content")
	assert.Empty(t, w.leaks)
}
