package workflows

import (
	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/workflow"
)

// NotificationInput is one event to deliver to one channel. Its content is in the ledger.
type NotificationInput struct {
	Tenant  string `json:"tenant"`
	Event   string `json:"event"`
	Channel string `json:"channel"`
}

// NotificationResult is the outcome of a delivery; see ledger.DeliveryStatus.
type NotificationResult struct {
	Status string `json:"status"`
	Reason string `json:"reason,omitempty"`
}

// EndNotificationInput ends a delivery that no receiver accepted.
type EndNotificationInput struct {
	NotificationInput
	Reason string `json:"reason"`
}

// The activities of a notification.
var (
	ActDeliverEvent = declare[NotificationInput, NotificationResult]("DeliverEvent")
	ActEndDelivery  = declare[EndNotificationInput, NotificationResult]("EndDelivery")
)

// Notification delivers one event to one channel, retrying for as long as the event may still be useful to somebody.
func Notification(ctx workflow.Context, in NotificationInput) (NotificationResult, error) {
	res, err := ActDeliverEvent.Execute(forDelivery(ctx, "send to "+in.Channel), in)
	if err == nil {
		return res, nil
	}
	reason := reasonOf(err)
	if temporal.IsCanceledError(err) {
		reason = "canceled in Temporal"
	}
	ctx, cancel := workflow.NewDisconnectedContext(ctx)
	defer cancel()
	return ActEndDelivery.Execute(forFinish(ctx, "record that it was not delivered"), EndNotificationInput{NotificationInput: in, Reason: reason})
}
