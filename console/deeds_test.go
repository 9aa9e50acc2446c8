package console

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/framebridge/framebridge/config"
	"github.com/framebridge/framebridge/ledger"
)

func TestATimelineSaysWhatSomebodyDid(t *testing.T) {
	system, frameio := ledger.Actor{Kind: ledger.ActorSystem}, ledger.Actor{Kind: ledger.ActorFrameio}
	for _, c := range []struct {
		entry ledger.AuditEntry
		want  string
	}{
		{ledger.AuditEntry{Action: "start", ObjectKind: "archive", Actor: frameio}, "started the archive"},
		{ledger.AuditEntry{Action: "start", ObjectKind: "migration"}, "started the migration"},
		{ledger.AuditEntry{Action: "retry", ObjectKind: "file"}, "retried the file"},
		{ledger.AuditEntry{Action: "status of Harbour, version 2", ObjectKind: "review", Actor: frameio}, "set the status of Harbour, version 2"},
		{ledger.AuditEntry{Action: "migration_waiting_for_window", ObjectKind: "migration", Actor: system}, "changed the status to “Waiting for scheduled hours”"},
		{ledger.AuditEntry{Action: "reclaim refused", ObjectKind: "archive", Actor: system}, "refused the deletion"},
		{ledger.AuditEntry{Action: "reclaim refused", ObjectKind: "archive", Actor: ledger.Actor{Kind: ledger.ActorAPI}}, "requested a deletion that was refused"},
		{ledger.AuditEntry{Action: "of_a newer release", ObjectKind: "archive"}, "of a newer release"},
	} {
		assert.Equal(t, c.want, deed(c.entry), c.entry.Action)
	}
	assert.Equal(t, "The API", atStart("the API"))
	assert.Equal(t, "pat@acme.example", atStart("pat@acme.example"))
}

func TestATimelineWritesTimesAsPeopleDo(t *testing.T) {
	h := filled(t, config.RoleViewer)
	_, err := h.ledger.AppendAudit(t.Context(), ledger.AuditEntry{Tenant: acme, Action: "extend", ObjectKind: "review", ObjectID: "open", Review: "open",
		Actor: ledger.Actor{Kind: ledger.ActorAPI}, Detail: ledger.AuditText("2026-11-30T18:00:00Z")})
	require.NoError(t, err)
	_, body := h.get(t, "reviews/open")
	assert.Contains(t, body, "<strong>The API</strong> extended the review: November 30, 2026, 18:00 UTC")
}
