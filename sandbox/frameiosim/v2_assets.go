package frameiosim

import (
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"
)

// assetJSON returns an asset with all members of a transcoded file. Unset ones are null.
func (s *Sim) assetJSON(a *Asset, cover bool) map[string]any {
	p := s.s.Projects[a.ProjectID]
	v := map[string]any{
		"_type": a.Type, "type": a.Type, "id": a.ID, "name": a.Name, "account_id": s.s.Account, "team_id": p.TeamID, "project_id": a.ProjectID, "parent_id": nullable(a.ParentID),
		"asset_type": nullable(a.AssetType), "filetype": nullable(a.Filetype), "filesize": a.Size, "description": nullable(a.Description), "label": orNone(a.Label), "rating": a.Rating,
		"properties": a.Properties, "index": a.Order, "fps": nil, "frames": a.Frames, "duration": nil, "timecode": nullable(a.Timecode), "comment_count": s.commentCount(a), "item_count": len(s.kids[a.ID]),
		"versions": 0, "cover_asset_id": nullable(a.CoverID), "view_count": 0, "private": a.TeamOnly, "shared": false, "copy": false, "public_item_count": 0,
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
	v, of := s.assetJSON(a, true), s.projectJSON(s.s.Projects[a.ProjectID])
	of["private"] = s.s.Projects[a.ProjectID].Restricted // missing in the project's own answer
	v["project"] = of
	answer(w, 200, v)
}

func (s *Sim) listChildren(w http.ResponseWriter, r *http.Request) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	a, ok := s.s.Assets[r.PathValue("id")]
	if !ok || a.Deleted != nil {
		notFound(w)
		return
	}
	if s.refuses(a) {
		fail(w, http.StatusForbidden, "You are not permitted to list this asset's children")
		return
	}
	cover := strings.Contains(r.URL.Query().Get("include"), "cover_asset")
	ids := slices.DeleteFunc(slices.Clone(s.kids[a.ID]), func(id string) bool { return s.s.Assets[id].Deleted != nil })
	if a.Type == "version_stack" {
		slices.Reverse(ids) // newest first
	}
	s.list(w, r, len(ids), func(i int) any { return s.assetJSON(s.s.Assets[ids[i]], cover) })
}

// createAsset creates a folder, or a file whose parts the client must upload to signed URLs.
func (s *Sim) createAsset(w http.ResponseWriter, r *http.Request) {
	var in struct {
		Name       string         `json:"name"`
		Type       string         `json:"type"`
		Filetype   string         `json:"filetype"`
		Filesize   *int64         `json:"filesize"`
		Properties map[string]any `json:"properties"`
	}
	if !decode(w, r, &in) {
		return
	}
	s.mu.RLock()
	parent, ok := s.s.Assets[r.PathValue("id")]
	archived := ok && s.s.Projects[parent.ProjectID].ArchiveStatus != "standard"
	s.mu.RUnlock()
	switch {
	case !ok || parent.Deleted != nil:
		notFound(w)
		return
	case in.Name == "" || in.Type != "file" && in.Type != "folder":
		fail(w, http.StatusUnprocessableEntity, "name and type (file or folder) are required")
		return
	case parent.Type != "folder":
		fail(w, http.StatusUnprocessableEntity, "the parent must be a folder")
		return
	case archived:
		fail(w, http.StatusForbidden, "the project is archived: nothing can be added")
		return
	case in.Type == "file" && (in.Filesize == nil || *in.Filesize <= 0):
		fail(w, http.StatusUnprocessableEntity, "filesize is required")
		return
	}
	if in.Type == "folder" {
		a := s.AddFolder(parent.ID, in.Name)
		s.mu.RLock()
		v := s.assetJSON(a, false)
		s.mu.RUnlock()
		answer(w, 200, v)
		s.fire("asset.created", "asset", a.ID, a.ProjectID)
		return
	}
	if in.Filetype == "" {
		in.Filetype = mediaTypeOf(in.Name)
	}
	now := time.Now().UTC()
	s.mu.Lock()
	a := &Asset{ID: s.newID(), Type: "file", Name: in.Name, ParentID: parent.ID, ProjectID: parent.ProjectID, Filetype: in.Filetype, Size: *in.Filesize, Properties: in.Properties,
		Parts: int((*in.Filesize + s.o.PartSize - 1) / s.o.PartSize), Inserted: now, Updated: now, Creator: s.s.User}
	s.put(a)
	v := s.assetJSON(a, false)
	s.mu.Unlock()
	urls := make([]string, a.Parts)
	for i := range urls {
		urls[i] = s.o.Signer.Presign(http.MethodPut, bucket, partKey(a.ID, i), url.Values{}, map[string]string{"content-type": a.Filetype, "x-amz-acl": "private"}, uploadURLLife)
	}
	v["upload_urls"] = urls
	answer(w, 200, v)
	s.fire("asset.created", "asset", a.ID, a.ProjectID)
	go s.assemble(a.ID)
}

