//go:build record

package workflows_test

// Scenarios of migrations, mirrors, reclaims, upkeep and notifications; see record_test.go. A migration's archives are real workflows.

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	commonpb "go.temporal.io/api/common/v1"
	workflowpb "go.temporal.io/api/workflow/v1"
	"go.temporal.io/api/workflowservice/v1"
	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/temporal"
	"google.golang.org/protobuf/types/known/durationpb"
	"google.golang.org/protobuf/types/known/fieldmaskpb"
)

const migrationID = "migration/T"

// account fakes the outside of a migration.
type account struct {
	mu      sync.Mutex
	queue   []string
	open    []string // archives that were started and have not ended
	waiting map[string]bool
	ended   int
	changed []string // found by the delta pass, once
	added   []string // found by an update, once
	closed  bool     // the window
	reasons []string
}

func (r *recorder) accountFakes() {
	a := &account{waiting: map[string]bool{}}
	r.account = a
	nothing := func(context.Context, object) (any, error) { return object{}, nil }
	for _, name := range []string{"MirrorProjects", "MirrorProject", "ListProjects", "WriteAccountReport", "NotifyMigration", "AwaitReclaimApproval", "CertifyReclaim", "PauseReclaim"} {
		r.fakes[name] = nothing
	}
	r.fakes["SurveyMigration"] = func(context.Context, object) (any, error) {
		a.mu.Lock()
		defer a.mu.Unlock()
		out := object{"total": len(a.queue) + len(a.open) + a.ended, "queued": len(a.queue), "running": len(a.open) - len(a.waiting), "waiting": len(a.waiting), "originals": len(a.waiting),
			"parallel": 2, "window_open": !a.closed, "changes": time.Time{}}
		if a.closed {
			out["opens"], out["changes"] = "on Monday", time.Now().Add(time.Second)
		}
		return out, nil
	}
	r.fakes["StartProjects"] = func(ctx context.Context, in object) (any, error) {
		n := 0
		for ; n < number(in["most"]); n++ {
			project := a.next()
			if project == "" {
				break
			}
			_, err := r.client.ExecuteWorkflow(ctx, client.StartWorkflowOptions{ID: "archive/T/" + project, TaskQueue: "framebridge"}, "Archive",
				object{"tenant": "T", "archive": project, "state": object{"migration": migrationID}})
			if err != nil {
				return nil, err
			}
		}
		return object{"archives": n}, nil
	}
	r.fakes["HoldProjects"] = func(ctx context.Context, in object) (any, error) {
		return nil, a.each(func(id string) error {
			return r.client.SignalWorkflow(ctx, id, "", "hold", object{"paused": in["paused"]})
		})
	}
	r.fakes["ReleaseProjects"] = func(ctx context.Context, _ object) (any, error) {
		return nil, a.each(func(id string) error {
			return r.client.SignalWorkflow(ctx, id, "", "hold", object{"alone": true})
		})
	}
	r.fakes["CancelProjects"] = func(ctx context.Context, _ object) (any, error) {
		left := 0
		err := a.each(func(id string) error {
			left++
			return r.client.CancelWorkflow(ctx, id, "")
		})
		return left, err
	}
	r.fakes["FindChanged"] = func(context.Context, object) (any, error) {
		a.mu.Lock()
		defer a.mu.Unlock()
		n := len(a.changed)
		a.queue, a.changed = append(a.queue, a.changed...), nil
		return n, nil
	}
	r.fakes["AddProjects"] = func(context.Context, object) (any, error) {
		a.mu.Lock()
		defer a.mu.Unlock()
		a.queue = append(a.queue, a.added...)
		n := len(a.added)
		a.added = nil
		return object{"added": n}, nil
	}
	r.fakes["OrderProject"] = func(_ context.Context, in object) (any, error) {
		a.mu.Lock()
		defer a.mu.Unlock()
		slices.Reverse(a.queue)
		return nil, nil
	}
	r.fakes["SetMigrationStatus"] = func(_ context.Context, in object) (any, error) {
		a.mu.Lock()
		defer a.mu.Unlock()
		a.reasons = append(a.reasons, fmt.Sprint(in["status"], ": ", in["reason"]))
		return nil, nil
	}
	r.fakes["FinishMigration"] = func(_ context.Context, in object) (any, error) {
		return object{"status": in["status"], "reason": in["reason"]}, nil
	}
	a.follow(r)
	r.reclaimFakes()
	r.fakes["SampleBytes"] = func(context.Context, object) (any, error) { return object{"files": 2, "bytes": 40}, nil }
	r.fakes["ForgetPeople"] = nothing
	r.fakes["DeliverEvent"] = func(context.Context, object) (any, error) { return object{"status": "delivered"}, nil }
	r.fakes["EndDelivery"] = func(_ context.Context, in object) (any, error) {
		return object{"status": "failed", "reason": in["reason"]}, nil
	}
}

