package control

import (
	"cmp"
	"context"
	"time"

	"github.com/framebridge/framebridge/config"
	"github.com/framebridge/framebridge/ledger"
)

const auditPatience = time.Second // of who waits for a start, beyond StartTimeout: Frame.io gives a webhook 5 s

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

// auditBegun records what has begun, and goes on although nobody waits any longer. A failure of this alone would have people begin it
// once more: an invitation would go out twice.
func (s *Service) auditBegun(ctx context.Context, t *config.Tenant, e ledger.AuditEntry) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), auditPatience)
	defer cancel()
	if err := s.Audit(ctx, t, e); err != nil {
		s.Log.ErrorContext(ctx, "what has begun is missing in the audit", "tenant", t.ID, "action", e.Action, "object", e.ObjectID, "error", err)
	}
}

// actorIn is whoever a request or a command is from.
func (s *Service) actorIn(ctx context.Context) ledger.Actor {
	if who, ok := ctx.Value(actorKey{}).(ledger.Actor); ok {
		return who
	}
	return s.Actor
}
