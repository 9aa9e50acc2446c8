package verify

import (
	"bytes"
	"crypto/ed25519"
	"database/sql"
	"encoding/json"
	"fmt"
	"io"
	"iter"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/cespare/xxhash/v2"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/framebridge/framebridge/custody"
	"github.com/framebridge/framebridge/english"
	"github.com/framebridge/framebridge/ledger"
	"github.com/framebridge/framebridge/ledger/people"
	"github.com/framebridge/framebridge/report"
	"github.com/framebridge/framebridge/test/emptyledger"
)

var key = ed25519.NewKeyFromSeed(bytes.Repeat([]byte{7}, 32))

func trusted() []ed25519.PublicKey { return []ed25519.PublicKey{key.Public().(ed25519.PublicKey)} }

// archived stores files and creates their report.
func archived(t *testing.T) (store string, rep *report.Report) {
	store = t.TempDir()
	var items []ledger.Item
	for i, path := range []string{"A001.mov", "Day 1/A002.mov", "Day 1/notes.pdf"} {
		body := fmt.Sprintf("the bytes of %s", path)
		require.NoError(t, os.MkdirAll(filepath.Dir(filepath.Join(store, path)), 0o755))
		require.NoError(t, os.WriteFile(filepath.Join(store, path), []byte(body), 0o600))
		items = append(items, ledger.Item{SourceID: fmt.Sprintf("f%d", i), Path: path, Version: 1, Versions: 1, Title: filepath.Base(path), State: ledger.ItemVerified, Rendition: "original",
			Size: int64(len(body)), StoredSize: int64(len(body)), Checksum: fmt.Sprintf("%016x", xxhash.Sum64String(body))})
	}
	return store, &report.Report{Archive: ledger.Archive{ID: "p", Tenant: "t", Name: "Spring", Status: ledger.Verified, Run: 1}, Tenant: "Acme", SigningKey: key, GeneratedAt: time.Date(2026, 11, 1, 0, 1, 0, 0, time.UTC),
		Totals: ledger.Totals{Items: 3, Verified: 3},
		Items: func(yield func(ledger.Item, error) bool) {
			for _, it := range items {
				if !yield(it, nil) {
					return
				}
			}
		}}
}

func write(t *testing.T, name string, render func(io.Writer, *report.Report) error, r *report.Report) []byte {
	var b bytes.Buffer
	require.NoError(t, render(&b, r))
	require.NoError(t, os.MkdirAll(filepath.Dir(name), 0o755))
	require.NoError(t, os.WriteFile(name, b.Bytes(), 0o600))
	return b.Bytes()
}

func TestAReportIsProvenWithItsFiles(t *testing.T) {
	store, rep := archived(t)
	for form, render := range map[string]func(io.Writer, *report.Report) error{"report.json": report.JSON, "report.html": report.HTML} {
		name := filepath.Join(t.TempDir(), form)
		body := write(t, name, render, rep)
		r, err := File(name, Options{Trusted: trusted(), Store: store})
		require.NoError(t, err)
		assert.Empty(t, r.Problems, form)
		assert.Empty(t, r.Warnings, form)
		assert.NotEmpty(t, r.SignedBy, form)

		for at := 0; at < len(body); at += 13 { // each reads a file; package custody tries every bit
			changed := bytes.Clone(body)
			changed[at] ^= 1
			require.NoError(t, os.WriteFile(name, changed, 0o600))
			r, err := File(name, Options{Trusted: trusted()})
			require.True(t, err != nil || len(r.Problems) > 0, "%s, byte %d", form, at)
		}
	}
	rep.SigningKey = nil
	name := filepath.Join(t.TempDir(), "report.json")
	write(t, name, report.JSON, rep)
	r, err := File(name, Options{})
	require.NoError(t, err)
	assert.Empty(t, r.Problems)
	assert.Contains(t, r.Warnings[0], "not signed")
	r, err = File(name, Options{Trusted: trusted()})
	require.NoError(t, err)
	assert.Equal(t, []string{"signature: not signed"}, r.Problems, "whoever gives a key wants it signed")
	rep.Totals.Verified = 4
	write(t, name, report.JSON, rep)
	r, err = File(name, Options{})
	require.NoError(t, err)
	assert.Equal(t, []string{"totals: it says 4 verified and lists 3"}, r.Problems)
}

