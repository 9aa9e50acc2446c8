package contract

import (
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"runtime/debug"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/stretchr/testify/mock"
	"github.com/stretchr/testify/require"
	"go.temporal.io/sdk/activity"
	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/converter"
	"go.temporal.io/sdk/interceptor"
	"go.temporal.io/sdk/testsuite"
	"go.temporal.io/sdk/workflow"

	"github.com/framebridge/framebridge/activities"
	"github.com/framebridge/framebridge/config"
	"github.com/framebridge/framebridge/ledger"
	"github.com/framebridge/framebridge/sandbox/frameiosim"
	"github.com/framebridge/framebridge/sandbox/iconiksim"
	"github.com/framebridge/framebridge/sandbox/s3sim"
	"github.com/framebridge/framebridge/sandbox/samples"
	"github.com/framebridge/framebridge/sandbox/storesim"
	"github.com/framebridge/framebridge/test/emptyledger"
	"github.com/framebridge/framebridge/test/temporaltest"
	"github.com/framebridge/framebridge/transfer"
	"github.com/framebridge/framebridge/workflows"
)

// Many small projects are played beside each other: memory is cheaper than collecting it.
func TestMain(m *testing.M) {
	debug.SetGCPercent(400)
	os.Exit(m.Run())
}

// harness is both vendors, the activities and the workflows in one process, with Temporal's test environment for a server.
type harness struct {
	frameio    *frameiosim.Sim
	iconik     *iconiksim.Sim
	project    samples.Project
	acts       *activities.Activities
	config     *config.Config
	configFile string // of the configuration
	engine     *transfer.Engine
	book       *ledger.Ledger
	dsn        string // the ledger's
	store      *s3sim.Store

	generation string

	beforeCompare func() // what people do once everything was brought over, and before Frame.io is read again
	shared        bool   // CopyShares has begun
	beforeProof   func() // what they do then, before iconik is
}

// The camera original of the sample project: in parts where a test is about them, and small everywhere else.
const (
	smallRaw   = 64 << 10
	rawInParts = 11<<20 + 12345 // three of them
)

func open(t *testing.T, ours, theirs *Checker, storage string, settings map[string]any, generation ...string) *harness {
	t.Helper()
	return openWith(t, smallRaw, ours, theirs, storage, settings, generation...)
}

func openWith(t *testing.T, raw int, ours, theirs *Checker, storage string, settings map[string]any, generation ...string) *harness {
	t.Helper()
	set := harnessOptions{generation: "legacy", storage: storage, settings: settings, seed: sample(raw),
		frameio: theirs.Wrap, iconik: ours.Wrap, objects: plain}
	if len(generation) > 0 {
		set.generation = generation[0]
	}
	return set.open(t)
}

func plain(h http.Handler) http.Handler { return h }

// sample seeds the sample project with a camera original of a size.
func sample(raw int) func(*frameiosim.Sim, string) (samples.Project, error) {
	return func(sim *frameiosim.Sim, team string) (samples.Project, error) {
		return samples.HarbourWith(sim, team, samples.Raw()[:raw:raw])
	}
}

// harnessOptions is what a harness is made of; frameio, iconik and objects stand before the vendors and the store.
type harnessOptions struct {
	generation, storage      string
	settings                 map[string]any
	seed                     func(*frameiosim.Sim, string) (samples.Project, error)
	frameio, iconik, objects func(http.Handler) http.Handler
	tokens                   []string // further ones of both vendors
	temporal                 client.Client
	mail                     string // the server's address
}

