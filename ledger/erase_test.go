package ledger_test

import (
	"encoding/json"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	. "github.com/framebridge/framebridge/ledger"
	"github.com/framebridge/framebridge/ledger/chain"
	"github.com/framebridge/framebridge/ledger/outbox"
	"github.com/framebridge/framebridge/ledger/people"
)

const rita = "Rita@client.example"

// peopled fills a tenant with traces of Rita: an ended review, its comments, an archive, a file, and the audit log.
func peopled(t *testing.T, l *Ledger, tenant string) TenantLedger {
	t.Helper()
	h := l.Tenant(tenant)
	_, _, err := h.Archive(Project).Request(t.Context(), strings.ToLower(rita), time.Now())
	require.NoError(t, err)
	_, err = h.Archive(Project).Update(t.Context(), func(a *Archive) {
		a.Status, a.FinishedAt, a.ReportAssetID = Verified, time.Now().Add(-48*time.Hour), "report"
	})
	require.NoError(t, err)
	scan, err := h.Archive(Project).BeginScan(t.Context())
	require.NoError(t, err)
	require.NoError(t, h.Archive(Project).PutFolders(t.Context(), []Folder{{SourceID: "f", Name: "Day", Path: "Day", Details: `{"fields":{"framebridge_uploader":"Rita Reyes \u003crita@client.example\u003e"}}`, Scan: scan}}))
	require.NoError(t, h.Archive(Project).PageListed(t.Context(), "f", scan, "", nil, []Item{{SourceID: "i", AssetKey: "i", Path: "cut.mov", Fields: []byte(`{"framebridge_uploader":"Rita Reyes \u003crita@client.example\u003e"}`), Scan: scan}}, true))
	require.NoError(t, h.Archive(Project).FinishScan(t.Context(), scan))
	require.NoError(t, h.Archive(Project).PutAccess(t.Context(), "f", AccessRule, scan, `{"people":[{"id":"p","name":"Rita Reyes","email":"rita@client.example"}],"readers":["Rita Reyes \u003crita@client.example\u003e"]}`))
	_, _, err = h.Archive(Project).RequestReclaim(t.Context(), Reclaim{Status: ReclaimDone, RequestedBy: Actor{Kind: ActorConsole, Name: rita, Address: "203.0.113.7"}, RequestedAt: time.Now().Add(-48 * time.Hour), FinishedAt: time.Now().Add(-48 * time.Hour), Certificate: "certificate"})
	require.NoError(t, err)
	require.NoError(t, h.Archive(Project).SetDifferences(t.Context(), "f", "comments", 1, []Difference{{Kind: DifferenceChanged, Property: "text", Frameio: "Rita Reyes <rita@client.example>: darker"}}))
	_, _, err = l.RequestReview(t.Context(), Review{Tenant: tenant, ID: "r", Status: ReviewDeleted, Title: "A cut", Click: "c", Reviewers: []string{rita, "sam@post.example"}, CreatedAt: time.Now(), EndedAt: time.Now().Add(-48 * time.Hour)}, time.Second)
	require.NoError(t, err)
	require.NoError(t, h.PutReviewComments(t.Context(), ReviewComment{Review: "r", ID: "1", N: 1, Author: "Rita Reyes", Email: "rita@client.example", Text: "darker"}))
	for _, e := range []AuditEntry{{Action: "start", Actor: Actor{Kind: ActorConsole, Name: "sam@post.example"}}, {Action: "stop", Actor: Actor{Kind: ActorConsole, Name: rita, Address: "203.0.113.7"}, Detail: AuditText("by Rita Reyes")}, {Action: "sync", ObjectKind: "person", ObjectID: rita}} {
		e.Tenant = tenant
		_, err := l.AppendAudit(t.Context(), e)
		require.NoError(t, err)
	}
	return h
}

