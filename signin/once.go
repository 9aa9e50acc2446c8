package signin

import (
	"context"
	"net/http"
	"net/url"
	"time"

	"github.com/framebridge/framebridge/config"
	"github.com/framebridge/framebridge/ledger"
)

// OneTimeLasts is how long the link from starter console is valid.
const OneTimeLasts = 5 * time.Minute

// OneTimeLink creates a link that signs somebody in once, with a role in some tenants, and returns its URL.
func OneTimeLink(ctx context.Context, cfg *config.Config, l *ledger.Ledger, name string, roles map[string]config.Role, now time.Time) (string, error) {
	s := ledger.Session{Subject: "console:" + name, Kind: string(KindConsole), Name: name, Roles: map[string]string{}, ExpiresAt: now.Add(OneTimeLasts)}
	for tenant, role := range roles {
		s.Roles[tenant] = string(role)
	}
	secret := newSecret()
	if err := l.PutOneTimeLink(ctx, secret, s, now); err != nil {
		return "", err
	}
	return cfg.HTTP.PublicURL + "/ui/sign-in/once?" + url.Values{"code": {secret}}.Encode(), nil
}

// oneTimePage asks before it uses the link, because chat programs and mail scanners also open links.
func (d *Desk) oneTimePage(w http.ResponseWriter, r *http.Request) {
	code := r.URL.Query().Get("code")
	s, ok, err := d.Ledger.OneTimeLink(r.Context(), code, d.Now())
	switch {
	case err != nil:
		d.failed(w, r, "could not look up a one-time link", err)
	case !ok:
		d.usedUp(w, r)
	default:
		d.render(w, r, http.StatusOK, "once", map[string]any{"Name": s.Name, "Code": code})
	}
}

func (d *Desk) useOneTimeLink(w http.ResponseWriter, r *http.Request) {
	r.Body = http.MaxBytesReader(w, r.Body, maxOnce)
	if why := d.crossOrigin(r); why != "" {
		d.Refused(r.Context(), Person{Address: d.Address(r)}, d.onlyTenant(), "", why)
		d.show(w, r, http.StatusForbidden, message{Title: "Not sent from Framebridge", Text: "Open the link again and sign in from its page."})
		return
	}
	s, ok, err := d.Ledger.TakeOneTimeLink(r.Context(), r.PostFormValue("code"), d.Now())
	switch {
	case err != nil:
		d.failed(w, r, "could not use a one-time link", err)
		return
	case !ok:
		d.Refused(r.Context(), Person{Address: d.Address(r)}, d.onlyTenant(), "", "the one-time link is used up, expired or wrong")
		d.usedUp(w, r)
		return
	}
	if p := d.person(s, r); len(p.Tenants()) == 0 { // its tenants are no longer configured
		d.noRole(w, r, p)
		return
	}
	if err := d.begin(w, r, s); err != nil {
		d.failed(w, r, "could not begin a session", err)
		return
	}
	http.Redirect(w, r, "/ui/", http.StatusSeeOther)
}

func (d *Desk) usedUp(w http.ResponseWriter, r *http.Request) {
	d.show(w, r, http.StatusGone, message{Title: "This link no longer works", Text: "A one-time link works once, within 5 minutes. Run starter console again for a new one."})
}
