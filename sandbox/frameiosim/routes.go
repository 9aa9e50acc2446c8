package frameiosim

import (
	"net/http"
	"net/url"
	"path"
	"slices"
	"sort"
	"strings"
	"time"

	"github.com/google/uuid"
)

func (s *Sim) routes() {
	m := http.NewServeMux()
	m.HandleFunc("GET /v2/me", func(w http.ResponseWriter, _ *http.Request) { answer(w, 200, s.userJSON(s.s.User)) })
	m.HandleFunc("GET /v2/teams", s.listTeams)
	m.HandleFunc("GET /v2/accounts", func(w http.ResponseWriter, r *http.Request) {
		s.list(w, r, 1, func(int) any {
			return map[string]any{"_type": "account", "id": s.s.Account, "owner": s.userJSON(s.s.User)}
		})
	})
	m.HandleFunc("GET /v2/accounts/{id}/teams", s.listTeams)
	m.HandleFunc("GET /v2/teams/{id}", s.getTeam)
	m.HandleFunc("GET /v2/teams/{id}/projects", s.listProjects)
	m.HandleFunc("POST /v2/teams/{id}/hooks", s.createHook)
	m.HandleFunc("GET /v2/projects/{id}", s.getProject)
	m.HandleFunc("PUT /v2/projects/{id}", s.putProject)
	m.HandleFunc("GET /v2/projects/{id}/presentations", s.listShares("presentation"))
	m.HandleFunc("GET /v2/projects/{id}/review_links", s.listShares("review_link"))
	m.HandleFunc("GET /v2/review_links/{id}/items/shared", s.listShared)
	m.HandleFunc("GET /v2/assets/{id}", s.getAsset)
	m.HandleFunc("GET /v2/assets/{id}/children", s.listChildren)
	m.HandleFunc("GET /v2/assets/{id}/comments", s.listComments)
	m.HandleFunc("GET /v2/comments/{id}", s.getComment)
	m.HandleFunc("POST /v2/assets/{id}/comments", s.createComment(""))
	m.HandleFunc("POST /v2/comments/{id}/replies", s.createComment("reply"))
	m.HandleFunc("DELETE /v2/comments/{id}", s.deleteComment)
	m.HandleFunc("POST /v2/comments/{id}/complete", s.completeComment(true))
	m.HandleFunc("DELETE /v2/comments/{id}/complete", s.completeComment(false))
	m.HandleFunc("PUT /v2/comments/{id}", s.putComment)
	m.HandleFunc("GET /v2/comments/{id}/replies", s.listReplies)
	m.HandleFunc("POST /v2/teams/{id}/projects", s.createProject)
	m.HandleFunc("POST /v2/assets/{id}/children", s.createAsset)
	m.HandleFunc("PUT /v2/assets/{id}", s.putAsset)
	m.HandleFunc("DELETE /v2/assets/{id}", s.deleteAsset)
	m.HandleFunc("POST /v2/assets/{id}/version", s.addVersion)
	m.HandleFunc("POST /v2/assets/{id}/label", s.labelAsset)
	m.HandleFunc("POST /v2/projects/{id}/review_links", s.createLink)
	m.HandleFunc("GET /v2/review_links/{id}", s.getLink)
	m.HandleFunc("PUT /v2/review_links/{id}", s.putLink)
	m.HandleFunc("DELETE /v2/review_links/{id}", s.deleteLink)
	m.HandleFunc("POST /v2/review_links/{id}/assets", s.linkAssets(false))
	m.HandleFunc("PUT /v2/review_links/{id}/assets", s.linkAssets(true))
	m.HandleFunc("POST /v2/review_links/{id}/reviewers", s.addReviewer)
	m.HandleFunc("/v2/", func(w http.ResponseWriter, _ *http.Request) {
		fail(w, http.StatusNotFound, "Could not find the requested resource")
	})
	m.Handle("/_sim/faults", &s.faults)
	m.HandleFunc("GET /_sim/calls", func(w http.ResponseWriter, _ *http.Request) { answer(w, 200, s.Calls()) })
	m.HandleFunc("POST /_sim/rename", s.renameForm)
	m.HandleFunc("POST /_sim/archive", s.archiveForm)
	m.HandleFunc("GET /{$}", s.page)
	s.reviewPages(m)
	s.routesV4(m)
	s.mux = m
}

