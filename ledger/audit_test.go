package ledger

import (
	"context"
	"encoding/json"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/framebridge/framebridge/ledger/chain"
)

func note(t *testing.T, l *Ledger, e AuditEntry) AuditEntry {
	t.Helper()
	e, err := l.AppendAudit(t.Context(), e)
	require.NoError(t, err)
	return e
}

// verifyChain verifies entries that include the digests of erased ones.
func verifyChain(before *AuditEntry, entries []AuditEntry) error {
	erased := map[int64]string{}
	chain.Erasures(entries, erased)
	return chain.Verify(before, entries, erased)
}

func TestTheAuditIsAChainPerTenant(t *testing.T) {
	each(t, func(t *testing.T, l *Ledger, tenant string) {
		ctx := t.Context()
		var all sync.WaitGroup
		for i := range 10 {
			for _, whose := range []string{tenant, tenant + "-other"} {
				all.Go(func() {
					_, err := l.AppendAudit(context.Background(), AuditEntry{Tenant: whose, Actor: Actor{Kind: "api", Key: "edit-suite"}, Action: fmt.Sprint("action ", i), Detail: json.RawMessage(`{"n": 1}`)})
					assert.NoError(t, err)
				})
			}
		}
		all.Wait()
		entries, err := l.Tenant(tenant).AuditPage(ctx, AuditFilter{}, 0, 100)
		require.NoError(t, err)
		require.Len(t, entries, 10)
		require.NoError(t, verifyChain(nil, entries))
		assert.JSONEq(t, `{"n":1}`, string(entries[0].Detail))
		assert.WithinDuration(t, time.Now(), entries[0].At, time.Minute)
		n, err := l.Tenant(tenant).VerifyAudit(ctx)
		require.NoError(t, err)
		assert.EqualValues(t, 10, n)
		extract, err := json.Marshal(note(t, l, AuditEntry{Tenant: tenant, Action: "x", Reason: "a \xff <b>", Detail: json.RawMessage(`{ "a": "<i> & \u2028 é" }`)}))
		require.NoError(t, err)
		var read AuditEntry
		require.NoError(t, json.Unmarshal(extract, &read))
		assert.Equal(t, read.Hash, read.Digest(), "an extract is verified without us")
		half, err := l.Tenant(tenant).AuditPage(ctx, AuditFilter{}, 5, 100)
		require.NoError(t, err)
		require.NoError(t, verifyChain(&entries[4], half))
	})
}

// A change to the table is detected unless everything after it is rewritten. A complete rewrite is detected by the head, or
// by any earlier extract.
func TestAChangedAuditIsNoticed(t *testing.T) {
	for name, change := range map[string]string{
		"a word":         "UPDATE audit_log SET reason = 'another' WHERE tenant = ? AND seq = 2",
		"who":            "UPDATE audit_log SET actor_name = 'kim' WHERE tenant = ? AND seq = 3",
		"the time":       "UPDATE audit_log SET at = at + 1 WHERE tenant = ? AND seq = 1",
		"one entry gone": "DELETE FROM audit_log WHERE tenant = ? AND seq = 2",
		"the last gone":  "DELETE FROM audit_log WHERE tenant = ? AND seq = 3",
		"all gone":       "DELETE FROM audit_log WHERE tenant = ?",
		"the hash":       "UPDATE audit_log SET hash = previous WHERE tenant = ? AND seq = 3",
	} {
		t.Run(name, func(t *testing.T) {
			each(t, func(t *testing.T, l *Ledger, tenant string) {
				for range 3 {
					note(t, l, AuditEntry{Tenant: tenant, Actor: Actor{Kind: "console", Name: "sam"}, Action: "stop", Reason: "why"})
				}
				_, err := l.Tenant(tenant).VerifyAudit(t.Context())
				require.NoError(t, err)
				_, err = l.exec(t.Context(), change, tenant)
				require.NoError(t, err)
				_, err = l.Tenant(tenant).VerifyAudit(t.Context())
				assert.ErrorIs(t, err, ErrChain)
			})
		})
	}
}

// The form of what is hashed is a promise to anyone who checks an extract without us.
func TestAnEntrysDigestNeverChanges(t *testing.T) {
	e := AuditEntry{Tenant: "t", Seq: 7, At: time.UnixMicro(1_700_000_000_000_001), Actor: Actor{Kind: "api", Name: "Sam Ü", Address: "192.0.2.1", Key: "edit"}, Action: "stop", ObjectKind: "review", ObjectID: "r",
		Review: "r", Reason: "late", Detail: json.RawMessage(`{"a":1}`), Previous: "00ff"}
	assert.Equal(t, "6c65fac43514fc32aed33fb06c880528e0f42d44a9e5330ffcbdacdb6bc1c652", e.Digest())
	moved := e
	moved.Reason, moved.Review = "rlate", ""
	assert.NotEqual(t, e.Digest(), moved.Digest(), "no two entries are written alike")
}

