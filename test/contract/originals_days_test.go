package contract

import (
	"errors"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/mock"
	"github.com/stretchr/testify/require"
	"go.temporal.io/sdk/converter"
	"go.temporal.io/sdk/workflow"

	"github.com/framebridge/framebridge/ledger"
	"github.com/framebridge/framebridge/sandbox/frameiosim"
	"github.com/framebridge/framebridge/sandbox/samples"
	"github.com/framebridge/framebridge/test/temporaltest"
	"github.com/framebridge/framebridge/workflows"
)

// An archive waits for originals in cold storage for days, over several runs of its workflow. Meanwhile one file is deleted and one is
// replaced; once the project is back, the archive has what is there then.
func TestOriginalsAreWaitedForForDays(t *testing.T) {
	t.Parallel()
	for _, generation := range played() {
		t.Run(generation, func(t *testing.T) {
			t.Parallel()
			const day = 24 * time.Hour
			b := open(t, &Checker{}, &Checker{}, "S3", map[string]any{"bucket": "iconik-files", "path": "media"}, generation)
			b.config.Tenants[tenantID].Archive.MissingOriginal = "wait"
			b.frameio.Archive(b.project.ID, "archived")
			deleted, replaced := b.file(t, "Screener.mov"), b.file(t, "A001C001.mov")
			parent := ""
			for _, a := range b.frameio.AssetsOf(b.project.ID) {
				if a.ID == replaced {
					parent = a.ParentID
				}
			}
			status := map[int]ledger.ArchiveStatus{}
			at := func(n int) {
				row, _, err := b.book.Tenant(tenantID).Archive(b.project.ID).Get(t.Context())
				require.NoError(t, err)
				status[n] = row.Status
				switch n {
				case 1:
					b.frameio.DeleteAsset(deleted)
				case 2:
					b.frameio.DeleteAsset(replaced)
					_, err := b.frameio.AddFile(parent, frameiosim.File{Name: "A001C001.mov", Type: "video/quicktime", Body: samples.Media("25.mov"), FPS: 25, Frames: 250})
					require.NoError(t, err)
				case 4:
					b.frameio.Archive(b.project.ID, "standard")
				}
			}
			in, runs, began := workflows.ArchiveInput{Ref: workflows.Ref{Tenant: tenantID, Archive: b.project.ID}}, 0, time.Now()
			for now := began; ; runs++ {
				env := b.skippingTime()
				env.SetStartTime(now)
				env.SetWorkerOptions(temporaltest.Options(&withOptions{change: patient}))
				env.OnActivity(workflows.ActJoinQueue.Name(), mock.Anything, mock.Anything).Return(nil)
				env.OnSignalExternalWorkflow(mock.Anything, mock.Anything, mock.Anything, mock.Anything, mock.Anything).Return(nil)
				for n := 1; n < 6; n++ {
					if when := began.Add(time.Duration(n) * day); when.After(now) {
						env.RegisterDelayedCallback(func() { at(n) }, when.Sub(now))
					}
				}
				for h := range 24 * 6 { // its turn, whenever it asks for it
					env.RegisterDelayedCallback(func() { env.SignalWorkflow(workflows.SignalTurn, nil) }, time.Millisecond+time.Duration(h)*time.Hour)
				}
				if runs < 2 { // the server suggests it after some thousand events
					env.RegisterDelayedCallback(func() { env.SetContinueAsNewSuggested(true) }, 30*time.Hour)
				}
				env.ExecuteWorkflow(workflows.Archive, in)
				require.True(t, env.IsWorkflowCompleted())
				var again *workflow.ContinueAsNewError
				if !errors.As(env.GetWorkflowError(), &again) {
					require.NoError(t, env.GetWorkflowError())
					break
				}
				in = workflows.ArchiveInput{}
				require.NoError(t, converter.GetDefaultDataConverter().FromPayloads(again.Input, &in))
				now = env.Now()
			}
			assert.Equal(t, 2, runs)
			for n := 1; n < 5; n++ {
				assert.Equal(t, ledger.Waiting, status[n], "day %d", n)
			}
			row, _, err := b.book.Tenant(tenantID).Archive(b.project.ID).Get(t.Context())
			require.NoError(t, err)
			assert.Equal(t, ledger.VerifiedWithExceptions, row.Status, row.Reason)
			items, _, err := b.book.Tenant(tenantID).Archive(b.project.ID).ItemsPage(t.Context(), 0, 1000)
			require.NoError(t, err)
			for _, it := range items {
				assert.NotContains(t, []string{deleted, replaced}, it.SourceID, it.Path)
				assert.NotEqual(t, ledger.Pending, it.State, it.Path)
				assert.NotEqual(t, "proxy", it.Rendition, it.Path)
			}
			held, _, err := b.book.Tenant(tenantID).Archive(b.project.ID).Item(t.Context(), b.file(t, "A001C001.mov"))
			require.NoError(t, err)
			assert.Equal(t, ledger.ItemVerified, held.State, "the one that is there now")
		})
	}
}
