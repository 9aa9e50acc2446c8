// Package azure is the sink for Azure Blob Storage through a SAS URL: Put Blob for a small file, Put Block and Put Block
// List for a larger one.
package azure

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/xml"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"sync"

	"github.com/framebridge/framebridge/transfer"
)

const (
	maxBlocks  = 50_000
	apiVersion = "2021-08-06"
)

// Blob describes an upload.
type Blob struct {
	Client *http.Client
	// URL returns the blob's SAS URL, a secret. fresh asks for a new one.
	URL         func(ctx context.Context, fresh bool) (string, error)
	ContentType string
	PartSize    int64 // minimum, in bytes
	// Stored returns the size of the finished blob, or -1 if there is none.
	Stored func(ctx context.Context) (int64, error)
}

// Sink implements transfer.Sink.
type Sink struct {
	b      Blob
	mu     sync.Mutex
	url    string
	single bool
	plan   transfer.Plan
}

var _ transfer.Sink = (*Sink)(nil)

// New returns a sink for one blob.
func New(b Blob) *Sink { return &Sink{b: b} }

// Plan implements transfer.Sink.
func (k *Sink) Plan(size int64) (transfer.Plan, error) {
	part := transfer.PartSizeFor(size, k.b.PartSize, maxBlocks)
	k.plan = transfer.Plan{PartSize: part}
	if size >= 0 && size <= part {
		k.single = true
		k.plan = transfer.Plan{PartSize: max(size, 1), Parts: 1, Single: true}
	} else if size > 0 {
		k.plan.Parts = int((size + part - 1) / part)
	}
	return k.plan, nil
}

// Wants implements transfer.Sink. Azure checks the MD5 that is sent with the bytes.
func (k *Sink) Wants() transfer.Hash { return transfer.MD5 }

// blockID returns the id of a block. All ids of a blob must have the same length.
func blockID(n int) string {
	return base64.StdEncoding.EncodeToString([]byte(fmt.Sprintf("part-%06d", n)))
}

func numberOf(id string) int {
	raw, err := base64.StdEncoding.DecodeString(id)
	if err != nil {
		return 0
	}
	n, err := strconv.Atoi(strings.TrimPrefix(string(raw), "part-"))
	if err != nil {
		return 0
	}
	return n
}

// send makes a request on the blob. It replaces a refused SAS URL once.
func (k *Sink) send(ctx context.Context, method string, query url.Values, header http.Header, body func() (*transfer.Part, []byte)) (*transfer.Answer, error) {
	for refused := ""; ; {
		signed, err := k.sas(ctx, refused)
		if err != nil {
			return nil, err
		}
		u, err := url.Parse(signed)
		if err != nil {
			return nil, &transfer.SinkError{Status: http.StatusBadRequest, Cause: errors.New("the SAS URL is malformed")}
		}
		q := u.Query()
		for name, v := range query {
			q[name] = v
		}
		u.RawQuery = q.Encode()
		header.Set("X-Ms-Version", apiVersion)
		part, raw := body()
		var answer *transfer.Answer
		if part != nil {
			answer, err = transfer.Send(ctx, k.b.Client, method, u.String(), header, part.Body(0), part.Size)
		} else {
			answer, err = transfer.Send(ctx, k.b.Client, method, u.String(), header, bytes.NewReader(raw), int64(len(raw)))
		}
		if err != nil {
			return nil, err
		}
		if refused == "" && transfer.EndedURL(answer.Err()) {
			refused = signed
			continue
		}
		return answer, nil
	}
}

// sas returns the blob's URL, other than the refused one. If parts are refused together, it asks for a new one only once.
func (k *Sink) sas(ctx context.Context, refused string) (string, error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.url != "" && k.url != refused {
		return k.url, nil
	}
	u, err := k.b.URL(ctx, refused != "")
	if err == nil {
		k.url = u
	}
	return u, err
}

