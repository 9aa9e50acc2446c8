package archive

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/framebridge/framebridge/activities/fault"
	"github.com/framebridge/framebridge/activities/tenant"
	"github.com/framebridge/framebridge/activities/upload"
	"github.com/framebridge/framebridge/clients/frameio"
	"github.com/framebridge/framebridge/clients/iconik"
	"github.com/framebridge/framebridge/clients/rest"
	"github.com/framebridge/framebridge/ledger"
	"github.com/framebridge/framebridge/mapping"
	"github.com/framebridge/framebridge/plan"
)

// formatProxy is a proxy's format in iconik: it never goes by the name of an original.
const formatProxy = "FRAMEIO_PROXY"

// ensureFile makes format, file set and file record, and for a large file the upload session.
func (a *archive) ensureFile(ctx context.Context, it ledger.Item, d plan.Decision) (ledger.Item, error) {
	rec := record{key: it.SourceID, format: tenant.FormatOriginal, size: it.Size}
	if d.Rendition == frameio.RenditionProxy {
		rec = record{key: it.SourceID + ":proxy", format: formatProxy, size: -1}
	}
	if err := a.dropReplaced(ctx, it, rec.key); err != nil {
		return it, err
	}
	row, err := a.row(ctx)
	if err != nil {
		return it, err
	}
	rec, uploadID, err := a.openUpload(ctx, row, it, rec)
	if err != nil {
		return it, err
	}
	return a.updateItem(ctx, it, func(i *ledger.Item) {
		i.State, i.Reason, i.Fault = ledger.Copying, d.Why, ""
		i.Rendition, i.UploadID = string(d.Rendition), uploadID
		i.FormatID, i.FileSetID, i.FileID = rec.formatID, rec.fileSetID, rec.fileID
	})
}

// dropReplaced takes a file out of iconik that the verification has found to be another than was copied: the next one takes its
// place.
func (a *archive) dropReplaced(ctx context.Context, it ledger.Item, key string) error {
	if it.FileID == "" {
		return nil
	}
	if _, known, err := a.tenant.Ledger.Link(ctx, ledger.LinkFileRecord, key); err != nil || known {
		return err
	}
	if err := a.iconik.Files.DeleteFile(ctx, it.AssetID, it.FileID); err != nil && !rest.IsNotFound(err) {
		return err
	}
	return nil
}

// record is what iconik keeps of one file: a format, a file set of it on a storage, and the file in that.
type record struct {
	key    string // of its links in the ledger
	format string
	size   int64 // bytes, -1 while unknown

	formatID, fileSetID, fileID string
	made                        iconik.File // only when this call made the file: with its upload URLs
}

// ensureRecord finds or makes format, file set and file of a version.
func (a *archive) ensureRecord(ctx context.Context, row ledger.Archive, it ledger.Item, rec record) (record, error) {
	storage, err := a.files().Storage(ctx)
	if err != nil {
		return rec, err
	}
	me, err := a.tenant.CurrentUser(ctx)
	if err != nil {
		return rec, err
	}
	rec.formatID, _, err = a.createOnce(ctx, tenant.Creation{Kind: ledger.LinkFormat, SourceID: rec.key, Parent: it.AssetID, IndexLag: tenant.StoreLag,
		Find: func(ctx context.Context) (string, error) {
			have, err := a.iconik.Files.Formats(ctx, it.AssetID, it.VersionID)
			return tenant.FirstID(have, err, func(f iconik.Format) (string, bool) { return f.ID, f.Name == rec.format && f.Status != "DELETED" })
		},
		Make: func(ctx context.Context) (string, error) {
			f, err := a.iconik.Files.CreateFormat(ctx, it.AssetID, iconik.FormatRequest{Name: rec.format, UserID: me.ID, VersionID: it.VersionID,
				StorageMethods: []string{storage.Method}, Metadata: []map[string]string{{"internet_media_type": it.MediaType}}})
			if err != nil {
				return "", err
			}
			return f.ID, nil
		}})
	if err != nil {
		return rec, fmt.Errorf("format: %w", err)
	}
	dir := storageDir(row, it, rec.formatID)
	rec.made = iconik.File{}
	rec.fileSetID, _, err = a.createOnce(ctx, tenant.Creation{Kind: ledger.LinkFileSet, SourceID: rec.key, Parent: it.AssetID, IndexLag: tenant.StoreLag,
		Find: func(ctx context.Context) (string, error) {
			have, err := a.iconik.Files.FileSets(ctx, it.AssetID, it.VersionID)
			return tenant.FirstID(have, err, func(f iconik.FileSet) (string, bool) {
				return f.ID, f.FormatID == rec.formatID && f.Status != "DELETED"
			})
		},
		Make: func(ctx context.Context) (string, error) {
			f, err := a.iconik.Files.CreateFileSet(ctx, it.AssetID, iconik.FileSetRequest{FormatID: rec.formatID, StorageID: storage.ID,
				Name: it.Name, BaseDir: dir, VersionID: it.VersionID})
			if err != nil {
				return "", err
			}
			return f.ID, nil
		}})
	if err != nil {
		return rec, fmt.Errorf("file set: %w", err)
	}
	rec.fileID, _, err = a.createOnce(ctx, tenant.Creation{Kind: ledger.LinkFileRecord, SourceID: rec.key, Parent: it.AssetID, IndexLag: tenant.StoreLag,
		Find: func(ctx context.Context) (string, error) {
			have, err := a.iconik.Files.Files(ctx, it.AssetID, it.VersionID)
			return tenant.FirstID(have, err, func(f iconik.File) (string, bool) {
				return f.ID, f.FileSetID == rec.fileSetID && f.Status != "DELETED"
			})
		},
		Make: func(ctx context.Context) (string, error) {
			f, err := a.iconik.Files.CreateFile(ctx, it.AssetID, iconik.FileRequest{OriginalName: mapping.SafeFileName(it.Name), DirectoryPath: dir,
				Size: max(rec.size, 0), FormatID: rec.formatID, FileSetID: rec.fileSetID, StorageID: storage.ID, VersionID: it.VersionID})
			if err != nil {
				return "", err
			}
			rec.made = *f
			return f.ID, nil
		}})
	if err != nil {
		return rec, fmt.Errorf("file: %w", err)
	}
	return rec, nil
}

