package frameiosim

import (
	"fmt"
	"net/http"
	"net/url"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/cespare/xxhash/v2"
)

const (
	uploadURLLife  = 24 * time.Hour
	uploadLook     = 50 * time.Millisecond // between two looks whether all parts are there
	assembledMost  = 512 << 20             // bytes of an upload that are put together in memory
	defaultFPS     = 25.0
	defaultSeconds = 10
)

func (s *Sim) createProject(w http.ResponseWriter, r *http.Request) {
	var in struct {
		Name string `json:"name"`
	}
	if !decode(w, r, &in) {
		return
	}
	s.mu.RLock()
	_, ok := s.s.Teams[r.PathValue("id")]
	s.mu.RUnlock()
	switch {
	case !ok:
		notFound(w)
		return
	case in.Name == "":
		fail(w, http.StatusUnprocessableEntity, "name is required")
		return
	}
	p := s.AddProject(r.PathValue("id"), in.Name)
	s.mu.RLock()
	v := s.projectJSON(p)
	s.mu.RUnlock()
	answer(w, 200, v)
	s.fire("project.created", "project", p.ID, p.ID)
}

// mediaTypeOf goes by the name, as Frame.io does where none is given.
func mediaTypeOf(name string) string {
	types := map[string]string{".mov": "video/quicktime", ".mp4": "video/mp4", ".mxf": "application/mxf", ".jpg": "image/jpeg", ".png": "image/png", ".pdf": "application/pdf", ".wav": "audio/x-wav"}
	if t := types[strings.ToLower(filepath.Ext(name))]; t != "" {
		return t
	}
	return "application/octet-stream"
}

// createAsset makes a folder, or a file whose parts are to be put to signed URLs.
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

func partKey(id string, i int) string { return fmt.Sprintf("parts/%s/%d", id, i) }

// assemble waits until all parts are there and makes the file of them; there is no call that completes an upload.
func (s *Sim) assemble(id string) {
	for ; ; time.Sleep(uploadLook) {
		s.mu.RLock()
		a := s.s.Assets[id]
		gone, parts, size := a.Deleted != nil, a.Parts, a.Size
		s.mu.RUnlock()
		if gone {
			return
		}
		var have int64
		complete := true
		for i := 0; i < parts && complete; i++ {
			n, _, ok := s.o.Objects.Head(bucket, partKey(id, i))
			have, complete = have+n, ok
		}
		if !complete || have != size {
			continue
		}
		s.finish(a, parts)
		return
	}
}

func (s *Sim) finish(a *Asset, parts int) {
	key, sum := "uploads/"+a.ID+"/original"+filepath.Ext(a.Name), ""
	if a.Size <= assembledMost {
		body := make([]byte, 0, a.Size)
		for i := range parts {
			part, err := s.o.Objects.Get(bucket, partKey(a.ID, i))
			if err != nil {
				break
			}
			body = append(body, part...)
		}
		if int64(len(body)) == a.Size && s.o.Objects.Put(bucket, key, a.Filetype, body) == nil {
			sum = fmt.Sprintf("%016x", xxhash.Sum64(body))
			_ = s.o.Objects.Put(bucket, "encode/"+a.ID+"/h264_540.mp4", "video/mp4", body[:min(len(body), 4096)])
		}
	}
	now := time.Now().UTC()
	s.mu.Lock()
	a.Uploaded, a.Key, a.XXH, a.Watermarked, a.Updated = &now, key, sum, s.o.Watermark, now
	a.ProxyKey = "encode/" + a.ID + "/h264_540.mp4"
	switch {
	case strings.HasPrefix(a.Filetype, "video/"), strings.HasPrefix(a.Filetype, "audio/"), a.Filetype == "application/mxf":
		a.AssetType = "stream"
	case strings.HasPrefix(a.Filetype, "image/"):
		a.AssetType = "image"
	default:
		a.AssetType = "document"
	}
	if a.AssetType == "stream" && !strings.HasPrefix(a.Filetype, "audio/") && a.FPS == 0 {
		a.FPS, a.Duration, a.Frames, a.Width, a.Height = defaultFPS, defaultSeconds, defaultFPS*defaultSeconds, 1920, 1080
	}
	s.touch()
	s.mu.Unlock()
	time.Sleep(s.o.Transcode)
	s.mu.Lock()
	a.Transcoded = true
	s.touch()
	s.mu.Unlock()
	s.fire("asset.ready", "asset", a.ID, a.ProjectID)
}

