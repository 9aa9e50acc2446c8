package ledger_test

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	. "github.com/framebridge/framebridge/ledger"
	"github.com/framebridge/framebridge/ledger/people"
)

const rita = "Rita@client.example"

// peopled fills a tenant with what Rita has left in it: a review that has ended, its comments, an archive, a file, and the audit.
func peopled(t *testing.T, l *Ledger, tenant string) TenantLedger {
	t.Helper()
	h := l.Tenant(tenant)
	_, _, err := h.Archive(Project).Request(t.Context(), strings.ToLower(rita), time.Now())
	require.NoError(t, err)
	_, err = h.Archive(Project).Update(t.Context(), func(a *Archive) { a.Status, a.FinishedAt = Verified, time.Now().Add(-48*time.Hour) })
	require.NoError(t, err)
	require.NoError(t, h.Archive(Project).SetDifferences(t.Context(), "f", "comments", 1, []Difference{{Kind: DifferenceChanged, Property: "text", Frameio: "Rita Reyes <rita@client.example>: darker"}}))
	_, _, err = l.RequestReview(t.Context(), Review{Tenant: tenant, ID: "r", Status: ReviewDeleted, Title: "A cut", Click: "c", Reviewers: []string{rita, "sam@post.example"}, CreatedAt: time.Now(), EndedAt: time.Now().Add(-48 * time.Hour)}, time.Second)
	require.NoError(t, err)
	require.NoError(t, h.PutReviewComments(t.Context(), ReviewComment{Review: "r", ID: "1", N: 1, Author: "Rita Reyes", Email: "rita@client.example", Text: "darker"}))
	for _, e := range []AuditEntry{{Action: "start", Actor: Actor{Kind: ActorConsole, Name: "sam@post.example"}}, {Action: "stop", Actor: Actor{Kind: ActorConsole, Name: rita}, Detail: AuditText("by Rita Reyes")}, {Action: "sync", ObjectKind: "person", ObjectID: rita}} {
		e.Tenant = tenant
		_, err := l.AppendAudit(t.Context(), e)
		require.NoError(t, err)
	}
	return h
}

// all is everything that the ledger has of a tenant, as text.
func all(t *testing.T, h TenantLedger) string {
	t.Helper()
	var b strings.Builder
	add := func(v any) {
		text, err := json.Marshal(v)
		require.NoError(t, err)
		b.Write(text)
	}
	a, _, err := h.Archive(Project).Get(t.Context())
	require.NoError(t, err)
	add(a)
	r, _, err := h.Review("r").Get(t.Context())
	require.NoError(t, err)
	add(r)
	comments, err := h.Review("r").Comments(t.Context(), 0)
	require.NoError(t, err)
	add(comments)
	d, err := h.Archive(Project).Differences(t.Context(), 10)
	require.NoError(t, err)
	add(d)
	entries, err := h.AuditPage(t.Context(), AuditFilter{}, 0, 100)
	require.NoError(t, err)
	add(entries)
	return strings.ToLower(b.String())
}

// A person is taken out of every table; the audit's chain holds, and a byte that is changed afterwards still shows.
func TestAPersonIsErased(t *testing.T) {
	Each(t, func(t *testing.T, l *Ledger, tenant string) {
		h := peopled(t, l, tenant)
		out, err := people.Erase(t.Context(), h, rita, Actor{Kind: ActorCommand, Name: "sam"})
		require.NoError(t, err)
		assert.Equal(t, 2, out.Entries)
		left := all(t, h)
		assert.NotContains(t, left, "rita@")
		assert.NotContains(t, left, "rita reyes <")
		assert.Contains(t, left, "sam@post.example", "nobody else")
		comments, err := h.Review("r").Comments(t.Context(), 0)
		require.NoError(t, err)
		assert.Equal(t, out.Pseudonym, comments[0].Author)
		n, err := h.VerifyAudit(t.Context())
		require.NoError(t, err)
		assert.EqualValues(t, 4, n, "and one for the erasure")

		_, err = Exec(t.Context(), l, "UPDATE audit_log SET actor_name = 'somebody' WHERE tenant = ? AND seq = 2", tenant)
		require.NoError(t, err)
		_, err = h.VerifyAudit(t.Context())
		require.ErrorIs(t, err, ErrChain)
	})
}

// Whoever reviews something now is needed.
func TestAReviewerOfAnOpenReviewIsNotErased(t *testing.T) {
	Each(t, func(t *testing.T, l *Ledger, tenant string) {
		h := peopled(t, l, tenant)
		_, err := h.Review("r").Update(t.Context(), func(r *Review) { r.Status = ReviewOpen })
		require.NoError(t, err)
		_, err = people.Erase(t.Context(), h, rita, Actor{})
		require.ErrorIs(t, err, people.ErrInUse)
		assert.Contains(t, all(t, h), "rita@")
	})
}

// After the retention nobody is named, and the chain holds.
func TestPeopleAreForgottenAfterTheRetention(t *testing.T) {
	Each(t, func(t *testing.T, l *Ledger, tenant string) {
		h := peopled(t, l, tenant)
		rows, entries, err := people.Pseudonymise(t.Context(), h, time.Now().Add(-72*time.Hour))
		require.NoError(t, err)
		assert.Zero(t, rows+entries, "it is not over")
		rows, entries, err = people.Pseudonymise(t.Context(), h, time.Now().Add(time.Hour))
		require.NoError(t, err)
		assert.Equal(t, 3, rows)
		assert.Equal(t, 3, entries)
		d, err := h.Archive(Project).Differences(t.Context(), 10)
		require.NoError(t, err)
		require.Len(t, d, 1, "what reports are made of stays")
		require.NoError(t, h.Archive(Project).SetDifferences(t.Context(), "f", "comments", 1, nil))
		assert.NotContains(t, all(t, h), "@")
		_, err = h.VerifyAudit(t.Context())
		require.NoError(t, err)
		rows, entries, err = people.Pseudonymise(t.Context(), h, time.Now().Add(time.Hour))
		require.NoError(t, err)
		assert.Zero(t, rows+entries, "once")
	})
}
