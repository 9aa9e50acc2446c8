package config

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestAKeyWithoutEffectWarns(t *testing.T) {
	tests := []struct{ key, text string }{
		{tenantKey + ".frameio.credentials", strings.Replace(least, "generation: legacy,", "generation: legacy, credentials: [{token: fio-u-other}],", 1)},
	}
	for _, tt := range tests {
		t.Run(tt.key, func(t *testing.T) {
			c, err := load(t, tt.text)
			require.NoError(t, err)
			assert.Contains(t, strings.Join(c.Warnings, "\n"), tt.key+": has no effect in this version")
		})
	}
	c, err := load(t, least+"    archive: {access: iconik_default}\n")
	require.NoError(t, err)
	assert.NotContains(t, strings.Join(c.Warnings, "\n"), "no effect")
}

func TestRolesAndTheProviderNeedEachOther(t *testing.T) {
	const oidc = "auth: {oidc: {issuer: 'https://id.example', client_id: framebridge, client_secret: 0a1b2c3d4e5f6a7b8c9d}}\n"
	const roles = "    roles: {admin: [it]}\n"
	for text, want := range map[string]string{
		least + roles:        tenantKey + ".roles: has no effect without auth.oidc",
		least + oidc:         "auth.oidc: does not let anyone in yet",
		least + roles + oidc: "",
	} {
		c, err := load(t, text)
		require.NoError(t, err)
		got := strings.Join(c.Warnings, "\n")
		assert.Contains(t, got, want)
		assert.Equal(t, want != "", strings.Contains(got, "roles") || strings.Contains(got, "auth.oidc"), got)
	}
}
