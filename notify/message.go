package notify

import (
	"fmt"
	"time"

	"github.com/framebridge/framebridge/events"
)

// Message returns what to send to a channel: a body, and headers other than its type. tenant is the tenant's name for people.
// secrets sign what goes to a webhook.
func Message(channel string, e events.Event, tenant string, secrets []string, now time.Time) (body []byte, headers map[string]string, err error) {
	switch channel {
	case "slack":
		body, err = Slack(e, tenant)
	case "teams":
		body, err = Teams(e, tenant)
	case "webhook":
		body, err = Webhook(e)
		headers = map[string]string{SignatureHeader: Sign(body, secrets, now), EventHeader: e.ID}
	default:
		err = fmt.Errorf("there is no channel %q", channel)
	}
	return body, headers, err
}
