package ledger

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/framebridge/framebridge/ledger/chain"
	"github.com/framebridge/framebridge/ledger/texts"
)

// Kinds of actors.
const (
	ActorAPI     = "api"
	ActorCommand = "command"
	ActorConsole = "console"
	ActorFrameio = "frameio"
	ActorIconik  = "iconik"
	ActorSystem  = "system" // Framebridge itself
)

// Actor is who did something.
type Actor = chain.Actor

// AuditEntry is one line of a tenant's audit log.
type AuditEntry = chain.Entry

// ErrChain means that an audit log is not as it was written.
var ErrChain = chain.ErrChanged

// AppendAudit adds an entry to its tenant's log and returns it as stored. An entry without a time gets the database's current time.
func (l *Ledger) AppendAudit(ctx context.Context, e AuditEntry) (_ AuditEntry, err error) {
	err = l.tx(ctx, func(tx session) error { e, err = appendAudit(ctx, tx, e); return err })
	return e, err
}

// audited appends the audit entries for a transaction's change unless err is set, so that both are written or neither.
func audited[T any](ctx context.Context, tx session, err error, changed T, entries []func(T) *AuditEntry) error {
	for _, of := range entries {
		if e := of(changed); e != nil && err == nil {
			_, err = appendAudit(ctx, tx, *e)
		}
	}
	return err
}

func appendAudit(ctx context.Context, tx session, e AuditEntry) (AuditEntry, error) {
	if e.Action == "" || e.Tenant == "" {
		return e, errors.New("an audit entry needs a tenant and an action")
	}
	for _, text := range []*string{&e.Actor.Kind, &e.Actor.Name, &e.Actor.Address, &e.Actor.Key, &e.Action, &e.ObjectKind, &e.ObjectID, &e.Archive, &e.Review, &e.Reason} {
		*text = strings.ToValidUTF8(*text, "�") // as a JSON extract has it
	}
	if len(e.Detail) > 0 { // in an extract's form, so that the hash is the same
		var err error
		if e.Detail, err = json.Marshal(e.Detail); err != nil {
			return e, fmt.Errorf("an audit entry's detail must be JSON: %w", err)
		}
	}
	log, err := openAuditLog(ctx, tx, e.Tenant)
	if err != nil {
		return e, err
	}
	if e, err = log.append(ctx, e); err != nil {
		return e, err
	}
	return e, log.close(ctx)
}

// AuditText returns the detail of an entry that consists of one sentence for people, or nil if text is empty.
func AuditText(text string) json.RawMessage {
	if text == "" {
		return nil
	}
	detail, _ := json.Marshal(map[string]string{"text": text}) // cannot fail: they are strings
	return detail
}

// auditLog is a tenant's log, locked by a transaction.
type auditLog struct {
	tx     session
	tenant string
	seq    int64
	hash   string
}

func openAuditLog(ctx context.Context, tx session, tenant string) (*auditLog, error) {
	if _, err := tx.Exec(ctx, "INSERT INTO audit_heads (tenant, seq, hash) VALUES (?, 0, '') ON CONFLICT DO NOTHING", tenant); err != nil {
		return nil, err
	}
	log := &auditLog{tx: tx, tenant: tenant}
	if err := tx.Row(ctx, "SELECT seq, hash FROM audit_heads WHERE tenant = ?"+tx.ForUpdate(), tenant).Scan(&log.seq, &log.hash); err != nil {
		return log, err
	}
	return log, log.takeOver(ctx)
}

func (a *auditLog) append(ctx context.Context, e AuditEntry) (AuditEntry, error) {
	if e.At.IsZero() {
		var now int64
		if err := a.tx.Row(ctx, "SELECT "+a.tx.Now()).Scan(&now); err != nil {
			return e, err
		}
		e.At = fromMicros(now)
	}
	e.At = e.At.UTC().Truncate(time.Microsecond)
	e.Tenant, e.Seq, e.Previous = a.tenant, a.seq+1, a.hash
	e.Hash = e.Digest()
	a.seq, a.hash = e.Seq, e.Hash
	_, err := a.tx.Exec(ctx, "INSERT INTO audit_log (tenant, "+auditColumns+") VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
		e.Tenant, e.Seq, micros(e.At), e.Actor.Kind, e.Actor.Name, e.Actor.Address, e.Actor.Key, e.Action, e.ObjectKind, e.ObjectID, e.Archive, e.Review, e.Reason, string(e.Detail), e.Previous, e.Hash)
	return e, err
}

func (a *auditLog) close(ctx context.Context) error {
	_, err := a.tx.Exec(ctx, "UPDATE audit_heads SET seq = ?, hash = ? WHERE tenant = ?", a.seq, a.hash, a.tenant)
	return err
}

