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

// assetV4 shows a file, folder or stack. Links and metadata come only where they are asked for.
func (s *Sim) assetV4(a *Asset, include string) map[string]any {
	v := map[string]any{"id": a.ID, "name": a.Name, "type": a.Type, "parent_id": nullable(a.ParentID), "project_id": a.ProjectID, "view_url": "https://next.frame.io/project/" + a.ProjectID + "/view/" + a.ID,
		"created_at": stamp(a.Inserted), "updated_at": stamp(a.Updated)}
	switch a.Type {
	case "folder":
		v["cover_file_id"] = nil
		return v
	case "version_stack":
		v["head_version"] = s.assetV4(s.s.Assets[a.CoverID], include)
		return v
	}
	v["file_size"], v["media_type"], v["status"] = a.Size, a.Filetype, "created"
	if a.Uploaded != nil {
		v["status"] = "transcoded"
		if a.Parts > 0 && !a.Transcoded || a.AssetType == "document" {
			v["status"] = "uploaded"
		}
	}
	if strings.Contains(include, "creator") {
		v["creator"] = s.userV4(a.Creator)
	}
	if strings.Contains(include, "media_links") {
		links := map[string]any{}
		if strings.Contains(include, "media_links.original") {
			links["original"] = map[string]any{"download_url": nil, "inline_url": nil}
			away := s.s.Projects[a.ProjectID].ArchiveStatus != "standard" && a.AssetType == "stream"
			if a.Uploaded != nil && !away {
				u := s.mediaURL(a.Key, a.Name)
				links["original"] = map[string]any{"download_url": u, "inline_url": u}
			}
		}
		for _, k := range []string{"high_quality", "efficient"} {
			if strings.Contains(include, "media_links."+k) {
				links[k] = map[string]any{"download_url": nil}
				if a.ProxyKey != "" && k == "high_quality" {
					links[k] = map[string]any{"download_url": s.mediaURL(a.ProxyKey, a.Name)}
				}
			}
		}
		v["media_links"] = links
	}
	if strings.Contains(include, "metadata") {
		v["metadata"] = s.metadataV4(a)
	}
	return v
}

func (s *Sim) metadataV4(a *Asset) []any {
	rows := []any{}
	add := func(name, kind string, value any) {
		rows = append(rows, map[string]any{"field_definition_id": "f0000000-0000-4000-8000-" + fmt.Sprintf("%012d", len(name)), "field_definition_name": name, "field_type": kind, "mutable": false, "value": value})
	}
	if a.FPS > 0 {
		add("Frame Rate", "number", a.FPS)
		add("Duration", "number", a.Duration)
	}
	if a.Timecode != "" {
		add("Start Timecode", "text", a.Timecode)
	}
	if a.Width > 0 {
		add("Resolution", "text", fmt.Sprintf("%d x %d", a.Width, a.Height))
	}
	if a.Rating != nil {
		add("Rating", "rating", *a.Rating)
	}
	if a.Description != "" {
		add("Notes", "long_text", a.Description)
	}
	if l := a.Label; l != "" && l != "none" {
		words := map[string]string{"approved": "Approved", "needs_review": "Needs Review", "in_progress": "In Progress"}
		rows = append(rows, map[string]any{"field_definition_id": "f0000000-0000-4000-8000-000000000099", "field_definition_name": "Status", "field_type": "select", "mutable": true,
			"value": []any{map[string]any{"id": "f0000000-0000-4000-8000-000000000001", "display_name": words[l]}}})
	}
	return rows
}

// refusesOriginal answers 403 where the original is asked for and the user may not download.
func (s *Sim) refusesOriginal(w http.ResponseWriter, r *http.Request) bool {
	if s.o.NoDownload && strings.Contains(r.URL.Query().Get("include"), "media_links.original") {
		failV4(w, http.StatusForbidden, "You do not have permission to download", "")
		return true
	}
	return false
}

