package frameio

import (
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestVerifySignature(t *testing.T) {
	now := time.Date(2026, 11, 1, 12, 0, 0, 0, time.UTC)
	body := []byte(`{"type":"project.updated","resource":{"id":"p","type":"project"}}`)
	at := func(d time.Duration) string { return strconv.FormatInt(now.Add(d).Unix(), 10) }
	for name, tt := range map[string]struct {
		secrets   []string
		timestamp string
		signature string
		body      []byte
		want      error
	}{
		"right":                   {[]string{"new"}, at(0), Sign("new", at(0), body), body, nil},
		"while it is rotated":     {[]string{"new", "old"}, at(0), Sign("old", at(0), body), body, nil},
		"at the window's edge":    {[]string{"new"}, at(-5 * time.Minute), Sign("new", at(-5*time.Minute), body), body, nil},
		"too old":                 {[]string{"new"}, at(-301 * time.Second), Sign("new", at(-301*time.Second), body), body, ErrStale},
		"from the future":         {[]string{"new"}, at(301 * time.Second), Sign("new", at(301*time.Second), body), body, ErrStale},
		"no timestamp":            {[]string{"new"}, "", Sign("new", "", body), body, ErrStale},
		"timestamp not signed":    {[]string{"new"}, at(0), Sign("new", at(-time.Minute), body), body, ErrSignature},
		"other secret":            {[]string{"new"}, at(0), Sign("other", at(0), body), body, ErrSignature},
		"another body":            {[]string{"new"}, at(0), Sign("new", at(0), body), append([]byte(" "), body...), ErrSignature},
		"no version":              {[]string{"new"}, at(0), Sign("new", at(0), body)[3:], body, ErrSignature},
		"not hex":                 {[]string{"new"}, at(0), "v0=zz", body, ErrSignature},
		"in capitals":             {[]string{"new"}, at(0), "v0=" + strings.ToUpper(Sign("new", at(0), body)[3:]), body, ErrSignature},
		"version in capitals":     {[]string{"new"}, at(0), "V" + Sign("new", at(0), body)[1:], body, ErrSignature},
		"white space before":      {[]string{"new"}, at(0), " " + Sign("new", at(0), body), body, ErrSignature},
		"white space after":       {[]string{"new"}, at(0), Sign("new", at(0), body) + "\n", body, ErrSignature},
		"white space within":      {[]string{"new"}, at(0), "v0= " + Sign("new", at(0), body)[3:], body, ErrSignature},
		"a timestamp's sign":      {[]string{"new"}, "+" + at(0), Sign("new", at(0), body), body, ErrSignature},
		"no signature":            {[]string{"new"}, at(0), "", body, ErrSignature},
		"no secret is no welcome": {nil, at(0), Sign("", at(0), body), body, ErrSignature},
		"nor is an empty one":     {[]string{""}, at(0), Sign("", at(0), body), body, ErrSignature},
	} {
		assert.ErrorIs(t, VerifySignature(tt.secrets, tt.timestamp, tt.signature, tt.body, now), tt.want, name)
	}
}

func TestAnEventOfAnotherShapeNamesItsField(t *testing.T) {
	for body, want := range map[string]string{`[]`: "it is not a JSON object", `{"type":5}`: "type cannot be of the type number", `{"resource":{"id":[]}}`: "resource.id cannot be of the type array"} {
		_, err := ParseEvent([]byte(body))
		assert.ErrorContains(t, err, want)
	}
}

func TestParseEventReadsBothGenerations(t *testing.T) {
	e, err := ParseEvent([]byte(`{"type":"project.updated","resource":{"type":"project","id":"p1"},"project":{"id":"p1"},"team":{"id":"t1"},"user":{"id":"u1"},"new":["thing"]}`))
	require.NoError(t, err)
	assert.Equal(t, Event{Type: "project.updated", ResourceType: "project", ResourceID: "p1", ProjectID: "p1", TeamID: "t1", UserID: "u1"}, e)
	e, err = ParseEvent([]byte(`{"type":"comment.created","resource":{"type":"comment","id":"c1"},"project":{"id":"p1"},"workspace":{"id":"w1"},"account":{"id":"a1"}}`))
	require.NoError(t, err)
	assert.Equal(t, "w1", e.TeamID)
	assert.Equal(t, "a1", e.AccountID)
	_, err = ParseEvent([]byte(`[]`))
	assert.Error(t, err)
}
