package v4

import (
	"context"
	"encoding/json"
	"net/url"
	"time"

	"github.com/framebridge/framebridge/clients/frameio"
	"github.com/framebridge/framebridge/clients/rest"
)

const (
	opWebhooks      = "GET ~/workspaces/{id}/webhooks"
	opCreateWebhook = "POST ~/workspaces/{id}/webhooks"
	opUpdateWebhook = "PATCH ~/webhooks/{id}"
	opDeleteWebhook = "DELETE ~/webhooks/{id}"
	opActions       = "GET ~/workspaces/{id}/actions"
	opCreateAction  = "POST ~/workspaces/{id}/actions"
	opUpdateAction  = "PATCH ~/actions/{id}"
	opDeleteAction  = "DELETE ~/actions/{id}"
)

func init() {
	for _, op := range []string{opWebhooks, opActions} {
		limits[op] = rest.Limit{Calls: 100, Window: time.Minute}
	}
	for _, op := range []string{opCreateWebhook, opUpdateWebhook, opCreateAction, opUpdateAction} {
		limits[op] = rest.Limit{Calls: 10, Window: time.Minute}
	}
	for _, op := range []string{opDeleteWebhook, opDeleteAction} {
		limits[op] = rest.Limit{Calls: 60, Window: time.Minute}
	}
}

var _ frameio.Installer = (*Client)(nil)

// InstallCapabilities returns what V4's API can set up, and the events that a review needs.
func (c *Client) InstallCapabilities() frameio.InstallCapabilities {
	return frameio.InstallCapabilities{Actions: true, Enable: true, PicksAccount: true, Me: "/v4/me", ReviewEvents: []string{"comment.created", "comment.updated", "comment.deleted", "comment.completed",
		"comment.uncompleted", "file.deleted", "metadata.value.updated"}}
}

// Accounts wraps GET /v4/accounts.
func (c *Client) Accounts(ctx context.Context) ([]frameio.Account, error) {
	var out struct {
		Data []struct {
			ID       string   `json:"id"`
			Name     string   `json:"display_name"`
			Roles    []string `json:"roles"`
			Limit    *int64   `json:"storage_limit"`
			Usage    *int64   `json:"storage_usage"`
			Migrated instant  `json:"v4_migrated_at"`
		} `json:"data"`
	}
	if err := c.do(ctx, opAccounts, "accounts", url.Values{"page_size": {"100"}}, nil, &out); err != nil {
		return nil, err
	}
	var all []frameio.Account
	for _, a := range out.Data {
		all = append(all, frameio.Account{ID: a.ID, Name: a.Name, Roles: a.Roles, StorageLimit: orZero(a.Limit), StorageUsed: orZero(a.Usage), MigratedAt: a.Migrated.Time})
	}
	return all, nil
}

func orZero(n *int64) int64 {
	if n == nil {
		return 0
	}
	return *n
}

// everyRow reads a listing to its end.
func everyRow[T any](ctx context.Context, c *Client, op string, id func(T) string, segments ...string) ([]T, error) {
	return rest.Collect(rest.Pages(ctx, "Frame.io", op, id, func(ctx context.Context, cursor string) ([]T, string, error) {
		return list[T](ctx, c, op, nil, pageSize, cursor, segments...)
	}))
}

// Workspaces wraps GET ~/workspaces.
func (c *Client) Workspaces(ctx context.Context) ([]frameio.Team, error) {
	rows, err := everyRow(ctx, c, opWorkspaces, workspace.key, "workspaces")
	var all []frameio.Team
	for _, w := range rows {
		all = append(all, frameio.Team{ID: w.ID, Name: w.Name})
	}
	return all, err
}

// flag is a boolean that the specification's samples write as a string.
type flag bool

func (f *flag) UnmarshalJSON(raw []byte) error {
	var v any
	if err := json.Unmarshal(raw, &v); err != nil {
		return err
	}
	*f = v == true || v == "true"
	return nil
}

type webhook struct {
	ID          string   `json:"id"`
	WorkspaceID *string  `json:"workspace_id"`
	Name        string   `json:"name"`
	URL         string   `json:"url"`
	Events      []string `json:"events"`
	Active      *flag    `json:"active"`
	IsActive    *flag    `json:"is_active"` // its name in the guide
	Secret      string   `json:"secret"`
}