// all returns everything that the ledger stores about a tenant, as text.
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
	access, err := h.Archive(Project).Access(t.Context())
	require.NoError(t, err)
	add(access)
	folders, _, err := h.Archive(Project).Folders(t.Context(), "", 100)
	require.NoError(t, err)
	add(folders)
	it, _, err := h.Archive(Project).Item(t.Context(), "i")
	require.NoError(t, err)
	add(string(it.Fields))
	runs, err := h.Archive(Project).Reclaims(t.Context())
	require.NoError(t, err)
	add(runs)
	entries, err := h.AuditPage(t.Context(), AuditFilter{}, 0, 100)
	require.NoError(t, err)
	add(entries)
	return strings.ToLower(b.String())
}

// A person is erased from every table. The audit log's chain stays valid, and a byte changed afterwards still shows.
func TestAPersonIsErased(t *testing.T) {
	Each(t, func(t *testing.T, l *Ledger, tenant string) {
		h := peopled(t, l, tenant)
		out, err := people.Erase(t.Context(), h, rita, Actor{Kind: ActorCommand, Name: "sam"})
		require.NoError(t, err)
		assert.Equal(t, 2, out.Entries)
		var held []string
		for _, h := range out.Held {
			held = append(held, h.IconikAsset)
		}
		assert.Subset(t, held, []string{"report", "certificate"}, "what is stored in iconik")
		left := all(t, h)
		assert.NotContains(t, left, "rita@")
		assert.NotContains(t, left, "rita reyes", "beside the address, or in an entry that has it")
		assert.NotContains(t, left, "203.0.113.7")
		assert.Contains(t, left, "sam@post.example", "nobody else")
		comments, err := h.Review("r").Comments(t.Context(), 0)
		require.NoError(t, err)
		assert.Equal(t, out.Pseudonym, comments[0].Author)
		n, err := h.VerifyAudit(t.Context())
		require.NoError(t, err)
		assert.EqualValues(t, 4, n, "and one for the erasure")
		proof, err := h.ProveAudit(t.Context())
		require.NoError(t, err)
		assert.Equal(t, AuditProof{Entries: 4, Erased: chain.Numbers{2, 3}}, proof)
		assert.Equal(t, "2-3", proof.Erased.String())

		_, err = Exec(t.Context(), l, "UPDATE audit_log SET actor_name = 'somebody' WHERE tenant = ? AND seq = 2", tenant)
		require.NoError(t, err)
		_, err = h.VerifyAudit(t.Context())
		require.ErrorIs(t, err, ErrChain)
	})
}

// Whoever takes part in an open review is not erased.
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

// Under a pseudonym, whoever asked for a deletion that waits for a second person could approve it.
func TestWhoDeletesIsNotErasedMeanwhile(t *testing.T) {
	Each(t, func(t *testing.T, l *Ledger, tenant string) {
		h := peopled(t, l, tenant)
		_, _, err := h.Archive(Project).RequestReclaim(t.Context(), Reclaim{Status: ReclaimWaiting, RequestedBy: Actor{Kind: ActorConsole, Name: rita}})
		require.NoError(t, err)
		_, err = people.Erase(t.Context(), h, rita, Actor{})
		require.ErrorIs(t, err, people.ErrInUse)
		r, _, err := h.Archive(Project).Reclaim(t.Context())
		require.NoError(t, err)
		assert.Equal(t, rita, r.RequestedBy.Name)
		_, err = h.Archive(Project).UpdateReclaim(t.Context(), func(r *Reclaim) error { r.Status = ReclaimCancelled; return nil })
		require.NoError(t, err)
		_, err = people.Erase(t.Context(), h, rita, Actor{})
		require.NoError(t, err)
	})
}

