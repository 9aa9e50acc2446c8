//go:build record

package workflows_test

// This file records the histories of testdata/histories/COMMIT. tools/record copies it into the workflows package of that commit.
// It knows only names and JSON as they are in histories, and uses nothing of the package but Register, so that it compiles
// against any commit. The activities are fakes.

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	enumspb "go.temporal.io/api/enums/v1"
	historypb "go.temporal.io/api/history/v1"
	"go.temporal.io/sdk/activity"
	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/testsuite"
	"go.temporal.io/sdk/worker"
	"google.golang.org/protobuf/encoding/protojson"

	"github.com/framebridge/framebridge/workflows"
)

const patience = 2 * time.Minute

type (
	object = map[string]any
	fake   = func(ctx context.Context, in object) (any, error)
)

// noResult lists the activities without a result.
var noResult = []string{"JoinQueue", "QueuePositions", "PrepareIconik", "MakeCollections", "TransferFile", "CloseVersion", "FailItem", "CopyShares", "WriteReport",
	"SetStatus", "Notify", "ListProjects", "HoldProjects", "OrderProject", "ReleaseProjects", "SetMigrationStatus", "WriteAccountReport", "NotifyMigration",
	"AwaitReclaimApproval", "CertifyReclaim", "PauseReclaim", "StageAsset", "SendAsset", "SettleAsset", "FailAsset", "PublishReview", "ExtendReview", "WarnReview", "DeleteMedia", "FailReview"}

// recorder is a Temporal server with workers whose activities are fakes.
type recorder struct {
	*testing.T
	client client.Client
	mu     sync.Mutex
	fakes  map[string]fake
	done   map[string]int // activities begun, by name

	account *account // for migrations
}

// record starts a server with the given settings, and workers.
func record(t *testing.T, settings ...string) *recorder {
	t.Helper()
	t.Parallel()
	program := os.Getenv("FRAMEBRIDGE_TEMPORAL")
	if program == "" {
		t.Skip("histories are recorded by tools/record")
	}
	var extra []string
	for _, s := range settings {
		extra = append(extra, "--dynamic-config-value", s)
	}
	server, err := testsuite.StartDevServer(t.Context(), testsuite.DevServerOptions{ExistingPath: program, ClientOptions: &client.Options{}, LogLevel: "never", ExtraArgs: extra})
	require.NoError(t, err)
	t.Cleanup(func() { _ = server.Stop() })
	r := &recorder{T: t, client: server.Client(), fakes: map[string]fake{}, done: map[string]int{}}
	r.archiveFakes()
	r.reviewFakes()
	r.accountFakes()
	for _, queue := range []string{"framebridge", "framebridge-transfers"} {
		w := worker.New(r.client, queue, worker.Options{MaxHeartbeatThrottleInterval: 200 * time.Millisecond})
		workflows.Register(w)
		for name := range r.fakes {
			options := activity.RegisterOptions{Name: name}
			if slices.Contains(noResult, name) {
				w.RegisterActivityWithOptions(func(ctx context.Context, in json.RawMessage) error {
					_, err := r.call(ctx, name, in)
					return err
				}, options)
				continue
			}
			w.RegisterActivityWithOptions(func(ctx context.Context, in json.RawMessage) (any, error) { return r.call(ctx, name, in) }, options)
		}
		require.NoError(t, w.Start())
		t.Cleanup(w.Stop)
	}
	return r
}

func (r *recorder) call(ctx context.Context, name string, in json.RawMessage) (any, error) {
	r.mu.Lock()
	run := r.fakes[name]
	r.done[name]++
	r.mu.Unlock()
	var input object
	if err := json.Unmarshal(in, &input); err != nil {
		return nil, err
	}
	return run(ctx, input)
}

// on replaces a fake.
func (r *recorder) on(name string, f fake) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.fakes[name] = f
}

func (r *recorder) begun(name string) int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.done[name]
}

func (r *recorder) start(id, kind string, in any) {
	r.Helper()
	_, err := r.client.ExecuteWorkflow(r.Context(), client.StartWorkflowOptions{ID: id, TaskQueue: "framebridge",
		TypedSearchAttributes: temporal.NewSearchAttributes(temporal.NewSearchAttributeKeyKeyword("FramebridgeTenant").ValueSet("T"))}, kind, in)
	require.NoError(r, err)
}

