// Package b2 is the sink for Backblaze B2's native uploads: one request for a small file, otherwise the parts of a large
// file. Each stream of uploads has its own URL.
package b2

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"sync"

	"github.com/framebridge/framebridge/transfer"
)

const (
	leastPart = 5_000_000 // bytes
	maxParts  = 10_000
)

// Endpoint is where one stream uploads. URL and Token are secrets. Name is the object's name, for a file in one request.
type Endpoint struct{ URL, Token, Name string }

// Upload describes a file.
type Upload struct {
	Client *http.Client
	// LargeID is the large file's id; "" means an upload in one request.
	LargeID string
	// Endpoint returns a new endpoint for the file or a part.
	Endpoint func(ctx context.Context) (Endpoint, error)
	// Whole returns an endpoint for the file in one request, because a stream that ends within its first part is not a
	// large file. It is nil if the size of every large file is known.
	Whole func(ctx context.Context) (Endpoint, error)
	// Finish joins the parts into a file. The SHA-1s are in the parts' order.
	Finish func(ctx context.Context, sha1s []string) error
	// Cancel gives up on a large file.
	Cancel      func(ctx context.Context) error
	ContentType string
	PartSize    int64 // minimum, in bytes
	// Stored returns the size of the finished file, or -1 if there is none.
	Stored func(ctx context.Context) (int64, error)
}

// Sink implements transfer.Sink.
type Sink struct {
	u    Upload
	mu   sync.Mutex
	free []Endpoint

	short bool // the stream was uploaded in one request
}

var _ transfer.Sink = (*Sink)(nil)

// New returns a sink for one upload.
func New(u Upload) *Sink { return &Sink{u: u} }

// PartSizeFor returns the part size for a file, in bytes. A file no larger than that is uploaded in one request.
func PartSizeFor(size, least int64) int64 {
	return transfer.PartSizeFor(size, max(least, leastPart), maxParts)
}

// Plan implements transfer.Sink.
func (k *Sink) Plan(size int64) (transfer.Plan, error) {
	if k.u.LargeID == "" {
		if size < 0 {
			return transfer.Plan{}, errors.New("a file of unknown size needs a large file")
		}
		return transfer.Plan{PartSize: max(size, 1), Parts: 1, Single: true}, nil
	}
	part := PartSizeFor(size, k.u.PartSize)
	plan := transfer.Plan{PartSize: part}
	if size >= 0 {
		plan.Parts = int(max((size+part-1)/part, 1))
	}
	return plan, nil
}

// Wants implements transfer.Sink.
func (k *Sink) Wants() transfer.Hash { return transfer.SHA1 }

func (k *Sink) take(ctx context.Context) (Endpoint, error) {
	k.mu.Lock()
	if n := len(k.free); n > 0 {
		e := k.free[n-1]
		k.free = k.free[:n-1]
		k.mu.Unlock()
		return e, nil
	}
	k.mu.Unlock()
	return k.u.Endpoint(ctx)
}

// digest is a reader of the hex SHA-1 of a part, once all its bytes have been sent.
type digest struct {
	p    *transfer.Part
	left []byte
	done bool
}

func (d *digest) Read(b []byte) (int, error) {
	if !d.done {
		sums, err := d.p.Sums()
		if err != nil {
			return 0, err
		}
		d.left, d.done = []byte(hex.EncodeToString(sums.SHA1[:])), true
	}
	if len(d.left) == 0 {
		return 0, io.EOF
	}
	n := copy(b, d.left)
	d.left = d.left[n:]
	return n, nil
}

// Put implements transfer.Sink. It does not reuse an endpoint that failed.
func (k *Sink) Put(ctx context.Context, p *transfer.Part) (transfer.Receipt, error) {
	receipt := transfer.Receipt{Number: p.Number, Size: p.Size}
	whole, take := k.u.LargeID == "", k.take
	if !whole && p.Total == 1 && k.u.Whole != nil {
		whole, take, k.short = true, k.u.Whole, true
	}
	for fresh := false; ; fresh = true {
		e, err := take(ctx)
		if err != nil {
			return receipt, err
		}
		header := http.Header{"Authorization": {e.Token}, "X-Bz-Content-Sha1": {"hex_digits_at_end"}}
		if whole {
			header.Set("X-Bz-File-Name", escape(e.Name))
			header.Set("Content-Type", k.u.ContentType)
			if k.u.ContentType == "" {
				header.Set("Content-Type", "b2/x-auto")
			}
		} else {
			header.Set("X-Bz-Part-Number", strconv.Itoa(p.Number))
		}
		answer, err := transfer.Send(ctx, k.u.Client, http.MethodPost, e.URL, header, io.MultiReader(p.Body(0), &digest{p: p}), p.Size+40)
		if err != nil {
			return receipt, err
		}
		if answer.Status == http.StatusUnauthorized && !fresh {
			k.forget()
			continue
		}
		if err := answer.Err(); err != nil {
			return receipt, err
		}
		sums, err := p.Sums()
		if err != nil {
			return receipt, err
		}
		receipt.ETag = hex.EncodeToString(sums.SHA1[:])
		if !k.short {
			k.mu.Lock()
			k.free = append(k.free, e)
			k.mu.Unlock()
		}
		return receipt, nil
	}
}

// escape percent-encodes a name for Backblaze, which reads a plus as a space.
func escape(name string) string {
	return strings.NewReplacer("+", "%20", "%2F", "/").Replace(url.QueryEscape(name))
}

// forget drops all free endpoints, because their tokens are equally old.
func (k *Sink) forget() {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.free = nil
}

// Listed implements transfer.Sink. It returns ErrCannotList, because iconik cannot list a large file's parts.
func (k *Sink) Listed(context.Context) ([]transfer.Receipt, error) {
	return nil, transfer.ErrCannotList
}

// Complete implements transfer.Sink. Backblaze compares the SHA-1s with its own.
func (k *Sink) Complete(ctx context.Context, parts []transfer.Receipt, whole transfer.Whole) error {
	if k.short {
		return k.Abort(ctx) // discards the unused large file
	}
	sums := make([]string, len(parts))
	for i, p := range parts {
		sums[i] = p.ETag
	}
	err := k.u.Finish(ctx, sums)
	if err == nil {
		return nil
	}
	if done, derr := k.Done(ctx, whole.Size); derr == nil && done {
		return nil // an earlier request finished it, and its answer was lost
	}
	return fmt.Errorf("finishing the large file: %w", err)
}

// Done implements transfer.Sink.
func (k *Sink) Done(ctx context.Context, size int64) (bool, error) {
	if k.u.Stored == nil {
		return false, nil
	}
	stored, err := k.u.Stored(ctx)
	return err == nil && stored == size, err
}

// Abort implements transfer.Sink.
func (k *Sink) Abort(ctx context.Context) error {
	if k.u.LargeID == "" || k.u.Cancel == nil {
		return nil
	}
	return k.u.Cancel(ctx)
}
