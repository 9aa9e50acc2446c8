package activities

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/framebridge/framebridge/clients/frameio"
	"github.com/framebridge/framebridge/clients/rest"
	"github.com/framebridge/framebridge/ledger"
	"github.com/framebridge/framebridge/workflows"
)

// ShareReview makes the link, once all files that must carry a watermark carry it, and invites each reviewer once.
// After a resend it brings the new files under the link and invites whoever is new.
func (a *Activities) ShareReview(ctx context.Context, ref workflows.ReviewRef) (workflows.SharedReview, error) {
	var out workflows.SharedReview
	r, err := a.review(ctx, ref)
	if err != nil {
		return out, err
	}
	assets, err := r.assets(ctx)
	if err != nil {
		return out, err
	}
	shown, plain, err := r.shareable(ctx, assets)
	if err != nil {
		return out, settled(err)
	}
	out.Unwatermarked = plain
	if err := r.dropDeletedLink(ctx); err != nil {
		return out, settled(err)
	}
	if err := r.share(ctx, shown); err != nil {
		return out, settled(err)
	}
	out.URL = r.row.ShareURL
	return out, settled(r.invite(ctx))
}

// shareable lists what the link shows: each asset's file, or its stack. A first share needs all files' watermarks.
func (r *review) shareable(ctx context.Context, assets []ledger.ReviewAsset) (shown []string, plain int, err error) {
	seen := map[string]bool{}
	for _, it := range assets {
		if it.State == ledger.AssetFailed && strings.HasPrefix(it.Reason, watermarkPrefix) && r.row.ShareID == "" {
			return nil, 0, contentError("%s", it.Reason)
		}
		if it.State != ledger.AssetReady {
			continue
		}
		if r.cfg.Review.Watermark != "off" && r.frameio.Capabilities().WatermarkOnFiles {
			f, err := r.frameio.Asset(ctx, it.FileID)
			switch {
			case err != nil:
				return nil, 0, fmt.Errorf("watermark of %q: %w", it.Title, err)
			case f.Watermark == frameio.WatermarkOn:
			case r.cfg.Review.Watermark == "required":
				return nil, 0, contentError("%s", watermarkMissing(it.Title))
			default:
				plain++
			}
		}
		id := orFirst(it.StackID, it.FileID)
		if !seen[id] {
			seen[id] = true
			shown = append(shown, id)
		}
	}
	return shown, plain, nil
}

// dropDeletedLink forgets a link that somebody has deleted, so that assets sent again get a new one, and its reviewers
// another invitation.
func (r *review) dropDeletedLink(ctx context.Context) error {
	if r.row.ShareID == "" {
		return nil
	}
	_, err := r.frameio.ShareByID(ctx, r.row.ShareID)
	if !rest.IsNotFound(err) {
		return err
	}
	return r.update(ctx, func(row *ledger.Review) { row.ShareID, row.ShareURL, row.Relinks = "", "", row.Relinks+1 })
}

// shareName is unique in the project, so that a link whose answer was lost is found again.
func (r *review) shareName() string {
	return shorten(strings.Join(strings.Fields(r.row.Title), " "), 150) + " · " + r.ref.Review[:8]
}

func (r *review) share(ctx context.Context, shown []string) error {
	passphrase := ""
	if r.row.Passphrase {
		raw, ok, err := r.Ledger.Token(ctx, r.ref.Tenant, ledger.PassphraseToken(r.ref.Review))
		if err != nil {
			return err
		}
		if !ok {
			return systemError("the passphrase of the review is lost from the ledger")
		}
		passphrase = string(raw)
	}
	var made frameio.Share
	whole := false // the link was made with everything in it
	id, isNew, err := r.makeOnce(ctx, creation{
		kind: ledger.LinkReviewShare, sourceID: r.shareKey(), parent: r.row.ProjectID, owner: r.ref.Review,
		look: func(ctx context.Context) (string, error) {
			for cursor := ""; ; {
				page, err := r.frameio.Shares(ctx, r.row.ProjectID, cursor)
				if err != nil {
					return "", err
				}
				for _, s := range page.Items {
					if s.Name == r.shareName() && s.Kind != frameio.SharePresentation {
						return s.ID, nil
					}
				}
				if cursor = page.Next; cursor == "" {
					return "", nil
				}
			}
		},
		discard: r.shut,
		make: func(ctx context.Context) (string, error) {
			first := shown[:min(len(shown), r.frameio.Capabilities().ShareBatch)]
			s, err := r.frameio.CreateShare(ctx, r.row.ProjectID, frameio.NewShare{Name: r.shareName(), AssetIDs: first, ExpiresAt: r.row.ExpiresAt,
				Passphrase: passphrase, Download: r.row.Download, Watermark: r.cfg.Review.Watermark != "off"})
			made, whole = s, err == nil && len(first) == len(shown)
			if s.ID != "" {
				return s.ID, nil // what it does not show yet is added below
			}
			return "", err
		},
	})
	if err != nil {
		return fmt.Errorf("review link: %w", err)
	}
	if !isNew || made.URL == "" {
		if made, err = r.frameio.ShareByID(ctx, id); err != nil {
			return fmt.Errorf("review link: %w", err)
		}
	}
	if err := r.checkShareWatermark(ctx, id); err != nil {
		return err
	}
	if made.HasPassphrase && !r.row.Passphrase {
		if err := r.note(ctx, "Frame.io gave the link a passphrase, as the account's policy demands: look it up in the share's settings in Frame.io, and pass it on to the reviewers."); err != nil {
			return err
		}
	}
	if !whole {
		if err := r.frameio.AddToShare(ctx, id, shown); err != nil {
			return fmt.Errorf("files of the review link: %w", err)
		}
	}
	return r.update(ctx, func(row *ledger.Review) { row.ShareID, row.ShareURL = id, made.URL })
}

