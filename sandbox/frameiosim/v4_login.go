package frameiosim

import (
	"net/http"
	"net/url"
	"strings"
)

// imsToken is Adobe's token endpoint, with service accounts and rotating refresh tokens.
func (s *Sim) imsToken(w http.ResponseWriter, r *http.Request) {
	refuse := func(code string) { answer(w, http.StatusBadRequest, map[string]string{"error": code}) }
	if err := r.ParseForm(); err != nil || r.FormValue("client_id") != s.o.ClientID || r.FormValue("client_secret") != s.o.ClientSecret {
		refuse("invalid_client")
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	out := map[string]any{"token_type": "bearer", "expires_in": 86399}
	switch r.FormValue("grant_type") {
	case "client_credentials":
		if !strings.Contains(r.FormValue("scope"), "frame.s2s.all") || !strings.Contains(r.FormValue("scope"), "AdobeID") {
			refuse("invalid_scope")
			return
		}
	case "refresh_token":
		if s.refresh == "" {
			s.refresh = s.o.RefreshToken
		}
		if r.FormValue("refresh_token") != s.refresh {
			refuse("invalid_grant")
			return
		}
		s.refresh = "refresh-" + s.newID()
		out["refresh_token"] = s.refresh
	case "authorization_code":
		if r.FormValue("code") != s.code || s.code == "" {
			refuse("invalid_grant")
			return
		}
		s.code, s.refresh = "", "refresh-"+s.newID()
		out["refresh_token"] = s.refresh
	default:
		refuse("unsupported_grant_type")
		return
	}
	token := "ims-" + s.newID()
	s.access[token] = true
	s.minted++
	out["access_token"] = token
	answer(w, 200, out)
}

// imsAuthorize signs in anybody at once and returns the code.
func (s *Sim) imsAuthorize(w http.ResponseWriter, r *http.Request) {
	q := r.URL.Query()
	for _, scope := range []string{"AdobeID", "additional_info.roles", "offline_access"} {
		if !strings.Contains(q.Get("scope"), scope) {
			http.Error(w, "the scope "+scope+" is missing", http.StatusBadRequest)
			return
		}
	}
	s.mu.Lock()
	s.code = "code-" + s.newID()
	back := q.Get("redirect_uri") + "?" + url.Values{"code": {s.code}, "state": {q.Get("state")}}.Encode()
	s.mu.Unlock()
	http.Redirect(w, r, back, http.StatusFound)
}

// TokensMinted returns how many access tokens Adobe's stub has issued.
func (s *Sim) TokensMinted() int {
	s.mu.RLock()
	defer s.mu.RUnlock()
	return s.minted
}

// VoidTokens invalidates all access tokens issued so far.
func (s *Sim) VoidTokens() {
	s.mu.Lock()
	defer s.mu.Unlock()
	clear(s.access)
}
