package main

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/framebridge/framebridge/plan/schedule"
)

// A flag is one window: if it has two times, neither is dropped in silence.
func TestAWindowsFlagIsOneWindow(t *testing.T) {
	for text, want := range map[string]*schedule.Window{
		"mon-fri 20:00-06:00 Europe/Berlin 100MiB": {Days: "mon-fri", From: "20:00", To: "06:00", Zone: "Europe/Berlin", Bandwidth: "100MiB"},
		"5MiB UTC 09:00-18:00 sat sun":             {Days: "sat,sun", From: "09:00", To: "18:00", Zone: "UTC", Bandwidth: "5MiB"},
		"mon 08:00-10:00 12:00-14:00":              nil,
		"08:00-10:00 5MiB 10MiB":                   nil,
		"08:00-10:00 UTC Europe/Berlin":            nil,
		"mon-fri":                                  nil,
	} {
		var all []schedule.Window
		err := windowFlag{&all}.Set(text)
		if want == nil {
			require.ErrorContains(t, err, "a --window of its own", text)
			assert.Empty(t, all)
			continue
		}
		require.NoError(t, err, text)
		assert.Equal(t, []schedule.Window{*want}, all)
	}
}
