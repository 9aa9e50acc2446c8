package frameiosim

import (
	"net/http"
	"slices"
	"strings"
	"time"
)

// Collection is a collection of a project's assets. As at Frame.io, its contents can be listed only through its root folder
// or a share of it.
type Collection struct {
	ID, Name, Description, ProjectID, RootID string
	Private, Dynamic                         bool
	Items                                    []string // members, copied under RootID by reference
	ShareID                                  string   // the share that shows it
	Creator                                  User
	Inserted                                 time.Time
}

// AddCollection adds a collection. One with items, unless it is dynamic, has its own folder that lists them.
func (s *Sim) AddCollection(c Collection) *Collection {
	s.mu.Lock()
	defer s.mu.Unlock()
	c.ID, c.Inserted = s.newID(), time.Now().UTC()
	if c.Creator.ID == "" {
		c.Creator = s.s.User
	}
	if len(c.Items) > 0 && !c.Dynamic {
		c.RootID = s.newID()
	}
	if c.RootID == "" {
		c.RootID = s.s.Projects[c.ProjectID].RootID
	}
	s.s.Collections = append(s.s.Collections, &c)
	s.touch()
	return &c
}

// EditCollection changes a collection.
func (s *Sim) EditCollection(id string, change func(*Collection)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, c := range s.s.Collections {
		if c.ID == id {
			change(c)
		}
	}
	s.touch()
}

func (s *Sim) collectionV4(c *Collection, include string) map[string]any {
	v := map[string]any{"id": c.ID, "name": c.Name, "description": nullable(c.Description), "project_id": c.ProjectID, "root_folder_id": nullable(c.RootID), "private": c.Private,
		"auto_generated": false, "aggregation_mode": "static", "created_at": stampV4(c.Inserted), "updated_at": stampV4(c.Inserted), "shares": []any{}}
	if c.Dynamic {
		v["aggregation_mode"] = "dynamic"
	}
	if sh := s.s.Shares[c.ShareID]; sh != nil {
		v["shares"] = []any{s.shareV4(sh)}
	}
	if strings.Contains(include, "creator") {
		v["creator"] = s.userV4(c.Creator)
	}
	return v
}

// behindShare returns the collection that Frame.io creates for a share.
func (s *Sim) behindShare(sh *Share, include string) map[string]any {
	v := map[string]any{"id": sh.ID, "name": sh.Name, "description": nil, "project_id": sh.ProjectID, "root_folder_id": nil, "private": false,
		"auto_generated": true, "aggregation_mode": "static", "created_at": stampV4(sh.Inserted), "updated_at": stampV4(sh.Inserted), "shares": []any{s.shareV4(sh)}}
	if strings.Contains(include, "creator") {
		v["creator"] = s.userV4(s.s.User)
	}
	return v
}

// membersOf returns the assets in a collection's own folder, and false if there is no such folder.
func (s *Sim) membersOf(folder string) ([]string, bool) {
	for _, c := range s.s.Collections {
		if c.RootID == folder && len(c.Items) > 0 && !c.Dynamic {
			return c.Items, true
		}
	}
	return nil, false
}

func (s *Sim) collectionRoutesV4(on func(string, http.HandlerFunc)) {
	on("GET projects/{id}/collections", func(w http.ResponseWriter, r *http.Request) {
		s.mu.RLock()
		defer s.mu.RUnlock()
		if s.s.Projects[r.PathValue("id")] == nil {
			notFoundV4(w)
			return
		}
		include := r.URL.Query().Get("include")
		var rows []any
		for _, c := range s.s.Collections {
			if c.ProjectID == r.PathValue("id") {
				rows = append(rows, s.collectionV4(c, include))
			}
		}
		shares := values(s.s.Shares, func(sh *Share) string { return sh.Inserted.Format(time.RFC3339Nano) + sh.ID })
		for _, sh := range slices.DeleteFunc(shares, func(sh *Share) bool {
			return sh.ProjectID != r.PathValue("id") || sh.Deleted != nil || s.ofCollection(sh) != nil
		}) {
			rows = append(rows, s.behindShare(sh, include))
		}
		pageV4(w, r, 100, len(rows), func(i int) any { return rows[i] })
	})
	on("GET collections/{id}", func(w http.ResponseWriter, r *http.Request) {
		s.mu.RLock()
		defer s.mu.RUnlock()
		for _, c := range s.s.Collections {
			if c.ID == r.PathValue("id") {
				data(w, 200, s.collectionV4(c, r.URL.Query().Get("include")))
				return
			}
		}
		if sh := s.s.Shares[r.PathValue("id")]; sh != nil && sh.Deleted == nil {
			data(w, 200, s.behindShare(sh, r.URL.Query().Get("include")))
			return
		}
		notFoundV4(w)
	})
}

// ofCollection returns the collection that a share shows, or nil if it shows its own assets.
func (s *Sim) ofCollection(sh *Share) *Collection {
	for _, c := range s.s.Collections {
		if c.ShareID == sh.ID {
			return c
		}
	}
	return nil
}
