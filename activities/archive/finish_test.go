package archive

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/framebridge/framebridge/ledger"
	"github.com/framebridge/framebridge/workflows"
)

// A pause interrupts what is stuck, so no attempt is left that could report the end of it.
func TestAPauseEndsWhatIsStuck(t *testing.T) {
	h := newHarness(t, harnessOptions{})
	_, err := h.ledger.Update(t.Context(), func(r *ledger.Archive) { r.Stuck = []ledger.Stuck{{Key: "archive/T/P 17"}} })
	require.NoError(t, err)
	stuck := func(in workflows.SetStatusInput) []ledger.Stuck {
		t.Helper()
		in.Ref = h.ref
		require.NoError(t, h.steps.SetStatus(t.Context(), in))
		row, err := h.row(t.Context())
		require.NoError(t, err)
		return row.Stuck
	}
	assert.Len(t, stuck(workflows.SetStatusInput{Status: workflows.StatusRunning, Phase: workflows.PhaseCopy}), 1)
	assert.Empty(t, stuck(workflows.SetStatusInput{Status: workflows.StatusWaiting, Phase: workflows.PhaseCopy, Code: workflows.PausedWithMigration}))
}
