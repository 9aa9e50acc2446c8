//go:build integration

package e2e

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/framebridge/framebridge/clients/mail/mailtest"
	"github.com/framebridge/framebridge/sandbox/samples"
	"github.com/framebridge/framebridge/sandbox/stack"
)

const prefix = "/api/v1/services/frameio"

var root string

func TestMain(m *testing.M) {
	var err error
	if root, err = stack.Root(); err == nil {
		err = stack.Build(context.Background(), root, stack.OnTerminal(os.Stderr), stack.Programs(true)...)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	os.Exit(m.Run())
}

// harness is a stack with a seeded project.
type harness struct {
	*stack.Stack
	t       *testing.T
	team    string
	project samples.Project
}

// options are for an account on the legacy API, optionsV4 for one on V4.
func options(t *testing.T) stack.Options {
	return stack.Options{Generation: "legacy", Root: root, Dir: t.TempDir(), Quick: true, Seed: 7, IndexDelay: 300 * time.Millisecond, Backoff: 500 * time.Millisecond,
		Archive: map[string]string{"wait_interval": "1s"}}
}

func open(t *testing.T, o stack.Options) *harness {
	t.Helper()
	s, err := stack.Start(t.Context(), o)
	require.NoError(t, err)
	h := &harness{Stack: s, t: t}
	t.Cleanup(func() {
		if t.Failed() {
			for _, p := range []*stack.Process{s.Worker, s.Starter, s.Temporal} {
				raw, _ := os.ReadFile(p.LogFile())
				t.Logf("%s log ends:\n%s", p.Name, raw[max(0, len(raw)-6000):])
			}
		}
		s.Stop()
	})
	h.prepareVendors()
	return h
}

// prepareVendors adds a person in iconik, and a workspace in Frame.io with registered webhooks.
func (s *harness) prepareVendors() {
	s.Iconik.AddUser(samples.SamUser, "Sam", "Sandbox")
	s.team = s.Frameio.AddTeam("Harbour Films").ID
	s.RegisterWebhooks(s.team)
}

func openHarbour(t *testing.T, o stack.Options) *harness {
	t.Helper()
	h := open(t, o)
	h.seedHarbour()
	return h
}

func (s *harness) seedHarbour() {
	s.t.Helper()
	var err error
	s.project, err = samples.Harbour(s.Frameio, s.team)
	require.NoError(s.t, err)
}

type archiveJSON struct {
	ID            string `json:"id"`
	Status        string `json:"status"`
	Reason        string `json:"reason"`
	QueuePosition int    `json:"queue_position"`
	Items         struct{ Total, Copied, Verified, Skipped, Failed int64 }
	Bytes         struct{ Total, Done int64 }
	Comments      struct{ Total, Done int64 }
	WorkflowID    string `json:"workflow_id"`
	Iconik        struct {
		CollectionID string `json:"collection_id"`
		JobID        string `json:"job_id"`
	} `json:"iconik"`
}

func (s *harness) call(method, path string, body any, out any) int {
	s.t.Helper()
	var r io.Reader
	if body != nil {
		raw, err := json.Marshal(body)
		require.NoError(s.t, err)
		r = bytes.NewReader(raw)
	}
	sep := "?"
	if strings.Contains(path, "?") {
		sep = "&"
	}
	req, err := http.NewRequestWithContext(s.t.Context(), method, s.APIURL+prefix+path+sep+"tenant-id="+stack.Tenant, r)
	require.NoError(s.t, err)
	req.Header.Set("Authorization", "Bearer "+stack.APIKey)
	req.Header.Set("Content-Type", "application/json")
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return 0
	}
	defer resp.Body.Close()
	raw, err := io.ReadAll(resp.Body)
	if err != nil {
		return 0 // the starter was killed while it answered
	}
	if out != nil && resp.StatusCode < 300 {
		require.NoError(s.t, json.Unmarshal(raw, out), "%s", raw)
	}
	return resp.StatusCode
}

func (s *harness) archive(id string) archiveJSON {
	var a archiveJSON
	s.call(http.MethodGet, "/archives/"+id, nil, &a)
	return a
}

func ended(a archiveJSON) bool {
	switch a.Status {
	case "verified", "verified_with_exceptions", "incomplete", "failed", "cancelled":
		return true
	}
	return false
}

// until waits until an archive is as wanted.
func (s *harness) until(id string, want func(archiveJSON) bool) archiveJSON {
	s.t.Helper()
	return s.within(patience, id, want)
}

func (s *harness) within(patience time.Duration, id string, want func(archiveJSON) bool) archiveJSON {
	s.t.Helper()
	var a archiveJSON
	for deadline := time.Now().Add(patience); time.Now().Before(deadline); time.Sleep(100 * time.Millisecond) {
		if a = s.archive(id); want(a) {
			return a
		}
	}
	require.Failf(s.t, "the archive is not as wanted", "%+v", a)
	return a
}

// request asks for an archive through the API, and retries while the starter is not running.
func (s *harness) request(project string) {
	s.t.Helper()
	require.Eventually(s.t, func() bool {
		return s.call(http.MethodPost, "/archives", map[string]any{"project_id": project}, nil) == http.StatusAccepted
	}, patience, 200*time.Millisecond)
}

var (
	dates   = regexp.MustCompile(`\d{4}-\d{2}-\d{2}T[0-9:.]+(Z|\+00:00)`)
	hosts   = regexp.MustCompile(`http://127\.0\.0\.1:\d+`)
	reports = regexp.MustCompile(`(?m)^( *)asset "Archive report .*\n(?: *(?:version|file|file set|format) .*\n)*`)
)