func notFound(w http.ResponseWriter) {
	fail(w, http.StatusNotFound, "Could not find the requested resource")
}

func (s *Sim) listTeams(w http.ResponseWriter, r *http.Request) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	teams := values(s.s.Teams, func(t *Team) string { return t.Name })
	s.list(w, r, len(teams), func(i int) any { return teamJSON(teams[i]) })
}

// values are a map's values in an order that stays.
func values[T any](m map[string]*T, by func(*T) string) []*T {
	out := make([]*T, 0, len(m))
	for _, v := range m {
		out = append(out, v)
	}
	sort.Slice(out, func(i, j int) bool { return by(out[i]) < by(out[j]) })
	return out
}

func teamJSON(t *Team) map[string]any {
	return map[string]any{"_type": "team", "id": t.ID, "name": t.Name}
}

func (s *Sim) getTeam(w http.ResponseWriter, r *http.Request) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	t, ok := s.s.Teams[r.PathValue("id")]
	if !ok {
		notFound(w)
		return
	}
	answer(w, 200, teamJSON(t))
}

func (s *Sim) listProjects(w http.ResponseWriter, r *http.Request) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	all := r.URL.Query().Get("filter[archived]") == "all"
	rows := values(s.s.Projects, func(p *Project) string { return p.Inserted.Format(time.RFC3339Nano) + p.ID })
	rows = slices.DeleteFunc(rows, func(p *Project) bool {
		return p.TeamID != r.PathValue("id") || p.Deleted != nil || p.ArchiveStatus == "archived" && !all
	})
	s.list(w, r, len(rows), func(i int) any { return s.projectJSON(rows[i]) })
}

func (s *Sim) projectJSON(p *Project) map[string]any {
	v := map[string]any{"_type": "project", "id": p.ID, "name": p.Name, "team_id": p.TeamID, "root_asset_id": p.RootID, "owner_id": s.s.User.ID,
		"archive_status": p.ArchiveStatus, "archived_at": nil, "archived_file_count": 0, "archived_storage": 0, "collaborator_count": 0, "deleted_at": nil,
		"description": nil, "ignore_archive": false, "inserted_at": stamp(p.Inserted), "updated_at": stamp(p.Updated), "invite_url": nil, "private": false,
		"read_only": p.ArchiveStatus != "standard", "resource_id": nil, "shared": false, "has_drm_assets": false, "storage": 0, "file_count": 0, "folder_count": 0}
	if p.ArchiveStatus == "archived" {
		v["archived_at"] = stamp(p.Updated)
	}
	return v
}

func stamp(t time.Time) string { return t.UTC().Format("2006-01-02T15:04:05.000Z") }

func stampOrNull(t *time.Time) any {
	if t == nil {
		return nil
	}
	return stamp(*t)
}

func (s *Sim) getProject(w http.ResponseWriter, r *http.Request) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	p, ok := s.s.Projects[r.PathValue("id")]
	if !ok || p.Deleted != nil {
		notFound(w)
		return
	}
	answer(w, 200, s.projectJSON(p))
}

func (s *Sim) putProject(w http.ResponseWriter, r *http.Request) {
	var in struct {
		Name *string `json:"name"`
	}
	if !decode(w, r, &in) {
		return
	}
	s.mu.Lock()
	p, ok := s.s.Projects[r.PathValue("id")]
	if !ok {
		s.mu.Unlock()
		notFound(w)
		return
	}
	if in.Name != nil {
		p.Name = *in.Name
	}
	p.Updated = time.Now().UTC()
	s.touch()
	v := s.projectJSON(p)
	s.mu.Unlock()
	answer(w, 200, v)
	s.fire("project.updated", "project", p.ID, p.ID)
}

func (s *Sim) userJSON(u User) map[string]any {
	return map[string]any{"_type": "user", "id": u.ID, "account_id": s.s.Account, "name": u.Name, "email": u.Email}
}

// mediaURL signs a download on the media host.
func (s *Sim) mediaURL(key, name string) string {
	return s.o.Signer.Presign(http.MethodGet, bucket, key, url.Values{"response-content-disposition": {`attachment; filename="` + path.Base(strings.ReplaceAll(name, `"`, "")) + `"`}}, nil, s.o.URLExpiry)
}