func TestTheAuditIsFiltered(t *testing.T) {
	each(t, func(t *testing.T, l *Ledger, tenant string) {
		note(t, l, AuditEntry{Tenant: tenant, Actor: Actor{Kind: "api", Key: "edit"}, Action: "retry", Archive: "p1", Detail: json.RawMessage(`{"file":"100%_Done.mov"}`)})
		note(t, l, AuditEntry{Tenant: tenant, Actor: Actor{Kind: "console", Name: "sam"}, Action: "stop", Review: "r1", Reason: "client asked"})
		note(t, l, AuditEntry{Tenant: tenant, Actor: Actor{Kind: "system"}, Action: "delete", Review: "r1", ObjectKind: "file", ObjectID: "F9"})
		note(t, l, AuditEntry{Tenant: tenant, Actor: Actor{Kind: "system"}, Action: ActionErased, ObjectKind: "person", ObjectID: "retention"})
		for name, c := range map[string]struct {
			filter AuditFilter
			want   []int64
		}{
			"all":             {AuditFilter{}, []int64{1, 2, 3, 4}},
			"with erasures":   {AuditFilter{Archive: "p1", WithErasures: true}, []int64{1, 4}},
			"archive":         {AuditFilter{Archive: "p1"}, []int64{1}},
			"review":          {AuditFilter{Review: "r1"}, []int64{2, 3}},
			"actor by name":   {AuditFilter{Actor: "sam"}, []int64{2}},
			"actor by key":    {AuditFilter{Actor: "edit"}, []int64{1}},
			"action":          {AuditFilter{Action: "delete"}, []int64{3}},
			"text":            {AuditFilter{Text: "CLIENT"}, []int64{2}},
			"text of objects": {AuditFilter{Text: "file f9"}, []int64{3}},
			"no pattern":      {AuditFilter{Text: "0%_d"}, []int64{1}},
			"no wildcard":     {AuditFilter{Text: "100_"}, nil},
			"both":            {AuditFilter{Review: "r1", Action: "stop"}, []int64{2}},
		} {
			entries, err := l.Tenant(tenant).AuditPage(t.Context(), c.filter, 0, 10)
			require.NoError(t, err, name)
			var got []int64
			for _, e := range entries {
				got = append(got, e.Seq)
			}
			assert.Equal(t, c.want, got, name)
		}
	})
}

func TestTheAuditOfBeforeIsCarriedOver(t *testing.T) {
	eachDeployed(t, func(t *testing.T, dsn string) {
		l, err := Open(t.Context(), dsn)
		require.NoError(t, err)
		defer l.Close()
		note(t, l, AuditEntry{Tenant: "acme", Actor: Actor{Kind: "api"}, Action: "cancel"})
		// A release before this one still runs.
		_, err = l.exec(t.Context(), "INSERT INTO audit (tenant, archive, at, actor, what, detail) VALUES ('acme', 'done', 5, 'api', 'retry', '')")
		require.NoError(t, err)
		note(t, l, AuditEntry{Tenant: "acme", Actor: Actor{Kind: "api"}, Action: "stop"})
		entries, err := l.Tenant("acme").AuditPage(t.Context(), AuditFilter{}, 0, 10)
		require.NoError(t, err)
		require.NoError(t, verifyChain(nil, entries))
		var got []string
		for _, e := range entries {
			got = append(got, e.Actor.Kind+" "+e.Action+" "+e.Archive+e.Review+" "+e.ObjectKind+" "+string(e.Detail))
		}
		assert.Equal(t, []string{`api retry done archive {"text":"again"}`, `workflow extended r1 review {"text":"2026-12-01T00:00:00Z"}`, "api cancel   ", "api retry done archive ", "api stop   "}, got)
	})
}

func TestAnEntryWithoutAnActionIsRefused(t *testing.T) {
	each(t, func(t *testing.T, l *Ledger, tenant string) {
		_, err := l.AppendAudit(t.Context(), AuditEntry{Tenant: tenant})
		require.Error(t, err)
		_, err = l.AppendAudit(t.Context(), AuditEntry{Tenant: tenant, Action: "x", Detail: json.RawMessage("{")})
		require.ErrorContains(t, err, "JSON")
	})
}