func (set harnessOptions) open(t *testing.T) *harness {
	t.Helper()
	b := &harness{generation: set.generation}
	t.Cleanup(func() { *b = harness{} }) // Temporal's test environment is not freed, and holds b: a world would stay with it
	var kinds iconiksim.Stores
	serve := servers(t)
	later := func(h func() http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { h().ServeHTTP(w, r) })
	}
	kinds.GCS = storesim.NewGCS(serve(later(func() http.Handler { return kinds.GCS })))
	kinds.Azure = storesim.NewAzure(serve(later(func() http.Handler { return kinds.Azure })))
	kinds.B2 = storesim.NewB2(serve(later(func() http.Handler { return kinds.B2 })))
	store, err := s3sim.New(s3sim.Options{AccessKey: "key", SecretKey: "secret-of-the-store"})
	require.NoError(t, err)
	b.store = store
	signer := store.Presigner(serve(set.objects(store)))
	b.frameio, err = frameiosim.New(frameiosim.Options{Token: token, Objects: store, Signer: signer, Seed: 7, Generation: b.generation, MoreTokens: set.tokens})
	require.NoError(t, err)
	b.iconik, err = iconiksim.New(iconiksim.Options{AppID: appID, Token: token, MoreTokens: set.tokens, Objects: store, Signer: signer, IndexDelay: -1, TranscodeDelay: time.Millisecond, Stores: kinds})
	require.NoError(t, err)
	b.iconik.AddStorage("originals", set.storage, set.settings)
	b.project, err = set.seed(b.frameio, b.frameio.AddTeam("Harbour Films").ID)
	require.NoError(t, err)
	fio, ick := serve(set.frameio(b.frameio.Handler())), serve(set.iconik(b.iconik.Handler()))

	file := filepath.Join(t.TempDir(), "framebridge.yaml")
	mail := ""
	if set.mail != "" {
		mail = fmt.Sprintf("mail: {smtp_url: %q, from: framebridge@example.com}", set.mail)
	}
	require.NoError(t, os.WriteFile(file, []byte(fmt.Sprintf(`
%s
tenants:
  %s:
    name: Test
    api_key: an-api-key-for-tests
    frameio: {generation: %s, base_url: "%s", token: %s, webhook_secrets: [a-hook-secret-for-tests]}
    iconik: {base_url: "%s", app_id: %s, auth_token: %s, action_secret: an-action-secret, settle_time: 10ms}
    archive: {missing_original: proxy, notify: [ops@post.example]}
`, mail, tenantID, b.generation, fio, token, ick, appID, token)), 0o600))
	cfg, err := config.Load(file)
	require.NoError(t, err)
	b.dsn = emptyledger.DSN(t)
	b.book, err = ledger.Open(t.Context(), b.dsn)
	require.NoError(t, err)
	t.Cleanup(b.book.Close)
	objectHTTP := transfer.NewHTTPClient(nil, nil)
	b.config, b.configFile = cfg, file
	b.engine = transfer.NewEngine(transfer.Options{PartsInFlight: 4, PartSize: 5 << 20, Memory: 64 << 20, Client: objectHTTP, Metrics: transfer.NewMetrics(prometheus.NewRegistry())})
	b.acts, err = activities.New(config.Hold(cfg), b.book, b.engine, objectHTTP, set.temporal, slog.New(slog.DiscardHandler))
	require.NoError(t, err)
	_, _, err = b.book.Tenant(tenantID).Archive(b.project.ID).Request(t.Context(), "test", time.Now())
	require.NoError(t, err)
	return b
}

// servers starts servers that end with the test. A finished test keeps its cleanups until its parent ends, and with them whatever
// they hold: these hold no server any more once they ran, so that a table of a thousand worlds fits into memory.
func servers(t *testing.T) func(http.Handler) string {
	running := &[]*httptest.Server{}
	t.Cleanup(func() {
		for _, srv := range *running {
			srv.Close()
		}
		*running = nil
	})
	return func(h http.Handler) string {
		srv := httptest.NewServer(h)
		*running = append(*running, srv)
		return srv.URL
	}
}

// archive runs the real workflow with the real activities, which must end well.
func (b *harness) archive(t *testing.T, state ...workflows.ArchiveState) workflows.FinishArchiveResult {
	t.Helper()
	env := b.run(t, state...)
	require.NoError(t, env.GetWorkflowError())
	var fin workflows.FinishArchiveResult
	require.NoError(t, env.GetWorkflowResult(&fin))
	return fin
}

// again is a re-run.
func (b *harness) again(t *testing.T, state ...workflows.ArchiveState) workflows.FinishArchiveResult {
	t.Helper()
	_, _, err := b.book.Tenant(tenantID).Archive(b.project.ID).Request(t.Context(), "test", time.Now())
	require.NoError(t, err)
	return b.archive(t, state...)
}

// archiveFailing returns the error of an archive that must not end well.
func (b *harness) archiveFailing(t *testing.T) error {
	t.Helper()
	err := b.run(t).GetWorkflowError()
	require.Error(t, err)
	return err
}

// againOnly is a re-run for one item alone.
func (b *harness) againOnly(t *testing.T, seq int64) workflows.FinishArchiveResult {
	t.Helper()
	_, _, err := b.book.Tenant(tenantID).Archive(b.project.ID).Request(t.Context(), "test", time.Now())
	require.NoError(t, err)
	env := b.run(t, workflows.ArchiveState{Only: &workflows.Range{From: seq, To: seq}})
	require.NoError(t, env.GetWorkflowError())
	var fin workflows.FinishArchiveResult
	require.NoError(t, env.GetWorkflowResult(&fin))
	return fin
}

