//go:build integration

package e2e

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/framebridge/framebridge/sandbox/frameiosim"
	"github.com/framebridge/framebridge/sandbox/s3sim"
	"github.com/framebridge/framebridge/sandbox/stack"
	"github.com/framebridge/framebridge/test/postgres"
)

// TestTheProductionStackIsUpgradedAndRolledBack runs what an operator runs, as processes: PostgreSQL, Temporal's server with
// the settings of deploy/compose.yaml, two workers, and two starters behind a proxy. During an archive and a review, it
// replaces one program at a time with the new release's, later with the old one's again, and finally with the new one's.
func TestTheProductionStackIsUpgradedAndRolledBack(t *testing.T) {
	t.Parallel()
	p := openProduction(t)
	asset := p.asset("Interview A.mov")
	r := p.reviewIs(p.sendReview(form(nil), asset).ID, "open")
	comments := 0
	comment := func(when string) { // in both directions
		t.Helper()
		p.Frameio.Say(frameiosim.Comment{AssetID: r.Assets[0].FileID, Text: when + " in Frame.io", Timestamp: frames(50), Guest: &frameiosim.User{ID: "g", Name: "Rita", Email: "rita@client.example"}})
		p.Iconik.Comment(asset, p.Iconik.ServiceUser(), when+" in iconik", frames(4000), frames(4000), "", nil)
		comments += 2
		p.soon("comments cross "+when, func() bool {
			return len(p.Iconik.Segments(asset)) == comments && len(p.Frameio.CommentsOf(r.Assets[0].FileID)) == comments
		})
	}
	comment("before the upgrade")
	p.Frameio.Rename(p.project.ID, archivedName)
	inTheMiddle := func(when string) {
		t.Helper()
		a := p.until(p.project.ID, func(a archiveJSON) bool { return a.Items.Total > 0 })
		require.False(t, ended(a), "the archive is under way %s: %+v", when, a)
	}
	p.uploads.await(t)
	inTheMiddle("before the upgrade")

	p.replaceAll(stack.BinDir(root))
	comment("after the upgrade")
	p.uploads.allow(6)
	p.uploads.await(t)
	inTheMiddle("after the upgrade")

	if p.missing == "" {
		p.replaceAll(p.old)
		comment("after the rollback")
		p.uploads.allow(6)
		p.uploads.await(t)
		inTheMiddle("after the rollback")
		p.replaceAll(stack.BinDir(root))
	}
	comment("at last")
	p.uploads.allow(1 << 20)
	a := p.until(p.project.ID, ended)
	assert.Equal(t, "verified_with_exceptions", a.Status, a.Reason)
	got, _, _ := strings.Cut(p.tree(), "lost: ") // the review's asset is in no collection
	sameTree(t, p.undisturbed, withoutCommentCount(got))

	require.NoError(t, p.Expire(t.Context(), r.ID))
	p.reviewIs(r.ID, "expired")
	assert.Len(t, p.Iconik.Segments(asset), comments, "%v", p.segmentTexts(asset))
	assert.Len(t, p.Frameio.CommentsOf(r.Assets[0].FileID), comments, "%v", p.frameioTexts(r.Assets[0].FileID))
	assert.Len(t, p.Frameio.Mails(), 2, "each reviewer is invited once")
	p.told("Review open", "Review expired", "Done, with exceptions")
}

// production is an operator's installation.
type production struct {
	*harness
	old         string   // folder of the older programs
	missing     string   // what the older programs do not know about this tree, so that nothing is rolled back
	all         []member // in the order in which they are replaced
	uploads     *gate
	undisturbed string // what iconik has after an archive that nothing disturbed
}

type member struct {
	*stack.Process
	url string
}

func openProduction(t *testing.T) *production {
	t.Helper()
	db, err := postgres.Start()
	if err != nil && !postgres.Required() {
		notTested(t, "the production stack: PostgreSQL cannot be started here: %v", err)
	}
	require.NoError(t, err)
	t.Cleanup(db.Stop)
	p := &production{uploads: newGate(6)}
	began := time.Now()
	p.old, p.missing = olderPrograms(t)
	plain := openHarbour(t, optionsV4(t))
	plain.Frameio.Rename(plain.project.ID, archivedName)
	plain.until(plain.project.ID, ended)
	p.undisturbed = plain.tree()
	plain.Stop()

	o := optionsV4(t)
	o.Bin = p.old
	o.Temporal, o.LedgerDSN = startTemporal(t, db.DSN, o.Dir)
	o.StoreFault = p.uploads.hold
	proxy := &proxy{}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	front := &http.Server{Handler: proxy, ReadHeaderTimeout: time.Minute}
	t.Cleanup(func() { _ = front.Close() })
	go func() { _ = front.Serve(l) }()
	o.PublicURL = "http://" + l.Addr().String()
	s, err := stack.Start(t.Context(), o)
	require.NoError(t, err)
	p.harness = &harness{Stack: s, t: t}
	t.Cleanup(func() { p.stop() })
	p.all = []member{{s.Worker, s.WorkerURL}, p.another("worker"), {s.Starter, s.APIURL}, p.another("starter", "serve")}
	proxy.to = []string{p.all[2].url, p.all[3].url}
	s.APIURL = o.PublicURL
	p.prepareVendors()
	p.seedHarbour()
	t.Logf("everything runs after %s", time.Since(began).Round(time.Second))
	return p
}

