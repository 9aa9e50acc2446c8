// Package sinktest is the suite that every sink must pass, with a fake of its store or with the real one.
package sinktest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
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

	"github.com/framebridge/framebridge/sandbox/s3sim"
	"github.com/framebridge/framebridge/transfer"
)

// Upload is one file on its way into a store.
type Upload struct {
	// Sink returns a new sink for the upload, as each worker has its own.
	Sink func() transfer.Sink
	// Stored returns the finished file, or nil while there is none.
	Stored func() []byte
}

// Store is what the suite needs to know about a store. If a function is nil, the suite cannot test what needs it.
type Store struct {
	// Open starts an upload of a size.
	Open func(t *testing.T, size int64) Upload
	// Fault scripts faults in the store's requests.
	Fault func(f func(*http.Request) *s3sim.Fault)
	// Puts counts the requests that brought bytes.
	Puts func() int
	// Corrupt makes the store keep different bytes than it receives.
	Corrupt func(on bool)
	// ForgetUploads makes the store lose incomplete uploads.
	ForgetUploads func()
	// LosePart makes the store lose one part of each open upload.
	LosePart func(number int)
	// Expire makes the URLs issued so far expire.
	Expire func()
	// Part is the part size of the sinks, in bytes.
	Part int64
	// Single means that files up to one part are uploaded in one request, which cannot be resumed.
	Single bool
	// Dictated means that URLs cannot be replaced, and that there is no completion whose answer could be lost.
	Dictated bool
	// Streams means that files of unknown size can be stored.
	Streams bool
}

// File returns a file's bytes, always the same for the same size.
func File(size int64) []byte {
	b := make([]byte, size)
	r := rand.NewChaCha8([32]byte{byte(size), byte(size >> 8), byte(size >> 16)})
	_, _ = r.Read(b)
	return b
}

func engine(part int64) *transfer.Engine {
	return transfer.NewEngine(transfer.Options{PartsInFlight: 3, PartSize: part, Memory: 16 * part, Client: http.DefaultClient})
}

func sum(b []byte) string { return fmt.Sprintf("%016x", xxhash.Sum64(b)) }

// Run runs the suite's tests in parallel. open makes a new store for each.
func Run(t *testing.T, open func(t *testing.T) Store) {
	for _, c := range []struct {
		name string
		test func(*testing.T, Store)
	}{
		{"sizes", sizes}, {"unknown size", unknownSize}, {"resumes", resumes}, {"resumes without checkpoint", resumesBlindly}, {"troubles", troubles},
		{"lost answers", lostAnswers}, {"corruption", corruption}, {"lost upload", lostUpload}, {"lost part", lostPart}, {"expired URLs", expired},
		{"source that changes", changes}, {"two workers", twoWorkers}, {"abort", abort},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			c.test(t, open(t))
		})
	}
}

func sizes(t *testing.T, s Store) {
	for _, size := range []int64{0, 1, s.Part - 1, s.Part, s.Part + 1, 3 * s.Part, 3*s.Part + 12345} {
		file, up := File(size), s.Open(t, size)
		res, err := engine(s.Part).Copy(t.Context(), transfer.Job{Source: transfer.Bytes(file), Sink: up.Sink(), Size: size})
		require.NoError(t, err, "%d bytes", size)
		assert.Equal(t, sum(file), res.XXH64, "%d bytes", size)
		assert.Equal(t, size, res.Bytes)
		require.True(t, bytes.Equal(file, up.Stored()), "%d bytes are stored otherwise", size)
	}
}

// noRanges is a source that can only be read from the beginning.
type noRanges struct{ transfer.Source }

func (noRanges) Ranges() bool { return false }
func (noRanges) Size() int64  { return -1 }

func unknownSize(t *testing.T, s Store) {
	if !s.Streams {
		t.Skip("the store needs the size")
	}
	for _, size := range []int64{0, 1, s.Part, 2*s.Part + 7} {
		file, up := File(size), s.Open(t, -1)
		res, err := engine(s.Part).Copy(t.Context(), transfer.Job{Source: noRanges{transfer.Bytes(file)}, Sink: up.Sink(), Size: -1})
		require.NoError(t, err, "%d bytes", size)
		assert.Equal(t, sum(file), res.XXH64)
		require.True(t, bytes.Equal(file, up.Stored()), "%d bytes are stored otherwise", size)
	}
}

// breaking is a source that fails for good after a number of parts.
type breaking struct {
	transfer.Source
	left atomic.Int64
}

var errBroken = errors.New("the test's worker dies")

func (b *breaking) Open(ctx context.Context, offset, length int64) (io.ReadCloser, error) {
	if b.left.Add(-1) < 0 {
		return nil, errBroken
	}
	return b.Source.Open(ctx, offset, length)
}