// SetMedia gives an uploaded file what Frame.io would find in it.
func (s *Sim) SetMedia(id string, fps float64, frames int64, timecode string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	a := s.s.Assets[id]
	a.FPS, a.Frames, a.Duration, a.Timecode = fps, frames, float64(frames)/fps, timecode
}

// SetWatermark says whether what is uploaded from now on is watermarked.
func (s *Sim) SetWatermark(on bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.o.Watermark = on
}

// SetAdobeOwners says whether V4's comments name their writers by Adobe's ids from now on.
func (s *Sim) SetAdobeOwners(on bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.o.AdobeOwners = on
}

// live finds an asset that is not deleted.
func (s *Sim) live(id string) (*Asset, bool) {
	a, ok := s.s.Assets[id]
	return a, ok && a.Deleted == nil
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
		a.Label = *in.Label // this way no asset.label.updated is fired: the vendor knows
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
	if !s.Label(r.PathValue("id"), in.Label) {
		notFound(w)
		return
	}
	s.getAsset(w, r)
}

// Label sets a file's status and delivers asset.label.updated.
func (s *Sim) Label(id, label string) bool {
	s.mu.Lock()
	a, ok := s.live(id)
	if ok {
		a.Label, a.Updated = label, time.Now().UTC()
		s.touch()
	}
	s.mu.Unlock()
	if ok {
		s.fire("asset.label.updated", "asset", id, a.ProjectID)
	}
	return ok
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

// DeleteAsset moves an asset, and what is in a folder, to the trash.
func (s *Sim) DeleteAsset(id string) {
	s.mu.Lock()
	a := s.s.Assets[id]
	now := time.Now().UTC()
	var mark func(a *Asset)
	mark = func(a *Asset) {
		a.Deleted = &now
		if a.Type == "folder" {
			for _, kid := range s.kids[a.ID] {
				mark(s.s.Assets[kid])
			}
		}
	}
	mark(a)
	s.touch()
	s.mu.Unlock()
	s.fire("asset.deleted", "asset", id, a.ProjectID)
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

// shown is a comment's JSON.
func (s *Sim) shown(c *Comment) map[string]any {
	s.mu.RLock()
	defer s.mu.RUnlock()
	return s.commentJSON(c)
}

// Say adds a comment or reply and delivers comment.created.
func (s *Sim) Say(c Comment) *Comment {
	made := s.AddComment(c)
	s.fireComment("comment.created", made)
	return made
}

func (s *Sim) fireComment(event string, c *Comment) {
	s.mu.RLock()
	project := s.s.Assets[c.AssetID].ProjectID
	s.mu.RUnlock()
	s.fire(event, "comment", c.ID, project)
}

// Edit changes a comment and delivers comment.updated.
func (s *Sim) Edit(id string, change func(*Comment)) bool {
	s.mu.Lock()
	c, ok := s.s.Comments[id]
	if ok {
		change(c)
		c.Updated = time.Now().UTC()
		s.touch()
	}
	s.mu.Unlock()
	if ok {
		s.fireComment("comment.updated", c)
	}
	return ok
}

// Complete completes a comment, or takes that back.
func (s *Sim) Complete(id string, done bool) (*Comment, bool) {
	s.mu.Lock()
	c, ok := s.s.Comments[id]
	if ok {
		c.Completed, c.Updated = done, time.Now().UTC()
		s.touch()
	}
	s.mu.Unlock()
	if ok {
		s.fireComment(map[bool]string{true: "comment.completed", false: "comment.uncompleted"}[done], c)
	}
	return c, ok
}

// Unsay deletes a comment with its replies and delivers comment.deleted.
func (s *Sim) Unsay(id string) bool {
	s.mu.Lock()
	c, ok := s.s.Comments[id]
	if !ok {
		s.mu.Unlock()
		return false
	}
	for _, rid := range slices.Clone(s.threads[c.AssetID]) {
		if r := s.s.Comments[rid]; rid == id || r.ParentID == id {
			delete(s.s.Comments, rid)
			s.threads[c.AssetID] = slices.DeleteFunc(s.threads[c.AssetID], func(x string) bool { return x == rid })
		}
	}
	s.touch()
	s.mu.Unlock()
	s.fireComment("comment.deleted", c)
	return true
}

// CommentsOf returns copies of a file's comments.
func (s *Sim) CommentsOf(fileID string) []Comment {
	s.mu.RLock()
	defer s.mu.RUnlock()
	var out []Comment
	for _, id := range s.threads[fileID] {
		out = append(out, *s.s.Comments[id])
	}
	return out
}

func (s *Sim) putComment(w http.ResponseWriter, r *http.Request) {
	var in map[string]any
	if !decode(w, r, &in) {
		return
	}
	for name := range in {
		if !slices.Contains([]string{"text", "annotation", "timestamp", "duration", "page", "private", "completed"}, name) {
			fail(w, http.StatusUnprocessableEntity, "unknown field "+name)
			return
		}
	}
	frame := func(v any) *int64 {
		if f, ok := v.(float64); ok {
			n := int64(f)
			return &n
		}
		return nil
	}
	ok := s.Edit(r.PathValue("id"), func(c *Comment) {
		if v, given := in["text"].(string); given {
			c.Text = v
		}
		if v, given := in["annotation"]; given {
			c.Annotation, _ = v.(string)
		}
		if v, given := in["timestamp"]; given {
			c.Timestamp = frame(v)
		}
		if v, given := in["duration"]; given {
			c.Duration = frame(v)
		}
	})
	if !ok {
		notFound(w)
		return
	}
	s.getComment(w, r)
}

func (s *Sim) listReplies(w http.ResponseWriter, r *http.Request) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	c, ok := s.s.Comments[r.PathValue("id")]
	if !ok {
		notFound(w)
		return
	}
	ids := slices.DeleteFunc(slices.Clone(s.threads[c.AssetID]), func(id string) bool { return s.s.Comments[id].ParentID != c.ID })
	s.list(w, r, len(ids), func(i int) any { return s.commentJSON(s.s.Comments[ids[i]]) })
}

type linkBody struct {
	Name      *string `json:"name"`
	Password  *string `json:"password"`
	ExpiresAt *string `json:"expires_at"`
	Active    *bool   `json:"is_active"`
	Downloads *bool   `json:"enable_downloading"`
}

func (in linkBody) apply(w http.ResponseWriter, sh *Share) bool {
	if in.Name != nil {
		sh.Name = *in.Name
	}
	if in.Password != nil {
		sh.Password = *in.Password
	}
	if in.ExpiresAt != nil {
		at, err := time.Parse(time.RFC3339Nano, *in.ExpiresAt)
		if err != nil {
			fail(w, http.StatusUnprocessableEntity, "expires_at is not a time")
			return false
		}
		sh.ExpiresAt = &at
	}
	if in.Active != nil {
		sh.Inactive = !*in.Active
	}
	if in.Downloads != nil {
		sh.Downloads = *in.Downloads
	}
	return true
}

func (s *Sim) createLink(w http.ResponseWriter, r *http.Request) {
	var in linkBody
	if !decode(w, r, &in) {
		return
	}
	s.mu.RLock()
	p, ok := s.s.Projects[r.PathValue("id")]
	s.mu.RUnlock()
	if !ok {
		notFound(w)
		return
	}
	if in.Name == nil || *in.Name == "" {
		fail(w, http.StatusUnprocessableEntity, "name is required")
		return
	}
	sh := Share{Kind: "review_link", ProjectID: p.ID}
	if !in.apply(w, &sh) {
		return
	}
	made := s.AddShare(sh)
	s.mu.RLock()
	v := s.shareJSON(made)
	s.mu.RUnlock()
	answer(w, 200, v)
	s.fire("reviewlink.created", "reviewlink", made.ID, p.ID)
}

// link finds a review link that is not deleted; the caller holds the lock.
func (s *Sim) link(w http.ResponseWriter, r *http.Request) (*Share, bool) {
	sh, ok := s.s.Shares[r.PathValue("id")]
	if !ok || sh.Kind != "review_link" || sh.Deleted != nil {
		notFound(w)
		return nil, false
	}
	return sh, true
}

func (s *Sim) getLink(w http.ResponseWriter, r *http.Request) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	if sh, ok := s.link(w, r); ok {
		answer(w, 200, s.shareJSON(sh))
	}
}

