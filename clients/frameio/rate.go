package frameio

import (
	"fmt"

	"github.com/framebridge/framebridge/mapping"
)

// knownRates are rates that media come in, as exact fractions.
var knownRates = func() []mapping.Rate {
	var known []mapping.Rate
	for _, fps := range []int64{10, 12, 15, 24, 25, 30, 48, 50, 60, 100, 120, 240} {
		known = append(known, mapping.Rate{Num: fps, Den: 1})
	}
	for _, fps := range []int64{12, 15, 24, 30, 48, 60, 120, 240} { // the NTSC rates
		known = append(known, mapping.Rate{Num: fps * 1000, Den: 1001})
	}
	return known
}()

// ParseRate returns the exact value of a decimal frame rate: 23.976, 23.98 and 23.976023976 are 24000/1001. It returns zero
// if fps is not a rate, such as NaN.
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
	if off < 0.0065 { // 23.97 is 0.006024 away from 24000/1001
		return best
	}
	num := int64(fps*1000 + 0.5)
	g := gcd(num, 1000)
	return mapping.Rate{Num: num / g, Den: 1000 / g}
}

func gcd(a, b int64) int64 {
	for b != 0 {
		a, b = b, a%b
	}
	return a
}

// RateOf parses a rate such as "23.976 FPS" or "24000/1001".
func RateOf(text string) mapping.Rate {
	var fps, den float64
	n, _ := fmt.Sscanf(text, "%g/%g", &fps, &den)
	if n == 2 && den > 0 {
		fps /= den
	}
	return ParseRate(fps)
}
