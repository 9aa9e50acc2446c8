package review

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/framebridge/framebridge/clients/rest"
	"github.com/framebridge/framebridge/ledger"
)

// invite mails each reviewer once. A lost answer is settled by what Frame.io says of the link's reviewers; where it says
// nothing, the invitation counts as sent.
func (r *review) invite(ctx context.Context) error {
	batch := max(r.frameio.Capabilities().InviteBatch, 1)
	var todo []string
	for _, email := range r.row.Reviewers {
		link, begun, err := r.tenant.Ledger.Link(ctx, ledger.LinkInvitation, r.inviteKey(email))
		if err != nil {
			return err
		}
		if link.TargetID != "" {
			continue
		}
		if begun {
			sent, sure, err := r.wasInvited(ctx, email)
			if err != nil {
				return err
			}
			if sent && !sure {
				if err := r.note(ctx, fmt.Sprintf("Frame.io did not confirm the invitation of %s. If it did not arrive, send them the link.", email)); err != nil {
					return err
				}
			}
			if sent {
				if err := r.tenant.Ledger.Complete(ctx, ledger.LinkInvitation, r.inviteKey(email), "sent", ""); err != nil {
					return err
				}
				continue
			}
		}
		todo = append(todo, email)
		if len(todo) == batch {
			if err := r.inviteBatch(ctx, todo); err != nil {
				return err
			}
			todo = nil
		}
	}
	if len(todo) > 0 {
		return r.inviteBatch(ctx, todo)
	}
	return nil
}

// inviteKey names the invitation of somebody to the present link.
func (r *review) inviteKey(email string) string { return r.shareKey() + "/" + strings.ToLower(email) }

// inviteBatch writes its intents down only when the request goes out: it may have waited for minutes, and what a worker
// that dies meanwhile leaves behind would count as sent.
func (r *review) inviteBatch(ctx context.Context, emails []string) error {
	message := r.row.Message
	if message == "" {
		message = fmt.Sprintf("Please review %q by %s.", r.row.Title, r.row.ExpiresAt.UTC().Format("January 2, 2006, 15:04 UTC"))
	}
	err := r.frameio.Invite(ctx, r.row.ShareID, emails, message, func(ctx context.Context) error {
		for _, e := range emails {
			if _, _, err := r.tenant.Ledger.Intend(ctx, ledger.Link{Kind: ledger.LinkInvitation, SourceID: r.inviteKey(e), Archive: r.ref.Review, Parent: r.row.ShareID, IntendedAt: time.Now()}); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil && !rest.IsUncertain(err) { // certainly not sent
		for _, e := range emails {
			if ferr := r.tenant.Ledger.Delete(context.WithoutCancel(ctx), ledger.LinkInvitation, r.inviteKey(e)); ferr != nil {
				return errors.Join(err, ferr)
			}
		}
	}
	if err != nil {
		return fmt.Errorf("inviting %s: %w", strings.Join(emails, ", "), err)
	}
	for _, e := range emails {
		if err := r.tenant.Ledger.Complete(context.WithoutCancel(ctx), ledger.LinkInvitation, r.inviteKey(e), "sent", ""); err != nil {
			return err
		}
	}
	return nil
}

// wasInvited says whether an invitation whose answer was lost arrived. The reviewers are invited one after the other:
// one more than the ledger is certain of means that the uncertain one is there.
func (r *review) wasInvited(ctx context.Context, email string) (sent, sure bool, err error) {
	have, err := r.frameio.Reviewers(ctx, r.row.ShareID)
	if err != nil {
		return false, false, err
	}
	for _, e := range have.Emails {
		if strings.EqualFold(e, email) {
			return true, true, nil
		}
	}
	if have.Listed {
		return false, true, nil
	}
	certain := 0
	for l, err := range r.ledger.AllLinks(ctx, ledger.LinkInvitation) {
		if err != nil {
			return false, false, err
		}
		if l.TargetID != "" && strings.HasPrefix(l.SourceID, r.shareKey()+"/") { // others are of links before
			certain++
		}
	}
	return have.Count < 0 || have.Count > certain, have.Count >= 0, nil
}
