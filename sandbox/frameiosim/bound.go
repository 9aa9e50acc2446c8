package frameiosim

import "time"

// unlistedV4 is the limit of what ratesV4 does not have.
var unlistedV4 = [2]float64{100, 60_000}

// Bound is how long V4's limits alone require for the calls of one credential so far, and the operation that does.
func (s *Sim) Bound() (longest time.Duration, of string) {
	for op, n := range s.Calls() {
		rate, known := ratesV4[op]
		if !known {
			rate = unlistedV4
		}
		if took := time.Duration((float64(n) - rate[0]) * rate[1] / rate[0] * float64(time.Millisecond)); took > longest {
			longest, of = took, op
		}
	}
	return longest, of
}
