package transfer_test

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/cespare/xxhash/v2"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/framebridge/framebridge/test/sinktest"
	"github.com/framebridge/framebridge/transfer"
	"github.com/framebridge/framebridge/transfer/presigned"
)

const part = 300_000

// keep is a sink that keeps the parts in memory.
type keep struct {
	mu     sync.Mutex
	parts  map[int][]byte
	size   int64
	hold   time.Duration
	most   int64 // peak bytes held
	flying int64
}

func (k *keep) Plan(size int64) (transfer.Plan, error) {
	return transfer.Plan{PartSize: part, Parts: int(max((size+part-1)/part, 1))}, nil
}
func (k *keep) Wants() transfer.Hash {
	return transfer.MD5 | transfer.SHA1 | transfer.CRC32C | transfer.CRC64NVME
}
func (k *keep) Put(_ context.Context, p *transfer.Part) (transfer.Receipt, error) {
	k.mu.Lock()
	k.flying += p.Size
	k.most = max(k.most, k.flying)
	k.mu.Unlock()
	time.Sleep(k.hold)
	b, err := io.ReadAll(p.Body(0))
	k.mu.Lock()
	defer k.mu.Unlock()
	k.flying -= p.Size
	if err != nil {
		return transfer.Receipt{}, &transfer.SinkError{Cause: err}
	}
	k.parts[p.Number] = b
	sums, err := p.Sums()
	return transfer.Receipt{ETag: fmt.Sprintf("%x", sums.MD5)}, err
}
func (k *keep) Listed(context.Context) ([]transfer.Receipt, error) { return nil, nil }
func (k *keep) Complete(_ context.Context, _ []transfer.Receipt, w transfer.Whole) error {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.size = w.Size
	return nil
}
func (k *keep) Done(context.Context, int64) (bool, error) { return false, nil }
func (k *keep) Abort(context.Context) error               { return nil }
func (k *keep) bytes() []byte {
	var whole []byte
	for n := 1; n <= len(k.parts); n++ {
		whole = append(whole, k.parts[n]...)
	}
	return whole
}

// host serves a file and lets a test disturb its answers.
type host struct {
	file  []byte
	asked atomic.Int64
	spoil func(n int64, w http.ResponseWriter, r *http.Request) bool
}

func (h *host) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if n := h.asked.Add(1); h.spoil != nil && h.spoil(n, w, r) {
		return
	}
	w.Header().Set("ETag", `"`+fmt.Sprint(xxhash.Sum64(h.file))+`"`)
	http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(h.file))
}

// fetch copies a host's file, and returns how often it needed a fresh URL.
func fetch(t *testing.T, h *host, size int64) (*keep, transfer.Result, int, error) {
	t.Helper()
	srv := httptest.NewServer(h)
	defer srv.Close()
	client := transfer.NewHTTPClient(nil, nil)
	fresh := 0
	k := &keep{parts: map[int][]byte{}}
	src, err := transfer.NewHTTPSource(t.Context(), client, func(_ context.Context, again bool) (transfer.Location, error) {
		if again {
			fresh++
		}
		return transfer.Location{URL: fmt.Sprintf("%s/f?turn=%d&sig=secret", srv.URL, fresh), Size: size, Ranges: true}, nil
	})
	if err != nil {
		return k, transfer.Result{}, fresh, err
	}
	e := transfer.NewEngine(transfer.Options{PartsInFlight: 3, PartSize: part, Memory: 8 * part})
	res, err := e.Copy(t.Context(), transfer.Job{Source: src, Sink: k, Size: size})
	return k, res, fresh, err
}

func TestASourcesTroublesAreOvercome(t *testing.T) {
	file := sinktest.File(5*part + 77)
	cut := func(w http.ResponseWriter, r *http.Request, send int) {
		var from, to int
		_, _ = fmt.Sscanf(r.Header.Get("Range"), "bytes=%d-%d", &from, &to)
		w.Header().Set("Content-Range", fmt.Sprintf("bytes %d-%d/%d", from, to, len(file)))
		w.Header().Set("Content-Length", fmt.Sprint(to-from+1))
		w.Header().Set("ETag", `"`+fmt.Sprint(xxhash.Sum64(file))+`"`)
		w.WriteHeader(http.StatusPartialContent)
		_, _ = w.Write(file[from : from+send])
		if f, ok := w.(http.Flusher); ok {
			f.Flush()
		}
		panic(http.ErrAbortHandler)
	}
	for name, tt := range map[string]struct {
		spoil func(n int64, w http.ResponseWriter, r *http.Request) bool
		fresh int
	}{
		"none": {},
		"reset in the middle of a part": {spoil: func(n int64, w http.ResponseWriter, r *http.Request) bool {
			if n == 3 || n == 4 {
				cut(w, r, part/2)
			}
			return false
		}},
		"reset before the first byte": {spoil: func(n int64, _ http.ResponseWriter, _ *http.Request) bool {
			if n == 2 {
				panic(http.ErrAbortHandler)
			}
			return false
		}},
		"500 and 503": {spoil: func(n int64, w http.ResponseWriter, _ *http.Request) bool {
			if n == 2 || n == 3 {
				w.WriteHeader(500 + 3*int(n-2))
				return true
			}
			return false
		}},
		"the URL expires": {fresh: 1, spoil: func(n int64, w http.ResponseWriter, r *http.Request) bool {
			if n > 3 && strings.Contains(r.URL.RawQuery, "turn=0") {
				w.WriteHeader(http.StatusForbidden)
				return true
			}
			return false
		}},
		"another range than was asked for, once": {spoil: func(n int64, w http.ResponseWriter, _ *http.Request) bool {
			if n == 3 {
				w.Header().Set("Content-Range", fmt.Sprintf("bytes 1-2/%d", len(file)))
				w.WriteHeader(http.StatusPartialContent)
				return true
			}
			return false
		}},
	} {
		k, res, fresh, err := fetch(t, &host{file: file, spoil: tt.spoil}, int64(len(file)))
		require.NoError(t, err, name)
		assert.Equal(t, fmt.Sprintf("%016x", xxhash.Sum64(file)), res.XXH64, name)
		assert.True(t, bytes.Equal(file, k.bytes()), name)
		assert.Equal(t, tt.fresh, fresh, name)
	}
}