func TestAChangedFileIsNamed(t *testing.T) {
	for name, damage := range map[string]struct {
		do   func(t *testing.T, file string)
		want string
	}{
		"a flipped byte": {func(t *testing.T, file string) {
			require.NoError(t, os.WriteFile(file, []byte("the bytes of Day 1/A003.mov"), 0o600))
		}, "differs: Day 1/A002.mov has the xxHash64"},
		"a byte more": {func(t *testing.T, file string) {
			require.NoError(t, os.WriteFile(file, []byte("the bytes of Day 1/A002.mov "), 0o600))
		}, "differs: Day 1/A002.mov has 28 bytes instead of 27"},
		"none at all": {func(t *testing.T, file string) { require.NoError(t, os.Remove(file)) }, "missing: Day 1/A002.mov"},
	} {
		t.Run(name, func(t *testing.T) {
			store, rep := archived(t)
			list := filepath.Join(store, "ascmhl", rep.MHLFile())
			rep.Keep(write(t, list, report.MHL, rep))
			write(t, filepath.Join(store, "ascmhl", report.ChainFile), report.Chain, rep)
			js := filepath.Join(t.TempDir(), "report.json")
			write(t, js, report.JSON, rep)

			r, err := File(list, Options{Trusted: trusted()})
			require.NoError(t, err)
			assert.Empty(t, append(r.Problems, r.Warnings...))
			damage.do(t, filepath.Join(store, "Day 1", "A002.mov"))
			for _, file := range []string{list, js} {
				r, err := File(file, Options{Store: store, Trusted: trusted()})
				require.NoError(t, err)
				require.Len(t, r.Problems, 1)
				assert.Contains(t, r.Problems[0], damage.want)
			}

			r, err = File(filepath.Join(store, "ascmhl", report.ChainFile), Options{})
			require.NoError(t, err)
			assert.Empty(t, r.Problems)
			body, err := os.ReadFile(list)
			require.NoError(t, err)
			body[len(body)/2] ^= 1
			require.NoError(t, os.WriteFile(list, body, 0o600))
			r, err = File(filepath.Join(store, "ascmhl", report.ChainFile), Options{})
			require.NoError(t, err)
			assert.Contains(t, r.Problems[0], rep.MHLFile()+", generation 1, was changed")
		})
	}
}

// A flipped bit anywhere is reported: in a hash list next to its chain, in the chain, and in an extract of the audit log.
func TestAFlippedBitAnywhereIsNamed(t *testing.T) {
	store, rep := archived(t)
	list, chain := filepath.Join(store, "ascmhl", rep.MHLFile()), filepath.Join(store, "ascmhl", report.ChainFile)
	rep.Keep(write(t, list, report.MHL, rep))
	write(t, chain, report.Chain, rep)
	audit, _ := audited(t, 3)
	for _, name := range []string{list, chain, audit} {
		body, err := os.ReadFile(name)
		require.NoError(t, err)
		before, err := File(name, Options{Trusted: trusted()})
		require.NoError(t, err)
		require.Empty(t, before.Problems)
		for at := range body {
			for bit := range 8 {
				body[at] ^= 1 << bit
				r, err := examine(name, body, Options{Trusted: trusted()})
				require.True(t, err != nil || len(r.Problems) > 0 || len(r.Warnings) > len(before.Warnings), "%s, bit %d of byte %d, %q", filepath.Base(name), bit, at, body[max(0, at-20):min(len(body), at+20)])
				body[at] ^= 1 << bit
			}
		}
	}
}

func TestAListIsHeldAgainstItsChain(t *testing.T) {
	store, rep := archived(t)
	list, chain := filepath.Join(store, "ascmhl", rep.MHLFile()), filepath.Join(store, "ascmhl", report.ChainFile)
	body := write(t, list, report.MHL, rep)
	for _, o := range []Options{{}, {Trusted: trusted()}} {
		r, err := File(list, o)
		require.NoError(t, err)
		assert.Contains(t, r.Warnings[0], "there is no chain to prove the list with", "nothing proves who wrote it")
	}
	rep.Keep(body)
	whole := write(t, chain, report.Chain, rep)

	other := filepath.Join(store, "ascmhl", "archive-report.mhl") // as iconik calls it
	require.NoError(t, os.WriteFile(other, body, 0o600))
	r, err := File(other, Options{Trusted: trusted()})
	require.NoError(t, err)
	assert.Empty(t, append(r.Problems, r.Warnings...))
	r, err = File(chain, Options{})
	require.NoError(t, err)
	assert.Contains(t, strings.Join(r.Warnings, "\n"), "archive-report.mhl is next to the chain")
	require.NoError(t, os.Remove(other))

	require.NoError(t, os.WriteFile(list, bytes.Replace(body, []byte(`action="original"`), []byte(`action="verified"`), 1), 0o600))
	r, err = File(list, Options{})
	require.NoError(t, err)
	assert.Contains(t, r.Problems[0], "that it is generation 1 of the chain next to it")
	start, end := bytes.Index(whole, []byte("  <hashlist")), bytes.Index(whole, []byte("</ascmhl"))
	require.NoError(t, os.WriteFile(chain, append(bytes.Clone(whole[:start]), whole[end:]...), 0o600))
	r, err = File(chain, Options{})
	require.NoError(t, err)
	assert.Equal(t, []string{"signature: changed since it was signed", "it lists no hash list"}, r.Problems)
}

