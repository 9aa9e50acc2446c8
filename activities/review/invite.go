package review

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/framebridge/framebridge/clients/rest"
	"github.com/framebridge/framebridge/ledger"
)

// invite invites each reviewer by mail once. After a lost answer it looks at the link's reviewers in Frame.io; if Frame.io does
// not tell, the invitation counts as sent. A reviewer whom Frame.io refuses to invite is noted and does not hold up the others.
func (r *review) invite(ctx context.Context) error {
	todo, err := r.uninvited(ctx)
	if err != nil {
		return err
	}
	var refused error
	for emails := range slices.Chunk(todo, max(r.frameio.Capabilities().InviteBatch, 1)) {
		err := r.inviteBatch(ctx, emails)
		if isUninvitable(err) && len(emails) > 1 { // one of them may be the reason
			for email := range slices.Chunk(emails, 1) {
				if err = r.refusedInvitation(ctx, email, r.inviteBatch(ctx, email), &refused); err != nil {
					return err
				}
			}
			continue
		}
		if err = r.refusedInvitation(ctx, emails, err, &refused); err != nil {
			return err
		}
	}
	if refused == nil {
		return nil
	}
	for l, err := range r.ledger.AllLinks(ctx, ledger.LinkInvitation) {
		if err != nil || l.TargetID != "" && strings.HasPrefix(l.SourceID, r.shareKey()+"/") {
			return err
		}
	}
	return refused // nobody could be invited
}

// refusedInvitation notes the reviewers whom Frame.io refuses to invite. It returns any other error.
func (r *review) refusedInvitation(ctx context.Context, emails []string, err error, first *error) error {
	if !isUninvitable(err) {
		return err
	}
	*first = cmp.Or(*first, err)
	return r.noteError(ctx, fmt.Sprintf("Frame.io refused to invite %s. Send them the link", strings.Join(emails, ", ")), err)
}

// noteUninvited notes the reviewers who are not invited because the review has expired in the meantime.
func (r *review) noteUninvited(ctx context.Context) error {
	todo, err := r.uninvited(ctx)
	if err != nil || len(todo) == 0 {
		return err
	}
	return r.note(ctx, fmt.Sprintf("The review expired before %s could be invited. To invite them, extend the review and send the assets again.", strings.Join(todo, ", ")))
}

// isUninvitable reports whether Frame.io refuses to invite somebody, as opposed to not finding the link.
func isUninvitable(err error) bool { return rest.IsRefused(err) && !rest.IsNotFound(err) }

// uninvited returns the reviewers to whom no invitation has been sent.
func (r *review) uninvited(ctx context.Context) ([]string, error) {
	var todo []string
	for _, email := range r.row.Reviewers {
		link, begun, err := r.tenant.Ledger.Link(ctx, ledger.LinkInvitation, r.inviteKey(email))
		if err != nil {
			return nil, err
		}
		if link.TargetID != "" {
			continue
		}
		if begun {
			sent, sure, err := r.wasInvited(ctx, email)
			if err != nil {
				return nil, err
			}
			if sent && !sure {
				if err := r.note(ctx, fmt.Sprintf("Frame.io did not confirm the invitation of %s. If it did not arrive, send them the link.", email)); err != nil {
					return nil, err
				}
			}
			if sent {
				if err := r.tenant.Ledger.Complete(ctx, ledger.LinkInvitation, r.inviteKey(email), "sent", ""); err != nil {
					return nil, err
				}
				continue
			}
		}
		todo = append(todo, email)
	}
	return todo, nil
}

// inviteKey returns the ledger key of a person's invitation to the current link.
func (r *review) inviteKey(email string) string { return r.shareKey() + "/" + strings.ToLower(email) }

// inviteBatch records its intents only when the request goes out: it may wait for minutes, and if the worker died in that time,
// invitations that were never sent would count as sent.
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

// wasInvited reports whether an invitation whose answer was lost was sent. Reviewers are invited one after the other, so one
// more reviewer than the ledger is certain of means that the uncertain one was invited.
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
		if l.TargetID != "" && strings.HasPrefix(l.SourceID, r.shareKey()+"/") { // the others belong to earlier links
			certain++
		}
	}
	return have.Count < 0 || have.Count > certain, have.Count >= 0, nil
}
