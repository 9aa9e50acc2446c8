package lintdeploy

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

const (
	largestImage = 100 << 20 // unpacked; a third of it to pull
	slowestStart = time.Second
)

// engineHere is a container engine that works on this machine.
func engineHere(ctx context.Context) string {
	for _, name := range []string{"podman", "docker"} {
		if exec.CommandContext(ctx, name, "info").Run() == nil {
			return name
		}
	}
	return ""
}

// TestTheImageStarts builds the image and starts both programs as somebody else, with a read-only root.
func TestTheImageStarts(t *testing.T) {
	engine := engineHere(t.Context())
	if engine == "" {
		const why = "NOT TESTED: the image was neither built nor started, because no container engine runs here (podman info, docker info)"
		fmt.Fprintln(os.Stderr, why) // without -v nobody reads what a test skips
		t.Skip(why)
	}
	run := func(args ...string) string {
		t.Helper()
		out, err := exec.CommandContext(t.Context(), engine, args...).CombinedOutput()
		require.NoError(t, err, "%s %v: %s", engine, args, out)
		return strings.TrimSpace(string(out))
	}
	run("build", "-q", "-f", root+"/deploy/Containerfile", "-t", "framebridge:test", root)
	var images []struct{ Size int64 }
	require.NoError(t, json.Unmarshal([]byte(run("image", "inspect", "framebridge:test")), &images))
	assert.LessOrEqual(t, images[0].Size, int64(largestImage))
	for _, program := range []string{"starter", "worker"} {
		began := time.Now()
		out := run("run", "--rm", "--read-only", "--user", "12345:54321", "--network", "none", "--entrypoint", "/usr/local/bin/"+program, "framebridge:test", "--version")
		assert.Less(t, time.Since(began), 5*slowestStart, "the engine's own time included")
		assert.NotEmpty(t, out)
	}
}
