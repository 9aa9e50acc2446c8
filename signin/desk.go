package signin

import (
	"context"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"log/slog"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	"golang.org/x/sync/singleflight"

	"github.com/framebridge/framebridge/config"
	"github.com/framebridge/framebridge/ledger"
)

// Limits of a session.
const (
	SessionLasts = 12 * time.Hour
	SessionIdle  = 2 * time.Hour // after the last page; live updates alone do not count

	seenEvery   = time.Minute // precision at which the last use is recorded
	lookEvery   = time.Minute // an open stream ends within this time after its session
	maxForm     = 1 << 20
	maxOnce     = 4 << 10 // of a form from somebody who has not signed in
	cookieName  = "framebridge"
	prefixHTTPS = "__Host-" // over TLS, only this host can set such a cookie
)

// Actions in the audit log.
const (
	ActionSignIn       = "sign-in"
	ActionOneTimeLink  = "one-time link"
	ActionSignOut      = "sign-out"
	ActionRefused      = "refused"
	ActionSignOutOther = "sign-out of a person"
	ActionRevokeLinks  = "links revoked"
)

// Deps are what the desk needs.
type Deps struct {
	Config  func() *config.Config // returns the current configuration
	Ledger  *ledger.Ledger
	Log     *slog.Logger
	Address func(*http.Request) string // where a request comes from; nil: the connection's address
	Client  *http.Client               // for the OpenID Connect provider; nil: one of its own
	Now     func() time.Time           // nil: time.Now
}

// Desk lets people in and knows who is signed in.
type Desk struct {
	Deps
	lookEvery time.Duration
	refusals  Seldom

	provider  atomic.Pointer[provider] // for the configuration that it was discovered with
	discovery singleflight.Group
}

// New returns a desk.
func New(d Deps) *Desk {
	if d.Now == nil {
		d.Now = time.Now
	}
	if d.Address == nil {
		d.Address = func(r *http.Request) string { return r.RemoteAddr }
	}
	if d.Client == nil {
		d.Client = &http.Client{Timeout: providerTimeout}
	}
	return &Desk{Deps: d, lookEvery: lookEvery}
}

// Handler serves everything below /ui/: signing in, and the console for people who have signed in.
func (d *Desk) Handler(console http.Handler) http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET "+stylePath, serveStyle)
	mux.HandleFunc("GET /ui/sign-in", d.signInPage)
	mux.HandleFunc("GET /ui/sign-in/oidc", d.toProvider)
	mux.HandleFunc("GET /ui/sign-in/callback", d.fromProvider)
	mux.HandleFunc("GET /ui/sign-in/once", d.oneTimePage)
	mux.HandleFunc("POST /ui/sign-in/once", d.useOneTimeLink)
	mux.Handle("POST /ui/sign-out", d.Protect(http.HandlerFunc(d.signOut)))
	mux.Handle("GET /ui/people", d.Protect(http.HandlerFunc(d.peoplePage)))
	mux.Handle("POST /ui/people/sign-out", d.Protect(http.HandlerFunc(d.signOutPerson)))
	mux.Handle("POST /ui/links/revoke", d.Protect(http.HandlerFunc(d.revokeLinks)))
	mux.Handle("/ui/", d.Protect(console))
	return mux
}

// Protect admits requests from people who have signed in and have a role, and adds the person to the context. Any request that is
// not a read must come from a page of the same session.
func (d *Desk) Protect(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		secret, s, ok, err := d.session(r)
		switch {
		case err != nil:
			d.Log.ErrorContext(r.Context(), "could not look up a session", "error", err)
			d.show(w, r, http.StatusServiceUnavailable, message{Title: "Try again", Text: "Framebridge cannot reach its database right now. Try again in a moment."})
			return
		case !ok:
			d.sendToSignIn(w, r)
			return
		}
		p := d.person(s, r)
		if len(p.Tenants()) == 0 {
			d.noRole(w, r, p)
			return
		}
		token := formToken(secret)
		if !safe(r.Method) {
			r.Body = http.MaxBytesReader(w, r.Body, maxForm)
			if why := d.foreign(r, token); why != "" {
				d.Refused(r.Context(), p, p.Tenants(), "", why)
				d.show(w, r, http.StatusForbidden, message{Title: "Not sent from Framebridge", Text: "This request did not come from a page of your session. Open the page again and repeat the step."})
				return
			}
		}
		ctx := WithFormToken(With(r.Context(), p), token)
		if isStream(r) {
			var end context.CancelFunc
			ctx, end = context.WithCancel(ctx)
			defer end()
			go d.endWithSession(ctx, end, secret, p.Roles)
		} else if d.Now().Sub(s.SeenAt) > seenEvery {
			if err := d.Ledger.SeeSession(r.Context(), secret, d.Now()); err != nil {
				d.Log.WarnContext(r.Context(), "could not record when a session was last used", "error", err)
			}
		}
		w.Header().Set("Cache-Control", "no-store")
		next.ServeHTTP(w, r.WithContext(ctx))
	})
}

