package workflows

import (
	"go/ast"
	"go/token"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	commonpb "go.temporal.io/api/common/v1"
	enumspb "go.temporal.io/api/enums/v1"
	historypb "go.temporal.io/api/history/v1"
	"go.temporal.io/sdk/converter"
	"go.temporal.io/sdk/interceptor"
	"go.temporal.io/sdk/worker"
	"go.temporal.io/sdk/workflow"
	"google.golang.org/protobuf/encoding/protojson"

	"github.com/framebridge/framebridge/test/temporaltest"
)

// recorded returns the recorded histories below a folder of testdata, by their path in it.
func recorded(t *testing.T, folder string) map[string]*historypb.History {
	t.Helper()
	out := map[string]*historypb.History{}
	root := filepath.Join("testdata", folder)
	require.NoError(t, filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || filepath.Ext(path) != ".json" {
			return err
		}
		raw, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		var h historypb.History
		name, err := filepath.Rel(root, path)
		if err == nil {
			err = protojson.Unmarshal(raw, &h)
		}
		out[name] = &h
		return err
	}))
	return out
}

// replay replays a history with today's code and returns the versions it asked for, by change ID.
func replay(t *testing.T, h *historypb.History) (map[string]workflow.Version, error) {
	t.Helper()
	asked := &versions{seen: map[string]workflow.Version{}}
	replayer, err := temporaltest.Replayer(worker.WorkflowReplayerOptions{Interceptors: []interceptor.WorkerInterceptor{asked}})
	require.NoError(t, err)
	Register(replayer)
	return asked.seen, replayer.ReplayWorkflowHistory(temporaltest.Quiet, h)
}

// versions records the answers that a workflow gets to GetVersion.
type versions struct {
	interceptor.WorkerInterceptorBase
	seen map[string]workflow.Version
}

func (v *versions) InterceptWorkflow(_ workflow.Context, next interceptor.WorkflowInboundInterceptor) interceptor.WorkflowInboundInterceptor {
	return &versionsIn{WorkflowInboundInterceptorBase: interceptor.WorkflowInboundInterceptorBase{Next: next}, all: v}
}

type versionsIn struct {
	interceptor.WorkflowInboundInterceptorBase
	all *versions
}

func (v *versionsIn) Init(out interceptor.WorkflowOutboundInterceptor) error {
	return v.Next.Init(&versionsOut{WorkflowOutboundInterceptorBase: interceptor.WorkflowOutboundInterceptorBase{Next: out}, all: v.all})
}

type versionsOut struct {
	interceptor.WorkflowOutboundInterceptorBase
	all *versions
}

func (v *versionsOut) GetVersion(ctx workflow.Context, id string, oldest, newest workflow.Version) workflow.Version {
	version := v.Next.GetVersion(ctx, id, oldest, newest)
	v.all.seen[id] = version
	return version
}

// TestRecordedHistoriesReplay protects workflows that run while a new version is deployed: what a real server recorded must
// replay with today's code. A change that breaks it needs a marker (versions.go), not a new recording.
func TestRecordedHistoriesReplay(t *testing.T) {
	histories := recorded(t, "histories")
	require.GreaterOrEqual(t, len(histories), 90)
	for name, h := range histories {
		t.Run(name, func(t *testing.T) {
			_, err := replay(t, h)
			require.NoError(t, err)
		})
	}
}

// registered records the names under which workflows are registered.
type registered struct {
	worker.WorkflowRegistry

	names []string
}

func (r *registered) RegisterWorkflowWithOptions(_ any, o workflow.RegisterOptions) {
	r.names = append(r.names, o.Name)
}

// TestEveryWorkflowHasAHistory: without a recorded history, nothing would test the first change to a workflow. Like a marker, a
// new workflow may wait for a day, because it is recorded from main.
func TestEveryWorkflowHasAHistory(t *testing.T) {
	have := map[string][]string{}
	for name, h := range recorded(t, "histories") {
		kind := h.GetEvents()[0].GetWorkflowExecutionStartedEventAttributes().GetWorkflowType().GetName()
		have[kind] = append(have[kind], name)
	}
	var r registered
	Register(&r)
	require.NotEmpty(t, r.names)
	for _, name := range r.names {
		t.Logf("%s: %d histories", name, len(have[name]))
		if len(have[name]) == 0 {
			age := sinceCommitted(t, ".", "names.go", name)
			assert.Less(t, age, mayWait, "%s was committed %s ago and has no recorded history: add a scenario to record_test.go; task record -- COMMIT records it from the commit on main", name, age)
		}
	}
}

