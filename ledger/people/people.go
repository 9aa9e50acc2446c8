// Package people takes people out of the ledger: one who asks for it, and all of what ended long ago.
package people

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"regexp"
	"strings"
	"time"

	"github.com/framebridge/framebridge/ledger"
)

// Erasure is what was taken out.
type Erasure struct {
	Pseudonym string         `json:"pseudonym"` // what stands there now
	Rows      map[string]int `json:"rows"`      // changed, by table
	Entries   int            `json:"entries"`   // of the audit log
	Held      []Held         `json:"-"`         // what the vendors have still, up to mostHeld
}

// Held is something that a vendor has of a person.
type Held struct {
	What        string
	IconikAsset string // empty: Frame.io has it
}

const mostHeld = 1000

func (e *Erasure) holds(h Held) {
	if len(e.Held) < mostHeld {
		e.Held = append(e.Held, h)
	}
}

// ErrInUse says that somebody's data is needed still.
var ErrInUse = errors.New("is needed still")

// emailForm finds addresses in any text.
var emailForm = regexp.MustCompile(`[A-Za-z0-9._%+\-]+@[A-Za-z0-9\-]+(?:\.[A-Za-z0-9\-]+)+`)

const pseudonymPrefix = "erased-"

func newPseudonym() string {
	raw := make([]byte, 4)
	_, _ = rand.Read(raw) // never fails
	return pseudonymPrefix + hex.EncodeToString(raw)
}

// eraser replaces one person's address and names.
type eraser struct {
	address   string
	pseudonym string
	patterns  []*regexp.Regexp // the address first, then the names, which are replaced only where the address stands, too
}

func newEraser(address string, names map[string]bool) *eraser {
	e := &eraser{address: strings.ToLower(strings.TrimSpace(address)), pseudonym: newPseudonym()}
	e.patterns = []*regexp.Regexp{regexp.MustCompile("(?i)" + regexp.QuoteMeta(e.address))}
	for name := range names {
		if name = strings.TrimSpace(name); len(name) < 3 || strings.EqualFold(name, e.address) {
			continue
		}
		e.patterns = append(e.patterns, regexp.MustCompile("(?i)"+regexp.QuoteMeta(name)))
		if escaped, err := json.Marshal(name); err == nil && string(escaped) != `"`+name+`"` {
			e.patterns = append(e.patterns, regexp.MustCompile("(?i)"+regexp.QuoteMeta(strings.Trim(string(escaped), `"`))))
		}
	}
	return e
}

func (e *eraser) clean(text string) string {
	if !e.patterns[0].MatchString(text) {
		return text
	}
	for _, p := range e.patterns {
		text = p.ReplaceAllLiteralString(text, e.pseudonym)
	}
	return text
}

// Erase takes a person out of a tenant's rows: the address, and the names that stand beside it. Frame.io and iconik are left as they are.
// What is hashed in the audit log keeps its hash; an entry of the erasure's own holds what stands there now.
func Erase(ctx context.Context, h ledger.TenantLedger, address string, by ledger.Actor) (Erasure, error) {
	names, err := namesOf(ctx, h, address)
	if err != nil {
		return Erasure{}, err
	}
	e := newEraser(address, names)
	out := Erasure{Pseudonym: e.pseudonym, Rows: map[string]int{}}
	if err := eraseRequests(ctx, h, e, &out); err != nil {
		return out, err
	}
	if err := eraseItems(ctx, h, e, &out); err != nil {
		return out, err
	}
	rows, entries, err := h.Rewrite(ctx, ledger.Rewriting{By: by, Pseudonym: e.pseudonym, Audit: ledger.AuditFilter{Anywhere: e.address}, Text: e.address, Clean: e.clean, Change: func(entry ledger.AuditEntry) ledger.AuditEntry {
		entry.Actor.Name, entry.ObjectID, entry.Reason, entry.Detail = e.clean(entry.Actor.Name), e.clean(entry.ObjectID), e.clean(entry.Reason), json.RawMessage(e.clean(string(entry.Detail)))
		return entry
	}})
	for table, n := range rows {
		out.Rows[table] += n
	}
	out.Entries = entries
	return out, err
}

