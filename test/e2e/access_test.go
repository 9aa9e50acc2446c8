//go:build integration

package e2e

import (
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/framebridge/framebridge/sandbox/frameiosim"
)

// readers checks who may read in iconik what is restricted in Frame.io.
type readers struct {
	*harness
	people []string // addresses that iconik knows; the last one is unknown in Frame.io

	mu     sync.Mutex
	before map[[2]string]bool // who could read what before the run that removes it
	leaks  []string
}

// objects returns the restricted objects that iconik has: their ids there and in Frame.io.
func (r *readers) objects() map[string]string {
	out := map[string]string{}
	for _, d := range append(r.Iconik.Docs("assets"), r.Iconik.Docs("collections")...) {
		for _, kind := range []string{"file", "stack", "folder", "collection"} {
			if id, ok := strings.CutPrefix(fmt.Sprint(d["external_id"]), "frameio:"+kind+":"); ok && r.Frameio.Restricted(id) {
				out[fmt.Sprint(d["id"])] = id
			}
		}
	}
	return out
}

// watch checks after a write whether anybody may read what they may not see.
func (r *readers) watch(after string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for object, source := range r.objects() {
		for _, who := range r.people {
			if r.Iconik.MayRead(who, object) && !r.Frameio.MaySee(who, source) && !r.before[[2]string{who, object}] && len(r.leaks) < 10 {
				r.leaks = append(r.leaks, fmt.Sprintf("%s may read %s after %s", who, source, after))
			}
		}
	}
}

func (r *readers) equal(least int) {
	r.t.Helper()
	objects := r.objects()
	assert.GreaterOrEqual(r.t, len(objects), least)
	for object, source := range objects {
		for _, who := range r.people {
			assert.Equal(r.t, r.Frameio.MaySee(who, source), r.Iconik.MayRead(who, object), "%s and %s", who, source)
		}
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	assert.Empty(r.t, r.leaks)
}

// The worker is killed at the calls that add and remove people's access. At no moment can anybody read what they may not see
// in Frame.io, and in the end everybody can read what they may.
func TestKillingTheWorkerAnywhereLetsNobodyIn(t *testing.T) {
	t.Parallel()
	r := &readers{harness: openHarbour(t, optionsV4(t)), people: []string{"lena@counsel.example", "ann@film.example", "ben@film.example", "other@film.example"}}
	r.Iconik.OnWrite(func(method, path string) {
		if !strings.Contains(path, "/jobs/") {
			r.watch(method + " " + path)
		}
	})
	for _, who := range r.people {
		require.NotEmpty(t, r.Iconik.AddUser(who, "Person", who))
	}
	ann := r.Frameio.AddUser(frameiosim.User{Name: "Ann", Email: "ann@film.example"})
	ben := r.Frameio.AddUser(frameiosim.User{Name: "Ben", Email: "ben@film.example"})
	var art, edit string
	for _, a := range r.Frameio.AssetsOf(r.project.ID) {
		switch a.Name {
		case "04 Art":
			art = a.ID
		case "02 Edit":
			edit = a.ID
		}
	}
	r.Frameio.Restrict(art, frameiosim.Role{User: ann.ID, Role: "editor"})
	r.Frameio.Restrict(edit, frameiosim.Role{User: ann.ID, Role: "viewer"}, frameiosim.Role{User: ben.ID, Role: "commenter"})

	died := r.killAt([]killPoint{{"^PUT /API/acls/v1/acl/collections$", 0, true}, {"^PUT /API/acls/v1/acl/collections$", 1, false}, {"^PUT /API/acls/v1/acl/assets$", 0, false}, {"^PUT /API/acls/v1/acl/assets$", 2, true},
		{"^POST /API/assets/v1/collections$", 8, true}, {"^POST /API/assets/v1/assets$", 4, true}})
	r.Frameio.Rename(r.project.ID, archivedName)
	deaths := r.survives(died, func() bool { return ended(r.archive(r.project.ID)) })
	a := r.archive(r.project.ID)
	assert.Equal(t, "verified_with_exceptions", a.Status, a.Reason)
	assert.GreaterOrEqual(t, deaths, 5)
	r.equal(8)

	// Ben loses access to what he saw, and gains access to what he did not.
	r.mu.Lock()
	r.before = map[[2]string]bool{}
	for object := range r.objects() {
		for _, who := range r.people {
			r.before[[2]string{who, object}] = r.Iconik.MayRead(who, object)
		}
	}
	r.mu.Unlock()
	r.Frameio.Restrict(edit, frameiosim.Role{User: ann.ID, Role: "viewer"})
	r.Frameio.Restrict(art, frameiosim.Role{User: ben.ID, Role: "editor"})
	died = r.killAt([]killPoint{{"^DELETE /API/acls/v1/acl/collections$", 0, true}, {"^DELETE /API/acls/v1/acl/assets$", 0, false}})
	runs := r.runs()
	require.Equal(t, http.StatusAccepted, r.call(http.MethodPost, "/archives/"+r.project.ID+"/retry", nil, nil))
	deaths = r.survives(died, func() bool { return r.runs() > runs && ended(r.archive(r.project.ID)) })
	assert.Equal(t, 2, deaths)
	r.equal(8)
}
