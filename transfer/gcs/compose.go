package gcs

import (
	"bytes"
	"context"
	"encoding/xml"
	"errors"
	"net/http"

	"github.com/framebridge/framebridge/transfer"
)

const (
	mostComposed = 32 // objects that one call composes
	mostParts    = mostComposed * mostComposed
)

// Compose describes a parallel upload: each part an object of its own, composed at the end, in groups where there are
// more than 32. The URLs are secrets.
type Compose struct {
	Client   *http.Client
	PartSize int64 // bytes, at least
	// PartURL returns the URL and the key for a part; fresh asks for a new URL.
	PartURL func(ctx context.Context, part, total int, fresh bool) (url, key string, err error)
	// ComposeURL returns the URL and the key for a group's object, from 1; group 0 is the file.
	ComposeURL func(ctx context.Context, group int) (url, key string, err error)
	// Cleanup deletes the parts' and the groups' objects.
	Cleanup func(ctx context.Context, parts, groups int) error
	Stored  func(ctx context.Context) (int64, error)
}

// ComposeSink implements transfer.Sink.
type ComposeSink struct{ c Compose }

var _ transfer.Sink = (*ComposeSink)(nil)

// NewCompose makes a sink for one upload.
func NewCompose(c Compose) *ComposeSink { return &ComposeSink{c: c} }

// Plan implements transfer.Sink.
func (k *ComposeSink) Plan(size int64) (transfer.Plan, error) {
	if size < 0 {
		return transfer.Plan{}, errors.New("a file of unknown size needs a session")
	}
	part := transfer.PartSizeFor(size, k.c.PartSize, mostParts)
	return transfer.Plan{PartSize: part, Parts: int(max((size+part-1)/part, 1)), WholeCRC32C: true}, nil
}

// Wants implements transfer.Sink.
func (k *ComposeSink) Wants() transfer.Hash { return transfer.CRC32C }

// Put implements transfer.Sink. A URL that is refused is replaced once.
func (k *ComposeSink) Put(ctx context.Context, p *transfer.Part) (transfer.Receipt, error) {
	receipt := transfer.Receipt{Number: p.Number, Size: p.Size}
	for fresh := false; ; fresh = true {
		u, _, err := k.c.PartURL(ctx, p.Number, p.Total, fresh)
		if err != nil {
			return receipt, err
		}
		answer, err := transfer.Send(ctx, k.c.Client, http.MethodPut, u, nil, p.Body(0), p.Size)
		if err != nil {
			return receipt, err
		}
		if answer.Status == http.StatusForbidden && !fresh {
			continue
		}
		if err := answer.Err(); err != nil {
			return receipt, err
		}
		sums, err := p.Sums()
		if err != nil {
			return receipt, err
		}
		receipt.ETag = crcText(sums.CRC32C)
		if crc := crcOf(answer.Header); crc != "" && crc != receipt.ETag {
			return receipt, &transfer.SinkError{Cause: errors.New("a part arrived with another checksum")}
		}
		return receipt, nil
	}
}

// Listed implements transfer.Sink.
func (k *ComposeSink) Listed(context.Context) ([]transfer.Receipt, error) {
	return nil, transfer.ErrCannotList
}

// Complete implements transfer.Sink.
func (k *ComposeSink) Complete(ctx context.Context, parts []transfer.Receipt, whole transfer.Whole) error {
	keys := make([]string, len(parts))
	for i, p := range parts {
		_, key, err := k.c.PartURL(ctx, p.Number, len(parts), false)
		if err != nil {
			return err
		}
		keys[i] = key
	}
	groups := 0
	if len(keys) > mostComposed {
		var composed []string
		for at := 0; at < len(keys); at += mostComposed {
			groups++
			key, _, err := k.compose(ctx, groups, keys[at:min(at+mostComposed, len(keys))])
			if err != nil {
				return err
			}
			composed = append(composed, key)
		}
		keys = composed
	}
	_, crc, err := k.compose(ctx, 0, keys)
	if err != nil {
		return err
	}
	if err := compare(crc, whole); err != nil {
		return err
	}
	if k.c.Cleanup != nil {
		return k.c.Cleanup(ctx, len(parts), groups)
	}
	return nil
}

type composeXML struct {
	XMLName    xml.Name `xml:"ComposeRequest"`
	Components []composed
}

type composed struct {
	XMLName xml.Name `xml:"Component"`
	Name    string   `xml:"Name"`
}

func (k *ComposeSink) compose(ctx context.Context, group int, keys []string) (key, crc string, err error) {
	u, key, err := k.c.ComposeURL(ctx, group)
	if err != nil {
		return "", "", err
	}
	var in composeXML
	for _, name := range keys {
		in.Components = append(in.Components, composed{Name: name})
	}
	raw, err := xml.Marshal(in)
	if err != nil {
		return "", "", err
	}
	answer, err := transfer.Send(ctx, k.c.Client, http.MethodPut, u, nil, bytes.NewReader(raw), int64(len(raw)))
	if err == nil {
		err = answer.Err()
	}
	if err != nil {
		return "", "", err
	}
	return key, crcOf(answer.Header), nil
}

// Done implements transfer.Sink.
func (k *ComposeSink) Done(ctx context.Context, size int64) (bool, error) {
	if k.c.Stored == nil {
		return false, nil
	}
	stored, err := k.c.Stored(ctx)
	return err == nil && stored == size, err
}

// Abort implements transfer.Sink.
func (k *ComposeSink) Abort(ctx context.Context) error {
	if k.c.Cleanup == nil {
		return nil
	}
	return k.c.Cleanup(ctx, mostParts, mostComposed)
}
