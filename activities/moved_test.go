package activities

import (
	"context"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/framebridge/framebridge/clients/frameio/open"
	"github.com/framebridge/framebridge/clients/iconik"
	"github.com/framebridge/framebridge/clients/mail"
	"github.com/framebridge/framebridge/config"
	"github.com/framebridge/framebridge/ledger"
	"github.com/framebridge/framebridge/workflows"
)

type postbox chan mail.Message

func (p postbox) Send(_ context.Context, m mail.Message) error { p <- m; return nil }

// What operators are told of a refused token: where V4 takes it the account was moved, otherwise they are asked.
func TestARefusedTokenIsLookedForOnV4(t *testing.T) {
	const moved = `{"id":"acc","display_name":"Harbour Films","v4_migrated_at":"2026-11-20T08:30:00Z"}`
	for name, c := range map[string]struct {
		status     int
		body       string
		says, asks string
	}{
		"moved":             {200, `{"data":[` + moved + `]}`, `account "Harbour Films" is on V4 since 20 November 2026, 08:30 UTC`, ""},
		"moved, of several": {200, `{"data":[` + moved + `,{"id":"b","display_name":"B","v4_migrated_at":null}]}`, `account "Harbour Films, B" is on V4, which takes`, ""},
		"nothing is there":  {200, `{"data":[]}`, "", "If the account was not moved, the token was deleted"},
		"refused, too":      {401, `{"errors":[{"detail":"Unauthorized"}]}`, "", "If the account was not moved, the token was deleted"},
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
			book, err := ledger.Open(t.Context(), "sqlite:"+filepath.Join(t.TempDir(), "ledger.db"))
			require.NoError(t, err)
			defer book.Close()
			box := make(postbox, 2)
			cfg := &config.Tenant{ID: "t", Name: "Harbour", Archive: config.Archive{Notify: []string{"ops@example.com"}}}
			cfg.Frameio = config.Frameio{Generation: "legacy", BaseURL: srv.URL, Token: "a-developer-token"}
			tn := &tenant{Activities: &Activities{Ledger: book, Log: slog.New(slog.DiscardHandler), mailer: box}, cfg: cfg}
			tn.tokenRefused()
			tn.tokenRefused()
			m := <-box
			assert.Equal(t, 1, calls, "one question, whatever the answer")
			if c.says != "" {
				assert.Contains(t, m.Subject, "was moved to V4: change")
				assert.Contains(t, m.Text, c.says)
				assert.NotContains(t, m.Text, "was not moved")
			} else {
				assert.Contains(t, m.Subject, "was the account moved to V4?")
				assert.Contains(t, m.Text, c.asks)
			}
			assert.Contains(t, m.Text, "its mail names the id to start")
			assert.NotContains(t, m.Text, "a-developer-token")
			assert.Empty(t, box, "one mail a day")
		})
	}
}

// An original without a link waits, and says what to do: V4 does not tell which of two causes it is.
func TestAMissingOriginalSaysWhatBringsItBack(t *testing.T) {
	for generation, wants := range map[string][]string{
		"legacy": {"unarchive the project there"},
		"v4":     {"archived before the account was moved to V4", "the permission to download"},
	} {
		cfg := &config.Tenant{ID: "t", Archive: config.Archive{MissingOriginal: "wait", MaxFileSize: 1 << 40}}
		cfg.Frameio = config.Frameio{Generation: generation, BaseURL: "http://127.0.0.1:9", Token: "x"}
		fio, err := open.Platform(cfg, nil, nil)
		require.NoError(t, err)
		ick, err := iconik.New(config.Iconik{BaseURL: "http://127.0.0.1:9", AppID: "a", AuthToken: "t"})
		require.NoError(t, err)
		tn := &tenant{Activities: &Activities{Config: &config.Config{}}, cfg: cfg, frameio: fio, iconik: ick}
		v := tn.decide(ledger.Item{Size: 1, Original: "archived"})
		assert.Equal(t, "wait", v.do)
		subject, text := (&archive{tenant: tn}).letter(workflows.NotifyWaiting, ledger.Archive{Name: "Regatta", Reason: v.why})
		for _, want := range wants {
			assert.Contains(t, v.why, want)
			assert.Contains(t, text, want)
		}
		assert.Contains(t, text, "archive.missing_original")
		assert.Equal(t, generation == "legacy", subject == `Needs a hand: originals of "Regatta" are in cold storage`, subject)
	}
}

// A mail that waited for its server is sent when what it tells is still so: a later run that finds nothing to do sends none
// of its own, and one that has something to tell takes its place.
func TestAnEndIsToldOnceTheMailServerIsBack(t *testing.T) {
	for name, tt := range map[string]struct {
		status  ledger.ArchiveStatus
		changed bool
		run     int // that the mail is about; the archive is at its second
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
			book, err := ledger.Open(t.Context(), "sqlite:"+filepath.Join(t.TempDir(), "ledger.db"))
			require.NoError(t, err)
			defer book.Close()
			box := make(postbox, 2)
			cfg := &config.Tenant{ID: "t", Archive: config.Archive{Notify: []string{"ops@example.com"}}}
			cfg.Frameio = config.Frameio{Generation: "legacy", BaseURL: "http://127.0.0.1:9", Token: "x"}
			cfg.Iconik = config.Iconik{BaseURL: "http://127.0.0.1:9", AppID: "a", AuthToken: "t"}
			acts := &Activities{Ledger: book, Config: &config.Config{Tenants: map[string]*config.Tenant{"t": cfg}}, Log: slog.New(slog.DiscardHandler), mailer: box, tenants: map[string]*tenant{}}
			_, _, err = book.RequestArchive(t.Context(), "t", "p", "", time.Now())
			require.NoError(t, err)
			_, err = book.UpdateArchive(t.Context(), "t", "p", func(r *ledger.Archive) {
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

// One that was started by its id alone is named in its mail all the same.
func TestTheMailOfAQueuedArchiveNamesTheProject(t *testing.T) {
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		_, _ = w.Write([]byte(`{"id":"p","name":"Regatta","team":{"id":"x","name":"X"}}`))
	}))
	defer srv.Close()
	book, err := ledger.Open(t.Context(), "sqlite:"+filepath.Join(t.TempDir(), "ledger.db"))
	require.NoError(t, err)
	defer book.Close()
	box := make(postbox, 1)
	cfg := &config.Tenant{ID: "t", Archive: config.Archive{Notify: []string{"ops@example.com"}}}
	cfg.Frameio = config.Frameio{Generation: "legacy", BaseURL: srv.URL, Token: "x"}
	acts := &Activities{Ledger: book, Config: &config.Config{Tenants: map[string]*config.Tenant{"t": cfg}}, Log: slog.New(slog.DiscardHandler), mailer: box, tenants: map[string]*tenant{}}
	cfg.Iconik = config.Iconik{BaseURL: srv.URL, AppID: "a", AuthToken: "t"}
	_, _, err = book.RequestArchive(t.Context(), "t", "p", "", time.Now())
	require.NoError(t, err)
	require.NoError(t, acts.Notify(t.Context(), workflows.NotifyInput{Ref: workflows.Ref{Tenant: "t", Archive: "p"}, Kind: workflows.NotifyQueued, Run: 1}))
	m := <-box
	assert.Equal(t, `Queued: archive of "Regatta"`, m.Subject)
}
