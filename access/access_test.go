package access

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

var (
	ann = Person{ID: "1", Name: "Ann", Email: "Ann@Film.example", Write: true, Team: true}
	bob = Person{ID: "2", Email: "bob@film.example", Team: true}
	cat = Person{ID: "3", Email: "cat@client.example"}
)

func emails(r Rule) []string { return Emails(r) }

func TestProject(t *testing.T) {
	people := []Person{ann, bob}
	for name, tt := range map[string]struct {
		rule Rule
		open bool
		who  []string
	}{
		"open":                {Project(Source, "p", "P", false, people, ""), true, []string{"ann@film.example", "bob@film.example"}},
		"restricted":          {Project(Source, "p", "P", true, people, ""), false, []string{"ann@film.example", "bob@film.example"}},
		"restricted, unknown": {Project(Source, "p", "P", true, people, "403"), false, nil},
		"closed":              {Project(ClosedToAll, "p", "P", false, people, ""), false, nil},
		"default":             {Project(IconikDefault, "p", "P", true, nil, ""), true, nil},
	} {
		assert.Equal(t, tt.open, tt.rule.Open, name)
		assert.Equal(t, tt.who, emails(tt.rule), name)
		assert.Equal(t, !tt.open, tt.rule.Why != "", name)
	}
}

// A folder is restricted if somebody is missing from its list.
func TestFolder(t *testing.T) {
	open, closed := Project(Source, "p", "P", false, []Person{ann, bob}, ""), Project(Source, "p", "P", true, []Person{ann, bob}, "")
	open.Lists([]Person{ann, bob})
	closed.Lists([]Person{ann, bob})
	own := open
	own.Lists(nil)
	shy := ann
	shy.Write = false
	for name, tt := range map[string]struct {
		above Rule
		list  []Person
		own   bool
	}{
		"the same people":                        {open, []Person{bob, ann}, false},
		"a guest besides":                        {open, []Person{ann, bob, cat}, false},
		"somebody is missing":                    {open, []Person{ann}, true},
		"nobody":                                 {open, nil, true},
		"others":                                 {open, []Person{cat}, true},
		"in a restricted one, the same":          {closed, []Person{ann, bob}, false},
		"in a restricted one, a guest":           {closed, []Person{ann, bob, cat}, true},
		"in a restricted one, fewer":             {closed, []Person{bob}, true},
		"in a restricted one, another role":      {closed, []Person{shy, bob}, true},
		"own lists, none":                        {own, nil, false},
		"own lists, somebody":                    {own, []Person{ann, bob}, true},
		"closed by the configuration":            {Project(ClosedToAll, "p", "P", false, nil, ""), []Person{ann}, false},
		"iconik's default, by the configuration": {Project(IconikDefault, "p", "P", false, nil, ""), []Person{ann}, false},
	} {
		r, own := tt.above.Folder("f", "F", tt.list)
		assert.Equal(t, tt.own, own, name)
		if own {
			assert.False(t, r.Open, name)
			assert.Len(t, r.People, len(tt.list), name)
		}
	}
}

func TestTeamOnlyPrivateAndUnknown(t *testing.T) {
	open := Project(Source, "p", "P", false, []Person{ann, bob, cat}, "")
	r, own := open.TeamOnly("f", "F")
	require.True(t, own)
	assert.Equal(t, []string{"ann@film.example", "bob@film.example"}, emails(r))
	assert.False(t, r.HidesTeamOnly())
	restricted := Project(Source, "p", "P", true, []Person{ann, cat}, "")
	assert.True(t, restricted.HidesTeamOnly())
	r, own = restricted.Private("c", "C", cat)
	require.True(t, own)
	assert.Equal(t, []string{"cat@client.example"}, emails(r))
	r, own = open.Unknown("f", "F", "403")
	assert.True(t, own)
	assert.Empty(t, r.People)
	assert.False(t, r.Open)
}

