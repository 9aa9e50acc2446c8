package setup_test

import (
	"bytes"
	"context"
	"encoding/json"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/framebridge/framebridge/clients/frameio"
	"github.com/framebridge/framebridge/clients/frameio/open"
	"github.com/framebridge/framebridge/clients/iconik"
	"github.com/framebridge/framebridge/config"
	"github.com/framebridge/framebridge/ledger"
	"github.com/framebridge/framebridge/redact"
	"github.com/framebridge/framebridge/sandbox/faults"
	"github.com/framebridge/framebridge/sandbox/frameiosim"
	"github.com/framebridge/framebridge/sandbox/iconiksim"
	"github.com/framebridge/framebridge/setup"
	"github.com/framebridge/framebridge/test/emptyledger"
)

const (
	tenantID = "0419e0c5-6fed-4b66-bf0f-f8a99d44bcd0"
	appID    = "5c1d4b6e-0f0e-11ef-9c1a-0242ac120002"
	base     = "https://framebridge.example.com/api/v1/services/frameio"
)

// harness is a tenant with simulators of both vendors.
type harness struct {
	*setup.Setup
	t       *testing.T
	frameio *frameiosim.Sim
	iconik  *iconiksim.Sim
	ledger  *ledger.Ledger
}

func newHarness(t *testing.T, generation string, teams ...string) *harness {
	t.Helper()
	h := &harness{t: t}
	var err error
	h.frameio, err = frameiosim.New(frameiosim.Options{Token: "token", Generation: generation})
	require.NoError(t, err)
	for _, name := range teams {
		h.frameio.AddTeam(name)
	}
	h.iconik, err = iconiksim.New(iconiksim.Options{AppID: appID, Token: "token", IndexDelay: -1})
	require.NoError(t, err)
	fio, ick := httptest.NewServer(h.frameio.Handler()), httptest.NewServer(h.iconik.Handler())
	t.Cleanup(fio.Close)
	t.Cleanup(ick.Close)
	h.ledger, err = ledger.Open(t.Context(), emptyledger.DSN(t), ledger.WithKey("a key of 16 characters or more"))
	require.NoError(t, err)
	t.Cleanup(h.ledger.Close)
	tenant := &config.Tenant{ID: tenantID, Name: "Acme", Frameio: config.Frameio{Generation: generation, BaseURL: fio.URL, Token: "token"},
		Iconik: config.Iconik{BaseURL: ick.URL, AppID: appID, AuthToken: "token"}}
	client, err := iconik.New(tenant.Iconik)
	require.NoError(t, err)
	h.Setup = &setup.Setup{Tenant: tenant, Base: base, Iconik: client, Ledger: h.ledger.Tenant(tenant.ID)}
	h.use(generation)
	return h
}

// use opens Frame.io's API of a generation.
func (h *harness) use(generation string) {
	h.Tenant.Frameio.Generation = generation
	p, err := open.Platform(h.Tenant, h.ledger.Tenant(h.Tenant.ID), nil)
	require.NoError(h.t, err)
	h.Frameio = p.(frameio.Installer)
}

// run plans and applies.
func (h *harness) run() *setup.Plan {
	h.t.Helper()
	p, err := h.Plan(h.t.Context())
	require.NoError(h.t, err)
	require.NoError(h.t, p.Apply(h.t.Context(), nil))
	return p
}

// unchanged requires that another run has nothing to do.
func (h *harness) unchanged() {
	h.t.Helper()
	p, err := h.Plan(h.t.Context())
	require.NoError(h.t, err)
	assert.Empty(h.t, ops(p, ""), "a second run changes nothing")
	require.NoError(h.t, p.Apply(h.t.Context(), nil))
}

// ops returns the changes of a kind that do something, "" for all kinds.
func ops(p *setup.Plan, kind setup.Kind) []string {
	var out []string
	for _, c := range p.Changes {
		if c.Op != setup.Keep && (kind == "" || c.Kind == kind) {
			out = append(out, string(c.Op)+" "+c.Name+" "+c.Where)
		}
	}
	return out
}

func (h *harness) record() setup.Record {
	r, err := setup.Load(h.t.Context(), h.ledger.Tenant(tenantID))
	require.NoError(h.t, err)
	return r
}