func (r *recorder) until(what string, ok func() bool) {
	r.Helper()
	require.Eventually(r, ok, patience, 20*time.Millisecond, what)
}

// untilBegun waits until an activity has begun that many times.
func (r *recorder) untilBegun(name string, times int) {
	r.Helper()
	r.until(fmt.Sprintf("%s begun %d times", name, times), func() bool { return r.begun(name) >= times })
}

func (r *recorder) status(id string) object {
	var s object
	v, err := r.client.QueryWorkflow(r.Context(), id, "", "status")
	if err == nil {
		err = v.Get(&s)
	}
	if err != nil {
		return object{}
	}
	return s
}

func (r *recorder) untilStatus(id, key, value string) {
	r.Helper()
	r.until(id+" "+key+" "+value, func() bool { return r.status(id)[key] == value })
}

func (r *recorder) update(id, name string, args ...any) {
	r.Helper()
	h, err := r.client.UpdateWorkflow(r.Context(), client.UpdateWorkflowOptions{WorkflowID: id, UpdateName: name, Args: args, WaitForStage: client.WorkflowUpdateStageCompleted})
	require.NoError(r, err)
	require.NoError(r, h.Get(r.Context(), nil))
}

// begin sends an update that takes a while.
func (r *recorder) begin(id, name string, args ...any) {
	r.Helper()
	_, err := r.client.UpdateWorkflow(r.Context(), client.UpdateWorkflowOptions{WorkflowID: id, UpdateName: name, Args: args, WaitForStage: client.WorkflowUpdateStageAccepted})
	require.NoError(r, err)
}

func (r *recorder) signal(id, name string, arg any) {
	r.Helper()
	require.NoError(r, r.client.SignalWorkflow(r.Context(), id, "", name, arg))
}

// runs waits for a workflow to end and returns the histories of its runs.
func (r *recorder) runs(id string) []*historypb.History {
	r.Helper()
	ctx, cancel := context.WithTimeout(r.Context(), patience)
	defer cancel()
	_ = r.client.GetWorkflow(ctx, id, "").Get(ctx, nil) // it may end with a failure
	require.NoError(r, ctx.Err(), "%s does not end", id)
	var out []*historypb.History
	for run := r.firstRun(id); run != ""; {
		var h historypb.History
		events := r.client.GetWorkflowHistory(r.Context(), id, run, false, enumspb.HISTORY_EVENT_FILTER_TYPE_ALL_EVENT)
		for events.HasNext() {
			e, err := events.Next()
			require.NoError(r, err)
			h.Events = append(h.Events, e)
		}
		out = append(out, &h)
		run = h.Events[len(h.Events)-1].GetWorkflowExecutionContinuedAsNewEventAttributes().GetNewExecutionRunId()
	}
	return out
}

func (r *recorder) firstRun(id string) string {
	r.Helper()
	d, err := r.client.DescribeWorkflowExecution(r.Context(), id, "")
	require.NoError(r, err)
	return d.GetWorkflowExecutionInfo().GetFirstRunId()
}

// keep writes a history under a name, unless the file exists: a history is never recorded again.
func (r *recorder) keep(name string, h *historypb.History) {
	r.Helper()
	file := filepath.Join(os.Getenv("FRAMEBRIDGE_RECORD"), name+".json")
	if _, err := os.Stat(file); err == nil {
		r.Logf("%s is there already and stays as it is", name)
		return
	}
	raw, err := protojson.Marshal(h)
	require.NoError(r, err)
	require.NoError(r, os.WriteFile(file, append(raw, '\n'), 0o600))
}

func (r *recorder) keepRuns(name, id string) {
	r.Helper()
	runs := r.runs(id)
	if len(runs) == 1 {
		r.keep(name, runs[0])
		return
	}
	for i, h := range runs {
		if i < 2 || i == len(runs)-1 { // those in between are like the second
			r.keep(fmt.Sprintf("%s-%d", name, i+1), h)
		}
	}
}

// keepChild writes the history of a run's child whose ID contains part.
func (r *recorder) keepChild(name, parent, part string) {
	r.Helper()
	for _, h := range r.runs(parent) {
		for _, e := range h.GetEvents() {
			if child := e.GetChildWorkflowExecutionStartedEventAttributes().GetWorkflowExecution().GetWorkflowId(); strings.Contains(child, part) {
				r.keepRuns(name, child)
				return
			}
		}
	}
	r.Fatalf("%s has no child %q", parent, part)
}

