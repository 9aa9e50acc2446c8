package workflows

import (
	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/workflow"
)

// NotificationInput is one event on its way to one channel. What it says is in the ledger.
type NotificationInput struct {
	Tenant  string `json:"tenant"`
	Event   string `json:"event"`
	Channel string `json:"channel"`
}

// NotificationResult is what became of it; see ledger.DeliveryStatus.
type NotificationResult struct {
	Status string `json:"status"`
	Reason string `json:"reason,omitempty"`
}

// EndNotificationInput ends a delivery that nobody accepts.
type EndNotificationInput struct {
	NotificationInput
	Reason string `json:"reason"`
}

// The activities of a notification.
var (
	ActDeliverEvent = declare[NotificationInput, NotificationResult]("DeliverEvent")
	ActEndDelivery  = declare[EndNotificationInput, NotificationResult]("EndDelivery")
)

// Notification brings one event to one channel, for as long as that may still be of use to somebody.
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
