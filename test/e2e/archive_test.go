//go:build integration

package e2e

import (
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/framebridge/framebridge/sandbox/faults"
	"github.com/framebridge/framebridge/sandbox/frameiosim"
	"github.com/framebridge/framebridge/sandbox/s3sim"
	"github.com/framebridge/framebridge/sandbox/samples"
	"github.com/framebridge/framebridge/sandbox/stack"
)

const archivedName = "Harbour Lights - Archived"

var (
	undisturbedOnce sync.Once
	undisturbedTree string
)

// undisturbed is what iconik has after an archive that nothing disturbed.
func undisturbed(t *testing.T) string {
	t.Helper()
	undisturbedOnce.Do(func() {
		s := openHarbour(t, options(t))
		s.Frameio.Rename(s.project.ID, archivedName)
		s.until(s.project.ID, ended)
		undisturbedTree = s.tree()
	})
	require.NotEmpty(t, undisturbedTree)
	return undisturbedTree
}

func TestARenameArchivesTheProject(t *testing.T) {
	s := openHarbour(t, options(t))
	began := time.Now()
	s.Frameio.Rename(s.project.ID, archivedName)
	a := s.until(s.project.ID, ended)
	t.Logf("verified %s after the rename", time.Since(began).Round(time.Millisecond))
	assert.Equal(t, "verified_with_exceptions", a.Status, a.Reason)
	assert.EqualValues(t, s.project.Items, a.Items.Total)
	assert.EqualValues(t, s.project.Skipped, a.Items.Skipped)
	assert.EqualValues(t, s.project.Items-s.project.Skipped, a.Items.Verified)
	assert.EqualValues(t, s.project.Comments, a.Comments.Done)
	tree := s.tree()
	for _, want := range []string{
		`collection "Takes / alternates"`, `asset "Überblick – 見本 🎬.png"`, "segment_type"[:7], "stored 41955385 bytes", `version 3`, `reference to collection`,
		`"Gus Guest <gus@client.example> (Frame.io guest): Better. Logo earlier?"`, "2962..2962", "1000..1959", "PLACEHOLDER", "shapes 5", "framebridge_page=[2]",
	} {
		assert.Contains(t, tree, want)
	}
	assert.Equal(t, 2, strings.Count(tree, `collection "Day 2"`))
	assert.NotContains(t, tree, "lost:")

	// Again: nothing is written but the job, and nobody gets mail.
	s.mailed(1)
	writes, before := s.writes(), s.Iconik.Tree()
	s.Frameio.Rename(s.project.ID, "Harbour Lights  – Archived")
	s.until(s.project.ID, func(a archiveJSON) bool { return !ended(a) || s.runs() == 2 })
	again := s.until(s.project.ID, ended)
	assert.Equal(t, "verified_with_exceptions", again.Status)
	sameTree(t, before, s.Iconik.Tree())
	assert.Equal(t, writes, s.writes(), "a re-run that finds nothing to do writes nothing")
	time.Sleep(time.Second)
	assert.Len(t, s.Mail.Messages(), 1)

	// Secrets and signed URLs stay out of everything that is stored.
	s.Stop()
	for _, p := range []*stack.Process{s.Worker, s.Starter} {
		assertClean(t, p.LogFile())
	}
	assertClean(t, s.Config[:strings.LastIndex(s.Config, "/")]+"/temporal-1.32.1.db")
	assertClean(t, s.Config[:strings.LastIndex(s.Config, "/")]+"/ledger.db")
}

// mailed waits until there are exactly so many mails, because separate workflows send them.
func (s *harness) mailed(n int) {
	s.t.Helper()
	require.Eventually(s.t, func() bool { return len(s.Mail.Messages()) >= n }, patience, 20*time.Millisecond, "%d mails", n)
	require.Len(s.t, s.Mail.Messages(), n)
}

// runs counts the archive jobs in iconik.
func (s *harness) runs() int {
	n := 0
	for _, j := range s.Iconik.Docs("jobs") {
		if j["type"] == "CUSTOM" {
			n++
		}
	}
	return n
}