// Whoever changes a list can rewrite the chain, but cannot sign it.
func TestAChainsSignatureStandsForItsLists(t *testing.T) {
	store, rep := archived(t)
	list, chain := filepath.Join(store, "ascmhl", rep.MHLFile()), filepath.Join(store, "ascmhl", report.ChainFile)
	files := func(o Options) (ofList, ofChain Result) {
		ofList, err := File(list, o)
		require.NoError(t, err)
		ofChain, err = File(chain, o)
		require.NoError(t, err)
		return ofList, ofChain
	}
	rep.Keep(write(t, list, report.MHL, rep))
	write(t, chain, report.Chain, rep)
	ofList, ofChain := files(Options{Trusted: trusted()})
	for _, r := range []Result{ofList, ofChain} {
		assert.Empty(t, append(r.Problems, r.Warnings...), r.Kind)
		assert.Equal(t, custody.KeyID(trusted()[0]), r.SignedBy, r.Kind)
	}

	for name, by := range map[string]ed25519.PrivateKey{"nobody": nil, "another key": ed25519.NewKeyFromSeed(bytes.Repeat([]byte{8}, 32))} {
		forged := *rep
		forged.SigningKey, forged.Generations = by, nil
		forged.Keep(write(t, list, func(w io.Writer, _ *report.Report) error {
			var b bytes.Buffer
			require.NoError(t, report.MHL(&b, rep))
			_, err := w.Write(bytes.Replace(b.Bytes(), []byte("A001.mov"), []byte("A003.mov"), 1))
			return err
		}, rep))
		write(t, chain, report.Chain, &forged)
		ofList, ofChain := files(Options{Trusted: trusted()})
		unasked, _ := files(Options{})
		assert.Contains(t, unasked.Warnings[0], map[bool]string{true: "is not signed", false: "names its own key"}[by == nil], "without a key nothing proves who wrote it")
		assert.Contains(t, ofList.Problems[0], "the chain next to it: ", name)
		assert.Contains(t, ofChain.Problems[0], "signature: ", name)
	}
}

// Two files with the same name: the hash list and the report give the second one another name. An older report and a certificate find it.
func TestFilesOfOneNameAreFound(t *testing.T) {
	store := t.TempDir()
	body := map[string]string{"aaaaaaaa-1": "a", "bbbbbbbb-2": "b"}
	var items []ledger.Item
	for id, text := range body {
		items = append(items, ledger.Item{SourceID: id, Path: "cut.mov", Version: 1, Versions: 1, State: ledger.ItemVerified, Rendition: "original", StoredSize: 1, Size: 1, Checksum: fmt.Sprintf("%016x", xxhash.Sum64String(text)), FirstRun: 1})
	}
	rep := &report.Report{Archive: ledger.Archive{ID: "p", Tenant: "t", Name: "P", Run: 1}, Tenant: "Acme", SigningKey: key, Totals: ledger.Totals{Items: 2, Verified: 2}, Items: func(yield func(ledger.Item, error) bool) {
		for _, it := range items {
			if !yield(it, nil) {
				return
			}
		}
	}}
	require.NoError(t, os.WriteFile(filepath.Join(store, "cut.mov"), []byte("a"), 0o600))
	require.NoError(t, os.WriteFile(filepath.Join(store, "cut (bbbbbbbb).mov"), []byte("b"), 0o600))
	js := write(t, filepath.Join(t.TempDir(), "report.json"), report.JSON, rep)
	assert.Contains(t, string(js), `"stored_as":"cut (bbbbbbbb).mov"`)
	old := bytes.ReplaceAll(js, []byte(`,"stored_as":"cut (bbbbbbbb).mov"`), nil)
	certificate := fmt.Appendf(nil, `{"kind": %q, "tenant": "t", "approved_by": "sam", "approved_at": "2026-11-01T00:00:00Z", "totals": {"deleted": 1, "deleted_bytes": 1, "left": 0, "left_bytes": 0},
		"files": [{"state": "deleted", "path": "cut.mov", "versions": 1, "source_id": "bbbbbbbb-2", "size": 1, "checksum": "xxh64:%016x", "proof": "read", "proven_at": "2026-11-01T01:00:00Z", "deleted_at": "2026-11-01T02:00:00Z"}]}`, custody.CertificateKind, xxhash.Sum64String("b"))
	for name, text := range map[string][]byte{"report": js, "older report": old, "certificate": certificate} {
		read := 2
		if name == "certificate" {
			read = 1
		}
		r, err := examine("x.json", text, Options{Store: store})
		require.NoError(t, err)
		assert.Contains(t, strings.Join(r.Checked, "\n"), "read "+english.Count(read, "file"), name)
		assert.NotContains(t, strings.Join(r.Problems, "\n"), "cut", name)
	}
	r, err := examine("x.json", js, Options{Store: store, Trusted: trusted()})
	require.NoError(t, err)
	assert.Empty(t, append(r.Problems, r.Warnings...))
	assert.Equal(t, `tenant "Acme" (t), project "P" (p), run 1`, r.Of)
	require.NoError(t, os.WriteFile(filepath.Join(store, "cut (bbbbbbbb).mov"), []byte("c"), 0o600))
	r, err = examine("x.json", old, Options{Store: store})
	require.NoError(t, err)
	assert.Contains(t, strings.Join(r.Problems, "\n"), "cut.mov has the xxHash64")
}

