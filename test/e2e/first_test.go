//go:build integration

package e2e

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/framebridge/framebridge/sandbox/samples"
	"github.com/framebridge/framebridge/sandbox/stack"
)

// firstMinutes is how long a new installation may take until its first archived project, not counting typing.
const firstMinutes = 3 * time.Minute

// TestFromAFreshInstallationToTheFirstArchive follows the manual with vendors where nothing is set up yet, and without anything
// configured by the stack: five commands, and what a person writes into the file that the first of them creates.
func TestFromAFreshInstallationToTheFirstArchive(t *testing.T) {
	t.Parallel()
	for _, generation := range []string{"v4", "legacy"} {
		t.Run(generation, func(t *testing.T) {
			t.Parallel()
			n := newNewcomer(t, generation)
			team := n.Frameio.AddTeam("Harbour Films").ID
			first, err := samples.Harbour(n.Frameio, team)
			require.NoError(t, err)

			out, code := n.run("doctor")
			assert.Equal(t, 2, code, out)
			assert.Contains(t, out, "starter config init", "the first thing to type")
			began := time.Now()
			out, code = n.run("config", "init")
			require.Equal(t, 0, code, out)
			out, code = n.run("config", "check")
			assert.Equal(t, 2, code, out)
			for _, name := range []string{"FRAMEBRIDGE_KEY", "ACME_API_KEY", "ACME_FRAMEIO_CLIENT_ID", "ACME_ICONIK_TOKEN"} {
				assert.Contains(t, out, "the environment variable "+name+" is not set", "all that is missing is told at once")
			}
			n.env = append(n.env, n.Environment()...)
			n.env = append(n.env, "FRAMEBRIDGE_KEY=a secret of 16 characters or more", "ACME_API_KEY="+newcomersKey)
			if generation == "v4" { // the file is for V4
				out, code = n.run("setup", "--yes")
				assert.Equal(t, 2, code, out)
				assert.Contains(t, out, "http.public_url", "the vendors are not sent to the example's address")
			}
			n.fillIn(generation)
			out, code = n.run("config", "check")
			assert.Equal(t, 0, code, out)
			assert.NotContains(t, out, "warning")
			assert.Contains(t, out, "starter setup", "what to type next")

			out, code = n.run("doctor", "--json")
			assert.Equal(t, 2, code, out)
			assert.Equal(t, "fail", n.checks(out)["iconik.actions"], "setup is missing")
			out, code = n.run("setup", "--yes")
			require.Equal(t, 0, code, out)
			n.start("worker")
			n.start("starter", "serve")
			out, code = n.run("archive", strings.ToLower(first.Name))
			require.Equal(t, 3, code, "the sample has what cannot be carried: %s", out)
			assert.Contains(t, out, "verified")
			assert.Less(t, time.Since(began), firstMinutes)
			t.Logf("from config init to the first archive: %s", time.Since(began).Round(time.Millisecond))

			writes := n.Iconik.Calls()
			out, code = n.run("setup", "--yes")
			assert.Equal(t, 0, code, out)
			assert.Contains(t, out, "Nothing to change")
			for op, count := range n.Iconik.Calls() {
				assert.True(t, count == writes[op] || strings.HasPrefix(op, "GET ") || strings.HasPrefix(op, "POST /API/search/"), "a second setup writes nothing: %s", op)
			}
			out, _ = n.run("doctor", "--json")
			checks := n.checks(out)
			assert.Greater(t, len(checks), 90)
			for id, status := range checks {
				assert.NotEqual(t, "fail", status, id)
			}

			// The webhook that setup created starts the next archive, signed with a secret that only the ledger knows.
			second, err := samples.Small(n.Frameio, team, "Small Files", 3, 0)
			require.NoError(t, err)
			n.Frameio.Rename(second.ID, "Small Files - Archived")
			require.Eventually(t, func() bool {
				out, code = n.run("status", "small files", "--json")
				return code == 0 && strings.Contains(out, `"verified"`)
			}, patience, 200*time.Millisecond, "%s", out)

			out, code = n.run("setup", "--remove", "--yes")
			assert.Equal(t, 0, code, out)
			assert.Empty(t, n.Frameio.Hooks())
			assert.Empty(t, n.Iconik.Docs("custom_actions"))
		})
	}
}

