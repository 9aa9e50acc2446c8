// Package storage replaces Google's client in Temporal's archiver, which the sandbox's server does not have.
package storage

import (
	"context"
	"errors"
	"io"

	"google.golang.org/api/option"
)

// ScopeFullControl is an OAuth scope.
const ScopeFullControl = "https://www.googleapis.com/auth/devstorage.full_control"

var errNone = errors.New("archival to Google Cloud Storage is not in the sandbox's Temporal server")

// What the archiver uses.
type (
	Client         struct{}
	BucketHandle   struct{}
	BucketAttrs    struct{}
	ObjectHandle   struct{}
	ObjectAttrs    struct{ Name string }
	ObjectIterator struct{}
	Query          struct{ Prefix string }
	Writer         struct{ io.Writer }
	Reader         struct{ io.Reader }
)

// NewClient fails.
func NewClient(context.Context, ...option.ClientOption) (*Client, error) { return nil, errNone }

// Bucket is never called, because there is no client.
func (*Client) Bucket(string) *BucketHandle { return &BucketHandle{} }

// Object names an object.
func (*BucketHandle) Object(string) *ObjectHandle { return &ObjectHandle{} }

// Objects lists none.
func (*BucketHandle) Objects(context.Context, *Query) *ObjectIterator { return &ObjectIterator{} }

// Attrs fails.
func (*BucketHandle) Attrs(context.Context) (*BucketAttrs, error) { return nil, errNone }

// NewWriter returns a writer that fails when it is closed.
func (*ObjectHandle) NewWriter(context.Context) *Writer { return &Writer{io.Discard} }

// NewReader fails.
func (*ObjectHandle) NewReader(context.Context) (*Reader, error) { return nil, errNone }

// Attrs fails.
func (*ObjectHandle) Attrs(context.Context) (*ObjectAttrs, error) { return nil, errNone }

// Next fails.
func (*ObjectIterator) Next() (*ObjectAttrs, error) { return nil, errNone }

// Close fails.
func (*Writer) Close() error { return errNone }

// CloseWithError fails.
func (*Writer) CloseWithError(error) error { return errNone }

// Close does nothing.
func (*Reader) Close() error { return nil }