func (p *production) stop() {
	for _, m := range slices.Backward(p.all) {
		if p.t.Failed() {
			raw, _ := os.ReadFile(m.LogFile())
			p.t.Logf("%s log ends:\n%s", m.Name, raw[max(0, len(raw)-6000):])
		}
		m.Stop()
	}
	p.uploads.allow(1 << 20)
	p.Stop()
}

// another starts the second process of a program, on its own ports.
func (p *production) another(program string, args ...string) member {
	p.t.Helper()
	address := freeAddress(p.t)
	key := map[string]string{"worker": "FRAMEBRIDGE_WORKER_LISTEN", "starter": "FRAMEBRIDGE_HTTP_LISTEN"}[program]
	process := stack.NewProcess("second "+program, filepath.Join(p.old, program), filepath.Dir(p.Config), []string{key + "=" + address}, append(args, "--config", p.Config)...)
	require.NoError(p.t, process.Start())
	m := member{process, "http://" + address}
	m.ready(p.t)
	return m
}

func (m member) ready(t *testing.T) {
	t.Helper()
	require.Eventually(t, func() bool {
		resp, err := http.Get(m.url + "/readyz")
		return err == nil && resp.Body.Close() == nil && resp.StatusCode == http.StatusOK
	}, patience, 50*time.Millisecond, "%s is ready", m.Name)
}

// version returns the version that a program reports.
func (m member) version(t *testing.T) string {
	t.Helper()
	resp, err := http.Get(m.url + "/healthz")
	require.NoError(t, err)
	defer resp.Body.Close()
	raw, err := io.ReadAll(resp.Body)
	require.NoError(t, err)
	return string(raw)
}

// replaceAll replaces one program after the other, each once the previous one is ready.
func (p *production) replaceAll(bin string) {
	p.t.Helper()
	began := time.Now()
	for _, m := range p.all {
		require.NoError(p.t, m.Replace(bin))
		m.ready(p.t)
		assert.Equal(p.t, bin == p.old, strings.Contains(m.version(p.t), olderVersion), "%s: %s", m.Name, m.version(p.t))
	}
	p.t.Logf("four programs replaced by those of %s in %s", bin, time.Since(began).Round(time.Millisecond))
}

// freeAddress returns an address with a port that Temporal's server can also store: PostgreSQL stores its ports as small integers.
func freeAddress(t *testing.T) string {
	t.Helper()
	port := stack.FreePort()
	require.NotZero(t, port)
	return fmt.Sprintf("127.0.0.1:%d", port)
}

// notTested skips a test, and says so even without -v.
func notTested(t *testing.T, format string, args ...any) {
	t.Helper()
	text := "NOT TESTED: " + fmt.Sprintf(format, args...)
	fmt.Fprintln(os.Stderr, text)
	t.Skip(text)
}

// gate holds uploads to iconik's storage beyond the allowed number.
type gate struct {
	mu      sync.Mutex
	left    int
	held    map[string]bool
	changed chan struct{} // closed at the next change
}

func newGate(n int) *gate {
	return &gate{left: n, held: map[string]bool{}, changed: make(chan struct{})}
}

func (g *gate) change(f func()) {
	g.mu.Lock()
	defer g.mu.Unlock()
	f()
	close(g.changed)
	g.changed = make(chan struct{})
}

func (g *gate) allow(n int) { g.change(func() { g.left = n }) }

func (g *gate) hold(r *http.Request) *s3sim.Fault {
	if r.Method != http.MethodPut || !strings.HasPrefix(r.URL.Path, "/iconik-files/") {
		return nil
	}
	for {
		g.mu.Lock()
		pass, changed := g.left > 0, g.changed
		if pass {
			g.left--
			delete(g.held, r.URL.Path)
		} else {
			g.held[r.URL.Path] = true
		}
		g.mu.Unlock()
		if pass {
			return nil
		}
		select {
		case <-changed:
		case <-r.Context().Done():
			return &s3sim.Fault{Reset: true}
		}
	}
}

// await returns when an upload is held.
func (g *gate) await(t *testing.T) {
	t.Helper()
	require.Eventually(t, func() bool {
		g.mu.Lock()
		defer g.mu.Unlock()
		return g.left == 0 && len(g.held) > 0
	}, patience, 50*time.Millisecond, "an upload is under way")
}

// proxy forwards to the starters in turn, and to the next one if one is not running.
type proxy struct {
	to   []string
	turn atomic.Int64
}

