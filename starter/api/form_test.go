package api

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

var formNow = time.Date(2026, 11, 24, 12, 0, 0, 0, time.UTC)

func TestParseForm(t *testing.T) {
	rules := formRules{Now: formNow, Default: 14 * 24 * time.Hour, Longest: 90 * 24 * time.Hour}
	f, err := parseForm(map[string][]string{"framebridge_reviewers": {"a@b.example, c@d.example;e@f.example", "A@B.example g@h.example"},
		"framebridge_expires": {"2026-12-24"}, "framebridge_quality": {"Original"}, "framebridge_download": {"true"}, "framebridge_title": {" Cut 3 "}, "framebridge_message": {"Hello"}}, rules)
	require.Nil(t, err)
	assert.Equal(t, sendForm{Reviewers: []string{"a@b.example", "c@d.example", "e@f.example", "g@h.example"}, Message: "Hello", Quality: "original", Title: "Cut 3", Download: true,
		Expires: time.Date(2026, 12, 24, 23, 59, 59, 0, time.UTC)}, f)
	f, err = parseForm(map[string][]string{"framebridge_reviewers": {"a@b.example"}}, rules)
	require.Nil(t, err)
	assert.Equal(t, "proxy", f.Quality)
	assert.Equal(t, formNow.AddDate(0, 0, 14), f.Expires)

	for name, c := range map[string]struct{ field, value, says string }{
		"nobody":        {"framebridge_reviewers", "", "at least one"},
		"no address":    {"framebridge_reviewers", "rita", `"rita" is not`},
		"no domain":     {"framebridge_reviewers", "rita@localhost", "is not"},
		"yesterday":     {"framebridge_expires", "2026-11-23", "in the past"},
		"next century":  {"framebridge_expires", "2126-01-01", "too late"},
		"not a date":    {"framebridge_expires", "24.12.2026", "not a date"},
		"quality":       {"framebridge_quality", "4k", "proxy or original"},
		"download":      {"framebridge_download", "perhaps", "is not yes or no"},
		"a long title":  {"framebridge_title", strings.Repeat("x", 176), "longer than 175"},
		"a long secret": {"framebridge_passphrase", strings.Repeat("x", 256), "longer than 255"},
	} {
		values := map[string][]string{"framebridge_reviewers": {"a@b.example"}}
		values[c.field] = []string{c.value}
		_, err := parseForm(values, rules)
		if assert.NotNil(t, err, name) {
			assert.Equal(t, c.field, err.Field, name)
			assert.Contains(t, err.Problem, c.says, name)
		}
	}
}

func TestReviewersMayBePastedFromAMailProgram(t *testing.T) {
	for text, want := range map[string][]string{
		`"Reviewer, Rita" <rita@client.example>; Otto Editor <otto@client.example>`: {"rita@client.example", "otto@client.example"},
		`Reviewer, Rita <rita@client.example>, plain@client.example`:                {"rita@client.example", "plain@client.example"},
		`first@client.example, Otto <otto@client.example>`:                          {"first@client.example", "otto@client.example"},
		`"rita@home" < mailto:rita@client.example >`:                                {"rita@client.example"},
		"\u200brita@client.example\u00a0\ufeff\u2060otto@client.example\u200e":      {"rita@client.example", "otto@client.example"},
		`<rita@client.example><otto@client.example>`:                                {"rita@client.example", "otto@client.example"},
		`rita@client.example (Rita Reviewer), mailto:otto@client.example`:           {"rita@client.example", "otto@client.example"},
		`rita@client.example，otto@client.example；plain@client.example`:              {"rita@client.example", "otto@client.example", "plain@client.example"},
	} {
		got, err := parseReviewers([]string{text})
		require.Nil(t, err, text)
		assert.Equal(t, want, got, text)
	}
	for _, text := range []string{"Rita <rita>", "Rita <>", "Rita", "<rita@client.example> Otto", "rita@client.example <"} {
		_, err := parseReviewers([]string{text})
		assert.NotNil(t, err, text)
	}
}

// The form asks for protections only if the configuration offers them.
func TestProtectionsAreWhatTheConfigurationOffers(t *testing.T) {
	for _, tt := range []struct {
		mode, value string
		want        bool
	}{{"off", "true", false}, {"", "true", false}, {"form", "true", true}, {"form", "", false}, {"always", "", true}, {"always", "no", true}} {
		form, mistake := parseForm(map[string][]string{"framebridge_reviewers": {"rita@client.example"}, "framebridge_forensic_watermark": {tt.value}, "framebridge_drm": {tt.value}},
			formRules{Now: time.Now(), Default: time.Hour, Forensic: tt.mode, DRM: tt.mode})
		require.Nil(t, mistake)
		assert.Equal(t, [2]bool{tt.want, tt.want}, [2]bool{form.Forensic, form.DRM}, "%+v", tt)
	}
	_, mistake := parseForm(map[string][]string{"framebridge_reviewers": {"rita@client.example"}, "framebridge_drm": {"perhaps"}}, formRules{Now: time.Now(), Default: time.Hour, DRM: "form"})
	require.NotNil(t, mistake)
	assert.Equal(t, "framebridge_drm", mistake.Field)
}

// iconik may respond with a field's own type. A number with eight digits must not turn into a power of ten.
func TestAFormsNumbersStayAsTheyAreWritten(t *testing.T) {
	var in click
	require.NoError(t, json.Unmarshal([]byte(`{"metadata_values":{
		"framebridge_passphrase":{"field_values":[{"value":12345678}]},
		"framebridge_message":{"field_values":[{"value":"two"},{"value":null},{"value":true},{"value":0.5}]}}}`), &in))
	assert.Equal(t, map[string][]string{"framebridge_passphrase": {"12345678"}, "framebridge_message": {"two", "true", "0.5"}}, in.form())
}

// iconik's clock dates comments, and so also the click that they are compared with, even if that clock is ahead of ours.
func TestAClickIsDatedByIconik(t *testing.T) {
	now := time.Date(2026, 12, 1, 10, 0, 0, 0, time.UTC)
	for text, want := range map[string]time.Time{
		"2026-12-01T09:59:58.316685":       now.Add(-2 * time.Second).Add(316685 * time.Microsecond),
		"2026-12-01T09:59:58Z":             now.Add(-2 * time.Second),
		"2026-12-01T10:59:58.000000+01:00": now.Add(-2 * time.Second),
		"2026-12-01T10:00:05.250000":       now.Add(5250 * time.Millisecond),
		"2022-04-29T00:22:10.316685":       now, // comments from before the click stay in iconik; a time that is not plausible is ignored
		"2036-12-01T10:00:05":              now,
		"yesterday":                        now,
		"":                                 now,
	} {
		require.Equal(t, want, click{DateCreated: text}.at(now), text)
	}
}