// After the retention period nobody is named, and the chain is valid.
func TestPeopleAreForgottenAfterTheRetention(t *testing.T) {
	Each(t, func(t *testing.T, l *Ledger, tenant string) {
		h := peopled(t, l, tenant)
		rows, entries, err := people.Pseudonymize(t.Context(), h, time.Now().Add(-72*time.Hour))
		require.NoError(t, err)
		assert.Zero(t, rows+entries, "it is not over")
		rows, entries, err = people.Pseudonymize(t.Context(), h, time.Now().Add(time.Hour))
		require.NoError(t, err)
		assert.Equal(t, 8, rows)
		assert.Equal(t, 3, entries)
		assert.NotContains(t, all(t, h), "@")
		assert.Equal(t, 1, strings.Count(all(t, h), "rita reyes"), "beside each address; in a sentence without one it stays")
		d, err := h.Archive(Project).Differences(t.Context(), 10)
		require.NoError(t, err)
		require.Len(t, d, 1)
		assert.Contains(t, d[0].Frameio, ": darker", "what differs is still said")
		_, err = h.VerifyAudit(t.Context())
		require.NoError(t, err)
		rows, entries, err = people.Pseudonymize(t.Context(), h, time.Now().Add(time.Hour))
		require.NoError(t, err)
		assert.Zero(t, rows+entries, "once")
	})
}

// Reasons why a file stayed in Frame.io, and selections added to a migration, name people, too. A picture for high-resolution screens is
// not an address.
func TestPeopleAreForgottenInWhatIsSaidOfFiles(t *testing.T) {
	Each(t, func(t *testing.T, l *Ledger, tenant string) {
		h := peopled(t, l, tenant)
		require.NoError(t, h.Archive(Project).PutReclaimFiles(t.Context(), 1, []ReclaimFile{{Seq: 1, SourceID: "i", Path: "icons/play@2x.png", State: ReclaimLeft, Reason: `somebody commented on it in iconik: "ask rita@client.example, not icons/stop@3x.PNG"`}}))
		require.NoError(t, h.Migration("m").Create(t.Context(), Migration{Status: MigrationDone, FinishedAt: time.Now().Add(-48 * time.Hour), Added: []json.RawMessage{[]byte(`{"name":"rita@client.example"}`)}}))
		_, _, err := people.Pseudonymize(t.Context(), h, time.Now().Add(time.Hour))
		require.NoError(t, err)
		files, err := h.Archive(Project).ReclaimFiles(t.Context(), 1, ReclaimLeft, 0, 10)
		require.NoError(t, err)
		require.Len(t, files, 1)
		assert.Equal(t, "icons/play@2x.png", files[0].Path)
		assert.Regexp(t, `iconik: "ask erased-[0-9a-f]{8}, not icons/stop@3x.PNG"$`, files[0].Reason)
		m, _, err := h.Migration("m").Get(t.Context())
		require.NoError(t, err)
		assert.Regexp(t, `^{"name":"erased-[0-9a-f]{8}"}$`, string(m.Added[0]))
	})
}

// A run after the retention period reads people again, and then the end of that run counts.
func TestARunningArchiveForgetsNobody(t *testing.T) {
	Each(t, func(t *testing.T, l *Ledger, tenant string) {
		h := peopled(t, l, tenant)
		_, err := h.Archive(Project).Update(t.Context(), func(a *Archive) { a.Status = Running })
		require.NoError(t, err)
		_, _, err = people.Pseudonymize(t.Context(), h, time.Now().Add(time.Hour))
		require.NoError(t, err)
		f, _, err := h.Archive(Project).Folders(t.Context(), "", 10)
		require.NoError(t, err)
		assert.Contains(t, f[0].Details, "rita@client.example")
	})
}

// With addresses right after an escape, as in angle brackets or on their own line, the entry's detail stays JSON.
func TestTheAuditStaysJSON(t *testing.T) {
	Each(t, func(t *testing.T, l *Ledger, tenant string) {
		h := l.Tenant(tenant)
		for _, text := range []string{"may read it: Rita Reyes <rita@client.example>", "send it to\nrita@client.example\ttoday", `{"to":"\u003crita@client.example"}`} {
			_, err := l.AppendAudit(t.Context(), AuditEntry{Tenant: tenant, Action: "access", Actor: Actor{Kind: ActorConsole, Name: "sam", Address: "203.0.113.7", Key: "sam"}, Detail: AuditText(text)})
			require.NoError(t, err)
		}
		_, n, err := people.Pseudonymize(t.Context(), h, time.Now().Add(time.Hour))
		require.NoError(t, err)
		assert.Equal(t, 3, n)
		entries, err := h.AuditPage(t.Context(), AuditFilter{}, 0, 10)
		require.NoError(t, err)
		for _, e := range entries {
			text, err := json.Marshal(e)
			require.NoError(t, err)
			assert.NotContains(t, string(text), "@")
			assert.Empty(t, e.Actor.Address+e.Actor.Key, "they tell of a person, too")
		}
		assert.Regexp(t, `^{"text":"may read it: erased-[0-9a-f]{8}"}$`, string(entries[0].Detail))
		assert.Regexp(t, `^{"text":"send it to\\nerased-[0-9a-f]{8}\\ttoday"}$`, string(entries[1].Detail))
		_, err = h.VerifyAudit(t.Context())
		require.NoError(t, err)
	})
}

