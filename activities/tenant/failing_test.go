package tenant

import (
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/framebridge/framebridge/clients/mail/mailtest"
	"github.com/framebridge/framebridge/config"
	"github.com/framebridge/framebridge/ledger"
	"github.com/framebridge/framebridge/test/emptyledger"
)

const failingTenant = "0419e0c5-6fed-4b66-bf0f-f8a99d44bcd0"

// The tenant's operators are told about each run once, and not about other tenants' runs.
func TestAFailingWorkflowTaskIsMailedOnce(t *testing.T) {
	server, err := mailtest.Listen("127.0.0.1:0")
	require.NoError(t, err)
	defer server.Close()
	file := filepath.Join(t.TempDir(), "framebridge.yaml")
	require.NoError(t, os.WriteFile(file, []byte(fmt.Sprintf(`
mail: {smtp_url: %q, from: "framebridge@example.com"}
tenants:
  %s:
    name: Test
    api_key: an-api-key-for-tests
    frameio: {generation: legacy, token: a-token, webhook_secrets: [a-hook-secret-of-a-test]}
    iconik: {app_id: an-app, auth_token: an-auth-token}
    archive: {notify: [ops@example.com]}
    review: {notify: [post@example.com]}
`, server.URL(), failingTenant)), 0o600))
	live, err := config.Open(file)
	require.NoError(t, err)
	l, err := ledger.Open(t.Context(), emptyledger.DSN(t))
	require.NoError(t, err)
	defer l.Close()
	all, err := NewTenants(live, l, nil, slog.New(slog.DiscardHandler))
	require.NoError(t, err)

	for times := range int32(3) {
		require.NoError(t, all.MailFailing(t.Context(), failingTenant, "review/"+failingTenant+"/r", "run-1", 4+times))
	}
	require.NoError(t, all.MailFailing(t.Context(), failingTenant, "archive/"+failingTenant+"/p/copy/1", "run-1", 4))
	require.Error(t, all.MailFailing(t.Context(), "another", "review/another/r", "run-1", 4))
	mails := server.Messages()
	require.Len(t, mails, 2)
	assert.Equal(t, []string{"post@example.com"}, mails[0].To)
	assert.Contains(t, mails[0].Text, "review/"+failingTenant+"/r")
	assert.Equal(t, []string{"ops@example.com"}, mails[1].To)
}
