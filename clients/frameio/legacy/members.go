package legacy

import (
	"context"
	"net/url"

	"github.com/framebridge/framebridge/clients/frameio"
	"github.com/framebridge/framebridge/clients/rest"
)

type memberRow struct {
	Role text           `json:"role"`
	User tolerant[user] `json:"user"`
}

func (r memberRow) key() string {
	if u := r.User.value; u != nil {
		return string(u.ID + u.Email)
	}
	return ""
}

type collaboratorRow struct {
	User tolerant[collaborator] `json:"user"`
}

func (r collaboratorRow) key() string {
	if u := r.User.value; u != nil {
		return string(u.ID + u.Email)
	}
	return ""
}

type collaborator struct {
	user
	Role tolerant[struct {
		Owner      flag `json:"owner"`
		TeamMember flag `json:"team_member"`
	}] `json:"project_role"`
}

// Members wraps GET /projects/{id}/collaborators and GET /teams/{id}/members. A private project is visible to its owner and its
// collaborators, any other project also to the team. All members are on the first page.
func (c *Client) Members(ctx context.Context, p frameio.Project, _ string) (frameio.Page[frameio.Member], error) {
	team := map[string]bool{}
	var out frameio.Page[frameio.Member]
	seen := map[string]bool{}
	add := func(u user, role string, write, ofTeam bool) {
		if !seen[string(u.ID+u.Email)] {
			seen[string(u.ID+u.Email)] = true
			out.Items = append(out.Items, frameio.Member{User: u.domain(), Role: role, Write: write, Team: ofTeam})
		}
	}
	for r, err := range rest.Pages(ctx, vendor, opTeamMembers, memberRow.key, func(ctx context.Context, cursor string) ([]memberRow, string, error) {
		return listPage[memberRow](ctx, c, opTeamMembers, "teams/"+url.PathEscape(p.Team.ID)+"/members", nil, cursor)
	}) {
		if err != nil {
			return out, err
		}
		if r.User.value == nil {
			continue
		}
		u := *r.User.value
		team[string(u.ID)] = true
		if !p.Restricted || string(u.ID) == p.Owner.ID {
			add(u, "team member", true, true)
		}
	}
	for r, err := range rest.Pages(ctx, vendor, opCollaborators, collaboratorRow.key, func(ctx context.Context, cursor string) ([]collaboratorRow, string, error) {
		return listPage[collaboratorRow](ctx, c, opCollaborators, "projects/"+url.PathEscape(p.ID)+"/collaborators", url.Values{"include": {"project_role"}}, cursor)
	}) {
		if err != nil {
			return out, err
		}
		if r.User.value == nil {
			continue
		}
		u := r.User.value
		ofTeam := team[string(u.ID)]
		if role := u.Role.value; role != nil {
			ofTeam = ofTeam || bool(role.TeamMember) || bool(role.Owner)
		}
		add(u.user, "collaborator", ofTeam, ofTeam)
	}
	return out, nil
}

// FolderMembers is unsupported: the legacy API has no such list. A folder is either hidden from collaborators or not
// (Asset.TeamOnly).
func (c *Client) FolderMembers(context.Context, string, string) (frameio.Page[frameio.Member], error) {
	return frameio.Page[frameio.Member]{}, &rest.Error{Vendor: vendor, Operation: "folder members", Class: rest.Unsupported, Detail: "the legacy API does not list who may see a folder"}
}

// Groups returns none: the legacy API does not list groups.
func (c *Client) Groups(context.Context, string) (frameio.Page[frameio.Group], error) {
	return frameio.Page[frameio.Group]{}, nil
}
