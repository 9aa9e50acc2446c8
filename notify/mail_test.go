package notify

import (
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

const incompleteMail = `2 files failed: 1 file & its comments <cut>.

Framebridge keeps trying. See https://status.frame.io/now, then retry.
Second line.

Project in Frame.io:   https://next.frame.io/project/5f0c9e8a-7b6c-4d4e-8f2a-1b0c9d4b2f6f
Status:                https://bridge.example.com/l/AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA
Asset:    Rough_cut <v2> — https://app.iconik.io/asset/1
`

func TestAMailAsAPage(t *testing.T) {
	page, err := HTML(`Action needed: archive of "Harbour <Lights>" is incomplete`, incompleteMail)
	require.NoError(t, err)
	const file = "testdata/incomplete.mail.html"
	if *update {
		require.NoError(t, os.WriteFile(file, []byte(page), 0o644))
	}
	want, err := os.ReadFile(file)
	require.NoError(t, err)
	assert.Equal(t, string(want), page)

	assert.NotContains(t, page, "<img")
	assert.NotContains(t, page, "url(")
	assert.NotContains(t, page, "<cut>")
	assert.NotContains(t, page, "Harbour <Lights>")
	for _, line := range []string{"2 files failed", "Second line.", "Rough_cut &lt;v2&gt;", `href="https://status.frame.io/now"`, `href="https://app.iconik.io/asset/1"`} {
		assert.Contains(t, page, line)
	}
	assert.Equal(t, 1, strings.Count(page, strings.Repeat("A", 40)), "a signed link is not shown, only led to")
}

func TestAPageSaysWhatTheTextSays(t *testing.T) {
	for _, text := range []string{"", "One line", "Note: short", "a\n\n\n\nb", "Not a label:\nx", "javascript:alert(1)", "\x00 odd \u2028 text"} {
		page, err := HTML("Subject", text)
		require.NoError(t, err)
		for word := range strings.FieldsSeq(text) {
			assert.Contains(t, page, strings.TrimSuffix(strings.Trim(word, "\x00\u2028"), ":"), text)
		}
		assert.NotContains(t, page, `href="javascript`)
	}
}
