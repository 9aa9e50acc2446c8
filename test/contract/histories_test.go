package contract

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"
	"os"
	"reflect"
	"slices"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.temporal.io/sdk/activity"
	"go.temporal.io/sdk/converter"
	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/testsuite"
	"go.temporal.io/sdk/workflow"

	"github.com/framebridge/framebridge/ledger"
	"github.com/framebridge/framebridge/mapping"
	"github.com/framebridge/framebridge/sandbox/faults"
	"github.com/framebridge/framebridge/sandbox/samples"
	"github.com/framebridge/framebridge/test/temporaltest"
	"github.com/framebridge/framebridge/workflows"
)

// history is a whole review, from the click to the deletion, in skipped time: people act on both sides, files and assets go
// and come back, new versions come, vendors are away for hours, workers are killed.
type history struct {
	*chaos
	env *testsuite.TestWorkflowEnvironment
	ref workflows.ReviewRef

	start  time.Time
	events []*event

	mu      sync.Mutex // activities run beside each other
	kills   int
	off     bool // the link has been switched off
	checked bool
	wrong   []string

	away      bool      // the file or the asset is
	down      bool      // a vendor is
	back      time.Time // when it is back, and, where that is Frame.io,
	downUntil time.Time
	due       time.Time // when the link must be off
	alone     string    // iconik's current version, where it is not in the review, and its approval when it came
	approval  string
	editor    string // a person in iconik who decides there, too
}

// number is an environment variable's, or the default.
func number(name string, otherwise int) int {
	if n, err := strconv.Atoi(os.Getenv(name)); err == nil {
		return n
	}
	return otherwise
}

// TestWholeHistories is the promise of reviews in whole histories. FRAMEBRIDGE_HISTORIES sets how many are played, and
// FRAMEBRIDGE_SEED the first one's seed.
func TestWholeHistories(t *testing.T) {
	t.Parallel()
	first := number("FRAMEBRIDGE_SEED", 1)
	for seed := first; seed < first+number("FRAMEBRIDGE_HISTORIES", rounds(2, 6)); seed++ {
		generation := []string{"legacy", "v4"}[seed%2]
		t.Run(generation+"-"+strconv.Itoa(seed), func(t *testing.T) {
			t.Parallel()
			playHistory(t, generation, seed)
		})
	}
}

func playHistory(t *testing.T, generation string, seed int) {
	b := open(t, &Checker{}, &Checker{}, "S3", map[string]any{"bucket": "iconik-files"}, generation)
	b.frameio.SetWatermark(true)
	b.frameio.SetAdobeOwners(seed%4 == 3)
	asset, err := b.iconik.AddAsset("Take.mov", "", samples.Media("25.mov"))
	require.NoError(t, err)
	h := &history{chaos: &chaos{harness: b, t: t, r: rand.New(rand.NewPCG(uint64(seed), 2)), asset: asset}}
	h.editor = b.iconik.AddUser("ed@post.example", "Ed", "Itor")
	tenant := tenantOf(h.chaos)
	tenant.Review.PollInterval, tenant.Review.Retention, tenant.Review.WarnBefore = 10*time.Minute, 48*time.Hour, time.Hour
	lasts := time.Duration(150+h.r.IntN(60)) * time.Minute
	h.ref = b.request(t, lasts, asset)
	h.update(func(r *ledger.Review) { r.RequestedBy = ledger.Person{} })
	h.start = time.Now()
	h.due = h.start.Add(lasts)
	h.plan(lasts)
	in, again := workflows.ReviewInput{ReviewRef: h.ref}, &workflow.ContinueAsNewError{}
	for now := h.start; ; now = h.env.Now() {
		h.run(now, in)
		if !errors.As(h.env.GetWorkflowError(), &again) {
			break
		}
		in = workflows.ReviewInput{}
		require.NoError(t, converter.GetDefaultDataConverter().FromPayloads(again.Input, &in))
	}
	require.NoError(t, h.env.GetWorkflowError())
	h.judge()
}

