package presigned

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/framebridge/framebridge/sandbox/s3sim"
	"github.com/framebridge/framebridge/test/sinktest"
	"github.com/framebridge/framebridge/transfer"
)

// TestFrameioParts runs the suite on parts as Frame.io's legacy API issues them: URLs that sign content-type and
// x-amz-acl, for parts of the same size.
func TestFrameioParts(t *testing.T) {
	const part = 700_000
	client := transfer.NewHTTPClient(nil, nil)
	signed := map[string]string{"content-type": "video/quicktime", "x-amz-acl": "private"}
	sinktest.Run(t, func(t *testing.T) sinktest.Store {
		var fault atomic.Pointer[func(*http.Request) *s3sim.Fault]
		var clock atomic.Int64
		store, err := s3sim.New(s3sim.Options{AccessKey: "key", SecretKey: "secret-of-the-store",
			Now: func() time.Time { return time.Now().Add(time.Duration(clock.Load())) },
			Fault: func(r *http.Request) *s3sim.Fault {
				if f := fault.Load(); f != nil && *f != nil {
					return (*f)(r)
				}
				return nil
			}})
		require.NoError(t, err)
		srv := httptest.NewServer(store)
		t.Cleanup(srv.Close)
		n := 0
		return sinktest.Store{
			Open: func(_ *testing.T, size int64) sinktest.Upload {
				n++
				count := max(int((size+part-1)/part), 1)
				urls, keys := make([]string, count), make([]string, count)
				for i := range urls {
					keys[i] = fmt.Sprintf("upload-%d/part-%d", n, i+1)
					urls[i] = store.Presigner(srv.URL).Presign(http.MethodPut, "frameio", keys[i], nil, signed, time.Hour)
				}
				header := http.Header{"Content-Type": {"video/quicktime"}, "X-Amz-Acl": {"private"}}
				return sinktest.Upload{
					Sink: func() transfer.Sink { return New(Upload{Client: client, Parts: even(urls, size), Header: header}) },
					Stored: func() []byte {
						whole := []byte{}
						for _, key := range keys {
							b, err := store.Get("frameio", key)
							if err != nil {
								return nil
							}
							whole = append(whole, b...)
						}
						return whole
					},
				}
			},
			Fault: func(f func(*http.Request) *s3sim.Fault) { fault.Store(&f) }, Puts: store.AllPuts, Corrupt: store.Corrupt,
			Expire: func() { clock.Store(int64(2 * time.Hour)) }, Part: part, Dictated: true,
		}
	})
}

func TestPartsMustFitTheFile(t *testing.T) {
	k := New(Upload{Parts: []Part{{"u", 10}, {"u", 5}}})
	_, err := k.Plan(16)
	assert.ErrorContains(t, err, "15 bytes, but the file has 16")
	plan, err := k.Plan(15)
	require.NoError(t, err)
	assert.EqualValues(t, 10, plan.Offset(2))
	assert.EqualValues(t, 5, plan.Length(2, 15))
}

// even divides a file into parts of the same size for a list of URLs. The last one may be smaller.
func even(urls []string, size int64) []Part {
	n := int64(len(urls))
	each := (size + n - 1) / n
	parts := make([]Part, n)
	for i, u := range urls {
		at := min(int64(i)*each, size)
		parts[i] = Part{URL: u, Size: min(each, size-at)}
	}
	return parts
}
