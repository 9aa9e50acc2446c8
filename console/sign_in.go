package console

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"errors"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/framebridge/framebridge/config"
	"github.com/framebridge/framebridge/console/page"
	"github.com/framebridge/framebridge/redact"
	"github.com/framebridge/framebridge/signin"
)

// signInPath is where Adobe sends the browser back to, for all tenants. It must be among the credential's redirect URIs.
const signInPath = Root + "frameio-sign-in"

const signInLasts = 10 * time.Minute

// spent remembers the sign-ins that have come back. Each may do so only once.
type spent struct {
	mu    sync.Mutex
	until map[string]time.Time
}

func (s *spent) first(nonce string, now time.Time) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	for old, until := range s.until {
		if now.After(until) {
			delete(s.until, old)
		}
	}
	if _, was := s.until[nonce]; was {
		return false
	}
	s.until[nonce] = now.Add(signInLasts)
	return true
}

// signInState ties Adobe's response to the session that asked for it, to the tenant and to a few minutes. Nobody can forge
// one without knowing the session.
func signInState(r *http.Request, tenant string, until time.Time) string {
	said := tenant + "." + strconv.FormatInt(until.Unix(), 10) + "." + rand.Text()
	return said + "." + signInMark(r, said)
}

func signInMark(r *http.Request, said string) string {
	mac := hmac.New(sha256.New, []byte("framebridge sign-in to Frame.io v1:"+signin.FormToken(r.Context())))
	mac.Write([]byte(said))
	return base64.RawURLEncoding.EncodeToString(mac.Sum(nil))
}

// readSignInState returns the state's tenant and one-time nonce. It returns false if the state belongs to another session or is too old.
func readSignInState(r *http.Request, state string, now time.Time) (tenant, nonce string, ok bool) {
	at := strings.LastIndexByte(state, '.')
	if at < 0 || signin.FormToken(r.Context()) == "" || subtle.ConstantTimeCompare([]byte(state[at+1:]), []byte(signInMark(r, state[:at]))) != 1 {
		return "", "", false
	}
	parts := strings.Split(state[:at], ".")
	if len(parts) != 3 {
		return "", "", false
	}
	until, err := strconv.ParseInt(parts[1], 10, 64)
	return parts[0], parts[2], err == nil && now.Unix() <= until
}

type signInBody struct {
	Redirect string
	Last     page.Moment
	Refused  string
}

func (c *console) redirectURL() string { return c.Config().HTTP.PublicURL + signInPath }

// signInPage explains what signing in to Frame.io does, before leading to Adobe.
func (c *console) signInPage(w http.ResponseWriter, r *http.Request, v visit) {
	p := c.in(r, v, "setup", "Sign in to Frame.io")
	b := signInBody{Redirect: c.redirectURL()}
	if at, ok := c.Actions.SignedIn(r.Context(), v.tenant); ok {
		b.Last = c.moment(at)
	}
	to, err := c.Actions.SignInURL(v.tenant, b.Redirect, "state")
	var refused *Refused
	switch {
	case errors.As(err, &refused):
		b.Refused = page.Sentence(refused.Why)
	case err != nil:
		c.failed(w, r, err)
		return
	default: // the browser checks this page's policy to see whether the form may redirect there
		if u, err := url.Parse(to); err == nil && u.Host != "" && !strings.ContainsAny(u.Host, " ;,'\"") {
			h := w.Header()
			h.Set("Content-Security-Policy", strings.Replace(h.Get("Content-Security-Policy"), "form-action 'self'", "form-action 'self' "+u.Scheme+"://"+u.Host, 1))
		}
	}
	p.Body = b
	c.show(w, r, http.StatusOK, "sign-in", p)
}

// toAdobe sends the browser to Adobe.
func (c *console) toAdobe(w http.ResponseWriter, r *http.Request, v visit) {
	to, err := c.Actions.SignInURL(v.tenant, c.redirectURL(), signInState(r, v.tenant.ID, c.Now().Add(signInLasts)))
	if !c.notDone(w, r, err) {
		http.Redirect(w, r, to, http.StatusSeeOther) //nolint:gosec // to Adobe, as the configuration says
	}
}

// fromAdobe handles Adobe's response for the tenant that the sign-in was started for. The person must be its administrator.
func (c *console) fromAdobe(w http.ResponseWriter, r *http.Request) {
	person, signedIn := signin.From(r.Context())
	q := r.URL.Query()
	id, nonce, ok := readSignInState(r, q.Get("state"), c.Now())
	t, known := c.Config().Tenant(id)
	if !signedIn || !ok || !known || !person.Allows(id, config.RoleAdmin) || !c.spent.first(nonce, c.Now()) {
		c.problem(w, r, http.StatusBadRequest, "This sign-in was not started in this session, has already been used, or took more than 10 minutes. Start over on the Setup page.")
		return
	}
	r.SetPathValue("tenant", id) // so that an error page has the tenant's navigation
	if q.Get("code") == "" {
		why := q.Get("error_description")
		if why == "" {
			why = q.Get("error")
		}
		c.problem(w, r, http.StatusUnprocessableEntity, "Adobe rejected the sign-in: "+page.Sentence(redact.Scrub(why)))
		return
	}
	_, err := c.Actions.SignIn(r.Context(), t, q.Get("code"), c.redirectURL())
	if !c.notDone(w, r, err) {
		c.examineNow(visit{person: person, tenant: t, ledger: c.Ledger.Tenant(id)}) //nolint:contextcheck // it goes on without its page
		http.Redirect(w, r, Root+t.ID+"/setup?done=signed-in", http.StatusSeeOther) //nolint:gosec // to a page of our own
	}
}
