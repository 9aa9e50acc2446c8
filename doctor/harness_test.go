package doctor_test

import (
	"bufio"
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	enumspb "go.temporal.io/api/enums/v1"
	namespacepb "go.temporal.io/api/namespace/v1"
	"go.temporal.io/api/operatorservice/v1"
	taskqueuepb "go.temporal.io/api/taskqueue/v1"
	"go.temporal.io/api/workflowservice/v1"
	"go.temporal.io/sdk/client"
	"google.golang.org/grpc"
	"google.golang.org/protobuf/types/known/durationpb"

	"github.com/framebridge/framebridge/clients/frameio"
	"github.com/framebridge/framebridge/clients/frameio/open"
	"github.com/framebridge/framebridge/clients/iconik"
	"github.com/framebridge/framebridge/config"
	"github.com/framebridge/framebridge/doctor"
	"github.com/framebridge/framebridge/events"
	"github.com/framebridge/framebridge/ledger"
	"github.com/framebridge/framebridge/sandbox/frameiosim"
	"github.com/framebridge/framebridge/sandbox/iconiksim"
	"github.com/framebridge/framebridge/sandbox/s3sim"
	"github.com/framebridge/framebridge/setup"
	"github.com/framebridge/framebridge/test/emptyledger"
)

const (
	tenantID = "0419e0c5-6fed-4b66-bf0f-f8a99d44bcd0"
	appID    = "5c1d4b6e-0f0e-11ef-9c1a-0242ac120002"
	host     = "framebridge.example.com"
	version  = "1.2.3"
	// Secrets that no report may show; the tests check that.
	imsSecret, iconikToken, mailPassword, apiKey = "ims-client-secret-7731", "iconik-token-8842", "mail-password-9953", "api-key-of-acme-1064"
)

// tamper is a vendor that changes some responses.
type tamper struct {
	http.Handler
	mu      sync.Mutex
	answers map[string]any // by path: JSON, or a status
	late    time.Duration  // how late its clock is
	hangs   bool
}

func (v *tamper) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	v.mu.Lock()
	answer, found := v.answers[strings.TrimRight(r.URL.Path, "/")]
	late, hangs := v.late, v.hangs
	v.mu.Unlock()
	if hangs {
		<-r.Context().Done()
		return
	}
	if late != 0 {
		w.Header().Set("Date", time.Now().UTC().Add(late).Format(http.TimeFormat))
	}
	if !found {
		v.Handler.ServeHTTP(w, r)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	if status, ok := answer.(int); ok {
		w.WriteHeader(status)
		answer = map[string]any{"errors": []any{map[string]any{"detail": http.StatusText(status)}}, "error": "invalid_client"}
	}
	_ = json.NewEncoder(w).Encode(answer)
}

func (v *tamper) answer(path string, with any) {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.answers[path] = with
}

// fakeTemporal is a cluster with a namespace, search attributes and workers.
type fakeTemporal struct {
	client.Client
	down, noNamespace bool
	retention         time.Duration
	attributes        []string
	pollers           map[string][]string // by queue and kind
}

type fakeFrontend struct {
	workflowservice.WorkflowServiceClient
	t *fakeTemporal
}

type fakeOperator struct {
	operatorservice.OperatorServiceClient
	t *fakeTemporal
}

func (t *fakeTemporal) WorkflowService() workflowservice.WorkflowServiceClient {
	return fakeFrontend{t: t}
}
func (t *fakeTemporal) OperatorService() operatorservice.OperatorServiceClient {
	return fakeOperator{t: t}
}

func (t *fakeTemporal) DescribeTaskQueue(_ context.Context, queue string, kind enumspb.TaskQueueType) (*workflowservice.DescribeTaskQueueResponse, error) {
	out := &workflowservice.DescribeTaskQueueResponse{}
	for _, identity := range t.pollers[queue+" "+kind.String()] {
		out.Pollers = append(out.Pollers, &taskqueuepb.PollerInfo{Identity: identity})
	}
	return out, nil
}

