package azure

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

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

// However many blocks find the SAS refused at once, a new one is requested only once.
func TestARefusedSASIsReplacedOnce(t *testing.T) {
	t.Parallel()
	const part, parts = 1 << 20, 4
	var arrived sync.WaitGroup
	arrived.Add(parts)
	store := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Query().Get("turn") == "1" && r.URL.Query().Get("comp") == "block" {
			arrived.Done()
			arrived.Wait()
			w.WriteHeader(http.StatusForbidden)
			return
		}
		_, _ = io.Copy(io.Discard, r.Body)
		w.WriteHeader(http.StatusCreated)
		_, _ = w.Write([]byte("<BlockList/>"))
	}))
	defer store.Close()
	turns := 0
	sink := New(Blob{Client: http.DefaultClient, PartSize: part, URL: func(context.Context, bool) (string, error) {
		turns++
		return fmt.Sprintf("%s/c/f?turn=%d", store.URL, turns), nil
	}})
	engine := transfer.NewEngine(transfer.Options{PartsInFlight: parts, PartSize: part, Memory: parts * part})
	_, err := engine.Copy(t.Context(), transfer.Job{Source: transfer.Bytes(make([]byte, parts*part)), Sink: sink, Size: parts * part})
	require.NoError(t, err)
	require.Equal(t, 2, turns)
}