// follow records which archives wait and which have ended.
func (a *account) follow(r *recorder) {
	finish := r.fakes["FinishArchive"]
	r.fakes["FinishArchive"] = func(ctx context.Context, in object) (any, error) {
		a.mu.Lock()
		project := fmt.Sprint(in["archive"])
		if at := slices.Index(a.open, project); at >= 0 {
			a.open = slices.Delete(a.open, at, at+1)
			a.ended++
		}
		delete(a.waiting, project)
		a.mu.Unlock()
		return finish(ctx, in)
	}
	r.fakes["SetStatus"] = func(_ context.Context, in object) (any, error) {
		a.mu.Lock()
		defer a.mu.Unlock()
		if project := fmt.Sprint(in["archive"]); in["status"] == "waiting" && in["code"] != "paused_with_migration" {
			a.waiting[project] = true
		} else {
			delete(a.waiting, project)
		}
		return nil, nil
	}
}

func (a *account) next() string {
	a.mu.Lock()
	defer a.mu.Unlock()
	if len(a.queue) == 0 {
		return ""
	}
	project := a.queue[0]
	a.queue, a.open = a.queue[1:], append(a.open, project)
	return project
}

func (a *account) each(do func(id string) error) error {
	a.mu.Lock()
	open := slices.Clone(a.open)
	a.mu.Unlock()
	for _, project := range open {
		if err := do("archive/T/" + project); err != nil && !strings.Contains(err.Error(), "already completed") {
			return err
		}
	}
	return nil
}

// told waits until the migration has shown this text.
func (r *recorder) told(text string) {
	r.Helper()
	r.until("the migration says "+text, func() bool { return r.account.said(text) })
}

func (a *account) said(text string) bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	return slices.ContainsFunc(a.reasons, func(said string) bool { return strings.Contains(said, text) })
}

func (r *recorder) migrate(state object, projects ...string) {
	r.Helper()
	r.account.queue = projects
	r.start(migrationID, "Migration", object{"tenant": "T", "migration": "M", "state": state})
}

// One project comes first, then the others after a go; one of them fails. A delta pass brings over what has changed since.
func TestMigration(t *testing.T) {
	r := record(t)
	r.account.changed = []string{"changed"}
	r.on("OpenArchive", func(_ context.Context, in object) (any, error) {
		if in["archive"] == "bad" {
			return nil, refused("Content", "the token is refused")
		}
		return object{"project": "Summer", "team": "Marketing", "run": 1, "lanes": 2, "wait_interval": "1s"}, nil
	})
	r.migrate(object{"canary": 1}, "first", "bad", "last")
	r.told("resume the migration")
	r.update(migrationID, "order", object{"project": "last", "position": 1})
	r.update(migrationID, "resume", object{"by": "Rita"})
	r.keepRuns("migration", migrationID)
	r.keepChild("migration-mail", migrationID, "migration-mail/")
	r.keepRuns("archive-of-migration", "archive/T/first")
	r.keepRuns("archive-of-migration-failed", "archive/T/bad")
}

// A person pauses it while archives run. Its window is closed when it is resumed, and opens later.
func TestMigrationPaused(t *testing.T) {
	r := record(t)
	r.on("TransferFile", func(ctx context.Context, in object) (any, error) {
		if r.begun("TransferFile") <= 2 {
			return hang(ctx, in)
		}
		return nil, nil
	})
	r.migrate(object{}, "first", "second", "third")
	r.untilBegun("TransferFile", 2)
	r.update(migrationID, "pause", object{"by": "Rita"})
	r.untilStatus("archive/T/first", "step", "paused with its migration")
	r.account.mu.Lock()
	r.account.closed = true
	r.account.mu.Unlock()
	r.update(migrationID, "resume", object{})
	r.told("Outside the migration's windows")
	r.account.mu.Lock()
	r.account.closed = false
	r.account.mu.Unlock()
	r.keepRuns("migration-paused", migrationID)
	r.keepRuns("archive-paused-with-migration", "archive/T/first")
}