func refused(kind, text string) error {
	return temporal.NewNonRetryableApplicationError(text, kind, nil)
}

// await heartbeats like a worker until end is closed or ctx is canceled.
func await(ctx context.Context, end <-chan struct{}) error {
	for {
		activity.RecordHeartbeat(ctx)
		select {
		case <-end:
			return nil
		case <-ctx.Done():
			return ctx.Err()
		case <-activity.GetWorkerStopChannel(ctx):
			return context.Canceled
		case <-time.After(100 * time.Millisecond):
		}
	}
}

// hang works until it is canceled.
func hang(ctx context.Context, _ object) (any, error) { return nil, await(ctx, nil) }

func number(v any) int {
	n, _ := v.(float64)
	return int(n)
}

const items = 4

// archiveFakes fake a project of four items in two assets that is archived without any trouble.
func (r *recorder) archiveFakes() {
	nothing := func(context.Context, object) (any, error) { return object{}, nil }
	for _, name := range []string{"QueuePositions", "PrepareIconik", "MakeCollections", "TransferFile", "CloseVersion", "FailItem", "CopyShares", "WriteReport", "SetStatus", "Notify",
		"RecheckOriginals", "VerifyTree"} {
		r.fakes[name] = nothing
	}
	r.fakes["JoinQueue"] = func(ctx context.Context, in object) (any, error) {
		_, err := r.client.SignalWithStartWorkflow(ctx, "archive-queue/T", "enqueue", in["ticket"],
			client.StartWorkflowOptions{TaskQueue: "framebridge", WorkflowIDConflictPolicy: enumspb.WORKFLOW_ID_CONFLICT_POLICY_USE_EXISTING}, "ArchiveQueue", object{"tenant": "T"})
		return nil, err
	}
	r.fakes["ClosedArchives"] = func(context.Context, object) (any, error) { return []any{}, nil }
	r.fakes["OpenArchive"] = func(context.Context, object) (any, error) {
		return object{"project": "Summer", "team": "Marketing", "run": 1, "lanes": 2, "wait_interval": "1s"}, nil
	}
	r.fakes["ScanProject"] = func(context.Context, object) (any, error) {
		return object{"counts": object{"items": items, "bytes": 40, "comments": 2, "folders": 1}}, nil
	}
	r.fakes["NextRanges"] = func(_ context.Context, in object) (any, error) { return ranges(in, items), nil }
	r.fakes["RangeItems"] = func(_ context.Context, in object) (any, error) {
		var out []object
		for n := number(in["from"]); n <= number(in["to"]); n++ {
			out = append(out, object{"source_id": fmt.Sprintf("file-%d", n), "asset": fmt.Sprintf("asset-%d", n), "name": fmt.Sprintf("clip %d.mov", n), "size": 10})
		}
		return out, nil
	}
	r.fakes["OpenVersion"] = func(context.Context, object) (any, error) { return object{"do": "transfer"}, nil }
	r.fakes["CopyTogether"] = func(context.Context, object) (any, error) { return object{"left": []string{"file-2"}}, nil }
	r.fakes["CopyComments"] = func(context.Context, object) (any, error) { return object{"comments_done": 1}, nil }
	r.fakes["VerifyItems"] = func(_ context.Context, in object) (any, error) {
		return object{"verified": number(in["to"]) - number(in["from"]) + 1}, nil
	}
	r.fakes["FinishArchive"] = func(_ context.Context, in object) (any, error) {
		status, _ := in["status"].(string)
		if status == "" {
			status = "verified"
		}
		return object{"status": status, "reason": in["reason"], "changed": true, "counts": object{"items": items}}, nil
	}
	r.fakes["PlanProject"] = func(context.Context, object) (any, error) {
		return object{"project": "Summer", "team": "Marketing", "items": items, "by_type": []any{}, "blockers": []any{}}, nil
	}
}

func ranges(in object, of int) []object {
	out := []object{}
	size := max(number(in["size"]), 1)
	for from := number(in["after"]) + 1; from <= of && len(out) < number(in["max"]); from += size {
		out = append(out, object{"from": from, "to": min(from+size-1, of)})
	}
	return out
}

func archiveIn(project string) object { return object{"tenant": "T", "archive": project} }

