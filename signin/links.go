package signin

import (
	"cmp"
	"errors"
	"net/http"
	"slices"
	"strings"

	"github.com/framebridge/framebridge/config"
	"github.com/framebridge/framebridge/ledger"
	"github.com/framebridge/framebridge/routes"
)

// Opened is what a signed link has opened, with the role of the person who opened it.
type Opened struct {
	routes.Link
	Tenant *config.Tenant
}

// Open opens a signed link. If it returns false, it has responded why the link does not open. If people sign in with a provider,
// the link requires that too, and the person's own role applies.
func (d *Desk) Open(w http.ResponseWriter, r *http.Request, token string) (Opened, bool) {
	cfg := d.Config()
	link, err := routes.OpenLink(cfg, token, d.Now())
	if err != nil && !errors.Is(err, routes.ErrLinkExpired) {
		d.show(w, r, http.StatusNotFound, message{Title: "This link does not work", Text: "The link is incomplete. Copy the whole link from the e-mail, or ask whoever sent it for a new one."})
		return Opened{}, false
	}
	t, known := cfg.Tenant(link.Tenant)
	if !known {
		d.expired(w, r)
		return Opened{}, false
	}
	generation, gerr := d.Ledger.Tenant(t.ID).LinkGeneration(r.Context(), link.Kind, link.ID)
	switch {
	case gerr != nil:
		d.failed(w, r, "could not look up a link", gerr)
		return Opened{}, false
	case err != nil || generation != link.Generation:
		d.expired(w, r)
		return Opened{}, false
	}
	if cfg.Auth.OIDC.Issuer == "" {
		return Opened{link, t}, true
	}
	p, ok, err := d.Person(r)
	switch {
	case err != nil:
		d.failed(w, r, "could not look up a session", err)
		return Opened{}, false
	case !ok:
		d.sendToSignIn(w, r)
		return Opened{}, false
	case !p.Allows(t.ID, config.RoleViewer):
		d.Refused(r.Context(), p, []string{t.ID}, link.Kind+" "+link.ID, "has no role in this tenant")
		d.show(w, r, http.StatusForbidden, message{Title: "Your account has no access", Text: "You are signed in as " + cmp.Or(p.Email, p.Name) + ", which has no role here. Ask your administrator."})
		return Opened{}, false
	}
	link.Role = p.Roles[t.ID]
	return Opened{link, t}, true
}

func (d *Desk) expired(w http.ResponseWriter, r *http.Request) {
	d.show(w, r, http.StatusGone, message{Title: "This link has expired", Text: "Links work for a limited time and can be revoked. Ask whoever sent it for a new one."})
}

// Page is what a person with a link sees of an archive or a review.
type Page struct {
	Kind   string // Archive or Review
	Title  string
	Status string
	Reason string
	Facts  []Fact
	Lists  []List
	Files  []File
}

// Fact is a line of a page. If it has an address, it is a link.
type Fact struct{ Label, Value, Address string }

// List is a table on a page. If it is cut off, More counts the rest.
type List struct {
	Title   string
	Columns []string
	Rows    [][]string
	More    int
	Others  bool // there are more, but they were not counted
}

// File is a download for people who have the role.
type File struct {
	Name, Label string
	Role        config.Role
}

// MayLoad reports whether a page has a file for the person who opened it. If it returns false, it has responded.
func (d *Desk) MayLoad(w http.ResponseWriter, r *http.Request, o Opened, files []File, name string) bool {
	i := slices.IndexFunc(files, func(f File) bool { return f.Name == name })
	switch {
	case i < 0:
		d.show(w, r, http.StatusNotFound, message{Title: "No such file", Text: "This page has no file " + name + "."})
	case !o.Role.Covers(files[i].Role):
		p, _, _ := d.Person(r)
		p.Address = d.Address(r)
		if p.Kind == "" {
			p.Kind, p.Name = KindLink, "holder of a link"
		}
		d.Refused(r.Context(), p, []string{o.Tenant.ID}, o.Kind+" "+o.ID, "needs the role "+string(files[i].Role))
		d.show(w, r, http.StatusForbidden, message{Title: "Your role does not allow this", Text: "This file needs the role " + string(files[i].Role) + "."})
	default:
		return true
	}
	return false
}

// ShowPage responds with a link's page.
func (d *Desk) ShowPage(w http.ResponseWriter, r *http.Request, o Opened, p Page) {
	p.Files = slices.DeleteFunc(slices.Clone(p.Files), func(f File) bool { return !o.Role.Covers(f.Role) })
	w.Header().Set("X-Robots-Tag", "noindex, nofollow")
	d.render(w, r, http.StatusOK, "link", map[string]any{"Page": p, "Base": strings.TrimRight(r.URL.Path, "/"), "Until": o.Expires, "Tenant": o.Tenant.Name})
}

// NotThere responds that the ledger no longer has an archive or a review.
func (d *Desk) NotThere(w http.ResponseWriter, r *http.Request, kind string) {
	d.show(w, r, http.StatusNotFound, message{Title: "Not found", Text: "Framebridge no longer has a record of this " + kind + "."})
}

// revokeLinks revokes all links to an archive or a review that were sent so far.
func (d *Desk) revokeLinks(w http.ResponseWriter, r *http.Request) {
	p, _ := From(r.Context())
	tenant, kind, id := r.PostFormValue("tenant"), r.PostFormValue("kind"), r.PostFormValue("id")
	if !p.Allows(tenant, config.RoleOperator) {
		tenants := p.Tenants()
		if p.Allows(tenant, config.RoleViewer) {
			tenants = []string{tenant}
		}
		d.Forbidden(w, r, tenants, config.RoleOperator)
		return
	}
	if kind != ledger.LinkedArchive && kind != ledger.LinkedReview || id == "" || len(id) > 200 {
		d.show(w, r, http.StatusBadRequest, message{Title: "Nothing to revoke", Text: "The request names no archive or review."})
		return
	}
	e := ledger.AuditEntry{Tenant: tenant, Actor: p.Actor(), Action: ActionRevokeLinks, ObjectKind: kind, ObjectID: id}
	if e.Archive = id; kind == ledger.LinkedReview {
		e.Archive, e.Review = "", id
	}
	err := d.Ledger.Tenant(tenant).RevokeLinks(r.Context(), kind, id)
	if err == nil {
		_, err = d.Ledger.AppendAudit(r.Context(), e)
	}
	if err != nil {
		d.failed(w, r, "could not revoke links", err)
		return
	}
	http.Redirect(w, r, localPath(r.PostFormValue("back")), http.StatusSeeOther) //nolint:gosec // localPath leads nowhere else
}
