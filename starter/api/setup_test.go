package api

import (
	"encoding/json"
	"net/http"
	"strconv"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/framebridge/framebridge/clients/frameio"
	"github.com/framebridge/framebridge/config"
	"github.com/framebridge/framebridge/ledger"
	"github.com/framebridge/framebridge/routes"
	"github.com/framebridge/framebridge/setup"
	"github.com/framebridge/framebridge/test/emptyledger"
)

// The secrets that setup has created are accepted in addition to the configured ones.
func TestSecretsThatSetupMadeAreAccepted(t *testing.T) {
	f := newTestServer(t)
	book, err := ledger.Open(t.Context(), emptyledger.DSN(t), ledger.WithKey("a key of 16 characters or more"))
	require.NoError(t, err)
	t.Cleanup(book.Close)
	f.Ledger = book
	raw, err := json.Marshal(setup.Record{ActionSecret: "generated", Objects: []setup.Object{{Kind: setup.FrameioWebhook, Key: "archive", ID: "1", Secret: "shown once"}}})
	require.NoError(t, err)
	require.NoError(t, book.Tenant(tenantA).PutToken(t.Context(), "setup", raw))

	hook := func(tenant, secret string) int {
		body, now := `{"type":"file.created","resource":{"id":"`+project+`","type":"file"},"project":{"id":"`+project+`"}}`, strconv.FormatInt(time.Now().Unix(), 10)
		resp, _ := f.ask(ask{"POST", hookURL + tenant, body, map[string]string{"X-Frameio-Request-Timestamp": now, "X-Frameio-Signature": frameio.Sign(secret, now, []byte(body))}})
		return resp.StatusCode
	}
	assert.Equal(t, http.StatusOK, hook(tenantA, "new"), "configured")
	assert.Equal(t, http.StatusOK, hook(tenantA, "shown once"), "made by setup")
	assert.Equal(t, http.StatusUnauthorized, hook(tenantA, "another"))
	assert.Equal(t, http.StatusUnauthorized, hook(tenantB, "shown once"), "of another tenant")

	click := func(tenant, secret string) int {
		resp, _ := f.ask(ask{"POST", routes.Prefix + "/archive/actions/retry?tenant-id=" + tenant, `{}`, map[string]string{setup.SecretHeader: secret}})
		return resp.StatusCode
	}
	for secret, opens := range map[string]bool{"click": true, "generated": true, "another": false, "": false} {
		assert.Equal(t, !opens, click(tenantA, secret) == http.StatusUnauthorized, secret)
	}
	assert.Equal(t, http.StatusUnauthorized, click(tenantB, "generated"), "of another tenant")
}

// What setup registers at the vendors points to existing routes.
func TestSetupRegistersRoutesThatThereAre(t *testing.T) {
	f := newTestServer(t)
	paths := []string{setup.FrameioButton.Route, setup.SegmentsHook.Route}
	for _, h := range setup.Hooks {
		paths = append(paths, h.Route)
	}
	for _, b := range setup.Buttons {
		paths = append(paths, b.Route)
	}
	for _, p := range paths {
		resp, _ := f.ask(ask{"POST", routes.Prefix + p + "?tenant-id=" + tenantA, `{}`, nil})
		assert.Equal(t, http.StatusUnauthorized, resp.StatusCode, p)
	}
}

func TestTheDoctorIsForOperators(t *testing.T) {
	f := newTestServer(t)
	f.noTemporal()
	resp, _ := f.ask(ask{"GET", routes.Prefix + "/doctor", "", nil})
	assert.Equal(t, http.StatusUnauthorized, resp.StatusCode)
	f.Config().Tenants[tenantA].APIKeys = []config.APIKey{{Name: "desk", Key: "key of the desk", Role: config.RoleOperator}, {Name: "cut", Key: "key of the cutting room", Role: config.RoleEditor}}
	resp, _ = f.ask(ask{"GET", routes.Prefix + "/doctor", "", map[string]string{"Authorization": "Bearer key of the cutting room"}})
	assert.Equal(t, http.StatusForbidden, resp.StatusCode)
	resp, _ = f.ask(ask{"GET", routes.Prefix + "/doctor", "", map[string]string{"Authorization": "Bearer key of the desk"}})
	assert.Equal(t, http.StatusOK, resp.StatusCode)
}