// Person returns who a request is from, by its session. It is for pages that are also open to others.
func (d *Desk) Person(r *http.Request) (Person, bool, error) {
	_, s, ok, err := d.session(r)
	return d.person(s, r), ok, err
}

func safe(method string) bool {
	return method == http.MethodGet || method == http.MethodHead || method == http.MethodOptions
}

func isStream(r *http.Request) bool {
	return strings.Contains(r.Header.Get("Accept"), "text/event-stream")
}

// session returns a request's session and the secret in its cookie.
func (d *Desk) session(r *http.Request) (secret string, s ledger.Session, ok bool, err error) {
	cookie, err := r.Cookie(d.cookieName(""))
	if err != nil || cookie.Value == "" {
		return "", s, false, nil //nolint:nilerr // no cookie is no session
	}
	now := d.Now()
	s, ok, err = d.Ledger.Session(r.Context(), cookie.Value, now)
	return cookie.Value, s, ok && now.Sub(s.SeenAt) < SessionIdle, err
}

// endWithSession ends a stream when its session ends or its roles change.
func (d *Desk) endWithSession(ctx context.Context, end context.CancelFunc, secret string, roles map[string]config.Role) {
	tick := time.NewTicker(d.lookEvery)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		s, ok, err := d.Ledger.Session(ctx, secret, d.Now())
		if err == nil && (!ok || d.Now().Sub(s.SeenAt) >= SessionIdle || !maps.Equal(roles, rolesOf(d.Config(), s))) {
			end()
			return
		}
	}
}

// person returns who a session belongs to, with roles from the current configuration.
func (d *Desk) person(s ledger.Session, r *http.Request) Person {
	return Person{Name: s.Name, Email: s.Email, Kind: Kind(s.Kind), Address: d.Address(r), Roles: rolesOf(d.Config(), s)}
}

// rolesOf returns a session's roles: those of the person's groups, or those that a one-time link granted.
func rolesOf(cfg *config.Config, s ledger.Session) map[string]config.Role {
	out := map[string]config.Role{}
	for id, t := range cfg.Tenants {
		var role config.Role
		switch {
		case Kind(s.Kind) == KindConsole:
			role = config.Role(s.Roles[id])
		case Kind(s.Kind) == KindOIDC && strings.HasPrefix(s.Subject, subjectAt(cfg.Auth.OIDC.Issuer, "")):
			role = roleOf(t, s.Groups)
		}
		if role != "" {
			out[id] = role
		}
	}
	return out
}

// roleOf returns the highest role that any of the groups has in a tenant.
func roleOf(t *config.Tenant, groups []string) (highest config.Role) {
	for role, members := range t.Roles {
		if highest == "" || config.Role(role).Covers(highest) {
			if slices.ContainsFunc(members, func(g string) bool { return slices.Contains(groups, g) }) {
				highest = config.Role(role)
			}
		}
	}
	return highest
}

// begin creates a session and gives the browser its cookie.
func (d *Desk) begin(w http.ResponseWriter, r *http.Request, s ledger.Session) error {
	now := d.Now()
	s.Address, s.CreatedAt, s.ExpiresAt = d.Address(r), now.UTC(), now.Add(SessionLasts)
	secret := newSecret()
	if err := d.Ledger.BeginSession(r.Context(), secret, s, now); err != nil {
		return err
	}
	http.SetCookie(w, d.cookie("", secret, SessionLasts))
	p := d.person(s, r)
	d.Log.InfoContext(r.Context(), "signed in", "person", p.Actor().Name, "how", s.Kind, "address", p.Address, "tenants", len(p.Roles))
	return d.audit(r.Context(), p, ledger.AuditEntry{Action: ActionSignIn, Detail: ledger.AuditText(signInText[Kind(s.Kind)])})
}

var signInText = map[Kind]string{KindOIDC: "with the sign-in provider", KindConsole: "with a one-time link"}

// audit records an entry in each tenant in which a person has a role.
func (d *Desk) audit(ctx context.Context, p Person, e ledger.AuditEntry) error {
	for _, tenant := range p.Tenants() {
		e.Tenant, e.Actor = tenant, p.Actor()
		if _, err := d.Ledger.AppendAudit(ctx, e); err != nil {
			return err
		}
	}
	return nil
}

