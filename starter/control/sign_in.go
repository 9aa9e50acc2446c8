package control

import (
	"cmp"
	"context"
	"errors"

	"github.com/framebridge/framebridge/clients/frameio/open"
	"github.com/framebridge/framebridge/clients/rest"
	"github.com/framebridge/framebridge/config"
	"github.com/framebridge/framebridge/ledger"
	"github.com/framebridge/framebridge/redact"
)

// SignInURL returns where a person signs in to Frame.io for a tenant. Adobe then sends the browser to redirect, with the state.
func (s *Service) SignInURL(t *config.Tenant, redirect, state string) (string, error) {
	switch {
	case !open.SignsIn(t):
		return "", &Refusal{"the tenant does not sign in through Adobe: that needs frameio.generation: v4 and frameio.ims.client_id of an OAuth web app credential"}
	case !s.Ledger.Tenant(t.ID).CanKeepTokens():
		return "", &Refusal{open.ErrNoKey.Error()}
	}
	return open.SignInURL(t, redirect, state)
}

// SignIn exchanges Adobe's code for tokens, which all processes use from then on, and returns who signed in.
func (s *Service) SignIn(ctx context.Context, t *config.Tenant, code, redirect string) (who string, err error) {
	if err := open.SignIn(ctx, t, s.Ledger.Tenant(t.ID), code, redirect); err != nil {
		return "", refusedByAdobe(err)
	}
	s.Reopen(t)
	if err := s.Audit(ctx, t, ledger.AuditEntry{Action: "sign-in to Frame.io", ObjectKind: "tenant", ObjectID: t.ID}); err != nil {
		return "", err
	}
	p, err := s.Platform(t)
	if err != nil {
		return "", err
	}
	me, err := p.Me(ctx)
	return cmp.Or(me.Email, me.Name), refusedByAdobe(err)
}

// refusedByAdobe turns an error that no retry can change into a Refusal that says what to do.
func refusedByAdobe(err error) error {
	var failed *rest.Error
	switch {
	case err == nil:
		return nil
	case errors.Is(err, open.ErrNoKey):
		return &Refusal{err.Error()}
	case errors.As(err, &failed) && (failed.Class == rest.Unauthorized || failed.Class == rest.Permanent || failed.Class == rest.Forbidden):
		return &Refusal{redact.Scrub(err.Error())}
	}
	return errors.Join(ErrUnavailable, err)
}
