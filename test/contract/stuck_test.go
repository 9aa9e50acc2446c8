package contract

import (
	"context"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/mock"
	"github.com/stretchr/testify/require"
	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/testsuite"
	"go.temporal.io/sdk/workflow"

	"github.com/framebridge/framebridge/clients/mail/mailtest"
	"github.com/framebridge/framebridge/ledger"
	"github.com/framebridge/framebridge/sandbox/faults"
	"github.com/framebridge/framebridge/sandbox/samples"
	"github.com/framebridge/framebridge/test/temporaltest"
	"github.com/framebridge/framebridge/workflows"
)

// oneWorkflow signals the workflow of a test, whatever its id is.
type oneWorkflow struct {
	client.Client
	env *testsuite.TestWorkflowEnvironment
}

func (c *oneWorkflow) SignalWorkflow(_ context.Context, _, _, name string, in any) error {
	c.env.SignalWorkflow(name, in)
	return nil
}

// patient has Temporal's test environment, which makes ten attempts of an activity, make more, every few minutes.
func patient(o *workflow.ActivityOptions) {
	o.HeartbeatTimeout = 0 // which skipped time would end
	if o.RetryPolicy != nil && o.RetryPolicy.MaximumAttempts == 0 {
		always := *o.RetryPolicy
		always.MaximumAttempts, always.InitialInterval, always.MaximumInterval, always.BackoffCoefficient = 5000, 6*time.Minute, 6*time.Minute, 1
		o.RetryPolicy = &always
	}
}

// One operation fails for three hours. People are told after an hour, once, in the mail, the job, the ledger, which the API shows,
// and the metric; the tenant's next archive gets its turn; and then the archive goes on as if nothing had been.
func TestThreeHoursOfFailuresAreToldOnce(t *testing.T) {
	t.Parallel()
	for i, tt := range []struct {
		name           string
		frameio, match string
		what           string
	}{
		{name: "writing a comment", match: `^POST /API/assets/v1/assets/[^/]+/segments/?$`, what: "copying comments"},
		{name: "making an asset", match: `^POST /API/assets/v1/assets/?$`, what: "creating an asset in iconik"},
		{name: "making a collection", match: `^POST /API/assets/v1/collections/?$`, what: "creating collections in iconik"},
		{name: "adding to a share", match: `^POST /API/assets/v1/collections/[^/]+/contents/?$`, what: "copying shares and collections"},
	} {
		for _, generation := range played() {
			if !sampled(i, 4) {
				continue
			}
			t.Run(tt.name+" "+generation, func(t *testing.T) {
				t.Parallel()
				outbox, err := mailtest.Listen("127.0.0.1:0")
				require.NoError(t, err)
				t.Cleanup(outbox.Close)
				server := &oneWorkflow{}
				b := harnessOptions{generation: generation, storage: "S3", settings: map[string]any{"bucket": "iconik-files", "path": "media"}, seed: samples.Tiny,
					frameio: plain, iconik: plain, objects: plain, temporal: server, mail: outbox.URL()}.open(t)
				env := b.skippingTime()
				env.SetWorkerOptions(temporaltest.Options(&withOptions{change: patient}))
				server.env = env
				b.acts.UseClock(env.Now)
				var joined atomic.Int64
				released := 0
				env.OnActivity(workflows.ActJoinQueue.Name(), mock.Anything, mock.Anything).Return(func(context.Context, workflows.JoinQueueInput) error {
					joined.Add(1)
					env.SignalWorkflow(workflows.SignalTurn, nil)
					return nil
				})
				env.OnSignalExternalWorkflow(mock.Anything, mock.Anything, mock.Anything, workflows.SignalRelease, mock.Anything).Return(func(string, string, string, string, any) error {
					released++
					return nil
				})
				require.NoError(t, b.iconik.AddFault(faults.Fault{Match: tt.match, Status: 503}))
				shown := func() (ledger.Archive, string) {
					row, _, err := b.book.Tenant(tenantID).Archive(b.project.ID).Get(t.Context())
					require.NoError(t, err)
					for _, job := range b.iconik.Docs("jobs") {
						if str(job["id"]) == row.JobID {
							return row, str(job["message"])
						}
					}
					return row, ""
				}
				var early, late ledger.Archive
				var earlyJob, lateJob string
				env.RegisterDelayedCallback(func() { early, earlyJob = shown() }, 50*time.Minute)
				env.RegisterDelayedCallback(func() { late, lateJob = shown(); assert.Equal(t, 1, released, "the turn is given up") }, 2*time.Hour)
				env.RegisterDelayedCallback(b.iconik.ClearFaults, 3*time.Hour)
				env.ExecuteWorkflow(workflows.Archive, workflows.ArchiveInput{Ref: workflows.Ref{Tenant: tenantID, Archive: b.project.ID}})
				require.True(t, env.IsWorkflowCompleted())
				require.NoError(t, env.GetWorkflowError())
				var fin workflows.FinishArchiveResult
				require.NoError(t, env.GetWorkflowResult(&fin))

				assert.Empty(t, early.Stuck, "not within the first hour")
				assert.NotContains(t, earlyJob, "Stuck")
				assert.NotEmpty(t, late.Stuck)
				for _, s := range late.Stuck {
					assert.Equal(t, tt.what, s.What)
					assert.Contains(t, s.Reason, "503")
				}
				if late.JobID != "" { // of what comes before the job, the others tell
					assert.Contains(t, lateJob, "Stuck since ")
					assert.Contains(t, lateJob, tt.what)
				}
				told := 0
				for _, m := range outbox.Messages() {
					if strings.Contains(m.Subject, "stuck") {
						told++
						assert.Contains(t, m.Text, "Stuck since ")
					}
				}
				assert.Equal(t, 1, told, "mails")
				assert.Positive(t, summed(t, b.acts.Metrics(), "framebridge_stuck_attempts_total"))
				assert.EqualValues(t, 2, joined.Load(), "it takes its turn again")

				row, job := shown()
				assert.Empty(t, row.Stuck)
				assert.NotContains(t, job, "Stuck")
				assert.True(t, strings.HasPrefix(fin.Status, "verified"), fin.Reason)
				assert.Empty(t, b.failedItems(t))
			})
		}
	}
}

// summed sums a counter up.
func summed(t *testing.T, metrics []prometheus.Collector, name string) (n float64) {
	t.Helper()
	registry := prometheus.NewRegistry()
	for _, m := range metrics {
		require.NoError(t, registry.Register(m))
	}
	families, err := registry.Gather()
	require.NoError(t, err)
	for _, f := range families {
		if f.GetName() == name {
			for _, m := range f.GetMetric() {
				n += m.GetCounter().GetValue()
			}
		}
	}
	return n
}
