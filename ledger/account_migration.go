package ledger

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
)

// An account migration may change the ids of a project and its files. The archive then continues under the new ids, so that
// nothing is copied twice.

// leaveToSuccessor takes an ended entry out of the migrations that also list its successor. What it counted now belongs to
// the successor and is counted once.
const leaveToSuccessor = `UPDATE migration_projects SET continued_as = ?, items = 0, copied = 0, verified = 0, skipped = 0, failed = 0, bytes = 0, bytes_done = 0
	WHERE tenant = ? AND project = ? AND continued_as = '' AND state NOT IN (?, ?, ?)
	AND EXISTS (SELECT 1 FROM migration_projects AS successor WHERE successor.tenant = migration_projects.tenant AND successor.migration = migration_projects.migration AND successor.project = ?)`

// AdoptArchive continues an archive that has ended under its project's new id. The new archive must be empty.
func (h TenantLedger) AdoptArchive(ctx context.Context, from, to string) error {
	return h.l.tx(ctx, func(tx session) error {
		read := func(id string) (a Archive, scan int, err error) {
			a, err = scanArchive(tx.Row(ctx, "SELECT scan, data, queue_position FROM archives WHERE tenant = ? AND id = ?"+tx.ForUpdate(), h.id, id), &scan)
			if errors.Is(err, sql.ErrNoRows) {
				err = fmt.Errorf("archive %s: %w", id, ErrUnknown)
			}
			return a, scan, err
		}
		old, scan, err := read(from)
		if err != nil {
			return err
		}
		a, own, err := read(to)
		if err != nil {
			return err
		}
		if !old.Status.Ended() || own != 0 || a.CollectionID != "" {
			return fmt.Errorf("archive %s cannot continue as %s", from, to)
		}
		a.Run, a.CollectionID, a.PresentationsID, a.ReportAssetID, a.Generation = old.Run+1, old.CollectionID, old.PresentationsID, old.ReportAssetID, old.Generation
		old.ContinuedAs, old.Reason = to, "continues as project "+to+", its ID since the account migration"
		for id, row := range map[string]Archive{from: old, to: a} {
			data, err := encode(row)
			if err != nil {
				return err
			}
			if _, err := tx.Exec(ctx, "UPDATE archives SET data = ?, scan = ? WHERE tenant = ? AND id = ?", data, max(scan, -scan), h.id, id); err != nil {
				return err
			}
		}
		for _, table := range []string{"items", "folders", "links"} {
			if _, err := tx.Exec(ctx, "UPDATE "+table+" SET archive = ? WHERE tenant = ? AND archive = ?", to, h.id, from); err != nil {
				return err
			}
		}
		for _, kind := range []LinkKind{LinkProject, LinkPresentations, LinkReport, "adopted"} {
			if err := renameLink(ctx, tx, h.id, kind, from, to); err != nil {
				return err
			}
		}
		_, err = tx.Exec(ctx, leaveToSuccessor, to, h.id, from, ProjectQueued, ProjectRunning, ProjectWaiting, to)
		return err
	})
}

// RenameLink moves a link to its Frame.io object's new id, unless that id has a link already. The link's content counts as
// unwritten, so that the new id is written to the iconik object.
func (h TenantLedger) RenameLink(ctx context.Context, kind LinkKind, from, to string) error {
	return h.l.tx(ctx, func(tx session) error { return renameLink(ctx, tx, h.id, kind, from, to) })
}

func renameLink(ctx context.Context, tx session, tenant string, kind LinkKind, from, to string) error {
	if from == to {
		return nil
	}
	_, err := tx.Exec(ctx, `UPDATE links SET source_id = ?, hash = '' WHERE tenant = ? AND kind = ? AND source_id = ?
		AND NOT EXISTS (SELECT 1 FROM links AS taken WHERE taken.tenant = ? AND taken.kind = ? AND taken.source_id = ?)`, to, tenant, kind, from, tenant, kind, to)
	return err
}

// RestartScan gives up on an interrupted scan, so that the next one starts over.
func (h ArchiveLedger) RestartScan(ctx context.Context) error {
	_, err := h.l.exec(ctx, "UPDATE archives SET scan = ABS(scan) WHERE tenant = ? AND id = ?", h.tenant, h.id)
	return err
}

