package transfer

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/framebridge/framebridge/untrusted"
)

// StallTimeout is how long a request may go without a byte before it is given up on and retried.
var StallTimeout = 30 * time.Second

// Location is where a source's bytes are now. URL is a secret.
type Location struct {
	URL    string
	Size   int64 // bytes, -1 if unknown
	Ranges bool
}

// RefusedWaits are the waits before each new URL while a source's URL is refused. Hosts refuse the first requests for an object
// that was just stored.
var RefusedWaits = []time.Duration{0, time.Second, 2 * time.Second, 4 * time.Second}

// HTTPSource reads a signed URL that may expire and be replaced, but must keep pointing at the same bytes.
type HTTPSource struct {
	client  *http.Client
	resolve func(ctx context.Context, fresh bool) (Location, error)

	mu     sync.Mutex
	at     Location
	turn   int // number of URLs used up
	etag   string
	size   int64
	ranges bool
}

// NewHTTPSource resolves the URL and examines the file. Its size must be the stated one, and its ETag must not change
// later. resolve returns the URL, which must be a new one if fresh is set.
func NewHTTPSource(ctx context.Context, client *http.Client, resolve func(ctx context.Context, fresh bool) (Location, error)) (*HTTPSource, error) {
	s := &HTTPSource{client: client, resolve: resolve, size: -1}
	at, err := resolve(ctx, false)
	if err != nil {
		return nil, err
	}
	s.at, s.size, s.ranges = at, at.Size, at.Ranges
	if !s.ranges {
		return s, nil
	}
	return s, s.probe(ctx)
}

// probe requests the first byte, to learn the size, the ETag and whether the host supports ranges.
func (s *HTTPSource) probe(ctx context.Context) error {
	resp, err := s.request(ctx, 0, 1)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	switch resp.StatusCode {
	case http.StatusPartialContent:
		r, err := contentRange(resp.Header.Get("Content-Range"))
		switch {
		case err != nil:
			return err
		case r.none:
			return &SourceError{Cause: errNoRange}
		case r.first != 0 || r.last != 0:
			return &SourceError{Cause: fmt.Errorf("the first byte was requested, but the response has bytes %d to %d", r.first, r.last)}
		}
		return s.settle(r.total, resp.Header.Get("ETag"))
	case http.StatusRequestedRangeNotSatisfiable: // an empty file has no first byte
		text := resp.Header.Get("Content-Range")
		if text == "" {
			return s.settle(0, resp.Header.Get("ETag"))
		}
		r, err := contentRange(text)
		switch {
		case err != nil:
			return err
		case r.total != 0:
			return &SourceError{Status: resp.StatusCode, Cause: fmt.Errorf("the host does not serve the first byte of a file of %d bytes", r.total)}
		}
		return s.settle(0, resp.Header.Get("ETag"))
	case http.StatusOK:
		s.ranges = false
		if resp.ContentLength >= 0 {
			return s.settle(resp.ContentLength, "")
		}
		return nil
	}
	return unexpected(resp)
}

func (s *HTTPSource) settle(size int64, etag string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.size >= 0 && s.size != size {
		return &SizeMismatch{Stated: s.size, Actual: size}
	}
	s.size, s.etag = size, etag
	return nil
}

// Size returns the object's size in bytes, or -1 while it is unknown.
func (s *HTTPSource) Size() int64 { return s.size }

// Version returns the file's ETag, or "" if the server sends none. A different ETag means different bytes.
func (s *HTTPSource) Version() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return strong(s.etag)
}

// strong returns an entity tag without the mark of a weak one, which something in between may add.
func strong(tag string) string { return strings.TrimPrefix(tag, "W/") }

// unexpected returns the error for an answer that has no bytes of the file.
func unexpected(resp *http.Response) *SourceError {
	e := &SourceError{Status: resp.StatusCode}
	e.RetryAfter, _ = untrusted.RetryAfter(resp.Header, time.Now())
	return e
}

// Ranges reports whether the server supports range requests.
func (s *HTTPSource) Ranges() bool { return s.ranges }

