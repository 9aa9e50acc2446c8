// Package transfer moves a file's bytes from a source with ranges to a sink with parts: in parallel, with bounded
// memory, resumable after a kill at the last finished part, and with every byte's checksum taken on the way. It knows
// no vendor and no Temporal.
package transfer

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
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

// Sink takes a file in parts. Its methods but Complete and Abort are called concurrently.
type Sink interface {
	// Plan cuts a file of a size (-1: unknown) into parts.
	Plan(size int64) (Plan, error)
	// Put stores a part and returns what the store says of it.
	Put(ctx context.Context, p Part) (Receipt, error)
	// Listed returns the parts the store has from before. ErrCannotList: it does not tell. ErrUploadGone: the upload
	// is not there any more.
	Listed(ctx context.Context) ([]Receipt, error)
	// Complete makes the parts, in order, the file.
	Complete(ctx context.Context, parts []Receipt, size int64) error
	// Done tells whether the whole file of this size is stored already.
	Done(ctx context.Context, size int64) (bool, error)
	// Abort gives the upload up.
	Abort(ctx context.Context) error
}

// Plan is how a file is cut.
type Plan struct {
	PartSize int64
	Parts    int // 0 while the size is unknown
	// Single: one request takes the whole file, and there is nothing to complete.
	Single bool
}

// Part is a range of the file with its bytes in memory.
type Part struct {
	Number int // from 1
	Total  int // 0 while unknown
	Bytes  []byte
	MD5    [16]byte
}

// Receipt is what a store says of a part.
type Receipt struct {
	Number int
	ETag   string // without quotes
	Size   int64
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
	Status int
	Code   string
	Cause  error
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
	return io.NopCloser(newSlice(m[offset:end])), nil
}
