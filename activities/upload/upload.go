// Package upload brings a file's bytes to where iconik keeps them: it knows the storage, the session that the storage needs,
// and the sink that the transfer engine fills.
package upload

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"sync"
	"time"

	"github.com/framebridge/framebridge/activities/fault"
	"github.com/framebridge/framebridge/activities/tenant"
	"github.com/framebridge/framebridge/clients/iconik"
	"github.com/framebridge/framebridge/clients/rest"
	"github.com/framebridge/framebridge/config"
	"github.com/framebridge/framebridge/ledger"
	"github.com/framebridge/framebridge/transfer"
	"github.com/framebridge/framebridge/transfer/azure"
	"github.com/framebridge/framebridge/transfer/b2"
	"github.com/framebridge/framebridge/transfer/gcs"
	"github.com/framebridge/framebridge/transfer/s3"
)

// The kinds of iconik storage that files can be uploaded to.
const (
	storageS3    = "S3"
	storageGCS   = "GCS"
	storageAzure = "AZURE"
	storageB2    = "B2"
)

const (
	uploadURLLife = 5 * time.Minute // how long an upload URL from a file's creation is used without asking again
)

// Uploads is what a worker remembers about its uploads.
type Uploads struct {
	config  *config.Live
	objects *http.Client // no credentials: for signed URLs

	storages tenant.Memo[*iconik.Storage] // by tenant and storage ID
	fresh    sync.Map                     // file ID → *freshUpload
}

// New returns empty Uploads.
func New(cfg *config.Live, objects *http.Client) *Uploads {
	return &Uploads{config: cfg, objects: objects}
}

// Forget forgets all upload URLs.
func (u *Uploads) Forget() { u.fresh.Clear() }

// Files uploads the files of one tenant.
type Files struct {
	*Uploads
	Tenant *tenant.Tenant
}

// Of returns a tenant's Files.
func (u *Uploads) Of(t *tenant.Tenant) Files { return Files{u, t} }

type freshUpload struct {
	file iconik.File
	at   time.Time
}

// iconik need not give a record every kind of URL, nor give it again after the record was created.
var (
	ErrNoURL      = errors.New("iconik returned no upload URL")
	ErrNoPartsURL = fmt.Errorf("%w for parts", ErrNoURL)
)

// Storage returns where originals go: the configured storage, or the one that iconik picks for files.
func (a Files) Storage(ctx context.Context) (*iconik.Storage, error) {
	return a.storages.Get(ctx, a.storageKey(), func(ctx context.Context) (*iconik.Storage, error) {
		s, err := a.Tenant.Iconik.Files.FilesStorage(ctx, a.Tenant.Config.Iconik.StorageID)
		if rest.IsNotFound(err) {
			return nil, fault.Content("iconik has no storage for files: create one, or set tenants.%s.iconik.storage_id", a.Tenant.ID)
		}
		if err != nil {
			return nil, err
		}
		if s.TakesUploads() {
			return s, nil
		}
		return nil, fault.Content("iconik storage %q is of type %s, which does not accept uploads over the internet: set tenants.%s.iconik.storage_id to one on S3, GCS, Azure or B2", s.Name, s.Method, a.Tenant.ID)
	})
}

func (a Files) storageKey() string { return a.Tenant.ID + " " + a.Tenant.Config.Iconik.StorageID }

// onStorage forgets the storage if iconik refuses to put something on it: somebody may have deleted it and created another one.
func (a Files) onStorage(err error) error {
	if rest.IsRefused(err) {
		a.storages.Forget(a.storageKey())
	}
	return err
}

// Remember saves a call if the worker that created a file's record also moves the file right away. Another worker may move it,
// so a URL is kept only as long as it is useful.
func (a Files) Remember(f iconik.File) {
	if f.ID == "" || f.UploadURL == "" && f.MultipartUploadURL == "" {
		return
	}
	u := &freshUpload{f, time.Now()}
	a.fresh.Store(f.ID, u)
	time.AfterFunc(uploadURLLife, func() { a.fresh.CompareAndDelete(f.ID, u) })
}

// offersPut reports whether a remembered record can be filled by a single PUT.
func (a Files) offersPut(fileID string) bool {
	u, ok := a.fresh.Load(fileID)
	return ok && u.(*freshUpload).file.UploadURL != "" && time.Since(u.(*freshUpload).at) < uploadURLLife
}

