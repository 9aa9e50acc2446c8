package archive

import (
	"context"
	"fmt"

	"github.com/framebridge/framebridge/activities/tenant"
	"github.com/framebridge/framebridge/activities/upload"
	"github.com/framebridge/framebridge/clients/frameio"
	"github.com/framebridge/framebridge/clients/rest"
	"github.com/framebridge/framebridge/ledger"
	"github.com/framebridge/framebridge/plan"
)

// formatProxy is a proxy's format in iconik. A proxy never uses an original's format name.
const formatProxy = "FRAMEIO_PROXY"

// ensureFile creates the format, the file set and the file record, and the upload session of a large file.
func (a *archive) ensureFile(ctx context.Context, it ledger.Item, d plan.Decision) (ledger.Item, error) {
	still := func(ctx context.Context) error { return a.notOvertaken(ctx, it) }
	rec := upload.Record{Key: it.SourceID, Format: tenant.FormatOriginal, Size: it.Size, Still: still}
	if d.Rendition == frameio.RenditionProxy {
		rec = upload.Record{Key: it.SourceID + ":proxy", Format: formatProxy, Size: -1, Still: still}
	}
	if err := a.dropReplaced(ctx, it, rec.Key); err != nil {
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
	return a.updateOwn(ctx, it, func(i *ledger.Item) {
		i.State, i.Reason, i.Fault = ledger.Copying, d.Why, ""
		i.Rendition, i.UploadID = string(d.Rendition), uploadID
		i.FormatID, i.FileSetID, i.FileID = rec.FormatID, rec.FileSetID, rec.FileID
	})
}

// updateOwn changes an item's row unless another attempt has continued with it since this one read it. An attempt that Temporal
// has given up on does not learn of that right away, and must not undo what the other one has created.
func (a *archive) updateOwn(ctx context.Context, it ledger.Item, change func(*ledger.Item)) (ledger.Item, error) {
	overtaken := false
	now, err := a.updateItem(ctx, it, func(i *ledger.Item) {
		if overtaken = isOvertaken(*i, it); !overtaken {
			change(i)
		}
	})
	if err == nil && overtaken {
		err = overtakenError(it)
	}
	return now, err
}

// notOvertaken returns an error if updateOwn would change nothing.
func (a *archive) notOvertaken(ctx context.Context, it ledger.Item) error {
	now, known, err := a.ledger.Item(ctx, it.SourceID)
	if err == nil && (!known || isOvertaken(now, it)) {
		err = overtakenError(it)
	}
	return err
}

func isOvertaken(now, it ledger.Item) bool {
	return now.State != it.State || now.FileID != it.FileID || now.UploadID != it.UploadID || now.Checksum != it.Checksum
}

func overtakenError(it ledger.Item) error {
	return fmt.Errorf("another attempt continued with %q while this one was opening it", it.Name)
}

// dropReplaced removes a file from iconik that verification has found to differ from what was copied, so that the next one can
// take its place.
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

// dropUpload gives up an upload session and its file record, so that a new one can be opened.
func (a *archive) dropUpload(ctx context.Context, it ledger.Item) (ledger.Item, error) {
	if err := a.notOvertaken(ctx, it); err != nil {
		return it, err
	}
	for _, key := range []string{it.SourceID, it.SourceID + ":proxy"} {
		if err := a.files().Drop(ctx, it, key); err != nil {
			return it, err
		}
	}
	return a.updateItem(ctx, it, func(i *ledger.Item) { i.UploadID, i.FileID, i.BytesDone, i.Checksum, i.Checkpoint = "", "", 0, "", nil })
}

// openUpload finds or creates an item's record and begins its upload.
func (a *archive) openUpload(ctx context.Context, row ledger.Archive, it ledger.Item, rec upload.Record) (upload.Record, string, error) {
	rec.Under = []string{"Frame.io", row.TeamName, row.Name}
	return a.files().Open(ctx, a.createOnce, it, rec)
}
