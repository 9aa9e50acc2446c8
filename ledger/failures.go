package ledger

import (
	"context"
	"strings"
	"time"
)

// Who is at fault when something failed.
const (
	FaultContent = "content" // the user can fix it
	FaultSystem  = "system"  // an operator must look
)

// FaultWord returns the word that precedes a reason and says who must act: FAILED means the user, ERROR an operator.
func FaultWord(fault string) string {
	if fault == FaultContent {
		return "FAILED"
	}
	return "ERROR"
}

// FailureKind is what failed, other than a file.
type FailureKind string

// What can fail besides files.
const (
	FailedFolder     FailureKind = "folder"          // cannot be listed in Frame.io; its contents may be unknown
	FailedStack      FailureKind = "version stack"   // its versions cannot be listed
	FailedCollection FailureKind = "collection"      // of a folder; cannot be created or changed in iconik
	FailedShare      FailureKind = "share"           // a presentation, review link or share
	FailedShares     FailureKind = "shares"          // the list of them
	FailedReferences FailureKind = "references"      // a collection in Frame.io, or the list of them
	FailedDetails    FailureKind = "project details" // what Frame.io says about the project
	FailedComparison FailureKind = "comparison"      // a collection that cannot be read back
	FailedReport     FailureKind = "report"          // cannot be stored in iconik
	FailedJob        FailureKind = "job"             // the one that people watch in iconik
)

// Failure is an object of an archive, other than a file, that could not be brought over or compared.
type Failure struct {
	Kind     FailureKind
	SourceID string // the object's id in Frame.io
	Place    string // its path or name, for people
	Fault    string // FaultContent or FaultSystem
	Reason   string // the vendor's words
	URL      string // where a person can look, or empty
	Scan     int    // the scan that met it; 0 if none did
	At       time.Time
}

const failureColumns = "kind, source_id, place, fault, reason, url, scan, at"

func scanFailure(r scanner) (Failure, error) {
	var f Failure
	var at int64
	err := r.Scan(&f.Kind, &f.SourceID, &f.Place, &f.Fault, &f.Reason, &f.URL, &f.Scan, &at)
	f.At = fromMicros(at)
	return f, err
}

// PutFailure records that an object failed, replacing its previous failure.
func (h ArchiveLedger) PutFailure(ctx context.Context, f Failure) error {
	_, err := h.l.exec(ctx, `INSERT INTO failures (tenant, archive, `+failureColumns+`) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
		ON CONFLICT (tenant, archive, kind, source_id) DO UPDATE SET place = excluded.place, fault = excluded.fault, reason = excluded.reason, url = excluded.url, scan = excluded.scan, at = excluded.at`,
		h.tenant, h.id, f.Kind, f.SourceID, f.Place, f.Fault, f.Reason, f.URL, f.Scan, micros(f.At))
	return err
}

// ClearFailures deletes the failures of a kind except those of scan but. If but is 0, it deletes them all.
func (h ArchiveLedger) ClearFailures(ctx context.Context, kind FailureKind, but int) error {
	_, err := h.l.exec(ctx, "DELETE FROM failures WHERE tenant = ? AND archive = ? AND kind = ? AND (scan = 0 OR scan <> ?)", h.tenant, h.id, kind, but)
	return err
}

// Failures lists what failed, by kind. after is the cursor that the previous page returned.
func (h ArchiveLedger) Failures(ctx context.Context, after string, limit int) ([]Failure, string, error) {
	kind, id, _ := strings.Cut(after, "~")
	out, err := collect(ctx, h.l.reads(), scanFailure, failuresPage, h.tenant, h.id, kind, id, limit)
	next := ""
	if err == nil && len(out) == limit {
		last := out[len(out)-1]
		next = string(last.Kind) + "~" + last.SourceID
	}
	return out, next, err
}

// FailureCounts counts the failures by kind.
func (h ArchiveLedger) FailureCounts(ctx context.Context) ([]KindCount, error) {
	return h.kindCounts(ctx, "failures")
}

