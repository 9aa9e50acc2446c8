package untrusted

import (
	"math"
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
)

var at = time.Date(2026, 11, 1, 0, 0, 0, 0, time.UTC)

func TestWholeNumbers(t *testing.T) {
	for v, want := range map[float64]int64{0: 0, 1.9: 1, 100: 100, 101: 100, -1: 0, 1e300: 100, math.Inf(1): 100, math.Inf(-1): 0, 1e-300: 0} {
		assert.Equal(t, want, Whole("n", v, 100), "%v", v)
	}
	assert.Zero(t, Whole("n", math.NaN(), 100))
	for text, want := range map[string]bool{"0": true, "17": true, " 17 ": true, "1e2": true, "101": false, "1.5": false, "-1": false, "NaN": false, "Inf": false, "": false, "x": false, "9223372036854775808": false} {
		_, ok := Count("n", text, 100)
		assert.Equal(t, want, ok, "%q", text)
	}
}

func TestTimesOfThisCentury(t *testing.T) {
	for text, want := range map[string]bool{"1793491209": true, "0": false, "-1": false, "1e18": false, "NaN": false, "17934912090000": false, "": false} {
		_, ok := Epoch("Expires", text)
		assert.Equal(t, want, ok, "%q", text)
	}
}

func FuzzRetryAfter(f *testing.F) {
	for _, seed := range []string{"", "0", "7", "0.05", "-1", "1e300", "1e-300", "NaN", "+Inf", "0x1p-2", "1793491209", "1793491209000", "9999999999999999999",
		"Sun, 01 Nov 2026 00:00:09 GMT", "Sunday, 01-Nov-26 00:00:09 GMT", "Sun Nov  1 00:00:09 2026", "Fri, 31 Dec 9999 23:59:59 GMT", "soon"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		d, ok := RetryAfter(http.Header{"Retry-After": {text}}, at)
		if d < 0 || d > LongestPause || !ok && d != 0 {
			t.Fatalf("%q is %v, %v", text, d, ok)
		}
	})
}

func FuzzNumber(f *testing.F) {
	for _, seed := range []string{"", "1", "1e-300", "NaN", "Inf", "-0", "0x10", "1_000", "９"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		if v, ok := Number("n", text, 1, 1e6); ok && !(v >= 1 && v <= 1e6) {
			t.Fatalf("%q is %v", text, v)
		}
		if d, ok := Lasting("n", text, time.Hour); ok && (d < 0 || d > time.Hour) {
			t.Fatalf("%q lasts %v", text, d)
		}
	})
}
