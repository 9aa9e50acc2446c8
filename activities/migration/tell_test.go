package migration

import (
	"slices"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/framebridge/framebridge/config"
	"github.com/framebridge/framebridge/ledger"
	"github.com/framebridge/framebridge/workflows"
)

// told returns the events that a channel gets, in order.
func (b *harness) told(channel string) (out []string) {
	b.t.Helper()
	all, _, err := b.Ledger.Tenant("T").Deliveries(b.t.Context(), ledger.DeliveryFilter{Channel: channel}, "", 100)
	require.NoError(b.t, err)
	for _, d := range all {
		out = append(out, string(d.Type))
	}
	slices.Reverse(out)
	return out
}

func (b *harness) stands(status ledger.MigrationStatus, reason string, waitsForGo bool) {
	b.t.Helper()
	for range 2 { // an attempt whose answer was lost
		require.NoError(b.t, b.SetMigrationStatus(b.t.Context(), workflows.MigrationStatusInput{MigrationRef: b.ref, Status: string(status), Reason: reason, WaitsForGo: waitsForGo}))
	}
}

func TestAMigrationTellsOfItselfOnce(t *testing.T) {
	b := newHarness(t, `{"canary":1}`, "a", "b")
	one, err := b.Tenant("T")
	require.NoError(t, err)
	one.Config.Notify = config.Notify{SlackURL: "https://slack.example", Webhook: config.Webhook{URL: "https://hook.example", Secret: config.Secrets{"x"}}}
	b.list()
	b.stands(ledger.MigrationPlanning, "", false)
	b.stands(ledger.MigrationScheduled, "Outside the migration's windows.", false)
	b.stands(ledger.MigrationRunning, "", false)
	b.start(1, 0)
	b.archive("a", ledger.Verified, nil)
	b.survey()
	b.stands(ledger.MigrationPaused, "The first project is done.", true)
	b.stands(ledger.MigrationRunning, "", false)
	b.stands(ledger.MigrationPaused, "Paused by Sam.", false)
	b.stands(ledger.MigrationRunning, "", false)
	b.stands(ledger.MigrationPaused, "Paused by Sam.", false)
	b.stands(ledger.MigrationRunning, "", false)
	b.start(1, 0)
	b.archive("b", ledger.Failed, func(r *ledger.Archive) { r.Reason = "FAILED: the folder is gone" })
	b.survey()
	b.survey()
	for range 2 {
		_, err := b.FinishMigration(t.Context(), workflows.MigrationEndInput{MigrationRef: b.ref, Status: string(ledger.MigrationDone)})
		require.NoError(t, err)
	}
	all := []string{"migration.started", "migration.waits_for_go", "migration.resumed", "migration.paused", "migration.resumed", "migration.paused", "migration.resumed", "migration.project_failed", "migration.incomplete"}
	assert.Equal(t, all, b.told("webhook"))
	assert.Equal(t, slices.DeleteFunc(slices.Clone(all), func(k string) bool { return k == "migration.project_failed" }), b.told("slack"), "which gets the archive's own event")
}

// A project that the token may not see has no archive that reports it.
func TestAProjectThatIsRefusedIsTold(t *testing.T) {
	b := newHarness(t, `{"selection":{"project_ids":["a","gone"]}}`, "a")
	one, err := b.Tenant("T")
	require.NoError(t, err)
	one.Config.Notify = config.Notify{SlackURL: "https://slack.example"}
	b.list()
	b.list()
	assert.Equal(t, []string{"migration.project_failed"}, b.told("slack"))
}
