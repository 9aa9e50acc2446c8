// Package placement says which iconik asset each version must be in, as Frame.io has its files and version stacks now, and
// which versions have to be brought over anew for that. It reads nothing by itself.
package placement

import (
	"slices"
	"time"
)

// Item is one version of a file, with where it was brought to.
type Item struct {
	SourceID string
	Asset    string    // the iconik asset that it is in; empty for none
	MadeAt   time.Time // when its version was made; zero while it has none
}

// Node is a file or a version stack, with its versions as Frame.io has them, oldest first.
type Node struct {
	Key    string // the stack's id, or the file's own
	Stack  bool
	Linked string // the asset that stands for it; empty for none
	Items  []Item
}

// Plan is what a node comes to.
type Plan struct {
	// Asset is where all versions belong; empty for one that is still to be made.
	Asset string
	// Taken says that the asset went by another name so far: the file's own before it was stacked, a stack's that is gone.
	Taken bool
	// Anew are the versions, by their place in Items, that are in another asset.
	Anew []int
	// Late are those that are in the right asset, and not in their order: iconik puts each version that is made behind all
	// others, so they are made again after the ones before them.
	Late []int
}

// Nothing says that everything is where it belongs, or is still to be made.
func (p Plan) Nothing() bool { return !p.Taken && len(p.Anew) == 0 && len(p.Late) == 0 }

// Of decides where a node's versions belong. others says whether another file or stack that Frame.io has stands for an
// asset: the asset stays with that one.
func Of(n Node, others func(asset string) bool) Plan {
	var p Plan
	switch {
	case n.Linked != "" && (n.Stack || !others(n.Linked)): // a stack keeps the asset that it took over from its first file
		p.Asset = n.Linked
	default: // of the lowest version that was brought over by itself, or with a stack that is gone
		for _, it := range n.Items {
			if it.Asset != "" && it.Asset != n.Linked && !others(it.Asset) {
				p.Asset, p.Taken = it.Asset, true
				break
			}
		}
	}
	var last time.Time // of the versions so far
	open := false      // one of those so far is still to be made
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

// Plain says, without asking for others, that a node's plan comes to nothing.
func Plain(n Node) bool {
	if n.Linked == "" && slices.ContainsFunc(n.Items, func(it Item) bool { return it.Asset != "" }) {
		return false
	}
	return Of(n, func(string) bool { return false }).Nothing()
}
