// Package gcs is the sink for a bucket of Google Cloud Storage through a signed URL: a resumable session, which takes the
// parts one after the other.
package gcs

import (
	"context"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
	"sync"

	"github.com/framebridge/framebridge/transfer"
)

const granule = 256 << 10 // a session takes multiples of it, except for the last part

// statusCancelled is the status of a canceled session.
const statusCancelled = 499

// Session describes a resumable upload.
type Session struct {
	Client   *http.Client
	URL      string // the session's URI, a secret
	PartSize int64  // minimum, in bytes
	// Stored returns the size of the finished object, or -1 if there is none.
	Stored func(ctx context.Context) (int64, error)
}

// SessionSink implements transfer.Sink.
type SessionSink struct {
	s Session

	mu     sync.Mutex
	kept   int64 // bytes that the session has
	unsure bool  // kept may be wrong, and must be asked for
	done   bool
	crc    string // of the finished object, as Google states it
}

var _ transfer.Sink = (*SessionSink)(nil)

// NewSession returns a sink for one session.
func NewSession(s Session) *SessionSink { return &SessionSink{s: s} }

// Start begins a session at a signed URL and returns its URI, a secret.
func Start(ctx context.Context, client *http.Client, signed, contentType string) (string, error) {
	h := http.Header{"X-Goog-Resumable": {"start"}}
	if contentType != "" {
		h.Set("Content-Type", contentType)
	}
	answer, err := transfer.Send(ctx, client, http.MethodPost, signed, h, nil, 0)
	if err == nil {
		err = answer.Err()
	}
	if err != nil {
		return "", err
	}
	if answer.Header.Get("Location") == "" {
		return "", &transfer.SinkError{Cause: errors.New("the store's response has no session")}
	}
	return answer.Header.Get("Location"), nil
}

// Plan implements transfer.Sink.
func (k *SessionSink) Plan(size int64) (transfer.Plan, error) {
	part := (max(k.s.PartSize, 1) + granule - 1) / granule * granule
	plan := transfer.Plan{PartSize: part, Ordered: true, WholeCRC32C: true}
	if size >= 0 {
		plan.Parts = int(max((size+part-1)/part, 1))
	}
	return plan, nil
}

// Wants implements transfer.Sink. It wants none: a session says nothing about a part, and the object's CRC32C is compared at the end.
func (k *SessionSink) Wants() transfer.Hash { return 0 }

// tag returns a part's identifier. A session only grows, so its length identifies what it holds.
func tag(end int64) string { return "through-" + strconv.FormatInt(end, 10) }

// Put implements transfer.Sink.
func (k *SessionSink) Put(ctx context.Context, p *transfer.Part) (transfer.Receipt, error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	end := p.Offset + p.Size
	receipt := transfer.Receipt{Number: p.Number, ETag: tag(end), Size: p.Size}
	if k.unsure {
		if err := k.ask(ctx); err != nil {
			return receipt, err
		}
	}
	last := p.Number == p.Total
	switch {
	case k.done, k.kept >= end && !last:
		return receipt, nil
	case k.kept < p.Offset:
		return receipt, transfer.ErrUploadGone // it lost what it had acknowledged
	}
	total := "*"
	if last {
		total = strconv.FormatInt(end, 10)
	}
	from := min(k.kept, end)
	header := http.Header{"Content-Range": {fmt.Sprintf("bytes %d-%d/%s", from, end-1, total)}}
	var body io.Reader = p.Body(from - p.Offset)
	if from == end {
		header.Set("Content-Range", "bytes */"+total)
		body = nil
	}
	k.unsure = true
	answer, err := transfer.Send(ctx, k.s.Client, http.MethodPut, k.s.URL, header, body, end-from)
	if err != nil {
		return receipt, err
	}
	if err := k.read(answer); err != nil {
		return receipt, err
	}
	if !k.done && k.kept < end {
		return receipt, &transfer.SinkError{Cause: errors.New("the store kept only some of the part's bytes")}
	}
	return receipt, nil
}