func (b *harness) run(t *testing.T, state ...workflows.ArchiveState) *testsuite.TestWorkflowEnvironment {
	t.Helper()
	env := b.skippingTime()
	env.OnActivity(workflows.ActJoinQueue.Name(), mock.Anything, mock.Anything).Return(nil)
	env.OnSignalExternalWorkflow(mock.Anything, mock.Anything, mock.Anything, mock.Anything, mock.Anything).Return(nil)
	for _, at := range []time.Duration{time.Millisecond, 30*time.Minute + time.Second} { // and after two looks for originals
		env.RegisterDelayedCallback(func() { env.SignalWorkflow(workflows.SignalTurn, nil) }, at)
	}
	in := workflows.ArchiveInput{Ref: workflows.Ref{Tenant: tenantID, Archive: b.project.ID}}
	if len(state) > 0 {
		in.State = state[0]
	}
	env.ExecuteWorkflow(workflows.Archive, in)
	require.True(t, env.IsWorkflowCompleted())
	return env
}

// specs are the vendors' documents. Where the folder is required (FRAMEBRIDGE_REQUIRE_SPECS) it must be there.
func specs(t *testing.T) string {
	t.Helper()
	dir, ok := Dir("../..")
	if !ok {
		if os.Getenv("FRAMEBRIDGE_REQUIRE_SPECS") != "" {
			t.Fatalf("the vendors' OpenAPI documents are not at %s: nothing was validated", dir)
		}
		t.Skipf("NOT VALIDATED: the vendors' OpenAPI documents are not at %s (set FRAMEBRIDGE_SPECS)", dir)
	}
	return dir
}

// request writes down a review as the starter does.
func (b *harness) request(t *testing.T, expires time.Duration, assets ...string) workflows.ReviewRef {
	t.Helper()
	now := time.Now().UTC()
	_, _, err := b.book.RequestReview(t.Context(), ledger.Review{Tenant: tenantID, ID: reviewID, Status: ledger.ReviewSending, Quality: "original", Reviewers: []string{"rita@client.example"},
		RequestedBy: ledger.Person{Email: "ed@post.example"}, ClickedAssets: assets, ExpiresAt: now.Add(expires), CreatedAt: now, ClickedAt: now}, time.Second)
	require.NoError(t, err)
	return workflows.ReviewRef{Tenant: tenantID, Review: reviewID}
}

// skippingTime is where a workflow of weeks runs in seconds, with the real activities.
func (b *harness) skippingTime(registry ...func(*testsuite.TestWorkflowEnvironment) workflows.ActivityRegistry) *testsuite.TestWorkflowEnvironment {
	env := temporaltest.Workflows(&withOptions{change: quiet}) // a busy machine's workers are not dead
	workflows.Register(env)
	var r workflows.ActivityRegistry = env
	for _, wrap := range registry {
		r = wrap(env)
	}
	b.acts.Register(r)
	b.acts.RegisterTransfers(r)
	env.SetOnActivityStartedListener(func(info *activity.Info, _ context.Context, _ converter.EncodedValues) {
		if info.ActivityType.Name == workflows.ActSettleAsset.Name() {
			time.Sleep(150 * time.Millisecond) // Frame.io assembles the upload in real time
		}
		if do := b.beforeCompare; do != nil && b.shared && info.ActivityType.Name == workflows.ActScanProject.Name() {
			b.beforeCompare = nil
			do()
		}
		b.shared = b.shared || info.ActivityType.Name == workflows.ActCopyShares.Name()
		if do := b.beforeProof; do != nil && info.ActivityType.Name == workflows.ActVerifyItems.Name() {
			b.beforeProof = nil
			do()
		}
	})
	return env
}

// withOptions changes the options of every activity.
type withOptions struct {
	interceptor.WorkerInterceptorBase
	change func(*workflow.ActivityOptions)
}

// quiet lets activities be silent for as long as they like: where many worlds share a core, a heartbeat may be late.
func quiet(o *workflow.ActivityOptions) { o.HeartbeatTimeout = 0 }

func (w *withOptions) InterceptWorkflow(_ workflow.Context, next interceptor.WorkflowInboundInterceptor) interceptor.WorkflowInboundInterceptor {
	return &workflowWithOptions{WorkflowInboundInterceptorBase: interceptor.WorkflowInboundInterceptorBase{Next: next}, change: w.change}
}

type workflowWithOptions struct {
	interceptor.WorkflowInboundInterceptorBase
	change func(*workflow.ActivityOptions)
}

func (w *workflowWithOptions) Init(out interceptor.WorkflowOutboundInterceptor) error {
	return w.Next.Init(&activitiesWithOptions{WorkflowOutboundInterceptorBase: interceptor.WorkflowOutboundInterceptorBase{Next: out}, change: w.change})
}

type activitiesWithOptions struct {
	interceptor.WorkflowOutboundInterceptorBase
	change func(*workflow.ActivityOptions)
}

func (a *activitiesWithOptions) ExecuteActivity(ctx workflow.Context, name string, args ...any) workflow.Future {
	o := workflow.GetActivityOptions(ctx)
	a.change(&o)
	return a.Next.ExecuteActivity(workflow.WithActivityOptions(ctx, o), name, args...)
}
