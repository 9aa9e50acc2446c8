package doctor

import (
	"context"
	"errors"

	"github.com/framebridge/framebridge/clients/hooks"
	"github.com/framebridge/framebridge/config"
	"github.com/framebridge/framebridge/english"
	"github.com/framebridge/framebridge/ledger"
)

// notifyChecks connect to the channels but send nothing. Use `starter notify test` for that.
func notifyChecks() []Definition {
	check := func(channel, id, name string) Definition {
		return Definition{ID: id, Meaning: "Notifications do not reach " + name + ".", Do: "Check the address, then run `starter notify test`. GET /deliveries lists what was refused and why.",
			needs: []string{"config.valid"}, run: func(ctx context.Context, x *exam) finding { return reachChannel(ctx, x, channel) }}
	}
	return []Definition{
		check(config.ChannelSlack, "notify.slack", "Slack (notify.slack_url)"), check(config.ChannelTeams, "notify.teams", "Teams (notify.teams_url)"),
		check(config.ChannelWebhook, "notify.webhook", "the webhook (notify.webhook.url)"),
	}
}

func reachChannel(ctx context.Context, x *exam, channel string) finding {
	address, _ := x.tenant.Notify.Channel(channel)
	if address == "" {
		return skip("not configured")
	}
	poster := hooks.New(hooks.Guard(x.Config.VendorURLs(), x.Config.Notify.Allowed()), "framebridge-doctor")
	if err := poster.Reach(ctx, address.Reveal()); err != nil {
		return fail("%v", err)
	}
	if x.Ledger == nil {
		return ok("the server responds")
	}
	h := x.Ledger.Tenant(x.tenant.ID)
	failed, any, err := h.LastDeliveryOn(ctx, channel, ledger.DeliveryFailed)
	good, been, gerr := h.LastDeliveryOn(ctx, channel, ledger.DeliveryDelivered)
	switch err = errors.Join(err, gerr); {
	case err != nil:
		return warn("the server responds, but the ledger does not: %v", err)
	case any && (!been || failed.LastAt.After(good.LastAt)):
		return warn("the server responds, but it refused the last notification: %s", failed.Reason)
	case been:
		return ok("the server responds; it accepted the last notification on %s", english.RecentMinute(good.LastAt))
	}
	return ok("the server responds; nothing has been sent yet")
}