// checkShareWatermark reads the share again where the generation marks shares. One without its watermark is shut at once.
func (r *review) checkShareWatermark(ctx context.Context, id string) error {
	if r.cfg.Review.Watermark != "required" || r.frameio.Capabilities().WatermarkOnFiles {
		return nil
	}
	s, err := r.frameio.ShareByID(ctx, id)
	if err != nil {
		return fmt.Errorf("watermark of the review link: %w", err)
	}
	if s.Watermark == frameio.WatermarkOn || s.Watermark == frameio.WatermarkUnknown && r.cfg.Review.Attested {
		return nil
	}
	if err := r.shut(ctx, id); err != nil {
		return fmt.Errorf("shutting a link without a watermark: %w", err)
	}
	if s.Watermark == frameio.WatermarkUnknown {
		return contentError("Frame.io does not say whether the link is watermarked, and without a watermark nothing is shared. If the account forces one by its own policy, set review.watermark_attested: true; otherwise set review.watermark to preferred or off.")
	}
	return contentError("Frame.io did not switch the watermark of the link on, and without one nothing is shared. Switch watermarks on for the workspace, or set review.watermark to preferred or off.")
}

// invite mails each reviewer once. A lost answer is settled by what Frame.io says of the link's reviewers; where it says
// nothing, the invitation counts as sent.
func (r *review) invite(ctx context.Context) error {
	batch := max(r.frameio.Capabilities().InviteBatch, 1)
	var todo []string
	for _, email := range r.row.Reviewers {
		link, begun, err := r.Ledger.Link(ctx, r.ref.Tenant, ledger.LinkInvitation, r.inviteKey(email))
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
				if err := r.note(ctx, fmt.Sprintf("Frame.io's answer was lost when %s was invited, and it does not tell whether the invitation went out: send them the link if it did not arrive.", email)); err != nil {
					return err
				}
			}
			if sent {
				if err := r.Ledger.Made(ctx, r.ref.Tenant, ledger.LinkInvitation, r.inviteKey(email), "sent", ""); err != nil {
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
		message = fmt.Sprintf("Please review %q until %s.", r.row.Title, r.row.ExpiresAt.UTC().Format("2 January 2006 15:04 UTC"))
	}
	err := r.frameio.Invite(ctx, r.row.ShareID, emails, message, func(ctx context.Context) error {
		for _, e := range emails {
			if _, _, err := r.Ledger.Intend(ctx, r.ref.Tenant, ledger.Link{Kind: ledger.LinkInvitation, SourceID: r.inviteKey(e), Archive: r.ref.Review, Parent: r.row.ShareID, IntendedAt: time.Now()}); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil && !rest.IsUncertain(err) { // certainly not sent
		for _, e := range emails {
			if ferr := r.Ledger.Forget(context.WithoutCancel(ctx), r.ref.Tenant, ledger.LinkInvitation, r.inviteKey(e)); ferr != nil {
				return errors.Join(err, ferr)
			}
		}
	}
	if err != nil {
		return fmt.Errorf("inviting %s: %w", strings.Join(emails, ", "), err)
	}
	for _, e := range emails {
		if err := r.Ledger.Made(context.WithoutCancel(ctx), r.ref.Tenant, ledger.LinkInvitation, r.inviteKey(e), "sent", ""); err != nil {
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
	for after := ""; ; {
		links, next, err := r.Ledger.Links(ctx, r.ref.Tenant, r.ref.Review, ledger.LinkInvitation, after, 200)
		if err != nil {
			return false, false, err
		}
		for _, l := range links {
			if l.TargetID != "" && strings.HasPrefix(l.SourceID, r.shareKey()+"/") { // others are of links before
				certain++
			}
		}
		if after = next; after == "" {
			break
		}
	}
	return have.Count < 0 || have.Count > certain, have.Count >= 0, nil
}
