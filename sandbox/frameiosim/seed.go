package frameiosim

import (
	"fmt"
	"path/filepath"
	"strings"
	"time"

	"github.com/cespare/xxhash/v2"
)

// Empty reports whether nothing has been seeded yet.
func (s *Sim) Empty() bool {
	s.mu.RLock()
	defer s.mu.RUnlock()
	return len(s.s.Projects) == 0
}

// AddTeam adds a team.
func (s *Sim) AddTeam(name string) *Team {
	s.mu.Lock()
	defer s.mu.Unlock()
	t := &Team{ID: s.newID(), Name: name}
	s.s.Teams[t.ID] = t
	s.touch()
	return t
}

// AddProject adds a project with its root folder.
func (s *Sim) AddProject(teamID, name string) *Project {
	s.mu.Lock()
	defer s.mu.Unlock()
	now := time.Now().UTC()
	p := &Project{ID: s.newID(), Name: name, TeamID: teamID, ArchiveStatus: "standard", Inserted: now, Updated: now}
	root := &Asset{ID: s.newID(), Type: "folder", Name: "root", ProjectID: p.ID, Inserted: now, Updated: now, Creator: s.s.User}
	p.RootID = root.ID
	s.s.Projects[p.ID] = p
	s.put(root)
	return p
}

func (s *Sim) put(a *Asset) {
	s.s.Order++
	a.Order = s.s.Order
	s.s.Assets[a.ID] = a
	s.kids[a.ParentID] = append(s.kids[a.ParentID], a.ID)
	s.touch()
}

// AddFolder adds a folder.
func (s *Sim) AddFolder(parent, name string) *Asset {
	s.mu.Lock()
	defer s.mu.Unlock()
	now := time.Now().UTC()
	a := &Asset{ID: s.newID(), Type: "folder", Name: name, ParentID: parent, ProjectID: s.s.Assets[parent].ProjectID, Inserted: now, Updated: now, Creator: s.s.User}
	s.put(a)
	return a
}

// File describes a file to add. If Body is nil and Size is set, its bytes are generated. Missing leaves the upload incomplete.
type File struct {
	Name, Type           string
	Body                 []byte
	Size                 int64
	FPS                  float64
	Frames               int64
	Timecode             string
	Width, Height        int
	Label, Description   string
	Rating               *float64
	Properties           map[string]any
	Missing, Watermarked bool
	NoChecksum, NoProxy  bool
}

