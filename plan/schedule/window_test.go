package schedule

import (
	"errors"
	"fmt"
	"strconv"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func mebibytes(text string) (int64, error) {
	n, err := strconv.ParseInt(text[:max(len(text)-3, 0)], 10, 64)
	return n << 20, err
}

func at(t *testing.T, text string) time.Time {
	t.Helper()
	when, err := time.Parse(time.RFC3339, text)
	require.NoError(t, err)
	return when
}

func TestWindows(t *testing.T) {
	night := Window{Days: "mon-fri", From: "20:00", To: "06:00", Zone: "Europe/Berlin", Bandwidth: "100MiB"}
	tests := []struct {
		name    string
		windows []Window
		now     string
		open    bool
		limit   int64
		changes string // "": never
	}{
		{"no window is always open", nil, "2026-12-01T12:00:00Z", true, 0, ""},
		{"in the evening", []Window{night}, "2026-12-01T20:00:00+01:00", true, 100 << 20, "2026-12-02T06:00:00+01:00"},
		{"a moment before", []Window{night}, "2026-12-01T19:59:59+01:00", false, 0, "2026-12-01T20:00:00+01:00"},
		{"after midnight it is still the day's that it began on", []Window{night}, "2026-12-05T05:59:59+01:00", true, 100 << 20, "2026-12-05T06:00:00+01:00"},
		{"on the end it is over", []Window{night}, "2026-12-05T06:00:00+01:00", false, 0, "2026-12-07T20:00:00+01:00"},
		{"Sunday night is none of Monday's", []Window{night}, "2026-12-07T01:00:00+01:00", false, 0, "2026-12-07T20:00:00+01:00"},
		{"the week goes round", []Window{{Days: "fri-mon", From: "08:00", To: "09:00"}}, "2026-12-06T08:30:00Z", true, 0, "2026-12-06T09:00:00Z"},
		{"a list of days", []Window{{Days: "Sat, sunday", From: "00:00", To: "24:00"}}, "2026-12-05T12:00:00Z", true, 0, "2026-12-06T00:00:00Z"},
		{"every day, whole", []Window{{From: "00:00", To: "00:00"}}, "2026-12-05T12:00:00Z", true, 0, "2026-12-06T00:00:00Z"},
		{"where two overlap, the smaller bandwidth holds", []Window{night, {From: "00:00", To: "24:00", Zone: "Europe/Berlin", Bandwidth: "10MiB"}}, "2026-12-01T21:00:00+01:00", true, 10 << 20, "2026-12-02T00:00:00+01:00"},
		{"a limit is less than none", []Window{{From: "00:00", To: "24:00"}, {From: "09:00", To: "18:00", Bandwidth: "5MiB"}}, "2026-12-01T10:00:00Z", true, 5 << 20, "2026-12-01T18:00:00Z"},
		{"the clock goes forward: an hour less", []Window{{From: "20:00", To: "06:00", Zone: "Europe/Berlin"}}, "2027-03-28T00:30:00+01:00", true, 0, "2027-03-28T06:00:00+02:00"},
		{"the clock goes back: an hour more", []Window{{From: "20:00", To: "06:00", Zone: "Europe/Berlin"}}, "2026-10-25T02:30:00+02:00", true, 0, "2026-10-25T06:00:00+01:00"},
		{"a Sunday without its midnight is none of Saturday's", []Window{{Days: "sun", From: "10:00", To: "18:00", Zone: "America/Santiago"}}, "2026-09-06T12:00:00-03:00", true, 0, "2026-09-06T18:00:00-03:00"},
		{"Los Angeles, seen from UTC", []Window{{Days: "mon", From: "18:00", To: "23:00", Zone: "America/Los_Angeles"}}, "2026-12-01T03:00:00Z", true, 0, "2026-12-01T07:00:00Z"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			hours, err := Read(tt.windows, mebibytes)
			require.NoError(t, err)
			s := hours.At(at(t, tt.now))
			assert.Equal(t, tt.open, s.Open)
			assert.Equal(t, tt.limit, s.Bandwidth)
			if tt.changes == "" {
				assert.Zero(t, s.Changes)
				return
			}
			assert.True(t, at(t, tt.changes).Equal(s.Changes), "changes at %s", s.Changes)
			assert.Equal(t, !tt.open, s.Opens.Equal(s.Changes), "a closed one says when it opens")
		})
	}
}

func TestTheNightOfTheClockChangeHasItsHours(t *testing.T) {
	hours, err := Read([]Window{{From: "20:00", To: "06:00", Zone: "Europe/Berlin"}}, mebibytes)
	require.NoError(t, err)
	for begins, lasts := range map[string]time.Duration{
		"2027-03-27T20:00:00+01:00": 9 * time.Hour,
		"2026-10-24T20:00:00+02:00": 11 * time.Hour,
		"2026-12-01T20:00:00+01:00": 10 * time.Hour,
	} {
		from := at(t, begins)
		assert.Equal(t, lasts, hours.At(from).Changes.Sub(from), begins)
	}
}

