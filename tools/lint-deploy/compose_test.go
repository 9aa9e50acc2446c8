package lintdeploy

import (
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/compose-spec/compose-go/v2/loader"
	"github.com/compose-spec/compose-go/v2/types"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// TestComposeReadsTheFile is `docker compose config`, by the code that it is made of.
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