// interrupted copies the first parts of a file and returns the last checkpoint.
func interrupted(t *testing.T, s Store, up Upload, file []byte, parts int64) []byte {
	t.Helper()
	src := &breaking{Source: transfer.Bytes(file)}
	src.left.Store(parts)
	one := transfer.NewEngine(transfer.Options{PartsInFlight: 1, PartSize: s.Part, Memory: 4 * s.Part})
	var checkpoint []byte
	_, err := one.Copy(t.Context(), transfer.Job{Source: src, Sink: up.Sink(), Size: int64(len(file)),
		Progress: func(p transfer.Progress) { checkpoint = p.Checkpoint }})
	require.ErrorIs(t, err, errBroken)
	return checkpoint
}

func puts(s Store) int {
	if s.Puts == nil {
		return 0
	}
	return s.Puts()
}

func resumes(t *testing.T, s Store) {
	size := 5*s.Part + 99
	file, up := File(size), s.Open(t, size)
	checkpoint := interrupted(t, s, up, file, 3)
	before := puts(s)
	reads := &breaking{Source: transfer.Bytes(file)}
	reads.left.Store(1000)
	res, err := engine(s.Part).Copy(t.Context(), transfer.Job{Source: reads, Sink: up.Sink(), Size: size, Resume: checkpoint})
	require.NoError(t, err)
	assert.Equal(t, sum(file), res.XXH64)
	assert.Equal(t, 3, res.PartsKept)
	if s.Puts != nil {
		assert.Equal(t, 3, s.Puts()-before, "no finished part is sent again")
	}
	assert.EqualValues(t, 3, 1000-reads.left.Load(), "nor read again")
	require.True(t, bytes.Equal(file, up.Stored()))
}

func resumesBlindly(t *testing.T, s Store) {
	size := 4*s.Part + 5
	file, up := File(size), s.Open(t, size)
	interrupted(t, s, up, file, 2)
	res, err := engine(s.Part).Copy(t.Context(), transfer.Job{Source: transfer.Bytes(file), Sink: up.Sink(), Size: size, Resume: []byte("{not a checkpoint")})
	require.NoError(t, err)
	assert.Equal(t, sum(file), res.XXH64)
	require.True(t, bytes.Equal(file, up.Stored()))
}

// times makes the first n requests that carry bytes fail.
func times(n int, f s3sim.Fault) func(*http.Request) *s3sim.Fault {
	var left atomic.Int64
	left.Store(int64(n))
	return func(r *http.Request) *s3sim.Fault {
		if r.ContentLength > 1000 && left.Add(-1) >= 0 {
			return &f
		}
		return nil
	}
}

func troubles(t *testing.T, s Store) {
	if s.Fault == nil {
		t.Skip("a real store has no faults to order")
	}
	for name, f := range map[string]s3sim.Fault{
		"503":   {Status: 503, Code: "SlowDown"},
		"500":   {Status: 500, Code: "InternalError"},
		"429":   {Status: 429, Code: "TooManyRequests"},
		"reset": {Reset: true},
		"slow":  {Delay: 300 * time.Millisecond},
	} {
		size := 4*s.Part + 1
		file, up := File(size), s.Open(t, size)
		s.Fault(times(2, f))
		res, err := engine(s.Part).Copy(t.Context(), transfer.Job{Source: transfer.Bytes(file), Sink: up.Sink(), Size: size})
		s.Fault(nil)
		require.NoError(t, err, name)
		assert.Equal(t, sum(file), res.XXH64, name)
		require.True(t, bytes.Equal(file, up.Stored()), name)
	}
}

func lostAnswers(t *testing.T, s Store) {
	if s.Fault == nil {
		t.Skip("a real store has no faults to order")
	}
	size := 4*s.Part + 1
	file, up := File(size), s.Open(t, size)
	var n atomic.Int64
	s.Fault(func(*http.Request) *s3sim.Fault { // every third answer, including those to completions
		if n.Add(1)%3 == 0 {
			return &s3sim.Fault{Lose: true}
		}
		return nil
	})
	defer s.Fault(nil)
	var checkpoint []byte
	var err error
	for range 5 { // as Temporal's retries would
		_, err = engine(s.Part).Copy(t.Context(), transfer.Job{Source: transfer.Bytes(file), Sink: up.Sink(), Size: size, Resume: checkpoint,
			Progress: func(p transfer.Progress) { checkpoint = p.Checkpoint }})
		if err == nil {
			break
		}
	}
	require.NoError(t, err)
	require.True(t, bytes.Equal(file, up.Stored()))
}

func corruption(t *testing.T, s Store) {
	if s.Corrupt == nil {
		t.Skip("the store cannot be made to corrupt")
	}
	size := 3*s.Part + 1
	file, up := File(size), s.Open(t, size)
	s.Corrupt(true)
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
	defer cancel()
	_, err := engine(s.Part).Copy(ctx, transfer.Job{Source: transfer.Bytes(file), Sink: up.Sink(), Size: size})
	s.Corrupt(false)
	require.Error(t, err, "a file that is stored otherwise is not called copied")
	up = s.Open(t, size)
	_, err = engine(s.Part).Copy(t.Context(), transfer.Job{Source: transfer.Bytes(file), Sink: up.Sink(), Size: size})
	require.NoError(t, err, "a fresh upload repairs it")
	require.True(t, bytes.Equal(file, up.Stored()))
}

