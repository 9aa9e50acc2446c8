package azure

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"sync/atomic"
	"testing"
	"time"

	"github.com/framebridge/framebridge/sandbox/s3sim"
	"github.com/framebridge/framebridge/sandbox/storesim"
	"github.com/framebridge/framebridge/test/sinktest"
	"github.com/framebridge/framebridge/transfer"
)

func TestAzure(t *testing.T) {
	const part = 512 << 10
	client := transfer.NewHTTPClient(nil, nil)
	sinktest.Run(t, func(t *testing.T) sinktest.Store {
		var a *storesim.Azure
		srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { a.ServeHTTP(w, r) }))
		t.Cleanup(srv.Close)
		a = storesim.NewAzure(srv.URL)
		n := 0
		var stale atomic.Bool
		return sinktest.Store{
			Open: func(_ *testing.T, _ int64) sinktest.Upload {
				n++
				name := fmt.Sprintf("container/file%d", n)
				return sinktest.Upload{
					Sink: func() transfer.Sink {
						return New(Blob{Client: client, PartSize: part, ContentType: "video/mp4",
							URL: func(_ context.Context, fresh bool) (string, error) {
								if stale.Load() && !fresh {
									return a.SAS(name, -time.Second), nil
								}
								return a.SAS(name, time.Minute), nil
							},
							Stored: func(ctx context.Context) (int64, error) {
								return transfer.StoredSize(ctx, client, a.SAS(name, time.Minute))
							}})
					},
					Stored: func() []byte {
						b, ok := a.Object(name)
						if !ok {
							return nil
						}
						return append([]byte{}, b...)
					},
				}
			},
			Fault: func(f func(*http.Request) *s3sim.Fault) { a.SetFault(f) }, Puts: a.Puts, Corrupt: a.Corrupt, ForgetUploads: a.DropBlocks, LosePart: a.LosePart,
			Part: part, Single: true, Streams: true,
		}
	})
}
