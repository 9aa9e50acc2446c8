package activities

import (
	"context"
	"fmt"
	"time"

	"github.com/framebridge/framebridge/english"
	"github.com/framebridge/framebridge/events"
)

const toldPause = 5 * time.Minute // the shortest pause that channels are told about

// announcePause tells a tenant's channels, at most once an hour, that a vendor has asked for a long pause.
func (a *Activities) announcePause(tenant, vendor, operation string, pause time.Duration) {
	ctx, cancel := context.WithTimeout(context.Background(), tellPatience)
	defer cancel()
	t, err := a.tenants.Get(tenant)
	if err != nil {
		return
	}
	now := time.Now().UTC()
	err = t.Publish(ctx, "pause:"+vendor+":"+now.Format("2006-01-02T15"), events.VendorPause, events.Data{
		Title: fmt.Sprintf("%s asked Framebridge to pause for %s", vendor, english.Duration(pause)),
		Text:  fmt.Sprintf("Work that needs %s waits until about %s and then continues by itself.", vendor, now.Add(pause).Format("15:04 UTC")), Object: "tenant", ObjectID: t.ID, Name: t.Config.Name,
		Facts: []events.Fact{{Name: "Call", Value: operation}}})
	if err != nil {
		a.log.WarnContext(ctx, "could not report a vendor's pause", "tenant", t.Config.Name, "error", err)
	}
}
