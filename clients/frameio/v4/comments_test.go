package v4

import (
	"encoding/json"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/framebridge/framebridge/mapping"
)

func TestPlacesOfComments(t *testing.T) {
	t.Parallel()
	thirty, ntsc := mapping.Rate{Num: 30, Den: 1}, mapping.Rate{Num: 30000, Den: 1001}
	for _, c := range []struct {
		raw  string
		rate mapping.Rate
		want int64
		ok   bool
	}{
		{`"00:01:00;02"`, ntsc, 1800, true},
		{`"00:01:00:02"`, ntsc, 1802, true},
		{`"00:01:00;02"`, thirty, 1802, true}, // nothing is dropped at a whole rate
		{`"00:10:00;00"`, ntsc, 17982, true},
		{`"00:01:00;00"`, ntsc, 0, false}, // a number that drop-frame leaves out
		{`"00:00:00:30"`, thirty, 0, false},
		{`"00:60:00:00"`, thirty, 0, false},
		{`"00:00:01:00"`, mapping.Rate{}, 0, false}, // a timecode tells nothing without a rate
		{`12`, thirty, 12, true},
		{`"12"`, mapping.Rate{}, 12, true},
		{`null`, thirty, 0, false},
		{`"soon"`, thirty, 0, false},
	} {
		got, ok := frames(json.RawMessage(c.raw), c.rate)
		require.Equal(t, c.ok, ok, "%s at %v", c.raw, c.rate)
		require.Equal(t, c.want, got, "%s at %v", c.raw, c.rate)
	}
}
