// Package s3 is the sink for S3 stores reached by presigned URLs alone: one PUT for a small file, a multipart upload
// for a larger one.
package s3

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/hex"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"sync"

	"github.com/framebridge/framebridge/transfer"
)

const (
	maxParts   = 9_500 // S3 takes 10,000
	maxAnswer  = 16 << 20
	minPart    = 5 << 20
	unknownTop = 10_000 // parts for which URLs are asked while the size is unknown
)

// MultipartURLs end and list an upload. They are secrets.
type MultipartURLs struct {
	Complete, Abort string
	ListParts       []string
}

// S3 describes an upload. The functions return presigned URLs, which are secrets.
type S3 struct {
	Client   *http.Client
	UploadID string // of a multipart upload; "" for a single PUT
	// UploadURL takes the whole file; fresh asks for a new URL.
	UploadURL func(ctx context.Context, fresh bool) (string, error)
	// PartURLs returns URLs for at least the parts from..to of total.
	PartURLs func(ctx context.Context, from, to, total int) (map[int]string, error)
	// Multipart returns the URLs that end an upload; they are asked for anew each time.
	Multipart func(ctx context.Context) (MultipartURLs, error)
	// Stored returns the size of the finished object, -1 when it is not there.
	Stored      func(ctx context.Context) (int64, error)
	ContentType string
	PartSize    int64 // bytes, at least
}

// Sink implements transfer.Sink.
type Sink struct {
	s     S3
	mu    sync.Mutex
	urls  map[int]string
	total int
}

var _ transfer.Sink = (*Sink)(nil)

// New makes a sink for one upload.
func New(s S3) *Sink { return &Sink{s: s, urls: map[int]string{}} }

// PartSizeFor is the part size for a file: the least one that keeps the parts below S3's limit, in whole MiB.
func PartSizeFor(size, least int64) int64 {
	least = max(least, minPart)
	const mib = 1 << 20
	need := (size + maxParts - 1) / maxParts
	return max(least, (need+mib-1)/mib*mib)
}

// Plan implements transfer.Sink.
func (k *Sink) Plan(size int64) (transfer.Plan, error) {
	if k.s.UploadID == "" {
		if size < 0 {
			return transfer.Plan{}, errors.New("a file of unknown size needs a multipart upload")
		}
		return transfer.Plan{PartSize: max(size, 1), Parts: 1, Single: true}, nil
	}
	part := PartSizeFor(max(size, 0), k.s.PartSize)
	plan := transfer.Plan{PartSize: part}
	if size >= 0 {
		plan.Parts = int(max((size+part-1)/part, 1))
	}
	k.total = plan.Parts
	if k.total == 0 {
		k.total = unknownTop
	}
	return plan, nil
}

// Put implements transfer.Sink. A URL that is refused is replaced once.
func (k *Sink) Put(ctx context.Context, p transfer.Part) (transfer.Receipt, error) {
	for fresh := false; ; fresh = true {
		u, err := k.url(ctx, p.Number, fresh)
		if err != nil {
			return transfer.Receipt{}, err
		}
		receipt, err := k.send(ctx, u, p)
		var e *transfer.SinkError
		if err != nil && !fresh && errors.As(err, &e) && (e.Status == http.StatusForbidden || e.Status == http.StatusUnauthorized) {
			continue
		}
		return receipt, err
	}
}

func (k *Sink) url(ctx context.Context, n int, fresh bool) (string, error) {
	if k.s.UploadID == "" {
		return k.s.UploadURL(ctx, fresh)
	}
	k.mu.Lock() // one request fetches the URLs of many parts
	defer k.mu.Unlock()
	if u, ok := k.urls[n]; ok && !fresh {
		return u, nil
	}
	got, err := k.s.PartURLs(ctx, n, n, k.total)
	if err != nil {
		return "", err
	}
	for number, u := range got {
		k.urls[number] = u
	}
	u, ok := k.urls[n]
	if !ok {
		return "", &transfer.SinkError{Cause: fmt.Errorf("no upload URL for part %d", n)}
	}
	return u, nil
}

