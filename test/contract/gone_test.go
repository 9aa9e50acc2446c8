package contract

import (
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/framebridge/framebridge/sandbox/frameiosim"
)

// cleared is a project from which people delete.
type cleared struct {
	*proved
	day, below, empty, share, coll string
	stack                          []string // its versions
}

func openCleared(t *testing.T) *cleared {
	c := &cleared{proved: &proved{stacks: openStacks(t, "v4")}}
	c.day = c.frameio.AddFolder(c.root, "Day 1").ID
	c.below = c.frameio.AddFolder(c.day, "Sound").ID
	c.empty = c.frameio.AddFolder(c.root, "Empty").ID
	first := c.stacks.file(c.day, "first.mov")
	c.stacks.file(c.below, "second.mov")
	versions := []*frameiosim.Asset{c.stacks.file(c.root, "cut 1.mov"), c.stacks.file(c.root, "cut 2.mov"), c.stacks.file(c.root, "cut 3.mov")}
	c.frameio.AddStack(versions...)
	for _, v := range versions {
		c.stack = append(c.stack, v.ID)
	}
	c.share = c.frameio.AddShare(frameiosim.Share{Kind: "share", Name: "For Rita", ProjectID: c.project.ID, Items: []string{c.stack[2]}}).ID
	c.coll = c.frameio.AddCollection(frameiosim.Collection{Name: "Selects", ProjectID: c.project.ID, Items: []string{first.ID}}).ID
	return c
}

// What people delete in Frame.io after it was brought over is reported, whatever it is: also a folder with all its contents, a version of
// a stack, and a collection.
func TestWhatIsDeletedInFrameioIsNamed(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		do, undo func(c *cleared)
		rows     [][]string
	}{
		"folder": {do: func(c *cleared) { c.frameio.DeleteAsset(c.day) }, undo: func(c *cleared) { c.frameio.RestoreAsset(c.day) }, rows: [][]string{
			{"extra", "folder", "", "deleted", "Day 1"}, {"extra", "file", "", "deleted", "second.mov"}, {"extra", "file", "", "deleted", "first.mov"}, {"extra", "folder", "", "deleted", "Sound"}}},
		"newest version": {do: func(c *cleared) { c.frameio.DeleteAsset(c.stack[2]) }, undo: func(c *cleared) { c.frameio.RestoreAsset(c.stack[2]) }, rows: [][]string{
			{"extra", "version", "cut 3.mov", "deleted", "version 3"}}},
		"older version": {do: func(c *cleared) { c.frameio.DeleteAsset(c.stack[0]) }, undo: func(c *cleared) { c.frameio.RestoreAsset(c.stack[0]) }, rows: [][]string{
			{"extra", "version", "cut 1.mov", "deleted", "version 1"}}},
		"collection": {do: func(c *cleared) {
			c.frameio.EditCollection(c.coll, func(x *frameiosim.Collection) { x.ProjectID = "another" })
		}, undo: func(c *cleared) {
			c.frameio.EditCollection(c.coll, func(x *frameiosim.Collection) { x.ProjectID = c.project.ID })
		}, rows: [][]string{{"extra", "collection", "", "deleted", "Selects"}}},
	} {
		for _, when := range []string{"before the comparison", "between two runs"} {
			t.Run(name+" "+when, func(t *testing.T) {
				t.Parallel()
				c := openCleared(t)
				if when == "between two runs" {
					c.run()
					tt.do(c)
				} else {
					c.beforeCompare = func() { tt.do(c) }
				}
				fin := c.again(t)
				assert.Equal(t, "verified_with_exceptions", fin.Status, fin.Reason)
				assert.Contains(t, fin.Reason, "deleted in Frame.io after the copy and still in iconik")
				got := c.rows()
				if name != "collection" { // which shows what was in the folder
					got = slices.DeleteFunc(got, func(r []string) bool { return r[1] == "reference" })
				}
				assert.ElementsMatch(t, tt.rows, got)
				assert.False(t, c.again(t).Changed, "nothing is new")
				tt.undo(c)
				c.run()
				assert.Empty(t, c.rows())
			})
		}
	}
}