// Refused records that somebody was refused, at most once a minute for the same reason. If that fails, it only logs the error.
func (d *Desk) Refused(ctx context.Context, p Person, tenants []string, object, why string) {
	d.Log.WarnContext(ctx, "refused", "person", p.Actor().Name, "address", p.Address, "reason", why)
	for _, tenant := range tenants {
		if !d.refusals.Pass(strings.Join([]string{tenant, p.Actor().Name, p.Address, object, why}, "\n"), d.Now()) {
			continue
		}
		e := ledger.AuditEntry{Tenant: tenant, Actor: p.Actor(), Action: ActionRefused, Reason: why}
		if object != "" {
			e.ObjectKind, e.ObjectID = "page", object
		}
		if _, err := d.Ledger.AppendAudit(ctx, e); err != nil {
			d.Log.ErrorContext(ctx, "could not record a refusal", "error", err)
		}
	}
}

// onlyTenant returns where to record what belongs to no tenant: the only tenant, or none if there are several. One tenant's people
// must not learn about another's.
func (d *Desk) onlyTenant() []string {
	if all := d.Config().Tenants; len(all) == 1 {
		return slices.Collect(maps.Keys(all))
	}
	return nil
}

// foreign says why a request is not from a page of this session, or returns "" if it is.
func (d *Desk) foreign(r *http.Request, token string) string {
	if why := d.crossOrigin(r); why != "" {
		return why
	}
	given := r.Header.Get(FormHeader)
	if given == "" {
		given = r.PostFormValue(FormField)
	}
	if subtle.ConstantTimeCompare([]byte(given), []byte(token)) != 1 {
		return "the form's token is missing or wrong"
	}
	return ""
}

func (d *Desk) crossOrigin(r *http.Request) string {
	check := http.NewCrossOriginProtection()
	if u, err := url.Parse(d.Config().HTTP.PublicURL); err == nil { // a reverse proxy may change the Host header
		_ = check.AddTrustedOrigin(u.Scheme + "://" + u.Host)
	}
	if check.Check(r) != nil {
		return "the request comes from another site"
	}
	return ""
}

// formToken returns the token for a session's forms. It is derived from the cookie's secret, which no page can read.
func formToken(secret string) string {
	sum := sha256.Sum256([]byte("framebridge form token v1:" + secret))
	return base64.RawURLEncoding.EncodeToString(sum[:])
}

// cookieName returns the name of the session's cookie, or with a suffix that of another one. Over HTTPS no other host can set it.
func (d *Desk) cookieName(suffix string) string {
	if d.overHTTPS() {
		return prefixHTTPS + cookieName + suffix
	}
	return cookieName + suffix
}

func (d *Desk) overHTTPS() bool { return strings.HasPrefix(d.Config().HTTP.PublicURL, "https://") }

// cookie returns a cookie. If lasts is not positive, the cookie gets deleted.
func (d *Desk) cookie(suffix, value string, lasts time.Duration) *http.Cookie {
	c := &http.Cookie{Name: d.cookieName(suffix), Value: value, Path: "/", MaxAge: int(lasts.Seconds()), HttpOnly: true, Secure: d.overHTTPS(), SameSite: http.SameSiteLaxMode} //nolint:gosec // not secure where the address is not https
	if lasts <= 0 {
		c.MaxAge = -1
	}
	return c
}

// sendToSignIn makes a browser sign in and come back. It responds to scripts with 401.
func (d *Desk) sendToSignIn(w http.ResponseWriter, r *http.Request) {
	if !safe(r.Method) || isStream(r) || r.Header.Get("Sec-Fetch-Mode") != "" && r.Header.Get("Sec-Fetch-Mode") != "navigate" {
		d.show(w, r, http.StatusUnauthorized, message{Title: "Signed out", Text: "Your session has ended. Sign in again.", Link: "/ui/sign-in", LinkText: "Sign in"})
		return
	}
	http.Redirect(w, r, "/ui/sign-in?"+url.Values{"to": {r.URL.RequestURI()}}.Encode(), http.StatusSeeOther)
}

// localPath returns where to go after signing in. It is always a path of ours, whatever the link says.
func localPath(to string) string {
	u, err := url.Parse(to)
	if err != nil || u.Scheme != "" || u.Host != "" || u.User != nil || strings.ContainsAny(to, "\\\r\n\t") || strings.HasPrefix(to, "//") || strings.Contains(u.Path, "/.") ||
		!strings.HasPrefix(u.Path, "/ui/") && !strings.HasPrefix(u.Path, "/l/") || strings.HasPrefix(u.Path, "/ui/sign-") {
		return "/ui/"
	}
	return to
}
