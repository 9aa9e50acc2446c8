package legacy

import (
	"context"
	"net/http"
	"net/url"
	"time"

	"github.com/framebridge/framebridge/clients/frameio"
	"github.com/framebridge/framebridge/clients/rest"
)

const (
	opHooks      = "GET /accounts/{id}/hooks"
	opCreateHook = "POST /teams/{id}/hooks"
	opUpdateHook = "PUT /hooks/{id}"
	opDeleteHook = "DELETE /hooks/{id}"
)

// ends is when Frame.io removes V2.
var ends = time.Date(2026, time.December, 1, 0, 0, 0, 0, time.UTC)

var _ frameio.Installer = (*Client)(nil)

// InstallCapabilities omits custom actions: it is not documented where V2 shows an action's secret.
func (c *Client) InstallCapabilities() frameio.InstallCapabilities {
	return frameio.InstallCapabilities{ScopesOnToken: true, Me: "/v2/me", Ends: ends, ReviewEvents: []string{"comment.created", "comment.updated", "comment.deleted", "comment.completed", "comment.uncompleted",
		"asset.label.updated", "asset.deleted"}}
}

// Accounts wraps GET /me, which returns the account of the token's user.
func (c *Client) Accounts(ctx context.Context) ([]frameio.Account, error) {
	var me struct {
		AccountID text `json:"account_id"`
	}
	if _, err := c.get(ctx, opMe, "me", nil, &me); err != nil {
		return nil, err
	}
	if me.AccountID == "" {
		return nil, frameio.NoData(opMe)
	}
	return []frameio.Account{{ID: string(me.AccountID)}}, nil
}

// Workspaces wraps GET /teams.
func (c *Client) Workspaces(ctx context.Context) ([]frameio.Team, error) { return c.teams(ctx) }

type hook struct {
	ID        string       `json:"id"`
	Name      text         `json:"name"`
	URL       text         `json:"url"`
	Events    list[string] `json:"events"`
	Active    *flag        `json:"active"`
	Secret    text         `json:"secret"`
	TeamID    text         `json:"team_id"`
	DeletedAt instant      `json:"deleted_at"`
}

func (h hook) domain() frameio.Webhook {
	return frameio.Webhook{ID: h.ID, WorkspaceID: string(h.TeamID), Name: string(h.Name), URL: string(h.URL), Events: h.Events, Active: !isNo(h.Active), Secret: string(h.Secret)}
}

// Webhooks wraps GET /accounts/{id}/hooks, the only listing there is, and returns the team's.
func (c *Client) Webhooks(ctx context.Context, teamID string) ([]frameio.Webhook, error) {
	accounts, err := c.Accounts(ctx)
	if err != nil {
		return nil, err
	}
	hooks := rest.Pages(ctx, "Frame.io", opHooks, func(h hook) string { return h.ID }, func(ctx context.Context, cursor string) ([]hook, string, error) {
		return listPage[hook](ctx, c, opHooks, "accounts/"+url.PathEscape(accounts[0].ID)+"/hooks", nil, cursor)
	})
	var all []frameio.Webhook
	for h, err := range hooks {
		if err != nil {
			return nil, err
		}
		if string(h.TeamID) == teamID && !h.DeletedAt.said {
			all = append(all, h.domain())
		}
	}
	return all, nil
}

func hookBody(h frameio.Webhook) map[string]any {
	return map[string]any{"name": h.Name, "url": h.URL, "events": h.Events}
}

// CreateWebhook wraps POST /teams/{id}/hooks.
func (c *Client) CreateWebhook(ctx context.Context, teamID string, h frameio.Webhook) (frameio.Webhook, error) {
	var out hook
	err := c.write(ctx, opCreateHook, "teams/"+url.PathEscape(teamID)+"/hooks", hookBody(h), &out)
	d := out.domain()
	d.WorkspaceID = teamID
	return d, frameio.Made(out.ID, opCreateHook, err)
}

// UpdateWebhook wraps PUT /hooks/{id}, which cannot switch a webhook on.
func (c *Client) UpdateWebhook(ctx context.Context, h frameio.Webhook) error {
	return c.write(ctx, opUpdateHook, "hooks/"+url.PathEscape(h.ID), hookBody(h), nil)
}

// DeleteWebhook wraps DELETE /hooks/{id}.
func (c *Client) DeleteWebhook(ctx context.Context, id string) error {
	err := c.write(ctx, opDeleteHook, "hooks/"+url.PathEscape(id), nil, nil)
	if rest.IsNotFound(err) {
		return nil
	}
	return err
}

func noActions() error {
	return &rest.Error{Vendor: "Frame.io", Operation: "custom actions", Status: http.StatusNotImplemented, Class: rest.Unsupported, Detail: "custom actions are set up on V4 only"}
}

// Actions is unsupported: custom actions exist on V4 only.
func (c *Client) Actions(context.Context, string) ([]frameio.Action, error) { return nil, noActions() }

// CreateAction is unsupported: custom actions exist on V4 only.
func (c *Client) CreateAction(context.Context, string, frameio.Action) (frameio.Action, error) {
	return frameio.Action{}, noActions()
}

// UpdateAction is unsupported: custom actions exist on V4 only.
func (c *Client) UpdateAction(context.Context, frameio.Action) error { return noActions() }

// DeleteAction is unsupported: custom actions exist on V4 only.
func (c *Client) DeleteAction(context.Context, string) error { return noActions() }
