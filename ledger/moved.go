package ledger

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
)

// A project may come to Frame.io's other generation under other ids. What the archive knows then goes on under the new
// ones, so that nothing is brought over twice.

// MoveArchive lets an archive that has ended go on under its project's new id. The new one must have nothing yet.
func (l *Ledger) MoveArchive(ctx context.Context, tenant, from, to string) error {
	return l.tx(ctx, func(tx session) error {
		read := func(id string) (a Archive, scan int, err error) {
			a, err = scanArchive(tx.row(ctx, "SELECT scan, data, queue_position FROM archives WHERE tenant = ? AND id = ?"+tx.forUpdate(), tenant, id), &scan)
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
			return fmt.Errorf("archive %s cannot go on as %s", from, to)
		}
		a.Run, a.CollectionID, a.PresentationsID, a.ReportAssetID, a.Generation = old.Run+1, old.CollectionID, old.PresentationsID, old.ReportAssetID, old.Generation
		old.MovedTo, old.Reason = to, "goes on as project "+to+", its id since Frame.io moved the account"
		for id, row := range map[string]Archive{from: old, to: a} {
			data, err := encode(row)
			if err != nil {
				return err
			}
			if _, err := tx.exec(ctx, "UPDATE archives SET data = ?, scan = ? WHERE tenant = ? AND id = ?", data, max(scan, -scan), tenant, id); err != nil {
				return err
			}
		}
		for _, table := range []string{"items", "folders", "links"} {
			if _, err := tx.exec(ctx, "UPDATE "+table+" SET archive = ? WHERE tenant = ? AND archive = ?", to, tenant, from); err != nil {
				return err
			}
		}
		for _, kind := range []LinkKind{LinkProject, LinkPresentations, LinkReport, "adopted"} {
			if err := renameLink(ctx, tx, tenant, kind, from, to); err != nil {
				return err
			}
		}
		return nil
	})
}

// RenameLink lets a link go by its Frame.io object's new id. Its content counts as unwritten, so that the iconik object
// learns the new id.
func (l *Ledger) RenameLink(ctx context.Context, tenant string, kind LinkKind, from, to string) error {
	return l.tx(ctx, func(tx session) error { return renameLink(ctx, tx, tenant, kind, from, to) })
}

func renameLink(ctx context.Context, tx session, tenant string, kind LinkKind, from, to string) error {
	if from == to {
		return nil
	}
	_, err := tx.exec(ctx, `UPDATE links SET source_id = ?, hash = '' WHERE tenant = ? AND kind = ? AND source_id = ?
		AND NOT EXISTS (SELECT 1 FROM links AS taken WHERE taken.tenant = ? AND taken.kind = ? AND taken.source_id = ?)`, to, tenant, kind, from, tenant, kind, to)
	return err
}

// RestartScan gives a reading of the tree up that was broken off: the next one begins anew.
func (l *Ledger) RestartScan(ctx context.Context, tenant, archive string) error {
	_, err := l.exec(ctx, "UPDATE archives SET scan = ABS(scan) WHERE tenant = ? AND id = ?", tenant, archive)
	return err
}

// Matched says what Rematch has found.
type Matched struct {
	Items, Folders int
	// Ambiguous are new files that several of the old ones could be, or the other way round: they stay new.
	Ambiguous []string // paths
}

type placeOf struct {
	source, assetKey string
	version          int
	path             string
	size             int64
	known            bool
}

// Rematch compares what a scan has seen, before it is finished, with what was there before, where all ids have changed:
// files are the same by path, size, version, and where that does not tell, by the time they were made; folders by path, and
// where that does not tell, by the files in them.
// Where a single id is still the old one, nothing is matched: what is missing was deleted then.
func (l *Ledger) Rematch(ctx context.Context, tenant, archive string, scan int) (Matched, error) {
	var m Matched
	err := l.tx(ctx, func(tx session) error {
		var old, seen []placeOf
		rows, err := tx.query(ctx, "SELECT source_id, asset_key, version, path, size, seq, scan FROM items WHERE tenant = ? AND archive = ?", tenant, archive)
		if err != nil {
			return err
		}
		defer rows.Close()
		for rows.Next() {
			var p placeOf
			var seq int64
			var at int
			if err := rows.Scan(&p.source, &p.assetKey, &p.version, &p.path, &p.size, &seq, &at); err != nil {
				return err
			}
			switch {
			case at == scan:
				p.known = seq > 0
				seen = append(seen, p)
			case seq > 0:
				old = append(old, p)
			}
		}
		if err := rows.Err(); err != nil {
			return err
		}
		for _, p := range seen {
			if p.known {
				return nil
			}
		}
		holders := map[string]map[string]bool{}
		key := func(p placeOf) string {
			return p.path + "\x00" + strconv.FormatInt(p.size, 10) + "\x00" + strconv.Itoa(p.version)
		}
		was, is := map[string][]placeOf{}, map[string][]placeOf{}
		for _, p := range old {
			was[key(p)] = append(was[key(p)], p)
		}
		for _, p := range seen {
			is[key(p)] = append(is[key(p)], p)
		}
		for k, now := range is {
			before := was[k]
			switch {
			case len(before) == 0: // new
			case len(before) == 1 && len(now) == 1:
				m.Items++
				if err := l.moveItem(ctx, tx, tenant, archive, before[0], now[0], holders); err != nil {
					return err
				}
			default:
				n, err := l.moveByTime(ctx, tx, tenant, archive, before, now, holders)
				if err != nil {
					return err
				}
				m.Items += n
				if n < len(now) {
					m.Ambiguous = append(m.Ambiguous, now[0].path)
				}
			}
		}
		m.Folders, err = l.moveFolders(ctx, tx, tenant, archive, scan, holders)
		return err
	})
	return m, err
}

