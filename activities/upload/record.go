package upload

import (
	"context"
	"errors"
	"fmt"

	"github.com/framebridge/framebridge/activities/fault"
	"github.com/framebridge/framebridge/activities/tenant"
	"github.com/framebridge/framebridge/clients/iconik"
	"github.com/framebridge/framebridge/clients/rest"
	"github.com/framebridge/framebridge/ledger"
	"github.com/framebridge/framebridge/mapping"
	"github.com/framebridge/framebridge/transfer"
)

// Record is what iconik keeps of one file: a format, the format's file set on a storage, and the file in that.
type Record struct {
	Key    string // of its links in the ledger
	Format string
	Size   int64    // bytes, -1 while unknown
	Under  []string // the storage's folders above those of the item's path
	// Still, if set, returns an error if the record is no longer this attempt's to take back: another one may have filled it.
	Still func(context.Context) error

	FormatID, FileSetID, FileID string
	made                        iconik.File // with its upload URLs, only if this call created it
}

// Once creates an object exactly once, on behalf of whoever it is for: see tenant.CreateOnce.
type Once func(context.Context, tenant.Creation) (id string, made bool, err error)

// Ensure finds or creates a version's format, file set and file.
func (a Files) Ensure(ctx context.Context, once Once, it ledger.Item, rec Record) (Record, error) {
	storage, err := a.Storage(ctx)
	if err != nil {
		return rec, err
	}
	me, err := a.Tenant.CurrentUser(ctx)
	if err != nil {
		return rec, err
	}
	files := a.Tenant.Iconik.Files
	rec.FormatID, _, err = once(ctx, tenant.Creation{Kind: ledger.LinkFormat, SourceID: rec.Key, Parent: it.AssetID, IndexLag: tenant.StoreLag,
		Find: func(ctx context.Context) (string, error) {
			have, err := files.Formats(ctx, it.AssetID, it.VersionID)
			return tenant.FirstID(have, err, func(f iconik.Format) (string, bool) { return f.ID, f.Name == rec.Format && !f.Deleted() })
		},
		Make: func(ctx context.Context) (string, error) {
			f, err := files.CreateFormat(ctx, it.AssetID, iconik.FormatRequest{Name: rec.Format, UserID: me.ID, VersionID: it.VersionID,
				StorageMethods: []string{storage.Method}, Metadata: []map[string]string{{"internet_media_type": it.MediaType}}})
			if err != nil {
				return "", err
			}
			return f.ID, nil
		},
		Discard: func(ctx context.Context, id string) error { return gone(files.DeleteFormat(ctx, it.AssetID, id)) }})
	if err != nil {
		return rec, fmt.Errorf("format: %w", err)
	}
	// The path is readable and unique. iconik makes file names unique only if the storage is configured that way
	// (add_uuid_to_filenames), and versions and neighbors may share theirs.
	dir := mapping.StorageDir(rec.Under, mapping.ParentPath(it.Path), rec.FormatID)
	// A surplus file set stays: iconik deletes a file set together with the files in its folder, which belong to the other one.
	rec.FileSetID, _, err = once(ctx, tenant.Creation{Kind: ledger.LinkFileSet, SourceID: rec.Key, Parent: it.AssetID, IndexLag: tenant.StoreLag,
		Find: func(ctx context.Context) (string, error) {
			have, err := files.FileSets(ctx, it.AssetID, it.VersionID)
			return tenant.FirstID(have, err, func(f iconik.FileSet) (string, bool) {
				return f.ID, f.FormatID == rec.FormatID && !f.Deleted()
			})
		},
		Make: func(ctx context.Context) (string, error) {
			f, err := files.CreateFileSet(ctx, it.AssetID, iconik.FileSetRequest{FormatID: rec.FormatID, StorageID: storage.ID,
				Name: it.Name, BaseDir: dir, VersionID: it.VersionID})
			if err != nil {
				return "", err
			}
			return f.ID, nil
		}})
	if err != nil {
		return rec, fmt.Errorf("file set: %w", a.onStorage(err))
	}
	rec.FileID, _, err = once(ctx, tenant.Creation{Kind: ledger.LinkFileRecord, SourceID: rec.Key, Parent: it.AssetID, IndexLag: tenant.StoreLag,
		Find: func(ctx context.Context) (string, error) {
			have, err := files.Files(ctx, it.AssetID, it.VersionID)
			return tenant.FirstID(have, err, func(f iconik.File) (string, bool) {
				return f.ID, f.FileSetID == rec.FileSetID && !f.Deleted()
			})
		},
		Make: func(ctx context.Context) (string, error) {
			f, err := files.CreateFile(ctx, it.AssetID, iconik.FileRequest{OriginalName: mapping.SafeFileName(it.Name), DirectoryPath: dir,
				Size: max(rec.Size, 0), FormatID: rec.FormatID, FileSetID: rec.FileSetID, StorageID: storage.ID, VersionID: it.VersionID})
			if err != nil {
				return "", err
			}
			rec.made = *f
			return f.ID, nil
		},
		Discard: func(ctx context.Context, id string) error { return gone(files.DeleteFile(ctx, it.AssetID, id)) }})
	if err != nil {
		return rec, fmt.Errorf("file: %w", a.onStorage(err))
	}
	return rec, nil
}

