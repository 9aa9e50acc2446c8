// Package english writes counts and durations as people do, and shortens texts.
package english

import (
	"fmt"
	"strings"
	"time"
	"unicode/utf8"
)

// Count returns a number and its noun, singular or plural: "1 file", "2 files". In a noun of several words, the last one takes
// the plural. A final y becomes ies unless it follows a or e; ch and ss take es.
func Count[N int | int64](n N, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return fmt.Sprintf("%d %s", n, plural(noun))
}

// Is returns "is" or "are", to agree with a count.
func Is[N int | int64](n N) string {
	if n == 1 {
		return "is"
	}
	return "are"
}

// Verb returns a regular verb that agrees with a count: "1 file waits", "2 files wait".
func Verb[N int | int64](n N, verb string) string {
	if n == 1 {
		return verb + "s"
	}
	return verb
}

// Has returns "has" or "have", to agree with a count.
func Has[N int | int64](n N) string {
	if n == 1 {
		return "has"
	}
	return "have"
}

// Shorten cuts a text to at most most characters. A text that is cut ends with an ellipsis.
func Shorten(text string, most int) string {
	if runes := []rune(text); len(runes) > most {
		return string(runes[:most-1]) + "…"
	}
	return text
}

// CutBytes cuts a text to at most most bytes, without splitting a character.
func CutBytes(text string, most int) string {
	if len(text) <= most {
		return text
	}
	for most > 0 && !utf8.RuneStart(text[most]) {
		most--
	}
	return text[:most]
}

func plural(noun string) string {
	if stem, ok := strings.CutSuffix(noun, "y"); ok && !strings.HasSuffix(stem, "a") && !strings.HasSuffix(stem, "e") {
		return stem + "ies"
	}
	if strings.HasSuffix(noun, "ch") || strings.HasSuffix(noun, "ss") {
		return noun + "es"
	}
	return noun + "s"
}

// Minute returns a time to the minute: "2026-12-24 18:00 UTC".
func Minute(t time.Time) string { return t.UTC().Format("2006-01-02 15:04 UTC") }

// RecentMinute returns a time of the last or next months to the minute: "December 24, 18:00 UTC".
func RecentMinute(t time.Time) string { return t.UTC().Format("January 2, 15:04 UTC") }

// Duration returns a duration in its two largest units, to the second: "15 minutes", "1 hour 30 minutes", "2 days".
func Duration(d time.Duration) string {
	d = d.Round(time.Second)
	var parts []string
	for _, unit := range []struct {
		name string
		is   time.Duration
	}{{"day", 24 * time.Hour}, {"hour", time.Hour}, {"minute", time.Minute}, {"second", time.Second}} {
		if n := int(d / unit.is); n != 0 && len(parts) < 2 {
			parts = append(parts, Count(n, unit.name))
		} else if len(parts) > 0 {
			break
		}
		d %= unit.is
	}
	if len(parts) == 0 {
		return "0 seconds"
	}
	return strings.Join(parts, " ")
}

// Every returns an interval: "every 15 minutes", "every hour".
func Every(d time.Duration) string {
	text := Duration(d)
	if one, ok := strings.CutPrefix(text, "1 "); ok && !strings.Contains(one, " ") {
		text = one
	}
	return "every " + text
}

// Time returns a moment in its own zone: "November 29, 2026, 15:04:05 UTC".
func Time(t time.Time) string { return t.Format("January 2, 2006, 15:04:05 MST") }

// State returns a stored state as people read it: "verified with exceptions", "canceled".
func State(state string) string {
	return strings.ReplaceAll(strings.ReplaceAll(state, "_", " "), "cancelled", "canceled")
}
