// Package s3 is the sink for S3 stores through presigned URLs alone: one PUT for a small file, a multipart upload for a
// larger one.
package s3

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/binary"
	"encoding/xml"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"

	"github.com/framebridge/framebridge/transfer"
)

const (
	maxParts   = 9_500 // S3 takes 10,000
	minPart    = 5 << 20
	unknownTop = 10_000 // parts to ask URLs for while the size is unknown

	partLost = "InvalidPart" // a part to be completed is missing or different
)

// What a store's answer says about a part besides that it is stored.
const (
	answersUnknown int32 = iota
	answersETag          // its MD5, or nothing to compare
	answersCRC64
)

// MultipartURLs are the URLs that end or list an upload. They are secrets.
type MultipartURLs struct {
	Complete, Abort string
	ListParts       []string
}

// S3 describes an upload. The functions return presigned URLs, which are secrets.
type S3 struct {
	Client   *http.Client
	UploadID string // of a multipart upload; "" for a single PUT
	// UploadURL returns the URL for the whole file. fresh asks for a new one.
	UploadURL func(ctx context.Context, fresh bool) (string, error)
	// PartURLs returns URLs for at least the parts from..to of total.
	PartURLs func(ctx context.Context, from, to, total int) (map[int]string, error)
	// MD5URL returns a URL that signs the part's MD5. It replaces PartURLs if the storage requires that.
	MD5URL func(ctx context.Context, part int, sum [16]byte) (string, error)
	// Multipart returns the URLs that end or list an upload. It is called each time they are needed.
	Multipart func(ctx context.Context) (MultipartURLs, error)
	// Stored returns the size of the finished object, or -1 if there is none.
	Stored      func(ctx context.Context) (int64, error)
	ContentType string
	PartSize    int64 // minimum, in bytes
}

// Sink implements transfer.Sink.
type Sink struct {
	s     S3
	mu    sync.Mutex
	urls  map[int]string
	total int

	answers atomic.Int32 // what the store is known to say about a part
	etags   transfer.ETags
}

var _ transfer.Sink = (*Sink)(nil)

// New returns a sink for one upload.
func New(s S3) *Sink { return &Sink{s: s, urls: map[int]string{}} }