func TestASourceThatIsNotWhatItSaysIsRefused(t *testing.T) {
	file := sinktest.File(4*part + 1)
	for name, tt := range map[string]struct {
		size  int64
		spoil func(n int64, w http.ResponseWriter, r *http.Request) bool
		want  string
	}{
		"of another size": {size: 99, want: "the source has 1200001 bytes, but 99 were expected"},
		"gone":            {size: int64(len(file)), spoil: func(_ int64, w http.ResponseWriter, _ *http.Request) bool { w.WriteHeader(404); return true }, want: "404"},
		"forbidden for good": {size: int64(len(file)), want: "403", spoil: func(n int64, w http.ResponseWriter, _ *http.Request) bool {
			if n > 2 {
				w.WriteHeader(403)
			}
			return n > 2
		}},
		"ignores ranges after its first answer": {size: int64(len(file)), want: "ignored the range", spoil: func(n int64, w http.ResponseWriter, _ *http.Request) bool {
			if n > 1 {
				_, _ = w.Write(file)
			}
			return n > 1
		}},
		"packed on the way": {size: int64(len(file)), want: "encoded", spoil: func(n int64, w http.ResponseWriter, _ *http.Request) bool {
			if n > 1 {
				w.Header().Set("Content-Encoding", "gzip")
				w.WriteHeader(206)
			}
			return n > 1
		}},
		"of another total": {size: int64(len(file)), want: "changed", spoil: func(n int64, w http.ResponseWriter, r *http.Request) bool {
			if n > 2 {
				var from, to int
				_, _ = fmt.Sscanf(r.Header.Get("Range"), "bytes=%d-%d", &from, &to)
				w.Header().Set("Content-Range", fmt.Sprintf("bytes %d-%d/77000000", from, to))
				w.WriteHeader(206)
			}
			return n > 2
		}},
	} {
		k, _, _, err := fetch(t, &host{file: file, spoil: tt.spoil}, tt.size)
		require.ErrorContains(t, err, tt.want, name)
		assert.NotContains(t, err.Error(), "secret", name)
		assert.Zero(t, k.size, name)
	}
}

func TestASourceThatStallsIsGivenUpAndAskedAgain(t *testing.T) {
	old := transfer.StallTimeout
	transfer.StallTimeout = 300 * time.Millisecond
	defer func() { transfer.StallTimeout = old }()
	file := sinktest.File(3 * part)
	release := make(chan struct{})
	defer close(release)
	k, _, _, err := fetch(t, &host{file: file, spoil: func(n int64, _ http.ResponseWriter, r *http.Request) bool {
		if n == 3 {
			select {
			case <-release:
			case <-r.Context().Done():
			}
			return true
		}
		return false
	}}, int64(len(file)))
	require.NoError(t, err)
	assert.True(t, bytes.Equal(file, k.bytes()))
}

func TestMemoryIsBoundedOverAllTransfers(t *testing.T) {
	e := transfer.NewEngine(transfer.Options{PartsInFlight: 8, PartSize: part, Memory: 3 * part})
	file := sinktest.File(9*part + 5)
	shared := &keep{hold: 2 * time.Millisecond, parts: map[int][]byte{}}
	var wg sync.WaitGroup
	for range 12 {
		wg.Add(1)
		go func() {
			defer wg.Done()
			_, err := e.Copy(context.Background(), transfer.Job{Source: transfer.Bytes(file), Sink: shared, Size: int64(len(file))})
			assert.NoError(t, err)
		}()
	}
	wg.Wait()
	assert.LessOrEqual(t, shared.most, int64(3*part), "bytes of all transfers together")
}

