package signin

import (
	"cmp"
	"context"
	"crypto/rand"
	"crypto/subtle"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"time"

	"github.com/coreos/go-oidc/v3/oidc"
	"golang.org/x/oauth2"

	"github.com/framebridge/framebridge/config"
	"github.com/framebridge/framebridge/ledger"
)

const (
	providerTimeout = 10 * time.Second // for one response from the provider
	signInLasts     = 10 * time.Minute // from the click to the provider's response
	callbackPath    = "/ui/sign-in/callback"
	maxGroups       = 500 // most groups of a person that are stored
)

func newSecret() string { return rand.Text() + rand.Text() } // 260 bits

// subjectAt identifies a person at a provider. It does not use e-mail addresses, which can change hands.
func subjectAt(issuer, subject string) string { return "oidc:" + issuer + "#" + subject }

// provider is an OpenID Connect provider, according to its discovery document.
type provider struct {
	of     config.OIDC
	oidc   *oidc.Provider
	scopes []string
	users  string // URL of the user info endpoint; empty: none
}

// discover returns the configured provider. It asks once, until the configuration changes. It does not cache
// failures: the next sign-in asks again.
func (d *Desk) discover(ctx context.Context) (*provider, error) {
	want := d.Config().Auth.OIDC
	if known := d.provider.Load(); known != nil && known.of == want {
		return known, nil
	}
	// One request at a time, no matter how many people click while the provider is down.
	found, err, _ := d.discovery.Do(want.Issuer, func() (any, error) {
		p, err := d.ask(context.WithoutCancel(ctx), want)
		if err == nil {
			d.provider.Store(p)
		}
		return p, err
	})
	p, _ := found.(*provider)
	if err == nil && p.of != want {
		err = errors.New("auth.oidc was just changed")
	}
	return p, err
}

// ask reads the provider's discovery document.
func (d *Desk) ask(ctx context.Context, want config.OIDC) (*provider, error) {
	found, err := oidc.NewProvider(d.withClient(ctx), want.Issuer)
	if err != nil {
		return nil, err
	}
	var says struct {
		Scopes []string `json:"scopes_supported"`
		Users  string   `json:"userinfo_endpoint"`
	}
	if err := found.Claims(&says); err != nil {
		return nil, err
	}
	p := &provider{of: want, oidc: found, scopes: []string{oidc.ScopeOpenID, "profile", "email"}, users: says.Users}
	if slices.Contains(says.Scopes, "groups") { // some providers reject unknown scopes
		p.scopes = append(p.scopes, "groups")
	}
	return p, nil
}

func (d *Desk) withClient(ctx context.Context) context.Context {
	return oidc.ClientContext(ctx, d.Client)
}

func (d *Desk) oauth(p *provider) *oauth2.Config {
	return &oauth2.Config{ClientID: p.of.ClientID, ClientSecret: p.of.ClientSecret.Reveal(), Endpoint: p.oidc.Endpoint(), Scopes: p.scopes, RedirectURL: d.Config().HTTP.PublicURL + callbackPath}
}

// attempt is a sign-in in progress, stored only in the browser.
type attempt struct {
	State    string `json:"state"`
	Nonce    string `json:"nonce"`
	Verifier string `json:"verifier"` // for PKCE
	To       string `json:"to"`
}

// attemptCookie returns the suffix of a sign-in's cookie, because several tabs may sign in at the same time.
func attemptCookie(state string) string { return "-" + state[:min(8, len(state))] }

