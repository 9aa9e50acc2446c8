// Package mapping converts Frame.io's objects to iconik's. It is pure: no I/O, no clock.
package mapping

import (
	"errors"
	"fmt"
	"math/big"
	"strconv"
	"strings"
)

// Rate is an exact frame rate: 23.976 is 24000/1001.
type Rate struct{ Num, Den int64 }

// DefaultRate is used for files that have no frame rate, such as audio.
var DefaultRate = Rate{24, 1}

// Valid reports whether the rate can be used in calculations.
func (r Rate) Valid() bool { return r.Num > 0 && r.Den > 0 }

// OrDefault returns the rate to calculate with, and whether it is assumed.
func (r Rate) OrDefault() (Rate, bool) {
	if r.Valid() {
		return r, false
	}
	return DefaultRate, true
}

// FrameToMS returns the first whole millisecond at which a frame is on screen. Frames count from 0.
func FrameToMS(frame int64, r Rate) int64 {
	r, _ = r.OrDefault()
	n := frame * 1000 * r.Den
	return (n + r.Num - 1) / r.Num
}

// MSToFrame returns the frame on screen at a millisecond.
func MSToFrame(ms int64, r Rate) int64 {
	r, _ = r.OrDefault()
	return ms * r.Num / (1000 * r.Den)
}

// CommentTimes converts a comment on frames frame..frame+frames-1 to milliseconds. A point (0 or 1 frames) ends where it starts.
// A comment without a frame has no times.
func CommentTimes(frame *int64, frames int64, r Rate) (start, end *int64) {
	if frame == nil {
		return nil, nil
	}
	from := max(*frame, 0)
	s, e := FrameToMS(from, r), FrameToMS(from+max(frames, 1)-1, r)
	return &s, &e
}

// nominal returns the whole number of frames that timecode counts per second. It rounds, so that a phone or screen recording at
// 30.02 counts as 30.
func (r Rate) nominal() int64 { return max((2*r.Num+r.Den)/(2*r.Den), 1) }

// Timebase returns the whole number of frames that timecode counts per second.
func (r Rate) Timebase() int64 {
	r, _ = r.OrDefault()
	return r.nominal()
}

// FramesOfDay returns how many frames timecode counts before it wraps around.
func (r Rate) FramesOfDay(drop bool) int64 {
	r, _ = r.OrDefault()
	if d := r.dropped(); drop && d > 0 {
		return 24 * 6 * (r.nominal()*600 - 9*d)
	}
	return r.nominal() * 24 * 3600
}

// Convert converts a frame number from one rate to another: it returns the frame on screen when the given one begins.
func Convert(frame int64, from, to Rate) int64 {
	from, _ = from.OrDefault()
	to, _ = to.OrDefault()
	if from == to {
		return frame
	}
	n := new(big.Int).Mul(big.NewInt(frame), big.NewInt(from.Den*to.Num))
	return n.Div(n, big.NewInt(from.Num*to.Den)).Int64()
}

// dropped returns how many frame numbers drop-frame timecode skips each minute, except every tenth.
func (r Rate) dropped() int64 {
	if r.Den == 1001 && r.nominal()%30 == 0 {
		return r.nominal() / 15
	}
	return 0
}

// Timecode formats a frame number as HH:MM:SS:FF, or as HH:MM:SS;FF in drop-frame, which exists only at multiples of 29.97.
func Timecode(frame int64, r Rate, drop bool) string {
	r, _ = r.OrDefault()
	fps, d, sep := r.nominal(), r.dropped(), ":"
	if drop && d > 0 {
		sep = ";"
		perMinute, perTen := fps*60-d, fps*600-9*d
		tens, rest := frame/perTen, frame%perTen
		frame += 9 * d * tens
		if rest >= fps*60 {
			frame += d * ((rest-fps*60)/perMinute + 1)
		}
	}
	frame %= fps * 24 * 3600
	return fmt.Sprintf("%02d:%02d:%02d%s%02d", frame/(fps*3600), frame/(fps*60)%60, frame/fps%60, sep, frame%fps)
}

// ErrTimecode means that a text is not a timecode at its rate.
var ErrTimecode = errors.New("not a timecode")

// ParseTimecode parses a timecode as a frame number. A semicolon or point before the frames means drop-frame.
func ParseTimecode(text string, r Rate) (frame int64, drop bool, err error) {
	r, _ = r.OrDefault()
	drop = strings.ContainsAny(text, ";.")
	parts := strings.FieldsFunc(text, func(c rune) bool { return c == ':' || c == ';' || c == '.' })
	if len(parts) != 4 {
		return 0, false, fmt.Errorf("%q: %w", text, ErrTimecode)
	}
	var n [4]int64
	for i, p := range parts {
		v, err := strconv.ParseInt(p, 10, 32)
		if err != nil || v < 0 {
			return 0, false, fmt.Errorf("%q: %w", text, ErrTimecode)
		}
		n[i] = v
	}
	fps, d := r.nominal(), r.dropped()
	if n[0] > 23 || n[1] > 59 || n[2] > 59 || n[3] >= fps {
		return 0, false, fmt.Errorf("%q: %w", text, ErrTimecode)
	}
	drop = drop && d > 0
	minutes := n[0]*60 + n[1]
	frame = (minutes*60+n[2])*fps + n[3]
	if drop {
		if n[2] == 0 && n[3] < d && n[1]%10 != 0 {
			return 0, false, fmt.Errorf("%q is left out by drop-frame: %w", text, ErrTimecode)
		}
		frame -= d * (minutes - minutes/10)
	}
	return frame, drop, nil
}

// SameTime reports whether x and y are equal or both nil.
func SameTime(x, y *int64) bool { return x == nil && y == nil || x != nil && y != nil && *x == *y }
