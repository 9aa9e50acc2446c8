package config

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// TestTheManualListsEveryKey compares docs/admin.md with Keys. FRAMEBRIDGE_UPDATE=1 rewrites the table.
func TestTheManualListsEveryKey(t *testing.T) {
	const file, from, to = "../docs/admin.md", "<!-- keys -->\n", "<!-- /keys -->"
	var table strings.Builder
	table.WriteString("| key | default | what |\n|---|---|---|\n")
	for _, k := range Keys() {
		value := ""
		if k.Default != "" {
			value = "`" + k.Default + "`"
		}
		fmt.Fprintf(&table, "| `%s` | %s | %s |\n", k.Key, value, k.What)
	}
	raw, err := os.ReadFile(file)
	require.NoError(t, err)
	before, rest, ok := strings.Cut(string(raw), from)
	require.True(t, ok)
	have, after, ok := strings.Cut(rest, to)
	require.True(t, ok)
	if os.Getenv("FRAMEBRIDGE_UPDATE") != "" {
		require.NoError(t, os.WriteFile(file, []byte(before+from+table.String()+to+after), 0o600))
		return
	}
	assert.Equal(t, table.String(), have, "FRAMEBRIDGE_UPDATE=1 go test ./config")
}

// TestTheManualsExamplesTakeWholeValuesFromTheEnvironment reads the examples as people copy them.
func TestTheManualsExamplesTakeWholeValuesFromTheEnvironment(t *testing.T) {
	pages, err := filepath.Glob("../docs/*.md")
	require.NoError(t, err)
	found := 0
	for _, page := range pages {
		text, err := os.ReadFile(page)
		require.NoError(t, err)
		for _, example := range regexp.MustCompile("(?s)```yaml\n(.*?)```").FindAllStringSubmatch(string(text), -1) {
			d := &document{origin: map[string]string{}, p: &Problems{unread: map[string]bool{}}}
			tree, err := d.parse(strings.NewReader(example[1]), page, "")
			require.NoError(t, err, example[1])
			for _, name := range embedded.FindAllString(example[1], -1) {
				t.Setenv(strings.Trim(name, "${}"), "a-value")
				found++
			}
			d.resolve(tree, "")
			for _, problem := range d.p.List {
				assert.NotContains(t, problem, "among other text", "%s:\n%s", page, example[1])
			}
		}
	}
	assert.Greater(t, found, 5)
}