// run plays one run of the workflow, and what is still to happen beside it.
func (h *history) run(now time.Time, in workflows.ReviewInput) {
	h.env = h.skippingTime(func(env *testsuite.TestWorkflowEnvironment) workflows.ActivityRegistry { return killing{h, env} })
	h.env.SetStartTime(now)
	h.env.SetWorkerOptions(temporaltest.Options()) // people take their time
	for _, e := range h.events {
		if !e.over {
			h.env.RegisterDelayedCallback(func() {
				h.mu.Lock()
				defer h.mu.Unlock()
				e.over = true
				e.do()
			}, max(h.start.Add(e.at).Sub(now), 0))
		}
	}
	h.env.ExecuteWorkflow(workflows.Review, in)
	require.True(h.t, h.env.IsWorkflowCompleted())
}

// event is something that happens so long after the start.
type event struct {
	at   time.Duration
	do   func()
	over bool
}

// killing registers activities whose worker may die while they run.
type killing struct {
	h  *history
	to *testsuite.TestWorkflowEnvironment
}

var errKilled = errors.New("the worker was killed")

func (k killing) RegisterActivityWithOptions(f any, o activity.RegisterOptions) {
	v := reflect.ValueOf(f)
	k.to.RegisterActivityWithOptions(reflect.MakeFunc(v.Type(), func(in []reflect.Value) []reflect.Value {
		ctx, cancel := context.WithCancel(in[0].Interface().(context.Context))
		defer cancel()
		killed := false
		if after := k.h.begin(o.Name); after > 0 {
			timer := time.AfterFunc(after, cancel)
			defer func() { timer.Stop() }()
			killed = true
		}
		in[0] = reflect.ValueOf(ctx)
		out := v.Call(in)
		last := len(out) - 1
		if killed && ctx.Err() != nil && !out[last].IsNil() {
			out[last] = reflect.ValueOf(&errKilled).Elem()
		}
		if err, failed := out[last].Interface().(error); failed && !errors.Is(err, errKilled) {
			err = k.h.patient(err)
			out[last] = reflect.ValueOf(&err).Elem()
		}
		k.h.end(o.Name, out[last].IsNil())
		return out
	}).Interface(), o)
}

// begin says when the worker of an activity dies; 0 is never.
func (h *history) begin(name string) time.Duration {
	h.mu.Lock()
	defer h.mu.Unlock()
	if name == workflows.ActDeleteMedia.Name() && !h.checked {
		h.checked = true
		h.wrong = append(h.wrong, h.differences()...)
	}
	if h.r.IntN(10) > 0 {
		return 0
	}
	h.kills++
	return time.Duration(1+h.r.IntN(40)) * time.Millisecond
}

// patient has what fails while a vendor is away tried again when it is back: the test environment makes ten attempts only.
func (h *history) patient(err error) error {
	now := h.env.Now()
	h.mu.Lock()
	defer h.mu.Unlock()
	var app *temporal.ApplicationError
	if !h.down || errors.As(err, &app) && app.NonRetryable() || now.Add(time.Minute).After(h.back) {
		return err
	}
	return temporal.NewApplicationErrorWithOptions(err.Error(), "Away", temporal.ApplicationErrorOptions{NextRetryDelay: h.back.Sub(now) + time.Second})
}

// end holds what must be so after each activity.
func (h *history) end(name string, ok bool) {
	now := h.env.Now() // which waits for the clock, whose callbacks wait for the lock
	h.mu.Lock()
	defer h.mu.Unlock()
	switch {
	case ok && name == workflows.ActRevokeLink.Name():
		h.off = true
		until := h.due
		if h.downUntil.After(until) {
			until = h.downUntil
		}
		if late := now.Sub(until); late > 10*time.Minute {
			h.wrong = append(h.wrong, fmt.Sprintf("the link went off %s late", late))
		}
	case ok && name == workflows.ActExtendReview.Name():
		h.off = false
	}
	if !h.off {
		return
	}
	for _, s := range h.shares() {
		if !s.Inactive {
			h.wrong = append(h.wrong, "a link is on after the end: after "+name)
		}
	}
}

