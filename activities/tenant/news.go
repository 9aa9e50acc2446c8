package tenant

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/framebridge/framebridge/clients/iconik"
	"github.com/framebridge/framebridge/clients/mail"
	"github.com/framebridge/framebridge/config"
	"github.com/framebridge/framebridge/events"
	"github.com/framebridge/framebridge/ledger"
)

// News is what operators are told, once per key.
type News struct {
	Key         string
	Kind        events.Kind
	But         string // a channel to leave out
	Title, Text string
	To          []string // recipients of the mail instead of all of the tenant's operators
}

// Happening is something that people and programs are told, once per key.
type Happening struct {
	Key   string
	Kind  events.Kind
	Data  events.Data
	Owner string   // the archive or migration that it is about
	Asked []string // who requested it, by mail address
	But   []string // channels to leave out
	Apart bool     // it gets a mail of its own
}

// Tell stores an event for the channels, and for mail to whoever requested it and to archive.notify. It waits for none of them,
// and nothing is lost once it has returned. It returns the deliveries to pass to Start.
func (t *Tenant) Tell(ctx context.Context, h Happening) ([]ledger.Delivery, error) {
	told, err := t.Announce(ctx, h.Key, h.Kind, h.Data, h.But...)
	if err != nil || h.Apart || !events.Mailed(t.Config.Notify.MailEvents, h.Kind) {
		return told, err
	}
	return told, t.Mail.Post(ctx, Letter{ID: h.Key, Owner: h.Owner, Kind: h.Kind, Subject: h.Data.Title, Text: letterOf(h.Data), Asked: h.Asked, Others: t.Config.Archive.Notify})
}

// letterOf returns an event as the text of a mail.
func letterOf(d events.Data) string {
	var b strings.Builder
	b.WriteString(strings.TrimSpace(d.Text) + "\n")
	for _, f := range d.Facts {
		fmt.Fprintf(&b, "\n%s: %s", f.Name, f.Value)
	}
	for _, l := range d.Links {
		fmt.Fprintf(&b, "\n%s: %s", l.Name, l.URL)
	}
	return strings.TrimSpace(b.String()) + "\n"
}

// Starter starts a delivery's workflow.
type Starter func(ctx context.Context, d ledger.Delivery) error

// Announce stores an event for the channels that want it, once per key, after which it cannot be lost. The caller either starts
// the returned deliveries with Start or leaves that to the worker that looks after deliveries.
func (t *Tenant) Announce(ctx context.Context, key string, kind events.Kind, data events.Data, but ...string) ([]ledger.Delivery, error) {
	var channels []string
	for _, c := range t.Config.Notify.Channels() {
		_, filter := t.Config.Notify.Channel(c)
		if events.Wanted(filter, kind) && !slices.Contains(but, c) && (c == config.ChannelWebhook || !isNoNews(kind, data)) {
			channels = append(channels, c)
		}
	}
	data.Urgent = kind.Entry().Urgent
	return t.Ledger.Publish(ctx, events.Event{ID: events.ID(t.ID, key), Type: kind, Created: time.Now().UTC().Truncate(time.Microsecond), Tenant: t.ID, Data: data}, channels)
}

// isNoNews reports whether people need not hear of an event: a run that found nothing to do. Programs may be waiting for its end.
func isNoNews(kind events.Kind, data events.Data) bool {
	return (kind == events.ArchiveVerified || kind == events.ArchiveExceptions) && data.Changed != nil && !*data.Changed
}

// Start starts deliveries. One that cannot be started now is started later.
func (t *Tenant) Start(ctx context.Context, all []ledger.Delivery) {
	for _, d := range all {
		if t.start == nil {
			return
		}
		if err := t.start(ctx, d); err != nil {
			t.Log.WarnContext(ctx, "a notification waits until Temporal can be reached", "tenant", t.Config.Name, "channel", d.Channel, "event", d.Type, "error", err)
		}
	}
}

// Publish announces an event and starts its deliveries.
func (t *Tenant) Publish(ctx context.Context, key string, kind events.Kind, data events.Data, but ...string) error {
	all, err := t.Announce(ctx, key, kind, data, but...)
	if err == nil {
		t.Start(ctx, all)
	}
	return err
}

// TellOperators tells a tenant's operators by mail and on the channels.
func (t *Tenant) TellOperators(ctx context.Context, n News) error {
	var but []string
	if n.But != "" {
		but = []string{n.But}
	}
	if err := t.Publish(ctx, n.Key, n.Kind, events.Data{Title: n.Title, Text: n.Text, Object: "tenant", ObjectID: t.ID, Name: t.Config.Name}, but...); err != nil {
		return err
	}
	to := n.To
	if to == nil {
		to = t.operators()
	}
	if !events.Wanted(t.Config.Notify.MailEvents, n.Kind) {
		return nil
	}
	return t.Mail.SendOnce(ctx, "", mail.Message{ID: n.Key, To: to, Subject: n.Title, Text: n.Text + "\n"})
}

// NotifyInIconik sends a notification from Framebridge's own user in iconik, once per key. owner is the archive or review that
// it is about. One that iconik refuses is not sent again.
func (t *Tenant) NotifyInIconik(ctx context.Context, key, owner string, n iconik.Notification) error {
	me, err := t.CurrentUser(ctx)
	if err != nil {
		return err
	}
	n.SenderID = me.ID
	_, isNew, err := t.Ledger.Intend(ctx, ledger.Link{Kind: ledger.LinkMail, SourceID: key, Archive: owner, IntendedAt: time.Now()})
	if err != nil || !isNew {
		return err
	}
	return t.Iconik.Users.Notify(ctx, n)
}