func TestAllIsReadableByThoseWhoMayReadEverything(t *testing.T) {
	open := Project(Source, "p", "P", false, []Person{ann, bob, cat}, "")
	x, _ := open.Folder("x", "X", []Person{ann, bob})
	y, _ := open.Folder("y", "Y", []Person{bob, cat})
	_, own := open.All("s", KindShare, "S", []Rule{open})
	assert.False(t, own)
	r, own := open.All("s", KindShare, "S", []Rule{open, x})
	require.True(t, own)
	assert.Equal(t, []string{"ann@film.example", "bob@film.example"}, emails(r))
	r, _ = open.All("s", KindShare, "S", []Rule{x, y})
	assert.Equal(t, []string{"bob@film.example"}, emails(r))
	closed := Project(Source, "p", "P", true, []Person{ann, bob}, "")
	_, own = closed.All("s", KindShare, "S", []Rule{closed, x})
	assert.False(t, own, "the project's rule is as strict")
	r, own = closed.All("s", KindShare, "S", []Rule{y})
	require.True(t, own)
	assert.Equal(t, []string{"bob@film.example"}, emails(r))
}

// A group never gives access to people who may not see the place in Frame.io.
func TestResolve(t *testing.T) {
	d := Directory{Users: map[string]User{"ann@film.example": {ID: "A"}, "bob@film.example": {ID: "B"}}, Self: Person{ID: "9", Email: "us@post.example"}, Unmapped: []string{"Color"},
		Groups: []Group{{Source: "Edit", Name: "Editors", ID: "G1", Members: []string{"A"}}, {Source: "All", Name: "Everyone", ID: "G2", Members: []string{"A", "B", "C"}},
			{Source: "Gone", Name: "Gone", Problem: "iconik has no such group"}, {Source: "Empty", Name: "Empty", ID: "G3"}}}
	r := Project(Source, "p", "P", true, []Person{ann, bob, cat, {ID: "9", Email: "US@post.example"}, {ID: "7", Name: "Nameless"}}, "")
	r.Resolve(d)
	assert.Equal(t, map[string]bool{"A": true, "B": false}, r.Grant.Users)
	assert.Equal(t, map[string]bool{"G1": true}, r.Grant.Groups)
	var names []string
	for _, u := range r.Unmapped {
		assert.NotEmpty(t, u.Reason)
		names = append(names, u.Name)
	}
	assert.ElementsMatch(t, []string{"cat@client.example", "Nameless", "All", "Gone", "Empty", "Color"}, names)
	assert.Contains(t, r.Readers, "Ann <Ann@Film.example>")
	assert.Contains(t, r.Readers, "group Editors")
}

func TestGrants(t *testing.T) {
	have := Grant{Users: map[string]bool{"A": true, "B": false, "C": true}, Groups: map[string]bool{"G": false}}
	want := Grant{Users: map[string]bool{"A": true, "B": true, "C": false, "D": false}}
	remove, read, write := have.To(want)
	assert.Equal(t, IDs{Users: []string{"C"}, Groups: []string{"G"}}, remove)
	assert.Equal(t, IDs{Users: []string{"C", "D"}}, read)
	assert.Equal(t, IDs{Users: []string{"B"}}, write)
	assert.NotEqual(t, have.Key(), want.Key())
	assert.Equal(t, Grant{}.Key(), Grant{Users: map[string]bool{}}.Key())
	added, missing := want.Compare([]Entry{{ID: "A"}, {ID: "us"}, {ID: "X"}, {ID: "A", Group: true, Inherited: true}, {ID: "B"}}, "us")
	assert.Equal(t, []Entry{{ID: "X"}, {ID: "A", Group: true, Inherited: true}}, added)
	assert.Equal(t, []string{"C", "D"}, missing.Users)
}

func TestWithinIsWhatBothGive(t *testing.T) {
	have := Grant{Users: map[string]bool{"ann": true, "bob": false}, Groups: map[string]bool{"edit": true}}
	now := Grant{Users: map[string]bool{"ann": false, "cleo": true}, Groups: map[string]bool{"edit": true, "sound": false}}
	assert.Equal(t, Grant{Users: map[string]bool{"ann": false}, Groups: map[string]bool{"edit": true}}, have.Within(now))
	assert.Equal(t, have, have.Within(have))
}