func (p *proxy) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	for range p.to {
		to := p.to[int(p.turn.Add(1))%len(p.to)]
		req, err := http.NewRequestWithContext(r.Context(), r.Method, to+r.URL.RequestURI(), bytes.NewReader(body))
		if err != nil {
			break
		}
		req.Header = r.Header.Clone()
		resp, err := http.DefaultTransport.RoundTrip(req)
		if err != nil {
			continue
		}
		defer resp.Body.Close()
		w.Header().Set("Content-Type", resp.Header.Get("Content-Type"))
		w.WriteHeader(resp.StatusCode)
		_, _ = io.Copy(w, resp.Body)
		return
	}
	http.Error(w, "no starter is there", http.StatusBadGateway)
}

// startTemporal runs Temporal's own server program on PostgreSQL, with its own databases next to the ledger's.
func startTemporal(t *testing.T, dsn, dir string) (address, ledger string) {
	t.Helper()
	began := time.Now()
	require.NoError(t, stack.BuildForPostgres(t.Context(), root))
	p, err := stack.StartOnPostgres(t.Context(), stack.BinDir(root), dsn, dir)
	require.NoError(t, err)
	t.Logf("Temporal's server built and started in %s", time.Since(began).Round(time.Second))
	t.Cleanup(func() {
		if raw, _ := os.ReadFile(p.Server.LogFile()); t.Failed() {
			t.Logf("temporal log ends:\n%s", raw[max(0, len(raw)-6000):])
		}
		p.Server.Stop()
	})
	return p.Address, p.LedgerDSN
}

const olderVersion = "older"

// olderPrograms builds worker and starter from the newest release or, before the first one, from the commit that last changed
// what workflows record. missing names what that commit does not know.
func olderPrograms(t *testing.T) (bin, missing string) {
	t.Helper()
	from := os.Getenv("FRAMEBRIDGE_UPGRADE_FROM")
	if from == "" {
		from, _ = output(root, "git", "describe", "--tags", "--abbrev=0", "--match", "v*", "HEAD~1")
	}
	if from == "" {
		from, _ = output(root, "git", "log", "-1", "--format=%h", "-G", `marker\{id: `, "HEAD~1", "--", "workflows/versions.go")
	}
	if from == "" {
		notTested(t, "upgrade and rollback: this checkout has no older commit")
	}
	commit, err := output(root, "git", "rev-parse", "--short=9", from+"^{commit}")
	require.NoError(t, err)
	bin = filepath.Join(root, ".sandbox", "older", commit)
	if _, err := os.Stat(filepath.Join(bin, "starter")); err != nil {
		began := time.Now()
		source := t.TempDir()
		run(t, root, "sh", "-c", fmt.Sprintf("git archive %s | tar -x -C '%s'", commit, source))
		run(t, source, "go", "build", "-ldflags", "-X github.com/framebridge/framebridge/version.Version="+olderVersion, "-o", bin+string(filepath.Separator), "./worker", "./starter")
		t.Logf("worker and starter of %s built in %s", commit, time.Since(began).Round(time.Second))
	}
	versions := filepath.Join("workflows", "versions.go")
	now, err := os.ReadFile(filepath.Join(root, versions))
	require.NoError(t, err)
	then, err := output(root, "git", "show", commit+":"+filepath.ToSlash(versions))
	require.NoError(t, err)
	var unknown []string
	for _, line := range strings.Split(string(now), "\n") {
		_, rest, found := strings.Cut(line, `marker{id: "`)
		id, _, _ := strings.Cut(rest, `"`)
		if found && !strings.Contains(then, `marker{id: "`+id+`"`) {
			unknown = append(unknown, id)
		}
	}
	if missing = strings.Join(unknown, ", "); missing != "" {
		fmt.Fprintf(os.Stderr, "NOT TESTED: rollback to %s, which does not know what running workflows record: %s\n", commit, missing)
	}
	return bin, missing
}

func run(t *testing.T, dir string, command ...string) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), command[0], command[1:]...)
	cmd.Dir = dir
	out, err := cmd.CombinedOutput()
	require.NoError(t, err, "%s: %s", command[0], out)
}

func output(dir string, command ...string) (string, error) {
	cmd := exec.Command(command[0], command[1:]...)
	cmd.Dir = dir
	out, err := cmd.Output()
	var failed *exec.ExitError
	if errors.As(err, &failed) {
		err = errors.New(string(failed.Stderr))
	}
	return strings.TrimSpace(string(out)), err
}

var (
	countAsJSON  = regexp.MustCompile(`\{"field_definition_id":"[^"]*","field_definition_name":"Comment Count"[^}]*\},?`)
	countAsField = regexp.MustCompile(`, frameio_7cbe68cd09965f0cb863efe2f64a3810=\[\d+\]`)
)

// withoutCommentCount removes what the older release carried as a field. This one reads the comments themselves.
func withoutCommentCount(tree string) string {
	tree = countAsField.ReplaceAllString(countAsJSON.ReplaceAllString(tree, ""), "")
	return strings.ReplaceAll(strings.ReplaceAll(tree, ",]", "]"), "framebridge_fields=[[]], ", "")
}
