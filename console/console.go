// Package console is Framebridge's page for people: what is archived and reviewed, why something waits or failed, and the
// buttons to act on it. It reads the ledger, so it also answers while Temporal or a vendor is down.
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
	"github.com/framebridge/framebridge/doctor"
	"github.com/framebridge/framebridge/ledger"
	"github.com/framebridge/framebridge/signin"
	"github.com/framebridge/framebridge/workflows"
)

// Root is where the console is mounted.
const Root = "/ui/"

// Actions are what the console does beside reading the ledger. The API's routes call the same functions.
type Actions interface {
	StartArchive(ctx context.Context, t *config.Tenant, project, requestedBy string) error
	RetryArchive(ctx context.Context, t *config.Tenant, archive string) error
	RetryItem(ctx context.Context, t *config.Tenant, archive, item string) error
	CancelArchive(ctx context.Context, t *config.Tenant, archive string) error
	// MoveArchive gives an archive another place in its tenant's queue; 1 is the next one to start.
	MoveArchive(ctx context.Context, t *config.Tenant, archive string, position int) error
	ExtendReview(ctx context.Context, t *config.Tenant, review, expires string) error
	StopReview(ctx context.Context, t *config.Tenant, review string) error
	SyncReview(ctx context.Context, t *config.Tenant, review string) error
	// Export writes a review's comments in one of export's formats; asset may be empty.
	Export(ctx context.Context, t *config.Tenant, review, format, asset string) (File, error)

	Projects(ctx context.Context, t *config.Tenant) ([]Project, error)
	Plan(ctx context.Context, t *config.Tenant, project string) (workflows.Plan, error)
	Doctor(ctx context.Context, t *config.Tenant) doctor.Report
	// SignedIn is when the tenant's sign-in to Frame.io was renewed last, false where it has none that is renewed.
	SignedIn(ctx context.Context, t *config.Tenant) (time.Time, bool)
	// Step is what an archive's workflow is doing, "" where it does not run.
	Step(ctx context.Context, t *config.Tenant, archive string) (string, error)
	// AsItStands shows a row whose workflow ended without a word as failed.
	AsItStands(ctx context.Context, row ledger.Archive) ledger.Archive
	// TemporalReady fails where Temporal does not answer.
	TemporalReady(ctx context.Context) error
}

// File is something to download.
type File struct {
	Name, MediaType string
	Body            []byte
}

// Project is a project of Frame.io that can be archived.
type Project struct {
	ID, Name, Team string
	State          string // in Frame.io: active, inactive or archived
	Archive        string // the status of its archive, "" without one
}

// Refused is an action that was understood but is not possible now.
type Refused struct{ Why string }

func (r *Refused) Error() string { return r.Why }

// Deps are what the console needs of the process that serves it.
type Deps struct {
	Config  func() *config.Config
	Ledger  *ledger.Ledger
	Actions Actions
	Log     *slog.Logger
	Refused func(ctx context.Context, p signin.Person, tenants []string, page, why string) // records it; may be nil
	Stop    context.Context                                                                //nolint:containedctx // ends what outlives a request: live updates, plans
	Now     func() time.Time
}

type console struct {
	Deps
	assets   assets
	pages    pages
	live     *live
	tasks    *tasks
	totals   *totals
	open     *memo[openList]    // by tenant
	ended    *memo[archiveRows] // of their first page, by tenant
	temporal *health
}

// Handler serves the console under Root. Requests carry the person in their context (package signin).
func Handler(d Deps) http.Handler {
	d.Log = cmp.Or(d.Log, slog.Default())
	if d.Now == nil {
		d.Now = time.Now
	}
	if d.Stop == nil {
		d.Stop = context.Background()
	}
	c := &console{Deps: d, assets: loadAssets(), tasks: newTasks(d.Stop, d.Now)}
	c.pages = loadPages(c.assets)
	c.totals = &totals{stop: d.Stop, ledger: d.Ledger, now: d.Now, slot: make(chan struct{}, totalsSlots), known: map[string]*knownTotals{}}
	c.open, c.ended = newMemo[openList](d.Now), newMemo[archiveRows](d.Now)
	c.temporal = &health{ask: d.Actions.TemporalReady, now: d.Now}
	c.live = newLive(d.Stop, c.state)
	return secured(c.routes())
}

