package contract

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.temporal.io/sdk/converter"
	"go.temporal.io/sdk/testsuite"
	"go.temporal.io/sdk/workflow"

	"github.com/framebridge/framebridge/events"
	"github.com/framebridge/framebridge/ledger"
	"github.com/framebridge/framebridge/sandbox/faults"
	"github.com/framebridge/framebridge/sandbox/frameiosim"
	"github.com/framebridge/framebridge/sandbox/samples"
	"github.com/framebridge/framebridge/test/temporaltest"
	"github.com/framebridge/framebridge/workflows"
)

// A review of weeks, which continues as new on the way: comments of each day are synced, also while a new version waits for its proxy for
// hours; it is extended, ends when it was extended to, and people are told of each of that once.
func TestAReviewOfWeeks(t *testing.T) {
	t.Parallel()
	for _, generation := range played() {
		t.Run(generation, func(t *testing.T) {
			t.Parallel()
			const day = 24 * time.Hour
			b := open(t, &Checker{}, &Checker{}, "S3", map[string]any{"bucket": "iconik-files"}, generation)
			b.frameio.SetWatermark(true)
			b.config.Tenants[tenantID].Review.PollInterval, b.config.Tenants[tenantID].Review.ProxyWait = 2*time.Hour, day
			asset, err := b.iconik.AddAsset("Take 1.mov", "", samples.Media("25.mov"))
			require.NoError(t, err)
			c := &chaos{harness: b, t: t, asset: asset}
			ref := b.request(t, 20*day, asset)
			began, said, late := time.Now(), 0, []string{}
			var env *testsuite.TestWorkflowEnvironment
			extended := false
			daily := func(n int) {
				rows := c.rows()
				if row := c.row(); row.Status != ledger.ReviewOpen {
					late = append(late, fmt.Sprintf("day %d: %s", n, row.Status))
					return
				}
				if have := len(b.iconik.Segments(asset)); have != said {
					late = append(late, fmt.Sprintf("day %d: %d of %d comments", n, have, said))
				}
				said++
				b.frameio.AddComment(frameiosim.Comment{AssetID: rows[0].FileID, Text: fmt.Sprint("remark ", n)})
				switch n {
				case 3:
					require.NoError(t, b.iconik.AddFault(faults.Fault{Match: "GET .*/proxies", Status: http.StatusNotFound}))
					taken, err := b.book.Tenant(tenantID).Review(reviewID).HandOver(context.Background(), "another-click", ledger.ReviewAsset{AssetID: asset,
						VersionID: b.iconik.CurrentVersion(asset), Title: "Take 1.mov", State: ledger.AssetPending, Quality: "proxy", Decision: "none"}, time.Now())
					require.NoError(t, err)
					require.True(t, taken)
					env.SignalWorkflow(workflows.SignalResend, nil)
					env.RegisterDelayedCallback(func() { b.frameio.AddComment(frameiosim.Comment{AssetID: rows[0].FileID, Text: "remark"}) }, time.Hour)
					env.RegisterDelayedCallback(func() {
						said++
						assert.Len(t, b.iconik.Segments(asset), said, "synced while more is sent")
						assert.Equal(t, ledger.AssetPending, c.rows()[1].State)
					}, 4*time.Hour)
					env.RegisterDelayedCallback(b.iconik.ClearFaults, 5*time.Hour)
					env.UpdateWorkflow(workflows.UpdateExtend, "extend", &testsuite.TestUpdateCallback{OnAccept: func() {}, OnReject: func(err error) { assert.NoError(t, err) },
						OnComplete: func(_ any, err error) { extended = assert.NoError(t, err) }}, workflows.ExtendUpdate{ExpiresAt: began.Add(30 * day)})
				case 4:
					assert.Equal(t, ledger.AssetReady, rows[1].State)
				}
			}
			in, runs := workflows.ReviewInput{ReviewRef: ref}, 0
			for now := began; ; now = env.Now() {
				runs++
				env = b.skippingTime()
				env.SetStartTime(now)
				env.SetWorkerOptions(temporaltest.Options(&withOptions{change: patient}))
				for n := 1; n < 30; n++ {
					if at := began.Add(time.Duration(n) * day); at.After(now) {
						env.RegisterDelayedCallback(func() { daily(n) }, at.Sub(now))
					}
				}
				env.ExecuteWorkflow(workflows.Review, in)
				require.True(t, env.IsWorkflowCompleted())
				var again *workflow.ContinueAsNewError
				if !errors.As(env.GetWorkflowError(), &again) {
					require.NoError(t, env.GetWorkflowError())
					break
				}
				in = workflows.ReviewInput{}
				require.NoError(t, converter.GetDefaultDataConverter().FromPayloads(again.Input, &in))
			}
			assert.Greater(t, runs, 1)
			assert.True(t, extended)
			assert.Empty(t, late)
			assert.Equal(t, 30, said)
			assert.Len(t, b.iconik.Segments(asset), said)
			row := c.row()
			assert.Equal(t, ledger.ReviewDeleted, row.Status)
			assert.Empty(t, row.Notes)
			assert.Len(t, b.frameio.Mails(), 1)
			for _, kind := range []events.Kind{events.ReviewOpen, events.ReviewExpired, events.ReviewWarning, events.ReviewDeleted} {
				told, err := b.book.Tenant(tenantID).EventsSince(t.Context(), kind, time.Time{})
				require.NoError(t, err)
				assert.Len(t, told, 1, kind)
			}
		})
	}
}