func TestMigrationCancelled(t *testing.T) {
	r := record(t)
	r.on("TransferFile", hang)
	r.migrate(object{}, "first", "second", "third")
	r.untilBegun("TransferFile", 2)
	r.update(migrationID, "cancel", object{"by": "Rita"})
	r.keepRuns("migration-cancelled", migrationID)
	r.keepRuns("archive-cancelled-with-migration", "archive/T/first")
}

// Projects are added while it waits for a go, and again while its last archive runs: that listing lasts until the archive has ended.
func TestMigrationAdded(t *testing.T) {
	r := record(t)
	r.account.added = []string{"second"}
	r.migrate(object{"canary": 1, "orderly": true}, "first", "other")
	r.told("resume the migration")
	r.update(migrationID, "add", object{"migration_id": "M"})
	listed := make(chan struct{})
	r.on("AddProjects", func(ctx context.Context, in object) (any, error) { return object{"added": 0}, await(ctx, listed) })
	r.update(migrationID, "resume", object{})
	r.begin(migrationID, "add", object{"selection": object{"name": "Salt*"}})
	r.until("all archives have ended", func() bool { return r.begun("FinishArchive") == 3 })
	close(listed)
	r.keepRuns("migration-added", migrationID)
}

// It is canceled while projects are listed.
func TestMigrationCancelledWhileAdding(t *testing.T) {
	r := record(t)
	r.on("TransferFile", hang)
	r.on("AddProjects", hang)
	r.migrate(object{"orderly": true}, "first", "second", "third")
	r.untilBegun("TransferFile", 2)
	r.begin(migrationID, "add", object{})
	r.untilBegun("AddProjects", 1)
	r.update(migrationID, "cancel", object{"by": "Rita"})
	r.keepRuns("migration-cancelled-while-adding", migrationID)
}

// Projects are being listed when the run is long enough to continue as new.
func TestMigrationAddedWhileContinued(t *testing.T) {
	r := record(t, early+"60")
	var projects []string
	for n := range 12 {
		projects = append(projects, fmt.Sprintf("p%02d", n))
	}
	listed := make(chan struct{})
	r.on("AddProjects", func(ctx context.Context, in object) (any, error) { return object{"added": 0}, await(ctx, listed) })
	r.migrate(object{"orderly": true}, projects...)
	r.until("an archive has begun", func() bool { return r.begun("OpenArchive") > 0 })
	r.begin(migrationID, "add", object{})
	r.until("most archives have ended", func() bool { return r.begun("FinishArchive") > 8 })
	close(listed)
	r.keepRuns("migration-added-while-continued", migrationID)
}

func TestMigrationCancelledInTemporal(t *testing.T) {
	r := record(t)
	r.on("TransferFile", hang)
	r.migrate(object{}, "first")
	r.untilBegun("TransferFile", 1)
	require.NoError(t, r.client.CancelWorkflow(t.Context(), migrationID, ""))
	r.keepRuns("migration-cancelled-in-temporal", migrationID)
}

func TestMigrationFailed(t *testing.T) {
	r := record(t)
	r.on("ListProjects", func(context.Context, object) (any, error) {
		return nil, refused("Content", "the selection fits no project")
	})
	r.migrate(object{})
	r.keepRuns("migration-failed", migrationID)
}

// One project's originals are in cold storage. The other projects end before they are back.
func TestMigrationWaiting(t *testing.T) {
	r := record(t)
	back := make(chan struct{})
	r.on("RecheckOriginals", func(_ context.Context, in object) (any, error) {
		if in["archive"] == "cold" {
			select {
			case <-back:
			default:
				return object{"waiting": 2, "code": "cold_storage", "advice": "unarchive the project there"}, nil
			}
		}
		return object{}, nil
	})
	r.migrate(object{}, "cold", "warm")
	r.until("everything else is done", func() bool {
		return r.account.said("something that a person must do") || r.begun("FinishMigration") > 0
	})
	close(back)
	r.keepRuns("migration-waiting", migrationID)
	r.keepRuns("archive-waiting-of-migration", "archive/T/cold")
}

