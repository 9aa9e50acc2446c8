package iconik

import (
	"cmp"
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"github.com/framebridge/framebridge/clients/rest"
)

// Storage is where files are kept.
type Storage struct {
	ID       string          `json:"id"`
	Name     string          `json:"name"`
	Method   string          `json:"method"` // S3, GCS, AZURE, B2, FILE, …
	Purpose  string          `json:"purpose"`
	Status   string          `json:"status"`
	Settings json.RawMessage `json:"settings"`
}

// PresignsMD5 reports whether the storage's part URLs require the part's MD5.
func (s *Storage) PresignsMD5() bool {
	var v struct {
		PresignMD5 bool `json:"presign_md5_checksum"`
	}
	return json.Unmarshal(s.Settings, &v) == nil && v.PresignMD5
}

// TakesUploads reports whether the storage accepts originals over the internet.
func (s *Storage) TakesUploads() bool {
	switch s.Method {
	case "S3", "GCS", "AZURE", "B2":
		return true
	}
	return false
}

// FilesStorage returns where originals go: the storage with the ID, or the one that iconik picks for files if id is empty.
func (s *FilesService) FilesStorage(ctx context.Context, id string) (*Storage, error) {
	if id != "" {
		return s.Storage(ctx, id)
	}
	return s.MatchingStorage(ctx, "FILES")
}

// MatchingStorage wraps GET files/v1/storages/matching/{purpose}/. It returns NotFound if there is none.
func (s *FilesService) MatchingStorage(ctx context.Context, purpose string) (*Storage, error) {
	var st Storage
	if err := s.c.get(ctx, "matching storage", path("files/v1/storages/matching", purpose), nil, &st); err != nil {
		return nil, err
	}
	return &st, nil
}

// Storage wraps GET files/v1/storages/{id}/.
func (s *FilesService) Storage(ctx context.Context, id string) (*Storage, error) {
	var st Storage
	if err := s.c.get(ctx, "get storage", path("files/v1/storages", id), nil, &st); err != nil {
		return nil, err
	}
	return &st, nil
}

// Format is a technical form of a version: ORIGINAL and others.
type Format struct {
	ID         string      `json:"id"`
	Name       string      `json:"name"`
	Status     string      `json:"status"`
	VersionID  string      `json:"version_id"`
	Components []Component `json:"components"`
}

// Component is a track that iconik has found in a format. The names in Metadata are mediainfo's in lower case.
type Component struct {
	Type     string         `json:"type"` // VIDEO, AUDIO, GENERAL and others
	Metadata map[string]any `json:"metadata"`
}

// FormatRequest is the body of CreateFormat.
type FormatRequest struct {
	Name           string              `json:"name"`
	UserID         string              `json:"user_id,omitempty"`
	VersionID      string              `json:"version_id,omitempty"`
	StorageMethods []string            `json:"storage_methods,omitempty"`
	Metadata       []map[string]string `json:"metadata,omitempty"`
}

// CreateFormat wraps POST files/v1/assets/{id}/formats/.
func (s *FilesService) CreateFormat(ctx context.Context, assetID string, req FormatRequest) (*Format, error) {
	var f Format
	err := s.c.post(ctx, "create format", path("files/v1/assets", assetID, "formats"), nil, req, &f)
	return made(&f, f.ID, "create format", err)
}

// DeleteFormat wraps DELETE files/v1/assets/{id}/formats/{format}/.
func (s *FilesService) DeleteFormat(ctx context.Context, assetID, formatID string) error {
	return s.c.delete(ctx, "delete format", path("files/v1/assets", assetID, "formats", formatID), nil, nil)
}

// Formats wraps GET files/v1/assets/{id}/versions/{version}/formats/, all pages.
func (s *FilesService) Formats(ctx context.Context, assetID, versionID string) ([]Format, error) {
	return byLastID(ctx, s.c, "list formats", path("files/v1/assets", assetID, "versions", versionID, "formats"), nil, func(f Format) string { return f.ID })
}

