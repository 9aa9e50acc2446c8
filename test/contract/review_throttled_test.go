package contract

import (
	"context"
	"fmt"
	"log/slog"
	"maps"
	"net/http"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.temporal.io/sdk/activity"
	"go.temporal.io/sdk/converter"
	"go.temporal.io/sdk/testsuite"

	"github.com/framebridge/framebridge/activities"
	"github.com/framebridge/framebridge/config"
	"github.com/framebridge/framebridge/events"
	"github.com/framebridge/framebridge/ledger"
	"github.com/framebridge/framebridge/sandbox/faults"
	"github.com/framebridge/framebridge/sandbox/frameiosim"
	"github.com/framebridge/framebridge/sandbox/samples"
	"github.com/framebridge/framebridge/transfer"
	"github.com/framebridge/framebridge/workflows"
)

// throttledReview is a review of three hours on which people work on both sides, at a vendor that asks for pauses.
type throttledReview struct {
	*harness
	t     *testing.T
	live  *config.Live
	env   *testsuite.TestWorkflowEnvironment
	asset string
	stage int
	first *frameiosim.Comment
	calls *spoiler
	pause time.Duration // that the spoiler asks for, by the workflow's clock

	mu      sync.Mutex
	began   time.Time       // the attempt before
	until   time.Time       // of the pause
	reasons map[string]bool // what the review said of itself
}

func openThrottled(t *testing.T, generation string) *throttledReview {
	s := &spoiler{seen: map[string]int{}}
	r := &throttledReview{t: t, calls: s, reasons: map[string]bool{}, harness: harnessOptions{generation: generation, storage: "S3", settings: map[string]any{"bucket": "iconik-files"},
		seed: samples.Tiny, frameio: s.before("frameio"), iconik: s.before("iconik"), objects: s.before("store")}.open(t)}
	r.frameio.SetWatermark(true)
	var err error
	r.live, err = config.Open(r.configFile)
	require.NoError(t, err)
	r.acts, err = activities.New(r.live, r.book, r.engine, transfer.NewHTTPClient(nil, nil), nil, slog.New(slog.DiscardHandler))
	require.NoError(t, err)
	r.asset, err = r.iconik.AddAsset("Take 1.mov", "", samples.Media("25.mov"))
	require.NoError(t, err)
	return r
}

