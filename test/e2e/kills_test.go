//go:build integration

package e2e

import (
	"fmt"
	"math/rand/v2"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	workflowpb "go.temporal.io/api/workflow/v1"
	"go.temporal.io/api/workflowservice/v1"
	"go.temporal.io/sdk/client"

	"github.com/framebridge/framebridge/sandbox/frameiosim"
	"github.com/framebridge/framebridge/sandbox/samples"
	"github.com/framebridge/framebridge/sandbox/stack"
	"github.com/framebridge/framebridge/workflows"
)

// With kills everything takes longer, because a dead worker holds its work until its heartbeats are missed.
const killPatience = 12 * time.Minute

// accountOptions are for an account on V4 whose reports are signed and whose files may be reclaimed.
func accountOptions(t *testing.T) stack.Options {
	o := optionsV4(t)
	o.Archive["reclaim"], o.Archive["reclaim_grace"], o.Archive["projects_in_parallel"] = "allowed", "0s", "2"
	o.Signs = true
	return o
}

// killer kills processes at random moments of their work, as a power cut does.
type killer struct {
	*harness
	random *rand.Rand
	done   int
}

// newKiller prints the seed of its moments. FRAMEBRIDGE_SEED repeats the same ones, FRAMEBRIDGE_KILLS sets how many.
func newKiller(s *harness) *killer {
	seed := uint64(time.Now().UnixNano())
	if n, err := strconv.ParseUint(os.Getenv("FRAMEBRIDGE_SEED"), 10, 64); err == nil {
		seed = n
	}
	s.t.Logf("FRAMEBRIDGE_SEED=%d", seed)
	return &killer{harness: s, random: rand.New(rand.NewPCG(seed, 0))}
}

// calls returns the number of calls to both vendors so far.
func (k *killer) calls() (n int) {
	for _, of := range []map[string]int{k.Frameio.Calls(), k.Iconik.Calls()} {
		for _, c := range of {
			n += c
		}
	}
	return n
}

// during kills each process after a random number of calls, at most spread, and restarts it. It returns when the work has ended, which
// must not be before half of the kills. A fast machine may end it while the starter or Temporal is restarting.
func (k *killer) during(spread int, ended func() bool, victims ...*stack.Process) {
	k.t.Helper()
	if n, err := strconv.Atoi(os.Getenv("FRAMEBRIDGE_KILLS")); err == nil {
		for range n {
			victims = append(victims, k.Worker)
		}
	}
	deadline := time.Now().Add(killPatience)
	for i, p := range victims {
		at := k.calls() + 1 + k.random.IntN(spread)
		for k.calls() < at {
			require.True(k.t, time.Now().Before(deadline), "kill %d: the work stands still after %d calls", i+1, k.calls())
			if k.calls()+spread/2 >= at && ended() {
				require.GreaterOrEqual(k.t, 2*i, len(victims), "it ended before kill %d, after %d calls", i+1, k.calls())
				k.t.Logf("it ended before kill %d, after %d calls", i+1, k.calls())
				return
			}
			time.Sleep(time.Millisecond)
		}
		p.Kill()
		k.done++
		k.t.Logf("kill -9 of %s after %d calls", p.Name, k.calls())
		require.NoError(k.t, p.Start())
	}
	for !ended() {
		require.True(k.t, time.Now().Before(deadline), "it does not end after its kills")
		time.Sleep(100 * time.Millisecond)
	}
}

type migrationJSON struct {
	ID       string
	Status   string
	Reason   string
	Projects struct {
		Total, Verified, Incomplete, Failed int64
		Exceptions                          int64 `json:"verified_with_exceptions"`
	}
	Items  struct{ Total, Verified, Skipped, Failed int64 }
	Iconik struct {
		Report string `json:"report_asset_id"`
	}
}

const refusedProject = "Template Library"