// assetJSON shows an asset with the members of a transcoded file; what is unset is null.
func (s *Sim) assetJSON(a *Asset, cover bool) map[string]any {
	p := s.s.Projects[a.ProjectID]
	v := map[string]any{
		"_type": a.Type, "type": a.Type, "id": a.ID, "name": a.Name, "account_id": s.s.Account, "team_id": p.TeamID, "project_id": a.ProjectID, "parent_id": nullable(a.ParentID),
		"asset_type": nullable(a.AssetType), "filetype": nullable(a.Filetype), "filesize": a.Size, "description": nullable(a.Description), "label": orNone(a.Label), "rating": a.Rating,
		"properties": a.Properties, "index": a.Order, "fps": nil, "frames": a.Frames, "duration": nil, "timecode": nullable(a.Timecode), "comment_count": s.commentCount(a), "item_count": len(s.kids[a.ID]),
		"versions": 0, "cover_asset_id": nullable(a.CoverID), "view_count": 0, "private": false, "shared": false, "copy": false, "public_item_count": 0,
		"creator_id": a.Creator.ID, "creator": s.userJSON(a.Creator), "inserted_at": stamp(a.Inserted), "updated_at": stamp(a.Updated), "uploaded_at": stamp(a.Inserted),
		"upload_completed_at": stampOrNull(a.Uploaded), "upload_failed_at": nil, "transcoded_at": stampOrNull(a.Uploaded), "deleted_at": stampOrNull(a.Deleted), "archived_at": nil, "archive_status": nil,
		"archive_scheduled_at": nil, "status": "created", "is_session_watermarked": a.Watermarked, "is_forensically_watermarked": false, "is_360": false, "is_hls_required": false,
		"allow_original_playback": true, "original": nil, "h264_360": nil, "h264_540": nil, "h264_720": nil, "h264_1080_best": nil, "h264_2160": nil, "image_full": nil, "image_high": nil, "image_small": nil,
		"checksums": nil, "source": nil, "metadata": nil, "transcodes": nil, "autoversion_id": nil, "resource_id": nil,
		"user_permissions": map[string]any{"can_download": true},
	}
	if a.Type != "file" {
		v["filesize"], v["upload_completed_at"] = 0, nil
		if cover && a.CoverID != "" {
			v["cover_asset"] = s.assetJSON(s.s.Assets[a.CoverID], false)
			v["versions"] = len(s.kids[a.ID])
		}
		return v
	}
	if a.FPS > 0 {
		v["fps"], v["duration"] = a.FPS, a.Duration
	}
	downloads := map[string]any{}
	for _, k := range []string{"h264_360", "h264_540", "h264_720", "h264_1080_best", "h264_2160", "image_full", "image_high", "image_small"} {
		downloads[k] = nil
	}
	v["downloads"] = downloads
	if a.Width > 0 {
		v["metadata"] = map[string]any{"_type": "metadata", "asset_id": a.ID, "blob": map[string]any{"width": a.Width, "height": a.Height, "fps": a.FPS, "frames": a.Frames}}
		v["transcodes"] = map[string]any{"_type": "transcode", "original_width": a.Width, "original_height": a.Height}
	}
	if a.Uploaded == nil {
		return v
	}
	v["status"] = "transcoded"
	if a.Parts > 0 && !a.Transcoded {
		v["status"], v["transcoded_at"] = "uploaded", nil
	}
	if a.XXH != "" {
		v["checksums"] = map[string]any{"id": a.ID, "xx_hash": a.XXH}
	}
	if a.ProxyKey != "" {
		u := s.mediaURL(a.ProxyKey, a.Name)
		if a.AssetType == "image" {
			v["image_full"], downloads["image_full"] = u, u
		} else {
			v["h264_540"], downloads["h264_540"] = u, u
		}
	}
	if p.ArchiveStatus != "standard" {
		v["archive_status"] = p.ArchiveStatus
	}
	switch {
	case s.hidden[a.ID]:
	case a.Watermarked:
		if s.streams {
			v["original"] = s.mediaURL(streamKey(a), a.Name)
		}
	case p.ArchiveStatus != "standard" && a.AssetType == "stream":
		switch s.o.ArchivedOriginal {
		case "proxy":
			v["original"] = v["h264_540"]
		case "403":
			v["original"] = strings.Replace(s.mediaURL(a.Key, a.Name), "X-Amz-Signature=", "X-Amz-Signature=0", 1)
		case "served":
			v["original"] = s.mediaURL(a.Key, a.Name)
		}
	default:
		v["original"] = s.mediaURL(a.Key, a.Name)
	}
	return v
}

