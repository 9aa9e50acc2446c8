package tenant

import (
	"context"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/framebridge/framebridge/clients/mail"
	"github.com/framebridge/framebridge/config"
	"github.com/framebridge/framebridge/ledger"
	"github.com/framebridge/framebridge/test/emptyledger"
)

type postbox chan mail.Message

func (p postbox) Send(_ context.Context, m mail.Message) error { p <- m; return nil }

// Operators are told about a rejected token that the account was moved if V4 accepts the token. Otherwise they are asked.
func TestARefusedTokenIsLookedForOnV4(t *testing.T) {
	const moved = `{"id":"acc","display_name":"Harbour Films","v4_migrated_at":"2026-11-20T08:30:00Z"}`
	for name, c := range map[string]struct {
		status     int
		body       string
		says, asks string
	}{
		"moved":             {200, `{"data":[` + moved + `]}`, `account "Harbour Films" has been on V4 since November 20, 2026, 08:30 UTC`, ""},
		"moved, of several": {200, `{"data":[` + moved + `,{"id":"b","display_name":"B","v4_migrated_at":null}]}`, `account "Harbour Films, B" is on V4, and V4 accepts`, ""},
		"nothing is there":  {200, `{"data":[]}`, "", "If the account was not migrated, someone deleted the token"},
		"refused, too":      {401, `{"errors":[{"detail":"Unauthorized"}]}`, "", "If the account was not migrated, someone deleted the token"},
	} {
		t.Run(name, func(t *testing.T) {
			calls := 0
			srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				calls++
				assert.Equal(t, "/v4/accounts", r.URL.Path)
				assert.Equal(t, "true", r.Header.Get("x-frameio-legacy-token-auth"))
				assert.Equal(t, "Bearer a-developer-token", r.Header.Get("Authorization"))
				w.WriteHeader(c.status)
				_, _ = w.Write([]byte(c.body))
			}))
			defer srv.Close()
			book, err := ledger.Open(t.Context(), emptyledger.DSN(t))
			require.NoError(t, err)
			defer book.Close()
			box := make(postbox, 2)
			cfg := &config.Tenant{ID: "t", Name: "Harbour", Archive: config.Archive{Notify: []string{"ops@example.com"}}}
			cfg.Frameio = config.Frameio{Generation: "legacy", BaseURL: srv.URL, Token: "a-developer-token"}
			notice := &migrationNotice{tenant: New(cfg, book, nil, nil, box, slog.New(slog.DiscardHandler))}
			notice.refused()
			notice.refused()
			m := <-box
			assert.Equal(t, 1, calls, "one question, whatever the answer")
			if c.says != "" {
				assert.Contains(t, m.Subject, "was migrated to V4: update")
				assert.Contains(t, m.Text, c.says)
				assert.NotContains(t, m.Text, "was not moved")
			} else {
				assert.Contains(t, m.Subject, "was the account migrated to V4?")
				assert.Contains(t, m.Text, c.asks)
			}
			assert.Contains(t, m.Text, "fails, and an e-mail names the new ID")
			assert.NotContains(t, m.Text, "a-developer-token")
			assert.Empty(t, box, "one mail a day")
		})
	}
}