// migrateAccount migrates an account of four projects, one of which Frame.io refuses, and returns its state. It starts with one, and when
// it waits for the go-ahead, two of the others are added.
func migrateAccount(s *harness, during func(ended func() bool)) migrationJSON {
	s.t.Helper()
	s.seedHarbour()
	regatta, err := samples.Small(s.Frameio, s.team, "Regatta", 30, 1)
	require.NoError(s.t, err)
	bad, err := samples.Small(s.Frameio, s.team, refusedProject, 5, 1)
	require.NoError(s.t, err)
	s.Frameio.Refuse(bad.ID)
	_, err = samples.Tiny(s.Frameio, s.team)
	require.NoError(s.t, err)
	var v migrationJSON
	some := map[string]any{"project_ids": []string{regatta.ID, s.project.ID}}
	require.Equal(s.t, http.StatusAccepted, s.call(http.MethodPost, "/migrations", map[string]any{"selection": some, "canary": 1, "projects_in_parallel": 2}, &v))
	added, goes := false, false
	control := func(verb string, body any) bool {
		return s.call(http.MethodPost, "/migrations/"+v.ID+"/"+verb, body, nil) == http.StatusAccepted
	}
	during(func() bool { // the starter may not be running
		added = added || control("add", map[string]any{"selection": map[string]any{}})
		goes = goes || added && control("resume", map[string]any{})
		s.call(http.MethodGet, "/migrations/"+v.ID, nil, &v)
		return v.Status == "done" && v.Iconik.Report != ""
	})
	return v
}

// verifies runs `starter verify`, as somebody without Framebridge does.
func (s *harness) verifies(name string, body []byte) {
	s.t.Helper()
	file := filepath.Join(s.t.TempDir(), name)
	require.NoError(s.t, os.WriteFile(file, body, 0o600))
	code, out, err := s.Verify(s.t.Context(), file)
	require.NoError(s.t, err)
	if assert.NotContains(s.t, string(out), "DIFFERS") && code != stack.Proven {
		assert.Equal(s.t, stack.NotProven, code, "%s", out) // the stored files are not available here
	}
	assert.Contains(s.t, string(out), "unchanged since it was signed")
}

var accountReports = regexp.MustCompile(`(?m)^( *)(?:lost: )?asset "Account report .*\n(?: *(?:version|file|file set|format) .*\n)*`)

// accountTree returns what iconik has, except for the reports.
func (s *harness) accountTree() string { return accountReports.ReplaceAllString(s.tree(), "") }

// once asserts that iconik has everything only once.
func (s *harness) once() {
	s.t.Helper()
	for _, kind := range []string{"assets", "collections", "segments"} {
		seen := map[any]int{}
		for _, d := range s.Iconik.Docs(kind) {
			if id := d["external_id"]; id != nil && id != "" && d["status"] != "DELETED" {
				seen[id]++
			}
		}
		for id, n := range seen {
			assert.Equal(s.t, 1, n, "%s in iconik: %v", kind, id)
		}
	}
}

// listed asserts that a search in Temporal finds archives, and that they have descriptions.
func (s *harness) listed(query, what string) {
	s.t.Helper()
	c, err := client.Dial(client.Options{HostPort: s.TemporalAddress})
	require.NoError(s.t, err)
	defer c.Close()
	var found []*workflowpb.WorkflowExecutionInfo
	require.Eventually(s.t, func() bool {
		list, err := c.ListWorkflow(s.t.Context(), &workflowservice.ListWorkflowExecutionsRequest{Query: query + " AND WorkflowType = '" + workflows.ArchiveName + "'"})
		found = list.GetExecutions()
		return err == nil && len(found) > 0
	}, time.Minute, 100*time.Millisecond, query)
	for _, e := range found {
		d, err := c.DescribeWorkflow(s.t.Context(), e.GetExecution().GetWorkflowId(), e.GetExecution().GetRunId())
		require.NoError(s.t, err)
		summary, err := d.GetStaticSummary()
		require.NoError(s.t, err)
		assert.Equal(s.t, what, summary)
	}
}