// gone returns the error of a deletion, or nil if there was nothing left to delete.
func gone(err error) error {
	if rest.IsNotFound(err) {
		return nil
	}
	return err
}

// Open finds or creates an item's record and begins its upload. If iconik gives no URL for the record, Open creates it again, once.
func (a Files) Open(ctx context.Context, once Once, it ledger.Item, rec Record) (Record, string, error) {
	for again := false; ; again = true {
		var err error
		if rec, err = a.Ensure(ctx, once, it, rec); err != nil {
			return rec, "", err
		}
		a.Remember(rec.made)
		if it.UploadID != "" {
			return rec, it.UploadID, nil
		}
		it.FileID = rec.FileID
		uploadID, err := a.Begin(ctx, it, rec.Size)
		switch {
		case again && errors.Is(err, ErrNoPartsURL):
			return rec, "", fault.Content("%v", err)
		case again, !errors.Is(err, ErrNoURL):
			return rec, uploadID, err
		}
		if rec.Still != nil {
			if err := rec.Still(ctx); err != nil {
				return rec, "", err
			}
		}
		if err := a.Drop(ctx, it, rec.Key); err != nil {
			return rec, "", err
		}
		rec.made = iconik.File{}
	}
}

// Drop deletes a file's record and its upload, if it has one. Any bytes stay until others replace them.
func (a Files) Drop(ctx context.Context, it ledger.Item, key string) error {
	link, ok, err := a.Tenant.Ledger.Link(ctx, ledger.LinkFileRecord, key)
	if err != nil || !ok || link.TargetID == "" {
		return err
	}
	if it.UploadID != "" && link.TargetID == it.FileID {
		// Best effort: the store also drops sessions that are never completed.
		if err := a.Abandon(ctx, it); err != nil {
			a.Tenant.Log.InfoContext(ctx, "could not clean up an upload session", "file", it.FileID, "error", err)
		}
	}
	if err := gone(a.Tenant.Iconik.Files.DeleteFile(ctx, it.AssetID, link.TargetID)); err != nil {
		return err
	}
	return a.Tenant.Ledger.Delete(ctx, ledger.LinkFileRecord, key)
}

// Fill uploads a body to the item's file, in parts unless it is small, and closes the file.
func (a Files) Fill(ctx context.Context, engine *transfer.Engine, it ledger.Item, body []byte) error {
	sink, err := a.Sink(ctx, it, it.Size)
	if err != nil {
		return err
	}
	res, err := engine.Copy(ctx, transfer.Job{Source: transfer.Bytes(body), Sink: sink, Size: it.Size})
	if err != nil {
		return err
	}
	_, err = a.Tenant.Iconik.Files.UpdateFile(ctx, it.AssetID, it.FileID, iconik.FilePatch{Status: "CLOSED", Checksum: "xxh64:" + res.XXH64, Size: &it.Size})
	return err
}
