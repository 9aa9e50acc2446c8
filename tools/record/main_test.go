package main

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestOnlyDeployedCodeIsRecorded(t *testing.T) {
	dir := t.TempDir()
	in := func(args ...string) string {
		t.Helper()
		out, err := git(dir, append([]string{"-c", "user.name=a", "-c", "user.email=a@example.com", "-c", "commit.gpgsign=false"}, args...)...)
		require.NoError(t, err)
		return out
	}
	in("init", "-q", "-b", "main")
	in("commit", "-q", "--allow-empty", "-m", "first")
	first := in("rev-parse", "--short=7", "HEAD")
	in("checkout", "-q", "-b", "change")
	in("commit", "-q", "--allow-empty", "-m", "under test")

	got, err := deployed(dir, "main")
	require.NoError(t, err)
	require.Equal(t, first, got)
	_, err = deployed(dir, "HEAD")
	require.ErrorContains(t, err, "HEAD is not on main: what was never merged was never deployed")
	_, err = deployed(dir, "no-such")
	require.ErrorContains(t, err, "there is no commit no-such")
	require.NoError(t, os.WriteFile(filepath.Join(dir, "new.go"), nil, 0o600))
	_, err = deployed(dir, "main")
	require.ErrorContains(t, err, "changes that are not committed")
	require.ErrorContains(t, err, "new.go")
	require.ErrorContains(t, run(nil), "name the deployed commit")
}
