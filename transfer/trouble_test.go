package transfer_test

import (
	"bytes"
	"errors"
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/framebridge/framebridge/test/sinktest"
	"github.com/framebridge/framebridge/transfer"
)

// Stores say in different ways that a signed URL has expired: Google Cloud Storage, and S3 with temporary credentials, with a 400.
// If the file has moved, the previous URL finds nothing.
func TestASourcesURLEndsInManyWays(t *testing.T) {
	t.Parallel()
	const size = 3*part + 5
	for _, status := range []int{http.StatusBadRequest, http.StatusUnauthorized, http.StatusForbidden, http.StatusNotFound, http.StatusGone} {
		h := &host{file: sinktest.File(size)}
		h.spoil = func(n int64, w http.ResponseWriter, r *http.Request) bool {
			if ended := n > 2 && r.URL.Query().Get("turn") == "0"; !ended {
				return false
			}
			w.WriteHeader(status)
			_, _ = w.Write([]byte(`<Error><Code>ExpiredToken</Code></Error>`))
			return true
		}
		k, _, fresh, err := fetch(t, h, size)
		require.NoError(t, err, "%d", status)
		assert.Equal(t, 1, fresh, "%d", status)
		assert.True(t, bytes.Equal(h.file, k.bytes()))
	}
}

// A file that is not there is not requested again and again.
func TestASourceThatIsNotThere(t *testing.T) {
	t.Parallel()
	h := &host{spoil: func(_ int64, w http.ResponseWriter, _ *http.Request) bool {
		w.WriteHeader(http.StatusNotFound)
		return true
	}}
	_, _, fresh, err := fetch(t, h, 5)
	var e *transfer.SourceError
	require.ErrorAs(t, err, &e)
	assert.Equal(t, http.StatusNotFound, e.Status)
	assert.Equal(t, 1, fresh)
	assert.EqualValues(t, 2, h.asked.Load())
}

// A host without ranges and length may send more than was stated: that is another file, and not the beginning of this one.
func TestABodyThatIsTooLong(t *testing.T) {
	t.Parallel()
	const size = 2 * part
	for more, fits := range map[int]bool{0: true, 1: false, part: false} {
		h := &host{file: sinktest.File(int64(size + more))}
		h.spoil = func(_ int64, w http.ResponseWriter, _ *http.Request) bool {
			w.WriteHeader(http.StatusOK)
			w.(http.Flusher).Flush()
			_, _ = w.Write(h.file)
			return true
		}
		k, _, _, err := fetch(t, h, size)
		var differs *transfer.SizeMismatch
		assert.Equal(t, fits, err == nil, "%d more: %v", more, err)
		assert.Equal(t, !fits, errors.As(err, &differs), "%d more: %v", more, err)
		assert.Equal(t, fits, k.size == size, "completed")
	}
}

// A host that asks for a pause gets it.
func TestASourceThatAsksForAPause(t *testing.T) {
	t.Parallel()
	h := &host{file: sinktest.File(part)}
	var paused time.Time
	var waited time.Duration
	h.spoil = func(n int64, w http.ResponseWriter, _ *http.Request) bool {
		switch n {
		case 2:
			paused = time.Now()
			w.Header().Set("Retry-After", "2")
			w.WriteHeader(http.StatusServiceUnavailable)
			return true
		case 3:
			waited = time.Since(paused)
		}
		return false
	}
	_, _, _, err := fetch(t, h, part)
	require.NoError(t, err)
	assert.GreaterOrEqual(t, waited, 2*time.Second)
}

// A weak tag stands for the same bytes as the strong one.
func TestATagThatIsWeakAtTimes(t *testing.T) {
	t.Parallel()
	h := &host{file: sinktest.File(3 * part)}
	h.spoil = func(n int64, w http.ResponseWriter, r *http.Request) bool {
		tag := `"x"`
		if n%2 == 0 {
			tag = `W/"x"`
		}
		r.Header.Del("If-Match")
		w.Header().Set("ETag", tag)
		http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(h.file))
		return true
	}
	_, _, _, err := fetch(t, h, 3*part)
	require.NoError(t, err)
	assert.Equal(t, "x", (&transfer.Answer{Header: http.Header{"Etag": {`W/"x"`}}}).ETag())
}

// What a store refuses only for the moment is sent again.
func TestRefusalsThatPass(t *testing.T) {
	t.Parallel()
	for code, passes := range map[string]bool{"OperationAborted": true, "ConditionalRequestConflict": true, "BadDigest": true, "LeaseIdMissing": false, "AccessDenied": false} {
		a := &transfer.Answer{Status: http.StatusConflict, Body: []byte("<?xml version=\"1.0\"?>\n<Error><Code>" + code + "</Code></Error>")}
		var e *transfer.SinkError
		require.ErrorAs(t, a.Err(), &e)
		assert.Equal(t, passes, e.Retryable(), code)
	}
	for code, ended := range map[string]bool{"ExpiredToken": true, "InvalidPart": false} {
		a := &transfer.Answer{Status: http.StatusBadRequest, Body: []byte("<Error><Code>" + code + "</Code></Error>")}
		assert.Equal(t, ended, transfer.EndedURL(a.Err()), code)
	}
}
