package people

import (
	"context"
	"encoding/json"
	"slices"
	"strings"
	"time"

	"github.com/framebridge/framebridge/ledger"
)

// forgetter erases everybody from what is old, and gives each address its own pseudonym.
type forgetter struct {
	cleaner
	before time.Time
	of     map[string]string
}

func newForgetter(before time.Time) *forgetter {
	f := &forgetter{before: before, of: map[string]string{}}
	f.cleaner = cleaner{addresses: anyAddress, pseudonym: f.who}
	return f
}

// who returns the pseudonym of a person's address or name.
func (f *forgetter) who(is string) string {
	key := strings.ToLower(strings.TrimSpace(is))
	if key == "" || strings.HasPrefix(key, pseudonymPrefix) {
		return is
	}
	if f.of[key] == "" {
		f.of[key] = newPseudonym()
	}
	return f.of[key]
}

func (f *forgetter) actor(a ledger.Actor) ledger.Actor {
	if a.Name != "" {
		a.Name, a.Key = f.who(a.Name), ""
	}
	a.Address = ""
	return a
}

// Pseudonymize erases people from what ended before a time: reviews and their comments, archives with everything known about their files,
// deletions in Frame.io, migrations, and audit log entries. It returns how many rows and entries it changed.
func Pseudonymize(ctx context.Context, h ledger.TenantLedger, before time.Time) (rows, entries int, err error) {
	f := newForgetter(before)
	for _, part := range []func(context.Context, ledger.TenantLedger) (int, error){f.reviews, f.archives, f.reclaims, f.migrations} {
		n, err := part(ctx, h)
		if rows += n; err != nil {
			return rows, 0, err
		}
	}
	_, entries, err = h.Rewrite(ctx, ledger.Rewriting{By: ledger.Actor{Kind: ledger.ActorSystem}, Pseudonym: "retention", Audit: ledger.AuditFilter{Until: before, Named: pseudonymPrefix}, Change: func(e ledger.AuditEntry) ledger.AuditEntry {
		e.Actor, e.ObjectID, e.Reason, e.Detail = f.actor(e.Actor), f.text(e.ObjectID), f.text(e.Reason), json.RawMessage(f.clean(string(e.Detail)))
		return e
	}})
	return rows, entries, err
}

func (f *forgetter) reviews(ctx context.Context, h ledger.TenantLedger) (int, error) {
	rows := 0
	for r, err := range h.AllReviews(ctx) {
		if err != nil {
			return rows, err
		}
		if r.Status.Running() || r.Status == ledger.ReviewExpired || r.EndedAt.IsZero() || r.EndedAt.After(f.before) {
			continue
		}
		n, err := f.review(ctx, h, r)
		if rows += n; err != nil {
			return rows, err
		}
	}
	return rows, nil
}

func (f *forgetter) review(ctx context.Context, h ledger.TenantLedger, r ledger.Review) (int, error) {
	rows := 0
	by := r.RequestedBy
	if text, _ := json.Marshal(r); f.has(string(text)) || by.Email == "" && f.who(by.Name) != by.Name {
		if _, err := h.Review(r.ID).Update(ctx, func(r *ledger.Review) {
			if by := r.RequestedBy; by.Email != "" {
				r.RequestedBy = ledger.Person{Name: f.who(by.Email)}
			} else if by.Name != "" {
				r.RequestedBy = ledger.Person{Name: f.who(by.Name)}
			}
			for i := range r.Reviewers {
				r.Reviewers[i] = f.who(r.Reviewers[i])
			}
			for i := range r.Notes {
				r.Notes[i] = f.text(r.Notes[i])
			}
			r.Title, r.Message, r.Reason, r.Trouble = f.text(r.Title), f.text(r.Message), f.text(r.Reason), f.text(r.Trouble)
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
		c.Author, c.Email = f.who(who), ""
		for _, text := range []*string{&c.Text, &c.Before, &c.After, &c.Frameio.Text, &c.Iconik.Text, &c.Refused} {
			*text = f.text(*text)
		}
		if err := h.PutReviewComments(ctx, c); err != nil {
			return rows, err
		}
		rows++
	}
	return rows, nil
}

// archives erases people from archives that ended before, once after each run.
func (f *forgetter) archives(ctx context.Context, h ledger.TenantLedger) (int, error) {
	rows := 0
	for a, err := range h.AllArchives(ctx) {
		if err != nil {
			return rows, err
		}
		if !f.over(a) {
			continue
		}
		n, err := f.archive(ctx, h.Archive(a.ID))
		if rows += n; err != nil {
			return rows, err
		}
	}
	return rows, nil
}

func (f *forgetter) over(a ledger.Archive) bool {
	return a.Status.Ended() && !a.FinishedAt.After(f.before) && (a.ForgottenAt.IsZero() || a.ForgottenAt.Before(a.FinishedAt))
}

func (f *forgetter) archive(ctx context.Context, h ledger.ArchiveLedger) (int, error) {
	began, rows := time.Now(), 0
	for it, err := range h.EveryItem(ctx) {
		if err != nil {
			return rows, err
		}
		if !cleanItem(&it, f.clean) {
			continue
		}
		if a, _, err := h.Get(ctx); err != nil || !f.over(a) { // it runs again and needs its rows
			return rows, err
		}
		if _, err := h.UpdateItem(ctx, it.SourceID, func(i *ledger.Item) { cleanItem(i, f.clean) }); err != nil {
			return rows, err
		}
		rows++
	}
	n, err := h.RewriteTexts(ctx, "@", f.over, f.clean, func(a *ledger.Archive) bool {
		asked := a.RequestedBy != "" || len(a.AlsoAsked) > 0
		a.RequestedBy, a.AlsoAsked, a.ForgottenAt = "", nil, began
		cleanArchive(a, f.text)
		return asked
	})
	return rows + n, err
}

// reclaims erases people from deletions in Frame.io that ended before.
func (f *forgetter) reclaims(ctx context.Context, h ledger.TenantLedger) (int, error) {
	return h.RewriteReclaims(ctx, func(r *ledger.Reclaim) bool {
		asked, approved := f.actor(r.RequestedBy), f.actor(r.ApprovedBy)
		if !r.Status.Ended() || r.FinishedAt.After(f.before) || r.RequestedAt.After(f.before) || asked == r.RequestedBy && approved == r.ApprovedBy && !f.has(r.Reason) {
			return false
		}
		r.RequestedBy, r.ApprovedBy, r.Reason = asked, approved, f.text(r.Reason)
		return true
	})
}

// migrations erases people from migrations that ended before.
func (f *forgetter) migrations(ctx context.Context, h ledger.TenantLedger) (int, error) {
	rows := 0
	for m, err := range h.AllMigrations(ctx) {
		if err != nil {
			return rows, err
		}
		if !m.Status.Ended() || m.FinishedAt.After(f.before) || m.RequestedBy == "" && !f.has(string(m.Request)) && !f.has(m.Reason) && !slices.ContainsFunc(m.Added, func(take json.RawMessage) bool { return f.has(string(take)) }) {
			continue
		}
		if _, err := h.Migration(m.ID).Update(ctx, func(m *ledger.Migration) {
			m.RequestedBy, m.Reason = "", f.text(m.Reason)
			if len(m.Request) > 0 {
				m.Request = json.RawMessage(f.clean(string(m.Request)))
			}
			for i := range m.Added {
				m.Added[i] = json.RawMessage(f.clean(string(m.Added[i])))
			}
		}); err != nil {
			return rows, err
		}
		rows++
	}
	return rows, nil
}
