package main

import (
	"net/url"
	"regexp"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/framebridge/framebridge/config"
	"github.com/framebridge/framebridge/ledger"
)

func TestConsolePrintsALinkThatIsKeptHashed(t *testing.T) {
	v := newVendors(t)
	text, code := v.run(t, "", "console", "--role", "operator")
	require.Zero(t, code, text)
	link := regexp.MustCompile(`http://127\.0\.0\.1:1/ui/sign-in/once\?code=\S+`).FindString(text)
	require.NotEmpty(t, link, text)
	u, err := url.Parse(link)
	require.NoError(t, err)
	book, err := ledger.Open(t.Context(), v.ledger)
	require.NoError(t, err)
	defer book.Close()
	s, ok, err := book.TakeOneTimeLink(t.Context(), u.Query().Get("code"), time.Now())
	require.NoError(t, err)
	assert.True(t, ok)
	assert.Equal(t, map[string]string{tenantA: string(config.RoleOperator)}, s.Roles)
	entries, err := book.Tenant(tenantA).AuditPage(t.Context(), ledger.AuditFilter{}, 0, 10)
	require.NoError(t, err)
	require.Len(t, entries, 1)
	assert.Equal(t, "one-time link", entries[0].Action)
	assert.Equal(t, ledger.ActorCommand, entries[0].Actor.Kind)

	require.NoError(t, book.BeginSession(t.Context(), "a secret", ledger.Session{Subject: "x", Name: "Edith", Email: "edith@example.com", ExpiresAt: time.Now().Add(time.Hour)}, time.Now()))
	text, code = v.run(t, "", "console", "--sign-out", "Edith@example.com")
	assert.Zero(t, code, text)
	assert.Contains(t, text, "Ended 1 session of Edith@example.com")
	_, ok, err = book.Session(t.Context(), "a secret", time.Now())
	require.NoError(t, err)
	assert.False(t, ok)
	_, code = v.run(t, "", "console", "--sign-out", "edith@example.com")
	assert.Equal(t, exitFailed, code)
	_, code = v.run(t, "", "console", "--role", "owner")
	assert.Equal(t, exitUsage, code)
}