func (f fakeFrontend) GetSystemInfo(context.Context, *workflowservice.GetSystemInfoRequest, ...grpc.CallOption) (*workflowservice.GetSystemInfoResponse, error) {
	if f.t.down {
		return nil, fmt.Errorf("connection refused")
	}
	return &workflowservice.GetSystemInfoResponse{}, nil
}

func (f fakeFrontend) DescribeNamespace(context.Context, *workflowservice.DescribeNamespaceRequest, ...grpc.CallOption) (*workflowservice.DescribeNamespaceResponse, error) {
	if f.t.noNamespace {
		return nil, fmt.Errorf("Namespace is not found")
	}
	return &workflowservice.DescribeNamespaceResponse{Config: &namespacepb.NamespaceConfig{WorkflowExecutionRetentionTtl: durationpb.New(f.t.retention)}}, nil
}

func (f fakeOperator) ListSearchAttributes(context.Context, *operatorservice.ListSearchAttributesRequest, ...grpc.CallOption) (*operatorservice.ListSearchAttributesResponse, error) {
	out := &operatorservice.ListSearchAttributesResponse{CustomAttributes: map[string]enumspb.IndexedValueType{}}
	for _, a := range f.t.attributes {
		out.CustomAttributes[a] = enumspb.INDEXED_VALUE_TYPE_KEYWORD
		if a == "FramebridgeExpires" {
			out.CustomAttributes[a] = enumspb.INDEXED_VALUE_TYPE_DATETIME
		}
	}
	return out, nil
}

// mailServer speaks as much SMTP as a check needs.
type mailServer struct {
	address                    string
	noHello, noLogin, noSender atomic.Bool
}

func newMailServer(t *testing.T) *mailServer {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	t.Cleanup(func() { _ = l.Close() })
	m := &mailServer{address: l.Addr().String()}
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			go m.talk(c)
		}
	}()
	return m
}

func (m *mailServer) talk(c net.Conn) {
	defer c.Close()
	say := func(line string) { fmt.Fprint(c, line+"\r\n") }
	if m.noHello.Load() {
		say("554 go away")
		return
	}
	say("220 here")
	lines := bufio.NewScanner(c)
	for lines.Scan() {
		switch line := strings.ToUpper(lines.Text()); {
		case strings.HasPrefix(line, "EHLO"):
			fmt.Fprint(c, "250-here\r\n250 AUTH PLAIN\r\n")
		case strings.HasPrefix(line, "AUTH") && m.noLogin.Load():
			say("535 no")
		case strings.HasPrefix(line, "AUTH"):
			say("235 yes")
		case strings.HasPrefix(line, "MAIL") && m.noSender.Load():
			say("550 not as that sender")
		case strings.HasPrefix(line, "QUIT"):
			say("221 bye")
			return
		default:
			say("250 fine")
		}
	}
}

// harness is a healthy installation with one tenant.
type harness struct {
	*doctor.Subject
	t                   *testing.T
	tenant              *config.Tenant
	frameio             *frameiosim.Sim
	iconik              *iconiksim.Sim
	frameioAt, iconikAt *tamper
	testServer, worker  *tamper
	temporal            *fakeTemporal
	mail                *mailServer
	team                string
	options             *frameiosim.Options
	serverAt            string
}

// RoundTrip redirects requests for the public address to the starter on this machine.
func (h *harness) RoundTrip(r *http.Request) (*http.Response, error) {
	if r.URL.Hostname() == host {
		r = r.Clone(r.Context())
		r.URL.Scheme, r.URL.Host = "http", h.serverAt
	}
	return http.DefaultTransport.RoundTrip(r)
}

