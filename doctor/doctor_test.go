package doctor_test

import (
	"database/sql"
	"encoding/json"
	"errors"
	"net/http"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/framebridge/framebridge/config"
	"github.com/framebridge/framebridge/doctor"
	"github.com/framebridge/framebridge/ledger"
	"github.com/framebridge/framebridge/sandbox/faults"
	"github.com/framebridge/framebridge/sandbox/frameiosim"
	"github.com/framebridge/framebridge/sandbox/iconiksim"
)

// notWell returns the IDs of checks that warn or fail.
func notWell(r doctor.Report) []string {
	var out []string
	for _, c := range r.Checks {
		if c.Status == doctor.Warn || c.Status == doctor.Fail {
			out = append(out, c.ID)
		}
	}
	return out
}

func TestAnInstallationThatIsWell(t *testing.T) {
	for _, generation := range []string{"v4", "legacy"} {
		t.Run(generation, func(t *testing.T) {
			h := newHarness(t, generation)
			r := doctor.Run(t.Context(), h.Subject)
			if generation == "v4" {
				assert.Empty(t, notWell(r))
				assert.Equal(t, 0, r.ExitCode())
			} else {
				assert.Equal(t, []string{"frameio.generation"}, notWell(r))
				assert.Equal(t, 1, r.ExitCode())
			}
			assert.Greater(t, len(r.Checks), 90)
			seen := map[string]bool{}
			examined := 0
			for _, c := range r.Checks {
				assert.False(t, seen[c.ID], "%s stands once", c.ID)
				seen[c.ID] = true
				assert.NotEmpty(t, c.Seen, c.ID)
				if c.Status == doctor.OK {
					examined++
				}
			}
			assert.Greater(t, examined, 75)
		})
	}
}

type breakage struct {
	check  string
	breaks func(h *harness)
}

