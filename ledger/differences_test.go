package ledger

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// What a proof finds in a part replaces what was found there before. What the run restored stays until the next run.
func TestDifferences(t *testing.T) {
	each(t, func(t *testing.T, l *Ledger, tenant string) {
		begin(t, l, tenant)
		a := l.Tenant(tenant).Archive(project)
		set := func(run int, object, part string, rows ...Difference) {
			require.NoError(t, a.SetDifferences(t.Context(), object, part, run, rows))
		}
		held := func() (out []string) {
			rows, err := a.Differences(t.Context(), 10)
			require.NoError(t, err)
			for _, d := range rows {
				out = append(out, d.Object+" "+d.Part+" "+string(d.Kind)+" "+d.Iconik)
			}
			return out
		}
		hash := func() string {
			h, err := a.DifferencesHash(t.Context())
			require.NoError(t, err)
			return h
		}
		assert.Empty(t, hash())
		set(1, "f1", "comments", Difference{Kind: DifferenceChanged, Iconik: "a"}, Difference{Kind: DifferenceExtra, Iconik: "b"})
		set(1, "f1", "asset", Difference{Kind: DifferenceChanged, Iconik: "c"})
		first := hash()
		set(1, "f1", "comments", Difference{Kind: DifferenceChanged, Iconik: "d"})
		assert.NotEqual(t, first, hash())
		require.NoError(t, a.AddDifferences(t.Context(), "f1", "comments", 1, []Difference{{Kind: DifferenceRestored, Iconik: "e"}}))
		set(1, "f1", "comments")
		assert.Equal(t, []string{"f1 asset changed in iconik c", "f1 comments restored e"}, held())
		counts, err := a.DifferenceCounts(t.Context())
		require.NoError(t, err)
		assert.Equal(t, []KindCount{{"changed in iconik", 1}, {"restored", 1}}, counts)
		require.NoError(t, a.ForgetRestored(t.Context(), 2))
		require.NoError(t, a.ClearDifferences(t.Context(), "asset", 2))
		assert.Empty(t, held())
	})
}

// A link that is rewritten without stating what was written forgets what it had, which would otherwise be taken for a change.
func TestWhatWasWrittenIsOfTheLastWrite(t *testing.T) {
	each(t, func(t *testing.T, l *Ledger, tenant string) {
		begin(t, l, tenant)
		h := l.Tenant(tenant)
		written := func() string {
			k, ok, err := h.Link(t.Context(), LinkComment, "c1")
			require.NoError(t, err)
			require.True(t, ok)
			return k.Written
		}
		require.NoError(t, h.CompleteAs(t.Context(), LinkComment, "c1", "s1", "hash", "a text"))
		assert.Equal(t, "a text", written())
		require.NoError(t, h.Complete(t.Context(), LinkComment, "c1", "s1", "other"))
		assert.Empty(t, written())
	})
}
