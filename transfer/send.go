package transfer

import (
	"context"
	"encoding/base64"
	"encoding/hex"
	"encoding/xml"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"strings"
	"sync/atomic"
	"time"

	"github.com/framebridge/framebridge/untrusted"
)

const maxAnswer = 1 << 20 // bytes of a store's answer that are read

// Answer is what a store said, its body read and bounded.
type Answer struct {
	Status int
	Header http.Header
	Body   []byte
}

// ETag is the answer's entity tag without quotes.
func (a *Answer) ETag() string { return strings.Trim(a.Header.Get("ETag"), `"`) }

// MD5 is the entity tag where it is the body's MD5. It is none where the answer speaks of another encryption than the store's
// own (AES256): of a key service (aws:kms, aws:kms:dsse) or of a customer's key.
func (a *Answer) MD5() (sum [16]byte, ok bool) {
	const encryption = "X-Amz-Server-Side-Encryption"
	if how := a.Header.Get(encryption); how != "" && !strings.EqualFold(how, "AES256") {
		return sum, false
	}
	for name := range a.Header {
		if strings.HasPrefix(name, encryption+"-") {
			return sum, false
		}
	}
	raw, err := hex.DecodeString(a.ETag())
	if err != nil || len(raw) != len(sum) {
		return sum, false
	}
	return [16]byte(raw), true
}

// ETags is what a store's entity tags are known to say. Some stores encrypt without saying so: their tags look like an MD5
// and are none.
type ETags struct{ fit, silent atomic.Bool }

// Compare holds an answer's tag against the body's MD5. Where the first ones do not fit, proved sends the body again with its
// MD5, which the store compares by itself: when it takes that, its tags say nothing, and are not looked at any more.
func (t *ETags) Compare(a *Answer, sum [16]byte, proved func() (*Answer, error)) (*Answer, error) {
	got, ok := a.MD5()
	switch {
	case !ok || t.silent.Load():
		return a, nil
	case got == sum:
		t.fit.Store(true)
		return a, nil
	case t.fit.Load():
		return a, errOtherChecksum
	}
	again, err := proved()
	if err != nil {
		return a, err
	}
	if got, ok := again.MD5(); ok && got == sum { // the first one was damaged on the way
		t.fit.Store(true)
	} else if !t.silent.Swap(true) {
		slog.Warn("the storage's ETags are no MD5, although it does not say so: parts are compared by the MD5 that they are sent with")
	}
	return again, nil
}

var errOtherChecksum = &SinkError{Cause: errors.New("it arrived with another checksum")}

// ContentMD5 is a body's MD5 as the header that a store compares it with.
func ContentMD5(sum [16]byte) string { return base64.StdEncoding.EncodeToString(sum[:]) }

// Err is nil for a 2xx, otherwise a *SinkError with the store's code, or ErrUploadGone for a 404 or 410.
func (a *Answer) Err() error {
	if a.Status/100 == 2 {
		return nil
	}
	var v struct {
		Code string `xml:"Code"`
	}
	_ = xml.Unmarshal(a.Body, &v)
	switch {
	case v.Code == "NoSuchUpload", a.Status == http.StatusNotFound, a.Status == http.StatusGone:
		return ErrUploadGone
	case v.Code == "BadDigest", v.Code == "Md5Mismatch", v.Code == "RequestTimeout", v.Code == "IncompleteBody":
		return &SinkError{Code: v.Code} // damaged on the way
	}
	e := &SinkError{Status: a.Status, Code: v.Code}
	e.RetryAfter, _ = untrusted.RetryAfter(a.Header, time.Now())
	return e
}

// Send makes one request to a store. The errors of a request that got no answer are *SinkError; the URL, which is a
// secret, is in none of them.
func Send(ctx context.Context, client *http.Client, method, signed string, header http.Header, body io.Reader, size int64) (*Answer, error) {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	watched := &sending{r: body, timer: time.AfterFunc(StallTimeout, func() { cancel(ErrStalled) })}
	defer watched.timer.Stop()
	req, err := http.NewRequestWithContext(ctx, method, signed, nil)
	if err != nil {
		return nil, &SinkError{Status: http.StatusBadRequest, Cause: errors.New("the signed URL is malformed")}
	}
	for k, v := range header {
		req.Header[k] = v
	}
	if body != nil && size > 0 {
		req.Body, req.ContentLength = watched, size
		req.Header.Set("Expect", "100-continue") // else an early refusal comes as a reset
	} else {
		watched.timer.Reset(answerTimeout())
	}
	resp, err := client.Do(req)
	if err != nil {
		if cause := context.Cause(ctx); errors.Is(cause, ErrStalled) {
			err = cause
		}
		failed := &SinkError{Cause: withoutURL(err)}
		if untrusted.IsRefused(err) {
			failed.Status = http.StatusBadRequest
		}
		return nil, failed
	}
	defer resp.Body.Close()
	raw, err := io.ReadAll(io.LimitReader(resp.Body, maxAnswer))
	if err != nil {
		return nil, &SinkError{Cause: errors.New("the response was cut off")}
	}
	return &Answer{resp.StatusCode, resp.Header, raw}, nil
}

// answerTimeout is how long a store may take to answer once it has all bytes.
func answerTimeout() time.Duration { return 4 * StallTimeout }

// sending is a request's body that gives the request up when the store takes no byte for StallTimeout. The time that
// its own bytes take to arrive is not the store's.
type sending struct {
	r     io.Reader
	timer *time.Timer
}

func (s *sending) Read(p []byte) (int, error) {
	s.timer.Stop()
	n, err := s.r.Read(p)
	if err == io.EOF {
		s.timer.Reset(answerTimeout())
	} else {
		s.timer.Reset(StallTimeout)
	}
	return n, err
}

// WriteTo lets a part hand its memory over without a copy.
func (s *sending) WriteTo(w io.Writer) (int64, error) {
	from, ok := s.r.(io.WriterTo)
	if !ok {
		return io.Copy(w, readerOnly{s})
	}
	s.timer.Stop()
	n, err := from.WriteTo(timedWriter{w, s.timer})
	s.timer.Reset(answerTimeout())
	return n, err
}

// Close is for net/http.
func (s *sending) Close() error { return nil }

type readerOnly struct{ io.Reader }

// timedWriter runs the clock only while the store is taking bytes.
type timedWriter struct {
	w     io.Writer
	timer *time.Timer
}

func (t timedWriter) Write(p []byte) (int, error) {
	t.timer.Reset(StallTimeout)
	n, err := t.w.Write(p)
	t.timer.Stop()
	return n, err
}
