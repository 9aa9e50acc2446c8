package control

import (
	"cmp"
	"context"

	"github.com/framebridge/framebridge/clients/frameio"
	"github.com/framebridge/framebridge/config"
)

// ProjectView is a Frame.io project with the status of its archive.
type ProjectView struct {
	ID       string `json:"id"`
	Name     string `json:"name"`
	Team     string `json:"team"`
	Archived bool   `json:"archived"` // whether Frame.io has it in cold storage
	Inactive bool   `json:"inactive"`
	Archive  string `json:"archive"`         // its archive's status; empty if there is none
	Bytes    *int64 `json:"bytes,omitempty"` // stored in Frame.io; nil if Frame.io does not say
}

// State returns the project's state in Frame.io.
func (p ProjectView) State() string {
	switch {
	case p.Archived:
		return "archived"
	case p.Inactive:
		return "inactive"
	}
	return "active"
}

// Projects lists all the projects that the tenant's sign-in has access to.
func (s *Service) Projects(ctx context.Context, t *config.Tenant) ([]ProjectView, error) {
	states := map[string]string{}
	for a, err := range s.Ledger.Tenant(t.ID).AllArchives(ctx) {
		if err != nil {
			return nil, err
		}
		states[a.ID] = string(a.Status)
	}
	p, err := s.Platform(t)
	if err != nil {
		return nil, err
	}
	teams := map[string]string{}
	if in, ok := p.(frameio.Installer); ok { // V4's projects do not include the workspace's name
		all, err := in.Workspaces(ctx)
		if err != nil {
			return nil, err
		}
		for _, w := range all {
			teams[w.ID] = w.Name
		}
	}
	list := []ProjectView{}
	for project, err := range frameio.Rows(ctx, "list projects", p.Projects) {
		if err != nil {
			return nil, err
		}
		list = append(list, ProjectView{project.ID, project.Name, cmp.Or(project.Team.Name, teams[project.Team.ID]), project.Archived, project.Inactive, states[project.ID], stored(project)})
	}
	return list, nil
}

func stored(p frameio.Project) *int64 {
	if n, ok := p.Stored(); ok && n >= 0 {
		return &n
	}
	return nil
}
