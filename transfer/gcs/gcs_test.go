package gcs

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"sync/atomic"
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
				name := fmt.Sprintf("bucket/file %d.mov", n)
				session, err := Start(t.Context(), client, g.StartURL("bucket/"+fmt.Sprintf("file%d.mov", n), time.Minute), "video/quicktime")
				require.NoError(t, err)
				name = fmt.Sprintf("bucket/file%d.mov", n)
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

func TestCompose(t *testing.T) {
	client := transfer.NewHTTPClient(nil, nil)
	sinktest.Run(t, func(t *testing.T) sinktest.Store {
		g, n := serve(t), 0
		var stale atomic.Bool
		return sinktest.Store{
			Open: func(_ *testing.T, _ int64) sinktest.Upload {
				n++
				file := fmt.Sprintf("file%d", n)
				life := func(fresh bool) time.Duration {
					if stale.Load() && !fresh {
						return -time.Second
					}
					return time.Minute
				}
				return sinktest.Upload{
					Sink: func() transfer.Sink {
						return NewCompose(Compose{
							Client: client, PartSize: part, Stored: size(g, "bucket/"+file),
							PartURL: func(_ context.Context, p, _ int, fresh bool) (string, string, error) {
								key := fmt.Sprintf("%s.part%d", file, p)
								return g.PutURL("bucket/"+key, life(fresh)), key, nil
							},
							ComposeURL: func(_ context.Context, group int) (string, string, error) {
								key := file
								if group > 0 {
									key = fmt.Sprintf("%s.group%d", file, group)
								}
								return g.ComposeURL("bucket/"+key, time.Minute), key, nil
							},
						})
					},
					Stored: stored(g, "bucket/"+file),
				}
			},
			Fault: func(f func(*http.Request) *s3sim.Fault) { g.SetFault(f) }, Puts: g.Puts, Corrupt: g.Corrupt, Expire: func() { stale.Store(true) }, Part: part,
		}
	})
}

func TestManyPartsAreComposedInGroups(t *testing.T) {
	g := serve(t)
	const parts = 70
	file := sinktest.File(parts * 1000)
	sink := NewCompose(Compose{Client: http.DefaultClient, PartSize: 1000,
		PartURL: func(_ context.Context, p, _ int, _ bool) (string, string, error) {
			key := fmt.Sprintf("f.part%d", p)
			return g.PutURL("bucket/"+key, time.Minute), key, nil
		},
		ComposeURL: func(_ context.Context, group int) (string, string, error) {
			key := fmt.Sprintf("f.group%d", group)
			return g.ComposeURL("bucket/"+key, time.Minute), key, nil
		}})
	engine := transfer.NewEngine(transfer.Options{PartsInFlight: 8, PartSize: 1000})
	_, err := engine.Copy(t.Context(), transfer.Job{Source: transfer.Bytes(file), Sink: sink, Size: int64(len(file))})
	require.NoError(t, err)
	got, _ := g.Object("bucket/f.group0")
	require.Equal(t, file, got)
}
