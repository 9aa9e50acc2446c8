package s3

import (
	"context"
	"crypto/md5"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/framebridge/framebridge/sandbox/s3sim"
	"github.com/framebridge/framebridge/test/sinktest"
	"github.com/framebridge/framebridge/transfer"
)

// presigner signs as iconik does.
type presigner interface {
	Presign(method, bucket, key string, query url.Values, headers map[string]string, expires time.Duration) string
}

// describe describes an upload of a size. stale makes its earlier URLs refuse requests.
func describe(t *testing.T, client *http.Client, sign presigner, key string, size, part int64, stale *atomic.Bool, md5s bool) S3 {
	t.Helper()
	const bucket = "files"
	life := func(fresh bool) time.Duration {
		if stale.Load() && !fresh {
			return -time.Minute
		}
		return time.Hour
	}
	out := S3{Client: client, PartSize: part, ContentType: "video/mp4",
		UploadURL: func(_ context.Context, fresh bool) (string, error) {
			return sign.Presign(http.MethodPut, bucket, key, nil, nil, life(fresh)), nil
		},
		Stored: func(ctx context.Context) (int64, error) {
			return transfer.StoredSize(ctx, client, sign.Presign(http.MethodGet, bucket, key, nil, nil, time.Hour))
		},
	}
	if size >= 0 && size <= part {
		return out
	}
	id, err := CreateMultipart(t.Context(), client, sign.Presign(http.MethodPost, bucket, key, url.Values{"uploads": {""}}, nil, time.Hour))
	require.NoError(t, err)
	out.UploadID = id
	upload := url.Values{"uploadId": {id}}
	var asked atomic.Int64
	out.PartURLs = func(_ context.Context, from, to, _ int) (map[int]string, error) {
		urls := map[int]string{}
		fresh := asked.Add(1) > 1 && stale.Load()
		for n := from; n <= to; n++ {
			urls[n] = sign.Presign(http.MethodPut, bucket, key, url.Values{"uploadId": {id}, "partNumber": {strconv.Itoa(n)}}, nil, life(fresh))
		}
		return urls, nil
	}
	if md5s {
		out.MD5URL = func(_ context.Context, n int, sum [16]byte) (string, error) {
			return sign.Presign(http.MethodPut, bucket, key, url.Values{"uploadId": {id}, "partNumber": {strconv.Itoa(n)}},
				map[string]string{"content-md5": transfer.ContentMD5(sum)}, time.Hour), nil
		}
	}
	out.Multipart = func(context.Context) (MultipartURLs, error) {
		return MultipartURLs{
			Complete:  sign.Presign(http.MethodPost, bucket, key, upload, nil, time.Hour),
			Abort:     sign.Presign(http.MethodDelete, bucket, key, upload, nil, time.Hour),
			ListParts: []string{sign.Presign(http.MethodGet, bucket, key, upload, nil, time.Hour)},
		}, nil
	}
	return out
}

func run(t *testing.T, crc, md5s bool) {
	const part = minPart
	client := transfer.NewHTTPClient(nil, nil)
	sinktest.Run(t, func(t *testing.T) sinktest.Store {
		var fault atomic.Pointer[func(*http.Request) *s3sim.Fault]
		store, err := s3sim.New(s3sim.Options{AccessKey: "key", SecretKey: "secret-of-the-store", CRC64: crc, Fault: func(r *http.Request) *s3sim.Fault {
			if f := fault.Load(); f != nil && *f != nil {
				return (*f)(r)
			}
			return nil
		}})
		require.NoError(t, err)
		srv := httptest.NewServer(store)
		t.Cleanup(srv.Close)
		n := 0
		var stale atomic.Bool
		return sinktest.Store{
			Open: func(t *testing.T, size int64) sinktest.Upload {
				n++
				key := fmt.Sprintf("folder/file %d – ü.mov", n)
				d := describe(t, client, store.Presigner(srv.URL), key, size, part, &stale, md5s)
				return sinktest.Upload{
					Sink: func() transfer.Sink { return New(d) },
					Stored: func() []byte {
						b, err := store.Get("files", key)
						if err != nil {
							return nil
						}
						return append([]byte{}, b...)
					},
				}
			},
			Fault: func(f func(*http.Request) *s3sim.Fault) { fault.Store(&f) }, Puts: store.AllPuts, Corrupt: store.Corrupt, ForgetUploads: store.ForgetUploads, LosePart: store.LosePart,
			Expire: func() { stale.Store(true) }, Part: part, Single: true, Streams: true,
		}
	})
}

