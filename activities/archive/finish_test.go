package archive

import (
	"testing"
	"time"

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

func TestTheGraceOfAReclaimCountsFromAnUnbrokenProof(t *testing.T) {
	first, last := time.Date(2026, 12, 1, 8, 0, 0, 0, time.UTC), time.Date(2026, 12, 9, 8, 0, 0, 0, time.UTC)
	for name, c := range map[string]struct {
		before  time.Time
		status  ledger.ArchiveStatus
		changed bool
		want    time.Time
	}{
		"the first proof":              {time.Time{}, ledger.Verified, true, last},
		"nothing changed since":        {first, ledger.VerifiedWithExceptions, false, first},
		"something was copied again":   {first, ledger.Verified, true, last},
		"copied, and not compared":     {first, ledger.Failed, true, time.Time{}},
		"a file differs in iconik":     {first, ledger.Incomplete, false, time.Time{}},
		"proven again after that":      {time.Time{}, ledger.Verified, false, last},
		"nobody could look":            {first, ledger.Failed, false, first},
		"canceled before it had begun": {first, ledger.Cancelled, false, first},
	} {
		assert.Equal(t, c.want, provenSince(ledger.Archive{ProvenSince: c.before, Status: c.status, Changed: c.changed, FinishedAt: last}), name)
	}
}
