// Package console serves Framebridge's pages for people: what is archived and reviewed, why something waits or failed, and the
// buttons to act on it. It reads the ledger, so it still works while Temporal or a vendor is down.
package console

import (
	"cmp"
	"context"
	"errors"
	"log/slog"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/framebridge/framebridge/config"
	"github.com/framebridge/framebridge/console/live"
	"github.com/framebridge/framebridge/console/page"
	"github.com/framebridge/framebridge/doctor"
	"github.com/framebridge/framebridge/ledger"
	"github.com/framebridge/framebridge/signin"
	"github.com/framebridge/framebridge/workflows"
)

// Root is the path at which the console is mounted.
const Root = page.Root

const (
	memoLasts   = time.Second
	mirrorsLast = 10 * time.Second // each mirror is a request to Temporal
)

// Actions are what the console does besides reading the ledger. The API's routes call the same functions.
type Actions interface {
	StartArchive(ctx context.Context, t *config.Tenant, project, requestedBy string) error
	RetryArchive(ctx context.Context, t *config.Tenant, archive string) error
	RetryItem(ctx context.Context, t *config.Tenant, archive, item string) error
	CancelArchive(ctx context.Context, t *config.Tenant, archive string) error
	// MoveArchive moves an archive to another position in its tenant's queue; 1 is the next one to start.
	MoveArchive(ctx context.Context, t *config.Tenant, archive string, position int) error
	ExtendReview(ctx context.Context, t *config.Tenant, review, expires string) error
	StopReview(ctx context.Context, t *config.Tenant, review string) error
	SyncReview(ctx context.Context, t *config.Tenant, review string) error
	// ResendReview retries what could not be sent in an open review.
	ResendReview(ctx context.Context, t *config.Tenant, review string) error
	// BothSides reads a review's comments and reviewers from both vendors, within limits.
	BothSides(ctx context.Context, t *config.Tenant, review string) (Sides, error)
	// Thumbnail returns the picture of a review's asset, empty if there is none.
	Thumbnail(ctx context.Context, t *config.Tenant, review string, n int) (File, error)
	// ItemThumbnail returns the picture of an archived file, empty if there is none.
	ItemThumbnail(ctx context.Context, t *config.Tenant, it ledger.Item) (File, error)
	// Export returns a review's comments in one of export's formats. asset may be empty.
	Export(ctx context.Context, t *config.Tenant, review, format, asset string) (File, error)

	Projects(ctx context.Context, t *config.Tenant) ([]Project, error)
	Plan(ctx context.Context, t *config.Tenant, project string) (workflows.Plan, error)
	Doctor(ctx context.Context, t *config.Tenant) doctor.Report
	// SignedIn returns when the tenant's sign-in to Frame.io was last renewed. It returns false if there is none to renew.
	SignedIn(ctx context.Context, t *config.Tenant) (time.Time, bool)
	// SignInURL returns where an administrator signs in to Frame.io. Adobe then sends the browser to redirect.
	SignInURL(t *config.Tenant, redirect, state string) (string, error)
	// SignIn exchanges Adobe's code for tokens and returns who signed in.
	SignIn(ctx context.Context, t *config.Tenant, code, redirect string) (string, error)
	// Budgets returns the vendors' limits on the tenant's calls, as shared by all processes.
	Budgets(ctx context.Context, t *config.Tenant) ([]Budget, error)
	// Step returns what an archive's workflow is doing, or "" if it is not running.
	Step(ctx context.Context, t *config.Tenant, archive string) (string, error)
	// AsItStands returns the row, marked as failed if its workflow ended without recording a result.
	AsItStands(ctx context.Context, row ledger.Archive) ledger.Archive
	AccountActions

	// TemporalReady returns an error if Temporal does not respond.
	TemporalReady(ctx context.Context) error
}

// File is a file to download.
type File struct {
	Name, MediaType string
	Body            []byte
}

// Project is a Frame.io project that can be archived.
type Project struct {
	ID, Name, Team string
	Bytes          int64  // stored in Frame.io; -1 if Frame.io does not say
	State          string // in Frame.io: active, inactive or archived
	Archive        string // status of its archive; "" if there is none
}

// Refused is the error of an action that is valid but not possible now.
type Refused struct{ Why string }

func (r *Refused) Error() string { return r.Why }

// Deps are what the console needs from the process that serves it.
type Deps struct {
	Config  func() *config.Config
	Ledger  *ledger.Ledger
	Actions Actions
	Log     *slog.Logger
	Refused func(ctx context.Context, p signin.Person, tenants []string, page, why string) // records it; may be nil
	Stop    context.Context                                                                //nolint:containedctx // ends what outlives a request: live updates, plans
	Now     func() time.Time
	Thumbs  *Thumbs // shared with other parts of the process; nil: the console's own
	// Progress adds up an archive's items, shared with other parts of the process. If nil, the console does it itself.
	Progress func(ctx context.Context, row ledger.Archive) (ledger.Totals, error)
}

