package activities

import (
	"context"
	"errors"
	"log/slog"
	"time"

	"github.com/framebridge/framebridge/activities/tenant"
	"github.com/framebridge/framebridge/ledger/outbox"
)

const (
	mailsAtOnce  = 50
	mailBackoff  = 30 * time.Minute // at most, between two attempts
	mailAttempts = 200              // take about four days
	keyAttempts  = 20               // take about eight hours, in which somebody may put the ledger's key back
)

// unreadableText replaces a mail's text that no key can decrypt, so that people still learn that something has happened.
const unreadableText = "The text of this message can no longer be read: it was stored encrypted, and ledger.encryption_key has changed since. " +
	"Framebridge's console shows what has happened.\n"

var errUnreadable = errors.New("its text was encrypted with another ledger.encryption_key: put that key back behind the new one")

// postman sends the mail in the ledger's outbox.
type postman struct {
	box     outbox.Box
	tenants *tenant.Tenants
	log     *slog.Logger
	now     func() time.Time
}

// sweep sends the mail that is due. Mail that cannot be sent now is retried, and does not hold up the rest.
func (p *postman) sweep(ctx context.Context) error {
	due, err := p.box.Claim(ctx, p.now(), mailsAtOnce)
	if err != nil {
		return err
	}
	for _, b := range due {
		if err := p.send(ctx, b); err != nil {
			return err
		}
	}
	return nil
}

func (p *postman) send(ctx context.Context, b outbox.Batch) error {
	after := context.WithoutCancel(ctx)
	t, err := p.tenants.Get(b.Tenant)
	if err == nil {
		err = readable(b)
	}
	if err == nil {
		err = t.Mail.SendBatch(ctx, b)
	}
	switch {
	case err == nil:
		return p.box.Sent(after, b)
	case b.Attempts >= mailAttempts:
		p.log.ErrorContext(ctx, "gave up on a mail", "tenant", b.Tenant, "id", b.ID, "notifications", len(b.Mails), "attempts", b.Attempts, "error", err)
		return p.box.Sent(after, b)
	case b.Attempts == 1 && ctx.Err() == nil:
		p.log.InfoContext(ctx, "mail failed", "tenant", b.Tenant, "id", b.ID, "subject", b.Mails[0].Subject, "notifications", len(b.Mails), "reason", err.Error())
	}
	wait := mailBackoff
	if b.Attempts < 6 {
		wait = min(wait, time.Minute<<(b.Attempts-1))
	}
	return p.box.Failed(after, b, p.now().Add(wait))
}

// readable returns an error while a text of the batch may still become readable, and later replaces that text.
func readable(b outbox.Batch) error {
	for i := range b.Mails {
		switch m := &b.Mails[i]; {
		case m.Unreadable && b.Attempts < keyAttempts:
			return errUnreadable
		case m.Unreadable:
			m.Text = unreadableText
		}
	}
	return nil
}
