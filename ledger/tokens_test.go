package ledger

import (
	"context"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/framebridge/framebridge/ledger/sealed"
)

const session1 = "https://storage.example.com/upload?upload_id=very-secret"

// The steps of the administrator's manual: the new key second, then first, then alone.
func TestTheKeyIsRotated(t *testing.T) {
	const old, next = "the old secret of sixteen", "the new secret of sixteen"
	try := func(t *testing.T, dsn string) {
		ctx := t.Context()
		open := func(keys ...string) *Ledger {
			l, err := Open(ctx, dsn, WithKey(keys...))
			require.NoError(t, err)
			t.Cleanup(l.Close)
			return l
		}
		opens := func(l *Ledger) {
			t.Helper()
			got, ok, err := l.Tenant("t").Token(ctx, "refresh")
			require.NoError(t, err)
			require.True(t, ok)
			assert.Equal(t, "very secret", string(got))
			it, _, err := l.Tenant("t").Archive(project).Item(ctx, "x")
			require.NoError(t, err)
			assert.Equal(t, session1, it.UploadID)
		}
		first := open("", old)
		require.NoError(t, first.Tenant("t").PutToken(ctx, "refresh", []byte("very secret")))
		fill(t, first, "t", []Item{{SourceID: "x", AssetKey: "x", Version: 1, Versions: 1, Path: "x", State: Copying, UploadID: session1}})
		opens(first)
		opens(open(old, next))
		opens(open(next, old))
		opens(open(next))
		_, _, err := first.Tenant("t").Token(ctx, "refresh")
		require.ErrorIs(t, err, sealed.ErrUnreadable, "the old key opens nothing any more")
		it, _, err := first.Tenant("t").Archive(project).Item(ctx, "x")
		require.NoError(t, err)
		assert.Empty(t, it.UploadID, "an upload whose address does not open begins anew")
	}
	t.Run("sqlite", func(t *testing.T) { try(t, "sqlite:"+filepath.Join(t.TempDir(), "l.db")) })
	t.Run("postgres", func(t *testing.T) { try(t, emptyPostgres(t)) })
	_, err := Open(t.Context(), "sqlite:"+filepath.Join(t.TempDir(), "l.db"), WithKey(old, "short"))
	require.ErrorContains(t, err, "16 characters")
}

func TestAnUploadsAddressIsKeptEncrypted(t *testing.T) {
	each(t, func(t *testing.T, l *Ledger, tenant string) {
		fill(t, l, tenant, []Item{
			{SourceID: "x", AssetKey: "x", Version: 1, Versions: 1, Path: "x", State: Copying, UploadID: session1},
			{SourceID: "y", AssetKey: "y", Version: 1, Versions: 1, Path: "y", State: Copying, UploadID: "an id of S3's"},
		})
		rows, err := collect(t.Context(), l.reads(), scanText[document], "SELECT data FROM items WHERE tenant = ? ORDER BY source_id", tenant)
		require.NoError(t, err)
		assert.NotContains(t, rows[0], "very-secret")
		assert.Contains(t, rows[0], `"UploadID":""`, "a release that does not know of it begins anew")
		assert.Contains(t, rows[1], `"UploadID":"an id of S3's"`)
		items, _, err := l.Tenant(tenant).Archive(project).ItemsPage(t.Context(), 0, 10)
		require.NoError(t, err)
		assert.Equal(t, session1, items[0].UploadID)
		assert.Equal(t, "an id of S3's", items[1].UploadID)
		_, err = l.Tenant(tenant).Archive(project).UpdateItem(t.Context(), "x", func(i *Item) { i.UploadID = "" })
		require.NoError(t, err)
		it, _, err := l.Tenant(tenant).Archive(project).Item(t.Context(), "x")
		require.NoError(t, err)
		assert.Empty(t, it.UploadID, "the old address does not come back")
	})
}

// A process that died in an exchange blocks nobody for longer than its lease, which ends by the database's clock.
func TestALeaseEndsByTheDatabasesClock(t *testing.T) {
	each(t, func(t *testing.T, l *Ledger, tenant string) {
		lease := func(ends string) {
			_, err := l.exec(t.Context(), "INSERT INTO tokens (tenant, name, sealed, written_at) VALUES (?, 'sign-in/lease', 'somebody', "+l.writes().Now()+ends+`)
				ON CONFLICT (tenant, name) DO UPDATE SET written_at = excluded.written_at`, tenant)
			require.NoError(t, err)
		}
		change := func(context.Context, []byte) ([]byte, error) { return []byte("next"), nil }
		lease(" + 60000000")
		short, cancel := context.WithTimeout(t.Context(), 200*time.Millisecond)
		defer cancel()
		require.ErrorIs(t, l.Tenant(tenant).ExchangeToken(short, "sign-in", change), context.DeadlineExceeded)
		lease(" - 1")
		require.NoError(t, l.Tenant(tenant).ExchangeToken(t.Context(), "sign-in", change))
	})
}

func TestProgressIsThrottledOverAllProcesses(t *testing.T) {
	each(t, func(t *testing.T, l *Ledger, tenant string) {
		begin(t, l, tenant)
		for i, want := range []bool{true, false} {
			mine, err := l.Tenant(tenant).Archive(project).ThrottleProgress(t.Context(), time.Minute)
			require.NoError(t, err)
			assert.Equal(t, want, mine, i)
		}
		mine, err := l.Tenant(tenant).Archive(project).ThrottleProgress(t.Context(), 0)
		require.NoError(t, err)
		assert.True(t, mine)
	})
}