// storageDir is where the storage keeps a format's file: readable for people, and no other's. iconik makes the names of
// files unique only where the storage is set so (add_uuid_to_filenames), and versions and neighbours may share theirs.
func storageDir(row ledger.Archive, it ledger.Item, formatID string) string {
	return mapping.StorageDir([]string{"Frame.io", row.TeamName, row.Name}, parentPath(it.Path), formatID)
}

func parentPath(path string) string {
	return path[:max(strings.LastIndexByte(path, '/'), 0)]
}

// dropUpload gives up an upload session together with its file record, so that a new one can be opened.
func (a *archive) dropUpload(ctx context.Context, it ledger.Item) (ledger.Item, error) {
	for _, key := range []string{it.SourceID, it.SourceID + ":proxy"} {
		if err := a.dropRecord(ctx, it, key); err != nil {
			return it, err
		}
	}
	return a.updateItem(ctx, it, func(i *ledger.Item) { i.UploadID, i.FileID, i.BytesDone, i.Checksum = "", "", 0, "" })
}

// dropRecord takes a file's record, and its upload if it has one, back. The bytes, if any, stay until others replace them.
func (a *archive) dropRecord(ctx context.Context, it ledger.Item, key string) error {
	link, ok, err := a.tenant.Ledger.Link(ctx, ledger.LinkFileRecord, key)
	if err != nil || !ok || link.TargetID == "" {
		return err
	}
	if it.UploadID != "" && link.TargetID == it.FileID {
		// Best effort: the store also drops sessions that are never completed.
		if err := a.files().Abandon(ctx, it); err != nil {
			a.log.InfoContext(ctx, "could not clean up an upload session", "file", it.FileID, "error", err)
		}
	}
	if err := a.iconik.Files.DeleteFile(ctx, it.AssetID, link.TargetID); err != nil && !rest.IsNotFound(err) {
		return err
	}
	return a.tenant.Ledger.Delete(ctx, ledger.LinkFileRecord, key)
}

// openUpload finds or makes an item's record and begins its upload. A record that iconik gives no URL for is made anew,
// once.
func (a *archive) openUpload(ctx context.Context, row ledger.Archive, it ledger.Item, rec record) (record, string, error) {
	for again := false; ; again = true {
		var err error
		if rec, err = a.ensureRecord(ctx, row, it, rec); err != nil {
			return rec, "", err
		}
		a.files().Remember(rec.made)
		if it.UploadID != "" {
			return rec, it.UploadID, nil
		}
		it.FileID = rec.fileID
		uploadID, err := a.files().Begin(ctx, it, rec.size)
		switch {
		case again && errors.Is(err, upload.ErrNoPartsURL):
			return rec, "", fault.Content("%v", err)
		case again, !errors.Is(err, upload.ErrNoURL):
			return rec, uploadID, err
		}
		if err := a.dropRecord(ctx, it, rec.key); err != nil {
			return rec, "", err
		}
	}
}
