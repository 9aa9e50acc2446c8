package ledger

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"slices"

	"github.com/framebridge/framebridge/ledger/chain"
	"github.com/framebridge/framebridge/ledger/outbox"
	"github.com/framebridge/framebridge/ledger/sessions"
	"github.com/framebridge/framebridge/ledger/texts"
)

// ActionErased is the audit log's action for the erasure of personal data from the ledger.
const ActionErased = chain.Erased

// Rewriting is a change of texts in many tables. Package ledger/people decides what becomes of each text.
type Rewriting struct {
	By        Actor
	Pseudonym string // what the audit log calls the rewriting
	Audit     AuditFilter
	// Change returns the new content of an audit entry, which keeps its hash.
	Change func(AuditEntry) AuditEntry
	// Text is a person's address. Clean changes the rows of all tables that contain it, that person's sessions end, and the audit log gets an
	// entry whatever was found. Its counts include Rows, which were changed before. If Text is "", only audit entries are changed.
	Text  string
	Clean func(string) string
	Rows  map[string]int
}

// Rewrite changes texts in one transaction. It returns how many rows of each table and how many audit entries it changed.
func (h TenantLedger) Rewrite(ctx context.Context, r Rewriting) (rows map[string]int, entries int, err error) {
	err = h.l.tx(ctx, func(tx session) error {
		rows = map[string]int{}
		maps.Copy(rows, r.Rows)
		if r.Text != "" {
			if err := rewriteTexts(ctx, tx, h.id, r, rows); err != nil {
				return err
			}
		}
		var err error
		entries, err = rewriteAudit(ctx, tx, h.id, r, rows)
		return err
	})
	return rows, entries, err
}

func rewriteTexts(ctx context.Context, tx session, tenant string, r Rewriting, rows map[string]int) error {
	if err := outbox.WithoutRecipient(ctx, tx.Session, tenant, r.Text); err != nil {
		return fmt.Errorf("mails: %w", err)
	}
	for _, t := range texts.Personal() {
		n, err := t.Replace(ctx, tx.Session, "", r.Text, r.Clean, tenant)
		if err != nil {
			return fmt.Errorf("%s: %w", t.Table, err)
		}
		if n > 0 {
			rows[t.Table] += n
		}
	}
	n, err := outbox.New(nil, tx.keys).Rewrite(ctx, tx.Session, tenant, r.Clean)
	if err != nil {
		return fmt.Errorf("mails: %w", err)
	}
	if n > 0 {
		rows["mails"] += n
	}
	return sessions.EndOf(ctx, tx.Session, r.Text)
}

// RewriteTexts changes, in one transaction, the archive's rows that contain a text, and then the archive itself. It does nothing if must
// returns false. It returns how many rows changed, including the archive if finish returns true.
func (h ArchiveLedger) RewriteTexts(ctx context.Context, text string, must func(Archive) bool, clean func(string) string, finish func(*Archive) bool) (rows int, err error) {
	err = h.l.tx(ctx, func(tx session) error {
		rows = 0
		a, err := scanArchive(tx.Row(ctx, oneArchive+tx.ForUpdate(), h.tenant, h.id))
		if err != nil || !must(a) {
			return err
		}
		for _, t := range texts.OfArchives() {
			n, err := t.Replace(ctx, tx.Session, " AND archive = ?", text, clean, h.tenant, h.id)
			if err != nil {
				return fmt.Errorf("%s: %w", t.Table, err)
			}
			rows += n
		}
		if finish(&a) {
			rows++
		}
		return putArchive(ctx, tx, h.tenant, a)
	})
	return rows, err
}

const erasedAtOnce = 1000 // erased entries that one audit entry lists

// rewriteAudit changes entries of the log. They keep their hashes, to which later entries are chained, and new entries record the digests
// of their new content.
func rewriteAudit(ctx context.Context, tx session, tenant string, r Rewriting, rows map[string]int) (int, error) {
	log, err := openAuditLog(ctx, tx, tenant)
	if err != nil {
		return 0, err
	}
	where, args := r.Audit.where()
	entries, err := auditRows(ctx, tx, tenant, "seq > 0"+where+" ORDER BY seq", args)
	if err != nil {
		return 0, err
	}
	var changed []chain.Erasure
	for _, e := range entries {
		now := r.Change(e)
		if now.Digest() == e.Digest() {
			continue
		}
		if len(now.Detail) > 0 { // in an extract's form
			if now.Detail, err = json.Marshal(now.Detail); err != nil {
				return 0, fmt.Errorf("the detail of entry %d would no longer be JSON: %w", e.Seq, err)
			}
		}
		if _, err := tx.Exec(ctx, "UPDATE audit_log SET actor_name = ?, actor_address = ?, actor_key = ?, object_id = ?, reason = ?, detail = ? WHERE tenant = ? AND seq = ?",
			now.Actor.Name, now.Actor.Address, now.Actor.Key, now.ObjectID, now.Reason, string(now.Detail), tenant, e.Seq); err != nil {
			return 0, err
		}
		changed = append(changed, chain.Erasure{Seq: e.Seq, Digest: now.Digest()})
	}
	parts := slices.Collect(slices.Chunk(changed, erasedAtOnce))
	if len(parts) == 0 && r.Text != "" {
		parts = [][]chain.Erasure{{}}
	}
	for i, part := range parts {
		said := map[string]any{"text": fmt.Sprintf("%d entries keep their hashes; these are the digests of what stands there now", len(part)), "entries": part}
		if i == len(parts)-1 && r.Text != "" {
			said["rows"] = rows
		}
		detail, err := json.Marshal(said)
		if err != nil {
			return 0, err
		}
		if _, err := log.append(ctx, AuditEntry{Actor: r.By, Action: ActionErased, ObjectKind: "person", ObjectID: r.Pseudonym, Detail: detail}); err != nil {
			return 0, err
		}
	}
	return len(changed), log.close(ctx)
}