// Such a detail as an earlier release left it can be read, and an extract with it verifies.
func TestADetailThatIsNoJSONIsReadAsText(t *testing.T) {
	Each(t, func(t *testing.T, l *Ledger, tenant string) {
		h := l.Tenant(tenant)
		for _, action := range []string{"access", "later"} {
			_, err := l.AppendAudit(t.Context(), AuditEntry{Tenant: tenant, Action: action, Actor: Actor{Kind: ActorSystem}, Detail: AuditText("<rita@client.example>")})
			require.NoError(t, err)
		}
		broken := `{"text":"\erased-1c9d7e11\u003e"}`
		digest := (AuditEntry{Tenant: tenant, Seq: 1, At: entryAt(t, h, 1), Action: "access", Actor: Actor{Kind: ActorSystem}, Detail: json.RawMessage(broken)}).Digest()
		_, err := Exec(t.Context(), l, "UPDATE audit_log SET detail = ? WHERE tenant = ? AND seq = 1", broken, tenant)
		require.NoError(t, err)
		said, err := json.Marshal(map[string]any{"entries": []map[string]any{{"seq": 1, "digest": digest}}})
		require.NoError(t, err)
		_, err = l.AppendAudit(t.Context(), AuditEntry{Tenant: tenant, Action: ActionErased, Actor: Actor{Kind: ActorSystem}, Detail: said})
		require.NoError(t, err)
		_, err = h.VerifyAudit(t.Context())
		require.NoError(t, err)
		entries, err := h.AuditPage(t.Context(), AuditFilter{}, 0, 10)
		require.NoError(t, err)
		text, err := json.Marshal(entries)
		require.NoError(t, err)
		var again []AuditEntry
		require.NoError(t, json.Unmarshal(text, &again))
		erased := map[int64]string{}
		chain.Erasures(again, erased)
		require.NoError(t, chain.Verify(nil, again, erased))
		_, _, err = people.Pseudonymize(t.Context(), h, time.Now().Add(time.Hour))
		require.NoError(t, err)
		_, err = h.VerifyAudit(t.Context())
		require.NoError(t, err)
	})
}

func entryAt(t *testing.T, h TenantLedger, seq int64) time.Time {
	t.Helper()
	entries, err := h.AuditPage(t.Context(), AuditFilter{}, seq-1, 1)
	require.NoError(t, err)
	return entries[0].At
}

