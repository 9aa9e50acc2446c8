// Package doctor examines an installation: the configuration, Temporal, the ledger, mail, and each tenant's setup at Frame.io and
// iconik. It changes nothing. Every check has a stable ID that the administrator's manual explains.
package doctor

import (
	"context"
	"fmt"
	"net/http"
	"sync"
	"time"

	"go.temporal.io/sdk/client"

	"github.com/framebridge/framebridge/clients/frameio"
	"github.com/framebridge/framebridge/clients/iconik"
	"github.com/framebridge/framebridge/config"
	"github.com/framebridge/framebridge/english"
	"github.com/framebridge/framebridge/ledger"
	"github.com/framebridge/framebridge/redact"
	"github.com/framebridge/framebridge/setup"
)

// Status is the outcome of a check.
type Status string

// Outcomes of a check.
const (
	OK      Status = "ok"
	Warn    Status = "warn"
	Fail    Status = "fail"
	Skipped Status = "skipped" // could not be examined, or does not apply; Seen says why
)

// Check is the result of one check. It contains no secrets.
type Check struct {
	ID      string `json:"id"`
	Tenant  string `json:"tenant,omitempty"`
	Status  Status `json:"status"`
	Seen    string `json:"seen"`
	Meaning string `json:"meaning"`
	Do      string `json:"do"`
}

// Report is the result of all checks.
type Report struct {
	Checks []Check `json:"checks"`
}

// ExitCode returns 0 if all is well, 1 if there are warnings, and 2 if a check failed.
func (r Report) ExitCode() int {
	code := 0
	for _, c := range r.Checks {
		switch c.Status {
		case Fail:
			return 2
		case Warn:
			code = 1
		}
	}
	return code
}

// Account is what the checks need from a tenant's Frame.io client.
type Account interface {
	frameio.Installer
	Me(ctx context.Context) (frameio.User, error)
	Capabilities() frameio.Capabilities
	Projects(ctx context.Context, cursor string) (frameio.Page[frameio.Project], error)
	Children(ctx context.Context, folderID, cursor string) (frameio.Page[frameio.Asset], error)
	Shares(ctx context.Context, projectID, cursor string) (frameio.Page[frameio.Share], error)
	Workspace(ctx context.Context, idOrName string) (frameio.Team, error)
	ProjectsOf(ctx context.Context, workspaceID, cursor string) (frameio.Page[frameio.Project], error)
}

// Subject is what to examine. What could not be opened is nil, with its error in the next field.
type Subject struct {
	Path      string // of the configuration file
	Config    *config.Config
	ConfigErr error
	Ledger    *ledger.Ledger
	LedgerErr error
	Temporal  client.Client
	Tenants   []*config.Tenant
	Base      string // public URL with the API's prefix
	Version   string // of this program; empty if unknown

	// Open opens new clients for a tenant, so that nothing is cached.
	Open func(*config.Tenant) (Account, *iconik.Client, error)
	// SignedIn returns when a person's stored sign-in was last renewed, or false if there is none.
	SignedIn  func(context.Context, *config.Tenant) (time.Time, bool)
	Transport http.RoundTripper // for requests that need no credentials; nil: the default
	// Chosen reports whether a key was set on purpose instead of left at its default; nil if unknown.
	Chosen func(key string) bool
	// Timeout limits each check; 0 means 10 s.
	Timeout time.Duration
	Now     func() time.Time // nil: time.Now
}

const (
	defaultTimeout = 10 * time.Second
	atOnce         = 24 // most checks at once
)

// finding is the result of a check's run. Empty fields default to the definition's.
type finding struct {
	status            Status
	seen, meaning, do string
}

func ok(format string, args ...any) finding {
	return finding{status: OK, seen: fmt.Sprintf(format, args...)}
}
func warn(format string, args ...any) finding {
	return finding{status: Warn, seen: fmt.Sprintf(format, args...)}
}
func fail(format string, args ...any) finding {
	return finding{status: Fail, seen: fmt.Sprintf(format, args...)}
}
func skip(format string, args ...any) finding {
	return finding{status: Skipped, seen: fmt.Sprintf(format, args...)}
}

// Definition is a check as the manual lists it.
type Definition struct {
	ID      string
	Meaning string // of any status but ok
	Do      string

	needs []string // checks that must not have failed or been skipped
	// spoiledBy is a check of what all tenants share that must not have failed, but may be skipped: access tokens are kept in a ledger,
	// if there is one.
	spoiledBy string
	run       func(ctx context.Context, x *exam) finding
}

// Needs returns the IDs of the checks that this one depends on.
func (d Definition) Needs() []string { return d.needs }

// exam is the examination of one tenant or, if tenant is nil, of what all tenants share.
type exam struct {
	*Subject
	tenant *config.Tenant
	http   *http.Client

	frameio Account
	iconik  *iconik.Client
	openErr error
	sight
}

