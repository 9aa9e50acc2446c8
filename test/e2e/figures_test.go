//go:build integration

package e2e

import (
	"cmp"
	"fmt"
	"maps"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	enumspb "go.temporal.io/api/enums/v1"
	historypb "go.temporal.io/api/history/v1"
	"google.golang.org/protobuf/proto"

	"github.com/framebridge/framebridge/sandbox/samples"
)

// TestFiguresOfAnArchive prints what an archive of FRAMEBRIDGE_FILES small files costs: time, memory, calls by operation, and
// what Temporal stores about it. FRAMEBRIDGE_LIMITS makes the vendors enforce rate limits.
func TestFiguresOfAnArchive(t *testing.T) {
	n := 0
	if _, err := fmt.Sscan(os.Getenv("FRAMEBRIDGE_FILES"), &n); err != nil {
		t.Skip("a measurement: set FRAMEBRIDGE_FILES to the number of files")
	}
	o := options(t)
	o.RateLimits = os.Getenv("FRAMEBRIDGE_LIMITS") != ""
	s := open(t, o)
	p, err := samples.Small(s.Frameio, s.team, "Many", n, 0)
	require.NoError(t, err)
	ours, theirs := s.Iconik.Calls(), s.Frameio.Calls()
	began := time.Now()
	s.request(p.ID)
	a := s.within(time.Hour, p.ID, ended)
	took := time.Since(began)
	require.Equal(t, "verified", a.Status, a.Reason)
	t.Logf("%d files in %s, %.1f files/s; the worker's peak memory %d MiB, its processor time %.0f s", n, took.Round(time.Second), float64(n)/took.Seconds(), peak(t, s.Worker.Pid())>>20, cpu(t, s.Worker.Pid()))
	perFile(t, "iconik", n, ours, s.Iconik.Calls())
	perFile(t, "Frame.io", n, theirs, s.Frameio.Calls())
	s.temporalFigures(n)
}

// perFile prints calls by operation, the most frequent first.
func perFile(t *testing.T, vendor string, n int, before, after map[string]int) {
	t.Helper()
	maps.DeleteFunc(after, func(op string, c int) bool { after[op] = c - before[op]; return after[op] == 0 })
	ops := slices.SortedFunc(maps.Keys(after), func(x, y string) int { return cmp.Or(cmp.Compare(after[y], after[x]), cmp.Compare(x, y)) })
	var b strings.Builder
	for _, op := range ops {
		fmt.Fprintf(&b, "\n%8d  %6.3f  %s", after[op], float64(after[op])/float64(n), op)
	}
	t.Logf("%s: %.2f calls per file%s", vendor, float64(total(after))/float64(n), b.String())
}

// temporalFigures prints what Temporal recorded. An action is what Temporal Cloud counts as one: a workflow start (a child
// counts twice), an activity, a timer, a signal, a marker, an update of search attributes.
func (s *harness) temporalFigures(n int) {
	s.t.Helper()
	events, size, longest, actions := 0, 0, 0, map[string]int{}
	for _, h := range s.histories() {
		events, longest = events+len(h.Events), max(longest, len(h.Events))
		size += proto.Size(h)
		for _, e := range h.Events {
			if name, count := action(e); count > 0 {
				actions[name] += count
			}
		}
	}
	s.t.Logf("Temporal: %.2f actions per file, %.0f events and %.0f KiB of history per 1,000 files, the longest history %d events", float64(total(actions))/float64(n), 1000*float64(events)/float64(n), 1000*float64(size)/float64(n)/1024, longest)
	perFile(s.t, "actions", n, nil, actions)
}

func action(e *historypb.HistoryEvent) (name string, count int) {
	switch e.GetEventType() {
	case enumspb.EVENT_TYPE_ACTIVITY_TASK_SCHEDULED:
		return e.GetActivityTaskScheduledEventAttributes().GetActivityType().GetName(), 1
	case enumspb.EVENT_TYPE_START_CHILD_WORKFLOW_EXECUTION_INITIATED:
		return "child workflow", 2
	case enumspb.EVENT_TYPE_WORKFLOW_EXECUTION_STARTED, enumspb.EVENT_TYPE_TIMER_STARTED, enumspb.EVENT_TYPE_WORKFLOW_EXECUTION_SIGNALED,
		enumspb.EVENT_TYPE_MARKER_RECORDED, enumspb.EVENT_TYPE_UPSERT_WORKFLOW_SEARCH_ATTRIBUTES:
		if e.GetWorkflowExecutionStartedEventAttributes().GetParentInitiatedEventId() != 0 {
			return "", 0 // counted with its parent
		}
		return strings.ToLower(e.GetEventType().String()), 1
	}
	return "", 0
}
