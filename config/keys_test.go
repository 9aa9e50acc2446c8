package config

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestFurtherKeysHaveSafeDefaults(t *testing.T) {
	c, err := load(t, least)
	require.NoError(t, err)
	tenant := c.Tenants[someTenant]
	assert.Empty(t, c.HTTP.InternalListen)
	assert.False(t, c.Temporal.TLS.Enabled)
	assert.Empty(t, c.Temporal.Codec.Keys)
	assert.Empty(t, c.Auth.OIDC.Issuer)
	assert.Equal(t, "groups", c.Auth.OIDC.GroupsClaim)
	assert.Equal(t, "source", tenant.Archive.Access)
	assert.Equal(t, "hint", tenant.Archive.CommentCount)
	assert.Equal(t, "report", tenant.Archive.OnDifference)
	assert.Equal(t, "off", tenant.Archive.Reclaim)
	assert.Equal(t, 1, tenant.Archive.ProjectsInParallel)
	assert.Equal(t, "auto", tenant.Review.Access)
	assert.Empty(t, tenant.Frameio.Credentials)
	assert.Empty(t, tenant.Notify.Events)
	assert.Empty(t, tenant.Roles)
}

func TestFurtherKeysAreRead(t *testing.T) {
	c, err := load(t, strings.Replace(least, "generation: legacy, token: fio-u-secret", `generation: v4, account_id: an-account, token: fio-u-secret, service_client: a-client,
      credentials: [{token: fio-u-second}, {ims: {client_id: c, client_secret: s}, account_id: another}]`, 1)+`
    archive: {access: closed, groups: {"Frame.io Editors": "Editors"}, fields: {"Shoot Day": shoot_day}, comment_count: trust, comments_again: counted, on_difference: restore, reclaim: allowed, projects_in_parallel: 3}
    review: {access: secure, status_options: {"Final": approved, "Überarbeiten": changes_requested, "Noch offen": none}}
    notify: {slack_url: "https://hooks.slack.example/T/B/x", slack_events: [urgent], webhook: {url: "http://127.0.0.1:9000/in", secret: [a secret that signs events, the one of last month]}, events: [archive.finished, review.decision]}
http: {internal_listen: "127.0.0.1:8082"}
auth: {oidc: {issuer: "https://id.example.com", client_id: framebridge, client_secret: s, groups_claim: roles}}
`)
	require.NoError(t, err)
	tenant := c.Tenants[someTenant]
	assert.Equal(t, map[string]string{"Frame.io Editors": "Editors"}, tenant.Archive.Groups)
	assert.Equal(t, map[string]string{"Shoot Day": "shoot_day"}, tenant.Archive.Fields)
	assert.Equal(t, "roles", c.Auth.OIDC.GroupsClaim)
	assert.Equal(t, []string{"archive.finished", "review.decision"}, tenant.Notify.Events)
	assert.Equal(t, []string{ChannelSlack, ChannelWebhook}, tenant.Notify.Channels())
	_, filter := tenant.Notify.Channel(ChannelSlack)
	assert.Equal(t, []string{"urgent"}, filter)
	_, filter = tenant.Notify.Channel(ChannelWebhook)
	assert.Equal(t, tenant.Notify.Events, filter)
	assert.Equal(t, []string{"a secret that signs events", "the one of last month"}, tenant.Notify.Webhook.Secret.RevealAll())
	for option, want := range map[string]string{"final": "approved", "überarbeiten": "changes requested", " Noch offen ": "none"} {
		decision, known := tenant.Review.Decision(option)
		assert.True(t, known, option)
		assert.Equal(t, want, decision, option)
	}
	_, known := tenant.Review.Decision("Freigegeben")
	assert.False(t, known)

	pool := tenant.Frameio.Credentials
	require.Len(t, pool, 2)
	assert.Equal(t, Frameio{Generation: "v4", BaseURL: "https://api.frame.io", Token: "fio-u-second", AccountID: "an-account", ServiceClient: "a-client",
		IMS: IMS{TokenURL: "https://ims-na1.adobelogin.com/ims/token/v3"}}, pool[0])
	assert.Equal(t, "another", pool[1].AccountID)

	t.Setenv(envName(tenantKey+".archive.groups"), `{"All Of Them": Everyone}`)
	c, err = load(t, least)
	require.NoError(t, err)
	assert.Equal(t, map[string]string{"All Of Them": "Everyone"}, c.Tenants[someTenant].Archive.Groups)
}