// Failed returns an object's failure, and false if it did not fail.
func (h ArchiveLedger) Failed(ctx context.Context, kind FailureKind, sourceID string) (Failure, bool, error) {
	out, err := collect(ctx, h.l.reads(), scanFailure, "SELECT "+failureColumns+" FROM failures WHERE tenant = ? AND archive = ? AND kind = ? AND source_id = ?", h.tenant, h.id, kind, sourceID)
	if err != nil || len(out) == 0 {
		return Failure{}, false, err
	}
	return out[0], true, nil
}

// Folder returns a folder, and false when there is none.
func (h ArchiveLedger) Folder(ctx context.Context, sourceID string) (Folder, bool, error) {
	out, err := collect(ctx, h.l.reads(), scanFolder, "SELECT "+folderColumns+" FROM folders WHERE tenant = ? AND archive = ? AND source_id = ?", h.tenant, h.id, sourceID)
	if err != nil || len(out) == 0 {
		return Folder{}, false, err
	}
	return out[0], true, nil
}

// FolderUnlisted ends the listing of a folder that Frame.io refuses to list. What was already known of it counts as seen by
// the scan, so that it is not taken for an empty folder. The folders in it must still be listed.
func (h ArchiveLedger) FolderUnlisted(ctx context.Context, folderID string, scan int) error {
	return h.l.tx(ctx, func(tx session) error {
		if err := fence(ctx, tx, h.tenant, h.id, scan); err != nil {
			return err
		}
		if _, err := tx.Exec(ctx, "UPDATE folders SET listed = 1 WHERE tenant = ? AND archive = ? AND source_id = ?", h.tenant, h.id, folderID); err != nil {
			return err
		}
		if _, err := tx.Exec(ctx, "UPDATE folders SET scan = ?, listed = 0, page = '' WHERE tenant = ? AND archive = ? AND parent_id = ? AND scan <> ?", scan, h.tenant, h.id, folderID, scan); err != nil {
			return err
		}
		return keepItems(ctx, tx, h.tenant, h.id, "folder_id", folderID, scan)
	})
}

// KeepStack marks the known versions of a stack that cannot be listed, or of a file that cannot be read, as seen by the scan.
func (h ArchiveLedger) KeepStack(ctx context.Context, assetKey string, scan int) error {
	return h.l.tx(ctx, func(tx session) error {
		if err := fence(ctx, tx, h.tenant, h.id, scan); err != nil {
			return err
		}
		return keepItems(ctx, tx, h.tenant, h.id, "asset_key", assetKey, scan)
	})
}

// keepItems marks the items with a value in a column as seen by a scan, if the last scan saw them.
func keepItems(ctx context.Context, tx session, tenant, archive, column, value string, scan int) error {
	ids, err := collect(ctx, tx, scanText[string], "SELECT source_id FROM items WHERE tenant = ? AND archive = ? AND "+column+" = ? AND seq > 0 AND scan <> ?", tenant, archive, value, scan)
	if err != nil {
		return err
	}
	for _, id := range ids {
		it, err := item(ctx, tx, tenant, archive, id)
		if err != nil {
			return err
		}
		it.Scan = scan
		if err := putItem(ctx, tx, tenant, archive, it); err != nil {
			return err
		}
	}
	return nil
}

// FolderDeleted removes from a scan a folder that Frame.io no longer has, and the items that the scan saw in it.
func (h ArchiveLedger) FolderDeleted(ctx context.Context, folderID string, scan int) error {
	return h.l.tx(ctx, func(tx session) error {
		if err := fence(ctx, tx, h.tenant, h.id, scan); err != nil {
			return err
		}
		if _, err := tx.Exec(ctx, "DELETE FROM folders WHERE tenant = ? AND archive = ? AND source_id = ?", h.tenant, h.id, folderID); err != nil {
			return err
		}
		_, err := tx.Exec(ctx, "UPDATE items SET scan = 0 WHERE tenant = ? AND archive = ? AND folder_id = ? AND scan = ?", h.tenant, h.id, folderID, scan)
		return err
	})
}
