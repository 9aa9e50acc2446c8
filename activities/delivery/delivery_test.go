package delivery

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/framebridge/framebridge/activities/fault"
	"github.com/framebridge/framebridge/activities/tenant"
	"github.com/framebridge/framebridge/clients/hooks"
	"github.com/framebridge/framebridge/clients/mail"
	"github.com/framebridge/framebridge/config"
	"github.com/framebridge/framebridge/events"
	"github.com/framebridge/framebridge/ledger"
	"github.com/framebridge/framebridge/test/emptyledger"
	"github.com/framebridge/framebridge/workflows"
)

const tenantID = "0419e0c5-6fed-4b66-bf0f-f8a99d44bcd0"

// receiver is somebody's server, which answers as told and keeps what it accepted.
type receiver struct {
	*httptest.Server
	mu       sync.Mutex
	codes    []int // of the next answers; then 200
	accepted [][]byte
	heads    []http.Header
	paths    []string
}

func receive(t *testing.T) *receiver {
	r := &receiver{}
	r.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		body, _ := io.ReadAll(req.Body)
		r.mu.Lock()
		defer r.mu.Unlock()
		code := http.StatusOK
		if len(r.codes) > 0 {
			code, r.codes = r.codes[0], r.codes[1:]
		}
		if code == 200 {
			r.accepted, r.heads, r.paths = append(r.accepted, body), append(r.heads, req.Header), append(r.paths, req.URL.Path)
		}
		w.WriteHeader(code)
	}))
	t.Cleanup(r.Close)
	return r
}

type outbox struct {
	mu   sync.Mutex
	sent []mail.Message
}

func (o *outbox) Send(_ context.Context, m mail.Message) error {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.sent = append(o.sent, m)
	return nil
}

type site struct {
	*Activities
	t    *testing.T
	one  *tenant.Tenant
	mail *outbox
	log  *strings.Builder
}

func newSite(t *testing.T, n config.Notify, poster Poster) *site {
	book, err := ledger.Open(t.Context(), emptyledger.DSN(t))
	require.NoError(t, err)
	t.Cleanup(book.Close)
	s := &site{t: t, mail: &outbox{}, log: &strings.Builder{}}
	log := slog.New(slog.NewTextHandler(s.log, nil))
	cfg := &config.Tenant{ID: tenantID, Name: "Acme", Notify: n, Archive: config.Archive{Notify: []string{"ops@example.com"}}}
	s.one = tenant.New(cfg, book, nil, nil, s.mail, log)
	if poster == nil {
		poster = hooks.New(hooks.Guard(nil, []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}), "framebridge/test")
	}
	s.Activities = New(func(string) (*tenant.Tenant, error) { return s.one, nil }, poster, log)
	return s
}

func (s *site) publish(kind events.Kind) string {
	s.t.Helper()
	require.NoError(s.t, s.one.Publish(s.t.Context(), "k", kind, events.Data{Title: "A title", Object: "archive", ObjectID: "p"}))
	return events.ID(tenantID, "k")
}

func (s *site) deliver(event, channel string) (workflows.NotificationResult, error) {
	return s.DeliverEvent(s.t.Context(), workflows.NotificationInput{Tenant: tenantID, Event: event, Channel: channel})
}

func (s *site) row(event, channel string) ledger.Delivery {
	d, ok, err := s.one.Ledger.Delivery(s.t.Context(), event, channel)
	require.NoError(s.t, err)
	require.True(s.t, ok)
	return d
}

// verify does what a receiver does according to the manual.
func verify(header string, body []byte, secret string) error {
	var stamp string
	var signatures []string
	for part := range strings.SplitSeq(header, ",") {
		name, value, _ := strings.Cut(part, "=")
		switch name {
		case "t":
			stamp = value
		case "v1":
			signatures = append(signatures, value)
		}
	}
	at, err := strconv.ParseInt(stamp, 10, 64)
	if err != nil || time.Since(time.Unix(at, 0)).Abs() > 5*time.Minute {
		return errors.New("stale")
	}
	mac := hmac.New(sha256.New, []byte(secret))
	fmt.Fprintf(mac, "%s.%s", stamp, body)
	for _, s := range signatures {
		if hmac.Equal([]byte(s), []byte(hex.EncodeToString(mac.Sum(nil)))) {
			return nil
		}
	}
	return errors.New("no signature fits")
}