// FileSet is a format's files on one storage.
type FileSet struct {
	ID        string `json:"id"`
	FormatID  string `json:"format_id"`
	StorageID string `json:"storage_id"`
	Status    string `json:"status"`
}

// FileSetRequest is the body of CreateFileSet.
type FileSetRequest struct {
	FormatID     string   `json:"format_id"`
	StorageID    string   `json:"storage_id"`
	Name         string   `json:"name"`
	BaseDir      string   `json:"base_dir"`
	ComponentIDs []string `json:"component_ids"`
	VersionID    string   `json:"version_id,omitempty"`
}

// CreateFileSet wraps POST files/v1/assets/{id}/file_sets/.
func (s *FilesService) CreateFileSet(ctx context.Context, assetID string, req FileSetRequest) (*FileSet, error) {
	if req.ComponentIDs == nil {
		req.ComponentIDs = []string{}
	}
	var f FileSet
	err := s.c.post(ctx, "create file set", path("files/v1/assets", assetID, "file_sets"), nil, req, &f)
	return made(&f, f.ID, "create file set", err)
}

// FileSets wraps GET files/v1/assets/{id}/versions/{version}/file_sets/, all pages.
func (s *FilesService) FileSets(ctx context.Context, assetID, versionID string) ([]FileSet, error) {
	return byLastID(ctx, s.c, "list file sets", path("files/v1/assets", assetID, "versions", versionID, "file_sets"), nil, func(f FileSet) string { return f.ID })
}

// File is a file's record. Its URLs are secrets.
type File struct {
	ID                 string `json:"id"`
	Name               string `json:"name"`
	OriginalName       string `json:"original_name"`
	Status             string `json:"status"` // OPEN, CLOSED, …
	Size               int64  `json:"size"`
	Checksum           string `json:"checksum"`
	StorageID          string `json:"storage_id"`
	FormatID           string `json:"format_id"`
	FileSetID          string `json:"file_set_id"`
	VersionID          string `json:"version_id"`
	StorageMethod      string `json:"storage_method"`
	UploadURL          string `json:"upload_url"`
	UploadMethod       string `json:"upload_method"`
	UploadFilename     string `json:"upload_filename"`
	MultipartUploadURL string `json:"multipart_upload_url"`
	UploadCredentials  struct {
		AuthorizationToken string `json:"authorizationToken"`
	} `json:"upload_credentials"` // for B2; a secret
	URL     string `json:"url"`
	Created Time   `json:"date_created"`

	FileSetStatus string `json:"file_set_status"` // of what contains it; see Deleted
	FormatStatus  string `json:"format_status"`
}

// FileRequest is the body of CreateFile.
type FileRequest struct {
	OriginalName  string `json:"original_name"`
	DirectoryPath string `json:"directory_path"`
	Size          int64  `json:"size"` // bytes
	Type          string `json:"type"`
	FormatID      string `json:"format_id"`
	FileSetID     string `json:"file_set_id"`
	StorageID     string `json:"storage_id"`
	VersionID     string `json:"version_id,omitempty"`
	Checksum      string `json:"checksum,omitempty"`
}

// CreateFile wraps POST files/v1/assets/{id}/files/. The response contains the upload URLs.
func (s *FilesService) CreateFile(ctx context.Context, assetID string, req FileRequest) (*File, error) {
	if req.Type == "" {
		req.Type = "FILE"
	}
	var f File
	err := s.c.post(ctx, "create file", path("files/v1/assets", assetID, "files"), nil, req, &f)
	return made(&f, f.ID, "create file", err)
}

// FileOptions says how a file is read.
type FileOptions struct {
	FreshUploadURL bool // with new upload URLs
}