// namesOf are the names that go with an address. It is an error where a review that runs has the person.
func namesOf(ctx context.Context, h ledger.TenantLedger, address string) (map[string]bool, error) {
	names := map[string]bool{}
	same := func(other string) bool {
		return strings.EqualFold(strings.TrimSpace(other), strings.TrimSpace(address))
	}
	for r, err := range h.AllReviews(ctx) {
		if err != nil {
			return nil, err
		}
		has := same(r.RequestedBy.Email)
		if has {
			names[r.RequestedBy.Name] = true
		}
		for _, reviewer := range r.Reviewers {
			has = has || same(reviewer)
		}
		if has && r.Status.Running() {
			return nil, fmt.Errorf("the address %w: the review %q (%s) is open", ErrInUse, r.Title, r.ID)
		}
		comments, err := h.Review(r.ID).Comments(ctx, 0)
		if err != nil {
			return nil, err
		}
		for _, c := range comments {
			if same(c.Email) {
				names[c.Author] = true
			}
		}
	}
	return names, nil
}

// eraseRequests takes a person out of archives and reviews. Nobody is mailed under a pseudonym: addresses there go.
func eraseRequests(ctx context.Context, h ledger.TenantLedger, e *eraser, out *Erasure) error {
	same := func(other string) bool { return strings.EqualFold(strings.TrimSpace(other), e.address) }
	for a, err := range h.AllArchives(ctx) {
		if err != nil {
			return err
		}
		if !same(a.RequestedBy) && !containsFold(a.AlsoAsked, e.address) {
			continue
		}
		if _, err := h.Archive(a.ID).Update(ctx, func(a *ledger.Archive) {
			if same(a.RequestedBy) {
				a.RequestedBy = ""
			}
			a.AlsoAsked = withoutFold(a.AlsoAsked, e.address)
		}); err != nil {
			return err
		}
		out.Rows["archives"]++
	}
	for r, err := range h.AllReviews(ctx) {
		if err != nil {
			return err
		}
		if text, _ := json.Marshal(r); !e.patterns[0].Match(text) {
			continue
		}
		if _, err := h.Review(r.ID).Update(ctx, func(r *ledger.Review) {
			if same(r.RequestedBy.Email) {
				r.RequestedBy = ledger.Person{Name: e.pseudonym}
			}
			for i := range r.Reviewers {
				r.Reviewers[i] = e.clean(r.Reviewers[i])
			}
			for i := range r.Notes {
				r.Notes[i] = e.clean(r.Notes[i])
			}
			r.Title, r.Message, r.Reason, r.Trouble = e.clean(r.Title), e.clean(r.Message), e.clean(r.Reason), e.clean(r.Trouble)
		}); err != nil {
			return err
		}
		out.Rows["reviews"]++
		if r.ShareURL != "" && r.Status != ledger.ReviewDeleted {
			out.holds(Held{What: fmt.Sprintf("the review %q, with its reviewers: %s", e.clean(r.Title), r.ShareURL)})
		}
		assets, err := h.Review(r.ID).Assets(ctx)
		if err != nil {
			return err
		}
		for _, a := range assets {
			out.holds(Held{What: fmt.Sprintf("%q, which was sent to review: its review fields and comments", e.clean(a.Title)), IconikAsset: a.AssetID})
		}
	}
	return nil
}

func containsFold(list []string, address string) bool {
	return len(withoutFold(list, address)) < len(list)
}

func withoutFold(list []string, address string) []string {
	var out []string
	for _, a := range list {
		if !strings.EqualFold(strings.TrimSpace(a), address) {
			out = append(out, a)
		}
	}
	return out
}

// eraseItems takes a person out of files' fields. Their hash stays: what Frame.io says of the file has not changed.
func eraseItems(ctx context.Context, h ledger.TenantLedger, e *eraser, out *Erasure) error {
	for p, err := range h.ItemPlaces(ctx) {
		if err != nil {
			return err
		}
		it, known, err := h.Archive(p.Archive).Item(ctx, p.SourceID)
		if err != nil {
			return err
		}
		if !known || !e.patterns[0].Match(it.Fields) && !e.patterns[0].Match(it.Custom) && !e.patterns[0].MatchString(it.Reason+it.Note) {
			continue
		}
		if _, err := h.Archive(p.Archive).UpdateItem(ctx, p.SourceID, func(i *ledger.Item) {
			i.Fields, i.Custom, i.Reason, i.Note = []byte(e.clean(string(i.Fields))), []byte(e.clean(string(i.Custom))), e.clean(i.Reason), e.clean(i.Note)
		}); err != nil {
			return err
		}
		out.Rows["items"]++
		out.holds(Held{What: fmt.Sprintf("the uploader of the file %s (%s)", it.Path, it.SourceID)})
		if it.AssetID != "" {
			out.holds(Held{What: fmt.Sprintf("the uploader in the fields of %s", it.Path), IconikAsset: it.AssetID})
		}
	}
	return nil
}