func TestAnEventReachesEachChannelOnce(t *testing.T) {
	r := receive(t)
	s := newSite(t, config.Notify{SlackURL: config.Secret(r.URL + "/slack"), TeamsURL: config.Secret(r.URL + "/teams"),
		Webhook: config.Webhook{URL: config.Secret(r.URL + "/hook"), Secret: config.Secrets{"the new secret, long enough", "the old secret, long enough"}}}, nil)
	event := s.publish(events.ArchiveFailed)
	s.publish(events.ArchiveFailed)
	for _, channel := range []string{"slack", "teams", "webhook"} {
		for range 3 { // retries of the workflow, or of one that was started twice
			res, err := s.deliver(event, channel)
			require.NoError(t, err)
			assert.Equal(t, "delivered", res.Status)
		}
		assert.Equal(t, 1, s.row(event, channel).Attempts)
	}
	require.Equal(t, []string{"/slack", "/teams", "/hook"}, r.paths)
	header := r.heads[2].Get("Framebridge-Signature")
	require.NoError(t, verify(header, r.accepted[2], "the new secret, long enough"))
	require.NoError(t, verify(header, r.accepted[2], "the old secret, long enough"))
	require.Error(t, verify(header, r.accepted[2], "another secret, long enough"))
	require.Error(t, verify(header, append(r.accepted[2], ' '), "the new secret, long enough"))
	assert.Empty(t, r.heads[0].Get("Framebridge-Signature"))
	var got events.Event
	require.NoError(t, json.Unmarshal(r.accepted[2], &got))
	assert.Equal(t, event, got.ID)
	assert.Equal(t, event, r.heads[2].Get("Framebridge-Event-Id"))
	assert.Equal(t, events.ArchiveFailed, got.Type)
	assert.Equal(t, tenantID, got.Tenant)
	assert.True(t, got.Data.Urgent)
}

func TestARefusalIsTriedAgainWhereThatMayHelp(t *testing.T) {
	r := receive(t)
	r.codes = []int{503, 429}
	s := newSite(t, config.Notify{SlackURL: config.Secret(r.URL + "/slack")}, nil)
	event := s.publish(events.ArchiveFailed)
	for _, code := range []int{503, 429} {
		_, err := s.deliver(event, "slack")
		var again *fault.Error
		require.ErrorAs(t, err, &again)
		assert.False(t, again.Final)
		assert.Equal(t, code, s.row(event, "slack").Code)
		assert.Equal(t, ledger.DeliveryPending, s.row(event, "slack").Status)
	}
	res, err := s.deliver(event, "slack")
	require.NoError(t, err)
	assert.Equal(t, "delivered", res.Status)
	assert.Len(t, r.accepted, 1)
	assert.Empty(t, s.mail.sent)
}

func TestARefusalForGoodIsToldOnce(t *testing.T) {
	for _, code := range []int{410, 404, 400, 308} {
		r, other := receive(t), receive(t)
		r.codes = []int{code, code}
		s := newSite(t, config.Notify{SlackURL: config.Secret(r.URL + "/slack/very-secret"), TeamsURL: config.Secret(other.URL + "/teams")}, nil)
		for _, key := range []string{"one", "two"} {
			require.NoError(t, s.one.Publish(t.Context(), key, events.ArchiveFailed, events.Data{Title: "A title"}))
			res, err := s.deliver(events.ID(tenantID, key), "slack")
			require.NoError(t, err)
			assert.Equal(t, "failed", res.Status, code)
			assert.Contains(t, res.Reason, strconv.Itoa(code))
		}
		require.Len(t, s.mail.sent, 1, "once a day")
		assert.Contains(t, s.mail.sent[0].Text, "starter notify test --tenant "+tenantID)
		assert.NotContains(t, s.mail.sent[0].Text+s.log.String(), "very-secret")
		all, _, err := s.one.Ledger.Deliveries(t.Context(), ledger.DeliveryFilter{}, "", 50)
		require.NoError(t, err)
		var told []string
		for _, d := range all {
			if d.Type == events.DeliveryFailing {
				told = append(told, d.Channel)
			}
		}
		assert.Equal(t, []string{"teams"}, told, "not the one that fails")
	}
}