// File wraps GET files/v1/assets/{id}/files/{file}/.
func (s *FilesService) File(ctx context.Context, assetID, fileID string, o FileOptions) (*File, error) {
	q := url.Values{}
	if o.FreshUploadURL {
		q.Set("generate_signed_post_url", "true")
	}
	var f File
	if err := s.c.get(ctx, "get file", path("files/v1/assets", assetID, "files", fileID), q, &f); err != nil {
		return nil, err
	}
	return &f, nil
}

// Files wraps GET files/v1/assets/{id}/versions/{version}/files/, all pages, without download URLs.
func (s *FilesService) Files(ctx context.Context, assetID, versionID string) ([]File, error) {
	return s.files(ctx, assetID, versionID, false)
}

// SignedFiles is Files with a download URL in each row, if the storage can provide one.
func (s *FilesService) SignedFiles(ctx context.Context, assetID, versionID string) ([]File, error) {
	return s.files(ctx, assetID, versionID, true)
}

func (s *FilesService) files(ctx context.Context, assetID, versionID string, signed bool) ([]File, error) {
	q := url.Values{"generate_signed_url": {strconv.FormatBool(signed)}}
	return byLastID(ctx, s.c, "list files", path("files/v1/assets", assetID, "versions", versionID, "files"), q, func(f File) string { return f.ID })
}

// Proxy is a version's copy for players. URL is a secret.
type Proxy struct {
	ID        string `json:"id"`
	Name      string `json:"name"`
	Filename  string `json:"filename"`
	Status    string `json:"status"`
	VersionID string `json:"version_id"`
	Size      int64  `json:"size"`
	URL       string `json:"url"`
	FrameRate string `json:"frame_rate"` // such as 23.98
}

// Proxies wraps GET files/v1/assets/{id}/versions/{version}/proxies/ with download URLs, all pages.
func (s *FilesService) Proxies(ctx context.Context, assetID, versionID string) ([]Proxy, error) {
	q := url.Values{"generate_signed_url": {"true"}, "content_disposition": {"attachment"}}
	return byLastID(ctx, s.c, "list proxies", path("files/v1/assets", assetID, "versions", versionID, "proxies"), q, func(p Proxy) string { return p.ID })
}

// FilePatch changes the fields that are set.
type FilePatch struct {
	Status            string `json:"status,omitempty"`
	Checksum          string `json:"checksum,omitempty"`
	Size              *int64 `json:"size,omitempty"`
	ProgressProcessed *int   `json:"progress_processed,omitempty"`
}

// UpdateFile wraps PATCH files/v1/assets/{id}/files/{file}/. Status CLOSED means that the bytes are complete.
func (s *FilesService) UpdateFile(ctx context.Context, assetID, fileID string, p FilePatch) (*File, error) {
	if p.Status == "CLOSED" {
		all := 100
		p.ProgressProcessed = &all
	}
	var f File
	if err := s.c.patch(ctx, "update file", path("files/v1/assets", assetID, "files", fileID), nil, p, &f); err != nil {
		return nil, err
	}
	return &f, nil
}

// DeleteFile wraps DELETE files/v1/assets/{id}/files/{file}/. It deletes the record, not the bytes.
func (s *FilesService) DeleteFile(ctx context.Context, assetID, fileID string) error {
	return s.c.delete(ctx, "delete file", path("files/v1/assets", assetID, "files", fileID), nil, nil)
}

// PartURL is where one part of a multipart upload goes. URL is a secret.
type PartURL struct {
	Number int    `json:"number"`
	URL    string `json:"url"`
}

