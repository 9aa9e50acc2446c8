// Package presigned is the sink for uploads for which the vendor dictates the parts, their sizes and their URLs, as both
// generations of Frame.io do. There is nothing to complete, and an expired URL cannot be replaced.
package presigned

import (
	"context"
	"encoding/hex"
	"fmt"
	"net/http"

	"github.com/framebridge/framebridge/transfer"
)

// Part is one URL, a secret, and the number of bytes that it takes.
type Part struct {
	URL  string
	Size int64
}

// Upload describes a file.
type Upload struct {
	Client *http.Client
	Parts  []Part
	// Header holds the headers that the URLs sign. They are sent as they are.
	Header http.Header
	// Stored reports whether the vendor has the file. It is nil if the vendor does not say.
	Stored func(ctx context.Context) (bool, error)
}

// Sink implements transfer.Sink.
type Sink struct {
	u     Upload
	etags transfer.ETags
}

var _ transfer.Sink = (*Sink)(nil)

// New returns a sink for one upload.
func New(u Upload) *Sink { return &Sink{u: u} }

// Plan implements transfer.Sink.
func (k *Sink) Plan(size int64) (transfer.Plan, error) {
	var sum, largest int64
	plan := transfer.Plan{Parts: len(k.u.Parts)}
	for _, p := range k.u.Parts {
		plan.Sizes = append(plan.Sizes, p.Size)
		sum += p.Size
		largest = max(largest, p.Size)
	}
	if len(k.u.Parts) == 0 || sum != size {
		return plan, fmt.Errorf("the vendor's %d upload URLs are for %d bytes, but the file has %d", len(k.u.Parts), sum, size)
	}
	plan.PartSize = max(largest, 1)
	return plan, nil
}

// Wants implements transfer.Sink.
func (k *Sink) Wants() transfer.Hash { return transfer.MD5 }

// Put implements transfer.Sink.
func (k *Sink) Put(ctx context.Context, p *transfer.Part) (transfer.Receipt, error) {
	receipt := transfer.Receipt{Number: p.Number, Size: p.Size}
	answer, err := k.send(ctx, p, k.u.Header.Clone())
	if err != nil {
		return receipt, err
	}
	sums, err := p.Sums()
	if err != nil {
		return receipt, err
	}
	answer, err = k.etags.Compare(answer, sums.MD5, func() (*transfer.Answer, error) {
		header := k.u.Header.Clone()
		if header == nil {
			header = http.Header{}
		}
		header.Set("Content-MD5", transfer.ContentMD5(sums.MD5))
		return k.send(ctx, p, header)
	})
	if err != nil {
		return receipt, fmt.Errorf("part %d: %w", p.Number, err)
	}
	receipt.ETag = answer.ETag()
	if receipt.ETag == "" { // nobody needs it: the vendor joins the parts
		receipt.ETag = hex.EncodeToString(sums.MD5[:])
	}
	return receipt, nil
}

// send stores a part with the headers that its URL signs.
func (k *Sink) send(ctx context.Context, p *transfer.Part, header http.Header) (*transfer.Answer, error) {
	answer, err := transfer.Send(ctx, k.u.Client, http.MethodPut, k.u.Parts[p.Number-1].URL, header, p.Body(0), p.Size)
	if err != nil {
		return nil, err
	}
	err = answer.Err()
	if transfer.EndedURL(err) {
		return nil, transfer.ErrUploadGone // expired: only a new upload has new URLs
	}
	return answer, err
}

// Listed implements transfer.Sink.
func (k *Sink) Listed(context.Context) ([]transfer.Receipt, error) {
	return nil, transfer.ErrCannotList
}

// Complete implements transfer.Sink. It does nothing: the vendor notices when all parts are there.
func (k *Sink) Complete(context.Context, []transfer.Receipt, transfer.Whole) error { return nil }

// Done implements transfer.Sink.
func (k *Sink) Done(ctx context.Context, _ int64) (bool, error) {
	if k.u.Stored == nil {
		return false, nil
	}
	return k.u.Stored(ctx)
}

// Abort implements transfer.Sink.
func (k *Sink) Abort(context.Context) error { return nil }