func TestEverythingIsMadeOnceAndTakenAwayAgain(t *testing.T) {
	for _, generation := range []string{"legacy", "v4"} {
		t.Run(generation, func(t *testing.T) {
			h := newHarness(t, generation, "Harbour Films", "Post")
			h.iconik.AddGroup("Editors")
			h.Groups = []string{"editors"}
			p := h.run()

			assert.Len(t, h.iconik.Docs("custom_actions"), 13)
			assert.Len(t, h.iconik.Docs("webhooks"), 1)
			assert.Len(t, h.iconik.Docs("views"), len(setup.Views))
			hooks := h.frameio.Hooks()
			require.Len(t, hooks, 4)
			secrets := h.record().FrameioSecrets()
			for _, hook := range hooks {
				assert.True(t, hook.Active)
				assert.Contains(t, secrets, hook.Secret, "the secret of %s is kept", hook.Name)
			}
			if generation == "v4" {
				assert.Len(t, h.frameio.Buttons(), 2)
			}
			for _, a := range h.iconik.Docs("custom_actions") {
				assert.Equal(t, h.record().ActionSecret, a["headers"].(map[string]any)[setup.SecretHeader])
				assert.Equal(t, appID, a["app_id"])
			}
			assert.Len(t, h.iconik.Docs("acls"), 13, "the group sees every action")
			h.holdsNoSecret(p)
			for _, secret := range append(secrets, h.record().ActionSecret) {
				assert.NotContains(t, redact.Scrub("it is "+secret), secret, "no log shows it either")
			}
			h.Groups = nil
			h.unchanged()

			p, err := h.PlanRemoval(t.Context())
			require.NoError(t, err)
			require.NoError(t, p.Apply(t.Context(), nil))
			h.holdsNoSecret(p)
			for _, kind := range []string{"custom_actions", "webhooks", "views", "fields"} {
				assert.Empty(t, h.iconik.Docs(kind), kind)
			}
			assert.Empty(t, h.frameio.Hooks())
			assert.Empty(t, h.frameio.Buttons())
			assert.Equal(t, setup.Record{}, h.record())
		})
	}
}

// holdsNoSecret requires that no form of a plan shows a secret.
func (h *harness) holdsNoSecret(p *setup.Plan) {
	h.t.Helper()
	var b bytes.Buffer
	require.NoError(h.t, p.Print(&b))
	raw, err := json.Marshal(p)
	require.NoError(h.t, err)
	secrets := append(h.record().FrameioSecrets(), h.record().ActionSecret)
	for _, hook := range h.frameio.Hooks() {
		secrets = append(secrets, hook.Secret)
	}
	for _, s := range secrets {
		if s != "" {
			assert.NotContains(h.t, b.String(), s)
			assert.NotContains(h.t, string(raw), s)
		}
	}
}

func TestADryRunWritesNothing(t *testing.T) {
	h := newHarness(t, "v4", "Harbour Films")
	p, err := h.Plan(t.Context())
	require.NoError(t, err)
	assert.NotEmpty(t, ops(p, ""))
	for _, calls := range []map[string]int{h.frameio.Calls(), h.iconik.Calls()} {
		for op := range calls {
			assert.True(t, strings.HasPrefix(op, "GET "), op)
		}
	}
	assert.Equal(t, setup.Record{}, h.record())
}

