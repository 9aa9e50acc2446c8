package lintdeploy

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io/fs"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

const (
	largestImage = 60_000_000 // unpacked; a pull is a third of it
	slowestStart = time.Second
)

// engineHere returns a container engine that works on this machine.
func engineHere(ctx context.Context) string {
	for _, name := range []string{"podman", "docker"} {
		if exec.CommandContext(ctx, name, "info").Run() == nil {
			return name
		}
	}
	return ""
}

// TestTheImageStarts builds the image and starts both programs as another user, with a read-only root.
func TestTheImageStarts(t *testing.T) {
	engine := engineHere(t.Context())
	if engine == "" {
		notTested(t, "the image was neither built nor started by a container engine, because none runs here (podman info, docker info)")
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

// TestTheImagesFilesStart needs no engine. It lays out the image's files, and starts both programs there as a user who can only write
// to the volume.
func TestTheImagesFilesStart(t *testing.T) {
	files := t.TempDir()
	layOut(t, files)
	size := int64(0)
	require.NoError(t, filepath.WalkDir(files, func(_ string, d fs.DirEntry, err error) error {
		if err == nil && d.Type().IsRegular() {
			var info fs.FileInfo
			if info, err = d.Info(); err == nil {
				size += info.Size()
			}
		}
		return err
	}))
	t.Logf("the image has %.1f MB", float64(size)/1e6)
	assert.LessOrEqual(t, size, int64(largestImage))
	if os.Getuid() != 0 || runtime.GOOS != "linux" {
		notTested(t, "the image's files are not started, because only root can change the root folder")
	}
	mountProc(t, files)
	for program, args := range map[string][]string{"starter": {"serve"}, "worker": nil} {
		out, took := start(t, files, program, "--version")
		assert.Contains(t, out, program+" version")
		assert.Less(t, took, slowestStart)
		address := freeAddress(t)
		began := time.Now()
		cmd := inside(t, files, program, args...)
		cmd.Env = append(cmd.Env, "FRAMEBRIDGE_HTTP_LISTEN="+address, "FRAMEBRIDGE_WORKER_LISTEN="+address, "FRAMEBRIDGE_TEMPORAL_ADDRESS=127.0.0.1:1", "FRAMEBRIDGE_LEDGER_DSN=sqlite:/data/"+program+".db")
		var log bytes.Buffer
		cmd.Stdout, cmd.Stderr = &log, &log
		require.NoError(t, cmd.Start())
		alive := func() bool {
			resp, err := http.Get("http://" + address + "/healthz")
			return err == nil && resp.Body.Close() == nil && resp.StatusCode == http.StatusOK
		}
		for !alive() && time.Since(began) < 10*slowestStart {
			time.Sleep(10 * time.Millisecond)
		}
		took = time.Since(began)
		_ = cmd.Process.Kill()
		_ = cmd.Wait() // the log is complete
		assert.Less(t, took, slowestStart, "%s answers: %s", program, log.String())
		t.Logf("%s answers after %s", program, took.Round(time.Millisecond))
	}
}

// layOut does what the Containerfile does.
func layOut(t *testing.T, files string) {
	t.Helper()
	raw, err := os.ReadFile(root + "/deploy/Containerfile")
	require.NoError(t, err)
	build := regexp.MustCompile(`go build -tags (\S+) -trimpath -ldflags "([^"]*)" -o /out/bin/starter ./starter`).FindStringSubmatch(string(raw))
	require.NotNil(t, build, "the Containerfile builds one file")
	require.Contains(t, string(raw), "ln -s starter /out/bin/worker")
	bin := filepath.Join(files, "usr", "local", "bin")
	for _, dir := range []string{bin, filepath.Join(files, "etc", "ssl", "certs"), filepath.Join(files, "etc", "framebridge"), filepath.Join(files, "data")} {
		require.NoError(t, os.MkdirAll(dir, 0o755))
	}
	require.NoError(t, os.Chmod(filepath.Join(files, "data"), 0o777))
	require.NoError(t, os.Chmod(files, 0o755))
	// Without -trimpath, which only changes the paths in stack traces, this reuses what the other tests have compiled.
	cmd := exec.CommandContext(t.Context(), "go", "build", "-tags", build[1], "-ldflags", strings.ReplaceAll(build[2], "${VERSION}", "test"), "-o", filepath.Join(bin, "starter"), "./starter")
	cmd.Dir, cmd.Env = root, append(os.Environ(), "CGO_ENABLED=0")
	out, err := cmd.CombinedOutput()
	require.NoError(t, err, "%s", out)
	require.NoError(t, os.Symlink("starter", filepath.Join(bin, "worker")))
	goroot, err := exec.Command("go", "env", "GOROOT").Output()
	require.NoError(t, err)
	for from, to := range map[string]string{filepath.Join(strings.TrimSpace(string(goroot)), "lib", "time", "zoneinfo.zip"): "zoneinfo.zip", "/etc/ssl/certs/ca-certificates.crt": "etc/ssl/certs/ca-certificates.crt", root + "/LICENSE": "LICENSE"} {
		if raw, err := os.ReadFile(from); err == nil {
			require.NoError(t, os.WriteFile(filepath.Join(files, to), raw, 0o644))
		}
	}
	example, err := os.ReadFile(root + "/starter/framebridge.example.yaml")
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(filepath.Join(files, "etc", "framebridge", "framebridge.yaml"), example, 0o644))
}

func start(t *testing.T, files, program string, args ...string) (string, time.Duration) {
	t.Helper()
	began := time.Now()
	out, err := inside(t, files, program, args...).CombinedOutput()
	require.NoError(t, err, "%s", out)
	return string(out), time.Since(began)
}

// freeAddress returns an address that nobody listens on.
func freeAddress(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer l.Close()
	return l.Addr().String()
}

func notTested(t *testing.T, why string) {
	t.Helper()
	fmt.Fprintln(os.Stderr, "NOT TESTED:", why) // without -v nobody reads what a test skips
	t.Skip("NOT TESTED: " + why)
}
