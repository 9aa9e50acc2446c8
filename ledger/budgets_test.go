package ledger

import (
	"context"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestProcessesShareWhatTheyKnowOfTheLimits(t *testing.T) {
	each(t, func(t *testing.T, l *Ledger, tenant string) {
		h := l.Tenant(tenant)
		require.NoError(t, h.ShareBudgets(t.Context(), "worker-1", []byte(`[1]`)))
		require.NoError(t, h.ShareBudgets(t.Context(), "worker-1", []byte(`[2]`)))
		require.NoError(t, h.ShareBudgets(t.Context(), "worker-2", []byte(`[3]`)))
		require.NoError(t, l.Tenant("other "+tenant).ShareBudgets(t.Context(), "worker-1", []byte(`[9]`)))
		all, err := h.SharedBudgets(t.Context(), time.Minute)
		require.NoError(t, err)
		assert.Equal(t, []string{`[2]`, `[3]`}, all)
		all, err = h.SharedBudgets(t.Context(), -time.Minute)
		require.NoError(t, err)
		assert.Empty(t, all, "what is old is not told")
	})
}

// Limits and leases are stored unencrypted next to the tokens. They are not mistaken for tokens encrypted with another key.
func TestWhatIsNotEncryptedIsNotUnreadable(t *testing.T) {
	l, err := Open(t.Context(), "sqlite:"+filepath.Join(t.TempDir(), "l.db"), WithKey("a secret of sixteen and more"))
	require.NoError(t, err)
	defer l.Close()
	h := l.Tenant("t")
	require.NoError(t, h.ShareBudgets(t.Context(), "worker-1", []byte(`[1]`)))
	require.NoError(t, h.PutToken(t.Context(), "refresh", []byte("very secret")))
	require.NoError(t, h.Alone(t.Context(), "views", func(ctx context.Context) error {
		kept, unreadable, err := l.Sealed(ctx)
		assert.Equal(t, [2]int{1, 0}, [2]int{kept, unreadable})
		return err
	}))
}