func breakages() []breakage {
	hooks := func(change func(*frameiosim.Hook) bool) func(*harness) {
		return func(h *harness) { h.frameio.ChangeHooks(change) }
	}
	fault := func(match string, status int) func(*harness) {
		return func(h *harness) { must(h.frameio.AddFault(faults.Fault{Match: match, Status: status})) }
	}
	action := func(change func(map[string]any)) func(*harness) {
		return func(h *harness) { h.change("custom_actions", "title", "Framebridge: send to Frame.io", change) }
	}
	webhook := func(change func(map[string]any)) func(*harness) {
		return func(h *harness) { h.change("webhooks", "realm", "segments", change) }
	}
	storage := func(change func(map[string]any)) func(*harness) {
		return func(h *harness) { h.change("storages", "purpose", "FILES", change) }
	}
	account := func(change map[string]any) func(*harness) {
		a := map[string]any{"id": "00000000-0000-4000-8000-000000000001", "display_name": "Sandbox", "roles": []string{"admin"}, "storage_limit": nil, "storage_usage": 0}
		return func(h *harness) {
			a["id"] = h.frameio.Account()
			for k, v := range change {
				a[k] = v
			}
			h.frameioAt.answer("/v4/accounts", map[string]any{"data": []any{a}, "links": map[string]any{"next": nil}})
		}
	}
	return []breakage{
		{"config.permissions", func(h *harness) { must(os.Chmod(h.Path, 0o644)) }},
		{"config.warnings", func(h *harness) { h.Config.Warnings = []string{"tenants.x.api_key: is short"} }},
		{"public_url.form", func(h *harness) { h.Config.HTTP.PublicURL = "http://" + host }},
		{"public_url.reachable", func(h *harness) { h.testServer.answer("/api/v1/services/frameio/archives", map[string]string{}) }},
		{"public_url.reachable", func(h *harness) { h.serverAt = "127.0.0.1:1" }},
		{"auth.oidc", func(h *harness) { h.Config.Auth.OIDC.Issuer = "http://127.0.0.1:1" }},
		{"auth.oidc", func(h *harness) {
			h.Config.Auth.OIDC.Issuer = "https://" + host + "/realm/"
			h.testServer.answer("/realm/.well-known/openid-configuration", map[string]string{"issuer": "https://" + host + "/realm"})
		}},
		{"ledger.reachable", func(h *harness) { h.Ledger, h.LedgerErr = nil, errors.New("unable to open database file") }},
		{"ledger.schema", func(h *harness) { h.Ledger, h.LedgerErr = nil, h.upgradedLedger() }},
		{"ledger.writable", func(h *harness) { h.lockLedger() }},
		{"ledger.mode", func(h *harness) {
			h.temporal.pollers["framebridge-transfers Activity"] = []string{"12@here@", "7@there@"}
		}},
		{"ledger.key", func(h *harness) { h.reopen("") }},
		{"ledger.key_fits", func(h *harness) { h.reopen("another key of 16 characters") }},
		{"temporal.reachable", func(h *harness) { h.temporal.down = true }},
		{"temporal.namespace", func(h *harness) { h.temporal.noNamespace = true }},
		{"temporal.retention", func(h *harness) { h.temporal.retention = 72 * time.Hour }},
		{"temporal.search_attributes", func(h *harness) { h.temporal.attributes = h.temporal.attributes[1:] }},
		{"temporal.worker", func(h *harness) { h.temporal.pollers["framebridge Activity"] = nil }},
		{"temporal.worker.transfers", func(h *harness) { h.temporal.pollers["framebridge-transfers Activity"] = nil }},
		{"temporal.worker.version", func(h *harness) { h.Version = "1.2.4" }},
		{"mail.server", func(h *harness) { h.mail.noHello.Store(true) }},
		{"mail.server", func(h *harness) { h.Config.Mail.SMTPURL = "" }},
		{"mail.login", func(h *harness) { h.mail.noLogin.Store(true) }},
		{"mail.sender", func(h *harness) { h.mail.noSender.Store(true) }},
		{"tenant.clients", func(h *harness) { h.tenant.Frameio.Generation = "v3" }},
		{"tenant.api_key", func(h *harness) { h.tenant.APIKey = config.Tenant{}.APIKey }},
		{"tenant.audit", func(h *harness) { h.rewriteAudit() }},
		{"tenant.notify", func(h *harness) { h.tenant.Archive.Notify = nil }},
		{"notify.slack", func(h *harness) { h.tenant.Notify.SlackURL = "http://127.0.0.1:1/secret" }},
		{"notify.teams", func(h *harness) { h.tenant.Notify.TeamsURL = "http://no-such-host.invalid/secret" }},
		{"notify.webhook", func(h *harness) { h.refusedWebhook() }},
		{"frameio.reachable", func(h *harness) { h.tenant.Frameio.BaseURL = "http://127.0.0.1:1" }},
		{"frameio.reachable", func(h *harness) { h.frameioAt.hangs, h.Timeout = true, time.Second }},
		{"frameio.clock", func(h *harness) { h.frameioAt.late = -7 * time.Minute }},
		{"frameio.sign_in", func(h *harness) { h.tenant.Frameio.IMS.ClientSecret = "of yesterday"; h.forgetTokens() }},
		{"frameio.scopes", func(h *harness) {
			h.frameioAt.answer("/ims/token/v3", map[string]any{"error": "invalid_scope"})
			h.forgetTokens()
		}},
		{"frameio.sign_in_age", func(h *harness) { h.signedIn(11 * 24 * time.Hour) }},
		{"frameio.token", fault("^GET /v4/me$", http.StatusUnauthorized)},
		{"frameio.product_profile", fault("^GET /v4/accounts$", http.StatusForbidden)},
		{"frameio.account", func(h *harness) { h.tenant.Frameio.AccountID = "00000000-0000-4000-8000-000000000009" }},
		{"frameio.account_role", account(map[string]any{"roles": []string{"member"}})},
		{"frameio.storage", account(map[string]any{"storage_limit": 100, "storage_usage": 95})},
		{"frameio.workspaces", fault("^GET .*/workspaces$", http.StatusForbidden)},
		{"frameio.projects", fault("^GET /v4/accounts/[^/]*/projects$", http.StatusForbidden)},
		{"frameio.download", func(h *harness) { h.frameio.Change(func(o *frameiosim.Options) { o.NoDownload = true }) }},
		{"frameio.webhooks.archive", hooks(func(k *frameiosim.Hook) bool { return k.Name != "Framebridge archive" })},
		{"frameio.webhooks.comments", hooks(func(k *frameiosim.Hook) bool { return k.Name != "Framebridge reviews" })},
		{"frameio.webhooks.enabled", hooks(func(k *frameiosim.Hook) bool { k.Active = false; return true })},
		{"frameio.webhooks.url", hooks(func(k *frameiosim.Hook) bool {
			k.URL = strings.Replace(k.URL, host, "old.example.com", 1)
			return true
		})},
		{"frameio.webhooks.events", hooks(func(k *frameiosim.Hook) bool { k.Events = k.Events[:1]; return true })},
		{"frameio.webhooks.secret", hooks(func(k *frameiosim.Hook) bool { k.ID = "00000000-0000-4000-8000-00000000000a"; return true })},
		{"frameio.action", func(h *harness) { h.frameio.ChangeButtons(func(*frameiosim.Button) bool { return false }) }},
		{"frameio.action", func(h *harness) {
			h.frameio.ChangeButtons(func(b *frameiosim.Button) bool { b.Active = false; return true })
		}},
		{"frameio.action.secret", func(h *harness) {
			h.frameio.ChangeButtons(func(b *frameiosim.Button) bool { b.ID = "00000000-0000-4000-8000-00000000000b"; return true })
		}},
		{"frameio.review_workspace", func(h *harness) { h.tenant.Frameio.Workspace = "Harbor Films" }},
		{"frameio.review_project", fault("^GET .*/workspaces/[^/]*/projects$", http.StatusForbidden)},
		{"review.watermark", func(h *harness) { h.tenant.Review.Watermark = "off" }},
		{"iconik.reachable", func(h *harness) { h.tenant.Iconik.BaseURL = "http://127.0.0.1:1" }},
		{"iconik.reachable", func(h *harness) { h.iconikAt.hangs, h.Timeout = true, time.Second }},
		{"iconik.clock", func(h *harness) { h.iconikAt.late = 3 * time.Minute }},
		{"iconik.token", func(h *harness) { h.tenant.Iconik.AuthToken = "another" }},
		{"iconik.domain", func(h *harness) {
			h.iconikAt.answer("/API/auth/v1/auth/token", map[string]any{"system_domain_status": "FROZEN"})
		}},
		{"iconik.user_type", func(h *harness) {
			h.change("users", "type", "POWER", func(d map[string]any) { d["type"] = "STANDARD" })
		}},
		{"iconik.groups", func(h *harness) { h.tenant.Archive.Groups = map[string]string{"Edit": "No such group"} }},
		{"iconik.drawing", func(h *harness) { h.tenant.Iconik.Drawing = config.Drawing{Frame: "normalised"} }},
		{"iconik.storage", func(h *harness) { h.tenant.Iconik.StorageID = "00000000-0000-1000-8000-00000000000c" }},
		{"iconik.storage.kind", storage(func(d map[string]any) { d["method"] = "FILE" })},
		{"iconik.storage.writable", storage(func(d map[string]any) { d["settings"] = map[string]any{"bucket": "b", "write": false} })},
		{"iconik.storage.writable", func(h *harness) { // iconik matches no storage that fails, so it must be named
			h.change("storages", "purpose", "FILES", func(d map[string]any) { d["status"] = "FAILING" })
			h.tenant.Iconik.StorageID = h.iconik.Docs("storages")[0]["id"].(string)
		}},
		{"iconik.storage.key_room", storage(func(d map[string]any) {
			d["settings"] = map[string]any{"bucket": "b", "path": strings.Repeat("long/", 100)}
		})},
		{"iconik.fields", func(h *harness) {
			h.change("fields", "name", "framebridge_title", func(d map[string]any) { d["drop"] = true })
		}},
		{"iconik.field_types", func(h *harness) {
			h.change("fields", "name", "framebridge_expires", func(d map[string]any) { d["field_type"] = "text" })
		}},
		{"iconik.views", func(h *harness) {
			h.change("views", "name", "Frame.io comment", func(d map[string]any) { d["drop"] = true })
		}},
		{"iconik.view_fields", func(h *harness) {
			h.change("views", "name", "Send to Frame.io", func(d map[string]any) { d["view_fields"] = d["view_fields"].([]any)[1:] })
		}},
		{"iconik.actions", action(func(d map[string]any) { d["drop"] = true })},
		{"iconik.actions.enabled", action(func(d map[string]any) { d["disabled"] = true })},
		{"iconik.actions.url", action(func(d map[string]any) { d["url"] = strings.Replace(d["url"].(string), host, "old.example.com", 1) })},
		{"iconik.actions.secret", action(func(d map[string]any) { d["headers"] = map[string]any{} })},
		{"iconik.actions.form", action(func(d map[string]any) { d["metadata_view"] = nil })},
		{"iconik.actions.application", action(func(d map[string]any) { d["app_id"] = nil })},
		{"iconik.actions.healthy", action(func(d map[string]any) { d["status"], d["last_error"] = "FAILING", "status 401" })},
		{"iconik.webhook", webhook(func(d map[string]any) { d["drop"] = true })},
		{"iconik.webhook.enabled", webhook(func(d map[string]any) { d["status"] = "DISABLED" })},
		{"iconik.webhook.healthy", webhook(func(d map[string]any) { d["status"] = "FAILING" })},
		{"iconik.webhook.url", webhook(func(d map[string]any) { d["url"] = strings.Replace(d["url"].(string), host, "old.example.com", 1) })},
		{"iconik.webhook.events", webhook(func(d map[string]any) { d["operation"] = "create" })},
		{"iconik.webhook.secret", webhook(func(d map[string]any) { d["headers"] = map[string]any{"X-Framebridge-Secret": "another"} })},
	}
}

