// Package open creates the adapter for a tenant's generation of Frame.io's API. It is the only package besides the adapters
// that knows which generations there are.
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

// Tokens stores a tenant's sign-in at Adobe encrypted, for all workers. The ledger implements it.
type Tokens interface {
	// CanKeepTokens reports whether there is a key to encrypt them with.
	CanKeepTokens() bool
	Token(ctx context.Context, name string) ([]byte, bool, error)
	// ExchangeToken passes the current value, at first empty, to change and stores what it returns. Nobody else changes the
	// value meanwhile.
	ExchangeToken(ctx context.Context, name string, change func(ctx context.Context, present []byte) ([]byte, error)) error
}

// ErrNoKey means that a sign-in must be stored and no key is configured.
var ErrNoKey = errors.New("ledger.encryption_key is missing: it is needed to store a token encrypted")

// Option changes how an adapter is opened.
type Option func(*options)

type options struct{ watch *rest.Watch }

// Watched counts the adapter's calls.
func Watched(w *rest.Watch) Option { return func(o *options) { o.watch = w } }

// Platform opens the adapter for a tenant's generation. tokens may be nil if no sign-in is stored. refused, if not nil, is
// called when the API rejects a token the way it does once Frame.io has moved the account to its other API.
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

// store adapts Tokens for the adapter.
type store struct{ tokens Tokens }

func (s store) Exchange(ctx context.Context, name string, change func(ctx context.Context, present []byte) ([]byte, error)) error {
	return s.tokens.ExchangeToken(ctx, name, change)
}

// SignsIn reports whether a tenant's calls use tokens from Adobe's sign-in, which expire if nobody uses them.
func SignsIn(t *config.Tenant) bool {
	return frameio.Generation(t.Frameio.Generation) == frameio.V4 && t.Frameio.IMS.ClientID != ""
}

// SignInURL returns where a person signs in, so that Adobe sends a code to the redirect URL.
func SignInURL(t *config.Tenant, redirect, state string) (string, error) {
	return v4.AuthorizeURL(t.Frameio.IMS, redirect, state)
}

// SignIn exchanges the code of a sign-in for tokens and stores them.
func SignIn(ctx context.Context, t *config.Tenant, tokens Tokens, code, redirect string) error {
	if !tokens.CanKeepTokens() {
		return ErrNoKey
	}
	return v4.SignIn(ctx, t.Frameio.IMS, store{tokens}, code, redirect)
}

// SignInRenewed returns when a person's stored sign-in was last renewed, and false if none is stored. It expires after 14 days without use.
func SignInRenewed(ctx context.Context, t *config.Tenant, tokens Tokens) (time.Time, bool, error) {
	kept, ok, err := tokens.Token(ctx, v4.TokenName)
	if err != nil || !ok {
		return time.Time{}, false, err
	}
	at, ok := v4.LastRefresh(kept, t.Frameio.IMS)
	return at, ok, nil
}
