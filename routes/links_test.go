package routes

import (
	"encoding/base64"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/framebridge/framebridge/config"
)

const tenantOfLinks = "0419e0c5-6fed-4b66-bf0f-f8a99d44bcd0"

func withKeys(keys ...string) *config.Config {
	c := &config.Config{HTTP: config.HTTP{PublicURL: "https://bridge.example.com"}}
	for _, k := range keys {
		c.Ledger.EncryptionKey = append(c.Ledger.EncryptionKey, config.Secret(k))
	}
	return c
}

func tokenOf(t *testing.T, cfg *config.Config, l Link) string {
	t.Helper()
	address, err := SignLink(cfg, l)
	require.NoError(t, err)
	token, ok := strings.CutPrefix(address, cfg.HTTP.PublicURL+LinkPrefix)
	require.True(t, ok)
	return token
}

func TestALinkOpensWhatItWasMadeFor(t *testing.T) {
	now := time.Date(2026, 11, 29, 1, 0, 0, 0, time.UTC)
	cfg := withKeys("a secret of sixteen and more")
	for _, l := range []Link{
		{Tenant: tenantOfLinks, Kind: "archive", ID: "4bd2e2ac-1111-2222-3333-444455556666", Role: config.RoleViewer, Expires: now.Add(LinksLast)},
		{Tenant: tenantOfLinks, Kind: "review", ID: "a-review", Role: config.RoleEditor, Generation: 300, Expires: now.Add(time.Second)},
	} {
		token := tokenOf(t, cfg, l)
		assert.Less(t, len(token), 130)
		got, err := OpenLink(cfg, token, now)
		require.NoError(t, err)
		assert.Equal(t, l, got)
		got, err = OpenLink(cfg, token, l.Expires)
		require.ErrorIs(t, err, ErrLinkExpired)
		assert.Equal(t, l.ID, got.ID, "the page says what it was for")
	}
}

func TestALinkThatWasChangedOpensNothing(t *testing.T) {
	now := time.Now()
	cfg := withKeys("a secret of sixteen and more")
	good := tokenOf(t, cfg, Link{Tenant: tenantOfLinks, Kind: "review", ID: "a-review", Role: config.RoleViewer, Expires: now.Add(time.Hour)})
	raw, err := base64.RawURLEncoding.DecodeString(good)
	require.NoError(t, err)
	for i := range raw {
		changed := append([]byte{}, raw...)
		changed[i] ^= 1
		_, err := OpenLink(cfg, base64.RawURLEncoding.EncodeToString(changed), now)
		require.ErrorIs(t, err, ErrNoLink, "byte %d", i)
	}
	for _, token := range []string{"", "x", good[:len(good)-1], good + "A", strings.Repeat("A", 5000), "../" + good, good + "="} {
		_, err := OpenLink(cfg, token, now)
		require.ErrorIs(t, err, ErrNoLink, token)
	}
	_, err = OpenLink(withKeys("another secret of sixteen"), good, now)
	require.ErrorIs(t, err, ErrNoLink)
	_, err = OpenLink(withKeys(), good, now)
	require.ErrorIs(t, err, ErrNoLink)
}

func TestLinksOutliveARotationOfTheKey(t *testing.T) {
	now := time.Now()
	l := Link{Tenant: tenantOfLinks, Kind: "review", ID: "a-review", Role: config.RoleViewer, Expires: now.Add(time.Hour)}
	token := tokenOf(t, withKeys("the old secret of sixteen"), l)
	_, err := OpenLink(withKeys("the new secret of sixteen", "the old secret of sixteen"), token, now)
	require.NoError(t, err)
}

func TestThereAreNoLinksWithoutAKey(t *testing.T) {
	assert.False(t, CanSignLinks(withKeys()))
	assert.False(t, CanSignLinks(withKeys("")))
	_, err := SignLink(withKeys(), Link{})
	require.ErrorIs(t, err, ErrNoLinkKey)
	for _, l := range []Link{
		{},
		{Tenant: tenantOfLinks, Kind: "review", ID: "a", Role: config.RoleOperator, Expires: time.Now()},
		{Tenant: tenantOfLinks, Kind: "item", ID: "a", Role: config.RoleViewer, Expires: time.Now()},
		{Tenant: tenantOfLinks, Kind: "review", ID: "a", Role: config.RoleViewer},
		{Tenant: "acme", Kind: "review", ID: "a", Role: config.RoleViewer, Expires: time.Now()},
	} {
		_, err := SignLink(withKeys("a secret of sixteen and more"), l)
		require.Error(t, err)
	}
}
