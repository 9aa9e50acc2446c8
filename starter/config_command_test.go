package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/framebridge/framebridge/config"
	"github.com/framebridge/framebridge/starter/control"
	"github.com/framebridge/framebridge/temporalclient"
)

func runCommand(args ...string) (string, error) {
	var out bytes.Buffer
	cmd := command()
	cmd.SetOut(&out)
	cmd.SetErr(&out)
	cmd.SetArgs(args)
	err := run(context.Background(), cmd)
	return out.String(), err
}

func TestTheExampleConfigurationIsGoodOnceItsSecretsAreThere(t *testing.T) {
	file := filepath.Join(t.TempDir(), "framebridge.yaml")
	_, err := runCommand("config", "check", "--config", file)
	assert.ErrorContains(t, err, "starter config init")
	assert.Equal(t, exitUsage, exitCode(err))
	_, err = runCommand("--config", file, "config", "init")
	require.NoError(t, err)
	info, err := os.Stat(file)
	require.NoError(t, err)
	assert.Equal(t, os.FileMode(0o600), info.Mode().Perm())
	_, err = runCommand("config", "init", "--config", file)
	assert.ErrorContains(t, err, "--force")
	assert.Equal(t, exitUsage, exitCode(err))

	_, err = runCommand("config", "check", "--config", file)
	var p *config.Problems
	require.ErrorAs(t, err, &p)
	assert.Len(t, p.List, 6, "each secret that is not there yet")
	assert.Equal(t, exitUsage, exitCode(err))
	for _, name := range []string{"FRAMEBRIDGE_KEY", "ACME_API_KEY", "ACME_FRAMEIO_CLIENT_ID", "ACME_FRAMEIO_CLIENT_SECRET", "ACME_ICONIK_APP", "ACME_ICONIK_TOKEN"} {
		t.Setenv(name, "a-value-of-"+name)
	}
	out, err := runCommand("config", "check", "--config", file)
	require.NoError(t, err)
	assert.Contains(t, out, "is valid, with 1 tenant.")

	t.Setenv("FRAMEBRIDGE_HTTP_LISTEN", "127.0.0.1:9")
	t.Setenv("FRAMEBRIDGE_LEDGER_DSN", "postgres://svc:pg%2Fsecret@db/fb?password=pg-too")
	out, err = runCommand("config", "show", "--json", "--config", file)
	require.NoError(t, err)
	assert.NotContains(t, out, "a-value-of-ACME_API_KEY")
	assert.NotContains(t, out, "secret@")
	assert.NotContains(t, out, "pg-too")
	var settings []config.Setting
	require.NoError(t, json.Unmarshal([]byte(out), &settings))
	by := map[string]config.Setting{}
	for _, s := range settings {
		by[s.Key] = s
	}
	const tenant = "tenants.0419e0c5-6fed-4b66-bf0f-f8a99d44bcd0."
	assert.Len(t, settings, len(config.Keys()))
	assert.Equal(t, config.Setting{Key: "http.listen", Value: "127.0.0.1:9", From: "environment FRAMEBRIDGE_HTTP_LISTEN"}, by["http.listen"])
	assert.Equal(t, "postgres://svc:***@db/fb", by["ledger.dsn"].Value)
	assert.Equal(t, "default", by["worker.listen"].From)
	assert.Equal(t, "framebridge.yaml:17, from the environment variable ACME_API_KEY", by[tenant+"api_key"].From)
	assert.Equal(t, []any{"***"}, by[tenant+"api_key"].Value)

	t.Setenv("FRAMEBRIDGE_TENANTS_0419E0C5_6FED_4B66_BF0F_F8A99D44BCD0_API_KEYS", `[{name: edit-suite, key: "a key that nobody may see", role: editor, expires: 2027-06-30}]`)
	out, err = runCommand("config", "show", "--config", file)
	require.NoError(t, err)
	assert.Contains(t, out, `[{"expires":"2027-06-30","key":"***","name":"edit-suite","role":"editor"}]`)
	assert.NotContains(t, out, "nobody may see")
}

func TestTheVersionIsPrinted(t *testing.T) {
	for _, args := range [][]string{{"version"}, {"--version"}, {"version", "--json"}} {
		out, err := runCommand(args...)
		require.NoError(t, err)
		assert.NotEmpty(t, out)
	}
}

// What Ctrl-C cuts off is not told as a vendor that cannot be reached.
func TestACommandThatIsInterruptedSaysSo(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	for _, err := range []error{errors.New("iconik: matching storage: context canceled"), &exitError{exitUnreachable, "Frame.io: GET /me: interrupt signal received"}} {
		assert.Equal(t, err, interrupted(ctx, err))
	}
	cancel()
	for _, err := range []error{errors.New("iconik: matching storage: context canceled"), &exitError{exitUnreachable, "Frame.io: GET /me: interrupt signal received"}} {
		said := interrupted(ctx, err)
		require.EqualError(t, said, "interrupted")
		assert.Equal(t, exitFailed, exitCode(said))
	}
	following := &exitError{exitFailed, "no longer following; the archive continues"}
	assert.Equal(t, error(following), interrupted(ctx, following))
}

func TestExitCodes(t *testing.T) {
	assert.Equal(t, exitUnreachable, exitCode(errors.Join(control.ErrUnavailable, errors.New("x"))))
	assert.Equal(t, exitUnreachable, exitCode(temporalclient.ErrUnreachable))
	assert.Equal(t, exitExceptions, exitCode(&exitError{exitExceptions, "x"}))
	assert.Equal(t, exitFailed, exitCode(errors.New("x")))
}
