package lintdeploy

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/goreleaser/goreleaser/v2/pkg/config"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// TestTheReleaseIsWhatItIsSaidToBe parses the release's configuration into GoReleaser's own types, which refuse other keys.
func TestTheReleaseIsWhatItIsSaidToBe(t *testing.T) {
	project, err := config.Load(root + "/.goreleaser.yaml")
	require.NoError(t, err)
	require.Len(t, project.Builds, 2)
	for _, b := range project.Builds {
		assert.DirExists(t, filepath.Join(root, b.Main))
		assert.Equal(t, []string{"CGO_ENABLED=0"}, b.Env)
		for _, system := range []string{"linux", "darwin", "windows"} {
			assert.True(t, slices.Contains(b.Goos, system), "%s for %s", b.Binary, system)
		}
		assert.Contains(t, b.Ldflags[0], "/version.Version=")
	}
	assert.NotEmpty(t, project.Checksum.NameTemplate)
	assert.NotEmpty(t, project.SBOMs)
	for _, n := range project.NFPMs {
		for _, c := range n.Contents {
			if strings.HasPrefix(c.Source, "dist-extra/") {
				continue // made by the hooks
			}
			_, err := os.Stat(filepath.Join(root, c.Source))
			assert.NoError(t, err)
		}
	}
	for _, hook := range project.Before.Hooks {
		assert.Contains(t, hook, "go run ./starter")
	}
}
