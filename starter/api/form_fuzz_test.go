package api

import (
	"strings"
	"testing"
	"time"
	"unicode"
)

// What people type into the form is accepted as intended, or refused with the field at fault.
func FuzzForm(f *testing.F) {
	f.Add("rita@client.example, \"Reviewer, Sam\" <sam@client.example>;ana@client.example", "2026-12-24", "original", "yes", "Title")
	f.Add("mailto:rita@client.example <>", "2026-12-24T18:00:00Z", "", "", "")
	f.Add("\u200brita@client.example\u00a0", "9999-99-99", "proxy", "maybe", strings.Repeat("x", 200))
	f.Add("<<a@b.c>>,", "0000-01-01T00:00:00Z", "PROXY", "0", "\x00")
	f.Fuzz(func(t *testing.T, reviewers, expires, quality, download, title string) {
		rules := formRules{Now: time.Date(2026, 11, 28, 12, 0, 0, 0, time.UTC), Default: 14 * 24 * time.Hour, Longest: 365 * 24 * time.Hour}
		form, mistake := parseForm(map[string][]string{"framebridge_reviewers": {reviewers}, "framebridge_expires": {expires}, "framebridge_quality": {quality},
			"framebridge_download": {download}, "framebridge_title": {title}}, rules)
		if mistake != nil {
			if mistake.Field == "" || mistake.Problem == "" {
				t.Fatalf("%+v", mistake)
			}
			return
		}
		if !form.Expires.After(rules.Now) || form.Expires.After(rules.Now.Add(rules.Longest)) {
			t.Fatalf("it expires on %s", form.Expires)
		}
		if form.Quality != "proxy" && form.Quality != "original" || len(form.Reviewers) == 0 {
			t.Fatalf("%+v", form)
		}
		for _, r := range form.Reviewers {
			if !strings.Contains(r, "@") || strings.ContainsFunc(r, func(c rune) bool { return unicode.IsControl(c) || unicode.Is(unicode.Cf, c) }) {
				t.Fatalf("%q is invited", r)
			}
		}
	})
}
