package ledger

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strconv"
	"strings"
)

// BeginScan returns the number of a new scan of the project's tree. An interrupted scan continues under its own number.
func (h ArchiveLedger) BeginScan(ctx context.Context) (int, error) {
	var scan int
	err := h.l.tx(ctx, func(tx session) error {
		err := tx.Row(ctx, "SELECT scan FROM archives WHERE tenant = ? AND id = ?"+tx.ForUpdate(), h.tenant, h.id).Scan(&scan)
		if errors.Is(err, sql.ErrNoRows) {
			return fmt.Errorf("archive %s: %w", h.id, ErrUnknown)
		}
		if err != nil {
			return err
		}
		if scan < 0 { // begun and not finished
			scan = -scan
			return nil
		}
		scan++
		_, err = tx.Exec(ctx, "UPDATE archives SET scan = ? WHERE tenant = ? AND id = ?", -scan, h.tenant, h.id)
		return err
	})
	return scan, err
}

// ErrScan means that the scan has been finished or restarted in the meantime, so a late attempt's results are outdated.
var ErrScan = errors.New("this reading of the tree has ended")

// fence locks the archive's row for a scan's write, and returns ErrScan if that scan is no longer running.
func fence(ctx context.Context, tx session, tenant, archive string, scan int) error {
	var now int
	err := tx.Row(ctx, "SELECT scan FROM archives WHERE tenant = ? AND id = ?"+tx.ForUpdate(), tenant, archive).Scan(&now)
	switch {
	case errors.Is(err, sql.ErrNoRows):
		return fmt.Errorf("archive %s: %w", archive, ErrUnknown)
	case err != nil:
		return err
	case now != -scan:
		return fmt.Errorf("scan %d of archive %s: %w", scan, archive, ErrScan)
	}
	return nil
}

func putFolder(ctx context.Context, tx session, tenant, archive string, f Folder) error {
	// A folder that this scan has already seen keeps its place in the listing.
	_, err := tx.Exec(ctx, `INSERT INTO folders (tenant, archive, source_id, parent_id, name, path, depth, details, access, scan) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
		ON CONFLICT (tenant, archive, source_id) DO UPDATE SET parent_id = excluded.parent_id, name = excluded.name, path = excluded.path, depth = excluded.depth, details = excluded.details,
		access = CASE WHEN folders.scan = excluded.scan THEN folders.access ELSE excluded.access END,
		listed = CASE WHEN folders.scan = excluded.scan THEN folders.listed ELSE 0 END,
		page = CASE WHEN folders.scan = excluded.scan THEN folders.page ELSE '' END, scan = excluded.scan`,
		tenant, archive, f.SourceID, f.ParentID, f.Name, f.Path, f.Depth, f.Details, f.Access, f.Scan)
	return err
}

// PutFolders stores folders for their scan to list.
func (h ArchiveLedger) PutFolders(ctx context.Context, folders []Folder) error {
	return h.l.tx(ctx, func(tx session) error {
		for _, f := range folders {
			if err := fence(ctx, tx, h.tenant, h.id, f.Scan); err != nil {
				return err
			}
			if err := putFolder(ctx, tx, h.tenant, h.id, f); err != nil {
				return err
			}
		}
		return nil
	})
}

const folderColumns = "source_id, parent_id, name, path, depth, details, access, collection_id, scan, listed, page"

func scanFolder(r scanner) (Folder, error) {
	var f Folder
	var listed int
	err := r.Scan(&f.SourceID, &f.ParentID, &f.Name, &f.Path, &f.Depth, &f.Details, &f.Access, &f.CollectionID, &f.Scan, &listed, &f.Cursor)
	f.Listed = listed != 0
	return f, err
}

// NextFolder returns a folder that the scan must still list, the topmost first, or nil if all are listed.
func (h ArchiveLedger) NextFolder(ctx context.Context, scan int) (*Folder, error) {
	f, err := scanFolder(h.l.writes().Row(ctx, "SELECT "+folderColumns+" FROM folders WHERE tenant = ? AND archive = ? AND scan = ? AND listed = 0 ORDER BY depth, source_id LIMIT 1", h.tenant, h.id, scan))
	if errors.Is(err, sql.ErrNoRows) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	return &f, nil
}

// PageListed stores one page of a folder's listing, and the cursor at which the listing continues.
func (h ArchiveLedger) PageListed(ctx context.Context, folderID string, scan int, cursor string, children []Folder, items []Item, done bool) error {
	return h.l.tx(ctx, func(tx session) error {
		if err := fence(ctx, tx, h.tenant, h.id, scan); err != nil {
			return err
		}
		for _, f := range children {
			if err := putFolder(ctx, tx, h.tenant, h.id, f); err != nil {
				return err
			}
		}
		for _, it := range items {
			if err := seeItem(ctx, tx, h.tenant, h.id, it); err != nil {
				return err
			}
		}
		listed := 0
		if done {
			listed = 1
		}
		_, err := tx.Exec(ctx, "UPDATE folders SET listed = ?, page = ? WHERE tenant = ? AND archive = ? AND source_id = ? AND scan = ?", listed, cursor, h.tenant, h.id, folderID, scan)
		return err
	})
}