// Pseudonymise takes people out of what ended before a time: reviews and their comments, who asked for archives, and the names in the
// audit log. It returns how many rows and entries were changed, and does no more than a part at once.
func Pseudonymise(ctx context.Context, h ledger.TenantLedger, before time.Time) (rows, entries int, err error) {
	of := map[string]string{}
	pseudonym := func(who string) string {
		key := strings.ToLower(strings.TrimSpace(who))
		if key == "" || strings.HasPrefix(key, pseudonymPrefix) {
			return who
		}
		if of[key] == "" {
			of[key] = newPseudonym()
		}
		return of[key]
	}
	clean := func(text string) string { return emailForm.ReplaceAllStringFunc(text, pseudonym) }
	for r, err := range h.AllReviews(ctx) {
		if err != nil {
			return rows, 0, err
		}
		if r.Status.Running() || r.Status == ledger.ReviewExpired || r.EndedAt.IsZero() || r.EndedAt.After(before) {
			continue
		}
		n, err := pseudonymiseReview(ctx, h, r, pseudonym, clean)
		if rows += n; err != nil {
			return rows, 0, err
		}
	}
	for a, err := range h.AllArchives(ctx) {
		if err != nil {
			return rows, 0, err
		}
		if !a.Status.Ended() || a.FinishedAt.After(before) || a.RequestedBy == "" && len(a.AlsoAsked) == 0 {
			continue
		}
		if _, err := h.Archive(a.ID).Update(ctx, func(a *ledger.Archive) { a.RequestedBy, a.AlsoAsked = "", nil }); err != nil {
			return rows, 0, err
		}
		rows++
	}
	_, entries, err = h.Rewrite(ctx, ledger.Rewriting{By: ledger.Actor{Kind: ledger.ActorSystem}, Pseudonym: "retention", Audit: ledger.AuditFilter{Until: before, Named: pseudonymPrefix}, Change: func(e ledger.AuditEntry) ledger.AuditEntry {
		e.Actor.Name, e.ObjectID, e.Reason, e.Detail = pseudonym(e.Actor.Name), clean(e.ObjectID), clean(e.Reason), json.RawMessage(clean(string(e.Detail)))
		return e
	}})
	return rows, entries, err
}

func pseudonymiseReview(ctx context.Context, h ledger.TenantLedger, r ledger.Review, pseudonym, clean func(string) string) (int, error) {
	rows := 0
	if text, _ := json.Marshal(r); emailForm.Match(text) {
		if _, err := h.Review(r.ID).Update(ctx, func(r *ledger.Review) {
			if r.RequestedBy.Email != "" {
				r.RequestedBy = ledger.Person{Name: pseudonym(r.RequestedBy.Email)}
			}
			for i := range r.Reviewers {
				r.Reviewers[i] = pseudonym(r.Reviewers[i])
			}
			for i := range r.Notes {
				r.Notes[i] = clean(r.Notes[i])
			}
			r.Title, r.Message, r.Reason, r.Trouble = clean(r.Title), clean(r.Message), clean(r.Reason), clean(r.Trouble)
		}); err != nil {
			return rows, err
		}
		rows++
	}
	comments, err := h.Review(r.ID).Comments(ctx, 0)
	if err != nil {
		return rows, err
	}
	for _, c := range comments {
		if c.Email == "" && (c.Author == "" || strings.HasPrefix(c.Author, pseudonymPrefix)) {
			continue
		}
		who := c.Email
		if who == "" {
			who = c.Author
		}
		c.Author, c.Email = pseudonym(who), ""
		c.Text, c.Before, c.After = clean(c.Text), clean(c.Before), clean(c.After)
		if err := h.PutReviewComments(ctx, c); err != nil {
			return rows, err
		}
		rows++
	}
	return rows, nil
}