func must(err error) {
	if err != nil {
		panic(err)
	}
}

// Each breakage is reported by exactly its check, and no secret is shown.
func TestWhatIsBrokenIsNamedByExactlyItsCheck(t *testing.T) {
	broken := breakages()
	require.Greater(t, len(broken)+len(iconiksim.Roles)-1, 100)
	for i, b := range broken {
		t.Run(b.check, func(t *testing.T) {
			if i%8 != 0 {
				t.Parallel()
			}
			h := newHarness(t, "v4")
			b.breaks(h)
			h.names(t, b.check)
		})
	}
}

// Each role that the application's user lacks is reported by its check.
func TestARoleThatIsMissingIsNamed(t *testing.T) {
	t.Parallel()
	h := newHarness(t, "v4")
	for _, role := range iconiksim.Roles {
		if role == "can_read_groups" { // without it, the groups are read in another way
			continue
		}
		t.Run(role, func(t *testing.T) {
			h.iconik.SetRoles(slices.DeleteFunc(slices.Clone(iconiksim.Roles), func(r string) bool { return r == role })...)
			h.names(t, "iconik.role."+role)
		})
	}
	h.iconik.SetRoles(iconiksim.Roles...)
	assert.Empty(t, notWell(doctor.Run(t.Context(), h.Subject)), "and nothing stays")
}

