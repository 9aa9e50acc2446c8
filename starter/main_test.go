package main

import (
	"bytes"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/framebridge/framebridge/config"
)

const (
	tenantA = "0419e0c5-6fed-4b66-bf0f-f8a99d44bcd0"
	tenantB = "11111111-2222-4333-8444-555555555555"
)

func TestATenantIsPickedOnlyWhenItIsClear(t *testing.T) {
	cfg := &config.Config{Tenants: map[string]*config.Tenant{tenantA: {ID: tenantA, Name: "A"}, tenantB: {ID: tenantB, Name: "B"}}}
	found, err := pickTenant(cfg, strings.ToUpper(tenantB))
	require.NoError(t, err)
	assert.Equal(t, tenantB, found.ID)
	found, err = pickTenant(cfg, "A")
	require.NoError(t, err)
	assert.Equal(t, tenantA, found.ID)
	_, err = pickTenant(cfg, "")
	assert.ErrorContains(t, err, tenantA+" (A), "+tenantB+" (B)")
	_, err = pickTenant(cfg, "C")
	assert.ErrorContains(t, err, `no tenant "C"`)
	cfg.Tenants[tenantB].Name = "A"
	_, err = pickTenant(cfg, "A")
	assert.ErrorContains(t, err, "2 tenants")
}

func TestFlagsThatAreWrongAreToldBeforeAnythingStarts(t *testing.T) {
	for _, args := range [][]string{{"serve", "--log-format", "xml"}, {"--log-level", "loud", "plan", "x"}} {
		cmd := command()
		cmd.SetArgs(args)
		assert.ErrorContains(t, cmd.Execute(), "--log-")
	}
}

func TestHelpShowsEveryFlagAndKey(t *testing.T) {
	for _, args := range [][]string{{"--help"}, {"serve", "--help"}, {"archive", "--help"}} {
		cmd := command()
		var out bytes.Buffer
		cmd.SetOut(&out)
		cmd.SetArgs(args)
		require.NoError(t, cmd.Execute())
		for _, k := range config.Keys() {
			assert.Contains(t, out.String(), k.Key, args)
		}
		for _, flag := range []string{"--config", "--log-format", "--log-level", "--tenant"} {
			assert.Contains(t, out.String(), flag, args)
		}
	}
}
