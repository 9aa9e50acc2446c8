package contract

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/framebridge/framebridge/ledger"
	"github.com/framebridge/framebridge/sandbox/samples"
	"github.com/framebridge/framebridge/workflows"
)

// TestWhoAskedForAnArchiveIsNotifiedInIconik once, where iconik knows the address; nobody else is.
func TestWhoAskedForAnArchiveIsNotifiedInIconik(t *testing.T) {
	t.Parallel()
	ours, err := Iconik(specs(t))
	require.NoError(t, err)
	b := harnessOptions{generation: "v4", storage: "S3", settings: map[string]any{"bucket": "iconik-files"}, seed: samples.Tiny, frameio: plain, iconik: ours.Wrap, objects: plain}.open(t)
	sam := b.iconik.AddUser("sam@post.example", "Sam", "Santos")
	b.iconik.AddUser("ops@post.example", "Olga", "Ops")
	row := b.book.Tenant(tenantID).Archive(b.project.ID)
	_, err = row.Update(t.Context(), func(r *ledger.Archive) {
		r.RequestedBy, r.AlsoAsked = "sam@post.example", []string{"nobody@elsewhere.example", "the command line"}
	})
	require.NoError(t, err)
	fin := b.archive(t)
	require.True(t, ledger.ArchiveStatus(fin.Status).Ended())
	now, _, err := row.Get(t.Context())
	require.NoError(t, err)
	acts := b.skippingTime()
	acts.ExecuteWorkflow(workflows.ArchiveMail, workflows.NotifyInput{Ref: workflows.Ref{Tenant: tenantID, Archive: b.project.ID}, Kind: workflows.NotifyEnded, Run: now.Run})
	require.NoError(t, acts.GetWorkflowError(), "an attempt that follows one that died")
	require.Eventually(t, func() bool { return len(b.iconik.Docs("notifications")) > 0 }, 10*time.Second, 10*time.Millisecond)
	told := b.iconik.Docs("notifications")
	require.Len(t, told, 1)
	assert.Equal(t, sam, told[0]["recipient_id"])
	assert.Equal(t, now.JobID, told[0]["object_id"])
	assert.Contains(t, told[0]["message_short"], "is archived")
	assert.NotContains(t, told[0]["message_long"], "http", "no link that opens without an account")
	for _, problem := range ours.Problems() {
		assert.NotContains(t, problem, "/v1/notifications", "as iconik's document has it")
	}
}
