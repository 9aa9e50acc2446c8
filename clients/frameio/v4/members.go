package v4

import (
	"context"
	"slices"

	"github.com/framebridge/framebridge/clients/frameio"
)

type userRole struct {
	Role string `json:"role"`
	User struct {
		user
		Active *bool `json:"active"`
	} `json:"user"`
}

// writing lists the roles that may make changes. Commenters and viewers may not.
var writing = []string{"owner", "admin", "workspace_admin", "full_access", "editor", "edit_only"}

// domain sets Team for everybody: V4 does not distinguish team-only comments from others.
func (r userRole) domain() frameio.Member {
	return frameio.Member{User: r.User.domain(), Role: r.Role, Write: slices.Contains(writing, r.Role), Team: true}
}

// Members wraps GET ~/projects/{id}/users. One call a page.
func (c *Client) Members(ctx context.Context, p frameio.Project, cursor string) (frameio.Page[frameio.Member], error) {
	return c.members(ctx, opProjectUsers, cursor, "projects", p.ID, "users")
}

// FolderMembers wraps GET ~/folders/{id}/users. One call a page.
func (c *Client) FolderMembers(ctx context.Context, folderID, cursor string) (frameio.Page[frameio.Member], error) {
	return c.members(ctx, opFolderUsers, cursor, "folders", folderID, "users")
}

// members leaves out people who may no longer sign in.
func (c *Client) members(ctx context.Context, op, cursor string, segments ...string) (frameio.Page[frameio.Member], error) {
	rows, next, err := list[userRole](ctx, c, op, nil, pageSize, cursor, segments...)
	rows = slices.DeleteFunc(rows, func(r userRole) bool { return r.User.Active != nil && !*r.User.Active && r.User.ID != nil })
	return page(rows, next, userRole.domain), err
}

// Groups wraps GET ~/groups. One call a page.
func (c *Client) Groups(ctx context.Context, cursor string) (frameio.Page[frameio.Group], error) {
	rows, next, err := list[workspace](ctx, c, opGroups, nil, pageSize, cursor, "groups")
	return page(rows, next, func(g workspace) frameio.Group { return frameio.Group{ID: g.ID, Name: g.Name} }), err
}
