package ledger

import (
	"context"
	"database/sql"
	"errors"
)

// Parts of what is known of access to a place.
const (
	AccessRule    = "rule"    // who may read it
	AccessFound   = "found"   // what differs in iconik
	AccessRemoved = "removed" // who lost access in iconik
)

// Access is what is known of the access to one place of the project, by part.
type Access struct {
	Source string // the Frame.io id of the place
	Part   string
	Doc    string // JSON
}

// PutAccess writes a part down. What a scan put goes when a later one does not see its place any more; what is put under 0 stays.
func (h ArchiveLedger) PutAccess(ctx context.Context, source, part string, scan int, doc string) error {
	_, err := h.l.exec(ctx, `INSERT INTO access (tenant, archive, source, part, scan, doc) VALUES (?, ?, ?, ?, ?, ?)
		ON CONFLICT (tenant, archive, source, part) DO UPDATE SET scan = excluded.scan, doc = excluded.doc`, h.tenant, h.id, source, part, scan, doc)
	return err
}

// DropAccess takes a part back.
func (h ArchiveLedger) DropAccess(ctx context.Context, source, part string) error {
	_, err := h.l.exec(ctx, "DELETE FROM access WHERE tenant = ? AND archive = ? AND source = ? AND part = ?", h.tenant, h.id, source, part)
	return err
}

// Access lists what is known of the access to an archive's places.
func (h ArchiveLedger) Access(ctx context.Context) ([]Access, error) {
	return collect(ctx, h.l.reads(), func(r scanner) (Access, error) {
		var a Access
		err := r.Scan(&a.Source, &a.Part, &a.Doc)
		return a, err
	}, "SELECT source, part, doc FROM access WHERE tenant = ? AND archive = ? ORDER BY source, part", h.tenant, h.id)
}

// SetFolderAccess names the place whose rule holds for a folder.
func (h ArchiveLedger) SetFolderAccess(ctx context.Context, folder, place string) error {
	_, err := h.l.exec(ctx, "UPDATE folders SET access = ? WHERE tenant = ? AND archive = ? AND source_id = ?", place, h.tenant, h.id, folder)
	return err
}

// FolderAccess is the place whose rule holds for a folder, "" for the project's, and false where the folder is not known.
func (h ArchiveLedger) FolderAccess(ctx context.Context, folder string) (string, bool, error) {
	var place string
	err := h.l.reads().Row(ctx, "SELECT access FROM folders WHERE tenant = ? AND archive = ? AND source_id = ?", h.tenant, h.id, folder).Scan(&place)
	if errors.Is(err, sql.ErrNoRows) {
		return "", false, nil
	}
	return place, err == nil, err
}