// seeItem stores what a scan saw of an item, and keeps the work already done on it.
func seeItem(ctx context.Context, tx session, tenant, archive string, seen Item) error {
	old, err := item(ctx, tx, tenant, archive, seen.SourceID)
	if err != nil && !errors.Is(err, ErrUnknown) {
		return err
	}
	it := seen
	if err != nil && it.CommentCount < CommentsUnknown {
		it.CommentCount = CommentsUnknown
	}
	if err == nil {
		it = merged(old, seen)
	}
	return putItem(ctx, tx, tenant, archive, it)
}

func putItem(ctx context.Context, tx session, tenant, archive string, it Item) error {
	data, err := encodeItem(tx, tenant, it)
	if err != nil {
		return err
	}
	dirty := 0
	if it.FieldsHash != it.WrittenHash {
		dirty = 1
	}
	_, err = tx.Exec(ctx, `INSERT INTO items (tenant, archive, source_id, seq, asset_key, version, versions, path, media_type, size, state, rendition, asset_id, dirty, bytes_done, comment_count, comments_done, scan, data)
		VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
		ON CONFLICT (tenant, archive, source_id) DO UPDATE SET asset_key = excluded.asset_key, version = excluded.version, versions = excluded.versions, path = excluded.path,
		media_type = excluded.media_type, size = excluded.size, state = excluded.state, rendition = excluded.rendition, asset_id = excluded.asset_id, dirty = excluded.dirty, bytes_done = excluded.bytes_done,
		comment_count = excluded.comment_count, comments_done = excluded.comments_done, scan = excluded.scan, data = excluded.data`,
		tenant, archive, it.SourceID, it.Seq, it.AssetKey, it.Version, it.Versions, it.Path, it.MediaType, it.Size, it.State, it.Rendition, it.AssetID, dirty,
		it.BytesDone, it.CommentCount, it.CommentsDone, it.Scan, data)
	return err
}

// FinishScan numbers the items that the scan saw, by path and with the versions of an asset side by side. The others, which
// Frame.io no longer has, lose their numbers.
func (h ArchiveLedger) FinishScan(ctx context.Context, scan int) error {
	return h.l.tx(ctx, func(tx session) error {
		if err := fence(ctx, tx, h.tenant, h.id, scan); err != nil {
			return err
		}
		if _, err := tx.Exec(ctx, "UPDATE items SET seq = 0 WHERE tenant = ? AND archive = ? AND scan <> ?", h.tenant, h.id, scan); err != nil {
			return err
		}
		if err := forgetNotCarried(ctx, tx, h.tenant, h.id, scan); err != nil {
			return err
		}
		if err := forgetDifferences(ctx, tx, h.tenant, h.id, scan); err != nil {
			return err
		}
		if _, err := tx.Exec(ctx, "DELETE FROM folders WHERE tenant = ? AND archive = ? AND scan <> ?", h.tenant, h.id, scan); err != nil {
			return err
		}
		if _, err := tx.Exec(ctx, "DELETE FROM access WHERE tenant = ? AND archive = ? AND part = ? AND scan <> 0 AND scan <> ?", h.tenant, h.id, AccessRule, scan); err != nil {
			return err
		}
		_, err := tx.Exec(ctx, `UPDATE items SET seq = numbered.n FROM (
			SELECT source_id AS sid, ROW_NUMBER() OVER (ORDER BY first_path, asset_key, version, source_id) AS n FROM (
				SELECT source_id, asset_key, version, MIN(path) OVER (PARTITION BY asset_key) AS first_path FROM items WHERE tenant = ? AND archive = ? AND scan = ?
			) AS assets
		) AS numbered WHERE items.tenant = ? AND items.archive = ? AND items.source_id = numbered.sid`, h.tenant, h.id, scan, h.tenant, h.id)
		if err != nil {
			return err
		}
		_, err = tx.Exec(ctx, "UPDATE archives SET scan = ? WHERE tenant = ? AND id = ?", scan, h.tenant, h.id)
		return err
	})
}

// Folders lists an archive's folders, parents before children.
func (h ArchiveLedger) Folders(ctx context.Context, after string, limit int) ([]Folder, string, error) {
	depth, id := -1, ""
	if d, rest, ok := strings.Cut(after, "~"); ok {
		depth, _ = strconv.Atoi(d)
		id = rest
	}
	out, err := collect(ctx, h.l.reads(), scanFolder, foldersPage, h.tenant, h.id, depth, id, limit)
	next := ""
	if err == nil && len(out) == limit {
		last := out[len(out)-1]
		next = strconv.Itoa(last.Depth) + "~" + last.SourceID
	}
	return out, next, err
}