func orNone(s string) string {
	if s == "" {
		return "none"
	}
	return s
}

func nullable(s string) any {
	if s == "" {
		return nil
	}
	return s
}

func (s *Sim) commentCount(a *Asset) int {
	if a.Type == "version_stack" {
		n := 0
		for _, id := range s.kids[a.ID] {
			n += len(s.threads[id])
		}
		return n
	}
	return len(s.threads[a.ID])
}

func (s *Sim) getAsset(w http.ResponseWriter, r *http.Request) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	a, ok := s.s.Assets[r.PathValue("id")]
	if !ok || a.Deleted != nil {
		notFound(w)
		return
	}
	answer(w, 200, s.assetJSON(a, true))
}

func (s *Sim) listChildren(w http.ResponseWriter, r *http.Request) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	a, ok := s.s.Assets[r.PathValue("id")]
	if !ok || a.Deleted != nil {
		notFound(w)
		return
	}
	cover := strings.Contains(r.URL.Query().Get("include"), "cover_asset")
	ids := slices.DeleteFunc(slices.Clone(s.kids[a.ID]), func(id string) bool { return s.s.Assets[id].Deleted != nil })
	if a.Type == "version_stack" {
		slices.Reverse(ids) // the newest first
	}
	s.list(w, r, len(ids), func(i int) any { return s.assetJSON(s.s.Assets[ids[i]], cover) })
}

func (s *Sim) commentJSON(c *Comment) map[string]any {
	v := map[string]any{"_type": "comment", "id": c.ID, "asset_id": c.AssetID, "parent_id": nullable(c.ParentID), "text": c.Text, "annotation": nullable(c.Annotation),
		"timestamp": nil, "duration": nil, "page": nil, "private": c.Private, "completed": c.Completed, "completed_at": nil, "completer_id": nil, "like_count": 0,
		"inserted_at": stamp(c.Inserted), "updated_at": stamp(c.Updated), "owner": nil, "owner_id": nil, "anonymous_user": nil, "anonymous_user_id": nil, "has_replies": false}
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
	if c.Owner != nil {
		v["owner"], v["owner_id"] = s.userJSON(*c.Owner), c.Owner.ID
	}
	if c.Guest != nil {
		v["anonymous_user"], v["anonymous_user_id"] = map[string]any{"id": c.Guest.ID, "name": c.Guest.Name, "email": c.Guest.Email}, c.Guest.ID
	}
	return v
}

func (s *Sim) listComments(w http.ResponseWriter, r *http.Request) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	if _, ok := s.s.Assets[r.PathValue("id")]; !ok {
		notFound(w)
		return
	}
	ids := s.threads[r.PathValue("id")]
	s.list(w, r, len(ids), func(i int) any { return s.commentJSON(s.s.Comments[ids[i]]) })
}

func (s *Sim) getComment(w http.ResponseWriter, r *http.Request) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	c, ok := s.s.Comments[r.PathValue("id")]
	if !ok {
		notFound(w)
		return
	}
	answer(w, 200, s.commentJSON(c))
}

func (s *Sim) createComment(kind string) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		var in struct {
			Text       string `json:"text"`
			Annotation string `json:"annotation"`
			Timestamp  *int64 `json:"timestamp"`
			Duration   *int64 `json:"duration"`
			Page       *int   `json:"page"`
			Private    bool   `json:"private"`
		}
		if !decode(w, r, &in) {
			return
		}
		c := Comment{AssetID: r.PathValue("id"), Text: in.Text, Annotation: in.Annotation, Timestamp: in.Timestamp, Duration: in.Duration, Page: in.Page, Private: in.Private}
		s.mu.RLock()
		if parent, ok := s.s.Comments[r.PathValue("id")]; kind == "reply" && ok {
			c.AssetID, c.ParentID = parent.AssetID, parent.ID
		}
		a, ok := s.s.Assets[c.AssetID]
		s.mu.RUnlock()
		switch {
		case !ok:
			notFound(w)
			return
		case in.Text == "" || a.Type != "file":
			fail(w, http.StatusUnprocessableEntity, "text is required, and the asset must be a file")
			return
		}
		answer(w, 200, s.shown(s.Say(c)))
	}
}

