package review

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/framebridge/framebridge/activities/fault"
	"github.com/framebridge/framebridge/clients/frameio"
	"github.com/framebridge/framebridge/clients/rest"
	"github.com/framebridge/framebridge/ledger"
	"github.com/framebridge/framebridge/mapping"
	"github.com/framebridge/framebridge/transfer"
)

func uploadToken(it ledger.ReviewAsset) string {
	return fmt.Sprintf("review/%s/upload/%d", it.Review, it.N)
}

// upload returns the file's upload, which it begins unless an earlier attempt has. The upload's URLs are stored encrypted, so
// that another worker can continue. Without a key, the upload starts over if the worker dies.
func (r *review) upload(ctx context.Context, it ledger.ReviewAsset) (up frameio.Upload, fresh bool, err error) {
	key := uploadToken(it)
	if it.FileID != "" {
		if v, ok := r.steps.uploads.Load(r.ref.Tenant + key); ok && v.(frameio.Upload).FileID == it.FileID {
			return v.(frameio.Upload), false, nil
		}
		if r.tenant.Ledger.CanKeepTokens() {
			raw, ok, err := r.tenant.Ledger.Token(ctx, key)
			if err != nil {
				return up, false, err
			}
			if ok && json.Unmarshal(raw, &up) == nil && up.FileID == it.FileID {
				return up, false, nil
			}
		}
		if err := r.dropUpload(ctx, it); err != nil {
			return up, false, err
		}
	}
	if !it.BeganUpload.IsZero() { // an upload whose answer was lost, and with it the URLs
		if err := r.dropUnknown(ctx, it); err != nil {
			return up, false, err
		}
	}
	if _, err := r.updateAsset(ctx, it.N, func(row *ledger.ReviewAsset) { row.BeganUpload = time.Now() }); err != nil {
		return up, false, err
	}
	up, err = r.frameio.BeginUpload(ctx, r.row.FolderID, frameio.NewFile{Name: it.Name, MediaType: mapping.MediaType(it.Name), Size: it.Size})
	if err != nil {
		return up, false, err
	}
	if r.tenant.Ledger.CanKeepTokens() {
		raw, err := json.Marshal(up)
		if err != nil {
			return up, false, err
		}
		if err := r.tenant.Ledger.PutToken(ctx, key, raw); err != nil {
			return up, false, err
		}
	}
	r.steps.uploads.Store(r.ref.Tenant+key, up)
	_, err = r.updateAsset(ctx, it.N, func(row *ledger.ReviewAsset) {
		row.FileID, row.MediaType, row.BeganUpload = up.FileID, up.MediaType, time.Time{}
	})
	return up, true, err
}

// dropUpload takes back what was begun of an asset's file.
func (r *review) dropUpload(ctx context.Context, it ledger.ReviewAsset) error {
	r.steps.uploads.Delete(r.ref.Tenant + uploadToken(it))
	if it.FileID != "" {
		if err := r.frameio.Delete(ctx, frameio.Asset{ID: it.FileID, Kind: frameio.KindFile}); err != nil {
			return err
		}
	}
	if err := r.tenant.Ledger.DropToken(ctx, uploadToken(it)); err != nil {
		return err
	}
	_, err := r.updateAsset(ctx, it.N, func(row *ledger.ReviewAsset) {
		if row.FileID != it.FileID {
			return // another attempt has started over
		}
		row.FileID, row.BytesDone = "", 0
		if row.State == ledger.AssetProcessing { // by an attempt that was presumed dead
			row.State = ledger.AssetUploading
		}
	})
	return err
}

// dropUnknown deletes files with this name in the review's folder that no row knows: placeholders whose answers were lost. It
// keeps what a person uploads there, and what another row may just have begun.
func (r *review) dropUnknown(ctx context.Context, it ledger.ReviewAsset) error {
	known := map[string]bool{}
	for {
		id, err := r.childNamed(ctx, r.row.FolderID, it.Name, frameio.KindFile, known)
		if err != nil || id == "" {
			return err
		}
		known[id] = true
		rows, err := r.assets(ctx) // read after the listing, so that rows include what it shows
		if err != nil {
			return err
		}
		of := false
		for _, row := range rows {
			of = of || row.FileID == id
			if row.N != it.N && row.Name == it.Name && row.FileID == "" && !row.BeganUpload.IsZero() {
				return nil
			}
		}
		if of {
			continue
		}
		f, err := r.frameio.Asset(ctx, id)
		if err != nil && !rest.IsNotFound(err) {
			return err
		}
		mine, merr := r.uploadedByUs(ctx, f)
		switch {
		case merr != nil:
			return merr
		case err == nil && f.UploadedAt.IsZero() && mine:
			if err := r.frameio.Delete(ctx, f); err != nil {
				return err
			}
		}
	}
}

// uploadedByUs reports whether our user uploads a file. It returns true if Frame.io does not tell.
func (r *review) uploadedByUs(ctx context.Context, f frameio.Asset) (bool, error) {
	if f.Uploader.ID == "" {
		return true, nil
	}
	me, err := r.frameio.Me(ctx)
	return me.ID == "" || me.Is(f.Uploader.ID, f.Uploader.Email), err
}

// sent records that a file has arrived, unless another attempt has taken its upload back in the meantime.
func (r *review) sent(ctx context.Context, it ledger.ReviewAsset, res transfer.Result) error {
	r.steps.uploads.Delete(r.ref.Tenant + uploadToken(it)) // as large as the file has parts
	row, err := r.updateAsset(ctx, it.N, func(row *ledger.ReviewAsset) {
		if row.FileID == it.FileID && row.State == ledger.AssetUploading {
			row.State, row.BytesDone, row.Checksum = ledger.AssetProcessing, res.Bytes, res.XXH64
		}
	})
	switch {
	case err != nil:
		return err
	case row.FileID != it.FileID:
		return fault.Superseded("another attempt is sending %q again", it.Title)
	}
	return r.tenant.Ledger.DropToken(ctx, uploadToken(it))
}
