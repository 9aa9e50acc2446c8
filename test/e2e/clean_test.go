//go:build integration

package e2e

import (
	"bytes"
	"os"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/framebridge/framebridge/sandbox/stack"
)

// assertClean fails when a file holds a token or a signed URL.
func assertClean(t *testing.T, file string) {
	t.Helper()
	raw, err := os.ReadFile(file)
	require.NoError(t, err)
	for _, secret := range []string{stack.APIKey, stack.FrameioToken, stack.HookSecret, stack.IconikToken, stack.ActionSecret, "X-Amz-Signature", "X-Amz-Credential"} {
		assert.False(t, bytes.Contains(raw, []byte(secret)), "%s holds %q", file, secret)
	}
}
