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
		" 2026-11-24T12:00:01.5Z    ": "2026-11-24T12:00:01Z",
	} {
		at, err := ParseExpiry(text, now, 0, 0)
		require.Nil(t, err, text)
		assert.Equal(t, want, at.Truncate(time.Second).Format(time.RFC3339), text)
	}
}
