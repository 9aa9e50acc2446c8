package ledger

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// The newest of what vendors sent is kept for each tenant.
func TestWhatVendorsHaveSent(t *testing.T) {
	each(t, func(t *testing.T, l *Ledger, tenant string) {
		now := time.Date(2026, 11, 29, 12, 0, 0, 0, time.UTC)
		h := l.Tenant(tenant)
		for n := range receivedKept + 5 {
			require.NoError(t, h.NoteReceived(t.Context(), Received{At: now.Add(time.Duration(n) * time.Second), Source: "frameio", Kind: "comment.created", Object: fmt.Sprint(n), Status: 200, Result: strings.Repeat("ä", 400)}))
		}
		require.NoError(t, l.Tenant(tenant+"-other").NoteReceived(t.Context(), Received{At: now, Source: "iconik", Kind: "send", Object: "a", Status: 202}))
		all, err := h.LastReceived(t.Context(), 1000)
		require.NoError(t, err)
		require.Len(t, all, receivedKept)
		assert.Equal(t, fmt.Sprint(receivedKept+4), all[0].Object)
		assert.Equal(t, now.Add((receivedKept+4)*time.Second), all[0].At)
		assert.Len(t, []rune(all[0].Result), longestResult)
		theirs, err := l.Tenant(tenant+"-other").LastReceived(t.Context(), 10)
		require.NoError(t, err)
		assert.Equal(t, []Received{{At: now, Source: "iconik", Kind: "send", Object: "a", Status: 202}}, theirs)
	})
}
