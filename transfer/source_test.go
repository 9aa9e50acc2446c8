package transfer_test

import (
	"bytes"
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"sync/atomic"
	"testing"
	"time"

	"github.com/cespare/xxhash/v2"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/framebridge/framebridge/test/sinktest"
	"github.com/framebridge/framebridge/transfer"
)

// blind is a sink that does not list its parts.
type blind struct{ keep }

func (*blind) Listed(context.Context) ([]transfer.Receipt, error) { return nil, transfer.ErrCannotList }

// A file that was replaced by one of the same size while no worker was copying it is copied from its beginning: the checkpoint
// belongs to the previous one.
func TestACheckpointIsOfOneSource(t *testing.T) {
	t.Parallel()
	const size = 4 * part
	one, two := sinktest.File(size), sinktest.File(size + 1)[:size]
	var now atomic.Pointer[[]byte]
	now.Store(&one)
	var dies atomic.Bool
	host := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if dies.Load() && r.Header.Get("Range") != "bytes=0-0" {
			w.WriteHeader(http.StatusNotFound)
			return
		}
		b := *now.Load()
		w.Header().Set("ETag", fmt.Sprintf("%q", fmt.Sprint(xxhash.Sum64(b))))
		http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(b))
	}))
	defer host.Close()
	open := func() *transfer.HTTPSource {
		src, err := transfer.NewHTTPSource(t.Context(), http.DefaultClient, func(context.Context, bool) (transfer.Location, error) {
			return transfer.Location{URL: host.URL, Size: size, Ranges: true}, nil
		})
		require.NoError(t, err)
		return src
	}
	for name, then := range map[string]*[]byte{"the same": &one, "another": &two} {
		now.Store(&one)
		dies.Store(false)
		sink := &blind{keep{parts: map[int][]byte{}}}
		engine := transfer.NewEngine(transfer.Options{PartsInFlight: 1, PartSize: part})
		var checkpoint []byte
		parts := 0
		_, err := engine.Copy(t.Context(), transfer.Job{Source: open(), Sink: sink, Size: size, Progress: func(p transfer.Progress) {
			if parts++; parts == 2 {
				checkpoint = p.Checkpoint
				dies.Store(true)
			}
		}})
		require.Error(t, err)
		dies.Store(false)
		now.Store(then)
		res, err := engine.Copy(t.Context(), transfer.Job{Source: open(), Sink: sink, Size: size, Resume: checkpoint})
		require.NoError(t, err)
		assert.Equal(t, then == &one, res.PartsKept == 2, name)
		assert.True(t, bytes.Equal(*then, sink.bytes()), name)
	}
}