func (s *Sim) putAsset(w http.ResponseWriter, r *http.Request) {
	var in struct {
		Name        *string `json:"name"`
		Description *string `json:"description"`
		Label       *string `json:"label"`
	}
	if !decode(w, r, &in) {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	a, ok := s.live(r.PathValue("id"))
	if !ok {
		notFound(w)
		return
	}
	if in.Name != nil {
		a.Name = *in.Name
	}
	if in.Description != nil {
		a.Description = *in.Description
	}
	if in.Label != nil {
		a.Label = *in.Label // as at Frame.io, this fires no asset.label.updated
	}
	a.Updated = time.Now().UTC()
	s.touch()
	answer(w, 200, s.assetJSON(a, false))
}

func (s *Sim) labelAsset(w http.ResponseWriter, r *http.Request) {
	var in struct {
		Label string `json:"label"`
	}
	if !decode(w, r, &in) {
		return
	}
	if !slices.Contains([]string{"none", "in_progress", "needs_review", "approved"}, in.Label) {
		fail(w, http.StatusUnprocessableEntity, "label is invalid")
		return
	}
	if !s.Label(r.PathValue("id"), in.Label) {
		notFound(w)
		return
	}
	s.getAsset(w, r)
}

func (s *Sim) deleteAsset(w http.ResponseWriter, r *http.Request) {
	s.mu.RLock()
	a, ok := s.live(r.PathValue("id"))
	s.mu.RUnlock()
	if !ok {
		notFound(w)
		return
	}
	s.DeleteAsset(a.ID)
	s.mu.RLock()
	v := s.assetJSON(a, false)
	s.mu.RUnlock()
	answer(w, 200, v)
}

// addVersion stacks a file on another, or on a stack.
func (s *Sim) addVersion(w http.ResponseWriter, r *http.Request) {
	var in struct {
		Next string `json:"next_asset_id"`
	}
	if !decode(w, r, &in) {
		return
	}
	s.mu.Lock()
	target, ok := s.live(r.PathValue("id"))
	next, nok := s.live(in.Next)
	if !ok || !nok {
		s.mu.Unlock()
		notFound(w)
		return
	}
	inStack := s.s.Assets[target.ParentID] != nil && s.s.Assets[target.ParentID].Type == "version_stack"
	if target.Type == "folder" || inStack || next.Type != "file" || target.AssetType != next.AssetType || target.ID == next.ID || next.ParentID == target.ID {
		s.mu.Unlock()
		fail(w, http.StatusUnprocessableEntity, "invalid version target")
		return
	}
	stack := target
	if target.Type == "file" {
		now := time.Now().UTC()
		stack = &Asset{ID: s.newID(), Type: "version_stack", Name: target.Name, ParentID: target.ParentID, ProjectID: target.ProjectID, AssetType: target.AssetType,
			Inserted: now, Updated: now, Creator: s.s.User}
		s.put(stack)
		s.move(target, stack.ID)
		for _, sh := range s.s.Shares { // the stack takes the file's place
			for i, id := range sh.Items {
				if id == target.ID {
					sh.Items[i] = stack.ID
				}
			}
		}
	}
	s.move(next, stack.ID)
	stack.CoverID = next.ID
	v := s.assetJSON(stack, true)
	s.mu.Unlock()
	answer(w, 200, v)
	s.fire("asset.versioned", "asset", next.ID, next.ProjectID)
}
