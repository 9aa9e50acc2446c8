// Package untrusted reads numbers, IDs and addresses from outside, within bounds. A vendor, a proxy on the way to it, or anyone
// who can write into either may send anything. A value that is out of bounds is logged and replaced by a harmless one.
package untrusted

import (
	"log/slog"
	"math"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"time"
)

// LongestPause is the longest wait that anybody outside can request. Both vendors count calls per minute.
const LongestPause = time.Hour

const (
	longestShown = 40 // bytes of a value in the log
	logEvery     = time.Minute
)

// Number parses a finite decimal from least to most. It returns false if text is empty or anything else; the latter is logged.
func Number(name, text string, least, most float64) (float64, bool) {
	text = strings.TrimSpace(text)
	if text == "" {
		return 0, false
	}
	v, err := strconv.ParseFloat(text, 64)
	if err != nil || math.IsNaN(v) || v < least || v > most {
		refused(name, text)
		return 0, false
	}
	return v, true
}

// Count parses a whole number from 0 to most. It returns false for anything else.
func Count(name, text string, most int64) (int64, bool) {
	v, ok := Number(name, text, 0, float64(most))
	if !ok || v != math.Trunc(v) {
		return 0, false
	}
	return int64(v), true
}

// Whole truncates a decoded number to a whole one. NaN and negative numbers become 0, larger ones most.
func Whole(name string, v float64, most int64) int64 {
	switch {
	case math.IsNaN(v) || v < 0:
		refused(name, strconv.FormatFloat(v, 'g', -1, 64))
		return 0
	case v > float64(most):
		refused(name, strconv.FormatFloat(v, 'g', -1, 64))
		return most
	}
	return int64(v)
}

// Epoch parses seconds since 1970 as a time in the years 2001 to 2099. It returns false for anything else.
func Epoch(name, text string) (time.Time, bool) {
	v, ok := Number(name, text, epochLeast, epochMost)
	if !ok {
		return time.Time{}, false
	}
	return time.Unix(int64(v), 0).UTC(), true
}

// The first and last second of the years 2001 to 2099.
const (
	epochLeast = 978307200
	epochMost  = 4102444799
)

// Lasting parses a duration in seconds, and returns most for a longer one. It returns false if text is not a number of at least 0.
func Lasting(name, text string, most time.Duration) (time.Duration, bool) {
	v, ok := Number(name, text, 0, math.MaxFloat64)
	if !ok {
		return 0, false
	}
	if v > most.Seconds() {
		refused(name, text)
		return most, true
	}
	return time.Duration(v * float64(time.Second)), true
}

// RetryAfter parses the header as seconds, as a date, or as seconds or milliseconds since 1970, which some services send. The
// result is from 0 to LongestPause. It returns false if the header is absent or invalid.
func RetryAfter(h http.Header, now time.Time) (time.Duration, bool) {
	const name = "Retry-After"
	text := strings.TrimSpace(h.Get(name))
	if at, err := http.ParseTime(text); err == nil {
		return until(name, text, at, now), true
	}
	v, ok := Number(name, text, 0, math.MaxFloat64)
	switch {
	case !ok:
		return 0, false
	case v >= epochLeast && v <= epochMost:
		return until(name, text, time.Unix(int64(v), 0), now), true
	case v >= epochLeast*1000 && v <= epochMost*1000:
		return until(name, text, time.UnixMilli(int64(v)), now), true
	}
	return Lasting(name, text, LongestPause)
}

func until(name, text string, at, now time.Time) time.Duration {
	d := at.Sub(now)
	if d > LongestPause {
		refused(name, text)
	}
	return min(max(d, 0), LongestPause)
}

var said struct {
	sync.Mutex
	at map[string]time.Time
}

// refused logs a value that is out of bounds, at most once a minute per name.
func refused(name, text string) {
	said.Lock()
	defer said.Unlock()
	if time.Since(said.at[name]) < logEvery {
		return
	}
	if said.at == nil {
		said.at = map[string]time.Time{}
	}
	said.at[name] = time.Now()
	if len(text) > longestShown {
		text = strings.ToValidUTF8(text[:longestShown], "") + "…"
	}
	slog.Warn("a number from outside is out of range", "name", name, "value", text)
}
