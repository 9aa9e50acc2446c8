//go:build integration

package e2e

import (
	"compress/gzip"
	"context"
	"encoding/base64"
	"fmt"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	metricsv1 "go.opentelemetry.io/proto/otlp/collector/metrics/v1"
	tracev1 "go.opentelemetry.io/proto/otlp/collector/trace/v1"
	"go.temporal.io/api/workflowservice/v1"
	"go.temporal.io/sdk/client"
	"google.golang.org/protobuf/encoding/prototext"
	"google.golang.org/protobuf/proto"

	"github.com/framebridge/framebridge/sandbox/frameiosim"
	"github.com/framebridge/framebridge/sandbox/samples"
	"github.com/framebridge/framebridge/sandbox/stack"
)

// Values of the other tenant, which this one must not see.
const (
	rival        = "7b1f0a52-3a0e-4c55-9d35-5b7f6c2f9e10"
	rivalName    = "Okapi Pictures"
	rivalProject = "Okapi Reel"
	rivalAddress = "ops@okapi.example"
)

// marked are the secrets of the setup, each by a name for failure messages.
var marked = map[string]string{
	"API key": stack.APIKey, "Frame.io token": stack.FrameioToken, "webhook secret": stack.HookSecret, "iconik token": stack.IconikToken, "action secret": stack.ActionSecret,
	"encryption key": "sandbox-encryption-key-0123456789", "SMTP password": "marked-smtp-password-4711", "Slack path": "marked-slack-path-4711", "webhook path": "marked-hook-path-4711",
	"signing secret": "marked-signing-secret-4711", "report key": base64.StdEncoding.EncodeToString([]byte("marked-report-key-of-thirty-two.")), "OTLP header": "marked-otlp-header-4711",
	"store's key": "sandbox-secret-key", "DSN password": "marked-dsn-password-4711",
	"other tenant's API key": "marked-rival-api-key-4711", "other tenant's hook secret": "marked-rival-hook-secret-4711", "other tenant's iconik token": "marked-rival-iconik-token-4711", "other tenant's action secret": "marked-rival-action-secret-4711",
}

// signedAddress matches a signed URL, or one of Framebridge's own links that work without an account.
var signedAddress = regexp.MustCompile(`(?i)x-amz-signature=[0-9a-f]{16}|(/l/)[A-Za-z0-9_-]{60}`)

// sink accepts whatever is sent to it: notifications and OTLP.
type sink struct {
	*httptest.Server
	mu   sync.Mutex
	got  map[string]string // by path
	otlp strings.Builder
}

func openSink(t *testing.T) *sink {
	s := &sink{got: map[string]string{}}
	s.Server = httptest.NewServer(s)
	t.Cleanup(s.Close)
	return s
}

func (s *sink) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body := io.Reader(r.Body)
	if r.Header.Get("Content-Encoding") == "gzip" {
		if z, err := gzip.NewReader(r.Body); err == nil {
			body = z
		}
	}
	raw, _ := io.ReadAll(body)
	s.mu.Lock()
	defer s.mu.Unlock()
	if m, ok := map[string]proto.Message{"/v1/metrics": &metricsv1.ExportMetricsServiceRequest{}, "/v1/traces": &tracev1.ExportTraceServiceRequest{}}[r.URL.Path]; ok {
		if proto.Unmarshal(raw, m) == nil {
			s.otlp.WriteString(prototext.Format(m))
		}
		w.Header().Set("Content-Type", "application/x-protobuf")
		return
	}
	s.got[r.URL.Path] += string(raw) + "\n"
}

func (s *sink) taken(path string) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.got[path]
}

// search collects what was found where nothing may be.
type search struct {
	t     *testing.T
	found map[string]bool
}

func (s *search) in(where, text string, signed bool, others bool) {
	tell := func(what string, at int) {
		if key := where + ": " + what; !s.found[key] {
			s.found[key] = true
			assert.Fail(s.t, key, "…%s…", text[max(0, at-150):min(len(text), at+80)])
		}
	}
	for what, secret := range marked {
		for _, form := range []string{secret, url.QueryEscape(secret), base64.StdEncoding.EncodeToString([]byte(secret))} {
			if at := strings.Index(text, form); at >= 0 {
				tell(what, at)
			}
		}
	}
	if at := signedAddress.FindStringIndex(text); at != nil && signed {
		tell("a signed address", at[0])
	}
	if at := strings.Index(strings.ToLower(text), "okapi"); at >= 0 && others {
		tell("the other tenant", at)
	}
}

