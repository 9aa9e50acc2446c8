package v4

import (
	"context"
	"encoding/json"
	"net/url"
	"time"

	"github.com/framebridge/framebridge/clients/frameio"
	"github.com/framebridge/framebridge/clients/rest"
)

type project struct {
	ID          string  `json:"id"`
	Name        string  `json:"name"`
	RootID      string  `json:"root_folder_id"`
	WorkspaceID string  `json:"workspace_id"`
	Status      string  `json:"status"`
	ViewURL     string  `json:"view_url"`
	Description *string `json:"description"`
	Owner       *user   `json:"owner"`
	Restricted  flag    `json:"restricted"`
	CreatedAt   instant `json:"created_at"`
	UpdatedAt   instant `json:"updated_at"`
}

// instant is a time in one of the forms that V4's documentation has examples of. An invalid time does not fail the object or
// page that contains it.
type instant struct {
	time.Time
	said bool // it is not null
}

var instantForms = []string{time.RFC3339Nano, "2006-01-02 15:04:05.999999999Z07:00", "2006-01-02T15:04:05.999999999"}

func (i *instant) UnmarshalJSON(raw []byte) error {
	*i = instant{}
	var s *string
	if err := json.Unmarshal(raw, &s); err == nil && (s == nil || *s == "") {
		return nil
	}
	i.said = true
	for _, form := range instantForms {
		if t, err := time.Parse(form, text(s)); err == nil {
			i.Time = t.UTC()
			break
		}
	}
	return nil
}

// projectSettings are kept as Frame.io sent them.
var projectSettings = []string{"status", "restricted", "storage", "adobe_id"}

func readProject(raw json.RawMessage) frameio.Project {
	var p project
	_ = json.Unmarshal(raw, &p) // what cannot be decoded stays empty
	d := frameio.Project{ID: p.ID, Name: p.Name, RootID: p.RootID, Team: frameio.Team{ID: p.WorkspaceID}, Inactive: p.Status == "inactive", Description: text(p.Description),
		Restricted: bool(p.Restricted), CreatedAt: p.CreatedAt.Time, UpdatedAt: p.UpdatedAt.Time, URL: p.ViewURL, Settings: map[string]any{}}
	if p.Owner != nil {
		d.Owner = p.Owner.domain()
	}
	keep(d.Settings, raw, projectSettings...)
	return d
}

// keep copies the named properties that an object has.
func keep(into map[string]any, raw json.RawMessage, names ...string) {
	var all map[string]any
	if json.Unmarshal(raw, &all) != nil {
		return
	}
	for _, n := range names {
		if v := all[n]; v != nil {
			into[n] = v
		}
	}
}

// Project wraps GET ~/projects/{id}, and GET ~/workspaces/{id} for the workspace's name. Two calls.
func (c *Client) Project(ctx context.Context, id string) (frameio.Project, error) {
	p, err := one[json.RawMessage](ctx, c, opProject, url.Values{"include": {"owner"}}, nil, "projects", id)
	if err != nil {
		return frameio.Project{}, err
	}
	d := readProject(p)
	w, err := one[workspace](ctx, c, opWorkspace, nil, nil, "workspaces", d.Team.ID)
	if err != nil && !rest.IsRefused(err) { // for example for a user invited only to the project: the ID replaces the name
		return d, err
	}
	d.Team.Name = w.Name
	if d.Team.Name == "" {
		d.Team.Name = "Workspace " + d.Team.ID
	}
	return d, nil
}
