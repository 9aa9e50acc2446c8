// Package transfer moves a file's bytes from a source with ranges to a sink with parts: in parallel, with bounded
// memory, resumable after a kill at the last finished part, and with every byte's checksum taken on the way. It knows
// no vendor and no Temporal, and nothing goes through the disk.
package transfer

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"time"
)

// Source is a file to read.
type Source interface {
	// Open reads length bytes from offset, or all from offset on when length is negative. Without Ranges only
	// Open(0, -1) is possible.
	Open(ctx context.Context, offset, length int64) (io.ReadCloser, error)
	// Size is the file's size in bytes, -1 while unknown.
	Size() int64
	Ranges() bool
}

// Sink takes a file in parts. Put is called concurrently unless the plan is Ordered.
type Sink interface {
	// Plan cuts a file of a size (-1: unknown) into parts.
	Plan(size int64) (Plan, error)
	// Wants says which checksums the next part's Put will ask for; they are taken while its bytes arrive.
	Wants() Hash
	// Put stores a part and returns what the store says of it. A part of unknown outcome may be put again.
	Put(ctx context.Context, p *Part) (Receipt, error)
	// Listed returns the parts the store has from before. ErrCannotList: it does not tell. ErrUploadGone: the upload
	// is not there any more.
	Listed(ctx context.Context) ([]Receipt, error)
	// Complete makes the parts, in order, the file, and compares the whole where the store tells its checksum.
	Complete(ctx context.Context, parts []Receipt, whole Whole) error
	// Done tells whether the whole file of this size is stored already.
	Done(ctx context.Context, size int64) (bool, error)
	// Abort gives the upload up.
	Abort(ctx context.Context) error
}

// Plan is how a file is cut.
type Plan struct {
	PartSize int64 // bytes; of all parts but the last, unless Sizes says otherwise
	Parts    int   // 0 while the size is unknown
	// Sizes are the parts' sizes where the store dictates them.
	Sizes []int64
	// Single: one request takes the whole file, and there is nothing to complete.
	Single bool
	// WholeCRC32C: Complete compares the whole file's CRC32C.
	WholeCRC32C bool
	// Ordered: the store takes one part at a time, from the first to the last.
	Ordered bool
}

// Offset is where a part (from 1) begins, in bytes.
func (p Plan) Offset(n int) int64 {
	if p.Sizes == nil {
		return int64(n-1) * p.PartSize
	}
	var at int64
	for _, s := range p.Sizes[:n-1] {
		at += s
	}
	return at
}

// Length is a part's size in bytes, in a file of a size.
func (p Plan) Length(n int, size int64) int64 {
	if p.Sizes != nil {
		return p.Sizes[n-1]
	}
	return min(p.PartSize, size-int64(n-1)*p.PartSize)
}

// Largest is the size of the largest part in bytes.
func (p Plan) Largest() int64 {
	largest := p.PartSize
	for _, s := range p.Sizes {
		largest = max(largest, s)
	}
	return largest
}

// PartSizeFor is the part size in bytes for a file of a size: least, or, where a store's number of parts would not do
// for it, as many whole MiB as are needed.
func PartSizeFor(size, least int64, most int64) int64 {
	const mib = 1 << 20
	need := (size + most - 1) / most
	if need <= least {
		return max(least, 1)
	}
	return (need + mib - 1) / mib * mib
}

// Receipt is what a store says of a part.
type Receipt struct {
	Number int
	ETag   string // what the store knows the part by, without quotes; the MD5 in hex where it is one
	Size   int64
}

// Whole is what is known of the whole file at its end.
type Whole struct {
	Size   int64
	XXH64  uint64
	CRC32C uint32 // where the plan asks for it
}

var (
	// ErrCannotList says that a store does not list its parts.
	ErrCannotList = errors.New("the store does not list its parts")
	// ErrUploadGone says that the upload session is lost: a new one is needed, with all parts again.
	ErrUploadGone = errors.New("the store has lost the upload session")
	// ErrSourceChanged says that the file became another while it was read. Parts of both are never mixed.
	ErrSourceChanged = errors.New("the source changed while it was copied")
	// ErrStalled says that not a byte moved for a while.
	ErrStalled = errors.New("no byte moved for too long")
	// ErrCorrupted says that the store holds other bytes than were read.
	ErrCorrupted = errors.New("the store's checksum of the file differs from that of the bytes read")
)

// SizeMismatch says that the source does not hold as many bytes as was stated.
type SizeMismatch struct{ Stated, Actual int64 }

func (e *SizeMismatch) Error() string {
	return fmt.Sprintf("the source holds %d bytes, %d were stated", e.Actual, e.Stated)
}

// SourceError is a failure to read.
type SourceError struct {
	Status int // 0: no answer
	Cause  error
}

func (e *SourceError) Error() string { return describe("reading the source", e.Status, e.Cause) }
func (e *SourceError) Unwrap() error { return e.Cause }

// Retryable says that another attempt may succeed.
func (e *SourceError) Retryable() bool { return retryable(e.Status) }

// SinkError is a failure to write. Code is the store's word for it.
type SinkError struct {
	Status     int
	Code       string
	RetryAfter time.Duration // as the store asks; 0: it does not
	Cause      error
}

func (e *SinkError) Error() string {
	text := describe("writing to the store", e.Status, e.Cause)
	if e.Code != "" {
		text += ": " + e.Code
	}
	return text
}
func (e *SinkError) Unwrap() error { return e.Cause }

// Retryable says that another attempt may succeed.
func (e *SinkError) Retryable() bool { return retryable(e.Status) }

// Throttled says that the store asks for less at once.
func (e *SinkError) Throttled() bool {
	return e.Status == http.StatusServiceUnavailable || e.Status == http.StatusTooManyRequests
}

func describe(what string, status int, cause error) string {
	if status != 0 {
		what += fmt.Sprintf(": %d %s", status, http.StatusText(status))
	}
	if cause != nil {
		what += ": " + cause.Error()
	}
	return what
}

func retryable(status int) bool {
	switch status {
	case 0, http.StatusRequestTimeout, http.StatusTooManyRequests:
		return true
	}
	return status >= 500
}

// Bytes is a source in memory.
func Bytes(b []byte) Source { return memorySource(b) }

type memorySource []byte

func (m memorySource) Size() int64  { return int64(len(m)) }
func (m memorySource) Ranges() bool { return true }
func (m memorySource) Open(_ context.Context, offset, length int64) (io.ReadCloser, error) {
	end := int64(len(m))
	if length >= 0 {
		end = min(end, offset+length)
	}
	return io.NopCloser(bytes.NewReader(m[offset:end])), nil
}
