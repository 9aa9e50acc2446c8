package frameiosim

import (
	"slices"
	"time"
)

// SetMedia sets what Frame.io would find in an uploaded file.
func (s *Sim) SetMedia(id string, fps float64, frames int64, timecode string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	a := s.s.Assets[id]
	a.FPS, a.Frames, a.Duration, a.Timecode = fps, frames, float64(frames)/fps, timecode
}

// SetWatermark sets whether uploads are watermarked from now on.
func (s *Sim) SetWatermark(on bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.o.Watermark = on
}

// live returns an asset, and false if there is none or it is deleted.
func (s *Sim) live(id string) (*Asset, bool) {
	a, ok := s.s.Assets[id]
	return a, ok && a.Deleted == nil
}

// Label sets a file's status and delivers asset.label.updated. It returns false if there is no such file.
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

// DeleteAsset moves an asset, and a folder's contents, to the trash.
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

// RestoreAsset takes an asset, and a folder's contents, out of the trash.
func (s *Sim) RestoreAsset(id string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	var unmark func(a *Asset)
	unmark = func(a *Asset) {
		a.Deleted = nil
		if a.Type == "folder" {
			for _, kid := range s.kids[a.ID] {
				unmark(s.s.Assets[kid])
			}
		}
	}
	unmark(s.s.Assets[id])
	s.touch()
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

// Complete completes a comment, or undoes that.
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

// EditProject changes a project by hand.
func (s *Sim) EditProject(id string, change func(*Project)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	change(s.s.Projects[id])
	s.touch()
}

// EditAsset changes a file, folder or stack.
func (s *Sim) EditAsset(id string, change func(*Asset)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	change(s.s.Assets[id])
	s.touch()
}

// V4 reports whether the account is on V4.
func (s *Sim) V4() bool {
	s.mu.RLock()
	defer s.mu.RUnlock()
	return s.o.Generation == "v4"
}

// EditShare changes a link by hand.
func (s *Sim) EditShare(id string, change func(*Share)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	change(s.s.Shares[id])
	s.touch()
}

// SetPublicURL sets where this simulator is reached. Its review links point there.
func (s *Sim) SetPublicURL(url string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.o.PublicURL = url
}
