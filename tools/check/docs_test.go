package main

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// TestTheTourNamesWhatIsThere holds that a newcomer who follows the developer's manual finds every file, and every
// function that stands beside one.
func TestTheTourNamesWhatIsThere(t *testing.T) {
	raw, err := os.ReadFile("../../docs/developer.md")
	require.NoError(t, err)
	file := regexp.MustCompile("`([a-z0-9_]+(?:/[A-Za-z0-9_.]+)+\\.go)`(?:: `([A-Za-z.]+)`)?")
	named := file.FindAllStringSubmatch(string(raw), -1)
	require.Greater(t, len(named), 20)
	for _, m := range named {
		source, err := os.ReadFile(filepath.Join("../..", m[1]))
		if !assert.NoError(t, err, "the developer's manual names a file that is not there") || m[2] == "" {
			continue
		}
		name := m[2][strings.LastIndex(m[2], ".")+1:]
		assert.Contains(t, string(source), " "+name+"(", "%s has no function %s", m[1], m[2])
	}
}