func TestWhatIsBrokenIsMended(t *testing.T) {
	doc := func(h *harness, kind, field, value string) string {
		for _, d := range h.iconik.Docs(kind) {
			if d[field] == value {
				return d["id"].(string)
			}
		}
		h.t.Fatalf("no %s with %s %s", kind, field, value)
		return ""
	}
	action := func(h *harness, change func(map[string]any)) {
		h.iconik.ChangeDoc("custom_actions", doc(h, "custom_actions", "title", "Framebridge: extend review"), func(d map[string]any) bool { change(d); return true })
	}
	webhook := func(h *harness, change func(map[string]any)) {
		h.iconik.ChangeDoc("webhooks", doc(h, "webhooks", "realm", "segments"), func(d map[string]any) bool { change(d); return true })
	}
	for name, c := range map[string]struct {
		breaks func(h *harness)
		want   []string
	}{
		"a webhook that is off": {func(h *harness) {
			h.frameio.ChangeHooks(func(k *frameiosim.Hook) bool { k.Active = k.Name != "Framebridge archive"; return true })
		}, []string{"enable Framebridge archive Harbour Films"}},
		"a webhook that lacks events": {func(h *harness) {
			h.frameio.ChangeHooks(func(k *frameiosim.Hook) bool { k.Events = k.Events[:1]; return true })
		}, []string{"update Framebridge reviews Harbour Films"}},
		"a webhook that was deleted": {func(h *harness) {
			h.frameio.ChangeHooks(func(k *frameiosim.Hook) bool { return k.Name != "Framebridge archive" })
		}, []string{"create Framebridge archive Harbour Films"}},
		"Frame.io's action is off": {func(h *harness) {
			h.frameio.ChangeButtons(func(b *frameiosim.Button) bool { b.Active = false; return true })
		}, []string{"enable Archive to iconik Harbour Films"}},
		"another address": {func(h *harness) { h.Base = "https://elsewhere.example.com/api/v1/services/frameio" }, nil},
		"an action's secret": {func(h *harness) {
			action(h, func(d map[string]any) { d["headers"] = map[string]any{setup.SecretHeader: "another"} })
		},
			[]string{"update Framebridge: extend review ASSET"}},
		"an action's form": {func(h *harness) { action(h, func(d map[string]any) { d["metadata_view"] = nil }) }, []string{"update Framebridge: extend review ASSET"}},
		"an action is off": {func(h *harness) { action(h, func(d map[string]any) { d["disabled"] = true }) }, []string{"enable Framebridge: extend review ASSET"}},
		"iconik's webhook": {func(h *harness) { webhook(h, func(d map[string]any) { d["status"] = "DISABLED" }) }, []string{"enable Framebridge reviews "}},
		"its events":       {func(h *harness) { webhook(h, func(d map[string]any) { d["realm"] = "metadata" }) }, []string{"update Framebridge reviews "}},
		"a view's field": {func(h *harness) {
			h.iconik.ChangeDoc("views", doc(h, "views", "name", "Send to Frame.io"), func(d map[string]any) bool { d["view_fields"] = d["view_fields"].([]any)[1:]; return true })
		}, []string{"update Send to Frame.io "}},
		"a drop-down": {func(h *harness) {
			h.iconik.ChangeDoc("fields", "framebridge_quality", func(d map[string]any) bool { d["options"] = []any{}; return true })
		}, []string{"update framebridge_quality "}},
		"a configured secret": {func(h *harness) { h.Tenant.Iconik.ActionSecret = config.Secrets{"configured-action-secret"} }, nil},
	} {
		t.Run(name, func(t *testing.T) {
			h := newHarness(t, "v4", "Harbour Films")
			h.run()
			c.breaks(h)
			p := h.run()
			if c.want != nil {
				assert.Equal(t, c.want, ops(p, ""))
			} else {
				assert.GreaterOrEqual(t, len(ops(p, "")), 14, "all actions and the webhook")
			}
			h.unchanged()
		})
	}
}

func TestWebhooksThatTheMoveLeftOff(t *testing.T) {
	for name, secrets := range map[string][]config.Secret{"made by hand": {"hand-made"}, "secret lost": nil, "made by setup": nil} {
		t.Run(name, func(t *testing.T) {
			h := newHarness(t, "legacy", "Harbour Films")
			if name == "made by setup" {
				h.run()
			} else {
				for _, w := range h.frameio.Teams() {
					h.frameio.AddHook(w.ID, "archive", setup.URL(base, "/archive/webhooks/project-updated", tenantID), "hand-made", "project.updated")
				}
			}
			h.Tenant.Frameio.WebhookSecrets = secrets
			h.frameio.Migrate()
			h.use("v4")
			h.run()
			hooks := h.frameio.Hooks()
			require.Len(t, hooks, 2, "none is left beside the others")
			for _, k := range hooks {
				assert.True(t, k.Active, k.Name)
				known := slices.Contains(h.record().FrameioSecrets(), k.Secret) || slices.Contains(secrets, config.Secret(k.Secret))
				assert.True(t, known, "%s has a secret that is known", k.Name)
			}
			h.unchanged()
		})
	}
}

