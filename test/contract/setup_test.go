package contract

import (
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/framebridge/framebridge/clients/frameio"
	factory "github.com/framebridge/framebridge/clients/frameio/open"
	"github.com/framebridge/framebridge/clients/iconik"
	"github.com/framebridge/framebridge/config"
	"github.com/framebridge/framebridge/doctor"
	"github.com/framebridge/framebridge/ledger"
	"github.com/framebridge/framebridge/sandbox/frameiosim"
	"github.com/framebridge/framebridge/sandbox/iconiksim"
	"github.com/framebridge/framebridge/setup"
	"github.com/framebridge/framebridge/test/emptyledger"
)

// TestSettingUpKeepsToTheVendorsDocuments makes, mends, examines and removes a tenant's setup, and holds each call and
// answer against the vendors' documents.
func TestSettingUpKeepsToTheVendorsDocuments(t *testing.T) {
	t.Parallel()
	dir := specs(t)
	for generation := range generations {
		t.Run(generation, func(t *testing.T) {
			theirs, err := Iconik(dir)
			require.NoError(t, err)
			fioDoc, err := Frameio(dir, generation)
			require.NoError(t, err)
			theirs.Known = []string{
				// An answer 204 has no body to be of a type.
				"DELETE /v1/custom_actions/{context}/{action_id}/: answer: response header Content-Type",
				// The document has two templates of this form, by method: the router takes the other one for it.
				"GET /API/acls/v1/acl/custom_actions/{id}/: request: method not allowed",
			}
			fioDoc.Known = []string{
				"DELETE /v4/accounts/{account_id}/webhooks/{webhook_id}: answer: response header Content-Type",
				"DELETE /v4/accounts/{account_id}/actions/{action_id}: answer: response header Content-Type",
			}
			vendor, err := frameiosim.New(frameiosim.Options{Token: token, Generation: generation})
			require.NoError(t, err)
			vendor.AddTeam("Harbour Films")
			ick, err := iconiksim.New(iconiksim.Options{AppID: "5c1d4b6e-0f0e-11ef-9c1a-0242ac120002", Token: token, IndexDelay: -1})
			require.NoError(t, err)
			group := ick.AddGroup("Editors")
			fioSrv, ickSrv := httptest.NewServer(fioDoc.Wrap(vendor.Handler())), httptest.NewServer(theirs.Wrap(ick.Handler()))
			t.Cleanup(fioSrv.Close)
			t.Cleanup(ickSrv.Close)
			book, err := ledger.Open(t.Context(), emptyledger.DSN(t), ledger.WithKey("a key of 16 characters or more"))
			require.NoError(t, err)
			t.Cleanup(book.Close)
			tenant := &config.Tenant{ID: tenantID, Frameio: config.Frameio{Generation: generation, BaseURL: fioSrv.URL, Token: token},
				Iconik: config.Iconik{BaseURL: ickSrv.URL, AppID: "5c1d4b6e-0f0e-11ef-9c1a-0242ac120002", AuthToken: token}}
			clients := func(*config.Tenant) (doctor.Account, *iconik.Client, error) {
				p, err := factory.Platform(tenant, book.Tenant(tenant.ID), nil)
				require.NoError(t, err)
				c, err := iconik.New(tenant.Iconik)
				return p.(doctor.Account), c, err
			}
			account, client, err := clients(tenant)
			require.NoError(t, err)
			s := &setup.Setup{Tenant: tenant, Base: "https://framebridge.example.com/api/v1/services/frameio", Frameio: account.(frameio.Installer), Iconik: client, Ledger: book.Tenant(tenant.ID), Groups: []string{group}}
			run := func(makePlan func() (*setup.Plan, error)) {
				plan, err := makePlan()
				require.NoError(t, err)
				require.NoError(t, plan.Apply(t.Context(), nil))
			}
			run(func() (*setup.Plan, error) { return s.Plan(t.Context()) })
			s.Base = "https://moved.example.com/api/v1/services/frameio"
			vendor.ChangeHooks(func(h *frameiosim.Hook) bool { h.Active = generation == "legacy"; return true })
			for _, v := range ick.Docs("views") {
				ick.ChangeDoc("views", v["id"].(string), func(d map[string]any) bool { d["view_fields"] = d["view_fields"].([]any)[1:]; return true })
			}
			ick.ChangeDoc("fields", "framebridge_quality", func(d map[string]any) bool { d["options"] = []any{}; return true })
			run(func() (*setup.Plan, error) { return s.Plan(t.Context()) })
			doctor.Run(t.Context(), &doctor.Subject{Config: &config.Config{HTTP: config.HTTP{PublicURL: "https://moved.example.com"}}, Base: s.Base, Ledger: book,
				Tenants: []*config.Tenant{tenant}, Open: clients})
			run(func() (*setup.Plan, error) { return s.PlanRemoval(t.Context()) })
			assert.Empty(t, strings.Join(theirs.Problems(), "\n"))
			assert.Empty(t, strings.Join(fioDoc.Problems(), "\n"))
			assert.GreaterOrEqual(t, len(theirs.Seen()), 20, "iconik's operations: %v", theirs.Seen())
			assert.GreaterOrEqual(t, len(fioDoc.Seen()), map[string]int{"legacy": 6, "v4": 10}[generation], "Frame.io's operations: %v", fioDoc.Seen())
		})
	}
}