// A list in the folder ascmhl is verified with the files around it, also from inside that folder.
func TestAListFindsItsFilesFromWithin(t *testing.T) {
	store, rep := archived(t)
	write(t, filepath.Join(store, "ascmhl", rep.MHLFile()), report.MHL, rep)
	t.Chdir(filepath.Join(store, "ascmhl"))
	r, err := File(rep.MHLFile(), Options{})
	require.NoError(t, err)
	assert.Contains(t, strings.Join(r.Checked, "\n"), "read 3 files")
}

func TestAListReadsNothingOutsideItsFolder(t *testing.T) {
	dir := t.TempDir()
	require.NoError(t, os.WriteFile(filepath.Join(dir, "secret"), []byte("x"), 0o600))
	require.NoError(t, os.Mkdir(filepath.Join(dir, "store"), 0o755))
	list := filepath.Join(dir, "list.mhl")
	require.NoError(t, os.WriteFile(list, []byte(`<hashlist version="2.0"><hashes><hash><path size="1">../secret</path><xxh64 action="original">5c80c09683041123</xxh64></hash></hashes></hashlist>`), 0o600))
	r, err := File(list, Options{Store: filepath.Join(dir, "store")})
	require.NoError(t, err)
	require.Len(t, r.Problems, 1)
	assert.Contains(t, r.Problems[0], "cannot be read")
}

func TestWhatIsNoProofIsSaidToBeNone(t *testing.T) {
	for _, text := range []string{`{"type":"about:blank","title":"Unauthorized","status":401}`, "", "report", "[]"} {
		name := filepath.Join(t.TempDir(), "answer.json")
		require.NoError(t, os.WriteFile(name, []byte(text), 0o600))
		_, err := File(name, Options{Trusted: trusted()})
		require.ErrorContains(t, err, "is not a report, certificate, hash list, chain or audit log of Framebridge")
	}
}

func TestACertificateIsKnownHoweverItIsLaidOut(t *testing.T) {
	for _, text := range []string{
		`{"kind":"` + custody.CertificateKind + `","files": []}`,
		"{\n  \"kind\": \"" + custody.CertificateKind + "\",\n  \"files\": [\n  ]\n}\n",
	} {
		name := filepath.Join(t.TempDir(), "certificate.json")
		require.NoError(t, os.WriteFile(name, []byte(text), 0o600))
		r, err := File(name, Options{})
		require.NoError(t, err)
		assert.Equal(t, KindCertificate, r.Kind)
	}
}

// A migration's report lists projects, not files.
func TestAnAccountsReportIsProven(t *testing.T) {
	rows := []report.AccountProject{
		{MigrationProject: ledger.MigrationProject{ID: "p1", Name: "Spring", State: ledger.ProjectVerified, Counts: ledger.ProjectCounts{Items: 3, Copied: 3, Verified: 3, Bytes: 30, BytesDone: 30}}},
		{MigrationProject: ledger.MigrationProject{ID: "p2", Name: "Summer", State: ledger.ProjectIncomplete, Reason: "refused", Counts: ledger.ProjectCounts{Items: 2, Verified: 1, Failed: 1, Bytes: 20, BytesDone: 10}}},
	}
	sums := ledger.MigrationSums{Projects: map[ledger.ProjectState]int64{ledger.ProjectVerified: 1, ledger.ProjectIncomplete: 1}, ProjectCounts: ledger.ProjectCounts{Items: 5, Verified: 4, Failed: 1, Bytes: 50, BytesDone: 40}}
	rep := &report.Account{Migration: ledger.Migration{ID: "m", Tenant: "t", Status: ledger.MigrationDone, Request: json.RawMessage(`{"selection": {}}`)}, Sums: sums, Tenant: "Acme", SigningKey: key, GeneratedAt: time.Date(2026, 11, 1, 0, 1, 0, 0, time.UTC),
		Projects: projectsOf(rows...)}
	name := filepath.Join(t.TempDir(), "report.json")
	store := func(change func([]byte)) []byte {
		var b bytes.Buffer
		require.NoError(t, report.AccountJSON(&b, rep))
		body := b.Bytes()
		change(body)
		require.NoError(t, os.WriteFile(name, body, 0o600))
		return body
	}
	rep.Migration.Added = []json.RawMessage{json.RawMessage(`{"workspaces":["Films"]}`)}
	body := store(func([]byte) {})
	assert.Contains(t, string(body), `"selections_added": [`, "why projects are in it that the request does not select")
	r, err := File(name, Options{Trusted: trusted()})
	require.NoError(t, err)
	assert.Equal(t, KindAccount, r.Kind)
	assert.Empty(t, r.Problems)
	assert.Empty(t, r.Warnings)
	assert.Contains(t, r.Checked[1], "2 projects (4 files verified, 0 skipped, 1 failed)")
	for at := 0; at < len(body); at += 13 {
		store(func(b []byte) { b[at] ^= 1 })
		r, err := File(name, Options{Trusted: trusted()})
		require.True(t, err != nil || len(r.Problems) > 0, "byte %d", at)
	}
	rep.SigningKey, rep.Sums.Verified, rep.Sums.Projects = nil, 5, map[ledger.ProjectState]int64{ledger.ProjectVerified: 2}
	store(func([]byte) {})
	r, err = File(name, Options{})
	require.NoError(t, err)
	assert.Len(t, r.Problems, 3, "%q", r.Problems)
}

