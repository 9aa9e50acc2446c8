// Package delivery sends events to a tenant's channels: Slack, Teams and a webhook. The ledger knows what has arrived.
package delivery

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/framebridge/framebridge/activities/attempt"
	"github.com/framebridge/framebridge/activities/fault"
	"github.com/framebridge/framebridge/activities/tenant"
	"github.com/framebridge/framebridge/clients/hooks"
	"github.com/framebridge/framebridge/config"
	"github.com/framebridge/framebridge/events"
	"github.com/framebridge/framebridge/ledger"
	"github.com/framebridge/framebridge/notify"
	"github.com/framebridge/framebridge/workflows"
)

const (
	failingAfter  = time.Hour // failing for this long, people are told that a channel accepts nothing
	mostUncertain = 2         // attempts with an unknown outcome
)

// Poster posts a body. Its error is a *hooks.Error.
type Poster interface {
	Post(ctx context.Context, address string, body []byte, headers map[string]string) (int, error)
}

// Activities holds the activities of a notification.
type Activities struct {
	tenant func(id string) (*tenant.Tenant, error)
	poster Poster
	log    *slog.Logger
}

// New returns the activities. tenant returns a tenant by its ID.
func New(tenant func(id string) (*tenant.Tenant, error), poster Poster, log *slog.Logger) *Activities {
	return &Activities{tenant: tenant, poster: poster, log: log}
}

// delivery is one event on its way to a channel, as one attempt handles it.
type delivery struct {
	*tenant.Tenant
	in    workflows.NotificationInput
	row   ledger.Delivery
	event events.Event
}

func (a *Activities) open(ctx context.Context, in workflows.NotificationInput) (d *delivery, ok bool, err error) {
	t, err := a.tenant(in.Tenant)
	if err != nil {
		return nil, false, err
	}
	d = &delivery{Tenant: t, in: in}
	if d.row, ok, err = t.Ledger.Delivery(ctx, in.Event, in.Channel); err != nil || !ok {
		return d, false, err
	}
	d.event, ok, err = t.Ledger.Event(ctx, in.Event)
	return d, ok, err
}

// DeliverEvent sends an event to a channel unless it has arrived. In Slack and Teams nothing distinguishes a message from the same
// one sent again. After an attempt with an unknown outcome, it is sent there once more if somebody must act: reading it twice is
// better than never. Any other event counts as arrived, and operators are told. A webhook's receiver can use the event's ID.
func (a *Activities) DeliverEvent(ctx context.Context, in workflows.NotificationInput) (workflows.NotificationResult, error) {
	d, ok, err := a.open(ctx, in)
	switch {
	case err != nil:
		return workflows.NotificationResult{}, err
	case !ok:
		return workflows.NotificationResult{Status: string(ledger.DeliverySkipped), Reason: "the event was forgotten"}, nil
	case d.row.Status != ledger.DeliveryPending:
		return workflows.NotificationResult{Status: string(d.row.Status), Reason: d.row.Reason}, nil
	}
	address, _ := d.Config.Notify.Channel(in.Channel)
	switch {
	case address == "":
		return d.end(ctx, ledger.DeliverySkipped, 0, "the channel is no longer configured")
	case !d.row.SendingAt.IsZero() && !d.again(d.row.Attempts):
		return a.uncertain(ctx, d, 0, "a worker stopped while it was being sent")
	}
	body, headers, err := notify.Message(in.Channel, d.event, d.Config.Name, d.Config.Notify.Webhook.Secret.RevealAll(), time.Now())
	if err != nil {
		return workflows.NotificationResult{}, err
	}
	if err := d.Ledger.BeginAttempt(ctx, in.Event, in.Channel); err != nil {
		return workflows.NotificationResult{}, err
	}
	code, err := a.poster.Post(ctx, address.Reveal(), body, headers)
	if err == nil {
		return d.end(ctx, ledger.DeliveryDelivered, code, "")
	}
	var refused *hooks.Error
	if !errors.As(err, &refused) {
		refused = &hooks.Error{Uncertain: true, Reason: fault.Scrubbed(err)}
	}
	return a.refused(ctx, d, refused)
}

