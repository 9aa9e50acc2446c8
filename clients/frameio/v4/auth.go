package v4

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"time"

	"github.com/framebridge/framebridge/clients/rest"
	"github.com/framebridge/framebridge/config"
	"github.com/framebridge/framebridge/redact"
	"github.com/framebridge/framebridge/untrusted"
)

const (
	beforeEnd    = 5 * time.Minute // a token is replaced this long before it expires, or at a tenth of its life
	tokenTimeout = 15 * time.Second
	longestToken = 24 * time.Hour // the lifetime of Adobe's access tokens
	renewRest    = time.Minute    // between two renewals if the first token was never accepted: another one has no more permissions
	// TokenName is the name under which the tokens of Adobe's sign-in are stored.
	TokenName = "frameio-ims"
)

const (
	adobeName = "Adobe"
	opToken   = "POST ims/token" //nolint:gosec // an operation, no credential
)

// TokenStore stores the sign-in encrypted for all workers. Exchange passes the current value, at first empty, to change and
// stores what it returns. Nobody else changes the value meanwhile.
type TokenStore interface {
	Exchange(ctx context.Context, name string, change func(ctx context.Context, present []byte) ([]byte, error)) error
}

// Tokens are what Adobe's sign-in returns. Refresh tokens rotate: once used, a token is void.
type Tokens struct {
	Access string    `json:"access"`
	Ends   time.Time `json:"ends"`
	// Life is how long the access token was valid when it was issued. Tokens stored by older versions have none.
	Life      time.Duration `json:"life,omitempty"`
	Refresh   string        `json:"refresh,omitempty"`
	Refreshed time.Time     `json:"refreshed"`
	// From identifies the configured refresh token that this line of tokens began with. A different one begins a new line.
	From string `json:"from,omitempty"`
}

// tokens signs calls, with a static token or with an Adobe token that is fetched when needed.
type tokens struct {
	static bool
	token  string
	client string // set up by Frame.io Support
	ims    config.IMS
	store  TokenStore
	kept   string // the name in the store
	http   *http.Client

	mu   *sync.Mutex
	have *Tokens
	void *string // an access token that was rejected
	seen *renewal
}

// renewal records what became of the current access token.
type renewal struct {
	accepted string
	at       time.Time // when the last one was given up
}

func newTokens(cfg config.Frameio) tokens {
	t := tokens{ims: cfg.IMS, kept: TokenName, http: signInClient(), mu: &sync.Mutex{}, have: &Tokens{}, void: new(string), seen: &renewal{}}
	if cfg.IMS.ClientID == "" {
		t.static, t.token, t.client = true, cfg.Token.Reveal(), cfg.ServiceClient
	}
	return t
}

