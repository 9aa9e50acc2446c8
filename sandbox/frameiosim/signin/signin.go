// Package signin simulates Adobe's sign-in for V4: service accounts, and people with rotating refresh tokens.
package signin

import (
	"encoding/json"
	"net/http"
	"net/url"
	"strings"
	"sync"

	"github.com/google/uuid"
)

// Adobe issues the access tokens of one client.
type Adobe struct {
	ClientID, ClientSecret string
	RefreshToken           string // the first one

	mu      sync.Mutex
	access  map[string]bool
	refresh string
	code    string
	minted  int
}

// Routes adds the sign-in's endpoints.
func (a *Adobe) Routes(m *http.ServeMux) {
	m.HandleFunc("POST /ims/token/v3", a.token)
	m.HandleFunc("GET /ims/authorize/v2", a.authorize)
}

// Accepts reports whether an access token is valid.
func (a *Adobe) Accepts(token string) bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.access[token]
}

// Minted returns how many access tokens have been issued.
func (a *Adobe) Minted() int {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.minted
}

// Void invalidates all access tokens issued so far.
func (a *Adobe) Void() {
	a.mu.Lock()
	defer a.mu.Unlock()
	clear(a.access)
}

func (a *Adobe) token(w http.ResponseWriter, r *http.Request) {
	out, refused := map[string]any{"token_type": "bearer", "expires_in": 86399}, "invalid_client"
	if err := r.ParseForm(); err == nil && r.FormValue("client_id") == a.ClientID && r.FormValue("client_secret") == a.ClientSecret {
		refused = a.grant(r, out)
	}
	w.Header().Set("Content-Type", "application/json")
	if refused != "" {
		w.WriteHeader(http.StatusBadRequest)
		out = map[string]any{"error": refused}
	}
	_ = json.NewEncoder(w).Encode(out)
}

// grant adds an access token to the response, and a refresh token unless it is for a service account. It returns Adobe's code for what is wrong, or "".
func (a *Adobe) grant(r *http.Request, out map[string]any) string {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.refresh == "" {
		a.refresh = a.RefreshToken
	}
	switch r.FormValue("grant_type") {
	case "client_credentials":
		if !strings.Contains(r.FormValue("scope"), "frame.s2s.all") || !strings.Contains(r.FormValue("scope"), "AdobeID") {
			return "invalid_scope"
		}
	case "refresh_token":
		if r.FormValue("refresh_token") != a.refresh {
			return "invalid_grant"
		}
		a.refresh = "refresh-" + uuid.NewString()
		out["refresh_token"] = a.refresh
	case "authorization_code":
		if r.FormValue("code") != a.code || a.code == "" {
			return "invalid_grant"
		}
		a.code, a.refresh = "", "refresh-"+uuid.NewString()
		out["refresh_token"] = a.refresh
	default:
		return "unsupported_grant_type"
	}
	token := "ims-" + uuid.NewString()
	if a.access == nil {
		a.access = map[string]bool{}
	}
	a.access[token] = true
	a.minted++
	out["access_token"] = token
	return ""
}

// authorize signs in anybody at once and returns the code.
func (a *Adobe) authorize(w http.ResponseWriter, r *http.Request) {
	q := r.URL.Query()
	for _, scope := range []string{"AdobeID", "additional_info.roles", "offline_access"} {
		if !strings.Contains(q.Get("scope"), scope) {
			http.Error(w, "the scope "+scope+" is missing", http.StatusBadRequest)
			return
		}
	}
	a.mu.Lock()
	a.code = "code-" + uuid.NewString()
	back := q.Get("redirect_uri") + "?" + url.Values{"code": {a.code}, "state": {q.Get("state")}}.Encode()
	a.mu.Unlock()
	http.Redirect(w, r, back, http.StatusFound)
}
