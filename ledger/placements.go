package ledger

import (
	"context"
	"database/sql"
	"iter"
	"time"
)

// LinkLeftBehind ties no objects: its target is a version in iconik, of the asset that is its parent, whose file has been
// brought over again elsewhere. Its hash names the source, the file and the rendition.
const LinkLeftBehind LinkKind = "left behind"

// Placement is where an item's version is, and where its file or stack belongs.
type Placement struct {
	SourceID, AssetKey string
	AssetID            string    // the asset that holds the item, or empty
	MadeAt             time.Time // when the creation of its version began; zero while it has none
	Linked             string    // the asset that stands for the file or stack, or empty

	seq int64
}

// placementsPage uses the primary key of links for each item.
const placementsPage = `SELECT i.seq, i.source_id, i.asset_key, i.asset_id, v.target_id, v.intended_at, k.target_id FROM items AS i
	LEFT JOIN links AS v ON v.tenant = i.tenant AND v.kind = 'version' AND v.source_id = i.source_id
	LEFT JOIN links AS k ON k.tenant = i.tenant AND k.kind = CASE WHEN i.asset_key = i.source_id THEN 'file' ELSE 'stack' END AND k.source_id = i.asset_key
	WHERE i.tenant = ? AND i.archive = ? AND i.seq > ? ORDER BY i.seq LIMIT ?`

// Placements iterates over the placements of an archive's items in order: the versions of an asset side by side, oldest first.
func (h ArchiveLedger) Placements(ctx context.Context) iter.Seq2[Placement, error] {
	return rowsOf(func(after int64) ([]Placement, int64, error) {
		out, err := collect(ctx, h.l.reads(), func(r scanner) (Placement, error) {
			var p Placement
			var version, linked sql.NullString
			var made sql.NullInt64
			err := r.Scan(&p.seq, &p.SourceID, &p.AssetKey, &p.AssetID, &version, &made, &linked)
			if version.String != "" {
				p.MadeAt = fromMicros(made.Int64)
			}
			p.Linked = linked.String
			return p, err
		}, placementsPage, h.tenant, h.id, max(after, 0), pageRows)
		if err != nil || len(out) < pageRows {
			return out, 0, err
		}
		return out, out[len(out)-1].seq, nil
	})
}

// AssetTaken reports whether an asset stands for a file or stack in Frame.io other than but.
func (h ArchiveLedger) AssetTaken(ctx context.Context, assetID, but string) (bool, error) {
	return h.any(ctx, `SELECT 1 FROM links AS k WHERE k.tenant = ? AND k.kind IN ('file', 'stack') AND k.target_id = ? AND k.source_id <> ?
		AND EXISTS (SELECT 1 FROM items AS i WHERE i.tenant = k.tenant AND i.archive = ? AND i.asset_key = k.source_id AND i.seq > 0) LIMIT 1`, h.tenant, assetID, but, h.id)
}

// AssetHolds reports whether an asset holds an item that is still in Frame.io.
func (h ArchiveLedger) AssetHolds(ctx context.Context, assetID string) (bool, error) {
	return h.any(ctx, "SELECT 1 FROM items WHERE tenant = ? AND archive = ? AND asset_id = ? AND seq > 0 LIMIT 1", h.tenant, h.id, assetID)
}

func (h ArchiveLedger) any(ctx context.Context, query string, args ...any) (bool, error) {
	found, err := collect(ctx, h.l.reads(), func(r scanner) (n int, err error) { err = r.Scan(&n); return n, err }, query, args...)
	return len(found) > 0, err
}

// TakeAsset makes an asset stand for a file or stack, and no longer for any other. written is what was written to it, property by property.
func (h ArchiveLedger) TakeAsset(ctx context.Context, kind LinkKind, key, assetID, written string) error {
	now := micros(time.Now())
	return h.l.tx(ctx, func(tx session) error {
		var parent sql.NullString
		if err := tx.Row(ctx, "SELECT MAX(parent) FROM links WHERE tenant = ? AND kind IN ('file', 'stack') AND target_id = ?", h.tenant, assetID).Scan(&parent); err != nil {
			return err
		}
		if _, err := tx.Exec(ctx, "DELETE FROM links WHERE tenant = ? AND kind IN ('file', 'stack') AND target_id = ?", h.tenant, assetID); err != nil {
			return err
		}
		_, err := tx.Exec(ctx, `INSERT INTO links (tenant, kind, source_id, target_id, archive, parent, hash, written, intended_at, made_at) VALUES (?, ?, ?, ?, ?, ?, '', ?, ?, ?)
			ON CONFLICT (tenant, kind, source_id) DO UPDATE SET target_id = excluded.target_id, hash = '', written = excluded.written, made_at = excluded.made_at`,
			h.tenant, kind, key, assetID, h.id, parent.String, written, now, now)
		return err
	})
}

// GoneFolders lists the links of folders that the last scan no longer saw, whose collections may be left over.
func (h ArchiveLedger) GoneFolders(ctx context.Context) ([]Link, error) {
	return collect(ctx, h.l.reads(), scanLink, "SELECT "+linkColumns+` FROM links WHERE tenant = ? AND archive = ? AND kind = 'folder' AND target_id <> ''
		AND NOT EXISTS (SELECT 1 FROM folders AS f WHERE f.tenant = links.tenant AND f.archive = links.archive AND f.source_id = links.source_id) ORDER BY source_id`, h.tenant, h.id)
}