// AddFile adds a file with its media, ready and transcoded.
func (s *Sim) AddFile(parent string, f File) (*Asset, error) {
	now := time.Now().UTC()
	s.mu.Lock()
	id := s.newID()
	s.mu.Unlock()
	a := &Asset{ID: id, Type: "file", Name: f.Name, ParentID: parent, Filetype: f.Type, Size: int64(len(f.Body)), FPS: f.FPS, Frames: f.Frames,
		Timecode: f.Timecode, Width: f.Width, Height: f.Height, Label: f.Label, Description: f.Description, Rating: f.Rating, Properties: f.Properties,
		Watermarked: f.Watermarked, Inserted: now, Updated: now}
	if f.FPS > 0 {
		a.Duration = float64(f.Frames) / f.FPS
	}
	switch {
	case strings.HasPrefix(f.Type, "video/"), strings.HasPrefix(f.Type, "audio/"):
		a.AssetType = "stream"
	case strings.HasPrefix(f.Type, "image/"):
		a.AssetType = "image"
	default:
		a.AssetType = "document"
	}
	if !f.Missing {
		a.Key, a.Uploaded = "uploads/"+a.ID+"/original"+filepath.Ext(f.Name), &now
		if f.Body == nil && f.Size > 0 {
			a.Size = f.Size
			s.o.Objects.PutGenerated(bucket, a.Key, f.Size, uint64(f.Size))
		} else {
			if err := s.o.Objects.Put(bucket, a.Key, f.Type, f.Body); err != nil {
				return nil, err
			}
			if !f.NoChecksum {
				a.XXH = fmt.Sprintf("%016x", xxhash.Sum64(f.Body))
			}
		}
		if a.AssetType != "document" && !f.NoProxy {
			a.ProxyKey = "encode/" + a.ID + "/h264_540.mp4"
			proxy := f.Body
			if len(proxy) > 4096 {
				proxy = proxy[:len(proxy)/2]
			}
			if err := s.o.Objects.Put(bucket, a.ProxyKey, "video/mp4", proxy); err != nil {
				return nil, err
			}
		}
	} else {
		a.Size = f.Size
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	a.Creator = s.s.User
	a.ProjectID = s.s.Assets[parent].ProjectID
	s.put(a)
	return a, nil
}

// AddStack makes a version stack from files, oldest first, in the folder of the first.
func (s *Sim) AddStack(files ...*Asset) *Asset {
	s.mu.Lock()
	defer s.mu.Unlock()
	now := time.Now().UTC()
	last := files[len(files)-1]
	stack := &Asset{ID: s.newID(), Type: "version_stack", Name: last.Name, ParentID: files[0].ParentID, ProjectID: files[0].ProjectID, AssetType: files[0].AssetType,
		Inserted: now, Updated: now, CoverID: last.ID, Creator: s.s.User}
	s.put(stack)
	for _, f := range files {
		s.move(f, stack.ID)
	}
	return stack
}

// move moves an asset to another parent. The caller must hold the lock.
func (s *Sim) move(a *Asset, parent string) {
	from := s.kids[a.ParentID]
	for i, id := range from {
		if id == a.ID {
			s.kids[a.ParentID] = append(append([]string{}, from[:i]...), from[i+1:]...)
			break
		}
	}
	a.ParentID = parent
	s.kids[parent] = append(s.kids[parent], a.ID)
	s.touch()
}

// AddComment adds a comment and sets its id and times.
func (s *Sim) AddComment(c Comment) *Comment {
	s.mu.Lock()
	defer s.mu.Unlock()
	c.ID = s.newID()
	if over := s.s.Comments[c.ParentID]; s.o.Generation == "v4" && over != nil && over.ParentID != "" {
		c.ParentID = over.ParentID // V4's threads have one level
	}
	// Comments added at the same time keep their order.
	c.Inserted = time.Now().UTC().Add(time.Duration(len(s.s.Comments)) * time.Millisecond)
	c.Updated = c.Inserted
	if c.Owner == nil && c.Guest == nil {
		owner := s.s.User
		c.Owner = &owner
	}
	s.s.Comments[c.ID] = &c
	s.threads[c.AssetID] = append(s.threads[c.AssetID], c.ID)
	s.touch()
	return &c
}

// AddShare adds a presentation or review link.
func (s *Sim) AddShare(sh Share) *Share {
	s.mu.Lock()
	defer s.mu.Unlock()
	sh.ID, sh.Inserted = s.newID(), time.Now().UTC()
	s.s.Shares[sh.ID] = &sh
	s.touch()
	return &sh
}

// Rename renames a project and delivers project.updated.
func (s *Sim) Rename(projectID, name string) {
	s.mu.Lock()
	p := s.s.Projects[projectID]
	p.Name, p.Updated = name, time.Now().UTC()
	s.touch()
	s.mu.Unlock()
	s.fire("project.updated", "project", projectID, projectID)
}

// Archive sets a project's native archive state: standard, archiving, archived or unarchiving.
func (s *Sim) Archive(projectID, status string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	p := s.s.Projects[projectID]
	p.ArchiveStatus, p.Updated = status, time.Now().UTC()
	s.touch()
}

// SetAside makes a project inactive on V4, as if somebody had finished it at that time.
func (s *Sim) SetAside(projectID string, finished time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	p := s.s.Projects[projectID]
	p.Aside, p.Inserted, p.Updated = true, finished.AddDate(0, -3, 0), finished
	for _, a := range s.s.Assets {
		if a.ProjectID == projectID {
			if a.Inserted = p.Inserted; a.Uploaded != nil {
				a.Uploaded = &p.Inserted
			}
		}
	}
	s.touch()
}

// Refuse makes listings of a project's folders fail with a 403.
func (s *Sim) Refuse(projectID string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.s.Projects[projectID].Refused = true
	s.touch()
}

// refuses reports whether an asset refuses to list its contents. The caller must hold the lock.
func (s *Sim) refuses(a *Asset) bool {
	p := s.s.Projects[a.ProjectID]
	return p != nil && p.Refused
}

// Projects returns copies of the projects.
func (s *Sim) Projects() []Project {
	s.mu.RLock()
	defer s.mu.RUnlock()
	var out []Project
	for _, p := range s.s.Projects {
		out = append(out, *p)
	}
	return out
}
