// Package transfer moves a file's bytes from a source with ranges to a sink with parts: in parallel, with bounded memory,
// resumable from the last finished part after a kill, and with checksums computed on the way. It knows nothing of vendors
// or Temporal, and never uses the disk.
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
	// Open returns length bytes from offset, or all bytes from offset if length is negative. Without Ranges, only
	// Open(0, -1) is possible.
	Open(ctx context.Context, offset, length int64) (io.ReadCloser, error)
	// Size returns the file's size in bytes, or -1 while it is unknown.
	Size() int64
	Ranges() bool
}

// Sink stores a file in parts. Put is called concurrently unless the plan is Ordered.
type Sink interface {
	// Plan divides a file of the given size (-1 if unknown) into parts.
	Plan(size int64) (Plan, error)
	// Wants returns the checksums that the next part's Put will ask for. They are computed while its bytes arrive.
	Wants() Hash
	// Put stores a part and returns what the store says about it. A part whose outcome is unknown may be put again.
	Put(ctx context.Context, p *Part) (Receipt, error)
	// Listed returns the parts that the store already has. It returns ErrCannotList if the store does not list them, and
	// ErrUploadGone if the upload no longer exists.
	Listed(ctx context.Context) ([]Receipt, error)
	// Complete joins the parts, in order, into the file, and compares the whole if the store gives its checksum. It returns
	// ErrPartsLost if the parts that Listed leaves out must first be put again.
	Complete(ctx context.Context, parts []Receipt, whole Whole) error
	// Done reports whether the whole file of this size is already stored.
	Done(ctx context.Context, size int64) (bool, error)
	// Abort gives up on the upload.
	Abort(ctx context.Context) error
}

// Plan is how a file is divided into parts.
type Plan struct {
	PartSize int64 // bytes, of all parts but the last, unless Sizes is set
	Parts    int   // 0 while the size is unknown
	// Sizes are the parts' sizes, if the store dictates them.
	Sizes []int64
	// Single means that one request takes the whole file, and there is nothing to complete.
	Single bool
	// WholeCRC32C means that Complete compares the whole file's CRC32C.
	WholeCRC32C bool
	// Ordered means that the store takes one part at a time, from first to last.
	Ordered bool
}

// Offset returns where part n, counted from 1, begins, in bytes.
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

// Length returns the size of part n in bytes, in a file of the given size.
func (p Plan) Length(n int, size int64) int64 {
	if p.Sizes != nil {
		return p.Sizes[n-1]
	}
	return min(p.PartSize, size-int64(n-1)*p.PartSize)
}

// Largest returns the size of the largest part in bytes.
func (p Plan) Largest() int64 {
	largest := p.PartSize
	for _, s := range p.Sizes {
		largest = max(largest, s)
	}
	return largest
}

// PartSizeFor returns the part size in bytes for a file of the given size: least, or as many whole MiB as are needed to
// stay within most parts.
func PartSizeFor(size, least int64, most int64) int64 {
	const mib = 1 << 20
	need := (size + most - 1) / most
	if need <= least {
		return max(least, 1)
	}
	return (need + mib - 1) / mib * mib
}

// Receipt is what a store says about a part.
type Receipt struct {
	Number int
	ETag   string // the store's identifier of the part, without quotes; the MD5 in hex if it is one
	Size   int64
}

// Whole is what is known about the whole file at its end.
type Whole struct {
	Size   int64
	XXH64  uint64
	CRC32C uint32 // if the plan asks for it
}

var (
	// ErrCannotList means that a store does not list its parts.
	ErrCannotList = errors.New("the store does not list its parts")
	// ErrUploadGone means that the upload session is lost. A new one is needed, with all parts again.
	ErrUploadGone = errors.New("the store has lost the upload session")
	// ErrPartsLost means that the store no longer has parts that it had accepted.
	ErrPartsLost = errors.New("the store has lost parts of the upload")
	// ErrSourceChanged means that the file changed while it was read. Parts of both versions are never mixed.
	ErrSourceChanged = errors.New("the source changed while it was copied")
	// ErrStalled means that no byte moved for too long.
	ErrStalled = errors.New("no data moved for too long")
	// ErrCorrupted means that the store holds different bytes than were read.
	ErrCorrupted = errors.New("the store's checksum of the file differs from that of the bytes read")
)

// SizeMismatch means that the source does not have the stated number of bytes.
type SizeMismatch struct{ Stated, Actual int64 }

func (e *SizeMismatch) Error() string {
	return fmt.Sprintf("the source has %d bytes, but %d were expected", e.Actual, e.Stated)
}

// SourceError is a failure to read.
type SourceError struct {
	Status     int           // 0 if there was no answer
	RetryAfter time.Duration // as the host asks; 0 if it does not
	Cause      error
}

func (e *SourceError) Error() string { return describe("reading the source", e.Status, e.Cause) }
func (e *SourceError) Unwrap() error { return e.Cause }

// Retryable reports whether another attempt may succeed.
func (e *SourceError) Retryable() bool { return retryable(e.Status) }

// SinkError is a failure to write. Code is the store's word for it.
type SinkError struct {
	Status     int
	Code       string
	RetryAfter time.Duration // as the store asks; 0 if it does not
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

// Retryable reports whether another attempt may succeed.
func (e *SinkError) Retryable() bool { return retryable(e.Status) }

// EndedURL reports whether a store did not accept a signed URL, or no longer does. It may accept a new one.
func EndedURL(err error) bool {
	var e *SinkError
	return errors.As(err, &e) && (e.Status == http.StatusForbidden || e.Status == http.StatusUnauthorized || e.Code == "ExpiredToken")
}

// Throttled reports whether the store asks to slow down.
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
	case 0, http.StatusRequestTimeout, http.StatusTooEarly, http.StatusTooManyRequests:
		return true
	case http.StatusNotImplemented, http.StatusHTTPVersionNotSupported: // it never will be
		return false
	}
	return status >= 500
}

// Bytes returns a source in memory.
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
