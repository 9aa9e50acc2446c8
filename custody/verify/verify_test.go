package verify

import (
	"bytes"
	"crypto/ed25519"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/cespare/xxhash/v2"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/framebridge/framebridge/custody"
	"github.com/framebridge/framebridge/ledger"
	"github.com/framebridge/framebridge/report"
	"github.com/framebridge/framebridge/test/emptyledger"
)

var key = ed25519.NewKeyFromSeed(bytes.Repeat([]byte{7}, 32))

func trusted() []ed25519.PublicKey { return []ed25519.PublicKey{key.Public().(ed25519.PublicKey)} }

// archived lays out stored files, and makes the report on them.
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

		for at := 0; at < len(body); at += 13 { // each is a read of a file: the package custody tries every bit
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

			r, err := File(list, Options{})
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

// A flipped bit anywhere is named: in a hash list that lies beside its chain, in the chain, and in an extract of the audit log.
func TestAFlippedBitAnywhereIsNamed(t *testing.T) {
	store, rep := archived(t)
	list, chain := filepath.Join(store, "ascmhl", rep.MHLFile()), filepath.Join(store, "ascmhl", report.ChainFile)
	rep.Keep(write(t, list, report.MHL, rep))
	write(t, chain, report.Chain, rep)
	audit, _ := audited(t, 3)
	for _, name := range []string{list, chain, audit} {
		body, err := os.ReadFile(name)
		require.NoError(t, err)
		before, err := File(name, Options{})
		require.NoError(t, err)
		require.Empty(t, before.Problems)
		for at := range body {
			for bit := range 8 {
				body[at] ^= 1 << bit
				r, err := examine(name, body, Options{})
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
	r, err := File(list, Options{})
	require.NoError(t, err)
	assert.Contains(t, r.Checked[0], "held against no chain")
	assert.Empty(t, r.Warnings)
	rep.Keep(body)
	whole := write(t, chain, report.Chain, rep)

	other := filepath.Join(store, "ascmhl", "archive-report.mhl") // as iconik calls it
	require.NoError(t, os.WriteFile(other, body, 0o600))
	r, err = File(other, Options{})
	require.NoError(t, err)
	assert.Empty(t, append(r.Problems, r.Warnings...))
	r, err = File(chain, Options{})
	require.NoError(t, err)
	assert.Contains(t, r.Warnings[0], "archive-report.mhl lies beside it")
	require.NoError(t, os.Remove(other))

	require.NoError(t, os.WriteFile(list, bytes.Replace(body, []byte(`action="original"`), []byte(`action="verified"`), 1), 0o600))
	r, err = File(list, Options{})
	require.NoError(t, err)
	assert.Contains(t, r.Problems[0], "is not generation 1 of the chain beside it")
	start, end := bytes.Index(whole, []byte("  <hashlist")), bytes.Index(whole, []byte("</ascmhl"))
	require.NoError(t, os.WriteFile(chain, append(bytes.Clone(whole[:start]), whole[end:]...), 0o600))
	r, err = File(chain, Options{})
	require.NoError(t, err)
	assert.Equal(t, []string{"it names no hash list"}, r.Problems)
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
		require.ErrorContains(t, err, "is no report, certificate, hash list, chain or audit log of Framebridge")
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
		Projects: func(yield func(report.AccountProject, error) bool) {
			for _, p := range rows {
				if !yield(p, nil) {
					return
				}
			}
		}}
	name := filepath.Join(t.TempDir(), "report.json")
	store := func(change func([]byte)) []byte {
		var b bytes.Buffer
		require.NoError(t, report.AccountJSON(&b, rep))
		body := b.Bytes()
		change(body)
		require.NoError(t, os.WriteFile(name, body, 0o600))
		return body
	}
	body := store(func([]byte) {})
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
	assert.Contains(t, examine(lines[0], lines[1], lines[3], lines[4]).Warnings[0], "1 entries between")
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
