// Package stack brings up everything Framebridge needs on one machine: a Temporal server, an object store, both vendors
// simulated, a mail catcher, and the worker and starter as separate processes that can be killed.
package stack

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"text/template"
	"time"

	"github.com/framebridge/framebridge/clients/mail/mailtest"
	"github.com/framebridge/framebridge/sandbox/frameiosim"
	"github.com/framebridge/framebridge/sandbox/iconiksim"
	"github.com/framebridge/framebridge/sandbox/s3sim"
)

// Values of the sandbox's configuration. None of them gives access to anything outside this machine.
const (
	Tenant       = "0419e0c5-6fed-4b66-bf0f-f8a99d44bcd0"
	APIKey       = "sandbox-framebridge-api-key"
	FrameioToken = "fio-u-sandbox-developer-token"
	HookSecret   = "sandbox-frameio-webhook-secret"
	IconikApp    = "5c1d4b6e-0f0e-11ef-9c1a-0242ac120002"
	IconikToken  = "sandbox-iconik-application-token"
	ActionSecret = "sandbox-iconik-action-secret"
	imsClient    = "sandbox-ims-client"
	imsSecret    = "sandbox-ims-client-secret"
	accessKey    = "sandbox"
	secretKey    = "sandbox-secret-key"
	readyTimeout = 60 * time.Second
)

// Part is how much of a stack Start starts.
type Part int

// The parts of a stack.
const (
	Everything         Part = iota
	Vendors                 // both simulators, their storage and a mail server
	VendorsAndTemporal      // and Temporal; somebody else installs Framebridge
)

// Options configures a stack.
type Options struct {
	Part Part
	Bin  string // where worker and starter are; "" means where Build puts them
	// PublicURL is where the vendors reach Framebridge; "" means the starter itself.
	PublicURL string
	// Host is this machine's name for others, which can then reach the vendors; "" means 127.0.0.1, for this machine alone.
	Host string
	Root string // the module's folder
	Dir  string // where everything is kept
	// Persist keeps the vendors' state across a restart. The ledger and Temporal's history are always kept in Dir.
	Persist    bool
	RateLimits bool
	Quicker    float64       // factor by which the windows of Frame.io's limits are shorter; 0: 1
	Latency    time.Duration // before each answer of the vendors
	IndexDelay time.Duration // iconik's; see iconiksim.Options
	// S3 is a real store, http://ACCESS:SECRET@host:port; "" means the embedded one.
	S3 string
	// Temporal is a running server; "" starts one.
	Temporal string
	// TemporalProgram is a command that starts one; nil means the one that Build makes.
	TemporalProgram *TemporalProgram
	Front           *Front // serves the stack's page; if nil, the stack does
	LedgerDSN       string // "" means SQLite in Dir
	FixedPorts      bool   // use the well-known ports if they are free
	// Archive is YAML for the tenant's archive section.
	Archive    map[string]string
	Quick      bool // short intervals, for tests
	Log        io.Writer
	Seed       int64 // for Frame.io's ids; 0: random
	Discard    bool  // the store keeps only checksums of large bodies
	StoreFault func(*http.Request) *s3sim.Fault
	Backoff    time.Duration // of Frame.io's webhook deliveries; 0: 15 s
	// Review is YAML for the tenant's review section. It overrides what the stack sets.
	Review     map[string]string
	Generation string   // of Frame.io's API: "v4" (default) or "legacy"
	Shares     string   // V4's profile of shares; see frameiosim.Options
	Plain      bool     // Frame.io puts no watermark on uploads
	NoHook     bool     // no webhooks for reviews, only polling
	Env        []string // for worker and starter, in addition to this process's
	Debug      bool     // worker and starter log everything
	Signs      bool     // reports and certificates are signed
}

