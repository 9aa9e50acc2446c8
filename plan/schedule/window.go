// Package schedule says when a migration may work and when it will be done. It is pure: callers pass in the time.
package schedule

import (
	"fmt"
	"slices"
	"strings"
	"time"
)

// Window is a time of the week in which a migration works. Its JSON names are those of the API.
type Window struct {
	Days      string `json:"days,omitempty"` // days on which it begins, such as mon-fri or sat,sun; empty: every day
	From      string `json:"from"`           // 20:00
	To        string `json:"to"`             // 06:00; on the next day if it is not after From
	Zone      string `json:"zone,omitempty"` // such as Europe/Berlin; empty: UTC
	Bandwidth string `json:"bandwidth,omitempty"`
}

// Invalid names the field of a window that is at fault, and why.
type Invalid struct{ Field, Why string }

func (e *Invalid) Error() string { return e.Field + ": " + e.Why }

// Hours are parsed windows. Without any, it is always open.
type Hours []hours

type hours struct {
	days      [7]bool // by time.Weekday
	from, to  time.Duration
	zone      *time.Location
	bandwidth int64 // bytes per second; 0: no limit
}

// Read parses windows. An *Invalid error names the field at fault. bytes parses a size such as 100MiB.
func Read(windows []Window, bytes func(string) (int64, error)) (Hours, error) {
	var out Hours
	for i, w := range windows {
		wrong := func(field, format string, args ...any) error {
			return &Invalid{fmt.Sprintf("windows.%d.%s", i, field), fmt.Sprintf(format, args...)}
		}
		var h hours
		var err error
		if h.days, err = readDays(w.Days); err != nil {
			return nil, wrong("days", "%v", err)
		}
		for _, at := range []struct {
			field, text string
			into        *time.Duration
		}{{"from", w.From, &h.from}, {"to", w.To, &h.to}} {
			if *at.into, err = readClock(at.text); err != nil {
				return nil, wrong(at.field, "%q is not a time of day: write 20:00", at.text)
			}
		}
		if h.zone, err = time.LoadLocation(w.Zone); err != nil || w.Zone == "Local" {
			return nil, wrong("zone", "%q is not a time zone: write Europe/Berlin or America/Los_Angeles", w.Zone)
		}
		if w.Bandwidth != "" {
			if h.bandwidth, err = bytes(strings.TrimSuffix(w.Bandwidth, "/s")); err != nil || h.bandwidth <= 0 {
				return nil, wrong("bandwidth", "%q is not a number of bytes a second: write 100MiB", w.Bandwidth)
			}
		}
		out = append(out, h)
	}
	return out, nil
}

// readClock parses a time of day such as 20:00. 24:00 is the end of the day.
func readClock(text string) (time.Duration, error) {
	if text == "24:00" {
		return 24 * time.Hour, nil
	}
	at, err := time.Parse("15:04", text)
	return time.Duration(at.Hour())*time.Hour + time.Duration(at.Minute())*time.Minute, err
}

var dayNames = []string{"sun", "mon", "tue", "wed", "thu", "fri", "sat"}

// dayOf returns the index of a day, given its name or at least its first three letters, or -1.
func dayOf(text string) int {
	text = strings.ToLower(strings.TrimSpace(text))
	return slices.IndexFunc(dayNames, func(name string) bool {
		full := strings.ToLower(time.Weekday(slices.Index(dayNames, name)).String())
		return len(text) >= len(name) && strings.HasPrefix(full, text)
	})
}

func readDays(text string) (days [7]bool, err error) {
	if strings.TrimSpace(text) == "" {
		return [7]bool{true, true, true, true, true, true, true}, nil
	}
	for _, part := range strings.Split(text, ",") {
		first, last, isRange := strings.Cut(part, "-")
		from := dayOf(first)
		to := from
		if isRange {
			to = dayOf(last)
		}
		if from < 0 || to < 0 {
			return days, fmt.Errorf("%q is not a day of the week, or a range of them: write mon-fri or sat,sun", strings.TrimSpace(part))
		}
		for d := from; ; d = (d + 1) % 7 {
			days[d] = true
			if d == to {
				break
			}
		}
	}
	return days, nil
}

// State is what applies at a moment.
type State struct {
	Open      bool
	Bandwidth int64     // bytes per second; 0: no limit
	Changes   time.Time // when the state next changes; zero: never
	Opens     time.Time // when it next opens; zero while it is open
}

// period is one occurrence of a window.
type period struct {
	from, to  time.Time
	bandwidth int64
}

// periods returns the occurrences that end after now and begin within the given number of days.
func (h hours) periods(now time.Time, days int) []period {
	var out []period
	year, month, day := now.In(h.zone).Date()
	for n := -2; n <= days; n++ {
		begins := time.Date(year, month, day+n, 12, 0, 0, 0, h.zone) // at noon, because on some days midnight does not exist
		if !h.days[begins.Weekday()] {
			continue
		}
		ends := day + n
		if h.to <= h.from {
			ends++
		}
		p := period{clock(year, month, day+n, h.from, h.zone), clock(year, month, ends, h.to, h.zone), h.bandwidth}
		if p.to.After(now) && p.to.After(p.from) {
			out = append(out, p)
		}
	}
	return out
}

// clock returns a time of day in local time. A day on which the clocks change has 23 or 25 hours.
func clock(year int, month time.Month, day int, at time.Duration, zone *time.Location) time.Time {
	return time.Date(year, month, day, int(at/time.Hour), int(at%time.Hour/time.Minute), 0, 0, zone)
}

const lookAhead = 8 // days: one week and the night after it

// At returns the state at now. If windows overlap, the smallest bandwidth applies.
func (hs Hours) At(now time.Time) State {
	if len(hs) == 0 {
		return State{Open: true}
	}
	var s State
	changes := func(at time.Time) {
		if at.After(now) && (s.Changes.IsZero() || at.Before(s.Changes)) {
			s.Changes = at
		}
	}
	for _, h := range hs {
		for _, p := range h.periods(now, lookAhead) {
			changes(p.from)
			changes(p.to)
			switch {
			case p.from.After(now):
				if s.Opens.IsZero() || p.from.Before(s.Opens) {
					s.Opens = p.from
				}
			case !s.Open:
				s.Open, s.Bandwidth = true, p.bandwidth
			case p.bandwidth > 0 && (s.Bandwidth == 0 || p.bandwidth < s.Bandwidth):
				s.Bandwidth = p.bandwidth
			}
		}
	}
	if s.Open {
		s.Opens = time.Time{}
	}
	return s
}

// How far ahead an end is predicted. Changes are limited, too: a hundred windows have too many in two years to look at.
const (
	longest     = 2 * 366 * 24 * time.Hour
	mostChanges = 5000
)

// After returns when an amount of work will be done if it proceeds only while a window is open. It returns false if
// that is too far off to predict.
func (hs Hours) After(now time.Time, work time.Duration) (time.Time, bool) {
	at := now
	for n := 0; n < mostChanges && at.Sub(now) < longest; n++ {
		s := hs.At(at)
		if s.Open && (s.Changes.IsZero() || s.Changes.Sub(at) >= work) {
			return at.Add(work), work <= longest
		}
		if s.Open {
			work -= s.Changes.Sub(at)
		}
		if s.Changes.IsZero() {
			break
		}
		at = s.Changes
	}
	return time.Time{}, false
}
