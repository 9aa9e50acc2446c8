package signin

import (
	"maps"
	"sync"
	"time"
)

const (
	seldomEvery = time.Minute
	seldomMost  = 1000 // most things remembered; beyond that, nothing passes
)

// Seldom lets the same thing pass once a minute, so that repeated refusals do not fill the audit log.
type Seldom struct {
	mu   sync.Mutex
	last map[string]time.Time
}

// Pass reports whether the same thing has not passed within the last minute.
func (s *Seldom) Pass(what string, now time.Time) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if last, ok := s.last[what]; ok && now.Sub(last) < seldomEvery {
		return false
	}
	if len(s.last) >= seldomMost {
		maps.DeleteFunc(s.last, func(_ string, at time.Time) bool { return now.Sub(at) >= seldomEvery })
		if len(s.last) >= seldomMost {
			return false
		}
	}
	if s.last == nil {
		s.last = map[string]time.Time{}
	}
	s.last[what] = now
	return true
}