func TestLostAnswersLeaveNoDuplicates(t *testing.T) {
	t.Parallel()
	want := undisturbed(t)
	o := options(t)
	var mu sync.Mutex
	seen := map[string]bool{}
	o.StoreFault = func(r *http.Request) *s3sim.Fault {
		if r.Method == http.MethodGet || r.Method == http.MethodHead {
			return nil
		}
		mu.Lock()
		defer mu.Unlock()
		key := r.Method + r.URL.Path + r.URL.Query().Get("partNumber") + r.URL.Query().Get("uploadId")
		if seen[key] {
			return nil
		}
		seen[key] = true
		return &s3sim.Fault{Lose: true}
	}
	s := openHarbour(t, o)
	require.NoError(t, s.Iconik.AddFault(faults.Fault{Match: "^(POST|PUT|PATCH|DELETE) /API/", Each: true, Times: 1, Lose: true}))
	s.Frameio.Rename(s.project.ID, archivedName)
	a := s.until(s.project.ID, ended)
	assert.Equal(t, "verified_with_exceptions", a.Status, a.Reason)
	sameTree(t, want, s.tree())
	s.mailed(1)
}

// killPoint is a call to iconik at which the worker is killed: after a number of such calls, and before or after it takes effect.
type killPoint struct {
	match string
	after int
	lose  bool
}

func (s *harness) killAt(points []killPoint) (died chan string) {
	s.t.Helper()
	died = make(chan string, len(points))
	for _, at := range points {
		require.NoError(s.t, s.Iconik.AddFault(faults.Fault{Match: at.match, After: at.after, Times: 1, Lose: at.lose, Do: func() {
			s.Worker.Kill()
			died <- at.match
		}}))
	}
	return died
}

// survives restarts the worker whenever it was killed, until something has ended, and counts its deaths.
func (s *harness) survives(died chan string, over func() bool) (deaths int) {
	s.t.Helper()
	for deadline := time.Now().Add(8 * time.Minute); time.Now().Before(deadline); {
		select {
		case at := <-died:
			deaths++
			s.t.Logf("killed at %s", at)
			require.NoError(s.t, s.Worker.Start())
			continue
		case <-time.After(200 * time.Millisecond):
		}
		if over() {
			break
		}
	}
	return deaths
}

func TestKillingTheWorkerAnywhere(t *testing.T) {
	t.Parallel()
	want := undisturbed(t)
	s := openHarbour(t, options(t))
	died := s.killAt([]killPoint{
		{"^POST /API/assets/v1/collections$", 4, true}, {"^POST /API/assets/v1/assets$", 2, true}, {"^POST /API/files/v1/assets/.*/formats$", 3, false},
		{"^POST /API/files/v1/assets/.*/file_sets$", 5, true}, {"^POST /API/files/v1/assets/.*/files$", 7, true}, {"^PATCH /API/files/v1/assets/", 9, true},
		{"^POST /API/assets/v1/assets/.*/versions$", 0, true}, {"^PUT /API/metadata/", 12, false}, {"^POST /API/files/v1/assets/.*/keyframes$", 10, true},
		{"^POST /API/assets/v1/assets/.*/segments$", 3, true}, {"^POST /API/assets/v1/collections/.*/contents$", 1, true}, {"^POST /API/jobs/v1/jobs$", 0, true},
	})
	s.Frameio.Rename(s.project.ID, archivedName)
	deaths := s.survives(died, func() bool { return ended(s.archive(s.project.ID)) })
	a := s.archive(s.project.ID)
	assert.Equal(t, "verified_with_exceptions", a.Status, a.Reason)
	assert.GreaterOrEqual(t, deaths, 10)
	sameTree(t, want, s.tree())
	s.mailed(1)
}

func TestKillingTemporalAndTheStarter(t *testing.T) {
	t.Parallel()
	want := undisturbed(t)
	s := openHarbour(t, options(t))
	killed := make(chan *stack.Process, 8)
	for match, p := range map[string]*stack.Process{"^POST /API/assets/v1/assets$": s.Temporal, "^POST /API/assets/v1/assets/.*/segments$": s.Temporal, "^PATCH /API/files": s.Starter} {
		require.NoError(t, s.Iconik.AddFault(faults.Fault{Match: match, After: 4, Times: 1, Delay: time.Millisecond, Do: func() {
			p.Kill()
			killed <- p
		}}))
	}
	// The starter dies while Frame.io delivers, and the vendor delivers again.
	s.Starter.Kill()
	s.Frameio.Rename(s.project.ID, archivedName)
	time.Sleep(200 * time.Millisecond)
	require.NoError(t, s.Starter.Start())
	deaths := 0
	for deadline := time.Now().Add(5 * time.Minute); time.Now().Before(deadline); {
		select {
		case p := <-killed:
			deaths++
			time.Sleep(500 * time.Millisecond)
			require.NoError(t, p.Start())
			continue
		case <-time.After(200 * time.Millisecond):
		}
		if ended(s.archive(s.project.ID)) {
			break
		}
	}
	a := s.until(s.project.ID, ended)
	assert.Equal(t, "verified_with_exceptions", a.Status, a.Reason)
	assert.Equal(t, 3, deaths)
	sameTree(t, want, s.tree())
}