func (s *Sim) putLink(w http.ResponseWriter, r *http.Request) {
	var in linkBody
	if !decode(w, r, &in) {
		return
	}
	if in.Name == nil || *in.Name == "" {
		fail(w, http.StatusUnprocessableEntity, "name is required")
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if sh, ok := s.link(w, r); ok && in.apply(w, sh) {
		s.touch()
		answer(w, 200, s.shareJSON(sh))
	}
}

func (s *Sim) deleteLink(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if sh, ok := s.link(w, r); ok {
		now := time.Now().UTC()
		sh.Deleted = &now
		s.touch()
		answer(w, 200, s.shareJSON(sh))
	}
}

func (s *Sim) linkAssets(replace bool) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		var in struct {
			IDs []string `json:"asset_ids"`
		}
		if !decode(w, r, &in) {
			return
		}
		s.mu.Lock()
		defer s.mu.Unlock()
		sh, ok := s.link(w, r)
		if !ok {
			return
		}
		for _, id := range in.IDs {
			if a, ok := s.live(id); !ok || a.ProjectID != sh.ProjectID {
				fail(w, http.StatusUnprocessableEntity, "asset "+id+" is not in the link's project")
				return
			}
		}
		if replace {
			sh.Items = nil
		}
		sh.Items = append(sh.Items, in.IDs...)
		s.touch()
		answer(w, 200, s.shareJSON(sh))
	}
}