// TestHistoriesOfOtherCodeAreRefused shows that the test above can fail. See testdata/README.md for what was altered.
func TestHistoriesOfOtherCodeAreRefused(t *testing.T) {
	says := map[string]string{ // [TMPRL1100] is Temporal's code for a nondeterministic workflow
		"bad-activity.json":  "[TMPRL1100] nondeterministic workflow: history event is ActivityTaskScheduled: (ActivityId:5, ActivityType:(Name:SendMail)",
		"bad-order.json":     "[TMPRL1100] nondeterministic workflow: history event is ActivityTaskScheduled: (ActivityId:17, ActivityType:(Name:CloseVersion)",
		"bad-migration.json": "[TMPRL1100] nondeterministic workflow: history event is ActivityTaskScheduled: (ActivityId:112, ActivityType:(Name:WriteAccountReport)",
		"bad-marker.json":    "[TMPRL1100] lookup failed for scheduledEventID",
	}
	histories := recorded(t, "bad")
	require.Len(t, histories, len(says))
	for name, h := range histories {
		t.Run(name, func(t *testing.T) {
			_, err := replay(t, h)
			require.ErrorContains(t, err, says[name])
		})
	}
}

// marked returns the versions in a history's markers, by change ID.
func marked(t *testing.T, h *historypb.History) map[string]workflow.Version {
	t.Helper()
	out := map[string]workflow.Version{}
	decode := func(p *commonpb.Payloads, to any) {
		require.NoError(t, converter.GetDefaultDataConverter().FromPayloads(p, to))
	}
	for _, e := range h.GetEvents() {
		if e.GetEventType() != enumspb.EVENT_TYPE_MARKER_RECORDED || e.GetMarkerRecordedEventAttributes().GetMarkerName() != "Version" {
			continue
		}
		var id string
		var version workflow.Version
		decode(e.GetMarkerRecordedEventAttributes().GetDetails()["change-id"], &id)
		decode(e.GetMarkerRecordedEventAttributes().GetDetails()["version"], &version)
		out[id] = version
	}
	return out
}

// TestEveryMarkerHasHistoriesOfBothSides: for each marker in versions.go, one recorded history passed its place before the marker
// existed, and another one after. A replay tells which, because it records what the code asked and was told.
func TestEveryMarkerHasHistoriesOfBothSides(t *testing.T) {
	before, after := map[string][]string{}, map[string][]string{}
	for name, h := range recorded(t, "histories") {
		asked, err := replay(t, h)
		require.NoError(t, err, name)
		has := marked(t, h)
		for id, version := range asked {
			switch recordedAs, ok := has[id]; {
			case version == workflow.DefaultVersion && !ok:
				before[id] = append(before[id], name)
			case version == markerSet && recordedAs == markerSet:
				after[id] = append(after[id], name)
			}
		}
		for id := range has {
			assert.Contains(t, asked, id, "%s holds a marker that today's code does not ask for", name)
		}
	}
	markers := markersOf(t)
	require.NotEmpty(t, markers)
	for name, m := range markers {
		id := m.id
		assert.NotEmpty(t, before[id], "%s (%q): no recorded history went through before the marker was there; task record -- COMMIT records from the commit before it", name, id)
		if m.since == "" { // a history of its new side can be recorded only from main
			age := sinceCommitted(t, ".", "versions.go", m.id)
			assert.Less(t, age, mayWait, "%s (%q) was committed %s ago: set its since to that commit, and record a history that has the marker: task record -- COMMIT", name, id, age)
		} else {
			assert.NotEmpty(t, after[id], "%s (%q): no recorded history has the marker; task record -- COMMIT records one", name, id)
		}
		slices.Sort(before[id])
		slices.Sort(after[id])
		t.Logf("%s: before %v, after %v", name, before[id], after[id])
	}
}

// mayWait is how long a marker may lack a history of its new side, and a workflow any history, after its commit.
const mayWait = 24 * time.Hour