func TestARetryMakesAgainWhatWasDeletedInIconik(t *testing.T) {
	t.Parallel()
	want := undisturbed(t)
	s := openHarbour(t, options(t))
	s.Frameio.Rename(s.project.ID, archivedName)
	s.until(s.project.ID, ended)
	var victim, stack, folder, comment string
	for _, a := range s.Iconik.Docs("assets") {
		switch a["title"] {
		case "Storyboard.pdf":
			victim = a["id"].(string)
		case "Trailer v3 FINAL.mov":
			stack = a["id"].(string)
		}
	}
	for _, c := range s.Iconik.Docs("collections") {
		if c["title"] == "06 Rates" {
			folder = c["id"].(string)
		}
	}
	for _, c := range s.Iconik.Docs("segments") {
		if c["segment_text"] == "Fade out" {
			comment = c["id"].(string)
		}
	}
	s.Iconik.Delete("assets", victim)
	s.Iconik.Delete("assets", stack)
	s.Iconik.Delete("collections", folder)
	s.Iconik.Delete("segments", comment)
	n := s.runs()
	require.Equal(t, http.StatusAccepted, s.call(http.MethodPost, "/archives/"+s.project.ID+"/retry", nil, nil))
	s.until(s.project.ID, func(a archiveJSON) bool { return !ended(a) || s.runs() > n })
	found := s.until(s.project.ID, ended)
	assert.Equal(t, "verified_with_exceptions", found.Status, found.Reason)
	// References in presentations point to the new assets. Everything else is as it was.
	sameTree(t, want, s.tree())
}

func TestOriginalsInColdStorageAreWaitedFor(t *testing.T) {
	t.Parallel()
	s := openHarbour(t, options(t))
	s.Frameio.Archive(s.project.ID, "archived")
	s.Frameio.Rename(s.project.ID, archivedName)
	a := s.until(s.project.ID, func(a archiveJSON) bool { return a.Status == "waiting" })
	assert.Contains(t, a.Reason, "unarchive the project")
	s.mailed(1)
	assert.Contains(t, s.Mail.Messages()[0].Subject, "Action needed")

	// It does not delay others.
	small, err := samples.Small(s.Frameio, s.team, "Small", 5, 1)
	require.NoError(t, err)
	s.Frameio.Rename(small.ID, "Small Archived")
	done := s.until(small.ID, ended)
	assert.Equal(t, "verified", done.Status, done.Reason)

	s.Frameio.Archive(s.project.ID, "standard")
	back := s.until(s.project.ID, ended)
	assert.Equal(t, "verified_with_exceptions", back.Status, back.Reason)
	assert.EqualValues(t, s.project.Items-s.project.Skipped, back.Items.Verified)
}

func TestProxiesAreStoredAsProxies(t *testing.T) {
	t.Parallel()
	o := options(t)
	o.Archive["missing_original"] = "proxy"
	s := openHarbour(t, o)
	s.Frameio.Archive(s.project.ID, "archived")
	s.Frameio.Rename(s.project.ID, archivedName)
	a := s.until(s.project.ID, ended)
	assert.Equal(t, "verified_with_exceptions", a.Status, a.Reason)
	tree := s.tree()
	assert.Contains(t, tree, "file FRAMEIO_PROXY")
	assert.Contains(t, tree, "framebridge_rendition=[proxy]")
}

func TestArchivesOfOneTenantQueue(t *testing.T) {
	t.Parallel()
	s := openHarbour(t, options(t))
	require.NoError(t, s.Iconik.AddFault(faults.Fault{Match: "^POST /API/files", Delay: 5 * time.Second})) // until all are in the queue
	second, err := samples.Small(s.Frameio, s.team, "Second", 3, 0)
	require.NoError(t, err)
	third, err := samples.Small(s.Frameio, s.team, "Third", 3, 0)
	require.NoError(t, err)
	s.Frameio.Rename(s.project.ID, archivedName)
	s.until(s.project.ID, func(a archiveJSON) bool { return a.Status == "running" })
	s.Frameio.Rename(second.ID, "Second Archived")
	s.until(second.ID, func(a archiveJSON) bool { return a.QueuePosition == 1 })
	s.Frameio.Rename(third.ID, "Third Archived")
	s.until(third.ID, func(a archiveJSON) bool { return a.QueuePosition == 2 && a.Status == "queued" })
	s.mailed(2) // for those that wait longer than a moment; on a fast machine, their turns would come first
	s.Iconik.ClearFaults()
	for _, p := range []string{s.project.ID, second.ID, third.ID} {
		a := s.until(p, ended)
		assert.True(t, strings.HasPrefix(a.Status, "verified"), a.Reason)
	}
	subjects := ""
	s.mailed(5)
	for _, m := range s.Mail.Messages() {
		subjects += m.Subject + "\n"
	}
	assert.Equal(t, 2, strings.Count(subjects, "Queued:"))
	assert.Equal(t, 3, strings.Count(subjects, "Done"))
}

