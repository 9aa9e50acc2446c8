package ledger

import (
	"context"
	"database/sql"
	"errors"
)

// Parts of what is known about access to a place.
const (
	AccessRule    = "rule"    // who may read it
	AccessFound   = "found"   // what differs in iconik
	AccessRemoved = "removed" // who lost access in iconik
)

// Access is one part of what is known about access to a place in the project.
type Access struct {
	Source string // the Frame.io id of the place
	Part   string
	Doc    string // JSON
}

// PutAccess stores a part. A rule stored by a scan is dropped once a later scan no longer sees its place; a part stored with scan 0 stays.
func (h ArchiveLedger) PutAccess(ctx context.Context, source, part string, scan int, doc string) error {
	_, err := h.l.exec(ctx, `INSERT INTO access (tenant, archive, source, part, scan, doc) VALUES (?, ?, ?, ?, ?, ?)
		ON CONFLICT (tenant, archive, source, part) DO UPDATE SET scan = excluded.scan, doc = excluded.doc`, h.tenant, h.id, source, part, scan, doc)
	return err
}

// DropAccess deletes a part.
func (h ArchiveLedger) DropAccess(ctx context.Context, source, part string) error {
	_, err := h.l.exec(ctx, "DELETE FROM access WHERE tenant = ? AND archive = ? AND source = ? AND part = ?", h.tenant, h.id, source, part)
	return err
}

// Access lists what is known about access to an archive's places.
func (h ArchiveLedger) Access(ctx context.Context) ([]Access, error) {
	return collect(ctx, h.l.reads(), func(r scanner) (Access, error) {
		var a Access
		err := r.Scan(&a.Source, &a.Part, &a.Doc)
		return a, err
	}, "SELECT source, part, doc FROM access WHERE tenant = ? AND archive = ? ORDER BY source, part", h.tenant, h.id)
}

// SetFolderAccess records the place whose rule applies to a folder.
func (h ArchiveLedger) SetFolderAccess(ctx context.Context, folder, place string) error {
	_, err := h.l.exec(ctx, "UPDATE folders SET access = ? WHERE tenant = ? AND archive = ? AND source_id = ?", place, h.tenant, h.id, folder)
	return err
}

// FolderAccess returns the place whose rule applies to a folder, "" if it is the project's, and false if the folder is unknown.
func (h ArchiveLedger) FolderAccess(ctx context.Context, folder string) (string, bool, error) {
	var place string
	err := h.l.reads().Row(ctx, "SELECT access FROM folders WHERE tenant = ? AND archive = ? AND source_id = ?", h.tenant, h.id, folder).Scan(&place)
	if errors.Is(err, sql.ErrNoRows) {
		return "", false, nil
	}
	return place, err == nil, err
}
