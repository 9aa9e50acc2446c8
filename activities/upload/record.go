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

// Record is what iconik keeps of one file: a format, a file set of it on a storage, and the file in that.
type Record struct {
	Key    string // of its links in the ledger
	Format string
	Size   int64    // bytes, -1 while unknown
	Under  []string // folders of the storage, above those of the item's path
	// Still, where set, is an error where the record is not this attempt's to take back any more: another one may have filled it.
	Still func(context.Context) error

	FormatID, FileSetID, FileID string
	made                        iconik.File // only when this call made the file: with its upload URLs
}

// Once makes an object exactly once, in the name of whoever it is for: see tenant.CreateOnce.
type Once func(context.Context, tenant.Creation) (id string, made bool, err error)

// Ensure finds or makes format, file set and file of a version.
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
	// Readable for people, and no other's: iconik makes the names of files unique only where the storage is set so
	// (add_uuid_to_filenames), and versions and neighbours may share theirs.
	dir := mapping.StorageDir(rec.Under, mapping.ParentPath(it.Path), rec.FormatID)
	// One file set too many stays: iconik deletes a file set with the files in its folder, which are those of the other one.
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

// gone is the error of a deletion, but not where there is nothing to delete any more.
func gone(err error) error {
	if rest.IsNotFound(err) {
		return nil
	}
	return err
}

// Open finds or makes an item's record and begins its upload. A record that iconik gives no URL for is made anew, once.
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

// Drop takes a file's record, and its upload if it has one, back. The bytes, if any, stay until others replace them.
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

// Fill uploads a body, in parts where it is not small, to the item's file and closes that.
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
