package schedule

import (
	"math"
	"time"
)

// Pace measures how fast a migration progresses while it works. Recent progress counts more. It is stored as JSON.
type Pace struct {
	At    time.Time `json:"at"` // time of the last Look; zero while the migration is not working
	Bytes int64     `json:"bytes"`
	Items int64     `json:"items"`

	BytesRate float64 `json:"bytes_rate"` // per second, multiplied by Weight
	ItemsRate float64 `json:"items_rate"`
	Weight    float64 `json:"weight"` // from 0, nothing known yet, to 1
}

// memory is the amount of working time after which a measurement still counts for about a third.
const memory = 20 * time.Minute

// Look records the progress at now. working reports whether nothing has held up the work since the last Look.
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

// Rate returns the measured bytes per second, or 0 if nothing has been measured yet.
func (p Pace) Rate() float64 {
	if p.Weight <= 0 {
		return 0
	}
	return p.BytesRate / p.Weight
}

// Left returns how long the rest takes at this pace, by bytes or by items, whichever is longer. It returns false if nothing has
// been measured yet, or if the end is too far off.
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