func TestFurtherKeysAreChecked(t *testing.T) {
	_, err := load(t, strings.Replace(least, "token: fio-u-secret", "token: fio-u-secret, credentials: [{generation: v4, credentials: [{token: x}]}]", 1)+`
    archive: {access: open, groups: {a: ""}, fields: {x: same, y: same}, comment_count: always, comments_again: some, on_difference: mend, reclaim: on, projects_in_parallel: 0}
    review: {access: private, status_options: {"Final": yes please}}
    notify: {slack_url: "http://hooks.slack.example/x", teams_url: nothing, webhook: {secret: a secret without an address, events: [archive.fail]}, events: ["Not an event"], mail_events: [review], mail_digest: weekly, mail_digest_at: "8 Berlin"}
http: {internal_listen: "127.0.0.1:8080"}
auth: {oidc: {issuer: "http://id.example.com", client_id: ""}}
mail: {smtp_url: "smtps://mail.example.com", tls: "off", auth: guess, hello: "a b", from: "f@example.com"}
`)
	require.Error(t, err)
	for _, want := range []string{
		tenantKey + ".archive.access: ", tenantKey + ".archive.groups.a: is missing", tenantKey + `.archive.fields.y: maps to same, but "x" already does`, tenantKey + ".archive.comment_count: ", tenantKey + ".archive.comments_again: ",
		tenantKey + ".archive.on_difference: ", tenantKey + ".archive.reclaim: ", tenantKey + ".archive.projects_in_parallel: ", tenantKey + ".review.access: ", tenantKey + ".review.status_options.Final: ",
		tenantKey + ".notify.slack_url: ", tenantKey + ".notify.teams_url: ", tenantKey + ".notify.webhook.url: is missing", tenantKey + `.notify.events: "Not an event" is not an event. Valid events are: account.migrated, archive.cancelled, `, tenantKey + `.notify.webhook.events: "archive.fail" is not an event; did you mean archive.failed?`,
		tenantKey + ".notify.mail_events: ", tenantKey + ".notify.mail_digest: ", tenantKey + ".notify.mail_digest_at: must be a time", tenantKey + ".frameio.credentials.0.credentials: credentials cannot contain",
		tenantKey + ".frameio.credentials.0.token: is missing", "http.internal_listen: is the same as http.listen", "auth.oidc.issuer: must begin with https", "auth.oidc.client_id: is missing", "auth.oidc.client_secret: is missing",
		"mail.tls: is off, but", "mail.auth: ", "mail.hello: ",
	} {
		assert.ErrorContains(t, err, want)
	}
}