func newHarness(t *testing.T, generation string) *harness {
	t.Helper()
	h := &harness{t: t, mail: newMailServer(t), options: &frameiosim.Options{}}
	serve := func(handler http.Handler) (*tamper, string) {
		v := &tamper{Handler: handler, answers: map[string]any{}}
		srv := httptest.NewServer(v)
		t.Cleanup(srv.CloseClientConnections)
		t.Cleanup(srv.Close)
		return v, srv.URL
	}
	store, err := s3sim.New(s3sim.Options{AccessKey: "key", SecretKey: "secret-of-the-store"})
	require.NoError(t, err)
	_, objects := serve(store)
	h.frameio, err = frameiosim.New(frameiosim.Options{Token: "token", Generation: generation, ClientID: "client", ClientSecret: imsSecret, Objects: store, Signer: store.Presigner(objects)})
	require.NoError(t, err)
	h.team = h.frameio.AddTeam("Harbour Films").ID
	project := h.frameio.AddProject(h.team, "Harbour Lights")
	_, err = h.frameio.AddFile(project.RootID, frameiosim.File{Name: "a.mov", Type: "video/quicktime", Body: []byte("a few bytes")})
	require.NoError(t, err)
	h.iconik, err = iconiksim.New(iconiksim.Options{AppID: appID, Token: iconikToken, IndexDelay: -1})
	require.NoError(t, err)
	var fioURL, ickURL, workerURL, serverURL string
	h.frameioAt, fioURL = serve(h.frameio.Handler())
	h.iconikAt, ickURL = serve(h.iconik.Handler())
	h.worker, workerURL = serve(http.NotFoundHandler())
	h.worker.answer("/healthz", map[string]string{"status": "ok", "version": version})
	h.testServer, serverURL = serve(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/problem+json")
		w.WriteHeader(http.StatusUnauthorized)
	}))
	h.serverAt = strings.TrimPrefix(serverURL, "http://")

	h.tenant = &config.Tenant{ID: tenantID, Name: "Acme", Archive: config.Archive{Notify: []string{"ops@example.com"}},
		Frameio: config.Frameio{Generation: generation, BaseURL: fioURL, Token: "token"},
		Iconik:  config.Iconik{BaseURL: ickURL, AppID: appID, AuthToken: iconikToken, Drawing: config.Drawing{Frame: "pixels", Width: 1920, Height: 1080}},
		Review:  config.Review{Project: "iconik Reviews", Watermark: "required", Longest: 720 * time.Hour, Retention: 24 * time.Hour}}
	setKey(h.tenant)
	if generation == "v4" {
		h.tenant.Frameio.IMS = config.IMS{TokenURL: fioURL + "/ims/token/v3", ClientID: "client", ClientSecret: imsSecret}
	}
	cfg := &config.Config{HTTP: config.HTTP{PublicURL: "https://" + host}, Worker: config.Worker{Listen: strings.TrimPrefix(workerURL, "http://")},
		Temporal: config.Temporal{Address: "temporal.example.com:7233", Namespace: "default", TaskQueue: "framebridge"},
		Mail:     config.Mail{SMTPURL: config.Secret("smtp://user:" + mailPassword + "@" + h.mail.address), From: "framebridge@example.com"},
		Tenants:  map[string]*config.Tenant{tenantID: h.tenant}}
	path := filepath.Join(t.TempDir(), "framebridge.yaml")
	require.NoError(t, os.WriteFile(path, []byte("x"), 0o600))
	dsn := emptyledger.DSN(t)
	cfg.Ledger.DSN = config.Secret(dsn)
	book, err := ledger.Open(t.Context(), dsn, ledger.WithKey("a key of 16 characters or more"))
	require.NoError(t, err)
	t.Cleanup(book.Close)
	workers := []string{"12@here@"}
	h.temporal = &fakeTemporal{retention: 1000 * time.Hour, attributes: []string{"FramebridgeTenant", "FramebridgeProject", "FramebridgeAsset", "FramebridgeStatus", "FramebridgeProjectName", "FramebridgeExpires"},
		pollers: map[string][]string{"framebridge Workflow": workers, "framebridge Activity": workers, "framebridge-transfers Activity": workers}}
	h.Subject = &doctor.Subject{Path: path, Config: cfg, Ledger: book, Temporal: h.temporal, Tenants: []*config.Tenant{h.tenant}, Base: cfg.HTTP.PublicURL + "/api/v1/services/frameio",
		Version: version, Transport: h, Open: h.open, SignedIn: func(context.Context, *config.Tenant) (time.Time, bool) { return time.Now().Add(-time.Hour), true }}
	h.setUp()
	return h
}