func (w webhook) domain(workspace string) frameio.Webhook {
	on := true
	if w.Active != nil {
		on = bool(*w.Active)
	} else if w.IsActive != nil {
		on = bool(*w.IsActive)
	}
	return frameio.Webhook{ID: w.ID, WorkspaceID: workspace, Name: w.Name, URL: w.URL, Events: w.Events, Active: on, Secret: w.Secret}
}

// Webhooks wraps GET ~/workspaces/{id}/webhooks.
func (c *Client) Webhooks(ctx context.Context, workspaceID string) ([]frameio.Webhook, error) {
	rows, err := everyRow(ctx, c, opWebhooks, func(h webhook) string { return h.ID }, "workspaces", workspaceID, "webhooks")
	var all []frameio.Webhook
	for _, w := range rows {
		all = append(all, w.domain(workspaceID))
	}
	return all, err
}

// CreateWebhook wraps POST ~/workspaces/{id}/webhooks.
func (c *Client) CreateWebhook(ctx context.Context, workspaceID string, h frameio.Webhook) (frameio.Webhook, error) {
	w, err := one[webhook](ctx, c, opCreateWebhook, nil, map[string]any{"name": h.Name, "url": h.URL, "events": h.Events}, "workspaces", workspaceID, "webhooks")
	return w.domain(workspaceID), frameio.Made(w.ID, opCreateWebhook, err)
}

// UpdateWebhook wraps PATCH ~/webhooks/{id}.
func (c *Client) UpdateWebhook(ctx context.Context, h frameio.Webhook) error {
	_, err := one[webhook](ctx, c, opUpdateWebhook, nil, map[string]any{"name": h.Name, "url": h.URL, "events": h.Events, "active": true}, "webhooks", h.ID)
	return err
}

// remove deletes something that may already be gone.
func (c *Client) remove(ctx context.Context, op string, segments ...string) error {
	path, err := c.in(ctx, segments...)
	if err == nil {
		err = c.do(ctx, op, path, nil, nil, nil)
	}
	if rest.IsNotFound(err) {
		return nil
	}
	return err
}

// DeleteWebhook wraps DELETE ~/webhooks/{id}.
func (c *Client) DeleteWebhook(ctx context.Context, id string) error {
	return c.remove(ctx, opDeleteWebhook, "webhooks", id)
}

type action struct {
	ID          string `json:"id"`
	WorkspaceID string `json:"workspace_id"`
	Name        string `json:"name"`
	Description string `json:"description"`
	Event       string `json:"event"`
	URL         string `json:"url"`
	Timeout     int    `json:"timeout"`
	Active      *flag  `json:"active"`
	Secret      string `json:"secret"`

	DeletedAt *string `json:"deleted_at"`
}

func (a action) domain(workspace string) frameio.Action {
	return frameio.Action{ID: a.ID, WorkspaceID: workspace, Name: a.Name, Description: a.Description, Event: a.Event, URL: a.URL, Timeout: a.Timeout,
		Active: a.Active == nil || bool(*a.Active), Secret: a.Secret}
}

// Actions wraps GET ~/workspaces/{id}/actions. It omits deleted actions, if the API still shows them.
func (c *Client) Actions(ctx context.Context, workspaceID string) ([]frameio.Action, error) {
	rows, err := everyRow(ctx, c, opActions, func(a action) string { return a.ID }, "workspaces", workspaceID, "actions")
	var all []frameio.Action
	for _, a := range rows {
		if text(a.DeletedAt) == "" {
			all = append(all, a.domain(workspaceID))
		}
	}
	return all, err
}

func actionBody(a frameio.Action) map[string]any {
	return map[string]any{"name": a.Name, "description": a.Description, "event": a.Event, "url": a.URL, "timeout": a.Timeout}
}

// CreateAction wraps POST ~/workspaces/{id}/actions.
func (c *Client) CreateAction(ctx context.Context, workspaceID string, a frameio.Action) (frameio.Action, error) {
	out, err := one[action](ctx, c, opCreateAction, nil, actionBody(a), "workspaces", workspaceID, "actions")
	return out.domain(workspaceID), frameio.Made(out.ID, opCreateAction, err)
}

// UpdateAction wraps PATCH ~/actions/{id}, and switches the action on.
func (c *Client) UpdateAction(ctx context.Context, a frameio.Action) error {
	body := actionBody(a)
	body["active"] = true
	_, err := one[action](ctx, c, opUpdateAction, nil, body, "actions", a.ID)
	return err
}

// DeleteAction wraps DELETE ~/actions/{id}.
func (c *Client) DeleteAction(ctx context.Context, id string) error {
	return c.remove(ctx, opDeleteAction, "actions", id)
}
