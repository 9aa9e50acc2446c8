package frameio

import "github.com/framebridge/framebridge/mapping"

// Rates that media come in, as exact fractions.
var knownRates = []mapping.Rate{
	{24000, 1001}, {24, 1}, {25, 1}, {30000, 1001}, {30, 1}, {48000, 1001}, {48, 1}, {50, 1}, {60000, 1001}, {60, 1},
	{100, 1}, {120000, 1001}, {120, 1}, {12, 1}, {15, 1}, {15000, 1001}, {12000, 1001}, {10, 1}, {240, 1}, {240000, 1001},
}

// ParseRate gives a decimal frame rate its exact value: 23.976, 23.98 and 23.976023976 are 24000/1001. What is no rate, NaN
// among it, gives the zero value.
func ParseRate(fps float64) mapping.Rate {
	if !(fps > 0 && fps <= 1000) {
		return mapping.Rate{}
	}
	best, off := mapping.Rate{}, 0.0
	for _, r := range knownRates {
		d := fps - float64(r.Num)/float64(r.Den)
		if d < 0 {
			d = -d
		}
		if best.Den == 0 || d < off {
			best, off = r, d
		}
	}
	if off < 0.006 {
		return best
	}
	num := int64(fps*1000 + 0.5)
	g := gcd(num, 1000)
	return mapping.Rate{num / g, 1000 / g}
}

func gcd(a, b int64) int64 {
	for b != 0 {
		a, b = b, a%b
	}
	return a
}