// A share that is deleted on both sides is not an exception.
func TestAShareThatIsDeletedOnBothSidesIsForgotten(t *testing.T) {
	t.Parallel()
	c := openCleared(t)
	c.run()
	c.frameio.EditShare(c.share, func(s *frameiosim.Share) { now := time.Now(); s.Deleted = &now })
	require.Equal(t, "verified_with_exceptions", c.again(t).Status)
	require.Equal(t, [][]string{{"extra", "share", "", "deleted", "For Rita"}}, c.rows())
	c.iconik.Delete("collections", c.collection("For Rita", func(map[string]any) {}))
	fin := c.again(t)
	assert.Equal(t, "verified", fin.Status, fin.Reason)
	assert.Empty(t, c.rows())
	assert.False(t, c.again(t).Changed)
}

// The run that sees that an empty folder is gone deletes its collection, too, and the next one has nothing to do.
func TestAnEmptyFolderGoesWithItsRun(t *testing.T) {
	t.Parallel()
	c := openCleared(t)
	c.beforeCompare = func() { c.frameio.DeleteAsset(c.empty) }
	c.run()
	assert.NotContains(t, c.iconik.Tree(), "Empty")
	assert.False(t, c.again(t).Changed)
}

// When a restricted folder is gone, and its rule with it, the report still does not reveal its names.
func TestADeletedRestrictedFolderIsNotTold(t *testing.T) {
	t.Parallel()
	c := openCleared(t)
	c.frameio.Restrict(c.day)
	c.again(t)
	c.frameio.DeleteAsset(c.day)
	fin := c.again(t)
	assert.Equal(t, "verified_with_exceptions", fin.Status, fin.Reason)
	said := ""
	for _, d := range c.differences() {
		said += d.Place + " " + d.Iconik + "\n"
	}
	assert.Contains(t, said, "a folder that was restricted")
	for _, secret := range []string{"Day 1", "Sound", "first.mov", "second.mov"} {
		assert.NotContains(t, said, secret)
	}
}

// Whoever loses access to a folder also loses access to what was deleted from it but stays in iconik: a file, and a folder within. Nobody
// gains access.
func TestWhatIsDeletedFollowsWhoMaySeeItsFolder(t *testing.T) {
	t.Parallel()
	c := openCleared(t)
	person := map[string]frameiosim.User{}
	for _, name := range []string{"ann", "bob", "cleo"} {
		person[name] = c.frameio.AddUser(frameiosim.User{Name: name, Email: name + "@film.example"})
		c.iconik.AddUser(name+"@film.example", name, "")
	}
	c.frameio.SetMembers(c.project.TeamID, person["ann"].ID, person["bob"].ID, person["cleo"].ID)
	viewers := func(names ...string) (roles []frameiosim.Role) {
		for _, n := range names {
			roles = append(roles, frameiosim.Role{User: person[n].ID, Role: "viewer"})
		}
		return roles
	}
	c.frameio.Restrict(c.day, viewers("ann", "bob")...)
	c.again(t)
	first, second := c.item(t, "first.mov"), c.item(t, "second.mov")
	may := func(asset string) (who []string) {
		for _, name := range []string{"ann", "bob", "cleo"} {
			if c.iconik.MayRead(name+"@film.example", asset) {
				who = append(who, name)
			}
		}
		return who
	}
	require.Equal(t, []string{"ann", "bob"}, may(first.AssetID))
	c.frameio.DeleteAsset(first.SourceID)
	c.frameio.DeleteAsset(c.below)
	c.again(t)
	c.frameio.Restrict(c.day, viewers("ann")...)
	c.again(t)
	assert.Equal(t, []string{"ann"}, may(first.AssetID), "a file that was deleted")
	assert.Equal(t, []string{"ann"}, may(second.AssetID), "a file in a folder that was deleted")
	assert.Equal(t, []string{"ann"}, may(c.collection("Sound", func(map[string]any) {})), "a folder that was deleted")
	c.frameio.DeleteAsset(c.day)
	c.again(t)
	assert.Equal(t, []string{"ann"}, may(first.AssetID), "with its rule, nobody is let in")
	assert.Equal(t, []string{"ann"}, may(second.AssetID))
}