// Matched is what MatchMigrated found.
type Matched struct {
	Items, Folders int
	// Ambiguous are files that match several old or new ones. They count as new.
	Ambiguous []string // paths
}

// MatchMigrated compares what an unfinished scan has seen with what earlier scans saw, and moves the items and folders that
// it recognizes to their new ids. It does nothing if the scan has met an id that is still the old one.
func (h ArchiveLedger) MatchMigrated(ctx context.Context, scan int) (Matched, error) {
	var m Matched
	err := h.l.tx(ctx, func(tx session) error {
		type row struct {
			file
			seq  int64
			scan int
		}
		read := tx.scanItem(h.tenant)
		all, err := collect(ctx, tx, func(r scanner) (row, error) {
			it, err := read(r)
			return row{fileOf(it), it.Seq, it.Scan}, err
		}, "SELECT seq, data FROM items WHERE tenant = ? AND archive = ? ORDER BY path, source_id", h.tenant, h.id)
		if err != nil {
			return err
		}
		var old, seen []file
		for _, r := range all {
			switch {
			case r.scan == scan && r.seq > 0: // an id that is still the old one
				return nil
			case r.scan == scan:
				seen = append(seen, r.file)
			case r.seq > 0:
				old = append(old, r.file)
			}
		}
		found := matchFiles(old, seen)
		for _, f := range found.files {
			if err := renameItem(ctx, tx, h.tenant, h.id, f.old, f.seen); err != nil {
				return err
			}
		}
		folders, err := collect(ctx, tx, scanFolder, "SELECT "+folderColumns+" FROM folders WHERE tenant = ? AND archive = ? AND parent_id <> '' ORDER BY path, source_id", h.tenant, h.id)
		if err != nil {
			return err
		}
		was, is := []Folder{}, []Folder{}
		for _, f := range folders {
			if f.Scan == scan {
				is = append(is, f)
			} else {
				was = append(was, f)
			}
		}
		foundFolders := matchFolders(was, is, found.files)
		for _, f := range foundFolders {
			if err := renameLink(ctx, tx, h.tenant, LinkFolder, f.old.SourceID, f.seen.SourceID); err != nil {
				return err
			}
			if _, err := tx.Exec(ctx, "UPDATE folders SET collection_id = ? WHERE tenant = ? AND archive = ? AND source_id = ?", f.old.CollectionID, h.tenant, h.id, f.seen.SourceID); err != nil {
				return err
			}
		}
		m = Matched{Items: len(found.files), Folders: len(foundFolders), Ambiguous: found.ambiguous}
		return nil
	})
	return m, err
}

// renameItem moves an item and its links to the new id.
func renameItem(ctx context.Context, tx session, tenant, archive string, from, to file) error {
	old, err := item(ctx, tx, tenant, archive, from.id)
	if err != nil {
		return err
	}
	seen, err := item(ctx, tx, tenant, archive, to.id)
	if err != nil {
		return err
	}
	if _, err := tx.Exec(ctx, "DELETE FROM items WHERE tenant = ? AND archive = ? AND source_id = ?", tenant, archive, to.id); err != nil {
		return err
	}
	if _, err := tx.Exec(ctx, "UPDATE items SET source_id = ? WHERE tenant = ? AND archive = ? AND source_id = ?", to.id, tenant, archive, from.id); err != nil {
		return err
	}
	if err := putItem(ctx, tx, tenant, archive, migratedItem(old, seen)); err != nil {
		return err
	}
	for _, kind := range []LinkKind{LinkVersion, LinkFormat, LinkFileSet, LinkFileRecord} {
		for _, form := range []string{"", ":proxy"} {
			if err := renameLink(ctx, tx, tenant, kind, from.id+form, to.id+form); err != nil {
				return err
			}
		}
	}
	if from.assetKey == from.id {
		return renameLink(ctx, tx, tenant, LinkFile, from.id, to.id)
	}
	return renameLink(ctx, tx, tenant, LinkStack, from.assetKey, to.assetKey)
}
