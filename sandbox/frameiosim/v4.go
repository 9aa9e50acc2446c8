package frameiosim

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"
)

// The V4 API over the same account: envelopes, cursors, unknown fields refused, shares of two profiles.

// Share profiles of V4.
const (
	Shares202607 = "2026-07" // the stable document of July: no watermark, no switch
	Shares202609 = "2026-09"
)

// Vendor's limits of V4, as calls and milliseconds.
var ratesV4 = map[string][2]float64{
	"GET files/{id}":                       {10, 1_000},
	"GET files/{id}/status":                {5, 1_000},
	"POST folders/{id}/files/local_upload": {5, 1_000},
	"POST folders/{id}/folders":            {3, 1_000},
	"PATCH comments/{id}":                  {10, 60_000},
	"POST projects/{id}/shares":            {10, 60_000},
	"PATCH shares/{id}":                    {10, 60_000},
	"POST shares/{id}/assets":              {10, 60_000},
	"POST shares/{id}/reviewers":           {10, 60_000},
	"GET shares/{id}/reviewers":            {10, 60_000},
	"POST folders/{id}/version_stacks":     {10, 60_000},
	"POST workspaces/{id}/projects":        {10, 60_000},
	"DELETE comments/{id}":                 {60, 60_000},
	"DELETE folders/{id}":                  {60, 60_000},
}

func failV4(w http.ResponseWriter, status int, detail, pointer string) {
	e := map[string]any{"title": http.StatusText(status), "detail": detail}
	if pointer != "" {
		e["source"] = map[string]any{"pointer": pointer}
	}
	answer(w, status, map[string]any{"errors": []any{e}})
}

func notFoundV4(w http.ResponseWriter) { failV4(w, http.StatusNotFound, "Not found", "") }

func data(w http.ResponseWriter, status int, v any) { answer(w, status, map[string]any{"data": v}) }

// bodyV4 reads a request's data and refuses what the schema does not name.
func bodyV4(w http.ResponseWriter, r *http.Request, allowed ...string) (map[string]any, bool) {
	raw, err := io.ReadAll(io.LimitReader(r.Body, 1<<20))
	var in struct {
		Data map[string]any `json:"data"`
	}
	if err != nil || json.Unmarshal(raw, &in) != nil || in.Data == nil {
		failV4(w, http.StatusUnprocessableEntity, "Missing field: data", "/data")
		return nil, false
	}
	for name := range in.Data {
		if !slices.Contains(allowed, name) {
			failV4(w, http.StatusUnprocessableEntity, "Unexpected field: "+name, "/data/"+name)
			return nil, false
		}
	}
	return in.Data, true
}

// pageV4 answers one page; the link to the next names its place only.
func pageV4(w http.ResponseWriter, r *http.Request, most, n int, row func(i int) any) {
	q := r.URL.Query()
	size, from := 50, 0
	if v := q.Get("page_size"); v != "" {
		s, err := strconv.Atoi(v)
		if err != nil || s < 1 || s > most {
			failV4(w, http.StatusBadRequest, fmt.Sprintf("page_size must be 1 to %d", most), "")
			return
		}
		size = s
	}
	if after := q.Get("after"); after != "" {
		v, err := strconv.Atoi(strings.TrimPrefix(after, "c"))
		if err != nil {
			failV4(w, http.StatusBadRequest, "after is no cursor", "")
			return
		}
		from = v
	}
	from = min(from, n)
	to := min(from+size, n)
	rows := make([]any, 0, to-from)
	for i := from; i < to; i++ {
		rows = append(rows, row(i))
	}
	var next any
	if to < n {
		next = fmt.Sprintf("%s?after=c%d", r.URL.Path, to)
	}
	answer(w, 200, map[string]any{"data": rows, "links": map[string]any{"next": next}})
}

// imsToken is Adobe's token endpoint: service accounts and rotating refresh tokens.
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

// imsAuthorize signs anybody in at once and sends the code back.
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

// TokensMinted counts the access tokens that Adobe's stub gave out.
func (s *Sim) TokensMinted() int {
	s.mu.RLock()
	defer s.mu.RUnlock()
	return s.minted
}

// VoidTokens makes every access token given out so far refused.
func (s *Sim) VoidTokens() {
	s.mu.Lock()
	defer s.mu.Unlock()
	clear(s.access)
}

func (s *Sim) serveV4(w http.ResponseWriter, r *http.Request) {
	path := strings.TrimPrefix(r.URL.Path, "/v4/accounts/"+s.s.Account+"/")
	op := r.Method + " " + idInPath.ReplaceAllString(path, "{id}")
	s.mu.Lock()
	s.calls[op]++
	s.mu.Unlock()
	rate, known := ratesV4[op]
	if !known {
		rate = [2]float64{100, 60_000}
	}
	if !s.limitTo(w, op, rate) {
		failV4(w, http.StatusTooManyRequests, "Rate limit exceeded", "")
		return
	}
	token, _ := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
	s.mu.RLock()
	ok := s.access[token] || token == s.o.Token && r.Header.Get("x-frameio-legacy-token-auth") == "true"
	v4 := s.o.Generation == "v4"
	s.mu.RUnlock()
	if !ok || !v4 {
		failV4(w, http.StatusUnauthorized, "Unauthorized", "")
		return
	}
	refused := func(status int) { failV4(w, status, http.StatusText(status), "") }
	if !s.faults.Find(r).Spoil(s.mux, w, r, refused) {
		s.mux.ServeHTTP(w, r)
	}
}

