package placement

import (
	"math/rand/v2"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
)

// at returns a version of a file, in an asset and created as the nth of all; 0 for one that does not exist yet.
func at(id, asset string, n int) Item {
	it := Item{SourceID: id, Asset: asset}
	if n > 0 {
		it.MadeAt = time.Unix(int64(n), 0)
	}
	return it
}

func TestOf(t *testing.T) {
	tests := map[string]struct {
		node   Node
		others []string
		want   Plan
	}{
		"a new file":                    {Node{Key: "f", Items: []Item{at("f", "", 0)}}, nil, Plan{}},
		"a file that is there":          {Node{Key: "f", Linked: "A", Items: []Item{at("f", "A", 1)}}, nil, Plan{Asset: "A"}},
		"a version is added":            {Node{Key: "s", Stack: true, Linked: "A", Items: []Item{at("f", "A", 1), at("g", "", 0)}}, nil, Plan{Asset: "A"}},
		"an asset without its version":  {Node{Key: "f", Linked: "A", Items: []Item{at("f", "A", 0)}}, nil, Plan{Asset: "A"}},
		"a file gets a version":         {Node{Key: "s", Stack: true, Items: []Item{at("f", "A", 1), at("g", "", 0)}}, nil, Plan{Asset: "A", Taken: true}},
		"a file gets one below it":      {Node{Key: "s", Stack: true, Items: []Item{at("g", "", 0), at("f", "A", 1)}}, nil, Plan{Asset: "A", Taken: true, Late: []int{1}}},
		"two files become a stack":      {Node{Key: "s", Stack: true, Items: []Item{at("f", "A", 1), at("g", "B", 2)}}, nil, Plan{Asset: "A", Taken: true, Anew: []int{1}}},
		"a stack leaves one behind":     {Node{Key: "s", Stack: true, Linked: "A", Items: []Item{at("f", "A", 1)}}, nil, Plan{Asset: "A"}},
		"a file leaves its stack":       {Node{Key: "g", Items: []Item{at("g", "A", 2)}}, []string{"A"}, Plan{Anew: []int{0}}},
		"a stack falls apart":           {Node{Key: "f", Items: []Item{at("f", "A", 1)}}, nil, Plan{Asset: "A", Taken: true}},
		"moved to another stack":        {Node{Key: "t", Stack: true, Linked: "B", Items: []Item{at("h", "B", 3), at("g", "A", 2)}}, []string{"A"}, Plan{Asset: "B", Anew: []int{1}}},
		"moved into one, in the middle": {Node{Key: "t", Stack: true, Linked: "B", Items: []Item{at("h", "B", 3), at("g", "A", 2), at("i", "B", 4)}}, []string{"A"}, Plan{Asset: "B", Anew: []int{1}, Late: []int{2}}},
		"two stacks become one":         {Node{Key: "s", Stack: true, Linked: "A", Items: []Item{at("f", "A", 1), at("g", "A", 2), at("h", "B", 3)}}, nil, Plan{Asset: "A", Anew: []int{2}}},
		"reordered":                     {Node{Key: "s", Stack: true, Linked: "A", Items: []Item{at("g", "A", 2), at("f", "A", 1)}}, nil, Plan{Asset: "A", Late: []int{1}}},
		"left out of order by a retry":  {Node{Key: "s", Stack: true, Linked: "A", Items: []Item{at("f", "A", 1), at("g", "A", 4), at("h", "A", 2), at("i", "A", 3)}}, nil, Plan{Asset: "A", Late: []int{2, 3}}},
		"two assets of before":          {Node{Key: "s", Stack: true, Linked: "B", Items: []Item{at("f", "A", 1), at("g", "B", 2)}}, nil, Plan{Asset: "B", Anew: []int{0}, Late: []int{1}}},
		"a stale link of a file":        {Node{Key: "f", Linked: "A", Items: []Item{at("f", "A", 1)}}, []string{"A"}, Plan{Anew: []int{0}}},
		"a stack keeps its asset":       {Node{Key: "s", Stack: true, Linked: "A", Items: []Item{at("g", "A", 2)}}, []string{"A"}, Plan{Asset: "A"}},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			others := func(asset string) bool {
				for _, o := range tt.others {
					if o == asset {
						return true
					}
				}
				return false
			}
			got := Of(tt.node, others)
			assert.Equal(t, tt.want, got)
			if !got.Nothing() && len(tt.others) == 0 {
				assert.False(t, Plain(tt.node), "it is looked at")
			}
		})
	}
}

// Whatever was changed, following the plan puts all versions of a node into one asset, in order, and leaves nothing to do.
func TestFollowingAPlanEndsIt(t *testing.T) {
	r := rand.New(rand.NewPCG(11, 5))
	for range 5000 {
		n := Node{Key: "s", Stack: r.IntN(2) == 0, Linked: []string{"", "A", "B"}[r.IntN(3)]}
		for i := range 1 + r.IntN(5) {
			n.Items = append(n.Items, at(string(rune('f'+i)), []string{"", "A", "B", "C"}[r.IntN(4)], r.IntN(9)))
		}
		taken := []string{"A", "B", "C"}[r.IntN(3)]
		others := func(asset string) bool { return asset == taken }
		p := Of(n, others)
		n.Linked = p.Asset
		if n.Linked == "" {
			n.Linked = "new"
		}
		for _, i := range append(p.Anew, p.Late...) {
			n.Items[i].Asset, n.Items[i].MadeAt = "", time.Time{}
		}
		for i := range n.Items {
			if n.Items[i].Asset == "" || n.Items[i].MadeAt.IsZero() {
				n.Items[i].Asset, n.Items[i].MadeAt = n.Linked, time.Unix(int64(100+i), 0)
			}
		}
		assert.Equal(t, Plan{Asset: n.Linked}, Of(n, func(string) bool { return false }))
		assert.True(t, Plain(n))
	}
}
