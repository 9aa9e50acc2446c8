package control

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/framebridge/framebridge/clients/frameio/open"
	"github.com/framebridge/framebridge/clients/iconik"
	"github.com/framebridge/framebridge/config"
	"github.com/framebridge/framebridge/doctor"
	"github.com/framebridge/framebridge/ledger"
	"github.com/framebridge/framebridge/routes"
	"github.com/framebridge/framebridge/version"
)

// Chosen returns a function that reports whether a key of the configuration differs from its default, or nil on errors.
func Chosen(path string) func(string) bool {
	settings, err := config.Explain(path)
	if err != nil {
		return nil
	}
	return func(key string) bool {
		return slices.ContainsFunc(settings, func(s config.Setting) bool { return s.Key == key && s.From != "default" })
	}
}

// SignedIn returns a function that says when a person's sign-in to Frame.io was last renewed.
func SignedIn(l *ledger.Ledger) func(context.Context, *config.Tenant) (time.Time, bool) {
	return func(ctx context.Context, t *config.Tenant) (time.Time, bool) {
		at, ok, err := open.SignInRenewed(ctx, t, l.Tenant(t.ID))
		return at, ok && err == nil
	}
}

// OpenForDoctor returns a function that opens new clients, without any cached state.
func OpenForDoctor(l *ledger.Ledger) func(*config.Tenant) (doctor.Account, *iconik.Client, error) {
	return func(t *config.Tenant) (doctor.Account, *iconik.Client, error) {
		var tokens open.Tokens
		if l != nil {
			tokens = l.Tenant(t.ID)
		}
		p, err := open.Platform(t, tokens, nil)
		if err != nil {
			return nil, nil, err
		}
		account, ok := p.(doctor.Account)
		if !ok {
			return nil, nil, fmt.Errorf("frameio.generation: the doctor does not support %s", t.Frameio.Generation)
		}
		ick, err := iconik.New(t.Iconik)
		return account, ick, err
	}
}

// Examine runs the doctor's checks for a tenant.
func (s *Service) Examine(ctx context.Context, t *config.Tenant) doctor.Report {
	return doctor.Run(ctx, &doctor.Subject{Config: s.Config(), Path: s.path, Base: s.Config().HTTP.PublicURL + routes.Prefix, Ledger: s.Ledger, Temporal: s.Temporal, Tenants: []*config.Tenant{t},
		Open: OpenForDoctor(s.Ledger), SignedIn: SignedIn(s.Ledger), Chosen: Chosen(s.path), Version: version.Get().String()})
}
