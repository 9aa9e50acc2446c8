package archive

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/framebridge/framebridge/activities/tenant"
	"github.com/framebridge/framebridge/clients/frameio/open"
	"github.com/framebridge/framebridge/clients/iconik"
	"github.com/framebridge/framebridge/config"
	"github.com/framebridge/framebridge/ledger"
	"github.com/framebridge/framebridge/plan"
	"github.com/framebridge/framebridge/workflows"
)

// Whatever the policy, nothing waits for an original that cannot come back.
func TestWhatBecomesOfAMissingOriginal(t *testing.T) {
	missing := ledger.Item{Size: 1, Original: "missing", HasProxy: true}
	waited := missing
	waited.MissingSince = time.Now().Add(-25 * time.Hour)
	recent := missing
	recent.MissingSince = time.Now().Add(-23 * time.Hour)
	for _, tt := range []struct {
		policy string
		it     ledger.Item
		do     plan.Action
		why    string
	}{
		{"wait", missing, "wait", "waits up to a day"},
		{"wait", recent, "wait", "waits up to a day"},
		{"wait", waited, "skip", "none within a day"},
		{"proxy", missing, "copy", "stored the proxy"},
		{"fail", missing, "fail", "although the project is not archived"},
	} {
		v := plan.Decide(config.Archive{MissingOriginal: tt.policy, MaxFileSize: 1 << 40}, nil, tt.it)
		require.Equal(t, tt.do, v.Do, tt.policy)
		require.Contains(t, v.Why, tt.why, tt.policy)
	}
	it := ledger.Item{Original: "archived"}
	plan.NoteOriginal(&it, "missing")
	require.WithinDuration(t, time.Now(), it.MissingSince, time.Minute)
	since := it.MissingSince.Add(-time.Hour)
	it.MissingSince = since
	plan.NoteOriginal(&it, "missing")
	require.Equal(t, since, it.MissingSince, "since it was missing first")
	plan.NoteOriginal(&it, "archived")
	require.True(t, it.MissingSince.IsZero())
}

// An original without a link waits and says what to do: V4 does not tell which of two causes it is.
func TestAMissingOriginalSaysWhatBringsItBack(t *testing.T) {
	for generation, wants := range map[string][]string{
		"legacy": {"unarchive the project in Frame.io"},
		"v4":     {"archived before the account migration to V4", "permission to download"},
	} {
		cfg := &config.Tenant{ID: "t", Archive: config.Archive{MissingOriginal: "wait", MaxFileSize: 1 << 40}}
		cfg.Frameio = config.Frameio{Generation: generation, BaseURL: "http://127.0.0.1:9", Token: "x"}
		fio, err := open.Platform(cfg, nil, nil)
		require.NoError(t, err)
		ick, err := iconik.New(config.Iconik{BaseURL: "http://127.0.0.1:9", AppID: "a", AuthToken: "t"})
		require.NoError(t, err)
		arc := New(Options{Ledger: &ledger.Ledger{}, Config: config.Hold(&config.Config{}), WorkflowURL: func(string) string { return "" }}).of(tenant.New(cfg, &ledger.Ledger{}, fio, ick, nil, nil), workflows.Ref{Tenant: "t", Archive: "p"})
		v := arc.decide(ledger.Item{Size: 1, Original: "archived"})
		assert.Equal(t, plan.Wait, v.Do)
		subject, text, err := arc.composeMail(t.Context(), workflows.NotifyWaiting, ledger.Archive{Name: "Regatta", Reason: v.Why}) // of an older worker: without a code
		require.NoError(t, err)
		for _, want := range wants {
			assert.Contains(t, v.Why, want)
			assert.Contains(t, text, want)
		}
		assert.Contains(t, text, "archive.missing_original")
		assert.Equal(t, generation == "legacy", subject == `Action needed: originals of "Regatta" are in cold storage`, subject)
		for code, want := range map[string]string{workflows.WaitsForRestore: "in cold storage", workflows.WaitsForLink: "missing"} {
			subject, _, err = arc.composeMail(t.Context(), workflows.NotifyWaiting, ledger.Archive{Name: "Regatta", Reason: v.Why, ReasonCode: code})
			require.NoError(t, err)
			assert.Equal(t, `Action needed: originals of "Regatta" are `+want, subject, generation)
		}
	}
}

// The workflows may not import the ledger, and write its status words as text.
func TestWorkflowsAndLedgerUseTheSameStatusWords(t *testing.T) {
	for word, status := range map[string]ledger.ArchiveStatus{
		workflows.StatusRunning: ledger.Running, workflows.StatusWaiting: ledger.Waiting, workflows.StatusVerifying: ledger.Verifying,
		workflows.StatusFailed: ledger.Failed, workflows.StatusCancelled: ledger.Cancelled,
		workflows.StatusVerified: ledger.Verified, workflows.StatusVerifiedWithExceptions: ledger.VerifiedWithExceptions,
	} {
		require.Equal(t, word, string(status))
	}
	require.Equal(t, workflows.FaultContent, ledger.FaultContent)
	require.Equal(t, workflows.FaultSystem, ledger.FaultSystem)
}
