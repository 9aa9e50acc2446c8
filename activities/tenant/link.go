package tenant

import (
	"context"
	"time"

	"github.com/framebridge/framebridge/config"
	"github.com/framebridge/framebridge/ledger"
	"github.com/framebridge/framebridge/routes"
)

// StatusLink returns where the reader of a mail can see an archive's or a review's state without an account: a signed link that
// works until the given time or, if that has passed, for routes.LinksLast. Without a signing key it is the console's address.
// Use it only in mails: whoever has it may read what it opens.
func (t *Tenant) StatusLink(ctx context.Context, cfg *config.Config, kind, id string, role config.Role, until time.Time) (string, error) {
	if !routes.CanSignLinks(cfg) {
		if kind == ledger.LinkedReview {
			return routes.ConsoleReview(cfg, t.ID, id), nil
		}
		return routes.ConsoleArchive(cfg, t.ID, id), nil
	}
	generation, err := t.Ledger.LinkGeneration(ctx, kind, id)
	if err != nil {
		return "", err
	}
	if now := time.Now(); until.Before(now) {
		until = now.Add(routes.LinksLast)
	}
	return routes.SignLink(cfg, routes.Link{Tenant: t.ID, Kind: kind, ID: id, Role: role, Generation: generation, Expires: until})
}
