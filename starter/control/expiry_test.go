package control

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

var now = time.Date(2026, 11, 24, 12, 0, 0, 0, time.UTC)

func TestExpiryTakesTheFormsThatIconikSends(t *testing.T) {
	for text, want := range map[string]string{
		"2026-12-01":                  "2026-12-01T23:59:59Z",
		"2026-12-01T18:00:00Z":        "2026-12-01T18:00:00Z",
		"2026-12-01T18:00:00+02:00":   "2026-12-01T16:00:00Z",
		"2026-12-01T18:00:00.000000":  "2026-12-01T18:00:00Z",
		"2026-12-01 18:00":            "2026-12-01T18:00:00Z",
		"2026-12-01T18:00Z":           "2026-12-01T18:00:00Z",
		"2026-12-01T18:00+02:00":      "2026-12-01T16:00:00Z",
		"2026-12-01T18:00:00+0200":    "2026-12-01T16:00:00Z",
		"2026-12-01 18:00:00+02:00":   "2026-12-01T16:00:00Z",
		" 2026-11-24T12:00:01.5Z    ": "2026-11-24T12:00:01Z",
	} {
		at, err := ParseExpiry(text, now, 0, 0)
		require.Nil(t, err, text)
		assert.Equal(t, want, at.Truncate(time.Second).Format(time.RFC3339), text)
	}
}

func TestNoReviewIsOpenForLongerThanTheLongest(t *testing.T) {
	now := time.Date(2026, 12, 1, 12, 0, 0, 0, time.UTC)
	for _, tt := range []struct {
		text              string
		standard, longest time.Duration
		want              time.Duration // 0: refused
	}{
		{"", 336 * time.Hour, 168 * time.Hour, 168 * time.Hour},
		{"", 336 * time.Hour, 8760 * time.Hour, 336 * time.Hour},
		{"", 336 * time.Hour, 0, 336 * time.Hour},
		{"2026-12-08T12:00:00Z", 0, 168 * time.Hour, 168 * time.Hour},
		{"2026-12-08T12:00:01Z", 0, 168 * time.Hour, 0},
	} {
		at, wrong := ParseExpiry(tt.text, now, tt.standard, tt.longest)
		if tt.want == 0 {
			assert.NotNil(t, wrong, tt.text)
			continue
		}
		require.Nil(t, wrong, tt.text)
		assert.Equal(t, now.Add(tt.want), at)
	}
}
