package frameiosim

import (
	"slices"
	"time"
)

// MoveAsset moves a file, stack or folder to another folder, or a file to the top of a version stack, as people do in the
// app. It deletes a stack that is left empty.
func (s *Sim) MoveAsset(id, parent string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	a, from, to := s.s.Assets[id], s.s.Assets[s.s.Assets[id].ParentID], s.s.Assets[parent]
	s.move(a, parent)
	if to.Type == "version_stack" {
		to.CoverID = id
	}
	if from.Type != "version_stack" {
		return
	}
	left := slices.DeleteFunc(slices.Clone(s.kids[from.ID]), func(id string) bool { return s.s.Assets[id].Deleted != nil })
	if len(left) == 0 {
		now := time.Now().UTC()
		from.Deleted = &now
		return
	}
	if from.CoverID == id {
		from.CoverID = left[len(left)-1]
	}
}

// Reorder changes the order of a stack's versions, oldest first.
func (s *Sim) Reorder(stack string, files ...string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.kids[stack] = slices.Clone(files)
	s.s.Assets[stack].CoverID = files[len(files)-1]
	s.touch()
}

// RenameAsset renames a file, stack or folder.
func (s *Sim) RenameAsset(id, name string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.s.Assets[id].Name = name
	s.touch()
}

// VersionsOf returns a stack's files, oldest first.
func (s *Sim) VersionsOf(stack string) (ids []string) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	for _, id := range s.kids[stack] {
		if s.s.Assets[id].Deleted == nil {
			ids = append(ids, id)
		}
	}
	return ids
}

// Stack makes a version stack from files, oldest first, in the folder of the first.
func (s *Sim) Stack(ids ...string) *Asset {
	s.mu.RLock()
	files := make([]*Asset, len(ids))
	for i, id := range ids {
		files[i] = s.s.Assets[id]
	}
	s.mu.RUnlock()
	return s.AddStack(files...)
}
