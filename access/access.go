// Package access decides who may read what was archived: rules over what Frame.io says of its people and what iconik knows
// of its own. It asks nobody.
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
	IconikDefault = "iconik_default" // whatever iconik gives to new objects
)

// Kinds of places that rules are about.
const (
	KindProject    = "project"
	KindFolder     = "folder"
	KindCollection = "collection"
	KindShare      = "share"
	KindReport     = "report"
)

// Person is somebody who may see something in Frame.io.
type Person struct {
	ID    string `json:"id,omitempty"`
	Name  string `json:"name,omitempty"`
	Email string `json:"email,omitempty"`
	Write bool   `json:"write,omitempty"` // may change it, too
	Team  bool   `json:"team,omitempty"`  // may see what is for the team only
}

// key is what makes two entries one person: the e-mail address, as iconik knows people by it.
func (p Person) key() string {
	return cmp.Or(strings.ToLower(strings.TrimSpace(p.Email)), "id "+p.ID)
}

// String is how reports name a person.
func (p Person) String() string {
	switch {
	case p.Email == "":
		return cmp.Or(p.Name, p.ID)
	case p.Name == "" || p.Name == p.Email:
		return p.Email
	}
	return p.Name + " <" + p.Email + ">"
}

// Rule is who may read a place and everything below it that has no rule of its own.
type Rule struct {
	Source string   `json:"source"` // the Frame.io id of the place
	Kind   string   `json:"kind"`
	Place  string   `json:"place"`          // for people
	URL    string   `json:"url,omitempty"`  // of a share in Frame.io: the ledger has it nowhere else
	Mode   string   `json:"mode,omitempty"` // of the project's: archive.access
	Open   bool     `json:"open,omitempty"` // iconik's default access applies
	Why    string   `json:"why,omitempty"`  // it is not open
	People []Person `json:"people,omitempty"`
	// Listed is what folders' lists are compared with, where that is not People; OwnLists says that they hold a folder's own
	// people only: an empty one means that the folder has none.
	Listed   []Person `json:"listed,omitempty"`
	OwnLists bool     `json:"own_lists,omitempty"`

	Grant    Grant      `json:"grant"`
	Readers  []string   `json:"readers,omitempty"` // of Grant, for people
	Unmapped []Unmapped `json:"unmapped,omitempty"`
}

// Unmapped is somebody, or a group, of Frame.io that has no access in iconik, and why.
type Unmapped struct {
	Kind   string `json:"kind"` // person or group
	Name   string `json:"name"`
	Reason string `json:"reason"`
}

// Merge makes one list of several: nobody twice, in the order of addresses.
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

// common are those who are in both lists, with the lesser right.
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

// covers says that everybody of y is in x.
func covers(x, y []Person) bool { return len(common(y, x)) == len(y) }

// same says that two lists hold the same people with the same rights.
func same(x, y []Person) bool {
	return slices.EqualFunc(x, y, func(p, q Person) bool { return p.key() == q.key() && p.Write == q.Write && p.Team == q.Team })
}

// Project is a project's rule. unknown is why nobody knows who may see it, where that is so.
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

// Lists tells a project's rule what the list of its root folder holds.
func (r *Rule) Lists(root []Person) {
	root = Merge(root)
	r.OwnLists = len(root) == 0
	if !same(root, r.People) {
		r.Listed = root
	}
}

// listed is what a folder's list is compared with.
func (r Rule) listed() []Person {
	if r.Listed != nil {
		return r.Listed
	}
	return r.People
}

// Folder is the rule of a folder under r by its list of people; false where r goes on to hold. A folder is restricted where
// somebody who sees what is above it is not on its list. Where everybody above sees it, and others besides, it is no more
// restricted than what is above; under people who are named, the others are named with them.
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

// Unknown is the rule of a folder of which nobody knows who may see it: administrators only.
func (r Rule) Unknown(id, place, why string) (Rule, bool) {
	if r.Mode == ClosedToAll || r.Mode == IconikDefault {
		return r, false
	}
	return Rule{Source: id, Kind: KindFolder, Place: place, Why: why, OwnLists: r.OwnLists}, true
}

// TeamOnly is the rule of a folder that is hidden from those who are not of the team.
func (r Rule) TeamOnly(id, place string) (Rule, bool) {
	team := slices.DeleteFunc(slices.Clone(r.People), func(p Person) bool { return !p.Team })
	if r.Mode == ClosedToAll || r.Mode == IconikDefault || !r.Open && len(team) == len(r.People) {
		return r, false
	}
	return Rule{Source: id, Kind: KindFolder, Place: place, Why: "the folder is for the team only in Frame.io", People: team}, true
}

// Private is the rule of a collection that only its maker sees.
func (r Rule) Private(id, place string, maker Person) (Rule, bool) {
	if r.Mode == ClosedToAll || r.Mode == IconikDefault {
		return r, false
	}
	maker.Write = true
	return Rule{Source: id, Kind: KindCollection, Place: place, Why: "the collection is private in Frame.io", People: Merge([]Person{maker})}, true
}

// All is the rule of what shows something of several places, such as a share or the report: those may read it who may read
// all of it. False where the project's own rule, r, is as strict.
func (r Rule) All(id, kind, place string, of []Rule) (Rule, bool) {
	people, closed := r.People, !r.Open
	for _, o := range of {
		if o.Open || o.Source == r.Source {
			continue
		}
		if !closed { // whoever sees an open project is not among those it names
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

// HidesTeamOnly says that somebody who is not of the team may read the place in iconik.
func (r Rule) HidesTeamOnly() bool {
	return !r.Open && slices.ContainsFunc(r.People, func(p Person) bool { return !p.Team })
}

// Grant is who may read something in iconik, by id; those that are true may change it, too.
type Grant struct {
	Users  map[string]bool `json:"users,omitempty"`
	Groups map[string]bool `json:"groups,omitempty"`
}

// Key tells grants apart; equal grants have the same.
func (g Grant) Key() string {
	h := sha256.New()
	for prefix, list := range []map[string]bool{g.Users, g.Groups} {
		for _, id := range slices.Sorted(maps.Keys(list)) {
			fmt.Fprintf(h, "%d %s %v\n", prefix, id, list[id])
		}
	}
	return hex.EncodeToString(h.Sum(nil)[:16])
}

// IDs are users and groups.
type IDs struct{ Users, Groups []string }

// Empty says that nobody is named.
func (i IDs) Empty() bool { return len(i.Users)+len(i.Groups) == 0 }

// To is how a list comes from one grant to another: who is taken out first, and who is given what then. Whoever loses the right
// to change something is taken out and given the right to read.
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
