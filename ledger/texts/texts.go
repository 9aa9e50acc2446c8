// Package texts knows which columns may name people, and changes them.
package texts

import (
	"context"
	"slices"
	"strings"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"

	"github.com/framebridge/framebridge/ledger/database"
)

// archives are the columns that may hold people's addresses and names in tables with an archive. Folders come first, because they name
// their creators. personal are those of all tables with a tenant. Archives, reviews, items, the recipients of mails and the audit log are
// handled individually.
var (
	archives = []Column{{"folders", "details"}, {"access", "doc"}, {"differences", "name"}, {"differences", "frameio"}, {"differences", "iconik"},
		{"not_carried", "name"}, {"not_carried", "reason"}, {"failures", "reason"}, {"reclaim_files", "data"}}
	personal = append(slices.Clone(archives), []Column{{"review_comments", "data"}, {"review_assets", "data"}, {"links", "source_id"}, {"reclaims", "data"},
		{"migrations", "data"}, {"migration_projects", "data"}, {"events", "data"}, {"event_deliveries", "reason"}, {"received", "result"}, {"mails", "subject"}, {"mails", "body"}}...)
)

// Column is a column of texts.
type Column struct{ Table, Column string }

// OfArchives returns the columns of tables with an archive.
func OfArchives() []Column { return archives }

// Personal returns all columns.
func Personal() []Column { return personal }

// Replace applies clean to a column in the rows that contain text, and returns how many it changed. The rows are the tenant's, narrowed by
// the condition more. args are the tenant and that condition's arguments.
func (t Column) Replace(ctx context.Context, tx database.Session, more, text string, clean func(string) string, args ...any) (int, error) {
	of := " FROM " + t.Table + " WHERE tenant = ?" + more
	texts, err := database.Collect(ctx, tx, func(r database.Scanner) (s string, err error) { return s, r.Scan(&s) }, "SELECT DISTINCT "+t.Column+of+" AND LOWER("+t.Column+`) LIKE ? ESCAPE '\'`, append(slices.Clone(args), Roughly(text))...)
	if err != nil {
		return 0, err
	}
	changed := 0
	for _, text := range texts {
		now := clean(text)
		if now == text {
			continue
		}
		n, err := tx.Exec(ctx, "UPDATE "+t.Table+" SET "+t.Column+" = ? WHERE tenant = ?"+more+" AND "+t.Column+" = ?", append(append([]any{database.JSON(now)}, args...), database.JSON(text))...)
		if err != nil {
			return changed, err
		}
		changed += int(n)
	}
	return changed, nil
}

// Same reports whether two texts are the same address, ignoring case, Unicode form and surrounding space.
func Same(a, b string) bool {
	form := func(s string) string { return norm.NFC.String(strings.TrimSpace(s)) }
	return strings.EqualFold(form(a), form(b))
}

// Roughly returns a LIKE pattern that finds a text, also as JSON and URLs write it. It may match more.
func Roughly(text string) string {
	var p strings.Builder
	for _, r := range strings.ToLower(norm.NFC.String(text)) {
		switch {
		case r == '_':
			p.WriteString(`\_`)
		case r < utf8.RuneSelf && !strings.ContainsRune(`&<>"'\%@+`, r):
			p.WriteRune(r)
		default:
			p.WriteByte('%')
		}
	}
	return "%" + p.String() + "%"
}
