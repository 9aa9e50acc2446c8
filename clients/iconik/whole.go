package iconik

import (
	"encoding/json"
	"math"
	"strconv"
)

// whole parses a number that should be whole but may come as text or with a fraction, which it rounds up. It returns nil for anything
// else, and for numbers that do not fit. One such row must not cost the whole listing.
func whole(raw json.RawMessage) *int64 {
	text := Scalar(raw)
	n, err := strconv.ParseInt(text, 10, 64)
	if err == nil {
		return &n
	}
	f, err := strconv.ParseFloat(text, 64)
	if err != nil || math.IsNaN(f) || math.Abs(f) > 1<<53 {
		return nil
	}
	n = int64(math.Ceil(f))
	return &n
}

func orZero(n *int64) int64 {
	if n == nil {
		return 0
	}
	return *n
}

// UnmarshalJSON accepts the times in any form.
func (s *Segment) UnmarshalJSON(raw []byte) error {
	type plain Segment
	v := struct {
		*plain
		Start json.RawMessage `json:"time_start_milliseconds"`
		End   json.RawMessage `json:"time_end_milliseconds"`
	}{plain: (*plain)(s)}
	err := json.Unmarshal(raw, &v)
	s.StartMS, s.EndMS = whole(v.Start), whole(v.End)
	return err
}

// UnmarshalJSON accepts the size in any form.
func (f *File) UnmarshalJSON(raw []byte) error {
	type plain File
	v := struct {
		*plain
		Size json.RawMessage `json:"size"`
	}{plain: (*plain)(f)}
	err := json.Unmarshal(raw, &v)
	f.Size = orZero(whole(v.Size))
	return err
}

// UnmarshalJSON accepts the size and the frame rate in any form.
func (p *Proxy) UnmarshalJSON(raw []byte) error {
	type plain Proxy
	v := struct {
		*plain
		Size json.RawMessage `json:"size"`
		Rate json.RawMessage `json:"frame_rate"`
	}{plain: (*plain)(p)}
	err := json.Unmarshal(raw, &v)
	p.Size, p.FrameRate = orZero(whole(v.Size)), Scalar(v.Rate)
	return err
}