// takeOver moves in entries from before there was a log, or from a release that does not know it.
func (a *auditLog) takeOver(ctx context.Context) error {
	old, err := collect(ctx, a.tx, func(r scanner) (e AuditEntry, err error) {
		var at int64
		var subject, detail string
		var review bool
		if err := r.Scan(&at, &subject, &e.Actor.Kind, &e.Action, &detail, &review); err != nil {
			return e, err
		}
		e.At = fromMicros(at)
		if e.ObjectKind, e.ObjectID, e.Archive = "archive", subject, subject; review {
			e.ObjectKind, e.Archive, e.Review = "review", "", subject
		}
		e.Detail = AuditText(detail)
		return e, nil
	}, `SELECT at, archive, actor, what, detail, EXISTS (SELECT 1 FROM reviews WHERE reviews.tenant = audit.tenant AND reviews.id = audit.archive)
		FROM audit WHERE tenant = ? ORDER BY at, archive, actor, what, detail`+a.lockOld(), a.tenant)
	if err != nil || len(old) == 0 {
		return err
	}
	for _, e := range old {
		if _, err := a.append(ctx, e); err != nil {
			return err
		}
		if _, err := a.tx.Exec(ctx, "DELETE FROM audit WHERE tenant = ? AND archive = ? AND at = ? AND what = ?", a.tenant, e.Archive+e.Review, micros(e.At), e.Action); err != nil {
			return err
		}
	}
	return nil
}

func (a *auditLog) lockOld() string {
	if a.tx.Postgres() {
		return " FOR UPDATE OF audit"
	}
	return ""
}

const auditColumns = "seq, at, actor_kind, actor_name, actor_address, actor_key, action, object_kind, object_id, archive, review, reason, detail, previous, hash"

// AuditFilter selects entries. An empty field selects all.
type AuditFilter struct {
	Archive, Review string
	Actor           string // its kind, name, address or key
	Action          string
	Text            string // anywhere in action, object, reason or detail; ASCII case is ignored
	Anywhere        string // anywhere in actor, object, reason or detail, also as JSON escapes it; may select more
	Named           string // entries that may name people or their addresses, except names with this prefix, which are pseudonyms
	// WithErasures adds the entries about erasures, which are needed to prove the others.
	WithErasures bool
	// Since and Until bound the time; Until is exclusive. Zero means no bound.
	Since, Until time.Time
}

// where returns the filter as an SQL condition, with its arguments.
func (f AuditFilter) where() (query string, args []any) {
	for _, exact := range []struct{ column, value string }{{"archive", f.Archive}, {"review", f.Review}, {"action", f.Action}} {
		if exact.value != "" {
			query, args = query+" AND "+exact.column+" = ?", append(args, exact.value)
		}
	}
	if f.Actor != "" {
		query, args = query+" AND ? IN (actor_kind, actor_name, actor_address, actor_key)", append(args, f.Actor)
	}
	if f.Text != "" {
		query += ` AND LOWER(action || ' ' || object_kind || ' ' || object_id || ' ' || reason || ' ' || detail) LIKE ? ESCAPE '\'`
		args = append(args, contains(f.Text))
	}
	if f.Anywhere != "" {
		query += ` AND LOWER(actor_name || ' ' || object_id || ' ' || reason || ' ' || detail) LIKE ? ESCAPE '\'`
		args = append(args, texts.Roughly(f.Anywhere))
	}
	if f.Named != "" {
		query += " AND (actor_name <> '' AND (actor_name NOT LIKE ? OR actor_key <> '') OR actor_address <> '' OR object_id LIKE '%@%' OR reason LIKE '%@%' OR detail LIKE '%@%')"
		args = append(args, f.Named+"%")
	}
	if !f.Since.IsZero() {
		query, args = query+" AND at >= ?", append(args, micros(f.Since))
	}
	if !f.Until.IsZero() {
		query, args = query+" AND at < ?", append(args, micros(f.Until))
	}
	if f.WithErasures && query != "" {
		query, args = " AND (1 = 1"+query+" OR action = ?)", append(args, ActionErased)
	}
	return query, args
}

// AuditPage returns a tenant's entries after a sequence number, in order.
func (h TenantLedger) AuditPage(ctx context.Context, f AuditFilter, after int64, limit int) ([]AuditEntry, error) {
	where, args := f.where()
	return h.auditEntries(ctx, "seq > ?"+where+" ORDER BY seq LIMIT ?", append(append([]any{after}, args...), limit))
}

// AuditNewest returns a tenant's entries before a sequence number, newest first; 0 stands for the end of the log.
func (h TenantLedger) AuditNewest(ctx context.Context, f AuditFilter, before int64, limit int) ([]AuditEntry, error) {
	if before <= 0 {
		before = 1 << 62
	}
	where, args := f.where()
	return h.auditEntries(ctx, "seq < ?"+where+" ORDER BY seq DESC LIMIT ?", append(append([]any{before}, args...), limit))
}

func (h TenantLedger) auditEntries(ctx context.Context, where string, args []any) ([]AuditEntry, error) {
	return auditRows(ctx, h.l.reads(), h.id, where, args)
}

func auditRows(ctx context.Context, s session, tenant, where string, args []any) ([]AuditEntry, error) {
	return collect(ctx, s, func(r scanner) (AuditEntry, error) {
		e := AuditEntry{Tenant: tenant}
		var at int64
		var detail string
		err := r.Scan(&e.Seq, &at, &e.Actor.Kind, &e.Actor.Name, &e.Actor.Address, &e.Actor.Key, &e.Action, &e.ObjectKind, &e.ObjectID, &e.Archive, &e.Review, &e.Reason, &detail, &e.Previous, &e.Hash)
		e.At = fromMicros(at)
		if e.Detail = json.RawMessage(detail); detail == "" {
			e.Detail = nil
		} else if !json.Valid(e.Detail) && err == nil {
			e.Detail, err = json.Marshal(detail)
		}
		return e, err
	}, "SELECT "+auditColumns+" FROM audit_log WHERE tenant = ? AND "+where, append([]any{tenant}, args...)...)
}