func (c *console) routes() http.Handler {
	m := http.NewServeMux()
	m.HandleFunc("GET /ui/{$}", c.home)
	m.HandleFunc("GET /ui/-/assets/{name}", c.assets.serve)
	for pattern, page := range map[string]handler{
		"GET {$}":                          c.toArchives,
		"GET archives":                     c.archivesPage,
		"GET archives/{id}":                c.archivePage,
		"GET archives/{id}/{file}":         c.reportFile,
		"GET archives/{id}/do/{verb}":      c.confirmArchive,
		"GET reviews":                      c.reviewsPage,
		"GET reviews/{id}":                 c.reviewPage,
		"GET reviews/{id}/do/{verb}":       c.confirmReview,
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
		"GET setup":                        c.needs(config.RoleAdmin, c.setupPage),
		"POST setup":                       c.act(config.RoleAdmin, c.examine),
		"GET audit":                        c.needs(config.RoleAdmin, c.auditPage),
		"GET audit/{file}":                 c.needs(config.RoleAdmin, c.auditFile),
	} {
		method, path, _ := strings.Cut(pattern, " ")
		m.HandleFunc(method+" /ui/{tenant}/"+path, c.inTenant(page))
	}
	m.HandleFunc("/ui/", func(w http.ResponseWriter, r *http.Request) {
		c.problem(w, r, http.StatusNotFound, "There is no such page.")
	})
	return m
}

// visit is one request of a person who may see the tenant.
type visit struct {
	person signin.Person
	tenant *config.Tenant
	ledger ledger.TenantLedger
}

func (v visit) may(role config.Role) bool { return v.person.Allows(v.tenant.ID, role) }

type handler func(w http.ResponseWriter, r *http.Request, v visit)

// inTenant lets those in who have a role in the tenant. To others it does not exist.
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

// needs refuses who has a lesser role.
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
	c.problem(w, r, http.StatusForbidden, "This needs the role "+string(role)+" in "+v.tenant.Name+".")
}

// home leads to the person's tenant, or offers the choice.
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
	c.show(w, r, http.StatusOK, "home", page{Title: "Tenants", Tenants: tenants})
}

func (c *console) toArchives(w http.ResponseWriter, r *http.Request, v visit) {
	http.Redirect(w, r, Root+v.tenant.ID+"/archives", http.StatusSeeOther)
}

type tenantLink struct{ Name, Path string }

func (c *console) tenantsOf(p signin.Person) []tenantLink {
	var out []tenantLink
	for _, id := range p.Tenants() {
		if t, ok := c.Config().Tenant(id); ok {
			out = append(out, tenantLink{cmp.Or(t.Name, t.ID), Root + t.ID + "/"})
		}
	}
	slices.SortFunc(out, func(a, b tenantLink) int { return cmp.Or(cmp.Compare(a.Name, b.Name), cmp.Compare(a.Path, b.Path)) })
	return out
}

// act runs an action and leads back to a page that says what was done.
func (c *console) act(role config.Role, do func(r *http.Request, v visit) (to, done string, err error)) handler {
	return c.needs(role, func(w http.ResponseWriter, r *http.Request, v visit) {
		to, done, err := do(r, v)
		c.open.forget(v.tenant.ID)
		c.ended.forget(v.tenant.ID)
		var refused *Refused
		switch {
		case errors.As(err, &refused):
			c.problem(w, r, http.StatusUnprocessableEntity, sentence(refused.Why))
		case err != nil:
			c.failed(w, r, err)
		default:
			if done != "" {
				to += "?done=" + done
			}
			http.Redirect(w, r, Root+v.tenant.ID+"/"+to, http.StatusSeeOther)
		}
	})
}

// failed answers for what cannot be reached now.
func (c *console) failed(w http.ResponseWriter, r *http.Request, err error) {
	if errors.Is(err, ledger.ErrCursor) {
		c.problem(w, r, http.StatusBadRequest, "This address is not one that a list of the console has given.")
		return
	}
	if r.Context().Err() != nil && errors.Is(err, context.Canceled) {
		return
	}
	c.Log.ErrorContext(r.Context(), "a page of the console failed", "path", r.URL.Path, "error", err)
	c.problem(w, r, http.StatusServiceUnavailable, "Framebridge cannot reach Temporal, its ledger or Frame.io right now. Nothing was changed. Try again in a moment.")
}

// secured says what a browser may load and do with the pages: nothing from elsewhere, no script or style within them.
func secured(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		h.Set("Content-Security-Policy", "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self'; connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'")
		h.Set("Referrer-Policy", "no-referrer")
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("Cross-Origin-Opener-Policy", "same-origin")
		h.Set("Cache-Control", "no-store")
		next.ServeHTTP(w, r)
	})
}
