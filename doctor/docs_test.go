package doctor_test

import (
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/framebridge/framebridge/doctor"
)

const manual = "../docs/admin.md"

// TestTheManualExplainsEveryCheck compares the manual's list with the code, both ways. FRAMEBRIDGE_UPDATE=1 rewrites the list.
func TestTheManualExplainsEveryCheck(t *testing.T) {
	raw, err := os.ReadFile(manual)
	require.NoError(t, err)
	const begin, end = "<!-- checks -->\n", "<!-- /checks -->"
	before, rest, found := strings.Cut(string(raw), begin)
	require.True(t, found)
	have, after, found := strings.Cut(rest, end)
	require.True(t, found)
	want := checksTable()
	if os.Getenv("FRAMEBRIDGE_UPDATE") != "" {
		require.NoError(t, os.WriteFile(manual, []byte(before+begin+want+end+after), 0o644))
		return
	}
	assert.Equal(t, want, have, "run the test with FRAMEBRIDGE_UPDATE=1")
}

func checksTable() string {
	var b strings.Builder
	shared, perTenant := doctor.Definitions()
	b.WriteString("| check | what it means | what to do |\n|---|---|---|\n")
	for _, d := range append(shared, perTenant...) {
		fmt.Fprintf(&b, "| `%s` | %s | %s |\n", d.ID, cell(d.Meaning), cell(d.Do))
	}
	return b.String()
}

func cell(s string) string { return strings.ReplaceAll(s, "|", "\\|") }