type console struct {
	Deps
	pages    page.Set
	live     *live.Streams
	tasks    *live.Tasks
	totals   *totals
	open     *live.Memo[openList]    // by tenant
	ended    *live.Memo[archiveRows] // first page, by tenant
	mirrors  *live.Memo[[]Mirror]    // by tenant
	temporal *live.Health
	spent    *spent // used sign-ins to Frame.io
}

// Handler serves the console under Root. Requests must carry the person in their context; see package signin.
func Handler(d Deps) http.Handler {
	d.Log = cmp.Or(d.Log, slog.Default())
	if d.Now == nil {
		d.Now = time.Now
	}
	if d.Stop == nil {
		d.Stop = context.Background()
	}
	c := &console{Deps: d, pages: page.Load(), tasks: live.NewTasks(d.Stop, d.Now)}
	if c.Thumbs == nil {
		c.Thumbs = NewThumbs(d.Now)
	}
	if c.Progress == nil {
		c.Progress = func(ctx context.Context, row ledger.Archive) (ledger.Totals, error) {
			return d.Ledger.Tenant(row.Tenant).Archive(row.ID).Progress(ctx)
		}
	}
	c.totals = &totals{stop: d.Stop, progress: c.Progress, now: d.Now, slot: make(chan struct{}, totalsSlots), known: map[string]*knownTotals{}}
	c.open, c.ended = live.NewMemo[openList](d.Now, memoLasts), live.NewMemo[archiveRows](d.Now, memoLasts)
	c.spent = &spent{until: map[string]time.Time{}}
	c.mirrors = live.NewMemo[[]Mirror](d.Now, mirrorsLast)
	c.temporal = live.NewHealth(d.Actions.TemporalReady, d.Now)
	c.live = live.New(d.Stop, c.state)
	return secured(c.routes())
}

func (c *console) routes() http.Handler {
	m := http.NewServeMux()
	m.HandleFunc("GET /ui/{$}", c.home)
	m.HandleFunc("GET /ui/-/assets/{name}", c.pages.Assets.Serve)
	c.accountRoutes(m)
	m.HandleFunc("GET "+signInPath, c.fromAdobe)
	for pattern, show := range map[string]handler{
		"GET {$}":                          c.toArchives,
		"GET archives":                     c.archivesPage,
		"GET archives/{id}":                c.archivePage,
		"GET archives/{id}/{file}":         c.reportFile,
		"GET archives/{id}/do/{verb}":      c.confirmArchive,
		"GET archives/{id}/thumbs/{item}":  c.itemThumb,
		"GET reviews":                      c.reviewsPage,
		"GET reviews/{id}":                 c.reviewPage,
		"GET reviews/{id}/do/{verb}":       c.confirmReview,
		"GET reviews/{id}/thumbs/{n}":      c.thumbFile,
		"GET reviews/{id}/sides":           c.sidesPage,
		"POST reviews/{id}/sides":          c.act(config.RoleEditor, c.readSidesAgain),
		"GET start":                        c.startPage,
		"GET start/{project}":              c.planPage,
		"GET events":                       c.events,
		"POST start":                       c.act(config.RoleOperator, c.refreshProjects),
		"POST start/{project}":             c.act(config.RoleOperator, c.startArchive),
		"POST archives/{id}/do/{verb}":     c.act(config.RoleOperator, c.controlArchive),
		"POST archives/{id}/items/{item}":  c.act(config.RoleOperator, c.retryItem),
		"POST archives/{id}/queue/{where}": c.act(config.RoleOperator, c.moveArchive),
		"POST reviews/{id}/do/{verb}":      c.act(config.RoleOperator, c.controlReview),
		"GET reviews/{id}/{file}":          c.needs(config.RoleEditor, c.exportFile),
		"GET setup":                        c.setupPage,
		"POST setup":                       c.act(config.RoleOperator, c.examine),
		"GET setup/sign-in":                c.needs(config.RoleAdmin, c.signInPage),
		"POST setup/sign-in":               c.needs(config.RoleAdmin, c.toAdobe),
		"GET audit":                        c.needs(config.RoleAdmin, c.auditPage),
		"GET audit/{file}":                 c.needs(config.RoleAdmin, c.auditFile),
	} {
		method, path, _ := strings.Cut(pattern, " ")
		m.HandleFunc(method+" /ui/{tenant}/"+path, c.inTenant(show))
	}
	m.HandleFunc("/ui/", func(w http.ResponseWriter, r *http.Request) {
		c.problem(w, r, http.StatusNotFound, "There is no such page.")
	})
	return m
}

// visit is a request from a person who may see the tenant.
type visit struct {
	person signin.Person
	tenant *config.Tenant
	ledger ledger.TenantLedger
}

func (v visit) may(role config.Role) bool { return v.person.Allows(v.tenant.ID, role) }

