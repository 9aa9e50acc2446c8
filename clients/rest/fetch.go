package rest

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"time"
)

const fetchTimeout = 15 * time.Second

// Fetch reads a small file at an address that the vendor named, such as a signed URL. It sends no credentials and reads at most
// most bytes. Errors never contain the address.
func (c *Client) Fetch(ctx context.Context, operation, address string, most int64) ([]byte, error) {
	ctx, cancel := context.WithTimeout(ctx, fetchTimeout)
	defer cancel()
	body, err := c.Stream(ctx, operation, address, most)
	if err != nil {
		return nil, err
	}
	defer body.Close()
	return io.ReadAll(body)
}

// Stream is like Fetch, for content that is passed on while it is read. The caller must close the reader. Reading more than most
// bytes fails, and so does a response that is cut off.
func (c *Client) Stream(ctx context.Context, operation, address string, most int64) (io.ReadCloser, error) {
	fail := &Error{Vendor: c.cfg.Vendor, Operation: operation, Class: Retryable}
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	if err != nil {
		fail.Class, fail.Detail = Permanent, "the address is not a URL"
		return nil, fail
	}
	req.Header.Set("User-Agent", c.cfg.UserAgent)
	resp, err := c.http.Do(req)
	if err != nil {
		fail.Cause = withoutURL(err)
		return nil, fail
	}
	fail.Status = resp.StatusCode
	if resp.StatusCode != http.StatusOK {
		_ = resp.Body.Close()
		fail.Class = Permanent
		return nil, fail
	}
	return &bounded{ReadCloser: resp.Body, left: most, most: most, fail: fail}, nil
}

// bounded reads up to most bytes, and fails if there are more.
type bounded struct {
	io.ReadCloser
	left, most int64
	fail       *Error
}

func (b *bounded) Read(p []byte) (int, error) {
	if int64(len(p)) > b.left+1 {
		p = p[:b.left+1]
	}
	n, err := b.ReadCloser.Read(p)
	b.left -= int64(n)
	switch {
	case b.left < 0:
		b.fail.Class, b.fail.Detail = Permanent, fmt.Sprintf("the file is larger than %d bytes", b.most)
		return max(n-1, 0), b.fail
	case err != nil && !errors.Is(err, io.EOF):
		b.fail.Detail, b.fail.Cause = "the response was cut off", withoutURL(err)
		return n, b.fail
	}
	return n, err
}