// toProvider sends a browser to the provider.
func (d *Desk) toProvider(w http.ResponseWriter, r *http.Request) {
	if d.Config().Auth.OIDC.Issuer == "" {
		http.Redirect(w, r, "/ui/sign-in", http.StatusSeeOther)
		return
	}
	p, err := d.discover(r.Context())
	if err != nil {
		d.providerFailed(w, r, "could not reach the sign-in provider", err)
		return
	}
	a := attempt{State: rand.Text(), Nonce: rand.Text(), Verifier: oauth2.GenerateVerifier(), To: localPath(r.URL.Query().Get("to"))}
	said, err := json.Marshal(a)
	if err != nil {
		d.providerFailed(w, r, "could not begin a sign-in", err)
		return
	}
	http.SetCookie(w, d.cookie(attemptCookie(a.State), base64.RawURLEncoding.EncodeToString(said), signInLasts))
	http.Redirect(w, r, d.oauth(p).AuthCodeURL(a.State, oidc.Nonce(a.Nonce), oauth2.S256ChallengeOption(a.Verifier)), http.StatusSeeOther)
}

// attemptOf returns the sign-in that a response from the provider belongs to.
func (d *Desk) attemptOf(r *http.Request) (a attempt, ok bool) {
	state := r.URL.Query().Get("state")
	if state == "" {
		return a, false
	}
	for _, cookie := range r.CookiesNamed(d.cookieName(attemptCookie(state))) {
		said, err := base64.RawURLEncoding.DecodeString(cookie.Value)
		if err == nil && json.Unmarshal(said, &a) == nil && subtle.ConstantTimeCompare([]byte(a.State), []byte(state)) == 1 {
			return a, true
		}
	}
	return attempt{}, false
}

// fromProvider handles the provider's response and begins the session.
func (d *Desk) fromProvider(w http.ResponseWriter, r *http.Request) {
	a, ok := d.attemptOf(r)
	if !ok {
		d.show(w, r, http.StatusBadRequest, message{Title: "Sign in again", Text: "This sign-in was not started in this browser, or took more than 10 minutes.", Link: "/ui/sign-in", LinkText: "Sign in"})
		return
	}
	http.SetCookie(w, d.cookie(attemptCookie(a.State), "", 0))
	if why := r.URL.Query().Get("error"); why != "" {
		why = cmp.Or(r.URL.Query().Get("error_description"), why)
		d.Refused(r.Context(), Person{Address: d.Address(r)}, d.onlyTenant(), "", "the sign-in provider answered: "+why)
		d.show(w, r, http.StatusForbidden, message{Title: "Not signed in", Text: "The sign-in provider answered: " + why, Link: signInTo(a.To), LinkText: "Try again"})
		return
	}
	p, err := d.discover(r.Context())
	if err != nil {
		d.providerFailed(w, r, "could not reach the sign-in provider", err)
		return
	}
	s, err := d.identify(r.Context(), p, r.URL.Query().Get("code"), a)
	if err != nil {
		d.Refused(r.Context(), Person{Address: d.Address(r)}, d.onlyTenant(), "", "the sign-in provider's answer was not accepted")
		d.providerFailed(w, r, "could not complete a sign-in", err)
		return
	}
	person := d.person(s, r)
	if len(person.Tenants()) == 0 {
		d.noRole(w, r, person)
		return
	}
	if err := d.begin(w, r, s); err != nil {
		d.failed(w, r, "could not begin a session", err)
		return
	}
	http.Redirect(w, r, localPath(a.To), http.StatusSeeOther)
}

// claims are what a provider says about a person.
type claims struct {
	Subject  string `json:"sub"`
	Name     string `json:"name"`
	User     string `json:"preferred_username"`
	Email    string `json:"email"`
	Verified *bool  `json:"email_verified"`
}

