package verify

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/framebridge/framebridge/english"
	auditlog "github.com/framebridge/framebridge/ledger/chain"
)

// isAudit reports whether a file is an extract of the audit log, with one entry per line. An entry can be long.
func isAudit(body []byte) bool {
	line, _, _ := bytes.Cut(bytes.TrimSpace(body), []byte("\n"))
	var e struct {
		Seq  int64  `json:"seq"`
		Hash string `json:"hash"`
	}
	return json.Unmarshal(line, &e) == nil && e.Seq > 0 && e.Hash != ""
}

// erasures returns the entries of an extract that later ones say were erased, with the digests of their new content. It reads the newest
// first, because an erasure's own entry may have been erased since.
func erasures(body []byte) map[int64]string {
	var said []auditlog.Entry
	for line := range bytes.Lines(body) {
		var e auditlog.Entry
		if bytes.Contains(line, []byte(`"`+auditlog.Erased+`"`)) && json.Unmarshal(line, &e) == nil && e.Action == auditlog.Erased {
			said = append(said, e)
		}
	}
	erased := map[int64]string{}
	for _, e := range slices.Backward(said) {
		if e.Hash != e.Digest() && erased[e.Seq] != e.Digest() {
			continue
		}
		of := map[int64]string{}
		auditlog.Erasures([]auditlog.Entry{e}, of)
		maps.Copy(of, erased)
		erased = of
	}
	return erased
}

// audit verifies the entries of an extract.
func (r *Result) audit(body []byte) error {
	lines := bufio.NewScanner(bytes.NewReader(body))
	lines.Buffer(nil, 16<<20)
	var before *auditlog.Entry
	var first, last auditlog.Entry
	leftOut, erased := int64(0), erasures(body)
	var changed auditlog.Numbers
	r.entries = map[int64]entry{}
	for n := 1; lines.Scan(); n++ {
		if strings.TrimSpace(lines.Text()) == "" {
			continue
		}
		var e auditlog.Entry
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
		if e.Seq > last.Seq+1 { // a selection, or a later page of a listing: the entry itself can be right
			if last.Seq > 0 {
				leftOut += e.Seq - last.Seq - 1
			}
			before = &auditlog.Entry{Seq: e.Seq - 1, Hash: e.Previous}
		}
		if err := auditlog.Verify(before, []auditlog.Entry{e}, erased); err != nil {
			r.wrong("line %d: %v", n, err)
			return nil
		}
		if e.Hash != e.Digest() {
			changed = append(changed, e.Seq)
		}
		r.tenant, r.entries[e.Seq] = e.Tenant, entryOf(e)
		written, err := json.Marshal(e)
		if err != nil {
			return err
		}
		if !bytes.Equal(written, lines.Bytes()) { // such as a name in another encoding, or another time zone
			r.wrong("line %d: entry %d has the content that matches its hash, but is not written the way Framebridge writes it", n, e.Seq)
			return nil
		}
		before, last = &e, e
	}
	if err := lines.Err(); err != nil {
		r.wrong("it cannot be read to the end: %v", err)
		return nil
	}
	r.ok("its entries, %d to %d, are unchanged; the last one's hash is %s", first.Seq, last.Seq, last.Hash)
	if len(changed) > 0 {
		r.warn("later entries say that personal data was erased from %s: only an extract from before the erasure can show that nothing else was changed there", changed)
	}
	if leftOut > 0 {
		r.warn("%s between them %s not in the file", english.Count(leftOut, "entry"), english.Is(leftOut))
	}
	if first.Seq > 1 {
		r.warn("it begins with entry %d: the entries before are not in the file", first.Seq)
	}
	r.warn("only a later extract shows whether more entries follow entry %d", last.Seq)
	return nil
}

// entry is what two extracts must have in common about an entry of the log.
type entry struct {
	hash  string
	stays string // what an erasure leaves unchanged
}

func entryOf(e auditlog.Entry) entry {
	object := e.ObjectID
	if e.ObjectKind == "person" || strings.ContainsRune(object, '@') || strings.HasPrefix(object, "erased-") {
		object = ""
	}
	return entry{e.Hash, fmt.Sprintf("%q", []string{e.At.String(), e.Actor.Kind, e.Action, e.ObjectKind, object, e.Archive, e.Review})}
}

// Together compares the given files with each other: hash lists with the report of their account, and extracts of the same audit log,
// which may differ only in personal data that was erased between them.
func Together(results []Result) {
	for i := range results {
		for j := range results {
			if list, account := &results[i], &results[j]; i != j && list.c4 != "" && len(account.lists) > 0 {
				list.inAccount(account)
			}
		}
		for j := range results[:i] {
			a, b := &results[j], &results[i]
			if a.entries == nil || b.entries == nil || a.tenant != b.tenant {
				continue
			}
			both := 0
			for _, seq := range slices.Sorted(maps.Keys(b.entries)) {
				other, has := a.entries[seq]
				switch mine := b.entries[seq]; {
				case !has:
				case mine.hash != other.hash:
					b.wrong("entry %d is a different one in %s", seq, a.File)
				case mine.stays != other.stays:
					b.wrong("entry %d differs from the one in %s in more than personal data", seq, a.File)
				default:
					both++
				}
			}
			if both > 0 {
				b.ok("%d of its entries are also in %s, the same except for personal data", both, a.File)
			}
		}
	}
}
