package access

import (
	"fmt"
	"maps"
	"slices"
	"strings"
)

// Directory is what iconik knows about the people and groups that rules name.
type Directory struct {
	Users  map[string]User // by lower-case e-mail address
	Groups []Group         // mapped by the configuration
	// Unmapped are Frame.io groups that the configuration does not map.
	Unmapped []string
	Self     Person // Framebridge's own user in Frame.io, which needs no access
}

// User is a user in iconik.
type User struct{ ID, Name string }

// Group is an iconik group that represents one of Frame.io's.
type Group struct {
	Source, Name string // in Frame.io and in iconik
	ID           string // in iconik
	Members      []string
	Problem      string // why it cannot be used
}

// Emails returns the addresses of all people in the rules, for looking them up.
func Emails(rules ...Rule) []string {
	found := map[string]bool{}
	for _, r := range rules {
		for _, p := range r.People {
			if e := strings.ToLower(strings.TrimSpace(p.Email)); e != "" {
				found[e] = true
			}
		}
	}
	return slices.Sorted(maps.Keys(found))
}

// Resolve finds a rule's people and groups in iconik. A group gets access only if each of its members may see the place in Frame.io, so
// that nobody gets in through membership: neither API says which groups see what. People who join the group later can read the place.
func (r *Rule) Resolve(d Directory) {
	r.Grant, r.Readers, r.Unmapped = Grant{}, nil, nil
	if r.Open {
		return
	}
	r.Grant.Users, r.Grant.Groups = map[string]bool{}, map[string]bool{}
	for _, p := range r.People {
		if p.key() == d.Self.key() || d.Self.ID != "" && p.ID == d.Self.ID {
			continue
		}
		u, ok := d.Users[strings.ToLower(strings.TrimSpace(p.Email))]
		if !ok {
			reason := "no active iconik user has this e-mail address"
			if p.Email == "" {
				reason = "Frame.io gives no e-mail address"
			}
			r.Unmapped = append(r.Unmapped, Unmapped{"person", p.String(), reason})
			continue
		}
		r.Grant.Users[u.ID] = r.Grant.Users[u.ID] || p.Write
		r.Readers = append(r.Readers, p.String())
	}
	for _, g := range d.Groups {
		switch reason := r.whyNot(g); {
		case reason != "":
			r.Unmapped = append(r.Unmapped, Unmapped{"group", g.Source, reason})
		default:
			write := !slices.ContainsFunc(g.Members, func(m string) bool { return !r.Grant.Users[m] })
			r.Grant.Groups[g.ID] = write
			r.Readers = append(r.Readers, "group "+g.Name)
		}
	}
	for _, name := range d.Unmapped {
		r.Unmapped = append(r.Unmapped, Unmapped{"group", name, "archive.groups names no iconik group for it: its people have access one by one"})
	}
}

// whyNot returns why a group gets no access, or "".
func (r *Rule) whyNot(g Group) string {
	if g.Problem != "" {
		return g.Problem
	}
	if len(g.Members) == 0 {
		return fmt.Sprintf("iconik's group %q has no members", g.Name)
	}
	others := 0
	for _, m := range g.Members {
		if _, ok := r.Grant.Users[m]; !ok {
			others++
		}
	}
	if others > 0 {
		return fmt.Sprintf("iconik's group %q has %d of %d members who may not see this in Frame.io: its people have access one by one", g.Name, others, len(g.Members))
	}
	return ""
}

// Entry is one line of an object's access list in iconik.
type Entry struct {
	ID        string
	Group     bool
	Inherited bool // from a collection above it
}

// Compare compares an object's list with the grant. It returns who else may read it (added in iconik, or inherited there), and who
// may not although they were given access. It ignores Framebridge's own user.
func (g Grant) Compare(list []Entry, self string) (added []Entry, missing IDs) {
	users, groups := maps.Clone(g.Users), maps.Clone(g.Groups)
	for _, e := range list {
		if !e.Group && e.ID == self {
			continue
		}
		given := g.Users
		left := users
		if e.Group {
			given, left = g.Groups, groups
		}
		if _, ok := given[e.ID]; !ok {
			added = append(added, e)
			continue
		}
		delete(left, e.ID)
	}
	return added, IDs{slices.Sorted(maps.Keys(users)), slices.Sorted(maps.Keys(groups))}
}
