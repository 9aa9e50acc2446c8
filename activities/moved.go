package activities

import (
	"context"
	"fmt"
	"time"

	"github.com/framebridge/framebridge/clients/frameio"
	"github.com/framebridge/framebridge/clients/frameio/open"
	"github.com/framebridge/framebridge/clients/mail"
	"github.com/framebridge/framebridge/clients/rest"
	"github.com/framebridge/framebridge/config"
	"github.com/framebridge/framebridge/ledger"
)

// Frame.io moves accounts from the legacy API to V4 at any moment: the legacy API refuses the token then, and its
// webhooks are switched off.

const tellTimeout = 30 * time.Second

// tokenRefused tells the operators once a day what a refused token means and what to do. What runs waits meanwhile.
func (t *tenant) tokenRefused() {
	t.mu.Lock()
	today := time.Now().UTC().Format(time.DateOnly)
	told := t.refusedTold == today
	t.refusedTold = today
	t.mu.Unlock()
	if told {
		return
	}
	go func() {
		ctx, cancel := context.WithTimeout(context.Background(), tellTimeout)
		defer cancel()
		subject, text := open.MigrationNotice(ctx, t.cfg)
		err := t.mailOnce(ctx, "", mail.Message{ID: "moved:" + today, To: recipients("", append(t.cfg.Archive.Notify, t.cfg.Review.Notify...)), Subject: subject, Text: text})
		if err != nil {
			t.Log.WarnContext(ctx, "operators not told of a refused token", "tenant", t.cfg.ID, "error", err)
		}
	}()
}

// moveOver shares an open review again after its account was moved to another generation: links of the other one cannot
// be changed any more. Files keep their place.
func (r *review) moveOver(ctx context.Context) error {
	now := string(r.frameio.Generation())
	if r.row.Status != ledger.ReviewOpen || !frameio.Migrated(r.frameio, r.row.Generation) && r.row.ShareID != "" {
		return nil
	}
	if frameio.Migrated(r.frameio, r.row.Generation) {
		if err := r.update(ctx, func(row *ledger.Review) {
			row.Generation, row.ShareID, row.ShareURL = now, "", ""
			row.Moves++
		}); err != nil {
			return err
		}
	}
	assets, err := r.assets(ctx)
	if err != nil {
		return err
	}
	if assets, err = r.findAgain(ctx, assets); err != nil {
		return err
	}
	for i, it := range assets {
		if it.State != ledger.AssetReady {
			continue
		}
		f, err := r.frameio.Asset(ctx, it.FileID)
		if rest.IsNotFound(err) {
			if err := r.gone(ctx, it, "the file did not come along when the account was moved, or cannot be told from another"); err != nil {
				return err
			}
			assets[i].State = ledger.AssetGone
			continue
		}
		if err != nil {
			return err
		}
		stack := ""
		if parent, err := r.frameio.Asset(ctx, f.ParentID); err == nil && parent.Kind == frameio.KindStack {
			stack = parent.ID
		}
		if assets[i], err = r.updateAsset(ctx, it.N, func(row *ledger.ReviewAsset) { row.StackID = stack }); err != nil {
			return err
		}
	}
	shown, _, err := r.shareable(ctx, assets)
	if err != nil {
		return err
	}
	if len(shown) == 0 {
		return r.update(ctx, func(row *ledger.Review) { row.ShareID = noShare })
	}
	if err := r.share(ctx, shown); err != nil {
		return err
	}
	if err := r.invite(ctx); err != nil {
		return err
	}
	return r.tell(ctx, fmt.Sprintf("moved:%d", r.row.Moves), "The Frame.io account was moved to "+now+": the review has a new link, and its reviewers were invited again.")
}

// noShare stands for the link of a review that has nothing to show any more.
const noShare = "none"

// shareKey names the review's present link in the ledger.
func (r *review) shareKey() string {
	key := r.ref.Review
	if r.row.Moves > 0 {
		key += fmt.Sprintf("/move%d", r.row.Moves)
	}
	if r.row.Relinks > 0 {
		key += fmt.Sprintf("/link%d", r.row.Relinks)
	}
	return key
}

const (
	signInLook = 12 * time.Hour      // a refresh token ends after 14 days without use
	signInOld  = 10 * 24 * time.Hour // without a renewal, whatever the reason: people have four days left
)

// KeepSignedIn uses each tenant's sign-in at Adobe now and then, so that it does not end while nothing runs, and tells the
// operators on each day on which it is refused, or has not been renewed for long. It returns with ctx.
func (a *Activities) KeepSignedIn(ctx context.Context) {
	for first := true; ; first = false {
		wait := signInLook
		if first {
			wait = time.Minute
		}
		select {
		case <-ctx.Done():
			return
		case <-time.After(wait):
		}
		for id, cfg := range a.Config.Tenants {
			if open.SignsIn(cfg) {
				a.lookAtSignIn(ctx, id, cfg, time.Now())
			}
		}
	}
}

func (a *Activities) lookAtSignIn(ctx context.Context, id string, cfg *config.Tenant, now time.Time) {
	t, err := a.tenant(id)
	if err != nil {
		return
	}
	// A client of its own: it remembers no user, and so asks.
	p, err := open.Platform(cfg, a.Ledger, nil)
	if err == nil {
		_, err = p.Me(ctx)
	}
	why := ""
	if err != nil && rest.ClassOf(err) == rest.Unauthorized {
		why = fmt.Sprintf("Adobe or Frame.io refuses the sign-in: %v", err)
	} else if at, ok, kerr := open.SignInRenewed(ctx, cfg, a.Ledger); kerr == nil && ok && now.Sub(at) > signInOld {
		why = fmt.Sprintf("The sign-in was renewed last on %s, and ends 14 days after that: %v", at.Format("2 January 2006"), err)
	}
	if why == "" {
		return
	}
	err = t.mailOnce(ctx, "", mail.Message{ID: "sign-in:" + now.UTC().Format(time.DateOnly), To: recipients("", append(cfg.Archive.Notify, cfg.Review.Notify...)),
		Subject: fmt.Sprintf("Sign in to Frame.io again: %s", cfg.Name),
		Text:    fmt.Sprintf("Tenant %s (%s). %s\n\nSign in again: starter login --tenant %s\nUntil then archives and reviews of this tenant wait.\n", cfg.Name, id, why, id)})
	if err != nil {
		a.Log.WarnContext(ctx, "operators not told of a refused sign-in", "tenant", id, "error", err)
	}
}
