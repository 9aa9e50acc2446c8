package control

import (
	"cmp"
	"context"

	"github.com/framebridge/framebridge/config"
	"github.com/framebridge/framebridge/ledger"
)

type actorKey struct{}

// WithActor says for the audit log who acts.
func WithActor(ctx context.Context, who ledger.Actor) context.Context {
	return context.WithValue(ctx, actorKey{}, who)
}

// WithPerson adds the person to what WithActor has said.
func WithPerson(ctx context.Context, p ledger.Person) context.Context {
	who, _ := ctx.Value(actorKey{}).(ledger.Actor)
	who.Name = cmp.Or(p.Email, p.Name, p.ID)
	return context.WithValue(ctx, actorKey{}, who)
}

// Audit records what was done in the name of whoever the request or the command is from.
func (s *Service) Audit(ctx context.Context, t *config.Tenant, e ledger.AuditEntry) error {
	e.Tenant, e.Actor = t.ID, s.actorIn(ctx)
	_, err := s.Ledger.AppendAudit(ctx, e)
	return err
}

// actorIn is whoever a request or a command is from.
func (s *Service) actorIn(ctx context.Context) ledger.Actor {
	if who, ok := ctx.Value(actorKey{}).(ledger.Actor); ok {
		return who
	}
	return s.Actor
}