// Stack is a running stack.
type Stack struct {
	o        Options
	Frameio  *frameiosim.Sim
	Iconik   *iconiksim.Sim
	Store    *s3sim.Store // nil with a real store
	Mail     *mailtest.Server
	Temporal *Process // nil with Options.Temporal
	Worker   *Process
	Starter  *Process

	FrameioURL, IconikURL, StoreURL, APIURL, TemporalUI, TemporalAddress, WorkerURL string
	PageURL                                                                         string // the sandbox's own page
	Config                                                                          string // file

	// Actions are the ids of iconik's custom actions by context and verb, such as "ASSET send".
	Actions map[string]string
	Clip    string // an asset in iconik that the sandbox's page offers for review

	servers []*http.Server
}

// Start brings everything up. On an error, it stops what it started.
func Start(ctx context.Context, o Options) (_ *Stack, err error) {
	if o.Log == nil {
		o.Log = io.Discard
	}
	o.Generation = cmp.Or(o.Generation, "v4")
	s := &Stack{o: o, Actions: map[string]string{}}
	defer func() {
		if err != nil {
			s.Stop()
		}
	}()
	if err := os.MkdirAll(o.Dir, 0o700); err != nil {
		return nil, err
	}
	if err := s.startVendors(); err != nil || o.Part == Vendors {
		return s, err
	}
	if err := s.startTemporal(ctx); err != nil || o.Part == VendorsAndTemporal {
		return s, err
	}
	if err := s.configure(); err != nil {
		return nil, err
	}
	if err := s.Starter.Start(); err != nil {
		return nil, err
	}
	if err := s.Worker.Start(); err != nil {
		return nil, err
	}
	if err := s.Ready(ctx); err != nil {
		return nil, err
	}
	if o.Front != nil {
		s.PageURL = o.Front.URL
		o.Front.show(s.page())
	} else if s.PageURL, err = s.serve(9030, s.page()); err != nil {
		return nil, err
	}
	s.Frameio.SetHome(s.PageURL)
	s.Iconik.SetHome(s.PageURL)
	return s, nil
}

func (s *Stack) serve(wellKnown int, h http.Handler) (string, error) {
	l, err := listening(func() (net.Listener, error) {
		return net.Listen("tcp", net.JoinHostPort(s.bind(), strconv.Itoa(s.port(wellKnown))))
	})
	if err != nil {
		return "", err
	}
	server := &http.Server{Handler: h, ReadHeaderTimeout: 10 * time.Second}
	s.servers = append(s.servers, server)
	go func() { _ = server.Serve(l) }()
	_, port, err := net.SplitHostPort(l.Addr().String())
	return "http://" + net.JoinHostPort(cmp.Or(s.o.Host, loopback), port), err
}

// late delays a handler.
func late(by time.Duration, h http.Handler) http.Handler {
	if by <= 0 {
		return h
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		time.Sleep(by)
		h.ServeHTTP(w, r)
	})
}

const loopback = "127.0.0.1"

// bind returns the address that the vendors listen on.
func (s *Stack) bind() string {
	if s.o.Host == "" {
		return loopback
	}
	return "0.0.0.0"
}

type objects interface {
	frameiosim.Objects
	iconiksim.Objects
}