func TestS3(t *testing.T)             { run(t, false, false) }
func TestS3WithCRC64(t *testing.T)    { run(t, true, false) }
func TestS3EnforcingMD5(t *testing.T) { run(t, false, true) }

func TestACompletionThatFailsInItsBodyIsNoSuccess(t *testing.T) {
	answers := []string{
		`<?xml version="1.0"?>` + "\n\n   " + `<Error><Code>InternalError</Code></Error>`,
		`<?xml version="1.0"?><CompleteMultipartUploadResult><ETag>"x-1"</ETag></CompleteMultipartUploadResult>`,
	}
	var n atomic.Int64
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = w.Write([]byte(answers[min(n.Add(1), 2)-1]))
	}))
	defer srv.Close()
	k := New(S3{Client: http.DefaultClient, UploadID: "u", Multipart: func(context.Context) (MultipartURLs, error) { return MultipartURLs{Complete: srv.URL}, nil }})
	parts := []transfer.Receipt{{Number: 1, ETag: "x"}}
	require.ErrorContains(t, k.Complete(t.Context(), parts, transfer.Whole{}), "InternalError")
	require.NoError(t, k.Complete(t.Context(), parts, transfer.Whole{}))
}

func TestPartSizes(t *testing.T) {
	for size, want := range map[int64]int64{0: 16 << 20, 50 << 30: 16 << 20, 500 << 30: 54 << 20, 5 << 40: 552 << 20} {
		require.Equal(t, want, PartSizeFor(size, 16<<20), "%d bytes", size)
		require.LessOrEqual(t, (size+want-1)/want, int64(10_000))
	}
}

// However many parts find their URLs refused at once, new ones are requested only once.
func TestRefusedURLsAreReplacedTogether(t *testing.T) {
	t.Parallel()
	const part, parts = 5 << 20, 4
	var arrived sync.WaitGroup
	arrived.Add(parts)
	store := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Query().Get("turn") == "1" {
			arrived.Done()
			arrived.Wait()
			w.WriteHeader(http.StatusBadRequest)
			_, _ = w.Write([]byte("<Error><Code>ExpiredToken</Code></Error>"))
			return
		}
		h := md5.New()
		_, _ = io.Copy(h, r.Body)
		w.Header().Set("ETag", fmt.Sprintf(`"%x"`, h.Sum(nil)))
	}))
	defer store.Close()
	turns := 0
	sink := New(S3{Client: http.DefaultClient, UploadID: "u", PartSize: part, PartURLs: func(context.Context, int, int, int) (map[int]string, error) {
		turns++
		urls := map[int]string{}
		for n := 1; n <= parts; n++ {
			urls[n] = fmt.Sprintf("%s/?part=%d&turn=%d", store.URL, n, turns)
		}
		return urls, nil
	}, Multipart: func(context.Context) (MultipartURLs, error) {
		return MultipartURLs{Complete: store.URL}, nil
	}})
	engine := transfer.NewEngine(transfer.Options{PartsInFlight: parts, PartSize: part, Memory: parts * part})
	_, err := engine.Copy(t.Context(), transfer.Job{Source: transfer.Bytes(make([]byte, parts*part)), Sink: sink, Size: parts * part})
	require.NoError(t, err)
	require.Equal(t, 2, turns)
}
