package ledger

import (
	"context"
	"encoding/json"
	"fmt"
	"iter"
	"slices"

	"github.com/framebridge/framebridge/ledger/outbox"
)

// ActionErased is the audit's word for personal data that was taken out of the ledger.
const ActionErased = "erased"

// personalTexts are the columns, of tables with a tenant, in which people's addresses and names may stand. Archives, reviews, items and
// the audit are dealt with one by one.
var personalTexts = []struct{ table, column string }{
	{"review_comments", "data"}, {"differences", "name"}, {"differences", "frameio"}, {"differences", "iconik"}, {"not_carried", "name"}, {"not_carried", "reason"},
	{"access", "doc"}, {"failures", "reason"}, {"links", "source_id"}, {"reclaims", "data"}, {"migrations", "data"}, {"migration_projects", "data"}, {"events", "data"},
	{"mails", "recipients"}, {"mails", "subject"}, {"mails", "body"},
}

// Rewriting is a change of texts that stand in many tables; package ledger/people says what becomes of each.
type Rewriting struct {
	By        Actor
	Pseudonym string // what the audit calls the rewriting
	Audit     AuditFilter
	// Change is what becomes of an entry of the audit, which keeps its hash.
	Change func(AuditEntry) AuditEntry
	// Text: rows of all tables that have Text in them are changed by Clean, and sessions of it end; "": only the audit is.
	Text  string
	Clean func(string) string
}

// Rewrite changes texts in one transaction. It returns how many rows of each table and how many entries of the audit it has changed.
func (h TenantLedger) Rewrite(ctx context.Context, r Rewriting) (rows map[string]int, entries int, err error) {
	rows = map[string]int{}
	err = h.l.tx(ctx, func(tx session) error {
		if r.Text != "" {
			if err := rewriteTexts(ctx, tx, h.id, r, rows); err != nil {
				return err
			}
		}
		entries, err = rewriteAudit(ctx, tx, h.id, r)
		return err
	})
	return rows, entries, err
}

func rewriteTexts(ctx context.Context, tx session, tenant string, r Rewriting, rows map[string]int) error {
	if _, err := tx.Exec(ctx, "DELETE FROM mails WHERE tenant = ? AND LOWER(recipients) = LOWER(?)", tenant, r.Text); err != nil {
		return err
	}
	for _, t := range personalTexts {
		n, err := replaceTexts(ctx, tx, t.table, t.column, tenant, r)
		if err != nil {
			return fmt.Errorf("%s: %w", t.table, err)
		}
		if n > 0 {
			rows[t.table] += n
		}
	}
	n, err := outbox.New(nil, tx.keys).Rewrite(ctx, tx.Session, tenant, r.Text, r.Clean)
	if err != nil {
		return fmt.Errorf("mails: %w", err)
	}
	if n > 0 {
		rows["mails"] += n
	}
	for _, table := range []string{"sessions", "one_time_links"} {
		if _, err := tx.Exec(ctx, "DELETE FROM "+table+` WHERE LOWER(data) LIKE ? ESCAPE '\'`, contains(r.Text)); err != nil {
			return err
		}
	}
	return nil
}

// replaceTexts changes a column wherever the text stands in it.
func replaceTexts(ctx context.Context, tx session, table, column, tenant string, r Rewriting) (int, error) {
	texts, err := collect(ctx, tx, scanText[string], "SELECT DISTINCT "+column+" FROM "+table+" WHERE tenant = ? AND LOWER("+column+`) LIKE ? ESCAPE '\'`, tenant, contains(r.Text))
	if err != nil {
		return 0, err
	}
	changed := 0
	for _, text := range texts {
		n, err := tx.Exec(ctx, "UPDATE "+table+" SET "+column+" = ? WHERE tenant = ? AND "+column+" = ?", document(r.Clean(text)), tenant, document(text))
		if err != nil {
			return changed, err
		}
		changed += int(n)
	}
	return changed, nil
}

// erasedEntry says what stands in an entry now whose content was erased.
type erasedEntry struct {
	Seq    int64  `json:"seq"`
	Digest string `json:"digest"`
}

const erasedAtOnce = 1000 // entries that one entry of an erasure holds

// rewriteAudit changes entries of the log, which keep the hashes that the entries after them were chained to, and adds entries that hold
// the digests of what stands there now.
func rewriteAudit(ctx context.Context, tx session, tenant string, r Rewriting) (int, error) {
	log, err := openAuditLog(ctx, tx, tenant)
	if err != nil {
		return 0, err
	}
	where, args := r.Audit.where()
	entries, err := auditRows(ctx, tx, tenant, "seq > 0"+where+" ORDER BY seq", args)
	if err != nil {
		return 0, err
	}
	var changed []erasedEntry
	for _, e := range entries {
		now := r.Change(e)
		if now.Digest() == e.Digest() {
			continue
		}
		if _, err := tx.Exec(ctx, "UPDATE audit_log SET actor_name = ?, object_id = ?, reason = ?, detail = ? WHERE tenant = ? AND seq = ?", now.Actor.Name, now.ObjectID, now.Reason, string(now.Detail), tenant, e.Seq); err != nil {
			return 0, err
		}
		changed = append(changed, erasedEntry{e.Seq, now.Digest()})
	}
	for part := range slices.Chunk(changed, erasedAtOnce) {
		detail, err := json.Marshal(map[string]any{"text": fmt.Sprintf("%d entries keep their hashes; these are the digests of what stands there now", len(part)), "entries": part})
		if err != nil {
			return 0, err
		}
		if _, err := log.append(ctx, AuditEntry{Actor: r.By, Action: ActionErased, ObjectKind: "person", ObjectID: r.Pseudonym, Detail: detail}); err != nil {
			return 0, err
		}
	}
	return len(changed), log.close(ctx)
}

// Erasures reads from entries which others were erased since, and the digests of what stands there now.
func Erasures(entries []AuditEntry, into map[int64]string) {
	for _, e := range entries {
		if e.Action != ActionErased {
			continue
		}
		var detail struct {
			Entries []erasedEntry `json:"entries"`
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

// ItemPlace is where an item stands: also one that Frame.io has no more.
type ItemPlace struct{ Archive, SourceID string }

// ItemPlaces reads where the items of all of the tenant's archives stand.
func (h TenantLedger) ItemPlaces(ctx context.Context) iter.Seq2[ItemPlace, error] {
	return rowsOf(func(after ItemPlace) ([]ItemPlace, ItemPlace, error) {
		rows, err := collect(ctx, h.l.reads(), func(r scanner) (p ItemPlace, err error) {
			err = r.Scan(&p.Archive, &p.SourceID)
			return p, err
		}, "SELECT archive, source_id FROM items WHERE tenant = ? AND (archive, source_id) > (?, ?) ORDER BY archive, source_id LIMIT ?", h.id, after.Archive, after.SourceID, pageRows)
		if err != nil || len(rows) < pageRows {
			return rows, ItemPlace{}, err
		}
		return rows, rows[len(rows)-1], nil
	})
}
