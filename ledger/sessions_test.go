package ledger

import (
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestASessionLastsUntilItsEnd(t *testing.T) {
	each(t, func(t *testing.T, l *Ledger, tenant string) {
		now := time.Now().UTC().Truncate(time.Microsecond)
		edith := Session{Subject: tenant + "/edith", Kind: "oidc", Email: "edith@example.com", Groups: []string{"post"}, CreatedAt: now, SeenAt: now, ExpiresAt: now.Add(time.Hour)}
		one, two := tenant+"1", tenant+"2"
		require.NoError(t, l.BeginSession(t.Context(), one, edith, now))
		require.NoError(t, l.BeginSession(t.Context(), two, edith, now))

		got, ok, err := l.Session(t.Context(), one, now)
		require.NoError(t, err)
		assert.True(t, ok)
		assert.Equal(t, edith, got)
		_, ok, err = l.Session(t.Context(), one, now.Add(time.Hour))
		require.NoError(t, err)
		assert.False(t, ok, "it has expired")
		_, ok, err = l.Session(t.Context(), tenant+"3", now)
		require.NoError(t, err)
		assert.False(t, ok)

		require.NoError(t, l.SeeSession(t.Context(), one, now.Add(time.Minute)))
		require.NoError(t, l.SeeSession(t.Context(), one, now), "an older request that comes later")
		got, _, err = l.Session(t.Context(), one, now)
		require.NoError(t, err)
		assert.Equal(t, now.Add(time.Minute), got.SeenAt)

		require.NoError(t, l.EndSession(t.Context(), one))
		_, ok, err = l.Session(t.Context(), one, now)
		require.NoError(t, err)
		assert.False(t, ok)
		n, err := l.EndSessions(t.Context(), edith.Subject)
		require.NoError(t, err)
		assert.Equal(t, 1, n)
		_, ok, err = l.Session(t.Context(), two, now)
		require.NoError(t, err)
		assert.False(t, ok)
	})
}

func TestExpiredSessionsAreForgotten(t *testing.T) {
	each(t, func(t *testing.T, l *Ledger, tenant string) {
		now := time.Now()
		require.NoError(t, l.BeginSession(t.Context(), tenant+"old", Session{Subject: tenant, ExpiresAt: now.Add(time.Minute)}, now))
		require.NoError(t, l.BeginSession(t.Context(), tenant+"new", Session{Subject: tenant, ExpiresAt: now.Add(3 * time.Minute)}, now.Add(2*time.Minute)))
		n, err := l.EndSessions(t.Context(), tenant)
		require.NoError(t, err)
		assert.Equal(t, 1, n)
	})
}

func TestAOneTimeLinkIsUsedOnce(t *testing.T) {
	each(t, func(t *testing.T, l *Ledger, tenant string) {
		now := time.Now()
		s := Session{Subject: "console:sam", Kind: "console", Roles: map[string]string{tenant: "admin"}, ExpiresAt: now.Add(5 * time.Minute)}
		require.NoError(t, l.PutOneTimeLink(t.Context(), tenant+"secret", s, now))
		_, ok, err := l.OneTimeLink(t.Context(), tenant+"secret", now.Add(5*time.Minute))
		require.NoError(t, err)
		assert.False(t, ok, "it has expired")
		got, ok, err := l.OneTimeLink(t.Context(), tenant+"secret", now)
		require.NoError(t, err)
		assert.True(t, ok, "reading it does not use it")
		assert.Equal(t, s.Roles, got.Roles)
		var taken atomic.Int32
		var all sync.WaitGroup
		for range 8 {
			all.Go(func() {
				_, ok, err := l.TakeOneTimeLink(t.Context(), tenant+"secret", now)
				assert.NoError(t, err)
				if ok {
					taken.Add(1)
				}
			})
		}
		all.Wait()
		assert.Equal(t, int32(1), taken.Load())
	})
}

func TestSecretsOfSessionsAreNotInTheLedger(t *testing.T) {
	each(t, func(t *testing.T, l *Ledger, tenant string) {
		now := time.Now()
		s := Session{Subject: tenant, ExpiresAt: now.Add(time.Hour)}
		require.NoError(t, l.BeginSession(t.Context(), tenant+"cookie", s, now))
		require.NoError(t, l.PutOneTimeLink(t.Context(), tenant+"link", s, now))
		for _, table := range []string{"sessions", "one_time_links"} {
			ids, err := collect(t.Context(), l.reads(), scanText[string], "SELECT id FROM "+table)
			require.NoError(t, err)
			assert.NotContains(t, ids, tenant+"cookie")
			assert.NotContains(t, ids, tenant+"link")
			assert.NotEmpty(t, ids)
		}
	})
}

func TestLinksAreRevokedByTheirGeneration(t *testing.T) {
	each(t, func(t *testing.T, l *Ledger, tenant string) {
		book := l.Tenant(tenant)
		for want := range int64(3) {
			got, err := book.LinkGeneration(t.Context(), LinkedReview, "r")
			require.NoError(t, err)
			assert.Equal(t, want, got)
			require.NoError(t, book.RevokeLinks(t.Context(), LinkedReview, "r"))
		}
		got, err := book.LinkGeneration(t.Context(), LinkedArchive, "r")
		require.NoError(t, err)
		assert.Zero(t, got)
	})
}
