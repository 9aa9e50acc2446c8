package legacy

import (
	"cmp"
	"context"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/framebridge/framebridge/clients/frameio"
	"github.com/framebridge/framebridge/clients/rest"
	"github.com/framebridge/framebridge/english"
)

// Operations that write. Their names also identify the rate budgets.
const (
	opCreateProject = "POST /teams/{id}/projects"
	opCreateAsset   = "POST /assets/{id}/children"
	opAddVersion    = "POST /assets/{id}/version"
	opSetLabel      = "POST /assets/{id}/label"
	opDeleteAsset   = "DELETE /assets/{id}"
	opComment       = "GET /comments/{id}"
	opCreateComment = "POST /assets/{id}/comments"
	opCreateReply   = "POST /comments/{id}/replies"
	opUpdateComment = "PUT /comments/{id}"
	opDeleteComment = "DELETE /comments/{id}"
	opComplete      = "POST /comments/{id}/complete"
	opUncomplete    = "DELETE /comments/{id}/complete"
	opCreateLink    = "POST /projects/{id}/review_links"
	opReviewLink    = "GET /review_links/{id}"
	opUpdateLink    = "PUT /review_links/{id}"
	opAddToLink     = "POST /review_links/{id}/assets"
	opSetLink       = "PUT /review_links/{id}/assets"
	opAddReviewer   = "POST /review_links/{id}/reviewers"
)

func (c *Client) write(ctx context.Context, op, path string, body, out any) error {
	method, _, _ := strings.Cut(op, " ")
	_, err := c.do(ctx, rest.Request{Operation: op, Method: method, Path: path, Body: body}, out)
	return err
}

// Workspace wraps GET /teams.
func (c *Client) Workspace(ctx context.Context, idOrName string) (frameio.Team, error) {
	teams, err := c.teams(ctx)
	if err != nil {
		return frameio.Team{}, err
	}
	var named []frameio.Team
	for _, t := range teams {
		if t.ID == idOrName || t.Name == idOrName || idOrName == "" {
			named = append(named, t)
		}
	}
	if len(named) == 1 {
		return named[0], nil
	}
	detail := fmt.Sprintf("the token sees %s named %q", english.Count(len(named), "team"), idOrName)
	if idOrName == "" {
		detail = "the token sees " + english.Count(len(named), "team")
	}
	return frameio.Team{}, &rest.Error{Vendor: "Frame.io", Operation: opTeams, Class: rest.Permanent, Detail: detail, Hint: "set frameio.workspace to a team's ID"}
}

// ProjectsOf wraps GET /teams/{id}/projects. One call a page.
func (c *Client) ProjectsOf(ctx context.Context, teamID, cursor string) (frameio.Page[frameio.Project], error) {
	rows, next, err := listPage[project](ctx, c, opTeamProjects, "teams/"+url.PathEscape(teamID)+"/projects", nil, cursor)
	out := frameio.Page[frameio.Project]{Next: next}
	for _, p := range rows {
		if !p.DeletedAt.said {
			out.Items = append(out.Items, p.domain())
		}
	}
	return out, err
}

// CreateProject wraps POST /teams/{id}/projects.
func (c *Client) CreateProject(ctx context.Context, teamID, name string) (frameio.Project, error) {
	var p project
	err := c.write(ctx, opCreateProject, "teams/"+url.PathEscape(teamID)+"/projects", map[string]any{"name": name, "private": false}, &p)
	return p.domain(), frameio.Made(p.ID, opCreateProject, err)
}

// CreateFolder wraps POST /assets/{id}/children.
func (c *Client) CreateFolder(ctx context.Context, parentID, name string) (frameio.Asset, error) {
	var a asset
	err := c.write(ctx, opCreateAsset, "assets/"+url.PathEscape(parentID)+"/children", map[string]any{"name": name, "type": "folder"}, &a)
	return a.domain(), frameio.Made(a.ID, opCreateAsset, err)
}