// lost accepts a message, but its answer never arrives.
type lost struct{ sent atomic.Int32 }

func (l *lost) Post(context.Context, string, []byte, map[string]string) (int, error) {
	if l.sent.Add(1) == 1 {
		return 0, &hooks.Error{Uncertain: true, Reason: "no answer within 10s"}
	}
	return 200, nil
}

func TestALostAnswerSendsNothingTwiceToPeopleWhoNeedNotAct(t *testing.T) {
	for channel, want := range map[string]struct {
		status string
		sent   int32
	}{"slack": {"uncertain", 1}, "teams": {"uncertain", 1}, "webhook": {"delivered", 2}} {
		l := &lost{}
		s := newSite(t, config.Notify{SlackURL: "https://s", TeamsURL: "https://t", Webhook: config.Webhook{URL: "https://w", Secret: config.Secrets{"x"}}}, l)
		event := s.publish(events.ReviewOpen)
		_, _ = s.deliver(event, channel)
		res, err := s.deliver(event, channel)
		require.NoError(t, err)
		assert.Equal(t, want.status, res.Status, channel)
		assert.Equal(t, want.sent, l.sent.Load(), channel)
		if channel == "webhook" {
			assert.Empty(t, s.mail.sent)
		} else {
			require.Len(t, s.mail.sent, 1, "operators are told")
			assert.Contains(t, s.mail.sent[0].Text, "it may or may not have arrived")
		}
	}
}

// mute never answers.
type mute struct{ sent atomic.Int32 }

func (m *mute) Post(context.Context, string, []byte, map[string]string) (int, error) {
	m.sent.Add(1)
	return 0, &hooks.Error{Uncertain: true, Reason: "no answer within 10s"}
}

// If somebody must act, it is better to read a message twice than never, but not more than twice.
func TestALostAnswerIsSentOnceMoreWhereSomebodyMustAct(t *testing.T) {
	for _, channel := range []string{"slack", "teams"} {
		notify := config.Notify{SlackURL: "https://s", TeamsURL: "https://t"}
		l := &lost{}
		s := newSite(t, notify, l)
		event := s.publish(events.ArchiveFailed)
		_, err := s.deliver(event, channel)
		var again *fault.Error
		require.ErrorAs(t, err, &again)
		res, err := s.deliver(event, channel)
		require.NoError(t, err)
		assert.Equal(t, "delivered", res.Status)
		assert.EqualValues(t, 2, l.sent.Load())
		assert.Empty(t, s.mail.sent)

		m := &mute{}
		s = newSite(t, notify, m)
		event = s.publish(events.ArchiveFailed)
		for range 4 {
			res, _ = s.deliver(event, channel)
		}
		assert.Equal(t, "uncertain", res.Status)
		assert.EqualValues(t, 2, m.sent.Load())
		assert.Len(t, s.mail.sent, 1)

		k := &killed{}
		s = newSite(t, notify, k)
		event = s.publish(events.ArchiveFailed)
		assert.Panics(t, func() { _, _ = s.deliver(event, channel) })
		res, err = s.deliver(event, channel)
		require.NoError(t, err)
		assert.Equal(t, "delivered", res.Status)
		assert.EqualValues(t, 2, k.sent.Load())
	}
}

// killed is a worker that dies once the message is out: nothing of its attempt is recorded.
type killed struct{ sent atomic.Int32 }

