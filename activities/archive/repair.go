package archive

import (
	"context"
	"fmt"
	"slices"

	"github.com/framebridge/framebridge/clients/iconik"
	"github.com/framebridge/framebridge/clients/rest"
	"github.com/framebridge/framebridge/ledger"
)

// Verification finds what people delete in iconik. It forgets the links that lead nowhere, so that a retry creates what is
// missing, and nothing else. The run that finds it does so by itself, for a number of rounds.

// missingPart says how much of an item is missing in iconik.
type missingPart int

const (
	nothingMissing missingPart = iota
	commentMissing             // of an item that exists
	fileDiffers                // the file exists, but is not what was copied
	fileMissing                // the version exists without its file
	versionMissing
	assetMissing
)

// repairable reports whether creating the part again is all there is to do.
func (l missingPart) repairable() bool { return l == commentMissing || l >= fileMissing }

// forget removes what the ledger says about an item's missing part and everything below it.
func (a *archive) forget(ctx context.Context, it ledger.Item, missing missingPart) error {
	drop := func(kind ledger.LinkKind, keys ...string) error {
		for _, key := range keys {
			if err := a.tenant.Ledger.Delete(ctx, kind, key); err != nil {
				return err
			}
		}
		return nil
	}
	forms := []string{it.SourceID, it.SourceID + ":proxy"}
	if err := drop(ledger.LinkFileRecord, forms...); err != nil {
		return err
	}
	if err := drop(ledger.LinkKeyframes, it.FileID); err != nil {
		return err
	}
	formatMissing, setMissing := missing >= versionMissing, missing >= versionMissing
	if missing == fileMissing {
		var err error
		if formatMissing, setMissing, err = a.missingWithFile(ctx, it); err != nil {
			return err
		}
	}
	if formatMissing {
		if err := drop(ledger.LinkFormat, forms...); err != nil {
			return err
		}
	}
	if setMissing {
		if err := drop(ledger.LinkFileSet, forms...); err != nil {
			return err
		}
	}
	if missing >= versionMissing {
		if err := drop(ledger.LinkVersion, it.SourceID); err != nil {
			return err
		}
		if err := a.threads().Forget(ctx, it); err != nil {
			return err
		}
	}
	if missing >= assetMissing {
		if err := drop(ledger.LinkFile, it.AssetKey, it.SourceID); err != nil {
			return err
		}
		if err := drop(ledger.LinkStack, it.AssetKey); err != nil {
			return err
		}
	}
	_, err := a.updateItem(ctx, it, func(i *ledger.Item) {
		i.UploadID, i.Checksum, i.BytesDone, i.WrittenHash = "", "", 0, ""
		if missing != fileDiffers { // the old file stays until the next one takes its place, see dropReplaced
			i.FileID = ""
		}
		if missing >= versionMissing {
			i.FormatID, i.FileSetID, i.VersionID, i.FieldsWritten, i.CommentsDone, i.CommentsScan = "", "", "", "", 0, 0
		}
		if missing >= assetMissing {
			i.AssetID = ""
		}
	})
	return err
}

// missingWithFile reports whether the format and the file set of a missing file are gone too and must be created again: iconik
// refuses files for a set that was deleted.
func (a *archive) missingWithFile(ctx context.Context, it ledger.Item) (formatMissing, setMissing bool, err error) {
	formats, err := a.iconik.Files.Formats(ctx, it.AssetID, it.VersionID)
	if err != nil && !rest.IsNotFound(err) {
		return false, false, err
	}
	sets, err := a.iconik.Files.FileSets(ctx, it.AssetID, it.VersionID)
	if err != nil && !rest.IsNotFound(err) {
		return false, false, err
	}
	active := func(status string) bool { return status == "" || status == "ACTIVE" }
	formatMissing = !slices.ContainsFunc(formats, func(f iconik.Format) bool { return f.ID == it.FormatID && active(f.Status) })
	setMissing = formatMissing || !slices.ContainsFunc(sets, func(s iconik.FileSet) bool { return s.ID == it.FileSetID && active(s.Status) })
	return formatMissing, setMissing, nil
}

// exists reports whether a collection that the ledger knows is still in iconik.
func (a *archive) exists(ctx context.Context, collection string) (bool, error) {
	c, err := a.iconik.Collections.Get(ctx, collection)
	if rest.IsNotFound(err) {
		return false, nil
	}
	return err == nil && !c.Deleted(), err
}

// dropStaleLink forgets the link of a collection above the archive's folders if somebody has deleted the collection.
func (a *archive) dropStaleLink(ctx context.Context, kind ledger.LinkKind, source string) error {
	link, known, err := a.tenant.Ledger.Link(ctx, kind, source)
	if err != nil || !known || link.TargetID == "" {
		return err
	}
	there, err := a.exists(ctx, link.TargetID)
	if err != nil || there {
		return err
	}
	return a.tenant.Ledger.Delete(ctx, kind, source)
}

// folderGone makes the next round create a folder's collection again.
func (a *archive) folderGone(ctx context.Context, f ledger.Folder) error {
	if err := a.tenant.Ledger.Delete(ctx, ledger.LinkFolder, f.SourceID); err != nil {
		return err
	}
	if err := a.ledger.FolderGone(ctx, f.SourceID); err != nil {
		return err
	}
	return fmt.Errorf("folder %q: %w", f.Path, errFolderGone)
}