// request requests a range. It replaces a refused URL after each of RefusedWaits, and a URL that finds nothing only once: the
// file may have moved.
func (s *HTTPSource) request(ctx context.Context, offset, length int64) (*http.Response, error) {
	for try := 0; ; try++ {
		at, turn := s.location()
		req, err := http.NewRequestWithContext(ctx, http.MethodGet, at.URL, nil)
		if err != nil {
			return nil, &SourceError{Status: http.StatusBadRequest, Cause: errors.New("the URL is malformed")}
		}
		req.Header.Set("Accept-Encoding", "identity")
		if s.ranges {
			if length < 0 {
				req.Header.Set("Range", fmt.Sprintf("bytes=%d-", offset))
			} else {
				req.Header.Set("Range", fmt.Sprintf("bytes=%d-%d", offset, offset+length-1))
			}
			if s.etag != "" && !strings.HasPrefix(s.etag, "W/") {
				req.Header.Set("If-Match", s.etag)
			}
		}
		resp, err := s.client.Do(req)
		if err != nil {
			failed := &SourceError{Cause: withoutURL(err)}
			if untrusted.IsRefused(err) {
				failed.Status = http.StatusBadRequest
			}
			return nil, failed
		}
		if gone := resp.StatusCode == http.StatusNotFound && try == 0; !gone && !refusesURL(resp.StatusCode) || s.resolve == nil || try == len(RefusedWaits) {
			return resp, nil
		}
		resp.Body.Close()
		if err := pause(ctx, RefusedWaits[try]); err != nil {
			return nil, &SourceError{Cause: err}
		}
		if err := s.renew(ctx, turn); err != nil {
			return nil, err
		}
	}
}