// names requires that this check alone reports a problem and what to do.
func (h *harness) names(t *testing.T, check string) {
	t.Helper()
	began := time.Now()
	r := doctor.Run(t.Context(), h.Subject)
	assert.Equal(t, []string{check}, notWell(r))
	assert.Less(t, time.Since(began), 40*time.Second, "nothing hangs")
	assert.NotEqual(t, 0, r.ExitCode())
	raw, err := json.Marshal(r)
	require.NoError(t, err)
	for _, secret := range []string{imsSecret, iconikToken, mailPassword, apiKey} {
		assert.NotContains(t, string(raw), secret)
	}
	for _, c := range r.Checks {
		if c.ID == check {
			assert.NotEmpty(t, c.Meaning)
			assert.NotEmpty(t, c.Do)
		}
	}
}

func TestAConfigurationThatIsWrongIsAllThatIsTold(t *testing.T) {
	s := &doctor.Subject{Path: "framebridge.yaml", ConfigErr: &config.Problems{Path: "framebridge.yaml", List: []string{"http.public_url: is no URL"}}}
	r := doctor.Run(t.Context(), s)
	assert.Equal(t, []string{"config.valid"}, notWell(r))
	assert.Equal(t, 2, r.ExitCode())
	assert.Contains(t, r.Checks[0].Seen, "http.public_url")
}

func TestNeedsStandBeforeWhatNeedsThem(t *testing.T) {
	shared, perTenant := doctor.Definitions()
	before := map[string]bool{}
	for _, d := range append(shared, perTenant...) {
		for _, need := range d.Needs() {
			assert.True(t, before[need], "%s needs %s, which stands before it", d.ID, need)
		}
		assert.False(t, before[d.ID], "%s stands once", d.ID)
		before[d.ID] = true
		assert.NotEmpty(t, d.Meaning, d.ID)
		assert.NotEmpty(t, d.Do, d.ID)
	}
}

// reopen opens the ledger with another key.
// upgradedLedger returns the error of opening the ledger after a release has upgraded it that this program is too old for.
func (h *harness) upgradedLedger() error {
	dsn := h.Config.Ledger.DSN.Reveal()
	db, err := sql.Open("sqlite", strings.TrimPrefix(dsn, "sqlite:"))
	must(err)
	defer db.Close()
	_, err = db.Exec("UPDATE schema_version SET version = 9999")
	must(err)
	_, err = ledger.Open(h.t.Context(), dsn)
	return err
}

// lockLedger keeps a transaction open, as another process may.
func (h *harness) lockLedger() {
	h.Timeout = 2 * time.Second
	other, err := sql.Open("sqlite", strings.TrimPrefix(h.Config.Ledger.DSN.Reveal(), "sqlite:")+"?_txlock=immediate")
	must(err)
	h.t.Cleanup(func() { _ = other.Close() })
	tx, err := other.BeginTx(h.t.Context(), nil)
	must(err)
	h.t.Cleanup(func() { _ = tx.Rollback() })
}

func (h *harness) reopen(key string) {
	book, err := ledger.Open(h.t.Context(), h.Config.Ledger.DSN.Reveal(), ledger.WithKey(key))
	must(err)
	h.t.Cleanup(book.Close)
	h.Ledger = book
}