func TestButtonsOfTheJob(t *testing.T) {
	t.Parallel()
	s := openHarbour(t, options(t))
	require.NoError(t, s.Iconik.AddFault(faults.Fault{Match: "^POST /API/files", Delay: 3 * time.Second})) // so that it is in progress when it is aborted, and lands later than a retry would look for it (tenant.StoreLag)
	s.request(s.project.ID)
	a := s.until(s.project.ID, func(a archiveJSON) bool { return a.Items.Copied > 1 && a.Iconik.JobID != "" })
	s.Iconik.Press(a.Iconik.JobID, "ABORT")
	a = s.until(s.project.ID, ended)
	assert.Equal(t, "cancelled", a.Status)
	s.Iconik.ClearFaults()
	n := s.runs()
	s.Iconik.Press(a.Iconik.JobID, "RESTART")
	s.until(s.project.ID, func(a archiveJSON) bool { return !ended(a) || s.runs() > n })
	a = s.until(s.project.ID, ended)
	assert.Equal(t, "verified_with_exceptions", a.Status, a.Reason)
	sameTree(t, undisturbed(t), s.tree())
}

func TestAWorkerThatStopsHandsOver(t *testing.T) {
	t.Parallel()
	o := options(t)
	slow := true
	o.StoreFault = func(r *http.Request) *s3sim.Fault {
		if slow && r.URL.Query().Get("partNumber") != "" {
			return &s3sim.Fault{Delay: 700 * time.Millisecond}
		}
		return nil
	}
	s := open(t, o)
	p := s.Frameio.AddProject(s.team, "Reel")
	_, err := s.Frameio.AddFile(p.RootID, frameiosim.File{Name: "reel.mxf", Type: "application/mxf", Body: append(append(samples.Raw(), samples.Raw()...), samples.Raw()...)})
	require.NoError(t, err)
	s.request(p.ID)
	s.until(p.ID, func(a archiveJSON) bool { return a.Status == "running" })
	time.Sleep(1500 * time.Millisecond)
	took := s.Worker.Stop()
	assert.Less(t, took, 30*time.Second)
	slow = false
	require.NoError(t, s.Worker.Start())
	a := s.until(p.ID, ended)
	assert.Equal(t, "verified", a.Status, a.Reason)
	for _, key := range s.Store.Keys("iconik-files") {
		if strings.Contains(key, "reel") {
			puts, parts := s.Store.Puts("iconik-files", key), (3*41955385+16<<20-1)/(16<<20)
			t.Logf("%d PUTs, stop took %s", puts, took)
			assert.LessOrEqual(t, puts, parts+8, "finished parts are not sent again")
		}
	}
}

func TestVendorsTroubles(t *testing.T) {
	t.Parallel()
	want := undisturbed(t)
	s := openHarbour(t, options(t))
	for _, f := range []faults.Fault{
		{Match: "^GET ", Each: true, Times: 1, Status: 500}, {Match: "^POST /API/assets", After: 2, Times: 6, Status: 429, Header: http.Header{"Retry-After": {"1"}}},
		{Match: "^POST /API/files", After: 5, Times: 4, Status: 429}, {Match: "^PATCH ", After: 3, Times: 3, Status: 503},
	} {
		require.NoError(t, s.Iconik.AddFault(f))
	}
	require.NoError(t, s.Frameio.AddFault(faults.Fault{Match: "^GET /v2/assets", Each: true, Times: 1, Status: 429}))
	require.NoError(t, s.Frameio.AddFault(faults.Fault{Match: "^GET /v2/", Each: true, After: 1, Times: 1, Status: 502}))
	s.request(s.project.ID)
	a := s.until(s.project.ID, ended)
	assert.Equal(t, "verified_with_exceptions", a.Status, a.Reason)
	sameTree(t, want, s.tree())
}