// PartSizeFor returns the part size for a file: least, or in whole MiB the smallest that keeps within S3's number of parts.
func PartSizeFor(size, least int64) int64 {
	return transfer.PartSizeFor(size, max(least, minPart), maxParts)
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

// Put implements transfer.Sink. It replaces a refused URL once.
func (k *Sink) Put(ctx context.Context, p *transfer.Part) (transfer.Receipt, error) {
	for refused := ""; ; {
		u, err := k.url(ctx, p, refused)
		if err != nil {
			return transfer.Receipt{}, err
		}
		receipt, err := k.send(ctx, u, p)
		if refused == "" && transfer.EndedURL(err) {
			refused = u
			continue
		}
		return receipt, err
	}
}

// url returns a part's URL, other than the refused one.
func (k *Sink) url(ctx context.Context, p *transfer.Part, refused string) (string, error) {
	switch {
	case k.s.UploadID == "":
		return k.s.UploadURL(ctx, refused != "")
	case k.s.MD5URL != nil: // the URL signs the part's MD5, so the part must be complete first
		sums, err := p.Sums()
		if err != nil {
			return "", err
		}
		return k.s.MD5URL(ctx, p.Number, sums.MD5)
	}
	k.mu.Lock() // one request fetches the URLs of many parts, even if all of them are refused at once
	defer k.mu.Unlock()
	if u, ok := k.urls[p.Number]; ok && u != refused {
		return u, nil
	}
	got, err := k.s.PartURLs(ctx, p.Number, p.Number, k.total)
	if err != nil {
		return "", err
	}
	for number, u := range got {
		k.urls[number] = u
	}
	u, ok := k.urls[p.Number]
	if !ok {
		return "", &transfer.SinkError{Cause: fmt.Errorf("no upload URL for part %d", p.Number)}
	}
	return u, nil
}

// Wants implements transfer.Sink. It wants MD5, which is a part's ETag, until the store has shown that it answers with
// CRC64NVME, which costs a sixtieth of it.
func (k *Sink) Wants() transfer.Hash {
	switch {
	case k.answers.Load() == answersCRC64:
		return transfer.CRC64NVME
	case k.s.UploadID == "", k.s.MD5URL != nil, k.answers.Load() == answersETag:
		return transfer.MD5
	}
	return transfer.MD5 | transfer.CRC64NVME
}

func (k *Sink) send(ctx context.Context, u string, p *transfer.Part) (transfer.Receipt, error) {
	header := http.Header{}
	if k.s.UploadID == "" && k.s.ContentType != "" {
		header.Set("Content-Type", k.s.ContentType)
	}
	if k.s.UploadID != "" && k.s.MD5URL != nil || signs(u, "content-md5") {
		sums, err := p.Sums()
		if err != nil {
			return transfer.Receipt{}, err
		}
		header.Set("Content-MD5", transfer.ContentMD5(sums.MD5))
	}
	put := func() (*transfer.Answer, error) {
		answer, err := transfer.Send(ctx, k.s.Client, http.MethodPut, u, header, p.Body(0), p.Size)
		if err == nil {
			err = answer.Err()
		}
		return answer, err
	}
	answer, err := put()
	if err != nil {
		return transfer.Receipt{}, err
	}
	answer, err = k.compare(answer, p, func(sum [16]byte) (*transfer.Answer, error) {
		if header.Get("Content-MD5") != "" {
			return answer, nil // the store has already compared it
		}
		header.Set("Content-MD5", transfer.ContentMD5(sum))
		return put()
	})
	if err != nil {
		return transfer.Receipt{}, err
	}
	return transfer.Receipt{Number: p.Number, ETag: answer.ETag()}, nil
}

// compare compares the store's checksum of a part with ours.
func (k *Sink) compare(answer *transfer.Answer, p *transfer.Part, proved func(sum [16]byte) (*transfer.Answer, error)) (*transfer.Answer, error) {
	if answer.ETag() == "" {
		return nil, &transfer.SinkError{Cause: errors.New("the response has no ETag")}
	}
	sums, err := p.Sums()
	if err != nil {
		return nil, err
	}
	other := &transfer.SinkError{Cause: fmt.Errorf("part %d arrived with a different checksum", p.Number)}
	if crc, err := base64.StdEncoding.DecodeString(answer.Header.Get("X-Amz-Checksum-Crc64nvme")); err == nil && len(crc) == 8 && p.Took(transfer.CRC64NVME) {
		if binary.BigEndian.Uint64(crc) != sums.CRC64NVME {
			return nil, other
		}
		k.answers.Store(answersCRC64)
		return answer, nil
	}
	if !p.Took(transfer.MD5) {
		k.answers.Store(answersETag) // it no longer answers with CRC64NVME
		return nil, &transfer.SinkError{Cause: errors.New("the response has no checksum")}
	}
	k.answers.CompareAndSwap(answersUnknown, answersETag)
	return k.etags.Compare(answer, sums.MD5, func() (*transfer.Answer, error) { return proved(sums.MD5) })
}

// signs reports whether a presigned URL requires a header.
func signs(u, header string) bool {
	parsed, err := url.Parse(u)
	return err == nil && strings.Contains(";"+strings.ToLower(parsed.Query().Get("X-Amz-SignedHeaders"))+";", ";"+header+";")
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
	answer, err := transfer.Send(ctx, k.s.Client, http.MethodGet, u, nil, nil, 0)
	if err == nil {
		err = answer.Err()
	}
	if err != nil {
		return nil, err
	}
	var v struct {
		Parts []struct {
			Number int    `xml:"PartNumber"`
			ETag   string `xml:"ETag"`
			Size   int64  `xml:"Size"`
		} `xml:"Part"`
	}
	if err := xml.Unmarshal(answer.Body, &v); err != nil {
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

// Complete implements transfer.Sink. S3 may answer 200 and report a failure in the body.
func (k *Sink) Complete(ctx context.Context, parts []transfer.Receipt, _ transfer.Whole) error {
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
	answer, err := transfer.Send(ctx, k.s.Client, http.MethodPost, urls.Complete, http.Header{"Content-Type": {"application/xml"}}, bytes.NewReader(encoded), int64(len(encoded)))
	if err == nil {
		err = answer.Err()
	}
	var refused *transfer.SinkError
	switch {
	case errors.As(err, &refused) && refused.Code == partLost:
		return transfer.ErrPartsLost
	case err != nil:
		return err
	}
	var failed struct {
		XMLName xml.Name
		Code    string `xml:"Code"`
	}
	if xml.Unmarshal(bytes.TrimSpace(answer.Body), &failed) == nil && failed.XMLName.Local == "Error" {
		switch failed.Code {
		case "InternalError", "SlowDown", "ServiceUnavailable":
			return &transfer.SinkError{Status: http.StatusInternalServerError, Code: failed.Code}
		case "NoSuchUpload":
			return transfer.ErrUploadGone
		case partLost:
			return transfer.ErrPartsLost
		}
		return &transfer.SinkError{Status: http.StatusBadRequest, Code: failed.Code}
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
	answer, err := transfer.Send(ctx, k.s.Client, http.MethodDelete, urls.Abort, nil, nil, 0)
	if err == nil {
		err = answer.Err()
	}
	if errors.Is(err, transfer.ErrUploadGone) {
		return nil
	}
	return err
}

// CreateMultipart starts an upload at a presigned CreateMultipartUpload URL and returns its id.
func CreateMultipart(ctx context.Context, client *http.Client, presigned string) (string, error) {
	answer, err := transfer.Send(ctx, client, http.MethodPost, presigned, nil, nil, 0)
	if err == nil {
		if err = answer.Err(); errors.Is(err, transfer.ErrUploadGone) { // there is no upload yet, so the bucket or the key is at fault
			err = &transfer.SinkError{Status: answer.Status}
		}
	}
	if err != nil {
		return "", err
	}
	var v struct {
		UploadID string `xml:"UploadId"`
	}
	if err := xml.Unmarshal(answer.Body, &v); err != nil || v.UploadID == "" {
		return "", &transfer.SinkError{Cause: errors.New("the store's response has no upload ID")}
	}
	return v.UploadID, nil
}