func (r *recorder) archive(project string) (id string) {
	id = "archive/T/" + project
	r.start(id, "Archive", archiveIn(project))
	return id
}

// Two archives of one tenant: the first one holds up the second until that has announced that it is queued. The first one has
// files with every kind of exception.
func TestArchiveQueued(t *testing.T) {
	r := record(t)
	told := make(chan struct{})
	r.on("OpenArchive", func(ctx context.Context, in object) (any, error) {
		if in["archive"] == "first" {
			if err := await(ctx, told); err != nil {
				return nil, err
			}
		}
		return object{"project": "Summer", "team": "Marketing", "run": 1, "lanes": 1, "wait_interval": "1s"}, nil
	})
	var once sync.Once
	r.on("Notify", func(_ context.Context, in object) (any, error) {
		if in["kind"] == "queued" {
			once.Do(func() { close(told) })
		}
		return nil, nil
	})
	r.on("ScanProject", func(context.Context, object) (any, error) {
		return object{"counts": object{"items": 4 * items}}, nil // makes ranges of four
	})
	tries := map[any]int{}
	var mu sync.Mutex
	r.on("OpenVersion", func(_ context.Context, in object) (any, error) {
		switch {
		case in["archive"] != "first" || in["source_id"] == "file-1":
			return object{"do": "transfer"}, nil
		case in["source_id"] == "file-3":
			return object{"do": "wait"}, nil
		case in["source_id"] == "file-4":
			return object{"do": "nothing"}, nil
		}
		return object{"do": "transfer"}, nil
	})
	r.on("TransferFile", func(_ context.Context, in object) (any, error) {
		mu.Lock()
		defer mu.Unlock()
		tries[in["source_id"]]++
		switch {
		case in["archive"] == "first" && in["source_id"] == "file-1" && tries["file-1"] == 1:
			return nil, refused("UploadGone", "no such upload")
		case in["archive"] == "first" && in["source_id"] == "file-1" && tries["file-1"] == 2:
			return nil, refused("OriginalUnavailable", "Frame.io did not give the original")
		case in["archive"] == "first" && in["source_id"] == "file-2":
			return nil, refused("Content", "the file changed while it was copied")
		}
		return nil, nil
	})
	first := r.archive("first")
	r.untilBegun("OpenArchive", 1)
	second := r.archive("second")
	r.keepRuns("archive", first)
	r.keepChild("archive-copy-exceptions", first, "/copy/")
	r.keepRuns("archive-queued", second)
	r.keepChild("archive-copy", second, "/copy/")
	for _, h := range r.runs(second) {
		for _, e := range h.GetEvents() {
			if child := e.GetChildWorkflowExecutionStartedEventAttributes(); child.GetWorkflowType().GetName() == "ArchiveMail" {
				r.keepRuns("archive-mail", child.GetWorkflowExecution().GetWorkflowId())
				r.keepRuns("archive-queue", "archive-queue/T")
				return
			}
		}
	}
	r.keepRuns("archive-queue", "archive-queue/T") // of a version in which the archive itself sent mail
}

// It waits for originals, is asked to check at once, and continues with the ones that are back.
func TestArchiveWaiting(t *testing.T) {
	r := record(t)
	r.on("RecheckOriginals", func(context.Context, object) (any, error) {
		switch r.begun("RecheckOriginals") {
		case 1, 2:
			return object{"waiting": 2, "advice": "unarchive the project there"}, nil
		case 3:
			return object{"waiting": 1, "back": 1}, nil
		case 4:
			return object{"waiting": 1}, nil
		}
		return object{}, nil
	})
	r.on("OpenArchive", func(context.Context, object) (any, error) {
		return object{"project": "Summer", "team": "Marketing", "run": 1, "lanes": 2, "wait_interval": "3s"}, nil
	})
	id := r.archive("P")
	r.untilBegun("RecheckOriginals", 2)
	r.untilStatus(id, "step", "waiting for originals")
	r.update(id, "retry")
	r.keepRuns("archive-waiting", id)
}

