// Package chain defines the entries of the audit log, and verifies them by their chained hashes.
package chain

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"
)

// Actor is who did something.
type Actor struct {
	Kind    string `json:"kind"`              // one of the constants; entries of older versions have others
	Name    string `json:"name,omitempty"`    // of a person, if known
	Address string `json:"address,omitempty"` // the network address that the request came from
	Key     string `json:"key,omitempty"`     // the name of the API key, never the key
}

// Entry is one line of a tenant's audit log. Detail is a JSON object or empty. A JSON string holds a detail that is not JSON: an
// earlier release left it so when it erased an address.
type Entry struct {
	Tenant     string          `json:"tenant"`
	Seq        int64           `json:"seq"` // from 1, without gaps
	At         time.Time       `json:"at"`  // in microseconds
	Actor      Actor           `json:"actor"`
	Action     string          `json:"action"`
	ObjectKind string          `json:"object_kind,omitempty"`
	ObjectID   string          `json:"object_id,omitempty"`
	Archive    string          `json:"archive,omitempty"`
	Review     string          `json:"review,omitempty"`
	Reason     string          `json:"reason,omitempty"`
	Detail     json.RawMessage `json:"detail,omitempty"`
	Previous   string          `json:"previous"` // the previous entry's hash, empty for the first
	Hash       string          `json:"hash"`
}

// Digest returns what the entry's hash must be: SHA-256, in lower-case hexadecimal, over each value in the order of the
// fields, from Previous and Tenant to Detail, written as its length in bytes, a colon, its bytes and a comma. Numbers are
// decimal. At is in microseconds since 1970.
func (e Entry) Digest() string {
	h := sha256.New()
	for _, value := range []string{
		e.Previous, e.Tenant, strconv.FormatInt(e.Seq, 10), strconv.FormatInt(micros(e.At), 10), e.Actor.Kind, e.Actor.Name, e.Actor.Address, e.Actor.Key,
		e.Action, e.ObjectKind, e.ObjectID, e.Archive, e.Review, e.Reason, e.hashedDetail(),
	} {
		fmt.Fprintf(h, "%d:%s,", len(value), value)
	}
	return hex.EncodeToString(h.Sum(nil))
}

func (e Entry) hashedDetail() string {
	var text string
	if len(e.Detail) > 0 && e.Detail[0] == '"' && json.Unmarshal(e.Detail, &text) == nil && !json.Valid([]byte(text)) {
		return text
	}
	return string(e.Detail)
}

// ErrChanged means that an audit log is not as it was written.
var ErrChanged = errors.New("the audit log was changed")

// Verify checks the numbers and hashes of consecutive entries. before is the entry that precedes the first, or nil at the start of the log.
// erased is what Erasures collected. It returns an error that wraps ErrChanged if an entry does not fit.
func Verify(before *Entry, entries []Entry, erased map[int64]string) error {
	var seq int64
	var hash string
	if before != nil {
		seq, hash = before.Seq, before.Hash
	}
	for _, e := range entries {
		switch {
		case e.Seq != seq+1:
			return fmt.Errorf("%w: entry %d is followed by entry %d", ErrChanged, seq, e.Seq)
		case e.Previous != hash:
			return fmt.Errorf("%w: entry %d does not follow on the entry before it", ErrChanged, e.Seq)
		case e.Hash != e.Digest() && erased[e.Seq] != e.Digest():
			return fmt.Errorf("%w: entry %d does not have the content that its hash stands for", ErrChanged, e.Seq)
		}
		seq, hash = e.Seq, e.Hash
	}
	return nil
}

// micros returns a time as it is hashed: microseconds since 1970, 0 for none.
func micros(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return t.UnixMicro()
}

// Erased is the action of entries about erased personal data.
const Erased = "erased"

// Erasure is the digest of an entry's new content after an erasure.
type Erasure struct {
	Seq    int64  `json:"seq"`
	Digest string `json:"digest"`
}

// Erasures collects from entries which earlier ones were erased, and the digests of their new content.
func Erasures(entries []Entry, into map[int64]string) {
	for _, e := range entries {
		if e.Action != Erased {
			continue
		}
		var detail struct {
			Entries []Erasure `json:"entries"`
		}
		if json.Unmarshal(e.Detail, &detail) != nil {
			continue
		}
		for _, erased := range detail.Entries {
			if erased.Seq < e.Seq {
				into[erased.Seq] = erased.Digest
			}
		}
	}
}

// Numbers are sequence numbers of entries.
type Numbers []int64

// String shows consecutive numbers as a range: "2, 5-9 and 12". Beyond 20 ranges it only counts the rest.
func (seqs Numbers) String() string {
	const most = 20
	var spans []string
	left := 0
	for i := 0; i < len(seqs); {
		last := i
		for last+1 < len(seqs) && seqs[last+1] == seqs[last]+1 {
			last++
		}
		switch {
		case len(spans) == most:
			left += last - i + 1
		case last > i:
			spans = append(spans, fmt.Sprintf("%d-%d", seqs[i], seqs[last]))
		default:
			spans = append(spans, fmt.Sprint(seqs[i]))
		}
		i = last + 1
	}
	if left > 0 {
		spans = append(spans, fmt.Sprintf("%d more", left))
	}
	if len(spans) < 2 {
		return strings.Join(spans, "")
	}
	return strings.Join(spans[:len(spans)-1], ", ") + " and " + spans[len(spans)-1]
}
