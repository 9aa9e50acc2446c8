//go:build integration

package e2e

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"os/exec"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/framebridge/framebridge/sandbox/samples"
	"github.com/framebridge/framebridge/sandbox/stack"
)

// firstMinutes is how long a new installation may take to its first archived project, typing apart.
const firstMinutes = 3 * time.Minute

// TestFromAFreshInstallationToTheFirstArchive goes the manual's way with vendors where nothing is set up yet: the
// configuration is written, then setup, worker, serve and archive are the other four commands.
func TestFromAFreshInstallationToTheFirstArchive(t *testing.T) {
	for _, generation := range []string{"v4", "legacy"} {
		t.Run(generation, func(t *testing.T) {
			o := options(t)
			o.Generation = generation
			s, err := stack.Start(t.Context(), o) // worker and starter run: two of the commands
			require.NoError(t, err)
			t.Cleanup(s.Stop)
			s.Iconik.AddUser(samples.SamUser, "Sam", "Sandbox")
			team := s.Frameio.AddTeam("Harbour Films").ID
			first, err := samples.Harbour(s.Frameio, team)
			require.NoError(t, err)
			starter := func(args ...string) (string, int) {
				ctx, cancel := context.WithTimeout(t.Context(), firstMinutes)
				defer cancel()
				var out bytes.Buffer
				cmd := exec.CommandContext(ctx, stack.BinDir(root)+"/starter", append(args, "--config", s.Config, "--log-level", "error")...)
				cmd.Stdout, cmd.Stderr = &out, &out
				err := cmd.Run()
				var exit *exec.ExitError
				if errors.As(err, &exit) {
					return out.String(), exit.ExitCode()
				}
				require.NoError(t, err)
				return out.String(), 0
			}
			began := time.Now()
			written, err := exec.CommandContext(t.Context(), stack.BinDir(root)+"/starter", "config", "init", "--config", t.TempDir()+"/framebridge.yaml").CombinedOutput()
			require.NoError(t, err, "%s", written) // and filled in: the stack's own is that
			out, code := starter("setup", "--yes")
			require.Equal(t, 0, code, out)
			out, code = starter("archive", first.ID)
			require.Contains(t, []int{0, 3}, code, out)
			assert.Contains(t, out, "verified", "the sample has what cannot be carried")
			assert.Less(t, time.Since(began), firstMinutes)

			out, code = starter("setup", "--yes")
			assert.Equal(t, 0, code, out)
			assert.Contains(t, out, "Nothing to change")
			out, _ = starter("doctor", "--json")
			var report struct {
				Checks []struct{ ID, Status, Seen string }
			}
			require.NoError(t, json.Unmarshal([]byte(out), &report), out)
			assert.Greater(t, len(report.Checks), 90)
			for _, c := range report.Checks {
				assert.NotEqual(t, "fail", c.Status, "%s: %s", c.ID, c.Seen)
			}

			// The webhook that setup has made starts the next archive, signed with a secret that only the ledger knows.
			h := &harness{Stack: s, t: t, team: team}
			second, err := samples.Small(s.Frameio, team, "Small Files", 3, 0)
			require.NoError(t, err)
			s.Frameio.Rename(second.ID, "Small Files - Archived")
			h.until(second.ID, time.Minute, ended)
		})
	}
}