func TestWhatPeopleMadeIsKeptAndNotTakenAway(t *testing.T) {
	h := newHarness(t, "v4", "Harbour Films")
	h.Tenant.Frameio.WebhookSecrets = []config.Secret{"hand-made"}
	h.Tenant.Iconik.ActionSecret = config.Secrets{"configured-action-secret"}
	team := h.frameio.Teams()[0].ID
	h.frameio.AddHook(team, "by hand", setup.URL(base, "/archive/webhooks/project-updated", tenantID), "hand-made", "project.updated")
	action := h.iconik.EnsureAction("ASSET", "Send it", setup.URL(base, "/review/actions/send", tenantID), "", map[string]string{setup.SecretHeader: "configured-action-secret"})
	h.run()
	require.Len(t, h.frameio.Hooks(), 2)
	require.Len(t, h.iconik.Docs("custom_actions"), 13)
	h.unchanged()
	p, err := h.PlanRemoval(t.Context())
	require.NoError(t, err)
	require.NoError(t, p.Apply(t.Context(), nil))
	require.Len(t, h.frameio.Hooks(), 1)
	require.Len(t, h.iconik.Docs("custom_actions"), 1)
	assert.Equal(t, action, h.iconik.Docs("custom_actions")[0]["id"])
}

func TestFieldsThatHoldValuesStay(t *testing.T) {
	h := newHarness(t, "v4", "Harbour Films")
	h.run()
	h.InUse = true
	p, err := h.PlanRemoval(t.Context())
	require.NoError(t, err)
	require.NoError(t, p.Apply(t.Context(), nil))
	var left []string
	for _, v := range h.iconik.Docs("views") {
		left = append(left, v["name"].(string))
	}
	assert.ElementsMatch(t, []string{"Frame.io review", "Frame.io archive", "Frame.io comment"}, left)
	assert.Empty(t, h.iconik.Docs("custom_actions"))
	assert.Empty(t, h.frameio.Hooks())
	for _, f := range h.iconik.Docs("fields") {
		assert.NotEqual(t, "framebridge_reviewers", f["name"], "only forms used it")
	}
}

// A lost response leaves a webhook whose secret is unknown. The next run creates another, and none is left over.
func TestLostAnswersLeaveNothingBehind(t *testing.T) {
	for name, match := range map[string]string{"webhook": "^POST .*/webhooks/?$", "action": "^POST .*/actions/?$", "iconik's action": "^POST .*/custom_actions/ASSET/?$", "view": "^POST .*/views/?$", "field": "^POST .*/fields/?$"} {
		t.Run(name, func(t *testing.T) {
			h := newHarness(t, "v4", "Harbour Films")
			h.Tenant.Frameio.WebhookSecrets = []config.Secret{"of another webhook"}
			lost := faults.Fault{Match: match, Times: 1, Lose: true}
			require.NoError(t, h.frameio.AddFault(lost))
			require.NoError(t, h.iconik.AddFault(lost))
			p, err := h.Plan(t.Context())
			require.NoError(t, err)
			var partly *setup.PartlyError
			require.ErrorAs(t, p.Apply(t.Context(), nil), &partly)
			h.frameio.ClearFaults()
			h.iconik.ClearFaults()
			h.run()
			h.unchanged()
			assert.Len(t, h.frameio.Hooks(), 2)
			for _, k := range h.frameio.Hooks() {
				assert.Contains(t, h.record().FrameioSecrets(), k.Secret)
			}
			assert.Len(t, h.frameio.Buttons(), 1)
			assert.Len(t, h.iconik.Docs("custom_actions"), 13)
			p, err = h.PlanRemoval(t.Context())
			require.NoError(t, err)
			require.NoError(t, p.Apply(t.Context(), nil))
			for _, kind := range []string{"custom_actions", "webhooks", "views", "fields"} {
				assert.Empty(t, h.iconik.Docs(kind), kind)
			}
		})
	}
}

