package main

import (
	"bytes"
	"database/sql"
	"encoding/json"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/framebridge/framebridge/ledger"
	"github.com/framebridge/framebridge/test/emptyledger"
)

func TestAuditPrintsWhoDidWhat(t *testing.T) {
	v := newVendors(t)
	book, err := ledger.Open(t.Context(), v.ledger)
	require.NoError(t, err)
	defer book.Close()
	for _, e := range []ledger.AuditEntry{
		{Action: "stop", ObjectKind: "review", ObjectID: "r1", Review: "r1", Actor: ledger.Actor{Kind: ledger.ActorConsole, Name: "sam@example.com", Address: "192.0.2.7"}},
		{Action: "refused", Reason: "needs the role \x1b[2Jadmin", Actor: ledger.Actor{Kind: ledger.ActorAPI, Key: "wall"}},
		{Action: "extend", ObjectKind: "review", ObjectID: "r2", Review: "r2", Actor: ledger.Actor{Kind: ledger.ActorIconik}, Detail: ledger.AuditText("2026-12-24T00:00:00Z")},
	} {
		e.Tenant = tenantA
		_, err := book.AppendAudit(t.Context(), e)
		require.NoError(t, err)
	}
	text, code := v.run(t, "", "audit")
	require.Zero(t, code, text)
	for _, want := range []string{"sam@example.com from 192.0.2.7: stop review r1\n", "wall: refused: needs the role �[2Jadmin\n", "iconik: extend review r2: 2026-12-24T00:00:00Z\n"} {
		assert.Contains(t, text, want)
	}
	text, _ = v.run(t, "", "audit", "--review", "r2")
	assert.Len(t, strings.Split(strings.TrimSpace(text), "\n"), 1, text)
	text, _ = v.run(t, "", "audit", "--json", "--after", "1")
	var entries []ledger.AuditEntry
	for line := range strings.Lines(text) {
		var e ledger.AuditEntry
		require.NoError(t, json.Unmarshal([]byte(line), &e), line)
		entries = append(entries, e)
	}
	require.Len(t, entries, 2)
	assert.Equal(t, "refused", entries[0].Action)
	text, code = v.run(t, "", "audit", "--verify")
	assert.Zero(t, code, text)
	assert.Contains(t, text, "unchanged: 3 entries")
	text, code = v.run(t, "", "audit", "--verify", "--json")
	assert.Zero(t, code, text)
	assert.JSONEq(t, `{"unchanged": true, "entries": 3, "erased": []}`, text)
}

// A detail written by an earlier release does not prevent the rest of the log from being printed.
func TestAuditPrintsADetailThatIsNoJSON(t *testing.T) {
	dsn := emptyledger.DSN(t)
	book, err := ledger.Open(t.Context(), dsn)
	require.NoError(t, err)
	defer book.Close()
	for _, action := range []string{"first", "deleted", "later"} {
		_, err := book.AppendAudit(t.Context(), ledger.AuditEntry{Tenant: tenantA, Action: action, Detail: ledger.AuditText("why")})
		require.NoError(t, err)
	}
	db, err := sql.Open("sqlite", strings.TrimPrefix(dsn, "sqlite:"))
	require.NoError(t, err)
	defer db.Close()
	_, err = db.ExecContext(t.Context(), `UPDATE audit_log SET detail = '{"text":"\erased-1c9d7e11"}' WHERE seq = 2`)
	require.NoError(t, err)
	var out bytes.Buffer
	require.NoError(t, printAudit(t.Context(), &out, book.Tenant(tenantA), ledger.AuditFilter{}, 0, true))
	assert.Equal(t, 3, strings.Count(out.String(), "\n"))
	assert.Contains(t, out.String(), `"detail":"{\"text\":\"\\erased-1c9d7e11\"}"`)
}
