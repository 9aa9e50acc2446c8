//go:build integration

package e2e

import (
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/framebridge/framebridge/sandbox/stack"
)

// TestTheReadmesCommandsShowWhatItSays runs the two commands with which the README begins.
func TestTheReadmesCommandsShowWhatItSays(t *testing.T) {
	t.Parallel()
	sandbox := filepath.Join(stack.BinDir(root), "sandbox")
	run(t, root, "go", "build", "-o", sandbox, "./sandbox")
	for flag, lines := range map[string][]string{
		"--archive": {`Renaming "Harbour Lights" to "Harbour Lights - Archived": Frame.io's webhook starts the archive.`, "mail to ops@sandbox.example: Done, with exceptions", "17 of 18 files verified, 1 skipped"},
		"--review": {"Somebody clicks “Framebridge: send to Frame.io”", "The review is open:", "Rita approved it: iconik shows APPROVED.", "Ellen rejected it in iconik: Frame.io shows Needs review.", "The expiry was moved to now: the review is expired",
			"Review media will be deleted", "The review is deleted. Its comments and decisions stay in iconik."},
	} {
		cmd := exec.CommandContext(t.Context(), sandbox, flag, "--once", "--offline")
		cmd.Dir = root
		out, err := cmd.CombinedOutput()
		require.NoError(t, err, "%s: %s", flag, out)
		for _, line := range lines {
			assert.Contains(t, string(out), line, flag)
		}
	}
}