func TestWhatNoWindowIs(t *testing.T) {
	good := Window{Days: "mon", From: "20:00", To: "22:00"}
	for field, change := range map[string]func(*Window){
		"windows.1.days":      func(w *Window) { w.Days = "mon-funday" },
		"windows.1.from":      func(w *Window) { w.From = "25:00" },
		"windows.1.to":        func(w *Window) { w.To = "" },
		"windows.1.zone":      func(w *Window) { w.Zone = "Mars/Olympus" },
		"windows.1.bandwidth": func(w *Window) { w.Bandwidth = "fast" },
	} {
		w := good
		change(&w)
		_, err := Read([]Window{good, w}, mebibytes)
		var invalid *Invalid
		require.True(t, errors.As(err, &invalid), field)
		assert.Equal(t, field, invalid.Field)
	}
}

func TestWorkGoesOnInItsWindows(t *testing.T) {
	hours, err := Read([]Window{{Days: "mon-fri", From: "20:00", To: "06:00"}}, mebibytes)
	require.NoError(t, err)
	friday := at(t, "2026-12-04T22:00:00Z")
	for work, done := range map[time.Duration]string{
		0:              "2026-12-04T22:00:00Z",
		8 * time.Hour:  "2026-12-05T06:00:00Z",
		9 * time.Hour:  "2026-12-07T21:00:00Z",
		30 * time.Hour: "2026-12-09T22:00:00Z",
	} {
		end, known := hours.After(friday, work)
		require.True(t, known)
		assert.True(t, at(t, done).Equal(end), "%s of work end at %s", work, end)
	}
	_, known := hours.After(friday, 1e5*time.Hour)
	assert.False(t, known)
	end, known := Hours(nil).After(friday, time.Hour)
	assert.True(t, known)
	assert.Equal(t, friday.Add(time.Hour), end)
}

// TestThePaceConverges simulates a migration whose speed changes. The prediction improves, and is right at the end.
func TestThePaceConverges(t *testing.T) {
	const every = 30 * time.Second
	tests := []struct {
		name  string
		rate  func(n int) (bytes, items int64) // in one interval
		after int                              // number of looks
		best  float64                          // the error that is allowed by then, as a share
		total [2]int64
	}{
		{"steady", func(int) (int64, int64) { return 300 << 20, 10 }, 4, 0.01, [2]int64{300 << 20 * 400, 10 * 400}},
		{"half as fast from the middle on", func(n int) (int64, int64) {
			if n < 200 {
				return 300 << 20, 10
			}
			return 150 << 20, 5
		}, 300, 0.1, [2]int64{300<<20*200 + 150<<20*200, 15 * 200}},
		{"small files last: the items tell", func(n int) (int64, int64) {
			if n < 100 {
				return 3000 << 20, 1
			}
			return 1 << 20, 50
		}, 250, 0.1, [2]int64{3000<<20*100 + 300<<20, 100 + 300*50}},
		{"in bursts", func(n int) (int64, int64) { return int64(n%5) * 150 << 20, int64(n%5) * 5 }, 120, 0.15, [2]int64{300 << 20 * 400, 10 * 400}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			now := time.Date(2026, 12, 1, 0, 0, 0, 0, time.UTC)
			var p Pace
			_, known := p.Left(1, 1)
			assert.False(t, known, "nothing was measured yet")
			var bytes, items int64
			p = p.Look(now, 0, 0, true)
			var last time.Duration
			for n := range 400 {
				b, i := tt.rate(n)
				bytes, items = bytes+b, items+i
				now = now.Add(every)
				p = p.Look(now, bytes, items, true)
				left, known := p.Left(tt.total[0]-bytes, tt.total[1]-items)
				require.True(t, known || n < tt.after)
				truth := time.Duration(400-n-1) * every
				if n >= tt.after && n < 390 {
					assert.InEpsilon(t, truth.Seconds(), left.Seconds(), tt.best, "after %d looks", n)
				}
				last = left
			}
			assert.Zero(t, last, "at the end nothing is left")
		})
	}
}

func TestAPauseIsNoSlowness(t *testing.T) {
	now := time.Date(2026, 12, 1, 0, 0, 0, 0, time.UTC)
	p := Pace{}.Look(now, 0, 0, true)
	p = p.Look(now.Add(time.Minute), 600, 6, true)
	p = p.Look(now.Add(2*time.Minute), 600, 6, false)
	p = p.Look(now.Add(9*time.Hour), 600, 6, true)
	left, known := p.Left(600, 0)
	require.True(t, known)
	assert.InDelta(t, time.Minute.Seconds(), left.Seconds(), 0.1)
}

// As many windows as a migration may have, each a minute a day: a look ahead does not go through all of two years.
func TestTheEndOfManyWindowsIsNotLookedForLong(t *testing.T) {
	var windows []Window
	for n := range 100 {
		windows = append(windows, Window{From: fmt.Sprintf("%02d:%02d", n/5, n%5*10), To: fmt.Sprintf("%02d:%02d", n/5, n%5*10+1), Zone: "Europe/Berlin"})
	}
	hours, err := Read(windows, mebibytes)
	require.NoError(t, err)
	now := at(t, "2026-12-01T00:00:00Z")
	end, known := hours.After(now, 100*time.Minute)
	assert.True(t, known)
	assert.Equal(t, at(t, "2026-12-02T00:41:00+01:00").UTC(), end.UTC())
	_, known = hours.After(now, 60*100*time.Minute)
	assert.False(t, known, "two months ahead, after 12,000 changes")
}