// PartURLs wraps GET files/v1/assets/{id}/files/{file}/multipart_url/part/. It returns the URLs of parts from..to, and any
// others that came with them. parts is the total number of parts. iconik may return fewer at once than requested.
func (s *FilesService) PartURLs(ctx context.Context, assetID, fileID, uploadID string, parts, from, to int) (map[int]string, error) {
	urls := map[int]string{}
	size := perPage
	for next := from; next <= to; {
		page := (next-1)/size + 1
		q := url.Values{"upload_id": {uploadID}, "parts_num": {strconv.Itoa(parts)}, "page": {strconv.Itoa(page)}, "per_page": {strconv.Itoa(size)}}
		var e envelope[PartURL]
		if err := s.c.get(ctx, "part URLs", path("files/v1/assets", assetID, "files", fileID, "multipart_url", "part"), q, &e); err != nil {
			return nil, err
		}
		for _, p := range e.Objects {
			urls[p.Number] = p.URL
		}
		switch n := len(e.Objects); {
		case n == 0:
			return urls, nil
		case n < min(size, parts-(page-1)*size): // the page is smaller than requested: count pages by its size
			size = n
		case urls[next] == "":
			return urls, nil
		}
		for next <= to && urls[next] != "" {
			next++
		}
	}
	return urls, nil
}

// MultipartURLs are the URLs that end a multipart upload. They are secrets.
type MultipartURLs struct {
	CompleteURL  string   `json:"complete_url"`
	AbortURL     string   `json:"abort_url"`
	ListPartsURL []string `json:"list_parts_url"`
}

// MultipartURLs wraps GET files/v1/assets/{id}/files/{file}/multipart_url/. If parts is known, the response covers all pages of
// the list of parts. Known clients ask for one kind of URL per call. Which kinds come without that is not documented, so
// MultipartURLs asks for missing ones by name.
func (s *FilesService) MultipartURLs(ctx context.Context, assetID, fileID, uploadID string, parts int) (*MultipartURLs, error) {
	q := url.Values{"upload_id": {uploadID}}
	if parts > 0 {
		q.Set("max_part_number", strconv.Itoa(parts))
	}
	var m MultipartURLs
	ask := func(q url.Values) error { // adds what the response has
		return s.c.get(ctx, "multipart URLs", path("files/v1/assets", assetID, "files", fileID, "multipart_url"), q, &m)
	}
	err := ask(q)
	for _, kind := range []struct {
		name    string
		missing func() bool
	}{
		{"complete_url", func() bool { return m.CompleteURL == "" }},
		{"abort_url", func() bool { return m.AbortURL == "" }},
		{"list_parts_url", func() bool { return len(m.ListPartsURL) == 0 }},
	} {
		if err != nil && rest.ClassOf(err) != rest.Permanent {
			return nil, err
		}
		if kind.missing() {
			err = ask(with(q, "type", kind.name))
		}
	}
	if err != nil && (m.CompleteURL == "" || rest.ClassOf(err) != rest.Permanent) {
		return nil, err
	}
	return &m, nil
}

// CleanupMultipart wraps POST files/v1/assets/{id}/files/{file}/multipart/cleanup/. It aborts the upload.
func (s *FilesService) CleanupMultipart(ctx context.Context, assetID, fileID, uploadID string) error {
	body := map[string]any{"upload_id": uploadID, "abort_upload": true}
	return s.c.post(ctx, "clean up upload", path("files/v1/assets", assetID, "files", fileID, "multipart", "cleanup"), nil, body, nil)
}

// CreateKeyframes wraps POST files/v1/assets/{id}/files/{file}/keyframes/, which creates keyframes and a proxy. The job is ""
// if the storage's pattern excludes the file (204).
func (s *FilesService) CreateKeyframes(ctx context.Context, assetID, fileID string) (string, error) {
	var out struct {
		JobID string `json:"job_id"`
	}
	err := s.c.post(ctx, "create keyframes", path("files/v1/assets", assetID, "files", fileID, "keyframes"), nil, map[string]any{}, &out)
	return out.JobID, err
}

// Bulk is how many objects one bulk call accepts.
const Bulk = 500

// CreateKeyframesOf wraps POST files/v1/assets/bulk/keyframes/, which creates keyframes and a proxy for the named format of
// each asset: at most Bulk assets, all or none. Its response is not documented.
func (s *FilesService) CreateKeyframesOf(ctx context.Context, assetIDs []string, format string) error {
	return s.c.post(ctx, "create keyframes of assets", path("files/v1/assets/bulk/keyframes"), nil,
		map[string]any{"object_ids": assetIDs, "object_type": "assets", "format_name": format}, nil)
}