func TestMigrationContinued(t *testing.T) {
	r := record(t, early+"60")
	var projects []string
	for n := range 12 {
		projects = append(projects, fmt.Sprintf("p%02d", n))
	}
	r.migrate(object{}, projects...)
	r.keepRuns("migration-continued", migrationID)
}

// schedule has a schedule start a mirror, and returns the workflow ID.
func (r *recorder) schedule(max int) (id string) {
	r.Helper()
	in := object{"tenant": "T", "name": "nightly", "selection": object{}, "at": "02:00", "days": "daily", "zone": "UTC"}
	s, err := r.client.ScheduleClient().Create(r.Context(), client.ScheduleOptions{ID: "mirror/T/nightly", TriggerImmediately: true,
		Spec:   client.ScheduleSpec{Calendars: []client.ScheduleCalendarSpec{{Hour: []client.ScheduleRange{{Start: 2, End: 2}}}}},
		Action: &client.ScheduleWorkflowAction{ID: "mirror-run/T/nightly", Workflow: "Mirror", TaskQueue: "framebridge", Args: []any{in}}})
	require.NoError(r, err)
	r.until("the schedule starts it", func() bool {
		d, err := s.Describe(r.Context())
		if err != nil || len(d.Info.RecentActions) == 0 {
			return false
		}
		id = d.Info.RecentActions[0].StartWorkflowResult.WorkflowID
		return true
	})
	return id
}

// mirrored returns n projects, in pages of three.
func mirrored(n int) fake {
	return func(_ context.Context, in object) (any, error) {
		out := []string{}
		for i := range n {
			if id := fmt.Sprintf("p%02d", i); id > fmt.Sprint(in["after"]) && len(out) < 3 {
				out = append(out, id)
			}
		}
		more := len(out) > 0 && out[len(out)-1] < fmt.Sprintf("p%02d", n-1)
		return object{"projects": out, "parallel": 2, "more": more}, nil
	}
}

func TestMirror(t *testing.T) {
	r := record(t)
	r.on("MirrorProjects", mirrored(5))
	looks := map[any]int{}
	var mu sync.Mutex
	r.on("MirrorProject", func(_ context.Context, in object) (any, error) {
		mu.Lock()
		defer mu.Unlock()
		looks[in["archive"]]++
		switch in["archive"] {
		case "p00":
			if looks["p00"] < 3 {
				return nil, temporal.NewApplicationErrorWithOptions("the archive is still running", "Running", temporal.ApplicationErrorOptions{NextRetryDelay: 200 * time.Millisecond})
			}
		case "p01":
			return object{"status": "waiting"}, nil
		case "p02":
			return nil, refused("Content", "the project is gone")
		case "p03":
			return object{"status": "verified_with_exceptions"}, nil
		}
		return object{"status": "verified"}, nil
	})
	r.keepRuns("mirror", r.schedule(5))
}

func TestMirrorContinued(t *testing.T) {
	r := record(t, early+"40")
	r.on("MirrorProjects", mirrored(14))
	r.on("MirrorProject", func(context.Context, object) (any, error) { return object{"status": "verified"}, nil })
	r.keepRuns("mirror-continued", r.schedule(14))
}

// reclaimFakes fake a reclaim of four files that are proven and deleted two at a time.
func (r *recorder) reclaimFakes() {
	counts := object{"ready": items, "ready_bytes": 40}
	r.fakes["ExamineReclaim"] = func(context.Context, object) (any, error) { return object{"counts": counts}, nil }
	r.fakes["ProveReclaimFiles"] = func(context.Context, object) (any, error) {
		return object{"done": r.begun("ProveReclaimFiles") > 2, "counts": object{"proven": items, "proven_bytes": 40}}, nil
	}
	r.fakes["DeleteProvenFiles"] = func(context.Context, object) (any, error) {
		return object{"done": r.begun("DeleteProvenFiles") > 2, "counts": object{"deleted": items, "deleted_bytes": 40}}, nil
	}
	r.fakes["FinishReclaim"] = func(_ context.Context, in object) (any, error) {
		status, _ := in["status"].(string)
		if status == "" {
			status = "done"
		}
		return object{"status": status, "counts": object{"deleted": 2 * min(r.begun("DeleteProvenFiles"), 2)}}, nil
	}
}