// uploadFile returns a file's record with its upload URLs. It uses the remembered one once, and otherwise asks for a new one.
func (a Files) uploadFile(ctx context.Context, it ledger.Item, fresh bool) (iconik.File, error) {
	if u, ok := a.fresh.LoadAndDelete(it.FileID); ok && !fresh && time.Since(u.(*freshUpload).at) < uploadURLLife {
		return u.(*freshUpload).file, nil
	}
	f, err := a.Tenant.Iconik.Files.File(ctx, it.AssetID, it.FileID, iconik.FileOptions{FreshUploadURL: true})
	if err != nil {
		return iconik.File{}, fmt.Errorf("upload URL: %w", err)
	}
	if f.UploadURL == "" && f.MultipartUploadURL == "" {
		return iconik.File{}, fmt.Errorf("%w for %q at the moment", ErrNoURL, it.Name)
	}
	return *f, nil
}

// uploadPlace is uploadFile for a storage whose upload begins at the file's own URL, which Backblaze may not have to offer.
func (a Files) uploadPlace(ctx context.Context, it ledger.Item) (iconik.File, error) {
	f, err := a.uploadFile(ctx, it, false)
	if err == nil && f.UploadURL == "" {
		err = fmt.Errorf("%w for %q at the moment", ErrNoURL, it.Name)
	}
	return f, err
}

// isMultipart reports whether a file of this size, -1 for unknown, is uploaded in parts.
func (a Files) isMultipart(size int64) bool {
	return size < 0 || size > int64(a.config.Now().Transfer.PartSize)
}

// Begin opens the session that the storage needs for a file of this size, and returns its ID, or "" if it needs none.
func (a Files) Begin(ctx context.Context, it ledger.Item, size int64) (string, error) {
	storage, err := a.Storage(ctx)
	if err != nil {
		return "", err
	}
	switch {
	case storage.Method == storageGCS:
		f, err := a.uploadPlace(ctx, it)
		if err != nil {
			return "", err
		}
		session, err := gcs.Start(ctx, a.objects, f.UploadURL, it.MediaType)
		if err != nil {
			return "", fmt.Errorf("upload session: %w", err)
		}
		return session, nil
	case storage.Method == storageS3:
		return a.beginS3(ctx, it, size)
	case storage.Method == storageB2 && a.isMultipart(size):
		u, err := a.Tenant.Iconik.Files.StartB2(ctx, it.AssetID, it.FileID, "")
		if err != nil {
			return "", err
		}
		return u.ID, nil
	}
	return "", nil
}

// beginS3 opens a multipart upload for a large file, and for any file that iconik offers no single PUT for.
func (a Files) beginS3(ctx context.Context, it ledger.Item, size int64) (string, error) {
	single := !a.isMultipart(size)
	if single && a.offersPut(it.FileID) {
		return "", nil
	}
	f, err := a.uploadFile(ctx, it, false)
	if err == nil && !single && f.MultipartUploadURL == "" {
		f, err = a.uploadFile(ctx, it, true)
	}
	switch {
	case err != nil:
		return "", err
	case single && f.UploadURL != "":
		a.Remember(f)
		return "", nil
	case f.MultipartUploadURL == "":
		return "", fmt.Errorf("%w of %q", ErrNoPartsURL, it.Name)
	}
	id, err := s3.CreateMultipart(ctx, a.objects, f.MultipartUploadURL)
	if err != nil {
		return "", fmt.Errorf("upload session: %w", err)
	}
	return id, nil
}

