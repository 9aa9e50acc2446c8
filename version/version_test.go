package version

import (
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestAProgramAlwaysHasAVersion(t *testing.T) {
	assert.NotEmpty(t, Get().Version)
	assert.Equal(t, "1.2.3 (abc, 2026-11-28)", Info{"1.2.3", "abc", "2026-11-28"}.String())
	assert.Equal(t, "dev", Info{Version: "dev"}.String())
}

func TestAReleaseSetsItByTheLinker(t *testing.T) {
	dir := t.TempDir()
	const flags = "-X github.com/framebridge/framebridge/version.Version=9.8.7 -X github.com/framebridge/framebridge/version.Commit=abcdef"
	out, err := exec.Command("go", "test", "-c", "-ldflags", flags, "-o", filepath.Join(dir, "v"), ".").CombinedOutput()
	require.NoError(t, err, string(out))
	out, err = exec.Command(filepath.Join(dir, "v"), "-test.run", "TestPrint", "-test.v").CombinedOutput()
	require.NoError(t, err)
	assert.Contains(t, string(out), "9.8.7 (abcdef")
}

func TestPrint(t *testing.T) { t.Log(Get()) }
