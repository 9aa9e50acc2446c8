// Package english writes counts and durations as people do, and shortens texts.
package english

import (
	"fmt"
	"strings"
	"time"
	"unicode/utf8"
)

// Count is a number and its noun, singular or plural: "1 file", "2 files". A noun of several words ends with the one that
// takes the plural; y after a consonant becomes ies, and ch and ss take es.
func Count[N int | int64](n N, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return fmt.Sprintf("%d %s", n, plural(noun))
}

// Is is the verb that goes with a count.
func Is[N int | int64](n N) string {
	if n == 1 {
		return "is"
	}
	return "are"
}

// Verb is any regular verb that goes with a count: "1 file waits", "2 files wait".
func Verb[N int | int64](n N, verb string) string {
	if n == 1 {
		return verb + "s"
	}
	return verb
}

// Has is the verb that goes with a count.
func Has[N int | int64](n N) string {
	if n == 1 {
		return "has"
	}
	return "have"
}

// Shorten keeps a text within so many characters. One that is cut ends with an ellipsis.
func Shorten(text string, most int) string {
	if runes := []rune(text); len(runes) > most {
		return string(runes[:most-1]) + "…"
	}
	return text
}

// CutBytes keeps a text within so many bytes, or a few less, in whole characters.
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

// Duration is a time in its two largest units, to the second: "15 minutes", "1 hour 30 minutes", "2 days".
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

// Every is an interval: "every 15 minutes", "every hour".
func Every(d time.Duration) string {
	text := Duration(d)
	if one, ok := strings.CutPrefix(text, "1 "); ok && !strings.Contains(one, " ") {
		text = one
	}
	return "every " + text
}

// Time is a moment in its own zone: "November 29, 2026, 15:04:05 UTC".
func Time(t time.Time) string { return t.Format("January 2, 2006, 15:04:05 MST") }

// State is a stored state as people read it: "verified with exceptions", "canceled".
func State(state string) string {
	return strings.ReplaceAll(strings.ReplaceAll(state, "_", " "), "cancelled", "canceled")
}