// ann@client.example is neither joann@client.example nor ann@client.example.org.
func TestNobodyElseIsErased(t *testing.T) {
	Each(t, func(t *testing.T, l *Ledger, tenant string) {
		h := l.Tenant(tenant)
		others := []string{"joann@client.example", "jo.ann@client.example", "ann@client.example.org", "ann@client.examples", "o'ann@client.example"}
		_, _, err := l.RequestReview(t.Context(), Review{Tenant: tenant, ID: "r", Status: ReviewOpen, Title: "A cut", Click: "c", Reviewers: others, CreatedAt: time.Now()}, time.Second)
		require.NoError(t, err)
		for i, who := range append(others, "Ann@client.example") {
			require.NoError(t, l.BeginSession(t.Context(), "secret "+who, Session{Subject: who, Email: who, ExpiresAt: time.Now().Add(time.Hour)}, time.Now()))
			require.NoError(t, h.PutReviewComments(t.Context(), ReviewComment{Review: "r", ID: who, N: 1, Author: "Jo", Email: who, Text: "darker"}))
			_, err = l.AppendAudit(t.Context(), AuditEntry{Tenant: tenant, Action: "stop", Actor: Actor{Kind: ActorConsole, Name: who}, Detail: AuditText("<" + who + ">.")})
			require.NoError(t, err, i)
		}
		out, err := people.Erase(t.Context(), h, "ann@client.example", Actor{})
		require.NoError(t, err)
		assert.Equal(t, map[string]int{"review_comments": 1}, out.Rows)
		assert.Equal(t, 1, out.Entries)
		text := all(t, h)
		for _, who := range others {
			assert.Contains(t, text, `"email":"`+who+`"`)
			assert.Contains(t, text, `\u003c`+who+`\u003e.`)
			_, signedIn, err := l.Session(t.Context(), "secret "+who, time.Now())
			require.NoError(t, err)
			assert.True(t, signedIn, who)
		}
		_, signedIn, err := l.Session(t.Context(), "secret Ann@client.example", time.Now())
		require.NoError(t, err)
		assert.False(t, signedIn)
	})
}

// JSON writes some letters of addresses as escapes.
func TestAnAddressIsFoundAsJSONWritesIt(t *testing.T) {
	Each(t, func(t *testing.T, l *Ledger, tenant string) {
		h := l.Tenant(tenant)
		require.NoError(t, h.PutReviewComments(t.Context(), ReviewComment{Review: "r", ID: "1", N: 1, Author: "R&D", Email: "r&d@client.example", Text: "darker"}))
		_, err := l.AppendAudit(t.Context(), AuditEntry{Tenant: tenant, Action: "stop", Actor: Actor{Kind: ActorSystem}, Detail: AuditText("R&D <R&D@client.example>")})
		require.NoError(t, err)
		_, err = people.Erase(t.Context(), h, "d@client.example", Actor{})
		require.NoError(t, err)
		comments, err := h.Review("r").Comments(t.Context(), 0)
		require.NoError(t, err)
		assert.Equal(t, "r&d@client.example", comments[0].Email)
		out, err := people.Erase(t.Context(), h, "r&d@client.example", Actor{})
		require.NoError(t, err)
		comments, err = h.Review("r").Comments(t.Context(), 0)
		require.NoError(t, err)
		assert.Equal(t, out.Pseudonym, comments[0].Email)
		assert.Equal(t, out.Pseudonym, comments[0].Author)
		entries, err := h.AuditPage(t.Context(), AuditFilter{}, 0, 1)
		require.NoError(t, err)
		assert.NotContains(t, string(entries[0].Detail), "client.example")
	})
}

