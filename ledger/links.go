package ledger

import (
	"context"
	"database/sql"
	"errors"
	"time"
)

// Kinds of links.
const (
	LinkRoot          LinkKind = "root"
	LinkTeam          LinkKind = "team"
	LinkProject       LinkKind = "project"
	LinkFolder        LinkKind = "folder"
	LinkStack         LinkKind = "stack"
	LinkFile          LinkKind = "file" // the asset of a single file
	LinkVersion       LinkKind = "version"
	LinkFormat        LinkKind = "format"
	LinkFileSet       LinkKind = "file set"
	LinkFileRecord    LinkKind = "file record"
	LinkKeyframes     LinkKind = "keyframes"
	LinkComment       LinkKind = "comment"
	LinkPresentations LinkKind = "presentations"
	LinkPresentation  LinkKind = "presentation"
	LinkReviewLink    LinkKind = "review link"
	LinkShare         LinkKind = "share"
	LinkReference     LinkKind = "reference"
	LinkJob           LinkKind = "job"
	LinkReport        LinkKind = "report"
	LinkMail          LinkKind = "mail"
	// Links of reviews.
	LinkReviewProject LinkKind = "review project"
	LinkReviewFolder  LinkKind = "review folder"
	LinkReviewShare   LinkKind = "review share"
	LinkInvitation    LinkKind = "invitation"
)

const linkColumns = "kind, source_id, target_id, archive, parent, hash, intended_at, made_at, written"

func scanLink(r scanner) (Link, error) {
	var k Link
	var intended, done int64
	err := r.Scan(&k.Kind, &k.SourceID, &k.TargetID, &k.Archive, &k.Parent, &k.Hash, &intended, &done, &k.Written)
	k.IntendedAt, k.MadeAt = fromMicros(intended), fromMicros(done)
	return k, err
}

// Link returns a link, completed or only intended, and false if there is none.
func (h TenantLedger) Link(ctx context.Context, kind LinkKind, sourceID string) (Link, bool, error) {
	return h.l.oneLink(ctx, "SELECT "+linkColumns+" FROM links WHERE tenant = ? AND kind = ? AND source_id = ?", h.id, kind, sourceID)
}

// LinkByTarget finds a link by its iconik object.
func (h TenantLedger) LinkByTarget(ctx context.Context, kind LinkKind, targetID string) (Link, bool, error) {
	return h.l.oneLink(ctx, "SELECT "+linkColumns+" FROM links WHERE tenant = ? AND kind = ? AND target_id = ? LIMIT 1", h.id, kind, targetID)
}

func (l *Ledger) oneLink(ctx context.Context, query string, args ...any) (Link, bool, error) {
	k, err := scanLink(l.reads().Row(ctx, query, args...))
	if errors.Is(err, sql.ErrNoRows) {
		return Link{}, false, nil
	}
	return k, err == nil, err
}

// Intend stores an intent unless the link or an intent of it exists. It returns what is then stored, and whether that is new.
func (h TenantLedger) Intend(ctx context.Context, k Link) (existing Link, isNew bool, err error) {
	n, err := h.l.exec(ctx, "INSERT INTO links (tenant, kind, source_id, archive, parent, hash, intended_at) VALUES (?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING",
		h.id, k.Kind, k.SourceID, k.Archive, k.Parent, k.Hash, micros(k.IntendedAt))
	if err != nil {
		return Link{}, false, err
	}
	if n == 1 {
		return k, true, nil
	}
	existing, _, err = h.Link(ctx, k.Kind, k.SourceID)
	return existing, false, err
}

// IntendAgain updates an intent's time, because the object's creation is being retried.
func (h TenantLedger) IntendAgain(ctx context.Context, kind LinkKind, sourceID string, at time.Time) error {
	_, err := h.l.exec(ctx, "UPDATE links SET intended_at = ? WHERE tenant = ? AND kind = ? AND source_id = ?", micros(at), h.id, kind, sourceID)
	return err
}

// Complete stores the id of an intent's object, or a link's new content.
func (h TenantLedger) Complete(ctx context.Context, kind LinkKind, sourceID, targetID, hash string) error {
	return h.CompleteAs(ctx, kind, sourceID, targetID, hash, "")
}

