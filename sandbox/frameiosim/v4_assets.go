package frameiosim

import (
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/google/uuid"
)

// assetV4 returns a file, folder or stack. It has links and metadata only if include asks for them.
func (s *Sim) assetV4(a *Asset, include string) map[string]any {
	v := map[string]any{"id": a.ID, "name": a.Name, "type": a.Type, "parent_id": nullable(a.ParentID), "project_id": a.ProjectID, "view_url": "https://next.frame.io/project/" + a.ProjectID + "/view/" + a.ID,
		"created_at": stampV4(a.Inserted), "updated_at": stampV4(a.Updated)}
	if a.AdobeID != "" {
		v["adobe_id"] = a.AdobeID
	}
	if strings.Contains(include, "creator") {
		v["creator"] = s.userV4(a.Creator)
	}
	if strings.Contains(include, "project") {
		v["project"] = s.projectV4(s.s.Projects[a.ProjectID], "")
	}
	switch a.Type {
	case "folder":
		v["cover_file_id"] = nullable(a.CoverID)
		if strings.Contains(include, "metadata") {
			v["metadata"] = s.customV4(a, false)
		}
		return v
	case "version_stack":
		if strings.Contains(include, "metadata") {
			v["metadata"] = s.customV4(a, false)
		}
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
	if a.AdobeID != "" {
		v["adobe_version_id"] = "1"
	}
	if strings.Contains(include, "media_links") {
		links := map[string]any{}
		if strings.Contains(include, "media_links.original") {
			links["original"] = map[string]any{"download_url": nil, "inline_url": nil}
			away := s.s.Projects[a.ProjectID].ArchiveStatus != "standard" && a.AssetType == "stream"
			if a.Uploaded != nil && !away && !s.hidden[a.ID] {
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
		v["metadata"] = append(s.builtInV4(a), s.customV4(a, false)...)
	}
	return v
}

func (s *Sim) builtInV4(a *Asset) []any {
	rows := []any{}
	add := func(name, kind string, value any) {
		rows = append(rows, map[string]any{"field_definition_id": uuid.NewSHA1(uuid.NameSpaceOID, []byte(name)).String(), "field_definition_name": name, "field_type": kind, "mutable": false, "value": value})
	}
	if n := s.commentCountV4(a); n != nil {
		add("Comment Count", "number", n)
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
	if a.hasStatus() {
		rows = append(rows, statusV4(a))
	}
	return rows
}

// refusesOriginal answers 403 and returns true if the request asks for the original and the user may not download.
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
			members, own := s.membersOf(r.PathValue("id"))
			a, ok := s.live(r.PathValue("id"))
			if ok = ok && a.Type == kind; !ok && !own {
				notFoundV4(w)
				return
			}
			if s.refusesOriginal(w, r) {
				return
			}
			if ok && s.refuses(a) {
				failV4(w, http.StatusForbidden, "You are not permitted to list this folder", "")
				return
			}
			if ok {
				members = s.kids[a.ID]
			}
			ids := slices.DeleteFunc(slices.Clone(members), func(id string) bool {
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
		data(w, 200, map[string]any{"id": a.ID, "filetype": a.Filetype, "upload_complete": a.Uploaded != nil, "upload_failed": false, "uploaded_at": stampV4(a.Inserted), "upload_completed_at": stampV4OrNull(a.Uploaded)})
	})
	on("POST folders/{id}/folders", s.createFolderV4)
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

func (s *Sim) createFolderV4(w http.ResponseWriter, r *http.Request) {
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
}

// emptyStacks deletes stacks whose files are all deleted. V4 has no call for that.
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
	case name == "" || utf8.RuneCountInString(name) > 255:
		failV4(w, http.StatusUnprocessableEntity, "Invalid value for name", "/data/name")
		return
	case size < 1 || size > 5e12:
		failV4(w, http.StatusUnprocessableEntity, "Invalid value for file_size", "/data/file_size")
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
