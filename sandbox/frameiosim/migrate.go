package frameiosim

// MigrateAnew is Migrate for the case that nothing keeps its id: files, folders, stacks and comments, and if projects is set
// also projects and workspaces. Earlier share links are lost. It returns the new ids by the old ones.
func (s *Sim) MigrateAnew(projects bool) map[string]string {
	s.Migrate()
	s.mu.Lock()
	defer s.mu.Unlock()
	ids := map[string]string{}
	of := func(id string) string {
		if id == "" {
			return ""
		}
		if ids[id] == "" {
			ids[id] = s.newID()
		}
		return ids[id]
	}
	project := func(id string) string {
		if projects {
			return of(id)
		}
		return id
	}
	teams, all, assets, comments := map[string]*Team{}, map[string]*Project{}, map[string]*Asset{}, map[string]*Comment{}
	for _, t := range s.s.Teams {
		t.ID = project(t.ID)
		teams[t.ID] = t
	}
	for _, p := range s.s.Projects {
		p.ID, p.TeamID, p.RootID = project(p.ID), project(p.TeamID), of(p.RootID)
		all[p.ID] = p
	}
	for _, a := range s.s.Assets {
		a.ID, a.ParentID, a.ProjectID, a.CoverID = of(a.ID), of(a.ParentID), project(a.ProjectID), of(a.CoverID)
		assets[a.ID] = a
	}
	for _, c := range s.s.Comments {
		c.ID, c.AssetID, c.ParentID = of(c.ID), of(c.AssetID), of(c.ParentID)
		comments[c.ID] = c
	}
	s.s.Teams, s.s.Projects, s.s.Assets, s.s.Comments, s.s.Shares = teams, all, assets, comments, map[string]*Share{}
	for _, index := range []map[string][]string{s.kids, s.threads} {
		for parent, list := range index {
			delete(index, parent)
			for i := range list {
				list[i] = of(list[i])
			}
			defer func() { index[of(parent)] = list }()
		}
	}
	s.touch()
	return ids
}

// SetAdobeOwners sets whether V4's comments name their authors by Adobe's ids from now on.
func (s *Sim) SetAdobeOwners(on bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.o.AdobeOwners = on
}

// Migrate migrates the account from the legacy API to V4, as Frame.io may do at any moment: the legacy API then refuses it,
// and its webhooks are switched off.
func (s *Sim) Migrate() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.o.Generation = "v4"
	for _, h := range s.s.Hooks {
		h.Active = false
	}
	s.touch()
}