// read processes an answer of the session. The caller must hold the lock.
func (k *SessionSink) read(answer *transfer.Answer) error {
	switch answer.Status {
	case http.StatusOK, http.StatusCreated:
		k.done, k.unsure = true, false
		k.crc = crcOf(answer.Header)
		return nil
	case http.StatusPermanentRedirect:
		k.kept, k.unsure = 0, false
		if _, last, ok := strings.Cut(answer.Header.Get("Range"), "-"); ok {
			n, err := strconv.ParseInt(last, 10, 64)
			if err != nil {
				return &transfer.SinkError{Cause: errors.New("the store's Range cannot be read")}
			}
			k.kept = n + 1
		}
		return nil
	case statusCancelled:
		return transfer.ErrUploadGone
	}
	return answer.Err()
}

// ask asks how much the session has. The caller must hold the lock.
func (k *SessionSink) ask(ctx context.Context) error {
	answer, err := transfer.Send(ctx, k.s.Client, http.MethodPut, k.s.URL, http.Header{"Content-Range": {"bytes */*"}}, nil, 0)
	if err != nil {
		return err
	}
	return k.read(answer)
}

// Listed implements transfer.Sink.
func (k *SessionSink) Listed(ctx context.Context) ([]transfer.Receipt, error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if err := k.ask(ctx); err != nil {
		return nil, err
	}
	if k.done {
		return nil, transfer.ErrUploadGone // the engine then asks Done
	}
	plan, err := k.Plan(-1)
	if err != nil {
		return nil, err
	}
	var parts []transfer.Receipt
	for n := 1; int64(n)*plan.PartSize <= k.kept; n++ {
		parts = append(parts, transfer.Receipt{Number: n, ETag: tag(int64(n) * plan.PartSize), Size: plan.PartSize})
	}
	return parts, nil
}

// Complete implements transfer.Sink.
func (k *SessionSink) Complete(ctx context.Context, _ []transfer.Receipt, whole transfer.Whole) error {
	k.mu.Lock()
	defer k.mu.Unlock()
	if !k.done {
		h := http.Header{"Content-Range": {"bytes */" + strconv.FormatInt(whole.Size, 10)}}
		answer, err := transfer.Send(ctx, k.s.Client, http.MethodPut, k.s.URL, h, nil, 0)
		if err == nil {
			err = k.read(answer)
		}
		if err != nil {
			return err
		}
		if !k.done {
			return transfer.ErrUploadGone
		}
	}
	if k.crc == "" { // an early answer, or one from something in between, must not pass for the whole file
		stored, err := k.stored(ctx)
		if err == nil && stored >= 0 && stored != whole.Size {
			err = transfer.ErrCorrupted
		}
		return err
	}
	return compare(k.crc, whole)
}

// crcOf returns the CRC32C among an answer's hashes, or "".
func crcOf(h http.Header) string {
	for _, line := range h.Values("X-Goog-Hash") {
		for _, v := range strings.Split(line, ",") {
			if crc, ok := strings.CutPrefix(strings.TrimSpace(v), "crc32c="); ok {
				return crc
			}
		}
	}
	return ""
}

func crcText(crc uint32) string {
	return base64.StdEncoding.EncodeToString(binary.BigEndian.AppendUint32(nil, crc))
}

// compare returns ErrCorrupted if the object's checksum differs from that of the bytes read.
func compare(crc string, whole transfer.Whole) error {
	if crc != crcText(whole.CRC32C) {
		return transfer.ErrCorrupted
	}
	return nil
}

// stored returns the finished object's size in bytes, or -1 if it is unknown.
func (k *SessionSink) stored(ctx context.Context) (int64, error) {
	if k.s.Stored == nil {
		return -1, nil
	}
	return k.s.Stored(ctx)
}

// Done implements transfer.Sink.
func (k *SessionSink) Done(ctx context.Context, size int64) (bool, error) {
	stored, err := k.stored(ctx)
	return err == nil && stored == size, err
}

// Abort implements transfer.Sink.
func (k *SessionSink) Abort(ctx context.Context) error {
	answer, err := transfer.Send(ctx, k.s.Client, http.MethodDelete, k.s.URL, nil, nil, 0)
	if err != nil {
		return err
	}
	if answer.Status == statusCancelled {
		return nil
	}
	if err := answer.Err(); !errors.Is(err, transfer.ErrUploadGone) {
		return err
	}
	return nil
}
