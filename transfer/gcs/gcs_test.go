package gcs

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/framebridge/framebridge/sandbox/s3sim"
	"github.com/framebridge/framebridge/sandbox/storesim"
	"github.com/framebridge/framebridge/test/sinktest"
	"github.com/framebridge/framebridge/transfer"
)

const part = 512 << 10

func serve(t *testing.T) *storesim.GCS {
	var g *storesim.GCS
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { g.ServeHTTP(w, r) }))
	t.Cleanup(srv.Close)
	g = storesim.NewGCS(srv.URL)
	return g
}

func stored(g *storesim.GCS, name string) func() []byte {
	return func() []byte {
		b, ok := g.Object(name)
		if !ok {
			return nil
		}
		return append([]byte{}, b...)
	}
}

func size(g *storesim.GCS, name string) func(context.Context) (int64, error) {
	return func(ctx context.Context) (int64, error) {
		return transfer.StoredSize(ctx, http.DefaultClient, g.GetURL(name, time.Minute))
	}
}

func TestSession(t *testing.T) {
	client := transfer.NewHTTPClient(nil, nil)
	sinktest.Run(t, func(t *testing.T) sinktest.Store {
		g, n := serve(t), 0
		return sinktest.Store{
			Open: func(t *testing.T, _ int64) sinktest.Upload {
				n++
				session, err := Start(t.Context(), client, g.StartURL("bucket/"+fmt.Sprintf("file%d.mov", n), time.Minute), "video/quicktime")
				require.NoError(t, err)
				name := fmt.Sprintf("bucket/file%d.mov", n)
				return sinktest.Upload{
					Sink: func() transfer.Sink {
						return NewSession(Session{Client: client, URL: session, PartSize: part, Stored: size(g, name)})
					},
					Stored: stored(g, name),
				}
			},
			Fault: func(f func(*http.Request) *s3sim.Fault) { g.SetFault(f) }, Puts: g.Puts, Corrupt: g.Corrupt, ForgetUploads: g.ForgetSessions, Part: part, Streams: true,
		}
	})
}