func TestADigestIsDueByItsOwnClock(t *testing.T) {
	at := func(text string) time.Time {
		v, err := time.Parse(time.RFC3339, text)
		require.NoError(t, err)
		return v
	}
	for name, tt := range map[string]struct{ how, clock, now, want string }{
		"off":                        {"off", "08:00 UTC", "2026-11-29T07:00:00Z", ""},
		"hourly":                     {"hourly", "08:00 UTC", "2026-11-29T07:20:00Z", "2026-11-29T08:00:00Z"},
		"today":                      {"daily", "08:00", "2026-11-29T07:59:59Z", "2026-11-29T08:00:00Z"},
		"at the time itself":         {"daily", "08:00 UTC", "2026-11-29T08:00:00Z", "2026-11-30T08:00:00Z"},
		"in Los Angeles":             {"daily", "08:00 America/Los_Angeles", "2026-11-29T12:00:00Z", "2026-11-29T16:00:00Z"},
		"tomorrow in Los Angeles":    {"daily", "08:00 America/Los_Angeles", "2026-11-29T17:00:00Z", "2026-11-30T16:00:00Z"},
		"when the clocks are put on": {"daily", "02:30 America/Los_Angeles", "2026-03-08T09:00:00Z", "2026-03-08T09:30:00Z"}, // there is no 2:30 on that day
	} {
		got, ok := (&Notify{MailDigest: tt.how, MailDigestAt: tt.clock}).DigestDue(at(tt.now))
		assert.Equal(t, tt.want != "", ok, name)
		if ok {
			assert.Equal(t, at(tt.want), got, name)
		}
	}
}

func TestV4IsTheDefaultAndADeveloperTokenAloneIsNotGuessed(t *testing.T) {
	c, err := load(t, strings.Replace(least, "generation: legacy, token: fio-u-secret", "ims: {client_id: c, client_secret: s}", 1))
	require.NoError(t, err)
	assert.Equal(t, "v4", c.Tenants[someTenant].Frameio.Generation)
	_, err = load(t, strings.Replace(least, "generation: legacy, ", "", 1))
	var p *Problems
	require.ErrorAs(t, err, &p)
	require.Len(t, p.List, 1)
	for _, want := range []string{tenantKey + ".frameio.generation: is not set", "Write v4 if", "Write legacy if", "ims.client_id"} {
		assert.Contains(t, p.List[0], want)
	}
	_, err = load(t, strings.Replace(least, "generation: legacy, ", "generation: v4, ", 1))
	assert.NoError(t, err)
	_, err = load(t, strings.Replace(least, "generation: legacy, token: fio-u-secret, ", "", 1))
	assert.ErrorContains(t, err, tenantKey+".frameio.token: is missing: set it, or frameio.ims.client_id")
}

func TestPricesAreReadAndChecked(t *testing.T) {
	c, err := load(t, least)
	require.NoError(t, err)
	assert.True(t, c.Prices.None())
	assert.Equal(t, "USD", c.Prices.Currency)
	c, err = load(t, least+"prices: {currency: EUR, storage: {Standard: 0.023, \"Deep Archive\": 1}, egress: 0.09, transcode: 0.015}\n")
	require.NoError(t, err)
	assert.Equal(t, Prices{Currency: "EUR", Storage: map[string]float64{"Standard": 0.023, "Deep Archive": 1}, Egress: 0.09, Transcode: 0.015}, c.Prices)
	t.Setenv("FRAMEBRIDGE_PRICES_STORAGE", `{"Deep Archive": 0.001}`)
	c, err = load(t, least)
	require.NoError(t, err)
	assert.Equal(t, map[string]float64{"Deep Archive": 0.001}, c.Prices.Storage)
	_, err = load(t, least+"prices: {currency: dollars, storage: {a: -1}, egress: much, transcode: .nan}\n")
	require.Error(t, err)
	for _, want := range []string{"prices.currency: ", "prices.egress: \"much\" is not a number", "prices.transcode: \".nan\" is not a number"} {
		assert.ErrorContains(t, err, want)
	}
	t.Setenv("FRAMEBRIDGE_PRICES_STORAGE", `{"Deep Archive": -0.001}`)
	_, err = load(t, least)
	assert.ErrorContains(t, err, "prices.storage.Deep Archive: is less than 0")
}

func TestAnUnknownKeyIsToldWithTheOneThatIsMeant(t *testing.T) {
	_, err := load(t, least+"    archiv: {}\nhttp: {listn: x, something: y}\n")
	assert.ErrorContains(t, err, tenantKey+".archiv: unknown key; did you mean archive?")
	assert.ErrorContains(t, err, "http.listn: unknown key; did you mean listen?")
	assert.ErrorContains(t, err, "http.something: unknown key\n")
}