func (s *Stack) startVendors() error {
	dir := func(name string) string {
		if !s.o.Persist {
			return ""
		}
		return filepath.Join(s.o.Dir, name)
	}
	var store objects
	var signer s3sim.Presigner
	if s.o.S3 != "" {
		remote, err := s3sim.OpenRemote(s.o.S3, "frameio-media", "iconik-files", "iconik-proxies")
		if err != nil {
			return err
		}
		store, signer, s.StoreURL = remote, remote.Presigner, remote.Endpoint
	} else {
		embedded, err := s3sim.New(s3sim.Options{Fault: s.o.StoreFault, Discard: s.o.Discard, Dir: dir("objects"), AccessKey: accessKey, SecretKey: secretKey})
		if err != nil {
			return err
		}
		if s.StoreURL, err = s.serve(9000, embedded); err != nil {
			return err
		}
		s.Store, store, signer = embedded, embedded, embedded.Presigner(s.StoreURL)
	}
	var err error
	if s.Frameio, err = frameiosim.New(frameiosim.Options{Token: FrameioToken, Objects: store, Signer: signer,
		RateLimits: s.o.RateLimits, Quicker: s.o.Quicker, Watermark: !s.o.Plain, Generation: s.o.Generation, Shares: s.o.Shares, ClientID: imsClient,
		ClientSecret: imsSecret, Dir: dir(""), Backoff: s.o.Backoff, Seed: s.o.Seed}); err != nil {
		return err
	}
	if s.Iconik, err = iconiksim.New(iconiksim.Options{AppID: IconikApp, Token: IconikToken, Objects: store, Signer: signer, RateLimits: s.o.RateLimits,
		IndexDelay: s.o.IndexDelay, Dir: dir("")}); err != nil {
		return err
	}
	if s.FrameioURL, err = s.serve(9010, late(s.o.Latency, s.Frameio.Handler())); err != nil {
		return err
	}
	s.Frameio.SetPublicURL(s.FrameioURL)
	if s.IconikURL, err = s.serve(9020, late(s.o.Latency, s.Iconik.Handler())); err != nil {
		return err
	}
	s.Mail, err = listening(func() (*mailtest.Server, error) { return mailtest.Listen(fmt.Sprintf("%s:%d", s.bind(), s.port(1025))) })
	return err
}

func (s *Stack) startTemporal(ctx context.Context) error {
	if s.o.Temporal != "" {
		s.TemporalAddress = s.o.Temporal
		return nil
	}
	var err error
	for range 3 { // a free port may be taken by somebody else before it is used
		port, ui := s.port(7233), s.port(8233)
		s.TemporalAddress, s.TemporalUI = fmt.Sprintf("127.0.0.1:%d", port), fmt.Sprintf("http://127.0.0.1:%d", ui)
		s.Temporal = s.temporalServer(port, ui)
		if err = s.Temporal.Start(); err != nil {
			return err
		}
		if err = s.TemporalReady(ctx); err == nil || s.Temporal.Running() {
			return err
		}
	}
	return err
}

// TemporalReady returns when Temporal's frontend answers. An open port is not enough: the server may still fail to open
// another one.
func (s *Stack) TemporalReady(ctx context.Context) error {
	until := time.Now().Add(readyTimeout)
	for {
		err := s.askTemporal(ctx)
		if err == nil {
			return nil
		}
		if time.Now().After(until) || ctx.Err() != nil || s.Temporal != nil && !s.Temporal.Running() {
			return fmt.Errorf("Temporal does not respond at %s: %w%s", s.TemporalAddress, err, s.Temporal.tail())
		}
		time.Sleep(50 * time.Millisecond)
	}
}

func (s *Stack) askTemporal(ctx context.Context) error {
	if s.Temporal == nil {
		c, err := net.DialTimeout("tcp", s.TemporalAddress, time.Second)
		if err != nil {
			return err
		}
		return c.Close()
	}
	ctx, cancel := context.WithTimeout(ctx, 2*time.Second)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, s.TemporalUI+"/api/v1/namespaces/default", nil)
	if err != nil {
		return err
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return fmt.Errorf("its Web UI says %s", resp.Status)
	}
	return nil
}

var configTemplate = template.Must(template.New("config").Parse(`# Written by the sandbox.
http: {listen: "{{.API}}", public_url: "{{.Public}}"}
temporal: {address: "{{.Temporal}}", namespace: default, task_queue: framebridge, ui_url: "{{.TemporalUI}}"}
ledger: {dsn: "{{.Ledger}}", encryption_key: "sandbox-encryption-key-0123456789"}
worker: {listen: "{{.Worker}}"}
mail: {smtp_url: "{{.Mail}}", from: "framebridge@sandbox.example"}
{{- with .SigningKey}}
report: {signing_key: "{{.}}"}
{{- end}}
tenants:
  {{.Tenant}}:
    name: Sandbox
    api_key: {{.APIKey}}
    frameio: {{if eq .Generation "v4"}}{generation: v4, base_url: "{{.Frameio}}", ims: {token_url: "{{.Frameio}}/ims/token/v3", client_id: {{.IMSClient}}, client_secret: {{.IMSSecret}}}{{else}}{generation: legacy, base_url: "{{.Frameio}}", token: {{.FrameioToken}}{{end}}, workspace: "Harbour Films", webhook_secrets: [{{.HookSecret}}]}
    iconik: {base_url: "{{.Iconik}}", app_id: {{.IconikApp}}, auth_token: {{.IconikToken}}, action_secret: {{.ActionSecret}}, settle_time: {{.Settle}}}
    archive:
      notify: ["ops@sandbox.example"]
{{- range $k, $v := .Archive}}
      {{$k}}: {{$v}}
{{- end}}
    review:
{{- range $k, $v := .Review}}
      {{$k}}: {{$v}}
{{- end}}
`))

