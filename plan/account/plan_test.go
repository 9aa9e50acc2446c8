package account

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/framebridge/framebridge/access"
	"github.com/framebridge/framebridge/clients/frameio"
	"github.com/framebridge/framebridge/clients/rest"
	"github.com/framebridge/framebridge/config"
	"github.com/framebridge/framebridge/ledger"
	"github.com/framebridge/framebridge/plan"
	"github.com/framebridge/framebridge/test/emptyledger"
	"github.com/framebridge/framebridge/workflows"
)

const gib = 1 << 30

// treeAccount is projects with their files. A project with an error cannot be listed.
type treeAccount struct {
	frameio.Reader
	names []string
	files map[string][]frameio.Asset
	fail  map[string]error
	reads []string
}

func (a *treeAccount) Generation() frameio.Generation { return frameio.V4 }

func (a *treeAccount) Capabilities() frameio.Capabilities {
	return frameio.Capabilities{SharesOnly: true, ListLimit: 100, CommentPolls: 100}
}

func (a *treeAccount) Projects(context.Context, string) (frameio.Page[frameio.Project], error) {
	var page frameio.Page[frameio.Project]
	for _, n := range a.names {
		page.Items = append(page.Items, frameio.Project{ID: n, Name: "Project " + n, RootID: n, Team: frameio.Team{ID: "w", Name: "Films"}, Restricted: n == "c"})
	}
	return page, nil
}

func (a *treeAccount) Children(_ context.Context, folder, _ string) (frameio.Page[frameio.Asset], error) {
	a.reads = append(a.reads, folder)
	return frameio.Page[frameio.Asset]{Items: a.files[folder]}, a.fail[folder]
}

func (a *treeAccount) Shares(_ context.Context, project, _ string) (frameio.Page[frameio.Share], error) {
	return frameio.Page[frameio.Share]{Items: []frameio.Share{{ID: "s" + project, HasPassphrase: project == "a"}}}, nil
}

func (a *treeAccount) Collections(context.Context, string, string) (frameio.Page[frameio.Collection], error) {
	return frameio.Page[frameio.Collection]{}, nil
}

func (a *treeAccount) Project(_ context.Context, id string) (frameio.Project, error) {
	return frameio.Project{}, &rest.Error{Class: rest.NotFound}
}

// everybody gives open access, except to the restricted projects.
type everybody struct{}

func (everybody) ProjectRule(_ context.Context, p frameio.Project) (access.Rule, error) {
	return access.Rule{Kind: access.KindProject, Place: p.Name, Mode: access.Source, Open: !p.Restricted}, nil
}

func (everybody) FolderRule(_ context.Context, above access.Rule, _, _ string) (access.Rule, bool, error) {
	return above, false, nil
}

func (everybody) Resolve(_ context.Context, r *access.Rule) error {
	if !r.Open {
		r.Readers, r.Unmapped = []string{"nora@example.com"}, []access.Unmapped{{Kind: "group", Name: "Legal"}}
	}
	return nil
}

var today = at("2026-11-29")

func clip(id string, size int64, uploaded string, minutes float64) frameio.Asset {
	return frameio.Asset{ID: id, Name: id + ".mov", Kind: frameio.KindFile, MediaType: "video/quicktime", Class: frameio.ClassStream, Size: size, Duration: minutes * 60, UploadedAt: at(uploaded), CommentCount: -1, Original: frameio.OriginalAvailable}
}

func newTree() *treeAccount {
	never, huge := clip("a3", 7, "2026-11-20", 9), clip("c1", 60*gib, "2022-01-01", 9)
	never.Original = frameio.OriginalNeverUploaded
	return &treeAccount{names: []string{"c", "b", "a", "d"}, fail: map[string]error{"b": &rest.Error{Vendor: "Frame.io", Operation: "list a folder", Status: 403, Class: rest.Forbidden}},
		files: map[string][]frameio.Asset{
			"a": {clip("a1", gib, "2026-11-20", 2), clip("a2", gib, "2025-12-31", 1), never, {ID: "f", Name: "Folder", Kind: frameio.KindFolder}},
			"f": {{ID: "a4", Name: "a.pdf", Kind: frameio.KindFile, MediaType: "application/pdf", Size: 10, UploadedAt: at("2024-01-01"), CommentCount: 3, Original: frameio.OriginalAvailable}},
			"b": {clip("b1", gib, "2026-11-20", 2)},
			"c": {huge},
		}}
}

func newLedger(t *testing.T) *ledger.Ledger {
	t.Helper()
	l, err := ledger.Open(t.Context(), emptyledger.DSN(t))
	require.NoError(t, err)
	t.Cleanup(l.Close)
	return l
}

