package export

import "github.com/framebridge/framebridge/mapping"

// timeline is a review's clips one after the other, for formats with a single list of times. Two clips often begin at the same
// timecode, and their markers must not collide. A single clip keeps its own timecode.
type timeline struct {
	rate  mapping.Rate
	first int64 // number of its first frame
	drop  bool
	spans []span
}

// span is a clip's place on the timeline.
type span struct {
	clip    Clip
	markers []marker // at is relative to the beginning of the timeline
}

// lay puts the clips one after the other, at the rate and from the timecode of the first clip that has a rate.
func lay(clips []Clip) (timeline, error) {
	t := timeline{}
	if len(clips) == 0 {
		t.rate, _ = mapping.Rate{}.OrDefault()
		return t, nil
	}
	lead := clips[0]
	for _, c := range clips { // audio has no rate of its own
		if c.Rate.Valid() {
			lead = c
			break
		}
	}
	t.rate, _ = lead.Rate.OrDefault()
	t.first, t.drop = lead.start()
	begin := int64(0)
	for _, c := range clips {
		rate, _ := c.Rate.OrDefault()
		at := map[int64]*marker{}
		var list []*marker
		for _, m := range c.markers() {
			from := begin + mapping.Convert(m.at, rate, t.rate)
			to := max(begin+mapping.Convert(m.at+m.length, rate, t.rate), from+1)
			have := at[from] // at a higher rate, two frames can coincide
			if have == nil {
				have = &marker{at: from, author: m.author, done: true}
				at[from] = have
				list = append(list, have)
			}
			for _, p := range m.said {
				have.add(p)
			}
			have.length = to - from
		}
		s := span{clip: c, markers: sorted(list)}
		t.spans = append(t.spans, s)
		begin += max(mapping.Convert(c.length(), rate, t.rate), 1)
		if n := len(s.markers); n > 0 {
			begin = max(begin, s.markers[n-1].at+1)
		}
	}
	if begin > t.rate.FramesOfDay(t.drop) {
		return t, ErrTooLong
	}
	return t, nil
}

func (t timeline) timecode(frame int64) string {
	return mapping.Timecode(t.first+frame, t.rate, t.drop)
}