// signInClient returns a client that does not follow redirects: what it sends is a secret.
func signInClient() *http.Client {
	return &http.Client{Timeout: tokenTimeout, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
}

func (t tokens) sign(ctx context.Context, r *http.Request) error {
	token := t.token
	if !t.static {
		var err error
		if token, err = t.access(ctx); err != nil {
			return err
		}
	}
	r.Header.Set("Authorization", "Bearer "+token)
	if used, ok := ctx.Value(usedKey{}).(*string); ok {
		*used = token
	}
	switch {
	case t.static && t.client != "": // a developer token for an account managed in Adobe's Admin Console
		r.Header.Set("x-frameio-service-client", t.client)
	case t.static: // one for an account that is not, which may keep it
		r.Header.Set("x-frameio-legacy-token-auth", "true")
	}
	return nil
}

type usedKey struct{}

// withUsed makes sign report which token a call used.
func withUsed(ctx context.Context, used *string) context.Context {
	return context.WithValue(ctx, usedKey{}, used)
}

// renew marks a token as rejected and reports whether another one can be had. Concurrent calls with one token are rejected
// together and share the next one.
func (t tokens) renew(refused string) bool {
	if t.static || refused == "" {
		return false
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	switch {
	case t.have.Access != refused: // replaced in the meantime
		return true
	case t.seen.accepted != refused && time.Since(t.seen.at) < renewRest:
		return false
	}
	*t.void, t.seen.at = refused, time.Now()
	return true
}

// accepted records that a call with the token succeeded.
func (t tokens) accepted(token string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.seen.accepted = token
}

func (t tokens) usable(k Tokens) bool {
	margin := beforeEnd
	if k.Life > 0 {
		margin = min(beforeEnd, k.Life/10)
	}
	return k.Access != "" && k.Access != *t.void && time.Until(k.Ends) > margin
}

// access returns a token that is valid for a while. One worker fetches it for all.
func (t tokens) access(ctx context.Context) (string, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.usable(*t.have) {
		return t.have.Access, nil
	}
	// A refresh token is void once used: a caller that gives up waiting must not lose its successor.
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 2*tokenTimeout)
	defer cancel()
	if t.store == nil {
		fresh, err := t.fetch(ctx, *t.have)
		if err == nil {
			*t.have = fresh
		}
		return fresh.Access, err
	}
	err := t.store.Exchange(ctx, t.kept, func(ctx context.Context, present []byte) ([]byte, error) {
		var kept Tokens
		_ = json.Unmarshal(present, &kept) // nothing yet, or from another version
		if !kept.of(t.ims) {
			kept = Tokens{}
		}
		if t.usable(kept) {
			*t.have = kept
			return present, nil
		}
		fresh, err := t.fetch(ctx, kept)
		if err != nil {
			return nil, err
		}
		*t.have = fresh
		return json.Marshal(fresh)
	})
	if err != nil {
		return "", err
	}
	return t.have.Access, nil
}

// fingerprint distinguishes configured sign-ins without containing their secrets.
func fingerprint(c config.IMS) string {
	return fmt.Sprintf("%s/sha256:%x", c.ClientID, sha256.Sum256([]byte(c.RefreshToken.Reveal())))
}

// of reports whether a line of tokens began with the configured sign-in. Older versions recorded the refresh token's length and
// beginning, which many tokens share. A line that matches those is kept.
func (k Tokens) of(c config.IMS) bool {
	refresh := c.RefreshToken.Reveal()
	return k.From == fingerprint(c) || k.From == fmt.Sprintf("%s/%d/%.6s", c.ClientID, len(refresh), refresh)
}

// fetch gets tokens from Adobe. It uses the refresh token if there is one, the stored one before the configured one, and
// otherwise asks as a service account.
func (t tokens) fetch(ctx context.Context, present Tokens) (Tokens, error) {
	configured := t.ims.RefreshToken.Reveal()
	k, err := t.ask(ctx, cmp.Or(present.Refresh, configured))
	if err != nil && rest.ClassOf(err) == rest.Unauthorized && present.Refresh != "" && configured != "" && configured != present.Refresh {
		k, err = t.ask(ctx, configured)
	}
	return k, err
}

func (t tokens) ask(ctx context.Context, refresh string) (Tokens, error) {
	form := url.Values{"client_id": {t.ims.ClientID}, "client_secret": {t.ims.ClientSecret.Reveal()}}
	if refresh != "" {
		form.Set("grant_type", "refresh_token")
		form.Set("refresh_token", refresh)
	} else {
		form.Set("grant_type", "client_credentials")
		form.Set("scope", "openid,AdobeID,frame.s2s.all")
	}
	k, err := Ask(ctx, t.http, t.ims.TokenURL, form)
	if err != nil {
		return k, err
	}
	if k.Refresh == "" {
		k.Refresh = refresh
	}
	k.From = fingerprint(t.ims)
	return k, nil
}

// LastRefresh returns when a person's stored sign-in was last renewed, and false if none is stored. It expires after 14 days without use.
func LastRefresh(kept []byte, cfg config.IMS) (time.Time, bool) {
	var k Tokens
	if json.Unmarshal(kept, &k) != nil || k.Refresh == "" || !k.of(cfg) {
		return time.Time{}, false
	}
	return k.Refreshed, true
}

// Ask sends a form to Adobe's token endpoint.
func Ask(ctx context.Context, h *http.Client, tokenURL string, form url.Values) (Tokens, error) {
	fail := &rest.Error{Vendor: adobeName, Operation: opToken, Class: rest.Retryable}
	ctx, cancel := context.WithTimeout(ctx, tokenTimeout)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, tokenURL, strings.NewReader(form.Encode()))
	if err != nil {
		fail.Class, fail.Detail = rest.Permanent, "ims.token_url is not a URL"
		return Tokens{}, fail
	}
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	resp, err := h.Do(req)
	if err != nil {
		fail.Cause = errNoAnswer
		return Tokens{}, fail
	}
	defer resp.Body.Close()
	raw, err := io.ReadAll(io.LimitReader(resp.Body, 1<<20))
	if err != nil {
		fail.Cause = errNoAnswer
		return Tokens{}, fail
	}
	var out struct {
		Access  string          `json:"access_token"`
		Refresh string          `json:"refresh_token"`
		Expires json.RawMessage `json:"expires_in"`
		Error   string          `json:"error"`
		Words   string          `json:"error_description"`
	}
	_ = json.Unmarshal(raw, &out)
	fail.Status = resp.StatusCode
	switch {
	case resp.StatusCode >= 500 || resp.StatusCode == http.StatusTooManyRequests:
		return Tokens{}, fail
	case resp.StatusCode >= 300 && resp.StatusCode < 400:
		fail.Class, fail.Detail, fail.Hint = rest.Permanent, "it redirects to an unexpected address", "check frameio.ims.token_url"
		return Tokens{}, fail
	case resp.StatusCode != http.StatusOK || out.Access == "":
		words := strings.TrimSpace(out.Error + " " + out.Words)
		for _, k := range []string{"client_secret", "refresh_token", "code"} {
			if v := form.Get(k); v != "" {
				words = strings.ReplaceAll(words, v, "***")
			}
		}
		fail.Class, fail.Detail = rest.Unauthorized, redact.Scrub(words)
		fail.Hint = signInHint(out.Error, form.Get("grant_type"))
		return Tokens{}, fail
	}
	life, _ := untrusted.Lasting("expires_in", strings.Trim(string(out.Expires), `"`), longestToken)
	if life <= 0 {
		life = longestToken
	}
	now := time.Now().UTC()
	return Tokens{Access: out.Access, Refresh: out.Refresh, Ends: now.Add(life), Life: life, Refreshed: now}, nil
}

