package transfer

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"

	"github.com/cespare/xxhash/v2"
)

// StoredObject is the object behind a signed download URL.
type StoredObject struct {
	Size  int64  // -1 if there is no object
	ETag  string // the store's own checksum, as returned; may be empty
	XXH64 string // of all its bytes, in hex; empty if they were not read
}

// LookAt returns an object's size and ETag. Its Size is -1 if there is no object.
func LookAt(ctx context.Context, client *http.Client, resolve func(ctx context.Context, fresh bool) (Location, error)) (StoredObject, error) {
	s, err := openStored(ctx, client, resolve)
	if err != nil || s == nil {
		return StoredObject{Size: -1}, err
	}
	return StoredObject{Size: s.size, ETag: s.etag}, nil
}

// ReadBack reads all bytes of an object. After an interruption it continues where it stopped, as long as the object stays the same.
func ReadBack(ctx context.Context, client *http.Client, resolve func(ctx context.Context, fresh bool) (Location, error)) (StoredObject, error) {
	s, err := openStored(ctx, client, resolve)
	if err != nil || s == nil {
		return StoredObject{Size: -1}, err
	}
	sum, read := xxhash.New(), int64(0)
	for tries := 0; read < s.size; {
		n, err := s.readFrom(ctx, sum, read)
		if read += n; n > 0 {
			tries = 0
		}
		var broken *SourceError
		switch {
		case err == nil && read < s.size: // it ended early
			err = io.ErrUnexpectedEOF
		case err == nil:
			continue
		case !errors.As(err, &broken) || !broken.Retryable():
			return StoredObject{}, err
		}
		if tries++; tries > readTries {
			return StoredObject{}, err
		}
	}
	if read != s.size {
		return StoredObject{}, &SizeMismatch{Stated: s.size, Actual: read}
	}
	return StoredObject{Size: read, ETag: s.etag, XXH64: fmt.Sprintf("%016x", sum.Sum64())}, nil
}

const readTries = 5 // in a row, without a byte in between

// openStored returns nil if the store has no such object.
func openStored(ctx context.Context, client *http.Client, resolve func(ctx context.Context, fresh bool) (Location, error)) (*HTTPSource, error) {
	s, err := NewHTTPSource(ctx, client, func(ctx context.Context, fresh bool) (Location, error) {
		at, err := resolve(ctx, fresh)
		at.Ranges, at.Size = true, -1
		return at, err
	})
	var e *SourceError
	if errors.As(err, &e) && e.Status == http.StatusNotFound {
		return nil, nil
	}
	return s, err
}

func (s *HTTPSource) readFrom(ctx context.Context, to io.Writer, offset int64) (int64, error) {
	if !s.ranges && offset > 0 {
		return 0, &SourceError{Status: http.StatusRequestedRangeNotSatisfiable, Cause: errors.New("the host does not serve parts of the file, and the connection broke")}
	}
	body, err := s.Open(ctx, offset, -1)
	if err != nil {
		return 0, err
	}
	defer body.Close()
	return io.Copy(to, io.LimitReader(body, s.size-offset+1)) // one byte more, so that a longer object shows
}