// One activity copies the small files and leaves one of them. The large file is copied on its own.
func TestArchiveTogether(t *testing.T) {
	r := record(t)
	r.on("ScanProject", func(context.Context, object) (any, error) {
		return object{"counts": object{"items": 8 * items}}, nil // makes ranges of four
	})
	r.on("RangeItems", func(_ context.Context, in object) (any, error) {
		var out []object
		for n := number(in["from"]); n <= number(in["to"]); n++ {
			out = append(out, object{"source_id": fmt.Sprintf("file-%d", n), "asset": fmt.Sprintf("asset-%d", n), "name": fmt.Sprintf("clip %d.mov", n), "size": 10, "together": n != 3})
		}
		return out, nil
	})
	id := r.archive("P")
	r.keepChild("archive-copy-together", id, "/copy/")
}

func TestArchiveCancelled(t *testing.T) {
	r := record(t)
	r.on("TransferFile", hang)
	id := r.archive("P")
	r.untilBegun("TransferFile", 2)
	r.update(id, "cancel")
	r.keepRuns("archive-cancelled", id)
	r.keepChild("archive-copy-cancelled", id, "/copy/")
}

func TestArchiveCancelledInTemporal(t *testing.T) {
	r := record(t)
	r.on("RecheckOriginals", func(context.Context, object) (any, error) { return object{"waiting": 2}, nil })
	r.on("OpenArchive", func(context.Context, object) (any, error) {
		return object{"project": "Summer", "team": "Marketing", "run": 1, "lanes": 2, "wait_interval": "15m"}, nil
	})
	id := r.archive("P")
	r.untilStatus(id, "step", "waiting for originals")
	r.untilBegun("Notify", 1)
	require.NoError(t, r.client.CancelWorkflow(t.Context(), id, ""))
	r.keepRuns("archive-cancelled-in-temporal", id)
}

func TestArchiveFailed(t *testing.T) {
	r := record(t)
	r.on("OpenArchive", func(context.Context, object) (any, error) { return nil, refused("Content", "the token is refused") })
	r.keepRuns("archive-failed", r.archive("P"))
}

// Frame.io changes while it runs, and people delete some of what it created in iconik.
func TestArchiveRepaired(t *testing.T) {
	r := record(t)
	r.on("ScanProject", func(_ context.Context, in object) (any, error) {
		return object{"counts": object{"items": items}, "changed": in["compare"] == true && r.begun("ScanProject") == 2}, nil
	})
	r.on("VerifyItems", func(_ context.Context, in object) (any, error) {
		if r.begun("VerifyItems") == 1 {
			return object{"verified": 3, "lost": 1}, nil
		}
		return object{"verified": items}, nil
	})
	r.on("VerifyTree", func(context.Context, object) (any, error) {
		if r.begun("VerifyTree") <= 2 {
			return object{"lost": 1}, nil
		}
		return object{}, nil
	})
	r.keepRuns("archive-repaired", r.archive("P"))
}

// A stuck archive announces it, and yields its turn to the next one until it continues.
func TestArchiveStuck(t *testing.T) {
	r := record(t)
	mended := make(chan struct{})
	r.on("MakeCollections", func(ctx context.Context, in object) (any, error) {
		if in["archive"] == "stuck" {
			return nil, await(ctx, mended)
		}
		return nil, nil
	})
	stuck := r.archive("stuck")
	r.untilBegun("MakeCollections", 1)
	next := r.archive("next")
	r.untilBegun("JoinQueue", 2)
	r.signal(stuck, "stuck", nil)
	r.runs(next)
	close(mended)
	r.keepRuns("archive-stuck", stuck)
}

// early makes the server suggest continue-as-new after a few events instead of 4,096.
const early = "limit.historyCount.suggestContinueAsNew="

func TestArchiveContinued(t *testing.T) {
	r := record(t, early+"70")
	r.on("NextRanges", func(_ context.Context, in object) (any, error) {
		return ranges(object{"size": 1.0, "after": in["after"], "max": in["max"]}, 8), nil
	})
	r.keepRuns("archive-continued", r.archive("P"))
}

// It waits for originals so long that its history grows.
func TestArchiveContinuedWaiting(t *testing.T) {
	r := record(t, early+"100")
	r.on("OpenArchive", func(context.Context, object) (any, error) {
		return object{"project": "Summer", "team": "Marketing", "run": 1, "lanes": 2, "wait_interval": "50ms"}, nil
	})
	r.on("NextRanges", func(_ context.Context, in object) (any, error) { return ranges(in, 0), nil })
	r.on("RecheckOriginals", func(context.Context, object) (any, error) {
		if r.begun("RecheckOriginals") < 12 {
			return object{"waiting": 2}, nil
		}
		return object{}, nil
	})
	r.keepRuns("archive-continued-waiting", r.archive("P"))
}