// plan decides by chance what happens when.
func (h *history) plan(lasts time.Duration) {
	do := func(at time.Duration, what func()) { h.events = append(h.events, &event{at: at, do: what}) }
	chance := func(of int) bool { return h.r.IntN(of) == 0 }
	within := func(from, to time.Duration) time.Duration { return from + time.Duration(h.r.Int64N(int64(to-from))) }
	for range 10 {
		do(within(3*time.Minute, lasts-time.Minute), h.people)
	}
	for range 3 {
		do(within(3*time.Minute, lasts-time.Minute), h.decide)
	}
	quiet := 2 * time.Minute // no vendor is away beside what is: what comes back then keeps its comments for a while
	if chance(2) {
		at, away := within(5*time.Minute, lasts/3), []time.Duration{5 * time.Second, 20 * time.Minute, 70 * time.Minute}[h.r.IntN(3)]
		h.goAndComeBack(do, at, away)
		quiet = at + away + 15*time.Minute
	}
	if chance(2) {
		h.outage(do, within(quiet, max(lasts, quiet+time.Minute)), time.Duration(61+h.r.IntN(60))*time.Minute)
	}
	const tick = 5 * time.Minute
	for at := tick; at < lasts+5*time.Hour; at += tick { // activities have a clock of their own, which does not skip
		do(at, func() { h.later(tick) })
	}
	if chance(2) {
		at := within(5*time.Minute, lasts-30*time.Minute)
		do(at, h.newVersion)
		if !chance(3) {
			do(at+within(time.Minute, 10*time.Minute), h.sendAgain)
		}
	}
	switch {
	case chance(4):
		do(within(lasts/2, lasts), func() {
			h.env.UpdateWorkflow(workflows.UpdateStop, "stop", h.answered(func() { h.due = h.env.Now() }))
		})
	case chance(3):
		do(lasts-within(time.Minute, 10*time.Minute), func() {
			until := h.env.Now().Add(time.Hour)
			h.env.UpdateWorkflow(workflows.UpdateExtend, "extend", h.answered(func() { h.due = until.Add(callsMayTake) }), workflows.ExtendUpdate{ExpiresAt: until})
		})
	}
}

// callsMayTake is how long an extension may be on its way, for which the review waits.
const callsMayTake = 12 * time.Hour

// answered is for an update whose refusal is fine.
func (h *history) answered(accepted func()) *testsuite.TestUpdateCallback {
	return &testsuite.TestUpdateCallback{OnAccept: func() {
		h.mu.Lock()
		defer h.mu.Unlock()
		accepted()
	}, OnReject: func(error) {}, OnComplete: func(any, error) {}}
}

// ready are the files of the review that are shown.
func (h *history) ready() (out []ledger.ReviewAsset) {
	for _, it := range h.rows() {
		if it.State == ledger.AssetReady {
			out = append(out, it)
		}
	}
	return out
}

func (h *history) people() {
	if files := h.ready(); len(files) > 0 && !h.away && !h.off {
		h.file = files[h.r.IntN(len(files))].FileID
		for range 1 + h.r.IntN(3) {
			h.act()
		}
		if !h.down {
			h.spoil()
		}
		if h.r.IntN(2) == 0 {
			h.env.SignalWorkflow(workflows.SignalWake, workflows.Hint{Frameio: h.file, Asset: h.asset})
		}
	}
}

func (h *history) decide() {
	files := h.ready()
	switch {
	case len(files) == 0 || h.away || h.off:
	case h.alone == "" && h.r.IntN(3) == 0:
		h.iconik.Decide(h.asset, h.editor, []string{"APPROVED", "NOT_APPROVED", "N/A"}[h.r.IntN(3)])
	default:
		h.frameio.Label(files[h.r.IntN(len(files))].FileID, []string{"approved", "needs_review", "none"}[h.r.IntN(3)])
	}
}

// outage has one vendor, or both, refuse everything for longer than an hour. It is the token that is refused: what fails
// otherwise is tried again within a call, by a clock that does not skip.
func (h *history) outage(do func(time.Duration, func()), at, lasts time.Duration) {
	which := 1 + h.r.IntN(3)
	do(at, func() {
		h.down, h.back = true, h.env.Now().Add(lasts)
		if which&1 != 0 {
			h.downUntil = h.back
			require.NoError(h.t, h.frameio.AddFault(faults.Fault{Match: ".", Status: http.StatusUnauthorized}))
		}
		if which&2 != 0 {
			require.NoError(h.t, h.iconik.AddFault(faults.Fault{Match: ".", Status: http.StatusUnauthorized}))
		}
	})
	do(at+lasts, func() {
		h.down = false
		h.frameio.ClearFaults()
		h.iconik.ClearFaults()
	})
}

