package activities

import (
	"context"
	"log/slog"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/framebridge/framebridge/activities/tenant"
	"github.com/framebridge/framebridge/clients/mail/mailtest"
	"github.com/framebridge/framebridge/config"
	"github.com/framebridge/framebridge/events"
	"github.com/framebridge/framebridge/ledger"
	"github.com/framebridge/framebridge/ledger/outbox"
	"github.com/framebridge/framebridge/test/emptyledger"
)

const digested = "0419e0c5-6fed-4b66-bf0f-f8a99d44bcd0"

// office is a worker's post office at a given time.
type office struct {
	*postman
	server *mailtest.Server
	mail   *tenant.Mail
}

func newOffice(t *testing.T, digest string) *office {
	t.Helper()
	server, err := mailtest.Listen("127.0.0.1:0")
	require.NoError(t, err)
	t.Cleanup(server.Close)
	book, err := ledger.Open(t.Context(), emptyledger.DSN(t))
	require.NoError(t, err)
	t.Cleanup(book.Close)
	live := config.Hold(&config.Config{Mail: config.Mail{SMTPURL: config.Secret(server.URL()), From: "framebridge@example.com"}, Tenants: map[string]*config.Tenant{digested: {ID: digested, Name: "Acme",
		Frameio: config.Frameio{Generation: "legacy", BaseURL: "https://f.example", Token: "x"}, Iconik: config.Iconik{BaseURL: "https://i.example", AppID: "a", AuthToken: "t"},
		Notify: config.Notify{MailDigest: digest, MailDigestAt: "08:00 UTC"}}}})
	log := slog.New(slog.DiscardHandler)
	tenants, err := tenant.NewTenants(live, book, nil, log)
	require.NoError(t, err)
	one, err := tenants.Get(digested)
	require.NoError(t, err)
	return &office{&postman{box: book.Outbox(), tenants: tenants, log: log, now: time.Now}, server, one.Mail}
}

// later moves the worker's clock forward.
func (o *office) later(d time.Duration) { o.now = func() time.Time { return time.Now().Add(d) } }

func (o *office) told(t *testing.T) (all []string) {
	t.Helper()
	for _, m := range o.server.Messages() {
		all = append(all, strings.Join(m.To, " ")+": "+m.Subject)
	}
	return all
}

func TestADigestCarriesEachNewsOnce(t *testing.T) {
	o := newOffice(t, config.DigestHourly)
	tell := func(n int, kind events.Kind) {
		require.NoError(t, o.mail.Tell(t.Context(), tenant.Letter{ID: strconv.Itoa(n), Kind: kind, Subject: "News " + strconv.Itoa(n), Text: "Text of " + strconv.Itoa(n),
			Asked: []string{"sam@post.example"}, Others: []string{"Sam@post.example", "ops@post.example", "rita@post.example"}}))
	}
	for n := range 3 {
		tell(n, events.ArchiveVerified)
		tell(n, events.ArchiveVerified) // an attempt that follows one that died
	}
	tell(3, events.ArchiveFailed)
	now := []string{"sam@post.example: News 0", "sam@post.example: News 1", "sam@post.example: News 2", "sam@post.example ops@post.example rita@post.example: News 3"}
	require.NoError(t, o.sweep(t.Context()))
	assert.Equal(t, now, o.told(t), "whoever asked waits for it, and where somebody must act nobody waits")

	// A worker claims what is due and dies. The next one fails at the server, and then sends.
	o.later(2 * time.Hour)
	taken, err := o.box.Claim(t.Context(), o.now(), 10)
	require.NoError(t, err)
	require.Len(t, taken, 2)
	require.NoError(t, o.sweep(t.Context()))
	assert.Equal(t, now, o.told(t), "the first one may be at it still")
	o.later(3 * time.Hour)
	o.server.Refuse(1)
	require.NoError(t, o.sweep(t.Context()))
	for range 3 {
		o.later(4 * time.Hour)
		require.NoError(t, o.sweep(t.Context()))
	}
	got := o.told(t)[len(now):]
	assert.ElementsMatch(t, []string{"ops@post.example: Acme: 3 notifications", "rita@post.example: Acme: 3 notifications"}, got)
	text := o.server.Messages()[len(now)].Text
	for n := range 3 {
		assert.Equal(t, 1, strings.Count(text, "Text of "+strconv.Itoa(n)))
	}

	tell(5, events.ArchiveVerified)
	o.later(6 * time.Hour)
	require.NoError(t, o.sweep(t.Context()))
	got = o.told(t)[len(now)+2:]
	assert.ElementsMatch(t, []string{"sam@post.example: News 5", "ops@post.example: News 5", "rita@post.example: News 5"}, got, "one alone is sent as it is")
}

func TestNobodyWaitsForThePostman(t *testing.T) {
	o := newOffice(t, config.DigestOff)
	letter := tenant.Letter{ID: "reclaim", Kind: events.ReclaimStopped, Subject: "Stopped", Text: "It has stopped.", Asked: []string{"sam@post.example"}, Others: []string{"ops@post.example"}}
	o.server.Refuse(1)
	for range 2 {
		require.NoError(t, o.mail.Post(t.Context(), letter))
	}
	require.NoError(t, o.sweep(t.Context()))
	assert.Empty(t, o.told(t))
	o.later(time.Hour)
	require.NoError(t, o.sweep(t.Context()))
	require.NoError(t, o.mail.Post(t.Context(), letter))
	o.later(2 * time.Hour)
	require.NoError(t, o.sweep(t.Context()))
	assert.Equal(t, []string{"sam@post.example ops@post.example: Stopped"}, o.told(t))
}

// After each kill, another worker gets the batch, with the same Message-ID.
func TestAKilledPostmanLosesNothing(t *testing.T) {
	o := newOffice(t, config.DigestHourly)
	require.NoError(t, o.mail.Tell(t.Context(), tenant.Letter{ID: "a", Kind: events.ArchiveVerified, Subject: "News", Text: "Text", Others: []string{"ops@post.example"}}))
	o.later(2 * time.Hour)
	batch, err := o.box.Claim(t.Context(), o.now(), 1)
	require.NoError(t, err)
	require.Len(t, batch, 1)
	one, err := o.tenants.Get(digested)
	require.NoError(t, err)
	require.NoError(t, one.Mail.SendBatch(t.Context(), batch[0])) // and the worker is killed before it is recorded
	o.later(3 * time.Hour)
	require.NoError(t, o.sweep(context.WithoutCancel(t.Context())))
	mails := o.server.Messages()
	require.Len(t, mails, 2)
	assert.Equal(t, mails[0].ID, mails[1].ID, "mail programs show it once")
}

// TestAMailThatNoKeyOpensIsNotLost waits for the key, and then at least says that something has happened.
func TestAMailThatNoKeyOpensIsNotLost(t *testing.T) {
	b := outbox.Batch{Attempts: keyAttempts - 1, Mails: []outbox.Mail{{Subject: "Done", Text: "readable"}, {Subject: "Failed", Unreadable: true}}}
	require.ErrorIs(t, readable(b), errUnreadable)
	b.Attempts++
	require.NoError(t, readable(b))
	assert.Equal(t, "readable", b.Mails[0].Text)
	assert.Equal(t, unreadableText, b.Mails[1].Text)
}
