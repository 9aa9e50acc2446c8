package signin

import (
	"cmp"
	"net/http"
	"net/url"
	"slices"
	"time"

	"github.com/framebridge/framebridge/config"
	"github.com/framebridge/framebridge/ledger"
)

// signOut ends the request's own session.
func (d *Desk) signOut(w http.ResponseWriter, r *http.Request) {
	secret, _, _, err := d.session(r)
	if err == nil {
		err = d.Ledger.EndSession(r.Context(), secret)
	}
	p, _ := From(r.Context())
	if err == nil {
		err = d.audit(r.Context(), p, ledger.AuditEntry{Action: ActionSignOut})
	}
	if err != nil {
		d.failed(w, r, "could not end a session", err)
		return
	}
	http.SetCookie(w, d.cookie("", "", 0))
	d.show(w, r, http.StatusOK, message{Title: "Signed out", Text: "You are signed out of Framebridge. If you signed in with your company's provider, you are still signed in there.", Link: "/ui/sign-in", LinkText: "Sign in again"})
}

// inside is a person with sessions, as an administrator sees them.
type inside struct {
	Subject, Name, Email, Address string
	Kind                          Kind
	Roles                         []held
	Sessions                      int
	Since, Seen                   time.Time
	Self                          bool
}

// held is a role in a tenant.
type held struct {
	ID, Tenant string
	Role       config.Role
}

// peopleFor returns the people with sessions whom an administrator may sign out: those with a role in a tenant that they
// administer. It includes only the roles in those tenants.
func (d *Desk) peopleFor(r *http.Request) ([]inside, error) {
	admin, _ := From(r.Context())
	_, own, _, err := d.session(r)
	if err != nil {
		return nil, err
	}
	sessions, err := d.Ledger.Sessions(r.Context(), d.Now())
	if err != nil {
		return nil, err
	}
	cfg := d.Config()
	var out []inside
	for _, s := range sessions {
		if d.Now().Sub(s.SeenAt) >= SessionIdle {
			continue
		}
		if i := slices.IndexFunc(out, func(p inside) bool { return p.Subject == s.Subject }); i >= 0 {
			out[i].Sessions++
			continue
		}
		p := inside{Subject: s.Subject, Name: s.Name, Email: s.Email, Address: s.Address, Kind: Kind(s.Kind), Sessions: 1, Since: s.CreatedAt, Seen: s.SeenAt, Self: s.Subject == own.Subject}
		for tenant, role := range rolesOf(cfg, s) {
			if admin.Allows(tenant, config.RoleAdmin) {
				p.Roles = append(p.Roles, held{tenant, cmp.Or(cfg.Tenants[tenant].Name, tenant), role})
			}
		}
		slices.SortFunc(p.Roles, func(a, b held) int { return cmp.Compare(a.Tenant, b.Tenant) })
		if len(p.Roles) > 0 {
			out = append(out, p)
		}
	}
	return out, nil
}

// isAdmin reports whether the person administers a tenant. If not, it has responded.
func (d *Desk) isAdmin(w http.ResponseWriter, r *http.Request) bool {
	p, _ := From(r.Context())
	for _, tenant := range p.Tenants() {
		if p.Allows(tenant, config.RoleAdmin) {
			return true
		}
	}
	d.Forbidden(w, r, p.Tenants(), config.RoleAdmin)
	return false
}

// Forbidden responds to a person whose role is not sufficient, and records it.
func (d *Desk) Forbidden(w http.ResponseWriter, r *http.Request, tenants []string, needed config.Role) {
	p, _ := From(r.Context())
	d.Refused(r.Context(), p, tenants, r.URL.Path, "needs the role "+string(needed))
	d.show(w, r, http.StatusForbidden, message{Title: "Your role does not allow this", Text: "This needs the role " + string(needed) + ". Ask your administrator.", Link: "/ui/", LinkText: "Back to Framebridge"})
}

// peopleShown returns the people that an administrator sees. If it returns false, it has responded.
func (d *Desk) peopleShown(w http.ResponseWriter, r *http.Request) ([]inside, bool) {
	if !d.isAdmin(w, r) {
		return nil, false
	}
	people, err := d.peopleFor(r)
	if err != nil {
		d.failed(w, r, "could not read sessions", err)
		return nil, false
	}
	return people, true
}

func (d *Desk) peoplePage(w http.ResponseWriter, r *http.Request) {
	people, ok := d.peopleShown(w, r)
	if !ok {
		return
	}
	d.render(w, r, http.StatusOK, "people", map[string]any{"People": people, "FormToken": FormToken(r.Context()), "Done": r.URL.Query().Get("done")})
}

// signOutPerson ends all of a person's sessions.
func (d *Desk) signOutPerson(w http.ResponseWriter, r *http.Request) {
	people, ok := d.peopleShown(w, r)
	if !ok {
		return
	}
	i := slices.IndexFunc(people, func(p inside) bool { return p.Subject == r.PostFormValue("subject") })
	if i < 0 {
		d.show(w, r, http.StatusNotFound, message{Title: "Nobody to sign out", Text: "This person no longer has a session.", Link: "/ui/people", LinkText: "Back"})
		return
	}
	admin, _ := From(r.Context())
	_, err := d.Ledger.EndSessions(r.Context(), people[i].Subject)
	if err == nil {
		for _, in := range people[i].Roles {
			_, aerr := d.Ledger.AppendAudit(r.Context(), ledger.AuditEntry{Tenant: in.ID, Actor: admin.Actor(), Action: ActionSignOutOther, ObjectKind: "person", ObjectID: cmp.Or(people[i].Email, people[i].Name)})
			err = cmp.Or(err, aerr)
		}
	}
	if err != nil {
		d.failed(w, r, "could not end sessions", err)
		return
	}
	http.Redirect(w, r, "/ui/people?"+url.Values{"done": {cmp.Or(people[i].Name, people[i].Email)}}.Encode(), http.StatusSeeOther)
}