// Put implements transfer.Sink. It sends each part with its MD5, which Azure compares. Since version 2019-02-02, Azure returns an
// MD5 only if it was sent one, so a part sent without it would have to be sent twice. Azure keeps a block only if it arrived
// whole.
func (k *Sink) Put(ctx context.Context, p *transfer.Part) (transfer.Receipt, error) {
	receipt := transfer.Receipt{Number: p.Number, Size: p.Size}
	header, query := http.Header{}, url.Values{}
	if !k.single && p.Size == 0 {
		return receipt, nil // an empty stream: a blob without blocks
	}
	if k.single {
		header.Set("X-Ms-Blob-Type", "BlockBlob")
		if k.b.ContentType != "" {
			header.Set("Content-Type", k.b.ContentType)
		}
	} else {
		query = url.Values{"comp": {"block"}, "blockid": {blockID(p.Number)}}
	}
	sums, err := p.Sums()
	if err != nil {
		return receipt, err
	}
	header.Set("Content-Md5", transfer.ContentMD5(sums.MD5))
	answer, err := k.send(ctx, http.MethodPut, query, header, func() (*transfer.Part, []byte) { return p, nil })
	if err == nil {
		err = answer.Err()
	}
	if err != nil {
		return receipt, err
	}
	if got, err := base64.StdEncoding.DecodeString(answer.Header.Get("Content-Md5")); err == nil && len(got) == 16 && !bytes.Equal(got, sums.MD5[:]) {
		return receipt, &transfer.SinkError{Cause: fmt.Errorf("part %d arrived with a different checksum", p.Number)}
	}
	receipt.ETag = fmt.Sprintf("%x", sums.MD5)
	return receipt, nil
}

// Listed implements transfer.Sink. Azure lists only a block's size; the checkpoint shows whether its bytes were checked.
func (k *Sink) Listed(ctx context.Context) ([]transfer.Receipt, error) {
	none := func() (*transfer.Part, []byte) { return nil, nil }
	answer, err := k.send(ctx, http.MethodGet, url.Values{"comp": {"blocklist"}, "blocklisttype": {"uncommitted"}}, http.Header{}, none)
	if err == nil {
		err = answer.Err()
	}
	if errors.Is(err, transfer.ErrUploadGone) {
		return nil, nil // nothing has been uploaded yet: blocks need no session
	}
	var refused *transfer.SinkError
	if errors.As(err, &refused) && !refused.Retryable() {
		return nil, transfer.ErrCannotList // the URL is signed for writing only: what is there is unknown
	}
	if err != nil {
		return nil, err
	}
	var v struct {
		Blocks []struct {
			Name string `xml:"Name"`
			Size int64  `xml:"Size"`
		} `xml:"UncommittedBlocks>Block"`
	}
	if err := xml.Unmarshal(bytes.TrimPrefix(answer.Body, []byte("\xef\xbb\xbf")), &v); err != nil {
		return nil, &transfer.SinkError{Cause: errors.New("the list of blocks cannot be read")}
	}
	var out []transfer.Receipt
	for _, b := range v.Blocks {
		if n := numberOf(b.Name); n > 0 {
			out = append(out, transfer.Receipt{Number: n, Size: b.Size})
		}
	}
	return out, nil
}

type blockList struct {
	XMLName xml.Name `xml:"BlockList"`
	IDs     []string `xml:"Latest"`
}

// Complete implements transfer.Sink.
func (k *Sink) Complete(ctx context.Context, parts []transfer.Receipt, whole transfer.Whole) error {
	var in blockList
	for _, p := range parts {
		if p.Size > 0 {
			in.IDs = append(in.IDs, blockID(p.Number))
		}
	}
	raw, err := xml.Marshal(in)
	if err != nil {
		return err
	}
	header := http.Header{}
	if k.b.ContentType != "" {
		header.Set("X-Ms-Blob-Content-Type", k.b.ContentType)
	}
	answer, err := k.send(ctx, http.MethodPut, url.Values{"comp": {"blocklist"}}, header, func() (*transfer.Part, []byte) { return nil, raw })
	if err != nil {
		return err
	}
	if err = answer.Err(); err == nil {
		return nil
	}
	// Missing blocks were either lost, or committed by a request whose answer was lost.
	var refused *transfer.SinkError
	if errors.As(err, &refused) && (refused.Code == "InvalidBlockList" || refused.Code == "InvalidBlockId") {
		if done, derr := k.Done(ctx, whole.Size); derr == nil && done {
			return nil
		}
		return transfer.ErrPartsLost
	}
	return err
}

// Done implements transfer.Sink.
func (k *Sink) Done(ctx context.Context, size int64) (bool, error) {
	if k.b.Stored == nil {
		return false, nil
	}
	stored, err := k.b.Stored(ctx)
	return err == nil && stored == size, err
}

// Abort implements transfer.Sink. It does nothing: Azure discards uncommitted blocks after a week.
func (k *Sink) Abort(context.Context) error { return nil }
