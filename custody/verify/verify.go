// Package verify examines what Framebridge issued as proof: reports, ASC MHL hash lists and their chain, extracts of the
// audit log, and the stored files themselves. It needs no network, configuration or ledger.
package verify

import (
	"bytes"
	"crypto/ed25519"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"regexp"
	"strings"
	"time"

	"github.com/framebridge/framebridge/custody"
	"github.com/framebridge/framebridge/english"
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

// Options are what to verify files against.
type Options struct {
	Trusted []ed25519.PublicKey // if empty, a signature is checked against the key that it names
	Store   string              // the folder with the stored files, laid out as in the hash list; if empty, they are not read
}

// Result is what examining one file has shown.
type Result struct {
	File     string   `json:"file"`
	Kind     string   `json:"kind"`
	Of       string   `json:"of,omitempty"`        // its tenant, project, run and time, as it states them
	SignedBy string   `json:"signed_by,omitempty"` // the key's ID
	Checked  []string `json:"checked"`             // what is right, in words
	Problems []string `json:"problems"`            // what differs, each by name
	Warnings []string `json:"warnings"`            // what could not be proven

	proven  bool // a trusted key signed it
	tenant  string
	entries map[int64]entry // of an extract of the audit log
	lists   []reference     // those that an account's report or hash list names
	c4      string          // of a hash list
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

const mostBytes = 4 << 30 // more than enough for a report of a million files

// File examines one file. It returns an error if the file cannot be read or is of no kind that Framebridge issues.
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
		r.signature(body, o)
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

// certificateHead matches the beginning of a certificate's JSON, whatever its layout.
var certificateHead = regexp.MustCompile(`^\{\s*"kind":\s*"` + custody.CertificateKind + `"`)

func notOurs(name string) error {
	return fmt.Errorf("%s is not a report, certificate, hash list, chain or audit log of Framebridge", name)
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
		r.SignedBy, r.proven = s.Key, true
		r.ok("unchanged since it was signed with the key %s", s.Key)
	}
}

type named struct {
	ID   string `json:"id"`
	Name string `json:"name"`
}

func (n named) String() string {
	if n.Name == "" || n.Name == n.ID {
		return n.ID
	}
	return fmt.Sprintf("%q (%s)", n.Name, n.ID)
}

// of sets what a file is about.
func (r *Result) of(tenant named, what string, project named, run int, at time.Time) {
	r.Of = fmt.Sprintf("tenant %s, %s %s", tenant, what, project)
	if run > 0 {
		r.Of += fmt.Sprintf(", run %d", run)
	}
	if !at.IsZero() {
		r.Of += ", " + at.UTC().Format(time.RFC3339)
	}
}

type document struct {
	Tenant  named            `json:"tenant"`
	Project named            `json:"project"`
	Run     int              `json:"run"`
	At      time.Time        `json:"generated_at"`
	Archive string           `json:"archive"`
	Status  any              `json:"status"` // other files may have one too, but lack archive or totals
	Totals  map[string]int64 `json:"totals"`
	Items   []item           `json:"items"`
}

type item struct {
	SourceID   string `json:"source_id"`
	Path       string `json:"path"`
	StoredAs   string `json:"stored_as"` // the path in the hash list, if it differs from Path
	Versions   int    `json:"versions"`
	State      string `json:"state"`
	StoredSize int64  `json:"stored_size"`
	Checksum   string `json:"checksum"`
	Rendition  string `json:"rendition"`
}

// report checks a report's totals against its rows, and its rows against the stored files.
func (r *Result) report(body []byte, o Options) error {
	var d document
	if err := json.Unmarshal(body, &d); err != nil {
		r.wrong("it cannot be read as a report: %v", err)
		return nil
	}
	if d.Archive == "" || d.Totals == nil {
		return notOurs(r.File)
	}
	r.of(d.Tenant, "project", d.Project, d.Run, d.At)
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
		r.ok("its totals match its %s (%d verified, %d skipped, %d failed): %v", english.Count(len(d.Items), "row"), counted["verified"], counted["skipped"], counted["failed"], d.Status)
	}
	if o.Store == "" {
		return nil
	}
	return r.stored(o.Store, "the hash list", func(file func(kept)) {
		for _, it := range d.Items {
			if it.State != "verified" || it.Checksum == "" {
				continue
			}
			if it.StoredAs != "" {
				it.Path, it.SourceID, it.Versions = it.StoredAs, "", 1
			}
			file(kept{it.Path, it.SourceID, it.Versions, it.StoredSize, it.Checksum})
		}
	})
}

// kept is a file of a report or a certificate. If it has a sourceID, it may be stored beside another file that has its path.
type kept struct {
	path, sourceID string
	versions       int
	size           int64
	checksum       string
}

// stored compares files with those in a store. It skips the versions of an asset, which share a path, and refers to list, which tells them apart.
func (r *Result) stored(where, list string, each func(file func(kept))) error {
	store, err := openStore(where)
	if err != nil {
		return err
	}
	defer store.root.Close()
	left := 0
	each(func(f kept) {
		if f.versions > 1 {
			left++
			return
		}
		r.file(store, f.path, f.sourceID, f.size, strings.TrimPrefix(f.checksum, "xxh64:"))
	})
	if left > 0 {
		r.warn("not read: %s (versions of one asset share a path); verify %s to read them", english.Count(left, "file"), list)
	}
	r.read(store)
	return nil
}
