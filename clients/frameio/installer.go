package frameio

import (
	"context"
	"time"
)

// Installer reads and changes what an administrator sets up once in an account: webhooks and custom actions. Every error is a
// classified *rest.Error.
type Installer interface {
	InstallCapabilities() InstallCapabilities

	// Accounts lists the accounts that the token sees on this generation of the API.
	Accounts(ctx context.Context) ([]Account, error)
	// Workspaces lists the account's workspaces (v4) or teams (legacy).
	Workspaces(ctx context.Context) ([]Team, error)

	// Webhooks lists the webhooks of one workspace, disabled ones included.
	Webhooks(ctx context.Context, workspaceID string) ([]Webhook, error)
	// CreateWebhook returns the webhook with its secret, which Frame.io V4 never shows again.
	CreateWebhook(ctx context.Context, workspaceID string, h Webhook) (Webhook, error)
	// UpdateWebhook sets name, URL and events, and switches the webhook on if InstallCapabilities.Enable is set.
	UpdateWebhook(ctx context.Context, h Webhook) error
	// DeleteWebhook deletes a webhook. It is not an error if the webhook is already gone.
	DeleteWebhook(ctx context.Context, webhookID string) error

	// Actions, CreateAction, UpdateAction and DeleteAction do the same for custom actions, if InstallCapabilities.Actions is set.
	Actions(ctx context.Context, workspaceID string) ([]Action, error)
	CreateAction(ctx context.Context, workspaceID string, a Action) (Action, error)
	UpdateAction(ctx context.Context, a Action) error
	DeleteAction(ctx context.Context, actionID string) error
}

// InstallCapabilities says what a generation's API can set up.
type InstallCapabilities struct {
	// Actions: custom actions can be created, and return their secret.
	Actions bool
	// Enable: a webhook that is off can be switched on. Otherwise a new one must be created.
	Enable bool
	// PicksAccount: a token may see several accounts, and frameio.account_id selects one.
	PicksAccount bool
	// ScopesOnToken: a token's permissions were chosen when it was created, and are known only from what it is refused.
	ScopesOnToken bool
	// Me is the path that returns the token's user, and that requires a token.
	Me string
	// Ends is when Frame.io removes the API. Zero means that it stays.
	Ends time.Time
	// ReviewEvents are the events that a review needs, by this generation's names.
	ReviewEvents []string
}

// Account is an account as the token sees it.
type Account struct {
	ID, Name string
	Roles    []string // of the token's user: owner, admin, member; nil if the API does not say
	// StorageUsed and StorageLimit are in bytes. A limit of 0 means that there is none or that it is not reported.
	StorageUsed, StorageLimit int64
	MigratedAt                time.Time // to V4; zero if it was created there or the API does not say
}

// Webhook is a webhook of a workspace. Secret is empty if the API does not show it.
type Webhook struct {
	ID, WorkspaceID, Name, URL string
	Events                     []string
	Active                     bool
	Secret                     string
}

// Action is a custom action of a workspace.
type Action struct {
	ID, WorkspaceID, Name, Description, Event, URL string
	Timeout                                        int // seconds, 5 to 10
	Active                                         bool
	Secret                                         string
}