// audited writes an extract of an audit log, and returns its file and its entries.
func audited(t *testing.T, n int) (name string, entries []ledger.AuditEntry) {
	t.Helper()
	l, err := ledger.Open(t.Context(), emptyledger.DSN(t))
	require.NoError(t, err)
	t.Cleanup(l.Close)
	for i := range n {
		_, err := l.AppendAudit(t.Context(), ledger.AuditEntry{Tenant: "t", Action: fmt.Sprintf("archive.retry%d", i), Actor: ledger.Actor{Kind: ledger.ActorAPI, Name: "Edith <é>"}, Detail: ledger.AuditText("why & how")})
		require.NoError(t, err)
	}
	entries, err = l.Tenant("t").AuditPage(t.Context(), ledger.AuditFilter{}, 0, n)
	require.NoError(t, err)
	require.Len(t, entries, n)
	name = filepath.Join(t.TempDir(), "audit.jsonl")
	require.NoError(t, os.WriteFile(name, append(bytes.Join(linesOf(t, entries), []byte("\n")), '\n'), 0o600))
	return name, entries
}

func linesOf(t *testing.T, entries []ledger.AuditEntry) [][]byte {
	t.Helper()
	lines := make([][]byte, len(entries))
	for i, e := range entries {
		var err error
		lines[i], err = json.Marshal(e)
		require.NoError(t, err)
	}
	return lines
}

// Two erasures, the second one of whoever did the first: the whole log, and the entries about one archive, verify.
func TestAnExtractAfterErasuresIsProven(t *testing.T) {
	l, err := ledger.Open(t.Context(), emptyledger.DSN(t))
	require.NoError(t, err)
	t.Cleanup(l.Close)
	h := l.Tenant("t")
	for _, e := range []ledger.AuditEntry{{Actor: ledger.Actor{Name: "rita@client.example"}, Archive: "p"}, {Actor: ledger.Actor{Name: "edith@post.example"}}, {Actor: ledger.Actor{Name: "sam@post.example"}, Archive: "p"}} {
		e.Tenant, e.Action = "t", "stop"
		_, err := l.AppendAudit(t.Context(), e)
		require.NoError(t, err)
	}
	for _, who := range [][2]string{{"rita@client.example", "edith@post.example"}, {"edith@post.example", "sam@post.example"}} {
		_, err = people.Erase(t.Context(), h, who[0], ledger.Actor{Kind: ledger.ActorCommand, Name: who[1]})
		require.NoError(t, err)
	}
	for _, filter := range []ledger.AuditFilter{{}, {Archive: "p", WithErasures: true}} {
		entries, err := h.AuditPage(t.Context(), filter, 0, 10)
		require.NoError(t, err)
		lines := linesOf(t, entries)
		r, err := examine("audit.jsonl", bytes.Join(lines, []byte("\n")), Options{})
		require.NoError(t, err)
		assert.Empty(t, r.Problems, "%v", filter)
		named := "erased from 1-2 and 4:"
		if filter.Archive != "" {
			named = "erased from 1 and 4:"
		}
		assert.Contains(t, strings.Join(r.Warnings, "\n"), named)
		r, err = examine("audit.jsonl", bytes.Replace(bytes.Join(lines, []byte("\n")), []byte(`"stop"`), []byte(`"sync"`), 1), Options{})
		require.NoError(t, err)
		assert.NotEmpty(t, r.Problems, "no erasure stands for that")
	}
}