func (s *Sim) assetRoutesV4(on func(string, http.HandlerFunc)) {
	show := func(kind string) http.HandlerFunc {
		return func(w http.ResponseWriter, r *http.Request) {
			s.mu.RLock()
			defer s.mu.RUnlock()
			a, ok := s.live(r.PathValue("id"))
			if !ok || a.Type != kind {
				notFoundV4(w)
				return
			}
			if !s.refusesOriginal(w, r) {
				data(w, 200, s.assetV4(a, r.URL.Query().Get("include")))
			}
		}
	}
	on("GET files/{id}", show("file"))
	on("GET folders/{id}", show("folder"))
	on("GET version_stacks/{id}", show("version_stack"))
	children := func(kind string, most int) http.HandlerFunc {
		return func(w http.ResponseWriter, r *http.Request) {
			s.mu.RLock()
			defer s.mu.RUnlock()
			a, ok := s.live(r.PathValue("id"))
			if !ok || a.Type != kind {
				notFoundV4(w)
				return
			}
			if s.refusesOriginal(w, r) {
				return
			}
			ids := slices.DeleteFunc(slices.Clone(s.kids[a.ID]), func(id string) bool {
				c := s.s.Assets[id]
				return c.Deleted != nil || c.Type == "version_stack" && c.CoverID == ""
			})
			pageV4(w, r, most, len(ids), func(i int) any { return s.assetV4(s.s.Assets[ids[i]], r.URL.Query().Get("include")) })
		}
	}
	on("GET folders/{id}/children", children("folder", 500))
	on("GET version_stacks/{id}/children", children("version_stack", 100))
	on("GET files/{id}/status", func(w http.ResponseWriter, r *http.Request) {
		s.mu.RLock()
		defer s.mu.RUnlock()
		a, ok := s.live(r.PathValue("id"))
		if !ok {
			notFoundV4(w)
			return
		}
		data(w, 200, map[string]any{"id": a.ID, "filetype": a.Filetype, "upload_complete": a.Uploaded != nil, "upload_failed": false, "uploaded_at": stamp(a.Inserted), "upload_completed_at": stampOrNull(a.Uploaded)})
	})
	on("POST folders/{id}/folders", func(w http.ResponseWriter, r *http.Request) {
		in, ok := bodyV4(w, r, "name")
		if !ok {
			return
		}
		s.mu.RLock()
		parent, there := s.live(r.PathValue("id"))
		s.mu.RUnlock()
		if !there || parent.Type != "folder" {
			notFoundV4(w)
			return
		}
		a := s.AddFolder(parent.ID, fmt.Sprint(in["name"]))
		s.mu.RLock()
		defer s.mu.RUnlock()
		data(w, 201, s.assetV4(a, ""))
	})
	on("POST folders/{id}/files/local_upload", s.localUpload)
	on("POST folders/{id}/version_stacks", s.createStackV4)
	on("PATCH files/{id}/move", s.moveFileV4)
	remove := func(w http.ResponseWriter, r *http.Request) {
		s.mu.RLock()
		_, ok := s.live(r.PathValue("id"))
		s.mu.RUnlock()
		if !ok {
			notFoundV4(w)
			return
		}
		s.DeleteAsset(r.PathValue("id"))
		s.emptyStacks()
		w.WriteHeader(http.StatusNoContent)
	}
	on("DELETE files/{id}", remove)
	on("DELETE folders/{id}", remove)
}

// emptyStacks lets stacks go whose files are all deleted: V4 has no call for it.
func (s *Sim) emptyStacks() {
	s.mu.Lock()
	defer s.mu.Unlock()
	now := time.Now().UTC()
	for _, a := range s.s.Assets {
		if a.Type == "version_stack" && a.Deleted == nil && !slices.ContainsFunc(s.kids[a.ID], func(id string) bool { return s.s.Assets[id].Deleted == nil }) {
			a.Deleted = &now
		}
	}
}

func (s *Sim) localUpload(w http.ResponseWriter, r *http.Request) {
	in, ok := bodyV4(w, r, "name", "file_size")
	if !ok {
		return
	}
	size, _ := in["file_size"].(float64)
	name, _ := in["name"].(string)
	s.mu.RLock()
	parent, there := s.live(r.PathValue("id"))
	s.mu.RUnlock()
	switch {
	case !there || parent.Type != "folder":
		notFoundV4(w)
		return
	case name == "" || size < 1:
		failV4(w, http.StatusUnprocessableEntity, "Missing field", "/data/file_size")
		return
	}
	now := time.Now().UTC()
	n := int((int64(size) + s.o.PartSize - 1) / s.o.PartSize)
	s.mu.Lock()
	a := &Asset{ID: s.newID(), Type: "file", Name: name, ParentID: parent.ID, ProjectID: parent.ProjectID, Filetype: mediaTypeOf(name), Size: int64(size), Parts: n,
		Inserted: now, Updated: now, Creator: s.s.User}
	s.put(a)
	v := s.assetV4(a, "")
	s.mu.Unlock()
	each := (a.Size + int64(n) - 1) / int64(n)
	var urls []any
	for i := range n {
		length := min(each, a.Size-int64(i)*each)
		urls = append(urls, map[string]any{"size": length, "url": s.o.Signer.Presign(http.MethodPut, bucket, partKey(a.ID, i), url.Values{}, map[string]string{"content-type": a.Filetype, "x-amz-acl": "private"}, uploadURLLife)})
	}
	v["upload_urls"] = urls
	data(w, 201, v)
	s.fire("file.created", "file", a.ID, a.ProjectID)
	go s.assemble(a.ID)
}

