package b2

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/framebridge/framebridge/sandbox/s3sim"
	"github.com/framebridge/framebridge/sandbox/storesim"
	"github.com/framebridge/framebridge/test/sinktest"
	"github.com/framebridge/framebridge/transfer"
)

func TestB2(t *testing.T) {
	const part = leastPart
	client := transfer.NewHTTPClient(nil, nil)
	sinktest.Run(t, func(t *testing.T) sinktest.Store {
		var b *storesim.B2
		srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { b.ServeHTTP(w, r) }))
		t.Cleanup(srv.Close)
		b = storesim.NewB2(srv.URL)
		n := 0
		return sinktest.Store{
			Open: func(_ *testing.T, size int64) sinktest.Upload {
				n++
				name, large := fmt.Sprintf("media/file %d + ü.mov", n), ""
				if size > part || size < 0 {
					large = b.Start(name)
				}
				return sinktest.Upload{
					Sink: func() transfer.Sink {
						return New(Upload{Client: client, LargeID: large, PartSize: part,
							Endpoint: func(context.Context) (Endpoint, error) {
								u, token := b.UploadURL(large)
								return Endpoint{u, token, name}, nil
							},
							Whole: func(context.Context) (Endpoint, error) {
								u, token := b.UploadURL("")
								return Endpoint{u, token, name}, nil
							},
							Finish: func(_ context.Context, sums []string) error {
								if err := b.Finish(large, sums); err != nil {
									return &transfer.SinkError{Status: 400, Cause: err}
								}
								return nil
							},
							Cancel: func(context.Context) error { b.Cancel(large); return nil },
							Stored: func(context.Context) (int64, error) {
								o, ok := b.Object(name)
								if !ok {
									return -1, nil
								}
								return int64(len(o)), nil
							}})
					},
					Stored: func() []byte {
						o, ok := b.Object(name)
						if !ok {
							return nil
						}
						return append([]byte{}, o...)
					},
				}
			},
			Fault: func(f func(*http.Request) *s3sim.Fault) { b.SetFault(f) }, Puts: b.Puts, Corrupt: b.Corrupt, Expire: b.ExpireURLs,
			Part: part, Single: true, Streams: true,
		}
	})
}