func (k *Sink) send(ctx context.Context, u string, p transfer.Part) (transfer.Receipt, error) {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	body := transfer.WatchBody(bytes.NewReader(p.Bytes), cancel)
	defer body.Stop()
	req, err := http.NewRequestWithContext(ctx, http.MethodPut, u, body)
	if err != nil {
		return transfer.Receipt{}, &transfer.SinkError{Status: http.StatusBadRequest, Cause: errors.New("the upload URL is malformed")}
	}
	req.ContentLength = int64(len(p.Bytes))
	if len(p.Bytes) == 0 {
		req.Body = http.NoBody
	}
	if k.s.UploadID == "" && k.s.ContentType != "" {
		req.Header.Set("Content-Type", k.s.ContentType)
	}
	if signs(u, "content-md5") {
		req.Header.Set("Content-MD5", base64.StdEncoding.EncodeToString(p.MD5[:]))
	}
	if len(p.Bytes) > 0 {
		req.Header.Set("Expect", "100-continue") // else an early refusal comes as a reset
	}
	resp, err := k.s.Client.Do(req)
	if err != nil {
		return transfer.Receipt{}, sinkError(ctx, err)
	}
	defer resp.Body.Close()
	if resp.StatusCode/100 != 2 {
		return transfer.Receipt{}, refused(resp)
	}
	_, _ = io.Copy(io.Discard, io.LimitReader(resp.Body, maxAnswer))
	etag := strings.Trim(resp.Header.Get("ETag"), `"`)
	if etag == "" {
		return transfer.Receipt{}, &transfer.SinkError{Cause: errors.New("the answer names no ETag")}
	}
	if sum, err := hex.DecodeString(etag); err == nil && len(sum) == 16 && resp.Header.Get("X-Amz-Server-Side-Encryption") != "aws:kms" && !bytes.Equal(sum, p.MD5[:]) {
		return transfer.Receipt{}, &transfer.SinkError{Cause: fmt.Errorf("part %d arrived with another checksum", p.Number)}
	}
	return transfer.Receipt{Number: p.Number, ETag: etag, Size: int64(len(p.Bytes))}, nil
}

// signs tells whether a presigned URL demands a header.
func signs(u, header string) bool {
	parsed, err := url.Parse(u)
	return err == nil && strings.Contains(";"+strings.ToLower(parsed.Query().Get("X-Amz-SignedHeaders"))+";", ";"+header+";")
}

func sinkError(ctx context.Context, err error) error {
	if cause := context.Cause(ctx); errors.Is(cause, transfer.ErrStalled) {
		err = cause
	}
	var u *url.Error
	if errors.As(err, &u) {
		err = u.Err
	}
	return &transfer.SinkError{Cause: err}
}

type errorAnswer struct {
	XMLName xml.Name
	Code    string `xml:"Code"`
}

// refused classifies a store's refusal.
func refused(resp *http.Response) error {
	raw, _ := io.ReadAll(io.LimitReader(resp.Body, 64<<10))
	var a errorAnswer
	_ = xml.Unmarshal(raw, &a)
	return codeError(resp.StatusCode, a.Code)
}

func codeError(status int, code string) error {
	switch {
	case code == "NoSuchUpload", status == http.StatusNotFound:
		return transfer.ErrUploadGone
	case code == "BadDigest", code == "RequestTimeout", code == "IncompleteBody":
		return &transfer.SinkError{Code: code} // damaged on the way
	}
	return &transfer.SinkError{Status: status, Code: code}
}

// Listed implements transfer.Sink.
func (k *Sink) Listed(ctx context.Context) ([]transfer.Receipt, error) {
	if k.s.UploadID == "" {
		return nil, transfer.ErrCannotList
	}
	urls, err := k.s.Multipart(ctx)
	if err != nil {
		return nil, err
	}
	if len(urls.ListParts) == 0 {
		return nil, transfer.ErrCannotList
	}
	var all []transfer.Receipt
	for _, u := range urls.ListParts {
		parts, err := k.list(ctx, u)
		if err != nil {
			return nil, err
		}
		all = append(all, parts...)
	}
	return all, nil
}

