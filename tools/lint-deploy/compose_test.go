package lintdeploy

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/compose-spec/compose-go/v2/loader"
	"github.com/compose-spec/compose-go/v2/types"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// TestComposeReadsTheFile is `docker compose config`, using its own code.
func TestComposeReadsTheFile(t *testing.T) {
	dir, err := filepath.Abs(root + "/deploy")
	require.NoError(t, err)
	details := types.ConfigDetails{WorkingDir: dir, ConfigFiles: []types.ConfigFile{{Filename: filepath.Join(dir, "compose.yaml")}},
		Environment: types.Mapping{"POSTGRES_PASSWORD": "secret", "FRAMEBRIDGE_KEY": "secret"}}
	project, err := loader.LoadWithContext(t.Context(), details, func(o *loader.Options) { o.SetProjectName("framebridge", true) })
	require.NoError(t, err)
	for _, program := range []string{"worker", "starter"} {
		s, err := project.GetService(program)
		require.NoError(t, err)
		assert.True(t, s.ReadOnly, program)
		assert.Contains(t, *s.Environment["FRAMEBRIDGE_LEDGER_DSN"], "secret")
		assert.Greater(t, time.Duration(*s.StopGracePeriod), 30*time.Second, "a stop takes up to 30 s")
	}
	for name, s := range project.Services {
		for needed := range s.DependsOn {
			assert.Contains(t, project.ServiceNames(), needed, name)
		}
		for _, p := range s.Ports {
			assert.Equal(t, "127.0.0.1", p.HostIP, "%s: nothing is open to the world but by the proxy", name)
		}
	}
	delete(details.Environment, "FRAMEBRIDGE_KEY")
	_, err = loader.LoadWithContext(t.Context(), details, func(o *loader.Options) { o.SetProjectName("framebridge", true) })
	require.ErrorContains(t, err, "set it in .env")
	example, err := os.ReadFile(filepath.Join(dir, ".env.example"))
	require.NoError(t, err)
	for _, name := range []string{"POSTGRES_PASSWORD=", "FRAMEBRIDGE_KEY="} {
		assert.Contains(t, string(example), name)
	}
}

// TestComposeRunsTheSandbox checks the file that puts the simulators over the production services.
func TestComposeRunsTheSandbox(t *testing.T) {
	dir, err := filepath.Abs(root + "/deploy")
	require.NoError(t, err)
	env := types.Mapping{}
	raw, err := os.ReadFile(filepath.Join(dir, "sandbox.env"))
	require.NoError(t, err)
	for line := range strings.Lines(string(raw)) {
		if key, value, found := strings.Cut(strings.TrimSpace(line), "="); found && !strings.HasPrefix(line, "#") {
			env[key] = value
		}
	}
	details := types.ConfigDetails{WorkingDir: dir, Environment: env, ConfigFiles: []types.ConfigFile{{Filename: filepath.Join(dir, "compose.yaml")}, {Filename: filepath.Join(dir, "compose.sandbox.yaml")}}}
	project, err := loader.LoadWithContext(t.Context(), details, func(o *loader.Options) { o.SetProjectName("framebridge", true) })
	require.NoError(t, err)
	for _, program := range []string{"worker", "starter", "setup"} {
		s, err := project.GetService(program)
		require.NoError(t, err)
		assert.Equal(t, "service:vendors", s.NetworkMode, program)
		assert.Empty(t, s.Ports, "%s: its ports are those of the network that it shares", program)
		require.Len(t, s.Volumes, 1, program)
		assert.Equal(t, filepath.Join(dir, "sandbox.yaml"), s.Volumes[0].Source, program)
		assert.Contains(t, *s.Environment["FRAMEBRIDGE_LEDGER_DSN"], "sandbox@postgres", program)
	}
	vendors, err := project.GetService("vendors")
	require.NoError(t, err)
	for _, p := range vendors.Ports {
		assert.Equal(t, "127.0.0.1", p.HostIP, "nothing is open to the world")
	}
}