// moveByTime matches files of one path by when they were made.
func (l *Ledger) moveByTime(ctx context.Context, tx session, tenant, archive string, before, now []placeOf, holders map[string]map[string]bool) (int, error) {
	group := func(places []placeOf) (map[string][]placeOf, error) {
		out := map[string][]placeOf{}
		for _, p := range places {
			it, err := item(ctx, tx, tenant, archive, p.source)
			if err != nil {
				return nil, err
			}
			var fields map[string]string
			_ = json.Unmarshal(it.Fields, &fields)
			if at := fields["framebridge_created_at"]; at != "" {
				out[at] = append(out[at], p)
			}
		}
		return out, nil
	}
	was, err := group(before)
	if err != nil {
		return 0, err
	}
	is, err := group(now)
	if err != nil {
		return 0, err
	}
	n := 0
	for at, places := range is {
		if len(places) == 1 && len(was[at]) == 1 {
			if err := l.moveItem(ctx, tx, tenant, archive, was[at][0], places[0], holders); err != nil {
				return n, err
			}
			n++
		}
	}
	return n, nil
}

// moveItem gives an item its new id; holders learns which folder was which.
func (l *Ledger) moveItem(ctx context.Context, tx session, tenant, archive string, from, to placeOf, holders map[string]map[string]bool) error {
	old, err := item(ctx, tx, tenant, archive, from.source)
	if err != nil {
		return err
	}
	seen, err := item(ctx, tx, tenant, archive, to.source)
	if err != nil {
		return err
	}
	if holders[seen.FolderID] == nil {
		holders[seen.FolderID] = map[string]bool{}
	}
	holders[seen.FolderID][old.FolderID] = true
	it := merged(old, seen)
	it.SourceID, it.Moved = seen.SourceID, true
	if it.CommentCount == 0 || old.CommentsDone > 0 {
		it.CommentCount = CommentsUnknown
	}
	if it.State == ItemFailed { // it was asked for by an id that is none any more
		it.State, it.Reason, it.Fault = Pending, "", ""
		if it.FileID != "" {
			it.State = Copying
		}
	}
	for _, id := range []string{from.source, to.source} {
		if _, err := tx.exec(ctx, "DELETE FROM items WHERE tenant = ? AND archive = ? AND source_id = ?", tenant, archive, id); err != nil {
			return err
		}
	}
	if err := putItem(ctx, tx, tenant, archive, it); err != nil {
		return err
	}
	for _, kind := range []LinkKind{LinkVersion, LinkFormat, LinkFileSet, LinkFileRecord} {
		for _, form := range []string{"", ":proxy"} {
			if err := renameLink(ctx, tx, tenant, kind, from.source+form, to.source+form); err != nil {
				return err
			}
		}
	}
	if from.assetKey == from.source {
		return renameLink(ctx, tx, tenant, LinkFile, from.source, to.source)
	}
	return renameLink(ctx, tx, tenant, LinkStack, from.assetKey, to.assetKey)
}

func (l *Ledger) moveFolders(ctx context.Context, tx session, tenant, archive string, scan int, holders map[string]map[string]bool) (int, error) {
	rows, err := tx.query(ctx, "SELECT "+folderColumns+" FROM folders WHERE tenant = ? AND archive = ? AND parent_id <> ''", tenant, archive)
	if err != nil {
		return 0, err
	}
	defer rows.Close()
	was, is := map[string][]Folder{}, map[string][]Folder{}
	for rows.Next() {
		f, err := scanFolder(rows)
		if err != nil {
			return 0, err
		}
		if f.Scan == scan {
			is[f.Path] = append(is[f.Path], f)
		} else {
			was[f.Path] = append(was[f.Path], f)
		}
	}
	if err := rows.Err(); err != nil {
		return 0, err
	}
	n := 0
	move := func(from, to Folder) error {
		n++
		if err := renameLink(ctx, tx, tenant, LinkFolder, from.SourceID, to.SourceID); err != nil {
			return err
		}
		_, err := tx.exec(ctx, "UPDATE folders SET collection_id = ? WHERE tenant = ? AND archive = ? AND source_id = ?", from.CollectionID, tenant, archive, to.SourceID)
		return err
	}
	for path, now := range is {
		before := was[path]
		if len(now) == 1 && len(before) == 1 {
			if err := move(before[0], now[0]); err != nil {
				return n, err
			}
			continue
		}
		taken := map[string]int{} // by how many of the new ones
		for _, f := range now {
			for id := range holders[f.SourceID] {
				taken[id]++
			}
		}
		for _, f := range now { // one that cannot be told gets a collection of its own, and its assets follow
			for _, b := range before {
				if len(holders[f.SourceID]) == 1 && holders[f.SourceID][b.SourceID] && taken[b.SourceID] == 1 {
					if err := move(b, f); err != nil {
						return n, err
					}
				}
			}
		}
	}
	return n, nil
}