// goAndComeBack deletes the newest file, or the asset, and restores it.
func (h *history) goAndComeBack(do func(time.Duration, func()), at, away time.Duration) {
	inIconik, back := h.r.IntN(2) == 0, func() {}
	do(at, func() {
		files := h.ready()
		if len(files) == 0 {
			return
		}
		h.away = true
		if inIconik {
			h.iconik.Delete("assets", h.asset)
			back = func() { h.iconik.Restore("assets", h.asset) }
			return
		}
		file := files[len(files)-1].FileID
		h.frameio.DeleteAsset(file)
		back = func() { h.frameio.RestoreAsset(file) }
	})
	do(at+away, func() { back(); h.away = false })
}

func (h *history) newVersion() {
	if h.down || h.away || h.off {
		return
	}
	h.iconik.ClearFaults()
	require.NoError(h.t, h.iconik.AddVersion(h.asset, "Take 2.mov", samples.Media("25.mov")))
	h.alone, h.approval = h.iconik.CurrentVersion(h.asset), h.iconik.Approval(h.asset)
}

// sendAgain is another click on the asset, which the running review takes.
func (h *history) sendAgain() {
	if h.alone == "" || h.off || h.down || h.away {
		return
	}
	taken, err := h.book.Tenant(tenantID).Review(reviewID).HandOver(context.Background(), "another-click", ledger.ReviewAsset{AssetID: h.asset, VersionID: h.alone, Title: "Take.mov",
		Quality: "original", State: ledger.AssetPending, Decision: "none", ClickedAt: time.Now().UTC()}, h.env.Now())
	require.NoError(h.t, err)
	if taken {
		h.alone = ""
		h.env.SignalWorkflow(workflows.SignalResend, nil)
	}
}

// differences says what differs between the two sides before the media goes.
func (h *history) differences() []string {
	wrong := h.equal(h.ref)
	for _, it := range h.rows() {
		if it.State != ledger.AssetReady {
			wrong = append(wrong, fmt.Sprintf("file %d is %s: %s", it.N, it.State, it.Reason))
			continue
		}
		label := ""
		for _, a := range h.frameio.AssetsOf(h.row().ProjectID) {
			if a.ID == it.FileID {
				label = a.Label
			}
		}
		if _, want, known := mapping.Decision(label); known && it.Decision != want {
			wrong = append(wrong, fmt.Sprintf("file %d is labeled %q and decided %q", it.N, label, it.Decision))
		}
	}
	if now := h.iconik.Approval(h.asset); h.alone != "" && now != h.approval && now != "N/A" {
		wrong = append(wrong, fmt.Sprintf("a version that was not reviewed went from %q to %q", h.approval, now))
	}
	return wrong
}

// judge holds what must be so when all is over.
func (h *history) judge() {
	assert.Empty(h.t, h.wrong)
	assert.True(h.t, h.checked)
	row := h.row()
	assert.Equal(h.t, ledger.ReviewDeleted, row.Status, row.Reason)
	assert.Len(h.t, h.frameio.AssetsOf(row.ProjectID), 1, "only the project's root is left")
	invited := map[string]int{}
	for _, m := range h.frameio.Mails() {
		invited[m.Share+" "+m.To]++
	}
	if len(invited) == 0 { // the worker was killed before the request left, and V4 does not say so: rather never than twice
		assert.Contains(h.t, h.notes(), "did not confirm the invitation")
	}
	assert.LessOrEqual(h.t, len(invited), 1)
	for who, times := range invited {
		assert.Equal(h.t, 1, times, who)
	}
	var deleted []string
	entries, err := h.book.Tenant(tenantID).AuditPage(h.t.Context(), ledger.AuditFilter{Review: reviewID, Action: "deleted file"}, 0, 100)
	require.NoError(h.t, err)
	for _, e := range entries {
		deleted = append(deleted, string(e.Detail))
	}
	slices.Sort(deleted)
	assert.Equal(h.t, len(deleted), len(slices.Compact(slices.Clone(deleted))), "no file is deleted twice: %v", deleted)
	if h.t.Failed() {
		h.t.Log(h.notes())
	}
	h.t.Logf("%d kills, %d versions, %d remarks, approval %s", h.kills, len(h.rows()), h.said, h.iconik.Approval(h.asset))
}