// Somebody who can write to the ledger disguises a change as an erasure. An earlier extract shows that, and accepts a real erasure.
func TestAnExtractFromBeforeShowsWhatAnErasureChanged(t *testing.T) {
	dsn := emptyledger.DSN(t)
	l, err := ledger.Open(t.Context(), dsn)
	require.NoError(t, err)
	t.Cleanup(l.Close)
	h := l.Tenant("t")
	extract := func(name string) Result {
		entries, err := h.AuditPage(t.Context(), ledger.AuditFilter{}, 0, 10)
		require.NoError(t, err)
		r, err := examine(name, bytes.Join(linesOf(t, entries), []byte("\n")), Options{})
		require.NoError(t, err)
		require.Empty(t, r.Problems)
		return r
	}
	for _, name := range []string{"rita@client.example", "sam@post.example"} {
		_, err := l.AppendAudit(t.Context(), ledger.AuditEntry{Tenant: "t", Action: "stop", Actor: ledger.Actor{Kind: ledger.ActorConsole, Name: name}, ObjectKind: "person", ObjectID: name})
		require.NoError(t, err)
	}
	before := extract("before.jsonl")
	_, err = people.Erase(t.Context(), h, "rita@client.example", ledger.Actor{})
	require.NoError(t, err)
	results := []Result{before, extract("after.jsonl")}
	Together(results)
	assert.Empty(t, results[1].Problems)
	assert.Contains(t, strings.Join(results[1].Checked, "\n"), "2 of its entries are also in before.jsonl")

	db, err := sql.Open("sqlite", strings.TrimPrefix(dsn, "sqlite:"))
	require.NoError(t, err)
	defer db.Close()
	_, err = db.ExecContext(t.Context(), "UPDATE audit_log SET action = 'sync' WHERE seq = 2")
	require.NoError(t, err)
	entries, err := h.AuditPage(t.Context(), ledger.AuditFilter{}, 1, 1)
	require.NoError(t, err)
	_, err = l.AppendAudit(t.Context(), ledger.AuditEntry{Tenant: "t", Action: ledger.ActionErased, Detail: fmt.Appendf(nil, `{"entries":[{"seq":2,"digest":%q}]}`, entries[0].Digest())})
	require.NoError(t, err)
	forged := extract("forged.jsonl")
	assert.Contains(t, strings.Join(forged.Warnings, "\n"), "erased from 1-2:", "all that it shows by itself")
	results = []Result{before, forged}
	Together(results)
	assert.Equal(t, []string{"entry 2 differs from the one in before.jsonl in more than personal data"}, results[1].Problems)
}

func TestAnAuditExtractIsProven(t *testing.T) {
	name, entries := audited(t, 5)
	lines := linesOf(t, entries)
	examine := func(lines ...[]byte) Result {
		r, err := examine(name, append(bytes.Join(lines, []byte("\n")), '\n'), Options{})
		require.NoError(t, err)
		return r
	}
	r := examine(lines...)
	assert.Empty(t, r.Problems)
	assert.Len(t, r.Warnings, 1, "only that more may follow")
	assert.Contains(t, examine(lines[0], lines[1], lines[3], lines[4]).Warnings[0], "1 entry between them is")
	assert.NotEmpty(t, examine(lines[1], lines[0]).Problems, "out of order")
	assert.NotEmpty(t, examine(lines[0], bytes.Replace(lines[1], []byte("why"), []byte("who"), 1)).Problems)
	assert.NotEmpty(t, examine(lines[0], bytes.Replace(lines[1], []byte("Edith"), []byte("Edita"), 1)).Problems)
	assert.NotEmpty(t, examine(lines[0], bytes.Replace(lines[1], []byte(entries[0].Hash), []byte(entries[2].Hash), 1)).Problems)
	for _, same := range [][2]string{{`"tenant"`, `"Tenant"`}, {`\u003c`, `\u003C`}, {`,"actor"`, `, "actor"`}, {`"tenant":"t"`, `"tenant":"x","tenant":"t"`}} {
		assert.NotEmpty(t, examine(lines[0], bytes.Replace(lines[1], []byte(same[0]), []byte(same[1]), 1)).Problems, "what reads the same is not what was written: %s", same[1])
	}
	long := ledger.AuditEntry{Tenant: "t", Seq: 1, Action: "a", At: entries[0].At, Detail: ledger.AuditText(strings.Repeat("long ", 2000))}
	long.Hash = long.Digest()
	r = examine(linesOf(t, []ledger.AuditEntry{long})...)
	assert.Equal(t, KindAudit, r.Kind, "an entry can be longer than what the kind is told by")
	assert.Empty(t, r.Problems)
}

