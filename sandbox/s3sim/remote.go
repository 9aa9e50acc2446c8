package s3sim

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"time"
)

const remoteTimeout = 10 * time.Minute

// Remote is a real S3 store in the place of the embedded one.
type Remote struct {
	Presigner
	client *http.Client
}

// OpenRemote takes http://ACCESS:SECRET@host:port and makes the buckets that are missing.
func OpenRemote(address string, buckets ...string) (*Remote, error) {
	u, err := url.Parse(address)
	if err != nil || u.User == nil || u.Host == "" {
		return nil, errors.New("an S3 store must be given as http://ACCESS:SECRET@host:port")
	}
	secret, _ := u.User.Password()
	r := &Remote{Presigner{Endpoint: u.Scheme + "://" + u.Host, AccessKey: u.User.Username(), SecretKey: secret}, &http.Client{Timeout: remoteTimeout}}
	for _, b := range buckets {
		resp, err := r.do(http.MethodPut, b, "", "", nil, 0)
		if err != nil {
			return nil, fmt.Errorf("making bucket %s: %w", b, err)
		}
		resp.Body.Close()
		if resp.StatusCode >= 300 && resp.StatusCode != http.StatusConflict {
			return nil, fmt.Errorf("making bucket %s: status %d", b, resp.StatusCode)
		}
	}
	return r, nil
}

func (r *Remote) do(method, bucket, key, contentType string, body io.Reader, size int64) (*http.Response, error) {
	req, err := http.NewRequest(method, r.Presign(method, bucket, key, nil, nil, time.Hour), body)
	if err != nil {
		return nil, err
	}
	if req.ContentLength = size; contentType != "" {
		req.Header.Set("Content-Type", contentType)
	}
	return r.client.Do(req)
}

func (r *Remote) put(bucket, key, contentType string, body io.Reader, size int64) error {
	resp, err := r.do(http.MethodPut, bucket, key, contentType, body, size)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	if resp.StatusCode >= 300 {
		return fmt.Errorf("storing %s: status %d", key, resp.StatusCode)
	}
	return nil
}

// Put stores an object.
func (r *Remote) Put(bucket, key, contentType string, body []byte) error {
	return r.put(bucket, key, contentType, bytes.NewReader(body), int64(len(body)))
}

// PutGenerated stores made-up bytes; a store that does not answer has none of them.
func (r *Remote) PutGenerated(bucket, key string, size int64, seed uint64) {
	_ = r.put(bucket, key, "", &generated{size: size, seed: seed}, size)
}

// Head returns an object's size, and false when there is none.
func (r *Remote) Head(bucket, key string) (size int64, etag string, ok bool) {
	resp, err := r.do(http.MethodHead, bucket, key, "", nil, 0)
	if err != nil {
		return 0, "", false
	}
	resp.Body.Close()
	return resp.ContentLength, resp.Header.Get("ETag"), resp.StatusCode == http.StatusOK
}

// Get reads an object.
func (r *Remote) Get(bucket, key string) ([]byte, error) {
	resp, err := r.do(http.MethodGet, bucket, key, "", nil, 0)
	if err != nil {
		return nil, err
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("reading %s: status %d", key, resp.StatusCode)
	}
	return io.ReadAll(resp.Body)
}
