// Package verify examines what Framebridge handed out as proof: reports, ASC MHL hash lists and their chain, extracts of the
// audit log, and the stored files themselves. It needs neither network nor configuration nor the ledger.
package verify

import (
	"bufio"
	"bytes"
	"crypto/ed25519"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"regexp"
	"strings"

	"github.com/framebridge/framebridge/custody"
	"github.com/framebridge/framebridge/ledger"
)

// Kinds of files.
const (
	KindReport = "report"
	KindPage   = "report page"
	KindList   = "hash list"
	KindChain  = "hash list chain"
	KindAudit  = "audit log"

	KindCertificate = "deletion certificate"
	KindAccount     = "account report"
)

// Options say what to hold files against.
type Options struct {
	Trusted []ed25519.PublicKey // none: a signature is held against the key that it names
	Store   string              // the folder with the stored files, laid out as the hash list says; "" leaves them unread
}

// Result is what is known of one file after it was examined.
type Result struct {
	File     string   `json:"file"`
	Kind     string   `json:"kind"`
	SignedBy string   `json:"signed_by,omitempty"` // the key's ID
	Checked  []string `json:"checked"`             // what was found to be right, in words
	Problems []string `json:"problems"`            // what differs, each with its name
	Warnings []string `json:"warnings"`            // what could not be proven
}

func (r *Result) ok(format string, args ...any) {
	r.Checked = append(r.Checked, fmt.Sprintf(format, args...))
}
func (r *Result) wrong(format string, args ...any) {
	r.Problems = append(r.Problems, fmt.Sprintf(format, args...))
}
func (r *Result) warn(format string, args ...any) {
	r.Warnings = append(r.Warnings, fmt.Sprintf(format, args...))
}

const mostBytes = 4 << 30 // of a report of a million files, and then some

// File examines one file. The error says that it could not be read or is none that Framebridge makes.
func File(name string, o Options) (Result, error) {
	f, err := os.Open(name)
	if err != nil {
		return Result{File: name}, err
	}
	defer f.Close()
	body, err := io.ReadAll(io.LimitReader(f, mostBytes+1))
	if err != nil {
		return Result{File: name}, err
	}
	if len(body) > mostBytes {
		return Result{File: name}, fmt.Errorf("%s is larger than any report", name)
	}
	return examine(name, body, o)
}

// examine examines the content of a file.
func examine(name string, body []byte, o Options) (Result, error) {
	r := Result{File: name, Checked: []string{}, Problems: []string{}, Warnings: []string{}}
	head := bytes.TrimSpace(body[:min(len(body), 4096)])
	switch {
	case bytes.Contains(head, []byte("<ascmhldirectory")):
		r.Kind = KindChain
		return r, r.chain(body)
	case bytes.Contains(head, []byte("<hashlist")):
		r.Kind = KindList
		return r, r.hashList(body, o)
	case bytes.HasPrefix(bytes.ToLower(head), []byte("<!doctype html")):
		r.Kind = KindPage
		r.signature(body, o)
		return r, nil
	case isAudit(body):
		r.Kind = KindAudit
		return r, r.audit(body)
	case certificateHead.Match(head):
		r.Kind = KindCertificate
		r.signature(body, o)
		return r, r.certificate(body, o)
	case accountHead.Match(head):
		r.Kind = KindAccount
		r.signature(body, o)
		r.account(body)
		return r, nil
	case bytes.HasPrefix(head, []byte("{")):
		r.Kind = KindReport
		r.signature(body, o)
		return r, r.report(body, o)
	}
	return r, notOurs(name)
}

// certificateHead is how a certificate's JSON begins, however it is laid out.
var certificateHead = regexp.MustCompile(`^\{\s*"kind":\s*"` + custody.CertificateKind + `"`)

func notOurs(name string) error {
	return fmt.Errorf("%s is no report, certificate, hash list, chain or audit log of Framebridge", name)
}

func (r *Result) signature(body []byte, o Options) {
	s, err := custody.Check(body, o.Trusted)
	switch {
	case errors.Is(err, custody.ErrUnsigned) && len(o.Trusted) == 0:
		r.warn("it is not signed (report.signing_key was not set): who wrote it cannot be proven")
	case err != nil:
		r.wrong("signature: %v", err)
	case len(o.Trusted) == 0:
		r.SignedBy = s.Key
		r.ok("unchanged since it was signed")
		r.warn("it names its own key, %s: compare it with GET /report-keys, or give the key with --key", s.Key)
	default:
		r.SignedBy = s.Key
		r.ok("unchanged since it was signed with the key %s", s.Key)
	}
}

type document struct {
	Archive string           `json:"archive"`
	Status  any              `json:"status"` // whatever else has one is told by what it lacks
	Totals  map[string]int64 `json:"totals"`
	Items   []item           `json:"items"`
}

type item struct {
	Path       string `json:"path"`
	Versions   int    `json:"versions"`
	State      string `json:"state"`
	StoredSize int64  `json:"stored_size"`
	Checksum   string `json:"checksum"`
	Rendition  string `json:"rendition"`
}

