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

const maxAnswer = 1 << 20 // most bytes read of a store's answer

// Answer is a store's answer, with its body read up to maxAnswer.
type Answer struct {
	Status int
	Header http.Header
	Body   []byte
}

// ETag returns the answer's entity tag without quotes.
func (a *Answer) ETag() string { return strings.Trim(strong(a.Header.Get("ETag")), `"`) }

// MD5 returns the entity tag if it is the body's MD5. It is not one if the answer states an encryption other than the store's
// own (AES256): with a key service (aws:kms, aws:kms:dsse) or a customer's key.
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

// ETags records whether a store's entity tags are MD5s. Some stores encrypt without saying so, and their tags look like MD5s
// but are not.
type ETags struct{ fit, silent atomic.Bool }

// Compare compares an answer's tag with the body's MD5. Unless a tag has matched before, a mismatch makes it call proved, which
// sends the body again with its MD5 for the store itself to compare. If the store accepts that, its tags are no longer compared.
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
	if got, ok := again.MD5(); ok && got == sum { // the first one was damaged in transit
		t.fit.Store(true)
	} else if !t.silent.Swap(true) {
		slog.Warn("the storage's ETags are not MD5, although it does not say so: comparing parts by the MD5 sent with them")
	}
	return again, nil
}

var errOtherChecksum = &SinkError{Cause: errors.New("it arrived with a different checksum")}

// ContentMD5 returns a body's MD5 as the value of the header Content-MD5.
func ContentMD5(sum [16]byte) string { return base64.StdEncoding.EncodeToString(sum[:]) }

// Err returns nil for a 2xx, ErrUploadGone for a 404, a 410 or NoSuchUpload, and otherwise a *SinkError with the store's code.
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
	case v.Code == "BadDigest", v.Code == "Md5Mismatch", v.Code == "RequestTimeout", v.Code == "IncompleteBody": // damaged in transit
		return &SinkError{Code: v.Code}
	case v.Code == "OperationAborted", v.Code == "ConditionalRequestConflict": // another request is under way
		return &SinkError{Code: v.Code}
	}
	e := &SinkError{Status: a.Status, Code: v.Code}
	e.RetryAfter, _ = untrusted.RetryAfter(a.Header, time.Now())
	return e
}

// Send makes one request to a store. If there is no answer, it returns a *SinkError. No error contains the URL, which is a
// secret.
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
		req.Header.Set("Expect", "100-continue") // otherwise an early refusal arrives as a reset
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

// answerTimeout returns how long a store may take to answer once it has all bytes.
func answerTimeout() time.Duration { return 4 * StallTimeout }

// sending is a request's body that gives up on the request if the store takes no byte for StallTimeout. The time that
// its own bytes take to arrive does not count.
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

// WriteTo lets a part pass its memory without a copy.
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

// Close implements io.Closer for net/http.
func (s *sending) Close() error { return nil }

type readerOnly struct{ io.Reader }

// timedWriter runs the timer only while the store takes bytes.
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