func TestAKeyThatStandsTwiceIsTold(t *testing.T) {
	_, err := load(t, least+"http: {listen: \"127.0.0.1:1\"}\nHTTP: {}\n")
	assert.ErrorContains(t, err, "http: appears twice, in lines ")
	_, err = load(t, least+"---\nhttp: {}\n")
	assert.ErrorContains(t, err, "more than one document")
}

func TestAliasesAndMergesAreRead(t *testing.T) {
	c, err := load(t, least+`    archive: &common {notify: [a@example.com], wait_interval: 5m}
  11111111-2222-4333-8444-555555555555:
    api_key: yet-another-api-key
    frameio: {generation: legacy, token: x}
    iconik: {app_id: y, auth_token: z}
    archive: {<<: *common, wait_interval: 7m}
`)
	require.NoError(t, err)
	other := c.Tenants["11111111-2222-4333-8444-555555555555"].Archive
	assert.Equal(t, []string{"a@example.com"}, other.Notify)
	assert.Equal(t, "7m0s", other.WaitInterval.String())
	_, err = load(t, "tenants: &a {x: *a}\n")
	assert.Error(t, err)
}

func TestTenantsMayHaveFilesOfTheirOwn(t *testing.T) {
	const second, third = "11111111-2222-4333-8444-555555555555", "22222222-2222-4333-8444-555555555555"
	tenant := func(id, indent string) string {
		return indent + strings.ToUpper(id) + ":\n" + indent + "  api_key: the key of " + id + "\n" + indent + "  frameio: {generation: legacy, token: x}\n" + indent +
			"  iconik: {app_id: y, auth_token: \"file:token\"}\n" + indent + "  archive: {groups: {\"Big Letters\": X}}\n"
	}
	dir := t.TempDir()
	write := func(name, text string) {
		require.NoError(t, os.MkdirAll(filepath.Dir(filepath.Join(dir, name)), 0o700))
		require.NoError(t, os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600))
	}
	write("framebridge.yaml", least)
	write("token", "a token\n")
	write("tenants.d/second.yaml", tenant(second, ""))
	write("tenants.d/third.yaml", "tenants:\n"+tenant(third, "  "))
	write("tenants.d/not-read.txt", "nonsense")
	write("tenants.d/fourth.yml", tenant(third, ""))
	c, err := Load(filepath.Join(dir, "framebridge.yaml"))
	require.NoError(t, err)
	assert.Len(t, c.Tenants, 3)
	assert.Contains(t, c.Warnings, "tenants.d/fourth.yml: is not read: only *.yaml is")
	for _, id := range []string{second, third} {
		assert.Equal(t, "a token", c.Tenants[id].Iconik.AuthToken.Reveal())
		assert.Equal(t, "X", c.Tenants[id].Archive.Groups["Big Letters"])
	}

	write("tenants.d/twice.yaml", tenant(third, ""))
	write("tenants.d/wrong.yaml", "http: {listen: x}\n")
	write("tenants.d/worse.yaml", "{")
	_, err = Load(filepath.Join(dir, "framebridge.yaml"))
	for _, want := range []string{"tenants." + third + ": appears twice: here and in tenants.d/twice.yaml", "tenants.d/wrong.yaml: http: may contain only tenants", "tenants.d/worse.yaml: "} {
		assert.ErrorContains(t, err, want)
	}
}

func TestARetiredConnectorOfTeamsWarns(t *testing.T) {
	c, err := load(t, least+"    notify: {teams_url: 'https://contoso.webhook.office.com/webhookb2/a@b/IncomingWebhook/c/d'}\n")
	require.NoError(t, err)
	assert.Contains(t, strings.Join(c.Warnings, "\n"), tenantKey+".notify.teams_url: is an Office connector")
	assert.NotContains(t, strings.Join(c.Warnings, "\n"), "webhookb2")
}
