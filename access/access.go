// Package access decides who may read what was archived. Its rules compare what Frame.io says about its people with what iconik
// knows about its own. It makes no requests.
package access

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"maps"
	"slices"
	"strings"
)

// The values of archive.access.
const (
	Source        = "source"         // as in Frame.io
	ClosedToAll   = "closed"         // administrators only
	IconikDefault = "iconik_default" // whatever iconik applies to new objects
)

// The kinds of places that have rules.
const (
	KindProject    = "project"
	KindFolder     = "folder"
	KindCollection = "collection"
	KindShare      = "share"
	KindReport     = "report"
)

// Person is someone who may see something in Frame.io.
type Person struct {
	ID    string `json:"id,omitempty"`
	Name  string `json:"name,omitempty"`
	Email string `json:"email,omitempty"`
	Write bool   `json:"write,omitempty"` // may also change it
	Team  bool   `json:"team,omitempty"`  // may see what is for the team only
}

// key returns what identifies a person: the e-mail address, because iconik knows people by it, or else the ID.
func (p Person) key() string {
	return cmp.Or(strings.ToLower(strings.TrimSpace(p.Email)), "id "+p.ID)
}

// String returns a person's name as reports show it.
func (p Person) String() string {
	switch {
	case p.Email == "":
		return cmp.Or(p.Name, p.ID)
	case p.Name == "" || p.Name == p.Email:
		return p.Email
	}
	return p.Name + " <" + p.Email + ">"
}

// Rule says who may read a place and everything below it that has no rule of its own.
type Rule struct {
	Source string   `json:"source"` // the place's Frame.io ID
	Kind   string   `json:"kind"`
	Place  string   `json:"place"`          // for people
	URL    string   `json:"url,omitempty"`  // a share's URL in Frame.io, which the ledger stores nowhere else
	Mode   string   `json:"mode,omitempty"` // archive.access, in the project's rule only
	Open   bool     `json:"open,omitempty"` // iconik's default access applies
	Why    string   `json:"why,omitempty"`  // why it is not open
	People []Person `json:"people,omitempty"`
	// Listed is what folders' lists are compared with, if not People. OwnLists means that lists contain only a folder's own people,
	// so an empty list means that the folder has no restriction of its own.
	Listed   []Person `json:"listed,omitempty"`
	OwnLists bool     `json:"own_lists,omitempty"`

	Grant    Grant      `json:"grant"`
	Readers  []string   `json:"readers,omitempty"` // of Grant, for people
	Unmapped []Unmapped `json:"unmapped,omitempty"`
}

// Unmapped is a person or group of Frame.io that has no access in iconik, and why.
type Unmapped struct {
	Kind   string `json:"kind"` // person or group
	Name   string `json:"name"`
	Reason string `json:"reason"`
}

// Merge merges lists into one, sorted by e-mail address and without duplicates.
func Merge(lists ...[]Person) []Person {
	by := map[string]Person{}
	for _, list := range lists {
		for _, p := range list {
			k := p.key()
			if have, ok := by[k]; ok {
				p.Write, p.Team = p.Write || have.Write, p.Team || have.Team
				p.Name, p.ID = cmp.Or(have.Name, p.Name), cmp.Or(have.ID, p.ID)
			}
			by[k] = p
		}
	}
	return slices.SortedFunc(maps.Values(by), func(x, y Person) int { return cmp.Compare(x.key(), y.key()) })
}

// common returns the people in both lists, with the lesser of their rights.
func common(x, y []Person) []Person {
	in := map[string]Person{}
	for _, p := range y {
		in[p.key()] = p
	}
	out := []Person{}
	for _, p := range x {
		if q, ok := in[p.key()]; ok {
			p.Write, p.Team = p.Write && q.Write, p.Team && q.Team
			out = append(out, p)
		}
	}
	return out
}

// covers reports whether x contains everybody in y.
func covers(x, y []Person) bool { return len(common(y, x)) == len(y) }

// same reports whether two lists contain the same people with the same rights.
func same(x, y []Person) bool {
	return slices.EqualFunc(x, y, func(p, q Person) bool { return p.key() == q.key() && p.Write == q.Write && p.Team == q.Team })
}

// Project returns a project's rule. unknown says why it is unknown who may see the project, or is empty.
func Project(mode, id, name string, restricted bool, people []Person, unknown string) Rule {
	r := Rule{Source: id, Kind: KindProject, Place: name, Mode: mode, People: Merge(people)}
	switch {
	case mode == ClosedToAll:
		r.Why, r.People = "archive.access is closed", nil
	case mode != Source:
		r.Open = true
	case restricted && unknown != "":
		r.Why, r.People = unknown, nil
	case restricted:
		r.Why = "the project is restricted in Frame.io"
	default:
		r.Open = true
	}
	return r
}

// Lists tells a project's rule which people the list of its root folder contains.
func (r *Rule) Lists(root []Person) {
	root = Merge(root)
	r.OwnLists = len(root) == 0
	if !same(root, r.People) {
		r.Listed = root
	}
}

// listed returns what folders' lists are compared with.
func (r Rule) listed() []Person {
	if r.Listed != nil {
		return r.Listed
	}
	return r.People
}

