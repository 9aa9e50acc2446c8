package comparing

import (
	"context"
	"fmt"
	"net/http"

	"github.com/framebridge/framebridge/clients/iconik"
	"github.com/framebridge/framebridge/ledger"
	"github.com/framebridge/framebridge/transfer"
)

// HasBytes reports whether iconik has a file's bytes. Those that its own archive has taken can only be read after a restore.
func HasBytes(f iconik.File) bool { return f.Status == "CLOSED" || f.Status == fileArchived }

const fileArchived = "ARCHIVED"

// Content compares a file with what was copied.
func Content(ctx context.Context, objects *http.Client, client *iconik.Client, it ledger.Item, f iconik.File) (string, error) {
	switch {
	case !HasBytes(f):
		return "differ: the file is " + f.Status + " in iconik", nil
	case f.Size != it.StoredSize:
		return fmt.Sprintf("differ: %d bytes in iconik, %d bytes copied", f.Size, it.StoredSize), nil
	case it.Rendition == "original" && it.StoredSize != it.Size:
		return fmt.Sprintf("differ: %d bytes copied, %d bytes in Frame.io", it.StoredSize, it.Size), nil
	case f.Checksum != Checksum(it):
		return "differ: iconik's checksum does not match the copy", nil
	case it.Rendition == "original" && it.SourceChecksum != "" && it.SourceChecksum != it.Checksum:
		return "differ: the copy's checksum does not match Frame.io's", nil
	}
	if f.URL == "" || f.Status == fileArchived {
		return "", nil // the storage gives no URL to check the object itself
	}
	size, err := transfer.StoredSize(ctx, objects, f.URL)
	if transfer.URLRefused(err) { // the listing's URL has expired
		again, ferr := client.Files.File(ctx, it.AssetID, f.ID, iconik.FileOptions{})
		if ferr != nil {
			return "", ferr
		}
		size, err = transfer.StoredSize(ctx, objects, again.URL)
	}
	if err != nil {
		return "", err
	}
	if size < 0 {
		return "missing: the storage does not have the file's object (404)", nil
	}
	if size != it.StoredSize {
		return fmt.Sprintf("differ: %d bytes in the storage, %d bytes copied", size, it.StoredSize), nil
	}
	return "", nil
}

// Checksum returns the checksum of the bytes that the archive stored, in iconik's form, or "" if there is none.
func Checksum(it ledger.Item) string {
	if it.Checksum == "" {
		return ""
	}
	return "xxh64:" + it.Checksum
}