func (s *Sim) addReviewer(w http.ResponseWriter, r *http.Request) {
	var in struct {
		Email   string `json:"email"`
		Message string `json:"message"`
	}
	if !decode(w, r, &in) {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	sh, ok := s.link(w, r)
	if !ok {
		return
	}
	if !strings.Contains(in.Email, "@") {
		fail(w, http.StatusUnprocessableEntity, "email is required")
		return
	}
	if !slices.Contains(sh.Reviewers, in.Email) {
		sh.Reviewers = append(sh.Reviewers, in.Email)
	}
	s.s.Mails = append(s.s.Mails, Mail{Share: sh.ID, To: in.Email, Message: in.Message})
	s.touch()
	answer(w, 200, []any{})
}

// Mails returns the invitations sent so far.
func (s *Sim) Mails() []Mail {
	s.mu.RLock()
	defer s.mu.RUnlock()
	return slices.Clone(s.s.Mails)
}

// Shares returns copies of the shares of a project that are not deleted.
func (s *Sim) Shares(projectID string) []Share {
	s.mu.RLock()
	defer s.mu.RUnlock()
	var out []Share
	for _, sh := range s.s.Shares {
		if sh.ProjectID == projectID && sh.Deleted == nil {
			out = append(out, *sh)
		}
	}
	return out
}

// AssetsOf returns copies of the assets of a project that are not deleted.
func (s *Sim) AssetsOf(projectID string) []Asset {
	s.mu.RLock()
	defer s.mu.RUnlock()
	var out []Asset
	for _, a := range s.s.Assets {
		if a.ProjectID == projectID && a.Deleted == nil {
			out = append(out, *a)
		}
	}
	return out
}

// EditShare changes a link by hand; deleted deletes it.
func (s *Sim) EditShare(id string, change func(*Share)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	change(s.s.Shares[id])
	s.touch()
}

// SetPublicURL says where this simulator is reached: the review links that it gives out lead there.
func (s *Sim) SetPublicURL(url string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.o.PublicURL = url
}