func (s *Sim) createStackV4(w http.ResponseWriter, r *http.Request) {
	in, ok := bodyV4(w, r, "file_ids")
	if !ok {
		return
	}
	ids, _ := in["file_ids"].([]any)
	s.mu.RLock()
	var files []*Asset
	for _, id := range ids {
		if a, ok := s.live(fmt.Sprint(id)); ok && a.Type == "file" && a.ParentID == r.PathValue("id") {
			files = append(files, a)
		}
	}
	s.mu.RUnlock()
	if len(files) != len(ids) || len(ids) < 2 || len(ids) > 10 {
		failV4(w, http.StatusUnprocessableEntity, "file_ids must be 2 to 10 files of this folder", "/data/file_ids")
		return
	}
	stack := s.AddStack(files...)
	s.mu.Lock()
	for _, sh := range s.s.Shares {
		for i, id := range sh.Items {
			if id == files[0].ID {
				sh.Items[i] = stack.ID
			}
		}
	}
	v := s.assetV4(stack, "")
	s.mu.Unlock()
	data(w, 201, v)
	s.fire("file.versioned", "file", files[len(files)-1].ID, stack.ProjectID)
}

func (s *Sim) moveFileV4(w http.ResponseWriter, r *http.Request) {
	in, ok := bodyV4(w, r, "parent_id")
	if !ok {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	a, there := s.live(r.PathValue("id"))
	parent, pok := s.live(fmt.Sprint(in["parent_id"]))
	if !there || !pok || parent.Type == "file" {
		notFoundV4(w)
		return
	}
	s.move(a, parent.ID)
	if parent.Type == "version_stack" {
		parent.CoverID = a.ID
	}
	data(w, 200, s.assetV4(a, ""))
}

func (s *Sim) commentV4(c *Comment, include string) map[string]any {
	v := map[string]any{"id": c.ID, "file_id": c.AssetID, "text": c.Text, "timestamp": nil, "duration": nil, "annotation": nullable(c.Annotation), "anchor": nil, "page": nil,
		"completed_at": nil, "completer_id": nil, "text_edited_at": nil, "links": []any{}, "mentions": []any{}, "attachments": []any{}, "text_review_annotation": nil,
		"created_at": stamp(c.Inserted), "updated_at": stamp(c.Updated)}
	if c.Timestamp != nil {
		v["timestamp"] = *c.Timestamp
	}
	if c.Duration != nil {
		v["duration"] = *c.Duration
	}
	if c.Page != nil {
		v["page"] = *c.Page
	}
	if c.Completed {
		v["completed_at"] = stamp(c.Updated)
	}
	if strings.Contains(include, "owner") && c.ParentID == "" {
		switch {
		case c.Owner != nil:
			v["owner"] = s.userV4(*c.Owner)
		case c.Guest != nil:
			v["owner"] = map[string]any{"id": nil, "name": c.Guest.Name, "email": c.Guest.Email, "avatar_url": nil, "active": nil}
		}
	}
	if strings.Contains(include, "replies") && c.ParentID == "" {
		replies := []any{}
		for _, id := range s.threads[c.AssetID] {
			if x := s.s.Comments[id]; x.ParentID == c.ID {
				replies = append(replies, s.commentV4(x, ""))
			}
		}
		v["replies"] = replies
	}
	return v
}

func (s *Sim) commentRoutesV4(on func(string, http.HandlerFunc)) {
	on("GET files/{id}/comments", func(w http.ResponseWriter, r *http.Request) {
		s.mu.RLock()
		defer s.mu.RUnlock()
		if a, ok := s.live(r.PathValue("id")); !ok || a.Type != "file" {
			notFoundV4(w)
			return
		}
		ids := slices.DeleteFunc(slices.Clone(s.threads[r.PathValue("id")]), func(id string) bool { return s.s.Comments[id].ParentID != "" })
		pageV4(w, r, 100, len(ids), func(i int) any { return s.commentV4(s.s.Comments[ids[i]], r.URL.Query().Get("include")) })
	})
	on("GET comments/{id}", func(w http.ResponseWriter, r *http.Request) {
		s.mu.RLock()
		defer s.mu.RUnlock()
		c, ok := s.s.Comments[r.PathValue("id")]
		if !ok {
			notFoundV4(w)
			return
		}
		data(w, 200, s.commentV4(c, r.URL.Query().Get("include")))
	})
	fields := []string{"text", "timestamp", "duration", "annotation", "anchor", "page", "completed", "links", "text_review_annotation"}
	take := func(c *Comment, in map[string]any) {
		frame := func(v any) *int64 {
			if f, ok := v.(float64); ok {
				n := int64(f)
				return &n
			}
			return nil
		}
		if v, ok := in["text"].(string); ok {
			c.Text = v
		}
		if v, ok := in["annotation"]; ok {
			c.Annotation, _ = v.(string)
		}
		if v, ok := in["timestamp"]; ok {
			c.Timestamp = frame(v)
		}
		if v, ok := in["duration"]; ok {
			c.Duration = frame(v)
		}
		if v, ok := in["completed"].(bool); ok {
			c.Completed = v
		}
		if v := frame(in["page"]); v != nil {
			n := int(*v)
			c.Page = &n
		}
	}
	on("POST files/{id}/comments", func(w http.ResponseWriter, r *http.Request) {
		in, ok := bodyV4(w, r, append(fields, "attachments")...)
		if !ok {
			return
		}
		s.mu.RLock()
		a, there := s.live(r.PathValue("id"))
		s.mu.RUnlock()
		if !there || a.Type != "file" {
			notFoundV4(w)
			return
		}
		c := Comment{AssetID: a.ID}
		take(&c, in)
		if c.Text == "" {
			failV4(w, http.StatusUnprocessableEntity, "Missing field: text", "/data/text")
			return
		}
		made := s.Say(c)
		s.mu.RLock()
		defer s.mu.RUnlock()
		data(w, 201, s.commentV4(made, ""))
	})
	on("PATCH comments/{id}", func(w http.ResponseWriter, r *http.Request) {
		in, ok := bodyV4(w, r, fields...)
		if !ok {
			return
		}
		if !s.Edit(r.PathValue("id"), func(c *Comment) { take(c, in) }) {
			notFoundV4(w)
			return
		}
		s.mu.RLock()
		defer s.mu.RUnlock()
		data(w, 200, s.commentV4(s.s.Comments[r.PathValue("id")], ""))
	})
	on("DELETE comments/{id}", func(w http.ResponseWriter, r *http.Request) {
		if !s.Unsay(r.PathValue("id")) {
			notFoundV4(w)
			return
		}
		w.WriteHeader(http.StatusNoContent)
	})
}

func (s *Sim) shareV4(sh *Share) map[string]any {
	v := map[string]any{"id": sh.ID, "name": sh.Name, "access": "public", "short_url": s.shortURL(sh), "enabled": !sh.Inactive, "commenting_enabled": true, "downloading_enabled": sh.Downloads,
		"expiration": stampOrNull(sh.ExpiresAt), "passphrase": nullable(sh.Password), "description": nil, "collection_id": sh.ID, "last_viewed_at": nil, "created_at": stamp(sh.Inserted), "updated_at": stamp(sh.Inserted)}
	if s.o.Shares != Shares202607 {
		v["watermark_enabled"] = sh.Watermark
	}
	return v
}

func (s *Sim) shareRoutesV4(on func(string, http.HandlerFunc)) {
	july := []string{"name", "access", "description", "downloading_enabled", "expiration", "passphrase"}
	september := []string{"enabled", "commenting_enabled", "watermark_enabled", "forensic_watermark_enabled", "drm_enabled", "show_all_asset_versions"}
	fields := func(more ...string) []string {
		out := append(slices.Clone(july), more...)
		if s.o.Shares != Shares202607 {
			out = append(out, september...)
		}
		return out
	}
	take := func(sh *Share, in map[string]any) {
		if v, ok := in["name"].(string); ok {
			sh.Name = v
		}
		if v, ok := in["expiration"].(string); ok {
			if at, err := time.Parse(time.RFC3339Nano, v); err == nil {
				sh.ExpiresAt = &at
			}
		}
		if v, ok := in["passphrase"].(string); ok {
			sh.Password = v
		}
		if v, ok := in["downloading_enabled"].(bool); ok {
			sh.Downloads = v
		}
		if v, ok := in["enabled"].(bool); ok {
			sh.Inactive = !v
		}
		if v, ok := in["watermark_enabled"].(bool); ok {
			sh.Watermark = v && s.o.Watermark
		}
	}
	share := func(w http.ResponseWriter, r *http.Request) (*Share, bool) {
		sh, ok := s.s.Shares[r.PathValue("id")]
		if !ok || sh.Deleted != nil {
			notFoundV4(w)
			return nil, false
		}
		return sh, true
	}
	on("GET projects/{id}/shares", func(w http.ResponseWriter, r *http.Request) {
		s.mu.RLock()
		defer s.mu.RUnlock()
		rows := slices.DeleteFunc(values(s.s.Shares, func(sh *Share) string { return sh.Inserted.Format(time.RFC3339Nano) + sh.ID }), func(sh *Share) bool {
			return sh.ProjectID != r.PathValue("id") || sh.Deleted != nil
		})
		pageV4(w, r, 100, len(rows), func(i int) any { return s.shareV4(rows[i]) })
	})
	on("POST projects/{id}/shares", func(w http.ResponseWriter, r *http.Request) {
		in, ok := bodyV4(w, r, fields("type", "asset_ids")...)
		if !ok {
			return
		}
		ids, _ := in["asset_ids"].([]any)
		if in["type"] != "asset" || in["name"] == nil || in["access"] == nil || len(ids) > 100 {
			failV4(w, http.StatusUnprocessableEntity, "type, name and access are required", "/data")
			return
		}
		sh := Share{Kind: "review_link", ProjectID: r.PathValue("id")}
		for _, id := range ids {
			sh.Items = append(sh.Items, fmt.Sprint(id))
		}
		take(&sh, in)
		made := s.AddShare(sh)
		s.mu.RLock()
		defer s.mu.RUnlock()
		data(w, 201, s.shareV4(made))
	})
	on("GET shares/{id}", func(w http.ResponseWriter, r *http.Request) {
		s.mu.RLock()
		defer s.mu.RUnlock()
		if sh, ok := share(w, r); ok {
			data(w, 200, s.shareV4(sh))
		}
	})
	on("PATCH shares/{id}", func(w http.ResponseWriter, r *http.Request) {
		in, ok := bodyV4(w, r, fields()...)
		if !ok {
			return
		}
		s.mu.Lock()
		defer s.mu.Unlock()
		if sh, ok := share(w, r); ok {
			take(sh, in)
			s.touch()
			data(w, 200, s.shareV4(sh))
		}
	})
	on("GET shares/{id}/assets", func(w http.ResponseWriter, r *http.Request) {
		s.mu.RLock()
		defer s.mu.RUnlock()
		sh, ok := share(w, r)
		if !ok {
			return
		}
		ids := slices.DeleteFunc(slices.Clone(sh.Items), func(id string) bool { a := s.s.Assets[id]; return a == nil || a.Deleted != nil })
		pageV4(w, r, 100, len(ids), func(i int) any { return s.assetV4(s.s.Assets[ids[i]], "") })
	})
	on("POST shares/{id}/assets", func(w http.ResponseWriter, r *http.Request) {
		in, ok := bodyV4(w, r, "asset_id")
		if !ok {
			return
		}
		s.mu.Lock()
		defer s.mu.Unlock()
		sh, ok := share(w, r)
		if !ok {
			return
		}
		sh.Items = append(sh.Items, fmt.Sprint(in["asset_id"]))
		s.touch()
		v := s.shareV4(sh)
		v["asset_added"] = in["asset_id"]
		data(w, 200, v)
	})
	on("GET shares/{id}/reviewers", func(w http.ResponseWriter, r *http.Request) {
		s.mu.RLock()
		defer s.mu.RUnlock()
		if _, ok := share(w, r); ok { // people are sent the link of a public share, and are none of it
			pageV4(w, r, 100, 0, nil)
		}
	})
	on("POST shares/{id}/reviewers", func(w http.ResponseWriter, r *http.Request) {
		in, ok := bodyV4(w, r, "message", "reviewers")
		if !ok {
			return
		}
		who, _ := in["reviewers"].(map[string]any)
		emails, _ := who["emails"].([]any)
		if len(emails) < 1 || len(emails) > 10 || in["message"] == nil {
			failV4(w, http.StatusUnprocessableEntity, "1 to 10 reviewers and a message are required", "/data/reviewers")
			return
		}
		s.mu.Lock()
		defer s.mu.Unlock()
		sh, ok := share(w, r)
		if !ok {
			return
		}
		for _, e := range emails {
			email := fmt.Sprint(e)
			if !slices.Contains(sh.Reviewers, email) {
				sh.Reviewers = append(sh.Reviewers, email)
			}
			s.s.Mails = append(s.s.Mails, Mail{Share: sh.ID, To: email, Message: fmt.Sprint(in["message"])})
		}
		s.touch()
		w.WriteHeader(http.StatusNoContent)
	})
}