// TestNoSecretAndNoOtherTenantIsSeen runs an archive and a review of one tenant next to another one's archive, with everything logged, and looks for secrets,
// signed URLs and the other tenant's name in everything that comes out.
func TestNoSecretAndNoOtherTenantIsSeen(t *testing.T) {
	t.Parallel()
	o := options(t)
	out := openSink(t)
	o.Debug = true
	o.Review = map[string]string{"retention": "2s", "warn_before": "1s"}
	own := "FRAMEBRIDGE_TENANTS_" + strings.ToUpper(strings.ReplaceAll(stack.Tenant, "-", "_"))
	o.Env = []string{
		own + "_NOTIFY_SLACK_URL=" + out.URL + "/slack/" + marked["Slack path"], own + "_NOTIFY_WEBHOOK_URL=" + out.URL + "/hook/" + marked["webhook path"], own + "_NOTIFY_WEBHOOK_SECRET=" + marked["signing secret"],
		`FRAMEBRIDGE_NOTIFY_ALLOWED_NETWORKS=["127.0.0.0/8"]`, "FRAMEBRIDGE_REPORT_SIGNING_KEY=" + marked["report key"],
		"FRAMEBRIDGE_TELEMETRY_OTLP_ENDPOINT=" + out.URL, `FRAMEBRIDGE_TELEMETRY_OTLP_HEADERS={Authorization: "Bearer ` + marked["OTLP header"] + `"}`, "FRAMEBRIDGE_TELEMETRY_OTLP_INTERVAL=2s",
	}
	s := openHarbour(t, o)
	require.NoError(t, os.MkdirAll(filepath.Join(o.Dir, "tenants.d"), 0o700))
	require.NoError(t, os.WriteFile(filepath.Join(o.Dir, "tenants.d", "rival.yaml"), []byte(fmt.Sprintf(`%s:
  name: %s
  api_key: %s
  frameio: {generation: legacy, base_url: "%s", token: %s, workspace: "Harbour Films", webhook_secrets: [%s]}
  iconik: {base_url: "%s", app_id: %s, auth_token: %s, action_secret: %s, settle_time: 3s}
  archive: {notify: ["%s"]}
  notify: {slack_url: "%s/rival"}
`, rival, rivalName, marked["other tenant's API key"], s.FrameioURL, stack.FrameioToken, marked["other tenant's hook secret"], s.IconikURL, stack.IconikApp, stack.IconikToken, marked["other tenant's action secret"],
		rivalAddress, out.URL)), 0o600))
	s.launch()

	beats := s.watchHeartbeats()
	secret, err := samples.Small(s.Frameio, s.team, rivalProject, 6, 1)
	require.NoError(t, err)
	s.as(rival, marked["other tenant's API key"], http.MethodPost, "/archives", fmt.Sprintf(`{"project_id":%q}`, secret.ID))
	s.Frameio.Rename(s.project.ID, archivedName)
	s.until(s.project.ID, ended)
	require.Eventually(t, func() bool {
		text := s.as(rival, marked["other tenant's API key"], http.MethodGet, "/archives/"+secret.ID, "")
		return strings.Contains(text, `"verified`)
	}, patience, time.Second)
	asset := s.asset("Interview A.mov")
	r := s.sendReview(form(map[string][]string{"framebridge_title": {"Rough cut"}, "framebridge_passphrase": {"open-sesame-4711"}}), asset)
	r = s.reviewIs(r.ID, "open")
	s.Frameio.Say(frameiosim.Comment{AssetID: r.Assets[0].FileID, Text: "Darker here", Timestamp: frames(50), Guest: &frameiosim.User{ID: "guest-1", Name: "Rita", Email: "rita@client.example"}})
	s.soon("the comment is in iconik", func() bool { return len(s.Iconik.Segments(asset)) == 1 })
	s.as(stack.Tenant, "not the key of the tenant", http.MethodGet, "/archives", "")

	find := &search{t: t, found: map[string]bool{}}
	// What the tenant's people and programs see, while the review is open.
	for where, text := range s.pages(stack.Tenant) {
		find.in("console "+where, text, true, !strings.Contains(where, "/start"))
	}
	for _, path := range []string{"/archives", "/archives/" + s.project.ID, "/archives/" + s.project.ID + "/items", "/archives/" + s.project.ID + "/failures", "/archives/" + s.project.ID + "/report.json",
		"/archives/" + s.project.ID + "/report.html", "/archives/" + s.project.ID + "/report.csv", "/reviews", "/reviews/" + r.ID, "/reviews/" + r.ID + "/comments.csv", "/doctor", "/deliveries", "/audit", "/migrations", "/mirrors",
		"/archives/" + secret.ID} {
		find.in("API "+path, s.as(stack.Tenant, stack.APIKey, http.MethodGet, path, ""), true, true)
	}
	s.call("POST", "/reviews/"+r.ID+"/stop", nil, nil)
	s.reviewIs(r.ID, "deleted")

	for name, at := range map[string]string{"starter": s.APIURL, "worker": s.WorkerURL} {
		text := get(t, at+"/metrics")
		require.Contains(t, text, "framebridge_")
		find.in("metrics of the "+name, text, true, true)
		if dir := os.Getenv("FRAMEBRIDGE_SCRAPES"); dir != "" {
			require.NoError(t, os.WriteFile(filepath.Join(dir, name+".metrics"), []byte(text), 0o600))
		}
	}
	for _, m := range s.Mail.Messages() {
		find.in("mail to "+strings.Join(m.To, " "), m.Subject+m.Text+m.HTML+fmt.Sprint(m.Header), false, !slices.Contains(m.To, rivalAddress))
	}
	require.NotEmpty(t, out.taken("/slack/"+marked["Slack path"]))
	find.in("Slack", out.taken("/slack/"+marked["Slack path"]), true, true)
	find.in("webhook", out.taken("/hook/"+marked["webhook path"]), true, true)
	require.Contains(t, out.taken("/rival"), rivalProject)
	assert.NotContains(t, out.taken("/rival"), "Harbour")

	for name, h := range s.histories() {
		text := payloads(t, h) + prototext.Format(h)
		find.in("history "+name, text, true, !strings.Contains(text, rival))
		assert.NotContains(t, text, "open-sesame-4711", name)
	}
	find.in("heartbeats", beats(), true, false)

	s.Starter.Stop()
	s.Worker.Stop()
	out.mu.Lock()
	otlp := out.otlp.String()
	out.mu.Unlock()
	require.Contains(t, otlp, "framebridge_archives")
	require.Contains(t, otlp, "RunActivity:TransferFile")
	find.in("traces and metrics of OTLP", otlp, true, true)
	for _, p := range []*stack.Process{s.Starter, s.Worker} {
		raw, err := os.ReadFile(p.LogFile())
		require.NoError(t, err)
		require.Contains(t, string(raw), "DEBUG")
		find.in("log of the "+p.Name, string(raw), true, false)
		assert.NotContains(t, string(raw), "open-sesame-4711", p.Name)
	}

	// An error about an unreachable database does not contain its password.
	cmd := exec.CommandContext(t.Context(), filepath.Join(stack.BinDir(root), "worker"), "--config", s.Config, "--log-level", "debug")
	cmd.Env = append(append(os.Environ(), o.Env...), "FRAMEBRIDGE_LEDGER_DSN=postgres://framebridge:"+marked["DSN password"]+"@127.0.0.1:1/ledger", "FRAMEBRIDGE_MAIL_SMTP_URL=smtp://user:"+marked["SMTP password"]+"@127.0.0.1:1")
	said, err := cmd.CombinedOutput()
	require.Error(t, err)
	find.in("a worker without its database", string(said), true, false)
}