// identify exchanges the code and returns who it is. It makes every check of the tokens that OpenID Connect requires.
func (d *Desk) identify(ctx context.Context, p *provider, code string, a attempt) (ledger.Session, error) {
	ctx = d.withClient(ctx)
	token, err := d.oauth(p).Exchange(ctx, code, oauth2.VerifierOption(a.Verifier))
	if err != nil {
		return ledger.Session{}, exchangeError(err)
	}
	raw, ok := token.Extra("id_token").(string)
	if !ok {
		return ledger.Session{}, errors.New("the provider sent no ID token")
	}
	id, err := p.oidc.Verifier(&oidc.Config{ClientID: p.of.ClientID, Now: d.Now}).Verify(ctx, raw)
	if err != nil {
		return ledger.Session{}, err
	}
	if subtle.ConstantTimeCompare([]byte(id.Nonce), []byte(a.Nonce)) != 1 {
		return ledger.Session{}, errors.New("the ID token belongs to another sign-in")
	}
	var c claims
	var all map[string]any
	if err := errors.Join(id.Claims(&c), id.Claims(&all)); err != nil {
		return ledger.Session{}, err
	}
	groups, listed := groupsIn(all, p.of.GroupsClaim)
	if (!listed || c.Email == "") && p.users != "" {
		info, err := p.oidc.UserInfo(ctx, oauth2.StaticTokenSource(token))
		if err != nil {
			return ledger.Session{}, fmt.Errorf("user info: %w", err)
		}
		if info.Subject != id.Subject {
			return ledger.Session{}, errors.New("the user info belongs to someone else")
		}
		said, more := c, map[string]any{}
		if err := errors.Join(info.Claims(&said), info.Claims(&more)); err != nil {
			return ledger.Session{}, err
		}
		c = said
		if !listed {
			groups, _ = groupsIn(more, p.of.GroupsClaim)
		}
	}
	if c.Verified != nil && !*c.Verified { // it may belong to somebody else
		c.Email = ""
	}
	return ledger.Session{Subject: subjectAt(p.of.Issuer, id.Subject), Kind: string(KindOIDC), Name: cmp.Or(c.Name, c.User, c.Email, id.Subject), Email: c.Email,
		Groups: d.known(groups)}, nil
}

// exchangeError omits the provider's response, which may contain a token.
func exchangeError(err error) error {
	var refused *oauth2.RetrieveError
	if errors.As(err, &refused) {
		return fmt.Errorf("the provider refused the code: %s", cmp.Or(refused.ErrorCode, refused.Response.Status))
	}
	return err
}

// groupsIn reads a claim that is a list of names or a single one. It returns false if there is no such claim.
func groupsIn(all map[string]any, claim string) (groups []string, listed bool) {
	switch v := all[claim].(type) {
	case string:
		return []string{v}, true
	case []any:
		for _, one := range v {
			if name, ok := one.(string); ok {
				groups = append(groups, name)
			}
		}
		return groups, true
	}
	return nil, false
}

// known returns only the groups that have a role in the configuration. What else a person belongs to is none of our business.
// Groups that the configuration adds later count from the next sign-in.
func (d *Desk) known(groups []string) []string {
	named := map[string]bool{}
	for _, t := range d.Config().Tenants {
		for _, members := range t.Roles {
			for _, g := range members {
				named[g] = true
			}
		}
	}
	groups = slices.DeleteFunc(groups, func(g string) bool { return !named[g] })
	return groups[:min(len(groups), maxGroups)]
}

func signInTo(to string) string { return "/ui/sign-in?" + url.Values{"to": {to}}.Encode() }

func (d *Desk) providerFailed(w http.ResponseWriter, r *http.Request, what string, err error) {
	d.Log.ErrorContext(r.Context(), what, "issuer", d.Config().Auth.OIDC.Issuer, "error", err)
	d.show(w, r, http.StatusBadGateway, message{Title: "Not signed in",
		Text: "The sign-in provider cannot be reached, or its answer was not accepted. Framebridge's log has the details. Try again, or ask whoever runs Framebridge for a one-time link (starter console).", Link: "/ui/sign-in", LinkText: "Try again"})
}

func (d *Desk) failed(w http.ResponseWriter, r *http.Request, what string, err error) {
	d.Log.ErrorContext(r.Context(), what, "error", err)
	d.show(w, r, http.StatusServiceUnavailable, message{Title: "Try again", Text: "Framebridge cannot reach its database right now. Try again in a moment."})
}