func sourceOf(t *testing.T, a *treeAccount) Source {
	t.Helper()
	return Source{
		Source: plan.Source{Frameio: a, Ledger: newLedger(t).Tenant("T"), Policy: config.Archive{MaxFileSize: 50 * gib, MissingOriginal: "wait"}, Access: everybody{},
			Storage: func(context.Context) error { return errors.New("iconik has no storage for files") }},
		Prices: config.Prices{Currency: "EUR", Storage: map[string]float64{"Deep": 0.5, "Cold": 0.25}, Egress: 2, Transcode: 0.5}, Bandwidth: gib, Now: today,
	}
}

func TestAnAccountsPlanAddsUpItsProjects(t *testing.T) {
	made, err := Make(t.Context(), sourceOf(t, newTree()), Selection{}, Progress{})
	require.NoError(t, err)
	assert.Equal(t, []int64{4, 5, 1, 4}, []int64{made.Projects, made.Files, made.Folders, made.Shares}, "a folder that is refused holds no files that are known")
	assert.Equal(t, int64(62*gib+17), made.Bytes)
	assert.Equal(t, []workflows.PlanType{{MediaType: "video/quicktime", Count: 4, Bytes: 62*gib + 7}, {MediaType: "application/pdf", Count: 1, Bytes: 10}}, made.ByType)
	assert.Equal(t, []workflows.PlanAge{{Age: "less than 30 days", Count: 2, Bytes: gib + 7}, {Age: "30 days to 1 year", Count: 1, Bytes: gib}, {Age: "1 to 3 years", Count: 1, Bytes: 10},
		{Age: "more than 3 years", Count: 1, Bytes: 60 * gib}}, made.ByAge)
	assert.Equal(t, []workflows.AccountBlocker{
		{Why: "iconik has no storage for files", Outcome: "every archive would fail at the start"},
		{ProjectID: "a", Project: "Project a", Why: "the upload to Frame.io was never completed", Outcome: "skipped: kept as a placeholder with its metadata and comments", Files: 1, Bytes: 7, Path: "a3.mov"},
		{ProjectID: "b", Project: "Project b", Why: made.Blockers[2].Why, Outcome: plan.Incomplete, Path: "Project b"},
		{ProjectID: "c", Project: "Project c", Why: "over the size limit: archive.max_file_size is 53687091200 bytes", Outcome: "skipped: kept as a placeholder with its metadata and comments", Files: 1, Bytes: 60 * gib, Path: "c1.mov"},
	}, made.Blockers)
	assert.Contains(t, made.Blockers[2].Why, "403")
	assert.Equal(t, workflows.AccountAccess{Mode: "source", Open: 3, Restricted: 1, Places: []workflows.AccountReader{{ProjectID: "c", Project: "Project c", Readers: []string{"nora@example.com"}}}, Unmapped: []string{"group Legal"}}, made.Access)
	counts := map[string]int64{}
	for _, n := range made.NotCarried {
		counts[n.Kind] = -1
		if n.Count != nil {
			counts[n.Kind] = *n.Count
		}
	}
	assert.Equal(t, map[string]int64{"original": 2, "share setting": 1, "attachment": -1, "like": -1, "author": -1}, counts)
	gibs := 2 + 10.0/gib
	assert.InDelta(t, gibs, made.Time.Bytes, 1e-9, "at a GiB a second; what is skipped takes no time")
	assert.Equal(t, &workflows.PlanCost{Currency: "EUR", GiB: gibs, Minutes: 3, Storage: []workflows.StorageCost{{Class: "Cold", PerMonth: gibs / 4}, {Class: "Deep", PerMonth: gibs / 2}}, Egress: 2 * gibs, Transcode: 1.5}, made.Cost)
}

// If files without an original make an archive fail, they are one line, no matter how many, and do not hide another project's.
func TestFilesThatFailAreOneProblem(t *testing.T) {
	a := &treeAccount{names: []string{"a", "b", "z"}, files: map[string][]frameio.Asset{}, fail: map[string]error{"b": &rest.Error{Vendor: "Frame.io", Status: 403, Class: rest.Forbidden}}}
	for i := range 300 {
		f := clip(fmt.Sprint("f", i), gib, "2026-11-20", 1)
		f.Original = frameio.OriginalArchived
		a.files["a"] = append(a.files["a"], f)
	}
	a.files["z"] = []frameio.Asset{clip("z1", 60*gib, "2026-11-20", 1)}
	s := sourceOf(t, a)
	s.Storage, s.Policy.MissingOriginal = nil, "fail"
	made, err := Make(t.Context(), s, Selection{}, Progress{})
	require.NoError(t, err)
	require.Len(t, made.Blockers, 3)
	assert.Equal(t, []string{"a", "b", "z"}, []string{made.Blockers[0].ProjectID, made.Blockers[1].ProjectID, made.Blockers[2].ProjectID})
	assert.EqualValues(t, 300, made.Blockers[0].Files)
	assert.Zero(t, made.BlockersMore)
}