// Somebody reorders the queue.
func TestArchiveQueueMoved(t *testing.T) {
	r := record(t)
	release := make(chan struct{})
	r.on("OpenArchive", func(ctx context.Context, _ object) (any, error) {
		if err := await(ctx, release); err != nil {
			return nil, err
		}
		return nil, refused("Content", "the token is refused")
	})
	r.archive("0")
	r.untilBegun("OpenArchive", 1)
	for n := 1; n < 4; n++ {
		r.archive(fmt.Sprint(n))
		r.untilBegun("JoinQueue", n+1)
		r.untilBegun("QueuePositions", n+1)
	}
	r.update("archive-queue/T", "move", object{"archive": "3", "position": 1})
	r.untilBegun("QueuePositions", 5)
	close(release)
	r.keepRuns("archive-queue-moved", "archive-queue/T")
}

// Somebody retries one file, with others left or as the last one.
func TestArchiveOneItem(t *testing.T) {
	r := record(t)
	r.on("NextRanges", func(_ context.Context, in object) (any, error) {
		if in["archive"] == "last" && in["phase"] == "copy" {
			return []any{}, nil
		}
		return ranges(in, items), nil
	})
	for _, name := range []string{"left", "last"} {
		id := "archive/T/" + name
		r.start(id, "Archive", object{"tenant": "T", "archive": name, "state": object{"only": object{"from": 2, "to": 3}}})
		r.keepRuns("archive-one-item-"+name, id)
	}
}

func TestArchiveQueueContinued(t *testing.T) {
	r := record(t, early+"30")
	release := make(chan struct{})
	r.on("OpenArchive", func(ctx context.Context, in object) (any, error) {
		if err := await(ctx, release); err != nil {
			return nil, err
		}
		return nil, refused("Content", "the token is refused")
	})
	first := r.archive("0")
	r.untilBegun("OpenArchive", 1)
	for n := 1; n < 6; n++ {
		r.archive(fmt.Sprint(n))
		r.untilBegun("JoinQueue", n+1)
		r.untilBegun("QueuePositions", n+1)
	}
	close(release)
	r.runs(first)
	r.keepRuns("archive-queue-continued", "archive-queue/T")
}

func TestArchivePlan(t *testing.T) {
	r := record(t)
	r.start("plan/T/P", "ArchivePlan", archiveIn("P"))
	r.keepRuns("archive-plan", "plan/T/P")
}

// reviewFakes fake a review of three assets that is open for a day.
func (r *recorder) reviewFakes() {
	nothing := func(context.Context, object) (any, error) { return object{}, nil }
	for _, name := range []string{"StageAsset", "SendAsset", "SettleAsset", "FailAsset", "PublishReview", "ExtendReview", "WarnReview", "DeleteMedia", "FailReview"} {
		r.fakes[name] = nothing
	}
	r.fakes["PrepareReview"] = func(context.Context, object) (any, error) { return prepared(24 * time.Hour), nil }
	r.fakes["ReviewWork"] = func(context.Context, object) (any, error) {
		if r.begun("ReviewWork") == 1 {
			return object{"assets": []int{1, 2, 3}, "ready": 0, "failed": 0}, nil
		}
		return object{"ready": 3, "failed": 0}, nil
	}
	r.fakes["ShareReview"] = func(context.Context, object) (any, error) {
		return object{"url": "https://f.io/review", "unwatermarked": 1}, nil
	}
	r.fakes["SyncReview"] = func(context.Context, object) (any, error) {
		return object{"to_iconik": 1, "to_frameio": 1, "open": 1, "changes": 1, "next_in": time.Hour}, nil
	}
	r.fakes["EndReview"] = func(context.Context, object) (any, error) {
		return object{"warn_at": time.Now().Add(time.Second), "delete_at": time.Now().Add(2 * time.Second)}, nil
	}
	r.fakes["RevokeLink"] = r.fakes["EndReview"] // exists since the marker "the link off first"
}

func prepared(lasts time.Duration) object {
	return object{"title": "Rough cut", "assets": 3, "first_asset": "asset-1", "expires_at": time.Now().Add(lasts), "longest": 90 * 24 * time.Hour, "parallel": 2, "proxy_wait": time.Minute}
}

