package report

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/framebridge/framebridge/ledger"
)

// TestTheAccountsPageIsInWords holds that states and times stand there as people write them, whatever the ledger calls them.
func TestTheAccountsPageIsInWords(t *testing.T) {
	began := time.Date(2026, 11, 28, 20, 0, 0, 0, time.UTC)
	var all []ledger.ProjectState
	for _, w := range projectWords {
		all = append(all, w.state)
	}
	all = append(all, "a_later_state")
	r := &Account{Tenant: "Acme", GeneratedAt: began.Add(time.Hour), Migration: ledger.Migration{ID: "m", Status: ledger.MigrationScheduled, StartedAt: began, FinishedAt: began.Add(30 * time.Minute)},
		Projects: func(yield func(AccountProject, error) bool) {
			for _, state := range all {
				if !yield(AccountProject{MigrationProject: ledger.MigrationProject{ID: "p", Name: "Project", State: state}}, nil) {
					return
				}
			}
		}}
	var b strings.Builder
	require.NoError(t, AccountHTML(&b, r))
	page := b.String()
	for _, want := range []string{">verified with exceptions<", ">canceled<", ">not started<", ">a later state<", "November 28, 2026, 20:00:00 UTC", "November 28, 2026, 20:30:00 UTC", "November 28, 2026, 21:00:00 UTC"} {
		assert.Contains(t, page, want)
	}
	assert.Contains(t, page, "Status: "+strings.ReplaceAll(string(ledger.MigrationScheduled), "_", " "))
	for _, raw := range []string{"_with_", "a_later", "2026-11", "cancelled"} {
		assert.NotContains(t, page, raw)
	}
}
