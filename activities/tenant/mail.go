package tenant

import (
	"context"
	"errors"
	"log/slog"
	"slices"
	"strings"
	"time"

	"github.com/framebridge/framebridge/clients/mail"
	"github.com/framebridge/framebridge/config"
	"github.com/framebridge/framebridge/events"
	"github.com/framebridge/framebridge/ledger"
	"github.com/framebridge/framebridge/ledger/outbox"
	"github.com/framebridge/framebridge/notify"
)

// Sender sends one message. A *mail.SendError says whether the server has accepted it.
type Sender interface {
	Send(ctx context.Context, m mail.Message) error
}

// Mail sends a tenant's messages, each of them once.
type Mail struct {
	sender Sender // nil if no mail is sent
	notify *config.Notify
	ledger ledger.TenantLedger
	shared *ledger.Ledger // all tenants' ledger
	id     string
	tenant string // for the log
	log    *slog.Logger
}

// Configured reports whether mail is sent at all.
func (m *Mail) Configured() bool { return m.sender != nil }

// SendOnce sends a message unless one with its ID was sent, or was perhaps sent by an attempt that died: a missing mail is
// better than a duplicate. owner is the archive or review that it is about.
func (m *Mail) SendOnce(ctx context.Context, owner string, msg mail.Message) error {
	if m.sender == nil || len(msg.To) == 0 {
		return nil
	}
	link, isNew, err := m.ledger.Intend(ctx, ledger.Link{Kind: ledger.LinkMail, SourceID: msg.ID, Archive: owner, IntendedAt: time.Now()})
	if err != nil || link.TargetID != "" || !isNew {
		return err
	}
	if msg.HTML == "" {
		if msg.HTML, err = notify.HTML(msg.Subject, msg.Text); err != nil {
			return err
		}
	}
	err = m.sender.Send(ctx, msg)
	var refused *mail.SendError
	if errors.As(err, &refused) && !refused.Accepted {
		m.log.InfoContext(ctx, "mail failed", "tenant", m.tenant, "id", msg.ID, "subject", msg.Subject, "recipients", len(msg.To), "reason", err.Error())
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

// Letter is a mail that some people are waiting for and that others want to know about.
type Letter struct {
	ID, Owner     string // as in SendOnce
	Kind          events.Kind
	Subject, Text string
	Asked         []string // who requested what it is about
	Others        []string // who the configuration names
}

// Tell sends a letter once. If the tenant uses digests, those who did not request it get it in the next digest, unless somebody must act.
func (m *Mail) Tell(ctx context.Context, l Letter) error {
	to, err := m.digested(ctx, l, time.Now())
	if err != nil {
		return err
	}
	return m.SendOnce(ctx, l.Owner, mail.Message{ID: l.ID, To: to, Subject: l.Subject, Text: l.Text})
}

// Post is Tell for a step that must not wait for the mail server: it puts the letter into the outbox, which the workers empty.
func (m *Mail) Post(ctx context.Context, l Letter) error {
	now := time.Now()
	to, err := m.digested(ctx, l, now)
	if err != nil {
		return err
	}
	return m.keep(ctx, l, to, now, now, false)
}

// digested queues a letter for those who get it with the next digest, and returns the other recipients.
func (m *Mail) digested(ctx context.Context, l Letter, now time.Time) (to []string, err error) {
	due, digest := m.notify.DigestDue(now)
	asked, others := l.recipients()
	if !digest || l.Kind.Entry().Urgent {
		return append(asked, others...), nil
	}
	return asked, m.keep(ctx, l, others, now, due, true)
}

func (l Letter) recipients() (asked, others []string) {
	asked = Recipients("", l.Asked)
	for _, to := range Recipients("", l.Others) {
		if !slices.ContainsFunc(asked, func(a string) bool { return strings.EqualFold(a, to) }) {
			others = append(others, to)
		}
	}
	return asked, others
}

// keep puts a letter into the outbox once, even if it is called again. For a digest, each recipient gets a mail of their own.
func (m *Mail) keep(ctx context.Context, l Letter, to []string, now, due time.Time, digest bool) error {
	if m.sender == nil || len(to) == 0 {
		return nil
	}
	id := l.ID + ":later"
	if digest {
		id = l.ID + ":digest"
	}
	if _, known, err := m.ledger.Link(ctx, ledger.LinkMail, id); err != nil || known {
		return err
	}
	one := outbox.Mail{ID: l.ID, Subject: l.Subject, Text: l.Text, CreatedAt: now, DueAt: due, Digest: digest}
	together := len(to)
	if digest {
		together = 1
	}
	var mails []outbox.Mail
	for part := range slices.Chunk(to, together) {
		one.To = part
		mails = append(mails, one)
	}
	if err := m.shared.Outbox().Put(ctx, m.id, mails...); err != nil {
		return err
	}
	_, _, err := m.ledger.Intend(ctx, ledger.Link{Kind: ledger.LinkMail, SourceID: id, Archive: l.Owner, IntendedAt: now})
	if err != nil {
		return err
	}
	return m.ledger.Complete(ctx, ledger.LinkMail, id, "kept", "")
}

// SendBatch sends what the outbox has for somebody as one mail. A batch that is sent again because its worker died is the same
// mail, with the same Message-ID.
func (m *Mail) SendBatch(ctx context.Context, b outbox.Batch) error {
	if m.sender == nil {
		return errors.New("no mail server is configured")
	}
	first := b.Mails[0]
	msg := mail.Message{ID: "outbox:" + b.ID, To: first.To, Subject: first.Subject, Text: first.Text}
	if first.Digest {
		msg.Subject, msg.Text = notify.Digest(m.tenant, b.Mails)
	}
	var err error
	if msg.HTML, err = notify.HTML(msg.Subject, msg.Text); err != nil {
		return err
	}
	err = m.sender.Send(ctx, msg)
	var refused *mail.SendError
	if errors.As(err, &refused) && refused.Accepted {
		m.log.WarnContext(ctx, "a mail may not have been sent", "id", msg.ID, "error", err)
		return nil
	}
	return err
}

// Recipients returns the requester and the others, each address once.
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