func TestTheVendorsLimitsHoldForTheAccountNotForEachProject(t *testing.T) {
	a := &treeAccount{files: map[string][]frameio.Asset{}}
	for i := range 20 {
		name := fmt.Sprintf("%02d", i)
		a.names = append(a.names, name)
		for n := range 50 {
			a.files[name] = append(a.files[name], clip(fmt.Sprint(name, "-", n), 1, "2026-11-01", 1))
		}
	}
	made, err := Make(t.Context(), sourceOf(t, a), Selection{}, Progress{})
	require.NoError(t, err)
	assert.InDelta(t, 9*60, made.Time.Limits, 1, "1,000 listings of comments at 100 a minute, the first 100 at once: no project alone has more than 50")
}

func TestAPlanWithoutPricesHasNoCostAndNoNullLists(t *testing.T) {
	s := sourceOf(t, &treeAccount{})
	s.Prices, s.Storage, s.Access = config.Prices{Currency: "USD"}, nil, nil
	made, err := Make(t.Context(), s, Selection{}, Progress{})
	require.NoError(t, err)
	raw, err := json.Marshal(made)
	require.NoError(t, err)
	assert.JSONEq(t, `{"projects":0,"files":0,"bytes":0,"folders":0,"comments":0,"shares":0,"by_type":[],"by_age":[{"age":"less than 30 days","count":0,"bytes":0},{"age":"30 days to 1 year","count":0,"bytes":0},{"age":"1 to 3 years","count":0,"bytes":0},{"age":"more than 3 years","count":0,"bytes":0}],
		"blockers":[],"access":{"mode":"","open":0,"restricted":0,"within":0,"places":[],"unmapped":[]},"not_carried":[],"time":{"limits":0,"bytes":0,"bytes_per_second":1073741824},"cost":null,"api_calls":0}`, string(raw))
}

func TestAPlanGoesOnAfterTheLastProject(t *testing.T) {
	whole, err := Make(t.Context(), sourceOf(t, newTree()), Selection{}, Progress{})
	require.NoError(t, err)
	a := newTree()
	ctx, cancel := context.WithCancel(t.Context())
	s := sourceOf(t, a)
	var saved []byte
	s.Save = func(p Progress) {
		if saved, _ = json.Marshal(p); p.Done == 2 {
			cancel()
		}
	}
	s.Stopping = func(context.Context) error { return ctx.Err() }
	_, err = Make(ctx, s, Selection{}, Progress{})
	require.ErrorIs(t, err, context.Canceled)
	var from Progress
	require.NoError(t, json.Unmarshal(saved, &from))
	assert.Equal(t, []any{2, 4, "b"}, []any{from.Done, from.Of, from.Last})
	a.reads, s.Stopping, s.Save = nil, nil, nil
	rest, err := Make(t.Context(), s, Selection{}, from)
	require.NoError(t, err)
	assert.Equal(t, whole, rest)
	assert.Equal(t, []string{"c", "d"}, a.reads)
}

func TestAnOutageEndsAPlanAndOneProjectDoesNot(t *testing.T) {
	a := newTree()
	away := &rest.Error{Vendor: "Frame.io", Operation: "list a folder", Status: 503, Class: rest.Retryable}
	a.fail["b"] = away
	made, err := Make(t.Context(), sourceOf(t, a), Selection{}, Progress{})
	require.NoError(t, err)
	assert.Contains(t, made.Blockers[2].Outcome, "plan again")
	for i := range outageAfter {
		a.names = append(a.names, fmt.Sprint("x", i))
		a.fail[fmt.Sprint("x", i)] = away
	}
	_, err = Make(t.Context(), sourceOf(t, a), Selection{}, Progress{})
	require.ErrorIs(t, err, away)
	a.fail["b"] = &rest.Error{Class: rest.Unauthorized, Status: 401}
	_, err = Make(t.Context(), sourceOf(t, a), Selection{}, Progress{})
	assert.ErrorIs(t, err, a.fail["b"])
}

func TestMoreThanIsListedIsCounted(t *testing.T) {
	a := &treeAccount{fail: map[string]error{}}
	for i := range listed + 7 {
		a.names = append(a.names, fmt.Sprintf("%04d", i))
		a.fail[fmt.Sprintf("%04d", i)] = &rest.Error{Class: rest.Forbidden}
	}
	s := sourceOf(t, a)
	s.Storage = nil
	made, err := Make(t.Context(), s, Selection{}, Progress{})
	require.NoError(t, err)
	assert.Len(t, made.Blockers, listed)
	assert.Equal(t, 7, made.BlockersMore)
	assert.Equal(t, time.Duration(0), time.Duration(made.Time.Bytes))
}