// launch restarts Framebridge with what was configured meanwhile.
func (s *harness) launch() {
	s.t.Helper()
	for _, p := range []*stack.Process{s.Starter, s.Worker} {
		p.Stop()
		require.NoError(s.t, p.Start())
	}
	require.NoError(s.t, s.Ready(s.t.Context()))
}

// as calls the API for a tenant with a key.
func (s *harness) as(tenant, key, method, path, body string) string {
	s.t.Helper()
	req, err := http.NewRequestWithContext(s.t.Context(), method, s.APIURL+prefix+path+"?tenant-id="+tenant, strings.NewReader(body))
	require.NoError(s.t, err)
	req.Header.Set("Authorization", "Bearer "+key)
	req.Header.Set("Content-Type", "application/json")
	resp, err := http.DefaultClient.Do(req)
	require.NoError(s.t, err)
	defer resp.Body.Close()
	raw, err := io.ReadAll(resp.Body)
	require.NoError(s.t, err)
	return fmt.Sprint(resp.StatusCode, resp.Header, string(raw))
}

func get(t *testing.T, address string) string {
	t.Helper()
	resp, err := http.Get(address)
	require.NoError(t, err)
	defer resp.Body.Close()
	raw, err := io.ReadAll(resp.Body)
	require.NoError(t, err)
	return string(raw)
}