func (s *Stack) configure() error {
	return s.configureAt(fmt.Sprintf("127.0.0.1:%d", s.port(8080)), fmt.Sprintf("127.0.0.1:%d", s.port(8081)))
}

func (s *Stack) configureAt(api, worker string) error {
	s.APIURL, s.WorkerURL = "http://"+api, "http://"+worker
	s.Config = filepath.Join(s.o.Dir, "framebridge.yaml")
	dsn := s.o.LedgerDSN
	if dsn == "" {
		dsn = "sqlite:" + filepath.Join(s.o.Dir, "ledger.db")
	}
	settle, poll := "5s", "10s"
	if s.o.Quick {
		settle, poll = "3s", "1s"
	}
	review := map[string]string{"poll_interval": poll, "notify": `["ops@sandbox.example"]`}
	maps.Copy(review, s.o.Review)
	var b strings.Builder
	if err := configTemplate.Execute(&b, map[string]any{"API": api, "Public": cmp.Or(s.o.PublicURL, s.APIURL), "Worker": worker, "Temporal": s.TemporalAddress, "TemporalUI": s.TemporalUI, "Ledger": dsn, "Mail": s.Mail.URL(),
		"Tenant": Tenant, "APIKey": APIKey, "Frameio": s.FrameioURL, "FrameioToken": FrameioToken, "HookSecret": HookSecret, "Iconik": s.IconikURL, "IconikApp": IconikApp,
		"IconikToken": IconikToken, "ActionSecret": ActionSecret, "Archive": s.o.Archive, "Settle": settle, "Review": review, "Generation": s.o.Generation, "IMSClient": imsClient, "IMSSecret": imsSecret, "SigningKey": s.signingKey()}); err != nil {
		return err
	}
	if err := os.WriteFile(s.Config, []byte(b.String()), 0o600); err != nil {
		return err
	}
	level := map[bool]string{false: "info", true: "debug"}[s.o.Debug]
	s.Worker = s.process("worker", "--config", s.Config, "--log-level", level)
	s.Starter = s.process("starter", "serve", "--config", s.Config, "--log-level", level)
	return nil
}

// MailURL returns where others reach the mail server.
func (s *Stack) MailURL() string {
	if s.o.Host == "" {
		return s.Mail.URL()
	}
	return strings.Replace(s.Mail.URL(), "0.0.0.0", s.o.Host, 1)
}

// Environment returns what an installation of Framebridge needs to use this stack's vendors: the secrets that the file from
// `starter config init` refers to, and for its tenant the addresses of the simulators.
func (s *Stack) Environment() []string {
	tenant := "FRAMEBRIDGE_TENANTS_" + strings.ToUpper(strings.ReplaceAll(Tenant, "-", "_"))
	env := []string{
		"ACME_ICONIK_APP=" + IconikApp, "ACME_ICONIK_TOKEN=" + IconikToken, "FRAMEBRIDGE_MAIL_SMTP_URL=" + s.MailURL(), "FRAMEBRIDGE_MAIL_FROM=framebridge@sandbox.example",
		tenant + "_FRAMEIO_BASE_URL=" + s.FrameioURL, tenant + "_ICONIK_BASE_URL=" + s.IconikURL,
	}
	if s.o.Generation == "v4" {
		return append(env, "ACME_FRAMEIO_CLIENT_ID="+imsClient, "ACME_FRAMEIO_CLIENT_SECRET="+imsSecret, tenant+"_FRAMEIO_IMS_TOKEN_URL="+s.FrameioURL+"/ims/token/v3")
	}
	return append(env, "ACME_FRAMEIO_TOKEN="+FrameioToken)
}