// report holds a report's totals against its rows, and its rows against the stored files.
func (r *Result) report(body []byte, o Options) error {
	var d document
	if err := json.Unmarshal(body, &d); err != nil {
		r.wrong("it cannot be read as a report: %v", err)
		return nil
	}
	if d.Archive == "" || d.Totals == nil {
		return notOurs(r.File)
	}
	counted := map[string]int64{"items": int64(len(d.Items)), "verified": 0, "skipped": 0, "failed": 0}
	for _, it := range d.Items {
		if _, known := counted[it.State]; known {
			counted[it.State]++
		}
	}
	right := true
	for _, what := range []string{"items", "verified", "skipped", "failed"} {
		if counted[what] != d.Totals[what] {
			right = false
			r.wrong("totals: it says %d %s and lists %d", d.Totals[what], what, counted[what])
		}
	}
	if right {
		r.ok("its totals are those of its %d rows (%d verified, %d skipped, %d failed): %v", len(d.Items), counted["verified"], counted["skipped"], counted["failed"], d.Status)
	}
	if o.Store == "" {
		return nil
	}
	return r.stored(o.Store, "the hash list", func(file func(path string, versions int, size int64, checksum string)) {
		for _, it := range d.Items {
			if it.State == "verified" && it.Checksum != "" {
				file(it.Path, it.Versions, it.StoredSize, it.Checksum)
			}
		}
	})
}

// stored holds files against those of a store. Versions of one asset share a path: list says what tells them apart.
func (r *Result) stored(where, list string, each func(file func(path string, versions int, size int64, checksum string))) error {
	store, err := openStore(where)
	if err != nil {
		return err
	}
	defer store.root.Close()
	left := 0
	each(func(path string, versions int, size int64, checksum string) {
		if versions > 1 {
			left++
			return
		}
		r.file(store, path, size, strings.TrimPrefix(checksum, "xxh64:"))
	})
	if left > 0 {
		r.warn("%d files are versions of one asset, which share a path: verify %s to read them", left, list)
	}
	r.read(store)
	return nil
}

// isAudit tells an extract of the audit log, one entry a line, from a report. An entry can be long.
func isAudit(body []byte) bool {
	line, _, _ := bytes.Cut(bytes.TrimSpace(body), []byte("\n"))
	var e struct {
		Seq  int64  `json:"seq"`
		Hash string `json:"hash"`
	}
	return json.Unmarshal(line, &e) == nil && e.Seq > 0 && e.Hash != ""
}

// erasures are the entries of an extract that others say were erased, with the digests of what stands there now.
func erasures(body []byte) map[int64]string {
	erased := map[int64]string{}
	for line := range bytes.Lines(body) {
		if !bytes.Contains(line, []byte(`"`+ledger.ActionErased+`"`)) {
			continue
		}
		var e ledger.AuditEntry
		if json.Unmarshal(line, &e) == nil && e.Hash == e.Digest() {
			ledger.Erasures([]ledger.AuditEntry{e}, erased)
		}
	}
	return erased
}

// audit holds the entries of an extract against each other.
func (r *Result) audit(body []byte) error {
	lines := bufio.NewScanner(bytes.NewReader(body))
	lines.Buffer(nil, 16<<20)
	var before *ledger.AuditEntry
	var first, last ledger.AuditEntry
	leftOut, erased := int64(0), erasures(body)
	for n := 1; lines.Scan(); n++ {
		if strings.TrimSpace(lines.Text()) == "" {
			continue
		}
		var e ledger.AuditEntry
		if err := json.Unmarshal(lines.Bytes(), &e); err != nil {
			r.wrong("line %d cannot be read: %v", n, err)
			return nil
		}
		if last.Seq == 0 {
			first = e
		}
		if last.Seq > 0 && e.Tenant != last.Tenant {
			r.wrong("line %d: entries of two tenants are mixed", n)
			return nil
		}
		if e.Seq > last.Seq+1 { // a selection, or the second page of a listing: by itself the entry can be right
			if last.Seq > 0 {
				leftOut += e.Seq - last.Seq - 1
			}
			before = &ledger.AuditEntry{Seq: e.Seq - 1, Hash: e.Previous}
		}
		if err := ledger.VerifyErased(before, []ledger.AuditEntry{e}, erased); err != nil {
			r.wrong("line %d: %v", n, err)
			return nil
		}
		written, err := json.Marshal(e)
		if err != nil {
			return err
		}
		if !bytes.Equal(written, lines.Bytes()) { // as a name in other letters, or another time zone
			r.wrong("line %d: entry %d has the content that its hash stands for, and is not written as Framebridge writes it", n, e.Seq)
			return nil
		}
		before, last = &e, e
	}
	if err := lines.Err(); err != nil {
		r.wrong("it cannot be read to its end: %v", err)
		return nil
	}
	r.ok("its entries, %d to %d, are as they were written; the last one's hash is %s", first.Seq, last.Seq, last.Hash)
	if len(erased) > 0 {
		r.ok("personal data was erased from %d of them, as later entries say", len(erased))
	}
	if leftOut > 0 {
		r.warn("%d entries between them are not in the file", leftOut)
	}
	if first.Seq > 1 {
		r.warn("it begins with entry %d: the entries before are not in the file", first.Seq)
	}
	r.warn("whether entries follow after %d shows only in a later extract", last.Seq)
	return nil
}
