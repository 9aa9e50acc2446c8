// Package open makes the adapter of a tenant's generation of Frame.io's API, and is the only room outside the adapters that
// knows which there are.
package open

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/framebridge/framebridge/clients/frameio"
	"github.com/framebridge/framebridge/clients/frameio/legacy"
	v4 "github.com/framebridge/framebridge/clients/frameio/v4"
	"github.com/framebridge/framebridge/clients/rest"
	"github.com/framebridge/framebridge/config"
)

// Tokens keeps a tenant's sign-in at Adobe encrypted, for all workers. The ledger does.
type Tokens interface {
	// CanKeepTokens says that there is a key to encrypt them with.
	CanKeepTokens() bool
	Token(ctx context.Context, name string) ([]byte, bool, error)
	// ExchangeToken hands the present value over, empty at first, and keeps what comes back; nobody else changes it
	// meanwhile.
	ExchangeToken(ctx context.Context, name string, change func(ctx context.Context, present []byte) ([]byte, error)) error
}

// ErrNoKey says that a sign-in is to be kept and no key is configured.
var ErrNoKey = errors.New("ledger.encryption_key is missing: it is needed to store a token encrypted")

// Option changes how an adapter is opened.
type Option func(*options)

type options struct{ watch *rest.Watch }

// Watched counts the adapter's calls.
func Watched(w *rest.Watch) Option { return func(o *options) { o.watch = w } }

// Platform opens the adapter of a tenant's generation. tokens may be nil where no sign-in is kept. refused, where not nil,
// is told when the API refuses a token as it does from the moment Frame.io moves the account to its other API.
func Platform(t *config.Tenant, tokens Tokens, refused func(), with ...Option) (frameio.Platform, error) {
	var o options
	for _, set := range with {
		set(&o)
	}
	switch frameio.Generation(t.Frameio.Generation) {
	case frameio.Legacy:
		return legacy.New(t.Frameio, legacy.WithRefused(refused), legacy.WithWatch(o.watch, t.ID))
	case frameio.V4:
		opts := []v4.Option{v4.WithWatch(o.watch, t.ID)}
		switch {
		case tokens != nil && tokens.CanKeepTokens():
			opts = append(opts, v4.WithStore(store{tokens}))
		case t.Frameio.IMS.RefreshToken != "":
			return nil, fmt.Errorf("tenants.%s.frameio.ims.refresh_token: %w", t.ID, ErrNoKey)
		}
		return v4.New(t.Frameio, opts...)
	default:
		return nil, fmt.Errorf("tenants.%s.frameio.generation: %q is unknown", t.ID, t.Frameio.Generation)
	}
}

// store is Tokens as the adapter wants them.
type store struct{ tokens Tokens }

func (s store) Exchange(ctx context.Context, name string, change func(ctx context.Context, present []byte) ([]byte, error)) error {
	return s.tokens.ExchangeToken(ctx, name, change)
}

// SignsIn says that a tenant's calls go with tokens of Adobe's sign-in, which end when nobody uses them.
func SignsIn(t *config.Tenant) bool {
	return frameio.Generation(t.Frameio.Generation) == frameio.V4 && t.Frameio.IMS.ClientID != ""
}

// SignInURL is where a person signs in, so that Adobe sends a code to the redirect URL.
func SignInURL(t *config.Tenant, redirect, state string) (string, error) {
	return v4.AuthorizeURL(t.Frameio.IMS, redirect, state)
}

// SignIn exchanges the code of a sign-in for tokens and keeps them.
func SignIn(ctx context.Context, t *config.Tenant, tokens Tokens, code, redirect string) error {
	if !tokens.CanKeepTokens() {
		return ErrNoKey
	}
	return v4.SignIn(ctx, t.Frameio.IMS, store{tokens}, code, redirect)
}

// SignInRenewed says when the kept sign-in of a person was last renewed; false where none is kept. Unused for 14 days, it
// ends.
func SignInRenewed(ctx context.Context, t *config.Tenant, tokens Tokens) (time.Time, bool, error) {
	kept, ok, err := tokens.Token(ctx, v4.TokenName)
	if err != nil || !ok {
		return time.Time{}, false, err
	}
	at, ok := v4.LastRefresh(kept, t.Frameio.IMS)
	return at, ok, nil
}
