package page

import (
	"net/url"
	"strings"
	"time"

	"github.com/framebridge/framebridge/english"
	"github.com/framebridge/framebridge/redact"
)

const longestSearch = 200

// Sentence returns a reason as a sentence for people, without secrets.
func Sentence(text string) string { return english.Sentence(redact.Scrub(text)) }

// Moment is a time as the pages show it: for machines, for people, and relative to now.
type Moment struct{ Machine, Text, Ago string }

// At returns a time as it is shown at now. The zero time is shown as nothing.
func At(t, now time.Time) Moment {
	if t.IsZero() {
		return Moment{}
	}
	m := Moment{Machine: t.UTC().Format(time.RFC3339), Text: t.UTC().Format("January 2, 2006, 15:04 UTC")}
	switch d := now.Sub(t); {
	case d < -time.Minute:
		m.Ago = "in " + english.Duration(coarse(-d))
	case d < 0:
		m.Ago = "now"
	case d < time.Minute:
		m.Ago = "just now"
	default:
		m.Ago = english.Duration(coarse(d)) + " ago"
	}
	return m
}

// coarse drops the precision that nobody needs in a long duration.
func coarse(d time.Duration) time.Duration {
	for _, unit := range []time.Duration{24 * time.Hour, time.Hour} {
		if d >= 2*unit {
			return d.Truncate(unit)
		}
	}
	return d.Truncate(time.Minute)
}

// TimeLeft says how long the rest takes, or "" if d is not positive.
func TimeLeft(d time.Duration) string {
	if d <= 0 {
		return ""
	}
	return "about " + english.Duration(max(coarse(d), min(d, time.Minute))) + " left"
}

// Lasting formats an estimated duration.
func Lasting(seconds float64) string {
	if seconds < 1 {
		return "less than a second"
	}
	return english.Duration(time.Duration(seconds * float64(time.Second)))
}

// Percent returns done as a percentage of total, from 0 to 100, or 0 if total is not positive.
func Percent(done, total int64) int {
	if total <= 0 {
		return 0
	}
	return int(min(max(float64(done)*100/float64(total), 0), 100))
}

// Address appends the values that are not empty to a path as a query. values alternates names and values.
func Address(path string, values ...string) string {
	q := url.Values{}
	for i := 0; i+1 < len(values); i += 2 {
		if values[i+1] != "" {
			q.Set(values[i], values[i+1])
		}
	}
	if len(q) == 0 {
		return path
	}
	return path + "?" + q.Encode()
}

// Web returns an address that a page may link to, or "" if it may not. Vendors' texts can contain any address.
func Web(address string) string {
	if u, err := url.Parse(address); err == nil && (u.Scheme == "https" || u.Scheme == "http") && u.Host != "" && u.User == nil {
		return address
	}
	return ""
}

// Typed returns what somebody typed, without surrounding space and without what is not text.
func Typed(text string) string {
	return strings.TrimSpace(strings.ToValidUTF8(strings.ReplaceAll(text, "\x00", ""), ""))
}

// Searched returns what somebody typed as a search, cut to longestSearch.
func Searched(text string) string {
	text = Typed(text)
	if r := []rune(text); len(r) > longestSearch {
		text = string(r[:longestSearch])
	}
	return text
}
