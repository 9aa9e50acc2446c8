package transfer

import (
	"crypto/md5" //nolint:gosec // the stores' ETags are MD5
	"sync"
	"time"

	"github.com/framebridge/framebridge/transfer/widemd5"
)

const (
	laneStep     = 1 << 20 // bytes of a part per round
	laneMost     = 4 << 20 // most bytes of a part that wait for the others
	lanePatience = 5 * time.Millisecond
)

// md5Lanes computes the MD5s of all parts in flight together, in the lanes of wide registers, because MD5 is the most
// expensive thing that the engine does. An empty lane costs as much as a full one, so it lets bytes accumulate until all
// parts have some. A complete part waits for others no longer than lanePatience.
type md5Lanes struct {
	bell chan struct{}

	mu    sync.Mutex
	lanes []*md5Lane
	runs  bool
}

// md5s holds the process's lanes, which all transfers share. If the processor has none, each part computes its own MD5.
var md5s = &md5Lanes{bell: make(chan struct{}, 1)}

// md5Lane is the lane of one part.
type md5Lane struct {
	m     *md5Lanes
	bytes []byte
	hash  *widemd5.Digest
	got   int       // arrived
	taken int       // hashed
	upto  int       // how far the current round hashes
	whole time.Time // when all had arrived
	ended bool      // sum is set, or leave was called
	sum   [md5.Size]byte
	done  chan struct{} // closed when it has ended and no longer uses bytes
}

func (m *md5Lanes) join(b []byte) *md5Lane {
	l := &md5Lane{m: m, bytes: b, hash: widemd5.New(), done: make(chan struct{})}
	m.mu.Lock()
	defer m.mu.Unlock()
	m.lanes = append(m.lanes, l)
	if !m.runs {
		m.runs = true
		go m.run()
	}
	return l
}

// arrived tells the lane that the bytes up to got are here.
func (l *md5Lane) arrived(got int) {
	l.m.mu.Lock()
	before := l.got
	l.got = got
	if got == len(l.bytes) {
		l.whole = time.Now()
	}
	l.m.mu.Unlock()
	if got == len(l.bytes) || before/laneStep != got/laneStep {
		l.m.ring()
	}
}

// leave gives up on the sum.
func (l *md5Lane) leave() {
	l.m.mu.Lock()
	l.ended = true
	l.m.mu.Unlock()
	l.m.ring()
}

func (m *md5Lanes) ring() {
	select {
	case m.bell <- struct{}{}:
	default:
	}
}

func (m *md5Lanes) run() {
	patience := time.NewTimer(lanePatience)
	defer patience.Stop()
	for {
		round, wait, ended := m.next()
		switch {
		case ended:
			return
		case round != nil:
			m.take(round)
		case wait > 0:
			patience.Reset(wait)
			select {
			case <-m.bell:
			case <-patience.C:
			}
		default:
			<-m.bell
		}
	}
}

// next chooses the lanes of a round, or returns how long to wait for more. ended means that no lane is left.
func (m *md5Lanes) next() (round []*md5Lane, wait time.Duration, ended bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	kept := m.lanes[:0]
	for _, l := range m.lanes {
		if l.ended {
			close(l.done)
			continue
		}
		kept = append(kept, l)
	}
	clear(m.lanes[len(kept):])
	m.lanes = kept
	if len(kept) == 0 {
		m.runs = false
		return nil, 0, true
	}
	now, due := time.Now(), false
	for _, l := range kept {
		has := l.got - l.taken
		if !l.whole.IsZero() {
			left := lanePatience - now.Sub(l.whole)
			due = due || left <= 0
			if wait == 0 || left < wait {
				wait = left
			}
		} else if has < laneStep {
			continue
		}
		due = due || has >= laneMost
		round = append(round, l)
	}
	if !due && len(round) < min(len(kept), widemd5.Lanes) {
		return nil, wait, false
	}
	for _, l := range round {
		l.upto = min(l.got, l.taken+laneStep)
		if l.upto < len(l.bytes) {
			l.upto &^= widemd5.BlockSize - 1
		}
	}
	return round, 0, false
}

// take hashes the bytes of a round's lanes, in parallel for as long as each still has some.
func (m *md5Lanes) take(round []*md5Lane) {
	at := make([]int, len(round))
	for i, l := range round {
		at[i] = l.taken
	}
	for {
		var streams []*widemd5.Digest
		var from [][]byte
		size := laneStep
		for i, l := range round {
			if left := (l.upto - at[i]) &^ (widemd5.BlockSize - 1); left > 0 {
				size = min(size, left)
				streams, from = append(streams, l.hash), append(from, l.bytes[at[i]:l.upto])
			}
		}
		if len(streams) == 0 {
			break
		}
		from[0] = from[0][:size]
		widemd5.Blocks(streams, from)
		for i, l := range round {
			if l.upto-at[i] >= widemd5.BlockSize {
				at[i] += size
			}
		}
	}
	for i, l := range round {
		if l.upto == len(l.bytes) {
			l.sum = l.hash.Sum(l.bytes[at[i]:])
		}
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, l := range round {
		l.taken = l.upto
		l.ended = l.ended || l.upto == len(l.bytes)
	}
}