// newcomersKey is the tenant's API key, made up by the newcomer.
const newcomersKey = "an API key made with openssl"

// newcomer is somebody in their own folder, with vendors and a Temporal server that do not know Framebridge.
type newcomer struct {
	*stack.Stack
	t   *testing.T
	dir string
	env []string
	api string
}

func newNewcomer(t *testing.T, generation string) *newcomer {
	t.Helper()
	o := options(t)
	o.Generation, o.Part = generation, stack.VendorsAndTemporal
	s, err := stack.Start(t.Context(), o)
	require.NoError(t, err)
	t.Cleanup(s.Stop)
	n := &newcomer{Stack: s, t: t, dir: t.TempDir(), api: freeAddress(t)}
	n.env = []string{"FRAMEBRIDGE_WORKER_LISTEN=" + freeAddress(t)}
	return n
}

// fillIn is what a person writes into the file: where things are, and for the legacy API its token instead of Adobe's client.
func (n *newcomer) fillIn(generation string) {
	n.t.Helper()
	path := filepath.Join(n.dir, "framebridge.yaml")
	raw, err := os.ReadFile(path)
	require.NoError(n.t, err)
	text := string(raw)
	edit := func(old, by string) {
		require.Contains(n.t, text, old)
		text = strings.Replace(text, old, by, 1)
	}
	edit(`listen: "127.0.0.1:8080"`, `listen: "`+n.api+`"`)
	edit("https://framebridge.example.com", "http://"+n.api)
	edit("127.0.0.1:7233", n.TemporalAddress)
	edit(`workspace: ""`, `workspace: "Harbour Films"`)
	edit(`notify: []`, `notify: ["post@example.com"]`)
	if generation == "legacy" {
		edit("generation: v4", "generation: legacy")
		before, rest, _ := strings.Cut(text, "      ims: {")
		_, after, _ := strings.Cut(rest, "\n")
		text = before + "      token: \"${ACME_FRAMEIO_TOKEN}\"\n" + after
	}
	require.NoError(n.t, os.WriteFile(path, []byte(text), 0o600))
}

// run runs the starter in the newcomer's folder.
func (n *newcomer) run(args ...string) (string, int) {
	n.t.Helper()
	ctx, cancel := context.WithTimeout(n.t.Context(), firstMinutes)
	defer cancel()
	var out bytes.Buffer
	cmd := exec.CommandContext(ctx, filepath.Join(stack.BinDir(root), "starter"), append(args, "--log-level", "error")...)
	cmd.Dir, cmd.Env, cmd.Stdout, cmd.Stderr = n.dir, append(os.Environ(), n.env...), &out, &out
	err := cmd.Run()
	var exit *exec.ExitError
	if errors.As(err, &exit) {
		return out.String(), exit.ExitCode()
	}
	require.NoError(n.t, err)
	for _, secret := range []string{newcomersKey, stack.IconikToken, stack.FrameioToken} {
		assert.NotContains(n.t, out.String(), secret)
	}
	return out.String(), 0
}

// start starts a program that keeps running.
func (n *newcomer) start(program string, args ...string) {
	n.t.Helper()
	p := stack.NewProcess(program, filepath.Join(stack.BinDir(root), program), n.dir, n.env, args...)
	require.NoError(n.t, p.Start())
	n.t.Cleanup(func() { p.Stop() })
}

// checks returns the doctor's checks by id.
func (n *newcomer) checks(report string) map[string]string {
	n.t.Helper()
	var r struct {
		Checks []struct{ ID, Status string }
	}
	require.NoError(n.t, json.Unmarshal([]byte(report), &r), report)
	out := map[string]string{}
	for _, c := range r.Checks {
		out[c.ID] = c.Status
	}
	return out
}