func (r *recorder) review(name string) (id string) {
	id = "review/T/" + name
	r.start(id, "Review", object{"tenant": "T", "review": name})
	return id
}

// It is extended while it is open and again after it has expired. One sync fails, and one is requested.
func TestReviewExtended(t *testing.T) {
	r := record(t)
	r.on("SyncReview", func(context.Context, object) (any, error) {
		if r.begun("SyncReview") == 2 {
			return nil, refused("System", "iconik does not answer")
		}
		return object{"to_iconik": 1, "open": 1, "changes": 1, "next_in": time.Hour}, nil
	})
	r.on("EndReview", func(context.Context, object) (any, error) {
		if r.begun("EndReview") == 1 {
			return object{"warn_at": time.Now().Add(time.Hour), "delete_at": time.Now().Add(2 * time.Hour)}, nil
		}
		return object{"warn_at": time.Now().Add(time.Second), "delete_at": time.Now().Add(2 * time.Second)}, nil
	})
	id := r.review("R")
	r.untilStatus(id, "phase", "open")
	r.untilBegun("SyncReview", 1)
	r.update(id, "sync")
	r.signal(id, "wake", object{"frameio": "file-1"})
	r.update(id, "extend", object{"expires_at": time.Now().Add(4 * time.Second)})
	r.untilStatus(id, "phase", "waiting for deletion")
	r.update(id, "extend", object{"expires_at": time.Now().Add(5 * time.Second)})
	r.keepRuns("review-extended", id)
}

// It is stopped before anything was shared: everything is rolled back.
func TestReviewStoppedWhileSending(t *testing.T) {
	r := record(t)
	r.on("SendAsset", hangOrSend)
	id := r.review("R")
	r.untilBegun("SendAsset", 2)
	r.update(id, "stop")
	r.keepRuns("review-stopped-while-sending", id)
}

// hangOrSend works until it is canceled, but finishes after a while in a version that does not cancel it.
func hangOrSend(ctx context.Context, _ object) (any, error) {
	end := make(chan struct{})
	time.AfterFunc(6*time.Second, func() { close(end) })
	return nil, await(ctx, end)
}

// A second review hands over its assets to an open one, which is stopped while it sends them.
func TestReviewStoppedWhileSendingMore(t *testing.T) {
	r := record(t)
	r.on("PrepareReview", func(_ context.Context, in object) (any, error) {
		if in["review"] == "second" {
			return object{"title": "Again", "assets": 0, "handed_over": []string{"first"}, "expires_at": time.Now().Add(time.Hour)}, nil
		}
		return prepared(24 * time.Hour), nil
	})
	r.on("ReviewWork", func(context.Context, object) (any, error) {
		switch r.begun("ReviewWork") {
		case 1:
			return object{"assets": []int{1}}, nil
		case 3:
			return object{"assets": []int{2}, "ready": 1}, nil
		}
		return object{"ready": 1}, nil
	})
	r.on("SendAsset", func(ctx context.Context, in object) (any, error) {
		if number(in["n"]) == 2 {
			return hangOrSend(ctx, in)
		}
		return nil, nil
	})
	id := r.review("first")
	r.untilStatus(id, "phase", "open")
	second := r.review("second")
	r.untilBegun("SendAsset", 2)
	r.update(id, "stop")
	r.keepRuns("review-stopped-while-sending-more", id)
	r.keepRuns("review-handed-over", second)
}

// Webhooks flood an open review while it sends what a second one handed over to it.
func TestReviewFloodedWhileSendingMore(t *testing.T) {
	r := record(t, early+"120")
	flooded := make(chan struct{})
	var mu sync.Mutex
	sent, all := 0, 1
	r.on("PrepareReview", func(_ context.Context, in object) (any, error) {
		if in["review"] == "second" {
			mu.Lock()
			defer mu.Unlock()
			all = 3
			return object{"title": "Again", "assets": 0, "handed_over": []string{"first"}, "expires_at": time.Now().Add(time.Hour)}, nil
		}
		out := prepared(24 * time.Hour)
		out["parallel"] = 1
		return out, nil
	})
	r.on("ReviewWork", func(context.Context, object) (any, error) {
		mu.Lock()
		defer mu.Unlock()
		left := []int{}
		for n := sent + 1; n <= all; n++ {
			left = append(left, n)
		}
		return object{"assets": left, "ready": sent}, nil
	})
	r.on("SendAsset", func(ctx context.Context, in object) (any, error) {
		if number(in["n"]) == 2 {
			if err := await(ctx, flooded); err != nil {
				return nil, err
			}
		}
		mu.Lock()
		defer mu.Unlock()
		sent = number(in["n"])
		return nil, nil
	})
	id := r.review("first")
	r.untilStatus(id, "phase", "open")
	r.untilBegun("SyncReview", 1)
	r.review("second")
	r.untilBegun("SendAsset", 2)
	for n := range 60 {
		r.signal(id, "wake", object{"frameio": fmt.Sprintf("file-%d", n)})
		r.until("it is taken in", func() bool { return r.status(id)["phase"] == "sending" })
	}
	close(flooded)
	r.untilBegun("SendAsset", 3)
	r.untilStatus(id, "phase", "open")
	r.update(id, "stop")
	r.keepRuns("review-flooded-while-sending-more", id)
}