// MD5PartURL wraps POST files/v1/assets/{id}/files/{file}/multipart_url/s3/part/, for storages that enforce a part's MD5, which
// the URL signs. The URL is a secret.
func (s *FilesService) MD5PartURL(ctx context.Context, assetID, fileID, uploadID string, part int, sum [16]byte) (string, error) {
	body := map[string]any{"upload_id": uploadID, "parts": []map[string]any{{"part_number": part, "checksum": base64.StdEncoding.EncodeToString(sum[:])}}}
	var out struct {
		Parts []struct {
			Number int    `json:"part_number"`
			URL    string `json:"url"`
		} `json:"parts"`
	}
	_, err := s.c.rest.Do(ctx, rest.Request{Operation: "MD5 part URL", Method: http.MethodPost, Path: path("files/v1/assets", assetID, "files", fileID, "multipart_url", "s3", "part"),
		Body: body, Idempotent: true}, &out)
	if err != nil {
		return "", err
	}
	for _, p := range out.Parts {
		if p.Number == part && p.URL != "" {
			return p.URL, nil
		}
	}
	return "", &rest.Error{Vendor: "iconik", Operation: "MD5 part URL", Class: rest.Retryable, Detail: "the response has no URL for the part"}
}

// B2Upload is a large file being uploaded to Backblaze, with an endpoint for one stream of its parts. All but the ID are secrets.
type B2Upload struct {
	ID    string `json:"upload_file_id"`
	URL   string `json:"upload_url"`
	Token string `json:"authorization_token"`
}

// StartB2 wraps POST files/v1/assets/{id}/files/{file}/multipart/b2/start/. With an upload's ID, it returns another endpoint for
// its parts, and the response need not repeat the ID. iconik passes on Backblaze's errors in a response with status 200.
func (s *FilesService) StartB2(ctx context.Context, assetID, fileID, uploadID string) (*B2Upload, error) {
	body := map[string]any{}
	if uploadID != "" {
		body["upload_file_id"] = uploadID
	}
	var u struct {
		B2Upload
		Error string `json:"error"`
		Code  string `json:"error_code"`
	}
	const op = "start B2 upload"
	err := s.c.post(ctx, op, path("files/v1/assets", assetID, "files", fileID, "multipart", "b2", "start"), nil, body, &u)
	if err == nil && (u.Error != "" || uploadID != "" && u.URL == "") {
		e := &rest.Error{Vendor: "iconik", Operation: op, Status: http.StatusOK, Class: rest.Retryable, Detail: "Backblaze gives no place to upload to"}
		if why := strings.TrimSpace(u.Code + " " + u.Error); why != "" {
			e.Cause = errors.New(why) // it is scrubbed wherever it is shown
		}
		err = e
	}
	u.ID = cmp.Or(u.ID, uploadID)
	return made(&u.B2Upload, u.ID, op, err)
}

// FinishB2 wraps POST files/v1/assets/{id}/files/{file}/multipart/b2/finish/. The SHA-1 sums are in the order of the parts.
func (s *FilesService) FinishB2(ctx context.Context, assetID, fileID, uploadID string, sums []string) error {
	body := map[string]any{"upload_file_id": uploadID, "sha1_list": sums}
	return s.c.post(ctx, "finish B2 upload", path("files/v1/assets", assetID, "files", fileID, "multipart", "b2", "finish"), nil, body, nil)
}

// CancelB2 wraps POST files/v1/assets/{id}/files/{file}/multipart/b2/cancel/.
func (s *FilesService) CancelB2(ctx context.Context, assetID, fileID, uploadID string) error {
	return s.c.post(ctx, "cancel B2 upload", path("files/v1/assets", assetID, "files", fileID, "multipart", "b2", "cancel"), nil, map[string]any{"upload_file_id": uploadID}, nil)
}
