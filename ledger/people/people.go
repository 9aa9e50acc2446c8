// Package people erases people from the ledger: one person on request, and everybody from what ended long ago.
package people

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"regexp"
	"strings"

	"golang.org/x/net/idna"
	"golang.org/x/text/unicode/norm"

	"github.com/framebridge/framebridge/ledger"
	"github.com/framebridge/framebridge/ledger/texts"
)

// Erasure is what was erased.
type Erasure struct {
	Pseudonym string         `json:"pseudonym"` // what replaces the person
	Rows      map[string]int `json:"rows"`      // changed, by table
	Entries   int            `json:"entries"`   // of the audit log
	Held      []Held         `json:"-"`         // what the vendors still hold, up to mostHeld
}

// Held is something that a vendor still holds about a person.
type Held struct {
	What        string
	IconikAsset string // empty if Frame.io holds it
}

const mostHeld = 1000

func (e *Erasure) holds(h Held) {
	if len(e.Held) < mostHeld {
		e.Held = append(e.Held, h)
	}
}

// ErrInUse means that a person's data is still needed.
var ErrInUse = errors.New("is still needed")

const pseudonymPrefix = "erased-"

func newPseudonym() string {
	raw := make([]byte, 4)
	_, _ = rand.Read(raw) // never fails
	return pseudonymPrefix + hex.EncodeToString(raw)
}

// eraser replaces one person's address, and the names next to it.
type eraser struct {
	cleaner
	address string
	now     string
}

func newEraser(address, pseudonym string, known map[string]bool) *eraser {
	e := &eraser{address: address, now: pseudonym}
	e.cleaner = cleaner{addresses: oneAddress(e.address), pseudonym: func(string) string { return e.now }, names: &names{map[string]*regexp.Regexp{}}}
	for name := range known {
		e.names.add(name)
	}
	return e
}

func (e *eraser) same(other string) bool { return texts.Same(other, e.address) }

// clean erases the person from a text that contains the address.
func (e *eraser) clean(text string) string {
	if !e.has(text) {
		return text
	}
	return e.cleaner.clean(text)
}

// entry erases the person from an audit entry that contains the address.
func (e *eraser) entry(of ledger.AuditEntry) ledger.AuditEntry {
	if !e.has(of.Actor.Name) && !e.has(of.ObjectID) && !e.has(of.Reason) && !e.has(string(of.Detail)) {
		return of
	}
	if e.same(of.Actor.Name) {
		of.Actor = ledger.Actor{Kind: of.Actor.Kind, Name: of.Actor.Name}
	}
	of.Actor.Name, of.ObjectID, of.Reason, of.Detail = e.text(of.Actor.Name), e.text(of.ObjectID), e.text(of.Reason), json.RawMessage(e.cleaner.clean(string(of.Detail)))
	return of
}

// Erase erases a person from a tenant's rows: the address, and the names next to it. It changes nothing in Frame.io and iconik.
// Audit entries keep their hashes, and a new entry records the digests of their new content. It returns an error that wraps ErrInUse if
// the person takes part in an open review.
func Erase(ctx context.Context, h ledger.TenantLedger, address string, by ledger.Actor) (Erasure, error) {
	forms, known := spellings(address), map[string]bool{}
	for _, form := range forms {
		names, err := namesOf(ctx, h, form)
		if err == nil {
			err = deletes(ctx, h, form)
		}
		if err != nil {
			return Erasure{}, err
		}
		maps.Copy(known, names)
	}
	out := Erasure{Pseudonym: newPseudonym(), Rows: map[string]int{}}
	for _, form := range forms {
		if err := erase(ctx, h, newEraser(form, out.Pseudonym, known), by, &out); err != nil {
			return out, err
		}
	}
	return out, nil
}

// spellings returns an address in lower case, and with its domain in the other of the two forms that an international one has:
// rita@bücher.example and rita@xn--bcher-kva.example are one mailbox.
func spellings(address string) []string {
	address = strings.ToLower(norm.NFC.String(strings.TrimSpace(address)))
	out := []string{address}
	at := strings.LastIndexByte(address, '@') + 1
	for _, other := range []func(string) (string, error){idna.Lookup.ToASCII, idna.Lookup.ToUnicode} {
		if domain, err := other(address[at:]); err == nil && at > 0 && domain != address[at:] {
			out = append(out, address[:at]+domain)
		}
	}
	return out
}

func erase(ctx context.Context, h ledger.TenantLedger, e *eraser, by ledger.Actor, out *Erasure) error {
	for _, part := range []func(context.Context, ledger.TenantLedger, *eraser, *Erasure) error{eraseItems, eraseArchives, eraseReviews} {
		if err := part(ctx, h, e, out); err != nil {
			return err
		}
	}
	rows, entries, err := h.Rewrite(ctx, ledger.Rewriting{By: by, Pseudonym: e.now, Audit: ledger.AuditFilter{Anywhere: e.address}, Text: e.address, Clean: e.clean, Change: e.entry, Rows: out.Rows})
	out.Rows, out.Entries = rows, out.Entries+entries
	return err
}