// The last sync runs without an asset that counts as deleted but comes back later.
func TestReviewEndedWithoutAnAsset(t *testing.T) {
	r := record(t)
	r.on("EndReview", func(context.Context, object) (any, error) {
		return object{"warn_at": time.Now().Add(time.Hour), "delete_at": time.Now().Add(5 * time.Second)}, nil
	})
	r.on("RevokeLink", r.fakes["EndReview"])
	r.on("SyncReview", func(context.Context, object) (any, error) {
		return object{"open": 1, "next_in": time.Hour, "away": r.begun("SyncReview") > 1}, nil
	})
	id := r.review("R")
	r.untilBegun("SyncReview", 1)
	r.update(id, "stop")
	r.keepRuns("review-ended-without-an-asset", id)
}

func TestReviewContinued(t *testing.T) {
	r := record(t, early+"90")
	id := r.review("R")
	r.untilBegun("SyncReview", 1)
	first := r.firstRun(id)
	for n := 2; ; n++ {
		r.signal(id, "wake", object{"frameio": fmt.Sprintf("file-%d", n)})
		r.untilBegun("SyncReview", n)
		d, err := r.client.DescribeWorkflowExecution(t.Context(), id, "")
		require.NoError(t, err)
		if d.GetWorkflowExecutionInfo().GetExecution().GetRunId() != first {
			break
		}
	}
	r.update(id, "stop")
	r.keepRuns("review-continued", id)
}

// One asset is left out and named. The link is refused, and everything is rolled back.
func TestReviewFailed(t *testing.T) {
	r := record(t)
	r.on("SendAsset", func(_ context.Context, in object) (any, error) {
		if number(in["n"]) == 2 {
			return nil, refused("Content", "the file is empty")
		}
		if number(in["n"]) == 1 && r.begun("SendAsset") <= 2 {
			return nil, refused("UploadGone", "no such upload")
		}
		return nil, nil
	})
	r.on("ShareReview", func(context.Context, object) (any, error) {
		return nil, refused("Content", "the watermark is not there")
	})
	r.keepRuns("review-failed", r.review("R"))
}

func TestReviewCancelledInTemporal(t *testing.T) {
	r := record(t)
	id := r.review("R")
	r.untilStatus(id, "phase", "open")
	r.untilBegun("SyncReview", 1)
	require.NoError(t, r.client.CancelWorkflow(t.Context(), id, ""))
	r.keepRuns("review-cancelled-in-temporal", id)
}

// It is stopped during a step that would go on for a long time.
func TestReviewStoppedWhileSyncing(t *testing.T) {
	stoppedDuring(t, "SyncReview", "review-stopped-while-syncing")
}
func TestReviewStoppedWhileSharing(t *testing.T) {
	stoppedDuring(t, "ShareReview", "review-stopped-while-sharing")
}

func stoppedDuring(t *testing.T, step, name string) {
	t.Helper()
	r := record(t)
	stopped := make(chan struct{})
	does := r.fakes[step]
	r.on(step, func(ctx context.Context, in object) (any, error) {
		if r.begun(step) == 1 {
			if err := await(ctx, stopped); err != nil {
				return nil, err
			}
		}
		return does(ctx, in)
	})
	id := r.review("R")
	r.untilBegun(step, 1)
	r.update(id, "stop")
	time.AfterFunc(2*time.Second, func() { close(stopped) }) // for versions in which the stop does not end it
	r.keepRuns(name, id)
}