func (h *harness) open(t *config.Tenant) (doctor.Account, *iconik.Client, error) {
	var tokens open.Tokens
	if h.Ledger != nil {
		tokens = h.Ledger.Tenant(t.ID)
	}
	p, err := open.Platform(t, tokens, nil)
	if err != nil {
		return nil, nil, err
	}
	ick, err := iconik.New(t.Iconik)
	return p.(doctor.Account), ick, err
}

// refusedWebhook configures a webhook whose server responds, and that has rejected a delivery.
func (h *harness) refusedWebhook() {
	s := httptest.NewServer(http.NotFoundHandler())
	h.t.Cleanup(s.Close)
	h.tenant.Notify.Webhook = config.Webhook{URL: config.Secret(s.URL + "/secret"), Secret: config.Secrets{"a secret that signs events"}}
	l, e := h.Ledger.Tenant(tenantID), events.Event{ID: "evt_1", Type: events.ArchiveFailed, Created: time.Now(), Tenant: tenantID}
	_, err := l.Publish(h.t.Context(), e, []string{config.ChannelWebhook})
	must(err)
	must(l.BeginAttempt(h.t.Context(), e.ID, config.ChannelWebhook))
	must(l.EndAttempt(h.t.Context(), e.ID, config.ChannelWebhook, ledger.DeliveryFailed, http.StatusGone, "HTTP 410 Gone"))
}

// rewriteAudit changes an entry of the audit log behind the ledger's back.
func (h *harness) rewriteAudit() {
	for _, action := range []string{"stop", "retry"} {
		_, err := h.Ledger.AppendAudit(h.t.Context(), ledger.AuditEntry{Tenant: tenantID, Actor: ledger.Actor{Kind: ledger.ActorAPI}, Action: action})
		must(err)
	}
	db, err := sql.Open("sqlite", strings.TrimPrefix(h.Config.Ledger.DSN.Reveal(), "sqlite:"))
	must(err)
	defer db.Close()
	_, err = db.ExecContext(h.t.Context(), "UPDATE audit_log SET action = 'extend' WHERE action = 'stop'")
	must(err)
}

// setUp creates at both vendors what is needed there.
func (h *harness) setUp() {
	h.t.Helper()
	account, ick, err := h.open(h.tenant)
	require.NoError(h.t, err)
	s := &setup.Setup{Tenant: h.tenant, Base: h.Base, Frameio: account.(frameio.Installer), Iconik: ick, Ledger: h.Ledger.Tenant(h.tenant.ID)}
	plan, err := s.Plan(h.t.Context())
	require.NoError(h.t, err)
	require.NoError(h.t, plan.Apply(h.t.Context(), nil))
}

// change changes the first iconik entity of a kind whose field has a value.
func (h *harness) change(kind, field, value string, change func(map[string]any)) {
	h.t.Helper()
	for _, d := range h.iconik.Docs(kind) {
		if d[field] == value {
			id, _ := d["id"].(string)
			if kind == "fields" {
				id = value
			}
			h.iconik.ChangeDoc(kind, id, func(d map[string]any) bool {
				change(d)
				return d["drop"] == nil
			})
			return
		}
	}
	h.t.Fatalf("no %s with %s %s", kind, field, value)
}

func setKey(t *config.Tenant) { t.APIKey = config.Secrets{apiKey} }

// forgetTokens removes the access tokens that setup has left in the ledger.
func (h *harness) forgetTokens() {
	must(h.Ledger.Tenant(tenantID).PutToken(h.t.Context(), "frameio-ims", []byte("{}")))
}

func (h *harness) signedIn(age time.Duration) {
	h.SignedIn = func(context.Context, *config.Tenant) (time.Time, bool) { return time.Now().Add(-age), true }
}