func TestKillsDuringAMigration(t *testing.T) {
	t.Parallel()
	calm := open(t, accountOptions(t))
	migrateAccount(calm, func(ended func() bool) {
		require.Eventually(t, ended, killPatience, 50*time.Millisecond, "the migration ends")
	})
	want := calm.accountTree()
	calm.listed("FramebridgeProjectName = 'Pier'", "Archive of Pier") // the first ones start before the new server knows the attribute
	calm.Stop()

	s := open(t, accountOptions(t))
	k := newKiller(s)
	v := migrateAccount(s, func(ended func() bool) {
		k.during(150, ended, s.Worker, s.Starter, s.Temporal, s.Worker)
	})
	assert.EqualValues(t, 4, v.Projects.Total)
	assert.EqualValues(t, 3, v.Projects.Verified+v.Projects.Exceptions, "%+v", v)
	assert.EqualValues(t, 1, v.Projects.Incomplete+v.Projects.Failed, "one is refused")
	assert.Equal(t, v.Items.Total, v.Items.Verified+v.Items.Skipped)
	assert.EqualValues(t, s.project.Items+30+6, v.Items.Total)
	var page struct {
		Projects []struct {
			Project struct{ Name string }
			State   string
			Reason  string
		}
	}
	require.Equal(t, http.StatusOK, s.call(http.MethodGet, "/migrations/"+v.ID+"/projects", nil, &page))
	require.Len(t, page.Projects, 4)
	for _, p := range page.Projects {
		assert.Equal(t, p.Project.Name != refusedProject, strings.HasPrefix(p.State, "verified"), "%+v", p)
	}
	s.once()
	sameTree(t, want, s.accountTree())
	raw, _, err := s.Call(t.Context(), http.MethodGet, "/migrations/"+v.ID+"/report.json", "")
	require.NoError(t, err)
	s.verifies("account-report.json", raw)
	s.told("Action needed: the migration of")
	mails := map[string]int{}
	for _, m := range s.Mail.Messages() {
		mails[m.Subject]++
	}
	for subject, n := range mails {
		assert.Equal(t, 1, n, "mails: %s", subject)
	}
}

// archived archives a project undisturbed.
func (s *harness) archived(id string) {
	s.t.Helper()
	s.request(id)
	a := s.until(id, ended)
	require.Contains(s.t, []string{"verified", "verified_with_exceptions"}, a.Status, a.Reason)
}

func TestKillsDuringAMirror(t *testing.T) {
	t.Parallel()
	s := open(t, accountOptions(t))
	var all []samples.Project
	for i := range 3 {
		p, err := samples.Small(s.Frameio, s.team, fmt.Sprintf("Reel %d", i+1), 12, 1)
		require.NoError(t, err)
		all = append(all, p)
		s.archived(p.ID)
	}
	puts := map[string]int{}
	for _, key := range s.Store.Keys("iconik-files") {
		puts[key] = s.Store.Puts("iconik-files", key)
	}
	for i, p := range all[:2] { // the third stays as it is
		var first frameiosim.Asset
		for _, a := range s.Frameio.AssetsOf(p.ID) {
			if a.Name == "clip 00000.txt" {
				first = a
			}
		}
		s.Frameio.RenameAsset(first.ID, fmt.Sprintf("renamed %d.txt", i))
		s.Frameio.Say(frameiosim.Comment{AssetID: first.ID, Text: fmt.Sprintf("said since %d", i)})
		for n := range 12 {
			_, err := s.Frameio.AddFile(first.ParentID, frameiosim.File{Name: fmt.Sprintf("added %d %02d.txt", i, n), Type: "text/plain", Body: fmt.Appendf(nil, "added %d %d", i, n)})
			require.NoError(t, err)
		}
	}
	require.Equal(t, http.StatusOK, s.call(http.MethodPost, "/mirrors", map[string]any{"name": "nightly"}, nil))
	newKiller(s).during(60, s.mirror(), s.Worker, s.Temporal, s.Worker, s.Starter, s.Worker)
	s.once()
	tree := s.tree()
	for i := range 2 {
		assert.Equal(t, 1, strings.Count(tree, fmt.Sprintf("asset \"renamed %d.txt\"", i)))
		assert.Equal(t, 1, strings.Count(tree, fmt.Sprintf("said since %d", i)))
		assert.Equal(t, 12, strings.Count(tree, fmt.Sprintf("asset \"added %d ", i)))
	}
	assert.Equal(t, 3*12+2*12, strings.Count(tree, "asset \"")-strings.Count(tree, "asset \"Archive report"), "every file is there once")
	for key, n := range puts {
		assert.Equal(t, n, s.Store.Puts("iconik-files", key), "what did not change is not sent again: %s", key)
	}
	writes, before := s.writes(), s.Iconik.Tree()
	require.Eventually(t, s.mirror(), killPatience, 50*time.Millisecond, "the second run ends")
	assert.Equal(t, writes, s.writes(), "nothing was left to do")
	sameTree(t, before, s.Iconik.Tree())
}