// One person's address is written in many ways: in another case, in either Unicode form, with what mail programs add, and in URLs. A plus
// is part of it.
func TestAnAddressIsErasedHoweverItIsWritten(t *testing.T) {
	const asked = "ren\u00e9e+cuts@client.example"
	for name, address := range map[string]string{"as it is": asked, "the other Unicode form": "rene\u0301e+cuts@client.example", "in capital letters": " REN\u00c9E+Cuts@Client.EXAMPLE ", "in capital letters, the other form": "RENE\u0301E+CUTS@client.example"} {
		t.Run(name, func(t *testing.T) {
			Each(t, func(t *testing.T, l *Ledger, tenant string) {
				h, now := l.Tenant(tenant), time.Now()
				bare := strings.TrimSpace(address)
				other := strings.Replace(strings.ToLower(bare), "+cuts", "", 1)
				said := "ask Ren\u00e9e Roy <" + bare + ">, or open https://post.example/?to=" + url.QueryEscape(bare) + "&cc=" + url.QueryEscape(other)
				require.NoError(t, h.PutReviewComments(t.Context(), ReviewComment{Review: "r", ID: "1", N: 1, Author: "Ren\u00e9e Roy", Email: bare, Text: said}, ReviewComment{Review: "r", ID: "2", N: 1, Author: "Another", Email: other, Text: "x"}))
				require.NoError(t, l.BeginSession(t.Context(), "secret", Session{Subject: "s", Email: address, ExpiresAt: now.Add(time.Hour)}, now))
				require.NoError(t, l.Outbox().Put(t.Context(), tenant, outbox.Mail{ID: "1", To: []string{address, "sam@post.example"}, Subject: "Done: " + bare, Text: said, CreatedAt: now, DueAt: now}))
				_, err := l.AppendAudit(t.Context(), AuditEntry{Tenant: tenant, Action: "stop", Actor: Actor{Kind: ActorConsole, Name: bare, Address: "203.0.113.7"}, Reason: said, Detail: AuditText(said)})
				require.NoError(t, err)
				out, err := people.Erase(t.Context(), h, asked, Actor{Kind: ActorCommand, Name: "sam"})
				require.NoError(t, err)
				assert.Equal(t, 1, out.Entries)
				comments, err := h.Review("r").Comments(t.Context(), 0)
				require.NoError(t, err)
				entries, err := h.AuditPage(t.Context(), AuditFilter{}, 0, 100)
				require.NoError(t, err)
				due, err := l.Outbox().Claim(t.Context(), now.Add(time.Minute), 100)
				require.NoError(t, err)
				left, err := json.Marshal([]any{comments[0], entries, due})
				require.NoError(t, err)
				assert.NotRegexp(t, `(?i)cuts(@|%40)`, string(left))
				assert.NotContains(t, string(left), "Roy")
				assert.NotContains(t, string(left), "203.0.113.7")
				assert.Contains(t, string(left), url.QueryEscape(other), "nobody else")
				assert.Equal(t, other, comments[1].Email)
				_, signedIn, err := l.Session(t.Context(), "secret", now)
				require.NoError(t, err)
				assert.False(t, signedIn)
				_, err = h.VerifyAudit(t.Context())
				require.NoError(t, err)
			})
		})
	}
}

// Names that are also words change nothing but the name itself.
func TestANameIsNoPattern(t *testing.T) {
	Each(t, func(t *testing.T, l *Ledger, tenant string) {
		h := l.Tenant(tenant)
		_, _, err := l.RequestReview(t.Context(), Review{Tenant: tenant, ID: "r", Status: ReviewDeleted, Title: "A cut", Click: "c", CreatedAt: time.Now(), EndedAt: time.Now()}, time.Second)
		require.NoError(t, err)
		put := []ReviewComment{{ID: "1", Author: "Guest", Guest: true, Email: "rita@client.example", Text: "darker, said our guest"}, {ID: "2", Author: "Text", Email: "tex@client.example", Text: "brighter"},
			{ID: "3", Author: "Sam Post", Email: "sam@post.example", Text: "Sam Post and Sam Poster, sam@post.example"}}
		for _, c := range put {
			c.Review, c.N = "r", 1
			require.NoError(t, h.PutReviewComments(t.Context(), c))
			_, err = people.Erase(t.Context(), h, c.Email, Actor{})
			require.NoError(t, err)
		}
		comments, err := h.Review("r").Comments(t.Context(), 0)
		require.NoError(t, err)
		for i, c := range comments {
			assert.Regexp(t, "^erased-", c.Author)
			assert.Equal(t, c.Author, c.Email)
			assert.Equal(t, put[i].Guest, c.Guest)
		}
		assert.Equal(t, "darker, said our guest", comments[0].Text)
		assert.Equal(t, "brighter", comments[1].Text)
		who := comments[2].Author
		assert.Equal(t, who+" and Sam Poster, "+who, comments[2].Text)
	})
}

