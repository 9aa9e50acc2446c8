package page

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// TestNoNameTurnsAPage checks each direction character, in a page with quotation marks that begin with the same bytes.
func TestNoNameTurnsAPage(t *testing.T) {
	text, err := Load().Render("problem", Page{Title: "“Harbour”", Body: "a" + turns + "b" + turns})
	require.NoError(t, err)
	assert.NotContains(t, string(text), "\u202e")
	assert.False(t, strings.ContainsAny(string(text), turns))
	assert.Contains(t, string(text), "ab")
	assert.Contains(t, string(text), "“Harbour”")
}

func TestTimesReadAsPeopleSayThem(t *testing.T) {
	now := time.Date(2026, 11, 29, 12, 0, 0, 0, time.UTC)
	for ago, want := range map[time.Duration]string{0: "just now", 59 * time.Second: "just now", -59 * time.Second: "now", 90 * time.Second: "1 minute ago", -3 * time.Hour: "in 3 hours", 50 * time.Hour: "2 days ago", 119 * time.Minute: "1 hour 59 minutes ago"} {
		assert.Equal(t, want, At(now.Add(-ago), now).Ago, ago)
	}
	assert.Equal(t, "November 29, 2026, 12:00 UTC", At(now, now).Text)
	assert.Empty(t, At(time.Time{}, now))
	assert.Empty(t, TimeLeft(0))
	assert.Equal(t, "about 2 hours left", TimeLeft(2*time.Hour+7*time.Minute))
}

func TestOnlyAddressesOfTheWebAreLinkedTo(t *testing.T) {
	for address, good := range map[string]bool{"https://app.iconik.io/asset/1": true, "http://127.0.0.1/x": true, "javascript:alert(1)": false, "https://sam:secret@example.com": false, "//example.com": false, "https:///x": false, "": false} {
		assert.Equal(t, good, Web(address) != "", address)
	}
}