// Definitions returns every check: those of the installation, and those of each tenant.
func Definitions() (shared, perTenant []Definition) {
	shared = append(shared, configChecks()...)
	shared = append(shared, ledgerChecks()...)
	shared = append(shared, temporalChecks()...)
	shared = append(shared, workerChecks()...)
	shared = append(shared, mailChecks()...)
	perTenant = append(perTenant, tenantChecks()...)
	perTenant = append(perTenant, notifyChecks()...)
	perTenant = append(perTenant, frameioChecks()...)
	perTenant = append(perTenant, accountChecks()...)
	perTenant = append(perTenant, webhookChecks()...)
	perTenant = append(perTenant, actionChecks()...)
	perTenant = append(perTenant, reviewChecks()...)
	perTenant = append(perTenant, iconikChecks()...)
	perTenant = append(perTenant, roleChecks()...)
	perTenant = append(perTenant, storageChecks()...)
	perTenant = append(perTenant, formChecks()...)
	perTenant = append(perTenant, buttonChecks()...)
	return shared, perTenant
}

// slot is where a check's result appears.
type slot struct {
	done  chan struct{}
	check Check
}

// Run runs all checks concurrently, each within its time limit. The report has them in the order of their definitions.
func Run(ctx context.Context, s *Subject) Report {
	if s.Timeout == 0 {
		s.Timeout = defaultTimeout
	}
	if s.Now == nil {
		s.Now = time.Now
	}
	shared, perTenant := Definitions()
	h := &http.Client{Timeout: s.Timeout, Transport: s.Transport}
	tickets := make(chan struct{}, atOnce)
	var report Report
	var all []*slot
	var wait sync.WaitGroup
	common := map[string]*slot{}
	begin := func(defs []Definition, x *exam, known map[string]*slot) {
		x.base = ctx
		for _, d := range defs {
			sl := &slot{done: make(chan struct{})}
			all, known[d.ID] = append(all, sl), sl
		}
		for _, d := range defs {
			wait.Add(1)
			go func() {
				defer wait.Done()
				examine(ctx, d, x, known, common, tickets)
			}()
		}
	}
	begin(shared, &exam{Subject: s, http: h}, common)
	for _, t := range s.Tenants {
		x := &exam{Subject: s, http: h, tenant: t}
		x.frameio, x.iconik, x.openErr = s.Open(t)
		begin(perTenant, x, map[string]*slot{})
	}
	wait.Wait()
	for _, sl := range all {
		report.Checks = append(report.Checks, sl.check)
	}
	return report
}

// examine waits for the checks that a check needs, and runs it.
func examine(ctx context.Context, d Definition, x *exam, known, common map[string]*slot, tickets chan struct{}) {
	own := known[d.ID]
	defer close(own.done)
	own.check = Check{ID: d.ID, Meaning: d.Meaning, Do: d.Do}
	if x.tenant != nil {
		own.check.Tenant = x.tenant.ID
	}
	for _, need := range d.needs {
		sl := known[need]
		if sl == nil {
			sl = common[need]
		}
		<-sl.done
		if sl.check.Status == Fail || sl.check.Status == Skipped {
			own.check.finish(skip("skipped: it depends on %s", need))
			return
		}
	}
	if sl := common[d.spoiledBy]; sl != nil {
		<-sl.done
		if sl.check.Status == Fail {
			own.check.finish(skip("skipped: it depends on %s", d.spoiledBy))
			return
		}
	}
	tickets <- struct{}{}
	defer func() { <-tickets }()
	own.check.finish(within(ctx, x.Timeout, func(ctx context.Context) finding { return d.run(ctx, x) }))
}

// within runs a check that may not respect deadlines.
func within(ctx context.Context, limit time.Duration, run func(context.Context) finding) finding {
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	out := make(chan finding, 1)
	go func() {
		defer func() {
			if v := recover(); v != nil {
				out <- fail("the check itself failed: %v", v)
			}
		}()
		out <- run(ctx)
	}()
	select {
	case f := <-out:
		return f
	case <-ctx.Done():
		select { // if both happen at once, the finding says more
		case f := <-out:
			return f
		case <-time.After(50 * time.Millisecond):
		}
		return fail("no response within %s", english.Duration(limit))
	}
}

func (c *Check) finish(f finding) {
	c.Status, c.Seen = f.status, redact.Scrub(f.seen)
	if f.meaning != "" {
		c.Meaning = f.meaning
	}
	if f.do != "" {
		c.Do = f.do
	}
	if c.Status == OK || c.Status == Skipped {
		c.Meaning, c.Do = "", ""
	}
}

// once fetches something once for all the checks that need it, with a time limit of its own.
type once[T any] struct {
	sync.Once
	value T
	err   error
}

func (o *once[T]) get(ctx context.Context, limit time.Duration, fetch func(context.Context) (T, error)) (T, error) {
	o.Do(func() {
		ctx, cancel := context.WithTimeout(ctx, limit)
		defer cancel()
		o.value, o.err = fetch(ctx)
	})
	return o.value, o.err
}

// sight is what is read from the vendors, once for all of a tenant's checks.
type sight struct {
	base       context.Context //nolint:containedctx // of the whole run: what is shared outlives a check
	record     once[setup.Record]
	me         once[frameio.User]
	accounts   once[[]frameio.Account]
	workspaces once[[]frameio.Team]
	hooks      once[[]frameio.Webhook]
	actions    once[[]frameio.Action]
	review     once[*frameio.Project]
	user       once[*iconik.Account]
	roles      once[[]string]
	storage    once[*iconik.Storage]
	buttons    once[[]iconik.CustomAction]
	segments   once[[]iconik.Webhook]
	views      once[[]iconik.View]
	fields     once[map[string]*iconik.FieldDefinition]
}
