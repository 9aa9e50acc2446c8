package transfer

import (
	"crypto/md5"
	"math/rand/v2"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func randomBytes(n int) []byte {
	b := make([]byte, n)
	_, _ = rand.NewChaCha8([32]byte{9}).Read(b)
	return b
}

// TestPartsOfAllSizesTakeTheirMD5Together feeds parts at different speeds; some break off.
func TestPartsOfAllSizesTakeTheirMD5Together(t *testing.T) {
	m := &md5Lanes{bell: make(chan struct{}, 1)}
	var parts sync.WaitGroup
	for i, size := range []int{0, 1, 63, 64, 65, laneStep, laneStep + 1, 3*laneStep - 5, 6 * laneStep, 5*laneStep + 64, 12345, 8*laneStep + 1} {
		parts.Go(func() {
			b := randomBytes(size)
			l := m.join(b)
			if i%5 == 4 {
				l.arrived(size / 2)
				l.leave()
				<-l.done
				return
			}
			for got := 0; got < size; got = min(got+(i+1)*10_007, size) {
				l.arrived(got)
			}
			l.arrived(size)
			<-l.done
			assert.Equal(t, md5.Sum(b), l.sum, "%d bytes", size)
		})
	}
	parts.Wait()
	l := m.join(nil) // the lanes had stopped, and start again
	l.arrived(0)
	<-l.done
	assert.Equal(t, md5.Sum(nil), l.sum)
}

func TestAPartIsNotHeldUpByOneThatStalls(t *testing.T) {
	m := &md5Lanes{bell: make(chan struct{}, 1)}
	stalled := m.join(randomBytes(laneStep))
	b := randomBytes(2*laneStep + 7)
	l := m.join(b)
	l.arrived(len(b))
	<-l.done
	require.Equal(t, md5.Sum(b), l.sum)
	stalled.leave()
	<-stalled.done
}