// Sink returns where a file's bytes go, depending on the kind of iconik's storage.
func (a Files) Sink(ctx context.Context, it ledger.Item, size int64) (transfer.Sink, error) {
	storage, err := a.Storage(ctx)
	if err != nil {
		return nil, err
	}
	part := int64(a.config.Now().Transfer.PartSize)
	uploadURL := func(ctx context.Context, fresh bool) (string, error) {
		f, err := a.uploadFile(ctx, it, fresh)
		if err == nil && f.UploadURL == "" {
			err = fmt.Errorf("%w: %w for one PUT", transfer.ErrUploadGone, ErrNoURL) // a new record may have one
		}
		return f.UploadURL, err
	}
	stored := func(ctx context.Context) (int64, error) {
		f, err := a.Tenant.Iconik.Files.File(ctx, it.AssetID, it.FileID, iconik.FileOptions{})
		if err != nil || f.URL == "" {
			return -1, err
		}
		return transfer.StoredSize(ctx, a.objects, f.URL)
	}
	switch storage.Method {
	case storageGCS:
		return gcs.NewSession(gcs.Session{Client: a.objects, URL: it.UploadID, PartSize: part, Stored: stored}), nil
	case storageAzure:
		return azure.New(azure.Blob{Client: a.objects, URL: uploadURL, ContentType: it.MediaType, PartSize: part, Stored: stored}), nil
	case storageB2:
		return a.b2Sink(it, part, stored), nil
	}
	return a.s3Sink(it, storage.PresignsMD5(), size, part, uploadURL, stored), nil
}

func (a Files) s3Sink(it ledger.Item, enforcesMD5 bool, size, part int64, uploadURL func(context.Context, bool) (string, error), stored func(context.Context) (int64, error)) transfer.Sink {
	parts := 0
	if size > 0 {
		least := s3.PartSizeFor(size, part)
		parts = int((size + least - 1) / least)
	}
	s := s3.S3{
		Client: a.objects, UploadID: it.UploadID, PartSize: part, ContentType: it.MediaType, UploadURL: uploadURL, Stored: stored,
		PartURLs: func(ctx context.Context, from, to, total int) (map[int]string, error) {
			return a.Tenant.Iconik.Files.PartURLs(ctx, it.AssetID, it.FileID, it.UploadID, total, from, to)
		},
		Multipart: func(ctx context.Context) (s3.MultipartURLs, error) {
			m, err := a.Tenant.Iconik.Files.MultipartURLs(ctx, it.AssetID, it.FileID, it.UploadID, parts)
			if err != nil {
				return s3.MultipartURLs{}, err
			}
			return s3.MultipartURLs{Complete: m.CompleteURL, Abort: m.AbortURL, ListParts: m.ListPartsURL}, nil
		},
	}
	if enforcesMD5 {
		s.MD5URL = func(ctx context.Context, n int, sum [16]byte) (string, error) {
			return a.Tenant.Iconik.Files.MD5PartURL(ctx, it.AssetID, it.FileID, it.UploadID, n, sum)
		}
	}
	return s3.New(s)
}

func (a Files) b2Sink(it ledger.Item, part int64, stored func(context.Context) (int64, error)) transfer.Sink {
	whole := func(ctx context.Context) (b2.Endpoint, error) {
		f, err := a.uploadPlace(ctx, it)
		return b2.Endpoint{URL: f.UploadURL, Token: f.UploadCredentials.AuthorizationToken, Name: f.UploadFilename}, err
	}
	return b2.New(b2.Upload{
		Whole:  whole,
		Client: a.objects, LargeID: it.UploadID, ContentType: it.MediaType, PartSize: part, Stored: stored,
		Endpoint: func(ctx context.Context) (b2.Endpoint, error) {
			if it.UploadID == "" {
				return whole(ctx)
			}
			u, err := a.Tenant.Iconik.Files.StartB2(ctx, it.AssetID, it.FileID, it.UploadID)
			if err != nil {
				return b2.Endpoint{}, err
			}
			return b2.Endpoint{URL: u.URL, Token: u.Token}, nil
		},
		Finish: func(ctx context.Context, sums []string) error {
			return a.Tenant.Iconik.Files.FinishB2(ctx, it.AssetID, it.FileID, it.UploadID, sums)
		},
		Cancel: func(ctx context.Context) error {
			return a.Tenant.Iconik.Files.CancelB2(ctx, it.AssetID, it.FileID, it.UploadID)
		},
	})
}

// Abandon drops an upload session. The stores also drop sessions that are never completed.
func (a Files) Abandon(ctx context.Context, it ledger.Item) error {
	storage, err := a.Storage(ctx)
	if err != nil {
		return err
	}
	if storage.Method == storageS3 {
		return a.Tenant.Iconik.Files.CleanupMultipart(ctx, it.AssetID, it.FileID, it.UploadID)
	}
	sink, err := a.Sink(ctx, it, it.Size)
	if err != nil {
		return err
	}
	if err := sink.Abort(ctx); !errors.Is(err, transfer.ErrUploadGone) {
		return err
	}
	return nil
}