// SetFolderCollection records a folder's collection.
func (h ArchiveLedger) SetFolderCollection(ctx context.Context, sourceID, collectionID string) error {
	_, err := h.l.exec(ctx, "UPDATE folders SET collection_id = ? WHERE tenant = ? AND archive = ? AND source_id = ?", collectionID, h.tenant, h.id, sourceID)
	return err
}

// FolderGone forgets a folder's collection, and marks its items to be put into the next one.
func (h ArchiveLedger) FolderGone(ctx context.Context, sourceID string) error {
	if err := h.SetFolderCollection(ctx, sourceID, ""); err != nil {
		return err
	}
	ids, err := collect(ctx, h.l.reads(), scanText[string], itemsOfFolder, h.tenant, h.id, sourceID)
	if err != nil {
		return err
	}
	for _, id := range ids {
		if _, err := h.UpdateItem(ctx, id, func(i *Item) { i.WrittenHash = "" }); err != nil {
			return err
		}
	}
	return nil
}

// storedItem is an item's document. The address of an open upload allows writing to the customer's storage, so it is
// stored encrypted if there is a key. A version that does not know about this starts the upload over.
type storedItem struct {
	Item
	UploadSealed string `json:"UploadSealed,omitempty"`
}

func uploadPlace(tenant, sourceID string) string { return tenant + "/upload/" + sourceID }

func encodeItem(tx session, tenant string, it Item) (document, error) {
	stored := storedItem{Item: it}
	if len(tx.keys) > 0 && strings.Contains(it.UploadID, "://") {
		var err error
		if stored.UploadSealed, err = tx.keys.Seal(uploadPlace(tenant, it.SourceID), []byte(it.UploadID)); err != nil {
			return "", err
		}
		stored.UploadID = ""
	}
	return encode(stored)
}

// scanItem reads seq and data. An upload whose address can no longer be decrypted starts over.
func (s session) scanItem(tenant string) func(scanner) (Item, error) {
	return func(r scanner) (Item, error) {
		var data document
		var seq int64
		if err := r.Scan(&seq, &data); err != nil {
			return Item{}, err
		}
		stored, err := decode[storedItem](data)
		if stored.UploadSealed != "" {
			address, _, _ := s.keys.Open(uploadPlace(tenant, stored.SourceID), stored.UploadSealed)
			stored.UploadID = string(address)
		}
		stored.Seq = seq
		return stored.Item, err
	}
}

func item(ctx context.Context, s session, tenant, archive, sourceID string) (Item, error) {
	it, err := s.scanItem(tenant)(s.Row(ctx, "SELECT seq, data FROM items WHERE tenant = ? AND archive = ? AND source_id = ?"+s.ForUpdate(), tenant, archive, sourceID))
	if errors.Is(err, sql.ErrNoRows) {
		return it, fmt.Errorf("item %s: %w", sourceID, ErrUnknown)
	}
	return it, err
}

// Item returns an item, and false if there is none.
func (h ArchiveLedger) Item(ctx context.Context, sourceID string) (Item, bool, error) {
	it, err := item(ctx, h.l.reads(), h.tenant, h.id, sourceID)
	if errors.Is(err, ErrUnknown) {
		return it, false, nil
	}
	return it, err == nil, err
}

// ItemOfAsset returns the newest version of an asset that Frame.io has, or else the newest that it had, and false if there is none.
func (h ArchiveLedger) ItemOfAsset(ctx context.Context, key string) (Item, bool, error) {
	var id string
	err := h.l.reads().Row(ctx, "SELECT source_id FROM items WHERE tenant = ? AND archive = ? AND asset_key = ? ORDER BY CASE WHEN seq > 0 THEN 0 ELSE 1 END, version DESC LIMIT 1", h.tenant, h.id, key).Scan(&id)
	if errors.Is(err, sql.ErrNoRows) {
		return Item{}, false, nil
	}
	if err != nil {
		return Item{}, false, err
	}
	return h.Item(ctx, id)
}

// UpdateItem changes an item in one transaction.
func (h ArchiveLedger) UpdateItem(ctx context.Context, sourceID string, change func(*Item)) (Item, error) {
	var it Item
	err := h.l.tx(ctx, func(tx session) error {
		var err error
		if it, err = item(ctx, tx, h.tenant, h.id, sourceID); err != nil {
			return err
		}
		change(&it)
		return putItem(ctx, tx, h.tenant, h.id, it)
	})
	return it, err
}

// Items returns the items numbered from..to.
func (h ArchiveLedger) Items(ctx context.Context, from, to int64) ([]Item, error) {
	return collect(ctx, h.l.reads(), h.l.reads().scanItem(h.tenant), itemsRange, h.tenant, h.id, max(from, 1), to)
}

