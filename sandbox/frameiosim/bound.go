package frameiosim

import (
	"slices"
	"strings"
	"time"
)

// unlistedV4 is the limit of operations that ratesV4 does not list.
var unlistedV4 = [2]float64{100, 60_000}

// Bound returns how long the limits alone require for the calls let through so far, and the operation that takes longest.
// For a migrated account, the time on the legacy API and the time on V4 add up.
func (s *Sim) Bound() (time.Duration, string) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	var took [2]time.Duration // legacy, V4
	var of [2]string
	for op, b := range s.limits {
		api := 1
		if strings.Contains(op, " /v2/") {
			api = 0
		}
		if t := time.Duration((float64(b.let) - b.rate[0]) * b.rate[1] / b.rate[0] * float64(time.Millisecond)); t > took[api] {
			took[api], of[api] = t, op
		}
	}
	named := slices.DeleteFunc(of[:], func(op string) bool { return op == "" })
	return took[0] + took[1], strings.Join(named, ", then ")
}