func (a *Activities) refused(ctx context.Context, d *delivery, e *hooks.Error) (workflows.NotificationResult, error) {
	switch {
	case e.Uncertain && !d.again(d.row.Attempts+1):
		return a.uncertain(ctx, d, e.Code, e.Reason)
	case e.Lasting:
		res, err := d.end(ctx, ledger.DeliveryFailed, e.Code, e.Reason)
		if err != nil {
			return res, err
		}
		return res, a.tell(ctx, d, e.Reason)
	}
	if _, err := d.end(ctx, ledger.DeliveryPending, e.Code, e.Reason); err != nil {
		return workflows.NotificationResult{}, err
	}
	if time.Since(attempt.Of(ctx).Scheduled()) > failingAfter {
		if err := a.tell(ctx, d, e.Reason); err != nil {
			a.log.WarnContext(ctx, "could not report that a channel is failing", "tenant", d.Config.Name, "channel", d.in.Channel, "error", err)
		}
	}
	return workflows.NotificationResult{}, &fault.Error{Type: "Channel " + d.in.Channel, Text: fmt.Sprintf("%s: %s", d.in.Channel, e.Reason), RetryIn: e.RetryAfter}
}

// again reports whether a message may be sent once more after the given number of attempts, the last of which may have arrived.
func (d *delivery) again(attempts int) bool {
	return d.in.Channel == config.ChannelWebhook || d.event.Data.Urgent && attempts < mostUncertain
}

// uncertain records that an event may or may not have arrived, and tells the operators.
func (a *Activities) uncertain(ctx context.Context, d *delivery, code int, reason string) (workflows.NotificationResult, error) {
	res, err := d.end(ctx, ledger.DeliveryUncertain, code, reason)
	if err != nil {
		return res, err
	}
	return res, a.tell(ctx, d, "it may or may not have arrived: "+reason)
}

// end records how an attempt ended, even if its worker is stopping.
func (d *delivery) end(ctx context.Context, status ledger.DeliveryStatus, code int, reason string) (workflows.NotificationResult, error) {
	err := d.Ledger.EndAttempt(context.WithoutCancel(ctx), d.in.Event, d.in.Channel, status, code, reason)
	return workflows.NotificationResult{Status: string(status), Reason: reason}, err
}

// EndDelivery gives up on delivering an event to a channel that has not accepted it for days.
func (a *Activities) EndDelivery(ctx context.Context, in workflows.EndNotificationInput) (workflows.NotificationResult, error) {
	d, ok, err := a.open(ctx, in.NotificationInput)
	if err != nil || !ok || d.row.Status != ledger.DeliveryPending {
		return workflows.NotificationResult{Status: string(ledger.DeliveryFailed), Reason: in.Reason}, err
	}
	res, err := d.end(ctx, ledger.DeliveryFailed, d.row.Code, in.Reason)
	if err != nil {
		return res, err
	}
	return res, a.tell(ctx, d, in.Reason)
}

// tell tells a tenant's operators, once a day, that a channel does not accept what it is sent.
func (a *Activities) tell(ctx context.Context, d *delivery, reason string) error {
	a.log.ErrorContext(ctx, "a channel does not accept notifications", "tenant", d.Config.Name, "channel", d.in.Channel, "event", d.event.Type, "reason", reason)
	if d.event.Type == events.DeliveryFailing {
		return nil
	}
	return d.TellOperators(ctx, tenant.News{Key: "channel:" + d.in.Channel + ":" + time.Now().UTC().Format(time.DateOnly), Kind: events.DeliveryFailing, But: d.in.Channel,
		Title: fmt.Sprintf("Notifications do not reach %s: %s", d.Config.Name, channelName(d.in.Channel)),
		Text: fmt.Sprintf("%s does not accept what Framebridge sends: %s\n\nThe notification was: %s\n\nWhat to do: check tenants.%s.notify in the configuration, then run: starter notify test --tenant %s",
			channelName(d.in.Channel), reason, d.event.Data.Title, d.ID, d.ID)})
}

func channelName(channel string) string {
	return map[string]string{config.ChannelSlack: "Slack", config.ChannelTeams: "Teams", config.ChannelWebhook: "the webhook"}[channel]
}