var linked = regexp.MustCompile(`(?:href|src)="(/ui/[^"#]*)"`)

// pages returns all pages of the console that a tenant's administrator reaches by following links, and the files that they load.
func (s *harness) pages(tenant string) map[string]string {
	s.t.Helper()
	cmd := s.Command(s.t.Context(), "console", "--config", s.Config, "--tenant", tenant)
	said, err := cmd.Output()
	require.NoError(s.t, err)
	var code string
	for _, word := range strings.Fields(string(said)) {
		if u, err := url.Parse(word); err == nil && u.Query().Get("code") != "" {
			code = u.Query().Get("code")
		}
	}
	require.NotEmpty(s.t, code, "%s", said)
	jar, err := cookiejar.New(nil)
	require.NoError(s.t, err)
	browser := &http.Client{Jar: jar, Timeout: time.Minute}
	req, err := http.NewRequestWithContext(s.t.Context(), http.MethodPost, s.APIURL+"/ui/sign-in/once", strings.NewReader(url.Values{"code": {code}}.Encode()))
	require.NoError(s.t, err)
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	req.Header.Set("Origin", s.APIURL)
	resp, err := browser.Do(req)
	require.NoError(s.t, err)
	_ = resp.Body.Close()
	require.Equal(s.t, http.StatusOK, resp.StatusCode)

	seen := map[string]string{}
	for next := []string{"/ui/", "/ui/" + rival + "/archives", "/ui/people"}; len(next) > 0 && len(seen) < 400; next = next[1:] {
		path := strings.ReplaceAll(next[0], "&amp;", "&")
		if _, known := seen[path]; known || strings.HasSuffix(path, "/events") || strings.Contains(path, "sign-out") {
			continue
		}
		resp, err := browser.Get(s.APIURL + path)
		require.NoError(s.t, err)
		raw, err := io.ReadAll(io.LimitReader(resp.Body, 4<<20))
		_ = resp.Body.Close()
		require.NoError(s.t, err)
		seen[path] = fmt.Sprint(resp.StatusCode, resp.Header, string(raw))
		if strings.HasPrefix(resp.Header.Get("Content-Type"), "text/html") {
			for _, m := range linked.FindAllStringSubmatch(string(raw), -1) {
				next = append(next, m[1])
			}
		}
	}
	require.Greater(s.t, len(seen), 20)
	return seen
}

// watchHeartbeats collects the heartbeats of running activities until its result is called.
func (s *harness) watchHeartbeats() func() string {
	s.t.Helper()
	c, err := client.Dial(client.Options{HostPort: s.TemporalAddress})
	require.NoError(s.t, err)
	ctx, cancel := context.WithCancel(s.t.Context())
	var b strings.Builder
	done := make(chan struct{})
	go func() {
		defer close(done)
		for ctx.Err() == nil {
			open, err := c.ListWorkflow(ctx, &workflowservice.ListWorkflowExecutionsRequest{PageSize: 100, Query: "ExecutionStatus = 'Running'"})
			if err != nil {
				time.Sleep(200 * time.Millisecond)
				continue
			}
			for _, e := range open.GetExecutions() {
				d, err := c.DescribeWorkflowExecution(ctx, e.GetExecution().GetWorkflowId(), e.GetExecution().GetRunId())
				if err != nil {
					continue
				}
				for _, a := range d.GetPendingActivities() {
					b.WriteString(prototext.Format(a))
					for _, p := range a.GetHeartbeatDetails().GetPayloads() {
						b.Write(p.GetData())
						for _, m := range inBase64.FindAllString(string(p.GetData()), -1) {
							if raw, err := base64.StdEncoding.DecodeString(strings.Trim(m, `"`)); err == nil {
								b.Write(raw)
							}
						}
					}
				}
			}
			time.Sleep(200 * time.Millisecond)
		}
	}()
	return func() string {
		cancel()
		<-done
		c.Close()
		return b.String()
	}
}

var inBase64 = regexp.MustCompile(`"[A-Za-z0-9+/]{40,}={0,2}"`)