// ItemsPage returns the items after a number, and the number to continue after, which is 0 at the end.
func (h ArchiveLedger) ItemsPage(ctx context.Context, after int64, limit int) ([]Item, int64, error) {
	items, err := collect(ctx, h.l.reads(), h.l.reads().scanItem(h.tenant), itemsPage, h.tenant, h.id, max(after, 0), limit)
	if err != nil || len(items) < limit {
		return items, 0, err
	}
	return items, items[len(items)-1].Seq, nil
}

// toCopy is NeedsCopying in SQL. It matches the index items_to_copy.
const toCopy = "state IN ('pending', 'copying', 'failed') OR dirty = 1"

// NeedsCopying reports whether an item's content or its fields must still be written to iconik.
func (it Item) NeedsCopying() bool {
	switch it.State {
	case Pending, Copying, ItemFailed:
		return true
	}
	return it.FieldsHash != it.WrittenHash
}

// phaseConditions select the items that each phase has work for.
var phaseConditions = map[Phase]string{
	PhaseCopy:     "(" + toCopy + ")",
	PhaseComments: "state IN ('copied', 'verified', 'skipped') AND asset_id <> '' AND comment_count <> 0",
	PhaseVerify:   "1 = 1",

	PhaseCommentsAgain: "state IN ('copied', 'verified', 'skipped') AND asset_id <> ''",
}

// rangeBytes ends a range of items to copy early, so that large files do not queue up in one lane.
const rangeBytes = 2 << 30

func nextRanges(phase Phase) string {
	return "SELECT seq, version, versions, size FROM items WHERE tenant = ? AND archive = ? AND seq > ? AND " + phaseConditions[phase] + " ORDER BY seq LIMIT ?"
}

// RangeLimits bounds ranges: Items and Bytes to copy per range (0, or more than 2 GiB, means 2 GiB), and at Most how many ranges.
type RangeLimits struct {
	Items int
	Bytes int64
	Most  int
}

func (l RangeLimits) bytes() int64 {
	if l.Bytes <= 0 || l.Bytes > rangeBytes {
		return rangeBytes
	}
	return l.Bytes
}

// NextRanges returns the next ranges after a number that a phase has work for. It never splits the versions of an asset between two
// ranges, whatever the limits.
func (h ArchiveLedger) NextRanges(ctx context.Context, phase Phase, after int64, limits RangeLimits) ([]Range, error) {
	if _, ok := phaseConditions[phase]; !ok {
		return nil, fmt.Errorf("no phase %q", phase)
	}
	return h.ranges(ctx, phase, nextRanges(phase), after, limits)
}

func (h ArchiveLedger) ranges(ctx context.Context, phase Phase, query string, after int64, limits RangeLimits) ([]Range, error) {
	rows, err := h.l.reads().Query(ctx, query, h.tenant, h.id, max(after, 0), limits.Items*limits.Most)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var out []Range
	n, volume := 0, int64(0)
	for rows.Next() {
		var seq, bytes int64
		var version, versions int
		if err := rows.Scan(&seq, &version, &versions, &bytes); err != nil {
			return nil, err
		}
		last := seq + int64(max(versions-version, 0)) // of this asset
		fits := n < limits.Items && (phase != PhaseCopy || volume+bytes <= limits.bytes())
		if len(out) > 0 && (seq <= out[len(out)-1].To || fits) {
			out[len(out)-1].To = max(out[len(out)-1].To, last)
			n, volume = n+1, volume+bytes
			continue
		}
		if len(out) == limits.Most {
			break
		}
		out = append(out, Range{From: seq, To: last})
		n, volume = 1, bytes
	}
	return out, rows.Err()
}

// ResetFailed resets the failed items of a range, so that a retry tries them again.
func (h ArchiveLedger) ResetFailed(ctx context.Context, r Range) error {
	failed := rowsOf(func(after int64) ([]Item, int64, error) {
		items, err := collect(ctx, h.l.reads(), h.l.reads().scanItem(h.tenant), "SELECT seq, data FROM items WHERE tenant = ? AND archive = ? AND seq > ? AND seq <= ? AND state = 'failed' ORDER BY seq LIMIT ?", h.tenant, h.id, max(after, r.From-1), r.To, pageRows)
		if err != nil || len(items) == 0 {
			return nil, 0, err
		}
		return items, items[len(items)-1].Seq, nil
	})
	for it, err := range failed {
		if err != nil {
			return err
		}
		if _, err := h.UpdateItem(ctx, it.SourceID, func(i *Item) {
			i.State, i.Reason, i.Fault = Pending, "", ""
			if i.UploadID != "" || i.FileID != "" {
				i.State = Copying
			}
		}); err != nil {
			return err
		}
	}
	return nil
}