func (k *killed) Post(context.Context, string, []byte, map[string]string) (int, error) {
	if k.sent.Add(1) == 1 {
		panic("killed")
	}
	return 200, nil
}

func TestAKilledWorkerSendsNothingTwiceToPeople(t *testing.T) {
	for channel, want := range map[string]struct {
		status string
		sent   int32
	}{"slack": {"uncertain", 1}, "teams": {"uncertain", 1}, "webhook": {"delivered", 2}} {
		k := &killed{}
		s := newSite(t, config.Notify{SlackURL: "https://s", TeamsURL: "https://t", Webhook: config.Webhook{URL: "https://w", Secret: config.Secrets{"x"}}}, k)
		event := s.publish(events.ReviewOpen)
		assert.Panics(t, func() { _, _ = s.deliver(event, channel) })
		res, err := s.deliver(event, channel)
		require.NoError(t, err)
		assert.Equal(t, want.status, res.Status, channel)
		assert.Equal(t, want.sent, k.sent.Load(), channel)
	}
}

func TestOnlyWhatIsWantedGoesOut(t *testing.T) {
	no := false
	s := newSite(t, config.Notify{SlackURL: "https://s", SlackEvents: []string{"urgent"}, TeamsURL: "https://t", Events: []string{"archive.*"}, Webhook: config.Webhook{URL: "https://w", Secret: config.Secrets{"x"}}}, &lost{})
	for i, tt := range []struct {
		kind events.Kind
		data events.Data
		want []string
	}{
		{events.ArchiveFailed, events.Data{}, []string{"slack", "teams", "webhook"}},
		{events.ArchiveQueued, events.Data{}, []string{"teams", "webhook"}},
		{events.ReviewOpen, events.Data{}, nil},
		{events.ReviewFailed, events.Data{}, []string{"slack"}},
		{events.ArchiveVerified, events.Data{Changed: &no}, []string{"webhook"}}, // a run that found nothing to do
	} {
		all, err := s.one.Announce(t.Context(), strconv.Itoa(i), tt.kind, tt.data)
		require.NoError(t, err)
		var got []string
		for _, d := range all {
			got = append(got, d.Channel)
		}
		assert.Equal(t, tt.want, got, tt.kind)
	}
}

func TestAChannelThatIsSwitchedOffGetsNothing(t *testing.T) {
	l := &lost{}
	s := newSite(t, config.Notify{SlackURL: "https://s"}, l)
	event := s.publish(events.ReviewOpen)
	s.one.Config.Notify.SlackURL = ""
	res, err := s.deliver(event, "slack")
	require.NoError(t, err)
	assert.Equal(t, "skipped", res.Status)
	res, err = s.deliver("evt_unknown", "slack")
	require.NoError(t, err)
	assert.Equal(t, "skipped", res.Status)
	assert.Zero(t, l.sent.Load())
}

func TestADeliveryIsGivenUp(t *testing.T) {
	r := receive(t)
	r.codes = []int{500}
	s := newSite(t, config.Notify{Webhook: config.Webhook{URL: config.Secret(r.URL), Secret: config.Secrets{"x"}}}, nil)
	event := s.publish(events.ReviewOpen)
	_, err := s.deliver(event, "webhook")
	require.Error(t, err)
	end := workflows.EndNotificationInput{NotificationInput: workflows.NotificationInput{Tenant: tenantID, Event: event, Channel: "webhook"}, Reason: "webhook: HTTP 500"}
	for range 2 {
		res, err := s.EndDelivery(t.Context(), end)
		require.NoError(t, err)
		assert.Equal(t, "failed", res.Status)
	}
	assert.Equal(t, ledger.DeliveryFailed, s.row(event, "webhook").Status)
	assert.Len(t, s.mail.sent, 1)
	res, err := s.deliver(event, "webhook")
	require.NoError(t, err)
	assert.Equal(t, "failed", res.Status)
	assert.Empty(t, r.accepted)
}