// CompleteAs is Complete with what was written, property by property, so that the proof can tell what others changed.
func (h TenantLedger) CompleteAs(ctx context.Context, kind LinkKind, sourceID, targetID, hash, written string) error {
	now := micros(time.Now())
	_, err := h.l.exec(ctx, `INSERT INTO links (tenant, kind, source_id, target_id, hash, written, intended_at, made_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?)
		ON CONFLICT (tenant, kind, source_id) DO UPDATE SET target_id = excluded.target_id, hash = excluded.hash, written = excluded.written, made_at = excluded.made_at`,
		h.id, kind, sourceID, targetID, hash, written, now, now)
	return err
}

// Claim completes an intent with the object's id unless another attempt already did. It returns the id that applies.
func (h TenantLedger) Claim(ctx context.Context, kind LinkKind, sourceID, targetID, hash string) (holds string, err error) {
	now := micros(time.Now())
	n, err := h.l.exec(ctx, `INSERT INTO links (tenant, kind, source_id, target_id, hash, intended_at, made_at) VALUES (?, ?, ?, ?, ?, ?, ?)
		ON CONFLICT (tenant, kind, source_id) DO UPDATE SET target_id = excluded.target_id, hash = excluded.hash, made_at = excluded.made_at
		WHERE links.target_id = '' OR links.target_id = excluded.target_id`, h.id, kind, sourceID, targetID, hash, now, now)
	if err != nil || n == 1 {
		return targetID, err
	}
	k, ok, err := h.Link(ctx, kind, sourceID)
	if err == nil && !ok { // deleted in between
		return h.Claim(ctx, kind, sourceID, targetID, hash)
	}
	return k.TargetID, err
}

// Cancel deletes an intent. A link that another attempt has completed stays.
func (h TenantLedger) Cancel(ctx context.Context, kind LinkKind, sourceID string) error {
	_, err := h.l.exec(ctx, "DELETE FROM links WHERE tenant = ? AND kind = ? AND source_id = ? AND target_id = ''", h.id, kind, sourceID)
	return err
}

// Delete deletes a link or an intent.
func (h TenantLedger) Delete(ctx context.Context, kind LinkKind, sourceID string) error {
	_, err := h.l.exec(ctx, "DELETE FROM links WHERE tenant = ? AND kind = ? AND source_id = ?", h.id, kind, sourceID)
	return err
}

// Links lists an archive's links of one kind, by source id.
func (h ArchiveLedger) Links(ctx context.Context, kind LinkKind, after string, limit int) ([]Link, string, error) {
	out, err := collect(ctx, h.l.reads(), scanLink, "SELECT "+linkColumns+" FROM links WHERE tenant = ? AND archive = ? AND kind = ? AND source_id > ? ORDER BY source_id LIMIT ?",
		h.tenant, h.id, kind, after, limit)
	next := ""
	if err == nil && len(out) == limit {
		next = out[len(out)-1].SourceID
	}
	return out, next, err
}

// Links lists a review's links of one kind, by source id.
func (h ReviewLedger) Links(ctx context.Context, kind LinkKind, after string, limit int) ([]Link, string, error) {
	return ArchiveLedger(h).Links(ctx, kind, after, limit)
}

// Objects that signed links can be for.
const (
	LinkedArchive = "archive"
	LinkedReview  = "review"
)

// LinkGeneration returns the generation that a signed link to an archive or a review must name to be valid.
func (h TenantLedger) LinkGeneration(ctx context.Context, kind, object string) (int64, error) {
	var generation int64
	err := h.l.reads().Row(ctx, "SELECT generation FROM link_generations WHERE tenant = ? AND kind = ? AND object = ?", h.id, kind, object).Scan(&generation)
	if errors.Is(err, sql.ErrNoRows) {
		err = nil
	}
	return generation, err
}

// RevokeLinks revokes all existing signed links to an archive or a review.
func (h TenantLedger) RevokeLinks(ctx context.Context, kind, object string) error {
	_, err := h.l.exec(ctx, `INSERT INTO link_generations (tenant, kind, object, generation) VALUES (?, ?, ?, 1)
		ON CONFLICT (tenant, kind, object) DO UPDATE SET generation = link_generations.generation + 1`, h.id, kind, object)
	return err
}