// sinceCommitted returns how long before the last commit of dir a string was added to a file. It returns 0 if the string is not
// committed, or if the history is not available: without git, or in a shallow clone.
func sinceCommitted(t *testing.T, dir, file, text string) time.Duration {
	t.Helper()
	date := func(args ...string) time.Time {
		out, err := exec.Command("git", append([]string{"-C", dir, "log", "--format=%cI"}, args...)...).Output()
		dates := strings.Fields(string(out))
		if err != nil || len(dates) == 0 {
			return time.Time{}
		}
		at, err := time.Parse(time.RFC3339, dates[len(dates)-1]) // the oldest
		require.NoError(t, err)
		return at
	}
	came := date("-S"+strconv.Quote(text), "--", file)
	if came.IsZero() {
		return 0
	}
	return date("-1").Sub(came)
}

// TestAMarkerMayWaitForADay shows that the rule can fail.
func TestAMarkerMayWaitForADay(t *testing.T) {
	dir := t.TempDir()
	git := func(at string, args ...string) {
		t.Helper()
		cmd := exec.Command("git", append([]string{"-C", dir, "-c", "user.name=a", "-c", "user.email=a@example.com", "-c", "commit.gpgsign=false"}, args...)...)
		cmd.Env = append(os.Environ(), "GIT_COMMITTER_DATE="+at)
		out, err := cmd.CombinedOutput()
		require.NoError(t, err, "%s", out)
	}
	const file, fresh = "versions.go", "a new way"
	assert.Zero(t, sinceCommitted(t, dir, file, fresh), "no git history")
	git("", "init", "-q", "-b", "main")
	require.NoError(t, os.WriteFile(filepath.Join(dir, file), []byte(`var markerNewWay = marker{id: "a new way"}`), 0o600))
	assert.Zero(t, sinceCommitted(t, dir, file, fresh), "not committed")
	git("", "add", file)
	git("2026-11-28T10:00:00Z", "commit", "-q", "-m", "the marker")
	assert.Zero(t, sinceCommitted(t, dir, file, fresh))
	git("2026-11-30T11:00:00Z", "commit", "-q", "--allow-empty", "-m", "another")
	assert.Equal(t, 49*time.Hour, sinceCommitted(t, dir, file, fresh))
}

// markersOf reads the markers from versions.go, by name.
func markersOf(t *testing.T) map[string]marker {
	t.Helper()
	out := map[string]marker{}
	_, files := sources(t)
	for _, f := range files {
		ast.Inspect(f, func(n ast.Node) bool {
			v, ok := n.(*ast.ValueSpec)
			if !ok || len(v.Values) != 1 {
				return true
			}
			lit, ok := v.Values[0].(*ast.CompositeLit)
			if kind, named := typeOf(lit); !ok || !named || kind != "marker" {
				return true
			}
			var m marker
			for _, e := range lit.Elts {
				field := e.(*ast.KeyValueExpr)
				text, err := strconv.Unquote(field.Value.(*ast.BasicLit).Value)
				require.NoError(t, err)
				switch field.Key.(*ast.Ident).Name {
				case "id":
					m.id = text
				case "since":
					m.since = text
				}
			}
			out[v.Names[0].Name] = m
			return true
		})
	}
	return out
}

// typeOf returns the name of a literal's type.
func typeOf(lit *ast.CompositeLit) (string, bool) {
	if lit == nil {
		return "", false
	}
	kind, ok := lit.Type.(*ast.Ident)
	if !ok {
		return "", false
	}
	return kind.Name, true
}

// TestMarkersStandInVersions: change IDs and calls of GetVersion are in versions.go only.
func TestMarkersStandInVersions(t *testing.T) {
	set, files := sources(t)
	known := map[string]bool{}
	for _, m := range markersOf(t) {
		assert.False(t, known[m.id], "%q is the id of two markers", m.id)
		known[m.id] = true
	}
	for _, f := range files {
		if set.Position(f.Pos()).Filename == "versions.go" {
			continue
		}
		ast.Inspect(f, func(n ast.Node) bool {
			if n == nil {
				return false
			}
			at := set.Position(n.Pos())
			switch n := n.(type) {
			case *ast.SelectorExpr:
				assert.NotEqual(t, "GetVersion", n.Sel.Name, "%s: ask a marker of versions.go instead", at)
			case *ast.CompositeLit:
				kind, _ := typeOf(n)
				assert.NotEqual(t, "marker", kind, "%s: markers stand in versions.go", at)
			case *ast.BasicLit:
				if text, err := strconv.Unquote(n.Value); err == nil && n.Kind == token.STRING {
					assert.False(t, known[text], "%s: the id of a marker stands here a second time", at)
				}
			}
			return true
		})
	}
}