// An erasure is always in the audit log, with what it changed. The log stays provable if whoever did it is erased too.
func TestAnErasureIsAudited(t *testing.T) {
	Each(t, func(t *testing.T, l *Ledger, tenant string) {
		h := l.Tenant(tenant)
		require.NoError(t, h.PutReviewComments(t.Context(), ReviewComment{Review: "r", ID: "1", N: 1, Author: "Rita Reyes", Email: "rita@client.example", Text: "darker"}))
		edith := Actor{Kind: ActorCommand, Name: "edith@post.example", Address: "203.0.113.7"}
		out, err := people.Erase(t.Context(), h, rita, edith)
		require.NoError(t, err)
		entries, err := h.AuditPage(t.Context(), AuditFilter{}, 0, 10)
		require.NoError(t, err)
		require.Len(t, entries, 1)
		assert.Equal(t, ActionErased, entries[0].Action)
		assert.Equal(t, out.Pseudonym, entries[0].ObjectID)
		assert.Equal(t, edith, entries[0].Actor)
		assert.Contains(t, string(entries[0].Detail), `"rows":{"review_comments":1}`)
		out, err = people.Erase(t.Context(), h, edith.Name, Actor{Kind: ActorCommand, Name: "sam"})
		require.NoError(t, err)
		entries, err = h.AuditPage(t.Context(), AuditFilter{}, 0, 10)
		require.NoError(t, err)
		require.Len(t, entries, 2)
		assert.Equal(t, Actor{Kind: ActorCommand, Name: out.Pseudonym}, entries[0].Actor)
		_, err = h.VerifyAudit(t.Context())
		require.NoError(t, err)
	})
}

// A mail to several people goes to the remaining ones.
func TestNobodyIsMailedUnderAPseudonym(t *testing.T) {
	Each(t, func(t *testing.T, l *Ledger, tenant string) {
		now := time.Now()
		require.NoError(t, l.Outbox().Put(t.Context(), tenant, outbox.Mail{ID: "1", To: []string{"rita@client.example", "sam@post.example"}, Subject: "Done", Text: "x", CreatedAt: now, DueAt: now},
			outbox.Mail{ID: "2", To: []string{"rita@client.example"}, Subject: "Done", Text: "x", CreatedAt: now, DueAt: now}))
		_, err := people.Erase(t.Context(), l.Tenant(tenant), "rita@client.example", Actor{})
		require.NoError(t, err)
		due, err := l.Outbox().Claim(t.Context(), now.Add(time.Minute), 100)
		require.NoError(t, err)
		var to [][]string
		for _, b := range due {
			if b.Tenant == tenant {
				to = append(to, b.Mails[0].To)
			}
		}
		assert.Equal(t, [][]string{{"sam@post.example"}}, to)
	})
}

// An international domain has two forms. Mail programs and vendors write either.
func TestAnAddressIsErasedInBothFormsOfItsDomain(t *testing.T) {
	const words, letters = "rita@b\u00fccher.example", "rita@xn--bcher-kva.example"
	for name, asked := range map[string]string{"in words": words, "in letters": letters, "in capital letters": "RITA@B\u00dcCHER.example"} {
		t.Run(name, func(t *testing.T) {
			Each(t, func(t *testing.T, l *Ledger, tenant string) {
				h := l.Tenant(tenant)
				for _, form := range []string{words, letters} {
					require.NoError(t, h.PutReviewComments(t.Context(), ReviewComment{Review: "r", ID: form, N: 1, Author: "Rita", Email: form, Text: "darker"}))
					_, err := l.AppendAudit(t.Context(), AuditEntry{Tenant: tenant, Action: "stop", Actor: Actor{Kind: ActorConsole, Name: form}})
					require.NoError(t, err)
				}
				out, err := people.Erase(t.Context(), h, asked, Actor{})
				require.NoError(t, err)
				assert.Equal(t, 2, out.Entries)
				assert.Equal(t, map[string]int{"review_comments": 2}, out.Rows)
				comments, err := h.Review("r").Comments(t.Context(), 0)
				require.NoError(t, err)
				for _, c := range comments {
					assert.Equal(t, []string{out.Pseudonym, out.Pseudonym}, []string{c.Author, c.Email})
				}
				entries, err := h.AuditPage(t.Context(), AuditFilter{}, 0, 10)
				require.NoError(t, err)
				for _, e := range entries {
					assert.NotContains(t, e.Actor.Name, "cher")
				}
				_, err = h.VerifyAudit(t.Context())
				require.NoError(t, err)
			})
		})
	}
}
