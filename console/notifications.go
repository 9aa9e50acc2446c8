package console

import (
	"context"
	"fmt"
	"strings"

	"github.com/framebridge/framebridge/console/page"
	"github.com/framebridge/framebridge/english"
	"github.com/framebridge/framebridge/ledger"
	"github.com/framebridge/framebridge/redact"
)

const deliveriesShown = 25

var deliveryBadges = map[ledger.DeliveryStatus]page.Badge{ledger.DeliveryDelivered: page.Good("Delivered"), ledger.DeliveryPending: page.Fair("Retrying"),
	ledger.DeliveryUncertain: page.Fair("No answer"),
	ledger.DeliveryFailed:    page.Bad("Refused"), ledger.DeliverySkipped: page.Off("Skipped")}

// deliveryLine is a notification sent to a channel.
type deliveryLine struct {
	Channel, Title, Type, Why string
	Badge                     page.Badge
	When                      page.Moment
}

// deliveries returns the tenant's latest notifications on Slack, Teams and the webhook.
func (c *console) deliveries(ctx context.Context, v visit) ([]deliveryLine, error) {
	rows, _, err := v.ledger.Deliveries(ctx, ledger.DeliveryFilter{}, "", deliveriesShown)
	if err != nil {
		return nil, err
	}
	var out []deliveryLine
	for _, d := range rows {
		line := deliveryLine{Channel: strings.ToUpper(d.Channel[:1]) + d.Channel[1:], Title: d.Title, Type: string(d.Type), Why: redact.Scrub(d.Reason),
			Badge: page.Labeled(deliveryBadges, d.Status), When: c.moment(d.CreatedAt)}
		if d.Attempts > 1 {
			line.Why = strings.TrimPrefix(fmt.Sprintf("%s; %s", line.Why, english.Count(d.Attempts, "attempt")), "; ")
		}
		out = append(out, line)
	}
	return out, nil
}
