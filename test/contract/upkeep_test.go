package contract

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/framebridge/framebridge/ledger"
	"github.com/framebridge/framebridge/workflows"
)

// A byte that has changed in the store is found by the sample, named in the audit log, and remembered.
func TestASampleOfTheBytesIsReadBack(t *testing.T) {
	t.Parallel()
	r := openReclaimed(t, "v4")
	day := func(n int) workflows.UpkeepResult {
		res, err := r.acts.Upkeep.SampleBytes(t.Context(), workflows.UpkeepDay{Tenant: tenantID, Day: fmt.Sprintf("2026-12-%02d", n)})
		require.NoError(t, err)
		return res
	}
	assert.True(t, day(1).Off, "it is off by itself")
	r.config.Tenants[tenantID].Archive.FixitySample = 100
	r.rewrite(r.newest, func(b []byte) []byte { b[0] ^= 1; return b })
	files, problems := int64(0), int64(0)
	for n := 1; n <= 31; n++ {
		res := day(n)
		assert.Positive(t, res.Files, "each day reads something")
		files, problems = files+res.Files, problems+res.Problems
	}
	assert.Positive(t, problems)
	assert.Less(t, problems, files)
	read, known, err := r.rows().ByteRead(t.Context(), r.newest)
	require.NoError(t, err)
	assert.True(t, known)
	assert.Contains(t, read.Problem, "xxHash64")
	entries, err := r.book.Tenant(tenantID).AuditPage(t.Context(), ledger.AuditFilter{Action: "fixity sample", Text: "scene v2.mov"}, 0, 100)
	require.NoError(t, err)
	assert.NotEmpty(t, entries)
}

// A run of the archive after a reclaim does not take what was freed for lost.
func TestWhatWasFreedIsNoDifference(t *testing.T) {
	t.Parallel()
	r := openReclaimed(t, "v4")
	row := r.reclaim(t)
	require.Equal(t, ledger.ReclaimDone, row.Status, row.Reason)
	fin := r.again(t)
	assert.NotContains(t, fin.Reason, "deleted in Frame.io")
	assert.Empty(t, r.rowsOf(t))
}

func (r *reclaimed) rowsOf(t *testing.T) []ledger.Difference {
	t.Helper()
	rows, err := r.rows().Differences(t.Context(), 100)
	require.NoError(t, err)
	return rows
}
