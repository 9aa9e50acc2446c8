package tenant

import (
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/framebridge/framebridge/config"
	"github.com/framebridge/framebridge/ledger"
	"github.com/framebridge/framebridge/routes"
	"github.com/framebridge/framebridge/test/emptyledger"
)

func TestTheLinkOfAMail(t *testing.T) {
	const id = "0419e0c5-6fed-4b66-bf0f-f8a99d44bcd0"
	book, err := ledger.Open(t.Context(), emptyledger.DSN(t))
	require.NoError(t, err)
	defer book.Close()
	tenant := New(&config.Tenant{ID: id}, book, nil, nil, nil, slog.Default())
	cfg := &config.Config{HTTP: config.HTTP{PublicURL: "https://bridge.example.com"}}

	got, err := tenant.StatusLink(t.Context(), cfg, ledger.LinkedArchive, "p 1", config.RoleViewer, time.Time{})
	require.NoError(t, err)
	assert.Equal(t, "https://bridge.example.com/ui/"+id+"/archives/p%201", got, "without a key, the console asks who it is")
	got, err = tenant.StatusLink(t.Context(), cfg, ledger.LinkedReview, "r", config.RoleViewer, time.Time{})
	require.NoError(t, err)
	assert.Equal(t, "https://bridge.example.com/ui/"+id+"/reviews/r", got)

	cfg.Ledger.EncryptionKey = config.Secrets{"a secret of sixteen and more"}
	require.NoError(t, tenant.Ledger.RevokeLinks(t.Context(), ledger.LinkedReview, "r"))
	now := time.Now()
	for until, want := range map[time.Time]time.Time{
		{}:                           now.Add(routes.LinksLast),
		now.Add(-time.Hour):          now.Add(routes.LinksLast),
		now.Add(40 * 24 * time.Hour): now.Add(40 * 24 * time.Hour),
	} {
		got, err = tenant.StatusLink(t.Context(), cfg, ledger.LinkedReview, "r", config.RoleEditor, until)
		require.NoError(t, err)
		link, err := routes.OpenLink(cfg, strings.TrimPrefix(got, "https://bridge.example.com/l/"), now)
		require.NoError(t, err)
		assert.WithinDuration(t, want, link.Expires, time.Minute)
		link.Expires = time.Time{}
		assert.Equal(t, routes.Link{Tenant: id, Kind: "review", ID: "r", Role: config.RoleEditor, Generation: 1}, link)
	}
}
