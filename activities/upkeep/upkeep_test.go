package upkeep

import (
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/framebridge/framebridge/ledger"
)

// A file's chance of being read is proportional to its bytes, and a sample is no larger than it must be.
func TestASampleGoesByBytes(t *testing.T) {
	chance := rand.New(rand.NewPCG(1, 2))
	read := map[string]int{}
	for range 2000 {
		s := &sample{target: 100}
		for _, f := range []ledger.Item{{SourceID: "small", StoredSize: 10}, {SourceID: "large", StoredSize: 90}, {SourceID: "huge", StoredSize: 900}} {
			s.show(stored{item: f}, chance)
		}
		assert.NotEmpty(t, s.chosen)
		for i := range s.chosen {
			if len(s.chosen) > 1 {
				assert.Less(t, s.bytes-s.chosen[0].item.StoredSize, s.target, "none too many")
			}
			read[s.chosen[i].item.SourceID]++
		}
	}
	assert.Greater(t, read["huge"], read["large"])
	assert.Greater(t, read["large"], read["small"])
	assert.Positive(t, read["small"])
}

func TestASampleOfNothing(t *testing.T) {
	s := &sample{}
	s.show(stored{item: ledger.Item{SourceID: "empty"}}, rand.New(rand.NewPCG(1, 2)))
	assert.Len(t, s.chosen, 1, "one a day at least")
}