func (s *Sim) deleteComment(w http.ResponseWriter, r *http.Request) {
	s.mu.RLock()
	c, ok := s.s.Comments[r.PathValue("id")]
	s.mu.RUnlock()
	if !ok {
		notFound(w)
		return
	}
	v := s.shown(c)
	s.Unsay(c.ID)
	answer(w, 200, v)
}

func (s *Sim) completeComment(done bool) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		c, ok := s.Complete(r.PathValue("id"), done)
		if !ok {
			notFound(w)
			return
		}
		answer(w, 200, s.shown(c))
	}
}

func (s *Sim) listShares(kind string) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		s.mu.RLock()
		defer s.mu.RUnlock()
		rows := values(s.s.Shares, func(sh *Share) string { return sh.Inserted.Format(time.RFC3339Nano) + sh.ID })
		rows = slices.DeleteFunc(rows, func(sh *Share) bool { return sh.Kind != kind || sh.ProjectID != r.PathValue("id") || sh.Deleted != nil })
		s.list(w, r, len(rows), func(i int) any { return s.shareJSON(rows[i]) })
	}
}

func (s *Sim) shareJSON(sh *Share) map[string]any {
	v := map[string]any{"_type": sh.Kind, "id": sh.ID, "name": sh.Name, "project_id": sh.ProjectID, "short_url": s.shortURL(sh), "has_password": sh.Password != "",
		"expires_at": stampOrNull(sh.ExpiresAt), "inserted_at": stamp(sh.Inserted), "owner": s.userJSON(s.s.User), "view_count": 0, "item_count": len(sh.Items)}
	if sh.Kind == "presentation" {
		v["title"], v["enabled"], v["can_download"], v["layout"] = sh.Name, true, sh.Downloads, "reel"
		v["presentation_items"] = s.shareItems(sh)
		return v
	}
	v["reviewer_count"] = len(sh.Reviewers)
	v["is_active"], v["enable_downloading"], v["enable_comments"], v["allow_approvals"], v["current_version_only"] = !sh.Inactive, sh.Downloads, true, true, false
	v["access_control"] = map[string]any{"invite_only": false}
	return v
}

func (s *Sim) shareItems(sh *Share) []any {
	rows := []any{}
	for i, id := range sh.Items {
		if a := s.s.Assets[id]; a == nil || a.Deleted != nil {
			continue
		}
		rows = append(rows, map[string]any{"_type": "item", "index": i, "asset_id": id, "asset": s.assetJSON(s.s.Assets[id], false)})
	}
	return rows
}

func (s *Sim) listShared(w http.ResponseWriter, r *http.Request) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	sh, ok := s.s.Shares[r.PathValue("id")]
	if !ok || sh.Deleted != nil {
		notFound(w)
		return
	}
	rows := s.shareItems(sh)
	s.list(w, r, len(rows), func(i int) any { return rows[i] })
}

func (s *Sim) createHook(w http.ResponseWriter, r *http.Request) {
	var in struct {
		Name   string   `json:"name"`
		URL    string   `json:"url"`
		Events []string `json:"events"`
	}
	if !decode(w, r, &in) {
		return
	}
	if in.Name == "" || in.URL == "" || len(in.Events) == 0 {
		fail(w, http.StatusUnprocessableEntity, "name, url and events are required")
		return
	}
	h := s.AddHook(r.PathValue("id"), in.Name, in.URL, "", in.Events...)
	answer(w, 200, map[string]any{"_type": "webhook", "id": h.ID, "name": h.Name, "url": h.URL, "events": h.Events, "active": true, "secret": h.Secret, "team_id": h.TeamID})
}

// AddHook registers a webhook; an empty secret is made up.
func (s *Sim) AddHook(teamID, name, target, secret string, events ...string) *Hook {
	if secret == "" {
		secret = uuid.NewString() + uuid.NewString()
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, h := range s.s.Hooks {
		if h.URL == target && h.TeamID == teamID {
			h.Secret, h.Active = secret, true
			s.touch()
			return h
		}
	}
	h := &Hook{ID: uuid.NewString(), Name: name, URL: target, Secret: secret, TeamID: teamID, Events: events, Active: true}
	s.s.Hooks[h.ID] = h
	s.touch()
	return h
}
