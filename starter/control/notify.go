package control

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/framebridge/framebridge/clients/hooks"
	"github.com/framebridge/framebridge/clients/mail"
	"github.com/framebridge/framebridge/config"
	"github.com/framebridge/framebridge/events"
	"github.com/framebridge/framebridge/notify"
	"github.com/framebridge/framebridge/redact"
	"github.com/framebridge/framebridge/version"
)

// ChannelTest is a channel's response to a test.
type ChannelTest struct {
	Channel string `json:"channel"`
	Status  string `json:"status"` // delivered, failed or off
	Detail  string `json:"detail,omitempty"`
}

// OpenHooks returns the client that posts notifications, with the same rules as a worker's.
func OpenHooks(cfg *config.Config) *hooks.Client {
	return hooks.New(hooks.Guard(cfg.VendorURLs(), cfg.Notify.Allowed()), "framebridge/"+version.Get().Version)
}

// TestNotifications sends a test to each of a tenant's channels from this process and waits for their responses.
func (s *Service) TestNotifications(ctx context.Context, t *config.Tenant) ([]ChannelTest, error) {
	now := time.Now().UTC()
	e := events.Event{ID: events.ID(t.ID, "test:"+rand.Text()), Type: events.Test, Created: now.Truncate(time.Millisecond), Tenant: t.ID, Data: events.Data{
		Title: "Test: Framebridge can reach you", Text: "Someone ran `starter notify test`. You don't need to do anything.", Object: "tenant", ObjectID: t.ID, Name: t.Name,
		Links: []events.Link{{Name: "Open Framebridge", URL: s.Config().HTTP.PublicURL + "/ui"}}}}
	poster := OpenHooks(s.Config())
	var out []ChannelTest
	for _, channel := range []string{config.ChannelSlack, config.ChannelTeams, config.ChannelWebhook} {
		address, _ := t.Notify.Channel(channel)
		if address == "" {
			out = append(out, ChannelTest{channel, "off", ""})
			continue
		}
		body, headers, err := notify.Message(channel, e, t.Name, t.Notify.Webhook.Secret.RevealAll(), now)
		if err != nil {
			return out, err
		}
		code, err := poster.Post(ctx, address.Reveal(), body, headers)
		out = append(out, tested(channel, fmt.Sprintf("HTTP %d", code), err))
	}
	return append(out, s.testMail(ctx, t, e)), nil
}

func (s *Service) testMail(ctx context.Context, t *config.Tenant, e events.Event) ChannelTest {
	var to []string
	for _, a := range slices.Concat(t.Archive.Notify, t.Review.Notify) {
		if !slices.ContainsFunc(to, func(b string) bool { return strings.EqualFold(a, b) }) {
			to = append(to, a)
		}
	}
	m, err := mail.Open(s.Config().Mail)
	switch {
	case err == nil && m == nil:
		return ChannelTest{"mail", "off", "mail.smtp_url is not set"}
	case err == nil && len(to) == 0:
		return ChannelTest{"mail", "off", "archive.notify and review.notify are empty"}
	case err == nil:
		err = m.Send(ctx, mail.Message{ID: e.ID, To: to, Subject: e.Data.Title, Text: e.Data.Text + "\n"})
	}
	return tested("mail", strings.Join(to, ", "), err)
}

func tested(channel, detail string, err error) ChannelTest {
	if err != nil {
		var refused *hooks.Error
		if errors.As(err, &refused) {
			return ChannelTest{channel, "failed", refused.Reason}
		}
		return ChannelTest{channel, "failed", redact.Scrub(err.Error())}
	}
	return ChannelTest{channel, "delivered", detail}
}
