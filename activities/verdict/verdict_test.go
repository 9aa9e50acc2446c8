package verdict

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"

	"github.com/framebridge/framebridge/ledger"
)

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
		assert.Equal(t, c.want, ProvenSince(ledger.Archive{ProvenSince: c.before, Status: c.status, Changed: c.changed, FinishedAt: last}), name)
	}
}