// sameTree prints only the lines that differ.
func sameTree(t *testing.T, want, got string) {
	t.Helper()
	count := map[string]int{}
	for _, l := range strings.Split(want, "\n") {
		count[l]++
	}
	for _, l := range strings.Split(got, "\n") {
		count[l]--
	}
	var diff []string
	for l, n := range count {
		if n > 0 {
			diff = append(diff, fmt.Sprintf("missing %d× %s", n, l))
		} else if n < 0 {
			diff = append(diff, fmt.Sprintf("extra %d× %s", -n, l))
		}
	}
	require.Empty(t, strings.Join(diff, "\n"), "iconik does not hold what it should")
}

// tree returns what iconik has, without what differs from run to run.
func (s *harness) tree() string {
	return reports.ReplaceAllString(hosts.ReplaceAllString(dates.ReplaceAllString(s.Iconik.Tree(), "DATE"), "HOST"), "")
}

// writes counts the calls that change iconik, except for jobs.
func (s *harness) writes() int {
	n := 0
	for op, c := range s.Iconik.Calls() {
		if !strings.HasPrefix(op, "GET ") && !strings.Contains(op, "jobs/v1") && !strings.Contains(op, "search/v1") {
			n += c
		}
	}
	return n
}

// post sends what iconik would send, with its secret header.
func (s *harness) post(path string, body any, secret string) (int, map[string]any) {
	s.t.Helper()
	raw, err := json.Marshal(body)
	require.NoError(s.t, err)
	req, err := http.NewRequestWithContext(s.t.Context(), http.MethodPost, s.APIURL+prefix+path+"?tenant-id="+stack.Tenant, bytes.NewReader(raw))
	require.NoError(s.t, err)
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("X-Framebridge-Secret", secret)
	resp, err := http.DefaultClient.Do(req)
	require.NoError(s.t, err)
	defer resp.Body.Close()
	var out map[string]any
	require.NoError(s.t, json.NewDecoder(resp.Body).Decode(&out))
	return resp.StatusCode, out
}

type reviewJSON struct {
	ID        string    `json:"id"`
	Status    string    `json:"status"`
	Reason    string    `json:"reason"`
	ShareURL  string    `json:"share_url"`
	ExpiresAt time.Time `json:"expires_at"`
	DeleteAt  time.Time `json:"delete_at"`
	Reviewers []string  `json:"reviewers"`
	Notes     []string  `json:"notes"`
	Assets    []struct {
		AssetID  string `json:"iconik_asset_id"`
		FileID   string `json:"frameio_file_id"`
		State    string `json:"state"`
		Decision string `json:"decision"`
	} `json:"assets"`
	Comments struct {
		ToIconik  int `json:"to_iconik"`
		ToFrameio int `json:"to_frameio"`
		Open      int `json:"open"`
	} `json:"comments"`
}

// asset adds an iconik asset with its proxy.
func (s *harness) asset(title string) string {
	s.t.Helper()
	id, err := s.Iconik.AddAsset(title, "", samples.Media("25.mov"))
	require.NoError(s.t, err)
	require.True(s.t, s.Iconik.AwaitProxy(id, patience))
	return id
}

func form(changes map[string][]string) map[string][]string {
	f := map[string][]string{"framebridge_reviewers": {"rita@client.example, rob@client.example"}, "framebridge_message": {"Please look"},
		"framebridge_expires": {time.Now().Add(time.Hour).UTC().Format(time.RFC3339)}, "framebridge_quality": {"proxy"}}
	for k, v := range changes {
		f[k] = v
	}
	return f
}

// sendReview clicks the action and returns the review.
func (s *harness) sendReview(values map[string][]string, assets ...string) reviewJSON {
	s.t.Helper()
	before := len(s.reviews())
	where := "ASSET send"
	if len(assets) > 1 {
		where = "BULK send"
	}
	s.Iconik.Click(s.Actions[where], s.Iconik.ServiceUser(), assets, nil, values)
	require.Eventually(s.t, func() bool { return len(s.reviews()) > before }, patience, 20*time.Millisecond)
	return s.reviews()[0]
}

func (s *harness) reviews() []reviewJSON {
	var out struct{ Reviews []reviewJSON }
	s.call(http.MethodGet, "/reviews", nil, &out)
	return out.Reviews
}

func (s *harness) review(id string) reviewJSON {
	var out reviewJSON
	s.call(http.MethodGet, "/reviews/"+id, nil, &out)
	return out
}

func (s *harness) reviewIs(id, status string) reviewJSON {
	s.t.Helper()
	var last reviewJSON
	if !assert.Eventually(s.t, func() bool { last = s.review(id); return last.Status == status }, patience, 50*time.Millisecond) {
		s.t.Fatalf("the review is %s (%s), not %s", last.Status, last.Reason, status)
	}
	return last
}

// segmentTexts returns the texts of an asset's comments in iconik.
func (s *harness) segmentTexts(asset string) []string {
	var out []string
	for _, d := range s.Iconik.Segments(asset) {
		out = append(out, fmt.Sprint(d["segment_text"]))
	}
	return out
}

func (s *harness) frameioTexts(file string) []string {
	var out []string
	for _, c := range s.Frameio.CommentsOf(file) {
		out = append(out, c.Text)
	}
	return out
}

func (s *harness) soon(what string, ok func() bool) {
	s.t.Helper()
	require.Eventually(s.t, ok, patience, 20*time.Millisecond, what)
}

// told waits for mails whose subjects begin with the given texts, because a mail comes after what it reports.
func (s *harness) told(subjects ...string) {
	s.t.Helper()
	for _, want := range subjects {
		s.soon("a mail: "+want, func() bool {
			return slices.ContainsFunc(s.Mail.Messages(), func(m mailtest.Message) bool { return strings.HasPrefix(m.Subject, want) })
		})
	}
}

func frames(n int64) *int64 { return &n }