const reclaimID = "reclaim/T/P"

func (r *recorder) reclaim(change object) {
	r.Helper()
	in := object{"tenant": "T", "archive": "P", "run": 1}
	for k, v := range change {
		in[k] = v
	}
	r.start(reclaimID, "Reclaim", in)
}

var approved = object{"state": object{"approved": true}}

func TestReclaim(t *testing.T) {
	r := record(t)
	r.reclaim(nil)
	r.untilBegun("AwaitReclaimApproval", 1)
	r.until("it may be approved", func() bool {
		h, err := r.client.UpdateWorkflow(t.Context(), client.UpdateWorkflowOptions{WorkflowID: reclaimID, UpdateName: "approve", WaitForStage: client.WorkflowUpdateStageCompleted})
		return err == nil && h.Get(t.Context(), nil) == nil
	})
	r.keepRuns("reclaim", reclaimID)
}

func TestReclaimRefused(t *testing.T) {
	r := record(t)
	r.on("ExamineReclaim", func(context.Context, object) (any, error) {
		return object{"ended": true, "counts": object{"left": 4}}, nil
	})
	r.on("FinishReclaim", func(context.Context, object) (any, error) {
		return object{"status": "refused", "counts": object{"left": 4}}, nil
	})
	r.reclaim(nil)
	r.keepRuns("reclaim-refused", reclaimID)
}

func TestReclaimExamined(t *testing.T) {
	r := record(t)
	r.on("FinishReclaim", func(context.Context, object) (any, error) {
		return object{"status": "examined", "counts": object{"ready": 4}}, nil
	})
	r.reclaim(object{"dry_run": true})
	r.keepRuns("reclaim-examined", reclaimID)
}

// It is paused while it proves files, and again while it deletes them.
func TestReclaimPaused(t *testing.T) {
	r := record(t)
	for _, step := range []string{"ProveReclaimFiles", "DeleteProvenFiles"} {
		does := r.fakes[step]
		r.on(step, func(ctx context.Context, in object) (any, error) {
			if r.begun(step) == 1 {
				return hang(ctx, in)
			}
			return does(ctx, in)
		})
	}
	r.reclaim(approved)
	for _, step := range []string{"ProveReclaimFiles", "DeleteProvenFiles"} {
		r.untilBegun(step, 1)
		r.update(reclaimID, "pause")
		r.update(reclaimID, "resume")
	}
	r.keepRuns("reclaim-paused", reclaimID)
}

func TestReclaimStoppedAtASurprise(t *testing.T) {
	r := record(t)
	r.on("DeleteProvenFiles", func(context.Context, object) (any, error) {
		return object{"ended": r.begun("DeleteProvenFiles") == 2, "counts": object{"deleted": 2}}, nil
	})
	r.on("FinishReclaim", func(context.Context, object) (any, error) {
		return object{"status": "stopped", "counts": object{"deleted": 2}}, nil
	})
	r.reclaim(approved)
	r.keepRuns("reclaim-stopped-at-a-surprise", reclaimID)
}

func TestReclaimFailed(t *testing.T) {
	r := record(t)
	r.on("ProveReclaimFiles", func(context.Context, object) (any, error) { return nil, refused("System", "the store is not there") })
	r.reclaim(approved)
	r.keepRuns("reclaim-failed", reclaimID)
}

func TestReclaimCancelled(t *testing.T) {
	r := record(t)
	r.on("DeleteProvenFiles", hang)
	r.reclaim(approved)
	r.untilBegun("DeleteProvenFiles", 1)
	r.update(reclaimID, "cancel")
	r.keepRuns("reclaim-cancelled", reclaimID)
}