func lostUpload(t *testing.T, s Store) {
	if s.ForgetUploads == nil {
		t.Skip("the store has no uploads to lose")
	}
	size := 4*s.Part + 1
	file, up := File(size), s.Open(t, size)
	checkpoint := interrupted(t, s, up, file, 2)
	s.ForgetUploads()
	_, err := engine(s.Part).Copy(t.Context(), transfer.Job{Source: transfer.Bytes(file), Sink: up.Sink(), Size: size, Resume: checkpoint})
	if err != nil {
		require.ErrorIs(t, err, transfer.ErrUploadGone, "it says that a new upload is needed")
		return
	}
	require.True(t, bytes.Equal(file, up.Stored()), "or it is stored again from its beginning")
}

// A part that the store has lost is sent again, and no other.
func lostPart(t *testing.T, s Store) {
	if s.LosePart == nil {
		t.Skip("the store has no parts to lose")
	}
	size := 5*s.Part + 1
	file, up := File(size), s.Open(t, size)
	done := 0
	res, err := engine(s.Part).Copy(t.Context(), transfer.Job{Source: transfer.Bytes(file), Sink: up.Sink(), Size: size, Progress: func(transfer.Progress) {
		if done++; done == 6 {
			s.LosePart(2)
		}
	}})
	require.NoError(t, err)
	assert.Equal(t, sum(file), res.XXH64)
	assert.Equal(t, size, res.Bytes)
	assert.Equal(t, 7, s.Puts())
	require.True(t, bytes.Equal(file, up.Stored()))
}

func expired(t *testing.T, s Store) {
	if s.Expire == nil {
		t.Skip("nothing expires")
	}
	size := 4*s.Part + 1
	file, up := File(size), s.Open(t, size)
	// After the first part, whose slot the last one takes, so that the last one's URL has certainly expired when it is sent.
	var once sync.Once
	_, err := engine(s.Part).Copy(t.Context(), transfer.Job{Source: transfer.Bytes(file), Sink: up.Sink(), Size: size,
		Progress: func(transfer.Progress) { once.Do(s.Expire) }})
	if s.Dictated {
		require.ErrorIs(t, err, transfer.ErrUploadGone, "these URLs cannot be had again")
		return
	}
	require.NoError(t, err)
	require.True(t, bytes.Equal(file, up.Stored()))
}

// changes replaces the source's file halfway. The mixture must not be stored.
func changes(t *testing.T, s Store) {
	size := 6 * s.Part
	one, two := File(size), File(size + 1)[:size]
	var now atomic.Pointer[[]byte]
	now.Store(&one)
	var asked atomic.Int64
	host := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if asked.Add(1) == 4 {
			now.Store(&two)
		}
		b := *now.Load()
		w.Header().Set("ETag", `"`+sum(b)+`"`)
		http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(b))
	}))
	defer host.Close()
	src, err := transfer.NewHTTPSource(t.Context(), http.DefaultClient, func(context.Context, bool) (transfer.Location, error) {
		return transfer.Location{URL: host.URL, Size: size, Ranges: true}, nil
	})
	require.NoError(t, err)
	up := s.Open(t, size)
	_, err = engine(s.Part).Copy(t.Context(), transfer.Job{Source: src, Sink: up.Sink(), Size: size})
	require.ErrorIs(t, err, transfer.ErrSourceChanged)
	stored := up.Stored()
	assert.True(t, stored == nil, "a mixture is stored")
}

func twoWorkers(t *testing.T, s Store) {
	size := 4*s.Part + 3
	file, up := File(size), s.Open(t, size)
	var wg sync.WaitGroup
	errs := make([]error, 2)
	for i := range errs {
		wg.Add(1)
		go func() {
			defer wg.Done()
			_, errs[i] = engine(s.Part).Copy(t.Context(), transfer.Job{Source: transfer.Bytes(file), Sink: up.Sink(), Size: size})
		}()
	}
	wg.Wait()
	assert.True(t, errs[0] == nil || errs[1] == nil, "one of them ends well: %v", errs)
	require.True(t, bytes.Equal(file, up.Stored()), "whatever they do, the file is whole")
}

func abort(t *testing.T, s Store) {
	size := 4 * s.Part
	file, up := File(size), s.Open(t, size)
	interrupted(t, s, up, file, 2)
	require.NoError(t, up.Sink().Abort(t.Context()))
	require.NoError(t, up.Sink().Abort(t.Context()), "giving up twice is giving up")
	assert.True(t, up.Stored() == nil)
	assert.False(t, strings.Contains(fmt.Sprint(up), "sig="))
}
