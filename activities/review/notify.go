package review

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/framebridge/framebridge/activities/attempt"
	"github.com/framebridge/framebridge/activities/tenant"
	"github.com/framebridge/framebridge/clients/iconik"
	"github.com/framebridge/framebridge/clients/mail"
	"github.com/framebridge/framebridge/config"
	"github.com/framebridge/framebridge/ledger"
)

// notify leaves a notification in iconik for whoever clicked, once; a failure stops nothing.
func (r *review) notify(ctx context.Context, short, long string) {
	if r.row.RequestedBy.ID == "" || r.row.JobID == "" {
		return
	}
	key := "notification:" + r.ref.Review + ":" + short
	_, isNew, err := r.tenant.Ledger.Intend(ctx, ledger.Link{Kind: ledger.LinkMail, SourceID: key, Archive: r.ref.Review, IntendedAt: time.Now()})
	if err != nil || !isNew {
		return
	}
	me, err := r.tenant.CurrentUser(ctx)
	if err == nil {
		err = r.iconik.Users.Notify(ctx, iconik.Notification{EventType: "finished", ObjectType: "jobs", ObjectID: r.row.JobID, SubObjectType: "assets",
			RecipientID: r.row.RequestedBy.ID, SenderID: me.ID, Short: short, Long: long})
	}
	if err != nil {
		r.log.WarnContext(ctx, "could not notify a user in iconik", "review", r.ref.Review, "error", err)
	}
}

// mail writes to whoever clicked and to the addresses of review.notify, once for each kind. What cannot be sent for
// mailPatience is logged instead.
func (r *review) mail(ctx context.Context, kind, subject, text string) error {
	var b strings.Builder
	b.WriteString(text + "\n")
	if r.row.ShareURL != "" {
		fmt.Fprintf(&b, "Link:     %s\n", r.row.ShareURL)
	}
	if assets, err := r.assets(ctx); err == nil {
		for _, it := range assets {
			fmt.Fprintf(&b, "Asset:    %s — %s\n", it.Title, r.iconik.AssetURL(it.AssetID))
		}
	}
	for _, n := range r.row.Notes {
		fmt.Fprintf(&b, "Note:     %s\n", n)
	}
	status, err := r.tenant.StatusLink(ctx, r.steps.config.Now(), ledger.LinkedReview, r.ref.Review, config.RoleEditor, r.row.DeleteAt)
	if err != nil {
		return err
	}
	fmt.Fprintf(&b, "Status:   %s\n", status)
	if u := r.steps.workflowURL(r.workflowID()); u != "" {
		fmt.Fprintf(&b, "Workflow: %s\n", u)
	}
	err = r.tenant.Mail.SendOnce(ctx, r.ref.Review, mail.Message{ID: "review:" + r.ref.Review + ":" + kind, To: tenant.Recipients(r.row.RequestedBy.Email, r.cfg.Review.Notify), Subject: subject, Text: b.String()})
	if err != nil && ctx.Err() == nil && time.Since(attempt.Of(ctx).Scheduled()) > r.steps.mailPatience {
		r.log.ErrorContext(ctx, "could not send a mail; the review continues without it", "review", r.ref.Review, "subject", subject, "error", err)
		return r.audit(ctx, ledger.ActorSystem, "mail not sent", subject)
	}
	return err
}
