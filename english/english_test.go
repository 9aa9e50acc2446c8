package english_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"

	"github.com/framebridge/framebridge/english"
)

func TestCountsTakeTheirPlural(t *testing.T) {
	for want, got := range map[string]string{
		"1 file": english.Count(1, "file"), "0 files": english.Count(0, "file"), "2 version stacks": english.Count(int64(2), "version stack"),
		"3 copies": english.Count(3, "copy"), "2 days": english.Count(2, "day"), "2 batches": english.Count(2, "batch"), "2 addresses": english.Count(2, "address"),
	} {
		assert.Equal(t, want, got)
	}
	assert.Equal(t, "is", english.Is(1))
	assert.Equal(t, "are", english.Is(0))
	assert.Equal(t, "has", english.Has(1))
	assert.Equal(t, "have", english.Has(2))
	assert.Equal(t, "waits", english.Verb(1, "wait"))
	assert.Equal(t, "wait", english.Verb(2, "wait"))
}

func TestTextsAreShortenedInWholeCharacters(t *testing.T) {
	assert.Equal(t, "Zürich", english.Shorten("Zürich", 6))
	assert.Equal(t, "Züri…", english.Shorten("Zürich", 5))
	assert.Equal(t, "Zürich", english.CutBytes("Zürich", 7))
	assert.Equal(t, "Zü", english.CutBytes("Zürich", 3))
	assert.Equal(t, "Z", english.CutBytes("Zürich", 2))
	assert.Empty(t, english.CutBytes("ü", 1))
}

func TestDurationsReadAsPeopleWriteThem(t *testing.T) {
	for d, want := range map[time.Duration]string{
		0: "0 seconds", time.Second: "1 second", 15 * time.Minute: "15 minutes", 90 * time.Minute: "1 hour 30 minutes",
		24 * time.Hour: "1 day", 720 * time.Hour: "30 days", 25*time.Hour + 5*time.Second: "1 day 1 hour", time.Hour + time.Second: "1 hour",
		1500 * time.Millisecond: "2 seconds",
	} {
		assert.Equal(t, want, english.Duration(d), d)
	}
	assert.Equal(t, "every 15 minutes", english.Every(15*time.Minute))
	assert.Equal(t, "every hour", english.Every(time.Hour))
	assert.Equal(t, "every 1 hour 30 minutes", english.Every(90*time.Minute))
}

func TestTimesAndStatesReadAsPeopleWriteThem(t *testing.T) {
	at := time.Date(2026, 11, 1, 0, 0, 59, 0, time.UTC)
	assert.Equal(t, "November 1, 2026, 00:00:59 UTC", english.Time(at))
	assert.Equal(t, "November 1, 2026, 01:00:59 CET", english.Time(at.In(time.FixedZone("CET", 3600))))
	for state, want := range map[string]string{"verified_with_exceptions": "verified with exceptions", "waiting_for_window": "waiting for window", "cancelled": "canceled", "running": "running", "": ""} {
		assert.Equal(t, want, english.State(state))
	}
}