func TestReclaimContinued(t *testing.T) {
	r := record(t, early+"60")
	r.on("ProveReclaimFiles", func(context.Context, object) (any, error) {
		return object{"done": r.begun("ProveReclaimFiles") > 20, "counts": object{"proven": r.begun("ProveReclaimFiles")}}, nil
	})
	r.reclaim(approved)
	r.keepRuns("reclaim-continued", reclaimID)
}

// skipping allows a workflow's clock to be advanced.
const skipping = "frontend.WorkflowTimeSkippingEnabled=true"

// skip advances a workflow's clock.
func (r *recorder) skip(id string, by time.Duration) {
	r.Helper()
	_, err := r.client.WorkflowService().UpdateWorkflowExecutionOptions(r.Context(), &workflowservice.UpdateWorkflowExecutionOptionsRequest{
		Namespace: client.DefaultNamespace, WorkflowExecution: &commonpb.WorkflowExecution{WorkflowId: id}, Identity: "recorder",
		WorkflowExecutionOptions: &workflowpb.WorkflowExecutionOptions{TimeSkippingConfig: &commonpb.TimeSkippingConfig{
			Enabled: true, FastForwardConfig: &commonpb.FastForwardConfig{Id: fmt.Sprint("skip-", time.Now().UnixNano()), Duration: durationpb.New(by)},
		}},
		UpdateMask: &fieldmaskpb.FieldMask{Paths: []string{"time_skipping_config"}},
	})
	require.NoError(r, err)
}

// Nobody approves it for two weeks.
func TestReclaimNotApproved(t *testing.T) {
	r := record(t, skipping)
	r.reclaim(nil)
	r.untilBegun("AwaitReclaimApproval", 1)
	r.skip(reclaimID, 15*24*time.Hour)
	r.keepRuns("reclaim-not-approved", reclaimID)
}

// One day's sample fails. On the third day the configuration asks for no upkeep.
func TestUpkeep(t *testing.T) {
	r := record(t, skipping)
	r.on("SampleBytes", func(context.Context, object) (any, error) {
		if r.begun("SampleBytes") == 1 {
			return nil, refused("System", "the store is not there")
		}
		return object{"off": r.begun("SampleBytes") == 3}, nil
	})
	r.on("ForgetPeople", func(context.Context, object) (any, error) { return object{"off": true}, nil })
	r.start("upkeep/T", "Upkeep", object{"tenant": "T"})
	r.untilBegun("ForgetPeople", 1)
	r.skip("upkeep/T", 49*time.Hour)
	r.keepRuns("upkeep", "upkeep/T")
}

func TestUpkeepContinued(t *testing.T) {
	r := record(t, skipping)
	r.on("SampleBytes", func(context.Context, object) (any, error) { return object{"off": r.begun("SampleBytes") > 30}, nil })
	r.on("ForgetPeople", func(context.Context, object) (any, error) { return object{"off": true}, nil })
	r.start("upkeep/T", "Upkeep", object{"tenant": "T"})
	r.untilBegun("ForgetPeople", 1)
	r.skip("upkeep/T", 31*24*time.Hour)
	r.keepRuns("upkeep-continued", "upkeep/T")
}

func TestNotification(t *testing.T) {
	r := record(t)
	r.on("DeliverEvent", func(_ context.Context, in object) (any, error) {
		switch {
		case in["channel"] == "away" && r.begun("DeliverEvent") < 3:
			return nil, temporal.NewApplicationError("the receiver is away", "System")
		case in["channel"] == "refused":
			return nil, refused("Content", "the receiver wants no such event")
		}
		return object{"status": "delivered"}, nil
	})
	for _, channel := range []string{"away", "refused"} {
		id := "notify/T/E/" + channel
		r.start(id, "Notification", object{"tenant": "T", "event": "E", "channel": channel})
		r.keepRuns("notification-"+channel, id)
	}
}

func TestNotificationCancelledInTemporal(t *testing.T) {
	r := record(t)
	r.on("DeliverEvent", hang)
	r.start("notify/T/E/hook", "Notification", object{"tenant": "T", "event": "E", "channel": "hook"})
	r.untilBegun("DeliverEvent", 1)
	require.NoError(t, r.client.CancelWorkflow(t.Context(), "notify/T/E/hook", ""))
	r.keepRuns("notification-cancelled-in-temporal", "notify/T/E/hook")
}
