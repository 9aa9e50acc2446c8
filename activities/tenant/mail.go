package tenant

import (
	"context"
	"errors"
	"log/slog"
	"strings"
	"time"

	"github.com/framebridge/framebridge/clients/mail"
	"github.com/framebridge/framebridge/ledger"
)

// Sender sends one message. A *mail.SendError says whether the server has accepted it.
type Sender interface {
	Send(ctx context.Context, m mail.Message) error
}

// Mail sends a tenant's messages, each once.
type Mail struct {
	sender Sender // nil where no mail is sent
	ledger ledger.TenantLedger
	log    *slog.Logger
}

// Configured says whether mail is sent at all.
func (m *Mail) Configured() bool { return m.sender != nil }

// SendOnce sends a message unless one of its id was sent, or perhaps sent by an attempt that died: a mail too few is
// better than one twice. owner is the archive or review that it is about.
func (m *Mail) SendOnce(ctx context.Context, owner string, msg mail.Message) error {
	if m.sender == nil || len(msg.To) == 0 {
		return nil
	}
	link, isNew, err := m.ledger.Intend(ctx, ledger.Link{Kind: ledger.LinkMail, SourceID: msg.ID, Archive: owner, IntendedAt: time.Now()})
	if err != nil || link.TargetID != "" || !isNew {
		return err
	}
	err = m.sender.Send(ctx, msg)
	var refused *mail.SendError
	if errors.As(err, &refused) && !refused.Accepted {
		if ferr := m.ledger.Delete(ctx, ledger.LinkMail, msg.ID); ferr != nil {
			return ferr
		}
		return err
	}
	if err != nil {
		m.log.WarnContext(ctx, "a mail may not have been sent", "id", msg.ID, "error", err)
	}
	return m.ledger.Complete(ctx, ledger.LinkMail, msg.ID, "sent", "")
}

// Recipients are the requester and the others, each address once.
func Recipients(requester string, others []string) []string {
	var to []string
	seen := map[string]bool{}
	for _, addr := range append([]string{requester}, others...) {
		if addr = strings.TrimSpace(addr); addr != "" && !seen[strings.ToLower(addr)] {
			seen[strings.ToLower(addr)] = true
			to = append(to, addr)
		}
	}
	return to
}
