package main

import (
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.yaml.in/yaml/v3"

	"github.com/framebridge/framebridge/config"
)

// TestComposeSetsKeysThatExist checks the compose file against the configuration, because only the person who deploys it would
// notice a key that was renamed.
func TestComposeSetsKeysThatExist(t *testing.T) {
	raw, err := os.ReadFile("../../deploy/compose.yaml")
	require.NoError(t, err)
	var compose struct {
		Services map[string]struct {
			Image       string            `yaml:"image"`
			Environment map[string]string `yaml:"environment"`
			ReadOnly    bool              `yaml:"read_only"`
		} `yaml:"services"`
	}
	require.NoError(t, yaml.Unmarshal(raw, &compose))
	known := map[string]bool{}
	for _, k := range config.Keys() {
		known["FRAMEBRIDGE_"+strings.ToUpper(strings.ReplaceAll(k.Key, ".", "_"))] = true
	}
	for _, program := range []string{"worker", "starter"} {
		s := compose.Services[program]
		assert.True(t, s.ReadOnly, "%s runs on a read-only root", program)
		require.NotEmpty(t, s.Environment, program)
		for name := range s.Environment {
			assert.True(t, known[name], "%s sets %s, which is no key", program, name)
		}
	}
	for name, s := range compose.Services {
		assert.False(t, strings.HasSuffix(s.Image, ":latest"), "%s: pin the image", name)
	}
}

// TestContainerfileBuildsWhatIsThere checks the linker's variables and the programs' folders.
func TestContainerfileBuildsWhatIsThere(t *testing.T) {
	raw, err := os.ReadFile("../../deploy/Containerfile")
	require.NoError(t, err)
	set := regexp.MustCompile(`-X github.com/framebridge/framebridge/(\w+)\.(\w+)=`).FindStringSubmatch(string(raw))
	require.NotNil(t, set)
	source, err := os.ReadFile("../../" + set[1] + "/" + set[1] + ".go")
	require.NoError(t, err)
	assert.Regexp(t, `(?m)^\s*`+set[2]+`\s+= ""`, string(source))
	assert.Contains(t, string(raw), " ./starter")
	assert.Contains(t, string(raw), "-tags image,")
	image, err := os.ReadFile("../../starter/image.go") // which makes one file both programs
	require.NoError(t, err)
	assert.Contains(t, string(image), "//go:build image")
}

// TestTheSandboxOfComposeIsConfigured checks the configuration next to compose.sandbox.yaml.
func TestTheSandboxOfComposeIsConfigured(t *testing.T) {
	t.Setenv("FRAMEBRIDGE_LEDGER_ENCRYPTION_KEY", "a key of 16 characters or more")
	cfg, err := config.Load("../../deploy/sandbox.yaml")
	require.NoError(t, err)
	assert.Empty(t, cfg.Warnings)
	require.Len(t, cfg.Tenants, 1)
}

// A command that runs differently from the units has none of their secrets, and another ledger.
func TestCommandsOnOneMachineRunAsTheUnitsDo(t *testing.T) {
	page, err := os.ReadFile("../../docs/one-machine.md")
	require.NoError(t, err)
	for _, unit := range []string{"framebridge-starter", "framebridge-worker"} {
		text, err := os.ReadFile("../../deploy/systemd/" + unit + ".service")
		require.NoError(t, err)
		for line := range strings.Lines(string(text)) {
			name, value, _ := strings.Cut(strings.TrimSpace(line), "=")
			switch name {
			case "User":
				assert.Contains(t, string(page), "--uid="+value)
			case "Group":
				assert.Contains(t, string(page), "--gid="+value)
			case "WorkingDirectory", "StateDirectory", "EnvironmentFile":
				assert.Contains(t, string(page), "-p "+name+"="+strings.TrimPrefix(value, "-"))
			}
		}
	}
}