type handler func(w http.ResponseWriter, r *http.Request, v visit)

// inTenant admits people who have a role in the tenant. For others the page does not exist.
func (c *console) inTenant(next handler) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		p, signedIn := signin.From(r.Context())
		if !signedIn {
			c.problem(w, r, http.StatusUnauthorized, "Sign in to see this page.")
			return
		}
		t, known := c.Config().Tenant(r.PathValue("tenant"))
		if !known || !p.Allows(t.ID, config.RoleViewer) {
			c.problem(w, r, http.StatusNotFound, "There is no such page.")
			return
		}
		next(w, r, visit{person: p, tenant: t, ledger: c.Ledger.Tenant(t.ID)})
	}
}

// needs refuses people with a lesser role.
func (c *console) needs(role config.Role, next handler) handler {
	return func(w http.ResponseWriter, r *http.Request, v visit) {
		if !v.may(role) {
			c.refuse(w, r, v, role)
			return
		}
		next(w, r, v)
	}
}

func (c *console) refuse(w http.ResponseWriter, r *http.Request, v visit, role config.Role) {
	if c.Refused != nil {
		c.Refused(r.Context(), v.person, []string{v.tenant.ID}, r.URL.Path, "this needs the role "+string(role))
	}
	c.problem(w, r, http.StatusForbidden, "You need the "+string(role)+" role in "+v.tenant.Name+" for this.")
}

// home redirects to the person's only tenant, or offers a choice.
func (c *console) home(w http.ResponseWriter, r *http.Request) {
	p, signedIn := signin.From(r.Context())
	if !signedIn {
		c.problem(w, r, http.StatusUnauthorized, "Sign in to see this page.")
		return
	}
	tenants := c.tenantsOf(p)
	if len(tenants) == 1 {
		http.Redirect(w, r, tenants[0].Path+"archives", http.StatusSeeOther)
		return
	}
	c.show(w, r, http.StatusOK, "home", page.Page{Title: "Tenants", Tenants: tenants})
}

func (c *console) toArchives(w http.ResponseWriter, r *http.Request, v visit) {
	http.Redirect(w, r, Root+v.tenant.ID+"/archives", http.StatusSeeOther)
}

func (c *console) tenantsOf(p signin.Person) []page.Tenant {
	var out []page.Tenant
	for _, id := range p.Tenants() {
		if t, ok := c.Config().Tenant(id); ok {
			out = append(out, page.Tenant{Name: cmp.Or(t.Name, t.ID), Path: Root + t.ID + "/"})
		}
	}
	slices.SortFunc(out, func(a, b page.Tenant) int { return cmp.Or(cmp.Compare(a.Name, b.Name), cmp.Compare(a.Path, b.Path)) })
	return out
}

// act runs an action and redirects to a page that says what was done.
func (c *console) act(role config.Role, do func(r *http.Request, v visit) (to, done string, err error)) handler {
	return c.needs(role, func(w http.ResponseWriter, r *http.Request, v visit) {
		to, done, err := do(r, v)
		c.open.Forget(v.tenant.ID)
		c.ended.Forget(v.tenant.ID)
		if c.notDone(w, r, err) {
			return
		}
		if done != "" {
			to += "?done=" + done
		}
		http.Redirect(w, r, Root+v.tenant.ID+"/"+to, http.StatusSeeOther)
	})
}

// notDone responds if an action was refused or failed. It returns false if err is nil.
func (c *console) notDone(w http.ResponseWriter, r *http.Request, err error) bool {
	var refused *Refused
	switch {
	case errors.As(err, &refused):
		c.problem(w, r, http.StatusUnprocessableEntity, page.Sentence(refused.Why))
	case err != nil:
		c.failed(w, r, err)
	}
	return err != nil
}

// failed responds if something cannot be reached right now.
func (c *console) failed(w http.ResponseWriter, r *http.Request, err error) {
	if errors.Is(err, ledger.ErrCursor) {
		c.problem(w, r, http.StatusBadRequest, "This address did not come from a list in the console.")
		return
	}
	if r.Context().Err() != nil && errors.Is(err, context.Canceled) {
		return
	}
	c.Log.ErrorContext(r.Context(), "a page of the console failed", "path", r.URL.Path, "error", err)
	c.problem(w, r, http.StatusServiceUnavailable, "Framebridge cannot reach Temporal, its ledger or Frame.io right now. Nothing was changed. Try again in a moment.")
}

// secured restricts what a browser may load and do: nothing from other sites, no inline scripts or styles.
func secured(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		h.Set("Content-Security-Policy", "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self'; connect-src 'self'; "+
			"form-action 'self'; base-uri 'none'; frame-ancestors 'none'")
		h.Set("Referrer-Policy", "no-referrer")
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("Cross-Origin-Opener-Policy", "same-origin")
		h.Set("Cache-Control", "no-store")
		next.ServeHTTP(w, r)
	})
}