// BeginUpload wraps POST /assets/{id}/children. The number of URLs says into how many parts of equal size the file is cut.
func (c *Client) BeginUpload(ctx context.Context, folderID string, f frameio.NewFile) (frameio.Upload, error) {
	body := map[string]any{"name": f.Name, "type": "file", "filesize": f.Size}
	if f.MediaType != "" {
		body["filetype"] = f.MediaType
	}
	var a struct {
		asset
		URLs list[string] `json:"upload_urls"`
	}
	if err := c.write(ctx, opCreateAsset, "assets/"+url.PathEscape(folderID)+"/children", body, &a); err != nil {
		return frameio.Upload{}, err
	}
	if a.ID == "" || len(a.URLs) == 0 {
		return frameio.Upload{}, &rest.Error{Vendor: "Frame.io", Operation: opCreateAsset, Class: rest.Retryable, Uncertain: true, Detail: "the response contains no upload URLs"}
	}
	up := frameio.Upload{FileID: a.ID, MediaType: cmp.Or(string(a.Filetype), f.MediaType)}
	n := int64(len(a.URLs))
	each := (f.Size + n - 1) / n
	for i, u := range a.URLs {
		at := min(int64(i)*each, f.Size)
		up.Parts = append(up.Parts, frameio.UploadPart{URL: u, Size: min(each, f.Size-at)})
	}
	return up, nil
}

// AddVersion wraps POST /assets/{target}/version. A file inside a stack cannot be the target; its stack is used instead.
func (c *Client) AddVersion(ctx context.Context, _ string, target frameio.Asset, fileID string) (frameio.Asset, error) {
	if target.Kind == frameio.KindFile && target.ParentID != "" {
		parent, err := c.asset(ctx, target.ParentID)
		if err != nil {
			return frameio.Asset{}, err
		}
		if parent.kind() == frameio.KindStack {
			target = parent.domain()
		}
	}
	var a asset
	if err := c.write(ctx, opAddVersion, "assets/"+url.PathEscape(target.ID)+"/version", map[string]any{"next_asset_id": fileID}, &a); err != nil {
		return frameio.Asset{}, err
	}
	if a.kind() == frameio.KindStack {
		return a.domain(), nil
	}
	// The response's asset need not be the stack: the file's parent is.
	file, err := c.asset(ctx, fileID)
	if err != nil {
		return frameio.Asset{}, err
	}
	stack, err := c.Asset(ctx, file.parentID())
	if err == nil && stack.Kind != frameio.KindStack { // it takes a while, or has failed
		err = &rest.Error{Vendor: vendor, Operation: opAddVersion, Class: rest.Retryable, Uncertain: true, Detail: "the file is in no version stack"}
	}
	return stack, err
}

// Delete wraps DELETE /assets/{id}.
func (c *Client) Delete(ctx context.Context, a frameio.Asset) error {
	err := c.write(ctx, opDeleteAsset, "assets/"+url.PathEscape(a.ID), nil, nil)
	if rest.IsNotFound(err) {
		return nil
	}
	return err
}

// Labels returns the statuses of the legacy API, which every account has.
func (c *Client) Labels(context.Context, string) ([]string, error) {
	return []string{"none", "in_progress", "needs_review", "approved"}, nil
}

// SetLabel wraps POST /assets/{id}/label.
func (c *Client) SetLabel(ctx context.Context, _, fileID, label string) error {
	return c.write(ctx, opSetLabel, "assets/"+url.PathEscape(fileID)+"/label", map[string]any{"label": label}, nil)
}

// Comment wraps GET /comments/{id}.
func (c *Client) Comment(ctx context.Context, id string) (frameio.Comment, error) {
	var row comment
	_, err := c.get(ctx, opComment, "comments/"+url.PathEscape(id), nil, &row)
	if err := shown(row.ID, opComment, err); err != nil {
		return frameio.Comment{}, err
	}
	if row.Deleted.said {
		return frameio.Comment{}, &rest.Error{Vendor: "Frame.io", Operation: opComment, Status: http.StatusNotFound, Class: rest.NotFound, Detail: "the comment was deleted"}
	}
	return row.domain(string(row.AssetID)), nil
}

