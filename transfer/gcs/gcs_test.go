package gcs

import (
	"context"
	"errors"
	"fmt"
	"io"
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

// A session that reports success before it has all bytes is no upload: without a checksum, the object's size shows it.
func TestASessionThatEndsTooEarly(t *testing.T) {
	t.Parallel()
	for has, fails := range map[int64]bool{granule: true, 2 * granule: false, -1: false} {
		store := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			_, _ = io.Copy(io.Discard, r.Body)
			if r.Header.Get("Content-Range") == "bytes */*" {
				w.WriteHeader(http.StatusPermanentRedirect)
			}
		}))
		sink := NewSession(Session{Client: http.DefaultClient, URL: store.URL, PartSize: granule, Stored: func(context.Context) (int64, error) { return has, nil }})
		_, err := transfer.NewEngine(transfer.Options{PartSize: granule}).Copy(t.Context(), transfer.Job{Source: transfer.Bytes(make([]byte, 2*granule)), Sink: sink, Size: 2 * granule})
		store.Close()
		require.Equal(t, fails, errors.Is(err, transfer.ErrCorrupted), "%d bytes: %v", has, err)
		require.Equal(t, fails, err != nil, "%d bytes: %v", has, err)
	}
}
