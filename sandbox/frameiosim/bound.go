package frameiosim

import (
	"strings"
	"time"
)

// unlistedV4 is the limit of what ratesV4 does not have.
var unlistedV4 = [2]float64{100, 60_000}

// Bound is how long the limits alone require for the calls that they have let through so far, and the operation that does. An
// account that was moved has the time on the legacy API before that on V4.
func (s *Sim) Bound() (time.Duration, string) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	var legacy, v4 time.Duration
	var ofLegacy, ofV4 string
	for op, b := range s.limits {
		longest, of := &v4, &ofV4
		if strings.Contains(op, " /v2/") {
			longest, of = &legacy, &ofLegacy
		}
		if took := time.Duration((float64(b.let) - b.rate[0]) * b.rate[1] / b.rate[0] * float64(time.Millisecond)); took > *longest {
			*longest, *of = took, op
		}
	}
	return legacy + v4, strings.TrimPrefix(strings.TrimSuffix(ofLegacy+", then "+ofV4, ", then "), ", then ")
}