// CreateComment wraps POST /assets/{id}/comments, and POST /comments/{id}/replies for replies.
func (c *Client) CreateComment(ctx context.Context, fileID string, n frameio.NewComment) (frameio.Comment, error) {
	body := n.Body(firstFrame)
	if n.TeamOnly {
		body["private"] = true
	}
	op, path := opCreateComment, "assets/"+url.PathEscape(fileID)+"/comments"
	if n.ParentID != "" {
		op, path = opCreateReply, "comments/"+url.PathEscape(n.ParentID)+"/replies"
	}
	var row comment
	err := c.write(ctx, op, path, body, &row)
	if err := frameio.Made(row.ID, op, err); err != nil {
		return frameio.Comment{}, err
	}
	return row.domain(fileID), nil
}

// UpdateComment wraps PUT /comments/{id}, which overwrites what it is given, and POST or DELETE /comments/{id}/complete.
func (c *Client) UpdateComment(ctx context.Context, id string, ch frameio.CommentChange) error {
	body := map[string]any{}
	if ch.Text != nil {
		body["text"] = *ch.Text
	}
	if ch.Annotation != nil {
		body["annotation"] = nil
		if *ch.Annotation != "" {
			body["annotation"] = *ch.Annotation
		}
	}
	if t := ch.Time; t != nil {
		body["timestamp"], body["duration"] = nil, nil
		if t.Frame != nil {
			body["timestamp"] = *t.Frame + firstFrame
			if t.Frames > 1 {
				body["duration"] = t.Frames
			}
		}
	}
	path := "comments/" + url.PathEscape(id)
	if len(body) > 0 {
		if err := c.write(ctx, opUpdateComment, path, body, nil); err != nil {
			return err
		}
	}
	if ch.Completed == nil {
		return nil
	}
	op := opUncomplete
	if *ch.Completed {
		op = opComplete
	}
	// Completing a comment twice is harmless.
	method, _, _ := strings.Cut(op, " ")
	_, err := c.do(ctx, rest.Request{Operation: op, Method: method, Path: path + "/complete", Idempotent: true}, nil)
	return err
}

// DeleteComment wraps DELETE /comments/{id}.
func (c *Client) DeleteComment(ctx context.Context, id string) error {
	err := c.write(ctx, opDeleteComment, "comments/"+url.PathEscape(id), nil, nil)
	if rest.IsNotFound(err) {
		return nil
	}
	return err
}

// CreateShare wraps POST /projects/{id}/review_links, and POST /review_links/{id}/assets for what it shows.
func (c *Client) CreateShare(ctx context.Context, projectID string, n frameio.NewShare) (frameio.Share, error) {
	body := map[string]any{"name": n.Name, "allow_approvals": true, "current_version_only": false, "enable_downloading": n.Download,
		"enable_comments": true, "is_active": !n.Closed, "notify_on_view": false}
	if n.Access == frameio.AccessSecure {
		body["access_control"] = map[string]any{"invite_only": true}
	}
	if !n.ExpiresAt.IsZero() {
		body["expires_at"] = n.ExpiresAt.UTC().Format("2006-01-02T15:04:05.000Z")
	}
	if n.Passphrase != "" {
		body["password"] = n.Passphrase
	}
	var s share
	err := c.write(ctx, opCreateLink, "projects/"+url.PathEscape(projectID)+"/review_links", body, &s)
	if err := frameio.Made(s.ID, opCreateLink, err); err != nil {
		return frameio.Share{}, err
	}
	d := s.domain(frameio.ShareReviewLink, nil)
	if len(n.AssetIDs) == 0 {
		return d, nil
	}
	return d, c.AddToShare(ctx, s.ID, n.AssetIDs)
}

