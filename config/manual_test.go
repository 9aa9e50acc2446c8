package config

import (
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// TestTheManualListsEveryKey holds docs/admin.md to Keys; FRAMEBRIDGE_UPDATE=1 writes the table anew.
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