// An account's hash list covers those of its projects by their C4.
func TestAnAccountsHashListIsProven(t *testing.T) {
	lists := map[string][]byte{"0002_Spring.mhl": []byte("spring's"), "0001_Spring.mhl": []byte("the other spring's"), "0001_Summer.mhl": []byte("summer's")}
	project := func(id, name, list string) report.AccountProject {
		return report.AccountProject{MigrationProject: ledger.MigrationProject{ID: id, Name: name}, Archive: ledger.Archive{ID: id, Name: name, TeamName: "Harbour/Films"}, HashList: &report.Generation{File: list, C4: report.C4(lists[list])}}
	}
	rows := []report.AccountProject{project("p1", "Spring", "0002_Spring.mhl"), project("p2", "SPRING", "0001_Spring.mhl"), {MigrationProject: ledger.MigrationProject{ID: "p3", Name: "Empty"}}, project("p4", "Summer", "0001_Summer.mhl")}
	dir := t.TempDir()
	name := filepath.Join(dir, "report.mhl")
	body := accountList(t, name, rows...)
	put := func(path string, list []byte) {
		path = filepath.Join(dir, path)
		require.NoError(t, os.MkdirAll(filepath.Dir(path), 0o700))
		require.NoError(t, os.WriteFile(path, list, 0o600))
	}
	r, err := File(name, Options{Trusted: trusted()})
	require.NoError(t, err)
	assert.Equal(t, KindList, r.Kind)
	assert.Empty(t, r.Problems)
	assert.Equal(t, []string{"3 hash lists are not below its folder, at the path that it names, and not compared"}, r.Warnings)
	put("Harbour_Films/Spring/ascmhl/0002_Spring.mhl", lists["0002_Spring.mhl"])
	put("Harbour_Films/SPRING (p2)/ascmhl/0001_Spring.mhl", lists["0001_Spring.mhl"])
	put("Harbour_Films/Summer/ascmhl/0001_Summer.mhl", lists["0001_Summer.mhl"])
	r, err = File(name, Options{Trusted: trusted()})
	require.NoError(t, err)
	assert.Empty(t, r.Problems)
	assert.Empty(t, r.Warnings)
	assert.Contains(t, r.Checked, "3 hash lists below its folder are unchanged")
	put("Harbour_Films/Summer/ascmhl/0001_Summer.mhl", []byte("another"))
	r, err = File(name, Options{Trusted: trusted()})
	require.NoError(t, err)
	assert.Equal(t, []string{"differs: Harbour_Films/Summer/ascmhl/0001_Summer.mhl was changed"}, r.Problems)
	put("Harbour_Films/Summer/ascmhl/0001_Summer.mhl", lists["0001_Summer.mhl"])

	// Lists given with it, wherever they are: one is the project's, one has the same name, one belongs to another account.
	together := []Result{{File: "0001_Summer.mhl", c4: report.C4(lists["0001_Summer.mhl"])}, {File: "0002_Spring.mhl", c4: report.C4([]byte("another"))}, {File: "0009_Other.mhl", c4: report.C4([]byte("other"))}}
	account, err := File(name, Options{Trusted: trusted()})
	require.NoError(t, err)
	together = append(together, account)
	Together(together)
	assert.Equal(t, []string{name + " names it, which is signed with the key " + account.SignedBy}, together[0].Checked)
	assert.Len(t, together[1].Problems, 1)
	assert.Empty(t, append(append(together[2].Checked, together[2].Problems...), together[3].Problems...))
	for at := 0; at < len(body); at += 7 {
		flipped := bytes.Clone(body)
		flipped[at] ^= 1
		require.NoError(t, os.WriteFile(name, flipped, 0o600))
		r, err := File(name, Options{Trusted: trusted()})
		require.True(t, err != nil || len(r.Problems) > 0, "byte %d", at)
	}
}

func TestAnAccountsReportWithoutStatesDiffers(t *testing.T) {
	name := filepath.Join(t.TempDir(), "report.json")
	require.NoError(t, os.WriteFile(name, []byte(`{"migration": "m", "totals": {"projects": 1}, "projects": [{"id": "p", "state": "verified"}]}`), 0o600))
	r, err := File(name, Options{})
	require.NoError(t, err)
	assert.Len(t, r.Problems, 1)
}

func projectsOf(rows ...report.AccountProject) iter.Seq2[report.AccountProject, error] {
	return func(yield func(report.AccountProject, error) bool) {
		for _, p := range rows {
			if !yield(p, nil) {
				return
			}
		}
	}
}

