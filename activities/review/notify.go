package review

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/framebridge/framebridge/activities/attempt"
	"github.com/framebridge/framebridge/activities/tenant"
	"github.com/framebridge/framebridge/clients/iconik"
	"github.com/framebridge/framebridge/config"
	"github.com/framebridge/framebridge/events"
	"github.com/framebridge/framebridge/ledger"
	"github.com/framebridge/framebridge/routes"
)

// notify sends whoever clicked a notification in iconik, once. A failure stops nothing.
func (r *review) notify(ctx context.Context, short, long string) {
	if r.row.RequestedBy.ID == "" || r.row.JobID == "" {
		return
	}
	if err := r.tenant.NotifyInIconik(ctx, "notification:"+r.ref.Review+":"+short, r.ref.Review, iconik.Notification{EventType: "finished", ObjectType: "jobs",
		ObjectID: r.row.JobID, SubObjectType: "assets", RecipientID: r.row.RequestedBy.ID, Short: short, Long: long}); err != nil {
		r.log.WarnContext(ctx, "could not notify a user in iconik", "review", r.ref.Review, "error", err)
	}
}

// kindOf returns the event kind for a mail of a kind.
func (r *review) kindOf(mail string) events.Kind {
	mail, _, _ = strings.Cut(mail, ":")
	stopped := r.row.Status == ledger.ReviewStopped
	switch {
	case mail == "open":
		return events.ReviewOpen
	case mail == "warning":
		return events.ReviewWarning
	case mail == "deleted":
		return events.ReviewDeleted
	case mail == "kept", mail == "link":
		return events.ReviewChanged
	case stopped:
		return events.ReviewStopped
	case mail == "ended":
		return events.ReviewExpired
	case mail == "failed":
		return events.ReviewFailed
	}
	return events.ReviewChanged
}

// tell sends mail to whoever clicked and to the addresses in review.notify, and an event to the tenant's channels, once per
// kind. Mail that cannot be sent within mailPatience is logged instead.
func (r *review) tell(ctx context.Context, kind, subject, text string) error {
	assets, err := r.assets(ctx)
	if err != nil {
		return err
	}
	event := r.kindOf(kind)
	if err := r.tenant.Publish(ctx, "review:"+r.ref.Review+":"+kind, event, r.eventData(subject, text, assets)); err != nil {
		return err
	}
	if !events.Wanted(r.cfg.Notify.MailEvents, event) {
		return nil
	}
	err = r.mail(ctx, kind, subject, text, assets)
	if err != nil && ctx.Err() == nil && time.Since(attempt.Of(ctx).Scheduled()) > r.steps.mailPatience {
		r.log.ErrorContext(ctx, "could not send a mail; the review continues without it", "review", r.ref.Review, "subject", subject, "error", err)
		return r.audit(ctx, ledger.ActorSystem, "mail not sent", subject)
	}
	return err
}

// eventData returns what channels and programs receive. All of its links need an account, except the review's own.
func (r *review) eventData(title, text string, assets []ledger.ReviewAsset) events.Data {
	d := events.Data{Title: title, Text: strings.TrimSpace(text), Object: "review", ObjectID: r.ref.Review, Name: r.row.Title, Status: string(r.row.Status),
		Counts: map[string]int64{"assets": int64(len(assets)), "reviewers": int64(len(r.row.Reviewers))}}
	link := func(name, url string) {
		if url != "" {
			d.Links = append(d.Links, events.Link{Name: name, URL: url})
		}
	}
	link("Open in Framebridge", routes.ConsoleReview(r.steps.Config.Now(), r.tenant.ID, r.ref.Review))
	if r.row.Status == ledger.ReviewOpen {
		link("Open the review", r.row.ShareURL)
	}
	if len(assets) == 1 {
		link("Open in iconik", r.iconik.AssetURL(assets[0].AssetID))
	}
	link("Open in Temporal", r.steps.WorkflowURL(r.workflowID()))
	return d
}

func (r *review) mail(ctx context.Context, kind, subject, text string, assets []ledger.ReviewAsset) error {
	var b strings.Builder
	b.WriteString(text + "\n")
	if r.row.ShareURL != "" {
		fmt.Fprintf(&b, "Link:     %s\n", r.row.ShareURL)
	}
	for _, it := range assets {
		fmt.Fprintf(&b, "Asset:    %s — %s\n", it.Title, r.iconik.AssetURL(it.AssetID))
	}
	for _, n := range r.row.Notes {
		fmt.Fprintf(&b, "Note:     %s\n", n)
	}
	status, err := r.tenant.StatusLink(ctx, r.steps.Config.Now(), ledger.LinkedReview, r.ref.Review, config.RoleEditor, r.row.DeleteAt)
	if err != nil {
		return err
	}
	fmt.Fprintf(&b, "Status:   %s\n", status)
	if u := r.steps.WorkflowURL(r.workflowID()); u != "" {
		fmt.Fprintf(&b, "Workflow: %s\n", u)
	}
	return r.tenant.Mail.Tell(ctx, tenant.Letter{ID: "review:" + r.ref.Review + ":" + kind, Owner: r.ref.Review, Kind: r.kindOf(kind), Subject: subject, Text: b.String(), Asked: []string{r.row.RequestedBy.Email}, Others: r.cfg.Review.Notify})
}