// ShareByID wraps GET /review_links/{id}.
func (c *Client) ShareByID(ctx context.Context, id string) (frameio.Share, error) {
	var s share
	_, err := c.get(ctx, opReviewLink, "review_links/"+url.PathEscape(id), nil, &s)
	if err := shown(s.ID, opReviewLink, err); err != nil {
		return frameio.Share{}, err
	}
	if s.Deleted.said {
		return frameio.Share{}, &rest.Error{Vendor: "Frame.io", Operation: opReviewLink, Status: http.StatusNotFound, Class: rest.NotFound, Detail: "the review link was deleted"}
	}
	return s.domain(frameio.ShareReviewLink, nil), nil
}

// UpdateShare wraps PUT /review_links/{id}.
func (c *Client) UpdateShare(ctx context.Context, id string, ch frameio.ShareChange) error {
	body := map[string]any{"name": ch.Name}
	if ch.ExpiresAt != nil {
		body["expires_at"] = ch.ExpiresAt.UTC().Format("2006-01-02T15:04:05.000Z")
	}
	if ch.Active != nil {
		body["is_active"] = *ch.Active
	}
	if ch.Passphrase != nil {
		body["password"] = nil
		if *ch.Passphrase != "" {
			body["password"] = *ch.Passphrase
		}
	}
	if ch.Download != nil {
		body["enable_downloading"] = *ch.Download
	}
	return c.write(ctx, opUpdateLink, "review_links/"+url.PathEscape(id), body, nil)
}

// AddToShare wraps POST /review_links/{id}/assets, after it has read what is already there. A file that has since been put into
// one of the stacks would be shown next to its own stack: in that case, PUT replaces the set with one without the file.
func (c *Client) AddToShare(ctx context.Context, id string, assetIDs []string) error {
	var have []string
	inside := 0
	for row, err := range rest.Pages(ctx, vendor, opLinkItems, shareItem.key, func(ctx context.Context, cursor string) ([]shareItem, string, error) {
		return listPage[shareItem](ctx, c, opLinkItems, "review_links/"+url.PathEscape(id)+"/items/shared", nil, cursor)
	}) {
		if err != nil {
			return err
		}
		item, parent := string(row.AssetID), ""
		if a := row.Asset.value; a != nil {
			parent = a.parentID()
			if item == "" {
				item = a.ID
			}
		}
		if item == "" {
			continue
		}
		if parent != "" && slices.Contains(assetIDs, parent) {
			inside++
			continue
		}
		have = append(have, item)
	}
	var missing []string
	for _, a := range assetIDs {
		if !slices.Contains(have, a) {
			missing = append(missing, a)
		}
	}
	path := "review_links/" + url.PathEscape(id) + "/assets"
	switch {
	case inside > 0:
		return c.write(ctx, opSetLink, path, map[string]any{"asset_ids": append(have, missing...)}, nil)
	case len(missing) > 0:
		return c.write(ctx, opAddToLink, path, map[string]any{"asset_ids": missing}, nil)
	}
	return nil
}

// Invite wraps POST /review_links/{id}/reviewers. One call per address.
func (c *Client) Invite(ctx context.Context, id string, emails []string, message string, sending func(context.Context) error) error {
	for _, e := range emails {
		r := rest.Request{Operation: opAddReviewer, Method: http.MethodPost, Path: "review_links/" + url.PathEscape(id) + "/reviewers",
			Body: map[string]any{"email": e, "message": message}, Sending: sending}
		if _, err := c.do(ctx, r, nil); err != nil {
			return err
		}
	}
	return nil
}

// Reviewers wraps GET /review_links/{id}. The legacy API counts reviewers but does not name them.
func (c *Client) Reviewers(ctx context.Context, id string) (frameio.Reviewers, error) {
	var s struct {
		Count number `json:"reviewer_count"`
	}
	if _, err := c.get(ctx, opReviewLink, "review_links/"+url.PathEscape(id), nil, &s); err != nil {
		return frameio.Reviewers{}, err
	}
	if !s.Count.set {
		return frameio.Reviewers{Count: -1}, nil
	}
	return frameio.Reviewers{Count: int(s.Count.whole())}, nil
}