// accountList writes an account's hash list of these projects, signed.
func accountList(t *testing.T, name string, projects ...report.AccountProject) []byte {
	var b bytes.Buffer
	require.NoError(t, report.AccountMHL(&b, &report.Account{Migration: ledger.Migration{ID: "m"}, SigningKey: key, GeneratedAt: time.Date(2026, 11, 1, 0, 1, 0, 0, time.UTC),
		Projects: projectsOf(projects...)}))
	require.NoError(t, os.MkdirAll(filepath.Dir(name), 0o700))
	require.NoError(t, os.WriteFile(name, b.Bytes(), 0o600))
	return b.Bytes()
}

func projectWith(id string, list []byte) report.AccountProject {
	return report.AccountProject{MigrationProject: ledger.MigrationProject{ID: id}, Archive: ledger.Archive{ID: id, Name: "Spring", TeamName: "Films"}, HashList: &report.Generation{File: "0001_Spring.mhl", C4: report.C4(list)}}
}

// An account's hash list is checked against its signature even if it names no list, whether it had none or all were removed.
func TestAnAccountsHashListWithoutListsIsProven(t *testing.T) {
	name := filepath.Join(t.TempDir(), "report.mhl")
	body := accountList(t, name)
	r, err := File(name, Options{Trusted: trusted()})
	require.NoError(t, err)
	assert.Empty(t, append(r.Problems, r.Warnings...))
	assert.NotEmpty(t, r.SignedBy)
	body = bytes.Replace(body, []byte("<hostname>framebridge<"), []byte("<hostname>another<"), 1)
	require.NoError(t, os.WriteFile(name, body, 0o600))
	r, err = File(name, Options{Trusted: trusted()})
	require.NoError(t, err)
	assert.Len(t, r.Problems, 1)

	whole := accountList(t, name, projectWith("p1", []byte("one")))
	start, end := bytes.Index(whole, []byte("  <references>")), bytes.Index(whole, []byte("</hashlist>\n"))
	require.NoError(t, os.WriteFile(name, append(whole[:start:start], whole[end:]...), 0o600))
	r, err = File(name, Options{Trusted: trusted()})
	require.NoError(t, err)
	assert.Len(t, r.Problems, 1, "all lists were taken out")
}

// A list of files that refers to other lists, as with nested histories, is still verified.
func TestAReferenceHidesNoFile(t *testing.T) {
	dir := t.TempDir()
	name := filepath.Join(dir, "ascmhl", "0001.mhl")
	require.NoError(t, os.MkdirAll(filepath.Join(dir, "A002", "ascmhl"), 0o700))
	require.NoError(t, os.Mkdir(filepath.Dir(name), 0o700))
	require.NoError(t, os.WriteFile(filepath.Join(dir, "a"), []byte("changed"), 0o600))
	require.NoError(t, os.WriteFile(filepath.Join(dir, "A002", "ascmhl", "0001.mhl"), []byte("nested"), 0o600))
	require.NoError(t, os.WriteFile(name, []byte(`<hashlist version="2.0"><hashes><hash><path size="7">a</path><xxh64 action="original">5c80c09683041123</xxh64></hash></hashes>`+
		`<references><hashlistreference><path>A002/ascmhl/0001.mhl</path><c4>`+report.C4([]byte("nested"))+`</c4></hashlistreference></references></hashlist>`), 0o600))
	r, err := File(name, Options{})
	require.NoError(t, err)
	require.Len(t, r.Problems, 1)
	assert.Contains(t, r.Problems[0], "differs: a has the xxHash64")
	assert.Contains(t, r.Checked, "1 hash list below its folder is unchanged")
}

// Files given together are matched by content before they are matched by name. A signed account's list covers those that it names.
func TestListsOfOneNameAreToldApart(t *testing.T) {
	dir := t.TempDir()
	one, other := filepath.Join(dir, "one", "0001_Spring.mhl"), filepath.Join(dir, "other", "0001_Spring.mhl")
	lists := map[string][]byte{}
	for _, name := range []string{one, other} {
		lists[name] = []byte(`<hashlist version="2.0"><hashes><hash><path size="1">` + filepath.Base(filepath.Dir(name)) + `</path><xxh64 action="original">5c80c09683041123</xxh64></hash></hashes></hashlist>`)
		require.NoError(t, os.MkdirAll(filepath.Dir(name), 0o700))
		require.NoError(t, os.WriteFile(name, lists[name], 0o600))
	}
	account := filepath.Join(dir, "report.mhl")
	accountList(t, account, projectWith("p1", lists[one]), projectWith("p2", lists[other]))
	for _, order := range [][]string{{account, one, other}, {other, one, account}} {
		var results []Result
		for _, name := range order {
			r, err := File(name, Options{Trusted: trusted()})
			require.NoError(t, err)
			results = append(results, r)
		}
		Together(results)
		for _, r := range results {
			assert.Empty(t, r.Problems, r.File)
			assert.NotEmpty(t, r.SignedBy, r.File)
			assert.NotContains(t, strings.Join(r.Warnings, "\n"), "chain", r.File)
		}
	}
}