// started is called with each attempt of an activity. Once the pause is over by the workflow's clock, which runs ahead of the clients',
// it has the clients opened anew.
func (r *throttledReview) started(name string) {
	if name == workflows.ActSettleAsset.Name() {
		time.Sleep(150 * time.Millisecond) // Frame.io assembles the upload in real time
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.calls.mu.Lock()
	hit := r.calls.hits > 0
	r.calls.mu.Unlock()
	now := r.env.Now()
	if hit && r.until.IsZero() {
		r.until = r.began.Add(r.pause)
	}
	r.began = now
	if hit && r.pause > 0 && !now.Before(r.until) {
		r.pause = 0
		raw, err := os.ReadFile(r.configFile)
		require.NoError(r.t, err)
		require.NoError(r.t, os.WriteFile(r.configFile, []byte(strings.Replace(string(raw), "name: Test", "name: Again", 1)), 0o600))
		_, err = r.live.Reload()
		require.NoError(r.t, err)
	}
}

// work is what people do once the review is open, one thing after the other, as soon as both sides show what it is about. Webhooks tell of it.
func (r *throttledReview) work() {
	row, _, err := r.book.Tenant(tenantID).Review(reviewID).Get(context.Background())
	require.NoError(r.t, err)
	if row.Reason != "" {
		r.reasons[row.Reason] = true
	}
	rows, err := r.book.Tenant(tenantID).Review(reviewID).Assets(context.Background())
	require.NoError(r.t, err)
	if row.Status != ledger.ReviewOpen || len(rows) == 0 || rows[0].FileID == "" {
		return
	}
	file, frame, ms := rows[0].FileID, int64(10), int64(1000)
	segments := r.iconik.Segments(r.asset)
	switch {
	case r.stage == 0:
		r.first = r.frameio.AddComment(frameiosim.Comment{AssetID: file, Text: "remark 1", Timestamp: &frame})
		r.frameio.AddComment(frameiosim.Comment{AssetID: file, ParentID: r.first.ID, Text: "remark 2"})
		r.iconik.Comment(r.asset, r.iconik.ServiceUser(), "remark 3", &ms, &ms, "", nil)
		r.frameio.AddComment(frameiosim.Comment{AssetID: file, Text: "remark 4"})
		r.frameio.Label(file, "needs_review")
	case r.stage == 1 && len(segments) == 4 && len(r.frameio.CommentsOf(file)) == 4 && r.iconik.Approval(r.asset) == "NOT_APPROVED":
		r.frameio.Edit(r.first.ID, func(c *frameiosim.Comment) { c.Text, c.Completed = "remark 5", true })
		for _, g := range segments {
			if g["segment_text"] == "remark 3" {
				require.NoError(r.t, r.iconik.EditSegment(r.asset, fmt.Sprint(g["id"]), map[string]any{"segment_text": "remark 6", "segment_checked": true}))
			}
		}
		r.iconik.Decide(r.asset, r.iconik.AddUser("ed@post.example", "Ed", "Itor"), "APPROVED")
	case r.stage == 2 && strings.Contains(fmt.Sprint(r.frameio.CommentsOf(file)), "remark 6"):
		for _, g := range segments {
			if strings.HasSuffix(fmt.Sprint(g["segment_text"]), "remark 4") {
				require.NoError(r.t, r.iconik.DeleteSegment(r.asset, fmt.Sprint(g["id"])))
			}
		}
		r.iconik.Comment(r.asset, r.iconik.ServiceUser(), "remark 7", &ms, &ms, "", nil)
	default:
		r.stage--
	}
	r.stage++
	r.env.SignalWorkflow(workflows.SignalWake, workflows.Hint{Frameio: file})
	r.env.SignalWorkflow(workflows.SignalWake, workflows.Hint{Asset: r.asset})
}

// play runs the review to its end and says what is left of it.
func (r *throttledReview) play() string {
	ref := r.request(r.t, 3*time.Hour, r.asset)
	r.env = r.skippingTime()
	r.env.SetOnActivityStartedListener(func(info *activity.Info, _ context.Context, _ converter.EncodedValues) {
		r.started(info.ActivityType.Name)
	})
	for at := 10 * time.Minute; at < 3*time.Hour; at += 10 * time.Minute {
		r.env.RegisterDelayedCallback(r.work, at)
	}
	r.env.ExecuteWorkflow(workflows.Review, workflows.ReviewInput{ReviewRef: ref})
	require.True(r.t, r.env.IsWorkflowCompleted())
	require.NoError(r.t, r.env.GetWorkflowError())
	row, _, err := r.book.Tenant(tenantID).Review(reviewID).Get(r.t.Context())
	require.NoError(r.t, err)
	var b strings.Builder
	fmt.Fprintf(&b, "%s %q, notes %q, stage %d\n", row.Status, row.Reason, row.Notes, r.stage)
	fmt.Fprintf(&b, "to iconik %d, to Frame.io %d, open %d\n", row.ToIconik, row.ToFrameio, row.OpenComments)
	fmt.Fprintf(&b, "approval %s, fields %s %s\n", r.iconik.Approval(r.asset), r.iconik.Values("assets", r.asset)["framebridge_decision"], r.iconik.Values("assets", r.asset)["framebridge_review_status"])
	for _, g := range r.iconik.Segments(r.asset) {
		fmt.Fprintf(&b, "%s %v\n", g["segment_text"], g["segment_checked"])
	}
	fmt.Fprintf(&b, "files left %d, invitations %d\n", len(r.frameio.AssetsOf(row.ProjectID))-1, len(r.frameio.Mails()))
	for _, s := range r.frameio.Shares(row.ProjectID) {
		fmt.Fprintf(&b, "link %q, off %v\n", s.Name, s.Inactive)
	}
	for _, kind := range []events.Kind{events.ReviewOpen, events.ReviewExpired, events.ReviewWarning, events.ReviewDeleted, events.ReviewFailed, events.ReviewStopped, events.ReviewChanged, events.ReviewDecision} {
		told, err := r.book.Tenant(tenantID).EventsSince(r.t.Context(), kind, time.Time{})
		require.NoError(r.t, err)
		fmt.Fprintf(&b, "told %s %d\n", kind, len(told))
	}
	return b.String()
}

// pauses are the ways in which vendors ask for one. Those of an hour are skipped, the others are waited out.
var pauses = []struct {
	spoil
	lasts time.Duration
}{
	{spoil{name: "an hour", pause: "3600", times: 1}, time.Hour},
	{spoil{name: "no header", pause: "none", times: 2}, 0},
	{spoil{name: "a day, by date", pause: "date 24h", times: 1}, time.Hour},
	{spoil{name: "a date", pause: "date 1s", times: 1}, 0},
	{spoil{name: "half an hour", pause: "1800", times: 1}, 30 * time.Minute},
}

// A pause that a vendor asks for, at whatever operation of a review, loses nothing and makes nothing twice.
func TestAPauseAtAnyOperationOfAReview(t *testing.T) {
	t.Parallel()
	for _, generation := range played() {
		t.Run(generation, func(t *testing.T) {
			undisturbed := openThrottled(t, generation)
			want := undisturbed.play()
			t.Log(want)
			ops := slices.Sorted(maps.Keys(undisturbed.calls.seen))
			require.Greater(t, len(ops), 25)
			for i, op := range ops {
				if !sampled(i, 8) {
					continue
				}
				how := pauses[i/rounds(8, 1)%len(pauses)]
				how.status = http.StatusTooManyRequests
				after := undisturbed.calls.seen[op] / 2 * (i / len(pauses) % 2) // the first call, or one in the middle
				t.Run(fmt.Sprintf("%s %s after %d", op, how.name, after), func(t *testing.T) {
					t.Parallel()
					r := openThrottled(t, generation)
					r.calls.op, r.calls.after, r.calls.spoil, r.pause = op, after, how.spoil, how.lasts
					got := r.play()
					hits, object := r.calls.end()
					assert.Empty(t, differs(want, got), "%s %d\n%s", object, hits, got)
					assert.True(t, hits > 0 || after > 0, "nothing was refused")
					t.Log(hits, slices.Collect(maps.Keys(r.reasons)))
				})
			}
		})
	}
}

// What holds a review up before anything is sent is shown on it, too.
func TestAPauseBeforeAnythingIsSentIsShown(t *testing.T) {
	t.Parallel()
	for _, match := range []string{"GET .*/assets/v1/assets/[^/]+/?$", "^POST /v4/accounts/[^/]+/folders/[^/]+/folders", "GET .*/files/v1/assets/.*/files"} {
		r := openThrottled(t, "v4")
		fault := faults.Fault{Match: match, Status: http.StatusTooManyRequests, Times: 1, Header: http.Header{"Retry-After": {"3600"}}}
		require.NoError(t, r.iconik.AddFault(fault))
		require.NoError(t, r.frameio.AddFault(fault))
		ref := r.request(t, time.Hour, r.asset)
		_, err := r.acts.Review.PrepareReview(t.Context(), ref)
		if err == nil {
			err = r.acts.Review.StageAsset(t.Context(), workflows.AssetInput{ReviewRef: ref, N: 1})
		}
		require.Error(t, err, match)
		row, _, err := r.book.Tenant(tenantID).Review(reviewID).Get(t.Context())
		require.NoError(t, err)
		assert.Contains(t, row.Reason, "asked Framebridge to wait until about", match)
	}
}
