package main

import (
	"cmp"
	"context"
	"os/user"

	"github.com/gin-gonic/gin"

	"github.com/framebridge/framebridge/config"
	"github.com/framebridge/framebridge/ledger"
)

type actorKey struct{}

// actsAs says for the audit log who a request is from, and from which address.
func actsAs(c *gin.Context, who ledger.Actor) {
	who.Address = c.ClientIP()
	c.Request = c.Request.WithContext(context.WithValue(c.Request.Context(), actorKey{}, who))
}

// clickedByUser adds the user who clicked to what actsAs has said.
func clickedByUser(ctx context.Context, p ledger.Person) context.Context {
	who, _ := ctx.Value(actorKey{}).(ledger.Actor)
	who.Name = cmp.Or(p.Email, p.Name, p.ID)
	return context.WithValue(ctx, actorKey{}, who)
}

// commandActor is the person at the terminal, by the name of the account.
func commandActor() ledger.Actor {
	who := ledger.Actor{Kind: ledger.ActorCommand}
	if u, err := user.Current(); err == nil {
		who.Name = u.Username
	}
	return who
}

// audit records what was done in the name of whoever the request or the command is from.
func (s *service) audit(ctx context.Context, t *config.Tenant, e ledger.AuditEntry) error {
	e.Tenant, e.Actor = t.ID, s.actor
	if who, ok := ctx.Value(actorKey{}).(ledger.Actor); ok {
		e.Actor = who
	}
	_, err := s.ledger.AppendAudit(ctx, e)
	return err
}
