package archive

import (
	"context"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/framebridge/framebridge/activities/tenant"
	"github.com/framebridge/framebridge/clients/frameio/open"
	"github.com/framebridge/framebridge/clients/iconik"
	"github.com/framebridge/framebridge/clients/mail"
	"github.com/framebridge/framebridge/config"
	"github.com/framebridge/framebridge/ledger"
	"github.com/framebridge/framebridge/routes"
	"github.com/framebridge/framebridge/test/emptyledger"
	"github.com/framebridge/framebridge/workflows"
)

type outbox chan mail.Message

func (p outbox) Send(_ context.Context, m mail.Message) error { p <- m; return nil }

// A mail that waited for its server is sent if what it tells still holds: a later run that finds nothing to do sends none of
// its own, and one that has something to tell takes its place.
func TestAnEndIsToldOnceTheMailServerIsBack(t *testing.T) {
	for name, tt := range map[string]struct {
		status  ledger.ArchiveStatus
		changed bool
		run     int // that the mail is about; the archive is in its second run
		sent    bool
		waits   bool
	}{
		"the last run, with news":            {status: ledger.Verified, changed: true, run: 2, sent: true},
		"the last run, nothing done":         {status: ledger.Verified, run: 2},
		"before one that did nothing":        {status: ledger.Verified, run: 1, sent: true},
		"before one that has its own news":   {status: ledger.Verified, changed: true, run: 1},
		"before one that failed":             {status: ledger.Failed, run: 1},
		"before one that runs":               {status: ledger.Running, run: 1, waits: true},
		"of one that was never opened":       {status: ledger.Failed, run: 0, sent: true},
		"of one never opened, that runs now": {status: ledger.Running, run: 0, waits: true},
	} {
		t.Run(name, func(t *testing.T) {
			book, err := ledger.Open(t.Context(), emptyledger.DSN(t))
			require.NoError(t, err)
			defer book.Close()
			box := make(outbox, 2)
			cfg := &config.Tenant{ID: "t", Archive: config.Archive{Notify: []string{"ops@example.com"}}}
			cfg.Frameio = config.Frameio{Generation: "legacy", BaseURL: "http://127.0.0.1:9", Token: "x"}
			cfg.Iconik = config.Iconik{BaseURL: "http://127.0.0.1:9", AppID: "a", AuthToken: "t"}
			acts := mailing(t, cfg, book, box)
			_, _, err = book.Tenant("t").Archive("p").Request(t.Context(), "", time.Now())
			require.NoError(t, err)
			_, err = book.Tenant("t").Archive("p").Update(t.Context(), func(r *ledger.Archive) {
				r.Name, r.Run, r.Status, r.Changed = "Regatta", 2, tt.status, tt.changed
			})
			require.NoError(t, err)
			for range 2 {
				err := acts.Notify(t.Context(), workflows.NotifyInput{Ref: workflows.Ref{Tenant: "t", Archive: "p"}, Kind: workflows.NotifyEnded, Run: tt.run})
				assert.Equal(t, tt.waits, err != nil, "%v", err)
			}
			assert.Equal(t, tt.sent, len(box) == 1, "%d mails", len(box))
		})
	}
}

// An archive that was started by its ID alone still has its name in its mail.
func TestTheMailOfAQueuedArchiveNamesTheProject(t *testing.T) {
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		_, _ = w.Write([]byte(`{"id":"p","name":"Regatta","team":{"id":"x","name":"X"}}`))
	}))
	defer srv.Close()
	book, err := ledger.Open(t.Context(), emptyledger.DSN(t))
	require.NoError(t, err)
	defer book.Close()
	box := make(outbox, 1)
	cfg := &config.Tenant{ID: "t", Archive: config.Archive{Notify: []string{"ops@example.com"}}}
	cfg.Frameio = config.Frameio{Generation: "legacy", BaseURL: srv.URL, Token: "x"}
	cfg.Iconik = config.Iconik{BaseURL: srv.URL, AppID: "a", AuthToken: "t"}
	acts := mailing(t, cfg, book, box)
	_, _, err = book.Tenant("t").Archive("p").Request(t.Context(), "", time.Now())
	require.NoError(t, err)
	require.NoError(t, acts.Notify(t.Context(), workflows.NotifyInput{Ref: workflows.Ref{Tenant: "t", Archive: "p"}, Kind: workflows.NotifyQueued, Run: 1}))
	m := <-box
	assert.Equal(t, `Queued: archive of "Regatta"`, m.Subject)
	assert.Contains(t, m.Text, "Status:                https://bridge.example.com/ui/t/archives/p\n", "there is no key for a link that opens without an account")
}

func TestAMailsLinkOpensTheArchive(t *testing.T) {
	const id = "0419e0c5-6fed-4b66-bf0f-f8a99d44bcd0"
	book, err := ledger.Open(t.Context(), emptyledger.DSN(t))
	require.NoError(t, err)
	defer book.Close()
	box := make(outbox, 1)
	cfg := &config.Tenant{ID: id, Archive: config.Archive{Notify: []string{"ops@example.com"}}}
	cfg.Frameio = config.Frameio{Generation: "legacy", BaseURL: "http://127.0.0.1:9", Token: "x"}
	cfg.Iconik = config.Iconik{BaseURL: "http://127.0.0.1:9", AppID: "a", AuthToken: "t"}
	acts := mailing(t, cfg, book, box)
	acts.Config.Now().Ledger.EncryptionKey = config.Secrets{"a secret of sixteen and more"}
	_, _, err = book.Tenant(id).Archive("p").Request(t.Context(), "", time.Now())
	require.NoError(t, err)
	_, err = book.Tenant(id).Archive("p").Update(t.Context(), func(r *ledger.Archive) { r.Name = "Regatta" })
	require.NoError(t, err)
	require.NoError(t, acts.Notify(t.Context(), workflows.NotifyInput{Ref: workflows.Ref{Tenant: id, Archive: "p"}, Kind: workflows.NotifyQueued, Run: 1}))
	_, address, found := strings.Cut((<-box).Text, "https://bridge.example.com/l/")
	require.True(t, found)
	link, err := routes.OpenLink(acts.Config.Now(), strings.TrimSpace(address), time.Now())
	require.NoError(t, err)
	assert.Equal(t, []string{id, "archive", "p", "viewer"}, []string{link.Tenant, link.Kind, link.ID, string(link.Role)})
}

// mailing returns the activities of a tenant whose mail goes to box.
func mailing(t *testing.T, cfg *config.Tenant, book *ledger.Ledger, box outbox) *Activities {
	t.Helper()
	fio, err := open.Platform(cfg, nil, nil)
	require.NoError(t, err)
	ick, err := iconik.New(cfg.Iconik)
	require.NoError(t, err)
	log := slog.New(slog.DiscardHandler)
	one := tenant.New(cfg, book, fio, ick, box, log)
	return New(Options{Config: config.Hold(&config.Config{HTTP: config.HTTP{PublicURL: "https://bridge.example.com"}}), Ledger: book, Log: log, Tenant: func(string) (*tenant.Tenant, error) { return one, nil },
		WorkflowURL: func(string) string { return "" }})
}