func pause(ctx context.Context, wait time.Duration) error {
	select {
	case <-time.After(wait):
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

func (s *HTTPSource) location() (Location, int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.at, s.turn
}

// renew replaces a URL only once, however many parts find it refused.
func (s *HTTPSource) renew(ctx context.Context, turn int) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.turn != turn {
		return nil
	}
	at, err := s.resolve(ctx, true)
	if err != nil {
		return err
	}
	s.at = at
	s.turn++
	return nil
}

// Open implements Source.
func (s *HTTPSource) Open(ctx context.Context, offset, length int64) (io.ReadCloser, error) {
	ctx, cancel := context.WithCancelCause(ctx)
	w := &watched{ctx: ctx, cancel: cancel, timer: time.AfterFunc(StallTimeout, func() { cancel(ErrStalled) })}
	resp, err := s.request(ctx, offset, length) //nolint:bodyclose // watched closes it
	if err != nil {
		if cause := context.Cause(ctx); errors.Is(cause, ErrStalled) {
			err = &SourceError{Cause: cause}
		}
		w.stop()
		return nil, err
	}
	w.body = resp.Body
	if err := s.check(resp, offset, length); err != nil {
		_ = w.Close()
		return nil, err
	}
	w.timer.Reset(StallTimeout)
	return w, nil
}

func (s *HTTPSource) check(resp *http.Response, offset, length int64) error {
	if enc := resp.Header.Get("Content-Encoding"); enc != "" && enc != "identity" {
		return &SourceError{Status: http.StatusNotAcceptable, Cause: fmt.Errorf("the response is encoded as %q: something along the way changes it", enc)}
	}
	switch {
	case resp.StatusCode == http.StatusPreconditionFailed:
		return ErrSourceChanged
	case !s.ranges:
		if resp.StatusCode != http.StatusOK {
			return unexpected(resp)
		}
		return nil
	case resp.StatusCode == http.StatusOK && offset == 0 && (length < 0 || length == s.size):
		if s.size >= 0 && resp.ContentLength >= 0 && resp.ContentLength != s.size {
			return ErrSourceChanged
		}
		return nil
	case resp.StatusCode == http.StatusOK:
		return &SourceError{Status: http.StatusRequestedRangeNotSatisfiable, Cause: errors.New("the host ignored the range")}
	case resp.StatusCode != http.StatusPartialContent:
		return unexpected(resp)
	}
	r, err := contentRange(resp.Header.Get("Content-Range"))
	switch {
	case err != nil:
		return err
	case r.none:
		return &SourceError{Cause: errNoRange}
	case r.first != offset:
		return &SourceError{Cause: fmt.Errorf("byte %d was requested, but the response begins at %d", offset, r.first)}
	case r.total != s.size:
		return ErrSourceChanged
	case length >= 0 && r.last != offset+length-1, length < 0 && r.last != r.total-1:
		return &SourceError{Cause: fmt.Errorf("%d bytes from byte %d were requested, but the response ends with byte %d", length, offset, r.last)}
	case s.etag != "" && resp.Header.Get("ETag") != "" && strong(resp.Header.Get("ETag")) != strong(s.etag):
		return ErrSourceChanged
	case length >= 0 && resp.ContentLength >= 0 && resp.ContentLength != length:
		return &SourceError{Cause: fmt.Errorf("%d bytes were requested, but the response has %d", length, resp.ContentLength)}
	}
	return nil
}

// byteRange is the range that an answer states, including its last byte. none means that the range is * and holds no bytes.
type byteRange struct {
	first, last, total int64
	none               bool
}

var (
	errNoRange  = errors.New("the response has no usable Content-Range")
	rangeHeader = regexp.MustCompile(`^bytes (?:(\d{1,18})-(\d{1,18})|\*)/(\d{1,18})$`)
)

// contentRange parses "bytes 5-9/100" and "bytes */100". It returns an error for an impossible range.
func contentRange(h string) (byteRange, error) {
	m := rangeHeader.FindStringSubmatch(strings.TrimSpace(h))
	if m == nil {
		return byteRange{}, &SourceError{Cause: errNoRange}
	}
	r := byteRange{none: m[1] == ""}
	r.total, _ = strconv.ParseInt(m[3], 10, 64)
	if r.none {
		return r, nil
	}
	r.first, _ = strconv.ParseInt(m[1], 10, 64)
	r.last, _ = strconv.ParseInt(m[2], 10, 64)
	if r.first > r.last || r.last >= r.total {
		return byteRange{}, &SourceError{Cause: fmt.Errorf("the response claims bytes %d to %d of %d", r.first, r.last, r.total)}
	}
	return r, nil
}

// watched is a body that is given up on if no byte arrives for StallTimeout, including the first.
type watched struct {
	body   io.ReadCloser
	ctx    context.Context
	cancel context.CancelCauseFunc
	timer  *time.Timer
	closed atomic.Bool
}

func (w *watched) Read(p []byte) (int, error) {
	n, err := w.body.Read(p)
	if n > 0 {
		w.timer.Reset(StallTimeout)
	}
	if err != nil && !errors.Is(err, io.EOF) {
		if cause := context.Cause(w.ctx); errors.Is(cause, ErrStalled) {
			err = cause
		}
		err = &SourceError{Cause: withoutURL(err)}
	}
	return n, err
}

func (w *watched) Close() error {
	if w.closed.Swap(true) {
		return nil
	}
	err := w.body.Close()
	w.stop()
	return err
}

func (w *watched) stop() {
	w.timer.Stop()
	w.cancel(nil)
}

func withoutURL(err error) error {
	var u *url.Error
	if errors.As(err, &u) {
		return u.Err
	}
	return err
}

// refusesURL reports whether a status means that a signed URL is not accepted, or no longer. Google Cloud Storage, and S3 with
// temporary credentials, say so with a 400.
func refusesURL(status int) bool {
	switch status {
	case http.StatusBadRequest, http.StatusUnauthorized, http.StatusForbidden, http.StatusGone:
		return true
	}
	return false
}

// URLRefused reports whether the host did not accept a signed URL. It may accept a new one.
func URLRefused(err error) bool {
	var e *SourceError
	return errors.As(err, &e) && refusesURL(e.Status)
}

// StoredSize returns the size in bytes of the object behind a signed download URL, or -1 if there is none.
func StoredSize(ctx context.Context, client *http.Client, signed string) (int64, error) {
	s := &HTTPSource{client: client, size: -1, ranges: true, at: Location{URL: signed}} // no other URL is available
	err := s.probe(ctx)
	var e *SourceError
	if errors.As(err, &e) && e.Status == http.StatusNotFound {
		return -1, nil
	}
	return s.size, err
}