// Ready returns when worker and starter report that they are ready.
func (s *Stack) Ready(ctx context.Context) error {
	for _, p := range []struct {
		*Process
		url string
	}{{s.Starter, s.APIURL}, {s.Worker, s.WorkerURL}} {
		until := time.Now().Add(readyTimeout)
		for {
			resp, err := http.Get(p.url + "/readyz")
			if err == nil {
				resp.Body.Close()
				if resp.StatusCode == http.StatusOK {
					break
				}
				err = errors.New(resp.Status)
			}
			if !p.Running() {
				return fmt.Errorf("%s stopped during startup%s", p.Name, p.tail())
			}
			if time.Now().After(until) || ctx.Err() != nil {
				return fmt.Errorf("%s is not ready: %w%s", p.Name, err, p.tail())
			}
			time.Sleep(50 * time.Millisecond)
		}
	}
	return nil
}

// RegisterWebhooks does what an administrator does once in both products: Frame.io's webhook for a team, and iconik's
// custom actions and webhook.
func (s *Stack) RegisterWebhooks(team string) {
	const prefix = Prefix
	query := "?tenant-id=" + Tenant
	s.Frameio.AddHook(team, "Framebridge archive", s.APIURL+prefix+"/archive/webhooks/project-updated"+query, HookSecret, "project.updated")
	secret := map[string]string{"X-Framebridge-Secret": ActionSecret}
	s.Iconik.EnsureAction("COLLECTION", "Framebridge: retry archive", s.APIURL+prefix+"/archive/actions/retry"+query, "", secret)
	for _, place := range []string{"ASSET", "BULK", "COLLECTION"} {
		for _, a := range [][2]string{{"send", "send to Frame.io"}, {"extend", "extend review"}, {"sync", "sync review now"}, {"stop", "stop review"}} {
			s.Actions[place+" "+a[0]] = s.Iconik.EnsureAction(place, "Framebridge: "+a[1], s.APIURL+prefix+"/review/actions/"+a[0]+query, "", secret)
		}
	}
	if !s.o.NoHook {
		s.Frameio.AddHook(team, "Framebridge reviews", s.APIURL+prefix+"/review/webhooks/comments"+query, HookSecret,
			"comment.created", "comment.updated", "comment.deleted", "comment.completed", "comment.uncompleted", "asset.label.updated", "asset.deleted",
			"file.deleted", "metadata.value.updated")
		s.Iconik.EnsureWebhook("assets", "segments", s.APIURL+prefix+"/review/webhooks/segments"+query, secret)
	}
}

// Stop stops everything in order.
func (s *Stack) Stop() {
	for _, p := range []*Process{s.Starter, s.Worker, s.Temporal} {
		if p != nil {
			p.Stop()
		}
	}
	if s.Mail != nil {
		s.Mail.Close()
	}
	for _, server := range s.servers {
		_ = server.Close()
	}
}

// Reconfigure writes the configuration for another generation of Frame.io's API and restarts worker and starter, as an
// operator does after an account migration.
func (s *Stack) Reconfigure(generation string) error {
	s.Worker.Stop()
	s.Starter.Stop()
	s.o.Generation = generation
	worker, starter := s.Worker, s.Starter
	api, status := s.APIURL, s.WorkerURL
	if err := s.configureAt(strings.TrimPrefix(api, "http://"), strings.TrimPrefix(status, "http://")); err != nil {
		return err
	}
	s.Worker, s.Starter = worker, starter
	for _, p := range []*Process{s.Starter, s.Worker} {
		if err := p.Start(); err != nil {
			return err
		}
	}
	return s.Ready(context.Background())
}
