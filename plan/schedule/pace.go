package schedule

import (
	"math"
	"time"
)

// Pace is how fast a migration goes, measured while it works: the newer, the more it counts. It is stored as JSON.
type Pace struct {
	At    time.Time `json:"at"` // of the last look; zero while it does not work
	Bytes int64     `json:"bytes"`
	Items int64     `json:"items"`

	BytesRate float64 `json:"bytes_rate"` // a second, times Weight
	ItemsRate float64 `json:"items_rate"`
	Weight    float64 `json:"weight"` // from 0, of which nothing is known, to 1
}

// memory is after how much work what was measured counts for about a third.
const memory = 20 * time.Minute

// Look notes how much is done by now. working says that nothing has kept the work from going on since the last look.
func (p Pace) Look(now time.Time, bytes, items int64, working bool) Pace {
	took := now.Sub(p.At).Seconds()
	if working && !p.At.IsZero() && took > 0 {
		keep := math.Exp(-took / memory.Seconds())
		p.BytesRate = p.BytesRate*keep + float64(max(bytes-p.Bytes, 0))/took*(1-keep)
		p.ItemsRate = p.ItemsRate*keep + float64(max(items-p.Items, 0))/took*(1-keep)
		p.Weight = p.Weight*keep + 1 - keep
	}
	p.At, p.Bytes, p.Items = now, bytes, items
	if !working {
		p.At = time.Time{}
	}
	return p
}

// Rate is the bytes a second of the work so far; 0 while nothing was measured.
func (p Pace) Rate() float64 {
	if p.Weight <= 0 {
		return 0
	}
	return p.BytesRate / p.Weight
}

// Left is how long so much takes at this pace, by bytes or by items, whichever takes longer; false while nothing was measured.
func (p Pace) Left(bytes, items int64) (time.Duration, bool) {
	if bytes <= 0 && items <= 0 {
		return 0, true
	}
	if p.Weight == 0 || p.BytesRate <= 0 && p.ItemsRate <= 0 {
		return 0, false
	}
	seconds := 0.0
	if p.BytesRate > 0 {
		seconds = float64(max(bytes, 0)) * p.Weight / p.BytesRate
	}
	if p.ItemsRate > 0 {
		seconds = max(seconds, float64(max(items, 0))*p.Weight/p.ItemsRate)
	}
	if seconds > longest.Seconds() {
		return 0, false
	}
	return time.Duration(seconds * float64(time.Second)), true
}
