package console

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"

	"github.com/framebridge/framebridge/ledger"
)

// What is missing is reported in a sentence, whatever the ledger says about it.
func TestWhatIsAwayIsSaidInASentence(t *testing.T) {
	since := time.Date(2026, 12, 1, 7, 12, 0, 0, time.UTC)
	got := reviewTroubles(ledger.Review{}, []ledger.ReviewAsset{
		{Title: "Take 1", AbsentSince: since, AbsentFrom: "the asset was deleted in iconik"},
		{Title: "Take 2", AbsentSince: since, AbsentFrom: "the file was deleted in Frame.io"}})
	assert.Equal(t, []fact{{"Take 1", "iconik has not shown it since December 1, 07:12 UTC."}, {"Take 2", "Frame.io has not shown it since December 1, 07:12 UTC."}}, got)
}