// Migrate moves the account from the legacy API to V4, as Frame.io does at any moment: the other API refuses it, and its
// webhooks are switched off.
func (s *Sim) Migrate() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.o.Generation = "v4"
	for _, h := range s.s.Hooks {
		h.Active = false
	}
	s.touch()
}

func (s *Sim) routesV4(m *http.ServeMux) {
	m.HandleFunc("POST /ims/token/v3", s.imsToken)
	m.HandleFunc("GET /ims/authorize/v2", s.imsAuthorize)
	m.HandleFunc("GET /v4/me", func(w http.ResponseWriter, _ *http.Request) { data(w, 200, s.userV4(s.s.User)) })
	m.HandleFunc("GET /v4/accounts", func(w http.ResponseWriter, r *http.Request) {
		pageV4(w, r, 100, 1, func(int) any {
			return map[string]any{"id": s.s.Account, "display_name": "Sandbox", "roles": []string{"admin"}, "storage_limit": nil, "storage_usage": 0, "v4_migrated_at": nil,
				"created_at": "2024-01-01T00:00:00Z", "updated_at": "2024-01-01T00:00:00Z"}
		})
	})
	on := func(pattern string, h http.HandlerFunc) {
		method, path, _ := strings.Cut(pattern, " ")
		m.HandleFunc(method+" /v4/accounts/{account}/"+path, func(w http.ResponseWriter, r *http.Request) {
			if r.PathValue("account") != s.s.Account {
				notFoundV4(w)
				return
			}
			h(w, r)
		})
	}
	on("GET workspaces", func(w http.ResponseWriter, r *http.Request) {
		s.mu.RLock()
		defer s.mu.RUnlock()
		rows := values(s.s.Teams, func(t *Team) string { return t.Name })
		pageV4(w, r, 100, len(rows), func(i int) any { return s.workspaceV4(rows[i]) })
	})
	on("GET workspaces/{id}", func(w http.ResponseWriter, r *http.Request) {
		s.mu.RLock()
		defer s.mu.RUnlock()
		t, ok := s.s.Teams[r.PathValue("id")]
		if !ok {
			notFoundV4(w)
			return
		}
		data(w, 200, s.workspaceV4(t))
	})
	projects := func(w http.ResponseWriter, r *http.Request) {
		s.mu.RLock()
		defer s.mu.RUnlock()
		rows := slices.DeleteFunc(values(s.s.Projects, func(p *Project) string { return p.Inserted.Format(time.RFC3339Nano) + p.ID }), func(p *Project) bool {
			return p.Deleted != nil || r.PathValue("id") != "" && p.TeamID != r.PathValue("id")
		})
		pageV4(w, r, 100, len(rows), func(i int) any { return s.projectV4(rows[i]) })
	}
	on("GET projects", projects)
	on("GET workspaces/{id}/projects", projects)
	on("POST workspaces/{id}/projects", func(w http.ResponseWriter, r *http.Request) {
		in, ok := bodyV4(w, r, "name", "restricted")
		if !ok {
			return
		}
		p := s.AddProject(r.PathValue("id"), fmt.Sprint(in["name"]))
		s.mu.RLock()
		defer s.mu.RUnlock()
		data(w, 201, s.projectV4(p))
	})
	on("GET projects/{id}", func(w http.ResponseWriter, r *http.Request) {
		s.mu.RLock()
		defer s.mu.RUnlock()
		p, ok := s.s.Projects[r.PathValue("id")]
		if !ok || p.Deleted != nil {
			notFoundV4(w)
			return
		}
		data(w, 200, s.projectV4(p))
	})
	s.assetRoutesV4(on)
	s.commentRoutesV4(on)
	s.shareRoutesV4(on)
	m.HandleFunc("/v4/", func(w http.ResponseWriter, _ *http.Request) { notFoundV4(w) })
}

func (s *Sim) userV4(u User) map[string]any {
	return map[string]any{"id": nullable(u.ID), "name": u.Name, "email": u.Email, "avatar_url": nil, "active": true}
}

func (s *Sim) workspaceV4(t *Team) map[string]any {
	return map[string]any{"id": t.ID, "name": t.Name, "account_id": s.s.Account, "created_at": "2024-01-01T00:00:00Z", "updated_at": "2024-01-01T00:00:00Z"}
}

func (s *Sim) projectV4(p *Project) map[string]any {
	status := "active"
	if p.ArchiveStatus != "standard" {
		status = "inactive"
	}
	return map[string]any{"id": p.ID, "name": p.Name, "root_folder_id": p.RootID, "workspace_id": p.TeamID, "status": status, "restricted": false, "storage": 0, "description": nil,
		"view_url": "https://next.frame.io/project/" + p.ID, "created_at": stamp(p.Inserted), "updated_at": stamp(p.Updated)}
}