// mirror runs the mirror of three projects, and returns a function that reports whether the run has ended with all of them verified.
func (s *harness) mirror() func() bool {
	s.t.Helper()
	type mirror struct {
		Running bool
		LastAt  *time.Time `json:"last_at"`
		Last    *struct{ Projects, Verified int }
	}
	look := func() (m mirror) {
		var v struct{ Mirrors []mirror }
		if s.call(http.MethodGet, "/mirrors", nil, &v) == http.StatusOK && len(v.Mirrors) == 1 {
			m = v.Mirrors[0]
		}
		return m
	}
	before := look()
	require.Equal(s.t, http.StatusAccepted, s.call(http.MethodPost, "/mirrors/nightly/run", nil, nil))
	return func() bool {
		now := look()
		if now.Running || now.Last == nil || before.LastAt != nil && now.LastAt.Equal(*before.LastAt) {
			return false
		}
		assert.Equal(s.t, 3, now.Last.Verified, "%+v", now.Last)
		return true
	}
}

func TestKillsDuringAReclaim(t *testing.T) {
	t.Parallel()
	s := open(t, accountOptions(t))
	const files = 24
	p, err := samples.Small(s.Frameio, s.team, "Dailies", files, 1)
	require.NoError(t, err)
	var root string
	for _, a := range s.Frameio.AssetsOf(p.ID) {
		if a.Type == "file" {
			root = a.ParentID
		}
	}
	unfinished, err := s.Frameio.AddFile(root, frameiosim.File{Name: "never uploaded.mov", Type: "video/quicktime", Missing: true, Size: 987654321})
	require.NoError(t, err)
	s.archived(p.ID)
	require.Equal(t, http.StatusAccepted, s.call(http.MethodPost, "/archives/"+p.ID+"/reclaim", map[string]any{"project": p.Name, "accept": []string{"author"}}, nil))
	var v struct {
		Status, Reason, Certificate string
		Files                       map[string]struct{ Files, Bytes int64 }
	}
	newKiller(s).during(60, func() bool {
		s.call(http.MethodGet, "/archives/"+p.ID+"/reclaim", nil, &v)
		return slices.Contains([]string{"done", "refused", "stopped", "cancelled"}, v.Status) && (v.Status != "done" || v.Certificate != "")
	}, s.Worker, s.Starter, s.Worker, s.Temporal, s.Worker)
	require.Equal(t, "done", v.Status, v.Reason)
	assert.EqualValues(t, files, v.Files["deleted"].Files)
	assert.EqualValues(t, 1, v.Files["left"].Files)
	left := map[string]string{}
	for _, a := range s.Frameio.AssetsOf(p.ID) {
		if a.Type == "file" {
			left[a.ID] = a.Name
		}
	}
	assert.Equal(t, map[string]string{unfinished.ID: unfinished.Name}, left)
	assert.Equal(t, files, s.Frameio.Calls()["DELETE files/{id}"], "each file is deleted once")
	s.deletions(files)
	certificates := 0
	for _, d := range s.Iconik.Docs("files") {
		if d["asset_id"] == v.Certificate && strings.HasSuffix(fmt.Sprint(d["name"]), ".json") {
			body, err := s.Store.Get(s.Iconik.StoredAt(d))
			require.NoError(t, err)
			s.verifies("deletion-certificate.json", body)
			certificates++
		}
	}
	assert.Equal(t, 1, certificates)
}

// deletions asserts that the audit log's chain is intact, with one entry for each deleted file.
func (s *harness) deletions(files int) {
	s.t.Helper()
	var page struct {
		Audit []struct {
			Action string
			File   string `json:"object_id"`
		}
	}
	require.Equal(s.t, http.StatusOK, s.call(http.MethodGet, "/audit?limit=500", nil, &page))
	once := map[string]int{}
	for _, e := range page.Audit {
		if e.Action == "deleted in Frame.io" {
			once[e.File]++
		}
	}
	assert.Len(s.t, once, files)
	for id, n := range once {
		assert.Equal(s.t, 1, n, "file %s in the audit", id)
	}
	out, err := s.Command(s.t.Context(), "audit", "--config", s.Config, "--verify").CombinedOutput()
	assert.NoError(s.t, err, "%s", out)
}