func TestBandwidthIsBounded(t *testing.T) {
	e := transfer.NewEngine(transfer.Options{PartsInFlight: 4, PartSize: part, Memory: 8 * part, Bandwidth: 1 << 20})
	file := sinktest.File(3 << 19) // 1.5 MiB; the first MiB is the limiter's burst
	begun := time.Now()
	_, err := e.Copy(t.Context(), transfer.Job{Source: transfer.Bytes(file), Sink: &keep{parts: map[int][]byte{}}, Size: int64(len(file))})
	require.NoError(t, err)
	assert.GreaterOrEqual(t, time.Since(begun), 400*time.Millisecond)
}

func TestAPartMayBeLargerThanASecondsBandwidth(t *testing.T) {
	const large = 3 << 19
	e := transfer.NewEngine(transfer.Options{PartsInFlight: 2, PartSize: large, Memory: 2 * large, Bandwidth: 1 << 20})
	file := sinktest.File(large)
	k := &keep{parts: map[int][]byte{}}
	_, err := e.Copy(t.Context(), transfer.Job{Source: transfer.Bytes(file), Sink: wholeParts{k, large}, Size: -1})
	require.NoError(t, err)
	assert.True(t, bytes.Equal(file, k.bytes()))
}

// wholeParts is a sink with larger parts.
type wholeParts struct {
	*keep
	size int64
}

func (w wholeParts) Plan(size int64) (transfer.Plan, error) {
	plan, err := w.keep.Plan(size)
	plan.PartSize = w.size
	return plan, err
}

func TestACancelledCopyEndsAtOnce(t *testing.T) {
	ctx, cancel := context.WithCancelCause(t.Context())
	stop := errors.New("the worker stops")
	e := transfer.NewEngine(transfer.Options{PartsInFlight: 2, PartSize: part, Memory: 4 * part})
	file := sinktest.File(20 * part)
	n := 0
	_, err := e.Copy(ctx, transfer.Job{Source: transfer.Bytes(file), Sink: &keep{parts: map[int][]byte{}, hold: 5 * time.Millisecond}, Size: int64(len(file)),
		Progress: func(transfer.Progress) {
			if n++; n == 3 {
				cancel(stop)
			}
		}})
	require.Error(t, err)
}

// TestOverTLS moves a file from an HTTPS host to an HTTPS store through the large connections, in both directions at once.
func TestOverTLS(t *testing.T) {
	file := sinktest.File(7<<20 + 13)
	h := &host{file: file}
	from := httptest.NewTLSServer(h)
	defer from.Close()
	var mu sync.Mutex
	got := map[string][]byte{}
	to := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		b, err := io.ReadAll(r.Body)
		assert.NoError(t, err)
		assert.Equal(t, 1, r.ProtoMajor, "one connection for each part")
		mu.Lock()
		got[r.URL.Path] = b
		mu.Unlock()
		w.Header().Set("ETag", `"x"`)
	}))
	defer to.Close()
	roots := x509.NewCertPool()
	roots.AddCert(from.Certificate())
	roots.AddCert(to.Certificate())
	client := transfer.NewHTTPClient(&tls.Config{RootCAs: roots, MinVersion: tls.VersionTLS12}, nil)
	src, err := transfer.NewHTTPSource(t.Context(), client, func(context.Context, bool) (transfer.Location, error) {
		return transfer.Location{URL: from.URL, Size: int64(len(file)), Ranges: true}, nil
	})
	require.NoError(t, err)
	parts := make([]presigned.Part, 5)
	each := (len(file) + len(parts) - 1) / len(parts)
	for i := range parts {
		parts[i] = presigned.Part{URL: fmt.Sprintf("%s/%d", to.URL, i), Size: int64(min(each, len(file)-i*each))}
	}
	sink := presigned.New(presigned.Upload{Client: client, Parts: parts})
	e := transfer.NewEngine(transfer.Options{PartsInFlight: 5, PartSize: 2 << 20})
	res, err := e.Copy(t.Context(), transfer.Job{Source: src, Sink: sink, Size: int64(len(file))})
	require.NoError(t, err)
	assert.Equal(t, fmt.Sprintf("%016x", xxhash.Sum64(file)), res.XXH64)
	var whole []byte
	for i := range parts {
		whole = append(whole, got[fmt.Sprintf("/%d", i)]...)
	}
	assert.True(t, bytes.Equal(file, whole))
}

func TestACheckpointStaysSmall(t *testing.T) {
	file := sinktest.File(part * 400)
	var last []byte
	e := transfer.NewEngine(transfer.Options{PartsInFlight: 8, PartSize: part, Memory: 16 * part})
	_, err := e.Copy(t.Context(), transfer.Job{Source: transfer.Bytes(file), Sink: &keep{parts: map[int][]byte{}}, Size: int64(len(file)),
		Progress: func(p transfer.Progress) { last = p.Checkpoint }})
	require.NoError(t, err)
	assert.Less(t, len(last), 400*25, "bytes for 400 parts")
}
