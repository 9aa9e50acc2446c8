package frameio

import (
	"context"
	"time"
)

// Installer reads and changes what an administrator sets up once in an account: webhooks and custom actions. Every error is a
// *rest.Error, classified once.
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
	// UpdateWebhook sets name, URL and events, and switches the webhook on where InstallCapabilities.Enable says so.
	UpdateWebhook(ctx context.Context, h Webhook) error
	// DeleteWebhook deletes a webhook; one that is gone is no error.
	DeleteWebhook(ctx context.Context, webhookID string) error

	// Actions, CreateAction, UpdateAction and DeleteAction do the same for custom actions, where
	// InstallCapabilities.Actions says so.
	Actions(ctx context.Context, workspaceID string) ([]Action, error)
	CreateAction(ctx context.Context, workspaceID string, a Action) (Action, error)
	UpdateAction(ctx context.Context, a Action) error
	DeleteAction(ctx context.Context, actionID string) error
}

// InstallCapabilities says what a generation's API can set up.
type InstallCapabilities struct {
	// Actions: custom actions can be made, and say what their secret is.
	Actions bool
	// Enable: a webhook that is off can be switched on; otherwise another must be made.
	Enable bool
	// PicksAccount: a token may see several accounts, of which frameio.account_id names one.
	PicksAccount bool
	// ScopesOnToken: what a token may do was chosen when it was made, and shows by what it is refused.
	ScopesOnToken bool
	// Me is the path that tells a token's user, and answers nobody without one.
	Me string
	// Ends is when Frame.io removes the API; zero: it stays.
	Ends time.Time
	// ReviewEvents are the events that a review waits for, as this generation names them.
	ReviewEvents []string
}

// Account is one account as the token sees it.
type Account struct {
	ID, Name string
	Roles    []string // of the token's user: owner, admin, member; nil where the API does not say
	// StorageUsed and StorageLimit are bytes; a limit of 0 is none, or not told.
	StorageUsed, StorageLimit int64
	MigratedAt                time.Time // to V4; zero where it was made there, or the API does not say
}

// Webhook is a webhook of a workspace. Secret is empty where the API does not show it.
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
