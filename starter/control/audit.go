package control

import (
	"cmp"
	"context"
	"time"

	"github.com/framebridge/framebridge/config"
	"github.com/framebridge/framebridge/ledger"
)

const auditPatience = time.Second // longest extra wait for a start, beyond StartTimeout: Frame.io gives a webhook 5 s

type actorKey struct{}

// WithActor returns a context that tells the audit log who acts.
func WithActor(ctx context.Context, who ledger.Actor) context.Context {
	return context.WithValue(ctx, actorKey{}, who)
}

// WithPerson adds a person to the context's actor.
func WithPerson(ctx context.Context, p ledger.Person) context.Context {
	who, _ := ctx.Value(actorKey{}).(ledger.Actor)
	who.Name = cmp.Or(p.Email, p.Name, p.ID)
	return context.WithValue(ctx, actorKey{}, who)
}

// Audit records an action in the name of whoever sent the request or ran the command.
func (s *Service) Audit(ctx context.Context, t *config.Tenant, e ledger.AuditEntry) error {
	e.Tenant, e.Actor = t.ID, s.actorIn(ctx)
	_, err := s.Ledger.AppendAudit(ctx, e)
	return err
}

// auditBegun records something that has begun, even if nobody waits for it any longer. It only logs a failure: if it returned one,
// people would start it again, and an invitation would go out twice.
func (s *Service) auditBegun(ctx context.Context, t *config.Tenant, e ledger.AuditEntry) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), auditPatience)
	defer cancel()
	if err := s.Audit(ctx, t, e); err != nil {
		s.Log.ErrorContext(ctx, "could not record in the audit log what was started", "tenant", t.ID, "action", e.Action, "object", e.ObjectID, "error", err)
	}
}

// actorIn returns who a request or a command is from.
func (s *Service) actorIn(ctx context.Context) ledger.Actor {
	if who, ok := ctx.Value(actorKey{}).(ledger.Actor); ok {
		return who
	}
	return s.Actor
}