func TestWhatIsRefusedStopsNothingElse(t *testing.T) {
	h := newHarness(t, "v4", "Harbour Films")
	h.iconik.SetRoles(slices.DeleteFunc(slices.Clone(iconiksim.Roles), func(r string) bool { return r == "can_write_webhooks" })...)
	p, err := h.Plan(t.Context())
	require.NoError(t, err)
	err = p.Apply(t.Context(), nil)
	var partly *setup.PartlyError
	require.ErrorAs(t, err, &partly)
	assert.Equal(t, 1, partly.Failed)
	at := slices.IndexFunc(p.Changes, func(c setup.Change) bool { return c.Error != "" })
	assert.Contains(t, p.Changes[at].Error, "can_write_webhooks")
	assert.Len(t, h.iconik.Docs("custom_actions"), 13)
	h.iconik.SetRoles(iconiksim.Roles...)
	assert.Equal(t, []string{"create Framebridge reviews "}, ops(h.run(), ""))
}

func TestWorkspaces(t *testing.T) {
	h := newHarness(t, "v4", "Harbour Films", "Post", "Sound")
	h.Workspaces = []string{"harbour films"}
	h.run()
	assert.Len(t, h.frameio.Hooks(), 2)
	h.Workspaces = nil
	h.unchanged()
	h.Workspaces = []string{"Post"}
	h.run()
	assert.Len(t, h.frameio.Hooks(), 4, "another is added")
	h.Workspaces = []string{"Harbour Films"}
	p, err := h.PlanRemoval(t.Context())
	require.NoError(t, err)
	require.NoError(t, p.Apply(t.Context(), nil))
	assert.Len(t, h.frameio.Hooks(), 2)
	assert.Len(t, h.iconik.Docs("custom_actions"), 13, "iconik keeps what it has")

	h.Workspaces = []string{"Picture"}
	_, err = h.Plan(t.Context())
	require.ErrorIs(t, err, setup.ErrChoice)
	assert.ErrorContains(t, err, "Sound")

	h = newHarness(t, "v4", "Harbour Films", "Post")
	h.Choose = func(what string, options []setup.Option) ([]setup.Option, error) { return options[1:], nil }
	h.run()
	require.Len(t, h.frameio.Hooks(), 2)
}

func TestWithoutAKeyNothingIsMade(t *testing.T) {
	h := newHarness(t, "v4", "Harbour Films")
	bare, err := ledger.Open(t.Context(), emptyledger.DSN(t))
	require.NoError(t, err)
	t.Cleanup(bare.Close)
	h.Ledger = bare.Tenant(h.Tenant.ID)
	_, err = h.Plan(t.Context())
	assert.ErrorContains(t, err, "ledger.encryption_key")
}

// A different key must not make setup forget what it has created.
func TestARecordThatDoesNotOpenIsNotWrittenOver(t *testing.T) {
	h := newHarness(t, "v4", "Harbour Films")
	dir := t.TempDir()
	one, err := ledger.Open(t.Context(), "sqlite:"+dir+"/l.db", ledger.WithKey("a key of 16 characters or more"))
	require.NoError(t, err)
	h.Ledger = one.Tenant(h.Tenant.ID)
	h.run()
	one.Close()
	other, err := ledger.Open(t.Context(), "sqlite:"+dir+"/l.db", ledger.WithKey("another key of 16 characters"))
	require.NoError(t, err)
	t.Cleanup(other.Close)
	h.Ledger = other.Tenant(h.Tenant.ID)
	_, err = h.Plan(t.Context())
	require.ErrorContains(t, err, "encryption_key")
}

func TestAPlanIsStoppedByItsContext(t *testing.T) {
	h := newHarness(t, "v4", "Harbour Films")
	p, err := h.Plan(t.Context())
	require.NoError(t, err)
	ctx, cancel := context.WithCancel(t.Context())
	err = p.Apply(ctx, func(setup.Change) { cancel() })
	require.Error(t, err)
	assert.LessOrEqual(t, len(h.frameio.Hooks()), 2)
	h.run()
	h.unchanged()
}

func TestStoragesToChooseFromAreListed(t *testing.T) {
	h := newHarness(t, "v4", "Harbour Films")
	p, err := h.Plan(t.Context())
	require.NoError(t, err)
	assert.Empty(t, p.Notes)
	h.Tenant.Iconik.StorageID = "00000000-0000-1000-8000-00000000000c"
	p, err = h.Plan(t.Context())
	require.NoError(t, err)
	require.Len(t, p.Notes, 1)
	assert.Contains(t, p.Notes[0], h.iconik.Docs("storages")[0]["id"])
}