func (k *Sink) list(ctx context.Context, u string) ([]transfer.Receipt, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, u, nil)
	if err != nil {
		return nil, &transfer.SinkError{Status: http.StatusBadRequest, Cause: errors.New("the list URL is malformed")}
	}
	resp, err := k.s.Client.Do(req)
	if err != nil {
		return nil, sinkError(ctx, err)
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return nil, refused(resp)
	}
	var v struct {
		Parts []struct {
			Number int    `xml:"PartNumber"`
			ETag   string `xml:"ETag"`
			Size   int64  `xml:"Size"`
		} `xml:"Part"`
	}
	if err := xml.NewDecoder(io.LimitReader(resp.Body, maxAnswer)).Decode(&v); err != nil {
		return nil, &transfer.SinkError{Cause: errors.New("the list of parts cannot be read")}
	}
	out := make([]transfer.Receipt, len(v.Parts))
	for i, p := range v.Parts {
		out[i] = transfer.Receipt{Number: p.Number, ETag: strings.Trim(p.ETag, `"`), Size: p.Size}
	}
	return out, nil
}

type completeXML struct {
	XMLName xml.Name       `xml:"CompleteMultipartUpload"`
	Parts   []completePart `xml:"Part"`
}

type completePart struct {
	Number int    `xml:"PartNumber"`
	ETag   string `xml:"ETag"`
}

// Complete implements transfer.Sink. S3 may answer 200 and say in the body that it failed.
func (k *Sink) Complete(ctx context.Context, parts []transfer.Receipt, _ int64) error {
	urls, err := k.s.Multipart(ctx)
	if err != nil {
		return err
	}
	var body completeXML
	for _, p := range parts {
		body.Parts = append(body.Parts, completePart{p.Number, `"` + p.ETag + `"`})
	}
	encoded, err := xml.Marshal(body)
	if err != nil {
		return err
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, urls.Complete, bytes.NewReader(encoded))
	if err != nil {
		return &transfer.SinkError{Status: http.StatusBadRequest, Cause: errors.New("the complete URL is malformed")}
	}
	req.Header.Set("Content-Type", "application/xml")
	resp, err := k.s.Client.Do(req)
	if err != nil {
		return sinkError(ctx, err)
	}
	defer resp.Body.Close()
	if resp.StatusCode/100 != 2 {
		return refused(resp)
	}
	raw, err := io.ReadAll(io.LimitReader(resp.Body, 1<<20))
	if err != nil {
		return sinkError(ctx, err)
	}
	var a errorAnswer
	if xml.Unmarshal(bytes.TrimSpace(raw), &a) == nil && a.XMLName.Local == "Error" {
		if a.Code == "InternalError" || a.Code == "SlowDown" || a.Code == "ServiceUnavailable" {
			return &transfer.SinkError{Status: http.StatusInternalServerError, Code: a.Code}
		}
		return codeError(http.StatusBadRequest, a.Code)
	}
	return nil
}

// Done implements transfer.Sink.
func (k *Sink) Done(ctx context.Context, size int64) (bool, error) {
	if k.s.Stored == nil {
		return false, nil
	}
	stored, err := k.s.Stored(ctx)
	return err == nil && stored == size, err
}

// Abort implements transfer.Sink.
func (k *Sink) Abort(ctx context.Context) error {
	if k.s.UploadID == "" {
		return nil
	}
	urls, err := k.s.Multipart(ctx)
	if err != nil {
		return err
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodDelete, urls.Abort, nil)
	if err != nil {
		return &transfer.SinkError{Status: http.StatusBadRequest, Cause: errors.New("the abort URL is malformed")}
	}
	resp, err := k.s.Client.Do(req)
	if err != nil {
		return sinkError(ctx, err)
	}
	defer resp.Body.Close()
	if resp.StatusCode/100 != 2 && resp.StatusCode != http.StatusNotFound {
		return refused(resp)
	}
	return nil
}

// CreateMultipart begins an upload at a presigned CreateMultipartUpload URL and returns its id.
func CreateMultipart(ctx context.Context, client *http.Client, presigned string) (string, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, presigned, nil)
	if err != nil {
		return "", &transfer.SinkError{Status: http.StatusBadRequest, Cause: errors.New("the multipart URL is malformed")}
	}
	resp, err := client.Do(req)
	if err != nil {
		return "", sinkError(ctx, err)
	}
	defer resp.Body.Close()
	if resp.StatusCode/100 != 2 {
		return "", refused(resp)
	}
	var v struct {
		UploadID string `xml:"UploadId"`
	}
	if err := xml.NewDecoder(io.LimitReader(resp.Body, 1<<20)).Decode(&v); err != nil || v.UploadID == "" {
		return "", &transfer.SinkError{Cause: errors.New("the store's answer names no upload id")}
	}
	return v.UploadID, nil
}