// Folder returns the rule of a folder below r, given its list of people, or false if r still applies. Below an open place, a folder
// is restricted if its list lacks somebody who sees that place. If the list only adds people, the folder stays open, unless
// OwnLists is set: then any list that is not empty restricts it. Below a restricted place, any difference gives the folder a rule
// that names everybody on its list.
func (r Rule) Folder(id, place string, list []Person) (Rule, bool) {
	list = Merge(list)
	switch {
	case r.Mode == ClosedToAll || r.Mode == IconikDefault:
		return r, false
	case len(list) == 0 && r.OwnLists:
		return r, false
	case r.Open && covers(list, r.listed()) && !r.OwnLists:
		return r, false
	case !r.Open && same(list, r.listed()):
		return r, false
	}
	return Rule{Source: id, Kind: KindFolder, Place: place, Why: "the folder is restricted in Frame.io", People: list, OwnLists: r.OwnLists}, true
}

// Unknown returns the rule of a folder if it is unknown who may see it: administrators only.
func (r Rule) Unknown(id, place, why string) (Rule, bool) {
	if r.Mode == ClosedToAll || r.Mode == IconikDefault {
		return r, false
	}
	return Rule{Source: id, Kind: KindFolder, Place: place, Why: why, OwnLists: r.OwnLists}, true
}

// TeamOnly returns the rule of a folder that is hidden from people outside the team.
func (r Rule) TeamOnly(id, place string) (Rule, bool) {
	team := slices.DeleteFunc(slices.Clone(r.People), func(p Person) bool { return !p.Team })
	if r.Mode == ClosedToAll || r.Mode == IconikDefault || !r.Open && len(team) == len(r.People) {
		return r, false
	}
	return Rule{Source: id, Kind: KindFolder, Place: place, Why: "the folder is for the team only in Frame.io", People: team}, true
}

// Private returns the rule of a collection that only its creator sees.
func (r Rule) Private(id, place string, maker Person) (Rule, bool) {
	if r.Mode == ClosedToAll || r.Mode == IconikDefault {
		return r, false
	}
	maker.Write = true
	return Rule{Source: id, Kind: KindCollection, Place: place, Why: "the collection is private in Frame.io", People: Merge([]Person{maker})}, true
}

// All returns the rule of something that shows several places, such as a share or the report. Only people who may read all of those
// may read it. It returns false if the project's own rule, r, is as strict.
func (r Rule) All(id, kind, place string, of []Rule) (Rule, bool) {
	people, closed := r.People, !r.Open
	for _, o := range of {
		if o.Open || o.Source == r.Source {
			continue
		}
		if !closed { // an open project does not name everyone who sees it
			people, closed = o.People, true
			continue
		}
		people = common(people, o.People)
	}
	if !closed || !r.Open && same(people, r.People) {
		return r, false
	}
	return Rule{Source: id, Kind: kind, Place: place, Why: "it shows what is restricted in Frame.io", People: people}, true
}

// HidesTeamOnly reports whether somebody outside the team may read the place in iconik.
func (r Rule) HidesTeamOnly() bool {
	return !r.Open && slices.ContainsFunc(r.People, func(p Person) bool { return !p.Team })
}

// Grant is who may read something in iconik, by ID. The value is true for those who may also change it.
type Grant struct {
	Users  map[string]bool `json:"users,omitempty"`
	Groups map[string]bool `json:"groups,omitempty"`
}

// Key returns a string that is the same for equal grants.
func (g Grant) Key() string {
	h := sha256.New()
	for prefix, list := range []map[string]bool{g.Users, g.Groups} {
		for _, id := range slices.Sorted(maps.Keys(list)) {
			fmt.Fprintf(h, "%d %s %v\n", prefix, id, list[id])
		}
	}
	return hex.EncodeToString(h.Sum(nil)[:16])
}

// Within returns the part of a grant that another one gives as well.
func (g Grant) Within(other Grant) Grant {
	both := func(a, b map[string]bool) map[string]bool {
		out := map[string]bool{}
		for id, writes := range a {
			if w, ok := b[id]; ok {
				out[id] = writes && w
			}
		}
		return out
	}
	return Grant{Users: both(g.Users, other.Users), Groups: both(g.Groups, other.Groups)}
}

// IDs are the IDs of users and groups.
type IDs struct{ Users, Groups []string }

// Empty reports whether there are no IDs.
func (i IDs) Empty() bool { return len(i.Users)+len(i.Groups) == 0 }

// To returns how to get from one grant to another: who to remove first, and then who to give which right. Whoever loses the right
// to change something is removed and then given the right to read.
func (g Grant) To(want Grant) (remove, read, write IDs) {
	for _, part := range []struct {
		have, want map[string]bool
		of         func(*IDs) *[]string
	}{
		{g.Users, want.Users, func(i *IDs) *[]string { return &i.Users }},
		{g.Groups, want.Groups, func(i *IDs) *[]string { return &i.Groups }},
	} {
		for _, id := range slices.Sorted(maps.Keys(part.have)) {
			if w, stays := part.want[id]; !stays || part.have[id] && !w {
				*part.of(&remove) = append(*part.of(&remove), id)
			}
		}
		for _, id := range slices.Sorted(maps.Keys(part.want)) {
			w := part.want[id]
			switch had, was := part.have[id]; {
			case was && had == w:
			case w:
				*part.of(&write) = append(*part.of(&write), id)
			default:
				*part.of(&read) = append(*part.of(&read), id)
			}
		}
	}
	return remove, read, write
}