// signInHint returns what to do about an error of Adobe's token endpoint.
func signInHint(code, grant string) string {
	switch {
	case code == "invalid_scope":
		return "the credential lacks scopes that Frame.io needs (openid, AdobeID, frame.s2s.all; for a person also email, profile, offline_access and additional_info.roles): add them in Adobe's Developer Console"
	case code == "invalid_client", code == "unauthorized_client":
		return "Adobe does not know the credential: check ims.client_id and ims.client_secret, and whether it is the right type (server-to-server, or OAuth web app with a refresh token)"
	case grant == "refresh_token":
		return "Adobe rejects the refresh token: it expires after 14 days without use and works only once; sign in again with `starter login`"
	case grant == "authorization_code":
		return "Adobe rejects the sign-in code: it works once and for a few minutes, and --redirect must match the credential's; start again"
	}
	return "Adobe rejects the sign-in: check ims.client_id and ims.client_secret, and whether the Frame.io V4 product profile is assigned"
}

// userScopes are the scopes that V4 needs from a person who signs in. Without AdobeID or the roles, every call is refused.
const userScopes = "openid,AdobeID,email,profile,offline_access,additional_info.roles"

// AuthorizeURL returns where a person signs in, so that Adobe sends a code to the redirect URL.
func AuthorizeURL(cfg config.IMS, redirect, state string) (string, error) {
	u, err := url.Parse(cfg.TokenURL)
	if err != nil || u.Host == "" {
		return "", fmt.Errorf("frameio.ims.token_url is not a URL")
	}
	u.Path = strings.Replace(u.Path, "/token/v3", "/authorize/v2", 1)
	u.RawQuery = url.Values{"client_id": {cfg.ClientID}, "redirect_uri": {redirect}, "scope": {userScopes}, "response_type": {"code"}, "state": {state}}.Encode()
	return u.String(), nil
}

// SignIn exchanges the code of a sign-in for tokens and stores them for all workers.
func SignIn(ctx context.Context, cfg config.IMS, store TokenStore, code, redirect string) error {
	k, err := Ask(ctx, signInClient(), cfg.TokenURL, url.Values{"grant_type": {"authorization_code"}, "code": {code}, "redirect_uri": {redirect},
		"client_id": {cfg.ClientID}, "client_secret": {cfg.ClientSecret.Reveal()}})
	if err != nil {
		return err
	}
	if k.Refresh == "" {
		return &rest.Error{Vendor: adobeName, Operation: opToken, Class: rest.Permanent, Detail: "the response contains no refresh token", Hint: "the credential must be an OAuth web app with the scope offline_access"}
	}
	k.From = fingerprint(cfg)
	return store.Exchange(ctx, TokenName, func(context.Context, []byte) ([]byte, error) { return json.Marshal(k) })
}
