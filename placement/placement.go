// Package placement decides which iconik asset each version belongs in, given Frame.io's current files and version stacks, and
// which versions must be copied again for that. It reads nothing itself.
package placement

import (
	"slices"
	"time"
)

// Item is one version of a file, and where it was copied to.
type Item struct {
	SourceID string
	Asset    string    // the iconik asset that it is in; "" if none
	MadeAt   time.Time // when its iconik version was created; zero if there is none
}

// Node is a file or a version stack with its versions in Frame.io, oldest first.
type Node struct {
	Key    string // the stack's ID, or the file's own
	Stack  bool
	Linked string // the asset linked to it; "" if none
	Items  []Item
}

// Plan is where a node's versions belong.
type Plan struct {
	// Asset is where all versions belong. It is empty if it has yet to be created.
	Asset string
	// Taken means that the asset was linked to something else: the file itself before it was stacked, or a stack that no longer exists.
	Taken bool
	// Anew are the versions, by index in Items, that are in another asset.
	Anew []int
	// Late are the versions that are in the right asset but out of order. iconik adds each new version after all the others, so
	// they are created again after the ones before them.
	Late []int
}

// Nothing reports whether everything is where it belongs or has yet to be created.
func (p Plan) Nothing() bool { return !p.Taken && len(p.Anew) == 0 && len(p.Late) == 0 }

// Of decides where a node's versions belong. others reports whether another existing file or stack in Frame.io is linked to an
// asset, which then stays with that one.
func Of(n Node, others func(asset string) bool) Plan {
	var p Plan
	switch {
	case n.Linked != "" && (n.Stack || !others(n.Linked)): // a stack keeps the asset that it took over from its first file
		p.Asset = n.Linked
	default: // that of the lowest version that was copied by itself, or with a stack that no longer exists
		for _, it := range n.Items {
			if it.Asset != "" && it.Asset != n.Linked && !others(it.Asset) {
				p.Asset, p.Taken = it.Asset, true
				break
			}
		}
	}
	var last time.Time // of the versions before
	open := false      // one of the versions before has yet to be created
	for i, it := range n.Items {
		switch {
		case it.Asset == "" || it.Asset == p.Asset && it.MadeAt.IsZero():
			open = true
		case it.Asset != p.Asset:
			p.Anew = append(p.Anew, i)
			open = true
		case open || it.MadeAt.Before(last):
			p.Late = append(p.Late, i)
			open = true
		default:
			last = it.MadeAt
		}
	}
	return p
}

// Plain reports, without considering others, whether a node's plan changes nothing.
func Plain(n Node) bool {
	if n.Linked == "" && slices.ContainsFunc(n.Items, func(it Item) bool { return it.Asset != "" }) {
		return false
	}
	return Of(n, func(string) bool { return false }).Nothing()
}