// namesOf returns the names that go with an address, or ErrInUse if the person takes part in an open review.
func namesOf(ctx context.Context, h ledger.TenantLedger, address string) (map[string]bool, error) {
	names := map[string]bool{}
	same := func(other string) bool { return texts.Same(other, address) }
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

// deletes returns an error that wraps ErrInUse if the person takes part in a deletion in Frame.io that has not ended: under a pseudonym,
// they could approve their own request.
func deletes(ctx context.Context, h ledger.TenantLedger, address string) error {
	for a, err := range h.AllArchives(ctx) {
		if err != nil {
			return err
		}
		r, known, err := h.Archive(a.ID).Reclaim(ctx)
		if err != nil {
			return err
		}
		if known && !r.Status.Ended() && (texts.Same(r.RequestedBy.Name, address) || texts.Same(r.ApprovedBy.Name, address)) {
			return fmt.Errorf("the address %w: the deletion of %q in Frame.io is under way", ErrInUse, a.Name)
		}
	}
	return nil
}

// eraseArchives erases a person from archives. It deletes their address rather than replacing it, so that nobody mails a pseudonym.
func eraseArchives(ctx context.Context, h ledger.TenantLedger, e *eraser, out *Erasure) error {
	for a, err := range h.AllArchives(ctx) {
		if err != nil {
			return err
		}
		if err := e.reported(ctx, h, a, out); err != nil {
			return err
		}
		if text, _ := json.Marshal(a); !e.has(string(text)) {
			continue
		}
		if _, err := h.Archive(a.ID).Update(ctx, func(a *ledger.Archive) {
			if e.same(a.RequestedBy) {
				a.RequestedBy = ""
			}
			a.AlsoAsked = withoutFold(a.AlsoAsked, e.address)
			cleanArchive(a, e.clean)
		}); err != nil {
			return err
		}
		out.Rows["archives"]++
	}
	return eraseMigrations(ctx, h, e, out)
}

// cleanArchive cleans an archive's texts.
func cleanArchive(a *ledger.Archive, clean func(string) string) {
	a.Reason, a.MigrationNote = clean(a.Reason), clean(a.MigrationNote)
	for i := range a.Stuck {
		a.Stuck[i].What, a.Stuck[i].Reason = clean(a.Stuck[i].What), clean(a.Stuck[i].Reason)
	}
}

// reported adds what iconik stores about an archive that names who asked for it, approved its deletion or may read it.
func (e *eraser) reported(ctx context.Context, h ledger.TenantLedger, a ledger.Archive, out *Erasure) error {
	of := h.Archive(a.ID)
	rules, err := of.Access(ctx)
	if err != nil {
		return err
	}
	named := e.same(a.RequestedBy) || containsFold(a.AlsoAsked, e.address)
	for _, r := range rules {
		named = named || e.has(r.Doc)
	}
	if named && a.ReportAssetID != "" {
		out.holds(Held{What: fmt.Sprintf("the stored reports of the archive %q: who asked for it, who may read it", a.Name), IconikAsset: a.ReportAssetID})
	}
	runs, err := of.Reclaims(ctx)
	for _, r := range runs {
		if r.Certificate != "" && (e.has(r.RequestedBy.Name) || e.has(r.ApprovedBy.Name)) {
			out.holds(Held{What: fmt.Sprintf("the deletion certificate of %q: who asked for it, who approved it", a.Name), IconikAsset: r.Certificate})
		}
	}
	return err
}

// eraseMigrations erases a person from the migrations they asked for.
func eraseMigrations(ctx context.Context, h ledger.TenantLedger, e *eraser, out *Erasure) error {
	for m, err := range h.AllMigrations(ctx) {
		if err != nil {
			return err
		}
		if !e.same(m.RequestedBy) {
			continue
		}
		if _, err := h.Migration(m.ID).Update(ctx, func(m *ledger.Migration) { m.RequestedBy = "" }); err != nil {
			return err
		}
		out.Rows["migrations"]++
		if m.ReportAssetID != "" {
			out.holds(Held{What: "the stored report of the migration " + m.ID + ": who asked for it", IconikAsset: m.ReportAssetID})
		}
	}
	return nil
}

// eraseReviews erases a person from reviews.
func eraseReviews(ctx context.Context, h ledger.TenantLedger, e *eraser, out *Erasure) error {
	for r, err := range h.AllReviews(ctx) {
		if err != nil {
			return err
		}
		if text, _ := json.Marshal(r); !e.has(string(text)) {
			continue
		}
		if _, err := h.Review(r.ID).Update(ctx, func(r *ledger.Review) {
			if e.same(r.RequestedBy.Email) {
				r.RequestedBy = ledger.Person{Name: e.now}
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
		if !texts.Same(a, address) {
			out = append(out, a)
		}
	}
	return out
}

// eraseItems erases a person from files' fields. Their hash stays, because what Frame.io says about the file has not changed.
func eraseItems(ctx context.Context, h ledger.TenantLedger, e *eraser, out *Erasure) error {
	for a, err := range h.AllArchives(ctx) {
		if err != nil {
			return err
		}
		for it, err := range h.Archive(a.ID).EveryItem(ctx) {
			if err != nil {
				return err
			}
			if !cleanItem(&it, e.clean) {
				continue
			}
			if _, err := h.Archive(a.ID).UpdateItem(ctx, it.SourceID, func(i *ledger.Item) { cleanItem(i, e.clean) }); err != nil {
				return err
			}
			out.Rows["items"]++
			out.holds(Held{What: fmt.Sprintf("the uploader of the file %s (%s)", it.Path, it.SourceID)})
			if it.AssetID != "" {
				out.holds(Held{What: fmt.Sprintf("the uploader in the fields of %s", it.Path), IconikAsset: it.AssetID})
			}
		}
	}
	return nil
}

// cleanItem cleans an item's texts, and reports whether it changed any.
func cleanItem(it *ledger.Item, clean func(string) string) bool {
	fields, custom, reason, note := clean(string(it.Fields)), clean(string(it.Custom)), clean(it.Reason), clean(it.Note)
	changed := fields != string(it.Fields) || custom != string(it.Custom) || reason != it.Reason || note != it.Note
	if changed {
		it.Fields, it.Custom, it.Reason, it.Note = []byte(fields), []byte(custom), reason, note
	}
	return changed
}
